"""The options of a training run, from flags and from a YAML or JSON file: one small dataclass for each part of it."""

import argparse
import difflib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeAlias, cast, get_args

import torch
import yaml
from huggingface_hub.errors import StrictDataclassError
from transformers import HfArgumentParser, TrainingArguments
from transformers.hf_argparser import DataClassType
from transformers.trainer_utils import HubStrategy, IntervalStrategy, SaveStrategy, SchedulerType
from transformers.training_args import OptimizerNames

from ..data.options import DataOptions
from ..models.configuration_lstm import ClassifierConfig, GRUConfig, LSTMConfig, NgramConfig, RNNConfig
from ..models.tokenization_okt import OktTokenizer
from ..reports.metrics import LOWER_IS_BETTER

logger = logging.getLogger(__name__)

_CONFIGS: dict[str, type[ClassifierConfig]] = {
    "lstm": LSTMConfig,
    "gru": GRUConfig,
    "rnn": RNNConfig,
    "ngram": NgramConfig,
}


@dataclass
class ModelOptions:
    """What network to train; the fields are those of `LSTMConfig` and its siblings. Each is a flag."""

    _argument_group_name = "the model"

    model_type: Literal["lstm", "gru", "rnn", "ngram"] = field(
        default="lstm", metadata={"help": "kind of recurrent cell, or ngram: a linear model over n-grams of tokens"}
    )
    embedding_size: int = field(default=128, metadata={"help": "width of a token's embedding"})
    hidden_size: int = field(default=64, metadata={"help": "units of a layer, per direction"})
    num_hidden_layers: int = field(default=2, metadata={"help": "stacked recurrent layers"})
    bidirectional: bool = field(default=True, metadata={"help": "read each text from both ends"})
    separate_directions: bool = field(
        default=False, metadata={"help": "make each direction a stack of its own, as a language model needs it"}
    )
    pooling: Literal["last", "mean", "max", "max_mean", "max_mean_last"] = field(
        default="last", metadata={"help": "how a text's states become one vector"}
    )
    nonlinearity: Literal["tanh", "relu"] | None = field(
        default=None, metadata={"help": "activation of the cell; for --model_type rnn only (default there: tanh)"}
    )
    embedding_dropout: float = field(default=0.0, metadata={"help": "dropout of the embeddings"})
    hidden_dropout: float = field(default=0.5, metadata={"help": "dropout between layers"})
    classifier_dropout: float = field(default=0.5, metadata={"help": "dropout before the classifier"})
    sampled_softmax_size: int = field(
        default=2048, metadata={"help": "tokens of a language model's softmax in training; 0: all"}
    )
    max_ngram: int | None = field(
        default=None, metadata={"help": "longest n-gram, in tokens; for --model_type ngram only (default there: 4)"}
    )
    num_buckets: int | None = field(
        default=None, metadata={"help": "weights of a label; for --model_type ngram only (default there: 4194304)"}
    )

    def __post_init__(self) -> None:
        """Checks the options at once, not when the texts have been tokenized."""
        self.to_config()

    def to_config(self, **what_data_decides: Any) -> ClassifierConfig:
        """Make the model's configuration.

        Args:
            **what_data_decides: Further fields, such as `vocab_size` and `id2label`.

        Raises:
            ValueError: If options are out of range or contradict each other.
        """
        config_class = _CONFIGS.get(self.model_type)
        if config_class is None:
            raise ValueError(f"model_type is {self.model_type!r}; it can be {', '.join(_CONFIGS)}")
        options = asdict(self)
        del options["model_type"]
        for option in fields(self)[1:]:
            fitting = [name for name, config in _CONFIGS.items() if option.name in config.__dataclass_fields__]
            if self.model_type not in fitting and options[option.name] != option.default:
                raise ValueError(f"{option.name} goes with --model_type {' or '.join(fitting)}, not {self.model_type}")
            if self.model_type not in fitting or options[option.name] is None:
                del options[option.name]
        try:
            return config_class(**options, **what_data_decides)
        except StrictDataclassError as error:
            raise ValueError(str(error.__cause__ or error)) from error


@dataclass
class TokenizerOptions:
    """How texts become ids. Each field is a flag."""

    _argument_group_name = "the tokenizer"

    norm: bool = field(default=False, metadata={"help": "let Okt normalize typical misspellings first"})
    stem: bool = field(default=False, metadata={"help": "let Okt reduce verbs and adjectives to their stems"})
    tokenizer_model: Literal["word", "bpe"] = field(
        default="word", metadata={"help": "whole morphemes, or BPE inside morphemes, which knows every word"}
    )
    word_mark: str | None = field(
        default=None,
        metadata={"help": "mark of pieces that begin a word, such as '▁', so that decoding restores spaces"},
    )
    vocab_size: int = field(default=20000, metadata={"help": "most tokens that the vocabulary may hold"})
    min_frequency: int = field(default=2, metadata={"help": "leave out tokens that are rarer among the training rows"})
    max_length: int = field(default=128, metadata={"help": "cut texts after this many tokens"})
    user_dictionary: str | None = field(
        default=None,
        metadata={"help": "file of words for Okt, on each line a word, a tab and its part of speech"},
    )

    def __post_init__(self) -> None:
        """Checks the ranges."""
        for name in ("vocab_size", "min_frequency", "max_length"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it has to be 1 or more")

    def to_tokenizer(self) -> OktTokenizer:
        """Make the tokenizer, without a vocabulary yet: see `OktTokenizer.train_new_from_iterator`.

        Raises:
            OSError: If the user dictionary can't be read.
            ValueError: If the word mark or the user dictionary can't be used.
        """
        return OktTokenizer(
            norm=self.norm,
            stem=self.stem,
            model=self.tokenizer_model,
            word_mark=self.word_mark,
            user_dictionary=self.user_dictionary,
            model_max_length=self.max_length,
        )


@dataclass
class UnlabeledOptions:
    """Text without labels. Each field is a flag."""

    _argument_group_name = "text without labels"

    unlabeled: str | None = field(
        default=None,
        metadata={
            "help": "a txt file, one text a line, or a tsv, csv, jsonl or parquet file, perhaps compressed (.gz, .bz2, "
            ".xz); or 'nsmc': that corpus's raw reviews"
        },
    )
    unlabeled_column: str | None = field(default=None, metadata={"help": "its column of texts; by default guessed"})
    max_unlabeled_samples: int | None = field(default=None, metadata={"help": "read only this many texts"})

    def __post_init__(self) -> None:
        """Checks the ranges, and that there is text that the options are for."""
        for option in ("unlabeled_column", "max_unlabeled_samples"):
            if self.unlabeled is None and getattr(self, option) is not None:
                raise ValueError(f"--{option} goes with --unlabeled: add that, or leave this out")
        if self.max_unlabeled_samples is not None and self.max_unlabeled_samples < 1:
            raise ValueError(f"max_unlabeled_samples is {self.max_unlabeled_samples}; it has to be 1 or more")


@dataclass
class TransferOptions:
    """What a classifier starts from, and who teaches it. Each field is a flag."""

    _argument_group_name = "what the model starts from, and its teachers"

    pretrained: str | None = field(
        default=None,
        metadata={
            "help": "a folder of `okt-lstm pretrain`, or any model of this package: its network, but for the "
            "classifier, and its tokenizer"
        },
    )
    embeddings: str | None = field(
        default=None,
        metadata={"help": "word vectors to start from: word2vec text or binary, fastText, or safetensors"},
    )
    freeze_embeddings_epochs: int = field(
        default=0,
        metadata={"help": "leave the --embeddings, or those of the --pretrained model, as they are for so many epochs"},
    )
    teacher: list[str] = field(
        default_factory=list,
        metadata={
            "help": "folders or Hub ids of classifiers with the same labels, whose probabilities, averaged, the model "
            "learns; --unlabeled gives them more texts"
        },
    )
    teacher_weight: float = field(
        default=1.0, metadata={"help": "the teachers' share of the answer for texts that have a label of their own"}
    )

    def __post_init__(self) -> None:
        """Checks the options against each other."""
        if self.freeze_embeddings_epochs < 0:
            raise ValueError(f"freeze_embeddings_epochs is {self.freeze_embeddings_epochs}; it has to be 0 or more")
        if not 0 <= self.teacher_weight <= 1:
            raise ValueError(f"teacher_weight is {self.teacher_weight}; it has to be between 0 and 1")
        if self.pretrained and self.embeddings:
            raise ValueError("a --pretrained model brings its embeddings along: leave out --embeddings")


@dataclass
class BaseRunOptions(TrainingArguments):
    """transformers' `TrainingArguments` with this package's defaults, for any kind of run."""

    output_dir: str = field(metadata={"help": "the folder where the model goes"})
    lr_scheduler_type: SchedulerType | str = field(default="linear", metadata={"help": "how the learning rate changes"})
    per_device_train_batch_size: int = field(default=128, metadata={"help": "rows of a batch, on each device"})
    per_device_eval_batch_size: int = field(default=256, metadata={"help": "rows of a batch in evaluation"})
    num_train_epochs: float = field(default=3, metadata={"help": "passes over the training rows"})
    train_sampling_strategy: str = field(
        default="group_by_length",
        metadata={
            "help": "order of the rows; group_by_length wastes least on padding",
            "choices": ["random", "sequential", "group_by_length", "batch_rebalance"],
        },
    )
    eval_strategy: IntervalStrategy | str = field(
        default="epoch", metadata={"help": "when to validate: no, steps or epoch"}
    )
    save_strategy: SaveStrategy | str = field(
        default="epoch", metadata={"help": "when to save a checkpoint: no, steps, epoch or best"}
    )
    save_total_limit: int | None = field(default=2, metadata={"help": "checkpoints to keep; the best is always kept"})
    load_best_model_at_end: bool = field(default=True, metadata={"help": "keep the epoch that validates best"})
    logging_steps: float = field(default=0.02, metadata={"help": "steps between logs, or below 1 their share of all"})
    report_to: None | str | list[str] = field(  # noqa: RUF036  # HfArgumentParser takes the types in this order only
        default=None,
        metadata={"help": "what else to log to, such as tensorboard (default: that, where installed) or none"},
    )
    hub_strategy: HubStrategy | str = field(
        default="end", metadata={"help": "what --push_to_hub pushes: end, the finished model"}
    )
    ddp_find_unused_parameters: bool | None = field(
        default=False, metadata={"help": "look for weights without a gradient; these models have none"}
    )
    resume_from_checkpoint: str | None = field(
        default=None,
        metadata={
            "help": "go on with an interrupted run: a checkpoint's folder, or nothing for the newest",
            "nargs": "?",
            "const": "true",
        },
    )
    overwrite_output_dir: bool = field(
        default=False,
        metadata={"help": "delete the model and the checkpoints that output_dir holds from an earlier run"},
    )
    early_stopping_patience: int | None = field(
        default=None, metadata={"help": "stop when this many validations in a row were not the best"}
    )
    license: str = field(default="apache-2.0", metadata={"help": "license of the weights, for the model card"})

    def __post_init__(self) -> None:
        """Fills in what depends on the installation and on other options, and checks them."""
        if self.report_to is None:
            self.report_to = "tensorboard" if find_spec("tensorboard") else "none"
        if self.greater_is_better is None and self.metric_for_best_model is not None:
            self.greater_is_better = self.metric_for_best_model.removeprefix("eval_") not in LOWER_IS_BETTER
        if not torch.accelerator.is_available():
            self.use_cpu = True  # unless told so, several processes on CPUs would not know of each other
        if self.bf16 and self.use_cpu and not _cpu_mixes_bfloat16():
            logger.warning(
                "This processor can't run LSTMs in bfloat16 (on x86 that takes AVX-512): the run goes on in float32, "
                "which takes longer."
            )
            self.bf16 = False
        super().__post_init__()
        if self.push_to_hub and self.hub_strategy != HubStrategy.END:
            raise ValueError("any hub_strategy but 'end' pushes checkpoints, which hold pickles; leave it out")


@cache
def _cpu_mixes_bfloat16() -> bool:
    """Whether the CPU runs LSTMs in mixed precision. Where it doesn't, PyTorch fails at the first batch."""
    try:
        with torch.autocast("cpu", torch.bfloat16):
            torch.nn.LSTM(1, 1)(torch.zeros(1, 1, 1))
    except RuntimeError:
        return False
    return True


@dataclass
class TrainOptions(BaseRunOptions):
    """How a classifier is trained: `BaseRunOptions` with the classic recipe's defaults, and options of fine-tuning."""

    _argument_group_name = "the training"

    optim: OptimizerNames | str = field(default="rmsprop", metadata={"help": "the optimizer"})
    learning_rate: float = field(default=1e-3, metadata={"help": "the (first) learning rate"})
    metric_for_best_model: str | None = field(
        default="auto",
        metadata={"help": "score that decides; auto: accuracy, for several labels f1_macro, for numbers mse"},
    )
    do_predict: bool = field(default=True, metadata={"help": "measure the finished model on the test split"})


@dataclass
class PretrainOptions(BaseRunOptions):
    """How a language model is trained: `BaseRunOptions` with defaults that suit it."""

    _argument_group_name = "the training"

    optim: OptimizerNames | str = field(default="adamw_torch_fused", metadata={"help": "the optimizer"})
    learning_rate: float = field(default=2e-3, metadata={"help": "the highest learning rate"})
    lr_scheduler_type: SchedulerType | str = field(default="cosine", metadata={"help": "how the learning rate changes"})
    warmup_steps: float = field(default=500, metadata={"help": "steps in which the learning rate grows"})
    adam_beta2: float = field(default=0.98, metadata={"help": "decay of Adam's mean of squared gradients"})
    per_device_eval_batch_size: int = field(default=64, metadata={"help": "rows of a batch in evaluation"})
    metric_for_best_model: str | None = field(default="loss", metadata={"help": "score that decides"})
    max_eval_samples: int = field(
        default=3000, metadata={"help": "texts that the model is measured on (at most a tenth of all)"}
    )

    def __post_init__(self) -> None:
        """Checks the range, and what every run checks."""
        super().__post_init__()
        if self.max_eval_samples < 1:
            raise ValueError(f"max_eval_samples is {self.max_eval_samples}; it has to be 1 or more")


Arguments: TypeAlias = tuple[
    ModelOptions, TokenizerOptions, DataOptions, TrainOptions, TransferOptions, UnlabeledOptions
]


def parse_arguments(argv: Sequence[str]) -> Arguments:
    """Read the options of a training run.

    Args:
        argv: Flags, without the program's name; see `parse`.

    Returns:
        The options of the model, the tokenizer, the data, the training, the transfer and the unlabeled text.
    """
    description = (
        "Train a text classifier for Korean, and leave it evaluated and documented in a folder. "
        "--recipe NAME takes a recipe of this package (classic, fast, best, release) or a YAML file of one, to which "
        "the options below are added; --stages_dir FOLDER keeps the results of its stages."
    )
    return cast(Arguments, parse(argv, get_args(Arguments), "okt-lstm train", description))


PretrainingParts: TypeAlias = tuple[ModelOptions, TokenizerOptions, UnlabeledOptions, PretrainOptions]


def parse_pretraining_arguments(argv: Sequence[str]) -> PretrainingParts:
    """Read the options of a pretraining run; see `parse_arguments`."""
    description = "Train a language model on text without labels; --pretrained of `okt-lstm train` starts from it."
    return cast(PretrainingParts, parse(argv, get_args(PretrainingParts), "okt-lstm pretrain", description))


def parse(argv: Sequence[str], parts: Sequence[type], prog: str, description: str, **defaults: Any) -> tuple[Any, ...]:
    """Read the options of a command.

    Args:
        argv: Flags, without the program's name. `--config FILE` names a YAML or JSON file of options by name; flags
            win over it.
        parts: Dataclasses whose fields are the options.
        prog: What the command is called.
        description: What it does.
        **defaults: Defaults that are not those of the dataclasses.

    Returns:
        An instance of each dataclass.

    Raises:
        OSError: If the configuration file can't be read.
        ValueError: If it isn't a table of known options, or if options contradict each other.
        SystemExit: For `--help`, and for unknown flags or values of the wrong type, as in argparse.
    """
    parser = _Parser([DataClassType(part) for part in parts], prog=prog, description=description, allow_abbrev=False)
    parser.set_defaults(**defaults)
    parser.add_argument("--config", metavar="FILE", help="YAML or JSON file of options by name; flags win over it")
    *arguments, _, unknown = parser.parse_args_into_dataclasses(
        _with_file(argv, parser), return_remaining_strings=True, look_for_args_file=False
    )
    if unknown:
        parser.error(f"unknown option {unknown[0]}{_suggestion(unknown[0].split('=')[0], parser)}")
    return tuple(arguments)


def given_options(argv: Sequence[str], parts: Sequence[type]) -> dict[str, Any]:
    """The options that flags, or the file that `--config` names, give; not the defaults of the others.

    Args:
        argv: Flags; those that are no option of the parts are left out.
        parts: Dataclasses whose fields are the options.

    Raises:
        OSError: If the configuration file can't be read.
        ValueError: If it isn't a table of known options.
    """
    parser = _Parser([DataClassType(part) for part in parts], add_help=False, allow_abbrev=False)
    parser.add_argument("--config")
    for action in parser._actions:
        action.default = argparse.SUPPRESS
    options, _ = parser.parse_known_args(_with_file(argv, parser))
    return {name: value for name, value in vars(options).items() if name != "config"}


def to_flags(options: Mapping[str, Any]) -> list[str]:
    """Write options by name as flags; None leaves the default."""
    flags = []
    for name, value in options.items():
        if isinstance(value, list | tuple):
            flags += [f"--{name}", *map(str, value)]
        elif value is not None:
            flags.append(f"--{name}={json.dumps(value) if isinstance(value, dict) else value}")
    return flags


class _Parser(HfArgumentParser):
    """An argument parser whose errors don't drown in a usage of two hundred options."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\nAll options: {self.prog} --help\n")


def _with_file(argv: Sequence[str], parser: HfArgumentParser) -> list[str]:
    """The flags, and before them, so that they win, those of the file that `--config` names."""
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    finder.add_argument("--config", type=Path)
    path = finder.parse_known_args(argv)[0].config
    if path is None:
        return list(argv)
    table = read_table(path)
    for name in table:
        if f"--{name}" not in parser._option_string_actions or name in ("help", "config"):
            raise ValueError(f"{path}: unknown option {name!r}{_suggestion(f'--{name}', parser)}")
    return [*to_flags(table), *argv]


def read_table(path: Path) -> dict[str, Any]:
    """Read a YAML or JSON file of names and values.

    Raises:
        OSError: If it can't be read.
        ValueError: If it holds something else.
    """
    try:
        # JSON is YAML, but for numbers such as 1e-3, which the flags' own parsing puts right.
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not valid YAML or JSON: {error}") from error
    if not isinstance(table, dict) or not all(isinstance(name, str) for name in table):
        raise ValueError(f"{path}: must be a table of names and values, such as `learning_rate: 0.001`")
    return table


def _suggestion(flag: str, parser: HfArgumentParser) -> str:
    close = difflib.get_close_matches(flag, parser._option_string_actions, n=1)
    return f"; did you mean {close[0]}?" if close else ""
