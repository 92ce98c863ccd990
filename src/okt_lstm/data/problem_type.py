"""The three problems that a classifier solves, and what follows from them: scores, decisions, metric, columns."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

LOWER_IS_BETTER = frozenset({"loss", "mse", "mae"})
"""The scores that are better when they are lower."""

Prediction: TypeAlias = str | list[str] | float | list[float]
"""A label; the list of the labels that hold; or, from a regression model, a number or a list of numbers."""


class ProblemType(StrEnum):
    """What a model predicts. The values are those of `problem_type` in transformers' configurations.

    Logits and scores have the shape `(texts, labels)`.
    """

    SINGLE_LABEL = "single_label_classification"
    MULTI_LABEL = "multi_label_classification"
    REGRESSION = "regression"

    @classmethod
    def of(cls, config: Any) -> "ProblemType":
        """Return the problem type of a model's configuration; if it names none, `num_labels` decides."""
        if config.problem_type is not None:
            return cls(config.problem_type)
        return cls.REGRESSION if config.num_labels == 1 else cls.SINGLE_LABEL

    @property
    def main_metric(self) -> str:
        """The score by which the best epoch is chosen; see `okt_lstm.reports.metrics`."""
        return {self.SINGLE_LABEL: "accuracy", self.MULTI_LABEL: "f1_macro", self.REGRESSION: "mse"}[self]

    def scores(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn logits into probabilities; those of a regression model stay as they are."""
        import torch

        if self is self.SINGLE_LABEL:
            return torch.from_numpy(logits).softmax(dim=-1).numpy()
        if self is self.MULTI_LABEL:
            return torch.from_numpy(logits).sigmoid().numpy()
        return logits

    def scores_to_labels(self, scores: NDArray[np.float32], threshold: float = 0.5) -> NDArray[Any]:
        """Decide: the one rule that prediction and evaluation follow.

        Args:
            scores: What `scores` returned.
            threshold: The probability from which a label holds, in a multi-label model.

        Returns:
            Single-label: the id of the most probable label, the first of equally probable ones, `(texts,)`.
            Multi-label: 1 for each label that holds, else 0, `(texts, labels)`. Regression: the scores.
        """
        if self is self.SINGLE_LABEL:
            return scores.argmax(axis=-1)
        if self is self.MULTI_LABEL:
            return (scores >= threshold).astype(np.int64)
        return scores

    def logits_to_labels(self, logits: NDArray[np.float32]) -> NDArray[Any]:
        """Turn logits into decisions; see `scores_to_labels`."""
        return self.scores_to_labels(self.scores(logits))

    def predictions(
        self, scores: NDArray[np.float32], names: Sequence[str], threshold: float = 0.5
    ) -> list[Prediction]:
        """Turn scores into what a user reads: names of labels, or numbers.

        Args:
            scores: What `scores` returned.
            names: The names of the labels by id.
            threshold: See `scores_to_labels`.
        """
        labels = self.scores_to_labels(scores, threshold)
        if self is self.SINGLE_LABEL:
            return [names[index] for index in labels.tolist()]
        if self is self.MULTI_LABEL:
            return [[names[index] for index in np.flatnonzero(row).tolist()] for row in labels]
        return scores[:, 0].tolist() if scores.shape[1] == 1 else scores.tolist()

    def columns(self, names: Sequence[str], probabilities: bool = False) -> list[str]:
        """Return the names of the columns that `rows` fills.

        They are `label`; for a single-label model, `probability`, that of the label; for a multi-label model or with
        `probabilities`, `probability_NAME` for each label.
        """
        columns = ["label"]
        if self is self.SINGLE_LABEL:
            columns.append("probability")
        if self is self.MULTI_LABEL or (self is self.SINGLE_LABEL and probabilities):
            columns += [f"probability_{name}" for name in names]
        return columns

    def rows(
        self, scores: NDArray[np.float32], names: Sequence[str], probabilities: bool = False
    ) -> Iterator[list[Any]]:
        """Yield the values of `columns` for each text; probabilities have 6 decimals."""
        for prediction, row in zip(self.predictions(scores, names), scores.tolist(), strict=True):
            values: list[Any] = [prediction]
            if self is self.SINGLE_LABEL:
                values.append(round(max(row), 6))
            if self is self.MULTI_LABEL or (self is self.SINGLE_LABEL and probabilities):
                values += [round(score, 6) for score in row]
            yield values
