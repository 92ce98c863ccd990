"""The tests that transformers runs on its own models, as mixins for ours.

The source distribution of transformers on PyPI carries those of `ModelTesterMixin`; those of `GenerationTesterMixin`
are in its repository alone. To run them, get either of the installed version and name its folder:

    pip install parameterized
    git clone --depth 1 --branch vVERSION https://github.com/huggingface/transformers
    OKT_LSTM_TRANSFORMERS_TESTS=transformers pytest -m 'slow or release' tests/models/test_transformers_suite.py
"""

import os
import random
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import torch

from okt_lstm.models.configuration_lstm import GRUConfig, LSTMConfig, RNNConfig

PACKAGE = "transformers_tests"


def import_suite() -> ModuleType:
    """Import tests/test_modeling_common.py of transformers, or skip the test file and say why."""
    folder = os.environ.get("OKT_LSTM_TRANSFORMERS_TESTS")
    if not folder:
        pytest.skip("OKT_LSTM_TRANSFORMERS_TESTS names no copy of transformers", allow_module_level=True)
    pytest.importorskip("parameterized")
    tests = Path(folder) / "tests"
    if not (tests / "test_modeling_common.py").is_file():
        raise FileNotFoundError(f"OKT_LSTM_TRANSFORMERS_TESTS: {tests} holds no test_modeling_common.py")
    if f"{PACKAGE}.test_modeling_common" in sys.modules:
        return sys.modules[f"{PACKAGE}.test_modeling_common"]
    package = ModuleType(PACKAGE)
    package.__path__ = [str(tests)]
    sys.modules[PACKAGE] = package
    # The suite takes its mixins from folders that the distribution leaves out. Those for export need further packages.
    stand_in("exporters.test_export", "ExportTesterMixin", "ExportGenerateTesterMixin")
    if not (tests / "generation" / "test_utils.py").is_file():
        stand_in("generation.test_utils", "GenerationTesterMixin")
    suite = import_module(f"{PACKAGE}.test_modeling_common")
    # By these lists of transformers' own models the suite tells which inputs and tests a class takes.
    for names, head in (
        ("MODEL_MAPPING_NAMES", "Model"),
        ("MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES", "ForSequenceClassification"),
        ("MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES", "ForTokenClassification"),
        ("MODEL_FOR_CAUSAL_LM_MAPPING_NAMES", "ForCausalLM"),
        ("MODEL_FOR_MASKED_LM_MAPPING_NAMES", "ForMaskedLM"),
        ("MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES", "ForSeq2SeqLM"),
    ):
        ours = {
            config.model_type: config.__name__.replace("Config", head) for config in (LSTMConfig, GRUConfig, RNNConfig)
        }
        setattr(suite, names, {**getattr(suite, names), **ours})
    return suite


def stand_in(name: str, *mixins: str) -> None:
    """Put an empty module, which has these empty mixins, where the suite imports one, by either of two names."""
    module = ModuleType(name)
    for mixin in mixins:
        setattr(module, mixin, type(mixin, (), {}))
    parent, _, _ = name.partition(".")
    for package in (PACKAGE, "tests"):
        sys.modules.setdefault(package, ModuleType(package))
        sys.modules[f"{package}.{parent}"] = ModuleType(parent)
        sys.modules[f"{package}.{name}"] = module


suite = import_suite()
GenerationTesterMixin = suite.GenerationTesterMixin


class ModelTester:
    """Builds the small configurations and inputs that the suite asks for."""

    batch_size = 3
    seq_length = 7
    hidden_size = 16  # of a layer's output
    num_hidden_layers = 2
    is_training = True

    def __init__(self, config_class, **fields):
        self.config_class = config_class
        self.fields = fields

    def get_config(self):
        return self.config_class(
            vocab_size=99,
            embedding_size=16,
            hidden_size=self.hidden_size if self.fields.get("bidirectional") is False else self.hidden_size // 2,
            num_hidden_layers=self.num_hidden_layers,
            **self.fields,
        )

    def prepare_config_and_inputs_for_common(self):
        input_ids = suite.ids_tensor([self.batch_size, self.seq_length], 98) + 1
        attention_mask = suite.random_attention_mask([self.batch_size, self.seq_length])
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
        if self.fields.get("is_encoder_decoder"):
            inputs["decoder_input_ids"] = suite.ids_tensor([self.batch_size, self.seq_length], 98) + 1
        return self.get_config(), inputs


class RecurrentTests(suite.ModelTesterMixin):
    """What the suite must know about the models."""

    has_attentions = False
    config_class = None
    fields = {}  # of the configurations

    @property
    def state_size(self):
        return ModelTester.hidden_size * (2 if self.config_class is LSTMConfig else 1)

    def setUp(self):
        random.seed(0)
        torch.manual_seed(0)
        self.model_tester = ModelTester(self.config_class, **self.fields)
