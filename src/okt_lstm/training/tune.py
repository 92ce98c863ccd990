"""Search for a network within a time budget, with optuna, and train the best one as `train` would."""

import logging
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna

from oktane.problem_type import ProblemType

from ..atomic import write_text
from ..reports.metrics import LOWER_IS_BETTER, MAIN_METRIC
from ..reports.model_card import table
from .output_folder import refuse_overwrite
from .parts import TrainParts, build
from .result import TrainResult
from .train import train
from .tune_options import TuneOptions

logger = logging.getLogger(__name__)

TRIALS_NAME = "trials.md"
"""The file of a trained folder that says what was tried."""

# What a trial chooses, unless the user has. Sizes are such that a trial takes minutes on two cores.
_SPACE: dict[str, Callable[[optuna.Trial], Any]] = {
    "hidden_size": lambda trial: trial.suggest_categorical("hidden_size", [32, 64, 128]),
    "embedding_size": lambda trial: trial.suggest_categorical("embedding_size", [64, 128, 192]),
    "num_hidden_layers": lambda trial: trial.suggest_int("num_hidden_layers", 1, 2),
    "pooling": lambda trial: trial.suggest_categorical("pooling", ["last", "max", "max_mean", "max_mean_last"]),
    "embedding_dropout": lambda trial: trial.suggest_float("embedding_dropout", 0.0, 0.4),
    "hidden_dropout": lambda trial: trial.suggest_float("hidden_dropout", 0.0, 0.6),
    "classifier_dropout": lambda trial: trial.suggest_float("classifier_dropout", 0.0, 0.6),
    "subword": lambda trial: trial.suggest_categorical("subword", ["none", "bpe"]),
    "vocab_size": lambda trial: trial.suggest_categorical("vocab_size", [2500, 8000, 20000]),
    "learning_rate": lambda trial: trial.suggest_float("learning_rate", 5e-4, 5e-3, log=True),
}
# What a pretrained network has decided already.
_DECIDED = frozenset({"hidden_size", "embedding_size", "num_hidden_layers", "subword", "vocab_size", "pooling"})
# What all trials have, unless the user has chosen.
_FIXED = {
    "optim": "adamw_torch_fused",
    "num_train_epochs": 20,
    "early_stopping_patience": 3,
    "per_device_train_batch_size": 64,
}


def tune(given: Mapping[str, Any], search: TuneOptions) -> TrainResult:
    """Search, and leave the best network in the output folder, as `train` leaves one, with a list of what was tried.

    Every trial validates on the same rows. The test split is read once, by the network that is kept.

    Args:
        given: Options of `okt-lstm train` by name. What they choose is the same in all trials.
        search: How long to search.

    Raises:
        OSError: As `train`.
        ValueError: As `train`.
    """
    refuse_overwrite(Path(given["output_dir"]), overwrite=given.get("overwrite_output_dir", False))
    free = [name for name in _SPACE if name not in given and not ("pretrained" in given and name in _DECIDED)]
    fixed: dict[str, Any] = _FIXED | dict(given)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=fixed.get("seed", 42)))

    def run(trial: optuna.Trial) -> float:
        chosen = {name: _SPACE[name](trial) for name in free}
        if chosen.get("num_hidden_layers") == 1:
            # There is nothing between layers to drop out.
            chosen.pop("hidden_dropout", None)
        with tempfile.TemporaryDirectory() as folder:
            own = {"output_dir": folder, "overwrite_output_dir": True, "do_predict": False, "push_to_hub": False}
            figures = train(build(TrainParts, fixed | chosen | own)).metrics
        metric = _main_metric(figures)
        score = figures[f"eval_{metric}"]
        trial.set_user_attr("options", chosen)
        trial.set_user_attr("score", (metric, score))
        logger.info(f"Trial {trial.number + 1}: {metric} {score:.4f} with {_words(chosen)}.")
        return score if metric in LOWER_IS_BETTER else -score

    study.optimize(run, n_trials=search.trials, timeout=search.seconds)
    best = study.best_trial.user_attrs["options"]
    logger.info(f"Best of {len(study.trials)} trials: {_words(best)}. Training it once more, for the test.")
    result = train(build(TrainParts, fixed | best))
    write_text(result.folder / TRIALS_NAME, _trials(study))
    return result


def _main_metric(figures: Mapping[str, float]) -> str:
    """Return the score by which trials are compared. Only several labels a text have a micro F1 beside the macro F1."""
    if "eval_mse" in figures:
        return MAIN_METRIC[ProblemType.REGRESSION]
    is_multi_label = "eval_f1_micro" in figures
    return MAIN_METRIC[ProblemType.MULTI_LABEL if is_multi_label else ProblemType.SINGLE_LABEL]


def _words(options: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in options.items()
    )


def _trials(study: optuna.Study) -> str:
    rows = []
    for trial in sorted(study.trials, key=lambda trial: trial.value or 0.0):
        metric, score = trial.user_attrs["score"]
        seconds = trial.duration.total_seconds() if trial.duration else 0.0
        rows.append(
            [str(trial.number + 1), f"{metric} {score:.4f}", f"{seconds:.0f}", _words(trial.user_attrs["options"])]
        )
    return table(["trial", "on the validation split", "seconds", "options"], rows) + "\n"
