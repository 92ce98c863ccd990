"""Of validations with equal scores, the one with the lower loss is kept."""

from types import SimpleNamespace

import pytest
from transformers import TrainerState

from okt_lstm.training.trainer import RecurrentTrainer


def best_step(validations, score="accuracy"):
    trainer = RecurrentTrainer.__new__(RecurrentTrainer)
    trainer.state = TrainerState()
    trainer.args = SimpleNamespace(
        metric_for_best_model=score, greater_is_better=score != "loss", save_strategy="epoch"
    )
    for step, (accuracy, loss) in enumerate(validations, 1):
        metrics = {"eval_accuracy": accuracy, "eval_loss": loss}
        trainer.state.global_step = step
        trainer.state.log_history.append({**metrics, "step": step})
        trainer._determine_best_metric(metrics, None)
    return trainer.state.best_global_step


@pytest.mark.parametrize(
    ("validations", "best"),
    [
        ([(0.8, 0.9), (0.8, 0.5), (0.8, 0.7)], 2),
        ([(0.8, 0.5), (0.8, 0.9)], 1),
        ([(0.8, 0.5), (0.9, 0.9), (0.9, 0.8), (0.7, 0.1)], 3),
    ],
)
def test_lower_loss_breaks_a_tie(validations, best):
    assert best_step(validations) == best


def test_loss_as_score_needs_no_tie_break():
    assert best_step([(0.1, 0.9), (0.2, 0.5), (0.3, 0.5)], score="loss") == 2
