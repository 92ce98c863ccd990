import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import padded
from torch import nn
from transformers import AutoModel, AutoModelForSequenceClassification

from okt_lstm import (
    GRUConfig,
    GRUForSequenceClassification,
    GRUModel,
    LSTMConfig,
    LSTMForSequenceClassification,
    LSTMModel,
    RNNConfig,
    RNNForSequenceClassification,
    RNNModel,
)

FAMILIES = {
    "lstm": (LSTMConfig, LSTMModel, LSTMForSequenceClassification),
    "gru": (GRUConfig, GRUModel, GRUForSequenceClassification),
    "rnn": (RNNConfig, RNNModel, RNNForSequenceClassification),
}
VOCABULARY = 50
TEXTS = [[5, 6, 7, 8, 9, 10, 11], [12, 13, 14], [15], []]


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


def small(config_class, **fields):
    fields = {"vocab_size": VOCABULARY, "embedding_size": 12, "hidden_size": 8, "num_labels": 3, **fields}
    # Initial weights large enough that every difference shows in the logits.
    return config_class(initializer_range=0.5, **fields)


def without_dropout(config_class, **fields):
    return small(config_class, hidden_dropout=0.0, classifier_dropout=0.0, **fields)


def seeded(model_class, config):
    torch.manual_seed(0)
    return model_class(config).eval()


def reference_states(model, text):
    """The last layer's states for one unpadded text by torch's own bidirectional, stacked network."""
    config = model.config
    rnn = model.rnn_class(
        config.embedding_size,
        config.hidden_size,
        config.num_hidden_layers,
        batch_first=True,
        bidirectional=config.bidirectional,
        **({"nonlinearity": config.nonlinearity} if isinstance(config, RNNConfig) else {}),
    )
    with torch.no_grad():
        for index, layer in enumerate(model.layers):
            for cell, suffix in ((layer.forward_rnn, ""), (layer.backward_rnn, "_reverse")):
                for name, weight in cell.named_parameters() if cell is not None else ():
                    getattr(rnn, f"{name[:-1]}{index}{suffix}").copy_(weight)
        states, final = rnn(model.embed_tokens(torch.tensor([text])))
    final = final[0] if isinstance(final, tuple) else final
    directions = 2 if config.bidirectional else 1
    return states[0], final[-directions:].flatten()


@pytest.mark.parametrize("bidirectional", [True, False])
def test_states_are_those_of_torchs_own_network(family, bidirectional):
    config_class, model_class, _ = family
    model = seeded(model_class, small(config_class, bidirectional=bidirectional))
    ids, mask = padded(TEXTS, 9)
    output = model(ids, attention_mask=mask)
    for row, text in enumerate(TEXTS[:-1]):
        states, final = reference_states(model, text)
        torch.testing.assert_close(output.last_hidden_state[row, : len(text)], states)
        torch.testing.assert_close(output.pooler_output[row], final)


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_the_plain_network_uses_its_nonlinearity(nonlinearity):
    model = seeded(RNNModel, small(RNNConfig, nonlinearity=nonlinearity))
    states, _ = reference_states(model, TEXTS[0])
    torch.testing.assert_close(model(torch.tensor([TEXTS[0]])).last_hidden_state[0], states)


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "max_mean"])
def test_logits_never_depend_on_padding(family, pooling):
    config_class, _, classifier_class = family
    model = seeded(classifier_class, small(config_class, pooling=pooling))
    with torch.no_grad():
        expected = torch.cat([model(torch.tensor([text], dtype=torch.long)).logits for text in TEXTS])
        for time in (7, 8, 30):
            for side in ("right", "left"):
                for filler in (0, 3):
                    ids, mask = padded(TEXTS, time, side, filler)
                    torch.testing.assert_close(model(ids, attention_mask=mask).logits, expected, atol=1e-5, rtol=1e-5)
    assert (expected[0] - expected[1]).abs().max() > 1e-3


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(1, VOCABULARY - 1), max_size=9), min_size=1, max_size=5), st.randoms())
def test_padding_may_stand_anywhere(texts, random):
    model = seeded(LSTMForSequenceClassification, small(LSTMConfig))
    ids = torch.randint(VOCABULARY, (len(texts), 14), generator=torch.Generator().manual_seed(0))
    mask = torch.zeros_like(ids)
    for row, text in enumerate(texts):
        places = sorted(random.sample(range(14), len(text)))
        ids[row, places] = torch.tensor(text, dtype=torch.long)
        mask[row, places] = 1
    with torch.no_grad():
        expected = torch.cat([model(torch.tensor([text], dtype=torch.long)).logits for text in texts])
        torch.testing.assert_close(model(ids, attention_mask=mask).logits, expected, atol=1e-5, rtol=1e-5)


def test_what_stands_under_the_mask_never_enters_the_network():
    model = seeded(LSTMForSequenceClassification, small(LSTMConfig))
    ids, mask = padded(TEXTS, 9)
    embeddings = model.get_input_embeddings()(ids).detach()
    poisoned = embeddings.masked_fill(mask.unsqueeze(-1) == 0, torch.nan).requires_grad_()
    logits = model(inputs_embeds=poisoned, attention_mask=mask).logits
    torch.testing.assert_close(logits, model(ids).logits)
    logits.sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters() if parameter.grad is not None)


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_states_that_overflow_over_padding_never_reach_the_text(pooling):
    model = seeded(RNNForSequenceClassification, small(RNNConfig, nonlinearity="relu", pooling=pooling))
    with torch.no_grad():
        for layer in model.model.layers:
            for rnn in (layer.forward_rnn, layer.backward_rnn):
                rnn.weight_hh_l0.copy_(4 * torch.eye(8))
        ids, mask = padded(TEXTS, 200)
        expected = torch.cat([model(torch.tensor([text], dtype=torch.long)).logits for text in TEXTS])
        torch.testing.assert_close(model(ids, attention_mask=mask).logits, expected)


def test_without_a_mask_it_is_inferred_from_the_padding_id(family):
    config_class, _, classifier_class = family
    ids, mask = padded(TEXTS, 9)
    model = seeded(classifier_class, small(config_class))
    torch.testing.assert_close(model(ids).logits, model(ids, attention_mask=mask).logits)
    other_padding = seeded(classifier_class, small(config_class, pad_token_id=3))
    ids, mask = padded(TEXTS, 9, filler=3)
    torch.testing.assert_close(other_padding(ids).logits, other_padding(ids, attention_mask=mask).logits)


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "max_mean"])
@pytest.mark.parametrize("time", [0, 3])
def test_an_empty_text_is_a_valid_input(family, pooling, time):
    config_class, _, classifier_class = family
    model = seeded(classifier_class, small(config_class, pooling=pooling))
    output = model(torch.zeros(2, time, dtype=torch.long), output_hidden_states=True)
    torch.testing.assert_close(output.logits, model.classifier.bias.expand(2, 3))
    assert model.model(torch.zeros(2, time, dtype=torch.long)).last_hidden_state.shape[:2] == (2, time)
    output.logits.sum().backward()


def test_hidden_states_are_the_embeddings_and_each_layers_output(family):
    config_class, model_class, _ = family
    model = seeded(model_class, small(config_class))
    ids, _ = padded(TEXTS, 9)
    output = model(ids, output_hidden_states=True)
    assert [tuple(states.shape) for states in output.hidden_states] == [(4, 9, 12), (4, 9, 16), (4, 9, 16)]
    torch.testing.assert_close(output.hidden_states[0], model.embed_tokens(ids))
    torch.testing.assert_close(output.hidden_states[-1], output.last_hidden_state)
    assert model(ids).hidden_states is None


def test_return_dict_false_gives_a_tuple(family):
    config_class, model_class, classifier_class = family
    ids, _ = padded(TEXTS, 9)
    classifier = seeded(classifier_class, small(config_class))
    loss, logits = classifier(ids, labels=torch.tensor([0, 1, 2, 0]), return_dict=False)
    torch.testing.assert_close(logits, classifier(ids).logits)
    assert loss.dim() == 0
    assert len(seeded(model_class, small(config_class))(ids, return_dict=False)) == 2
    assert len(seeded(classifier_class, small(config_class, return_dict=False))(ids)) == 1


def test_embeddings_stand_in_for_ids(family):
    config_class, _, classifier_class = family
    model = seeded(classifier_class, small(config_class))
    ids, mask = padded(TEXTS, 9)
    embeddings = model.get_input_embeddings()(ids)
    torch.testing.assert_close(model(inputs_embeds=embeddings, attention_mask=mask).logits, model(ids).logits)


@pytest.mark.parametrize(
    ("labels", "problem_type", "reference"),
    [
        (torch.tensor([0, 2, 1, 1]), "single_label_classification", nn.CrossEntropyLoss()),
        (torch.tensor([[0.0, 1, 1]] * 4), "multi_label_classification", nn.BCEWithLogitsLoss()),
        (torch.tensor([[0.5, -1, 2]] * 4), "regression", nn.MSELoss()),
    ],
)
def test_each_problem_type_has_its_loss(family, labels, problem_type, reference):
    config_class, _, classifier_class = family
    model = seeded(classifier_class, small(config_class, problem_type=problem_type))
    ids, _ = padded(TEXTS, 9)
    output = model(ids, labels=labels)
    torch.testing.assert_close(output.loss, reference(output.logits, labels))


@pytest.mark.parametrize(
    ("num_labels", "labels", "problem_type"),
    [
        (3, torch.tensor([0, 2, 1, 1]), "single_label_classification"),
        (3, torch.rand(4, 3), "multi_label_classification"),
        (1, torch.rand(4), "regression"),
    ],
)
def test_an_unset_problem_type_is_read_off_the_labels(num_labels, labels, problem_type):
    model = seeded(LSTMForSequenceClassification, small(LSTMConfig, num_labels=num_labels))
    model(padded(TEXTS, 9)[0], labels=labels)
    assert model.config.problem_type == problem_type


@pytest.mark.parametrize("problem_type", ["single_label_classification", "multi_label_classification", "regression"])
def test_accumulated_gradients_are_those_of_one_large_batch(problem_type):
    model = seeded(LSTMForSequenceClassification, without_dropout(LSTMConfig, problem_type=problem_type))
    ids, _ = padded(TEXTS, 9)
    labels = torch.tensor([0, 2, 1, 1]) if problem_type == "single_label_classification" else torch.rand(4, 3).round()
    whole = copy.deepcopy(model)
    whole(ids, labels=labels).loss.backward()
    for rows in (slice(0, 3), slice(3, 4)):
        model(ids[rows], labels=labels[rows], num_items_in_batch=torch.tensor(labels.numel())).loss.backward()
    for one, other in zip(model.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_loads_exactly_and_trains(family, dtype, tmp_path):
    config_class, _, classifier_class = family
    seeded(classifier_class, small(config_class)).to(dtype).save_pretrained(tmp_path)
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path, dtype=dtype)
    ids, _ = padded(TEXTS, 9)
    output = model(ids, labels=torch.tensor([0, 1, 2, 0]))
    assert output.logits.dtype == dtype
    assert output.loss.isfinite()
    output.loss.backward()
    original = classifier_class.from_pretrained(tmp_path, dtype="auto")
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), original.parameters(), strict=True))


def test_a_saved_model_loads_with_the_same_weights_through_the_auto_classes(family, tmp_path):
    config_class, model_class, classifier_class = family
    classifier = seeded(classifier_class, small(config_class))
    classifier.save_pretrained(tmp_path)
    ids, _ = padded(TEXTS, 9)
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert type(loaded) is classifier_class
    assert torch.equal(loaded(ids).logits, classifier(ids).logits)
    base = AutoModel.from_pretrained(tmp_path)
    assert type(base) is model_class
    assert torch.equal(base(ids).pooler_output, classifier.model(ids).pooler_output)


def test_a_saved_folder_carries_its_code(family, tmp_path):
    config_class, _, classifier_class = family
    seeded(classifier_class, small(config_class)).save_pretrained(tmp_path)
    assert {"configuration_lstm.py", "modeling_lstm.py"} <= {path.name for path in tmp_path.iterdir()}


def test_device_map_loads_the_same_model(family, tmp_path):
    config_class, _, classifier_class = family
    classifier = seeded(classifier_class, small(config_class))
    classifier.save_pretrained(tmp_path)
    loaded = classifier_class.from_pretrained(tmp_path, device_map="auto", max_memory={"cpu": "1GB"})
    ids, _ = padded(TEXTS, 9)
    torch.testing.assert_close(loaded(ids).logits, classifier(ids).logits)


def test_resized_embeddings_keep_the_old_rows(family):
    config_class, _, classifier_class = family
    model = seeded(classifier_class, small(config_class))
    ids, _ = padded(TEXTS, 9)
    logits = model(ids).logits
    model.resize_token_embeddings(VOCABULARY + 7)
    assert model.config.vocab_size == model.get_input_embeddings().num_embeddings == VOCABULARY + 7
    torch.testing.assert_close(model(ids).logits, logits)
    model(torch.full((1, 2), VOCABULARY + 6))


def test_gradient_checkpointing_gives_the_same_gradients():
    model = seeded(LSTMForSequenceClassification, without_dropout(LSTMConfig)).train()
    checkpointed = copy.deepcopy(model)
    checkpointed.gradient_checkpointing_enable()
    ids, _ = padded(TEXTS, 9)
    for each in (model, checkpointed):
        each(ids, labels=torch.tensor([0, 1, 2, 0])).loss.backward()
    for one, other in zip(model.parameters(), checkpointed.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


@pytest.mark.slow
def test_a_compiled_model_gives_the_same_logits(family):
    config_class, _, classifier_class = family
    model = seeded(classifier_class, small(config_class))
    # What the model owes is a graph; the C++ that inductor makes of it, slowly, is PyTorch's.
    compiled = torch.compile(model, backend="aot_eager")
    for time in (7, 9):
        ids, mask = padded(TEXTS, time)
        torch.testing.assert_close(compiled(ids, attention_mask=mask).logits, model(ids, attention_mask=mask).logits)


def test_a_new_lstm_remembers():
    cell = seeded(LSTMModel, small(LSTMConfig)).layers[0].forward_rnn
    forget = cell.bias_ih_l0[8:16]
    assert torch.equal(forget, torch.ones(8))
    assert cell.bias_ih_l0.sum() == 8
    assert not cell.bias_hh_l0.any()
    torch.testing.assert_close(cell.weight_hh_l0.T @ cell.weight_hh_l0, torch.eye(8))


@pytest.mark.parametrize(
    ("inputs", "named"),
    [
        ({}, "exactly one of input_ids and inputs_embeds"),
        ({"input_ids": torch.ones(2, 3).long(), "inputs_embeds": torch.ones(2, 3, 12)}, "exactly one"),
        ({"input_ids": torch.ones(3).long()}, r"input_ids must have 2 dimensions, got the shape \(3,\)"),
        ({"inputs_embeds": torch.ones(3, 12)}, "inputs_embeds must have 3 dimensions"),
        ({"input_ids": torch.ones(2, 3).long(), "attention_mask": torch.ones(2, 4)}, r"attention_mask has .*\(2, 4\)"),
        ({"input_ids": torch.ones(2, 3).long(), "labels": torch.tensor([1])}, "needs 2 labels for a batch of 2"),
    ],
)
def test_wrong_shapes_are_named(inputs, named):
    model = seeded(LSTMForSequenceClassification, small(LSTMConfig))
    with pytest.raises(ValueError, match=named):
        model(**inputs)
