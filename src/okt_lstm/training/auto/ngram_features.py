"""Features of a linear n-gram model: n-grams of tokens, and n-grams of the characters in a token.

The n-grams of characters are for learning only: a word that few rows have learns from its parts. Afterwards their
weights are added to those of the tokens that hold them, so the model that is saved knows n-grams of tokens alone.

Of a pair of texts, what both have and what only one has are different features.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from ...models.ngrams import NUM_HASHES, SHARED, hashed_ngrams
from .linear import Linear
from .reading import averaging
from .tokens import Tokens

NGRAM_LENGTH = 3
"""Length of the longest n-grams, in tokens."""
_CHARACTERS = 4
# From this number of rows on, an n-gram has to occur in two of them.
_MANY_ROWS = 500
# For all labels together: 8 MB in half precision.
_MOST_WEIGHTS = 2**22
_BYTE = re.compile("<0x[0-9A-F]{2}>")


class NgramFeatures:
    """Counts of the n-grams of some rows, weighted by how rare each is.

    Args:
        tokens: The token ids of the rows, texts or pairs, or of the parts that each row is read in.
        owners: The row of each part, `(parts,)`.
        vocabulary: Tokens by their id. Ids run from 0 to one below their number.
        num_labels: The number of labels. With many of them, only the more frequent n-grams are kept.

    Attributes:
        matrix: The features, `(rows, n-grams)`. A row is divided by the square root of its number of n-grams of
            tokens, as the model divides, and the whole by a number that gives rows the length 1 on average.
    """

    matrix: sparse.csr_matrix

    def __init__(
        self, tokens: Tokens, owners: NDArray[np.int64], vocabulary: Mapping[int, str], num_labels: int
    ) -> None:
        self._size, most = len(vocabulary), _MOST_WEIGHTS // num_labels
        count = len(tokens.lengths)
        rows, hashes = _ngram_hashes(tokens, self._size)
        least = 2 if count >= _MANY_ROWS else 1
        known, columns, counts = np.unique(hashes, return_inverse=True, return_counts=True)
        kept = counts >= max(least, np.sort(counts)[-most] if len(counts) > most else 0)
        ngrams = _count(rows, columns, (count, len(known)))[:, kept]
        self._hashes = known[kept]

        parts = _characters_of_tokens(vocabulary)
        # By what is added to the hashes of tokens: the characters of each token, `(vocabulary, n-grams)`.
        self._parts: dict[int, Any] = {}
        blocks = [ngrams]
        for shift, (in_rows, ids) in _tokens_by_shift(tokens).items():
            characters = _count(in_rows, ids, (count, self._size)) @ parts
            seen = np.diff(characters.tocsc().indptr) >= least
            self._parts[shift] = parts[:, seen]
            blocks.append(characters[:, seen])

        matrix = sparse.hstack(blocks, format="csr", dtype=np.float32)
        frequencies = np.diff(matrix.tocsc().indptr)
        self._rarity = np.log((1 + matrix.shape[0]) / (1 + frequencies)).astype(np.float32) + 1
        matrix = matrix @ sparse.diags(self._rarity)
        matrix = sparse.diags(1 / np.sqrt(_number_of_ngrams(tokens))) @ matrix
        if len(owners) > owners.max(initial=0) + 1:
            matrix = averaging(owners, int(owners.max()) + 1) @ matrix
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
        single = hashed_ngrams(torch.arange(self._size)[:, None], 1, NUM_HASHES)[0][:, 0].numpy()  # (vocabulary,)
        start = len(self._hashes)
        found, values = [self._hashes], [weights[:start]]
        for shift, parts in self._parts.items():
            found.append((single + shift) % NUM_HASHES)
            values.append(parts @ weights[start : start + parts.shape[1]])  # (vocabulary, labels)
            start += parts.shape[1]
        hashes, places = np.unique(np.concatenate(found), return_inverse=True)
        folded = np.zeros((len(hashes), weights.shape[1]), np.float32)
        np.add.at(folded, places, np.concatenate(values))
        kept = np.abs(folded).max(axis=1) > 0
        return hashes[kept].astype(np.int32), folded[kept]


def _ngram_hashes(tokens: Tokens, boundary: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the n-grams of rows, with beginnings and ends of texts: the row and the hash of each, `(n-grams,)`."""
    lengths = tokens.texts.lengths + 2
    texts = np.repeat(np.arange(len(lengths)), lengths)
    starts = np.cumsum(lengths) - lengths
    flat = np.full(lengths.sum(), boundary)
    inside = np.ones(len(flat), bool)
    inside[starts] = inside[starts + lengths - 1] = False
    flat[inside] = tokens.ids
    found = hashed_ngrams(torch.from_numpy(flat)[None], NGRAM_LENGTH, NUM_HASHES)
    # All texts are one row of `hashed_ngrams`; an n-gram of two texts is none.
    valid = [texts[: len(texts) - n] == texts[n:] for n in range(len(found))]
    of_text = np.concatenate([texts[: len(mask)][mask] for mask in valid])
    hashes = np.concatenate([hashes[0].numpy()[mask] for hashes, mask in zip(found, valid, strict=True)])
    if tokens.first is None:
        return of_text, hashes
    return of_text // 2, np.where(_in_both(of_text, hashes), (hashes + SHARED) % NUM_HASHES, hashes)


def _tokens_by_shift(tokens: Tokens) -> dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return the rows and ids of tokens, `(tokens,)` each, by what is added to their hashes."""
    rows = np.repeat(np.arange(len(tokens.lengths)), tokens.lengths)
    if tokens.first is None:
        return {0: (rows, tokens.ids)}
    texts = tokens.texts
    shared = _in_both(np.repeat(np.arange(len(texts.lengths)), texts.lengths), tokens.ids)
    return {0: (rows[~shared], tokens.ids[~shared]), SHARED: (rows[shared], tokens.ids[shared])}


def _in_both(texts: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which values the other text of the pair has, too.

    Args:
        texts: The text of each value, `(values,)`; texts `2 * i` and `2 * i + 1` are a pair.
        values: The values, from 0 to `NUM_HASHES`, `(values,)`.
    """
    keys = (texts // 2) * (NUM_HASHES + 1) + values
    first, second = (np.unique(keys[texts % 2 == side]) for side in (0, 1))
    return np.isin(keys, np.intersect1d(first, second, assume_unique=True))


def _number_of_ngrams(tokens: Tokens) -> NDArray[np.int64]:
    """Return the number of n-grams of each row, `(rows,)`."""
    of_text = np.sum([np.maximum(tokens.texts.lengths + 2 - n, 0) for n in range(NGRAM_LENGTH)], axis=0)
    return of_text if tokens.first is None else of_text[::2] + of_text[1::2]


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
