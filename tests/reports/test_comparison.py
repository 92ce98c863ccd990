"""Trained models side by side: what differs is shown, and what doesn't is not."""

import json

import pytest
from tiny import save_tiny

import okt_lstm
from okt_lstm.atomic import FileError
from okt_lstm.data.description import DataDescription
from okt_lstm.reports.comparison import compare, draw_comparison, read_run
from okt_lstm.reports.trained_model import CARD_NAME, TrainedModel
from oktane.problem_type import ProblemType


def trained(folder, accuracy, lr):
    save_tiny(folder)
    model = TrainedModel(
        name=folder.name,
        license="mit",
        description="A network.",
        model_type="lstm",
        problem_type=ProblemType.SINGLE_LABEL,
        max_length=128,
        data=DataDescription("mine.csv", rows={"train": 100, "test": 20}),
        hyperparameters={"learning_rate": lr, "seed": 42},
        seconds=12.0,
        epochs=[],
        results={"validation": {"accuracy": 0.1}, "test": {"accuracy": accuracy, "loss": 0.5}},
        pictures={},
        classes=[{"class": "나쁨", "rows": 10, "predicted": 10, "precision": 1, "recall": 1, "f1": accuracy}],
    )
    (folder / CARD_NAME).write_text(json.dumps(model.to_json()))
    return read_run(folder, folder.name, okt_lstm.load(folder), ["굿", "별로"])


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return [trained(folder / "one", 0.75, 0.001), trained(folder / "two", 0.5, 0.1)]


def test_tables_hold_scores_classes_and_the_settings_that_differ(runs):
    tables = compare(runs)
    assert "| accuracy | 0.7500 | 0.5000 |" in tables
    assert "| 1. 나쁨 | 0.7500 | 0.5000 |" in tables
    assert "| learning_rate | 0.001 | 0.1 |" in tables
    assert "seed" not in tables
    assert "test, 20 rows" in tables


def test_picture_is_drawn(runs, tmp_path):
    draw_comparison(runs, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_folder_that_no_run_left_is_named(tmp_path):
    with pytest.raises(FileError, match=r"has no card\.json: give folders that `okt-lstm train` left"):
        read_run(tmp_path, "x", None, [])
