"""`okt-lstm predict` with a model that labels parts of texts, or restores their spaces."""

import argparse
import sys

from oktane.lines import STREAM
from oktane.model_options import clean_up_on_sigterm
from oktane.predict_command import check
from oktane.table_options import read_options

_NO_USE = ("probabilities", "max_length", "columns", "shard", "output_format")


def predict_tags(options: argparse.Namespace) -> None:
    """Run the command.

    Args:
        options: The options of `okt-lstm predict`, and the parser.
    """
    check(options)
    wrong = [name for name in _NO_USE if getattr(options, name)] + ["engine oktane"] * (options.engine == "oktane")
    if wrong:
        options.parser.error(f"--{wrong[0]} has no use here: {options.model} labels parts of texts, and torch runs it")
    if options.output == STREAM:
        options.parser.error("--output has to be a file here; leave it out to print")
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
        for lines in read_blocks([STREAM]):
            print_tags(tagger, lines, sys.stdout)
