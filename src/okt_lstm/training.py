"""From a data set to a folder that holds a trained, evaluated and documented classifier."""

import json
import logging
import shutil
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import FrameType
from typing import Any

import datasets
import numpy as np
import pyarrow.compute as pc
import torch
from huggingface_hub import ModelCard
from torch.utils.data import Sampler
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    DataCollatorWithPadding,
    EarlyStoppingCallback,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from transformers.trainer import TRAINER_STATE_NAME, TRAINING_ARGS_NAME
from transformers.trainer_pt_utils import LengthGroupedSampler
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR, PredictionOutput, SchedulerType, get_last_checkpoint
from transformers.training_args import OptimizerNames

from .arguments import ModelArguments, TokenizerArguments, TrainArguments, parse_arguments
from .configuration_lstm import RecurrentConfig
from .data import DATA_ARGUMENTS_NAME, DataArguments, Splits, load_splits
from .metrics import LOWER_IS_BETTER, MAIN_METRIC, compute_metrics_for, decide
from .model_card import TrainedModel, build_model_card
from .optimization import RowwiseRMSprop
from .report import plot_confusion_matrix, plot_curves

__all__ = ["TrainResult", "parse_arguments", "train"]

logger = logging.getLogger(__name__)

# What a run leaves beside its checkpoints; a folder that holds any of these is not overwritten unasked.
_OUTPUT_FILES = (
    "config.json",
    "model.safetensors",
    "README.md",
    DATA_ARGUMENTS_NAME,
    TRAINER_STATE_NAME,
    *(f"{name}_results.json" for name in ("train", "eval", "test", "all")),
    "curves.png",
    "confusion_matrix.png",
)


@dataclass(frozen=True)
class TrainResult:
    """What a training run leaves.

    Attributes:
        folder: The trained model with its tokenizer, code, results, pictures and card.
        metrics: Trainer's figures: `train_...`, `eval_...` (validation) and, where there is a test split, `test_...`.
    """

    folder: Path
    metrics: Mapping[str, float]


def train(
    model_args: ModelArguments,
    tokenizer_args: TokenizerArguments,
    data_args: DataArguments,
    training_args: TrainArguments,
) -> TrainResult:
    """Train a classifier, test it, and leave it documented in `training_args.output_dir`.

    The vocabulary is built from the training rows alone. The best epoch is chosen on the validation split; the test
    split is read once, at the end. Ctrl-C saves a checkpoint before it ends the run. Under `torchrun` or
    `accelerate launch` every process calls this, and the first one writes.

    Args:
        model_args: The network.
        tokenizer_args: How texts become ids.
        data_args: The data set.
        training_args: Everything else.

    Returns:
        The folder and the figures.

    Raises:
        OSError: If the folder already holds a model, there is nothing to resume, or a file can't be read or written.
        ValueError: If the data can't be used, options contradict each other, or the checkpoint is of another model.
        KeyboardInterrupt: If the run was interrupted; the message says how to resume it.
    """
    folder = Path(training_args.output_dir)
    checkpoint = _find_checkpoint(folder, training_args)
    if checkpoint is None:
        _check_free(folder, training_args)
    with training_args.main_process_first(desc="reading and tokenizing"):  # the others find what it cached
        splits = load_splits(data_args)
        tokenizer = _train_tokenizer(tokenizer_args, splits.datasets["train"])
        train_set, validation_set = (_tokenize(splits.datasets[name], tokenizer) for name in ("train", "validation"))
    config = model_args.to_config(
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        problem_type=splits.problem_type,
        **_labels(splits),
    )
    if checkpoint is not None:
        _check_same_model(config, checkpoint)
    elif training_args.should_save:  # only now, when nothing that was given can be found wrong any more
        for path in _earlier_run(folder):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if training_args.metric_for_best_model == "auto":
        training_args.metric_for_best_model = MAIN_METRIC[splits.problem_type]
        training_args.greater_is_better = training_args.metric_for_best_model not in LOWER_IS_BETTER

    set_seed(training_args.seed)  # the initial weights follow
    interruption = _SaveOnInterrupt()
    model = AutoModelForSequenceClassification.from_config(config)
    trainer = _Trainer(
        model=model,
        args=training_args,
        train_dataset=train_set,
        eval_dataset=validation_set,
        processing_class=tokenizer,
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=compute_metrics_for(splits.problem_type),
        callbacks=[interruption],
    )
    if training_args.early_stopping_patience is not None:
        trainer.add_callback(EarlyStoppingCallback(training_args.early_stopping_patience))
    with interruption.listening(training_args):
        trained = trainer.train(resume_from_checkpoint=checkpoint)
    if interruption.happened:
        raise KeyboardInterrupt(f"stopped at step {trainer.state.global_step}; --resume_from_checkpoint goes on")

    history = list(trainer.state.log_history)  # before the best epoch is evaluated once more
    # The training loss and speed are those of training; the scores, of the model that is kept.
    metrics: dict[str, dict[str, float]] = {
        "train": trainer.evaluate(train_set, metric_key_prefix="train") | trained.metrics,
        "eval": trainer.evaluate(),
    }
    tested = None
    if "test" in splits.datasets:
        with training_args.main_process_first(desc="tokenizing the test split"):
            test_set = _tokenize(splits.datasets["test"], tokenizer)
        tested = trainer.predict(test_set)
        metrics["test"] = tested.metrics or {}
    if trainer.is_world_process_zero():
        trainer.card = build_model_card(
            TrainedModel(
                name=training_args.hub_model_id or folder.resolve().name,
                license=training_args.license,
                config=config,
                problem_type=splits.problem_type,
                labels=splits.label_names,
                num_parameters=model.num_parameters(),
                tokenizer=tokenizer,
                data=splits.description,
                recipe=_recipe(config, tokenizer_args, training_args, trainer.state),
                seconds=trained.metrics["train_runtime"],
                epochs=[_scores(entry, "eval") for entry in history if "eval_loss" in entry],
                results={_SPLIT_NAMES[name]: _scores(metrics[name], name) for name in metrics if name != "train"},
                pictures=_draw(folder, history, splits, tested),
            )
        )
        trainer.create_model_card()
        data_options = {name: value for name, value in asdict(data_args).items() if value is not None}
        _write_json(folder / DATA_ARGUMENTS_NAME, data_options)
    for name, figures in metrics.items():
        trainer.save_metrics(name, figures)
    trainer.save_state()
    trainer.save_model()  # and pushes it, if asked to
    return TrainResult(folder, {name: value for figures in metrics.values() for name, value in figures.items()})


_SPLIT_NAMES = {"eval": "validation", "test": "test"}  # Trainer's prefixes, and what the splits are called


def _find_checkpoint(folder: Path, args: TrainArguments) -> str | None:
    """The checkpoint that the run resumes; None for a new run."""
    resume = str(args.resume_from_checkpoint or "false")
    if resume.lower() == "false":
        return None
    newest = resume.lower() == "true"
    checkpoint = (get_last_checkpoint(str(folder)) if folder.is_dir() else None) if newest else resume
    if checkpoint is None or not (Path(checkpoint) / TRAINER_STATE_NAME).is_file():
        raise FileNotFoundError(f"there is no checkpoint to resume in {folder if newest else resume}")
    return checkpoint


def _check_free(folder: Path, args: TrainArguments) -> None:
    """Refuse to overwrite an earlier run unasked."""
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; --output_dir must name a folder")
    earlier = _earlier_run(folder)
    if earlier and not args.overwrite_output_dir:
        raise FileExistsError(
            f"{folder} holds an earlier run ({earlier[0].name}): go on with it by --resume_from_checkpoint, delete it "
            "by --overwrite_output_dir, or name another --output_dir"
        )


def _earlier_run(folder: Path) -> list[Path]:
    """The files and checkpoints that an earlier run left in the folder."""
    paths = [*folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*"), *(folder / name for name in _OUTPUT_FILES)]
    return [path for path in paths if path.exists()]


def _train_tokenizer(args: TokenizerArguments, rows: datasets.Dataset) -> PreTrainedTokenizerBase:
    """Build the vocabulary."""
    texts = (text for batch in rows.select_columns("text").iter(batch_size=1000) for text in batch["text"])
    return args.to_tokenizer().train_new_from_iterator(
        texts, vocab_size=args.vocab_size, min_frequency=args.min_frequency, length=len(rows)
    )


def _tokenize(rows: datasets.Dataset, tokenizer: PreTrainedTokenizerBase) -> datasets.Dataset:
    """Replace the column `text` by `input_ids`."""
    return rows.map(_encode, batched=True, remove_columns="text", fn_kwargs={"tokenizer": tokenizer}, desc="Tokenizing")


def _encode(rows: Mapping[str, list[Any]], tokenizer: PreTrainedTokenizerBase) -> dict[str, list[Any]]:
    return {"input_ids": tokenizer(rows["text"], truncation=True, return_attention_mask=False)["input_ids"]}


def _labels(splits: Splits) -> dict[str, Any]:
    if splits.problem_type == "regression":
        return {"num_labels": 1}
    return {"id2label": dict(enumerate(splits.label_names))}


def _check_same_model(config: RecurrentConfig, checkpoint: str) -> None:
    """Refuse to resume a checkpoint of another model: its weights would not fit, or fit and mean something else."""
    saved = AutoConfig.from_pretrained(checkpoint)
    names = [field.name for field in fields(ModelArguments) if hasattr(config, field.name)]
    for name in (*names, "vocab_size", "id2label", "problem_type"):
        if getattr(config, name) != getattr(saved, name, None):
            raise ValueError(
                f"{checkpoint} has {name} {getattr(saved, name, None)!r}, but what is given now makes it "
                f"{getattr(config, name)!r}: resume with the options and the data of the interrupted run"
            )


class _Trainer(Trainer):
    """Trainer, with batches that are cheap to group and can be resumed, our card, and no pickle in the final folder."""

    args: TrainArguments
    card: ModelCard | None = None

    @staticmethod
    def get_optimizer_cls_and_kwargs(args: TrainingArguments, model: PreTrainedModel | None = None) -> tuple[Any, Any]:
        """Choose the optimizer; on a CPU, where most of RMSprop's time goes to idle words, one that spares them."""
        optimizer_class, options = Trainer.get_optimizer_cls_and_kwargs(args, model)
        if optimizer_class is torch.optim.RMSprop and args.device.type == "cpu":
            optimizer_class = RowwiseRMSprop
        return optimizer_class, options

    def _get_train_sampler(self, train_dataset: datasets.Dataset | None = None) -> Sampler[int] | None:
        rows = self.train_dataset if train_dataset is None else train_dataset
        batch_size = self.args.train_batch_size * self.args.gradient_accumulation_steps
        return self._sampler(rows, batch_size) or super()._get_train_sampler(train_dataset)

    def _get_eval_sampler(self, eval_dataset: datasets.Dataset) -> Sampler[int] | None:
        return self._sampler(eval_dataset, self.args.eval_batch_size) or super()._get_eval_sampler(eval_dataset)

    def _sampler(self, rows: datasets.Dataset, batch_size: int) -> Sampler[int] | None:
        if self.args.train_sampling_strategy != "group_by_length":
            return None
        # Trainer's way to the lengths decodes every row, which takes as long as a good part of an epoch.
        input_ids = rows.with_format("arrow")[:]["input_ids"]
        return _LengthGroupedSampler(batch_size, pc.list_value_length(input_ids).to_pylist(), self.args.seed)

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        folder = Path(self.args.output_dir)
        if not self.args.should_save or (output_dir is not None and Path(output_dir) != folder):
            super()._save(output_dir, state_dict)
            return
        temporary = folder / "_saving"
        super()._save(str(temporary), state_dict)
        (temporary / TRAINING_ARGS_NAME).unlink()
        for file in temporary.iterdir():
            file.replace(folder / file.name)
        temporary.rmdir()

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Evaluate, and leave the random numbers as they were: even the order of batches that is fixed draws some."""
        with torch.random.fork_rng(devices=[]):
            return super().evaluate(*args, **kwargs)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Write our card in place of Trainer's draft; pushing calls this as well."""
        if self.card is not None:
            path = Path(self.args.output_dir) / "README.md"
            self.card.save(path.with_name(".README.md.tmp"))
            path.with_name(".README.md.tmp").replace(path)


class _LengthGroupedSampler(LengthGroupedSampler):
    """Trainer's sampler of rows of like length, with an order that follows from the seed and the epoch alone.

    So an epoch that is resumed halfway goes on in the order it began with.

    Args:
        batch_size: Rows of a batch.
        lengths: Number of tokens of each row.
        seed: Seed of the first epoch's order.
    """

    def __init__(self, batch_size: int, lengths: list[int], seed: int) -> None:
        super().__init__(batch_size, lengths=lengths, generator=torch.Generator())
        self.seed = seed
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Begin an epoch; the data loader calls this."""
        self.generator.manual_seed(self.seed + epoch)


class _SaveOnInterrupt(TrainerCallback):
    """Lets Ctrl-C save a checkpoint after the current step and end the run; a second Ctrl-C ends it at once."""

    def __init__(self) -> None:
        self.happened = False

    @contextmanager
    def listening(self, args: TrainArguments) -> Iterator[None]:
        """Take over Ctrl-C. Not with several processes, which would stop at different steps and wait for each other."""
        if args.world_size > 1 or threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = signal.signal(signal.SIGINT, self._handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, previous)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        logger.warning("Interrupted: saving a checkpoint; Ctrl-C again stops at once")
        self.happened = True

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if self.happened:
            control.should_save = control.should_training_stop = True
            control.should_evaluate = False

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self.happened:  # the checkpoint was saved at the end of the step
            control.should_save = control.should_evaluate = False


def _scores(figures: Mapping[str, float], prefix: str) -> dict[str, float]:
    """Pick the epoch, the loss and the scores out of Trainer's figures, without their prefix."""
    scores = {name.removeprefix(f"{prefix}_"): value for name, value in figures.items()}
    passing = ("runtime", "samples_per_second", "steps_per_second", "step", "model_preparation_time")
    epoch = {"epoch": scores.pop("epoch")} if "epoch" in scores else {}  # first, as tables have it
    return epoch | {name: value for name, value in scores.items() if name not in passing}


def _recipe(
    config: RecurrentConfig, tokenizer_args: TokenizerArguments, args: TrainArguments, state: TrainerState
) -> dict[str, Any]:
    """The hyper-parameters that a card lists."""
    model = {field.name: getattr(config, field.name) for field in fields(ModelArguments) if hasattr(config, field.name)}
    tokenizer = asdict(tokenizer_args) | {"tokens in the vocabulary": config.vocab_size}
    training = {
        "optimizer": OptimizerNames(args.optim).value,
        "learning_rate": args.learning_rate,
        "lr_scheduler_type": SchedulerType(args.lr_scheduler_type).value,
        "warmup_steps": args.warmup_steps,
        "batch_size": args.train_batch_size * args.gradient_accumulation_steps * args.world_size,
        "num_train_epochs": args.num_train_epochs,
        "max_grad_norm": args.max_grad_norm,
        "weight_decay": args.weight_decay,
        "label_smoothing_factor": args.label_smoothing_factor,
        "train_sampling_strategy": args.train_sampling_strategy,
        "seed": args.seed,
        "best step": state.best_global_step if args.load_best_model_at_end else None,
    }
    return {name: value for name, value in (model | tokenizer | training).items() if value is not None}


def _draw(
    folder: Path, history: list[dict[str, float]], splits: Splits, tested: PredictionOutput | None
) -> dict[str, str]:
    """Draw the pictures, and give their titles by file name."""
    pictures = {"curves.png": "Loss and score by epoch"}
    plot_curves(history, folder / "curves.png", MAIN_METRIC[splits.problem_type])
    if tested is not None and splits.problem_type == "single_label_classification":
        pictures["confusion_matrix.png"] = "Confusion matrix of the test split"
        predictions = decide(np.asarray(tested.predictions), splits.problem_type)
        references = np.asarray(tested.label_ids)
        plot_confusion_matrix(references, predictions, splits.label_names, folder / "confusion_matrix.png")
    return pictures


def _write_json(path: Path, content: Any) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)
