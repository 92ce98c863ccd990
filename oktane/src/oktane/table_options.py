"""The options of commands that read tables."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .row_reader import ReadOptions

FORMATS = ("txt", "tsv", "csv", "jsonl", "json", "parquet", "arrow")

# Options that need --input.
NAMES = ("input_format", "header", "sheet", "text_column", "text_pair_column")


def add_table_options(parser: argparse.ArgumentParser, formats: Sequence[str] = FORMATS) -> None:
    """Add --input and how it is read to a parser.

    Args:
        parser: The parser.
        formats: The formats that can be read.
    """
    parser.add_argument(
        "--input",
        nargs="+",
        metavar="FILE",
        help=f"read texts from {', '.join(formats[:-1])} or {formats[-1]} files, folders of them, or patterns; - is "
        "standard input",
    )
    parser.add_argument("--input_format", choices=formats, help="format of the input (default: by its suffix)")
    parser.add_argument(
        "--encoding", metavar="NAME", help="encoding of the input, such as utf-8, cp949 or utf-16 (default: detected)"
    )
    parser.add_argument(
        "--header", choices=("first", "none"), help="none: the first line is a row; columns are called 1, 2, ..."
    )
    if "xlsx" in formats:
        parser.add_argument("--sheet", metavar="NAME", help="sheet of an xlsx file (default: the first one)")
    parser.add_argument("--text_column", metavar="NAME", help="column with the texts (default: detected by name)")


def add_output_encoding(parser: argparse.ArgumentParser) -> None:
    """Add --output_encoding to a parser."""
    parser.add_argument(
        "--output_encoding",
        metavar="NAME",
        help="encoding of a txt, tsv or csv file that is written, such as cp949; utf-8-sig is the one that Excel opens "
        "rightly (default: utf-8, or utf-8-sig where csv is made of a file with a byte order mark)",
    )


def check_table_options(options: argparse.Namespace) -> str | None:
    """Return what is wrong with the options, if something is."""
    given = [f"--{name}" for name in NAMES if getattr(options, name, None) is not None]
    if options.encoding is not None and options.texts:
        return "--encoding goes with --input or standard input"
    if given and not options.input:
        return f"{' and '.join(given)} go{'es' if len(given) == 1 else ''} with --input"
    return None


def read_options(options: argparse.Namespace) -> "ReadOptions":
    """Return how the user wants the input to be read."""
    from .row_reader import ReadOptions

    return ReadOptions(
        options.input_format, options.encoding, options.header != "none", getattr(options, "sheet", None)
    )
