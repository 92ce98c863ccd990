"""Token ids of many texts in one flat numpy array, without a Python object for each of them."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from tokenizers import Tokenizer, models

from .okt_words import Morphemes


class Ragged(NamedTuple):
    """The ids of a batch of texts.

    Attributes:
        ids: The ids of all texts, int64, `(tokens,)`.
        row_splits: Text `i` has the ids `row_splits[i]:row_splits[i + 1]`, int64, `(texts + 1,)`.
    """

    ids: np.ndarray
    row_splits: np.ndarray

    @classmethod
    def from_rows(cls, rows: list[list[int]]) -> "Ragged":
        """Return the ids of texts that are given as lists."""
        return cls(
            np.array([token for row in rows for token in row], np.int64), _splits(np.array(list(map(len, rows))))
        )

    @property
    def lengths(self) -> np.ndarray:
        """The number of ids of each text, `(texts,)`."""
        return np.diff(self.row_splits)

    def rows(self) -> list[list[int]]:
        """Return the ids of each text as a list."""
        ids = self.ids.tolist()
        return [ids[start:end] for start, end in pairwise(self.row_splits.tolist())]

    def truncate(self, max_length: int | None, side: str) -> "Ragged":
        """Cut texts that have more ids than `max_length` (None: no limit) on the `side`, `"left"` or `"right"`."""
        lengths = self.lengths
        if max_length is None or lengths.max(initial=0) <= max_length:
            return self
        kept = np.minimum(lengths, max_length)
        starts = self.row_splits[:-1] if side == "right" else self.row_splits[1:] - kept
        return Ragged(self.ids[_ranges(starts, kept)], _splits(kept))

    def pad(self, width: int, side: str, pad_id: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the ids as a matrix, int64, and whether each of them is a token, bool, both `(texts, width)`."""
        columns, lengths = np.arange(width), self.lengths[:, None]
        mask = columns < lengths if side == "right" else columns >= width - lengths  # (texts, width)
        matrix = np.full(mask.shape, pad_id, np.int64)
        matrix[mask] = self.ids
        return matrix, mask


def encode_morphemes(model: models.Model, morphemes: Morphemes, unknown_id: int) -> Ragged:
    """Return the ids of morphemes. Each distinct morpheme is looked up once.

    Args:
        model: A model of whole morphemes, or of pieces.
        morphemes: The morphemes.
        unknown_id: The id of a morpheme that a model of whole morphemes doesn't know.
    """
    if isinstance(model, models.WordLevel):
        found = [model.token_to_id(form) for form in morphemes.forms]
        ids = np.array([unknown_id if i is None else i for i in found], np.int64)
        return Ragged(ids[morphemes.form_ids], morphemes.row_splits)
    pieces = Tokenizer(model).encode(morphemes.forms, is_pretokenized=True, add_special_tokens=False)
    counts = np.bincount(np.array(pieces.word_ids, np.int64), minlength=len(morphemes.forms))  # (forms,)
    starts, counts = (np.cumsum(counts) - counts)[morphemes.form_ids], counts[morphemes.form_ids]  # (morphemes,)
    return Ragged(np.array(pieces.ids, np.int64)[_ranges(starts, counts)], _splits(counts)[morphemes.row_splits])


def _splits(lengths: np.ndarray) -> np.ndarray:
    """Return the row splits of rows with these lengths, int64, `(rows + 1,)`."""
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))


def _ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the indices `start, ..., start + length - 1` of all ranges, one after the other."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - lengths), lengths)
