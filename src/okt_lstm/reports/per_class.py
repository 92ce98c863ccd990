"""Scores of each class, for cards: what an average hides."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support


def scores_by_class(references: NDArray[Any], predictions: NDArray[Any], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the figures of each class.

    Args:
        references: The true class ids, `(rows,)`, or 0 and 1, `(rows, labels)`.
        predictions: The predicted ones, of the same shape.
        names: The names of the classes, by id.

    Returns:
        For each class, in the order of `names`: `class`, `rows` (that are of it), `predicted` (how often it was),
        `precision`, `recall` and `f1`.
    """
    labels = range(len(names))
    precision, recall, f1, rows = precision_recall_fscore_support(
        references, predictions, labels=labels, average=None, zero_division=0
    )
    is_multi_label = predictions.ndim == 2
    predicted = predictions.sum(axis=0) if is_multi_label else np.bincount(predictions, minlength=len(names))
    columns = (names, rows.tolist(), predicted.tolist(), precision.tolist(), recall.tolist(), f1.tolist())
    keys = ("class", "rows", "predicted", "precision", "recall", "f1")
    return [dict(zip(keys, values, strict=True)) for values in zip(*columns, strict=True)]


def one_class_warnings(predictions: NDArray[Any], names: Sequence[str]) -> list[str]:
    """Return a warning if all rows were given one class, though there are others; else nothing.

    Args:
        predictions: The predicted class ids, `(rows,)`; or 0 and 1, `(rows, labels)`, where "no label" is a class, too.
        names: The names of the classes, by id.
    """
    distinct = np.unique(predictions, axis=0)
    if len(distinct) != 1 or len(names) < 2 or len(predictions) < 2:
        return []
    if predictions.ndim == 1:
        only = names[int(distinct[0])]
    else:
        only = " and ".join(names[label] for label in np.flatnonzero(distinct[0]).tolist()) or "no label"
    return [f"The model gives all {len(predictions):,} rows that it was measured on one class: {only}. Don't use it."]
