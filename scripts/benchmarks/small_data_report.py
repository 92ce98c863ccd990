"""Write the table and draw the picture of `benchmark_small_data.py`, which imports this module; it is not a program."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib import ticker
from matplotlib.figure import Figure
from small_data_corpora import CORPORA

from okt_lstm.atomic import replacing
from okt_lstm.reports.model_card import table

OURS = "okt-lstm"
# Accuracy, or macro F1 where the corpus' authors give that, of models that others trained on all rows.
PUBLISHED = {
    "3i4k": "klue-roberta-small 0.90 weighted F1; BiLSTM with attention 0.9016",
    "beep": "macro F1: DistilKoBERT 60.72, KoELECTRA-small-v3 63.07, KoBERT 66.21, KoELECTRA-base-v3 67.61",
    "kmhas": "micro F1, trained on 78,977 rows: mBERT 0.814, KR-BERT 0.850",
}
_COLUMNS = 4


def medians(results: Sequence[dict[str, Any]], figure: str) -> dict[tuple[str, int, str], float]:
    """Return the median over the draws, by corpus, number of rows and system."""
    found: dict[tuple[str, int, str], list[float]] = {}
    for line in results:
        found.setdefault((line["corpus"], line["rows"], line["system"]), []).append(line[figure])
    return {key: statistics.median(values) for key, values in found.items()}


def margin(results: Sequence[dict[str, Any]], corpus: str, rows: int) -> tuple[float, float] | None:
    """Return how much better ours is than the better baseline in macro F1, and the standard error of the difference.

    The better baseline is the one with the higher mean. None: there is nothing to compare.
    """
    by_system: dict[str, dict[int, float]] = {}
    for line in results:
        if (line["corpus"], line["rows"]) == (corpus, rows):
            by_system.setdefault(line["system"], {})[line["draw"]] = line["f1_macro"]
    ours = by_system.pop(OURS, {})
    shared = {name: {draw: scores[draw] for draw in scores.keys() & ours.keys()} for name, scores in by_system.items()}
    shared = {name: scores for name, scores in shared.items() if scores}
    if not shared:
        return None
    best = max(shared.values(), key=lambda scores: statistics.mean(scores.values()))
    differences = [ours[draw] - score for draw, score in best.items()]
    error = statistics.stdev(differences) / len(differences) ** 0.5 if len(differences) > 1 else 0.0
    return statistics.mean(differences), error


def table_of(results: Sequence[dict[str, Any]]) -> str:
    """Return the table, a row for each corpus, number of rows and system; and what was published."""
    figures = {name: medians(results, name) for name in ("accuracy", "f1_macro", "f1_micro", "seconds", "rate")}
    lines = []
    for corpus, rows in sorted({(line["corpus"], line["rows"]) for line in results}, key=lambda key: _order(*key)):
        systems = dict.fromkeys(line["system"] for line in results if (line["corpus"], line["rows"]) == (corpus, rows))
        for system in systems:
            key = (corpus, rows, system)
            difference = margin(results, corpus, rows) if system == OURS else None
            lines.append(
                [
                    CORPORA[corpus][0],
                    f"{rows:,}",
                    system,
                    *(f"{figures[name][key]:.1f}" for name in ("accuracy", "f1_macro", "f1_micro")),
                    f"{difference[0]:+.1f} ± {difference[1]:.1f}" if difference else "",
                    f"{figures['seconds'][key]:,.0f}",
                    f"{figures['rate'][key]:,.0f}",
                ]
            )
    header = ["corpus", "rows", "system", "accuracy", "macro F1", "micro F1", "over the better baseline"]
    published = [f"- {CORPORA[name][0]}, published by others: {text}." for name, text in PUBLISHED.items()]
    return table([*header, "seconds", "texts/s"], lines) + "\n\n" + "\n".join(published)


def _order(corpus: str, rows: int) -> tuple[int, int]:
    return list(CORPORA).index(corpus), rows


def draw(results: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw macro F1 against the number of labeled rows, a panel for each corpus.

    Args:
        results: The lines of results.jsonl.
        path: The PNG file to write.
    """
    scores = medians(results, "f1_macro")
    corpora = [name for name in CORPORA if any(key[0] == name for key in scores)]
    columns = min(_COLUMNS, len(corpora))
    lines = -(-len(corpora) // columns)
    figure = Figure(figsize=(3.4 * columns, 3 * lines + 0.4), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    systems = list(dict.fromkeys(key[2] for key in scores))
    for axes, corpus in zip(panels, corpora, strict=False):
        for number, system in enumerate(systems):
            points = sorted(
                (rows, score) for (name, rows, of), score in scores.items() if (name, of) == (corpus, system)
            )
            if points:
                axes.plot(*zip(*points, strict=True), marker="o", markersize=4, color=f"C{number}", label=system)
        axes.set_xscale("log")
        axes.set(title=CORPORA[corpus][0], xlabel="labeled rows", ylabel="macro F1, %")
        axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda rows, _: f"{rows:,.0f}"))
        axes.xaxis.set_minor_formatter(ticker.NullFormatter())
        axes.grid(alpha=0.3)
    for axes in panels[len(corpora) :]:
        axes.set_axis_off()
    panels[0].legend()
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=120)
