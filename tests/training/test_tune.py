"""The search: what the user sets is fixed, the best trial is kept, and what was tried is written down."""

import pytest

import okt_lstm
from okt_lstm.training.tune_options import TuneOptions

pytest.importorskip("optuna")

from okt_lstm.training.tune import TRIALS_NAME, tune


@pytest.mark.parametrize(("time", "seconds"), [("90s", 90), ("10m", 600), ("1.5h", 5400), ("45", 45)])
def test_times_are_read(time, seconds):
    assert TuneOptions(time=time).seconds == seconds


@pytest.mark.parametrize("time", ["", "soon", "0m", "-5m", "5 days"])
def test_other_times_are_refused(time):
    with pytest.raises(ValueError, match="number and s, m or h"):
        TuneOptions(time=time)


def test_best_trial_is_left_as_train_would(tmp_path):
    given = {
        "dataset": "sample",
        "max_train_samples": 96,
        "max_eval_samples": 32,
        "max_predict_samples": 32,
        "hidden_size": 8,
        "embedding_size": 8,
        "min_frequency": 1,
        "num_train_epochs": 1,
        "disable_tqdm": True,
        "report_to": "none",
        "output_dir": str(tmp_path / "out"),
    }
    result = tune(given, TuneOptions(trials=2))
    assert okt_lstm.load(result.folder).model.config.hidden_size == 8
    tried = (result.folder / TRIALS_NAME).read_text(encoding="utf-8")
    assert tried.count("accuracy 0.") + tried.count("accuracy 1.") == 2
    assert "hidden_size" not in tried
    assert "test_accuracy" in result.metrics
