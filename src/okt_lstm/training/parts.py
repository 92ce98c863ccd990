"""From options by name to the dataclasses that a command works with.

Example:
    >>> from okt_lstm.training.parts import TrainParts, build
    >>> from okt_lstm.training.train import train
    >>> train(build(TrainParts, {"dataset": "sample", "output_dir": "out", "hidden_size": 32}))
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, NamedTuple, TypeVar, get_type_hints

from ..data.options import DataOptions, TableOptions
from ..data.tagging_options import SpacingDataOptions, TaggingDataOptions
from .encoder_options import EncoderModelOptions, EncoderTokenizerOptions, TeacherOptions
from .options import (
    ModelOptions,
    TokenizerOptions,
    TransferOptions,
    UnlabeledOptions,
    WordVectorOptions,
    WordVectorTokenizerOptions,
)
from .run_options import EncoderOptions, PretrainOptions, SpacingOptions, TaggingOptions, TrainOptions
from .tagging_options import SpacingModelOptions, TaggingModelOptions, TaggingTokenizerOptions
from .values import typed


class TrainParts(NamedTuple):
    """The options of a training run."""

    model: ModelOptions
    tokenizer: TokenizerOptions
    data: DataOptions
    training: TrainOptions
    transfer: TransferOptions
    unlabeled: UnlabeledOptions


class PretrainParts(NamedTuple):
    """The options of a pretraining run."""

    model: ModelOptions
    tokenizer: TokenizerOptions
    unlabeled: UnlabeledOptions
    tables: TableOptions
    training: PretrainOptions


class WordVectorParts(NamedTuple):
    """The options of a training of word vectors."""

    vectors: WordVectorOptions
    unlabeled: UnlabeledOptions
    tables: TableOptions
    tokenizer: WordVectorTokenizerOptions


class EncoderParts(NamedTuple):
    """The options of a training of a sentence encoder."""

    teacher: TeacherOptions
    unlabeled: UnlabeledOptions
    tables: TableOptions
    tokenizer: EncoderTokenizerOptions
    model: EncoderModelOptions
    training: EncoderOptions


class TaggingParts(NamedTuple):
    """The options of a training of a tagger."""

    data: TaggingDataOptions
    tokenizer: TaggingTokenizerOptions
    model: TaggingModelOptions
    training: TaggingOptions


class SpacingParts(NamedTuple):
    """The options of a training of a tagger that restores spaces."""

    data: SpacingDataOptions
    tables: TableOptions
    tokenizer: TaggingTokenizerOptions
    model: SpacingModelOptions
    training: SpacingOptions


_Parts = TypeVar("_Parts", TrainParts, PretrainParts, WordVectorParts, EncoderParts, TaggingParts, SpacingParts)


def build(parts: type[_Parts], options: Mapping[str, Any]) -> _Parts:
    """Make the parts of a command from options by name. Options that are not given keep their defaults.

    Args:
        parts: `TrainParts` or one of the other classes here.
        options: The options: fields of the parts' dataclasses, such as `{"hidden_size": 32, "output_dir": "out"}`.

    Raises:
        ValueError: If an option is unknown, has a wrong type, is out of range, or contradicts another.
    """
    left = dict(options)
    made = {}
    for name, part in get_type_hints(parts).items():
        given = {field.name: left.pop(field.name) for field in fields(part) if field.name in left}
        made[name] = part(**typed(given, get_type_hints(part)))
    if left:
        raise ValueError(f"unknown option{'s' if len(left) > 1 else ''} {', '.join(map(repr, left))}")
    return parts(**made)
