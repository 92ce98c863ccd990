"""Calibration and error groups, against figures that can be counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okt_lstm.reports.error_analysis import accuracy_by, calibrate, confident_errors, fragment_share


def binary(positive):
    return np.stack([1 - np.asarray(positive), positive], axis=1)


def test_calibration_holds_confidence_against_accuracy_bin_by_bin():
    # Two rows at confidence 0.95, one of them right; four at 0.75, three of them right.
    probabilities = binary([0.95, 0.95, 0.75, 0.75, 0.25, 0.25])
    calibration = calibrate(probabilities, [1, 0, 1, 1, 0, 1], bins=10)
    assert calibration.counts.tolist() == [0, 0, 0, 0, 0, 0, 0, 4, 0, 2]
    assert calibration.confidences[[7, 9]] == pytest.approx([0.75, 0.95])
    assert calibration.accuracies[[7, 9]] == pytest.approx([0.75, 0.5])
    assert np.isnan(calibration.accuracies[0])
    assert calibration.error == pytest.approx(0.45 * 2 / 6)


def test_a_model_that_is_sure_and_right_is_calibrated_perfectly():
    assert calibrate(binary([1.0, 0.0, 1.0]), [1, 0, 1]).error == 0
    assert calibrate(binary([1.0, 0.0, 1.0]), [0, 1, 0]).error == 1


def test_a_confidence_on_an_edge_belongs_to_the_bin_below():
    assert calibrate([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]], [0, 0], bins=4).counts.tolist() == [0, 1, 0, 1]


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1), st.integers(1, 20))
def test_every_row_is_in_a_bin_and_the_error_is_a_share(rows, bins):
    positive, references = zip(*rows, strict=True)
    calibration = calibrate(binary(list(positive)), references, bins)
    assert calibration.counts.sum() == len(rows)
    assert 0 <= calibration.error <= 1


@pytest.mark.parametrize(
    ("probabilities", "references", "message"),
    [
        (np.empty((0, 2)), [], "no rows"),
        ([[0.5, 0.5]], [0, 1], r"\(1, 2\) and \(2,\)"),
        ([0.5, 0.5], [0, 1], "must be"),
        ([[-3.0, 3.0]], [0], "softmax"),
        ([[np.nan, 0.5]], [0], "softmax"),
    ],
)
def test_what_are_no_probabilities_is_refused(probabilities, references, message):
    with pytest.raises(ValueError, match=message):
        calibrate(probabilities, references)


def test_groups_hold_what_is_over_the_bound_before_and_empty_ones_are_left_out():
    groups = accuracy_by([1, 5, 6, 30, 40], [True, False, True, True, False], bounds=[5, 10, 20])
    assert groups == [("at most 5", 2, 0.5), ("over 5 to 10", 1, 1.0), ("over 20", 2, 0.5)]


def test_the_bounds_of_groups_are_written_as_asked():
    groups = accuracy_by([0.0, 0.05, 0.5], [True, True, False], bounds=[0, 0.1], form="{:.0%}")
    assert [group.name for group in groups] == ["at most 0%", "over 0% to 10%", "over 10%"]


def test_the_surest_errors_come_first_and_right_answers_never():
    probabilities = binary([0.9, 0.99, 0.6, 0.01, 0.9])
    assert confident_errors(probabilities, [0, 1, 0, 1, 0], count=3).tolist() == [3, 0, 4]
    assert confident_errors(probabilities, [1, 1, 1, 0, 1], count=3).tolist() == []


def test_fragments_are_unknown_tokens_bytes_and_single_characters_that_are_no_morpheme():
    share = fragment_share(["▁연기", "도", "▁퀴", "드", "▁<", "<0xEC>", "<unk>"], [0, 1, 2, 2, 3, 4, 5], "<unk>", "▁")
    assert share == pytest.approx(4 / 7)  # 퀴, 드, the byte and the unknown one; not 도, a morpheme, nor <


def test_special_tokens_are_no_part_of_a_text():
    assert fragment_share(["<s>", "<unk>", "</s>"], [None, 0, None], "<unk>") == 1
    assert fragment_share(["<s>", "</s>"], [None, None], "<unk>") == 0
