"""Pairs of texts: a row is taken apart exactly, and models compare what is in it."""

import pytest
import torch

from okt_lstm.models.configuration_lstm import LSTMConfig, NgramConfig
from okt_lstm.models.modeling_lstm import LSTMForSequenceClassification
from okt_lstm.models.modeling_ngram import NgramForSequenceClassification
from okt_lstm.models.pairs import compare_vectors, is_shared, split_pairs

IDS = torch.tensor([[5, 6, 7, 8, 0], [0, 9, 4, 4, 4], [3, 0, 0, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 0], [0, 1, 1, 1, 1], [1, 0, 0, 0, 0]]).bool()
TYPES = torch.tensor([[0, 0, 0, 1, 0], [0, 0, 1, 1, 1], [1, 0, 0, 0, 0]])
ALL_FIRST = torch.zeros_like(TYPES)


def models():
    torch.manual_seed(0)
    sizes = {"vocab_size": 12, "embedding_size": 4, "hidden_size": 3, "num_ngrams": 0}
    recurrent = LSTMForSequenceClassification(LSTMConfig(**sizes, text_pair=True, pooling="max_mean_last"))
    linear = NgramForSequenceClassification(NgramConfig(vocab_size=12, num_buckets=500, text_pair=True))
    for parameter in [*recurrent.parameters(), *linear.parameters()]:
        torch.nn.init.normal_(parameter)
    return [recurrent.eval(), linear.eval()]


def test_rows_become_their_first_texts_and_then_their_second_ones():
    ids, mask = split_pairs(IDS, MASK, TYPES)
    texts = [row[kept].tolist() for row, kept in zip(ids, mask, strict=True)]
    assert texts == [[5, 6, 7], [9], [], [8], [4, 4, 4], [3]]
    assert ids.shape == (6, 3)


def test_a_batch_without_rows_stays_empty():
    ids, mask = split_pairs(IDS[:0], MASK[:0], TYPES[:0])
    assert len(ids) == len(mask) == 0


def test_features_are_both_vectors_their_distance_and_their_product():
    found = compare_vectors(torch.tensor([[1.0, 2.0], [3.0, -1.0]]))
    assert found.tolist() == [[1.0, 2.0, 3.0, -1.0, 2.0, 3.0, 3.0, -2.0]]


def test_an_ngram_is_shared_if_the_other_text_has_it_and_padding_never_is():
    hashes = torch.tensor([[1, 2, 2, 9], [2, 3, 9, 9]])
    is_ngram = torch.tensor([[True, True, True, True], [True, True, False, False]])
    assert is_shared(hashes, is_ngram)[0].tolist() == [False, True, True, False]
    assert is_shared(hashes, is_ngram)[1, :2].tolist() == [True, False]


@pytest.mark.parametrize("model", models(), ids=["recurrent", "ngram"])
def test_logits_depend_on_the_two_texts_alone(model):
    with torch.no_grad():
        together = model(IDS, attention_mask=MASK, token_type_ids=TYPES).logits
        # Without padding, and in rows of their own.
        for row in range(len(IDS)):
            kept = MASK[row]
            alone = model(IDS[row, kept][None], torch.ones(1, int(kept.sum())), token_type_ids=TYPES[row, kept][None])
            torch.testing.assert_close(alone.logits[0], together[row])
        other = model(IDS, attention_mask=MASK, token_type_ids=ALL_FIRST).logits
    assert (other[:2] - together[:2]).abs().max() > 1e-3


@pytest.mark.parametrize("model", models(), ids=["recurrent", "ngram"])
def test_pairs_without_token_types_are_refused(model):
    with pytest.raises(ValueError, match=r"needs token_type_ids: call its tokenizer with \(text, text_pair\)"):
        model(IDS, attention_mask=MASK)


@pytest.mark.parametrize("model", models(), ids=["recurrent", "ngram"])
def test_a_model_of_pairs_learns(model):
    loss = model(IDS, attention_mask=MASK, token_type_ids=TYPES, labels=torch.tensor([0, 1, 0])).loss
    loss.backward()
    assert all(parameter.grad.abs().sum() > 0 for name, parameter in model.named_parameters() if "embed" not in name)
