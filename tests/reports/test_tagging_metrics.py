"""Scores of taggers, against counts by hand."""

import pytest

from okt_lstm.reports.tagging_metrics import tagging_scores

TRUTH = [["B-PS", "I-PS", "O", "B-LC"], ["O", "B-LC", "I-LC", "O"]]


def test_an_entity_is_right_if_its_beginning_its_end_and_its_label_are():
    # One of three is right, one ends too early, one has another label; and one is found where there is none.
    found = [["B-PS", "I-PS", "O", "B-PS"], ["B-LC", "B-LC", "O", "O"]]
    scores = tagging_scores(TRUTH, found)
    assert scores["entity_precision"] == pytest.approx(1 / 4)
    assert scores["entity_recall"] == pytest.approx(1 / 3)
    assert scores["entity_f1"] == pytest.approx(2 / 7)
    # LC: 0 of 2; PS: 1 of 1, with 2 found.
    assert scores["entity_f1_macro"] == pytest.approx((0 + 2 / 3) / 2)
    # B-LC: 1 right, 2 found, 2 true. B-PS: 1, 2, 1. I-LC: 0. I-PS: 1, 1, 1.
    assert scores["character_f1"] == pytest.approx((1 / 2 + 2 / 3 + 0 + 1) / 4)


def test_an_inside_without_a_beginning_is_no_entity():
    assert tagging_scores([["B-PS", "I-PS"]], [["I-PS", "I-PS"]])["entity_f1"] == 0


def test_everything_right_is_one_and_nothing_found_is_zero():
    assert set(tagging_scores(TRUTH, TRUTH).values()) == {1.0}
    assert set(tagging_scores(TRUTH, [["O"] * 4] * 2).values()) == {0.0}
