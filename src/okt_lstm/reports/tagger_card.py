"""The model card beside a tagger: what it is, what it was trained on, and what was measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from oktane.lines import escaped

from ..data.description import DataDescription
from .model_card import table
from .quoting import code_span, plain, python_literal
from .trained_model import machine_name, package_versions

_TEMPLATE = Path(__file__).with_name("templates") / "tagger_card.md"

_SCORES = {
    "entity_f1": ("f1", "entity F1"),
    "entity_precision": ("precision", "entity precision"),
    "entity_recall": ("recall", "entity recall"),
    "entity_f1_macro": ("f1", "macro entity F1"),
    "character_f1": ("f1", "macro character F1"),
}
_SPACING_SCORES = {
    "entity_f1": ("f1", "word F1"),
    "entity_precision": ("precision", "word precision"),
    "entity_recall": ("recall", "word recall"),
}


@dataclass(frozen=True)
class TrainedTagger:
    """What a card says about the training of a tagger.

    Attributes:
        name: The model's id on the Hub if it has one, else the name of its folder.
        license: The license of the weights, as the Hub writes it.
        network: The network in a few words.
        model_type: The kind of network, such as "lstm".
        num_parameters: The number of weights.
        labels: The labels of its entities.
        restores_spaces: Whether its entities are the words of a text.
        data: What it was trained and tested on.
        hyperparameters: The hyperparameters by name, for readers.
        results: Scores by name, of the splits "validation" and, if there is one, "test".
        epochs: The scores on the validation split after each epoch.
        seconds: How long training took.
        versions: The versions of Python and the packages; by default, those installed.
        machine: The machine that trained; by default, this one.
    """

    name: str
    license: str
    network: str
    model_type: str
    num_parameters: int
    labels: Sequence[str]
    restores_spaces: bool
    data: DataDescription
    hyperparameters: Mapping[str, Any]
    results: Mapping[str, Mapping[str, float]]
    epochs: Sequence[Mapping[str, float]]
    seconds: float
    versions: Mapping[str, str] = field(default_factory=package_versions)
    machine: str = field(default_factory=machine_name)


def build_tagger_card(tagger: TrainedTagger) -> ModelCard:
    """Write the card: metadata that the Hub reads, and text for people."""
    names = _SPACING_SCORES if tagger.restores_spaces else _SCORES
    split, scores = list(tagger.results.items())[-1]
    metadata = ModelCardData(
        language="ko",
        license=tagger.license,
        library_name="transformers",
        pipeline_tag="token-classification",
        tags=["okt-lstm", tagger.model_type, "okt", "korean", "spacing" if tagger.restores_spaces else "ner"],
        datasets=[tagger.data.hub_id] if tagger.data.hub_id else None,
        metrics=sorted({metric for metric, _ in names.values()}),
        model_name=escaped(tagger.name.split("/")[-1]),
        eval_results=[
            EvalResult(
                task_type="token-classification",
                task_name="Token Classification",
                dataset_type=tagger.data.hub_id or "local",
                dataset_name=escaped(tagger.data.name),
                dataset_split=split,
                metric_type=metric,
                metric_name=f"{split} {title}",
                metric_value=scores[name],
            )
            for name, (metric, title) in names.items()
        ],
    )
    main = next(iter(names))
    return ModelCard.from_template(
        metadata,
        str(_TEMPLATE),
        tagger=tagger,
        table=table,
        title=plain(tagger.name.split("/")[-1]),
        name=python_literal(tagger.name),
        parameters=f"{tagger.num_parameters:,}",
        labels=", ".join(map(code_span, tagger.labels)),
        main=f"{names[main][1]} on the {split} split ({tagger.data.rows[split]:,} rows): **{scores[main]:.4f}**",
        data_name=plain(tagger.data.name),
        row_counts=[[plain(name), f"{rows:,}"] for name, rows in tagger.data.rows.items()],
        files=[
            [plain(file.split), plain(file.name), f"{file.num_bytes:,}", code_span(file.git_blob_id)]
            for file in tagger.data.files
        ],
        hyperparameters=[[name, code_span(value)] for name, value in tagger.hyperparameters.items()],
        score_names=["split", *(title for _, title in names.values())],
        score_rows=[[name, *(f"{row[score]:.4f}" for score in names)] for name, row in tagger.results.items()],
        epochs=[[f"{value:.4g}" for value in entry.values()] for entry in tagger.epochs],
        main_title=names[main][1],
        versions=[[name, version] for name, version in tagger.versions.items()],
        seconds=f"{tagger.seconds:,.0f}",
    )
