"""`okt-lstm predict`."""

import os
import sys
from collections.abc import Sequence
from typing import Any

from oktane.model_options import clean_up_on_sigterm
from oktane.table_options import add_output_encoding, add_table_options, check_table_options, read_options

from ..atomic import FileError
from ..data.options import FORMATS
from ..training.parsing import CommandParser
from .model_options import add_model_options, load_model
from .paths import check_paths
from .predict_tags import predict_tags

SUMMARY = "Label texts: arguments, the rows of a file, or the lines of standard input as they arrive."
_DESCRIPTION = f"""{SUMMARY}

Each text gives a line of fields separated by tabs: label, probability, text. With --probabilities,
or a model that gives several labels to a text, the probabilities of all labels follow, in the order
of the model's labels; a regression model gives number, text. Tabs and line ends inside a text are
written as blanks. A file given as --output has the rows of --input with the columns label and
probability (predicted_label and predicted_probability, if it has such columns already); a txt file
has only the labels, one a line.

A model of `okt-lstm train --task token-classification` gives a line for each entity: its text,
label, start, end, score and the whole text; a file has a column `entities` with these. A model of
`--task spacing` gives the texts with their spaces restored; a file has them in a column `spaced`."""
_EXAMPLES = (
    "okt-lstm predict 연기도 연출도 최고였다",
    "okt-lstm predict --model out --input reviews.csv --output labels.csv",
)


def predict(argv: Sequence[str]) -> None:
    """Run `okt-lstm predict` with these words."""
    parser = CommandParser("okt-lstm predict", _DESCRIPTION, _EXAMPLES, "[TEXT ...] [options]")
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="a text to label")
    parser.add_argument(
        "--model", metavar="FOLDER|HUB_ID", help="the model (default: the one inside okt-lstm, for movie reviews)"
    )
    add_table_options(parser, FORMATS)
    parser.add_argument("--output", metavar="FILE", help="write the rows with their labels to this file")
    add_output_encoding(parser)
    parser.add_argument("--probabilities", action="store_true", help="give the probability of every label")
    add_model_options(parser)
    options = parser.parse_words(argv)
    if options.texts and options.input:
        parser.error("give texts or --input, not both")
    if options.output and not options.input:
        parser.error("--output goes with --input; to keep what is printed, redirect it: > FILE")
    if options.output_encoding and not options.output:
        parser.error("--output_encoding goes with --output")
    if wrong := check_table_options(options):
        parser.error(wrong)
    for number, text in enumerate(options.texts, 1):
        if not text.isprintable() and any("\ud800" <= character <= "\udfff" for character in text):
            raise FileError(f"text {number} of the arguments is not UTF-8: {text!r}")
        # Path.is_file fails for a text that is too long for a name.
        if options.model is None and text and os.path.isfile(f"{text}/config.json"):  # noqa: PTH113
            print(f"okt-lstm: warning: {text} is the folder of a model; did you mean --model {text}?", file=sys.stderr)
    check_paths({"input": options.input, "output": options.output})
    if sys.stdout is None and not options.output:
        raise FileError("standard output is closed: name files with --input and --output")
    if sys.stdin is None and not options.texts and not options.input:
        raise FileError("standard input is closed: give texts as arguments, or a file with --input")
    from ..inference.loading import is_tagger

    if options.model is not None and is_tagger(options.model, options.revision, options.token):
        predict_tags(parser, options)
        return
    classifier = load_model(options)
    from oktane.files import print_file, print_predictions
    from oktane.lines import read_blocks

    from ..inference.files import predict_file

    how: dict[str, Any] = {"text_column": options.text_column, "probabilities": options.probabilities}
    how["reading"] = read_options(options)
    if options.output:
        clean_up_on_sigterm()
        predict_file(classifier, options.input, options.output, output_encoding=options.output_encoding, **how)
    elif options.input:
        print_file(classifier, options.input, sys.stdout, **how)
    elif options.texts:
        print_predictions(classifier, options.texts, sys.stdout, probabilities=options.probabilities)
    else:
        for lines in read_blocks(["-"]):
            print_predictions(classifier, lines, sys.stdout, probabilities=options.probabilities)
