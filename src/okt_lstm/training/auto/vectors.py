"""The encoder's vectors of training rows, as linear models learn from them best; and how heads are translated back."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .linear import Linear


class Standardized(NamedTuple):
    """The vectors of texts.

    Attributes:
        vectors: Centered, and of length 1 on average, `(rows, dimension)`.
        mean: What was taken off, `(dimension,)`.
        scale: What they were divided by afterwards.
    """

    vectors: NDArray[np.float32]
    mean: NDArray[np.float32]
    scale: float

    @classmethod
    def of(cls, vectors: NDArray[np.float32]) -> "Standardized":
        """Standardize vectors, `(rows, dimension)`."""
        mean = vectors.mean(axis=0)
        centered = vectors - mean
        scale = _root_mean_square(centered)
        return cls(centered / scale, mean, scale)

    def head(self, model: Linear) -> Linear:
        """Return the model for vectors as the encoder computes them, from one for standardized vectors."""
        weights = np.asarray(model.weights) / self.scale
        return Linear(weights, model.biases - weights @ self.mean)


class StandardizedPairs(NamedTuple):
    """The features of pairs that `okt_lstm.models.pairs.compare_vectors` computes, of standardized vectors.

    Attributes:
        vectors: Of length 1 on average, `(rows, 4 * dimension)`.
        mean: What was taken off the vectors of texts, `(dimension,)`.
        scale: What they were divided by afterwards.
        factors: By what each feature was multiplied then, `(4 * dimension,)`.
    """

    vectors: NDArray[np.float32]
    mean: NDArray[np.float32]
    scale: float
    factors: NDArray[np.float64]

    @classmethod
    def of(cls, first: NDArray[np.float32], second: NDArray[np.float32]) -> "StandardizedPairs":
        """Standardize the features of the vectors of first and second texts, `(rows, dimension)` each."""
        texts = Standardized.of(np.concatenate([first, second]))
        first, second = np.split(texts.vectors, 2)
        # Products of numbers of this size are smaller than the numbers.
        factors = np.repeat([1, 1, 1, np.sqrt(first.shape[1])], first.shape[1])
        features = np.concatenate([first, second, np.abs(first - second), first * second], axis=1) * factors
        scale = _root_mean_square(features)
        return cls((features / scale).astype(np.float32), texts.mean, texts.scale, factors / scale)

    def head(self, model: Linear) -> Linear:
        """Return the model for vectors as the encoder computes them, from one for standardized features."""
        first, second, apart, product = np.split(np.asarray(model.weights, np.float64) * self.factors, 4, axis=1)
        # The product of centered vectors is uv - mean u - mean v + mean mean.
        product /= self.scale**2
        first = first / self.scale - product * self.mean
        second = second / self.scale - product * self.mean
        biases = model.biases - (first + second + product * self.mean) @ self.mean
        return Linear(np.concatenate([first, second, apart / self.scale, product], axis=1), biases)


def standardize(encoder: Any, texts: Sequence[Any]) -> Standardized | StandardizedPairs:
    """Encode texts, or tuples of two texts, with a sentence encoder of oktane."""
    if isinstance(texts[0], str):
        return Standardized.of(encoder.encode(texts, normalize=False))
    sides = [encoder.encode(list(side), normalize=False) for side in zip(*texts, strict=True)]
    return StandardizedPairs.of(*sides)


def _root_mean_square(vectors: NDArray[Any]) -> float:
    """Return the length of the vectors, `(rows, dimension)`, on average; 1 if all are 0."""
    return float(np.sqrt((vectors**2).sum(axis=1).mean())) or 1.0
