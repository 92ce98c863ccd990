"""Recurrent text classifiers for Korean as Hugging Face models. Importing the package registers them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForPreTraining,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)

from .models.configuration_lstm import GRUConfig, LSTMConfig, NgramConfig, RNNConfig
from .models.modeling_lstm import (
    GRUForSequenceClassification,
    GRUModel,
    LSTMForSequenceClassification,
    LSTMModel,
    RNNForSequenceClassification,
    RNNModel,
)
from .models.modeling_lstm_pretraining import GRUForPreTraining, LSTMForPreTraining, RNNForPreTraining
from .models.modeling_ngram import NgramForSequenceClassification
from .models.tokenization_okt import OktTokenizer

if TYPE_CHECKING:
    from .data.nsmc import NSMC
    from .inference.classifier import Classifier, load

__version__ = "0.2.0"

__all__ = [
    "NSMC",
    "Classifier",
    "GRUConfig",
    "GRUForPreTraining",
    "GRUForSequenceClassification",
    "GRUModel",
    "LSTMConfig",
    "LSTMForPreTraining",
    "LSTMForSequenceClassification",
    "LSTMModel",
    "NgramConfig",
    "NgramForSequenceClassification",
    "OktTokenizer",
    "RNNConfig",
    "RNNForPreTraining",
    "RNNForSequenceClassification",
    "RNNModel",
    "load",
]

# Saved folders carry their code, so that they load with trust_remote_code=True where this package is missing.
for _config, _classifier in (
    (LSTMConfig, LSTMForSequenceClassification),
    (GRUConfig, GRUForSequenceClassification),
    (RNNConfig, RNNForSequenceClassification),
    (NgramConfig, NgramForSequenceClassification),
):
    AutoConfig.register(_config.model_type, _config, exist_ok=True)
    AutoModelForSequenceClassification.register(_config, _classifier, exist_ok=True)
    AutoTokenizer.register(_config, OktTokenizer, exist_ok=True)
    _config.register_for_auto_class()
    _classifier.register_for_auto_class("AutoModelForSequenceClassification")
for _config, _model, _language_model in (
    (LSTMConfig, LSTMModel, LSTMForPreTraining),
    (GRUConfig, GRUModel, GRUForPreTraining),
    (RNNConfig, RNNModel, RNNForPreTraining),
):
    AutoModel.register(_config, _model, exist_ok=True)
    AutoModelForPreTraining.register(_config, _language_model, exist_ok=True)
    _model.register_for_auto_class("AutoModel")
    _language_model.register_for_auto_class("AutoModelForPreTraining")
OktTokenizer.register_for_auto_class("AutoTokenizer")

# These bring in `datasets`, which takes long to import, so they wait until they are asked for.
_LAZY = {"NSMC": "data.nsmc", "Classifier": "inference.classifier", "load": "inference.classifier"}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
