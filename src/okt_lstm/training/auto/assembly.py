"""From fitted parts to one model of transformers, which any engine runs."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel

from ...inference.torch_loading import load_model, quiet_transformers
from ...models.configuration_lstm import NgramConfig, RecurrentConfig
from ...models.modeling_ngram import NgramForSequenceClassification
from ...models.ngrams import KnownNgrams
from .linear import Linear
from .ngram_features import NGRAM_LENGTH, NgramFeatures
from .select import Choice
from .vectors import Standardized, StandardizedPairs

# Dropouts while the encoder is fine-tuned. Few rows would soon be learned by heart without them.
_DROPOUTS = {"embedding_dropout": 0.1, "hidden_dropout": 0.3, "classifier_dropout": 0.3}


def classifier_of(encoder: Path, labels: dict[str, Any], head: Linear) -> PreTrainedModel:
    """Return a classifier with the weights of an encoder, and with a fitted head.

    Args:
        encoder: The encoder's folder.
        labels: `problem_type`, `id2label` or `num_labels`, and for pairs of texts `text_pair`.
        head: The linear model on the encoder's vectors.

    Raises:
        ValueError: If the folder has no recurrent network of this package, or lacks weights.
    """
    config = AutoConfig.from_pretrained(encoder, trust_remote_code=False)
    if not isinstance(config, RecurrentConfig):
        raise ValueError(f"{encoder} is a {config.model_type}, not a recurrent network of this package")
    fields = {name: value for name, value in config.to_dict().items() if name not in ("id2label", "label2id")}
    config = type(config).from_dict(fields | _DROPOUTS | labels)
    with quiet_transformers():
        model, loaded = load_model(str(encoder), config=config, ignore_mismatched_sizes=True)
    if lost := [name for name in loaded["missing_keys"] if not name.startswith("classifier.")]:
        raise ValueError(f"{encoder} has other weights than its configuration says: {', '.join(lost)}")
    _set_head(model, head.weights, head.biases)
    return model


def assemble(
    encoder: Path,
    labels: dict[str, Any],
    choice: Choice,
    standardized: Standardized | StandardizedPairs,
    ngrams: NgramFeatures,
) -> PreTrainedModel:
    """Return the model that was chosen, with the mixture's weights and shifts in its last layers.

    Args:
        encoder: The encoder's folder.
        labels: See `classifier_of`.
        choice: What was chosen.
        standardized: What the head was fitted on.
        ngrams: What the n-gram model was fitted on.
    """
    mixture, labels = choice.mixture, labels | {"thresholds": choice.mixture.thresholds}
    hashes, weights = ngrams.fold(choice.ngrams)
    biases = mixture.shifts + mixture.wide * choice.ngrams.biases
    if not mixture.deep:
        config = AutoConfig.from_pretrained(encoder, trust_remote_code=False)
        sizes = {"vocab_size": config.vocab_size, "pad_token_id": config.pad_token_id}
        linear = NgramForSequenceClassification(
            NgramConfig(**sizes, max_ngram=NGRAM_LENGTH, num_ngrams=len(hashes), **labels)
        )
        _set_ngrams(linear.weights, hashes, mixture.wide * weights)
        with torch.no_grad():
            linear.bias.copy_(torch.from_numpy(biases))
        return linear.eval()
    model = choice.network or classifier_of(encoder, labels, standardized.head(choice.head))
    if mixture.wide:
        sizes = {"num_ngrams": len(hashes), "ngram_length": NGRAM_LENGTH}
        config = type(model.config).from_dict(model.config.to_dict() | sizes)
        wider = AutoModelForSequenceClassification.from_config(config)
        wider.load_state_dict(model.state_dict(), strict=False)
        _set_ngrams(wider.ngrams, hashes, mixture.wide * weights)
        model = wider
    model.config.thresholds = mixture.thresholds
    head: Any = model.classifier
    _set_head(
        model,
        mixture.deep * head.weight.detach().cpu().numpy(),
        mixture.deep * head.bias.detach().cpu().numpy() + biases,
    )
    return model.eval()


def _set_head(model: PreTrainedModel, weights: NDArray[Any], biases: NDArray[Any]) -> None:
    head: Any = model.classifier
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(np.asarray(weights)))
        head.bias.copy_(torch.from_numpy(np.asarray(biases)))


def _set_ngrams(known: Any, hashes: NDArray[np.int32], weights: NDArray[np.float32]) -> None:
    assert isinstance(known, KnownNgrams)
    with torch.no_grad():
        known.hashes.copy_(torch.from_numpy(hashes))
        known.weight.copy_(torch.from_numpy(np.asarray(weights, np.float32)))
