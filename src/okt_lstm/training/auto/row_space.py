"""Few rows with many features, as rows of few numbers that linear models learn the same from."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import cholesky, solve_triangular

from .linear import Linear

# With more rows, learning from the features themselves is faster.
_MOST_ROWS = 3000
# What is added to the products of rows with themselves, as a share of them: equal rows would have no Cholesky factor.
_JITTER = 1e-6


class RowSpace:
    """Features that are rotated into the space that the rows span.

    The products of rows stay the same, so a linear model with an L2 penalty stays the same, too. It has as many weights
    as there are rows, which makes it several times as fast to fit.

    Args:
        features: A sparse matrix, `(rows, features)`.

    Attributes:
        vectors: What to learn from: `(rows, rows)` if there are few, else the features.
    """

    vectors: Any

    def __init__(self, features: sparse.csr_matrix) -> None:
        rows = features.shape[0]
        self._features, self._factor, self.vectors = features, None, features
        if rows <= _MOST_ROWS and rows < features.shape[1]:
            exact = features.astype(np.float64)
            products: NDArray[np.float64] = (exact @ exact.T).toarray()
            jitter = _JITTER * max(float(np.trace(products)) / rows, 1e-12)
            self._factor = cholesky(products + jitter * np.eye(rows), lower=True)
            self.vectors = self._factor.astype(np.float32)

    def expand(self, model: Linear) -> Linear:
        """Return the model for the features, from one for `vectors`."""
        if self._factor is None:
            return model
        of_rows = solve_triangular(self._factor.T, np.asarray(model.weights, np.float64).T)  # (rows, labels)
        return Linear((self._features.T @ of_rows).T, model.biases)
