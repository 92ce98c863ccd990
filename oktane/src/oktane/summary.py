"""What a run has labeled: rows, labels and how many of each, nulls, and texts that were too long."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base_classifier import BaseClassifier
from .lines import counted, escaped
from .problem_type import UNSURE, ProblemType

# Labels that are named on a terminal; a model may have a hundred.
SHOWN = 12


@dataclass
class Summary:
    """Counts of labeled rows.

    Attributes:
        rows: The rows.
        nulls: Rows without a text.
        truncated: Texts that were longer than the maximum length.
        computed: Texts that this run computed; an earlier run has computed the others.
        labels: How many texts have each label.
        total: The sum of a regression model's numbers.
    """

    rows: int = 0
    nulls: int = 0
    truncated: int = 0
    computed: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    total: float = 0.0

    def count(self, classifier: BaseClassifier, scores: NDArray[np.float32]) -> None:
        """Count the predictions of a classifier that gave some texts these scores, `(texts, labels)`."""
        problem_type, names = classifier.problem_type, classifier.labels
        if problem_type is ProblemType.REGRESSION:
            self.total += float(scores[:, 0].sum(dtype=np.float64))
            return
        unsure = problem_type.is_unsure(scores, classifier.abstain_below)
        if unsure.any():
            self.labels[UNSURE] += int(unsure.sum())
        decided = problem_type.scores_to_labels(scores, classifier.threshold)[~unsure]
        if problem_type is ProblemType.SINGLE_LABEL:
            counts = np.bincount(decided, minlength=len(names))
        else:
            counts = decided.sum(axis=0)
        self.labels.update(dict(zip(names, counts.tolist(), strict=True)))

    def add(self, other: Summary) -> None:
        """Add the counts of another run."""
        for name in ("rows", "nulls", "truncated", "computed", "total"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.labels.update(other.labels)

    def to_json(self) -> dict[str, Any]:
        """Return the counts for a file; `Summary(**counts)` reads them."""
        return vars(self) | {"labels": dict(self.labels)}

    def lines(self, seconds: float, problem_type: ProblemType, max_length: int | None) -> list[str]:
        """Return the counts in words.

        Args:
            seconds: How long the run took.
            problem_type: What the model predicts.
            max_length: The maximum length of a text, in tokens.
        """
        rate = f", {self.computed / max(seconds, 1e-9):,.0f} texts a second" if self.computed else ""
        lines = [f"{counted(self.rows, 'row')} in {_duration(seconds)}{rate}"]
        texts = self.rows - self.nulls
        if problem_type is ProblemType.REGRESSION:
            lines += [f"mean: {self.total / texts:.6g}"] if texts else []
        elif texts:
            common = [f"{escaped(name)} {count:,}" for name, count in self.labels.most_common(SHOWN)]
            more = f", and {len(self.labels) - SHOWN} more labels" if len(self.labels) > SHOWN else ""
            lines.append(f"labels: {', '.join(common)}{more}")
        if self.nulls:
            lines.append(f"rows without a text (null), which have no label: {self.nulls:,}")
        if self.truncated:
            lines.append(f"texts cut at {max_length} tokens: {self.truncated:,}")
        return lines


def _duration(seconds: float) -> str:
    """Write seconds for people: 1.2 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
