"""What travels beside a checkpoint. The other files of this folder are copied to the Hub and import nothing outside it.

Importing this package registers its classes with transformers' Auto classes.
"""

from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForPreTraining,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
)

from .configuration_lstm import GRUConfig, LSTMConfig, NgramConfig, RNNConfig
from .modeling_lstm import (
    GRUForSequenceClassification,
    GRUModel,
    LSTMForSequenceClassification,
    LSTMModel,
    RNNForSequenceClassification,
    RNNModel,
)
from .modeling_lstm_causal_lm import GRUForCausalLM, LSTMForCausalLM, RNNForCausalLM
from .modeling_lstm_masked_lm import GRUForMaskedLM, LSTMForMaskedLM, RNNForMaskedLM
from .modeling_lstm_pretraining import GRUForPreTraining, LSTMForPreTraining, RNNForPreTraining
from .modeling_lstm_seq2seq import GRUForSeq2SeqLM, LSTMForSeq2SeqLM, RNNForSeq2SeqLM
from .modeling_lstm_token_classification import (
    GRUForTokenClassification,
    LSTMForTokenClassification,
    RNNForTokenClassification,
)
from .modeling_ngram import NgramForSequenceClassification
from .tokenization_okt import OktTokenizer
from .tokenization_okt_character import OktCharacterTokenizer

# Saved folders carry their code, so that they load with trust_remote_code=True where this package is missing.
for _config, _classifier in (
    (LSTMConfig, LSTMForSequenceClassification),
    (GRUConfig, GRUForSequenceClassification),
    (RNNConfig, RNNForSequenceClassification),
    (NgramConfig, NgramForSequenceClassification),
):
    AutoConfig.register(_config.model_type, _config, exist_ok=True)
    AutoModelForSequenceClassification.register(_config, _classifier, exist_ok=True)
    # A model type has one tokenizer by default. A folder can name every one that was registered.
    AutoTokenizer.register(_config, OktCharacterTokenizer, exist_ok=True)
    AutoTokenizer.register(_config, OktTokenizer, exist_ok=True)
    _config.register_for_auto_class()
    _classifier.register_for_auto_class("AutoModelForSequenceClassification")
for _auto_class, *_models in (
    (AutoModel, LSTMModel, GRUModel, RNNModel),
    (AutoModelForPreTraining, LSTMForPreTraining, GRUForPreTraining, RNNForPreTraining),
    (AutoModelForCausalLM, LSTMForCausalLM, GRUForCausalLM, RNNForCausalLM),
    (AutoModelForMaskedLM, LSTMForMaskedLM, GRUForMaskedLM, RNNForMaskedLM),
    (AutoModelForSeq2SeqLM, LSTMForSeq2SeqLM, GRUForSeq2SeqLM, RNNForSeq2SeqLM),
    (
        AutoModelForTokenClassification,
        LSTMForTokenClassification,
        GRUForTokenClassification,
        RNNForTokenClassification,
    ),
):
    for _model in _models:
        _auto_class.register(_model.config_class, _model, exist_ok=True)
        _model.register_for_auto_class(_auto_class.__name__)
for _tokenizer in (OktTokenizer, OktCharacterTokenizer):
    _tokenizer.register_for_auto_class("AutoTokenizer")
