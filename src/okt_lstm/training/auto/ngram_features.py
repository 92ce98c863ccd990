"""Features of a linear n-gram model: n-grams of tokens, and n-grams of the characters in a token.

The n-grams of characters are for learning only: a word that few rows have learns from its parts. Afterwards their
weights are added to those of the tokens that hold them, so the model that is saved knows n-grams of tokens alone.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from ...models.ngrams import NUM_HASHES, hashed_ngrams
from .linear import Linear

NGRAM_LENGTH = 3
"""Length of the longest n-grams, in tokens."""
_CHARACTERS = 4
# From this number of rows on, an n-gram has to occur in two of them.
_MANY_ROWS = 500
# For all labels together: 8 MB in half precision.
_MOST_WEIGHTS = 2**22
_BYTE = re.compile("<0x[0-9A-F]{2}>")


class Tokens(NamedTuple):
    """The token ids of texts.

    Attributes:
        ids: The ids of all texts, `(tokens,)`.
        row_splits: Text `i` has the ids `ids[row_splits[i]:row_splits[i + 1]]`, `(texts + 1,)`.
    """

    ids: NDArray[np.int64]
    row_splits: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The number of tokens of each text, `(texts,)`."""
        return np.diff(self.row_splits)

    def cut(self, max_length: int) -> "Tokens":
        """Return the first tokens of each text."""
        lengths = self.lengths
        places = np.arange(len(self.ids)) - np.repeat(self.row_splits[:-1], lengths)  # (tokens,), each in its own row
        return Tokens(self.ids[places < max_length], np.cumsum([0, *np.minimum(lengths, max_length)]))


class NgramFeatures:
    """Counts of the n-grams of some texts, weighted by how rare each is.

    Args:
        tokens: The token ids of the texts.
        vocabulary: Tokens by their id. Ids run from 0 to one below their number.
        num_labels: The number of labels. With many of them, only the more frequent n-grams are kept.

    Attributes:
        matrix: The features, `(texts, n-grams)`. A row is divided by the square root of its number of n-grams of
            tokens, as the model divides, and the whole by a number that gives rows the length 1 on average.
    """

    matrix: sparse.csr_matrix

    def __init__(self, tokens: Tokens, vocabulary: Mapping[int, str], num_labels: int) -> None:
        self._size, most = len(vocabulary), _MOST_WEIGHTS // num_labels
        rows, hashes = _ngram_hashes(tokens, self._size)
        least = 2 if len(tokens.lengths) >= _MANY_ROWS else 1
        known, columns, counts = np.unique(hashes, return_inverse=True, return_counts=True)
        kept = counts >= max(least, np.sort(counts)[-most] if len(counts) > most else 0)
        ngrams = _count(rows, columns, (len(tokens.lengths), len(known)))[:, kept]
        self._hashes = known[kept]

        in_text = _count(
            np.repeat(np.arange(len(tokens.lengths)), tokens.lengths), tokens.ids, (ngrams.shape[0], self._size)
        )
        self._parts = _characters_of_tokens(vocabulary)
        characters = in_text @ self._parts
        seen = np.diff(characters.tocsc().indptr) >= least
        self._parts, characters = self._parts[:, seen], characters[:, seen]

        matrix = sparse.hstack([ngrams, characters], format="csr", dtype=np.float32)
        frequencies = np.diff(matrix.tocsc().indptr)
        self._rarity = np.log((1 + matrix.shape[0]) / (1 + frequencies)).astype(np.float32) + 1
        matrix = matrix @ sparse.diags(self._rarity)
        matrix = sparse.diags(1 / np.sqrt(_number_of_ngrams(tokens.lengths))) @ matrix
        self._scale = float(np.sqrt(matrix.multiply(matrix).sum() / max(1, matrix.shape[0]))) or 1.0
        self.matrix = (matrix / self._scale).astype(np.float32).tocsr()

    def fold(self, model: Linear) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the n-grams of tokens that a model on `matrix` knows: hashes, ascending, and weights.

        Every token of the vocabulary is one of them, as are the n-grams of several tokens in the texts.

        Args:
            model: The model, with weights `(labels, n-grams)`.

        Returns:
            The hashes `(known,)` and the weights `(known, labels)` that `KnownNgrams` holds.
        """
        weights = (model.weights * self._rarity / self._scale).T.astype(np.float32)  # (n-grams, labels)
        of_tokens = self._parts @ weights[len(self._hashes) :]  # (vocabulary, labels)
        single = hashed_ngrams(torch.arange(self._size)[:, None], 1, NUM_HASHES)[0][:, 0].numpy()  # (vocabulary,)
        hashes, places = np.unique(np.concatenate([self._hashes, single]), return_inverse=True)
        folded = np.zeros((len(hashes), weights.shape[1]), np.float32)
        np.add.at(folded, places, np.concatenate([weights[: len(self._hashes)], of_tokens]))
        kept = np.abs(folded).max(axis=1) > 0
        return hashes[kept].astype(np.int32), folded[kept]


def _ngram_hashes(tokens: Tokens, boundary: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the n-grams of texts, with their beginnings and ends: the row and the hash of each, `(n-grams,)`."""
    lengths = tokens.lengths + 2
    rows = np.repeat(np.arange(len(lengths)), lengths)
    starts = np.cumsum(lengths) - lengths
    flat = np.full(lengths.sum(), boundary)
    inside = np.ones(len(flat), bool)
    inside[starts] = inside[starts + lengths - 1] = False
    flat[inside] = tokens.ids
    found = hashed_ngrams(torch.from_numpy(flat)[None], NGRAM_LENGTH, NUM_HASHES)
    # All texts are one row of `hashed_ngrams`; an n-gram of two texts is none.
    valid = [rows[: len(rows) - n] == rows[n:] for n in range(len(found))]
    return (
        np.concatenate([rows[: len(mask)][mask] for mask in valid]),
        np.concatenate([hashes[0].numpy()[mask] for hashes, mask in zip(found, valid, strict=True)]),
    )


def _number_of_ngrams(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.sum([np.maximum(lengths + 2 - n, 0) for n in range(NGRAM_LENGTH)], axis=0)


def _count(rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]) -> Any:
    return sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)


def _characters_of_tokens(vocabulary: Mapping[int, str]) -> Any:
    """Count the n-grams of characters in each token, with its beginning and its end: `(tokens, n-grams)`."""
    columns: dict[str, int] = {}
    rows, found = [], []
    for token_id, token in vocabulary.items():
        # A byte of a character that the vocabulary lacks has no characters.
        marked = "" if _BYTE.fullmatch(token) else f" {token} "
        for length in range(1, _CHARACTERS + 1):
            for start in range(len(marked) - length + 1):
                ngram = marked[start : start + length]
                if ngram != " ":
                    rows.append(token_id)
                    found.append(columns.setdefault(ngram, len(columns)))
    return _count(np.array(rows, np.int64), np.array(found, np.int64), (len(vocabulary), max(1, len(columns))))
