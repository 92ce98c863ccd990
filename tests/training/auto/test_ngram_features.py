"""N-gram features: what is learned with the characters of tokens is exact in the n-grams of tokens that are saved."""

import numpy as np
import torch

from okt_lstm.models.configuration_lstm import NgramConfig
from okt_lstm.models.modeling_ngram import NgramForSequenceClassification
from okt_lstm.training.auto.linear import Linear
from okt_lstm.training.auto.ngram_features import NGRAM_LENGTH, NgramFeatures
from okt_lstm.training.auto.tokens import Tokens

VOCABULARY = dict(enumerate(["<pad>", "<unk>", "연기", "연기도", "최고", "였다", "<0xEC>", "별로", "정말"]))
ROWS = [[2, 4, 5], [3, 7, 8, 8, 2], [5], [4, 5, 7, 6, 3, 2]]


def test_saved_ngrams_give_the_logits_of_the_model_that_was_fitted():
    tokens = Tokens(np.concatenate(ROWS), np.cumsum([0, *map(len, ROWS)]))
    features = NgramFeatures(tokens, np.arange(len(tokens.lengths)), VOCABULARY, 3)
    fitted = Linear(np.random.default_rng(0).normal(size=(3, features.matrix.shape[1])), np.array([0.1, 0.2, 0.3]))
    hashes, weights = features.fold(fitted)
    config = NgramConfig(vocab_size=len(VOCABULARY), max_ngram=NGRAM_LENGTH, num_ngrams=len(hashes), num_labels=3)
    model = NgramForSequenceClassification(config).eval()
    with torch.no_grad():
        model.weights.hashes.copy_(torch.from_numpy(hashes))
        model.weights.weight.copy_(torch.from_numpy(weights))
        model.bias.copy_(torch.from_numpy(fitted.biases))
        found = [model(torch.tensor([row])).logits[0].numpy() for row in ROWS]
    np.testing.assert_allclose(found, fitted.logits(features.matrix), atol=1e-4)


def test_saved_ngrams_give_the_logits_of_pairs_that_were_fitted():
    first = np.array([1, 3, 0, 4])
    tokens = Tokens(np.concatenate(ROWS), np.cumsum([0, *map(len, ROWS)]), first)
    features = NgramFeatures(tokens, np.arange(len(ROWS)), VOCABULARY, 3)
    fitted = Linear(np.random.default_rng(0).normal(size=(3, features.matrix.shape[1])), np.array([0.1, 0.2, 0.3]))
    hashes, weights = features.fold(fitted)
    sizes = {"vocab_size": len(VOCABULARY), "max_ngram": NGRAM_LENGTH, "num_ngrams": len(hashes)}
    model = NgramForSequenceClassification(NgramConfig(**sizes, num_labels=3, text_pair=True)).eval()
    with torch.no_grad():
        model.weights.hashes.copy_(torch.from_numpy(hashes))
        model.weights.weight.copy_(torch.from_numpy(weights))
        model.bias.copy_(torch.from_numpy(fitted.biases))
        types = [(np.arange(len(row)) >= count)[None].astype(np.int64) for row, count in zip(ROWS, first, strict=True)]
        found = [
            model(torch.tensor([row]), token_type_ids=torch.from_numpy(of_row)).logits[0].numpy()
            for row, of_row in zip(ROWS, types, strict=True)
        ]
    np.testing.assert_allclose(found, fitted.logits(features.matrix), atol=1e-4)


def test_features_of_a_row_are_the_mean_of_its_windows():
    tokens = Tokens(np.concatenate(ROWS), np.cumsum([0, *map(len, ROWS)]))
    parts = NgramFeatures(tokens, np.arange(len(ROWS)), VOCABULARY, 3).matrix
    rows = NgramFeatures(tokens, np.array([0, 0, 1, 2]), VOCABULARY, 3).matrix
    # Both matrices have rows of length 1 on average.
    rows = rows * (parts[2].max() / rows[1].max())
    np.testing.assert_allclose(rows[0].toarray(), (parts[0] + parts[1]).toarray() / 2, atol=1e-5)
    np.testing.assert_allclose(rows[1:].toarray(), parts[2:].toarray(), atol=1e-5)


def test_token_that_no_row_has_learns_from_its_characters():
    tokens = Tokens(np.array([3, 4, 5, 7]), np.array([0, 2, 4]))
    features = NgramFeatures(tokens, np.arange(len(tokens.lengths)), VOCABULARY, 3)
    hashes, weights = features.fold(Linear(np.ones((1, features.matrix.shape[1])), np.zeros(1)))
    assert (np.diff(hashes) > 0).all()
    # "연기" (2) is in no row, but shares characters with "연기도" (3); "정말" (8) shares none.
    with torch.no_grad():
        from okt_lstm.models.ngrams import NUM_HASHES, hashed_ngrams

        similar, other = hashed_ngrams(torch.tensor([[2], [8]]), 1, NUM_HASHES)[0][:, 0].tolist()
    assert weights[hashes == similar].sum() > 0
    assert other not in hashes


def test_long_texts_are_cut_as_the_tokenizer_cuts_them():
    tokens = Tokens(np.concatenate(ROWS), np.cumsum([0, *map(len, ROWS)])).cut(2)
    assert tokens.lengths.tolist() == [2, 2, 1, 2]
    assert tokens.ids.tolist() == [2, 4, 3, 7, 5, 4, 5]
