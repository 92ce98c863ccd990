"""Folds: near-duplicates stay together, and every row is held out once where rows are few."""

import numpy as np
import pytest

from okt_lstm.training.auto.folds import MOST_CROSS_VALIDATED, held_out_rows, make_folds, near_duplicates
from okt_lstm.training.auto.linear import Targets
from okt_lstm.training.auto.tokens import Tokens
from oktane.problem_type import ProblemType


def tokens_of(rows):
    return Tokens(np.array([token for row in rows for token in row], np.int64), np.cumsum([0, *map(len, rows)]))


def random_rows(count, seed=0, length=8):
    return np.random.default_rng(seed).integers(0, 5000, (count, length)).tolist()


def test_near_duplicates_are_of_one_group_and_others_are_not():
    rows = random_rows(50)
    rows += [[*row[:-1], 4999] for row in random_rows(50, length=40)[:5]] + random_rows(50, length=40)[:5] + [[], []]
    groups = near_duplicates(tokens_of(rows))
    assert len(set(groups[:50])) == 50
    np.testing.assert_array_equal(groups[50:55], groups[55:60])
    assert groups[60] == groups[61]


def test_near_duplicates_are_never_on_both_sides():
    rows = random_rows(60) * 3
    targets = Targets(ProblemType.SINGLE_LABEL, np.arange(180) % 3, 3)
    groups = near_duplicates(tokens_of(rows))
    folds = make_folds(tokens_of(rows), targets, seed=1)
    for fold in folds:
        assert not set(groups[fold.kept]) & set(groups[fold.held_out])
    np.testing.assert_array_equal(np.sort(held_out_rows(folds)), np.arange(180))


def test_many_rows_hold_out_one_fold():
    count = MOST_CROSS_VALIDATED + 1000
    targets = Targets(ProblemType.SINGLE_LABEL, np.arange(count) % 2, 2)
    (fold,) = make_folds(tokens_of(random_rows(count)), targets, seed=1)
    assert len(fold.held_out) + len(fold.kept) == count
    assert 0 < len(fold.held_out) <= MOST_CROSS_VALIDATED


def test_rows_of_one_text_are_refused_with_advice():
    with pytest.raises(ValueError, match="add other texts"):
        make_folds(tokens_of([[1, 2, 3]] * 20), Targets(ProblemType.SINGLE_LABEL, np.arange(20) % 2, 2), seed=1)
