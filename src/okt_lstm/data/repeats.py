"""Rows that are there more than once: exact duplicates, equal texts with different labels, texts in two splits."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import datasets
import numpy as np
from numpy.typing import NDArray

from oktane.hangul import compose_hangul

from .columns import TEXTS

SHOWN = 10


@dataclass(frozen=True)
class Repeats:
    """What is repeated, or blank, in the rows of a split.

    Attributes:
        rows: The number of rows.
        blank: The rows whose text is blank.
        duplicates: The rows with the text and the label of an earlier row.
        conflicts: The texts that have different labels, with the numbers of rows by label; at most `SHOWN` of them.
        conflict_count: The number of these texts.
    """

    rows: int
    blank: int
    duplicates: int
    conflicts: tuple[tuple[str, dict[str, int]], ...]
    conflict_count: int

    def sentences(self, split: str, *, listed: bool = False) -> list[str]:
        """Say what there is, in a sentence for each kind.

        Args:
            split: What the split is called.
            listed: Whether to list the texts with different labels.
        """
        found = []
        if self.blank:
            have = "has" if self.blank == 1 else "have"
            found.append(f"{self.blank:,} of the {self.rows:,} {split} rows {have} an empty text.")
        if self.duplicates:
            are = "is an exact duplicate" if self.duplicates == 1 else "are exact duplicates"
            found.append(f"{self.duplicates:,} of the {self.rows:,} {split} rows {are} of others.")
        if self.conflict_count:
            texts = "texts have" if self.conflict_count > 1 else "text has"
            ending = f": {self._listed_conflicts()}" if listed else "."
            found.append(f"{self.conflict_count:,} {texts} different labels in the {split} rows{ending}")
        return found

    def _listed_conflicts(self) -> str:
        shown = [
            f"{text!r:.60} ({', '.join(f'{label} {count}' for label, count in labels.items())})"
            for text, labels in self.conflicts
        ]
        more = self.conflict_count - len(shown)
        return "; ".join(shown) + (f"; and {more:,} more" if more else "")


def text_keys(rows: datasets.Dataset) -> NDArray[np.int64]:
    """Return a number for each text or pair of texts, `(rows,)`. Equal ones have equal numbers, in this process."""
    keys = np.empty(len(rows), np.int64)
    done = 0
    columns = _text_columns(rows)
    for batch in rows.select_columns(columns).iter(batch_size=10_000):
        texts = list(zip(*(compose_hangul(batch[name])[0] for name in columns), strict=True))
        keys[done : done + len(texts)] = list(map(hash, texts))
        done += len(texts)
    return keys


def _text_columns(rows: datasets.Dataset) -> list[str]:
    return [name for name in TEXTS if name in rows.column_names]


def find_repeats(rows: datasets.Dataset, label_names: Sequence[str]) -> Repeats:
    """Count what is repeated, or blank, in the rows of a split.

    Args:
        rows: The rows, with the columns `text`, perhaps `text_pair`, and `label`.
        label_names: The names of the classes by id; empty for a regression, in which labels may well differ.
    """
    labels, columns = rows.select_columns("label")[:]["label"], _text_columns(rows)
    keys = text_keys(rows)
    # Of each text, the labels that it has, once: (pairs, 2).
    pairs = np.unique(np.stack([keys, [hash(_plain(label)) for label in labels]], axis=1), axis=0)
    texts, label_counts = np.unique(pairs[:, 0], return_counts=True)
    conflicting = texts[label_counts > 1] if label_names else texts[:0]
    found: dict[int, list[int]] = {}
    for index in np.flatnonzero(np.isin(keys, conflicting)).tolist():
        key = int(keys[index])
        if key in found or len(found) < SHOWN:
            found.setdefault(key, []).append(index)
    conflicts = tuple(
        (
            " / ".join(rows[indices[0]][name] for name in columns),
            dict(Counter(_name(labels[index], label_names) for index in indices)),
        )
        for indices in found.values()
    )
    blank = sum(
        not all(text.strip() for text in texts)
        for batch in rows.iter(batch_size=10_000)
        for texts in zip(*(batch[name] for name in columns), strict=True)
    )
    return Repeats(len(rows), blank, len(rows) - len(pairs), conflicts, len(conflicting))


def _plain(label: object) -> object:
    return tuple(label) if isinstance(label, list) else label


def _name(label: object, names: Sequence[str]) -> str:
    if isinstance(label, list):
        return "+".join(name for name, flag in zip(names, label, strict=True) if flag) or "(none)"
    return names[label] if isinstance(label, int) else str(label)


def count_shared(rows: datasets.Dataset, others: datasets.Dataset) -> int:
    """Return how many of the rows have a text that the others have, too."""
    return int(np.isin(text_keys(rows), text_keys(others)).sum())


def together(rows: datasets.Dataset, is_held_out: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which rows are held out if equal texts stay on one side: all go where the first of them was drawn to.

    Args:
        rows: The rows.
        is_held_out: Which of them were drawn, `(rows,)`.
    """
    _, first, group = np.unique(text_keys(rows), return_index=True, return_inverse=True)
    joined: NDArray[np.bool_] = is_held_out[first][group]
    # Hardly any texts, and all on one side.
    return is_held_out if joined.all() or not joined.any() else joined
