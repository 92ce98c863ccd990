"""From a data set to a folder that holds a trained, evaluated and documented classifier."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow.compute as pc
from transformers import (
    AutoConfig,
    DataCollatorWithPadding,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    set_seed,
)
from transformers.trainer_utils import PredictionOutput, TrainOutput

from ..data.problem_type import LOWER_IS_BETTER, ProblemType
from ..data.splits import Splits, load_splits
from ..data.unlabeled import UnlabeledText
from ..data.vectors import read_vectors
from ..models.configuration_lstm import ClassifierConfig
from ..reports.metrics import compute_metrics_for
from .distillation import DistillationTask, soft_labels
from .document import document
from .embeddings import Coverage, FreezeEmbeddings, fill_embeddings
from .options import ModelOptions
from .output_folder import delete_run_files, find_checkpoint, refuse_overwrite
from .parts import TrainParts
from .run_options import TrainOptions
from .trainer import RecurrentTrainer
from .transfer import check_transfer, choose_config, choose_tokenizer, make_model

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainResult:
    """What a training run leaves.

    Attributes:
        folder: The trained model with its tokenizer, code, results, pictures and card.
        metrics: Trainer's figures: `train_...`, `eval_...` (validation) and, where there is a test split, `test_...`.
    """

    folder: Path
    metrics: Mapping[str, float]


def train(options: TrainParts) -> TrainResult:
    """Train a classifier, test it, and leave it documented in `options.training.output_dir`.

    The vocabulary is built from the training texts, unless a pretrained model brings one. The best epoch is chosen on
    the validation split; the test split is read once, at the end. Ctrl-C saves a checkpoint before it ends the run.
    Under `torchrun` or `accelerate launch` every process calls this, and the first one writes.

    Args:
        options: What to train, on what, and how; see `okt_lstm.training.parts.build`.

    Returns:
        The folder and the figures.

    Raises:
        OSError: If the folder already holds a model, there is nothing to resume, or a file can't be read or written.
        ValueError: If the data can't be used, options contradict each other, or the checkpoint is of another model.
        KeyboardInterrupt: If the run was interrupted; the message says how to resume it.
    """
    prepared = prepare(options)
    model, coverage = initialize(options, prepared)
    # Only now: teachers may take hours, and all else that was given is known to fit.
    train_set = teach(options, prepared)
    # Only now, when nothing can be found wrong any more.
    if prepared.checkpoint is None and options.training.should_save:
        delete_run_files(prepared.folder)
    trainer, trained = fit(options, prepared, model, train_set)
    # Before the best epoch is evaluated once more.
    history = list(trainer.state.log_history)
    metrics, tested = measure(options, prepared, trainer, trained)
    if trainer.is_world_process_zero():
        num_taught = len(train_set) - len(prepared.train_set)
        trainer.card = document(options, prepared, trainer, history, metrics, tested, num_taught, coverage)
        trainer.create_model_card()
    for split, figures in metrics.items():
        trainer.save_metrics(split, figures)
    trainer.save_state()
    # This pushes the model, too, if that is asked for.
    trainer.save_model()
    all_figures = {name: value for figures in metrics.values() for name, value in figures.items()}
    return TrainResult(prepared.folder, all_figures)


@dataclass(frozen=True)
class Prepared:
    """What is known before anything is trained.

    Attributes:
        folder: Where the model goes.
        checkpoint: The checkpoint to continue from; None for a new run.
        splits: The data.
        task: What the teachers, if there are any, are to label.
        tokenizer: The tokenizer, with its vocabulary.
        train_set: The training rows as `input_ids` and `label`.
        validation_set: The validation rows.
        config: The model's configuration.
    """

    folder: Path
    checkpoint: str | None
    splits: Splits
    task: DistillationTask
    tokenizer: PreTrainedTokenizerBase
    train_set: datasets.Dataset
    validation_set: datasets.Dataset
    config: ClassifierConfig


def prepare(options: TrainParts) -> Prepared:
    """Read the data, build the tokenizer, tokenize, and check all that can be checked without a model."""
    check_transfer(options.transfer, options.model, options.training)
    unlabeled = _open_unlabeled(options)
    folder = Path(options.training.output_dir)
    checkpoint = find_checkpoint(folder, options.training)
    if checkpoint is None:
        refuse_overwrite(folder, overwrite=options.training.overwrite_output_dir)
    # The other processes find what the first one has cached.
    with options.training.main_process_first(desc="reading and tokenizing"):
        splits = load_splits(options.data)
        task = DistillationTask(
            teachers=tuple(options.transfer.teacher),
            label_names=splits.label_names,
            problem_type=splits.problem_type,
            labeled=splits.datasets["train"],
            held_out=tuple(rows for name, rows in splits.datasets.items() if name != "train"),
            unlabeled=unlabeled,
            bf16=options.training.bf16,
        )
        tokenizer = choose_tokenizer(options.tokenizer, options.transfer, task.texts())
        train_set, validation_set = (tokenize(splits.datasets[name], tokenizer) for name in ("train", "validation"))
    config = choose_config(
        options.model,
        options.transfer,
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        problem_type=splits.problem_type.value,
        **_labels(splits),
    )
    if checkpoint is not None:
        _check_same_model(config, checkpoint)
    return Prepared(folder, checkpoint, splits, task, tokenizer, train_set, validation_set, config)


def initialize(options: TrainParts, prepared: Prepared) -> tuple[PreTrainedModel, Coverage | None]:
    """Return the model before training, and how much of its vocabulary the word vectors cover, if there are any."""
    # The initial weights follow from the seed.
    set_seed(options.training.seed)
    model = make_model(prepared.config, options.transfer)
    if not options.transfer.embeddings:
        return model, None
    vectors = read_vectors(options.transfer.embeddings, prepared.tokenizer.get_vocab())
    ids = pc.list_flatten(prepared.train_set.with_format("arrow")[:]["input_ids"])
    counts = np.bincount(ids, minlength=len(prepared.tokenizer))
    coverage = fill_embeddings(model.model.embed_tokens, prepared.tokenizer, vectors, counts)
    # A low coverage says that the vectors were made of other tokens.
    if options.training.should_log:
        logger.info(coverage)
    return model, coverage


def teach(options: TrainParts, prepared: Prepared) -> datasets.Dataset:
    """Return the rows to train on: with the teachers' predictions as labels, if there are teachers."""
    if not prepared.task.teachers:
        return prepared.train_set
    with options.training.main_process_first(desc="teachers' predictions"):
        return tokenize(soft_labels(prepared.task, options.transfer.teacher_weight), prepared.tokenizer)


def fit(
    options: TrainParts, prepared: Prepared, model: PreTrainedModel, train_set: datasets.Dataset
) -> tuple[RecurrentTrainer, TrainOutput]:
    """Train the model. The trainer then holds the epoch that is kept."""
    problem_type = prepared.splits.problem_type
    _choose_metric(options.training, problem_type.main_metric)
    frozen_epochs = options.transfer.freeze_embeddings_epochs
    trainer = RecurrentTrainer(
        model=model,
        args=options.training,
        train_dataset=train_set,
        eval_dataset=prepared.validation_set,
        processing_class=prepared.tokenizer,
        data_collator=DataCollatorWithPadding(prepared.tokenizer),
        compute_metrics=compute_metrics_for(problem_type),
        callbacks=[FreezeEmbeddings(frozen_epochs)] if frozen_epochs else [],
    )
    return trainer, trainer.fit(prepared.checkpoint)


def measure(
    options: TrainParts, prepared: Prepared, trainer: RecurrentTrainer, trained: TrainOutput
) -> tuple[dict[str, dict[str, float]], PredictionOutput | None]:
    """Measure the model on all splits.

    Returns:
        Trainer's figures by its names of the splits (`train`, `eval`, `test`), and the predictions of the test split,
        if there is one. The training loss and speed are those of training; the scores, of the model that is kept.
    """
    metrics: dict[str, dict[str, float]] = {
        "train": trainer.evaluate(_head(prepared.train_set), metric_key_prefix="train") | trained.metrics,
        "eval": trainer.evaluate(),
    }
    if "test" not in prepared.splits.datasets or not options.training.do_predict:
        return metrics, None
    with options.training.main_process_first(desc="tokenizing the test split"):
        test_set = tokenize(prepared.splits.datasets["test"], prepared.tokenizer)
    tested = trainer.predict(test_set)
    metrics["test"] = tested.metrics or {}
    return metrics, tested


def tokenize(rows: datasets.Dataset, tokenizer: PreTrainedTokenizerBase) -> datasets.Dataset:
    """Return the rows with `input_ids` in place of `text`."""
    return rows.map(_encode, batched=True, remove_columns="text", fn_kwargs={"tokenizer": tokenizer}, desc="Tokenizing")


def _encode(rows: Mapping[str, list[Any]], tokenizer: PreTrainedTokenizerBase) -> dict[str, list[Any]]:
    return {"input_ids": tokenizer(rows["text"], truncation=True, return_attention_mask=False)["input_ids"]}


def _open_unlabeled(options: TrainParts) -> UnlabeledText | None:
    """Return the text that teachers label, if any."""
    if options.unlabeled.unlabeled is None:
        return None
    if not options.transfer.teacher:
        raise ValueError(
            "--unlabeled text is learned from a --teacher here; `okt-lstm word-vectors` and `okt-lstm pretrain` learn "
            "from it without one"
        )
    return options.unlabeled.open("a student")


def _choose_metric(training: TrainOptions, main_metric: str) -> None:
    """Set the score that decides which epoch is best, where the data decide it."""
    if training.metric_for_best_model == "auto":
        training.metric_for_best_model = main_metric
        training.greater_is_better = main_metric not in LOWER_IS_BETTER


def _head(rows: datasets.Dataset, most: int = 10_000) -> datasets.Dataset:
    """Return the first rows: enough of the training set to measure the model on, too."""
    return rows.select(range(min(most, len(rows))))


def _labels(splits: Splits) -> dict[str, Any]:
    if splits.problem_type is ProblemType.REGRESSION:
        return {"num_labels": 1}
    return {"id2label": dict(enumerate(splits.label_names))}


def _check_same_model(config: ClassifierConfig, checkpoint: str) -> None:
    """Refuse to resume a checkpoint of another model: its weights would not fit, or fit and mean something else."""
    saved = AutoConfig.from_pretrained(checkpoint)
    names = [field.name for field in fields(ModelOptions) if hasattr(config, field.name)]
    for name in (*names, "vocab_size", "id2label", "problem_type"):
        if getattr(config, name) != getattr(saved, name, None):
            raise ValueError(
                f"{checkpoint} has {name} {getattr(saved, name, None)!r}, but the options and data now give "
                f"{getattr(config, name)!r}: resume with the options and the data of the interrupted run"
            )
