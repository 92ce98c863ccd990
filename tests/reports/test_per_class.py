"""Figures of each class, and the class that everything was given."""

import numpy as np
import pytest

from okt_lstm.reports.per_class import one_class_warnings, scores_by_class


def test_figures_of_each_class():
    rows = scores_by_class(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), ["a", "b", "c"])
    assert [row["class"] for row in rows] == ["a", "b", "c"]
    assert [(row["rows"], row["predicted"]) for row in rows] == [(2, 1), (2, 3), (0, 0)]
    assert rows[0]["precision"] == 1
    assert rows[0]["recall"] == 0.5
    assert rows[1]["f1"] == pytest.approx(0.8)
    assert rows[2]["f1"] == 0


def test_figures_of_each_of_several_labels():
    truth, found = np.array([[1, 0], [1, 1]]), np.array([[1, 1], [0, 1]])
    assert [(row["rows"], row["predicted"]) for row in scores_by_class(truth, found, ["a", "b"])] == [(2, 1), (1, 2)]


@pytest.mark.parametrize(
    ("predictions", "only"),
    [([1, 1, 1], "b"), ([[0, 0], [0, 0]], "no label"), ([[1, 1], [1, 1]], "a and b")],
)
def test_model_that_predicts_one_class_is_found_out(predictions, only):
    (warning,) = one_class_warnings(np.array(predictions), ["a", "b"])
    assert f"one class: {only}." in warning


@pytest.mark.parametrize("predictions", [[1, 0, 1], [0], [[0, 1], [1, 1]]])
def test_other_models_are_not_warned_of(predictions):
    assert one_class_warnings(np.array(predictions), ["a", "b"]) == []
