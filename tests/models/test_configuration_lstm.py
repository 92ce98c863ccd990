import pytest
from huggingface_hub.errors import StrictDataclassError
from transformers import AutoConfig

from okt_lstm import GRUConfig, LSTMConfig, NgramConfig, RNNConfig

CONFIGS = [LSTMConfig, GRUConfig, RNNConfig, NgramConfig]


def test_defaults_are_the_classic_recipe():
    config = LSTMConfig()
    assert (config.embedding_size, config.hidden_size, config.num_hidden_layers) == (128, 64, 2)
    assert config.bidirectional
    assert config.pooling == "last"
    assert config.pad_token_id == 0


def test_model_types_are_distinctive():
    assert [config.model_type for config in CONFIGS] == ["okt_lstm", "okt_gru", "okt_rnn", "okt_ngram"]


def test_torchs_name_for_the_number_of_layers_is_understood():
    config = LSTMConfig(num_layers=3)
    assert config.num_hidden_layers == config.num_layers == 3
    config.num_layers = 4
    assert config.num_hidden_layers == 4


def test_the_name_that_0_1_0_had_for_the_sampled_softmax_is_understood(tmp_path):
    config = LSTMConfig.from_dict({"model_type": "okt_lstm", "softmax_candidates": 64})
    assert config.sampled_softmax_size == config.softmax_candidates == 64
    config.save_pretrained(tmp_path)
    assert "softmax_candidates" not in (tmp_path / "config.json").read_text()
    assert AutoConfig.from_pretrained(tmp_path).sampled_softmax_size == 64


@pytest.mark.parametrize(
    ("config", "network"),
    [
        (LSTMConfig(), "two-layer bidirectional LSTM"),
        (GRUConfig(num_hidden_layers=1, bidirectional=False), "one-layer GRU"),
        (RNNConfig(num_hidden_layers=12), "12-layer bidirectional RNN"),
        (NgramConfig(max_ngram=3), "linear 3-gram model"),
    ],
)
def test_the_network_is_described_in_words(config, network):
    assert config.network == network


@pytest.mark.parametrize("config_class", CONFIGS)
def test_a_saved_configuration_loads_equal(config_class, tmp_path):
    fields = {"max_ngram": 3} if config_class is NgramConfig else {"pooling": "max_mean"}
    config = config_class(vocab_size=10, **fields, id2label={0: "부정", 1: "중립", 2: "긍정"})
    config.save_pretrained(tmp_path)
    loaded = AutoConfig.from_pretrained(tmp_path)
    assert type(loaded) is config_class
    assert loaded.to_dict() == AutoConfig.from_pretrained(tmp_path).to_dict()
    assert loaded.id2label == config.id2label
    assert loaded.label2id == {"부정": 0, "중립": 1, "긍정": 2}


def test_loading_with_another_number_of_labels_replaces_the_saved_ones(tmp_path):
    LSTMConfig(id2label={0: "a", 1: "b", 2: "c"}).save_pretrained(tmp_path)
    assert LSTMConfig.from_pretrained(tmp_path, num_labels=4).num_labels == 4
    assert LSTMConfig.from_pretrained(tmp_path, num_labels=3).id2label == {0: "a", 1: "b", 2: "c"}


def test_names_of_labels_may_change_and_either_table_makes_the_other(tmp_path):
    config = LSTMConfig(label2id={"b": 1, "a": 0})
    assert config.id2label == {0: "a", 1: "b"}
    config.id2label = {0: "x", 1: "y"}
    config.save_pretrained(tmp_path)
    assert AutoConfig.from_pretrained(tmp_path).label2id == {"x": 0, "y": 1}
    renamed = AutoConfig.from_pretrained(tmp_path, id2label={0: "부정", 1: "긍정"})
    assert renamed.label2id == {"부정": 0, "긍정": 1}
    renamed.save_pretrained(tmp_path)
    assert AutoConfig.from_pretrained(tmp_path).id2label == {0: "부정", 1: "긍정"}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"hidden_size": "64"}, "hidden_size"),
        ({"hidden_size": 0}, "hidden_size must be at least 1, got 0"),
        ({"num_hidden_layers": -1}, "num_hidden_layers"),
        ({"vocab_size": 0, "pad_token_id": None}, "vocab_size"),
        ({"pooling": "sum"}, "max_mean"),
        ({"bidirectional": "yes"}, "bidirectional"),
        ({"hidden_dropout": 1.0}, "hidden_dropout must be at least 0 and below 1, got 1.0"),
        ({"classifier_dropout": -0.1}, "classifier_dropout"),
        ({"initializer_range": 0.0}, "initializer_range"),
        ({"pad_token_id": 20000}, "outside the vocabulary of 20000 ids"),
        ({"problem_type": "ranking"}, "problem_type"),
        ({"problem_type": "single_label_classification", "num_labels": 1}, "num_labels"),
        ({"num_labels": 3, "id2label": {0: "a", 1: "b"}}, "num_labels is 3, but there are names for 2"),
        ({"num_labels": 3, "label2id": {"a": 0, "b": 1}}, "num_labels is 3, but there are names for 2"),
        ({"num_labels": 0}, "num_labels must be a whole number and at least 1, got 0"),
        ({"id2label": {}}, "id2label must number"),
        ({"id2label": {0: "a", 1: "a"}}, "name each label differently"),
        ({"label2id": {"a": 0, "b": 0}}, "not the inverse of id2label"),
        ({"id2label": ["a", "b"]}, "id2label"),
        ({"id2label": {0: "a", 1: "b"}, "label2id": {"a": 1, "b": 0}}, "not the inverse of id2label"),
        ({"id2label": {0: "a", 2: "b"}}, "id2label must number"),
        ({"num_layers": 3, "num_hidden_layers": 4}, "two names of one field"),
    ],
)
def test_an_invalid_or_contradictory_field_is_named_at_construction(fields, named):
    with pytest.raises((StrictDataclassError, ValueError), match=named):
        LSTMConfig(**fields)


def test_the_plain_cell_takes_tanh_or_relu():
    assert RNNConfig().nonlinearity == "tanh"
    assert RNNConfig(nonlinearity="relu").nonlinearity == "relu"
    with pytest.raises(StrictDataclassError, match="nonlinearity"):
        RNNConfig(nonlinearity="gelu")
