"""Figures of each class, and the class that everything was given."""

import numpy as np
import pytest

from okt_lstm.reports.per_class import only_class, scores_by_class


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


def test_model_that_predicts_one_class_is_found_out():
    assert only_class(np.array([1, 1, 1]), ["a", "b"]) == "b"
    assert only_class(np.array([1, 0, 1]), ["a", "b"]) is None
    assert only_class(np.zeros((3, 2), int), ["a", "b"]) == "no label"
    assert only_class(np.array([[1, 1], [1, 1]]), ["a", "b"]) == "a and b"
    assert only_class(np.array([0]), ["a", "b"]) is None
