"""`okt-lstm evaluate`."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import get_type_hints

from oktane.lines import counted, escaped

from ..atomic import FileError, replacing
from ..data.options import DATA_ARGUMENTS_NAME, READING_OPTIONS, DataOptions
from ..training.parsing import CommandParser
from ..training.renamed import current_options
from ..training.values import typed
from .data_options import add_data_options, given_options
from .model_options import add_model_options, load_model
from .paths import check_paths

SUMMARY = "Measure a model on the test split of what it was trained on, or on other data; print JSON."


def evaluate(argv: Sequence[str]) -> None:
    """Run `okt-lstm evaluate` with these words."""
    parser = CommandParser(
        "okt-lstm evaluate",
        SUMMARY,
        ("okt-lstm evaluate out", "okt-lstm evaluate out --dataset other.csv --output scores.json"),
        "[FOLDER|HUB_ID] [options]",
    )
    parser.add_argument(
        "model", nargs="?", metavar="FOLDER|HUB_ID", help="the model (default: the one inside okt-lstm)"
    )
    parser.add_argument("--output", metavar="FILE", help="write the JSON to this file, too")
    data = parser.add_argument_group("data (default: the test split of what the model was trained on)")
    names = [name for name in READING_OPTIONS if name != "problem_type"]
    add_data_options(data, ("dataset", *names, "text_pair_column"))
    # As in `predict`.
    parser.add_argument("--model", dest="named_model", help=argparse.SUPPRESS)
    data.add_argument("--max_predict_samples", metavar="N", type=int, help="evaluate on N rows, drawn at random")
    add_model_options(parser)
    options = parser.parse_words(argv)
    if options.model and options.named_model:
        parser.error(f"name one model, {options.model} or {options.named_model}")
    options.model = options.model or options.named_model
    given = ("dataset", "data_dir", "output") if options.dataset else ("output",)
    check_paths({name: vars(options)[name] for name in given})
    if sys.stdout is None and not options.output:
        raise FileError("standard output is closed: name a file with --output")
    classifier = load_model(options)
    import datasets

    from ..data.splits import load_test_split, texts_of

    datasets.logging.set_verbosity_error()
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    data_options = _data_options(options)
    if options.dataset is None:
        check_paths({"dataset": data_options.dataset})
    with replacing(options.output) if options.output else nullcontext() as file:
        splits = load_test_split(
            data_options, classifier.problem_type, classifier.labels, trained_on=options.dataset is None
        )
        test, name = splits.datasets["test"], splits.description.name
        print(f"Evaluating on {counted(len(test), 'row')} of {escaped(name)}", file=sys.stderr)
        if classifier.text_pair != ("text_pair" in test.column_names):
            wanted = "two texts: name the second ones with" if classifier.text_pair else "single texts: leave out"
            raise ValueError(f"the model reads {wanted} --text_pair_column")
        scores = classifier.evaluate(texts_of(test), test["label"][:])
        report = json.dumps({"dataset": name, "rows": len(test), **scores}, ensure_ascii=False, indent=2)
        if file:
            file.write(f"{report}\n".encode())
    print(report)


def _data_options(options: argparse.Namespace) -> DataOptions:
    """Return the data that the options name, or else what the model says that it was trained on."""
    from oktane.folders import released_model

    from ..hub import model_file

    names = [field.name for field in dataclasses.fields(DataOptions)]
    given = given_options(options)
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
