"""The command `okt-lstm`: arguments in, one call out.

What a command needs is imported when it is needed, so that help, the version and mistakes are answered at once.

Exit codes: 0 done; 1 something given can't be used (a line on standard error says what, where and what to do); 2 wrong
usage; 130 interrupted; 141 the reader of standard output went away.
"""

from __future__ import annotations

import argparse
import dataclasses
import glob
import io
import json
import logging
import os
import platform
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from oktane.lines import escaped, replace_closed_streams
from oktane.model_options import clean_up_on_sigterm
from oktane.paths import find_files
from oktane.table_options import add_output_encoding, add_table_options, check_table_options, read_options

from .atomic import FileError, replacing, target_path
from .data.options import DATA_ARGUMENTS_NAME, EVALUATE_OPTIONS, FORMATS, DataOptions, is_local
from .training.commands import COMMANDS as TRAINING_COMMANDS
from .training.commands import ENCODER, PRETRAIN, TRAIN, WORD_VECTORS
from .training.commands import Command as TrainingCommand
from .training.parsing import CommandParser, parse, suggest
from .training.renamed import current_command, current_options
from .training.values import typed

if TYPE_CHECKING:
    from .inference.classifier import Classifier

_SUMMARIES = {
    **{command.name: command.summary for command in TRAINING_COMMANDS.values()},
    "evaluate": "Measure a model on the test split of what it was trained on, or on other data; print JSON.",
    "predict": "Label texts: arguments, the rows of a file, or the lines of standard input as they arrive.",
    "push": "Upload a trained folder to the Hugging Face Hub.",
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
    loggers = [logging.getLogger(name) for name in (__package__, "oktane")]
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
    commands = {
        "train": _train,
        "pretrain": _pretrain,
        "word-vectors": _word_vectors,
        "train-encoder": _train_encoder,
        "evaluate": _evaluate,
        "predict": _predict,
        "push": _push,
    }
    name = current_command(argv[0]) if argv else ""
    if name in commands:
        return commands[name]
    parser = CommandParser(
        "okt-lstm",
        "Train, evaluate, use and share text classifiers for Korean.\n\ncommands:\n"
        + "\n".join(f"  {name:14}{summary}" for name, summary in _SUMMARIES.items()),
        ["okt-lstm train --dataset reviews.csv --output_dir out", "okt-lstm predict --model out 재미있다"],
        "COMMAND [options]",
    )
    parser.add_argument("--version", action="store_true", help="show the versions of what okt-lstm runs on, and exit")
    if name and not name.startswith("-"):
        parser.error(
            f"there is no command {name!r}{suggest(name, commands, with_aliases=False)}: {', '.join(commands)}"
        )
    if not parser.parse_words(argv).version:
        parser.error(f"name a command: {', '.join(commands)}")
    print("\n".join(_versions()))
    sys.exit(0)


def _versions() -> Iterator[str]:
    """Yield what to report with a bug: the versions of the packages and of Python, and what the processor can do."""
    for package in ("okt-lstm", "oktane", "torch", "transformers"):
        try:
            yield f"{package} {version(package)}"
        except PackageNotFoundError:
            yield f"{package} (not installed)"
    yield f"Python {platform.python_version()}"
    features = {
        "avx512f": "AVX-512",
        "avx2": "AVX2",
        "avx512_bf16": "bf16",
        "amx_bf16": "AMX",
        "asimd": "NEON",
        "bf16": "bf16",
    }
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    flags = next((line.split() for line in lines if line.lower().startswith(("flags", "features"))), [])
    found = list(dict.fromkeys(name for flag, name in features.items() if flag in flags))
    yield f"{platform.system()} {platform.machine()} {', '.join(found)}".rstrip()


# Training


def _train(argv: Sequence[str]) -> None:
    result = _train_by_recipe(TRAIN, argv)
    _print_result({"folder": str(result.folder), **result.metrics})


def _train_encoder(argv: Sequence[str]) -> None:
    result = _train_by_recipe(ENCODER, argv)
    _print_result(dataclasses.asdict(result) | {"folder": str(result.folder)})


def _train_by_recipe(command: TrainingCommand, argv: Sequence[str]) -> Any:
    """Run `train` or `train-encoder`, by a recipe if one is named, and return its result."""
    options = parse(command, argv)
    recipe_name, stages_dir = options.pop("recipe", None), options.pop("stages_dir", None)
    if recipe_name is None and stages_dir is not None:
        raise ValueError("--stages_dir goes with --recipe: add that, or leave this out")
    # A recipe may name data of its own.
    needs_data = command is TRAIN and recipe_name is None
    _check_paths({"dataset": "nsmc"} | options if needs_data else options)
    recipe = None
    if recipe_name is not None:
        from .training.recipe import read_recipe

        recipe = read_recipe(recipe_name, command.name)
    _use_granted_cores()
    from .training.run_recipe import run_command, run_recipe

    return run_command(command.name, options) if recipe is None else run_recipe(recipe, options, stages_dir)


def _pretrain(argv: Sequence[str]) -> None:
    options = parse(PRETRAIN, argv)
    _check_paths(options)
    _use_granted_cores()
    from .training.parts import PretrainParts, build
    from .training.pretrain import pretrain

    result = pretrain(build(PretrainParts, options))
    _print_result(dataclasses.asdict(result) | {"folder": str(result.folder)})


def _word_vectors(argv: Sequence[str]) -> None:
    options = parse(WORD_VECTORS, argv)
    _check_paths(options)
    if find_spec("gensim") is None:
        raise ImportError("training word vectors needs gensim: pip install gensim")
    from .training.parts import WordVectorParts, build
    from .training.word_vectors import train_word_vectors

    parts = build(WordVectorParts, options)
    clean_up_on_sigterm()
    _print_result(dataclasses.asdict(train_word_vectors(parts)))


def _print_result(result: dict[str, Any]) -> None:
    """Print what a command returns as JSON. Under torchrun every process is here, and the first one prints."""
    if os.environ.get("RANK", "0") == "0":
        print(json.dumps(result, ensure_ascii=False, indent=2))


def _check_paths(options: dict[str, Any]) -> None:
    """Answer a mistyped path before seconds of imports. What the files hold is looked at later.

    Raises:
        FileError: If a file is missing, or the folder of an output file.
        FileExistsError: If the output folder holds an earlier run.
        LoadError: If there is no such model, or no such data set.
        NotADirectoryError: If the output folder is a file.
    """
    for name in ("embeddings", "user_dictionary"):
        path = options.get(name)
        if path is not None and not Path(path).expanduser().exists():
            raise FileError(f"{path}: no such file (--{name})")
    for name in ("validation_file", "test_file", "unlabeled", "input"):
        files = options.get(name)
        if files is not None and not (name == "unlabeled" and files in ("nsmc", ["nsmc"])):
            try:
                find_files(files)
            except FileError as exception:
                raise FileError(f"{exception} (--{name})") from None
    dataset, data_dir = options.get("dataset"), options.get("data_dir")
    if dataset == "nsmc" and data_dir is not None and not Path(data_dir).expanduser().is_dir():
        raise FileError(f"{data_dir}: no such folder (--data_dir)")
    if dataset is not None and is_local(dataset) and not Path(dataset).expanduser().exists():
        if not glob.has_magic(dataset):
            raise FileError(f"{dataset}: no such file or folder (--dataset)")
        find_files(dataset)
    if options.get("output") is not None:
        target_path(options["output"])
    if "output_dir" in options and not options.get("resume_from_checkpoint"):
        from .training.output_folder import refuse_overwrite

        refuse_overwrite(Path(options["output_dir"]), overwrite=options.get("overwrite_output_dir", False))
    if dataset is not None and dataset not in ("nsmc", "sample") and not is_local(dataset):
        from .hub import check_dataset

        check_dataset(dataset)
    teachers = options.get("teacher", [])
    models = [("teacher", name) for name in ([teachers] if isinstance(teachers, str) else teachers)]
    models += [(name, options[name]) for name in ("pretrained", "tokenizer") if name in options]
    for option, name in models:
        from .hub import LoadError, model_file

        try:
            model_file(name, "config.json", None, None)
        except LoadError as exception:
            raise LoadError(f"--{option}: {exception}") from None


def _use_granted_cores() -> None:
    """Limit torch to the container's cores unless OMP_NUM_THREADS is set."""
    if "OMP_NUM_THREADS" in os.environ:
        return
    import torch

    from oktane import available_cores

    cores = available_cores()
    if torch.get_num_threads() > cores:
        torch.set_num_threads(cores)


# Trained models


def _parser(name: str, usage: str, *examples: str) -> CommandParser:
    return CommandParser(f"okt-lstm {name}", _SUMMARIES[name], examples, usage)


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("model")
    group.add_argument("--revision", metavar="NAME", help="branch, tag or commit of a model on the Hub")
    group.add_argument("--token", help="Hub token for a private model (default: that of `hf auth login`)")
    group.add_argument("--device", help="where to run, such as cpu or cuda:1 (default: cpu if oktane runs the model)")
    group.add_argument(
        "--engine",
        choices=("auto", "oktane", "torch"),
        default="auto",
        help="what runs the model: oktane is fast on a CPU, torch runs everything (default: oktane if it can)",
    )
    group.add_argument("--max_length", metavar="N", type=int, help="cut texts after N tokens (default: as in training)")


def _load(options: argparse.Namespace) -> Classifier:
    """Load the model that the options name."""
    if not sys.stderr.isatty():
        # For huggingface_hub, which is imported only for a model on the Hub.
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    from .inference.loading import load

    return load(options.model, options.revision, options.token, options.device, options.max_length, options.engine)


def _evaluate(argv: Sequence[str]) -> None:
    parser = _parser(
        "evaluate",
        "[FOLDER|HUB_ID] [options]",
        "okt-lstm evaluate out",
        "okt-lstm evaluate out --dataset other.csv --output scores.json",
    )
    parser.add_argument(
        "model", nargs="?", metavar="FOLDER|HUB_ID", help="the model (default: the one inside okt-lstm)"
    )
    parser.add_argument("--output", metavar="FILE", help="write the JSON to this file, too")
    data = parser.add_argument_group("data (default: the test split of what the model was trained on)")
    for name in EVALUATE_OPTIONS:
        metadata = DataOptions.__dataclass_fields__[name].metadata
        data.add_argument(f"--{name}", metavar=metadata.get("metavar"), help=metadata["help"])
    # As in `predict`.
    parser.add_argument("--model", dest="named_model", help=argparse.SUPPRESS)
    data.add_argument("--max_predict_samples", metavar="N", type=int, help="evaluate on N rows, drawn at random")
    _add_model_options(parser)
    options = parser.parse_words(argv)
    if options.model and options.named_model:
        parser.error(f"name one model, {options.model} or {options.named_model}")
    options.model = options.model or options.named_model
    names = ("dataset", "data_dir", "output") if options.dataset else ("output",)
    _check_paths({name: vars(options)[name] for name in names})
    if sys.stdout is None and not options.output:
        raise FileError("standard output is closed: name a file with --output")
    classifier = _load(options)
    import datasets

    from .data.splits import load_test_split

    datasets.logging.set_verbosity_error()
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    data_options = _data_options(options)
    if options.dataset is None:
        _check_paths({"dataset": data_options.dataset})
    with replacing(options.output) if options.output else nullcontext() as file:
        splits = load_test_split(
            data_options, classifier.problem_type, classifier.labels, trained_on=options.dataset is None
        )
        test, name = splits.datasets["test"], splits.description.name
        print(f"Evaluating on {len(test):,} rows of {escaped(name)}", file=sys.stderr)
        scores = classifier.evaluate(test["text"][:], test["label"][:])
        report = json.dumps({"dataset": name, "rows": len(test), **scores}, ensure_ascii=False, indent=2)
        if file:
            file.write(f"{report}\n".encode())
    print(report)


def _data_options(options: argparse.Namespace) -> DataOptions:
    """Return the data that the options name, or else what the model says that it was trained on."""
    from oktane.folders import released_model

    from .hub import model_file

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
        recorded = current_options(json.loads(file.read_text(encoding="utf-8")))
        recorded = {name: value for name, value in recorded.items() if name in names}
        # A folder of the machine that trained. Without it, NSMC is downloaded.
        if recorded.get("dataset") == "nsmc" and not Path(recorded.get("data_dir", "")).is_dir():
            del recorded["data_dir"]
        return DataOptions(**typed(recorded, get_type_hints(DataOptions)) | given)
    except (ValueError, AttributeError, TypeError, RecursionError) as exception:
        raise FileError(f"{file} is damaged ({exception}); name the data with --dataset") from None


def _predict(argv: Sequence[str]) -> None:
    parser = _parser(
        "predict",
        "[TEXT ...] [options]",
        "okt-lstm predict 연기도 연출도 최고였다",
        "okt-lstm predict --model out --input reviews.csv --output labels.csv",
    )
    parser.description = f"""{parser.description}

Each text gives a line of fields separated by tabs: label, probability, text. With --probabilities,
or a model that gives several labels to a text, the probabilities of all labels follow, in the order
of the model's labels; a regression model gives number, text. Tabs and line ends inside a text are
written as blanks. A file given as --output has the rows of --input with the columns label and
probability (predicted_label and predicted_probability, if it has such columns already); a txt file
has only the labels, one a line."""
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="a text to label")
    parser.add_argument(
        "--model", metavar="FOLDER|HUB_ID", help="the model (default: the one inside okt-lstm, for movie reviews)"
    )
    add_table_options(parser, FORMATS)
    parser.add_argument("--output", metavar="FILE", help="write the rows with their labels to this file")
    add_output_encoding(parser)
    parser.add_argument("--probabilities", action="store_true", help="give the probability of every label")
    _add_model_options(parser)
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
    _check_paths({"input": options.input, "output": options.output})
    if sys.stdout is None and not options.output:
        raise FileError("standard output is closed: name files with --input and --output")
    if sys.stdin is None and not options.texts and not options.input:
        raise FileError("standard input is closed: give texts as arguments, or a file with --input")
    classifier = _load(options)
    from oktane.files import print_file, print_predictions
    from oktane.lines import read_blocks

    from .inference.files import predict_file

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


def _push(argv: Sequence[str]) -> None:
    parser = _parser(
        "push",
        "FOLDER REPO_ID [options]",
        "okt-lstm push out kim/film-reviews",
        "okt-lstm push out kim/film-reviews --private",
    )
    parser.add_argument("folder", metavar="FOLDER", help="the --output_dir of `okt-lstm train`")
    parser.add_argument(
        "repo_id", metavar="REPO_ID", help="owner/name of the repository; it is created if it is missing"
    )
    parser.add_argument("--private", action="store_true", help="make the repository private")
    parser.add_argument("--revision", metavar="BRANCH", help="branch to push to")
    parser.add_argument("--commit_message", metavar="TEXT", help="message of the commit")
    parser.add_argument("--token", help="Hub token with write access (default: that of `hf auth login`)")
    parser.add_argument(
        "--include",
        metavar="NAME",
        nargs="+",
        default=(),
        help="push these files of the folder, too; see docs/sharing.md",
    )
    options = parser.parse_words(argv)
    from .hub import push

    print(push(**vars(options)))
