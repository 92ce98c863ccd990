"""What the recipe `auto` says before it trains, and what came of it."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from oktane.lines import counted
from oktane.problem_type import ProblemType

from ...data.splits import Splits
from ...reports.trained_model import BASELINE
from .fine_tuning import Plan
from .folds import Fold
from .linear import Targets
from .reading import Reading

_MOST_CLASSES_NAMED = 20
_TASKS = {
    ProblemType.SINGLE_LABEL: "one of {count} classes for each {text}",
    ProblemType.MULTI_LABEL: "any number of {count} labels for each {text}",
    ProblemType.REGRESSION: "a number for each {text}",
}
# Seconds on two cores without AVX-512, measured: to start, by token of each part, and by fit of a linear model.
_START, _PER_ENCODED, _PER_LINEAR, _PER_TUNED = 10.0, 1.0e-4, 1.5e-5, 2.0e-4


def announce(
    splits: Splits,
    targets: Targets,
    lengths: NDArray[np.int64],
    reading: Reading,
    folds: list[Fold],
    plan: Plan | None,
) -> Iterator[str]:
    """Say what is about to be done, a line at a time.

    Args:
        splits: The data.
        targets: The labels of the training rows.
        lengths: The number of tokens of each training text before it is cut, `(rows,)`.
        reading: How long texts are read.
        folds: What is held out.
        plan: How long the network is fine-tuned; None if it is not.
    """
    rows = ", ".join(f"{counted(len(part), 'row')} to {name}" for name, part in _verbs(splits))
    text = "pair of texts" if "text_pair" in splits.datasets["train"].column_names else "text"
    task = _TASKS[targets.problem_type].format(count=targets.num_labels, text=text)
    yield f"{splits.description.name}: {rows}; learning {task}."
    if targets.problem_type is ProblemType.REGRESSION:
        low, high, mean = targets.values.min(), targets.values.max(), targets.values.mean()
        yield f"Numbers from {low:g} to {high:g}, {mean:g} on average."
    else:
        counts = _counts(targets)
        order = np.argsort(-counts, kind="stable")
        named = [f"{splits.label_names[index]} {counts[index]:,}" for index in order[:_MOST_CLASSES_NAMED]]
        more = f", and {len(order) - len(named)} more" if len(order) > len(named) else ""
        yield f"Rows by class: {', '.join(named)}{more}."
    long, most = int((lengths > reading.max_length).sum()), f"{reading.max_length:,} tokens"
    longest = f"{np.median(lengths):.0f} tokens in the median, {lengths.max():,} at most"
    be = "is" if long == 1 else "are"
    how = f"{long:,} {be} cut after {most} (--max_length)"
    if reading.stride is not None:
        how = f"{long:,} {be} read in windows of {most} with {reading.stride} in common (--max_length, --stride)"
    yield f"Texts have {longest}; {how if long else 'none is cut'}."
    held_out = (
        f"{len(folds)}-fold cross-validation" if len(folds) > 1 else counted(len(folds[0].held_out), "held-out row")
    )
    yield (
        f"Comparing the encoder inside oktane, a linear n-gram model, both together, and TF-IDF by {held_out}; "
        "near-duplicates stay together."
    )
    if plan is not None:
        yield (
            f"Fine-tuning the encoder for at most {plan.steps:,} steps of {plan.batch_size} texts, stopped early when "
            "it no longer improves."
        )
    seconds = _seconds(targets, lengths, len(folds), plan)
    yield f"This takes about {_duration(seconds)} on two cores."


def describe_result(scores: Mapping[str, Mapping[str, float]], split: str, kind: str) -> Iterator[str]:
    """Say what was kept, how it compares with the baseline, and which one to use.

    Args:
        scores: The scores by system and split: `{"this model": {...}, BASELINE: {...}}`, of one split, by metric.
        split: The split.
        kind: What was kept, in a few words.
    """
    model, baseline = scores["this model"], scores[BASELINE]
    metric = "r2" if "r2" in model else "f1_macro"
    title = {"r2": "R2", "f1_macro": "Macro F1"}[metric]
    yield f"Kept: {kind}."
    yield f"{title} on the {split} split: TF-IDF {100 * baseline[metric]:.1f}, this model {100 * model[metric]:.1f}."
    if "accuracy" in model:
        yield f"Accuracy: TF-IDF {100 * baseline['accuracy']:.1f}, this model {100 * model['accuracy']:.1f}."
    if baseline[metric] > model[metric]:
        yield (
            "TF-IDF with logistic regression is better on these rows: use that instead (scikit-learn: "
            "TfidfVectorizer(analyzer='char', ngram_range=(1, 4), sublinear_tf=True), then LogisticRegression)."
        )


def _verbs(splits: Splits) -> Iterator[tuple[str, list[None]]]:
    for split, verb in (("train", "learn from"), ("validation", "validate on"), ("test", "test on")):
        if split in splits.datasets:
            yield verb, splits.datasets[split]


def _counts(targets: Targets) -> NDArray[np.int64]:
    if targets.problem_type is ProblemType.SINGLE_LABEL:
        return np.bincount(targets.values, minlength=targets.num_labels)
    return np.asarray(targets.values.sum(axis=0), np.int64)


def _seconds(targets: Targets, lengths: NDArray[np.int64], folds: int, plan: Plan | None) -> float:
    tokens = float(lengths.sum())
    fits = 5 * (folds + 1) * max(2, targets.num_labels)
    tuned = 0.0 if plan is None else plan.steps * plan.batch_size * min(float(lengths.mean()), 128.0)
    return _START + tokens * (_PER_ENCODED + fits * _PER_LINEAR) + tuned * _PER_TUNED


def _duration(seconds: float) -> str:
    return f"{max(10, round(seconds, -1)):.0f} seconds" if seconds < 90 else counted(round(seconds / 60), "minute")
