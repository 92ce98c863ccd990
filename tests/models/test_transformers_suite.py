"""The models pass the tests that transformers runs on its own models, `ModelTesterMixin`.

The families differ by the cell alone, so CI runs the suite on the LSTM; GRU and RNN run it before a release.

The source distribution of transformers on PyPI carries them. To run them, unpack the one of the installed version and
name its folder:

    pip install parameterized
    pip download --no-deps --no-binary transformers transformers==VERSION && tar xzf transformers-VERSION.tar.gz
    OKT_LSTM_TRANSFORMERS_TESTS=transformers-VERSION pytest -m 'slow or release' tests/models/test_transformers_suite.py
"""

import os
import random
import sys
import unittest
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import torch

from okt_lstm import (
    GRUConfig,
    GRUForSequenceClassification,
    GRUForTokenClassification,
    GRUModel,
    LSTMConfig,
    LSTMForSequenceClassification,
    LSTMForTokenClassification,
    LSTMModel,
    RNNConfig,
    RNNForSequenceClassification,
    RNNForTokenClassification,
    RNNModel,
)

PACKAGE = "transformers_tests"


def import_suite() -> ModuleType:
    """Import tests/test_modeling_common.py of the source distribution, or skip this file and say why."""
    folder = os.environ.get("OKT_LSTM_TRANSFORMERS_TESTS")
    if not folder:
        pytest.skip("OKT_LSTM_TRANSFORMERS_TESTS names no unpacked source distribution", allow_module_level=True)
    pytest.importorskip("parameterized")
    tests = Path(folder) / "tests"
    if not (tests / "test_modeling_common.py").is_file():
        raise FileNotFoundError(f"OKT_LSTM_TRANSFORMERS_TESTS: {tests} holds no test_modeling_common.py")
    package = ModuleType(PACKAGE)
    package.__path__ = [str(tests)]
    sys.modules[PACKAGE] = package
    # The distribution leaves out two folders, from which the suite takes mixins of tests for export and for generation.
    for parent, module, mixin in (
        ("exporters", "test_export", "ExportTesterMixin"),
        ("generation", "test_utils", "GenerationTesterMixin"),
    ):
        sys.modules[f"{PACKAGE}.{parent}"] = ModuleType(parent)
        sys.modules[f"{PACKAGE}.{parent}.{module}"] = ModuleType(module)
        setattr(sys.modules[f"{PACKAGE}.{parent}.{module}"], mixin, type(mixin, (), {}))
    suite = import_module(f"{PACKAGE}.test_modeling_common")
    # By these lists of transformers' own models the suite tells which inputs and tests a class takes.
    for names, models in (
        ("MODEL_MAPPING_NAMES", (LSTMModel, GRUModel, RNNModel)),
        (
            "MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES",
            (LSTMForSequenceClassification, GRUForSequenceClassification, RNNForSequenceClassification),
        ),
        (
            "MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES",
            (LSTMForTokenClassification, GRUForTokenClassification, RNNForTokenClassification),
        ),
    ):
        ours = {model.config_class.model_type: model.__name__ for model in models}
        setattr(suite, names, {**getattr(suite, names), **ours})
    return suite


suite = import_suite()


class ModelTester:
    """Builds the small configurations and inputs that the suite asks for."""

    batch_size = 3
    seq_length = 7
    hidden_size = 16  # of a layer's output: 8 units in each of two directions
    num_hidden_layers = 2
    is_training = True

    def __init__(self, config_class):
        self.config_class = config_class

    def get_config(self):
        return self.config_class(
            vocab_size=99,
            embedding_size=16,
            hidden_size=self.hidden_size // 2,
            num_hidden_layers=self.num_hidden_layers,
        )

    def prepare_config_and_inputs_for_common(self):
        input_ids = suite.ids_tensor([self.batch_size, self.seq_length], 98) + 1
        attention_mask = suite.random_attention_mask([self.batch_size, self.seq_length])
        return self.get_config(), {"input_ids": input_ids, "attention_mask": attention_mask}


class RecurrentTests(suite.ModelTesterMixin):
    """What the suite must know about the models."""

    has_attentions = False
    config_class = None

    def setUp(self):
        random.seed(0)
        torch.manual_seed(0)
        self.model_tester = ModelTester(self.config_class)


@pytest.mark.slow
class LSTMTest(RecurrentTests, unittest.TestCase):
    config_class = LSTMConfig
    all_model_classes = (LSTMModel, LSTMForSequenceClassification, LSTMForTokenClassification)


@pytest.mark.release
class GRUTest(RecurrentTests, unittest.TestCase):
    config_class = GRUConfig
    all_model_classes = (GRUModel, GRUForSequenceClassification, GRUForTokenClassification)


@pytest.mark.release
class RNNTest(RecurrentTests, unittest.TestCase):
    config_class = RNNConfig
    all_model_classes = (RNNModel, RNNForSequenceClassification, RNNForTokenClassification)


class ModelTesterWithCRF(ModelTester):
    """Builds taggers with all that they can have."""

    def get_config(self):
        config = super().get_config()
        config.update({"crf": True, "constrain_tags": True, "type_vocab_size": 9, "num_bigram_buckets": 50})
        return config


@pytest.mark.slow
class LSTMWithCRFTest(RecurrentTests, unittest.TestCase):
    config_class = LSTMConfig
    all_model_classes = (LSTMForTokenClassification,)

    def setUp(self):
        super().setUp()
        self.model_tester = ModelTesterWithCRF(self.config_class)
