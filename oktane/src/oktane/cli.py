"""The command `oktane`: texts in, lines out.

Exit codes: 0 done; 1 something given can't be used (a line on standard error says what, where and what to do); 2 wrong
usage; 130 interrupted; 141 the reader of standard output went away.
"""

import argparse
import io
import json
import logging
import os
import re
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TextIO

from . import LoadError, __version__, encode_command, predict_command
from .lines import escaped, replace_closed_streams
from .table_options import add_table_options, check_table_options, read_options

if TYPE_CHECKING:
    from .okt import Okt

# Lines that one thread analyzes at a time: small enough that all cores have work with what one pipe holds.
LINES = 256

DESCRIPTION = """\
Analyze Korean text as konlpy's Okt does, without Java. Label it, or map it to vectors, without torch.

Texts are the arguments, the lines of the --input files, or else the lines of standard input. Each gives one line of
output, in order.
"""


class Command(NamedTuple):
    """A subcommand that analyzes texts: a method of `Okt` and how its results are written.

    Attributes:
        summary: What it does, in one line.
        output: What a line of output is in text format.
        examples: Two command lines.
        to_text: Makes one line of a result, which may still have line breaks.
        options: Which of "norm" and "stem" the method takes.
    """

    summary: str
    output: str
    examples: tuple[str, str]
    to_text: Callable[[Any], str]
    options: tuple[str, ...] = ()


def _spaced(morphemes: list[str]) -> str:
    return " ".join(morpheme for morpheme in morphemes if not morpheme.isspace())


def _tagged(pairs: list[tuple[str, str]]) -> str:
    return " ".join(f"{morpheme}/{pos}" for morpheme, pos in pairs if not morpheme.isspace())


COMMANDS = {
    "morphs": Command(
        "Split texts into morphemes.",
        "the morphemes with spaces between them: 영화 가 재밌다",
        ('oktane morphs "영화가 재밌다"', "oktane morphs --stem --input reviews.txt --output morphemes.txt"),
        _spaced,
        ("norm", "stem"),
    ),
    "pos": Command(
        "Split texts into morphemes with their parts of speech.",
        "morpheme/part of speech with spaces between them: 영화/Noun 가/Josa 재밌다/Adjective",
        ('oktane pos "영화가 재밌다"', "oktane pos --norm --stem < reviews.txt | head"),
        _tagged,
        ("norm", "stem"),
    ),
    "nouns": Command(
        "Extract the nouns of texts.",
        "the nouns with spaces between them: 항공기 체계 개발",
        (
            'oktane nouns "항공기 체계를 개발한다"',
            "oktane nouns < reviews.txt | tr ' ' '\\n' | sort | uniq -c | sort -nr | head",
        ),
        _spaced,
    ),
    "phrases": Command(
        "Extract the noun phrases of texts.",
        "the phrases with tabs between them, because they have spaces themselves",
        ('oktane phrases "날카로운 분석과 신뢰감 있는 진행으로"', "oktane phrases --output_format jsonl < reviews.txt"),
        lambda phrases: "\t".join(" ".join(phrase.split()) for phrase in phrases),
    ),
    "normalize": Command(
        "Correct the colloquial spelling of texts.",
        "the corrected text",
        ("oktane normalize 안됔ㅋㅋㅋㅋ", "oktane normalize --input reviews.txt --output corrected.txt"),
        str,
    ),
}

# The subcommands that run models.
MODEL_COMMANDS = {"predict": predict_command, "encode": encode_command}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Instead of those of the process.

    Returns:
        The exit code. Wrong usage, `--help` and `--version` raise SystemExit, as argparse does.
    """
    replace_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    # parse_args would report what a command doesn't know with the usage of the parser above it.
    options, unknown = _parser().parse_known_args(arguments)
    if unknown:
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    if options.command is None:
        options.parser.error(f"a command is missing; choose from {', '.join(COMMANDS)}, {', '.join(MODEL_COMMANDS)}")
    if options.texts and options.input:
        options.parser.error("give texts or --input, not both")
    if options.threads is not None and options.threads < 1:
        options.parser.error("--threads must be at least 1")
    try:
        with warnings.catch_warnings(), _messages():
            warnings.showwarning = _show_warning
            _check_arguments(options.texts)
            options.run(options)
    except BrokenPipeError:
        _discard_output()
        return 128 + 13  # SIGPIPE, which Windows does not name
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except (LoadError, ValueError, RuntimeError) as error:
        print(f"oktane: error: {escaped(str(error))}", file=sys.stderr)
        return 1
    except OSError as error:
        _discard_output()
        what = escaped(f"{error.filename or 'the output'}: {error.strerror or error}")
        print(f"oktane: error: {what}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def _messages() -> Iterator[None]:
    """Show what this package logs on standard error while the command runs."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("oktane: %(message)s"))
    logger = logging.getLogger(__package__)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    print(f"oktane: warning: {escaped(str(message))}", file=sys.stderr)


def _check_arguments(texts: Sequence[str]) -> None:
    for number, text in enumerate(texts, 1):
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise ValueError(f"text {number} of the arguments is not UTF-8: {text!r}")


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, with the name that was probably meant and where the help is."""

    def error(self, message: str) -> NoReturn:
        """Exit with code 2 and the message."""
        if wrong := re.search(r"(?:invalid choice: '|unrecognized arguments: )([^\s'=]+)", message):
            # Importing it takes a while, and only an error needs it.
            import difflib

            known = re.findall(r"--\w+", self.format_usage()) + re.findall(r"\w+", message.partition("choose from")[2])
            if wrong[1] in known:
                message += f"; {wrong[1]} goes after the command"
            elif close := difflib.get_close_matches(wrong[1], known, 1):
                message += f"; did you mean {close[0]}?"
        self.exit(2, f"{self.prog}: error: {escaped(message)} (see {self.prog} --help)\n")


def _parser() -> Parser:
    first, second = COMMANDS["morphs"].examples[0], COMMANDS["pos"].examples[1]
    parser = Parser(
        "oktane",
        description=DESCRIPTION,
        epilog=f"`oktane COMMAND --help` shows the options of a command.\n\nexamples:\n  {first}\n  {second}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"oktane {__version__}")
    parser.set_defaults(parser=parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, command in COMMANDS.items():
        _add_options(commands, name, command)
    for name, module in MODEL_COMMANDS.items():
        subparser = commands.add_parser(
            name,
            help=module.SUMMARY,
            description=module.DESCRIPTION,
            epilog=module.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        subparser.set_defaults(parser=subparser, run=module.run)
        module.add_all_options(subparser)
    return parser


def _add_options(commands: "argparse._SubParsersAction[Parser]", name: str, command: Command) -> None:
    first, second = command.examples
    parser = commands.add_parser(
        name,
        help=command.summary,
        description=f"{command.summary}\n\nEach text gives one line: {command.output}.",
        epilog=f"examples:\n  {first}\n  {second}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(parser=parser, run=_analyze)
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="a text to analyze")
    add_table_options(parser)
    parser.add_argument("--output", default="-", metavar="FILE", help="file to write (default: standard output)")
    if "norm" in command.options:
        parser.add_argument("--norm", action="store_true", help="correct colloquial spelling first: 안됔 to 안돼")
    if "stem" in command.options:
        parser.add_argument(
            "--stem", action="store_true", help="give verbs and adjectives in dictionary form: 했다 as 하다"
        )
    parser.add_argument(
        "--compose",
        action="store_true",
        help="compose Hangul in conjoining jamo first, as macOS writes it; konlpy's Okt does not",
    )
    parser.add_argument(
        "--user_dictionary",
        metavar="FILE",
        help="your own words: UTF-8 lines of a word, a tab and its part of speech (Noun, Verb, ...); -WORD removes one",
    )
    parser.add_argument(
        "--output_format",
        choices=["text", "jsonl"],
        default="text",
        help=f'text (default), or jsonl: lines of {{"text": ..., "{name}": ...}}, which keep the tabs and line breaks '
        "that text leaves out",
    )
    parser.add_argument("--threads", type=int, metavar="N", help="number of threads (default: one per core)")


def _analyze(options: argparse.Namespace) -> None:
    # What only the analysis needs is imported here: --help and --version answer at once.
    from .lines import check_output, open_output
    from .okt import Okt
    from .parallel import available_cores, map_in_threads, text_chunks
    from .paths import find_files

    if wrong := check_table_options(options):
        options.parser.error(wrong)
    if options.input:
        check_output(options.output, map(str, find_files(options.input)))
    # The threads are those of map_in_threads, which also make the lines of output.
    analyze = _analysis(Okt(options.user_dictionary, threads=1, compose=options.compose), options)
    threads = options.threads or available_cores()
    with open_output(options.output) as output:
        for block in _blocks(options):
            for lines in map_in_threads(analyze, text_chunks(block, LINES), threads):
                output.write(lines)
            output.flush()


def _blocks(options: argparse.Namespace) -> Iterator[list[str]]:
    from .columns import lines_of_input
    from .lines import STREAM, read_blocks
    from .paths import find_files

    if options.texts not in ([], [STREAM]):
        yield options.texts
        return
    for path in map(str, find_files(options.input or [STREAM])):
        if path == STREAM and options.input_format in (None, "txt"):
            yield from lines_of_input(options.encoding)
        elif _holds_lines(path, options):
            yield from read_blocks([path], options.encoding)
        else:
            yield from _column(path, options)


def _holds_lines(path: str, options: argparse.Namespace) -> bool:
    """Return whether each line of a file is a text. A file of an unknown suffix has lines, unless its format is given.

    Raises:
        FileError: A file that is called .txt is a table by its first line.
    """
    from .columns import refuse_table
    from .lines import uncompressed
    from .paths import SUFFIXES, is_shard
    from .readers import open_reader
    from .text_readers import TxtReader

    if options.input_format is not None:
        return bool(options.input_format == "txt")
    inner = uncompressed(path)
    if not (inner.suffix.lower() in SUFFIXES or is_shard(inner) or path.lower().endswith(".zip")):
        return True
    with open_reader(path, read_options(options)) as reader:
        refuse_table(reader, "add --input_format tsv if it is a table with a header, txt if each line is a text")
        return isinstance(reader, TxtReader)


def _column(path: str, options: argparse.Namespace) -> Iterator[list[str]]:
    """Yield the texts of a table in blocks. A null is an empty text."""
    from .blocks import row_blocks
    from .files import choose_texts
    from .readers import open_reader

    with open_reader(path, read_options(options)) as reader:
        column = choose_texts(reader, options.text_column)
        for block in row_blocks(reader, column):
            yield [row.get(column) or "" for row in block.rows]


def _analysis(okt: "Okt", options: argparse.Namespace) -> Callable[[list[str]], bytes]:
    """Return the function that makes lines of output of texts."""
    name = options.command
    command = COMMANDS[name]
    method = getattr(okt, f"{name}_batch")
    chosen = {option: getattr(options, option) for option in command.options}

    def to_line(text: str, result: Any) -> str:
        if options.output_format == "jsonl":
            return json.dumps({"text": text, name: result}, ensure_ascii=False)
        return command.to_text(result).replace("\r", " ").replace("\n", " ")

    def analyze(texts: list[str]) -> bytes:
        results = method(texts, **chosen)
        return "".join(f"{to_line(text, result)}\n" for text, result in zip(texts, results, strict=True)).encode()

    return analyze


def _discard_output() -> None:
    """Let go of output that can't be written; Python would try once more when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
