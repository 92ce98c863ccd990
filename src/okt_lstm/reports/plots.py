"""Plots of a trained model: the curves of its losses and scores, its confusion matrix, and its calibration."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import font_manager, ticker
from matplotlib.figure import Figure

from ..atomic import replacing
from .error_analysis import Calibration

# With more classes, labels and numbers would not be legible and are left out.
_MAX_LABELED_CLASSES = 30


def plot_curves(log_history: Sequence[Mapping[str, Any]], path: Path, metric: str) -> None:
    """Draw the loss and a score on training and validation rows, over the epochs.

    Args:
        log_history: What Trainer logged (`trainer.state.log_history`).
        path: The PNG file to write.
        metric: The name of the score to draw, such as "accuracy", which alone is logged for training rows.
    """

    def series(key: str) -> tuple[list[float], list[float]]:
        entries = [entry for entry in log_history if key in entry]
        return [entry["epoch"] for entry in entries], [entry[key] for entry in entries]

    figure = Figure(figsize=(10, 4), layout="constrained")
    losses, scores = figure.subplots(1, 2)
    losses.plot(*series("loss"), color="tab:blue", linewidth=1, label="training")
    losses.plot(*series("eval_loss"), color="tab:orange", marker="o", label="validation")
    losses.set(title="Loss", xlabel="epoch")
    losses.legend()
    epochs, values = series(metric)
    if values:
        scores.plot(epochs, values, color="tab:blue", linewidth=1, label="training")
    scores.plot(*series(f"eval_{metric}"), color="tab:orange", marker="o", label="validation")
    scores.set(title=metric.replace("_", " ").capitalize(), xlabel="epoch")
    scores.legend()
    for axes in (losses, scores):
        axes.grid(alpha=0.3)
        axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    _save(figure, path)


def plot_confusion_matrix(
    references: np.ndarray, predictions: np.ndarray, labels: Sequence[str], path: Path, split: str = "test"
) -> None:
    """Draw the confusion matrix: counts, shaded by their share of the true class.

    If no installed font can show the labels (Korean, on many servers), the plot shows class ids and says so.

    Args:
        references: The true class ids, `(rows,)`.
        predictions: The predicted class ids, `(rows,)`.
        labels: The names of the classes, by id.
        path: The PNG file to write.
        split: The split that the rows are of.
    """
    classes = len(labels)
    counts = np.bincount(references * classes + predictions, minlength=classes**2).reshape(classes, classes)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    labeled = len(labels) <= _MAX_LABELED_CLASSES
    families = _font_families("".join(labels))
    names = list(labels) if families else [str(number) for number in range(len(labels))]

    size = max(4.5, 3 + 0.6 * len(labels)) if labeled else 8
    figure = Figure(figsize=(size + 1, size), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, label="share of the true class", shrink=0.8)
    axes.set(title=f"Confusion matrix ({split})", xlabel="predicted", ylabel="true")
    if labeled:
        upright = sum(map(len, names)) < 40
        axes.set_xticks(range(len(names)), names, rotation=0 if upright else 90)
        axes.set_yticks(range(len(names)), names)
        for tick in [*axes.get_xticklabels(), *axes.get_yticklabels()]:
            tick.set_fontfamily(families or ["DejaVu Sans"])
        for (row, column), count in np.ndenumerate(counts):
            color = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, f"{count:,}", ha="center", va="center", color=color)
        if not families:
            figure.supxlabel(
                "No installed font shows the labels: classes are numbered as in the model card.", fontsize=8
            )
    _save(figure, path)


def plot_reliability(calibration: Calibration, path: Path, split: str = "test") -> None:
    """Draw a reliability diagram: the accuracy of predictions by their confidence, above their number.

    A bar that ends at the diagonal shows that the model is right as often as its confidence says.

    Args:
        calibration: The bins that `okt_lstm.reports.error_analysis.calibrate` returns.
        path: The PNG file to write.
        split: The split that was measured.
    """
    bins = len(calibration.counts)
    centers = (np.arange(bins) + 0.5) / bins
    filled = calibration.counts > 0
    # No prediction is less confident than one over the number of classes.
    lowest = centers[filled][0] - 0.5 / bins
    figure = Figure(figsize=(5, 6), layout="constrained")
    accuracies, shares = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    accuracies.bar(centers[filled], calibration.accuracies[filled], 1 / bins, color="tab:blue", edgecolor="white")
    accuracies.plot([0, 1], [0, 1], color="black", linestyle="--", linewidth=1, label="right as often as it says")
    accuracies.set(
        title=f"Reliability ({split}): expected calibration error {calibration.error:.3f}", ylabel="share that is right"
    )
    accuracies.set(xlim=(lowest, 1), ylim=(0, 1))
    accuracies.legend(loc="upper left")
    accuracies.grid(alpha=0.3)
    shares.bar(centers, calibration.counts / calibration.counts.sum(), 1 / bins, color="tab:gray", edgecolor="white")
    shares.set(xlabel="confidence", ylabel="share of rows")
    shares.grid(alpha=0.3)
    _save(figure, path)


def plot_data(classes: Mapping[str, int], lengths: np.ndarray, path: Path) -> None:
    """Draw the number of rows of each class, and the lengths of the texts.

    If no installed font can show the names of the classes, they are numbered.

    Args:
        classes: The rows by class.
        lengths: The length of each text in characters, `(rows,)`.
        path: The PNG file to write.
    """
    families = _font_families("".join(classes))
    names = list(classes) if families else [str(number) for number in range(1, len(classes) + 1)]
    figure = Figure(figsize=(10, max(4.0, 0.25 * len(names))), layout="constrained")
    rows, texts = figure.subplots(1, 2)
    rows.barh(range(len(names)), list(classes.values()), color="tab:blue")
    rows.set_yticks(range(len(names)), names)
    for tick in rows.get_yticklabels():
        tick.set_fontfamily(families or ["DejaVu Sans"])
    rows.invert_yaxis()
    rows.set(title="Classes" if families else "Classes, numbered by size", xlabel="rows")
    longest = float(np.quantile(lengths, 0.99)) if len(lengths) else 1.0
    texts.hist(lengths, bins=50, range=(0, longest + 1), color="tab:blue")
    texts.set(title="Length of texts", xlabel="characters, without the longest 1 %", ylabel="rows")
    for axes in (rows, texts):
        axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    _save(figure, path)


def _font_families(text: str) -> list[str] | None:
    """Find installed fonts that together can show a text, matplotlib's default first; None if they can't."""
    missing = {character for character in text if not character.isspace()}
    families: list[str] = []
    default = [font for font in font_manager.fontManager.ttflist if font.name == "DejaVu Sans"]
    for font in default + font_manager.fontManager.ttflist:
        if not missing:
            break
        # This font shows every character as a box.
        if font.name.startswith("Last Resort"):
            continue
        try:
            face = font_manager.get_font(font.fname)
        # Damaged, or uninstalled since matplotlib listed it.
        except (OSError, RuntimeError):
            continue
        shown = {character for character in missing if face.get_char_index(ord(character))}
        if shown:
            families.append(font.name)
            missing -= shown
    return None if missing else families or ["DejaVu Sans"]


def _save(figure: Figure, path: Path) -> None:
    with replacing(path) as stream:
        figure.savefig(stream, format="png", dpi=120)
