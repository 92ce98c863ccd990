import datetime
import math
from decimal import Decimal

import pytest

from okt_lstm.data.label_values import as_flags, is_like_a_list, read_label, whole_number, without_fraction


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
        (Decimal("1.00"), 1),
        (Decimal("0.5"), 0.5),
        (datetime.date(2024, 1, 31), "2024-01-31"),
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
        ("set()", []),
        ("array(['가', '나'], dtype=object)", ["가", "나"]),
        ("['가', None]", ["가", None]),
        ("긍정\u200b", "긍정"),
        ("\ufeff긍정", "긍정"),
        ("매우\n  좋음", "매우 좋음"),
        ('"긍정"', "긍정"),
        ("NULL", None),
        ("\\N", None),
        ("#VALUE!", None),
        ("１", "1"),
        ("－２．０", "-2.0"),
        ("１등", "１등"),
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
    names = ["1", "1.0", "-2.00", "3.", "1.5", "v1.0", "1e0", "2.000000e+01", "+1", "01", "-0", "1e300", "9" * 5000]
    plain = ["1", "1", "-2", "3", "1.5", "v1.0", "1", "20", "1", "1", "0", "1e300", "9" * 5000]
    assert [whole_number(name) for name in names] == plain
    assert [without_fraction(name) for name in ("01", "+1.0", "2.0e1", "1.5")] == ["01", "+1", "20", "1.5"]


def test_names_in_brackets_may_be_lists():
    assert all(map(is_like_a_list, ("[가, 나]", "{가,나}", "{'가': 1}", "[가;나]")))
    assert not any(map(is_like_a_list, ("[공지]", "가, 나", "(가, 나)", "{}")))


def test_flags_are_zeros_and_ones_in_any_form():
    assert as_flags([0, 1, "1", "true", False]) == [0, 1, 1, 1, 0]
    assert as_flags([0, 2]) is as_flags(["가"]) is as_flags([["x"]]) is None
