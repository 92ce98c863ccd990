"""Token classifiers: their logits, their losses, and what transformers makes of a saved one."""

import pytest
import torch
from tiny import padded
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

import okt_lstm
from okt_lstm import (
    GRUConfig,
    GRUForTokenClassification,
    LSTMConfig,
    LSTMForTokenClassification,
    OktCharacterTokenizer,
    RNNConfig,
    RNNForTokenClassification,
)

LABELS = ["O", "B-PS", "I-PS", "B-LC", "I-LC"]
TEXTS = ["이순신은 서울에서 태어났다", "서울", "김 유신 장군"]
FAMILY = [
    (LSTMConfig, LSTMForTokenClassification),
    (GRUConfig, GRUForTokenClassification),
    (RNNConfig, RNNForTokenClassification),
]


def tokenizer_of(**options):
    return OktCharacterTokenizer(**options).train_new_from_iterator(TEXTS, vocab_size=100)


def tagger(config_class=LSTMConfig, model_class=LSTMForTokenClassification, **options):
    torch.manual_seed(0)
    sizes = {"vocab_size": 40, "embedding_size": 8, "hidden_size": 6, "num_hidden_layers": 1}
    options = {"type_vocab_size": 109, "num_bigram_buckets": 50} | options
    model = model_class(config_class(**sizes | options, id2label=dict(enumerate(LABELS)))).eval()
    with torch.no_grad():
        # Spread, so that tags differ visibly.
        model.classifier.weight.mul_(100)
        if model.crf is not None:
            model.crf.transitions.normal_()
    return model


@pytest.mark.parametrize("crf", [False, True])
@pytest.mark.parametrize(("config_class", "model_class"), FAMILY)
def test_logits_do_not_depend_on_padding_or_its_side(config_class, model_class, crf):
    model = tagger(config_class, model_class, crf=crf)
    texts = [[3, 4, 5, 6], [7, 8]]
    alone = [model(torch.tensor([ids])).logits[0] for ids in texts]
    for side in ("left", "right"):
        # Whatever stands under the mask is not read.
        ids, mask = padded(texts, 6, side, filler=9)
        logits = model(ids, attention_mask=mask).logits
        for row, expected in enumerate(alone):
            torch.testing.assert_close(logits[row][mask[row].bool()], expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("crf", [False, True])
def test_the_loss_is_the_mean_over_the_labels_that_count(crf):
    model = tagger(crf=crf)
    ids, mask = padded([[3, 4, 5, 6], [7, 8]], 4)
    labels = torch.tensor([[1, 2, 0, 0], [3, 4, 1, 1]])
    both = model(ids, attention_mask=mask, labels=labels).loss
    parts = [
        model(ids[row : row + 1], attention_mask=mask[row : row + 1], labels=labels[row : row + 1]).loss
        for row in (0, 1)
    ]
    # Under the mask, labels don't count: 4 and 2 do.
    torch.testing.assert_close(both, (4 * parts[0] + 2 * parts[1]) / 6)
    halved = model(ids, attention_mask=mask, labels=labels, num_items_in_batch=torch.tensor(12)).loss
    torch.testing.assert_close(halved, both / 2)


def test_types_and_neighbors_change_the_logits():
    model = tagger()
    ids = torch.tensor([[3, 4, 5]])
    plain = model(ids).logits
    assert not torch.allclose(plain, model(ids, token_type_ids=torch.tensor([[1, 2, 3]])).logits)
    without = tagger(num_bigram_buckets=0, type_vocab_size=0)
    assert torch.equal(without(ids).logits, without(ids, token_type_ids=torch.tensor([[1, 2, 3]])).logits)


@pytest.mark.parametrize("crf", [False, True])
def test_empty_texts_have_no_logits_and_no_loss(crf):
    model = tagger(crf=crf)
    empty = torch.zeros(2, 0, dtype=torch.long)
    outputs = model(empty, labels=empty)
    assert outputs.logits.shape == (2, 0, len(LABELS))
    assert outputs.loss == 0
    ids, mask = padded([[3, 4], []], 2)
    assert torch.isfinite(model(ids, attention_mask=mask, labels=torch.ones_like(ids)).loss)


def test_labels_that_do_not_fit_are_refused():
    model = tagger()
    ids = torch.tensor([[3, 4, 5]])
    with pytest.raises(ValueError, match="one id for each token"):
        model(ids, labels=torch.tensor([[1, 2]]))
    with pytest.raises(ValueError, match=r"from 0 to 4, or -100.*got 5"):
        model(ids, labels=torch.tensor([[1, 5, -100]]))
    with pytest.raises(ValueError, match="got -1"):
        model(ids, labels=torch.tensor([[1, -1, -100]]))


@pytest.mark.parametrize(("config_class", "model_class"), FAMILY)
def test_auto_classes_load_what_was_saved(tmp_path, config_class, model_class):
    model, tokenizer = tagger(config_class, model_class, crf=True, constrain_tags=True), tokenizer_of()
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoModelForTokenClassification.from_pretrained(tmp_path)
    assert type(loaded) is model_class
    again = AutoTokenizer.from_pretrained(tmp_path)
    assert type(again) is OktCharacterTokenizer
    inputs = again(TEXTS, padding=True, return_tensors="pt")
    torch.testing.assert_close(loaded(**inputs).logits, model(**inputs).logits)
    assert {path.name for path in tmp_path.glob("*.py")} >= {
        "crf.py",
        "modeling_lstm_token_classification.py",
        "tokenization_okt_character.py",
    }


def test_a_pipeline_gives_viterbis_tags(tmp_path):
    model, tokenizer = tagger(crf=True), tokenizer_of()
    tag = pipeline("token-classification", model=model, tokenizer=tokenizer, ignore_labels=[])
    changed = 0
    for text in TEXTS:
        inputs = tokenizer(text, return_tensors="pt")
        model.train()
        torch.manual_seed(0)
        model.dropout.p = model.model.hidden_dropout.p = 0
        emissions = model(**inputs).logits.transpose(0, 1)
        model.eval()
        best = model.crf.viterbi(emissions, torch.ones(emissions.shape[:2], dtype=torch.bool))[:, 0]
        assert [entity["entity"] for entity in tag(text)] == [LABELS[index] for index in best]
        changed += not torch.equal(emissions[:, 0].argmax(1), best)
    # Else the emissions alone would do.
    assert changed


def test_a_pipeline_aggregates_characters_to_entities_with_offsets():
    model, tokenizer = tagger(), tokenizer_of()
    tag = pipeline("token-classification", model=model, tokenizer=tokenizer, aggregation_strategy="simple")
    text = "이순신은 서울에서 태어났다"
    entities = tag(text)
    assert entities
    for entity in entities:
        assert entity["entity_group"] in ("PS", "LC")
        assert entity["word"] == text[entity["start"] : entity["end"]]


def test_the_classes_are_public():
    for name in ("LSTMForTokenClassification", "GRUForTokenClassification", "RNNForTokenClassification"):
        assert name in okt_lstm.__all__
