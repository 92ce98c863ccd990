"""`BatchPredictor` and `BatchAnalyzer` take and return whatever holds texts, and travel to other processes."""

import multiprocessing
import pickle
import subprocess
import sys

import numpy as np
import pytest

import oktane

TEXTS = ["연기도 연출도 최고였다", None, "시간이 아깝다", ""]


@pytest.fixture(scope="module")
def labels():
    classifier = oktane.load()
    return [None if text is None else classifier.predict(text) for text in TEXTS]


@pytest.fixture(scope="module")
def predict():
    return oktane.BatchPredictor()


def test_lists_and_numpy_arrays_of_texts_become_labels(predict, labels):
    assert predict(TEXTS) == labels
    assert list(predict(np.array(TEXTS, object))) == labels
    assert predict([]) == []
    assert list(predict(np.array(["굿", "별로"]))) == oktane.load().predict(["굿", "별로"])


@pytest.mark.parametrize("make", [list, lambda values: np.array(values, object)])
def test_a_dict_keeps_its_columns_and_gets_new_ones_of_the_same_kind(predict, labels, make):
    batch = {"id": make([1, 2, 3, 4]), "text": make(TEXTS)}
    result = predict(batch)
    assert list(result) == ["id", "text", "label", "probability"]
    assert list(result["label"]) == labels
    assert all(type(column) is type(batch["id"]) for column in result.values())
    assert [value is None for value in result["probability"]] == [False, True, False, False]


def test_names_that_are_taken_and_the_column_of_the_texts(predict, labels):
    assert list(predict({"text": TEXTS, "label": [0] * 4}))[2:] == ["predicted_label", "predicted_probability"]
    assert oktane.BatchPredictor(text_column="b")({"a": [1] * 4, "b": TEXTS})["label"] == labels
    with pytest.raises(ValueError, match="no column 'c'; its columns are a, b"):
        oktane.BatchPredictor(text_column="c")({"a": [1], "b": ["굿"]})
    with pytest.raises(ValueError, match="Name it with text_column; there are a, b"):
        predict({"a": [1], "b": ["굿"]})
    everything = oktane.BatchPredictor(probabilities=True)({"text": ["굿"]})
    assert everything["probability_negative"][0] + everything["probability_positive"][0] == pytest.approx(1)


def test_pandas(predict, labels):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"n": [1, 2, 3, 4], "text": TEXTS}, index=[7, 8, 9, 7])
    result = predict(frame)
    assert list(result.columns) == ["n", "text", "label", "probability"]
    assert list(result.index) == list(frame.index)
    assert [None if pandas.isna(value) else value for value in result["label"]] == labels
    assert predict(frame["text"]).tolist() == labels
    assert list(frame.columns) == ["n", "text"]


def test_arrow(predict, labels):
    pa = pytest.importorskip("pyarrow")
    for kind in (pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())):
        column = pa.array(TEXTS, pa.string()).cast(kind)
        table = pa.table({"n": [1, 2, 3, 4], "text": column})
        result = predict(table)
        assert result.column_names == ["n", "text", "label", "probability"]
        assert result["label"].to_pylist() == labels
        assert result["text"].type == kind
        assert predict(table.to_batches()[0]).column("label").to_pylist() == labels
        assert predict(column).to_pylist() == predict(pa.chunked_array([column])).to_pylist() == labels
        assert predict(table.slice(2)).column("label").to_pylist() == labels[2:]
        assert predict(table.slice(0, 0)).num_rows == 0
    nulls = predict(pa.table({"text": pa.nulls(3)}))
    assert nulls["label"].to_pylist() == [None] * 3


def test_polars(predict, labels):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"n": [1, 2, 3, 4], "text": TEXTS})
    assert predict(frame)["label"].to_list() == labels
    assert predict(frame["text"]).to_list() == labels
    lazy = frame.lazy().with_columns(label=polars.col("text").map_batches(predict, return_dtype=polars.String))
    assert lazy.collect()["label"].to_list() == labels


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        ("굿", "a batch is a dict"),
        (["굿", 5], "must be a str, not int"),
        (np.array([["굿"]]), "2 dimensions"),
        ({"text": [b"x"]}, "must be a str, not bytes"),
    ],
)
def test_what_holds_no_texts_is_refused(predict, batch, words):
    with pytest.raises(TypeError, match=words):
        predict(batch)


def test_several_labels_and_numbers_stay_lists_and_numbers(tmp_path):
    trained_folders = pytest.importorskip("trained_folders")
    pa = pytest.importorskip("pyarrow")
    several = trained_folders.save(tmp_path / "a", problem_type="multi_label_classification", labels=("x", "y"))
    number = trained_folders.save(tmp_path / "b", labels=("x",))
    for folder in (several, number):
        predict, expected = oktane.BatchPredictor(folder), oktane.load(folder).predict([TEXTS[0], TEXTS[2]])
        assert predict([TEXTS[0], None, TEXTS[2]]) == [expected[0], None, expected[1]]
        assert predict(pa.array([TEXTS[0], None, TEXTS[2]])).to_pylist() == [expected[0], None, expected[1]]


def test_morphemes_nouns_and_the_rest_of_okt():
    okt = oktane.Okt()
    for task in oktane.BatchAnalyzer.TASKS:
        method = getattr(okt, task)
        options = {"join": True} if task == "pos" else {}
        expected = [None if text is None else method(text, **options) for text in TEXTS]
        analyze = oktane.BatchAnalyzer(task)
        assert analyze(TEXTS) == expected
        assert pickle.loads(pickle.dumps(analyze))({"text": TEXTS})[task] == expected
    assert oktane.BatchAnalyzer("morphs", stem=True)(["재밌었다"]) == [okt.morphs("재밌었다", stem=True)]
    words = oktane.BatchAnalyzer("nouns", user_dictionary={"Noun": ["워라밸"]})
    assert pickle.loads(pickle.dumps(words))(["워라밸이 좋다"]) == [["워라밸"]]
    with pytest.raises(ValueError, match="task is 'verbs'; it can be morphs, pos"):
        oktane.BatchAnalyzer("verbs")
    with pytest.raises(ValueError, match="not with nouns"):
        oktane.BatchAnalyzer("nouns", stem=True)


def test_arguments_alone_are_pickled_and_a_process_loads_once(monkeypatch):
    predict = oktane.BatchPredictor(text_column="review")
    assert len(pickle.dumps(predict)) < 500
    from oktane import batch_functions, classifier

    batch_functions._load.cache_clear()
    loaded = []
    load = classifier.load
    monkeypatch.setattr(classifier, "load", lambda *given, **options: loaded.append(1) or load(*given, **options))
    for _ in range(3):
        pickle.loads(pickle.dumps(predict))({"review": ["굿"]})
    assert loaded == [1]


@pytest.mark.parametrize(
    "method", [name for name in ("fork", "forkserver", "spawn") if name in multiprocessing.get_all_start_methods()]
)
def test_other_processes(method, labels):
    # In a process of its own, since this one has threads by now.
    code = (
        "import multiprocessing, oktane\n"
        f"if __name__ == '__main__':\n"
        "    predict = oktane.BatchPredictor()\n"
        f"    predict(['굿'])\n"
        f"    with multiprocessing.get_context({method!r}).Pool(2) as pool:\n"
        f"        print(pool.map(predict, [{TEXTS!r}] * 3) == [{labels!r}] * 3)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert result.stdout == "True\n", result.stderr
