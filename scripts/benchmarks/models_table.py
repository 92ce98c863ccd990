"""Make the table of `benchmark_models.py`, which imports this module; it is not a program.

What is published about other models is here, too.
"""

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from baselines import BASELINES

RECIPES = ("classic", "fast", "best")
RELEASED = "released"
# The same model, run by torch; a key of ENGINES.
TORCH = "torch"
ROWS = ("fasttext", "tfidf", "textbook", *RECIPES, RELEASED, "bert")
TITLES = {name: baseline.title for name, baseline in BASELINES.items()}
TITLES |= {name: f"okt-lstm, recipe `{name}`" for name in RECIPES}
TITLES |= {RELEASED: "the bundled model, okt_lstm (oktane)", TORCH: "the bundled model, okt_lstm (torch)"}


# torch told not to use AVX-512.
TORCH_AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}


class Engine(NamedTuple):
    """What runs the bundled model.

    Attributes:
        title: Its name for readers.
        predictor: A name in `predictors.PREDICTORS`.
        weights: The file of the weights.
        environment: Environment variables of its process.
    """

    title: str
    predictor: str
    weights: str = "model.safetensors"
    environment: Mapping[str, str] = MappingProxyType({})


ENGINES = {
    "oktane": Engine("oktane", "oktane"),
    "oktane-avx2": Engine("oktane, AVX2", "oktane", environment={"OKTANE_CPU": "avx2"}),
    TORCH: Engine("okt_lstm (torch)", "torch"),
    "torch-avx2": Engine("okt_lstm (torch), AVX2", "torch", environment=TORCH_AVX2),
    "onnx": Engine("onnxruntime, float32, ids by oktane", "onnx", "model.onnx"),
    "onnx-int8": Engine("onnxruntime, int8, ids by oktane", "onnx-int8", "model_quantized.onnx"),
    "onnx-tokenizer": Engine("onnxruntime, float32, ids by OktTokenizer", "onnx-tokenizer", "model.onnx"),
}
SERVED_BASELINES = ("fasttext", "tfidf")


class Published(NamedTuple):
    """What the authors of a model report on the same test set.

    Attributes:
        name: The model's name.
        accuracies: In percent, as far as they differ between reports.
        megabytes: Size of the weights.
    """

    name: str
    accuracies: tuple[float, ...]
    megabytes: int


# From the tables of github.com/monologg/KoELECTRA and github.com/Beomi/KcELECTRA. Trained on NSMC's official file.
PUBLISHED = (
    Published("DistilKoBERT", (88.41, 88.60), 108),
    Published("KoELECTRA-small-v3", (89.36,), 54),
    Published("KoBERT", (89.59, 89.63), 351),
    Published("KcBERT-base", (89.62,), 417),
    Published("KcELECTRA-base", (91.97,), 475),
)


class Line(NamedTuple):
    """A row as it is shown.

    Attributes:
        title: Its name.
        accuracies: In percent, one per seed; empty if the row is timed only.
        seconds: Training time with the first seed; None if unknown.
        rate: Reviews per second on one core.
        megabytes: Size on disk.
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


def read_json(path: Path) -> Any:
    """Return the content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def read_results(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the finished results of a benchmark's folder, one per seed, by row in the table's order."""
    found = [read_json(file) for file in sorted((folder / "results").glob("*.json"))]
    by_row = {row: [result for result in found if result["row"] == row] for row in ROWS}
    return {row: results for row, results in by_row.items() if results}


def read_lines(folder: Path) -> list[Line]:
    """Return the rows of a benchmark's folder as they are shown: the seeds joined, with their speed."""
    rates = read_json(folder / "speed.json")["rates"]
    lines = []
    for row, runs in read_results(folder).items():
        accuracies = [100 * run["accuracy"] for run in runs if run["accuracy"] is not None]
        megabytes = statistics.mean(run["megabytes"] for run in runs)
        for name in (RELEASED, TORCH) if row == RELEASED else (row,):
            if name in rates:
                lines.append(Line(TITLES[name], accuracies, runs[0]["seconds"], rates[name], megabytes))
    return lines


def make_table(folder: Path, data: str, counts: Mapping[str, int]) -> str:
    """Return the tables of a benchmark's folder in Markdown, with notes below them.

    Args:
        folder: The folder.
        data: The name of the data set.
        counts: Its number of rows by split.
    """
    speed = read_json(folder / "speed.json")
    tables = [_table(read_lines(folder)), _serving_table(speed)] if speed["starts"] else [_table(read_lines(folder))]
    return "\n\n".join(["\n".join(table) for table in tables] + list(_notes(folder, data, counts))) + "\n"


def _table(lines: Sequence[Line]) -> Iterator[str]:
    yield "| model | accuracy, % | seeds | training, s | reviews per second, one core | MB |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for line in lines:
        accuracy = f"{statistics.mean(line.accuracies):.2f}" if line.accuracies else "—"
        accuracy += f" ± {line.spread:.2f}" if line.spread is not None else ""
        seconds = "—" if line.seconds is None else f"{line.seconds:,.0f}"
        seeds = str(len(line.accuracies)) if line.accuracies else "—"
        rate = rounded(line.rate)
        yield f"| {line.title} | {accuracy} | {seeds} | {seconds} | {rate} | {line.megabytes:,.1f} |"
    for model in PUBLISHED:
        accuracy = " to ".join(f"{accuracy:.2f}" for accuracy in model.accuracies)
        yield f"| {model.name} (published) | {accuracy} | | | not measured | {model.megabytes} |"


def _serving_table(speed: Mapping[str, Any]) -> Iterator[str]:
    yield (
        "| from text to label | reviews per second, one core | first label, s | memory at the first label, MB | memory "
        "later, MB | model, MB | installed, MB |"
    )
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for name, start in speed["starts"].items():
        title = ENGINES[name].title if name in ENGINES else TITLES[name]
        cells = [rounded(speed["rates"][name]), f"{start['seconds']:.2f}", f"{start['megabytes']:,.0f}"]
        cells += [f"{start['later_megabytes']:,.0f}", f"{start['model']:,.1f}", f"{start['installed']:,.0f}"]
        yield f"| {title} | {' | '.join(cells)} |"


def rounded(rate: float) -> str:
    """Return a rate with three digits, which is more than two runs of a benchmark share."""
    return f"{float(f'{rate:.3g}'):,.0f}" if rate >= 100 else f"{rate:.3g}"


def _notes(folder: Path, data: str, counts: Mapping[str, int]) -> Iterator[str]:
    speed = read_json(folder / "speed.json")
    turns = len(next(iter(speed["rounds"].values())))
    yield (
        f"{data}: {counts['train']:,} rows for training, {counts['validation']:,} for validation, {counts['test']:,} "
        "for the test. Accuracy: mean and standard deviation over the seeds. Training: seconds from text to model on "
        "all cores, with the first seed; for recipes the sum of all stages, tests included. Reviews per second: from "
        f"raw text, in {speed['seconds']}, median of {turns} turns. MB: the files that prediction reads."
    )
    if speed["starts"]:
        yield (
            "First label: CPU seconds from the start of the interpreter, median of several starts. Memory: resident, "
            f"then and after {speed['later_texts']:,} reviews. Installed: the packages with all that they require."
        )
    yield f"{speed['machine']}; {', '.join(f'{name} {number}' for name, number in speed['versions'].items())}."
    if speed["untrained"]:
        names = ", ".join(TITLES[row] for row in speed["untrained"])
        yield f"Timed with untrained networks of the same shape and a tokenizer of the same text: {names}."
    if "note" in speed:
        yield speed["note"]
    for file in sorted((folder / "choices").glob("*.json")):
        choice = read_json(file)
        options = ", ".join(f"{name} {value}" for name, value in choice["chosen"].items())
        yield (
            f"{TITLES[file.stem]}: {options}; the best of {len(choice['tried'])} choices on the validation set, then "
            "trained on the validation set, too."
        )
    for row in read_results(folder):
        if row in BASELINES and BASELINES[row].note:
            yield f"{TITLES[row]}: {BASELINES[row].note}"
    yield (
        "Published accuracies are those of the models' authors, after training on NSMC's official training file: "
        "github.com/monologg/KoELECTRA and github.com/Beomi/KcELECTRA."
    )
