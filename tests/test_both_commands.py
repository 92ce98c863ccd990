"""`oktane predict` and `okt-lstm predict` give the same bytes for the same texts and files."""

import io
import json
import re
import sys

import pytest
from trained_folders import save

import okt_lstm.cli
import oktane.cli
import oktane.writers

TEXTS = ["시간이 아깝다", "", '정말 "재미", 있다', "굿\u2028끝 😀"]
FORMATS = ["txt", "tsv", "csv", "jsonl", "parquet"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save(tmp_path_factory.mktemp("model"))


@pytest.fixture
def both(capsys, monkeypatch, tmp_path, folder):
    """Runs `predict --model FOLDER ...` with both commands: exit code, output and error of each.

    A `*` in an argument becomes the name of the command.
    """
    monkeypatch.chdir(tmp_path)

    def both(*arguments, stdin=b""):
        results = []
        for name, command in {"okt-lstm": okt_lstm.cli, "oktane": oktane.cli}.items():
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            words = [argument.replace("*", name) for argument in arguments]
            code = command.main(["predict", "--model", str(folder), *words])
            output, error = capsys.readouterr()
            # What is done is said with the time that it took.
            lines = [re.sub(r"^(okt-lstm|oktane): |in .* a second$", "", line) for line in error.splitlines()]
            results.append((code, output, "\n".join(lines).replace(name, "*")))
        return results

    return both


def write(path):
    rows = [{"id": str(number), "review": text, "label": "?"} for number, text in enumerate(TEXTS)]
    if path.suffix == ".txt":
        path.write_text("".join(f"{text}\n" for text in TEXTS), encoding="utf-8")
    elif path.suffix == ".jsonl":
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    else:
        with oktane.writers.open_writer(path, list(rows[0])) as writer:
            writer.write(rows)


@pytest.mark.parametrize("options", [[], ["--probabilities"]])
def test_texts_lines_and_files_are_printed_alike(both, tmp_path, options):
    write(tmp_path / "in.csv")
    for arguments, stdin in ((TEXTS, b""), ([], "\n".join(TEXTS).encode()), (["--input", "in.csv"], b"")):
        first, second = both(*options, *arguments, stdin=stdin)
        assert first == second
        assert (first[0], first[1].count("\n"), first[2]) == (0, len(TEXTS), "")


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("target", FORMATS)
def test_files_are_the_same_bytes(both, tmp_path, source, target):
    write(tmp_path / f"in.{source}")
    for options in ([], ["--probabilities"][: target != "txt"]):
        results = both("--input", f"in.{source}", "--output", f"*.{target}", *options)
        assert results[0] == results[1]
        assert results[0][:2] == (0, "")
        content = (tmp_path / f"oktane.{target}").read_bytes()
        assert content == (tmp_path / f"okt-lstm.{target}").read_bytes()
        assert content.count(b"\n") >= len(TEXTS) or target == "parquet"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--input", "none.csv"],
        ["--input", "in.doc"],
        ["--input", "in.csv", "--text_column", "x"],
        ["--input", "in.csv", "--output", "in.csv"],
        ["--input", "in.csv", "--output", "none/out.csv"],
        ["--input", "bad.jsonl"],
    ],
)
def test_mistakes_are_explained_alike(both, tmp_path, arguments):
    write(tmp_path / "in.csv")
    (tmp_path / "in.doc").touch()
    (tmp_path / "bad.jsonl").write_text('{"text": 5}\n')
    first, second = both(*arguments)
    # Only the lists of formats differ, by Excel's.
    plain = [message.replace(", .xlsx, .xlsm", "") for _, _, message in (first, second)]
    assert plain[0] == plain[1]
    assert first[:2] == second[:2] == (1, "")
