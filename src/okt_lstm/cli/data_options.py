"""The options that say which data a command reads, and how: fields of `DataOptions`."""

import argparse
from collections.abc import Iterable
from typing import Any, get_type_hints

from ..data.options import READING_OPTIONS, DataOptions
from ..training.parsing import CommandParser
from ..training.values import typed


def add_data_options(group: Any, names: Iterable[str] = READING_OPTIONS) -> None:
    """Add options to a parser or a group of one.

    Args:
        group: The parser or group.
        names: The names of the options.
    """
    types = get_type_hints(DataOptions)
    for name in names:
        metadata = DataOptions.__dataclass_fields__[name].metadata
        if types[name] is bool:
            group.add_argument(f"--{name}", action="store_true", default=None, help=metadata["help"])
        else:
            value_type = types[name] if types[name] in (int, float) else str
            group.add_argument(f"--{name}", metavar=metadata.get("metavar"), help=metadata["help"], type=value_type)


def given_options(options: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of `DataOptions` that a command line gives."""
    return {
        name: value for name in DataOptions.__dataclass_fields__ if (value := getattr(options, name, None)) is not None
    }


def table_parser(command: str, summary: str, examples: tuple[str, str]) -> CommandParser:
    """Return a parser for a command that reads one data set, which is its only positional word."""
    parser = CommandParser(f"okt-lstm {command}", summary, examples, "FILE [options]")
    parser.add_argument(
        "dataset", nargs="?", metavar="FILE", help=DataOptions.__dataclass_fields__["dataset"].metadata["help"]
    )
    # As in `train`.
    parser.add_argument("--dataset", dest="named_dataset", help=argparse.SUPPRESS)
    return parser


def parse_table(parser: CommandParser, words: Iterable[str]) -> tuple[argparse.Namespace, DataOptions]:
    """Parse the words of such a command.

    Returns:
        All options, and those that say how the data are read.
    """
    options = parser.parse_words(list(words))
    if bool(options.dataset) == bool(options.named_dataset):
        parser.error("name one file, folder or data set")
    options.dataset = options.dataset or options.named_dataset
    return options, DataOptions(**typed(given_options(options), get_type_hints(DataOptions)))
