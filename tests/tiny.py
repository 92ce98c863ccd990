"""A classifier small enough to be made in a test: random weights, words split at white space, no Java."""

import random
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

import okt_lstm
from okt_lstm.inference.classifier import Classifier

WORDS = ["연기도", "연출도", "최고였다", "시간이", "아깝다", "정말", "재미", "있다", "없다", "굿", "별로"]
TEXTS = ["연기도 연출도 최고였다", "시간이 아깝다", "", "모르는 말", "정말 재미 없다 " * 20, "굿"]


def random_texts(count, seed=0):
    generator = random.Random(seed)
    return [" ".join(generator.choices(WORDS, k=generator.randrange(30))) for _ in range(count)]


def tiny_tokenizer(**options) -> PreTrainedTokenizerBase:
    vocabulary = {word: index for index, word in enumerate(["<pad>", "<unk>", *WORDS])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>", unk_token="<unk>", **options)


def tiny_model(labels=("negative", "positive"), **options):
    torch.manual_seed(0)
    sizes = {"vocab_size": len(WORDS) + 2, "embedding_size": 8, "hidden_size": 8}
    config = okt_lstm.LSTMConfig(**(sizes | options), id2label=dict(enumerate(labels)))
    model = okt_lstm.LSTMForSequenceClassification(config)
    with torch.no_grad():  # spread the logits, so that texts differ visibly
        model.classifier.weight.mul_(200)
    return model


def classifier_of(**options):
    return Classifier(tiny_model(**options), tiny_tokenizer())


def save_tiny(folder: Path, tokenizer_options=None, **model_options) -> Path:
    tiny_model(**model_options).save_pretrained(folder)
    tiny_tokenizer(**(tokenizer_options or {})).save_pretrained(folder)
    return folder


def padded(texts, time, side="right", filler=0):
    """Return the ids and the mask of texts given as ids, `(texts, time)`, padded with `filler`."""
    ids = torch.full((len(texts), time), filler)
    mask = torch.zeros(len(texts), time, dtype=torch.long)
    for row, text in enumerate(texts):
        start = 0 if side == "right" else time - len(text)
        ids[row, start : start + len(text)] = torch.tensor(text, dtype=torch.long)
        mask[row, start : start + len(text)] = 1
    return ids, mask
