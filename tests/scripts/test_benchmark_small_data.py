"""The benchmark from few rows to many: every system learns from the same rows, and what is measured is kept."""

import csv
import json
import random
import sys

import benchmark_small_data
import numpy as np
import pytest
import small_data_corpora
from small_data_corpora import read_corpus
from small_data_report import margin, medians, table_of

MOODS = {"love": "사랑해 좋아해 보고싶어 설렌다", "daily": "밥먹자 날씨 출근 주말"}


@pytest.fixture
def corpora(tmp_path):
    folder = tmp_path / "corpora" / "chatbot"
    folder.mkdir(parents=True)
    chosen = random.Random(0)
    for name, count in (("train", 60), ("test", 20)):
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["text", "label"])
            for _ in range(count):
                mood = chosen.choice(list(MOODS))
                writer.writerow([" ".join(chosen.choices(MOODS[mood].split(), k=3)), mood])
    return folder.parent


def test_tfidf_is_measured_once_and_reported(corpora, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(small_data_corpora.CORPORA, "chatbot", ("chatbot moods", (30,)))
    words = ["--corpora", corpora, "--nsmc", tmp_path, "--output", tmp_path / "out", "--only", "chatbot"]
    words += ["--systems", "TF-IDF", "--draws", "2"]
    monkeypatch.setattr(sys, "argv", ["benchmark_small_data.py", *map(str, words)])
    benchmark_small_data.main()
    lines = (tmp_path / "out" / "results.jsonl").read_text().splitlines()
    assert [(json.loads(line)["rows"], json.loads(line)["draw"]) for line in lines] == [(30, 0), (30, 1), (60, 0)]
    assert (tmp_path / "out" / "plot.png").read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()
    benchmark_small_data.main()
    assert (tmp_path / "out" / "results.jsonl").read_text().splitlines() == lines
    assert "| chatbot moods | 60 | TF-IDF |" in capsys.readouterr().out


def test_validation_rows_are_not_learned_from(corpora, tmp_path):
    corpus = read_corpus("chatbot", corpora, tmp_path, "validation")
    assert (len(corpus.pool), len(corpus.test)) == (45, 15)
    assert read_corpus("chatbot", corpora, tmp_path, "test").pool_names(0) in (["love"], ["daily"])


def test_median_and_the_margin_over_the_better_baseline():
    scores = {"TF-IDF": [60, 62], "fastText": [50, 80], "okt-lstm": [64, 70]}
    results = [
        {"corpus": "beep", "rows": 200, "draw": draw, "system": system, "part": "test"}
        | {"accuracy": score, "f1_macro": score, "f1_micro": score, "seconds": 1, "rate": 10}
        for system, values in scores.items()
        for draw, score in enumerate(values)
    ]
    assert medians(results, "f1_macro")["beep", 200, "okt-lstm"] == 67
    difference, error = margin(results, "beep", 200)
    # fastText has the higher mean: 14 better in one draw, and 10 worse in the other.
    assert difference == pytest.approx(2)
    assert error == pytest.approx(12)
    assert "+2.0 ± 12.0" in table_of(results)


def test_several_labels_are_kept_apart(tmp_path):
    folder = tmp_path / "kmhas"
    folder.mkdir()
    for name in ("train", "test"):
        (folder / f"{name}.csv").write_text("text,labels\n하나,a|b\n둘,b\n셋,c\n넷,a\n", encoding="utf-8")
    corpus = read_corpus("kmhas", tmp_path, tmp_path, "test")
    assert corpus.several
    assert corpus.names == ("a", "b", "c")
    np.testing.assert_array_equal(corpus.pool_labels[0], [1, 1, 0])
