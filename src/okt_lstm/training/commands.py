"""The commands whose options are the fields of dataclasses: those that train something."""

import ast
from dataclasses import MISSING, Field, dataclass, fields
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_type_hints

from ..data.options import DataOptions, TableOptions
from ..data.tagging_options import SpacingDataOptions, TaggingDataOptions
from .encoder_options import EncoderModelOptions, EncoderSettings, EncoderTokenizerOptions, TeacherOptions
from .options import (
    ModelOptions,
    RecipeOptions,
    TokenizerOptions,
    TransferOptions,
    UnlabeledOptions,
    WordVectorOptions,
    WordVectorTokenizerOptions,
)
from .settings import PretrainSettings, TrainSettings
from .tagging_options import (
    SpacingModelOptions,
    SpacingSettings,
    TaggingModelOptions,
    TaggingSettings,
    TaggingTokenizerOptions,
    TaskOptions,
)
from .tune_options import TuneOptions


@dataclass(frozen=True)
class Command:
    """A command whose options are the fields of dataclasses.

    Attributes:
        name: The word after `okt-lstm`.
        summary: What it does, in a line.
        parts: The dataclasses.
        examples: Two ways to call it.
        is_training: Whether transformers' `TrainingArguments` are options, too.
        hidden: Fields that only `--help-all` shows, as the command seldom or never needs them.
    """

    name: str
    summary: str
    parts: tuple[type[Any], ...]
    examples: tuple[str, str]
    is_training: bool = True
    hidden: frozenset[str] = frozenset()

    @property
    def options(self) -> dict[str, Field[Any]]:
        """The options by name, without transformers' own."""
        return {field.name: field for part in self.parts for field in fields(part)}

    @property
    def types(self) -> dict[str, Any]:
        """The types of these options by name."""
        return {name: hint for part in self.parts for name, hint in get_type_hints(part).items()}

    @property
    def names(self) -> set[str]:
        """The names of all options."""
        return {*self.options, *(training_argument_names() if self.is_training else ())}

    @property
    def required(self) -> list[str]:
        """The options without a default."""
        return [
            name
            for name, field in self.options.items()
            if field.default is MISSING and field.default_factory is MISSING
        ]


TRAIN = Command(
    "train",
    "Train a text classifier, and leave it in a folder with its scores and a model card.",
    (
        TaskOptions,
        DataOptions,
        TokenizerOptions,
        ModelOptions,
        TransferOptions,
        UnlabeledOptions,
        RecipeOptions,
        TrainSettings,
    ),
    (
        "okt-lstm train --dataset reviews.csv --output_dir out",
        "okt-lstm train --recipe fast --unlabeled nsmc --output_dir out",
    ),
    hidden=frozenset({"sampled_softmax_size", "unlabeled_column", "max_unlabeled_samples"}),
)
PRETRAIN = Command(
    "pretrain",
    "Train a language model on unlabeled text, for `okt-lstm train --pretrained` to start from.",
    (UnlabeledOptions, TableOptions, TokenizerOptions, ModelOptions, PretrainSettings),
    (
        "okt-lstm pretrain --unlabeled texts.txt --subword bpe --output_dir lm",
        "okt-lstm pretrain --unlabeled nsmc --hidden_size 256 --embedding_size 256 --bf16 --output_dir lm",
    ),
    hidden=frozenset({"max_ngram", "num_buckets", "classifier_dropout", "pooling"}),
)
WORD_VECTORS = Command(
    "word-vectors",
    "Train word vectors on unlabeled text, for `okt-lstm train --embeddings` to start from.",
    (WordVectorOptions, UnlabeledOptions, TableOptions, WordVectorTokenizerOptions),
    (
        "okt-lstm word-vectors --unlabeled texts.txt --output vectors.safetensors",
        "okt-lstm word-vectors --unlabeled nsmc --subword bpe --output pieces.safetensors",
    ),
    is_training=False,
    hidden=frozenset({"max_length"}),
)
ENCODER = Command(
    "train-encoder",
    "Train a sentence encoder on unlabeled text, as the student of a larger one.",
    (
        TeacherOptions,
        UnlabeledOptions,
        TableOptions,
        EncoderTokenizerOptions,
        EncoderModelOptions,
        RecipeOptions,
        EncoderSettings,
    ),
    (
        "okt-lstm train-encoder --teacher intfloat/multilingual-e5-small --unlabeled t.txt --output_dir out",
        "okt-lstm train-encoder --recipe encoder --teacher e5 --unlabeled texts.txt --output_dir out",
    ),
    hidden=frozenset({"max_ngram", "num_buckets", "classifier_dropout", "sampled_softmax_size"}),
)
TUNE = Command(
    "tune",
    "Try networks of many sizes and settings within a time, and leave the best one as `train` would.",
    (DataOptions, TokenizerOptions, ModelOptions, TransferOptions, TuneOptions, TrainSettings),
    (
        "okt-lstm tune --dataset reviews.csv --time 10m --output_dir out",
        "okt-lstm tune --dataset reviews.csv --model_type gru --trials 20 --time 1h --output_dir out",
    ),
    hidden=frozenset({"sampled_softmax_size", "method"}),
)
_UNUSED_BY_TAGGERS = frozenset(
    {"max_ngram", "num_buckets", "sampled_softmax_size", "separate_directions", "pooling", "nonlinearity"}
)
TAGGING = Command(
    "train --task token-classification",
    "Train a tagger, which labels parts of texts, such as names.",
    (TaskOptions, TaggingDataOptions, TaggingTokenizerOptions, TaggingModelOptions, RecipeOptions, TaggingSettings),
    (
        "okt-lstm train --task token-classification --dataset names.jsonl --output_dir out",
        "okt-lstm train --task token-classification --dataset n.conll --test_file t.conll --output_dir out",
    ),
    hidden=_UNUSED_BY_TAGGERS,
)
SPACING = Command(
    "train --task spacing",
    "Train a tagger that restores the spaces of texts, from well-spaced texts.",
    (
        TaskOptions,
        SpacingDataOptions,
        TableOptions,
        TaggingTokenizerOptions,
        SpacingModelOptions,
        RecipeOptions,
        SpacingSettings,
    ),
    (
        "okt-lstm train --task spacing --dataset texts.txt --output_dir out",
        "okt-lstm train --task spacing --dataset news.csv --test_file test.csv --output_dir out",
    ),
    hidden=_UNUSED_BY_TAGGERS,
)
TASKS = {"text-classification": TRAIN, "token-classification": TAGGING, "spacing": SPACING}
COMMANDS = {command.name: command for command in (TRAIN, PRETRAIN, WORD_VECTORS, ENCODER, TAGGING, SPACING)}


# What stands in source files that take seconds to import


@cache
def training_argument_names() -> frozenset[str]:
    """Return the names of the fields of transformers' `TrainingArguments`."""
    return frozenset(_declared(_transformers() / "training_args.py")["TrainingArguments"])


def training_argument_values(name: str) -> list[str]:
    """Return the values that an option of transformers can have, if they have names; else nothing."""
    enumerations = {
        "optim": ("training_args.py", "OptimizerNames"),
        "lr_scheduler_type": ("trainer_utils.py", "SchedulerType"),
    }
    if name not in enumerations:
        return []
    file, enumeration = enumerations[name]
    classes = [node for node in _parse(_transformers() / file).body if isinstance(node, ast.ClassDef)]
    members = [item for node in classes if node.name == enumeration for item in node.body]
    return [_value(item.value) for item in members if isinstance(item, ast.Assign)]


def _transformers() -> Path:
    package = find_spec("transformers")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent


@cache
def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes())


def defaults(part: type[Any]) -> dict[str, Any]:
    """Return the defaults of a part's fields; those of the network are the configurations'."""
    found = {field.name: field.default for field in fields(part)}
    if part is ModelOptions:
        classes = _declared(Path(__file__).parents[1] / "models" / "configuration_lstm.py").values()
        declared = {name: value for fields_of_class in classes for name, value in fields_of_class.items()}
        found = {name: declared.get(name, default) for name, default in found.items()}
    return found


@cache
def _declared(path: Path) -> dict[str, dict[str, Any]]:
    """Read the annotated names of a source file's classes, with the defaults that are plain values."""
    classes = [node for node in _parse(path).body if isinstance(node, ast.ClassDef)]
    return {
        node.name: {
            item.target.id: _value(item.value)
            for item in node.body
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
        }
        for node in classes
    }


def _value(node: ast.expr | None) -> Any:
    """Return the value of an expression that is a plain value, else None."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        return _value(node.left) ** _value(node.right)
    return node.value if isinstance(node, ast.Constant) else None
