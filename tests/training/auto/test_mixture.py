"""Mixing two systems' logits: the better one counts for more, and what is shifted or scaled is exact."""

import numpy as np
import pytest

from okt_lstm.training.auto.linear import Targets
from okt_lstm.training.auto.mixture import fit_mixture, loss_of, score_of
from oktane.problem_type import ProblemType


def noisy_logits(classes, count, noise, seed):
    random = np.random.default_rng(seed)
    return np.eye(count)[classes] * 2 + random.normal(0, noise, (len(classes), count))


@pytest.fixture
def uneven():
    random = np.random.default_rng(0)
    classes = random.choice(3, 600, p=[0.8, 0.15, 0.05])
    return Targets(ProblemType.SINGLE_LABEL, classes, 3)


def test_better_system_counts_for_more_and_both_beat_either(uneven):
    good, poor = noisy_logits(uneven.values, 3, 1.5, 1), noisy_logits(uneven.values, 3, 4, 2)
    mixture = fit_mixture(good, poor, uneven)
    assert mixture.deep > mixture.wide > 0
    nothing = np.zeros_like(good)
    assert mixture.loss < fit_mixture(good, nothing, uneven).loss


def test_system_of_noise_is_left_out(uneven):
    good, noise = noisy_logits(uneven.values, 3, 1.5, 1), np.random.default_rng(3).normal(0, 1, (600, 3))
    mixture = fit_mixture(noise, good, uneven)
    assert mixture.deep == 0
    assert mixture.wide > 0


def test_probabilities_are_calibrated(uneven):
    sure = 10 * noisy_logits(uneven.values, 3, 3, 1)
    mixture = fit_mixture(sure, np.zeros_like(sure), uneven, "none")
    assert loss_of(mixture.logits(sure, np.zeros_like(sure)), uneven) < loss_of(sure, uneven)


def test_class_weights_decide_how_often_rare_classes_are_predicted(uneven):
    logits, nothing = noisy_logits(uneven.values, 3, 2, 1), np.zeros((600, 3))
    predicted = {
        weights: (fit_mixture(logits, nothing, uneven, weights).logits(logits, nothing).argmax(axis=1) == 2).sum()
        for weights in ("balanced", "none")
    }
    assert predicted["balanced"] > predicted["none"]
    best = score_of(fit_mixture(logits, nothing, uneven, "auto").logits(logits, nothing), uneven)
    assert best >= score_of(fit_mixture(logits, nothing, uneven, "balanced").logits(logits, nothing), uneven) - 0.01


def test_each_label_of_several_has_a_threshold_of_its_own():
    random = np.random.default_rng(0)
    truth = (random.random((500, 2)) < [0.5, 0.1]).astype(float)
    # The second label's logits are far too low, so that 0 as threshold would never predict it.
    logits = 2 * truth - 1 + random.normal(0, 0.5, truth.shape) - [0, 5]
    targets = Targets(ProblemType.MULTI_LABEL, truth, 2)
    nothing = np.zeros_like(logits)
    mixture = fit_mixture(logits, nothing, targets)
    assert mixture.score(logits, nothing, targets, "f1_macro") > 0.85 > score_of(logits, targets)
    # The probabilities are calibrated, whatever the thresholds are.
    probabilities = 1 / (1 + np.exp(-mixture.logits(logits, nothing)))
    np.testing.assert_allclose(probabilities.mean(axis=0), truth.mean(axis=0), atol=0.02)


@pytest.mark.parametrize("metric", ["f1_macro", "f1_micro", "accuracy"])
def test_thresholds_are_best_by_the_score_of_choice(metric):
    random = np.random.default_rng(0)
    truth = (random.random((800, 3)) < [0.5, 0.2, 0.05]).astype(float)
    logits = 2 * truth - 2 + random.normal(0, 1.2, truth.shape)
    targets, nothing = Targets(ProblemType.MULTI_LABEL, truth, 3), np.zeros_like(logits)
    scores = {
        chosen: fit_mixture(logits, nothing, targets, metric=chosen).score(logits, nothing, targets, metric)
        for chosen in ("f1_macro", "f1_micro", "accuracy")
    }
    assert scores[metric] >= max(scores.values()) - 0.01


def test_classes_are_shifted_for_the_score_of_choice(uneven):
    logits, nothing = noisy_logits(uneven.values, 3, 2, 1), np.zeros((600, 3))
    by = {name: fit_mixture(logits, nothing, uneven, metric=name) for name in ("accuracy", "f1_macro")}
    right = {name: mixture.score(logits, nothing, uneven, "accuracy") for name, mixture in by.items()}
    assert right["accuracy"] > right["f1_macro"]


def test_numbers_are_weighted_and_not_shifted():
    truth = np.linspace(0, 5, 100)
    targets = Targets(ProblemType.REGRESSION, truth, 1)
    mixture = fit_mixture(truth[:, None], np.zeros((100, 1)), targets)
    np.testing.assert_allclose(mixture.logits(truth[:, None], np.zeros((100, 1)))[:, 0], truth, atol=0.01)
