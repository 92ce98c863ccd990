import json
import logging

import pytest
import torch
from safetensors.torch import load_file
from tiny import padded
from torch.nn import functional
from transformers import AutoModelForPreTraining, AutoModelForSequenceClassification, Trainer, TrainingArguments

from okt_lstm import (
    GRUConfig,
    GRUForPreTraining,
    GRUForSequenceClassification,
    LSTMConfig,
    LSTMForPreTraining,
    LSTMForSequenceClassification,
    RNNConfig,
    RNNForPreTraining,
    RNNForSequenceClassification,
)

FAMILIES = {
    "lstm": (LSTMConfig, LSTMForPreTraining, LSTMForSequenceClassification),
    "gru": (GRUConfig, GRUForPreTraining, GRUForSequenceClassification),
    "rnn": (RNNConfig, RNNForPreTraining, RNNForSequenceClassification),
}
VOCABULARY = 50
HIDDEN = 8
TEXTS = [[5, 6, 7, 8, 9, 10, 11], [12, 13, 14], [15, 16], [17], []]


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


def small(config_class=LSTMConfig, **fields):
    sizes = {"vocab_size": VOCABULARY, "embedding_size": 12, "hidden_size": HIDDEN, "hidden_dropout": 0.0}
    return config_class(**{**sizes, "separate_directions": True, "initializer_range": 0.5, **fields})


def seeded(model_class, config):
    torch.manual_seed(0)
    model = model_class(config).eval()
    torch.nn.init.normal_(model.output_bias)
    return model


def losses_by_hand(model, text):
    """The cross-entropy of every prediction in a text: of its tokens from the left, then from the right."""
    states = model.model(torch.tensor([text])).last_hidden_state[0]
    table = model.get_input_embeddings().weight
    predictions = [(states[at, :HIDDEN], model.projections[0], text[at + 1]) for at in range(len(text) - 1)]
    if model.config.bidirectional:
        predictions += [(states[at, HIDDEN:], model.projections[1], text[at - 1]) for at in range(1, len(text))]
    return [
        -(table @ project(state) + model.output_bias).log_softmax(0)[token] for state, project, token in predictions
    ]


def test_no_direction_sees_what_it_is_to_predict(family):
    config_class, model_class, _ = family
    encoder = seeded(model_class, small(config_class, num_hidden_layers=3)).model
    ids = torch.arange(1, 10).unsqueeze(0)
    states = encoder(ids).last_hidden_state
    for at in range(9):
        later, earlier = ids.clone(), ids.clone()
        later[:, at + 1 :] += 20
        earlier[:, :at] += 20
        torch.testing.assert_close(encoder(later).last_hidden_state[:, at, :HIDDEN], states[:, at, :HIDDEN])
        torch.testing.assert_close(encoder(earlier).last_hidden_state[:, at, HIDDEN:], states[:, at, HIDDEN:])
    assert not torch.allclose(encoder(ids + 20).last_hidden_state, states)


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("embedding_size", [12, HIDDEN], ids=["projected", "as wide"])
def test_the_loss_is_the_mean_cross_entropy_over_the_whole_vocabulary(family, bidirectional, embedding_size):
    config_class, model_class, _ = family
    config = small(config_class, bidirectional=bidirectional, embedding_size=embedding_size, sampled_softmax_size=4)
    model = seeded(model_class, config)
    by_hand = torch.stack([loss for text in TEXTS[:3] for loss in losses_by_hand(model, text)])
    assert len(by_hand) == (6 + 2 + 1) * (2 if bidirectional else 1)
    torch.testing.assert_close(model(padded(TEXTS, 8)[0]).loss, by_hand.mean())


def test_padding_changes_nothing(family):
    config_class, model_class, _ = family
    model = seeded(model_class, small(config_class))
    expected = model(padded(TEXTS, 7)[0]).loss
    for time in (7, 12):
        for side in ("right", "left"):
            for filler in (0, 3):
                ids, mask = padded(TEXTS, time, side, filler)
                torch.testing.assert_close(model(ids, attention_mask=mask).loss, expected)


def test_the_softmax_of_training_runs_over_the_targets_and_a_multiple_of_tokens():
    model = seeded(LSTMForPreTraining, small(sampled_softmax_size=8))
    torch.manual_seed(1)
    targets = torch.tensor([7, -100, 9, 7, 49, 0, *range(20, 31)])
    candidates, places = model._candidates(targets)
    assert len(candidates) == len(candidates.unique()) == 16
    assert torch.equal(candidates[places[targets != -100]], targets[targets != -100])
    assert places[1] == -100
    again, _ = model._candidates(targets)
    assert set(again.tolist()) & set(candidates.tolist()) >= {7, 9, 49, 0, *range(20, 31)}
    assert set(again.tolist()) != set(candidates.tolist())  # the others are drawn anew
    assert len(model._candidates(torch.arange(49))[0]) == VOCABULARY


@pytest.mark.parametrize("candidates", [0, VOCABULARY, 1000])
def test_with_all_tokens_as_candidates_training_has_the_full_loss(family, candidates):
    config_class, model_class, _ = family
    model = seeded(model_class, small(config_class, sampled_softmax_size=candidates))
    ids, _ = padded(TEXTS, 8)
    full = model(ids).loss
    torch.testing.assert_close(model.train()(ids).loss, full)
    model.config.sampled_softmax_size = 16
    assert model(ids).loss < full


def test_two_directions_that_read_each_other_are_refused(family):
    config_class, model_class, _ = family
    with pytest.raises(ValueError, match="separate_directions=True"):
        model_class(small(config_class, separate_directions=False))
    for harmless in ({"num_hidden_layers": 1}, {"bidirectional": False}):
        model_class(small(config_class, separate_directions=False, **harmless))


@pytest.mark.parametrize("time", [0, 1, 3])
@pytest.mark.parametrize("training", [False, True])
def test_rows_without_two_tokens_have_no_loss_and_a_backward_pass(family, time, training):
    config_class, model_class, _ = family
    model = seeded(model_class, small(config_class)).train(training)
    ids = torch.zeros(2, time, dtype=torch.long)
    ids[1, :1] = 5
    loss = model(ids).loss
    assert loss == 0
    loss.backward()
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    assert not any(gradient.any() for gradient in gradients)


def test_gradients_reach_every_weight(family):
    config_class, model_class, _ = family
    model = seeded(model_class, small(config_class, sampled_softmax_size=8)).train()
    model(padded(TEXTS, 8)[0]).loss.backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in model.parameters())


def test_without_a_loss_asked_for_there_are_states_alone():
    model = seeded(LSTMForPreTraining, small())
    output = model(padded(TEXTS, 8)[0], return_loss=False, output_hidden_states=True)
    assert output.loss is None
    assert [tuple(states.shape) for states in output.hidden_states] == [(5, 8, 12), (5, 8, 16), (5, 8, 16)]


def test_the_output_layer_is_the_embedding_table(family, tmp_path):
    config_class, model_class, _ = family
    model = seeded(model_class, small(config_class, tie_word_embeddings=False))
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
    model.save_pretrained(tmp_path)
    assert not any(name.startswith("lm_head") for name in load_file(tmp_path / "model.safetensors"))
    loaded = model_class.from_pretrained(tmp_path)
    assert loaded.get_output_embeddings().weight is loaded.get_input_embeddings().weight
    assert loaded.get_output_embeddings().bias is loaded.output_bias


@pytest.mark.parametrize("size", [VOCABULARY + 10, VOCABULARY - 10])
def test_the_vocabulary_can_be_resized(family, size, tmp_path):
    config_class, model_class, _ = family
    model = seeded(model_class, small(config_class))
    weight, bias = (tensor.detach().clone() for tensor in (model.lm_head.weight, model.output_bias))
    model.resize_token_embeddings(size)
    assert model.config.vocab_size == len(model.output_bias) == size
    kept = min(size, VOCABULARY)
    assert torch.equal(model.lm_head.weight[:kept], weight[:kept])
    assert torch.equal(model.lm_head.bias[:kept], bias[:kept])
    ids = torch.tensor([[size - 1, 5, size - 2]])
    by_hand = torch.stack(losses_by_hand(model, ids[0].tolist())).mean()
    torch.testing.assert_close(model(ids).loss, by_hand)
    model.train()(ids).loss.backward()
    assert model.output_bias.grad.any()
    model.save_pretrained(tmp_path)
    torch.testing.assert_close(model_class.from_pretrained(tmp_path)(ids).loss, by_hand)


def test_a_checkpoint_resumes_without_a_warning(tmp_path, caplog):
    def trainer(steps):
        return Trainer(
            seeded(LSTMForPreTraining, small()),
            TrainingArguments(str(tmp_path), max_steps=steps, save_steps=1, report_to=[], use_cpu=True, label_names=[]),
            train_dataset=[{"input_ids": [5, 6, 7]}] * 16,
        )

    trainer(1).train()
    logging.getLogger("transformers").addHandler(caplog.handler)
    try:
        resumed = trainer(2)
        resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-1"))
    finally:
        logging.getLogger("transformers").removeHandler(caplog.handler)
    assert resumed.state.global_step == 2
    assert "missing keys" not in caplog.text


def test_a_classifier_takes_over_exactly_the_encoder(family, tmp_path):
    config_class, model_class, classifier_class = family
    model = seeded(model_class, small(config_class))
    model.save_pretrained(tmp_path / "lm")
    classifier, loaded = classifier_class.from_pretrained(tmp_path / "lm", num_labels=3, output_loading_info=True)
    assert set(loaded["missing_keys"]) == {"classifier.weight", "classifier.bias"}
    beyond = {"output_bias", *(f"projections.{at}.{name}" for at in (0, 1) for name in ("weight", "bias"))}
    assert set(loaded["unexpected_keys"]) == beyond
    encoder = model.model.state_dict()
    assert classifier.model.state_dict().keys() == encoder.keys()
    assert all(torch.equal(weight, encoder[name]) for name, weight in classifier.model.state_dict().items())

    classifier.save_pretrained(tmp_path / "classifier")
    saved = json.loads((tmp_path / "classifier" / "config.json").read_text())
    assert saved["architectures"] == [classifier_class.__name__]
    assert set(saved["auto_map"]) == {"AutoConfig", "AutoModel", "AutoModelForSequenceClassification"}
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path / "classifier")
    ids, _ = padded(TEXTS, 8)
    assert torch.equal(again(ids).logits, classifier(ids).logits)


def test_a_saved_model_loads_with_the_same_weights_through_the_auto_class(family, tmp_path):
    config_class, model_class, _ = family
    model = seeded(model_class, small(config_class))
    model.save_pretrained(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} >= {"modeling_lstm_pretraining.py", "modeling_lstm.py"}
    loaded = AutoModelForPreTraining.from_pretrained(tmp_path)
    assert type(loaded) is model_class
    ids, _ = padded(TEXTS, 8)
    assert torch.equal(loaded(ids).loss, model(ids).loss)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_has_nearly_the_same_loss(family, dtype):
    config_class, model_class, _ = family
    model = seeded(model_class, small(config_class))
    ids, _ = padded(TEXTS, 8)
    loss = model(ids).loss
    half = model.to(dtype)(ids).loss
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, loss, atol=0.1, rtol=0)


def test_a_language_is_learned():
    """Every text counts on from where it begins; both directions can know the next token."""
    torch.manual_seed(0)
    model = LSTMForPreTraining(small(sampled_softmax_size=8, num_hidden_layers=1, hidden_size=16))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    starts = torch.randint(1, 30, (64, 1), generator=torch.Generator().manual_seed(0))
    ids = starts + torch.arange(12)
    before = model.eval()(ids).loss
    model.train()
    for _ in range(60):
        optimizer.zero_grad()
        model(ids).loss.backward()
        optimizer.step()
    assert (
        model.eval()(ids).loss < 0.3 < functional.cross_entropy(torch.zeros(1, VOCABULARY), torch.tensor([0])) < before
    )
