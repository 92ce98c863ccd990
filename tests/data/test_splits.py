"""From --dataset to splits with `text` and `label`: every kind of source and label, and errors that say where."""

import hashlib
import json
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from okt_lstm.atomic import FileError
from okt_lstm.data import nsmc, sources
from okt_lstm.data.description import DataFile, git_blob_id
from okt_lstm.data.errors import DataError
from okt_lstm.data.options import DataOptions
from okt_lstm.data.splits import Splits, load_splits, load_test_split


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """Keep the user's cache of `datasets` out of the tests."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(folder))
    monkeypatch.setattr(datasets.config, "DOWNLOADED_DATASETS_PATH", str(folder / "downloads"))


@pytest.fixture
def write(tmp_path):
    """Write a file of rows and return its path."""

    def write(name: str, content: str | bytes | list[dict]) -> str:
        path = tmp_path / name
        if isinstance(content, list) and path.suffix == ".parquet":
            pq.write_table(pa.Table.from_pylist(content), path)
        elif isinstance(content, list):
            path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content), encoding="utf-8")
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def rows_of(label_of, count: int = 20) -> list[dict]:
    return [{"text": f"글 {number}", "label": label_of(number)} for number in range(count)]


def all_rows(splits: Splits) -> dict[str, object]:
    """The labels of the training and validation rows by text."""
    return {row["text"]: row["label"] for split in ("train", "validation") for row in splits.datasets[split]}


# The sources


def test_the_sample_loads_offline_with_validation_rows_held_out_of_training():
    splits = load_splits(DataOptions("sample"))
    assert splits.problem_type == "single_label_classification"
    assert splits.label_names == ("negative", "positive")
    assert splits.description.rows == {"train": 760, "validation": 40, "test": 200}
    assert list(splits.datasets) == ["train", "validation", "test"]
    for rows in splits.datasets.values():
        assert rows.column_names == ["text", "label"]
        assert rows.features["text"] == datasets.Value("string")
    assert sum(splits.datasets["validation"]["label"]) == 20  # as balanced as the training rows
    texts = [set(splits.datasets[split]["text"]) for split in ("train", "validation")]
    assert not texts[0] & texts[1]


def test_the_seed_decides_which_rows_are_held_out():
    def held_out(seed: int) -> list[str]:
        return load_splits(DataOptions("sample", split_seed=seed)).datasets["validation"]["text"][:]

    assert held_out(1) == held_out(1)
    assert held_out(1) != held_out(2)


def test_the_sample_says_that_its_figures_mean_nothing():
    assert "say nothing about real reviews" in load_splits(DataOptions("sample")).description.notes[0]


CSV = 'text,label\n"둘, ""셋""",긍정\n하나,부정\n"줄\n둘",긍정\n넷,부정\n'


def test_a_csv_file_is_read_with_its_quotes_and_names_for_labels(write):
    splits = load_splits(DataOptions(write("reviews.csv", CSV)))
    assert splits.label_names == ("긍정", "부정")
    assert all_rows(splits) == {'둘, "셋"': 0, "하나": 1, "줄\n둘": 0, "넷": 1}
    assert list(splits.datasets) == ["train", "validation"]


def test_a_tsv_file_in_nsmcs_format_keeps_its_raw_quotes(write):
    content = 'id\tdocument\tlabel\n1\t"""명작"\t1\n2\t"\t0\n3\t\t1\n'
    assert all_rows(load_splits(DataOptions(write("reviews.tsv", content)))) == {'"""명작"': 1, '"': 0, "": 1}


TEXTS = st.text(st.characters(exclude_characters="\t\n\r", exclude_categories=["Cs"]))
LABELED = st.lists(st.tuples(TEXTS, st.sampled_from("ab")))


# Neither the examples nor the time that one takes depend on chance or on how busy the machine is.
@settings(derandomize=True, max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(TEXTS, TEXTS, LABELED)
def test_any_text_in_a_tsv_file_comes_back_as_it_was_written(write, first, second, more):
    rows = [(first, "a"), (second, "b"), *more]
    # Each example has a file of its own: two versions of one file might have the same size and time of change.
    name = f"{hashlib.sha1(repr(rows).encode()).hexdigest()}.tsv"
    path = write(name, "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows))
    splits = load_splits(DataOptions(path, validation_file=path))
    assert list(splits.datasets["train"]["text"]) == [text for text, _ in rows]
    assert [splits.label_names[label] for label in splits.datasets["train"]["label"]] == [label for _, label in rows]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_jsonl_and_parquet_files_give_the_same(write, suffix):
    path = write(f"reviews.{suffix}", rows_of(lambda number: "나쁨" if number % 2 else "좋음"))
    splits = load_splits(DataOptions(path))
    assert splits.label_names == ("나쁨", "좋음")
    assert all_rows(splits) == {f"글 {number}": 0 if number % 2 else 1 for number in range(20)}


def test_a_folder_gives_its_splits_and_shards(write, tmp_path):
    for name in ("train-00000-of-00002", "train-00001-of-00002", "dev", "test"):
        write(f"{name}.jsonl", [{"text": f"{name} {label}", "label": label} for label in "ab"])
    write("README.md", "not data")
    splits = load_splits(DataOptions(str(tmp_path)))
    assert splits.description.rows == {"train": 4, "validation": 2, "test": 2}
    assert splits.datasets["validation"]["text"][0] == "dev a"


def test_files_for_validation_and_test_are_left_as_they_are(write):
    train, other = write("a.csv", CSV), write("b.csv", "document,category\n가,긍정\n나,부정\n")
    splits = load_splits(DataOptions(train, validation_file=other, test_file=other))
    assert splits.description.rows == {"train": 4, "validation": 2, "test": 2}
    assert splits.datasets["test"].to_list() == [{"text": "가", "label": 0}, {"text": "나", "label": 1}]


def test_a_changed_file_is_read_anew(write):
    first = load_splits(DataOptions(write("reviews.csv", CSV)))
    second = load_splits(DataOptions(write("reviews.csv", CSV.replace("하나", "다섯"))))
    assert "하나" in all_rows(first)
    assert "다섯" in all_rows(second)


def test_a_files_description_tells_its_name_and_checksum_without_folders(write):
    path = write("reviews.csv", CSV)
    description = load_splits(DataOptions(path)).description
    assert description.name == "reviews.csv"
    assert description.files == (DataFile("train", "reviews.csv", len(CSV.encode()), git_blob_id(path)),)
    assert "1 of the 4 training rows, drawn by seed 42, were held out for validation." in description.notes


# NSMC


def write_nsmc(folder: Path) -> Path:
    for split in ("train", "test"):
        lines = "".join(f"{number}\t{split} {number}\t{number % 2}\n" for number in range(40))
        (folder / f"ratings_{split}.txt").write_text("id\tdocument\tlabel\n" + lines, encoding="utf-8")
    return folder


def test_nsmc_from_other_files_than_the_official_ones_says_so(tmp_path):
    description = load_splits(DataOptions("nsmc", data_dir=str(write_nsmc(tmp_path)))).description
    assert description.hub_id == "e9t/nsmc"
    assert description.rows == {"train": 38, "validation": 2, "test": 40}
    assert "The training rows are **not** NSMC's official `ratings_train.txt`" in description.notes[0]
    assert git_blob_id(tmp_path / "ratings_train.txt") in description.notes[0]


def test_nsmc_from_official_files_says_so(tmp_path, monkeypatch):
    official = {
        split: nsmc.RatingsFile(path.name, path.stat().st_size, git_blob_id(path))
        for split in ("train", "test")
        for path in [write_nsmc(tmp_path) / f"ratings_{split}.txt"]
    }
    monkeypatch.setattr(nsmc, "OFFICIAL_FILES", official)
    monkeypatch.setattr(sources, "OFFICIAL_FILES", official)
    notes = load_splits(DataOptions("nsmc", data_dir=str(tmp_path))).description.notes
    assert notes[0].startswith("The training rows are NSMC's official `ratings_train.txt`")
    assert notes[1].startswith("The test rows are NSMC's official `ratings_test.txt`")


def test_a_missing_download_names_the_ways_out(monkeypatch):
    monkeypatch.setattr(nsmc, "_ADDRESS", "http://127.0.0.1:9/")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(DataError, match=r"--data_dir FOLDER.*--dataset sample"):
        load_splits(DataOptions())


@pytest.mark.slow
def test_the_real_corpus_loads_whole(nsmc_dir):
    splits = load_splits(DataOptions("nsmc", data_dir=str(nsmc_dir)))
    # Equal texts stay together, so that the held-out rows are not quite the 7,500 that are asked for.
    assert splits.description.rows == {"train": 142_580, "validation": 7_420, "test": 50_000}
    assert abs(sum(splits.datasets["validation"]["label"]) - 3_750) <= 40


# Labels


def test_whole_numbers_are_classes_in_the_order_of_their_size(write):
    splits = load_splits(DataOptions(write("stars.csv", "text,label\n가,10\n나,9\n다,10\n라,-1\n")))
    assert splits.problem_type == "single_label_classification"
    assert splits.label_names == ("-1", "9", "10")
    assert all_rows(splits) == {"가": 2, "나": 1, "다": 2, "라": 0}


@pytest.mark.parametrize("name", ["scores.csv", "scores.jsonl"])
def test_numbers_with_a_fraction_are_a_regression(write, name):
    content = "text,score\n가,1\n나,0.5\n다,-2e-1\n" if name.endswith("csv") else rows_of(lambda number: number / 2)
    splits = load_splits(DataOptions(write(name, content)))
    assert splits.problem_type == "regression"
    assert splits.label_names == ()
    assert splits.datasets["train"].features["label"] == datasets.Value("float32")
    if name.endswith("csv"):
        assert all_rows(splits) == pytest.approx({"가": 1.0, "나": 0.5, "다": -0.2})


@pytest.mark.parametrize("name", ["genres.csv", "genres.jsonl", "genres.parquet"])
def test_several_labels_per_row_become_a_flag_for_each_class(write, name):
    genres = {"가": ["코미디", "액션"], "나": [], "다": ["액션"]}
    if name.endswith("csv"):
        content = "text,genres\n" + "".join(f"{text},{' | '.join(names)}\n" for text, names in genres.items())
    else:
        content = [{"text": text, "genres": names} for text, names in genres.items()]
    arguments = DataOptions(write(name, content), label_column="genres", label_delimiter="|")
    splits = load_splits(arguments)
    assert splits.problem_type == "multi_label_classification"
    assert splits.label_names == ("액션", "코미디")
    assert all_rows(splits) == {"가": [1.0, 1.0], "나": [0.0, 0.0], "다": [1.0, 0.0]}


def test_booleans_are_classes(write):
    splits = load_splits(DataOptions(write("spam.jsonl", rows_of(lambda number: number % 2 == 0))))
    assert splits.label_names == ("false", "true")


def test_the_problem_type_can_be_named(write):
    stars = write("stars.csv", "text,label\n가,1\n나,2\n다,2\n")
    assert load_splits(DataOptions(stars, problem_type="regression")).problem_type == "regression"
    splits = load_splits(DataOptions(stars, problem_type="multi_label_classification"))
    assert all_rows(splits) == {"가": [1.0, 0.0], "나": [0.0, 1.0], "다": [0.0, 1.0]}
    halves = write("halves.csv", "text,label\n가,1.5\n나,0.5\n다,1.5\n")
    splits = load_splits(DataOptions(halves, problem_type="single_label_classification"))
    assert splits.label_names == ("0.5", "1.5")


def test_classes_that_no_training_row_has_are_known_and_warned_of(write, caplog):
    train, test = write("train.csv", CSV), write("test.csv", "text,label\n가,중립\n")
    datasets.logging.enable_propagation()
    try:
        splits = load_splits(DataOptions(train, test_file=test, split_seed=0))
    finally:
        datasets.logging.disable_propagation()
    assert splits.label_names == ("긍정", "부정", "중립")
    assert "No training row has the label '중립'" in caplog.text


# Splitting


def test_every_class_is_held_out_in_its_proportion(write):
    path = write("rare.jsonl", rows_of(lambda number: "드묾" if number % 10 == 0 else "흔함", count=200))
    splits = load_splits(DataOptions(path, validation_size=0.1))
    assert sorted(splits.datasets["validation"]["label"]) == [0] * 2 + [1] * 18


def test_a_class_with_a_single_row_does_not_stop_the_split(write):
    path = write("single.jsonl", rows_of(lambda number: "하나" if number == 0 else "여럿"))
    options = DataOptions(path, validation_size=5, allow_odd_data=True)
    assert load_splits(options).description.rows == {"train": 15, "validation": 5}


def test_fewer_rows_are_drawn_by_seed_from_all_over():
    arguments = DataOptions("sample", max_train_samples=100, max_eval_samples=10, max_predict_samples=50)
    splits = load_splits(arguments)
    assert splits.description.rows == {"train": 100, "validation": 10, "test": 50}
    assert "Only 50 of 200 test rows, drawn by seed 42, were used." in splits.description.notes
    assert 10 < sum(splits.datasets["test"]["label"]) < 40


# Evaluating a trained model


def test_a_file_to_evaluate_on_is_read_whole_with_the_models_numbers(write):
    path = write("reviews.csv", CSV)
    splits = load_test_split(DataOptions(path), "single_label_classification", ("부정", "중립", "긍정"))
    assert list(splits.datasets) == ["test"]
    assert splits.datasets["test"]["label"][:] == [2, 0, 2, 0]
    assert splits.label_names == ("부정", "중립", "긍정")


def test_whole_numbers_that_are_not_label_names_are_the_models_ids(write):
    path = write("reviews.csv", "text,label\n가,1\n나,0\n")
    splits = load_test_split(DataOptions(path), None, ("negative", "positive"))
    assert splits.datasets["test"]["label"][:] == [1, 0]


def test_a_label_that_the_model_does_not_know_is_an_error(write):
    path = write("reviews.csv", CSV)
    with pytest.raises(DataError, match=r"line 3: the label '부정' is not one of the classes '긍정', '중립'"):
        load_test_split(DataOptions(path), "single_label_classification", ("긍정", "중립"))


def test_a_limited_test_split_has_the_same_rows_in_training_and_evaluation():
    arguments = DataOptions("sample", max_train_samples=100, max_eval_samples=10, max_predict_samples=50)
    trained = load_splits(arguments).datasets["test"]
    evaluated = load_test_split(arguments, "single_label_classification", ("negative", "positive")).datasets["test"]
    assert evaluated["text"][:] == trained["text"][:]


def test_the_test_split_of_the_sample_is_taken_as_it_is():
    splits = load_test_split(DataOptions("sample"), "single_label_classification", ("negative", "positive"))
    assert splits.description.rows == {"test": 200}


def test_the_file_that_a_model_was_trained_on_is_no_test_of_it(write):
    arguments = DataOptions(write("reviews.csv", CSV))
    with pytest.raises(DataError, match=r"reviews.csv has no split 'test'.*--dataset"):
        load_test_split(arguments, None, ("긍정", "부정"), trained_on=True)


def test_a_folder_without_a_test_split_has_nothing_to_evaluate_on(write, tmp_path):
    write("train.csv", CSV)
    with pytest.raises(DataError, match="no split 'test', only 'train'"):
        load_test_split(DataOptions(str(tmp_path)), None, ("긍정", "부정"))


# The Hub


@pytest.fixture
def hub(monkeypatch):
    """What `load_dataset` gives."""
    loaded = datasets.DatasetDict()
    monkeypatch.setattr(datasets, "load_dataset", lambda *args, **kwargs: loaded)
    return loaded


def test_a_data_set_on_the_hub_keeps_its_classes(hub):
    features = datasets.Features(
        {"sentence": datasets.Value("string"), "label": datasets.ClassLabel(names=["나", "가"])}
    )
    rows = {"sentence": ["하나", "둘", "셋"], "label": [0, 1, 0]}
    hub["train"] = datasets.Dataset.from_dict(rows, features=features)
    hub["test"] = datasets.Dataset.from_dict(rows | {"label": [-1, -1, -1]}, features=features)
    splits = load_splits(DataOptions("someone/reviews"))
    assert splits.label_names == ("나", "가")
    assert all_rows(splits) == {"하나": 0, "둘": 1, "셋": 0}
    assert "test" not in splits.datasets  # its labels are secret
    assert splits.description.hub_id == "someone/reviews"


def test_a_missing_class_in_a_data_set_on_the_hub_is_an_error_with_its_row(hub):
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["a", "b"])})
    hub["train"] = datasets.Dataset.from_dict({"text": ["가", "나"], "label": [0, -1]}, features=features)
    with pytest.raises(DataError, match="1 row without label: someone/reviews, split 'train', row 2"):
        load_splits(DataOptions("someone/reviews"))


def test_lists_of_classes_on_the_hub_are_several_labels_per_row(hub):
    label = datasets.List(datasets.ClassLabel(names=["b", "a"]))
    features = datasets.Features({"text": datasets.Value("string"), "labels": label})
    hub["train"] = datasets.Dataset.from_dict({"text": ["가", "나"], "labels": [[1, 0], [1]]}, features=features)
    splits = load_splits(DataOptions("someone/reviews"))
    assert splits.label_names == ("b", "a")
    assert all_rows(splits) == {"가": [1.0, 1.0], "나": [0.0, 1.0]}


def test_a_data_set_that_the_hub_does_not_give_is_named(monkeypatch):
    def load_dataset(*args, **kwargs):
        raise ConnectionError("no network")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(DataError, match=r"folder 'someone/reviews'.*can't be loaded: no network"):
        load_splits(DataOptions("someone/reviews"))


def test_a_data_set_without_training_rows_says_what_it_has(hub):
    hub["unsupervised"] = datasets.Dataset.from_dict({"text": ["가"], "label": [0]})
    with pytest.raises(DataError, match="no split 'train', only 'unsupervised'"):
        load_splits(DataOptions("someone/reviews"))


# Errors

GOOD = {"text": "가", "label": 1}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", [GOOD, {"text": 5, "label": 0}], "a.jsonl, line 2: the column 'text' holds int 5, not text"),
        ("a.jsonl", [GOOD, {"label": 0}], "a.jsonl, line 2. Mend them, or add --on_bad_row skip"),
        ("a.jsonl", [GOOD, {"text": "나", "label": None}], "a.jsonl, line 2. Mend"),
        ("a.jsonl", [GOOD, {"text": "나", "label": "x"}], "has a whole number. All labels have to be alike"),
        ("a.jsonl", [GOOD, {"text": "나", "label": ["x"]}], "line 2: the label is a list, but"),
        ("a.jsonl", [{"text": "가", "label": ["x", "x"]}], "line 1: label 'x' is listed twice"),
        ("a.jsonl", [{"text": "가", "label": {"x": 1}}], "line 1: the label is dict {'x': 1}, not a name or a number"),
        ("a.parquet", [{"text": 1, "label": "x"}], "a.parquet, row 1: the column 'text' holds int 1, not text"),
        ("a.csv", "text,label\n가,1\n나,\n", "a.csv, line 3. Mend"),
        ("a.csv", "text,label\n가,1\n나,1\n", "every row has the label '1'"),
        ("a.csv", "text,label\n", "a.csv: no rows"),
        ("a.csv", "", "a.csv: is empty"),
        ("a.csv", "text,label\n가,1,2\n", "a.csv, line 2: 3 fields"),
        ("a.csv", "text,label\na,Größe\n".encode("latin-1"), "a.csv, line 2: is neither UTF-8 nor Korean in CP949"),
        ("a.csv", "id,words,stars\n1,가,5\n", "'words', 'stars' holds the texts? Add --text_column"),
        ("a.csv", "id,text,stars\n1,가,5\n", "'stars' holds the labels? Add --label_column"),
        ("a.csv", "id,text\n1,가\n", "'id', 'text' holds the labels? Add --label_column"),
        ("a.csv", "text,label\n" + "".join(f"가,x{n}\n" for n in range(10_001)), "more than 10,000 different labels"),
        ("a.csv", "text,label\n가,x\n나,y\n", "2 of 2 training rows can't be held out"),
        ("a.txt", "가\n", "a txt file holds texts without labels"),
        ("a.xlsx", b"PK", "not an xlsx file"),
    ],
)
def test_bad_data_are_an_error_that_says_where_and_what(write, name, content, message):
    with pytest.raises((DataError, FileError)) as error:
        load_splits(DataOptions(write(name, content), validation_size=2))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("label", "message"),
    [("x", "line 3: the label is 'x', not a number"), ("nan", "1 row without label: ")],
)
def test_a_regression_takes_only_numbers(write, label, message):
    with pytest.raises(DataError) as error:
        load_splits(DataOptions(write("a.csv", f"text,label\n가,1\n나,{label}\n"), problem_type="regression"))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dataset": "nowhere.csv"}, "nowhere.csv: no such file"),
        ({"dataset": "./nowhere"}, "nowhere: no such file"),
        ({"dataset": "sample", "text_column": "body"}, "no column 'body'; its columns are id, document, label"),
        ({"dataset": "sample", "label_column": "document"}, "'document' can't hold both the texts and the labels"),
        ({"dataset": "sample", "dataset_config": "x"}, "dataset_config goes with data sets on the Hub"),
        ({"dataset": "sample", "data_dir": "x"}, "data_dir goes with the data set 'nsmc'"),
        ({"dataset": "sample", "test_file": "x.csv"}, "validation_file and test_file go with local files"),
        ({"dataset": "nsmc", "data_dir": "nowhere"}, "'nowhere' is not a folder"),
        ({"problem_type": "classification"}, "it must be single_label_classification, multi_label"),
        ({"validation_size": 0.0}, "validation_size is 0.0; it has to be above 0"),
        ({"dataset": "sample", "validation_size": 800}, "800 of 800 training rows can't be held out"),
        ({"max_train_samples": 0}, "max_train_samples is 0; it has to be 1 or more"),
        ({"label_delimiter": ""}, "label_delimiter is empty"),
        ({"dataset": "sample", "problem_type": "regression"}, "row 1: the label is 'positive', not a number"),
    ],
)
def test_arguments_that_cannot_work_are_an_error_that_says_why(arguments, message):
    with pytest.raises((DataError, FileError)) as error:
        load_splits(DataOptions(**arguments))
    assert message in str(error.value)


def test_a_folder_of_nsmcs_files_is_referred_to_its_own_flags(tmp_path):
    with pytest.raises(DataError, match="--dataset nsmc --data_dir"):
        load_splits(DataOptions(str(write_nsmc(tmp_path))))


def test_a_folder_without_data_says_what_is_looked_for(tmp_path):
    with pytest.raises(DataError, match="no file whose name begins with train, validation or test"):
        load_splits(DataOptions(str(tmp_path)))


def test_shards_with_different_columns_are_refused(write, tmp_path):
    write("train-1.csv", CSV)
    write("train-2.csv", CSV.replace("text", "document"))
    with pytest.raises(FileError, match=r"train-2\.csv: has the columns document, label"):
        load_splits(DataOptions(str(tmp_path)))
