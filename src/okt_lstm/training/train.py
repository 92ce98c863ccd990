"""From a data set to a folder that holds a trained, evaluated and documented classifier."""

import logging
from collections.abc import Callable

import datasets
import numpy as np
import pyarrow.compute as pc
from torch import Tensor
from transformers import DataCollatorWithPadding, PreTrainedModel, set_seed
from transformers.trainer_utils import PredictionOutput, TrainOutput

from oktane.problem_type import ProblemType

from ..data.vectors import read_vectors
from ..reports.metrics import LOWER_IS_BETTER, MAIN_METRIC, compute_metrics_for
from .auto.run import train_auto
from .class_weights import weighted_loss
from .distillation import soft_labels
from .document import document
from .embeddings import Coverage, FreezeEmbeddings, fill_embeddings
from .output_folder import start_run
from .parts import TrainParts
from .prepare import Prepared, prepare, tokenize
from .result import TrainResult
from .run_options import TrainOptions
from .trainer import RecurrentTrainer
from .transfer import make_model

logger = logging.getLogger(__name__)


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
    if options.transfer.method == "auto":
        return train_auto(options)
    prepared = prepare(options)
    model, coverage = initialize(options, prepared)
    # Only now: teachers may take hours, and all else that was given is known to fit.
    train_set = teach(options, prepared)
    # Only now, when nothing can be found wrong any more.
    if options.training.should_save:
        start_run(prepared.folder, resumed=prepared.checkpoint is not None)
    trainer, trained = fit(options, prepared, model, train_set)
    # Before the best epoch is evaluated once more.
    history = list(trainer.state.log_history)
    metrics, measured = measure(options, prepared, trainer, trained)
    if trainer.is_world_process_zero():
        num_taught = len(train_set) - len(prepared.train_set)
        trainer.card = document(options, prepared, trainer, history, metrics, measured, num_taught, coverage)
        trainer.create_model_card()
    for split, figures in metrics.items():
        trainer.save_metrics(split, figures)
    trainer.save_state()
    # This pushes the model, too, if that is asked for.
    trainer.save_model()
    all_figures = {name: value for figures in metrics.values() for name, value in figures.items()}
    return TrainResult(prepared.folder, all_figures)


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
    _choose_metric(options.training, MAIN_METRIC[problem_type])
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
        compute_loss_func=_loss(options, prepared),
    )
    return trainer, trainer.fit(prepared.checkpoint)


def measure(
    options: TrainParts, prepared: Prepared, trainer: RecurrentTrainer, trained: TrainOutput
) -> tuple[dict[str, dict[str, float]], PredictionOutput]:
    """Measure the model on all splits.

    Returns:
        Trainer's figures by its names of the splits (`train`, `eval`, `test`), and the predictions of the test split
        or, if there is none, of the validation split. The training loss and speed are those of training; the scores, of
        the model that is kept.
    """
    metrics: dict[str, dict[str, float]] = {
        "train": trainer.evaluate(_head(prepared.train_set), metric_key_prefix="train") | trained.metrics,
        "eval": trainer.evaluate(),
    }
    if "test" not in prepared.splits.datasets or not options.training.do_predict:
        return metrics, trainer.predict(prepared.validation_set, metric_key_prefix="eval")
    with options.training.main_process_first(desc="tokenizing the test split"):
        test_set = tokenize(prepared.splits.datasets["test"], prepared.tokenizer)
    tested = trainer.predict(test_set)
    metrics["test"] = tested.metrics or {}
    return metrics, tested


def _loss(options: TrainParts, prepared: Prepared) -> Callable[..., Tensor] | None:
    """Return the loss if it is not the model's own: the one in which rare classes weigh more."""
    if options.transfer.class_weights != "balanced":
        return None
    if prepared.splits.problem_type is not ProblemType.SINGLE_LABEL:
        raise ValueError("--class_weights balanced is for one class a text: leave it out")
    classes = np.asarray(prepared.train_set.with_format("numpy")["label"])
    return weighted_loss(classes, len(prepared.splits.label_names))


def _choose_metric(training: TrainOptions, main_metric: str) -> None:
    """Set the score that decides which epoch is best, where the data decide it."""
    if training.metric_for_best_model == "auto":
        training.metric_for_best_model = main_metric
        training.greater_is_better = main_metric not in LOWER_IS_BETTER


def _head(rows: datasets.Dataset, most: int = 10_000) -> datasets.Dataset:
    """Return the first rows: enough of the training set to measure the model on, too."""
    return rows.select(range(min(most, len(rows))))
