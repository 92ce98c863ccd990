"""Heads that were fitted on standardized vectors give the same logits for vectors as the encoder computes them."""

import numpy as np
import torch

from okt_lstm.models.pairs import compare_vectors
from okt_lstm.training.auto.linear import Linear
from okt_lstm.training.auto.vectors import Standardized, StandardizedPairs

RANDOM = np.random.default_rng(0)
FIRST, SECOND = (RANDOM.normal(3, 2, (20, 5)).astype(np.float32) for _ in range(2))


def head_for(features):
    return Linear(RANDOM.normal(size=(3, features.shape[1])), RANDOM.normal(size=3))


def test_head_of_single_texts_is_exact():
    standardized = Standardized.of(FIRST)
    head = head_for(standardized.vectors)
    np.testing.assert_allclose(standardized.head(head).logits(FIRST), head.logits(standardized.vectors), atol=1e-4)


def test_head_of_pairs_is_exact():
    standardized = StandardizedPairs.of(FIRST, SECOND)
    head = head_for(standardized.vectors)
    features = compare_vectors(torch.from_numpy(np.concatenate([FIRST, SECOND]))).numpy()
    np.testing.assert_allclose(standardized.head(head).logits(features), head.logits(standardized.vectors), atol=1e-3)


def test_features_have_the_length_1_on_average():
    for vectors in (Standardized.of(FIRST).vectors, StandardizedPairs.of(FIRST, SECOND).vectors):
        assert np.isclose((vectors**2).sum(axis=1).mean(), 1, atol=1e-4)
