"""What a training run leaves for people: the model card, its figures as data, and the pictures."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from huggingface_hub import ModelCard
from transformers.trainer_utils import PredictionOutput

from oktane.problem_type import ProblemType

from ..atomic import write_json
from ..data.options import DATA_ARGUMENTS_NAME
from ..data.splits import Splits
from ..reports.metrics import MAIN_METRIC
from ..reports.model_card import build_model_card
from ..reports.per_class import one_class_warnings, scores_by_class
from ..reports.plots import plot_confusion_matrix, plot_curves
from ..reports.quoting import code_span
from ..reports.trained_model import CARD_NAME, TrainedModel, describe, examples_for
from .embeddings import Coverage
from .options import ModelOptions
from .parts import TrainParts
from .prepare import Prepared
from .provenance import PRETRAINING_NAME, display_name, read_pretraining, with_transfer
from .trainer import RecurrentTrainer

logger = logging.getLogger(__name__)

# Trainer's prefixes, and what the splits are called.
_SPLIT_NAMES = {"eval": "validation", "test": "test"}


def document(
    options: TrainParts,
    prepared: Prepared,
    trainer: RecurrentTrainer,
    history: Sequence[Mapping[str, float]],
    metrics: Mapping[str, Mapping[str, float]],
    measured: PredictionOutput,
    num_taught: int,
    coverage: Coverage | None,
) -> ModelCard:
    """Write the card, the pictures, and the records that later commands read.

    Args:
        options: The run's options.
        prepared: Its data, tokenizer and configuration.
        trainer: What trained it.
        history: What Trainer logged.
        metrics: Its figures by `train`, `eval` and `test`.
        measured: The predictions of the last split that was measured.
        num_taught: How many texts without labels the teachers labeled.
        coverage: How much of the vocabulary the word vectors cover, if there are any.

    Returns:
        The card, which pushing the model writes again.
    """
    folder, splits, transfer = prepared.folder, prepared.splits, options.transfer
    config, num_parameters = prepared.config, trainer.model.num_parameters()
    # The first file of a finished run has to be one that nothing else writes.
    data_options = {name: value for name, value in asdict(options.data).items() if value is not None}
    write_json(folder / DATA_ARGUMENTS_NAME, data_options)
    classes, warnings = _by_class(splits, measured)
    for warning in warnings:
        logger.warning(warning)
    model = TrainedModel(
        name=options.training.hub_model_id or folder.resolve().name,
        license=options.training.license,
        description=describe(config, num_parameters, splits.problem_type, splits.label_names),
        model_type=config.model_type.removeprefix("okt_"),
        examples=examples_for(config),
        problem_type=splits.problem_type,
        max_length=prepared.tokenizer.model_max_length,
        data=with_transfer(splits.description, transfer, prepared.task.unlabeled, num_taught, coverage),
        vocabulary=_vocabulary(options, is_taught=prepared.task.unlabeled is not None),
        hyperparameters=hyperparameters(options, prepared, trainer),
        seconds=metrics["train"]["train_runtime"],
        epochs=[_scores(entry, "eval") for entry in history if "eval_loss" in entry],
        results={_SPLIT_NAMES[split]: _scores(metrics[split], split) for split in metrics if split != "train"},
        pictures=_draw(folder, history, splits, measured if "test" in metrics else None),
        classes=classes,
        warnings=warnings,
    )
    write_json(folder / CARD_NAME, model.to_json())
    if transfer.pretrained and (record := read_pretraining(transfer.pretrained)):
        write_json(folder / PRETRAINING_NAME, record)
    return build_model_card(model)


def hyperparameters(options: TrainParts, prepared: Prepared, trainer: RecurrentTrainer) -> dict[str, Any]:
    """Return the hyper-parameters that a card lists, by name."""
    config, transfer, training = prepared.config, options.transfer, options.training
    model = {field.name: getattr(config, field.name) for field in fields(ModelOptions) if hasattr(config, field.name)}
    # Classifiers don't use it.
    model.pop("sampled_softmax_size", None)
    tokenizer = options.tokenizer.for_card()
    if transfer.pretrained:
        # It brought another tokenizer than the options would have made.
        made = {name: getattr(prepared.tokenizer, name, None) for name in ("norm", "stem", "subword", "word_mark")}
        tokenizer = made | {"max_length": options.tokenizer.max_length}
    start = {
        "pretrained": transfer.pretrained and display_name(transfer.pretrained),
        "embeddings": transfer.embeddings and Path(transfer.embeddings).name,
        "freeze_embeddings_epochs": transfer.freeze_embeddings_epochs or None,
        "teacher": " ".join(map(display_name, transfer.teacher)) or None,
        "teacher_weight": transfer.teacher_weight if transfer.teacher else None,
    }
    run = {
        **training.for_card(),
        "max_grad_norm": training.max_grad_norm,
        "weight_decay": training.weight_decay,
        "label_smoothing_factor": training.label_smoothing_factor,
        "train_sampling_strategy": training.train_sampling_strategy,
        "seed": training.seed,
        "best step": trainer.state.best_global_step if training.load_best_model_at_end else None,
    }
    everything = model | tokenizer | {"tokens in the vocabulary": config.vocab_size} | start | run
    return {name: value for name, value in everything.items() if value is not None}


def _by_class(splits: Splits, measured: PredictionOutput) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the figures of each class, and a warning if the model gives every row the same class."""
    if splits.problem_type is ProblemType.REGRESSION:
        return [], []
    predictions = splits.problem_type.logits_to_labels(np.asarray(measured.predictions))
    references = np.asarray(measured.label_ids)
    return scores_by_class(references, predictions, splits.label_names), one_class_warnings(
        predictions, splits.label_names
    )


def _vocabulary(options: TrainParts, *, is_taught: bool) -> str:
    """Say in a sentence where the vocabulary comes from."""
    if options.transfer.pretrained:
        return f"The vocabulary is that of {code_span(display_name(options.transfer.pretrained))}."
    texts = "the training rows and the unlabeled texts" if is_taught else "the training rows alone"
    return f"The vocabulary was built from {texts}."


def _scores(figures: Mapping[str, float], prefix: str) -> dict[str, float]:
    """Return the epoch, the loss and the scores of Trainer's figures, without their prefix."""
    scores = {name.removeprefix(f"{prefix}_"): value for name, value in figures.items()}
    passing = ("runtime", "samples_per_second", "steps_per_second", "step", "model_preparation_time")
    # First, as tables have it.
    epoch = {"epoch": scores.pop("epoch")} if "epoch" in scores else {}
    return epoch | {name: value for name, value in scores.items() if name not in passing}


def _draw(
    folder: Path, history: Sequence[Mapping[str, float]], splits: Splits, tested: PredictionOutput | None
) -> dict[str, str]:
    """Draw the pictures, and return their titles by file name."""
    pictures = {"curves.png": "Loss and score by epoch"}
    plot_curves(history, folder / "curves.png", MAIN_METRIC[splits.problem_type])
    if tested is not None and splits.problem_type is ProblemType.SINGLE_LABEL:
        pictures["confusion_matrix.png"] = "Confusion matrix of the test split"
        predictions = splits.problem_type.logits_to_labels(np.asarray(tested.predictions))
        references = np.asarray(tested.label_ids)
        plot_confusion_matrix(references, predictions, splits.label_names, folder / "confusion_matrix.png")
    return pictures
