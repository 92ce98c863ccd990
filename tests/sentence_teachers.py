"""Tiny sentence encoders that stand in for large ones as teachers."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast


def save_transformer(folder: Path, hidden_size: int = 12, seed: int = 1) -> Path:
    """A BERT over characters, as `transformers` saves it."""
    letters = ["[PAD]", "[UNK]", *"영화정말재미있다배우연기별로음악상모두최고시간아깝지루굿 "]
    tokenizer = Tokenizer(models.WordLevel({letter: i for i, letter in enumerate(dict.fromkeys(letters))}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=hidden_size,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        initializer_range=0.5,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


def save_sentence_transformer(folder: Path, **prompts: str) -> Path:
    """The same with mean pooling and prompts, as sentence-transformers saves it."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(save_transformer(folder / "plain")), device="cpu")
    model.prompts, model.default_prompt_name = prompts, next(iter(prompts), None)
    model.save(str(folder / "whole"), create_model_card=False)
    return folder / "whole"
