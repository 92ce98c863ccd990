"""The command `oktane encode`: texts in, vectors out."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from .table_options import add_table_options, check_table_options, read_options

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
vectors, and .parquet the same with the columns as text.
"""
EXAMPLES = """\
examples:
  oktane encode "배송이 늦어요"
  oktane encode --input texts.csv --output vectors.npy"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="a text to encode")
    parser.add_argument("--model", metavar="FOLDER|HUB_ID", help="the encoder (default: the one inside oktane)")
    add_table_options(parser)
    parser.add_argument("--output", metavar="FILE", help="write the vectors to this .npy, .jsonl or .parquet file")
    parser.add_argument("--no_normalize", action="store_true", help="keep the vectors' lengths (default: length 1)")
    parser.add_argument("--revision", metavar="NAME", help="branch, tag or commit of a model on the Hub")
    parser.add_argument("--token", help="Hub token for a private model (default: that of `hf auth login`)")
    parser.add_argument("--max_length", metavar="N", type=int, help="truncate texts to N tokens (default: as saved)")
    parser.add_argument("--threads", type=int, metavar="N", help="number of threads (default: one per core)")


def run(options: argparse.Namespace) -> None:
    """Run the command.

    Raises:
        oktane.LoadError: If the encoder can't be loaded.
        FileError: If a file can't be read or written as asked, or standard output is closed.
    """
    if options.output and not options.input:
        options.parser.error("--output goes with --input; to keep what is printed, redirect it: > FILE")
    if wrong := check_table_options(options):
        options.parser.error(wrong)
    # What only the encoder needs is imported here: --help answers at once.
    from .encoder import load_encoder
    from .lines import FileError, read_blocks

    if sys.stdout is None and not options.output:
        raise FileError("standard output is closed: name files with --input and --output")
    if not sys.stderr.isatty():
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    encoder = load_encoder(
        options.model,
        revision=options.revision,
        token=options.token,
        max_length=options.max_length,
        num_threads=options.threads,
    )
    if options.input:
        # By an exception, so that no temporary file stays.
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
        _encode_file(encoder, options)
    else:
        for texts in [options.texts] if options.texts else read_blocks(["-"]):
            _print_vectors(encoder, texts, not options.no_normalize)


def _encode_file(encoder: "Encoder", options: argparse.Namespace) -> None:
    """Encode the rows of the input file, into the output file or to standard output."""
    import numpy as np

    from .files import choose_texts, with_texts
    from .lines import check_output
    from .paths import find_files
    from .readers import open_reader
    from .vector_files import open_vector_writer

    if options.output:
        check_output(options.output, [str(path) for path in find_files(options.input)])
    with open_reader(options.input, read_options(options)) as reader, ExitStack() as stack:
        column = choose_texts(reader, options.text_column)
        writer = None
        if options.output:
            writer = stack.enter_context(open_vector_writer(options.output, reader.columns, encoder.dimension))
        encode = partial(encoder.vector_chunks, normalize=not options.no_normalize)
        for rows, has_text, found in with_texts(reader, column, encode):
            # A text that is null has a vector of NaN.
            vectors = np.full((len(rows), encoder.dimension), np.nan, np.float32)
            if found is not None:
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
