"""The CRF equals brute force: the sum over all sequences of tags, and the best of them."""

from itertools import pairwise, product

import pytest
import torch

from okt_lstm.models.crf import LinearChainCRF

TAGS = ["O", "B-PS", "I-PS", "I-LC"]


def crf_of(constrain=False, seed=0):
    torch.manual_seed(seed)
    crf = LinearChainCRF(TAGS, constrain)
    with torch.no_grad():
        for parameter in crf.parameters():
            parameter.normal_()
    return crf


def sequences(crf, emissions):
    """Return all sequences of tags of a row's emissions, `(time, tags)`, and their scores."""
    transitions, start = crf.scores()
    everything = list(product(range(len(TAGS)), repeat=len(emissions)))
    scores = []
    for tags in everything:
        score = start[tags[0]] + crf.end[tags[-1]]
        score = score + sum(emissions[step, tag] for step, tag in enumerate(tags))
        scores.append(score + sum(transitions[a, b] for a, b in pairwise(tags)))
    return everything, torch.stack(scores)


def batch(lengths=(4, 1, 3), seed=1):
    generator = torch.Generator().manual_seed(seed)
    emissions = torch.randn(max(lengths), len(lengths), len(TAGS), generator=generator) * 2
    is_token = torch.arange(max(lengths)).unsqueeze(1) < torch.tensor(lengths)
    return emissions, is_token, lengths


@pytest.mark.parametrize("constrain", [False, True])
def test_the_loss_is_that_of_brute_force_without_and_with_unknown_tags(constrain):
    crf, (emissions, is_token, lengths) = crf_of(constrain), batch()
    # Allowed by the constraint; -100 is unknown.
    tags = torch.tensor([[1, 0, -100], [2, -100, 1], [-100, -100, 2], [0, -100, -100]])
    expected = 0.0
    for row, length in enumerate(lengths):
        everything, scores = sequences(crf, emissions[:length, row])
        known = tags[:length, row].tolist()
        agree = [all(k in (-100, t) for k, t in zip(known, found, strict=True)) for found in everything]
        expected += torch.logsumexp(scores, 0) - torch.logsumexp(scores[torch.tensor(agree)], 0)
    torch.testing.assert_close(crf.negative_log_likelihood(emissions, is_token, tags), expected)


@pytest.mark.parametrize("constrain", [False, True])
def test_marginals_and_viterbi_are_those_of_brute_force(constrain):
    crf, (emissions, is_token, lengths) = crf_of(constrain), batch()
    marginals, best = crf.log_marginals(emissions, is_token).exp(), crf.viterbi(emissions, is_token)
    for row, length in enumerate(lengths):
        everything, scores = sequences(crf, emissions[:length, row])
        assert tuple(best[:length, row].tolist()) == everything[int(scores.argmax())]
        shares = torch.softmax(scores, 0)
        expected = torch.zeros(length, len(TAGS))
        for tags, share in zip(everything, shares, strict=True):
            for step, tag in enumerate(tags):
                expected[step, tag] += share
        torch.testing.assert_close(marginals[:length, row], expected, atol=1e-5, rtol=1e-4)


def test_the_highest_logit_is_always_that_of_viterbis_tag():
    differ = 0
    for seed in range(50):
        crf, (emissions, is_token, _) = crf_of(seed=seed), batch((5, 5, 5), seed)
        best = crf.viterbi(emissions, is_token)
        assert torch.equal(crf.logits(emissions, is_token).argmax(2), best)
        differ += not torch.equal(crf.log_marginals(emissions, is_token).argmax(2), best)
    # Else the test would show nothing.
    assert differ


def test_a_constrained_crf_never_predicts_an_inside_without_its_beginning():
    crf = crf_of(constrain=True)
    emissions = torch.zeros(6, 8, len(TAGS))
    # The networks' scores ask for I-LC, which has no B-LC.
    emissions[..., 3] = 50
    best = crf.viterbi(emissions, torch.ones(6, 8, dtype=torch.bool))
    assert not (best == 3).any()


def test_a_training_step_lowers_the_loss():
    crf, (emissions, is_token, _) = crf_of(), batch()
    tags = torch.tensor([[1, 0, 1], [2, 0, 2], [2, 0, 2], [0, 0, 0]])
    optimizer = torch.optim.SGD(crf.parameters(), lr=0.1)
    losses = []
    for _ in range(5):
        loss = crf.negative_log_likelihood(emissions, is_token, tags)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses == sorted(losses, reverse=True)
