"""Which recipe `okt-lstm train` follows: `auto` for data of one's own, unless an option asks for another network."""

import logging

import pytest

from okt_lstm.training.default_recipe import default_recipe


@pytest.mark.parametrize(
    "given",
    [
        {"dataset": "mine.csv"},
        {"dataset": "sample", "overwrite_output_dir": True, "seed": 3},
        {"dataset": "mine.csv", "class_weights": "balanced", "text_column": "body", "abstain_below": 0.7},
        {"dataset": "mine.csv", "pretrained": "encoder"},
    ],
)
def test_data_of_ones_own_are_learned_by_auto(given):
    assert default_recipe({"output_dir": "out", **given}) == "auto"


@pytest.mark.parametrize("given", [{}, {"dataset": "nsmc"}, {"dataset": "mine.csv", "method": "network"}])
def test_textbook_network_stays_the_default_for_nsmc_and_by_name(given, caplog):
    caplog.set_level(logging.INFO, "okt_lstm")
    assert default_recipe({"output_dir": "out", **given}) is None
    assert not caplog.messages


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"hidden_size": 32}, "--hidden_size is for a network of your own, which is trained from random weights"),
        ({"model_type": "gru"}, "--model_type"),
        ({"subword": "bpe"}, "--subword"),
        ({"num_train_epochs": 3}, "--num_train_epochs"),
        ({"embeddings": "v.txt"}, "--embeddings is for a network of your own, which is trained by the recipe classic"),
    ],
)
def test_options_of_a_network_train_that_network_and_say_so(given, said, caplog):
    caplog.set_level(logging.INFO, "okt_lstm")
    assert default_recipe({"dataset": "mine.csv", **given}) is None
    assert said in caplog.text


def test_another_start_is_no_surprise_that_needs_words(caplog):
    caplog.set_level(logging.INFO, "okt_lstm")
    assert default_recipe({"dataset": "mine.csv", "pretrained": "released"}) is None
    assert not caplog.messages
