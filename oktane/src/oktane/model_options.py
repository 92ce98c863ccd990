"""The options that the commands which run models share: which model, on what texts, and how."""

import argparse
import os
import signal
import sys
from typing import Any

from .table_options import check_table_options


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a model is loaded and run."""
    parser.add_argument("--revision", metavar="NAME", help="branch, tag or commit of a model on the Hub")
    parser.add_argument("--token", help="Hub token for a private model (default: that of `hf auth login`)")
    parser.add_argument("--max_length", metavar="N", type=int, help="truncate texts to N tokens (default: as saved)")
    parser.add_argument(
        "--stride",
        metavar="N",
        type=int,
        help="read longer texts in windows that have N tokens in common, and average (default: as saved)",
    )
    parser.add_argument("--threads", type=int, metavar="N", help="number of threads (default: one per core)")


def check_options(options: argparse.Namespace) -> None:
    """End the program with an error if options contradict each other.

    Raises:
        FileError: If standard output is needed and closed.
    """
    from .lines import FileError

    if options.output and not options.input:
        options.parser.error("--output goes with --input; to keep what is printed, redirect it: > FILE")
    if wrong := check_table_options(options):
        options.parser.error(wrong)
    if sys.stdout is None and not options.output:
        raise FileError("standard output is closed: name files with --input and --output")


def loading(options: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of `oktane.load` and `oktane.load_encoder`, and keep downloads quiet without a terminal."""
    if not sys.stderr.isatty():
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    return {
        "folder_or_hub_id": options.model,
        "revision": options.revision,
        "token": options.token,
        "max_length": options.max_length,
        "stride": options.stride,
        "num_threads": options.threads,
    }


def clean_up_on_sigterm() -> None:
    """Let SIGTERM end the process by an exception, so that no temporary file stays."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
