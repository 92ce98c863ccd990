"""Read the corpora of `benchmark_small_data.py`, which imports this module; it is not a program."""

import csv
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEW, MORE = (100, 300, 1000, 3000, 10_000, 30_000), (200, 1000, 5000)
CORPORA = {
    "nsmc": ("NSMC", FEW),
    "3i4k": ("3i4K", MORE),
    "beep": ("BEEP", MORE),
    "stylekqc_act": ("StyleKQC acts", MORE),
    "chatbot": ("chatbot moods", MORE),
    "petitions": ("petitions", MORE),
    "kmhas": ("K-MHaS", MORE),
}
"""The folders of the corpora, their names for readers, and numbers of rows; all rows come last."""

# Training sets below 1,000 rows, and from there on.
_DRAWS_OF_FEW, _DRAWS = 10, 3
_NSMC_TEST_ROWS = 5000
_MOST_VALIDATION_ROWS = 2000

Row = tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class Corpus:
    """Texts and labels of a corpus.

    Attributes:
        names: The names of the labels.
        pool: The texts that training sets are drawn from.
        pool_labels: The label of each, `(texts,)`, or whether it has each of several, `(texts, labels)`.
        test: The texts that are tested on.
        test_labels: Their labels.
        sizes: Numbers of rows of training sets, without all rows.
        several: Whether a text has several labels.
    """

    names: tuple[str, ...]
    pool: list[str]
    pool_labels: NDArray[np.int64]
    test: list[str]
    test_labels: NDArray[np.int64]
    sizes: tuple[int, ...]
    several: bool

    def pool_names(self, row: int) -> list[str]:
        """Return the names of a text's labels."""
        if not self.several:
            return [self.names[self.pool_labels[row]]]
        return [self.names[label] for label in np.flatnonzero(self.pool_labels[row])]

    def draws(self, most_rows: int | None, most_draws: int | None) -> Iterator[tuple[int, int, NDArray[np.int64]]]:
        """Yield the training sets: the number of rows, the number of the draw, and the rows."""
        total = len(self.pool)
        for rows in (*(size for size in self.sizes if size < total), total):
            if most_rows is not None and rows > most_rows:
                continue
            count = 1 if rows == total else _DRAWS_OF_FEW if rows < 1000 else _DRAWS
            for draw in range(min(count, most_draws or count)):
                yield rows, draw, np.random.default_rng((draw, rows)).permutation(total)[:rows]


def read_corpus(name: str, corpora: Path, nsmc: Path, part: str) -> Corpus:
    """Read a corpus.

    Args:
        name: A key of `CORPORA`.
        corpora: The folder of the corpora's folders.
        nsmc: The folder of the NSMC files.
        part: "test" or "validation", where rows that are not tested on are held out.
    """
    if name == "nsmc":
        pool, held_out = _nsmc(nsmc / "ratings_train.txt"), _nsmc(nsmc / "ratings_validation.txt")
        if part == "test":
            return _corpus(pool, _nsmc(nsmc / "ratings_test.txt")[:_NSMC_TEST_ROWS], CORPORA[name][1])
        texts = {text for text, _ in held_out}
        kept = [row for row in pool if row[0] not in texts]
        return _corpus(kept, held_out[:_NSMC_TEST_ROWS], CORPORA[name][1])
    pool = _table(corpora / name / "train.csv")
    if part == "test":
        test = _table(corpora / name / "test.csv")
    elif (corpora / name / "validation.csv").exists():
        test = _table(corpora / name / "validation.csv")
    else:
        random.Random(1).shuffle(pool)
        count = min(_MOST_VALIDATION_ROWS, len(pool) // 4)
        test, pool = pool[:count], pool[count:]
    return _corpus(pool, test, CORPORA[name][1])


def _corpus(pool: list[Row], test: list[Row], sizes: tuple[int, ...]) -> Corpus:
    names = tuple(sorted({name for _, labels in pool for name in labels}))
    several = any(len(labels) > 1 for _, labels in pool)

    def encode(rows: list[Row]) -> Any:
        flags = np.array([[name in labels for name in names] for _, labels in rows], np.int64)
        return flags if several else flags.argmax(axis=1)

    return Corpus(
        names, [text for text, _ in pool], encode(pool), [text for text, _ in test], encode(test), sizes, several
    )


def _table(path: Path) -> list[Row]:
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    column = "labels" if "labels" in rows[0] else "label"
    return [(row["text"], tuple(row[column].split("|"))) for row in rows]


def _nsmc(path: Path) -> list[Row]:
    lines = path.read_text(encoding="utf-8").split("\n")[1:]
    fields = [line.split("\t") for line in lines if line]
    return [(text, (label,)) for _, text, label in fields if text]
