"""What travels beside a checkpoint. The other files of this folder are copied to the Hub and import nothing outside it.

Importing this package registers its classes with transformers' Auto classes.
"""

from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForPreTraining,
    AutoModelForSequenceClassification,
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
from .modeling_lstm_pretraining import GRUForPreTraining, LSTMForPreTraining, RNNForPreTraining
from .modeling_ngram import NgramForSequenceClassification
from .tokenization_okt import OktTokenizer

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
