"""The command `okt-lstm`: arguments in, one call out.

Exit codes: 0 done; 1 something given can't be used (a line on standard error says what, where and what to do); 2 wrong
usage; 130 interrupted; 141 the reader of standard output went away.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from . import __version__
from .atomic import FileError, replacing
from .data.files import (
    KINDS,
    cell,
    check_text,
    choose_text_column,
    decode_line,
    one_line,
    open_reader,
    without_line_end,
)

if TYPE_CHECKING:
    import io

    from .data.options import DataOptions
    from .inference.classifier import Classifier

# Bytes of standard input that are taken at once, if so many are waiting: some ten thousand reviews.
_BLOCK_SIZE = 1 << 20

_PREDICT_DESCRIPTION = """\
Label texts: those given as arguments, the rows of --input, or the lines of standard input as they come.

On standard output each text gets a line of fields separated by tabs: label, probability, text. --probabilities, and a
model that gives several labels to a text, add the probability of every label, in the order of the model's labels
(`labels` of okt_lstm.load()); of a model of numbers the line is number, text. A file given as
--output has the rows of --input with the columns label and probability added (predicted_label and
predicted_probability, if it has a column of such a name); a txt file has only the labels, one a line. In tsv, which
knows no quoting, a tab or line end inside a text is written as a blank.
"""

_EVALUATE_DESCRIPTION = """\
Measure a model on the test split of a data set: that it was trained on, or another. The scores are printed as JSON.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: the words after `okt-lstm`; default: those of the command line.

    Returns:
        The exit code. Wrong usage, `--help` and `--version` raise SystemExit, as argparse does.
    """
    argv = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if argv[:1] == ["train"]:
            _train(argv[1:])
        elif argv[:1] == ["pretrain"]:
            _pretrain(argv[1:])
        elif argv[:1] == ["embed"]:
            _embed(argv[1:])
        else:
            options = _parser().parse_args(argv)
            options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt as interruption:
        if str(interruption):  # training says how to go on
            print(f"okt-lstm: {interruption}", file=sys.stderr)
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # Python flushes standard output once more at its end, which must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13  # SIGPIPE, which Windows does not name
    # What a user gave can't be used, or an optional package is missing. Anything else is a bug and shows as one.
    except (OSError, ValueError, ImportError) as exception:
        if os.environ.get("OKT_LSTM_TRACEBACK"):
            raise
        print(f"okt-lstm: error: {_message(exception)}", file=sys.stderr)
        return 1
    return 0


def _message(exception: Exception) -> str:
    if isinstance(exception, OSError) and exception.strerror:
        names = [str(name) for name in (exception.filename, exception.filename2) if name is not None]
        return ": ".join([" -> ".join(names), exception.strerror] if names else [exception.strerror])
    return " ".join(str(exception).split()) or type(exception).__name__


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="okt-lstm",
        description="Train, evaluate, use and share recurrent text classifiers for Korean.",
        epilog="`okt-lstm COMMAND --help` tells a command's options. OKT_LSTM_TRACEBACK=1 shows an error's origin.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    # main() hands the words of these to the parsers that are made of dataclasses.
    commands.add_parser("train", help="train a model on NSMC or on your own data", add_help=False)
    commands.add_parser("pretrain", help="train a language model on text without labels", add_help=False)
    commands.add_parser("embed", help="train word vectors on text without labels", add_help=False)
    _add_evaluate(commands.add_parser("evaluate", help="measure a model on a test set"))
    _add_predict(commands.add_parser("predict", help="label texts or files"))
    _add_push(commands.add_parser("push", help="upload a trained folder to the Hugging Face Hub"))
    return parser


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.description = _EVALUATE_DESCRIPTION
    parser.set_defaults(run=_evaluate)
    parser.add_argument(
        "model",
        nargs="?",
        metavar="FOLDER|HUB_ID",
        help="a trained folder, or the id of a model on the Hub; default: the one inside this package",
    )
    _add(parser, "--output", metavar="FILE", help="write the JSON to this file, too")
    data = parser.add_argument_group("the data (default: the test split of what the model was trained on)")
    _add(data, "--dataset", help="nsmc, sample, a csv, tsv, jsonl or parquet file, or the id of a data set on the Hub")
    _add(data, "--dataset_config", metavar="NAME", help="configuration of a data set on the Hub")
    _add(data, "--data_dir", metavar="FOLDER", help="with nsmc: the folder of its files, which else are downloaded")
    _add(data, "--text_column", metavar="NAME", help="column of the texts")
    _add(data, "--label_column", metavar="NAME", help="column of the labels")
    _add(data, "--label_delimiter", metavar="STRING", help="what separates several labels a row in csv and tsv files")
    _add(data, "--max_predict_samples", metavar="N", type=int, help="evaluate on this many rows, drawn by seed")
    _add_model_options(parser)


def _add_predict(parser: argparse.ArgumentParser) -> None:
    parser.description = _PREDICT_DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.set_defaults(run=_predict, parser=parser)
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="a text to label")
    _add(
        parser,
        "--model",
        metavar="FOLDER|HUB_ID",
        help="a trained folder, or a model's id on the Hub; default: the one inside this package, for film reviews",
    )
    _add(parser, "--input", metavar="FILE", help="read texts from this txt, tsv, csv, jsonl or parquet file")
    _add(parser, "--input_format", choices=KINDS, help="kind of the input; default: its suffix tells it")
    _add(
        parser, "--output", metavar="FILE", help="write the rows with their labels to this file, of any of these kinds"
    )
    _add(parser, "--text_column", metavar="NAME", help="column of the texts; guessed by its name if not given")
    _add(parser, "--probabilities", action="store_true", help="give the probability of every label")
    _add_model_options(parser)


def _add_push(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_push)
    parser.add_argument("folder", metavar="FOLDER", help="the --output_dir of `okt-lstm train`")
    parser.add_argument("repo_id", metavar="REPO_ID", help="owner/name of the repository; made if it does not exist")
    _add(parser, "--private", action="store_true", help="make the repository private")
    _add(parser, "--revision", metavar="BRANCH", help="the branch to push to")
    _add(parser, "--commit_message", metavar="TEXT", help="what the commit says")
    _add(parser, "--token", help="a Hub token with write access; default: that of `hf auth login`")


def _add(group: Any, flag: str, **options: Any) -> None:
    """Add an option under its name with underscores, as transformers writes it, and with hyphens."""
    group.add_argument(*dict.fromkeys((flag, flag[:2] + flag[2:].replace("_", "-"))), **options)


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the model")
    _add(group, "--revision", help="branch, tag or commit of a model on the Hub")
    _add(group, "--token", help="Hub token, if the model is private; default: that of `hf auth login`")
    _add(group, "--device", help="where the network runs, such as cpu or cuda:1; default: a GPU if there is one")
    _add(group, "--max_length", metavar="N", type=int, help="tokens of a text that are read; default: as in training")


def _load(options: argparse.Namespace) -> Classifier:
    from huggingface_hub.utils.tqdm import disable_progress_bars
    from transformers.utils import logging

    from .inference.classifier import load

    logging.set_verbosity_error()
    logging.disable_progress_bar()  # loading takes no time; a download has a bar of its own
    if not sys.stderr.isatty():
        disable_progress_bars()
    return load(options.model, options.revision, options.token, options.device, options.max_length)


def _clean_up_on_sigterm() -> None:
    """Let SIGTERM end the process by an exception, so that no temporary file stays."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def _train(argv: list[str]) -> None:
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    _add(finder, "--recipe")
    _add(finder, "--stages_dir")
    named, rest = finder.parse_known_args(argv)
    if named.recipe is not None:
        from .training.recipe import read_recipe, run_recipe

        result = run_recipe(read_recipe(named.recipe), rest, named.stages_dir)
    elif named.stages_dir is not None:
        raise ValueError("--stages_dir goes with --recipe: add that, or leave this out")
    else:
        from .training.train import parse_arguments, train

        result = train(*parse_arguments(argv))
    if os.environ.get("RANK", "0") == "0":  # under torchrun every process is here
        print(json.dumps({"folder": str(result.folder), **result.metrics}, ensure_ascii=False, indent=2))


def _pretrain(argv: list[str]) -> None:
    from .training.options import parse_pretraining_arguments
    from .training.pretrain import pretrain

    result = pretrain(*parse_pretraining_arguments(argv))
    if os.environ.get("RANK", "0") == "0":  # under torchrun every process is here
        print(json.dumps(dataclasses.asdict(result) | {"folder": str(result.folder)}, ensure_ascii=False, indent=2))


def _embed(argv: list[str]) -> None:
    from .training.word_vectors import embed, parse_embedding_arguments

    arguments = parse_embedding_arguments(argv)
    _clean_up_on_sigterm()
    result = embed(*arguments)
    print(json.dumps(dataclasses.asdict(result), ensure_ascii=False, indent=2))


def _evaluate(options: argparse.Namespace) -> None:
    import datasets

    from .data.splits import load_test_split

    datasets.logging.set_verbosity_error()
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    classifier = _load(options)
    arguments = _data_arguments(options)
    with replacing(options.output) if options.output else nullcontext() as file:
        splits = load_test_split(
            arguments, classifier.problem_type, classifier.labels, trained_on=options.dataset is None
        )
        test, name = splits.datasets["test"], splits.description.name
        print(f"Evaluating on {len(test):,} rows of {name}", file=sys.stderr)
        scores = classifier.evaluate(test["text"][:], test["label"][:])
        report = json.dumps({"dataset": name, "rows": len(test), **scores}, ensure_ascii=False, indent=2)
        if file:
            file.write(f"{report}\n".encode())
    print(report)


def _data_arguments(options: argparse.Namespace) -> DataOptions:
    """The data that the options name, or else what the model says that it was trained on."""
    from .data.options import DataOptions
    from .data.splits import DATA_ARGUMENTS_NAME
    from .hub import model_file
    from .inference.classifier import released_model

    names = [field.name for field in dataclasses.fields(DataOptions)]
    given = {name: vars(options)[name] for name in names if vars(options).get(name) is not None}
    if "dataset" in given:
        return DataOptions(**given)
    model = options.model or str(released_model())
    file = model_file(model, DATA_ARGUMENTS_NAME, options.revision, options.token)
    if file is None:
        raise FileError(
            f"{model} does not say what it was trained on (no {DATA_ARGUMENTS_NAME}); name the data with --dataset"
        )
    try:
        recorded = json.loads(file.read_text(encoding="utf-8"))
        recorded = {name: value for name, value in recorded.items() if name in names}
        if recorded.get("dataset") == "nsmc" and not Path(recorded.get("data_dir", "")).is_dir():
            del recorded["data_dir"]  # a folder of the machine that trained: without it, NSMC is downloaded
        return DataOptions(**recorded | given)
    except (ValueError, AttributeError) as exception:
        raise FileError(f"{file} is damaged ({exception}); name the data with --dataset") from None


def _predict(options: argparse.Namespace) -> None:
    from .inference.classifier import predict_file

    if options.texts and options.input:
        options.parser.error("give texts or --input, not both")
    if options.output and not options.input:
        options.parser.error("--output goes with --input; to keep what is printed, redirect it: > FILE")
    if (options.input_format or options.text_column) and not options.input:
        options.parser.error("--input_format and --text_column go with --input")
    for number, text in enumerate(options.texts, 1):
        if not text.isprintable() and any("\ud800" <= character <= "\udfff" for character in text):
            raise FileError(f"text {number} of the arguments is not UTF-8: {text!r}")
    classifier = _load(options)
    if options.output:
        _clean_up_on_sigterm()
        predict_file(
            classifier,
            options.input,
            options.output,
            kind=options.input_format,
            text_column=options.text_column,
            probabilities=options.probabilities,
            progress=True,
        )
    elif options.input:
        with open_reader(options.input, options.input_format) as reader:
            column = choose_text_column(reader, options.input_format, options.text_column)
            texts = (check_text(row, column, reader, number)[column] for number, row in enumerate(reader, 1))
            _print_predictions(classifier, texts, options.probabilities)
    elif options.texts:
        _print_predictions(classifier, options.texts, options.probabilities)
    else:
        if sys.stdin.isatty():
            print("Type a text and press Enter; Ctrl-D ends.", file=sys.stderr)
        for lines in _waiting_lines(cast("io.BufferedReader", sys.stdin.buffer)):
            _print_predictions(classifier, lines, options.probabilities)


def _print_predictions(classifier: Classifier, texts: Iterable[str], probabilities: bool) -> None:
    from .inference.classifier import CHUNK_SIZE, chunks, prediction_cells

    for chunk, scores in classifier.map_ahead(classifier.scores, chunks(texts, CHUNK_SIZE)):
        predictions = prediction_cells(classifier, scores, probabilities)
        for cells, text in zip(predictions, chunk, strict=True):
            print(*(one_line(cell(value)) for value in [*cells, text]), sep="\t")
    sys.stdout.flush()


def _waiting_lines(stream: io.BufferedReader) -> Iterator[list[str]]:
    """The lines of a stream as they arrive: all that are waiting, so that neither a person nor a large file waits."""
    rest = b""
    count = 0
    while block := stream.read1(_BLOCK_SIZE):
        *raws, rest = (rest + block).split(b"\n")
        yield [without_line_end(decode_line(raw, "standard input", count + place)) for place, raw in enumerate(raws, 1)]
        count += len(raws)
    if rest:
        yield [without_line_end(decode_line(rest, "standard input", count + 1))]


def _push(options: argparse.Namespace) -> None:
    from .hub import push

    print(
        push(
            options.folder,
            options.repo_id,
            private=options.private,
            token=options.token,
            revision=options.revision,
            commit_message=options.commit_message,
        )
    )
