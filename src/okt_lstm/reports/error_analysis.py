"""What a classifier gets wrong, and how well its probabilities are calibrated: functions over probabilities.

All take single-label predictions: `probabilities`, `(rows, labels)`, each row summing to 1, and `references`, the true
label ids, `(rows,)`.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

_BYTE = re.compile("<0x[0-9A-F]{2}>")


class Calibration(NamedTuple):
    """Confidence (the highest probability of a row) against accuracy, in bins of equal width from 0 to 1.

    Attributes:
        counts: The number of rows in each bin, `(bins,)`.
        confidences: Their mean confidence, `(bins,)`; NaN for an empty bin.
        accuracies: The share of them that is right, `(bins,)`; NaN for an empty bin.
        error: The expected calibration error: the mean distance of the two, weighted by the counts.
    """

    counts: NDArray[np.int64]
    confidences: NDArray[np.float64]
    accuracies: NDArray[np.float64]
    error: float


def calibrate(probabilities: ArrayLike, references: ArrayLike, bins: int = 15) -> Calibration:
    """Measure calibration, after Guo et al. (2017), "On Calibration of Modern Neural Networks".

    Args:
        probabilities: `(rows, labels)`.
        references: `(rows,)`.
        bins: The number of bins. A confidence on an edge belongs to the bin below it.

    Returns:
        The bins and the expected calibration error.

    Raises:
        ValueError: There are no rows, their numbers differ, or a probability is not between 0 and 1.
    """
    probabilities, references = _checked(probabilities, references)
    confidences = probabilities.max(axis=1)
    bin_ids = np.clip(np.ceil(confidences * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(bin_ids, minlength=bins)
    right = probabilities.argmax(axis=1) == references
    # Empty bins divide 0 by 0.
    with np.errstate(invalid="ignore"):
        mean_confidences = np.bincount(bin_ids, confidences, bins) / counts
        accuracies = np.bincount(bin_ids, right, bins) / counts
    distances = np.abs(mean_confidences - accuracies)[counts > 0]
    error = np.average(distances, weights=counts[counts > 0])
    return Calibration(counts, mean_confidences, accuracies, float(error))


class Group(NamedTuple):
    """The rows whose value is in one range: the name of the range, their number, and the share that is right."""

    name: str
    rows: int
    accuracy: float


def accuracy_by(values: ArrayLike, right: ArrayLike, bounds: Sequence[float], form: str = "{:g}") -> list[Group]:
    """Group rows by a value, such as their length, and return the accuracy of each group.

    Args:
        values: A number for each row, `(rows,)`.
        right: Whether the row's prediction is right, `(rows,)`.
        bounds: The highest value of each group except the last, ascending.
        form: The format of a bound in a group's name, such as `"{:.0%}"`.

    Returns:
        The groups that have rows, in ascending order, with names like "at most 5", "over 5 to 10", "over 10".
    """
    values, right = np.asarray(values), np.asarray(right, bool)
    names = [form.format(bound) for bound in bounds]
    titles = [f"at most {names[0]}", *(f"over {low} to {high}" for low, high in pairwise(names))]
    titles.append(f"over {names[-1]}")
    group_ids = np.searchsorted(np.asarray(bounds), values, side="left")
    groups = ((title, right[group_ids == group_id]) for group_id, title in enumerate(titles))
    return [Group(title, len(rows), float(rows.mean())) for title, rows in groups if len(rows)]


def confident_errors(probabilities: ArrayLike, references: ArrayLike, count: int) -> NDArray[np.int64]:
    """Find the most confident wrong predictions.

    Args:
        probabilities: `(rows, labels)`.
        references: `(rows,)`.
        count: The largest number to return.

    Returns:
        The indices of the rows, the most confident first; of equally confident ones, the earlier.

    Raises:
        ValueError: As for `calibrate`.
    """
    probabilities, references = _checked(probabilities, references)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != references)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")[:count]]


def fragment_share(
    tokens: Sequence[str], word_ids: Sequence[int | None], unknown: str | None, word_mark: str | None = None
) -> float:
    """Return the share of a text's tokens that carry no meaning of their own.

    These are the unknown token, bytes, and single characters into which byte pair encoding broke a morpheme.

    Args:
        tokens: The tokens.
        word_ids: The morpheme of each token; None for special tokens, which are not counted.
        unknown: The unknown token.
        word_mark: The mark of pieces that begin a word, which is not part of the text.

    Returns:
        A number from 0 to 1; 0 for a text without tokens.
    """
    words = [word for word in word_ids if word is not None]
    pieces = {word: words.count(word) for word in words}
    fragments = 0
    for token, word in zip(tokens, word_ids, strict=True):
        if word is None:
            continue
        characters = token.removeprefix(word_mark) if word_mark else token
        is_lone = len(characters) <= 1 and pieces[word] > 1
        fragments += is_lone or token == unknown or _BYTE.fullmatch(token) is not None
    return fragments / len(words) if words else 0.0


def _checked(probabilities: ArrayLike, references: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    probabilities, references = np.asarray(probabilities, np.float64), np.asarray(references)
    if probabilities.ndim != 2 or references.shape != probabilities.shape[:1]:
        raise ValueError(
            f"probabilities must be (rows, labels) and references (rows,), not {probabilities.shape} and "
            f"{references.shape}"
        )
    if not len(references):
        raise ValueError("there are no rows to analyze")
    if not ((probabilities >= 0) & (probabilities <= 1 + 1e-6)).all():
        raise ValueError("probabilities must be between 0 and 1: apply softmax to logits first")
    return probabilities, references
