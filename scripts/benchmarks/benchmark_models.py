#!/usr/bin/env python3
"""Trains and measures classifiers on the same files, row by row, and writes a table and a picture of them.

    python benchmark_models.py --data_dir NSMC --unlabeled NSMC/raw_unlabelled.txt.xz --output_dir out
    python benchmark_models.py --data_dir NSMC --output_dir out --rows fasttext tfidf --seeds 1 2 3 4 5
    python benchmark_models.py --dataset sample --output_dir out --rows fasttext classic --seeds 1

Rows are fastText, TF-IDF with logistic regression, the textbook LSTM loop, okt-lstm's recipes, the model inside the
package, and a BERT-base of random weights, which is timed only. fastText needs `pip install "okt-lstm[benchmark]"`.

What is finished stays in --output_dir and is not done again, so a run that was stopped goes on where it was:

    choices/ROW.json           the options of a baseline that were tried on the validation rows, and the chosen ones
    models/ROW-seed-N          a trained model; one that `okt-lstm train --recipe` left there is taken as it is
    stages/ROW                 what a recipe's stages before the last one left, which its seeds share
    results/ROW-seed-N.json    its accuracy, training seconds and size
    speed.json                 how many reviews a second each row classifies; a `note` written into it is shown, too
    test_readings.jsonl        every reading of the test set: row, seed, accuracy, when
    table.md, models.png       what is to be shown

To do something again, delete its file. The speeds are taken after the training, of all rows in one pass: each model is
loaded into a process of its own on one core, they take turns, and a rate is the median over the rounds. Let nothing
else run on the machine meanwhile.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from baselines import BASELINES, Baseline, Predict, Rows
from benchmark_okt import machine
from matplotlib import ticker
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from one_core import MeasurementError, measure_rates

import okt_lstm
from okt_lstm.data.description import DataFile
from okt_lstm.data.options import DataOptions
from okt_lstm.data.splits import Splits, load_splits
from okt_lstm.inference.loading import released_model
from okt_lstm.training.run_recipe import STAGES_NAME

RECIPES = ("classic", "fast", "best")
RELEASED = "released"
ROWS = ("fasttext", "tfidf", "textbook", *RECIPES, RELEASED, "bert")
TITLES = {name: baseline.title for name, baseline in BASELINES.items()}
TITLES |= {name: f"okt-lstm, recipe `{name}`" for name in RECIPES}
TITLES |= {RELEASED: "okt-lstm, the model inside the package"}

PACKAGES = ("okt-lstm", "torch", "transformers", "scikit-learn", "fasttext-community")
# What a model's folder holds for prediction; the rest of it tells of its training, or lets the Hub run it.
MODEL_FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "user_dictionary.txt")


class Published(NamedTuple):
    """What others report of a model on the same test set: its name, its accuracies in percent, its size in MB."""

    name: str
    accuracies: tuple[float, ...]
    megabytes: int


# From the tables of github.com/monologg/KoELECTRA and github.com/Beomi/KcELECTRA; trained on the official file.
PUBLISHED = (
    Published("DistilKoBERT", (88.41, 88.60), 108),
    Published("KoELECTRA-small-v3", (89.36,), 54),
    Published("KoBERT", (89.59, 89.63), 351),
    Published("KcBERT-base", (89.62,), 417),
    Published("KcELECTRA-base", (91.97,), 475),
)


class BenchmarkError(Exception):
    """Something that was given can't be used, or a step failed; the message says what to do."""


# ---- training -------------------------------------------------------------------------------------------------------


class Benchmark:
    """The rows' training and results, in one folder.

    Args:
        folder: Where everything goes, and what is finished is found.
        data: The data set.
        unlabeled: The text without labels that recipes may learn from; a file or `nsmc`.

    Raises:
        BenchmarkError: If the folder holds results of other data.
    """

    def __init__(self, folder: Path, data: DataOptions, unlabeled: str | None) -> None:
        self.folder = folder
        self.data = data
        self.unlabeled = unlabeled
        self.splits: Splits = load_splits(data)
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
        """The texts and label ids of a split."""
        dataset = self.splits.datasets[split]
        return Rows(dataset["text"][:], dataset["label"][:])

    def model_folder(self, row: str, seed: int) -> Path:
        """Where the row's model is, trained with a seed."""
        if row == RELEASED:
            return released_model()
        return self.folder / "models" / f"{row}-seed-{seed}"

    def run(self, row: str, seed: int) -> None:
        """Train a row with a seed, test it, and write its result; nothing if that is there already."""
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
        size = sum(path.stat().st_size for path in model_files(row, folder))
        if result["accuracy"] is not None:
            reading = {"row": row, "seed": seed, "accuracy": result["accuracy"]}
            found = folder / "test_results.json"  # of a run that may be finished for long
            when = datetime.fromtimestamp(found.stat().st_mtime if found.exists() else time.time(), UTC)
            reading["when"] = when.isoformat(timespec="seconds")
            with (self.folder / "test_readings.jsonl").open("a", encoding="utf-8") as readings:
                print(json.dumps(reading), file=readings)
        write_json(file, {"row": row, "seed": seed, **result, "megabytes": size / 1e6})

    def _run_baseline(self, row: str, baseline: Baseline, folder: Path, seed: int) -> dict[str, Any]:
        train, validation = self.rows("train"), self.rows("validation")
        options = self._choose(row, baseline, train, validation) if len(baseline.grid) > 1 else baseline.grid[0]
        if len(baseline.grid) > 1:  # what the options were chosen by is free for training now
            train = Rows(train.texts + validation.texts, train.labels + validation.labels)
        seconds = _timed(lambda: baseline.train(train, validation, _emptied(folder), seed, **options))
        if not baseline.trained:
            return {"accuracy": None, "seconds": None}
        test = self.rows("test")
        return {"accuracy": _accuracy(baseline.load(folder), test), "seconds": seconds}

    def _choose(self, row: str, baseline: Baseline, train: Rows, validation: Rows) -> dict[str, Any]:
        """The options that are best on the validation rows, each tried with one seed."""
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
        """Train a recipe by the command line; all seeds share the stages before the last one, which have no seed."""
        if not (folder / STAGES_NAME).is_file():
            flags = {"recipe": row, "seed": seed, "output_dir": _emptied(folder), "unlabeled": self.unlabeled}
            flags["stages_dir"] = self.folder / "stages" / row
            defaults = DataOptions()
            flags |= {name: value for name, value in asdict(self.data).items() if value != getattr(defaults, name)}
            words = [word for name, value in flags.items() if value is not None for word in (f"--{name}", str(value))]
            _command([sys.executable, "-m", "okt_lstm", "train", *words])
        seconds = sum(read_json(folder / STAGES_NAME)["seconds"].values())
        return {"accuracy": read_json(folder / "test_results.json")["test_accuracy"], "seconds": seconds}

    def results(self) -> dict[str, list[dict[str, Any]]]:
        """The results that are there, by row in the table's order."""
        found = [read_json(file) for file in sorted((self.folder / "results").glob("*.json"))]
        by_row = {row: [result for result in found if result["row"] == row] for row in ROWS}
        return {row: results for row, results in by_row.items() if results}

    def speeds(self, rounds: int, seconds: float) -> dict[str, float]:
        """The rows' reviews a second on one core; measured anew if there are other rows than last time."""
        file = self.folder / "speed.json"
        models = {row: self.model_folder(row, results[0]["seed"]) for row, results in self.results().items()}
        if not file.exists() or list(read_json(file)["rates"]) != list(models):
            rates = measure_rates(models, self.rows("test").texts, rounds, seconds)
            medians = {row: statistics.median(rates[row]) for row in rates}
            write_json(file, {"rates": medians, "rounds": rates, "machine": machine(), "versions": _versions()})
        measured: dict[str, float] = read_json(file)["rates"]
        return measured


def model_files(row: str, folder: Path) -> list[Path]:
    """The files that prediction needs: of a baseline all that it left, of okt-lstm's models those that are loaded."""
    return [path for path in folder.iterdir() if path.is_file() and (row in BASELINES or path.name in MODEL_FILES)]


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


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # fastText, if that row is left out
            continue
    return found


# ---- what is shown --------------------------------------------------------------------------------------------------


class Line(NamedTuple):
    """A row as it is shown.

    Attributes:
        title: Its name.
        accuracies: In percent, one a seed; none if it is timed only.
        seconds: Of the training with the first seed; None if unknown.
        rate: Reviews a second on one core.
        megabytes: On disk.
    """

    title: str
    accuracies: list[float]
    seconds: float | None
    rate: float
    megabytes: float

    @property
    def spread(self) -> float | None:
        """The standard deviation over the seeds, if there are several."""
        return statistics.stdev(self.accuracies) if len(self.accuracies) > 1 else None


def summarize(results: Mapping[str, Sequence[Mapping[str, Any]]], rates: Mapping[str, float]) -> list[Line]:
    """Join the seeds of each row."""
    lines = []
    for row, runs in results.items():
        accuracies = [100 * run["accuracy"] for run in runs if run["accuracy"] is not None]
        megabytes = statistics.mean(run["megabytes"] for run in runs)
        lines.append(Line(TITLES[row], accuracies, runs[0]["seconds"], rates[row], megabytes))
    return lines


def table(lines: Sequence[Line], published: Sequence[Published]) -> str:
    """The table in Markdown, with what others published below."""
    text = ["| model | accuracy, % | seeds | training, s | reviews a second, one core | MB |"]
    text.append("| --- | ---: | ---: | ---: | ---: | ---: |")
    for line in lines:
        accuracy = f"{statistics.mean(line.accuracies):.2f}" if line.accuracies else "—"
        accuracy += f" ± {line.spread:.2f}" if line.spread is not None else ""
        seconds = "—" if line.seconds is None else f"{line.seconds:,.0f}"
        seeds = str(len(line.accuracies)) if line.accuracies else "—"
        text.append(
            f"| {line.title} | {accuracy} | {seeds} | {seconds} | {_round(line.rate)} | {line.megabytes:,.1f} |"
        )
    for model in published:
        accuracy = " to ".join(f"{accuracy:.2f}" for accuracy in model.accuracies)
        text.append(f"| {model.name} (published) | {accuracy} | | | not measured | {model.megabytes} |")
    return "\n".join(text) + "\n"


def _round(rate: float) -> str:
    """Three digits, which is more than two runs of a benchmark share."""
    return f"{float(f'{rate:.3g}'):,.0f}" if rate >= 100 else f"{rate:.3g}"


def write_report(benchmark: Benchmark, rates: Mapping[str, float]) -> str:
    """Write table.md and models.png; the table's text."""
    lines = summarize(benchmark.results(), rates)
    speed = read_json(benchmark.folder / "speed.json")
    rows = benchmark.splits.description.rows
    notes = [
        f"{benchmark.splits.description.name}: {rows['train']:,} rows for training, {rows['validation']:,} for "
        f"validation, {rows['test']:,} for the test. Accuracy: mean and standard deviation over the seeds. Training: "
        "seconds from text to model on all cores, with the first seed; of recipes the sum of all stages, tests "
        f"included. Reviews a second: from raw text, median of {len(next(iter(speed['rounds'].values())))} turns. MB: "
        "what prediction reads.",
        f"{speed['machine']}; {', '.join(f'{name} {number}' for name, number in speed['versions'].items())}.",
    ]
    if "note" in speed:
        notes.append(speed["note"])
    for file in sorted((benchmark.folder / "choices").glob("*.json")):
        choice = read_json(file)
        options = ", ".join(f"{name} {value}" for name, value in choice["chosen"].items())
        notes.append(
            f"{TITLES[file.stem]}: {options}; the best of {len(choice['tried'])} choices on the validation rows, then "
            "trained on these too."
        )
    shown = [row for row in benchmark.results() if row in BASELINES and BASELINES[row].note]
    notes += [f"{TITLES[row]}: {BASELINES[row].note}" for row in shown]
    notes.append(
        "Published accuracies are those of the models' authors, after training on NSMC's official training file: "
        "github.com/monologg/KoELECTRA and github.com/Beomi/KcELECTRA."
    )
    text = table(lines, PUBLISHED) + "\n" + "\n\n".join(notes) + "\n"
    write(benchmark.folder / "table.md", text)
    draw(lines, PUBLISHED, benchmark.folder / "models.png")
    return text


def draw(lines: Sequence[Line], published: Sequence[Published], path: Path) -> None:
    """Draw accuracy against reviews a second, circles by size; published accuracies as lines, as they were not timed.

    Args:
        lines: The rows; one without accuracy is a vertical line at its speed.
        published: What others report.
        path: The PNG file to write.
    """
    figure = Figure(figsize=(10, 6.5), layout="constrained")
    axes = figure.subplots()
    axes.set_xscale("log")
    axes.set(xlabel="reviews a second from raw text, on one core", ylabel="accuracy on the test set, %")
    measured = [line for line in lines if line.accuracies]
    heights = [statistics.mean(line.accuracies) for line in measured]
    everything = [*heights, *(accuracy for model in published for accuracy in model.accuracies)]
    rates = [line.rate for line in lines]
    margin = 0.08 * (max(everything) - min(everything)) + 0.2
    axes.set_xlim(min(rates) / 2, max(rates) * 12)
    axes.set_ylim(min(everything) - margin, max(everything) + margin)
    for number, (line, height) in enumerate(zip(measured, heights, strict=True)):
        color = f"C{number}"
        axes.scatter(line.rate, height, s=(2 * _radius(line)) ** 2, color=color, alpha=0.45, linewidth=0)
        axes.errorbar(line.rate, height, yerr=line.spread, fmt="o", color=color, markersize=3, capsize=3)
    for line in lines:
        if not line.accuracies:
            axes.axvline(line.rate, color="gray", linestyle="--", linewidth=1)
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda rate, _: f"{rate:,g}"))
    axes.grid(alpha=0.3)

    figure.draw_without_rendering()  # places are known only now
    taken = []
    for line, height in zip(measured, heights, strict=True):
        radius = _radius(line) * figure.dpi / 72
        spread = line.spread or 0.0
        low, high = axes.transData.transform([(line.rate, height - spread), (line.rate, height + spread)])
        taken.append(Bbox.union([Bbox([low, high]), Bbox([(low + high) / 2 - radius, (low + high) / 2 + radius])]))
    by_height: dict[float, list[str]] = {}
    for model in published:
        accuracies = "–".join(f"{accuracy:.2f}" for accuracy in model.accuracies)
        by_height.setdefault(round(statistics.mean(model.accuracies), 1), []).append(f"{model.name} {accuracies}")
    for height, names in by_height.items():
        axes.axhline(height, color="black", linestyle=":", linewidth=0.8)
        text = f"published: {', '.join(names)}"
        label = axes.annotate(text, (min(rates), height), (16, 2), textcoords="offset points", fontsize=8)
        taken.append(label.get_window_extent())
    for line in lines:
        if not line.accuracies:
            text = f"{line.title}: {_round(line.rate)}/s, {line.megabytes:,.0f} MB"
            style = {"textcoords": "offset points", "rotation": 90, "fontsize": 8, "color": "gray", "ha": "right"}
            label = axes.annotate(text, (line.rate, axes.get_ylim()[0]), (-2, 6), **style)
            taken.append(label.get_window_extent())
    for line, height in sorted(zip(measured, heights, strict=True), key=lambda pair: -pair[1]):
        text = f"{line.title}\n{height:.2f} %, {_round(line.rate)}/s, {line.megabytes:,.1f} MB".replace("`", "")
        taken.append(_label(axes, text, (line.rate, height), _radius(line), taken))
    temporary = path.with_name(f".{path.name}.tmp")
    figure.savefig(temporary, format="png", dpi=120)
    temporary.replace(path)


def _radius(line: Line) -> float:
    """A circle's radius in points: its area grows with the size, and none is too small to be seen."""
    return (5 + 2 * line.megabytes) ** 0.5


def _label(axes: Any, text: str, place: tuple[float, float], radius: float, taken: Sequence[Any]) -> Any:
    """Write a text beside a circle where it covers no other one, if there is such a place; the rectangle it fills."""
    sides = [("left", "center", 1, 0), ("right", "center", -1, 0), ("center", "bottom", 0, 1), ("center", "top", 0, -1)]
    style = {"fontsize": 9, "bbox": {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}}
    for distance in (4, 20, 40):
        for horizontal, vertical, right, up in sides:
            reach = radius + distance
            offset = (right * reach, up * reach)
            label = axes.annotate(text, place, offset, textcoords="offset points", ha=horizontal, va=vertical, **style)
            extent = label.get_window_extent()
            inside = axes.bbox.contains(extent.x0, extent.y0) and axes.bbox.contains(extent.x1, extent.y1)
            if inside and not any(extent.overlaps(other) for other in taken):
                return extent
            label.remove()
    return axes.annotate(text, place, **style).get_window_extent()


# ---- files ----------------------------------------------------------------------------------------------------------


def read_json(path: Path) -> Any:
    """The content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file, whole or not at all."""
    write(path, json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def write(path: Path, text: str) -> None:
    """Write a text file, whole or not at all; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def main() -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="nsmc", help="what to train on (default: %(default)s)")
    parser.add_argument("--data_dir", help="with nsmc: the folder of ratings_train.txt and ratings_test.txt")
    parser.add_argument("--unlabeled", help="text without labels for the recipes: a file, or nsmc")
    parser.add_argument("--output_dir", type=Path, default=Path("out"), help="(default: %(default)s)")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), help="(default: all)")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3], help="(default: 1 2 3)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of a speed measurement (default: %(default)s)")
    parser.add_argument("--turn", type=float, default=4.0, help="seconds of a turn (default: %(default)s)")
    parser.add_argument("--max_train_samples", type=int, help="to try things out: use this many training rows")
    parser.add_argument("--max_predict_samples", type=int, help="likewise for the test")
    options = parser.parse_args()
    limits = {"max_train_samples": options.max_train_samples, "max_predict_samples": options.max_predict_samples}
    data = DataOptions(dataset=options.dataset, data_dir=options.data_dir, **limits)
    try:
        benchmark = Benchmark(options.output_dir, data, options.unlabeled)
        for row in options.rows:
            varies = row in RECIPES or (row in BASELINES and BASELINES[row].random)
            for seed in options.seeds if varies else options.seeds[:1]:
                benchmark.run(row, seed)
        print(write_report(benchmark, benchmark.speeds(options.rounds, options.turn)))
    except (BenchmarkError, MeasurementError, OSError, ValueError, ImportError) as error:
        print(f"benchmark_models: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
