"""The command `okt-lstm`: arguments in, one call out.

What a command needs is imported when it is needed, so that help, the version and mistakes are answered at once.

Exit codes: 0 done; 1 something given can't be used (a line on standard error says what, where and what to do); 2 wrong
usage; 130 interrupted; 141 the reader of standard output went away.
"""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from oktane.lines import escaped, replace_closed_streams

from ..training.commands import ENCODER, PRETRAIN, TRAIN, TUNE, WORD_VECTORS
from ..training.parsing import CommandParser, suggest
from ..training.renamed import current_command
from . import audit, compare, evaluate, export, generate, inspect, predict, push, training
from .versions import versions

# What runs a command, and what it does, in a line.
_COMMANDS: dict[str, tuple[Callable[[Sequence[str]], None], str]] = {
    "train": (training.train, TRAIN.summary),
    "tune": (training.tune, TUNE.summary),
    "pretrain": (training.pretrain, PRETRAIN.summary),
    "word-vectors": (training.word_vectors, WORD_VECTORS.summary),
    "train-encoder": (training.train_encoder, ENCODER.summary),
    "inspect": (inspect.inspect, inspect.SUMMARY),
    "audit": (audit.audit, audit.SUMMARY),
    "evaluate": (evaluate.evaluate, evaluate.SUMMARY),
    "predict": (predict.predict, predict.SUMMARY),
    "compare": (compare.compare, compare.SUMMARY),
    "generate": (generate.generate, generate.SUMMARY),
    "export": (export.export, export.SUMMARY),
    "push": (push.push, push.SUMMARY),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: The words after `okt-lstm`; by default, those of the command line.

    Returns:
        The exit code. Wrong usage, `--help` and `--version` raise SystemExit, as argparse does.
    """
    argv = list(sys.argv[1:] if arguments is None else arguments)
    replace_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        with _messages():
            _command(argv)(argv[1:])
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt as interruption:
        # Training says how to go on.
        if str(interruption):
            print(f"okt-lstm: {interruption}", file=sys.stderr)
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # Python flushes standard output once more at its end, which must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # SIGPIPE, which Windows does not name.
        return 128 + 13
    # What a user gave can't be used, or an optional package is missing. Anything else is a bug and shows as one.
    except (OSError, ValueError, ImportError) as exception:
        if os.environ.get("OKT_LSTM_TRACEBACK"):
            raise
        print(f"okt-lstm: error: {escaped(_message(exception))}", file=sys.stderr)
        return 1
    return 0


def _message(exception: Exception) -> str:
    if isinstance(exception, OSError) and exception.strerror:
        names = [str(name) for name in (exception.filename, exception.filename2) if name is not None]
        return ": ".join([" -> ".join(names), exception.strerror] if names else [exception.strerror])
    return " ".join(str(exception).split()) or type(exception).__name__


@contextmanager
def _messages() -> Iterator[None]:
    """Show what this package and oktane log on standard error while the command runs."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("okt-lstm: %(message)s"))
    loggers = [logging.getLogger(name) for name in ("okt_lstm", "oktane")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)


def _command(argv: Sequence[str]) -> Callable[[Sequence[str]], None]:
    """Return what runs a command line. Options without a command, and unknown commands, end the program here."""
    name = current_command(argv[0]) if argv else ""
    if name in _COMMANDS:
        return _COMMANDS[name][0]
    parser = CommandParser(
        "okt-lstm",
        "Train, evaluate, use and share text classifiers for Korean.\n\ncommands:\n"
        + "\n".join(f"  {name:14}{summary}" for name, (_, summary) in _COMMANDS.items()),
        ["okt-lstm train --dataset reviews.csv --output_dir out", "okt-lstm predict --model out 재미있다"],
        "COMMAND [options]",
    )
    parser.add_argument("--version", action="store_true", help="show the versions of what okt-lstm runs on, and exit")
    if name and not name.startswith("-"):
        parser.error(
            f"there is no command {name!r}{suggest(name, _COMMANDS, with_aliases=False)}: {', '.join(_COMMANDS)}"
        )
    if not parser.parse_words(argv).version:
        parser.error(f"name a command: {', '.join(_COMMANDS)}")
    print("\n".join(versions()))
    sys.exit(0)
