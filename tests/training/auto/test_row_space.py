"""Rows in the space that they span: models that are learned there are those of the features."""

import numpy as np
import pytest
from scipy import sparse

from okt_lstm.training.auto.linear import Targets, fit_linear
from okt_lstm.training.auto.row_space import RowSpace
from oktane.problem_type import ProblemType

RANDOM = np.random.default_rng(0)
FEATURES = sparse.random(60, 400, 0.1, "csr", np.float32, RANDOM)
NEW = sparse.random(20, 400, 0.1, "csr", np.float32, RANDOM)
LABELS = {
    ProblemType.SINGLE_LABEL: RANDOM.integers(0, 3, 60),
    ProblemType.MULTI_LABEL: RANDOM.integers(0, 2, (60, 3)).astype(float),
    ProblemType.REGRESSION: RANDOM.normal(size=60),
}


@pytest.mark.parametrize("kind", LABELS)
def test_model_of_some_of_the_rows_is_that_of_their_features(kind):
    targets = Targets(kind, LABELS[kind], 1 if kind is ProblemType.REGRESSION else 3)
    space, kept = RowSpace(FEATURES), np.arange(40)
    fitted = space.expand(fit_linear(space.vectors[kept], targets.of(kept), 1.0))
    expected = fit_linear(FEATURES[kept], targets.of(kept), 1.0)
    # As far as the solver goes: its tolerance ends both before the last digits.
    np.testing.assert_allclose(fitted.logits(NEW), expected.logits(NEW), atol=0.1)


def test_equal_and_empty_rows_are_no_trouble():
    rows = sparse.vstack([FEATURES[:5], FEATURES[:5], sparse.csr_matrix((2, 400), dtype=np.float32)], format="csr")
    space = RowSpace(rows)
    np.testing.assert_allclose(space.vectors @ space.vectors.T, (rows @ rows.T).toarray(), atol=1e-4)
    assert np.isfinite(RowSpace(sparse.csr_matrix((3, 400), dtype=np.float32)).vectors).all()


def test_many_rows_are_left_as_they_are():
    many = sparse.csr_matrix((4000, 5000), dtype=np.float32)
    assert RowSpace(many).vectors is many
