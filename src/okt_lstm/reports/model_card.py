"""The model card that stands beside a trained model: what it is, what it was trained on, and what was measured."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import torch
from huggingface_hub import EvalResult, ModelCard, ModelCardData
from transformers import PreTrainedTokenizerBase

from ..data.labels import ProblemType
from ..data.splits import DataDescription
from ..models.configuration_lstm import ClassifierConfig

_PACKAGES = ("okt-lstm", "torch", "transformers", "tokenizers", "datasets", "evaluate")

# Name among our metrics: the Hub's metric id, the name for readers.
SCORES = {
    "accuracy": ("accuracy", "accuracy"),
    "f1_macro": ("f1", "macro F1"),
    "precision_macro": ("precision", "macro precision"),
    "recall_macro": ("recall", "macro recall"),
    "f1_micro": ("f1", "micro F1"),
    "mse": ("mse", "mean squared error"),
    "mae": ("mae", "mean absolute error"),
    "r2": ("r_squared", "R2"),
    "loss": ("loss", "loss"),
}

_TASKS: dict[ProblemType, str] = {
    "single_label_classification": "gives each text one of {count} labels: {names}",
    "multi_label_classification": "gives each text any number of {count} labels: {names}",
    "regression": "gives each text a number",
}


@dataclass(frozen=True)
class TrainedModel:
    """What a card tells of a training run.

    Attributes:
        name: The model's name: its id on the Hub if it has one, else its folder's name.
        license: License of the weights, as the Hub writes it.
        config: The model's configuration.
        problem_type: The kind of problem it solves.
        labels: The names of its classes by id; empty for regression.
        num_parameters: Number of its weights.
        tokenizer: Its tokenizer.
        data: What it was trained and tested on.
        recipe: The hyper-parameters by name, for readers.
        seconds: How long training took.
        epochs: One row of scores an epoch on the validation split, by name ("epoch", "loss", "accuracy", ...).
        results: Scores by name, of the splits "validation" and, where there is one, "test".
        pictures: Titles of the pictures that stand beside the card, by file name.
        vocabulary: Where the vocabulary comes from, in a sentence.
    """

    name: str
    license: str
    config: ClassifierConfig
    problem_type: ProblemType
    labels: Sequence[str]
    num_parameters: int
    tokenizer: PreTrainedTokenizerBase
    data: DataDescription
    recipe: Mapping[str, Any]
    seconds: float
    epochs: Sequence[Mapping[str, float]]
    results: Mapping[str, Mapping[str, float]]
    pictures: Mapping[str, str]
    vocabulary: str = "The vocabulary was built from the training rows alone."


def build_model_card(model: TrainedModel) -> ModelCard:
    """Write the card: metadata that the Hub reads, and text for people.

    Args:
        model: What is known of the model. Every figure in the card is taken from here.

    Returns:
        The card; its `save(path)` writes `README.md`.
    """
    split, scores = list(model.results.items())[-1]
    cell = model.config.model_type.removeprefix("okt_")
    measured = [name for name in SCORES if name in scores]
    metadata = ModelCardData(
        language="ko",
        license=model.license,
        library_name="transformers",
        pipeline_tag="text-classification",
        tags=["okt-lstm", cell, "okt", "korean"],
        datasets=[model.data.hub_id] if model.data.hub_id else None,
        metrics=sorted({SCORES[name][0] for name in measured if name != "loss"}),
        model_name=model.name.split("/")[-1],
        eval_results=[
            EvalResult(
                task_type="text-classification",
                task_name="Text Classification",
                dataset_type=model.data.hub_id or "local",
                dataset_name=model.data.name,
                dataset_config=model.data.config,
                dataset_split=split,
                metric_type=SCORES[name][0],
                metric_name=f"{split} {SCORES[name][1]}",
                metric_value=scores[name],
            )
            for name in measured
        ],
    )
    sections = [
        _introduction(model, split, scores),
        usage(model.name, model.tokenizer),
        _training_data(model.data),
        _recipe(model),
        _results(model),
        _limitations(model),
        _versions(model),
    ]
    return assemble(metadata, sections)


def assemble(metadata: ModelCardData, sections: Sequence[str]) -> ModelCard:
    """Make a card of its metadata and of sections in Markdown."""
    return ModelCard(f"---\n{metadata.to_yaml()}\n---\n\n" + "\n\n".join(sections) + "\n")


def describe(config: ClassifierConfig, num_parameters: int, problem_type: ProblemType, labels: Sequence[str]) -> str:
    """Say in two sentences what a network is and what it does.

    Args:
        config: Its configuration.
        num_parameters: Number of its weights.
        problem_type: The kind of problem it solves.
        labels: The names of its classes by id; empty for regression.
    """
    names = ", ".join(f"`{label}`" for label in labels)
    task = _TASKS[problem_type].format(count=len(labels), names=names)
    return f"A {config.network} over Okt morphemes, with {num_parameters:,} parameters. It {task}."


def _introduction(model: TrainedModel, split: str, scores: Mapping[str, float]) -> str:
    description = describe(model.config, model.num_parameters, model.problem_type, model.labels)
    main = next(name for name in SCORES if name in scores)
    return f"""# {model.name.split("/")[-1]}

{description} Trained with okt-lstm on {model.data.name}; {SCORES[main][1]} on the {split} split \
({model.data.rows[split]:,} rows): **{scores[main]:.4f}**."""


def usage(name: str, tokenizer: PreTrainedTokenizerBase) -> str:
    """The section that says how a model of this name is opened."""
    return f"""## Use

**Open this model with `okt_lstm` imported, or with `trust_remote_code=True`.** transformers alone does not know its
classes: without either, loading fails with messages that blame something else (sentencepiece, a missing model type).

With the package, `pip install okt-lstm`:

```python
import okt_lstm  # registers the model and its tokenizer
from transformers import pipeline

classify = pipeline("text-classification", model="{name}")
classify(["연기도 연출도 최고였다", "시간이 아깝다"], truncation=True)
```

Without it, where konlpy and a Java runtime are installed. This runs the Python files beside this card, so look at them
first:

```python
from transformers import pipeline

classify = pipeline("text-classification", model="{name}", trust_remote_code=True)
```

Texts of more than {tokenizer.model_max_length} tokens are cut only where `truncation=True` is given."""


def _training_data(data: DataDescription) -> str:
    lines = [f"## Training data\n\n{data.name}" + (f" ([{data.hub_id}]({_dataset_url(data)}))" if data.hub_id else "")]
    lines.append(table(["split", "rows"], [[split, f"{rows:,}"] for split, rows in data.rows.items()]))
    if data.files:
        files = [[file.split, file.name, f"{file.num_bytes:,}", f"`{file.git_blob_id}`"] for file in data.files]
        lines.append(table(["file of", "name", "bytes", "git blob id"], files))
    if data.notes:
        lines.append("\n".join(data.notes))
    if data.license:
        lines.append(f"License of the data: {data.license}.")
    return "\n\n".join(lines)


def _dataset_url(data: DataDescription) -> str:
    return f"https://huggingface.co/datasets/{data.hub_id}"


def _recipe(model: TrainedModel) -> str:
    rows = [[name, f"`{value}`"] for name, value in model.recipe.items()]
    return f"## Recipe\n\n{model.vocabulary}\n\n{table(['option', 'value'], rows)}"


def _results(model: TrainedModel) -> str:
    names = [name for name in SCORES if any(name in scores for scores in model.results.values())]
    rows = [
        [split, *(f"{scores[name]:.4f}" if name in scores else "" for name in names)]
        for split, scores in model.results.items()
    ]
    chosen = "The epoch was chosen on the validation split."
    if "test" in model.results:
        chosen += " The test split was read once, at the end."
    parts = [f"## Results\n\n{chosen}", table(["split", *(SCORES[name][1] for name in names)], rows)]
    if model.epochs:
        header = [name for name in model.epochs[0] if all(name in row for row in model.epochs)]
        epochs = [[f"{row[name]:.4g}" for name in header] for row in model.epochs]
        titles = [SCORES[name][1] if name in SCORES else name for name in header]
        parts.append(f"On the validation split, epoch by epoch:\n\n{table(titles, epochs)}")
    parts.extend(f"![{title}]({name})" for name, title in model.pictures.items())
    return "\n\n".join(parts)


def _limitations(model: TrainedModel) -> str:
    limits = [
        "- It knows Korean only, and texts like those it was trained on; measure it on your own before you rely on it.",
        "- A small model over morphemes: it misses irony, long-range context and knowledge of the world, "
        "where large pretrained models do better.",
        "- It repeats what its training data holds, prejudice included. Don't let it decide about people.",
    ]
    if model.problem_type != "regression":
        limits.append("- Its probabilities were not calibrated.")
    return "## Limitations\n\n" + "\n".join(limits)


def _versions(model: TrainedModel) -> str:
    rows = [[name, version(name)] for name in _PACKAGES]
    threads = torch.get_num_threads()
    machine = f"{platform.system()} {platform.machine()} with {threads} thread{'s' if threads > 1 else ''}"
    if torch.cuda.is_available():
        machine += f", {torch.cuda.get_device_name()}"
    versions = table(["package", "version"], [["Python", platform.python_version()], *rows])
    return f"## Versions\n\n{versions}\n\nTrained on {machine}, in {model.seconds:,.0f} seconds."


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; bars in cells are escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
