"""What a table holds, for people: lines for a terminal, with histograms."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from unicodedata import east_asian_width

import numpy as np

from oktane.lines import counted, escaped

from ..data.inspection import Inspection

_MOST_CLASSES = 30
_BINS = 12
_BAR_WIDTH = 30
_QUANTILES = ("median", "90 %", "99 %", "longest")


def inspection_lines(found: Inspection) -> Iterator[str]:
    """Yield the lines of a report, with histograms of bars."""
    for name, value in _facts(found):
        yield f"{name:<12}{escaped(value)}"
    if found.columns:
        yield ""
        yield "columns"
        for column in found.columns:
            roles = [(column.name == found.text_column, "text"), (column.name in found.label_columns, "label")]
            role = ", ".join(what for is_so, what in roles if is_so)
            blank = f", {column.blank:,} blank" if column.blank else ""
            kind = f"{column.distinct:,} different in the first rows{blank}"
            yield f"  {escaped(column.name)}{f' ({role})' if role else ''}: {kind}, such as {column.example!r:.50}"
    if found.classes:
        yield ""
        yield "classes"
        # With several labels a row, their shares sum to more than one.
        yield from bars(most_frequent(found.classes), found.repeats.rows if found.repeats else None)
    if len(found.character_lengths):
        yield ""
        yield "length in characters"
        yield from bars(length_counts(found.character_lengths))
    yield ""
    yield escaped(found.verdict)


def _facts(found: Inspection) -> Iterator[tuple[str, str]]:
    kind = [found.format or "", found.encoding or "", f"separator {found.separator!r}" if found.separator else ""]
    yield "data", f"{found.name} ({', '.join(filter(None, kind))})" if any(kind) else found.name
    yield "rows", ", ".join(f"{count:,} {split}" for split, count in found.rows.items()) or "none"
    if found.text_column is not None:
        yield "texts in", found.text_column
    if found.label_columns:
        yield "labels in", ", ".join(found.label_columns)
    if found.null_texts or found.blank_labels:
        yield "missing", f"{counted(found.null_texts, 'text')}, {counted(found.blank_labels, 'label')}"
    for what, count in found.odd_labels.items():
        yield "odd labels", f"{count:,} {what}"
    for name, lengths in (("characters", found.characters), ("tokens", found.tokens)):
        if lengths:
            yield name, ", ".join(f"{what} {value:,}" for what, value in zip(_QUANTILES, lengths, strict=True))
    if found.cut:
        yield "cut", f"{counted(found.cut, 'text')} of more than {found.max_length} tokens"
    if found.tokens:
        yield "unknown", f"{found.unknown_morphemes:.1%} of the morphemes are in no list of Okt"
    if found.repeats is not None:
        yield "blank", counted(found.repeats.blank, "text")
        yield "duplicates", counted(found.repeats.duplicates, "row")
        for sentence in found.repeats.sentences("training", listed=True):
            if "different labels" in sentence:
                yield "conflicts", sentence


def most_frequent(classes: Mapping[str, int]) -> dict[str, int]:
    """Return the most frequent classes, and the others together."""
    names = list(classes)
    shown = {name: classes[name] for name in names[:_MOST_CLASSES]}
    if others := names[_MOST_CLASSES:]:
        shown[f"{len(others):,} others"] = sum(classes[name] for name in others)
    return shown


def length_counts(lengths: np.ndarray) -> dict[str, int]:
    """Return how many texts have a length, in ranges; the last one holds the longest hundredth."""
    top = max(1, int(np.quantile(lengths, 0.99)))
    edges = np.unique(np.linspace(0, top + 1, _BINS + 1).astype(int))
    counts, _ = np.histogram(lengths[lengths <= top], edges)
    ranges = [f"{low}-{high - 1}" if high - low > 1 else f"{low}" for low, high in pairwise(edges)]
    found = dict(zip(ranges, counts.tolist(), strict=True))
    if longer := int((lengths > top).sum()):
        found[f"over {top}"] = longer
    return found


def bars(counts: Mapping[str, int], total: int | None = None) -> Iterator[str]:
    """Yield a line with a bar for each count.

    Args:
        counts: The counts by name.
        total: What the shares are of. By default the sum of the counts.
    """
    total, most = max(1, sum(counts.values()) if total is None else total), max(1, *counts.values())
    names = [escaped(name)[:24] for name in counts]
    width = max(map(display_width, names))
    for name, count in zip(names, counts.values(), strict=True):
        bar = "█" * round(_BAR_WIDTH * count / most)
        yield f"  {name}{' ' * (width - display_width(name))}  {bar:<{_BAR_WIDTH}} {count:>9,} {count / total:>6.1%}"


def display_width(text: str) -> int:
    """Return how many columns a text takes on a terminal: two for a Hangul syllable."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
