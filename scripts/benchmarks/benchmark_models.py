#!/usr/bin/env python3
"""Train and measure classifiers on the same files, row by row, and write a table and a plot of them.

    python benchmark_models.py --data_dir NSMC --unlabeled raw.txt --output_dir out
    python benchmark_models.py --data_dir NSMC --output_dir out --rows fasttext tfidf --seeds 1 2 3 4 5
    python benchmark_models.py --dataset sample --output_dir out --rows fasttext classic --seeds 1

Rows are fastText, TF-IDF with logistic regression, the textbook LSTM loop, okt-lstm's recipes, the bundled model, and a
BERT-base with random weights, which is timed only. A second table shows what it takes to serve: speed, start-up, memory
and size of the bundled model in oktane, torch and onnxruntime, beside fastText and TF-IDF. fastText and onnxruntime
come with the extra `benchmark`, gensim for the recipes with `word-vectors`.

What is finished stays in --output_dir and is not done again, so you can continue a run that was stopped:

    choices/ROW.json           the options of a baseline that were tried on the validation set, and the chosen ones
    models/ROW-seed-N          a trained model; what `okt-lstm train --recipe` left there is used as it is
    stages/ROW                 the results of a recipe's stages before the last one, which its seeds share
    results/ROW-seed-N.json    accuracy, training seconds and size
    speed.json                 speed, start-up, memory; a `note` that you add to it is shown below the tables
    test_readings.jsonl        every reading of the test set: row, seed, accuracy, time
    table.md, models.png       the tables and the plot

To do something again, delete its file. Speeds are measured after the training, for all rows in one pass: each model is
loaded into a process of its own on one core, they take turns, and a rate is the median over the rounds, in CPU seconds.
The load of the machine is written down. A row whose result is there without its model is timed with a model that is as
fast (see `untrained_models.py`). Sizes of packages are those of this environment: install oktane and okt-lstm without
`-e`.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from baselines import BASELINES, Baseline, Predict, Rows
from models_plot import draw
from models_speed import measure_speed, model_files
from models_table import PUBLISHED, RECIPES, RELEASED, ROWS, make_table, read_json, read_lines, read_results
from one_core import MeasurementError

import okt_lstm
from okt_lstm.atomic import write_json, write_text
from okt_lstm.data.description import DataFile
from okt_lstm.data.options import DataOptions
from okt_lstm.data.splits import Splits, load_splits
from okt_lstm.training.run_recipe import STAGES_NAME
from oktane.folders import released_model


class BenchmarkError(Exception):
    """Something that was given can't be used, or a step failed; the message says what to do."""


class Benchmark:
    """The training and the results of the rows, in one folder.

    Args:
        folder: Where everything goes, and what is finished is found.
        data: The data set.
        unlabeled: Unlabeled text for the recipes: a file or `nsmc`.

    Raises:
        BenchmarkError: If the folder holds results of other data.
    """

    def __init__(self, folder: Path, data: DataOptions, unlabeled: str | None) -> None:
        self.folder = folder
        self.data = data
        self.unlabeled = unlabeled
        self.splits: Splits = load_splits(data)
        for name in ("models", "results", "choices"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        settings = json.loads(json.dumps({"rows": self.splits.description.rows, "files": self._files()}))
        file = folder / "settings.json"
        if file.exists() and read_json(file) != settings:
            raise BenchmarkError(f"{folder} holds results of other data (see {file}): name another --output_dir")
        write_json(file, settings)

    def _files(self) -> list[dict[str, Any]]:
        files = list(self.splits.description.files)
        if self.unlabeled and Path(self.unlabeled).is_file():
            files.append(DataFile.of("unlabeled", Path(self.unlabeled)))
        return [asdict(file) for file in files]

    def rows(self, split: str) -> Rows:
        """Return the texts and label ids of a split."""
        dataset = self.splits.datasets[split]
        return Rows(dataset["text"][:], dataset["label"][:])

    def model_folder(self, row: str, seed: int) -> Path:
        """Return where the row's model is, trained with a seed."""
        if row == RELEASED:
            return released_model()
        return self.folder / "models" / f"{row}-seed-{seed}"

    def run(self, row: str, seed: int) -> None:
        """Train a row with a seed, test it, and write its result, unless that is there already."""
        file = self.folder / "results" / f"{row}-seed-{seed}.json"
        if file.exists():
            return
        print(f"{datetime.now():%H:%M:%S} {row}, seed {seed}", file=sys.stderr, flush=True)
        folder = self.model_folder(row, seed)
        if row in BASELINES:
            result = self._run_baseline(row, BASELINES[row], folder, seed)
        elif row in RECIPES:
            result = self._run_recipe(row, folder, seed)
        else:
            classifier = okt_lstm.load(device="cpu")
            test = self.rows("test")
            result = {"accuracy": classifier.evaluate(test.texts, test.labels)["accuracy"], "seconds": None}
        if result["accuracy"] is not None:
            self._write_down({"row": row, "seed": seed, "accuracy": result["accuracy"]}, folder)
        size = sum(path.stat().st_size for path in model_files(row, folder))
        write_json(file, {"row": row, "seed": seed, **result, "megabytes": size / 1e6})

    def _write_down(self, reading: dict[str, Any], folder: Path) -> None:
        """Add a reading of the test set to the list."""
        # A recipe's run may have been finished long ago.
        found = folder / "test_results.json"
        when = datetime.fromtimestamp(found.stat().st_mtime if found.exists() else time.time(), UTC)
        with (self.folder / "test_readings.jsonl").open("a", encoding="utf-8") as readings:
            print(json.dumps(reading | {"when": when.isoformat(timespec="seconds")}), file=readings)

    def _run_baseline(self, row: str, baseline: Baseline, folder: Path, seed: int) -> dict[str, Any]:
        train, validation = self.rows("train"), self.rows("validation")
        options = baseline.grid[0]
        if len(baseline.grid) > 1:
            options = self._choose(row, baseline, train, validation)
            # The choice is made, so the rows that it was made by can be trained on.
            train = Rows(train.texts + validation.texts, train.labels + validation.labels)
        seconds = _timed(lambda: baseline.train(train, validation, _emptied(folder), seed, **options))
        if not baseline.trained:
            return {"accuracy": None, "seconds": None}
        return {"accuracy": _accuracy(baseline.load(folder), self.rows("test")), "seconds": seconds}

    def _choose(self, row: str, baseline: Baseline, train: Rows, validation: Rows) -> dict[str, Any]:
        """Return the options that are best on the validation set, each tried with one seed."""
        file = self.folder / "choices" / f"{row}.json"
        if not file.exists():
            tried = []
            folder = self.folder / "models" / f"{row}-tried"
            for options in baseline.grid:
                baseline.train(train, validation, _emptied(folder), 0, **options)
                tried.append({"options": options, "accuracy": _accuracy(baseline.load(folder), validation)})
                print(f"{row} {tried[-1]}", file=sys.stderr, flush=True)
            shutil.rmtree(folder)
            chosen = max(tried, key=lambda trial: trial["accuracy"])["options"]
            write_json(file, {"chosen": chosen, "tried": tried})
        chosen_options: dict[str, Any] = read_json(file)["chosen"]
        return chosen_options

    def _run_recipe(self, row: str, folder: Path, seed: int) -> dict[str, Any]:
        """Train a recipe with the command line. All seeds share the stages before the last one."""
        if not (folder / STAGES_NAME).is_file():
            flags = {"recipe": row, "seed": seed, "output_dir": _emptied(folder), "unlabeled": self.unlabeled}
            flags["stages_dir"] = self.folder / "stages" / row
            defaults = DataOptions()
            flags |= {name: value for name, value in asdict(self.data).items() if value != getattr(defaults, name)}
            words = [word for name, value in flags.items() if value is not None for word in (f"--{name}", str(value))]
            _command([sys.executable, "-m", "okt_lstm", "train", *words])
        seconds = sum(read_json(folder / STAGES_NAME)["seconds"].values())
        return {"accuracy": read_json(folder / "test_results.json")["test_accuracy"], "seconds": seconds}

    def measure_speed(self, rounds: int, seconds: float, starts: int) -> None:
        """Measure what has a result, unless that is done."""
        models = {row: self.model_folder(row, runs[0]["seed"]) for row, runs in read_results(self.folder).items()}
        measure_speed(self.folder, models, self.rows, rounds, seconds, starts)

    def write_report(self) -> str:
        """Write table.md and models.png, and return the tables' text."""
        description = self.splits.description
        table = make_table(self.folder, description.name, description.rows)
        write_text(self.folder / "table.md", table)
        draw(read_lines(self.folder), PUBLISHED, self.folder / "models.png")
        return table


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _accuracy(predict: Predict, rows: Rows) -> float:
    return float(np.mean(predict(rows.texts) == np.asarray(rows.labels)))


def _timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _command(words: Sequence[str]) -> None:
    code = subprocess.run(words, stdout=subprocess.DEVNULL).returncode
    if code:
        raise BenchmarkError(f"`{' '.join(words[1:])}` ended with exit code {code}")


def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="nsmc", help="what to train on (default: %(default)s)")
    parser.add_argument("--data_dir", help="with nsmc: the folder of ratings_train.txt and ratings_test.txt")
    parser.add_argument("--unlabeled", help="unlabeled text for the recipes: a file, or nsmc")
    parser.add_argument("--output_dir", type=Path, default=Path("out"), help="(default: %(default)s)")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), help="(default: all)")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3], help="(default: 1 2 3)")
    parser.add_argument("--rounds", type=int, default=7, help="turns of a speed measurement (default: %(default)s)")
    parser.add_argument("--turn", type=float, default=4.0, help="seconds of a turn (default: %(default)s)")
    parser.add_argument("--starts", type=int, default=7, help="starts of each process (default: %(default)s)")
    parser.add_argument("--max_train_samples", type=int, help="use this many training rows, to try things out")
    parser.add_argument("--max_predict_samples", type=int, help="use this many test rows, to try things out")
    options = parser.parse_args()
    limits = {"max_train_samples": options.max_train_samples, "max_predict_samples": options.max_predict_samples}
    data = DataOptions(dataset=options.dataset, data_dir=options.data_dir, **limits)
    try:
        benchmark = Benchmark(options.output_dir, data, options.unlabeled)
        for row in options.rows:
            varies = row in RECIPES or (row in BASELINES and BASELINES[row].random)
            for seed in options.seeds if varies else options.seeds[:1]:
                benchmark.run(row, seed)
        benchmark.measure_speed(options.rounds, options.turn, options.starts)
        print(benchmark.write_report())
    except (BenchmarkError, MeasurementError, OSError, ValueError, ImportError) as error:
        print(f"benchmark_models: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
