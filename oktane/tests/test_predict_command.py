"""The command `oktane predict`: texts, lines or the rows of a file in, their labels out."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

import oktane
from oktane import cli, folders

OKTANE = [sys.executable, "-m", "oktane"]
TEXTS = ["연기도 연출도 최고였다", "시간이 아깝다", "", "그저 그래요"]


@pytest.fixture(scope="module")
def classifier():
    return oktane.load()


@pytest.fixture
def predict(capsys, monkeypatch, tmp_path):
    """Runs `oktane predict ...` in a folder of its own: the exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def predict(*arguments):
        try:
            code = cli.main(["predict", *map(str, arguments)])
        except SystemExit as exit:
            code = exit.code
        return code, *capsys.readouterr()

    return predict


def write(path, texts=TEXTS):
    """A csv file whose texts have a usual name."""
    path.write_text("id,review\n" + "".join(f"{i},{text}\n" for i, text in enumerate(texts)), encoding="utf-8")
    return path.name


def test_texts_as_arguments_get_a_line_each_with_label_probability_and_text(predict, classifier):
    code, output, errors = predict(*TEXTS, "탭\t하나\n둘")
    assert (code, errors) == (0, "")
    rows = [line.split("\t") for line in output.splitlines()]
    assert [row[0] for row in rows[:4]] == classifier.predict(TEXTS)
    probabilities = classifier.predict_proba(TEXTS).max(axis=1)
    assert [float(row[1]) for row in rows[:4]] == pytest.approx(probabilities, abs=1e-6)
    assert [row[2] for row in rows] == [*TEXTS, "탭 하나 둘"]


def test_a_folder_of_a_model_can_be_named(predict):
    assert predict("--model", folders.RELEASED_MODEL, *TEXTS) == predict(*TEXTS)


@pytest.mark.parametrize("suffix", ["txt", "tsv", "csv", "jsonl"])
def test_a_file_keeps_its_rows_and_gets_columns(predict, classifier, tmp_path, suffix):
    code, output, errors = predict("--input", write(tmp_path / "in.csv"), "--output", f"out.{suffix}")
    assert (code, output) == (0, "")
    assert re.fullmatch(rf"oktane: out\.{suffix}: 4 rows in .*\noktane: out\.{suffix}: labels: .*\n", errors)
    labels = classifier.predict(TEXTS)
    lines = (tmp_path / f"out.{suffix}").read_text(encoding="utf-8").splitlines()
    if suffix == "txt":
        assert lines == labels
    elif suffix == "jsonl":
        rows = [json.loads(line) for line in lines]
        assert [(row["id"], row["review"], row["label"]) for row in rows] == [
            (str(number), text, label) for number, (text, label) in enumerate(zip(TEXTS, labels, strict=True))
        ]
    else:
        separator = {"tsv": "\t", "csv": ","}[suffix]
        assert lines[0] == separator.join(["id", "review", "label", "probability"])
        assert [line.split(separator)[2] for line in lines[1:]] == labels
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", f"out.{suffix}"]


def test_names_that_are_taken_and_all_probabilities(predict, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"text": "최고", "label": 1}\n', encoding="utf-8")
    assert predict("--input", "in.jsonl", "--output", "out.jsonl", "--probabilities")[:2] == (0, "")
    row = json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8"))
    names = ["label", "probability", "probability_negative", "probability_positive"]
    assert list(row) == ["text", "label", *(f"predicted_{name}" for name in names)]
    assert row["label"] == 1


def test_lines_of_standard_input_are_answered_as_they_come():
    with subprocess.Popen([*OKTANE, "predict"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        for text in TEXTS:
            process.stdin.write(f"{text}\n".encode())
            process.stdin.flush()
            assert process.stdout.readline().decode().endswith(f"\t{text}\n")
        process.stdin.close()
        assert process.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--model", "nowhere", "최고"], 1, ["nowhere: no such folder"]),
        (["--model", ".", "최고"], 1, ["holds no classifier", "config.json"]),
        (["--input", "missing.csv"], 1, ["missing.csv: no such file"]),
        (["--input", "in.doc"], 1, ["in.doc: no such file"]),
        (["--input", "in.csv", "--text_column", "x"], 1, ["no column 'x'", "id, review"]),
        (["--input", "in.csv", "--output", "in.csv"], 1, ["input and output are the same file"]),
        (["--input", "in.csv", "--output", "no/out.csv"], 1, ["mkdir -p"]),
        (["--input", "in.csv", "--output", "out.txt", "--probabilities"], 1, ["a txt file holds labels only"]),
        (["--max_length", "0", "최고"], 1, ["max_length must be at least 1"]),
        (["\udcff"], 1, ["text 1 of the arguments is not UTF-8"]),
        (["최고", "--input", "in.csv"], 2, ["give texts or --input, not both"]),
        (["--output", "out.csv"], 2, ["--output goes with --input"]),
        (["--text_column", "review"], 2, ["--text_column goes with --input"]),
        (["--threads", "0", "최고"], 2, ["--threads must be at least 1"]),
        (["--modle", "out"], 2, ["did you mean --model?"]),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(predict, tmp_path, arguments, code, words):
    write(tmp_path / "in.csv")
    found, output, errors = predict(*arguments)
    assert (found, output, errors.count("\n")) == (code, "", 1)
    assert all(word in errors for word in words), errors
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_an_error_in_the_middle_leaves_the_old_output(predict, tmp_path):
    rows = ['{"text": "최고"}\n'] * 3000 + ['{"text": 5}\n']
    (tmp_path / "in.jsonl").write_text("".join(rows), encoding="utf-8")
    (tmp_path / "out.csv").write_text("what was there")
    code, _, errors = predict("--input", "in.jsonl", "--output", "out.csv")
    assert code == 1
    assert "in.jsonl, line 3001: the column 'text' is a int (5), not text" in errors
    assert (tmp_path / "out.csv").read_text() == "what was there"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_warning_is_one_line(predict, tmp_path):
    for path in folders.RELEASED_MODEL.glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "model.safetensors").symlink_to(folders.RELEASED_MODEL / "model.safetensors")
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({**config, "dictionary_hash": "0" * 64}))
    code, output, errors = predict("--model", ".", "최고")
    assert (code, output.count("\n"), errors.count("\n")) == (0, 1, 1)
    assert errors.startswith("oktane: warning: ")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends neither signal to one process")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 128 + signal.SIGTERM)])
def test_an_interruption_ends_it_and_leaves_what_the_next_run_goes_on_from(tmp_path, sent, code):
    write(tmp_path / "in.csv", ["그저 그런 영화였어요. 두 번은 안 볼 것 같아요"] * 300_000)
    process = subprocess.Popen(
        [*OKTANE, "predict", "--input", "in.csv", "--output", "out.csv"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        # Where the tests run in the background, this signal is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    journal = tmp_path / ".out.csv.journal"
    while not journal.exists() or journal.stat().st_size < 5000:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(sent)
    assert process.wait(60) == code
    assert process.stderr.read().decode() == "oktane: out.csv: stopped; the same command goes on where it was\n"
    assert sorted(os.listdir(tmp_path)) == [".out.csv.journal", "in.csv"]  # noqa: PTH208


def test_labels_from_a_stranger_do_nothing_to_a_terminal(predict, tmp_path):
    folder = shutil.copytree(folders.RELEASED_MODEL, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["id2label"] = {"0": "\x1b[2Jbad", "1": "\u202egood"}
    del config["label2id"]
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    code, output, _ = predict("--model", folder, *TEXTS)
    assert code == 0
    assert {line.split("\t")[0] for line in output.splitlines()} == {"\\x1b[2Jbad", "\\u202egood"}
