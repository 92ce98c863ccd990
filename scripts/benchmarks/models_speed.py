"""Measure speed, start-up, memory and sizes for `benchmark_models.py`, which imports this; it is not a program."""

import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from baselines import BASELINES, Rows
from benchmark_okt import machine
from models_table import ENGINES, RELEASED, SERVED_BASELINES, read_json
from one_core import Contender, Start, measure_rates, measure_starts
from packaging.requirements import Requirement
from predictors import PREDICTORS
from untrained_models import TRAINED_IN_SECONDS, make_replacement

from okt_lstm.atomic import replacing_folder, write_json
from oktane import _engine

PACKAGES = ("okt-lstm", "torch", "transformers", "scikit-learn", "fasttext-community", "onnxruntime")
# What a model's folder holds for prediction. The rest of it is about its training, or lets the Hub run it.
TOKENIZER_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "user_dictionary.txt")
MODEL_FILES = ("model.safetensors", *TOKENIZER_FILES)
# Number of texts after which a server's memory is measured again.
LATER_TEXTS = 10_000


def measure_speed(
    folder: Path, models: Mapping[str, Path], rows: Callable[[str], Rows], rounds: int, seconds: float, starts: int
) -> None:
    """Write speed.json, unless it is there for these models.

    Args:
        folder: The folder of the benchmark.
        models: The folder of each row's model. One that is missing is replaced by a model that is as fast.
        rows: Returns the rows of a split.
        rounds: How many turns each model takes.
        seconds: About how long a turn takes.
        starts: How often each process of the table about serving is started.
    """
    file = folder / "speed.json"
    engines = _engines(folder, models[RELEASED]) if RELEASED in models else {}
    if file.exists() and list(read_json(file)["rates"]) == [*models, *engines]:
        return
    load_before = os.getloadavg()[0]
    missing = [row for row, model in models.items() if not model.exists()]
    found = models | {row: _replacement(folder, row, rows) for row in missing}
    contenders = {row: Contender(row if row in BASELINES else "oktane", model) for row, model in found.items()}
    contenders |= engines
    texts = rows("test").texts
    rates = measure_rates(contenders, texts, rounds, seconds)
    served = [*engines, *(row for row in SERVED_BASELINES if row in models)] if engines else []
    started = measure_starts({name: contenders[name] for name in served}, texts[:LATER_TEXTS], starts)
    speed = {
        "rates": {name: statistics.median(found) for name, found in rates.items()},
        "starts": {name: _served(name, contenders[name], started[name]) for name in served},
        "rounds": rates,
        "seconds": "CPU seconds",
        "later_texts": min(LATER_TEXTS, len(texts)),
        "untrained": [row for row in missing if row not in TRAINED_IN_SECONDS],
        "machine": machine(),
        "load": [load_before, os.getloadavg()[0]],
        "versions": _versions(),
    }
    write_json(file, speed)


def _engines(folder: Path, released: Path) -> dict[str, Contender]:
    """Return what runs the bundled model, as far as it differs on this processor."""
    # make_recipe_card.py does without onnx.
    from okt_lstm.inference.onnx_export import export_onnx

    onnx_folder = export_onnx(released, folder / "models" / "onnx", int8=True)
    return {
        name: Contender(
            engine.predictor, onnx_folder if engine.weights.endswith(".onnx") else released, engine.environment
        )
        for name, engine in ENGINES.items()
        if not engine.environment or "avx512" in _engine.kernel_names()
    }


def _replacement(folder: Path, row: str, rows: Callable[[str], Rows]) -> Path:
    """Return the folder of a model that is as fast as a row's. It is made if it isn't there."""
    target = folder / "models" / f"{row}-for-speed"
    if not target.exists():
        choice = folder / "choices" / f"{row}.json"
        options = read_json(choice)["chosen"] if choice.exists() else {}
        with replacing_folder(target) as temporary:
            make_replacement(row, rows("train"), temporary, options)
    return target


def _served(name: str, contender: Contender, starts: Sequence[Start]) -> dict[str, float]:
    """Return a line of the table about serving."""
    files = model_files(name, contender.folder)
    if name in ENGINES:
        files = [contender.folder / file for file in (ENGINES[name].weights, *TOKENIZER_FILES)]
    medians = (statistics.median(values) for values in zip(*starts, strict=True))
    return {
        **dict(zip(Start._fields, medians, strict=True)),
        "model": sum(file.stat().st_size for file in files if file.exists()) / 1e6,
        "installed": installed_megabytes(PREDICTORS[contender.predictor].packages),
    }


def model_files(row: str, folder: Path) -> list[Path]:
    """Return the files that prediction reads: all that a baseline left, or those of okt-lstm that are loaded."""
    return [path for path in folder.iterdir() if path.is_file() and (row in BASELINES or path.name in MODEL_FILES)]


def installed_megabytes(packages: Sequence[str]) -> float:
    """Return the size of installed packages with all that they require."""
    waiting, found, size = list(packages), set(), 0
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found:
            continue
        found.add(name)
        package = distribution(name)
        paths = [Path(str(path.locate())) for path in package.files or ()]
        size += sum(path.stat().st_size for path in paths if path.is_file())
        requirements = map(Requirement, package.requires or ())
        waiting += [need.name for need in requirements if need.marker is None or need.marker.evaluate({"extra": ""})]
    return size / 1e6


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            # fastText is optional, if its row is left out.
            continue
    return found
