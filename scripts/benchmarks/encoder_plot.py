"""Draw the picture of `benchmark_encoder.py`, which imports this module; it is not a program."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib import ticker
from matplotlib.figure import Figure

from okt_lstm.atomic import replacing


def draw(quality: Mapping[str, float], rates: Mapping[str, float], rows: int, path: Path) -> None:
    """Draw quality against speed, a point for each system.

    Args:
        quality: The mean macro F1 over the corpora, by system.
        rates: The texts per second on one core, by system.
        rows: The number of training rows behind the quality.
        path: The PNG file to write.
    """
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for number, system in enumerate(name for name in quality if name in rates):
        axes.scatter(rates[system], quality[system], s=80, color=f"C{number}")
        axes.annotate(system, (rates[system], quality[system]), xytext=(0, 9), textcoords="offset points", ha="center")
    axes.set_xscale("log")
    axes.margins(0.2)
    axes.set(xlabel="texts per second, one core", ylabel=f"macro F1 from {rows} labeled rows, mean of the corpora, %")
    for which in (axes.xaxis.set_major_formatter, axes.xaxis.set_minor_formatter):
        which(ticker.FuncFormatter(lambda rate, _: f"{rate:,g}"))
    axes.grid(alpha=0.3)
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=120)
