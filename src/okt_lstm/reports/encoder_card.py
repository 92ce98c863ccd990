"""The model card beside a sentence encoder: what it is, what it learned from, and what was measured."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard, ModelCardData

from oktane.lines import escaped

from ..data.description import DataFile
from ..models.configuration_lstm import RecurrentConfig
from .model_card import table
from .quoting import code_span, plain, python_literal
from .trained_model import machine_name, package_versions

_TEMPLATE = Path(__file__).with_name("templates") / "encoder_card.md"


@dataclass(frozen=True)
class TrainedEncoder:
    """What a card says about the training of a sentence encoder.

    Attributes:
        name: The model's id on the Hub if it has one, else the name of its folder.
        license: The license of the weights, as the Hub writes it.
        config: The network's configuration.
        num_parameters: The number of weights.
        max_length: The number of tokens after which the tokenizer truncates.
        teacher: The teacher's name, without its path.
        file: The file of texts.
        num_texts: The number of texts that it was trained on.
        num_held_out: The number of texts that it was measured on.
        scores: What was measured, by name.
        hyperparameters: The hyperparameters by name, for readers.
        seconds: How long training took.
        versions: The versions of Python and the packages; by default, those installed.
        machine: The machine that trained; by default, this one.
    """

    name: str
    license: str
    config: RecurrentConfig
    num_parameters: int
    max_length: int
    teacher: str
    file: DataFile
    num_texts: int
    num_held_out: int
    scores: Mapping[str, float]
    hyperparameters: Mapping[str, Any]
    seconds: float
    versions: Mapping[str, str] = field(default_factory=package_versions)
    machine: str = field(default_factory=machine_name)


def build_encoder_card(encoder: TrainedEncoder) -> ModelCard:
    """Write the card: metadata that the Hub reads, and text for people."""
    metadata = ModelCardData(
        language="ko",
        license=encoder.license,
        library_name="sentence-transformers",
        pipeline_tag="sentence-similarity",
        tags=["okt-lstm", "feature-extraction", "okt", "korean"],
        model_name=escaped(encoder.name.split("/")[-1]),
    )
    return ModelCard.from_template(
        metadata,
        str(_TEMPLATE),
        table=table,
        title=plain(encoder.name.split("/")[-1]),
        name=python_literal(encoder.name),
        config=encoder.config,
        parameters=f"{encoder.num_parameters:,}",
        max_length=encoder.max_length,
        teacher=code_span(encoder.teacher),
        texts=f"{encoder.num_texts:,}",
        file_name=code_span(encoder.file.name),
        file_id=code_span(encoder.file.git_blob_id),
        file_size=f"{encoder.file.num_bytes:,}",
        held_out=f"{encoder.num_held_out:,}",
        measures=[[name, f"{value:.4f}"] for name, value in encoder.scores.items()],
        hyperparameters=[[name, code_span(value)] for name, value in encoder.hyperparameters.items()],
        versions=[[name, version] for name, version in encoder.versions.items()],
        machine=encoder.machine,
        seconds=f"{encoder.seconds:,.0f}",
    )
