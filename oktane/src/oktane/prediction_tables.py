"""Predictions as columns of Arrow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base_classifier import BaseClassifier
from .problem_type import UNSURE, ProblemType


def prediction_arrays(
    classifier: BaseClassifier, scores: NDArray[np.float32], has_text: NDArray[np.bool_], probabilities: bool = False
) -> list[Any]:
    """Return the columns of predictions, in the order of `ProblemType.columns`, as arrays of pyarrow.

    Args:
        classifier: The classifier.
        scores: The scores of the texts, `(texts, labels)`.
        has_text: Which rows have a text, `(rows,)`; the others get null.
        probabilities: Whether the probability of each label is a column.
    """
    import pyarrow as pa

    missing = ~has_text

    def spread(values: NDArray[Any]) -> Any:
        """Return the values of all rows: (texts,) to (rows,)."""
        rows = np.zeros(len(has_text), values.dtype)
        rows[has_text] = values
        return pa.array(rows, mask=missing)

    problem_type, labels = classifier.problem_type, pa.array([*classifier.labels, UNSURE], pa.string())
    if problem_type is ProblemType.SINGLE_LABEL:
        unsure = problem_type.is_unsure(scores, classifier.abstain_below)
        decided = np.where(unsure, len(classifier.labels), problem_type.scores_to_labels(scores))
        predicted = labels.take(spread(decided))
    else:
        kind = pa.list_(pa.string()) if problem_type is ProblemType.MULTI_LABEL else pa.float64()
        if problem_type is ProblemType.REGRESSION and scores.shape[1] > 1:
            kind = pa.list_(pa.float64())
        found = iter(problem_type.predictions(scores, classifier.labels, classifier.threshold))
        predicted = pa.array([next(found) if has else None for has in has_text.tolist()], kind)
    return [predicted, *map(spread, problem_type.probability_columns(scores, probabilities))]


def with_predictions(table: Any, new: dict[str, Any]) -> Any:
    """Return a table of pyarrow with further columns.

    What the library datasets wrote about the columns is left out, since it knows nothing of the new ones.
    """
    for name, array in new.items():
        table = table.append_column(name, array)
    metadata = {key: value for key, value in (table.schema.metadata or {}).items() if key != b"huggingface"}
    return table.replace_schema_metadata(metadata or None)
