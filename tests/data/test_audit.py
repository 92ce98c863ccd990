"""Flipped labels are found among the first rows of an audit."""

import csv
import random

import pytest

from okt_lstm.data.audit import find_suspects, suspect_rows
from okt_lstm.data.errors import DataError
from okt_lstm.data.options import DataOptions

pytest.importorskip("cleanlab")


def write(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return str(path)


def flip(rows, share, labels, seed=1):
    """Return rows of which some have another label, and which ones."""
    flipped = set(random.Random(seed).sample(range(len(rows)), round(share * len(rows))))
    other = {labels[0]: labels[1], labels[1]: labels[0]}
    return [(text, other[label] if row in flipped else label) for row, (text, label) in enumerate(rows)], flipped


def test_flipped_labels_come_first(tmp_path):
    draw = random.Random(0)
    words = {"긍정": ["최고", "재밌다", "감동", "좋다"], "부정": ["최악", "지루하다", "별로", "아깝다"]}
    rows = [(f"{' '.join(draw.choices(words[label], k=4))} {n}", label) for n in range(150) for label in words]
    rows, flipped = flip(rows, 0.05, ["긍정", "부정"])
    found = find_suspects(DataOptions(write(tmp_path / "a.csv", rows)))
    assert found.rows == 300
    listed = [int(suspect.location.rpartition(" ")[2]) - 2 for suspect in found.suspects]
    assert len(flipped.intersection(listed[:21])) >= 12
    row = next(suspect_rows(found))
    assert rows[listed[0]] == (row["text"], row["label"])
    assert row["label"] != row["suggested_label"]
    assert 0 <= row["label_probability"] < row["suggested_probability"] <= 1


def test_what_cannot_be_audited_is_an_error(tmp_path):
    rows = [(f"글 {number}", "가나"[number % 2]) for number in range(20)]
    with pytest.raises(DataError, match="the class '다' has one row"):
        find_suspects(DataOptions(write(tmp_path / "a.csv", [*rows, ("글", "다")])))
    numbers = write(tmp_path / "b.csv", [(text, number + 0.5) for number, (text, _) in enumerate(rows)])
    with pytest.raises(DataError, match="an audit needs one label a row; this is a regression"):
        find_suspects(DataOptions(numbers, problem_type="regression"))


@pytest.mark.slow
def test_half_of_the_flipped_labels_of_nsmc_are_among_the_first_7_percent(nsmc_dir, tmp_path):
    lines = (nsmc_dir / "ratings_train.txt").read_text(encoding="utf-8").split("\n")[1:20_001]
    rows, flipped = flip([tuple(line.split("\t")[1:]) for line in lines], 0.05, ["0", "1"])
    path = tmp_path / "a.csv"
    found = find_suspects(DataOptions(write(path, rows), on_bad_row="skip"))
    # One text holds no line break, so line n + 2 is row n.
    listed = [int(suspect.location.rpartition(" ")[2]) - 2 for suspect in found.suspects[: round(0.07 * len(rows))]]
    assert len(flipped.intersection(listed)) >= len(flipped) / 2
