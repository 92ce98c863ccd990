"""Scores of a classifier: metrics of the `evaluate` library that need no network, for each kind of problem."""

from collections.abc import Callable

import datasets
import evaluate
import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    mean_absolute_error,
    mean_squared_error,
    precision_recall_fscore_support,
    r2_score,
)
from transformers import EvalPrediction

_INPUTS = """
Args:
    predictions: one decision a row, as the class docstring says.
    references: the right answers, in the same form.
Returns:
    The scores by name.
Raises:
    ValueError: if there is nothing to score, or the two differ in length or form.
"""


class _OfflineMetric(evaluate.Metric):  # type: ignore[misc]  # evaluate carries no types
    """What the three metrics below share: columns of one form, and a guard against empty ones."""

    feature: datasets.Value | datasets.List

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=self.__doc__ or "",
            citation="",
            inputs_description=_INPUTS,
            features=datasets.Features({"predictions": self.feature, "references": self.feature}),
        )

    def _compute(self, predictions: ArrayLike, references: ArrayLike) -> dict[str, float]:
        if len(np.asarray(references)) == 0:
            raise ValueError("Nothing to score: there are no predictions and no references.")
        return {name: float(score) for name, score in self._scores(np.asarray(predictions), np.asarray(references))}

    def _scores(self, predictions: np.ndarray, references: np.ndarray) -> list[tuple[str, float]]:
        raise NotImplementedError


class SingleLabelMetrics(_OfflineMetric):
    """Accuracy, and precision, recall and F1 averaged over the classes (macro), of one class id a row.

    The average runs over the classes that occur among the predictions or the references, each with the same weight; a
    class that is never predicted has precision 0.
    """

    feature = datasets.Value("int64")

    def _scores(self, predictions: np.ndarray, references: np.ndarray) -> list[tuple[str, float]]:
        return [("accuracy", accuracy_score(references, predictions)), *_macro_scores(predictions, references)]


class MultiLabelMetrics(_OfflineMetric):
    """Scores of rows that may bear several labels, each row a list of 0 and 1 with one place a label.

    `accuracy` counts the rows whose labels are all right (subset accuracy); precision, recall and F1 are averaged over
    the labels (macro); `f1_micro` is the F1 of all decisions together.
    """

    feature = datasets.List(datasets.Value("int64"))

    def _scores(self, predictions: np.ndarray, references: np.ndarray) -> list[tuple[str, float]]:
        return [
            ("accuracy", accuracy_score(references, predictions)),
            *_macro_scores(predictions, references),
            ("f1_micro", f1_score(references, predictions, average="micro", zero_division=0)),
        ]


class RegressionMetrics(_OfflineMetric):
    """Mean squared error, mean absolute error and the coefficient of determination (R2) of numbers.

    R2 of a single number, which is undefined, is given as 0.
    """

    feature = datasets.Value("float64")

    def _scores(self, predictions: np.ndarray, references: np.ndarray) -> list[tuple[str, float]]:
        return [
            ("mse", mean_squared_error(references, predictions)),
            ("mae", mean_absolute_error(references, predictions)),
            ("r2", r2_score(references, predictions) if len(references) > 1 else 0.0),
        ]


def _macro_scores(predictions: np.ndarray, references: np.ndarray) -> list[tuple[str, float]]:
    precision, recall, f1, _ = precision_recall_fscore_support(
        references, predictions, average="macro", zero_division=0
    )
    return [("f1_macro", f1), ("precision_macro", precision), ("recall_macro", recall)]


METRICS: dict[str, type[_OfflineMetric]] = {
    "single_label_classification": SingleLabelMetrics,
    "multi_label_classification": MultiLabelMetrics,
    "regression": RegressionMetrics,
}
"""The metric of each `problem_type`."""

MAIN_METRIC: dict[str, str] = {
    "single_label_classification": "accuracy",
    "multi_label_classification": "f1_macro",
    "regression": "mse",
}
"""The score by which the best epoch is chosen, for each `problem_type`."""

LOWER_IS_BETTER = frozenset({"loss", "mse", "mae"})


def decide(logits: np.ndarray, problem_type: str) -> np.ndarray:
    """Turn a model's logits into decisions, in the form that the metrics above take.

    Args:
        logits: shape (rows, labels).
        problem_type: "single_label_classification", "multi_label_classification" or "regression".

    Returns:
        Single-label: the id of the highest logit, shape (rows,). Multi-label: 1 where a label's probability is over one
        half, shape (rows, labels). Regression: the numbers themselves, shape (rows * labels,).
    """
    if problem_type == "single_label_classification":
        return logits.argmax(axis=-1)
    if problem_type == "multi_label_classification":
        return (logits > 0).astype(np.int64)  # sigmoid(0) is one half
    return logits.ravel()


def compute_metrics_for(problem_type: str) -> Callable[[EvalPrediction], dict[str, float]]:
    """Make the `compute_metrics` function that `transformers.Trainer` takes.

    Args:
        problem_type: "single_label_classification", "multi_label_classification" or "regression".

    Returns:
        A function from an `EvalPrediction` (logits and labels as NumPy arrays) to scores by name.

    Raises:
        ValueError: if the problem type is none of these.
    """
    if problem_type not in METRICS:
        raise ValueError(f"problem_type must be one of {', '.join(METRICS)}, not {problem_type!r}")

    def compute_metrics(evaluated: EvalPrediction) -> dict[str, float]:
        decisions = decide(np.asarray(evaluated.predictions), problem_type)
        references = np.asarray(evaluated.label_ids)
        metric = METRICS[problem_type](keep_in_memory=True)
        return metric.compute(predictions=decisions, references=references.reshape(decisions.shape))

    return compute_metrics
