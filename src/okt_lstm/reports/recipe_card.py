"""The card of a recipe: what its runs with several seeds have in common, and what they get wrong."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean, stdev

from huggingface_hub import ModelCard

from .error_analysis import Group
from .model_card import SCORES, render_card, score_title, table
from .trained_model import TrainedModel


@dataclass(frozen=True)
class RecipeFigures:
    """What a card says about a recipe that was trained with several seeds, beside what it says about one run.

    Attributes:
        name: The recipe's id on the Hub if it has one, else its name.
        stages: The recipe's file, unchanged.
        seconds: How long each stage took in the first run, by its name.
        runs: For each seed, as text, the scores on the test split by name, and any other figure of the run.
        rate: Texts per second on one core, from raw text.
        megabytes: The size of the files that prediction reads.
        machine: Where the rate was measured.
        groups: Groups of `okt_lstm.reports.error_analysis.accuracy_by`, by what the rows were grouped by ("tokens").
        errors: Wrong predictions that the model is sure of: text, true label, predicted label, probability.
        pictures: Titles of the pictures beside the card, by file name.
    """

    name: str
    stages: str
    seconds: Mapping[str, float]
    runs: Mapping[str, Mapping[str, float]]
    rate: float
    megabytes: float
    machine: str
    groups: Mapping[str, Sequence[Group]]
    errors: Sequence[tuple[str, str, str, float]]
    pictures: Mapping[str, str]


def build_recipe_card(run: TrainedModel, recipe: RecipeFigures) -> ModelCard:
    """Write the card of a recipe.

    Args:
        run: The first of its runs. Its description, training data, hyperparameters and versions are those of the card.
        recipe: What is known of all runs. The results come from here.

    Returns:
        The card; its `content` is that of `README.md`.
    """
    means = _means(recipe)
    accuracy, spread = means["accuracy"]
    several = len(recipe.runs) > 1
    introduction = (
        f"{run.description} Trained with okt-lstm{f', with {len(recipe.runs)} seeds' if several else ''}; accuracy on "
        f"the test split: **{accuracy:.4f}**{f' (standard deviation {spread:.4f})' if several else ''}."
    )
    durations = [[stage, f"{seconds:,.0f}"] for stage, seconds in recipe.seconds.items()]
    return render_card(
        replace(run, name=recipe.name),
        "test",
        {name: value for name, (value, _) in means.items() if name in SCORES},
        introduction=introduction,
        stages=recipe.stages.strip(),
        seed=next(iter(recipe.runs)),
        durations=[*durations, ["together", f"{sum(recipe.seconds.values()):,.0f}"]],
        results=_results_of_runs(recipe),
        pictures=recipe.pictures,
        mistakes=_mistakes(recipe),
    )


def _means(recipe: RecipeFigures) -> dict[str, tuple[float, float]]:
    """Return mean and standard deviation over the runs of each figure that all of them have."""
    runs = list(recipe.runs.values())
    names = [name for name in runs[0] if all(name in run for run in runs)]
    columns = {name: [run[name] for run in runs] for name in names}
    return {name: (mean(column), stdev(column) if len(column) > 1 else 0.0) for name, column in columns.items()}


def _results_of_runs(recipe: RecipeFigures) -> str:
    means = _means(recipe)
    rows = [[seed, *(f"{run[name]:.4f}" for name in means)] for seed, run in recipe.runs.items()]
    if len(rows) > 1:
        rows.append(["mean", *(f"**{value:.4f}**" for value, _ in means.values())])
        rows.append(["standard deviation", *(f"{spread:.4f}" for _, spread in means.values())])
    parts = [
        "The epoch of each run was chosen on the validation split; the test split was read once for each seed, at the "
        "end. All columns are of the test split unless they are named otherwise.",
        table(["seed", *map(score_title, means)], rows),
        f"Speed: {recipe.rate:,.0f} texts per second from raw text, on one core ({recipe.machine}). Size on disk: "
        f"{recipe.megabytes:.1f} MB.",
    ]
    return "\n\n".join(parts)


def _mistakes(recipe: RecipeFigures) -> str:
    parts = ["On the test split, all seeds together."]
    for title, groups in recipe.groups.items():
        total = sum(group.rows for group in groups)
        rows = [[group.name, f"{group.rows / total:.1%}", f"{group.accuracy:.4f}"] for group in groups]
        parts.append(table([title, "share of the rows", "accuracy"], rows))
    if recipe.errors:
        parts.append("The most confident wrong predictions (mean probability over the seeds):")
        errors = [[_plain(text), truth, guess, f"{confidence:.3f}"] for text, truth, guess, confidence in recipe.errors]
        parts.append(table(["text", "label", "prediction", "probability"], errors))
    return "\n\n".join(parts)


def _plain(text: str) -> str:
    """Escape a text so that Markdown shows it unchanged, in one line."""
    return re.sub(r"([\\`*_~<>\[\]])", r"\\\1", " ".join(text.split()))
