"""How the logits of a network and of an n-gram model become one: weights, shifts and a temperature, from held-out rows.

All of these are numbers that the last layers can take in, so the mixture is exact wherever the model runs. Only the
thresholds of several labels are not: they are a field of the configuration.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit
from sklearn.metrics import accuracy_score, f1_score, r2_score

from oktane.problem_type import ProblemType, Threshold

from .linear import Targets

# A part with a smaller share of the logits is left out.
_LEAST_SHARE = 0.05
# The weight of each part that is expected before anything is measured, and how much that counts.
_PRIOR_WEIGHT, _PRIOR_ROWS = 0.7, 2.0
# A class with fewer rows counts as if it had this many, so that single rows don't decide.
_FEW = 10
# How far the logits of balanced classes are shifted towards the classes' true shares: 0 for each class alike, 1 for as
# many predictions of a class as it has rows.
_SHIFTS = np.linspace(-0.2, 1, 7)

# What calibration adds to a logit at most.
_MOST_SHIFT = 8.0

Logits = NDArray[np.float64]


class Mixture(NamedTuple):
    """What to multiply and to add.

    Attributes:
        deep: The weight of the network's logits.
        wide: The weight of the n-gram model's logits.
        shifts: What is added, `(labels,)`.
        loss: The loss of the weighted logits on the held-out rows, each class weighing the same.
        thresholds: The probability from which each of several labels holds; None for other problem types.
    """

    deep: float
    wide: float
    shifts: NDArray[np.float64]
    loss: float
    thresholds: list[float] | None = None

    def logits(self, deep: Logits, wide: Logits) -> Logits:
        """Mix logits, `(rows, labels)`."""
        return self.deep * deep + self.wide * wide + self.shifts

    def score(self, deep: Logits, wide: Logits, targets: Targets, metric: str) -> float:
        """Return a score of the mixed logits; see `score_of`."""
        return score_of(self.logits(deep, wide), targets, metric, self.thresholds or 0.5)


def fit_mixture(
    deep: Logits, wide: Logits, targets: Targets, class_weights: str = "auto", metric: str = "f1_macro"
) -> Mixture:
    """Find the mixture for held-out rows: weights for the least loss, then shifts or thresholds for the best score.

    Its probabilities are calibrated by a temperature, except for what shifts do to them.

    Args:
        deep: The network's logits, `(rows, labels)`, of a model that was fitted without these rows.
        wide: Those of the n-gram model.
        targets: The labels of the rows.
        class_weights: `"balanced"`: every class weighs the same; `"none"`: every row does; `"auto"`: what gives the
            best score.
        metric: The score; see `score_of`.
    """
    weights, loss = _weights(deep, wide, targets)
    mixed = weights[0] * deep + weights[1] * wide
    if targets.problem_type is ProblemType.REGRESSION:
        return Mixture(*weights, np.zeros(1), loss)
    if targets.problem_type is ProblemType.MULTI_LABEL:
        shifts = _calibrating_shifts(mixed, targets)
        probabilities = expit(mixed + shifts)
        thresholds = [_best_threshold(*column) for column in zip(probabilities.T, targets.values.T, strict=True)]
        if metric != "f1_macro":
            thresholds = _common_threshold(mixed + shifts, targets, metric)
        return Mixture(*weights, shifts, loss, thresholds)
    shifts = _shift(mixed, targets, class_weights, metric) * np.log(targets.priors)
    scale = minimize_scalar(
        lambda power: loss_of((mixed + shifts) * np.exp(power), targets), bounds=(-2, 0.7), method="bounded"
    )
    scale = float(np.exp(scale.x))
    return Mixture(scale * weights[0], scale * weights[1], scale * shifts, loss)


def _weights(deep: Logits, wide: Logits, targets: Targets) -> tuple[tuple[float, float], float]:
    """Return the weights of the least loss, and the loss. A part that hardly matters gets the weight 0."""
    found = _least_loss(deep, wide, targets, [(0, None), (0, None)])
    shares = np.array([found.x[0] * deep.std(), found.x[1] * wide.std()])
    if shares.sum() > 0 and shares.min() / shares.sum() < _LEAST_SHARE:
        small = int(shares.argmin())
        found = _least_loss(deep, wide, targets, [(0, 0) if part == small else (0, None) for part in range(2)])
    return (float(found.x[0]), float(found.x[1])), float(found.fun)


def _least_loss(deep: Logits, wide: Logits, targets: Targets, bounds: Any) -> Any:
    # A squared error is in the square of the numbers' unit.
    unit = targets.values.var() if targets.problem_type is ProblemType.REGRESSION else 1.0
    start = [0.0 if bound[1] == 0 else 0.5 for bound in bounds]

    def loss(w: NDArray[np.float64]) -> float:
        # Few rows say little about the weights, and none if they are told apart without a mistake.
        prior = unit * _PRIOR_ROWS / len(deep) * float(((w - _PRIOR_WEIGHT) ** 2).sum())
        return loss_of(w[0] * deep + w[1] * wide, targets, balanced=True) + prior

    return minimize(loss, start, method="L-BFGS-B", bounds=bounds)


def loss_of(logits: Logits, targets: Targets, balanced: bool = False) -> float:
    """Return the mean loss of logits `(rows, labels)`: cross-entropy, binary cross-entropy or the squared error.

    Args:
        logits: The logits, or the numbers of a regression.
        targets: The labels.
        balanced: Whether each class, rather than each row, weighs the same; for single-label classification.
    """
    if targets.problem_type is ProblemType.REGRESSION:
        return float(np.mean((logits[:, 0] - targets.values) ** 2))
    if targets.problem_type is ProblemType.MULTI_LABEL:
        return float(np.mean(np.logaddexp(0, logits) - targets.values * logits))
    rows = np.arange(len(logits))
    losses = np.logaddexp.reduce(logits, axis=1) - logits[rows, targets.values]
    if not balanced:
        return float(losses.mean())
    counts = np.bincount(targets.values, minlength=targets.num_labels)
    return float(np.average(losses, weights=1 / np.maximum(counts, _FEW)[targets.values]))


def _shift(logits: Logits, targets: Targets, class_weights: str, metric: str) -> float:
    """Return how far to shift towards the classes' shares: the best of `_SHIFTS` by the score, beside its neighbors."""
    if class_weights != "auto":
        return {"balanced": 0.0, "none": 1.0}[class_weights]
    scores = np.array([score_of(logits + shift * np.log(targets.priors), targets, metric) for shift in _SHIFTS])
    # A single peak is noise more often than not.
    padded = np.pad(scores, 1, mode="edge")
    smooth = (padded[:-2] + 2 * scores + padded[2:]) / 4
    return float(_SHIFTS[smooth.argmax()])


def _calibrating_shifts(logits: Logits, targets: Targets) -> NDArray[np.float64]:
    """Return what to add to the logits of several labels for the least binary cross-entropy, `(labels,)`."""

    def loss(shift: float, scores: NDArray[np.float64], truth: NDArray[Any]) -> float:
        return float(np.mean(np.logaddexp(0, scores + shift) - truth * (scores + shift)))

    found = [
        minimize_scalar(loss, bounds=(-_MOST_SHIFT, _MOST_SHIFT), method="bounded", args=column)
        for column in zip(logits.T, targets.values.T, strict=True)
    ]
    return np.array([result.x for result in found])


def _best_threshold(scores: NDArray[np.float64], truth: NDArray[Any]) -> float:
    """Return the probability, `(rows,)`, from which a label holds, for the best F1 of the label."""
    if not truth.any():
        return 0.5
    order = np.argsort(-scores)
    right = np.cumsum(truth[order])
    f1 = 2 * right / (np.arange(1, len(order) + 1) + truth.sum())
    # Over neighbors, as a single peak is noise.
    window = max(1, len(f1) // 50)
    smooth = np.convolve(np.pad(f1, window, mode="edge"), np.ones(2 * window + 1), mode="valid")
    best = int(smooth.argmax())
    return float((scores[order[best]] + scores[order[min(best + 1, len(order) - 1)]]) / 2)


def _common_threshold(logits: Logits, targets: Targets, metric: str) -> list[float]:
    """Return one threshold for all labels, for the best score: what several labels have in common decides it."""
    candidates = np.linspace(0.1, 0.9, 33)
    scores = [score_of(logits, targets, metric, threshold) for threshold in candidates]
    return [float(candidates[int(np.argmax(scores))])] * targets.num_labels


def score_of(logits: Logits, targets: Targets, metric: str = "f1_macro", threshold: Threshold = 0.5) -> float:
    """Return the score of logits by which models are chosen.

    Args:
        logits: The logits, or the numbers of a regression, `(rows, labels)`.
        targets: The labels.
        metric: `"f1_macro"`, over all classes; `"accuracy"`; or `"f1_micro"`, for several labels. A regression has R2.
        threshold: The probability from which each of several labels holds.
    """
    if targets.problem_type is ProblemType.REGRESSION:
        return float(r2_score(targets.values, logits[:, 0])) if len(logits) > 1 else 0.0
    predicted = targets.problem_type.logits_to_labels(logits.astype(np.float32), threshold)
    if metric == "accuracy":
        return float(accuracy_score(targets.values, predicted))
    return float(f1_score(targets.values, predicted, average=metric.removeprefix("f1_"), zero_division=0))
