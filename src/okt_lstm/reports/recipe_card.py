"""The card of a recipe: what models that it made with several seeds have in common, and what they get wrong."""

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import cast

from huggingface_hub import ModelCard, ModelCardData
from transformers import PreTrainedTokenizerBase

from .error_analysis import Group
from .model_card import SCORES, assemble, table, usage


@dataclass(frozen=True)
class RecipeFigures:
    """What a card tells of a recipe that was trained with several seeds, beside what the card of one such run tells.

    Attributes:
        name: The recipe's name: its id on the Hub if it has one.
        stages: The file that the recipe is, as it stands.
        seconds: How long each stage took in the first run, by its name.
        description: What the network is and does, as `describe` says it.
        tokenizer: The tokenizer of the run.
        runs: For each seed, by its number as text, the scores of the test split, and any other figure of the run.
        rate: Texts a second on one core, from raw text.
        megabytes: Size of the files that prediction reads.
        machine: Where the rate was measured.
        groups: By what the rows were split ("tokens") the groups of `okt_lstm.reports.error_analysis.accuracy_by`.
        errors: Wrong predictions that it is sure of: text, true label, predicted label, probability.
        pictures: Titles of the pictures that stand beside the card, by file name.
    """

    name: str
    stages: str
    seconds: Mapping[str, float]
    description: str
    tokenizer: PreTrainedTokenizerBase
    runs: Mapping[str, Mapping[str, float]]
    rate: float
    megabytes: float
    machine: str
    groups: Mapping[str, Sequence[Group]]
    errors: Sequence[tuple[str, str, str, float]]
    pictures: Mapping[str, str]


def build_recipe_card(run: ModelCard, recipe: RecipeFigures) -> ModelCard:
    """Write the card of a recipe: the card of one of its runs, with what all of them showed in place of its results.

    Args:
        run: The card that `build_model_card` wrote of a run. Its training data, options, limitations and versions are
            taken over as they stand.
        recipe: What is known of all runs. Every new figure in the card is taken from here.

    Returns:
        The card; its `save(path)` writes `README.md`.

    Raises:
        ValueError: If the run's card lacks a section that belongs to the recipe's.
    """
    _, *parts = re.split("^(?=## )", run.text, flags=re.MULTILINE)
    sections = {part.splitlines()[0].removeprefix("## "): part.strip() for part in parts}
    for title in ("Use", "Training data", "Recipe", "Results"):
        if title not in sections:
            raise ValueError(f"the run's card has no section '{title}': it is not one that okt-lstm wrote")
    options = sections["Recipe"].removeprefix("## Recipe").strip()
    durations = [[stage, f"{seconds:,.0f}"] for stage, seconds in recipe.seconds.items()]
    sections["Recipe"] = "\n\n".join(
        [
            f"## Recipe\n\n```yaml\n{recipe.stages.strip()}\n```",
            f"In the run with seed {next(iter(recipe.runs))}:",
            table(["stage", "seconds"], [*durations, ["together", f"{sum(recipe.seconds.values()):,.0f}"]]),
            "The options of its last stage:",
            options,
        ]
    )
    sections["Use"] = usage(recipe.name, recipe.tokenizer)
    sections["Results"] = f"{_results_of_runs(recipe)}\n\n{_mistakes(recipe)}"

    metadata = cast(ModelCardData, copy.deepcopy(run.data))
    metadata.model_name = recipe.name.split("/")[-1]
    means = {f"test {SCORES[name][1]}": value for name, (value, _) in _means(recipe).items() if name in SCORES}
    for result in metadata.eval_results or []:
        result.metric_value = means.get(result.metric_name or "", result.metric_value)
    accuracy, spread = _means(recipe)["accuracy"]
    several = f", with {len(recipe.runs)} seeds" if len(recipe.runs) > 1 else ""
    introduction = (
        f"# {metadata.model_name}\n\n{recipe.description} Trained with okt-lstm{several}; accuracy on the test split: "
        f"**{accuracy:.4f}**{f' (standard deviation {spread:.4f})' if several else ''}."
    )
    return assemble(metadata, [introduction, *sections.values()])


def _means(recipe: RecipeFigures) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation over the runs, of each figure that all of them have."""
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
    titles = [SCORES[name][1] if name in SCORES else name for name in means]
    parts = [
        "## Results\n\nThe epoch of each run was chosen on the validation split; the test split was read once for each "
        "seed, at the end. All columns but those named otherwise are of the test split.",
        table(["seed", *titles], rows),
        f"Speed: {recipe.rate:,.0f} texts a second from raw text, on one core ({recipe.machine}). Size on disk: "
        f"{recipe.megabytes:.1f} MB.",
        *(f"![{title}]({name})" for name, title in recipe.pictures.items()),
    ]
    return "\n\n".join(parts)


def _mistakes(recipe: RecipeFigures) -> str:
    parts = ["## What it gets wrong\n\nOf the test split, all seeds together."]
    for title, groups in recipe.groups.items():
        total = sum(group.rows for group in groups)
        rows = [[group.name, f"{group.rows / total:.1%}", f"{group.accuracy:.4f}"] for group in groups]
        parts.append(table([title, "share of the rows", "accuracy"], rows))
    if recipe.errors:
        parts.append("Wrong predictions that it is surest of (mean probability over the seeds):")
        errors = [[_plain(text), truth, guess, f"{confidence:.3f}"] for text, truth, guess, confidence in recipe.errors]
        parts.append(table(["text", "label", "prediction", "probability"], errors))
    return "\n\n".join(parts)


def _plain(text: str) -> str:
    """A text that Markdown shows as it is, in one line."""
    return re.sub(r"([\\`*_~<>\[\]])", r"\\\1", " ".join(text.split()))
