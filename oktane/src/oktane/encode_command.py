"""The command `oktane encode`: texts in, vectors out."""

import argparse
import json
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from .model_options import add_model_options, check_options, clean_up_on_sigterm, loading
from .table_options import add_table_options, read_options

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .encoder import Encoder

SUMMARY = "Map texts to vectors with a sentence encoder."
DESCRIPTION = f"""\
{SUMMARY}

Texts are the arguments, the rows of the --input file, or else the lines of standard input. Each gives a line of JSON:
{{"text": ..., "vector": [...]}}.

A file given as --output holds the vectors of the --input's rows: .npy an array of float32, .jsonl the rows with their
vectors, and .parquet the same with the columns as text. A run that was stopped goes on where it was: give the same
command again.
"""
EXAMPLES = """\
examples:
  oktane encode "배송이 늦어요"
  oktane encode --input texts.csv --output vectors.npy"""


def add_all_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="a text to encode")
    parser.add_argument("--model", metavar="FOLDER|HUB_ID", help="the encoder (default: the one inside oktane)")
    add_table_options(parser)
    parser.add_argument("--output", metavar="FILE", help="write the vectors to this .npy, .jsonl or .parquet file")
    parser.add_argument("--no_normalize", action="store_true", help="keep the vectors' lengths (default: length 1)")
    add_model_options(parser)


def run(options: argparse.Namespace) -> None:
    """Run the command.

    Raises:
        oktane.LoadError: If the encoder can't be loaded.
        FileError: If a file can't be read or written as asked, or standard output is closed.
    """
    check_options(options)
    # What only the encoder needs is imported here: --help answers at once.
    from .columns import lines_of_input
    from .encoder import load_encoder

    encoder = load_encoder(**loading(options))
    if options.input:
        clean_up_on_sigterm()
        _encode_file(encoder, options)
    else:
        for texts in [options.texts] if options.texts else lines_of_input(options.encoding):
            _print_vectors(encoder, texts, not options.no_normalize)


def _encode_file(encoder: "Encoder", options: argparse.Namespace) -> None:
    """Encode the rows of the input files, into the output file or to standard output."""
    import numpy as np

    from .blocks import computed_blocks, row_blocks
    from .encoder import CHUNK_SIZE
    from .files import choose_texts
    from .journal import open_journal
    from .lines import check_output
    from .paths import find_files
    from .readers import open_reader
    from .vector_files import open_vector_writer

    paths = find_files(options.input)
    normalize = not options.no_normalize
    if options.output:
        check_output(options.output, [str(path) for path in paths])
    with open_reader(options.input, read_options(options)) as reader, ExitStack() as stack:
        column = choose_texts(reader, options.text_column)
        compute = partial(encoder.compute, normalize=normalize)
        writer = None
        if options.output:
            what = (encoder.fingerprint(), normalize, reader.options, column)
            journal = stack.enter_context(open_journal(options.output, paths, encoder.dimension, *what))
            writer = stack.enter_context(open_vector_writer(options.output, reader.columns, encoder.dimension))
            if journal is not None:
                compute = partial(journal.compute, compute)
        blocks = row_blocks(reader, column)
        for (rows, _, has_text), found, _ in computed_blocks(blocks, compute, CHUNK_SIZE, encoder.dimension):
            # A text that is null has a vector of NaN.
            vectors = np.full((len(rows), encoder.dimension), np.nan, np.float32)
            vectors[has_text] = found
            if writer is None:
                _print_lines([row.get(column) for row in rows], vectors)
            else:
                writer.write(rows, vectors)
    sys.stdout.flush()


def _print_vectors(encoder: "Encoder", texts: Iterable[str], normalize: bool) -> None:
    for chunk, vectors in encoder.vector_chunks(texts, normalize):
        _print_lines(chunk, vectors)
    sys.stdout.flush()


def _print_lines(texts: Iterable[str | None], vectors: "NDArray[np.float32]") -> None:
    from .vector_files import to_numbers

    for text, vector in zip(texts, vectors, strict=True):
        print(json.dumps({"text": text, "vector": to_numbers(vector)}, ensure_ascii=False))
