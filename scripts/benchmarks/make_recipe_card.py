#!/usr/bin/env python3
"""Write the card of a recipe from runs with several seeds, with what they get wrong on the test set.

    python make_recipe_card.py out/best-seed-1 out/best-seed-2 out/best-seed-3 --output model_cards/best

A run is a folder that `okt-lstm train --recipe` left. Its model predicts the test set once more. If the accuracy
differs from the one that was measured at the end of the training, that is an error. The speed is measured on one core:
let nothing else run on the machine meanwhile.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from benchmark_okt import machine
from models_speed import model_files
from numpy.typing import NDArray
from one_core import Contender, MeasurementError, measure_rates
from transformers import PreTrainedTokenizerBase
from transformers.utils import logging

import okt_lstm
import oktane
from okt_lstm.atomic import replacing_folder, write_text
from okt_lstm.data.options import DATA_ARGUMENTS_NAME, DataOptions
from okt_lstm.data.splits import load_test_split
from okt_lstm.inference.classifier import Classifier
from okt_lstm.reports.error_analysis import accuracy_by, calibrate, confident_errors, fragment_share
from okt_lstm.reports.plots import plot_confusion_matrix, plot_reliability
from okt_lstm.reports.recipe_card import RecipeFigures, build_recipe_card
from okt_lstm.reports.trained_model import CARD_NAME, TrainedModel
from okt_lstm.training.run_recipe import RECIPE_NAME, STAGES_NAME
from oktane import chunks
from oktane.folders import UnsupportedError

LENGTHS = (5, 10, 20, 40)
SHARES = (0, 0.1, 0.2, 0.4)
# In the accuracy, by other kernels or another processor.
LARGEST_CHANGE = 0.0005


class CardError(Exception):
    """A card can't be written from these runs; the message says why."""


class Run(NamedTuple):
    """What a run predicts on the test set.

    Attributes:
        seed: Its seed, as text.
        classifier: Its model.
        probabilities: `(rows, labels)`.
        lengths: How many tokens of each text are read, `(rows,)`.
        fragments: Each text's share of tokens without meaning, `(rows,)`; see `okt_lstm.reports.error_analysis`.
        scores: Figures for the card.
    """

    seed: str
    classifier: Classifier
    probabilities: NDArray[np.float32]
    lengths: NDArray[np.int64]
    fragments: NDArray[np.float64]
    scores: dict[str, float]


def data_arguments(folder: Path, given: dict[str, str | None]) -> DataOptions:
    """Return the data that a run was tested on; options that are given replace the recorded ones."""
    names = {field.name for field in fields(DataOptions)}
    recorded = read_json(folder / DATA_ARGUMENTS_NAME)
    arguments = DataOptions(**{name: value for name, value in recorded.items() if name in names})
    return replace(arguments, **{name: value for name, value in given.items() if value is not None})


def analyze(folder: Path, seed: str, texts: Sequence[str], references: NDArray[np.int64], labels: list[str]) -> Run:
    """Let a run predict the test set.

    Raises:
        CardError: If its labels or its accuracy are not what they should be.
    """
    classifier = okt_lstm.load(folder, device="cpu")
    if classifier.labels != labels:
        raise CardError(f"{folder}: the labels are {classifier.labels}, but those of the first run {labels}")
    tested, validated = read_json(folder / "test_results.json"), read_json(folder / "eval_results.json")
    probabilities = classifier.predict_proba(texts)
    accuracy = float(np.mean(probabilities.argmax(axis=1) == references))
    if abs(accuracy - tested["test_accuracy"]) > LARGEST_CHANGE:
        raise CardError(
            f"{folder}: the accuracy on the test set is {accuracy:.4f} now, but was {tested['test_accuracy']:.4f} when "
            "the run was tested: is this the data that it was tested on?"
        )
    scores = {"validation accuracy": validated["eval_accuracy"]}
    scores |= {name: tested[f"test_{name}"] for name in ("accuracy", "f1_macro", "loss")}
    scores["calibration error"] = calibrate(probabilities, references).error
    lengths, fragments = tokens_of(classifier.tokenizer, texts)
    return Run(seed, classifier, probabilities, lengths, fragments, scores)


def tokens_of(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return for each text the number of tokens that are read, and the share of them without meaning."""
    lengths, fragments = [], []
    mark = getattr(tokenizer, "word_mark", None)
    for chunk in chunks(texts, 1000):
        batch = tokenizer(chunk, truncation=True)
        for row in range(len(chunk)):
            tokens = batch.tokens(row)
            lengths.append(len(tokens))
            fragments.append(fragment_share(tokens, batch.word_ids(row), tokenizer.unk_token, mark))
    return np.array(lengths), np.array(fragments)


def trained_model(folder: Path) -> TrainedModel:
    """Return what a run's card says about it."""
    return TrainedModel.from_json(read_json(folder / CARD_NAME))


def write_card(folders: Sequence[Path], options: argparse.Namespace) -> str:
    """Analyze the runs, write the card with its pictures, and return a line about them."""
    cards = [trained_model(folder) for folder in folders]
    seeds = [str(card.hyperparameters["seed"]) for card in cards]
    if len(set(seeds)) != len(seeds):
        raise CardError(f"{len(folders)} runs, but the seeds {', '.join(seeds)}: each run needs its own")
    recipes = [read(folder / RECIPE_NAME) for folder in folders]
    for (before, one), (after, other) in pairwise(zip(folders, recipes, strict=True)):
        if one != other:
            raise CardError(f"{before} and {after} come from different recipes: their {RECIPE_NAME} differ")
    # Later runs find the predictions of the teachers in a cache.
    seconds = read_json(folders[0] / STAGES_NAME)["seconds"]

    first = okt_lstm.load(folders[0], device="cpu")
    given = {"data_dir": options.data_dir}
    splits = load_test_split(data_arguments(folders[0], given), first.problem_type, first.labels, trained_on=True)
    texts = splits.datasets["test"]["text"][:]
    references = np.array(splits.datasets["test"]["label"][:])
    runs = [analyze(folder, seed, texts, references, first.labels) for folder, seed in zip(folders, seeds, strict=True)]
    contender = Contender(engine_of(folders[0]), folders[0])
    rates = measure_rates({"recipe": contender}, texts, options.rounds, options.turn)["recipe"]

    every_reference = np.tile(references, len(runs))
    probabilities = np.concatenate([run.probabilities for run in runs])
    guesses = probabilities.argmax(axis=1)
    right = guesses == every_reference
    lengths = np.concatenate([run.lengths for run in runs])
    fragments = np.concatenate([run.fragments for run in runs])
    mean = np.mean([run.probabilities for run in runs], axis=0)  # (rows, labels)
    errors = [
        (texts[row], first.labels[references[row]], first.labels[mean[row].argmax()], float(mean[row].max()))
        for row in confident_errors(mean, references, options.examples)
    ]
    with replacing_folder(options.output) as output:
        plot_confusion_matrix(every_reference, guesses, first.labels, output / "confusion_matrix.png")
        plot_reliability(calibrate(probabilities, every_reference), output / "reliability.png")
        card = build_recipe_card(
            cards[0],
            RecipeFigures(
                name=options.name or options.output.resolve().name,
                stages=recipes[0],
                seconds=seconds,
                runs={run.seed: run.scores for run in runs},
                rate=statistics.median(rates),
                megabytes=sum(file.stat().st_size for file in model_files("recipe", folders[0])) / 1e6,
                machine=machine(),
                groups={
                    "tokens": accuracy_by(lengths, right, LENGTHS),
                    "unknown tokens, bytes, and single characters of a morpheme": accuracy_by(
                        fragments, right, SHARES, "{:.0%}"
                    ),
                },
                errors=errors,
                pictures={
                    "confusion_matrix.png": "Confusion matrix of the test split, all seeds together",
                    "reliability.png": "How often predictions of each confidence are right, all seeds together",
                },
            ),
        )
        write_text(output / "README.md", card.content)
    accuracies = [run.scores["accuracy"] for run in runs]
    return f"{options.output}: accuracy {statistics.mean(accuracies):.4f} over the seeds {', '.join(seeds)}"


def read(path: Path) -> str:
    """Return the text of a file that a run left."""
    if not path.is_file():
        raise CardError(f"{path.parent} is not a finished run of `okt-lstm train --recipe`: it has no {path.name}")
    return path.read_text(encoding="utf-8")


def read_json(path: Path) -> Any:
    """Return the content of a JSON file that a run left."""
    return json.loads(read(path))


def engine_of(folder: Path) -> str:
    """Return what `okt_lstm.load` runs a folder's model by: `oktane`, or `torch` for what that can't run."""
    try:
        oktane.load(folder)
    except UnsupportedError:
        return "torch"
    return "oktane"


def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, help="what `okt-lstm train --recipe` left, one run per seed")
    parser.add_argument("--output", type=Path, required=True, help="the folder of the card; an older one is replaced")
    parser.add_argument("--name", help="the model's name in the card (default: the folder's)")
    parser.add_argument("--data_dir", help="the folder of the data (default: as in training)")
    parser.add_argument("--examples", type=int, default=10, help="wrong predictions to show (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of the speed measurement (default: %(default)s)")
    parser.add_argument("--turn", type=float, default=4.0, help="seconds of a turn (default: %(default)s)")
    options = parser.parse_args()
    logging.disable_progress_bar()
    try:
        print(write_card(options.runs, options))
    except (CardError, MeasurementError, OSError, ValueError) as error:
        print(f"make_recipe_card: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
