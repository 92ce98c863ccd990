"""What a classifier gets wrong, and how far its probabilities can be believed: functions over predicted probabilities.

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
    """Confidence (the highest probability of a row) held against accuracy, in bins of equal width from 0 to 1.

    Attributes:
        counts: rows of each bin, `(bins,)`.
        confidences: their mean confidence, `(bins,)`; not a number where a bin is empty.
        accuracies: the share of them that is right, `(bins,)`; likewise.
        error: the expected calibration error: the mean distance of the two, weighted by the counts.
    """

    counts: NDArray[np.int64]
    confidences: NDArray[np.float64]
    accuracies: NDArray[np.float64]
    error: float


def calibrate(probabilities: ArrayLike, references: ArrayLike, bins: int = 15) -> Calibration:
    """Measure calibration as Guo et al. do (On Calibration of Modern Neural Networks, 2017).

    Args:
        probabilities: `(rows, labels)`.
        references: `(rows,)`.
        bins: Number of bins; a confidence on an edge belongs to the bin below it.

    Returns:
        The bins and the expected calibration error.

    Raises:
        ValueError: If there are no rows, their numbers differ, or a probability is not in 0 to 1.
    """
    probabilities, references = _checked(probabilities, references)
    confidences = probabilities.max(axis=1)
    places = np.clip(np.ceil(confidences * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(places, minlength=bins)
    right = probabilities.argmax(axis=1) == references
    with np.errstate(invalid="ignore"):  # of empty bins
        mean_confidences = np.bincount(places, confidences, bins) / counts
        accuracies = np.bincount(places, right, bins) / counts
    distances = np.abs(mean_confidences - accuracies)[counts > 0]
    error = np.average(distances, weights=counts[counts > 0])
    return Calibration(counts, mean_confidences, accuracies, float(error))


class Group(NamedTuple):
    """The rows whose value lies in one range: its name, how many they are, and the share of them that is right."""

    name: str
    rows: int
    accuracy: float


def accuracy_by(values: ArrayLike, right: ArrayLike, bounds: Sequence[float], form: str = "{:g}") -> list[Group]:
    """Split rows by a value, such as their length, and see how many of each group are right.

    Args:
        values: A number for each row, `(rows,)`.
        right: Whether the row's prediction is right, `(rows,)`.
        bounds: The highest value of each group but the last, ascending. A group holds what is over the bound before.
        form: How a bound is written in a group's name, such as `"{:.0%}"`.

    Returns:
        The groups that have rows, in ascending order, named such as "at most 5", "over 5 to 10", "over 10".
    """
    values, right = np.asarray(values), np.asarray(right, bool)
    names = [form.format(bound) for bound in bounds]
    titles = [f"at most {names[0]}", *(f"over {low} to {high}" for low, high in pairwise(names))]
    titles.append(f"over {names[-1]}")
    places = np.searchsorted(np.asarray(bounds), values, side="left")
    groups = ((title, right[places == place]) for place, title in enumerate(titles))
    return [Group(title, len(rows), float(rows.mean())) for title, rows in groups if len(rows)]


def confident_errors(probabilities: ArrayLike, references: ArrayLike, count: int) -> NDArray[np.int64]:
    """The wrong predictions that the model is surest of.

    Args:
        probabilities: `(rows, labels)`.
        references: `(rows,)`.
        count: How many at most.

    Returns:
        The numbers of the rows, the surest first; of equally sure ones the earlier.

    Raises:
        ValueError: As of `calibrate`.
    """
    probabilities, references = _checked(probabilities, references)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != references)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")[:count]]


def fragment_share(
    tokens: Sequence[str], word_ids: Sequence[int | None], unknown: str | None, word_mark: str | None = None
) -> float:
    """The share of a text's tokens that the vocabulary has no meaning for.

    These are the unknown token, bytes, and single characters that are not a whole morpheme but what byte pair encoding
    was left with of one.

    Args:
        tokens: The tokens.
        word_ids: For each the morpheme that it is part of; None for special tokens, which are not counted.
        unknown: The unknown token.
        word_mark: The mark of pieces that begin a word, which is no character of the text.

    Returns:
        From 0 to 1; 0 for a text without tokens.
    """
    words = [word for word in word_ids if word is not None]
    pieces = {word: words.count(word) for word in words}
    fragments = 0
    for token, word in zip(tokens, word_ids, strict=True):
        if word is None:
            continue
        characters = token.removeprefix(word_mark) if word_mark else token
        alone = len(characters) <= 1 and pieces[word] > 1
        fragments += alone or token == unknown or _BYTE.fullmatch(token) is not None
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
        raise ValueError("probabilities must be in 0 to 1: logits go through softmax first")
    return probabilities, references
