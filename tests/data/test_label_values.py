import math

import pytest

from okt_lstm.data.label_values import as_flags, read_label, whole_number


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("긍정 ", "긍정"),
        ("\u3000긍정\xa0", "긍정"),
        ("\u1100\u1173\u11bc정", "긍정"),
        ("", None),
        (" \t", None),
        ("nan", None),
        ("<NA>", None),
        (math.nan, None),
        (None, None),
        ("none", "none"),
        (1.0, 1),
        (0.5, 0.5),
        (3, 3),
        (True, True),
        ("True", "true"),
        ("FALSE", "false"),
        ("['가', '나']", ["가", "나"]),
        ('["가", "나"]', ["가", "나"]),
        ("['가' '나']", ["가", "나"]),
        ("['긍정 ']", ["긍정"]),
        ("{'가', '나'}", ["가", "나"]),
        ("('가',)", ["가"]),
        ("[]", []),
        ("[0, 1]", [0, 1]),
        ("[0. 1.]", [0, 1]),
        ("[True, False]", ["true", "false"]),
        ("['it\\'s']", ["it's"]),
        (["가 ", 1.0], ["가", 1]),
        ("[공지]", "[공지]"),
        ("(중립)", "(중립)"),
        ("'가', '나'", "'가', '나'"),
    ],
)
def test_a_label_is_read_as_it_was_meant(value, label):
    read = read_label(value)
    assert read == label
    assert type(read) is type(label)


def test_whole_numbers_lose_the_fraction_that_pandas_gives_them():
    names = ["1", "1.0", "-2.00", "3.", "1.5", "v1.0"]
    assert [whole_number(name) for name in names] == ["1", "1", "-2", "3", "1.5", "v1.0"]


def test_flags_are_zeros_and_ones_in_any_form():
    assert as_flags([0, 1, "1", "true", False]) == [0, 1, 1, 1, 0]
    assert as_flags([0, 2]) is as_flags(["가"]) is as_flags([["x"]]) is None
