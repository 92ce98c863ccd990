"""Linear models on any features: what is learned (`Targets`), and what is learned of it (`Linear`)."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from oktane.problem_type import ProblemType

# The logit of a label that no row has, where those of others are about 0.
_NEVER = -6.0
# Rows after which the solver may stop a little earlier.
_MANY_ROWS = 20_000


class Targets(NamedTuple):
    """The labels of some rows.

    Attributes:
        problem_type: The problem type.
        values: Class ids, `(rows,)`; in multi-label classification 0 and 1, `(rows, labels)`; in regression numbers,
            `(rows,)`.
        num_labels: The number of labels; 1 for regression.
    """

    problem_type: ProblemType
    values: NDArray[Any]
    num_labels: int

    def of(self, rows: NDArray[np.int64]) -> "Targets":
        """Return the labels of some of the rows."""
        return self._replace(values=self.values[rows])

    @property
    def priors(self) -> NDArray[np.float64]:
        """The share of the rows that have each label, `(labels,)`, with half a row added to each count."""
        if self.problem_type is ProblemType.SINGLE_LABEL:
            counts = np.bincount(self.values, minlength=self.num_labels) + 0.5
            return np.asarray(counts / counts.sum())
        return np.asarray((self.values.reshape(len(self.values), -1).sum(axis=0) + 0.5) / (len(self.values) + 1))


class Linear(NamedTuple):
    """A linear model: weights `(labels, features)` and biases `(labels,)`."""

    weights: NDArray[Any]
    biases: NDArray[Any]

    def logits(self, features: Any) -> NDArray[np.float64]:
        """Return the logits, or the numbers of a regression, for features `(rows, features)`: `(rows, labels)`."""
        return np.asarray(features @ self.weights.T + self.biases, np.float64)


def fit_linear(features: Any, targets: Targets, c: float, balanced: bool = True) -> Linear:
    """Fit a logistic regression, one for each label in multi-label classification, or a ridge regression.

    Args:
        features: A matrix, dense or sparse, `(rows, features)`. On average, the rows have length 1.
        targets: The labels of the rows.
        c: The inverse of the strength of the L2 penalty, as scikit-learn's C.
        balanced: Whether each class weighs the same, whatever the number of its rows.
    """
    if targets.problem_type is ProblemType.REGRESSION:
        ridge = Ridge(alpha=1 / c, tol=1e-3).fit(features, targets.values)
        return Linear(np.atleast_2d(ridge.coef_), np.atleast_1d(ridge.intercept_))
    if targets.problem_type is ProblemType.MULTI_LABEL:
        pairs = [_fit_classes(features, column.astype(np.int64), 2, c, balanced) for column in targets.values.T]
        return Linear(
            np.stack([pair.weights[1] - pair.weights[0] for pair in pairs]),
            np.array([pair.biases[1] - pair.biases[0] for pair in pairs]),
        )
    return _fit_classes(features, targets.values, targets.num_labels, c, balanced)


def _fit_classes(features: Any, classes: NDArray[np.int64], count: int, c: float, balanced: bool) -> Linear:
    """Fit a logistic regression for class ids, some of which may be missing."""
    weights, biases = np.zeros((count, features.shape[1]), np.float32), np.full(count, _NEVER)
    present = np.unique(classes)
    if len(present) == 1:
        biases[present] = 0
        return Linear(weights, biases)
    model = LogisticRegression(
        C=c,
        class_weight="balanced" if balanced else None,
        max_iter=300,
        tol=1e-3 if features.shape[0] < _MANY_ROWS else 1e-2,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features, classes)
    if len(present) == 2:
        # One logit for two classes is the difference of theirs.
        weights[present] = np.concatenate([-model.coef_, model.coef_]) / 2
        biases[present] = np.concatenate([-model.intercept_, model.intercept_]) / 2
    else:
        weights[present], biases[present] = model.coef_, model.intercept_
    return Linear(weights, biases)
