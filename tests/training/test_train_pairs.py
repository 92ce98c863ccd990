"""Networks of one's own learn from pairs of texts, too."""

import json
import random

import numpy as np
import pytest

import okt_lstm
from okt_lstm.data.errors import DataError
from okt_lstm.data.options import DataOptions
from okt_lstm.data.splits import load_splits, texts_of
from okt_lstm.training.parts import TrainParts, build
from okt_lstm.training.train import train
from oktane.folders import released_model

TEXTS = ["배송이 늦어요", "택배가 안 와요", "연기가 좋았다", "결말이 아쉽다"]


def write_pairs(path, count=40):
    chosen = random.Random(0)
    rows = []
    for number in range(count):
        first, second = chosen.choice(TEXTS), chosen.choice(TEXTS)
        label = "same" if (first in TEXTS[:2]) == (second in TEXTS[:2]) else "different"
        rows.append({"text": f"{first} {number}", "second": second, "label": label})
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def test_rows_hold_both_texts(tmp_path):
    path = write_pairs(tmp_path / "pairs.jsonl")
    rows = load_splits(DataOptions(dataset=str(path), text_pair_column="second")).datasets["train"]
    assert rows.column_names == ["text", "text_pair", "label"]
    assert all(second in TEXTS for _, second in texts_of(rows))


def test_a_row_without_its_second_text_is_named(tmp_path):
    path = write_pairs(tmp_path / "pairs.jsonl")
    with path.open("a", encoding="utf-8") as stream:
        stream.write('{"text": "한 글", "second": null, "label": "same"}\n')
    with pytest.raises(DataError, match=r"1 row without text: .*line 41"):
        load_splits(DataOptions(dataset=str(path), text_pair_column="second"))


def test_a_network_of_pairs_is_run_by_both_engines(tmp_path):
    sizes = {"hidden_size": 8, "embedding_size": 8, "num_hidden_layers": 1, "hidden_dropout": 0.0}
    options = {"dataset": str(write_pairs(tmp_path / "pairs.jsonl")), "text_pair_column": "second"}
    run = {"output_dir": str(tmp_path / "out"), "num_train_epochs": 1, "disable_tqdm": True, "report_to": "none"}
    result = train(build(TrainParts, options | sizes | run))
    pairs = [(one, other) for one in TEXTS for other in TEXTS]
    fast, slow = (okt_lstm.load(result.folder, engine=engine) for engine in ("oktane", "torch"))
    np.testing.assert_allclose(fast.predict_proba(pairs), slow.predict_proba(pairs), atol=1e-4)
    assert '"text_pair"' in (result.folder / "README.md").read_text(encoding="utf-8")


def test_teachers_of_pairs_are_refused(tmp_path):
    options = {"dataset": str(write_pairs(tmp_path / "pairs.jsonl")), "text_pair_column": "second"}
    parts = build(TrainParts, options | {"output_dir": str(tmp_path / "out"), "teacher": [str(released_model())]})
    with pytest.raises(ValueError, match="--teacher labels single texts"):
        train(parts)
