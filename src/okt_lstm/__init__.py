"""Recurrent text classifiers for Korean as Hugging Face models.

Importing the package registers its models and its tokenizer with transformers' Auto classes: at once if transformers
is already imported, else as soon as it is. So `okt-lstm --help` doesn't wait for transformers and torch.
"""

import sys
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oktane import load_encoder

    from .data.nsmc import NSMC
    from .hub import LoadError
    from .inference.classifier import Classifier
    from .inference.loading import load, load_tagger
    from .inference.tagger import Tagger
    from .models.configuration_lstm import GRUConfig, LSTMConfig, NgramConfig, RNNConfig
    from .models.modeling_lstm import (
        GRUForSequenceClassification,
        GRUModel,
        LSTMForSequenceClassification,
        LSTMModel,
        RNNForSequenceClassification,
        RNNModel,
    )
    from .models.modeling_lstm_causal_lm import GRUForCausalLM, LSTMForCausalLM, RNNForCausalLM
    from .models.modeling_lstm_masked_lm import GRUForMaskedLM, LSTMForMaskedLM, RNNForMaskedLM
    from .models.modeling_lstm_pretraining import GRUForPreTraining, LSTMForPreTraining, RNNForPreTraining
    from .models.modeling_lstm_seq2seq import GRUForSeq2SeqLM, LSTMForSeq2SeqLM, RNNForSeq2SeqLM
    from .models.modeling_lstm_token_classification import (
        GRUForTokenClassification,
        LSTMForTokenClassification,
        RNNForTokenClassification,
    )
    from .models.modeling_ngram import NgramForSequenceClassification
    from .models.tokenization_okt import OktTokenizer
    from .models.tokenization_okt_character import OktCharacterTokenizer

__version__ = "0.2.0"

__all__ = [
    "NSMC",
    "Classifier",
    "GRUConfig",
    "GRUForCausalLM",
    "GRUForMaskedLM",
    "GRUForPreTraining",
    "GRUForSeq2SeqLM",
    "GRUForSequenceClassification",
    "GRUForTokenClassification",
    "GRUModel",
    "LSTMConfig",
    "LSTMForCausalLM",
    "LSTMForMaskedLM",
    "LSTMForPreTraining",
    "LSTMForSeq2SeqLM",
    "LSTMForSequenceClassification",
    "LSTMForTokenClassification",
    "LSTMModel",
    "LoadError",
    "NgramConfig",
    "NgramForSequenceClassification",
    "OktCharacterTokenizer",
    "OktTokenizer",
    "RNNConfig",
    "RNNForCausalLM",
    "RNNForMaskedLM",
    "RNNForPreTraining",
    "RNNForSeq2SeqLM",
    "RNNForSequenceClassification",
    "RNNForTokenClassification",
    "RNNModel",
    "Tagger",
    "load",
    "load_encoder",
    "load_tagger",
]

# Where the names are that `models` does not hold.
_HOMES = {
    "NSMC": ".data.nsmc",
    "Classifier": ".inference.classifier",
    "LoadError": ".hub",
    "Tagger": ".inference.tagger",
    "load": ".inference.loading",
    "load_tagger": ".inference.loading",
    "load_encoder": "oktane",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, ".models"), __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _RegistersAfterTransformers(MetaPathFinder):
    """Waits for the first import of transformers, and registers the models when it is done."""

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != "transformers":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                import_module(".models", __name__)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


if "transformers" in sys.modules:
    import_module(".models", __name__)
else:
    sys.meta_path.insert(0, _RegistersAfterTransformers())
