"""The models pass the tests that transformers runs on its own models: `ModelTesterMixin` and `GenerationTesterMixin`.

The families differ by the cell alone, so CI runs the suite on the LSTM; GRU and RNN run it before a release.
`transformers_suite.py` says how to get the tests.
"""

import unittest

import pytest
from transformers_suite import GenerationTesterMixin, RecurrentTests

from okt_lstm import (
    GRUConfig,
    GRUForCausalLM,
    GRUForMaskedLM,
    GRUForSeq2SeqLM,
    GRUForSequenceClassification,
    GRUForTokenClassification,
    GRUModel,
    LSTMConfig,
    LSTMForCausalLM,
    LSTMForMaskedLM,
    LSTMForSeq2SeqLM,
    LSTMForSequenceClassification,
    LSTMForTokenClassification,
    LSTMModel,
    RNNConfig,
    RNNForCausalLM,
    RNNForMaskedLM,
    RNNForSeq2SeqLM,
    RNNForSequenceClassification,
    RNNForTokenClassification,
    RNNModel,
)


class GenerationTests(GenerationTesterMixin, RecurrentTests):
    # Our models never had another name for the cache.
    test_bc_cache_name_forward = None
    # It passes the tokens that the state has read once more, which a state can't tell: pass the new ones alone.
    test_generate_continue_from_cache = None
    test_generate_continue_from_inputs_embeds = None

    def _check_cache_for_generate(self, batch_size, cache, seq_length, config):
        cache = getattr(cache, "self_attention_cache", cache)
        assert len(cache.layers) == config.num_hidden_layers
        for layer in cache.layers:
            assert layer.recurrent_states[0].shape == (batch_size, self.state_size)


class CausalLMTests(GenerationTests):
    fields = {"bidirectional": False, "bos_token_id": 1, "eos_token_id": 2}


class MaskedLMTests(RecurrentTests):
    fields = {"separate_directions": True}


class Seq2SeqTests(GenerationTests):
    # It calls the model as one without an encoder.
    test_recurrent_layers_mask_padding_on_continued_forward = None
    # There are two base models, the encoder and the decoder.
    test_base_model_prefix_loads_base_weights = None
    fields = {
        "bidirectional": False,
        "is_encoder_decoder": True,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "decoder_start_token_id": 1,
    }


@pytest.mark.slow
class LSTMTest(RecurrentTests, unittest.TestCase):
    config_class = LSTMConfig
    all_model_classes = (LSTMModel, LSTMForSequenceClassification, LSTMForTokenClassification)


@pytest.mark.slow
class LSTMForCausalLMTest(CausalLMTests, unittest.TestCase):
    config_class = LSTMConfig
    all_model_classes = (LSTMForCausalLM,)


@pytest.mark.slow
class LSTMForMaskedLMTest(MaskedLMTests, unittest.TestCase):
    config_class = LSTMConfig
    all_model_classes = (LSTMForMaskedLM,)


@pytest.mark.slow
class LSTMForSeq2SeqLMTest(Seq2SeqTests, unittest.TestCase):
    config_class = LSTMConfig
    all_model_classes = (LSTMForSeq2SeqLM,)


@pytest.mark.release
class GRUTest(RecurrentTests, unittest.TestCase):
    config_class = GRUConfig
    all_model_classes = (GRUModel, GRUForSequenceClassification, GRUForTokenClassification)


@pytest.mark.release
class GRUForCausalLMTest(CausalLMTests, unittest.TestCase):
    config_class = GRUConfig
    all_model_classes = (GRUForCausalLM,)


@pytest.mark.release
class GRUForMaskedLMTest(MaskedLMTests, unittest.TestCase):
    config_class = GRUConfig
    all_model_classes = (GRUForMaskedLM,)


@pytest.mark.release
class GRUForSeq2SeqLMTest(Seq2SeqTests, unittest.TestCase):
    config_class = GRUConfig
    all_model_classes = (GRUForSeq2SeqLM,)


@pytest.mark.release
class RNNTest(RecurrentTests, unittest.TestCase):
    config_class = RNNConfig
    all_model_classes = (RNNModel, RNNForSequenceClassification, RNNForTokenClassification)


@pytest.mark.release
class RNNForCausalLMTest(CausalLMTests, unittest.TestCase):
    config_class = RNNConfig
    all_model_classes = (RNNForCausalLM,)


@pytest.mark.release
class RNNForMaskedLMTest(MaskedLMTests, unittest.TestCase):
    config_class = RNNConfig
    all_model_classes = (RNNForMaskedLM,)


@pytest.mark.release
class RNNForSeq2SeqLMTest(Seq2SeqTests, unittest.TestCase):
    config_class = RNNConfig
    all_model_classes = (RNNForSeq2SeqLM,)


@pytest.mark.slow
class LSTMWithCRFTest(RecurrentTests, unittest.TestCase):
    """A tagger with all that it can have."""

    config_class = LSTMConfig
    all_model_classes = (LSTMForTokenClassification,)
    fields = {"crf": True, "constrain_tags": True, "type_vocab_size": 9, "num_bigram_buckets": 50}
