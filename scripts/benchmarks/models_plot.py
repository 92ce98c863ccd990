"""Draw the plot of `benchmark_models.py`, which imports this module; it is not a program.

The plot shows accuracy against speed, with circles whose area grows with the size on disk.
"""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib import ticker
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from models_table import Line, Published, rounded

from okt_lstm.atomic import replacing


def draw(lines: Sequence[Line], published: Sequence[Published], path: Path) -> None:
    """Draw the rows; published accuracies are lines, because their speed was not measured.

    Args:
        lines: The rows. One without accuracy is a vertical line at its speed.
        published: What others report.
        path: The PNG file to write.
    """
    figure = Figure(figsize=(10, 6.5), layout="constrained")
    axes = figure.subplots()
    measured = [(line, statistics.mean(line.accuracies)) for line in lines if line.accuracies]
    timed = [line for line in lines if not line.accuracies]
    _scale(axes, [line.rate for line in lines], [*(height for _, height in measured), *_accuracies(published)])
    for number, (line, height) in enumerate(measured):
        style = {"color": f"C{number}"}
        axes.scatter(line.rate, height, s=(2 * _radius(line)) ** 2, alpha=0.45, linewidth=0, **style)
        axes.errorbar(line.rate, height, yerr=line.spread, fmt="o", markersize=3, capsize=3, **style)
    for line in timed:
        axes.axvline(line.rate, color="gray", linestyle="--", linewidth=1)

    # Positions are known only now. Each label is placed where it covers nothing of what is there already.
    figure.draw_without_rendering()
    taken = [_extent(axes, line, height) for line, height in measured]
    taken += _label_published(axes, published, min(line.rate for line in lines))
    taken += [_label_timed(axes, line) for line in timed]
    for line, height in sorted(measured, key=lambda pair: -pair[1]):
        taken.append(_label(axes, line, height, taken))
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=120)


def _accuracies(published: Sequence[Published]) -> list[float]:
    return [accuracy for model in published for accuracy in model.accuracies]


def _scale(axes: Any, rates: Sequence[float], accuracies: Sequence[float]) -> None:
    margin = 0.08 * (max(accuracies) - min(accuracies)) + 0.2
    axes.set_xscale("log")
    axes.set_xlim(min(rates) / 2, max(rates) * 12)
    axes.set_ylim(min(accuracies) - margin, max(accuracies) + margin)
    axes.set(xlabel="reviews per second from raw text, on one core", ylabel="accuracy on the test set, %")
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda rate, _: f"{rate:,g}"))
    axes.grid(alpha=0.3)


def _radius(line: Line) -> float:
    """Return a circle's radius in points. Its area grows with the size, and none is too small to be seen."""
    return (5 + 2 * line.megabytes) ** 0.5


def _extent(axes: Any, line: Line, height: float) -> Bbox:
    """Return the rectangle that a circle and its error bar fill, in pixels."""
    radius = _radius(line) * axes.figure.dpi / 72
    spread = line.spread or 0.0
    low, high = axes.transData.transform([(line.rate, height - spread), (line.rate, height + spread)])
    center = (low + high) / 2
    return Bbox.union([Bbox([low, high]), Bbox([center - radius, center + radius])])


def _label_published(axes: Any, published: Sequence[Published], rate: float) -> list[Bbox]:
    """Draw what others report as lines with names, one line for accuracies that are nearly equal."""
    by_height: dict[float, list[str]] = {}
    for model in published:
        accuracies = "–".join(f"{accuracy:.2f}" for accuracy in model.accuracies)
        by_height.setdefault(round(statistics.mean(model.accuracies), 1), []).append(f"{model.name} {accuracies}")
    extents = []
    for height, names in by_height.items():
        axes.axhline(height, color="black", linestyle=":", linewidth=0.8)
        text = f"published: {', '.join(names)}"
        label = axes.annotate(text, (rate, height), (16, 2), textcoords="offset points", fontsize=8)
        extents.append(label.get_window_extent())
    return extents


def _label_timed(axes: Any, line: Line) -> Bbox:
    """Write the name of a row without accuracy along its line."""
    text = f"{line.title}: {rounded(line.rate)}/s, {line.megabytes:,.0f} MB"
    style = {"textcoords": "offset points", "rotation": 90, "fontsize": 8, "color": "gray", "ha": "right"}
    return axes.annotate(text, (line.rate, axes.get_ylim()[0]), (-2, 6), **style).get_window_extent()


def _label(axes: Any, line: Line, height: float, taken: Sequence[Bbox]) -> Bbox:
    """Write a row's name beside its circle where it covers nothing else, if there is such a place; its rectangle."""
    text = f"{line.title}\n{height:.2f} %, {rounded(line.rate)}/s, {line.megabytes:,.1f} MB".replace("`", "")
    place = (line.rate, height)
    sides = [("left", "center", 1, 0), ("right", "center", -1, 0), ("center", "bottom", 0, 1), ("center", "top", 0, -1)]
    style = {"fontsize": 9, "bbox": {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}}
    for distance in (4, 20, 40):
        for horizontal, vertical, right, up in sides:
            reach = _radius(line) + distance
            offset = (right * reach, up * reach)
            label = axes.annotate(text, place, offset, textcoords="offset points", ha=horizontal, va=vertical, **style)
            extent: Bbox = label.get_window_extent()
            inside = axes.bbox.contains(extent.x0, extent.y0) and axes.bbox.contains(extent.x1, extent.y1)
            if inside and not any(extent.overlaps(other) for other in taken):
                return extent
            label.remove()
    return axes.annotate(text, place, **style).get_window_extent()
