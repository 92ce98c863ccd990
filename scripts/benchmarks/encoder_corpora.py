"""Read the corpora of `benchmark_encoder.py`, which imports this module; it is not a program.

A corpus is a folder of csv files: `train.csv` and `test.csv` with the columns `text` and `label`, or `labels`, which
holds several names with bars between them; or `test.csv` with `text`, `text_pair` and `label`.
"""

import csv
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CORPORA = {
    "3i4k": "3i4K",
    "beep": "BEEP",
    "stylekqc_act": "StyleKQC",
    "chatbot": "chatbot",
    "petitions": "petitions",
    "kmhas": "K-MHaS",
}
"""The folders of the corpora, and their names in the table."""

# Rows that training sets are drawn from, and rows that are tested on.
MOST_POOL, MOST_TEST = 6000, 2000


@dataclass(frozen=True)
class Corpus:
    """Texts and labels of a classification corpus.

    Attributes:
        pool: The texts that training sets are drawn from.
        test: The texts of the test set.
        pool_labels: The label of each text, `(texts,)`, or whether it has each of several, `(texts, labels)`.
        test_labels: Those of the test set.
    """

    pool: list[str]
    test: list[str]
    pool_labels: NDArray[np.int64]
    test_labels: NDArray[np.int64]

    def draws(self, rows: int, count: int) -> list[NDArray[np.int64]]:
        """Return the numbers of the rows of random training sets, `(rows,)` each."""
        return [np.random.default_rng((seed, rows)).permutation(len(self.pool))[:rows] for seed in range(count)]


def read_corpus(folder: Path) -> Corpus:
    """Read a classification corpus. Large files are sampled."""
    pool, test = (
        _sample(_rows(folder / name), most) for name, most in (("train.csv", MOST_POOL), ("test.csv", MOST_TEST))
    )
    column = "labels" if "labels" in pool[0] else "label"
    names = sorted({name for row in pool for name in row[column].split("|")})
    labels = []
    for rows in (pool, test):
        matrix = np.array([[name in row[column].split("|") for name in names] for row in rows], np.int64)
        labels.append(matrix if column == "labels" else matrix.argmax(axis=1))
    return Corpus([row["text"] for row in pool], [row["text"] for row in test], *labels)


def read_pairs(path: Path) -> tuple[list[str], list[str], list[str]]:
    """Return the first texts, the second texts, and the labels of a file of pairs."""
    rows = _rows(path)
    first, second, labels = ([row[name] for row in rows] for name in ("text", "text_pair", "label"))
    return first, second, labels


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _sample(rows: list[dict[str, str]], most: int) -> list[dict[str, str]]:
    return random.Random(1).sample(rows, most) if len(rows) > most else rows
