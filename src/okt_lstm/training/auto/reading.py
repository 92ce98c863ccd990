"""How long texts are read: cut, or in windows whose features and logits are averaged."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from oktane.windows import cut_windows

from .tokens import Tokens

# Limits of texts, in tokens. The least one that all but one text in a hundred fit in is used.
_LENGTHS = (128, 256, 512, 1024)
# What windows have in common, as a share of their length.
_OVERLAP = 8


class Reading(NamedTuple):
    """How texts are read.

    Attributes:
        max_length: The most tokens of a text or window.
        stride: The number of tokens that windows have in common; None if longer texts are cut.
    """

    max_length: int
    stride: int | None

    def read(self, tokens: Tokens) -> tuple[Tokens, NDArray[np.int64]]:
        """Return what is read of each text, and the row of each part of it, `(parts,)`."""
        if self.stride is None:
            return tokens.cut(self.max_length), np.arange(len(tokens.lengths))
        ids, row_splits, owners = cut_windows(tokens.ids, tokens.row_splits, self.max_length, self.stride)
        return Tokens(ids, row_splits), owners


def choose_reading(tokens: Tokens, max_length: int | None, stride: int | None) -> Reading:
    """Choose how texts are read.

    Args:
        tokens: The token ids of whole texts.
        max_length: The user's limit. If there is one without a stride, longer texts are cut. Otherwise they are read
            in windows, and without a limit most texts fit in one window.
        stride: The user's number of tokens that windows have in common.

    Raises:
        ValueError: If windows have everything in common, or texts are pairs.
    """
    lengths = tokens.texts.lengths
    if stride is not None and tokens.first is not None:
        raise ValueError("--stride is for single texts, not for pairs: leave it out")
    if max_length is not None:
        if stride is not None and not 0 <= stride < max_length:
            raise ValueError(f"--stride is {stride}; it has to be 0 or more, and less than --max_length {max_length}")
        return Reading(max_length, stride)
    needed = np.quantile(lengths, 0.99) if len(lengths) else 0
    limit = next((limit for limit in _LENGTHS if needed <= limit and (stride or 0) < limit), _LENGTHS[-1])
    if stride is not None and stride >= limit:
        raise ValueError(f"--stride is {stride}, which leaves windows of {limit} tokens nothing of their own")
    if tokens.first is not None:
        return Reading(limit, None)
    return Reading(limit, limit // _OVERLAP if stride is None else stride)


def averaging(owners: NDArray[np.int64], count: int) -> sparse.csr_matrix:
    """Return the matrix that averages the parts of each row, `(count, parts)`."""
    parts = np.bincount(owners, minlength=count)
    return sparse.csr_matrix((1 / parts[owners], (owners, np.arange(len(owners)))), shape=(count, len(owners)))
