"""The model card beside a language model: what it is for, what it read, and what was measured."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard, ModelCardData

from oktane.lines import escaped

from ..data.description import DataFile
from .model_card import table
from .quoting import code_span, plain, python_literal
from .trained_model import machine_name, package_versions

_TEMPLATE = Path(__file__).with_name("templates") / "language_model_card.md"


@dataclass(frozen=True)
class TrainedLanguageModel:
    """What a card says about the training of a language model.

    Attributes:
        name: The model's id on the Hub if it has one, else the name of its folder.
        license: The license of the weights, as the Hub writes it.
        architecture: The name of its class, such as "LSTMForCausalLM".
        network: The network in a few words.
        num_parameters: The number of weights.
        mask_token: The token of a gap, if it fills gaps.
        file: The file of texts.
        num_texts: The number of texts that it was trained on.
        num_held_out: The number of texts that it was measured on.
        perplexity: The perplexity on these.
        hyperparameters: The hyperparameters by name, for readers.
        seconds: How long training took, without tokenizing.
        versions: The versions of Python and the packages; by default, those installed.
        machine: The machine that trained; by default, this one.
    """

    name: str
    license: str
    architecture: str
    network: str
    num_parameters: int
    mask_token: str | None
    file: DataFile
    num_texts: int
    num_held_out: int
    perplexity: float
    hyperparameters: Mapping[str, Any]
    seconds: float
    versions: Mapping[str, str] = field(default_factory=package_versions)
    machine: str = field(default_factory=machine_name)


def build_language_model_card(model: TrainedLanguageModel) -> ModelCard:
    """Write the card: metadata that the Hub reads, and text for people."""
    generates = model.architecture.endswith("ForCausalLM")
    task = "text-generation" if generates else "fill-mask" if model.mask_token else None
    metadata = ModelCardData(
        language="ko",
        license=model.license,
        library_name="transformers",
        pipeline_tag=task,
        tags=["okt-lstm", "okt", "korean", "language-model"],
        model_name=escaped(model.name.split("/")[-1]),
        mask_token=model.mask_token,
    )
    return ModelCard.from_template(
        metadata,
        str(_TEMPLATE),
        model=model,
        table=table,
        task=task,
        title=plain(model.name.split("/")[-1]),
        name=python_literal(model.name),
        shell_name=escaped(shlex.quote(model.name)),
        text=python_literal("이 영화는" if generates else f"이 영화 정말 {model.mask_token}"),
        parameters=f"{model.num_parameters:,}",
        perplexity=f"{model.perplexity:.1f}",
        texts=f"{model.num_texts:,}",
        held_out=f"{model.num_held_out:,}",
        file_name=code_span(model.file.name),
        file_id=code_span(model.file.git_blob_id),
        file_size=f"{model.file.num_bytes:,}",
        hyperparameters=[[name, code_span(value)] for name, value in model.hyperparameters.items()],
        versions=[[name, version] for name, version in model.versions.items()],
        seconds=f"{model.seconds:,.0f}",
    )
