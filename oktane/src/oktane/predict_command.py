"""The command `oktane predict`: texts in, labels out. `okt-lstm predict` is the same, but loads more models."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .lines import STREAM, FileError
from .model_options import add_model_options, check_options, clean_up_on_sigterm, loading
from .table_options import FORMATS, add_output_encoding, add_table_options, read_options

if TYPE_CHECKING:
    from .base_classifier import BaseClassifier
    from .folders import TextColumns

SUMMARY = "Label texts with a trained classifier."
DETAILS = """\
Texts are the arguments, the rows of the --input, or else the lines of standard input. Each gives a
line of fields separated by tabs: label, probability, text. With --probabilities, or a model that
gives a text several labels, the probabilities of all labels follow, in the order of the model's
labels. A regression model gives number, text. Tabs and line ends inside a text are written as
blanks. A model that compares two texts takes them as two arguments, two columns, or a line with a
tab between them.

The --output has the rows of --input with the columns label and probability (predicted_label and
predicted_probability if it has such columns already). A txt file has only the labels, one per line.
A row whose text is null has null there. If --output is a folder, each input file has a file in it.

A run that was stopped goes on where it was: give the same command again.
"""
DESCRIPTION = f"{SUMMARY}\n\n{DETAILS}"
EXAMPLES = """\
examples:
  oktane predict "연기도 연출도 최고였다"
  oktane predict --input reviews.csv --output labels.csv
  oktane predict --input "shards/*.parquet" --output labeled/"""


def add_options(parser: argparse.ArgumentParser, inside: str = "oktane", formats: Sequence[str] = FORMATS) -> None:
    """Add the options that `oktane predict` and `okt-lstm predict` have in common.

    Args:
        parser: The parser.
        inside: The package that has a model inside.
        formats: The formats that can be read.
    """
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="a text to label")
    parser.add_argument(
        "--model", metavar="FOLDER|HUB_ID", help=f"the model (default: the one inside {inside}, for movie reviews)"
    )
    add_table_options(parser, formats)
    parser.add_argument(
        "--text_pair_column", metavar="NAME", help="column with the second texts, for a model that compares two"
    )
    parser.add_argument(
        "--output",
        metavar="FILE|FOLDER",
        help="write the rows with their labels to this file (- is standard output), or to files in this folder",
    )
    parser.add_argument(
        "--output_format", choices=FORMATS, help="format of the output (default: by its suffix, or that of the input)"
    )
    add_output_encoding(parser)
    parser.add_argument("--columns", metavar="NAME,NAME", help="columns of the input that are written (default: all)")
    parser.add_argument("--probabilities", action="store_true", help="give the probability of every label")
    parser.add_argument(
        "--abstain_below",
        metavar="SHARE",
        type=float,
        help="predict 'unsure' if no label has this probability, from 0 to 1 (default: as the model says)",
    )
    parser.add_argument(
        "--shard", metavar="I/N", help="label every N-th input file only, from file I on, which counts from 0"
    )


def add_all_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `oktane predict`."""
    add_options(parser)
    add_model_options(parser)


def run(options: argparse.Namespace) -> None:
    """Run `oktane predict`.

    Raises:
        oktane.LoadError: If the model can't be loaded.
        FileError: If a file can't be read or written as asked, or standard output is closed.
    """

    def load() -> tuple[BaseClassifier, TextColumns]:
        from .classifier import load
        from .folders import trained_columns

        classifier = load(**loading(options))
        return classifier, trained_columns(classifier.folder)

    predict(options, load)


def predict(options: argparse.Namespace, load: Callable[[], tuple[BaseClassifier, TextColumns]]) -> None:
    """Label what the options name.

    Args:
        options: The options of `add_options`, and the parser.
        load: Loads the classifier, and returns it with the names that the columns of the texts had in training.

    Raises:
        FileError: If a file can't be read or written as asked, or standard output is closed.
    """
    check(options)
    # What only the predictions need is imported here: --help answers at once.
    from .columns import lines_of_input
    from .files import print_file, print_predictions
    from .paths import find_files
    from .runs import Shard, plan, predict_files

    jobs = []
    if options.input:
        # A mistyped name is answered before a model is loaded.
        find_files(options.input)
    if options.output:
        shard = Shard.parse(options.shard) if options.shard else None
        jobs = plan(options.input, options.output, options.input_format, options.output_format, shard)
    classifier, usual = load()
    if options.abstain_below is not None:
        classifier.abstain_below = options.abstain_below
    how: dict[str, Any] = {"text_column": options.text_column, "probabilities": options.probabilities, "usual": usual}
    how["text_pair_column"] = options.text_pair_column
    if options.output:
        clean_up_on_sigterm()
        columns = options.columns.split(",") if options.columns else None
        how |= {"columns": columns, "output_encoding": options.output_encoding}
        predict_files(classifier, jobs, read_options(options), **how)
    elif options.input:
        reading = read_options(options)
        print_file(classifier, options.input, sys.stdout, reading=reading, **how)
    elif options.texts:
        texts = _pairs_of_arguments(options) if classifier.text_pair else options.texts
        print_predictions(classifier, texts, sys.stdout, probabilities=options.probabilities)
    else:
        for lines in lines_of_input(options.encoding):
            texts = _pairs_of_lines(lines) if classifier.text_pair else lines
            print_predictions(classifier, texts, sys.stdout, probabilities=options.probabilities)


def _pairs_of_arguments(options: argparse.Namespace) -> list[tuple[str, str]]:
    if len(options.texts) % 2:
        options.parser.error("the model compares two texts: give an even number of them")
    return list(zip(options.texts[::2], options.texts[1::2], strict=True))


def _pairs_of_lines(lines: Sequence[str]) -> list[tuple[str, str]]:
    pairs = []
    for line in lines:
        first, tab, second = line.partition("\t")
        if not tab:
            raise FileError(f"standard input: the model compares two texts, but {line!r:.60} has no tab between two")
        pairs.append((first, second))
    return pairs


def check(options: argparse.Namespace) -> None:
    """End the program with an error if options contradict each other, or a text is probably meant as a file.

    Raises:
        FileError: If standard output is needed and closed.
    """
    if options.texts and options.input:
        options.parser.error("give texts or --input, not both")
    check_options(options)
    for name in ("output_encoding", "output_format", "columns", "shard"):
        if getattr(options, name) and not options.output:
            options.parser.error(f"--{name} goes with --output")
    if options.abstain_below is not None and not 0 <= options.abstain_below <= 1:
        options.parser.error(f"--abstain_below is {options.abstain_below:g}; it has to be from 0 to 1")
    if options.shard:
        from .runs import Shard

        try:
            Shard.parse(options.shard)
        except ValueError as error:
            options.parser.error(f"--shard: {error}")
    if options.texts and all(map(os.path.isfile, options.texts)):
        names = " ".join(options.texts)
        options.parser.error(
            f"{options.texts[0]} is a file; did you mean --input {names}? To label the name itself, send it to "
            "standard input"
        )
    if options.output == STREAM and sys.stdout is None:
        raise FileError("standard output is closed: name a file with --output")
    if options.output and options.output != STREAM and Path(options.output).name == "":
        raise FileError(f"{options.output}: is no name for a folder of labels")
