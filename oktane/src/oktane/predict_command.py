"""The command `oktane predict`: texts in, labels out."""

import argparse
import sys

from .model_options import add_model_options, check_options, clean_up_on_sigterm, loading
from .table_options import add_output_encoding, add_table_options, read_options

SUMMARY = "Label texts with a trained classifier."
DESCRIPTION = f"""\
{SUMMARY}

Texts are the arguments, the rows of the --input file, or else the lines of standard input. Each gives a line of fields
separated by tabs: label, probability, text. With --probabilities, or a model that gives a text several labels, the
probabilities of all labels follow, in the order of the model's labels. A regression model gives number, text. Tabs and
line ends inside a text are written as blanks.

A file given as --output has the rows of --input with the columns label and probability (predicted_label and
predicted_probability if it has such columns already). A txt file has only the labels, one per line.
"""
EXAMPLES = """\
examples:
  oktane predict "연기도 연출도 최고였다"
  oktane predict --input reviews.csv --output labels.csv"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command, which `okt-lstm predict` has, too."""
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="a text to label")
    parser.add_argument(
        "--model", metavar="FOLDER|HUB_ID", help="the model (default: the one inside oktane, for movie reviews)"
    )
    add_table_options(parser)
    parser.add_argument("--output", metavar="FILE", help="write the rows with their labels to this file")
    add_output_encoding(parser)
    parser.add_argument("--probabilities", action="store_true", help="give the probability of every label")
    add_model_options(parser)


def run(options: argparse.Namespace) -> None:
    """Run the command.

    Raises:
        oktane.LoadError: If the model can't be loaded.
        FileError: If a file can't be read or written as asked, or standard output is closed.
    """
    check_options(options)
    if options.output_encoding and not options.output:
        options.parser.error("--output_encoding goes with --output")
    # What only the predictions need is imported here: --help answers at once.
    from .classifier import load
    from .files import predict_file, print_file, print_predictions
    from .lines import read_blocks

    classifier = load(**loading(options))
    how = {"reading": read_options(options), "text_column": options.text_column}
    if options.output:
        clean_up_on_sigterm()
        predict_file(
            classifier,
            options.input,
            options.output,
            probabilities=options.probabilities,
            output_encoding=options.output_encoding,
            **how,
        )
    elif options.input:
        print_file(classifier, options.input, sys.stdout, probabilities=options.probabilities, **how)
    else:
        for texts in [options.texts] if options.texts else read_blocks(["-"]):
            print_predictions(classifier, texts, sys.stdout, probabilities=options.probabilities)
