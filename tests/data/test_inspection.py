"""What inspect finds in tables as offices make them."""

import json
import time

import pytest

from okt_lstm.data.errors import DataError
from okt_lstm.data.inspection import inspect_data
from okt_lstm.data.options import DataOptions
from okt_lstm.reports.inspection import bars, display_width, inspection_lines, length_counts


def write(path, rows, head="상품평;분류", encoding="cp949", separator=";"):
    lines = [head, *(separator.join(map(str, row)) for row in rows)]
    path.write_bytes("\n".join(lines).encode(encoding))
    return str(path)


ROWS = [(f"정말 좋은 영화 {number}", ("긍정", "부정 ")[number % 2]) for number in range(40)]


def test_a_file_is_described_with_its_columns_classes_and_lengths(tmp_path):
    found = inspect_data(DataOptions(write(tmp_path / "a.csv", [*ROWS, ("", "긍정"), ("펭수", "긍정"), ROWS[1]])))
    assert (found.format, found.encoding, found.separator) == ("csv", "cp949", ";")
    assert [(column.name, column.blank) for column in found.columns] == [("상품평", 1), ("분류", 0)]
    assert (found.text_column, found.label_columns) == ("상품평", ["분류"])
    assert found.rows == {"train": 43}
    assert found.classes == {"긍정": 22, "부정": 21}
    assert found.odd_labels == {"with blanks around them": 21}
    assert (found.repeats.blank, found.repeats.duplicates, found.repeats.conflict_count) == (1, 1, 0)
    assert found.characters[0] == found.characters[-1] - 0 == 11
    assert found.tokens[-1] == 4
    assert 0 < found.unknown_morphemes < 0.1
    assert found.verdict.startswith("train would learn 2 classes (single_label_classification) from 43 rows, of which")
    assert json.loads(json.dumps(found.to_json()))["classes"] == found.classes


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([*ROWS, ("글", "긍졍")], "only one training row has the label '긍졍'"),
        ([(text, number) for number, (text, _) in enumerate(ROWS)], "40 different labels in 40 rows"),
        ([*ROWS, ("글", "")], "1 row without label"),
        ([(text, "긍정") for text, _ in ROWS], "every row has the label '긍정'"),
    ],
)
def test_what_train_would_refuse_is_said_beside_the_rest(tmp_path, rows, message):
    found = inspect_data(DataOptions(write(tmp_path / "a.csv", rows)))
    assert found.verdict.startswith("train would refuse it: ")
    assert message in found.verdict
    assert found.rows == {"train": len(rows)}


def test_a_table_of_texts_alone_is_inspected_too(tmp_path):
    (tmp_path / "a.txt").write_text("좋다\n별로\n", encoding="utf-8")
    found = inspect_data(DataOptions(str(tmp_path / "a.txt")))
    assert (found.format, found.rows, found.text_column) == ("txt", {"train": 2}, "text")
    assert found.verdict.startswith("train would refuse it: ")


def test_labels_that_are_odd_are_counted(tmp_path):
    labels = ["Good", "good", "Good", "go od", "1.0", " good "] * 2
    rows = [(f"글 {number}", label) for number, label in enumerate(labels)]
    odd = inspect_data(DataOptions(write(tmp_path / "a.csv", rows))).odd_labels
    assert odd["with blanks around them"] == 2
    assert odd["whole numbers with a fraction, such as 1.0"] == 2
    assert any("differ in blanks or case only" in what for what in odd)


def test_a_folder_with_splits_counts_them_all(tmp_path):
    for name, rows in (("train", ROWS), ("test", ROWS[:6])):
        write(tmp_path / f"{name}.csv", rows)
    found = inspect_data(DataOptions(str(tmp_path)))
    assert found.rows == {"train": 40, "test": 6}


def test_what_cannot_be_read_at_all_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"which of the columns 'a', 'b', 'c' holds the texts"):
        inspect_data(DataOptions(write(tmp_path / "a.csv", [(1, 2, 3)], "a;b;c")))


@pytest.mark.slow
def test_a_hundred_thousand_rows_take_seconds(tmp_path):
    path = write(tmp_path / "a.csv", [(f"정말 좋은 영화였다 {number}", number % 5) for number in range(100_000)])
    begin = time.process_time()
    inspect_data(DataOptions(path))
    assert time.process_time() - begin < 30


def test_the_report_shows_what_was_found(tmp_path):
    found = inspect_data(DataOptions(write(tmp_path / "a.csv", ROWS)))
    report = "\n".join(inspection_lines(found))
    for part in (
        "a.csv (csv, cp949, separator ';')",
        "상품평 (text)",
        "분류 (label)",
        "50.0%",
        "█",
        "train would learn",
    ):
        assert part in report


def test_bars_are_as_long_as_counts_are_large():
    lines = list(bars({"긍정": 30, "no": 10, "없음": 0}))
    assert [line.count("█") for line in lines] == [30, 10, 0]
    assert len({display_width(line) for line in lines}) == 1
    assert lines[0].endswith("75.0%")


def test_lengths_are_counted_in_ranges():
    import numpy as np

    counts = length_counts(np.array([*range(100), 1000]))
    assert sum(counts.values()) == 101
    assert next(iter(counts)).startswith("0-")
