"""The comparison of sizes measures each encoder once, on validation rows, and writes a table and a picture."""

import csv
import json
import sys

import compare_encoders
import pytest
from encoder_corpora import CORPORA
from sentence_teachers import save_transformer

TEXTS = [f"{first} {second}" for first in ("영화", "음악", "배우", "연기") for second in ("최고", "별로", "재미", "굿")]


def write(path, header, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])


@pytest.fixture
def corpora(tmp_path):
    folder = tmp_path / "corpora"
    rows = [(f"{text} {number}", "좋다" if "최고" in text else "나쁘다") for number in range(4) for text in TEXTS]
    for name in CORPORA:
        for file in ("train.csv", "test.csv"):
            write(folder / name / file, ["text", "labels" if name == "kmhas" else "label"], rows)
    for name, yes, no in (("korsts", "5.0", "1.0"), ("question_pair", "same", "different")):
        pairs = [(first, second, yes if first == second else no) for first in TEXTS[:5] for second in TEXTS[:5]]
        write(folder / name / "validation.csv", ["text", "text_pair", "label"], pairs)
    return folder


@pytest.mark.slow
def test_every_size_is_trained_and_measured_once(monkeypatch, corpora, tmp_path, capsys):
    monkeypatch.setattr(compare_encoders, "SIZES", ((1, 8), (2, 8)))
    monkeypatch.setattr(compare_encoders, "ROWS", 30)
    texts = tmp_path / "texts.txt"
    texts.write_text("".join(f"{text} {number}\n" for number in range(10) for text in TEXTS), encoding="utf-8")
    # An embedding can't have more numbers than the teacher's vectors, and the recipe asks for 192.
    teacher = save_transformer(tmp_path / "teacher", hidden_size=192)
    output = tmp_path / "out"
    words = ["--texts", texts, "--teacher", teacher, "--corpora", corpora, "--steps", 2, "--output", output]
    monkeypatch.setattr(sys, "argv", ["compare_encoders.py", *map(str, words)])
    compare_encoders.main()
    lines = (output / "results.jsonl").read_text().splitlines()
    results = [json.loads(line) for line in lines]
    assert [result["name"] for result in results] == ["1 x 8", "2 x 8"]
    assert all(set(CORPORA) < set(result) for result in results)
    assert (output / "table.md").read_text().count("\n") == 4
    assert (output / "plot.png").read_bytes().startswith(b"\x89PNG")
    compare_encoders.main()
    assert (output / "results.jsonl").read_text().splitlines() == lines
