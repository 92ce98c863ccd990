"""Define the baselines of `benchmark_models.py`, which imports this module; it is not a program.

Each baseline is trained on texts and leaves a folder with what prediction needs and nothing else. `predictors.py` loads
it from there. fastText and scikit-learn do their own work.
"""

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from benchmark_training import PADDED_LENGTH, TextbookClassifier
from predictors import (
    Predict,
    fasttext_lines,
    load_bert,
    load_fasttext,
    load_textbook,
    load_tfidf,
    padded_ids,
    predict_textbook,
    tfidf_vectorizer,
)
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_tensors
from sklearn.linear_model import LogisticRegression
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from transformers import BertConfig, BertForSequenceClassification, BertTokenizer, set_seed

from okt_lstm import OktTokenizer
from oktane import Okt, available_cores

TEXTBOOK_VOCABULARY = 20_000
TEXTBOOK_EPOCHS = 3
TEXTBOOK_BATCH = 128
# As large as that of klue/bert-base.
BERT_VOCABULARY = 32_000


class Rows(NamedTuple):
    """Texts, and the ids of their labels."""

    texts: list[str]
    labels: list[int]


@dataclass(frozen=True)
class Baseline:
    """A way to train and use a classifier.

    Attributes:
        title: Its name for readers.
        train: Trains on rows, validates on others and leaves the model in a folder. Takes a seed and options.
        load: Returns a function from texts to label ids for such a folder.
        grid: The options to choose from by accuracy on the validation set; the first one wins a tie.
        random: Whether the seed makes a difference.
        trained: Whether it is trained at all. If not, it is there for its speed only.
        note: What a reader of its figures has to know.
    """

    title: str
    train: Callable[..., None]
    load: Callable[[Path], Predict]
    grid: Sequence[dict[str, Any]] = field(default=({},))
    random: bool = True
    trained: bool = True
    note: str = ""


def _grid(**choices: Sequence[Any]) -> list[dict[str, Any]]:
    return [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]


# fastText


def train_fasttext(rows: Rows, validation: Rows, folder: Path, seed: int, **options: Any) -> None:
    """Train fastText on morphemes with word bigrams. It uses all cores, so two runs with one seed differ."""
    import fasttext

    lines = fasttext_lines(Okt(), rows.texts)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        file.writelines(f"__label__{label} {line}\n" for line, label in zip(lines, rows.labels, strict=True))
        file.flush()
        model = fasttext.train_supervised(
            file.name, wordNgrams=2, bucket=500_000, seed=seed, thread=available_cores(), verbose=0, **options
        )
    model.save_model(str(folder / "model.bin"))


# TF-IDF and logistic regression


def train_tfidf(rows: Rows, validation: Rows, folder: Path, seed: int, analyzer: str, C: float) -> None:  # noqa: N803
    """Train logistic regression over the TF-IDF of character 1- to 4-grams that occur in at least two texts."""
    vectorizer = tfidf_vectorizer(analyzer=analyzer)
    features = vectorizer.fit_transform(rows.texts)
    regression = LogisticRegression(C=C, max_iter=1000, random_state=seed).fit(features, rows.labels)
    ngrams = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.__getitem__)
    state = {"analyzer": analyzer, "ngrams": ngrams}
    (folder / "vocabulary.json").write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")
    arrays = {"idf": vectorizer.idf_, "coef": regression.coef_, "intercept": regression.intercept_}
    arrays = {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}
    save_file(arrays | {"classes": regression.classes_}, folder / "model.safetensors")


# The textbook loop


def train_textbook(rows: Rows, validation: Rows, folder: Path, seed: int) -> None:
    """Train the network of tutorials in the loop of tutorials, and keep the epoch that validates best.

    Every row is padded to 64 ids. OktTokenizer makes the ids, much faster than tutorials do.
    """
    set_seed(seed)
    batches = [rows.texts[start : start + 1000] for start in range(0, len(rows.texts), 1000)]
    tokenizer = OktTokenizer().train_new_from_iterator(batches, TEXTBOOK_VOCABULARY, show_progress=False)
    tokenizer.save_pretrained(folder)
    model = TextbookClassifier(len(tokenizer))
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    loss_function = nn.CrossEntropyLoss()
    pairs = TensorDataset(padded_ids(tokenizer, rows.texts), torch.tensor(rows.labels))
    validation_ids = padded_ids(tokenizer, validation.texts)
    best = -1.0
    for _ in range(TEXTBOOK_EPOCHS):
        model.train()
        for batch_ids, batch_labels in DataLoader(pairs, batch_size=TEXTBOOK_BATCH, shuffle=True):
            optimizer.zero_grad()
            loss_function(model(batch_ids), batch_labels).backward()
            optimizer.step()
        accuracy = float(np.mean(predict_textbook(model.eval(), validation_ids) == validation.labels))
        if accuracy > best:
            best = accuracy
            save_tensors(model.state_dict(), folder / "model.safetensors")


# A transformer


def make_bert(rows: Rows, validation: Rows, folder: Path, seed: int) -> None:
    """Make a BERT-base with random weights. Their values do not change how long prediction takes.

    Its WordPiece vocabulary is learned from the rows. It makes fewer tokens of a review than the vocabulary of a
    published BERT, so it is faster.
    """
    set_seed(seed)
    untrained = BertTokenizer(do_lower_case=False)
    batches = (rows.texts[start : start + 1000] for start in range(0, len(rows.texts), 1000))
    tokenizer = untrained.train_new_from_iterator(batches, BERT_VOCABULARY, show_progress=False)
    tokenizer.model_max_length = BertConfig().max_position_embeddings
    tokenizer.save_pretrained(folder)
    BertForSequenceClassification(BertConfig(vocab_size=BERT_VOCABULARY)).save_pretrained(folder)


BASELINES = {
    "fasttext": Baseline(
        "fastText (Okt morphemes, bigrams)",
        train_fasttext,
        load_fasttext,
        _grid(dim=(32, 100), lr=(0.1, 0.3), epoch=(3, 5, 10)),
    ),
    "tfidf": Baseline(
        "TF-IDF (character 1- to 4-grams), logistic regression",
        train_tfidf,
        load_tfidf,
        _grid(analyzer=("char", "char_wb"), C=(1, 3, 10)),
        random=False,
    ),
    "textbook": Baseline(
        "LSTM, the textbook loop",
        train_textbook,
        load_textbook,
        note=f"rows are padded to {PADDED_LENGTH} ids by OktTokenizer; the best of {TEXTBOOK_EPOCHS} epochs on the "
        "validation set is kept.",
    ),
    "bert": Baseline(
        "BERT-base (random weights)",
        make_bert,
        load_bert,
        random=False,
        trained=False,
        note="timed only, because its speed does not depend on the weights. Its WordPiece vocabulary is learned from "
        "the training rows. The vocabulary of a published BERT makes more tokens of a review, so it is slower.",
    ),
}
