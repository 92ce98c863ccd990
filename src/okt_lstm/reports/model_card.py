"""The model card beside a trained model: what it is, what it was trained on, and what was measured."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from oktane.lines import escaped

from .quoting import code_span, plain, python_literal
from .trained_model import CARD_NAME, TrainedModel

_TEMPLATE = Path(__file__).with_name("templates") / "model_card.md"

# With more classes, the table would be longer than the rest of the card.
_MOST_CLASSES = 50

SCORES = {
    "accuracy": ("accuracy", "accuracy"),
    "f1_macro": ("f1", "macro F1"),
    "precision_macro": ("precision", "macro precision"),
    "recall_macro": ("recall", "macro recall"),
    "f1_micro": ("f1", "micro F1"),
    "mse": ("mse", "mean squared error"),
    "mae": ("mae", "mean absolute error"),
    "r2": ("r_squared", "R2"),
    "spearman": ("spearmanr", "Spearman correlation"),
    "loss": ("loss", "loss"),
}
"""Each of our scores: the id of its metric on the Hub, and its name for readers."""


def build_model_card(model: TrainedModel) -> ModelCard:
    """Write the card: metadata that the Hub reads, and text for people.

    Args:
        model: What is known of the model. Every figure in the card comes from here.

    Returns:
        The card; its `content` is that of `README.md`.
    """
    split, scores = list(model.results.items())[-1]
    main = next(name for name in SCORES if name in scores)
    introduction = (
        f"{model.description} Trained with okt-lstm on {plain(model.data.name)}; {score_title(main)} on the {split} "
        f"split ({model.data.rows[split]:,} rows): **{scores[main]:.4f}**."
    )
    return render_card(model, split, scores, introduction=introduction, results=_results(model))


def render_card(model: TrainedModel, split: str, scores: Mapping[str, float], **sections: Any) -> ModelCard:
    """Fill the template of cards.

    Args:
        model: What is known of the model.
        split: The split that the metadata's scores were measured on.
        scores: These scores, by name.
        **sections: What the card's kind fills in, in Markdown: `introduction` and `results`, and in the card of a
            recipe, more; see the template.
    """
    measured = [name for name in SCORES if name in scores]
    metadata = ModelCardData(
        language="ko",
        license=model.license,
        library_name="transformers",
        pipeline_tag="text-classification",
        tags=["okt-lstm", model.model_type, "okt", "korean"],
        datasets=[model.data.hub_id] if model.data.hub_id else None,
        metrics=sorted({SCORES[name][0] for name in measured if name != "loss"}),
        model_name=escaped(model.name.split("/")[-1]),
        eval_results=[
            EvalResult(
                task_type="text-classification",
                task_name="Text Classification",
                dataset_type=model.data.hub_id or "local",
                dataset_name=escaped(model.data.name),
                dataset_config=model.data.config,
                dataset_split=split,
                metric_type=SCORES[name][0],
                metric_name=f"{split} {score_title(name)}",
                metric_value=scores[name],
            )
            for name in measured
        ],
    )
    content = {
        "title": plain(model.name.split("/")[-1]),
        "name": python_literal(model.name),
        "examples": python_literal(list(model.examples)),
        "data_name": plain(model.data.name),
        "row_counts": [[plain(split), f"{rows:,}"] for split, rows in model.data.rows.items()],
        "files": [
            [plain(file.split), plain(file.name), f"{file.num_bytes:,}", code_span(file.git_blob_id)]
            for file in model.data.files
        ],
        "hyperparameters": [[name, code_span(value)] for name, value in model.hyperparameters.items()],
        "pictures": model.pictures,
        "versions": [[name, version] for name, version in model.versions.items()],
        "seconds": f"{model.seconds:,.0f}",
    }
    return ModelCard.from_template(metadata, str(_TEMPLATE), model=model, table=table, **(content | sections))


def score_title(name: str) -> str:
    """Return the name of a score for readers."""
    return SCORES[name][1] if name in SCORES else name


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table in Markdown; bars in cells are escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _results(model: TrainedModel) -> str:
    names = [name for name in SCORES if any(name in scores for scores in model.results.values())]
    rows = [
        [split, *(f"{scores[name]:.4f}" if name in scores else "" for name in names)]
        for split, scores in model.results.items()
    ]
    chosen = model.selection
    if "test" in model.results:
        chosen += " The test split was read once, at the end."
    parts = [*(f"**{warning}**" for warning in model.warnings), chosen]
    parts.append(table(["split", *map(score_title, names)], rows))
    if model.baselines:
        parts.append(_comparison(model))
    if model.classes:
        parts.append(_by_class(model))
    if model.epochs:
        header = [name for name in model.epochs[0] if all(name in row for row in model.epochs)]
        epochs = [[f"{row[name]:.4g}" for name in header] for row in model.epochs]
        parts.append(f"On the validation split, after each epoch:\n\n{table(list(map(score_title, header)), epochs)}")
    return "\n\n".join(parts)


def _comparison(model: TrainedModel) -> str:
    split, scores = list(model.results.items())[-1]
    names = [name for name in SCORES if name in scores and name != "loss"]
    systems = {**model.baselines, "this model": scores}
    rows = [
        [system, *(f"{figures[name]:.4f}" if name in figures else "" for name in names)]
        for system, figures in systems.items()
    ]
    return f"Beside other ways, on the {split} split:\n\n{table(['way', *map(score_title, names)], rows)}"


def _by_class(model: TrainedModel) -> str:
    split = list(model.results)[-1]
    # Pictures have ids instead of names where no font shows the names.
    rows = [
        [
            str(number),
            code_span(row["class"]),
            f"{row['rows']:,}",
            f"{row['predicted']:,}",
            *(f"{row[name]:.3f}" for name in ("precision", "recall", "f1")),
        ]
        for number, row in enumerate(model.classes[:_MOST_CLASSES])
    ]
    more = len(model.classes) - len(rows)
    header = ["id", "class", "rows", "predicted", "precision", "recall", "F1"]
    rest = f"\n\n{more:,} more classes are in `{CARD_NAME}`." if more > 0 else ""
    return f"By class, on the {split} split:\n\n{table(header, rows)}{rest}"
