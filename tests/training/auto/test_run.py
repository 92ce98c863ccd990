"""The recipe auto: from rows to a folder that loads everywhere, with honest figures beside it."""

import csv
import json
import logging
import random

import numpy as np
import pytest
import torch

import okt_lstm
from okt_lstm.training.auto.run import refuse_several_processes
from okt_lstm.training.parts import TrainParts, build
from okt_lstm.training.train import train

SHOP = ["배송이 늦어요", "택배가 안 와요", "포장이 엉망이에요", "환불해 주세요", "물건이 깨졌어요"]
FILM = ["연기가 좋았다", "영화가 지루하다", "감독이 천재다", "배우들이 멋지다", "결말이 아쉽다"]
FOOD = ["국물이 시원하다", "고기가 질기다", "반찬이 맛있다", "밥이 설익었다", "김치가 맵다"]
ENDINGS = ["정말", "너무", "진짜", "조금", "아주", "오늘", "어제", "다시", "그냥", "매번"]


def write_rows(path, count, seed=0, shares=(5, 3, 2)):
    chosen = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "label"])
        for _ in range(count):
            name, texts = chosen.choices([("shop", SHOP), ("film", FILM), ("food", FOOD)], shares)[0]
            writer.writerow([f"{chosen.choice(ENDINGS)} {chosen.choice(ENDINGS)} {chosen.choice(texts)}", name])
    return path


def run(folder, train_rows=150, **options):
    write_rows(folder / "train.csv", train_rows)
    write_rows(folder / "test.csv", 60, seed=1)
    given = {"dataset": str(folder / "train.csv"), "test_file": str(folder / "test.csv"), "method": "auto"}
    return train(build(TrainParts, given | {"output_dir": str(folder / "out"), "disable_tqdm": True} | options))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("auto")
    messages = logging.getLogger("okt_lstm")
    handler = logging.Handler()
    lines = []
    handler.emit = lambda record: lines.append(record.getMessage())
    messages.addHandler(handler)
    messages.setLevel(logging.INFO)
    try:
        result = run(folder)
    finally:
        messages.removeHandler(handler)
    return result, lines


def test_engines_agree_on_the_model_that_was_kept(trained):
    folder = trained[0].folder
    texts = SHOP + FILM + FOOD + ["", "모르는 글"]
    fast, slow = okt_lstm.load(folder, engine="oktane"), okt_lstm.load(folder, engine="torch")
    np.testing.assert_allclose(fast.predict_proba(texts), slow.predict_proba(texts), atol=1e-4)
    assert fast.predict("택배가 정말 안 와요") == "shop"


def test_what_is_about_to_be_done_is_said_before(trained):
    said = "\n".join(trained[1])
    assert "150 rows to learn from" in said
    assert "shop " in said.split("Rows by class: ")[1]
    assert said.index("This takes about") < said.index("Kept:")
    assert "TF-IDF" in said.split("Kept:")[1]


def test_figures_and_card_hold_the_baselines_and_every_class(trained):
    result = trained[0]
    card = (result.folder / "README.md").read_text(encoding="utf-8")
    assert "majority class" in card
    assert "| TF-IDF |" in card
    for name in ("shop", "film", "food"):
        assert f"`{name}`" in card
    figures = json.loads((result.folder / "all_results.json").read_text())
    assert figures["test_f1_macro"] > 0.9
    assert {"eval_f1_macro", "test_baseline_f1_macro", "train_runtime"} <= figures.keys()


def test_probabilities_of_the_pipeline_are_those_of_the_model(trained):
    from transformers import pipeline

    folder = trained[0].folder
    classify = pipeline("text-classification", model=str(folder), top_k=None)
    found = {row["label"]: row["score"] for row in classify(["결말이 너무 아쉽다"])[0]}
    classifier = okt_lstm.load(folder)
    expected = dict(zip(classifier.labels, classifier.predict_proba("결말이 너무 아쉽다").tolist(), strict=True))
    assert found == pytest.approx(expected, abs=1e-4)


def test_weights_are_stored_in_half_precision_and_loaded_in_single(trained):
    model = okt_lstm.load(trained[0].folder, engine="torch").model
    assert model.dtype == torch.float32
    assert (trained[0].folder / "model.safetensors").stat().st_size < 2.3 * model.num_parameters() + 500_000


def test_several_labels_a_text(tmp_path):
    chosen = random.Random(0)
    rows = []
    for _ in range(60):
        names = chosen.sample(["shop", "film", "food"], chosen.choice([1, 1, 2]))
        texts = {"shop": SHOP, "film": FILM, "food": FOOD}
        rows.append({"text": " ".join(chosen.choice(texts[name]) for name in names), "labels": names})
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (tmp_path / "rows.jsonl").write_text(lines, encoding="utf-8")
    options = {"dataset": str(tmp_path / "rows.jsonl"), "method": "auto", "output_dir": str(tmp_path / "out")}
    result = train(build(TrainParts, options))
    assert result.metrics["eval_f1_macro"] > 0.7
    for engine in ("oktane", "torch"):
        classifier = okt_lstm.load(tmp_path / "out", engine=engine)
        assert sorted(classifier.predict("배송이 늦어요 결말이 아쉽다")) == ["film", "shop"]
        assert len(classifier.threshold) == 3
    assert "`thresholds`" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_pairs_of_texts(tmp_path):
    chosen = random.Random(0)
    rows = []
    for _ in range(80):
        first, second = chosen.choice([SHOP, FILM, FOOD]), chosen.choice([SHOP, FILM, FOOD])
        other = first if chosen.random() < 0.5 else second
        label = "same" if other is first else "different"
        rows.append({"text": chosen.choice(first), "question": chosen.choice(other), "label": label})
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (tmp_path / "rows.jsonl").write_text(lines, encoding="utf-8")
    options = {"dataset": str(tmp_path / "rows.jsonl"), "text_pair_column": "question", "method": "auto"}
    result = train(build(TrainParts, options | {"output_dir": str(tmp_path / "out")}))
    assert result.metrics["eval_accuracy"] > 0.7
    pairs = [("택배가 안 와요", "배송이 늦어요"), ("택배가 안 와요", "밥이 설익었다"), ("", "밥이 설익었다")]
    fast, slow = (okt_lstm.load(tmp_path / "out", engine=engine) for engine in ("oktane", "torch"))
    np.testing.assert_allclose(fast.predict_proba(pairs), slow.predict_proba(pairs), atol=1e-4)
    assert fast.predict(pairs) == slow.predict(pairs)


def test_long_texts_are_read_in_windows_by_both_engines(tmp_path):
    result = run(tmp_path, 60, max_length=6, stride=2)
    long = [" ".join(SHOP), " ".join(FILM + FOOD), "밥이 설익었다", ""]
    fast, slow = (okt_lstm.load(result.folder, engine=engine) for engine in ("oktane", "torch"))
    np.testing.assert_allclose(fast.predict_proba(long), slow.predict_proba(long), atol=1e-4)
    assert (fast.max_length, fast.stride) == (6, 2)
    # Where a limit is given, texts are cut.
    cut = okt_lstm.load(result.folder, max_length=6)
    assert abs(cut.predict_proba(long)[1] - fast.predict_proba(long)[1]).max() > 1e-3


def test_numbers(tmp_path):
    chosen = random.Random(0)
    rows = [(chosen.choice(texts), value) for _ in range(30) for texts, value in ((FILM, 1.5), (FOOD, 4.25))]
    lines = "".join(f"{number} {text}\t{value}\n" for number, (text, value) in enumerate(rows))
    (tmp_path / "rows.tsv").write_text(f"text\tlabel\n{lines}", encoding="utf-8")
    options = {"dataset": str(tmp_path / "rows.tsv"), "problem_type": "regression", "method": "auto"}
    result = train(build(TrainParts, options | {"output_dir": str(tmp_path / "out")}))
    assert result.metrics["eval_r2"] > 0.5
    assert okt_lstm.load(tmp_path / "out").predict("김치가 맵다") == pytest.approx(4.25, abs=1)


@pytest.mark.parametrize(("rank", "error"), [("0", ValueError), ("1", SystemExit)])
def test_several_processes_are_refused_by_the_first_one(monkeypatch, rank, error):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", rank)
    with pytest.raises(error, match="1" if rank == "1" else "leave out torchrun"):
        refuse_several_processes()


def test_many_rows_fine_tune_the_network(tmp_path, monkeypatch):
    monkeypatch.setattr("okt_lstm.training.auto.run.LEAST_ROWS", 100)
    result = run(tmp_path)
    card = json.loads((result.folder / "card.json").read_text(encoding="utf-8"))
    assert "fine-tuned network and n-gram model" in card["selection"]
    assert okt_lstm.load(result.folder, engine="oktane").predict("택배가 정말 안 와요") == "shop"
    # What Trainer wrote on its way is gone.
    assert not list(result.folder.glob("checkpoint-*"))
