"""Long texts read in windows: where the windows are, and the mean of what was computed of them."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Ids = TypeVar("Ids", NDArray[np.int32], NDArray[np.int64])


def cut_windows(
    ids: Ids, row_splits: NDArray[np.int64], size: int, stride: int
) -> tuple[Ids, NDArray[np.int64], NDArray[np.int64]]:
    """Cut texts into windows. All windows of a long text have the same size; its last one ends with the text.

    Args:
        ids: The ids of all texts, `(tokens,)`.
        row_splits: Text `i` has the ids `row_splits[i]:row_splits[i + 1]`, `(texts + 1,)`.
        size: The most tokens of a window.
        stride: The number of tokens that a window has in common with the one before it, as in transformers.

    Returns:
        The ids of all windows, `(tokens,)`; their row splits, `(windows + 1,)`; and the text of each, `(windows,)`.
    """
    lengths = np.diff(row_splits)
    # A text of `size` tokens has one window, and every further `size - stride` tokens begin another.
    counts = 1 + np.maximum(0, -(-(lengths - size) // (size - stride)))
    texts = np.repeat(np.arange(len(lengths)), counts)
    numbers = np.arange(len(texts)) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = np.minimum(numbers * (size - stride), np.maximum(lengths - size, 0)[texts])
    sizes = np.minimum(lengths[texts], size)
    splits = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    places = np.arange(splits[-1]) + np.repeat(row_splits[:-1][texts] + starts - splits[:-1], sizes)
    return ids[places], splits, texts


def mean_by_text(values: NDArray[np.float32], texts: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    """Return the mean of the windows of each text.

    Args:
        values: What was computed of each window, `(windows, columns)`.
        texts: The text of each window, `(windows,)`: ascending, and without gaps.
        count: The number of texts.

    Returns:
        `(count, columns)`.
    """
    if len(values) == count:
        return values
    first = np.searchsorted(texts, np.arange(count))
    sums = np.add.reduceat(values, first, axis=0, dtype=np.float64)
    return (sums / np.bincount(texts, minlength=count)[:, None]).astype(values.dtype)
