"""`okt-lstm predict` with a model that labels parts of texts, or restores their spaces."""

import argparse
import sys

from oktane.model_options import clean_up_on_sigterm
from oktane.table_options import read_options

from ..training.parsing import CommandParser


def predict_tags(parser: CommandParser, options: argparse.Namespace) -> None:
    """Run the command.

    Args:
        parser: The parser of the command, for errors.
        options: The options of `okt-lstm predict`, checked.
    """
    for flag, given in (
        ("probabilities", options.probabilities),
        ("max_length", options.max_length is not None),
        ("engine oktane", options.engine == "oktane"),
    ):
        if given:
            parser.error(f"--{flag} has no use here: {options.model} labels parts of texts, and torch runs it")
    from oktane.files import choose_texts
    from oktane.lines import read_blocks
    from oktane.readers import open_reader, text_of

    from ..inference.loading import load_tagger
    from ..inference.tagger_files import print_tags, tag_file

    tagger = load_tagger(options.model, options.revision, options.token, options.device)
    reading = read_options(options)
    if options.output:
        clean_up_on_sigterm()
        tag_file(
            tagger,
            options.input,
            options.output,
            reading=reading,
            text_column=options.text_column,
            output_encoding=options.output_encoding,
        )
    elif options.input:
        with open_reader(options.input, reading) as reader:
            column = choose_texts(reader, options.text_column)
            print_tags(tagger, (text_of(row, column, reader) or "" for row in reader), sys.stdout)
    elif options.texts:
        print_tags(tagger, options.texts, sys.stdout)
    else:
        for lines in read_blocks(["-"]):
            print_tags(tagger, lines, sys.stdout)
