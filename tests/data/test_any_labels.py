"""Labels of tables as they come, and rows that lack something."""

import json
import logging

import datasets
import pytest

from okt_lstm.data.errors import DataError
from okt_lstm.data.options import DataOptions
from okt_lstm.data.splits import load_splits, load_test_split
from oktane import encodings

SINGLE = "single_label_classification"


@pytest.fixture(autouse=True)
def said(tmp_path_factory, monkeypatch, caplog):
    """What was said; and the user's cache is kept out of the tests."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr(encodings, "_said", set())
    caplog.set_level(logging.WARNING, "oktane")
    return lambda: " ".join(record.getMessage() for record in caplog.records)


@pytest.fixture
def write(tmp_path):
    def write(name, labels, head="text,label"):
        path = tmp_path / name
        rows = [(f"글 {number}", label) for number, label in enumerate(labels)]
        if name.endswith("csv"):
            path.write_text("".join(f"{line}\n" for line in [head, *(f"{text},{label}" for text, label in rows)]))
        else:
            path.write_text("".join(f"{json.dumps({'text': text, 'label': label})}\n" for text, label in rows))
        return str(path)

    return write


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_whole_numbers_are_classes_also_as_floats(write, name):
    splits = load_splits(DataOptions(write(name, [float(number % 2) for number in range(20)])))
    assert (splits.problem_type, splits.label_names) == (SINGLE, ("0", "1"))


def test_whole_numbers_are_the_same_classes_in_every_file_of_a_run(write):
    train, test = write("a.csv", ["1.0", "2.0"] * 10), write("b.jsonl", [1, 2])
    splits = load_splits(DataOptions(train, test_file=test, validation_file=write("c.csv", ["2", "1"])))
    assert splits.label_names == ("1", "2")
    assert splits.datasets["test"]["label"][:] == [0, 1]
    assert splits.datasets["validation"]["label"][:] == [1, 0]


def test_a_regression_is_said_and_asked_for_when_in_doubt(write, said):
    assert (
        load_splits(DataOptions(write("a.csv", [number / 7 for number in range(1, 30)]))).problem_type == "regression"
    )
    assert "a regression is trained; --problem_type single_label_classification" in said()
    stars = write("b.csv", [number % 10 / 2 for number in range(100)])
    with pytest.raises(DataError, match=r"10 different numbers.*--problem_type regression.*single_label"):
        load_splits(DataOptions(stars))
    assert load_splits(DataOptions(stars, problem_type="regression")).label_names == ()
    assert len(load_splits(DataOptions(stars, problem_type=SINGLE)).label_names) == 10


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["1e0", "0e0"], ("0", "1")),
        (["1.000000e+00", "2.000000e+01"], ("1", "20")),
        (["01", "02"], ("01", "02")),
        (["01", "1", "2"], ("1", "2")),
        (["+1", "-1", "1"], ("-1", "1")),
        (["１", "1", "2"], ("1", "2")),
        (["TRUE", "0", "1"], ("0", "1")),
        (["1.0", "1", "기타"], ("1", "기타")),
    ],
)
def test_a_number_is_one_class_however_it_is_spelled(write, labels, names):
    path = write("a.csv", labels * 5)
    splits = load_splits(DataOptions(path, test_file=path, allow_odd_data=True))
    assert (splits.problem_type, splits.label_names) == (SINGLE, names)
    again = load_test_split(DataOptions(path), SINGLE, names)
    assert again.datasets["test"]["label"][:] == splits.datasets["test"]["label"][:]


def test_classes_of_a_model_are_found_in_any_spelling(write):
    path = write("e.csv", ["긍정", "매우 좋음", "true"])
    names = ("긍정 ", "매우  좋음", "True")
    assert load_test_split(DataOptions(path), SINGLE, names).datasets["test"]["label"][:] == [0, 1, 2]
    other = write("f.csv", ["true", "FALSE"])
    assert load_test_split(DataOptions(other), SINGLE, ("0", "1")).datasets["test"]["label"][:] == [1, 0]


@pytest.mark.parametrize(
    ("label", "fix"), [('"[가, 나]"', "--label_delimiter ','"), ("\"{'가': 1, '나': 0}\"", "write a list of those")]
)
def test_labels_that_look_like_lists_are_asked_about(write, label, fix):
    path = write("a.csv", [label, "가", "나"] * 5)
    with pytest.raises(DataError, match=f"looks like several labels: .*{fix}.*--problem_type single_label"):
        load_splits(DataOptions(path))
    assert len(load_splits(DataOptions(path, problem_type=SINGLE)).label_names) == 3


def test_a_delimiter_reads_lists_without_quotes(write):
    path = write("a.csv", ['"[가, 나]"', "[]", '"{나,다}"', "\"['다']\""] * 5)
    splits = load_splits(DataOptions(path, label_delimiter=",", validation_file=path))
    assert splits.label_names == ("가", "나", "다")
    assert splits.datasets["validation"]["label"][:4] == [[1, 1, 0], [0, 0, 0], [0, 1, 1], [0, 0, 1]]
    with pytest.raises(DataError, match=r"has a name.*Lists without quotes are read with --label_delimiter ','"):
        load_splits(DataOptions(path))


def test_classes_that_are_alike_or_join_others_are_said(write, said):
    load_splits(DataOptions(write("a.csv", ["Good", "good", "bad", "good;bad"] * 5)))
    assert "the classes 'Good', 'good' differ in blanks or case only" in said()
    assert "the label 'good;bad' joins others; --label_delimiter ';' reads several labels" in said()


def test_blanks_around_a_label_make_no_class(write):
    splits = load_splits(DataOptions(write("a.csv", ["긍정", "긍정 ", " 부정", "부정"] * 5)))
    assert splits.label_names == ("긍정", "부정")


def test_lists_that_became_text_are_lists(write):
    path = write("a.csv", ["\"['가', '나']\"", "[]", "['나']"] * 5)
    splits = load_splits(DataOptions(path, validation_file=path))
    assert splits.label_names == ("가", "나")
    assert splits.datasets["validation"]["label"][:3] == [[1, 1], [0, 0], [0, 1]]


def test_lists_of_zeros_and_ones_are_flags(write):
    path = write("a.jsonl", [[0, 1, 1], [1, 0, 1], [0, 0, 0]] * 5)
    splits = load_splits(DataOptions(path, validation_file=path))
    assert splits.problem_type == "multi_label_classification"
    assert splits.label_names == ("0", "1", "2")
    assert splits.datasets["validation"]["label"][:3] == [[0, 1, 1], [1, 0, 1], [0, 0, 0]]
    test = load_test_split(DataOptions(path), "multi_label_classification", ("가", "나", "다"))
    assert test.datasets["test"]["label"][:2] == [[0, 1, 1], [1, 0, 1]]
    with pytest.raises(DataError, match="lists of 3 zeros and ones, but the model has the 2 labels '가', '나'"):
        load_test_split(DataOptions(path), "multi_label_classification", ("가", "나"))


def test_columns_of_zeros_and_ones_are_labels(write):
    path = write("a.csv", ["0,1.0,1", "1,0.0,true"] * 5, "text,출신,외모,정치")
    splits = load_splits(DataOptions(path, label_columns="외모, 출신,정치", validation_file=path))
    assert splits.label_names == ("외모", "출신", "정치")
    assert splits.datasets["validation"]["label"][:2] == [[1, 0, 1], [0, 1, 1]]
    with pytest.raises(DataError, match=r"line 2: the column '정치' holds '2', not 0 or 1 \(--label_columns\)"):
        load_splits(DataOptions(write("b.csv", ["1,2"] * 5, "text,출신,정치"), label_columns="출신,정치"))
    with pytest.raises(DataError, match="--label_columns names the column '출신' twice"):
        load_splits(DataOptions(path, label_columns="출신,출신"))
    with pytest.raises(ValueError, match=r"no column '성별'.*--label_columns"):
        load_splits(DataOptions(path, label_columns="출신,성별"))


@pytest.mark.parametrize(
    ("labels", "names", "ids"),
    [
        (["1.0", "0.0"], ("0", "1"), [1, 0]),
        (["1", "0"], ("negative", "positive"), [1, 0]),
        (["1.0"], ("negative", "positive"), [1]),
        (["2", "0", "1"], ("가", "나", "다"), [2, 0, 1]),
        (["True", "FALSE"], ("false", "true"), [1, 0]),
        (["긍정 "], ("부정", "긍정"), [1]),
    ],
)
def test_evaluation_reads_labels_as_training_does(write, labels, names, ids):
    splits = load_test_split(DataOptions(write("e.csv", labels)), SINGLE, names)
    assert splits.datasets["test"]["label"][:] == ids


@pytest.mark.parametrize("labels", [["1", "5", "3"], ["1", "2"], ["0", "9"]])
def test_numbers_of_another_column_are_not_class_ids(write, labels):
    with pytest.raises(DataError, match=r"none of the model's classes '가'.*--label_column"):
        load_test_split(DataOptions(write("e.csv", labels)), SINGLE, tuple("가나다라마바사아"))


def test_rows_that_lack_something_are_named_all_at_once_or_left_out(tmp_path, said):
    path = tmp_path / "a.jsonl"
    rows = [{"text": "글", "label": number % 2} for number in range(20)]
    rows[2] = {"label": 1}
    rows[4]["text"] = float("nan")
    rows[7]["label"] = None
    rows[9] = {"text": ""} | rows[9]
    path.write_text("\n".join(map(json.dumps, rows)))
    message = f"2 rows without text: {path}, line 3, 5; 1 row without label: {path}, line 8"
    with pytest.raises(DataError) as error:
        load_splits(DataOptions(str(path)))
    assert str(error.value) == f"{message}. Mend them, or add --on_bad_row skip to leave them out."
    splits = load_splits(DataOptions(str(path), on_bad_row="skip"))
    assert sum(splits.description.rows.values()) == 17
    assert f"left out {message}" in said()


def test_many_bad_rows_are_counted(write):
    with pytest.raises(DataError, match=r"15 rows without label: .*line 7, 8, .* 16 and 5 more"):
        load_splits(DataOptions(write("a.csv", ["가", "나", "가", "나", "나", *[""] * 15])))


def test_what_is_probably_a_mistake_is_asked_about(write):
    orders = write("a.csv", range(1000, 1060))
    with pytest.raises(DataError, match=r"'label' has 60 different labels in 60 rows.*--allow_odd_data"):
        load_splits(DataOptions(orders))
    assert len(load_splits(DataOptions(orders, allow_odd_data=True)).label_names) == 60
    path = write("b.csv", ["가", "나"] * 5)
    with pytest.raises(
        DataError, match=r"b\.csv: the test file has the content of the training file.*--allow_odd_data"
    ):
        load_splits(DataOptions(path, test_file=path))
    assert "test" in load_splits(DataOptions(path, test_file=path, allow_odd_data=True)).datasets
