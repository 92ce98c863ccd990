"""Long texts: they are read whole, in windows, or cut where the user says so."""

import numpy as np
import pytest

from okt_lstm.training.auto.reading import Reading, averaging, choose_reading
from okt_lstm.training.auto.tokens import Tokens


def tokens_of(*lengths, first=None):
    return Tokens(np.arange(sum(lengths)), np.cumsum([0, *lengths]), first)


def test_by_default_long_texts_are_read_in_windows_and_nearly_all_texts_fit_in_one():
    assert choose_reading(tokens_of(*[20] * 99, 5000), None, None) == Reading(128, 16)
    assert choose_reading(tokens_of(*[200] * 100), None, None) == Reading(256, 32)
    assert choose_reading(tokens_of(*[5000] * 100), None, None) == Reading(1024, 128)


def test_a_limit_cuts_unless_windows_are_asked_for():
    assert choose_reading(tokens_of(20, 300), 64, None) == Reading(64, None)
    assert choose_reading(tokens_of(20, 300), 64, 8) == Reading(64, 8)


def test_pairs_are_cut_and_have_no_windows():
    pairs = tokens_of(20, 300, first=np.array([10, 20]))
    assert choose_reading(pairs, None, None).stride is None
    with pytest.raises(ValueError, match="--stride is for single texts"):
        choose_reading(pairs, None, 8)


@pytest.mark.parametrize(("max_length", "stride"), [(64, 64), (64, 70), (None, 2000)])
def test_windows_need_something_of_their_own(max_length, stride):
    with pytest.raises(ValueError, match=f"--stride is {stride}"):
        choose_reading(tokens_of(20), max_length, stride)


def test_windows_cover_every_token_and_the_last_one_ends_with_the_text():
    parts, owners = Reading(4, 1).read(tokens_of(3, 10, 0, 5))
    rows = [parts.ids[start:end].tolist() for start, end in zip(parts.row_splits, parts.row_splits[1:], strict=False)]
    assert rows == [[0, 1, 2], [3, 4, 5, 6], [6, 7, 8, 9], [9, 10, 11, 12], [], [13, 14, 15, 16], [14, 15, 16, 17]]
    assert owners.tolist() == [0, 1, 1, 1, 2, 3, 3]


def test_parts_are_averaged_by_text():
    owners = np.array([0, 1, 1, 2])
    found = averaging(owners, 3) @ np.array([[1.0], [2.0], [4.0], [5.0]])
    assert found[:, 0].tolist() == [1, 3, 5]
