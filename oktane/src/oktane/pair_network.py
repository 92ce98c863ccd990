"""Models that compare two texts: a network encodes both, and n-grams of one or of both count.

What it has to match is `okt_lstm.models.pairs` and `okt_lstm.models.ngrams`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import _engine

# See `okt_lstm.models.ngrams`; the arithmetic is that of signed numbers of 64 bits, modulo 2 ** 64.
_BASE, _MIX = np.int64(0x2545F4914F6CDD1D), np.int64(0x1B03738712FAD5C9)
_NUM_HASHES = 2**31 - 1
_SHARED = 0x2B1D4C3F


class PairVectors(NamedTuple):
    """A linear layer on the vectors of both texts, how far they are apart, and their product.

    Attributes:
        encoder: The network, whose outputs are the vectors, `(texts, dimension)`.
        weights: `(labels, 4 * dimension)`.
        bias: `(labels,)`.
    """

    encoder: _engine.Network
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def run(self, ids: NDArray[np.int32], row_splits: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the logits of pairs; see `PairModel.run`."""
        first, second = np.split(self.encoder.run(ids, row_splits), 2)  # (pairs, dimension) each
        features = np.concatenate([first, second, np.abs(first - second), first * second], axis=1)
        # Unlike a matrix product, this adds the products of a row in one order, whatever rows are beside it.
        return np.stack([(features * weights).sum(axis=1) for weights in self.weights], axis=1) + self.bias


class PairNgrams(NamedTuple):
    """A linear model over n-grams, which weigh something else if both texts have them.

    Attributes:
        weights: Of each bucket or known n-gram, `(n-grams, labels)`.
        bias: `(labels,)`.
        longest: Length of the longest n-grams.
        boundary: The id that marks the beginning and the end of a text.
        hashes: The hashes of known n-grams in ascending order, `(n-grams,)`; None for buckets.
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    longest: int
    boundary: int
    hashes: NDArray[np.int32] | None

    def run(self, ids: NDArray[np.int32], row_splits: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the logits of pairs; see `PairModel.run`."""
        count = (len(row_splits) - 1) // 2
        pairs, hashes = self._ngrams(ids, row_splits)
        if self.hashes is None:
            found, rows = np.ones(len(hashes), np.bool_), hashes
        else:
            rows = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
            found = self.hashes[rows] == hashes
        sums = np.zeros((count, self.weights.shape[1]))
        for label, weights in enumerate(self.weights.T):
            sums[:, label] = np.bincount(pairs[found], weights[rows[found]], count)
        numbers = np.bincount(pairs, minlength=count)
        return (self.bias + sums / np.sqrt(numbers)[:, None]).astype(np.float32)

    def _ngrams(
        self, ids: NDArray[np.int32], row_splits: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the pair and the hash of each n-gram, with beginnings and ends of texts: `(n-grams,)` each."""
        lengths = np.diff(row_splits) + 2
        texts = np.repeat(np.arange(len(lengths)), lengths)
        ends = np.cumsum(lengths)
        tokens = np.full(int(lengths.sum()), self.boundary, np.int64)
        inside = np.ones(len(tokens), np.bool_)
        inside[ends - 1] = inside[ends - lengths] = False
        tokens[inside] = ids
        rolling, all_pairs, all_hashes = np.zeros(len(tokens), np.int64), [], []
        pairs, is_second = texts % (len(lengths) // 2 or 1), texts >= len(lengths) // 2
        buckets = _NUM_HASHES if self.hashes is not None else len(self.weights)
        for length in range(1, self.longest + 1):
            count = max(0, len(tokens) - length + 1)
            rolling = rolling[:count] * _BASE + tokens[length - 1 :] + 1
            within = texts[:count] == texts[length - 1 :]
            hashes = (((rolling ^ (rolling >> 32)) * _MIX) >> 20) % buckets
            found, hashes = pairs[:count][within], hashes[within]
            shared = _in_both(is_second[:count][within], found * buckets + hashes)
            all_pairs.append(found)
            all_hashes.append(np.where(shared, (hashes + _SHARED) % buckets, hashes))
        return np.concatenate(all_pairs), np.concatenate(all_hashes)


def _in_both(is_second: NDArray[np.bool_], keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which keys, `(n-grams,)`, occur on both sides."""
    first, second = np.unique(keys[~is_second]), np.unique(keys[is_second])
    return np.isin(keys, np.intersect1d(first, second, assume_unique=True))


class PairModel(NamedTuple):
    """A model that compares two texts: a network, n-grams, or both, whose logits are added."""

    parts: tuple[PairVectors | PairNgrams, ...]

    def run(self, ids: NDArray[np.int32], row_splits: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the logits of pairs of texts.

        Args:
            ids: The ids of all texts, `(tokens,)`: of the first text of each pair, then of the second ones.
            row_splits: Text `i` has the ids `row_splits[i]:row_splits[i + 1]`, `(2 * pairs + 1,)`.

        Returns:
            `(pairs, labels)`.
        """
        first, *others = [part.run(ids, row_splits) for part in self.parts]
        return np.asarray(sum(others, first), np.float32)
