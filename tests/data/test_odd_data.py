"""What is probably a mistake in the data is asked about; what is repeated or blank is counted and said."""

import csv

import pytest

from okt_lstm.data.errors import DataError
from okt_lstm.data.options import DataOptions
from okt_lstm.data.splits import load_splits
from oktane import encodings


@pytest.fixture
def said(monkeypatch, caplog):
    monkeypatch.setattr(encodings, "_said", set())
    return lambda: "\n".join(record.message for record in caplog.records)


@pytest.fixture
def write(tmp_path):
    def write(name, rows):
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *rows])
        return str(path)

    return write


def rows(count, start=0):
    return [(f"글 {number}", ("가", "나")[number % 2]) for number in range(start, start + count)]


def test_a_class_of_one_row_is_asked_about(write):
    path = write("a.csv", [*rows(20), ("글 99", "가 아님")])
    with pytest.raises(DataError, match=r"only one training row has the label '가 아님'\. .* add --allow_odd_data"):
        load_splits(DataOptions(path))
    assert load_splits(DataOptions(path, allow_odd_data=True)).label_names == ("가", "가 아님", "나")


@pytest.mark.parametrize(("shared", "is_refused"), [(5, False), (6, True)])
def test_a_test_file_that_shares_more_than_a_quarter_of_its_rows_is_asked_about(write, said, shared, is_refused):
    train = write("train.csv", rows(40))
    test = write("test.csv", [*rows(shared), *rows(20 - shared, 100)])
    if is_refused:
        with pytest.raises(DataError, match=r"6 of the 20 test rows have the text of a training row.*--allow_odd_data"):
            load_splits(DataOptions(train, test_file=test))
    sentence = f"{shared} of the 20 test rows have the text of a training row."
    splits = load_splits(DataOptions(train, test_file=test, allow_odd_data=is_refused))
    assert sentence in splits.description.notes
    assert f"train.csv: {sentence}" in said()


def test_duplicates_conflicts_and_blank_texts_are_counted_and_said(write, said):
    path = write(
        "a.csv",
        [
            *rows(20),
            ("글 1", "나"),
            ("글 1", "나"),
            ("글 2", "나"),
            ("", "가"),
            (" ", "나"),
            ("글 3", "가"),
            ("글 3", "나"),
        ],
    )
    notes = load_splits(DataOptions(path)).description.notes
    assert notes[:3] == (
        "2 of the 27 training rows have an empty text.",
        "3 of the 27 training rows are exact duplicates of others.",
        "2 texts have different labels in the training rows.",
    )
    listed = "2 texts have different labels in the training rows: '글 2' (가 1, 나 1); '글 3' (나 2, 가 1)"
    assert f"a.csv: {listed}" in said()


def test_only_the_first_conflicts_are_listed(write, said):
    path = write("a.csv", [(text, label) for text, _ in rows(30) for label in ("가", "나")])
    load_splits(DataOptions(path))
    assert "30 texts have different labels" in said()
    assert "'글 9' (가 1, 나 1); and 20 more" in said()


def test_different_numbers_for_a_text_are_no_conflict(write, said):
    path = write("a.csv", [(f"글 {number % 30}", number + 0.5) for number in range(40)])
    load_splits(DataOptions(path, problem_type="regression"))
    assert "different labels" not in said()


def test_equal_texts_are_on_one_side_of_the_split(write):
    path = write("a.csv", [*rows(200), *rows(200), *rows(50)])
    splits = load_splits(DataOptions(path, validation_size=0.1)).datasets
    kept, held_out = set(splits["train"]["text"]), set(splits["validation"]["text"])
    assert not kept & held_out
    assert len(splits["train"]) + len(splits["validation"]) == 450
    assert 20 < len(splits["validation"]) < 80


def test_one_text_alone_is_still_split(write):
    path = write("a.csv", [("글", "가"), ("글", "나")] * 10)
    assert load_splits(DataOptions(path)).description.rows == {"train": 19, "validation": 1}
