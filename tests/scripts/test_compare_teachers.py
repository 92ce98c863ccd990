"""Teachers are compared by the mean of their probabilities on the validation rows."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny import save_tiny

import okt_lstm
from okt_lstm.data.options import DataOptions
from okt_lstm.data.splits import load_splits

SCRIPT = Path(__file__).parents[2] / "scripts" / "benchmarks" / "compare_teachers.py"


def run(*words):
    command = [sys.executable, str(SCRIPT), *map(str, words), "--dataset", "sample"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.fixture
def opposites(tmp_path):
    """Two models that say the opposite of each other; the second has its labels the other way round."""
    save_tiny(tmp_path / "one", labels=("negative", "positive"))
    save_tiny(tmp_path / "two", labels=("positive", "negative"))
    return tmp_path / "one", tmp_path / "two"


def test_each_model_is_shown_alone_and_labels_are_matched_by_name(opposites):
    shown = run(*opposites)
    assert shown.returncode == 0, shown.stderr
    lines = [re.split(r" {2,}", line) for line in shown.stdout.splitlines()[1:]]
    one, two = map(str, opposites)
    assert sorted(models for *_, models in lines[:2]) == [one, two]
    validation = load_splits(DataOptions("sample")).datasets["validation"]
    model = okt_lstm.load(opposites[0], device="cpu")
    scores = model.evaluate(validation["text"][:], validation["label"][:])
    alone = {models: (float(loss), float(accuracy)) for loss, accuracy, models in lines}
    np.testing.assert_allclose(alone[one], (scores["loss"], scores["accuracy"]), atol=1e-4)
    assert alone[one][1] + alone[two][1] == pytest.approx(1, abs=2e-4)
    assert alone[f"{one}, {two}"][0] == pytest.approx(np.log(2), abs=1e-4)


def test_models_whose_folders_share_a_name_are_both_shown(tmp_path):
    shown = run(save_tiny(tmp_path / "a" / "teacher"), save_tiny(tmp_path / "b" / "teacher"))
    assert shown.returncode == 0, shown.stderr
    assert len(shown.stdout.splitlines()) == 1 + 2 + 1


def test_a_model_of_other_labels_is_refused_by_name(tmp_path):
    save_tiny(tmp_path / "three", labels=("good", "bad"))
    shown = run(tmp_path / "three")
    assert shown.returncode == 1
    assert "three has the labels ['good', 'bad'], but the data has ['negative', 'positive']" in shown.stderr
    assert "Traceback" not in shown.stderr
