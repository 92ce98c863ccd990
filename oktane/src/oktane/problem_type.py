"""The three problem types of a classifier, and what follows from them: scores, decisions, predictions, columns."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Threshold: TypeAlias = float | Sequence[float]
"""The least probability of a predicted label in multi-label classification: one for all labels, or one for each."""

Prediction: TypeAlias = str | list[str] | float | list[float]
"""A label; in multi-label classification a list of labels; in regression a number, or a list of numbers."""


UNSURE = "unsure"
"""The prediction for a text whose most probable label is not probable enough; see `abstain_below`."""


class ProblemType(StrEnum):
    """What a model predicts. The values are those of `problem_type` in transformers' configurations.

    Logits and scores have the shape `(texts, labels)`.
    """

    SINGLE_LABEL = "single_label_classification"
    MULTI_LABEL = "multi_label_classification"
    REGRESSION = "regression"

    @classmethod
    def default(cls, num_labels: int) -> "ProblemType":
        """Return the problem type of a configuration that names none."""
        return cls.REGRESSION if num_labels == 1 else cls.SINGLE_LABEL

    def scores(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probabilities for logits, or the logits of a regression model."""
        if self is self.SINGLE_LABEL:
            powers = np.exp(logits - logits.max(axis=1, keepdims=True))
            return powers / powers.sum(axis=1, keepdims=True)
        if self is self.MULTI_LABEL:
            # Where the exponential overflows, the reciprocal of infinity is the 0 that it should be.
            with np.errstate(over="ignore"):
                probabilities: NDArray[np.float32] = np.reciprocal(1 + np.exp(-logits))
            return probabilities
        return logits

    def scores_to_labels(self, scores: NDArray[np.float32], threshold: Threshold = 0.5) -> NDArray[Any]:
        """Decide: the one rule that prediction and evaluation follow.

        Args:
            scores: The result of `scores`.
            threshold: See `Threshold`.

        Returns:
            Single-label: the id of the most probable label, the first of equally probable ones, `(texts,)`.
            Multi-label: 1 for each predicted label, else 0, `(texts, labels)`. Regression: the scores.
        """
        if self is self.SINGLE_LABEL:
            return scores.argmax(axis=-1)
        if self is self.MULTI_LABEL:
            return (scores >= np.asarray(threshold, np.float32)).astype(np.int64)
        return scores

    def logits_to_labels(self, logits: NDArray[np.floating[Any]], threshold: Threshold = 0.5) -> NDArray[Any]:
        """Decide from logits; see `scores_to_labels`."""
        return self.scores_to_labels(self.scores(logits), threshold)

    def predictions(
        self,
        scores: NDArray[np.float32],
        names: Sequence[str],
        threshold: Threshold = 0.5,
        abstain_below: float | None = None,
    ) -> list[Prediction]:
        """Return the prediction for each text.

        Args:
            scores: The result of `scores`.
            names: The names of the labels, in the order of their ids.
            threshold: See `Threshold`.
            abstain_below: The least probability of a predicted label in single-label classification. A text without
                such a label gets `UNSURE`. By default, every text gets a label.
        """
        labels = self.scores_to_labels(scores, threshold)
        if self is self.SINGLE_LABEL:
            unsure = self.is_unsure(scores, abstain_below).tolist()
            return [
                UNSURE if is_unsure else names[label] for label, is_unsure in zip(labels.tolist(), unsure, strict=True)
            ]
        if self is self.MULTI_LABEL:
            return [[names[index] for index in np.flatnonzero(row).tolist()] for row in labels]
        return scores[:, 0].tolist() if scores.shape[1] == 1 else scores.tolist()

    def is_unsure(self, scores: NDArray[np.float32], abstain_below: float | None) -> NDArray[np.bool_]:
        """Return whether texts get `UNSURE`, `(texts,)`; see `predictions`."""
        if self is not self.SINGLE_LABEL or abstain_below is None:
            return np.zeros(len(scores), np.bool_)
        return np.asarray(scores.max(axis=1, initial=0) < abstain_below)

    def columns(self, names: Sequence[str], probabilities: bool = False) -> list[str]:
        """Return the names of the columns that `rows` fills.

        They are `label`; in single-label classification `probability`, that of the label; in multi-label
        classification, or with `probabilities`, `probability_NAME` for each label.
        """
        columns = ["label"]
        if self is self.SINGLE_LABEL:
            columns.append("probability")
        if self is self.MULTI_LABEL or (self is self.SINGLE_LABEL and probabilities):
            columns += [f"probability_{name}" for name in names]
        return columns

    def rows(
        self,
        scores: NDArray[np.float32],
        names: Sequence[str],
        probabilities: bool = False,
        abstain_below: float | None = None,
        threshold: Threshold = 0.5,
    ) -> Iterator[list[Any]]:
        """Yield the values of `columns` for each text; see `predictions`. Probabilities have 6 decimals."""
        numbers = [column.tolist() for column in self.probability_columns(scores, probabilities)]
        predictions = self.predictions(scores, names, threshold, abstain_below)
        for values in zip(predictions, *numbers, strict=True):
            yield list(values)

    def probability_columns(
        self, scores: NDArray[np.float32], probabilities: bool = False
    ) -> list[NDArray[np.float64]]:
        """Return the columns of probabilities that follow `label`, with 6 decimals: each `(texts,)`."""
        rounded = scores.astype(np.float64).round(6)
        columns = []
        if self is self.SINGLE_LABEL:
            columns.append(rounded.max(axis=1))
        if self is self.MULTI_LABEL or (self is self.SINGLE_LABEL and probabilities):
            columns += list(rounded.T)
        return columns
