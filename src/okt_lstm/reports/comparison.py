"""Trained models side by side: a table and a picture of what their folders say of them."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from ..atomic import FileError, replacing
from .model_card import SCORES, score_title, table
from .trained_model import CARD_NAME, TrainedModel

# What a reader of a comparison looks at first. The loss has no unit that says much.
_SCORES = [name for name in SCORES if name != "loss"]
# What is read to predict; the rest of a folder is for people and for the Hub.
_READ = ("model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json")
_MOST_CLASSES = 30


@dataclass(frozen=True)
class Run:
    """A trained folder.

    Attributes:
        name: What the table calls it.
        model: What it says of itself.
        megabytes: The size of the files that prediction reads.
        rate: Texts, or pairs of texts, that it labels in a second.
    """

    name: str
    model: TrainedModel
    megabytes: float
    rate: float

    @property
    def split(self) -> str:
        """The split that the scores are of: the last one that was measured."""
        return list(self.model.results)[-1]

    @property
    def scores(self) -> Mapping[str, float]:
        """The scores on `split`."""
        return self.model.results[self.split]


def read_run(folder: Path, name: str, classifier: Any, texts: Sequence[str]) -> Run:
    """Read a trained folder, and measure its speed.

    Args:
        folder: The folder.
        name: What the table calls it.
        classifier: The model of the folder.
        texts: Texts to label.

    Raises:
        FileError: If the folder has no `card.json` of a training run.
    """
    path = folder / CARD_NAME
    if not path.is_file():
        raise FileError(f"{folder} has no {CARD_NAME}: give folders that `okt-lstm train` left")
    try:
        model = TrainedModel.from_json(json.loads(path.read_bytes()))
    except ValueError as error:
        raise FileError(f"{path} is damaged: {error}") from None
    size = sum((folder / file).stat().st_size for file in _READ if (folder / file).is_file())
    read = list(pairwise(texts)) if classifier.text_pair else list(texts)
    classifier.predict(read[:16])
    start = time.perf_counter()
    classifier.predict(read)
    return Run(name, model, size / 1e6, len(read) / (time.perf_counter() - start))


def compare(runs: Sequence[Run]) -> str:
    """Return the tables, in Markdown: scores, then each class, then the settings that differ."""
    header = ["", *(run.name for run in runs)]
    names = [name for name in _SCORES if any(name in run.scores for run in runs)]
    rows = [["measured on", *(f"{run.split}, {run.model.data.rows[run.split]:,} rows" for run in runs)]]
    rows += [[score_title(name), *(_number(run.scores.get(name)) for run in runs)] for name in names]
    rows.append(["seconds of training", *(f"{run.model.seconds:,.0f}" for run in runs)])
    rows.append(["megabytes", *(f"{run.megabytes:.1f}" for run in runs)])
    rows.append(["texts/s", *(f"{run.rate:,.0f}" for run in runs)])
    parts = [table(header, rows)]
    if by_class := _by_class(runs):
        parts.append("F1 by class:\n\n" + table(header, by_class))
    settings = _settings(runs)
    parts.append("Settings that differ:\n\n" + table(header, settings) if settings else "No settings differ.")
    return "\n\n".join(parts)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _by_class(runs: Sequence[Run]) -> list[list[str]]:
    figures = [{row["class"]: row["f1"] for row in run.model.classes} for run in runs]
    classes = dict.fromkeys(name for found in figures for name in found)
    return [
        [f"{number}. {name}", *(_number(found.get(name)) for found in figures)]
        for number, name in enumerate(classes, 1)
    ]


def _settings(runs: Sequence[Run]) -> list[list[str]]:
    own = [
        {
            "model": run.model.model_type,
            "data": run.model.data.name,
            "training rows": f"{run.model.data.rows.get('train', 0):,}",
            **{name: str(value) for name, value in run.model.hyperparameters.items()},
        }
        for run in runs
    ]
    names = dict.fromkeys(name for settings in own for name in settings)
    rows = [[name, *(settings.get(name, "") for settings in own)] for name in names]
    return [row for row in rows if len(set(row[1:])) > 1]


def draw_comparison(runs: Sequence[Run], path: Path) -> None:
    """Draw the scores of the runs, and their F1 of each class, as bars.

    Args:
        runs: The runs.
        path: The PNG file to write.
    """
    names = [name for name in _SCORES if all(name in run.scores for run in runs)]
    groups = [(score_title(name), [run.scores[name] for run in runs]) for name in names]
    # Classes are numbered as in the table: not every machine has a font that shows Korean.
    for number, row in enumerate(_by_class(runs)[:_MOST_CLASSES], 1):
        groups.append((f"F1 of class {number}", [float(value or 0) for value in row[1:]]))
    figure = Figure(figsize=(7, 1 + 0.25 * len(groups) * (len(runs) + 1)), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / len(runs)
    for number, run in enumerate(runs):
        places = [place + (number - (len(runs) - 1) / 2) * height for place in range(len(groups))]
        bars = axes.barh(places, [values[number] for _, values in groups], height, color=f"C{number}", label=run.name)
        axes.bar_label(bars, fmt="%.3f", fontsize=7, padding=2)
    axes.set_yticks(range(len(groups)), [title for title, _ in groups])
    axes.invert_yaxis()
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(runs), frameon=False)
    axes.grid(axis="x", alpha=0.3)
    with replacing(path) as stream:
        figure.savefig(stream, format="png", dpi=120)
