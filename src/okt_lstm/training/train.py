"""From a data set to a folder that holds a trained, evaluated and documented classifier."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow.compute as pc
import torch
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TrainerCallback,
    TrainerState,
    set_seed,
)
from transformers.trainer_utils import PredictionOutput, SchedulerType
from transformers.training_args import OptimizerNames
from transformers.utils import CONFIG_NAME

from ..data.options import DataOptions
from ..data.splits import DATA_ARGUMENTS_NAME, Splits, load_splits
from ..data.unlabeled import UnlabeledText, open_unlabeled
from ..data.vectors import read_vectors
from ..hub import LoadError, model_file
from ..models.configuration_lstm import ClassifierConfig, RecurrentConfig
from ..reports.metrics import LOWER_IS_BETTER, MAIN_METRIC, compute_metrics_for, decide
from ..reports.model_card import TrainedModel, build_model_card
from ..reports.plots import plot_confusion_matrix, plot_curves
from .distillation import DistillationTask, soft_labels
from .options import (
    ModelOptions,
    TokenizerOptions,
    TrainOptions,
    TransferOptions,
    UnlabeledOptions,
    parse_arguments,
)
from .output_folder import clear, find_checkpoint, refuse_overwrite, write_json
from .provenance import PRETRAINING_NAME, read_pretraining, short, with_transfer
from .trainer import RecurrentTrainer
from .word_vectors import FreezeEmbeddings, initialize

__all__ = ["TrainResult", "parse_arguments", "train"]

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


def train(
    model_args: ModelOptions,
    tokenizer_args: TokenizerOptions,
    data_args: DataOptions,
    training_args: TrainOptions,
    transfer_args: TransferOptions | None = None,
    unlabeled_args: UnlabeledOptions | None = None,
) -> TrainResult:
    """Train a classifier, test it, and leave it documented in `training_args.output_dir`.

    The vocabulary is built from the texts that are trained on, unless a pretrained model brings one. The best epoch is
    chosen on the validation split; the test split is read once, at the end. Ctrl-C saves a checkpoint before it ends
    the run. Under `torchrun` or `accelerate launch` every process calls this, and the first one writes.

    Args:
        model_args: The network.
        tokenizer_args: How texts become ids.
        data_args: The data set.
        training_args: Everything else.
        transfer_args: What the network starts from, and who teaches it; by default nothing and nobody.
        unlabeled_args: Text that teachers label.

    Returns:
        The folder and the figures.

    Raises:
        OSError: If the folder already holds a model, there is nothing to resume, or a file can't be read or written.
        ValueError: If the data can't be used, options contradict each other, or the checkpoint is of another model.
        KeyboardInterrupt: If the run was interrupted; the message says how to resume it.
    """
    transfer = transfer_args or TransferOptions()
    _check_transfer(transfer, model_args, training_args)
    unlabeled = _open_unlabeled(unlabeled_args or UnlabeledOptions(), transfer)
    folder = Path(training_args.output_dir)
    checkpoint = find_checkpoint(folder, training_args)
    if checkpoint is None:
        refuse_overwrite(folder, training_args)
    with training_args.main_process_first(desc="reading and tokenizing"):  # the others find what it cached
        splits = load_splits(data_args)
        lesson = DistillationTask(
            teachers=tuple(transfer.teacher),
            label_names=splits.label_names,
            problem_type=splits.problem_type,
            labeled=splits.datasets["train"],
            held_out=tuple(rows for name, rows in splits.datasets.items() if name != "train"),
            unlabeled=unlabeled,
            bf16=training_args.bf16,
        )
        tokenizer = _tokenizer(tokenizer_args, transfer, lesson)
        labeled_set, validation_set = (_tokenize(splits.datasets[name], tokenizer) for name in ("train", "validation"))
    config = _config(
        model_args,
        transfer,
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        problem_type=splits.problem_type,
        **_labels(splits),
    )
    if checkpoint is not None:
        _check_same_model(config, checkpoint)
    set_seed(training_args.seed)  # the initial weights follow
    model = _model(config, transfer)
    callbacks: list[TrainerCallback] = []
    coverage = None
    if transfer.embeddings:
        vectors = read_vectors(transfer.embeddings, tokenizer.get_vocab())
        ids = pc.list_flatten(labeled_set.with_format("arrow")[:]["input_ids"])
        counts = np.bincount(ids, minlength=len(tokenizer))
        coverage = initialize(model.model.embed_tokens, tokenizer, vectors, counts)
        if training_args.should_log:
            logger.warning(coverage)  # at the level that is shown: a low one says that the tokens are other ones
    if transfer.freeze_embeddings_epochs:
        callbacks.append(FreezeEmbeddings(transfer.freeze_embeddings_epochs))
    train_set = labeled_set
    if lesson.teachers:  # only now: they may take hours, and all else that was given is known to fit
        with training_args.main_process_first(desc="asking the teachers"):
            train_set = _tokenize(soft_labels(lesson, transfer.teacher_weight), tokenizer)
    if checkpoint is None and training_args.should_save:  # only now, when nothing can be found wrong any more
        clear(folder)
    if training_args.metric_for_best_model == "auto":
        training_args.metric_for_best_model = MAIN_METRIC[splits.problem_type]
        training_args.greater_is_better = training_args.metric_for_best_model not in LOWER_IS_BETTER

    trainer = RecurrentTrainer(
        model=model,
        args=training_args,
        train_dataset=train_set,
        eval_dataset=validation_set,
        processing_class=tokenizer,
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=compute_metrics_for(splits.problem_type),
        callbacks=callbacks,
    )
    trained = trainer.fit(checkpoint)

    history = list(trainer.state.log_history)  # before the best epoch is evaluated once more
    # The training loss and speed are those of training; the scores, of the model that is kept.
    metrics: dict[str, dict[str, float]] = {
        "train": trainer.evaluate(_some(labeled_set), metric_key_prefix="train") | trained.metrics,
        "eval": trainer.evaluate(),
    }
    tested = None
    if "test" in splits.datasets and training_args.do_predict:
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
                data=with_transfer(
                    splits.description, transfer, unlabeled, len(train_set) - len(labeled_set), coverage
                ),
                vocabulary=_vocabulary(transfer, unlabeled),
                recipe=_recipe(config, tokenizer_args, transfer, tokenizer, training_args, trainer.state),
                seconds=trained.metrics["train_runtime"],
                epochs=[_scores(entry, "eval") for entry in history if "eval_loss" in entry],
                results={_SPLIT_NAMES[name]: _scores(metrics[name], name) for name in metrics if name != "train"},
                pictures=_draw(folder, history, splits, tested),
            )
        )
        trainer.create_model_card()
        data_options = {name: value for name, value in asdict(data_args).items() if value is not None}
        write_json(folder / DATA_ARGUMENTS_NAME, data_options)
        if transfer.pretrained and (record := read_pretraining(transfer.pretrained)):
            write_json(folder / PRETRAINING_NAME, record)
    for name, figures in metrics.items():
        trainer.save_metrics(name, figures)
    trainer.save_state()
    trainer.save_model()  # and pushes it, if asked to
    return TrainResult(folder, {name: value for figures in metrics.values() for name, value in figures.items()})


_SPLIT_NAMES = {"eval": "validation", "test": "test"}  # Trainer's prefixes, and what the splits are called


def _check_transfer(transfer: TransferOptions, model_args: ModelOptions, training_args: TrainOptions) -> None:
    """Refuse options that would do nothing, or harm, and models that can't be found, before anything is read."""
    if transfer.teacher and training_args.label_smoothing_factor:
        raise ValueError("a --teacher's answers are smooth already: leave out --label_smoothing_factor")
    for option in ("embeddings", "freeze_embeddings_epochs"):
        if model_args.model_type == "ngram" and getattr(transfer, option):
            raise ValueError(f"a model of type ngram has no embeddings: leave out --{option}")
    if transfer.teacher_weight != 1 and not transfer.teacher:
        raise ValueError("--teacher_weight goes with --teacher: add that, or leave this out")
    if transfer.freeze_embeddings_epochs and not (transfer.embeddings or transfer.pretrained):
        raise ValueError(
            "--freeze_embeddings_epochs would keep random embeddings: it goes with --embeddings or --pretrained"
        )
    models = [("teacher", name) for name in transfer.teacher]
    models += [("pretrained", transfer.pretrained)] if transfer.pretrained else []
    for option, name in models:
        try:
            model_file(name, CONFIG_NAME, None, None)
        except LoadError as exception:
            raise LoadError(f"--{option}: {exception}") from None


def _open_unlabeled(args: UnlabeledOptions, transfer: TransferOptions) -> UnlabeledText | None:
    """The text that teachers label, if any."""
    if args.unlabeled is None:
        return None
    if not transfer.teacher:
        raise ValueError(
            "--unlabeled text is learned from a --teacher here; `okt-lstm embed` and `okt-lstm pretrain` learn from "
            "it without one"
        )
    return open_unlabeled(args.unlabeled, args.unlabeled_column, args.max_unlabeled_samples)


def _tokenizer(args: TokenizerOptions, transfer: TransferOptions, lesson: DistillationTask) -> PreTrainedTokenizerBase:
    """The pretrained model's tokenizer; else one whose vocabulary is built from the texts of the lesson."""
    if transfer.pretrained is None:
        return args.to_tokenizer().train_new_from_iterator(
            lesson.texts(), vocab_size=args.vocab_size, min_frequency=args.min_frequency
        )
    for option in fields(args):
        if option.name != "max_length" and getattr(args, option.name) != option.default:
            raise ValueError(f"a --pretrained model brings its tokenizer along: leave out --{option.name}")
    tokenizer = AutoTokenizer.from_pretrained(transfer.pretrained, trust_remote_code=False)
    tokenizer.model_max_length = args.max_length
    return tokenizer


# What a pretrained network has decided already.
_ARCHITECTURE = (
    "model_type",
    "embedding_size",
    "hidden_size",
    "num_hidden_layers",
    "bidirectional",
    "separate_directions",
    "nonlinearity",
)


def _config(args: ModelOptions, transfer: TransferOptions, **what_data_decides: Any) -> ClassifierConfig:
    if transfer.pretrained is None:
        return args.to_config(**what_data_decides)
    config = AutoConfig.from_pretrained(transfer.pretrained, trust_remote_code=False)
    if not isinstance(config, RecurrentConfig):
        raise ValueError(f"{transfer.pretrained} is a {config.model_type}, not a recurrent network of this package")
    architecture = {name: getattr(config, name) for name in _ARCHITECTURE if hasattr(config, name)}
    architecture["model_type"] = config.model_type.removeprefix("okt_")
    for option in fields(args):
        given = getattr(args, option.name)
        if given not in (option.default, architecture.get(option.name, given)):
            raise ValueError(
                f"{transfer.pretrained} has {option.name} {architecture[option.name]!r}, not {given!r}: leave out "
                f"--{option.name}"
            )
    return replace(args, **architecture).to_config(**what_data_decides)


def _model(config: ClassifierConfig, transfer: TransferOptions) -> PreTrainedModel:
    if transfer.pretrained is None:
        return AutoModelForSequenceClassification.from_config(config)
    model, loaded = AutoModelForSequenceClassification.from_pretrained(
        transfer.pretrained,
        config=config,
        dtype=torch.float32,  # whatever it is stored in
        use_safetensors=True,
        ignore_mismatched_sizes=True,
        output_loading_info=True,
    )
    lost = [name for name in loaded["missing_keys"] if not name.startswith("classifier.")]
    lost += [name for name, *_ in loaded["mismatched_keys"] if not name.startswith("classifier.")]
    if lost:
        raise ValueError(f"{transfer.pretrained} has other weights than its configuration says: {', '.join(lost)}")
    return model


def _some(rows: datasets.Dataset, most: int = 10_000) -> datasets.Dataset:
    """So many of the training rows that the model is measured on, too."""
    return rows.select(range(min(most, len(rows))))


def _tokenize(rows: datasets.Dataset, tokenizer: PreTrainedTokenizerBase) -> datasets.Dataset:
    """Replace the column `text` by `input_ids`."""
    return rows.map(_encode, batched=True, remove_columns="text", fn_kwargs={"tokenizer": tokenizer}, desc="Tokenizing")


def _encode(rows: Mapping[str, list[Any]], tokenizer: PreTrainedTokenizerBase) -> dict[str, list[Any]]:
    return {"input_ids": tokenizer(rows["text"], truncation=True, return_attention_mask=False)["input_ids"]}


def _labels(splits: Splits) -> dict[str, Any]:
    if splits.problem_type == "regression":
        return {"num_labels": 1}
    return {"id2label": dict(enumerate(splits.label_names))}


def _check_same_model(config: ClassifierConfig, checkpoint: str) -> None:
    """Refuse to resume a checkpoint of another model: its weights would not fit, or fit and mean something else."""
    saved = AutoConfig.from_pretrained(checkpoint)
    names = [field.name for field in fields(ModelOptions) if hasattr(config, field.name)]
    for name in (*names, "vocab_size", "id2label", "problem_type"):
        if getattr(config, name) != getattr(saved, name, None):
            raise ValueError(
                f"{checkpoint} has {name} {getattr(saved, name, None)!r}, but what is given now makes it "
                f"{getattr(config, name)!r}: resume with the options and the data of the interrupted run"
            )


def _scores(figures: Mapping[str, float], prefix: str) -> dict[str, float]:
    """Pick the epoch, the loss and the scores out of Trainer's figures, without their prefix."""
    scores = {name.removeprefix(f"{prefix}_"): value for name, value in figures.items()}
    passing = ("runtime", "samples_per_second", "steps_per_second", "step", "model_preparation_time")
    epoch = {"epoch": scores.pop("epoch")} if "epoch" in scores else {}  # first, as tables have it
    return epoch | {name: value for name, value in scores.items() if name not in passing}


def _vocabulary(transfer: TransferOptions, unlabeled: UnlabeledText | None) -> str:
    """What the vocabulary is, in a sentence."""
    if transfer.pretrained:
        return f"The vocabulary is that of `{short(transfer.pretrained)}`."
    texts = "the training rows alone" if unlabeled is None else "the training rows and the texts without labels"
    return f"The vocabulary was built from {texts}."


def _recipe(
    config: ClassifierConfig,
    tokenizer_args: TokenizerOptions,
    transfer: TransferOptions,
    tokenizer: PreTrainedTokenizerBase,
    args: TrainOptions,
    state: TrainerState,
) -> dict[str, Any]:
    """The hyper-parameters that a card lists."""
    model = {field.name: getattr(config, field.name) for field in fields(ModelOptions) if hasattr(config, field.name)}
    model.pop("sampled_softmax_size", None)  # which classifiers don't use
    options = asdict(tokenizer_args)
    if transfer.pretrained:  # it brought another tokenizer than the options would have made
        made = {name: getattr(tokenizer, name, None) for name in ("norm", "stem", "word_mark")}
        options = made | {"tokenizer_model": getattr(tokenizer, "model", None), "max_length": tokenizer_args.max_length}
    start = {
        "pretrained": transfer.pretrained and short(transfer.pretrained),
        "embeddings": transfer.embeddings and Path(transfer.embeddings).name,
        "freeze_embeddings_epochs": transfer.freeze_embeddings_epochs or None,
        "teacher": " ".join(map(short, transfer.teacher)) or None,
        "teacher_weight": transfer.teacher_weight if transfer.teacher else None,
    }
    tokenizer_options = options | {"tokens in the vocabulary": config.vocab_size}
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
    return {name: value for name, value in (model | tokenizer_options | start | training).items() if value is not None}


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
