"""Scores of a classifier: `evaluate` metrics for each problem type, which need no network."""

from collections.abc import Callable
from typing import ClassVar

import datasets
import evaluate
import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    mean_absolute_error,
    mean_squared_error,
    precision_recall_fscore_support,
    r2_score,
)
from transformers import EvalPrediction

from oktane.problem_type import ProblemType, Threshold


class _OfflineMetric(evaluate.Metric):  # type: ignore[misc]  # evaluate carries no types
    """What the three metrics below share. `compute(predictions=..., references=...)` returns scores by name."""

    feature: ClassVar[datasets.Value | datasets.List]

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=self.__doc__ or "",
            citation="",
            features=datasets.Features({"predictions": self.feature, "references": self.feature}),
        )

    def _compute(self, predictions: list[object], references: list[object]) -> dict[str, float]:
        if not len(references):
            raise ValueError("Nothing to score: there are no predictions and no references.")
        scores = self._scores(np.asarray(predictions), np.asarray(references))
        return {name: float(score) for name, score in scores.items()}

    def _scores(self, predictions: np.ndarray, references: np.ndarray) -> dict[str, float]:
        raise NotImplementedError


class SingleLabelMetrics(_OfflineMetric):
    """Accuracy, and precision, recall and F1 averaged over the classes (macro), of one class id per row.

    The average runs over the classes that occur among the predictions or the references, each with the same weight. A
    class that is never predicted has precision 0.
    """

    feature = datasets.Value("int64")

    def _scores(self, predictions: np.ndarray, references: np.ndarray) -> dict[str, float]:
        return {"accuracy": accuracy_score(references, predictions), **_macro_scores(predictions, references)}


class MultiLabelMetrics(_OfflineMetric):
    """Scores of rows with any number of labels, each row a list of 0 and 1 with one item per label.

    `accuracy` counts the rows whose labels are all right (subset accuracy). Precision, recall and F1 are averaged over
    the labels (macro); `f1_micro` is the F1 of all decisions together.
    """

    feature = datasets.List(datasets.Value("int64"))

    def _scores(self, predictions: np.ndarray, references: np.ndarray) -> dict[str, float]:
        return {
            "accuracy": accuracy_score(references, predictions),
            **_macro_scores(predictions, references),
            "f1_micro": f1_score(references, predictions, average="micro", zero_division=0),
        }


class RegressionMetrics(_OfflineMetric):
    """Mean squared error, mean absolute error, the coefficient of determination (R2) and rank correlation of numbers.

    R2 and the correlation (Spearman's) of a single number are undefined and reported as 0, as is the correlation with
    predictions that are all equal.
    """

    feature = datasets.Value("float64")

    def _scores(self, predictions: np.ndarray, references: np.ndarray) -> dict[str, float]:
        return {
            "mse": mean_squared_error(references, predictions),
            "mae": mean_absolute_error(references, predictions),
            "r2": r2_score(references, predictions) if len(references) > 1 else 0.0,
            "spearman": _spearman(predictions, references),
        }


def _spearman(predictions: np.ndarray, references: np.ndarray) -> float:
    if min(len(np.unique(predictions)), len(np.unique(references))) < 2:
        return 0.0
    return float(spearmanr(predictions, references).statistic)


def _macro_scores(predictions: np.ndarray, references: np.ndarray) -> dict[str, float]:
    precision, recall, f1, _ = precision_recall_fscore_support(
        references, predictions, average="macro", zero_division=0
    )
    return {"f1_macro": f1, "precision_macro": precision, "recall_macro": recall}


LOWER_IS_BETTER = frozenset({"loss", "mse", "mae"})
"""The scores that are better when they are lower."""

MAIN_METRIC = {
    ProblemType.SINGLE_LABEL: "accuracy",
    ProblemType.MULTI_LABEL: "f1_macro",
    ProblemType.REGRESSION: "mse",
}
"""The score by which the best epoch is chosen."""

METRICS: dict[ProblemType, type[_OfflineMetric]] = {
    ProblemType.SINGLE_LABEL: SingleLabelMetrics,
    ProblemType.MULTI_LABEL: MultiLabelMetrics,
    ProblemType.REGRESSION: RegressionMetrics,
}
"""The metric of each problem type."""


def compute_metrics_for(problem_type: str, threshold: Threshold = 0.5) -> Callable[[EvalPrediction], dict[str, float]]:
    """Make the `compute_metrics` function that `transformers.Trainer` takes.

    Args:
        problem_type: "single_label_classification", "multi_label_classification" or "regression".
        threshold: The least probability of a predicted label in multi-label classification, or that of each label.

    Returns:
        A function from an `EvalPrediction` (logits and labels as NumPy arrays) to scores by name.

    Raises:
        ValueError: The problem type is none of these.
    """
    if problem_type not in list(ProblemType):
        raise ValueError(f"problem_type must be one of {', '.join(ProblemType)}, not {problem_type!r}")
    problem = ProblemType(problem_type)

    def compute_metrics(evaluated: EvalPrediction) -> dict[str, float]:
        predictions = problem.logits_to_labels(np.asarray(evaluated.predictions), threshold)
        references = np.asarray(evaluated.label_ids)
        if problem is ProblemType.REGRESSION:
            predictions, references = predictions.ravel(), references.ravel()
        metric = METRICS[problem](keep_in_memory=True)
        return metric.compute(predictions=predictions, references=references)

    return compute_metrics
