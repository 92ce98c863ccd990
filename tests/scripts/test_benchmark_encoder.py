"""The benchmark of sentence encoders measures every system once, and writes a table and a picture."""

import csv
import json
import sys

import benchmark_encoder
import numpy as np
import pytest
from encoder_corpora import CORPORA, Corpus
from sentence_teachers import save_transformer

from okt_lstm import LSTMConfig, LSTMModel, OktTokenizer

KINDS = {"좋다": ["영화 최고", "연기 재미 있다"], "나쁘다": ["시간 아깝다", "음악 별로"]}


def write(path, header, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpora")
    rows = [(f"{text} {number}", label) for number in range(15) for label, texts in KINDS.items() for text in texts]
    for name in CORPORA:
        header = ["text", "labels" if name == "kmhas" else "label"]
        write(folder / name / "train.csv", header, rows)
        write(folder / name / "test.csv", header, rows[:12])
    pairs = [(first, second, str(first == second)) for first, _ in rows[:6] for second, _ in rows[:6]]
    for name, yes, no in (("korsts", "5.0", "1.0"), ("question_pair", "same", "different")):
        named = [(first, second, yes if label == "True" else no) for first, second, label in pairs]
        write(folder / name / "test.csv", ["text", "text_pair", "label"], named)
    return folder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    tokenizer = OktTokenizer().train_new_from_iterator(
        [text for texts in KINDS.values() for text in texts], vocab_size=50, show_progress=False
    )
    config = LSTMConfig(vocab_size=len(tokenizer), embedding_size=8, hidden_size=8, projection_size=8)
    config.initializer_range = 0.5
    LSTMModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def run(monkeypatch, corpora, encoder, teacher, output):
    monkeypatch.setattr(benchmark_encoder, "ROWS", (20, 40))
    monkeypatch.setattr(benchmark_encoder, "PLOTTED_ROWS", 40)
    monkeypatch.setattr(benchmark_encoder, "DRAWS", 2)
    monkeypatch.setattr(benchmark_encoder, "SECONDS", 0.01)
    words = ["--corpora", corpora, "--encoder", f"ours={encoder}", "--teacher", teacher, "--output", output]
    monkeypatch.setattr(sys, "argv", ["benchmark_encoder.py", *map(str, words)])
    benchmark_encoder.main()
    return (output / "results.jsonl").read_text().splitlines()


@pytest.mark.slow
def test_every_system_is_measured_once(monkeypatch, corpora, encoder, tmp_path, capsys):
    teacher = save_transformer(tmp_path / "teacher")
    lines = run(monkeypatch, corpora, encoder, teacher, tmp_path / "out")
    found = [json.loads(line) for line in lines]
    systems = {line["system"] for line in found}
    assert systems == {"TF-IDF", "ours", "ours + TF-IDF", "teacher", "teacher + TF-IDF"}
    # corpora by rows by draws by systems, two tests of pairs and the speeds
    assert len(found) == 6 * 2 * 2 * 5 + 2 * 2 + 3
    assert len({(line["corpus"], line["rows"], line["draw"], line["system"]) for line in found}) == len(found)
    table = (tmp_path / "out" / "table.md").read_text()
    assert table.count("| ours + TF-IDF |") == 2
    assert (tmp_path / "out" / "plot.png").read_bytes().startswith(b"\x89PNG")
    assert run(monkeypatch, corpora, encoder, teacher, tmp_path / "out") == lines
    assert (tmp_path / "out" / "table.md").read_text() == table


def test_draws_are_the_same_for_every_system():
    corpus = Corpus(["a"] * 50, [], np.zeros(50, np.int64), np.zeros(0, np.int64))
    first, second = corpus.draws(10, 3), corpus.draws(10, 3)
    np.testing.assert_array_equal(first, second)
    assert len({tuple(rows) for rows in map(tuple, first)}) == 3


def test_what_two_systems_agree_on_stays():
    first, second = np.array([[0.9, 0.1], [0.4, 0.6]]), np.array([[0.8, 0.2], [0.6, 0.4]])
    found = benchmark_encoder.mixed(first, second, 0.5, several=False)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert found[0].argmax() == 0
    np.testing.assert_allclose(found[1], 0.5)
    several = np.array([[0.9, 0.8], [0.4, 0.3]])
    np.testing.assert_allclose(benchmark_encoder.mixed(several, several, 0.3, several=True), several)
    np.testing.assert_allclose(benchmark_encoder.mixed(first, second, 0.0, several=False), first)


def test_the_weight_of_two_systems_is_that_of_the_better_one():
    labels = np.array([0, 1, 0, 1])
    right, wrong = np.array([[0.9, 0.1], [0.1, 0.9]] * 2), np.array([[0.1, 0.9], [0.9, 0.1]] * 2)
    assert benchmark_encoder.best_weight(right, wrong, labels) == 0.0
    assert benchmark_encoder.best_weight(wrong, right, labels) > 0.5
    folds = benchmark_encoder.out_of_fold(
        lambda train, known, test: np.eye(2)[[1] * len(test)], np.zeros((8, 1)), labels.repeat(2)
    )
    np.testing.assert_array_equal(folds, np.eye(2)[[1] * 8])
