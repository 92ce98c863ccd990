import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tiny import TEXTS, classifier_of

from okt_lstm.atomic import FileError
from okt_lstm.inference import torch_classifier
from oktane.files import predict_file
from oktane.readers import open_reader
from oktane.row_reader import ReadOptions


def write_input(path, texts):
    rows = [{"id": str(index), "text": text} for index, text in enumerate(texts)]
    if path.suffix == ".txt":
        path.write_text("".join(f"{text}\n" for text in texts))
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        separator = "\t" if path.suffix == ".tsv" else ","
        path.write_text(f"id{separator}text\n" + "".join(f"{row['id']}{separator}{row['text']}\n" for row in rows))
    return path


KINDS = ["txt", "tsv", "csv", "jsonl", "parquet"]


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("target", KINDS)
def test_every_kind_of_file_becomes_every_kind_with_labels(tmp_path, classifier, monkeypatch, source, target):
    monkeypatch.setattr(torch_classifier, "CHUNK_SIZE", 4)
    source = write_input(tmp_path / f"in.{source}", TEXTS)
    assert predict_file(classifier, source, tmp_path / f"out.{target}").rows == len(TEXTS)
    with open_reader(tmp_path / f"out.{target}") as reader:
        rows = list(reader)
    labels = classifier.predict(TEXTS)
    if target == "txt":
        assert [row["text"] for row in rows] == labels
        return
    assert [row["label"] for row in rows] == labels
    assert [row["text"] for row in rows] == TEXTS
    probabilities = classifier.predict_proba(TEXTS).max(axis=1)
    np.testing.assert_allclose([float(row["probability"]) for row in rows], probabilities, atol=2e-6)
    assert list(rows[0]) == [*(["id"] if source.suffix != ".txt" else []), "text", "label", "probability"]


def test_all_probabilities_are_written_if_asked_for(tmp_path, classifier):
    predict_file(classifier, write_input(tmp_path / "in.csv", TEXTS), tmp_path / "out.jsonl", probabilities=True)
    with open_reader(tmp_path / "out.jsonl") as reader:
        rows = [[row["probability_negative"], row["probability_positive"]] for row in reader]
    np.testing.assert_allclose(rows, classifier.predict_proba(TEXTS), atol=1e-6)
    with pytest.raises(FileError, match="txt file holds labels only"):
        predict_file(classifier, tmp_path / "in.csv", tmp_path / "out.txt", probabilities=True)


def test_several_labels_and_numbers_have_a_form_in_files(tmp_path):
    source = write_input(tmp_path / "in.txt", TEXTS)
    several = classifier_of(labels=("a", "b"), problem_type="multi_label_classification")
    predict_file(several, source, tmp_path / "several.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "several.jsonl").read_text().splitlines()]
    assert [row["label"] for row in rows] == several.predict(TEXTS)
    assert set(rows[0]) == {"text", "label", "probability_a", "probability_b"}
    number = classifier_of(labels=("x",))
    predict_file(number, source, tmp_path / "number.parquet")
    table = pq.read_table(tmp_path / "number.parquet")
    assert table["label"].to_pylist() == pytest.approx(number.predict(TEXTS))
    assert table.column_names == ["text", "label"]


def test_columns_of_the_input_are_never_overwritten(tmp_path, classifier):
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "굿", "label": 1}\n')
    predict_file(classifier, source, tmp_path / "out.jsonl")
    row = json.loads((tmp_path / "out.jsonl").read_text())
    assert row["label"] == 1
    assert row["predicted_label"] == classifier.predict("굿")
    (tmp_path / "again.jsonl").write_text((tmp_path / "out.jsonl").read_text())
    with pytest.raises(FileError, match="'predicted_label' already"):
        predict_file(classifier, tmp_path / "again.jsonl", tmp_path / "out2.jsonl")
    source.write_text('{"text": "굿"}\n{"text": "굿", "label": 1}\n')
    predict_file(classifier, source, tmp_path / "late.jsonl")
    assert [json.loads(line).get("label") for line in (tmp_path / "late.jsonl").open()] == [None, 1]
    # The columns are those of the first 1,000 rows.
    source.write_text('{"text": "굿"}\n' * 1000 + '{"text": "굿", "label": 1}\n')
    with pytest.raises(FileError, match=r"row 1001.*'label'"):
        predict_file(classifier, source, tmp_path / "out3.jsonl")
    assert not (tmp_path / "out3.jsonl").exists()


def test_the_column_of_the_texts_is_guessed_or_named(tmp_path, classifier):
    source = tmp_path / "in.tsv"
    source.write_text("id\tdocument\tother\n1\t굿\t별로\n")
    for column in (None, "document"):
        predict_file(classifier, source, tmp_path / "out.jsonl", text_column=column)
        assert json.loads((tmp_path / "out.jsonl").read_text())["label"] == classifier.predict("굿")
    with pytest.raises(FileError, match="no column 'x'; its columns are id, document, other"):
        predict_file(classifier, source, tmp_path / "out.jsonl", text_column="x")
    source.write_text("id\twords\n1\t굿\n")
    with pytest.raises(FileError, match=r"which column holds the texts.*id, words"):
        predict_file(classifier, source, tmp_path / "out.jsonl")


def test_a_table_called_txt_is_not_taken_for_texts(tmp_path, classifier):
    source = tmp_path / "ratings_test.txt"
    source.write_text("id\tdocument\tlabel\n1\t굿\t1\n")
    with pytest.raises(FileError, match="first line has tabs"):
        predict_file(classifier, source, tmp_path / "out.csv")
    assert predict_file(classifier, source, tmp_path / "out.csv", reading=ReadOptions("tsv")).rows == 1
    assert predict_file(classifier, source, tmp_path / "out.csv", reading=ReadOptions("txt")).rows == 2


@pytest.mark.parametrize("target", KINDS)
def test_nulls_pass_through_as_nulls(tmp_path, classifier, monkeypatch, target):
    monkeypatch.setattr(torch_classifier, "CHUNK_SIZE", 2)
    texts = [None, "굿", None, "", "별로", None, "최고", None]
    source, out = tmp_path / "in.jsonl", tmp_path / f"out.{target}"
    source.write_text("".join(f"{json.dumps({'text': text})}\n" for text in texts))
    assert predict_file(classifier, source, out).rows == len(texts)
    expected = [None if text is None else classifier.predict(text) for text in texts]
    with open_reader(out) as reader:
        column = "text" if target == "txt" else "label"
        assert [row[column] or None for row in reader] == expected


@pytest.mark.parametrize("value", [17, ["굿"]])
def test_a_row_that_is_no_text_is_named_and_nothing_is_left(tmp_path, classifier, value, monkeypatch):
    monkeypatch.setattr(torch_classifier, "CHUNK_SIZE", 4)
    source = tmp_path / "in.jsonl"
    rows = [{"text": "굿"}] * 16 + [{"text": value}]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "out.csv").write_text("old")
    with pytest.raises(FileError, match=r"in\.jsonl, line 17: the column 'text' is .*, not text"):
        predict_file(classifier, source, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.csv"]


def test_input_and_output_must_differ(tmp_path, classifier):
    source = write_input(tmp_path / "in.csv", TEXTS)
    with pytest.raises(FileError, match="same file"):
        predict_file(classifier, source, tmp_path / "." / "in.csv")
    assert source.read_text().startswith("id,text\n")
