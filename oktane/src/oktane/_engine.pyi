"""Types of the compiled engine; _engine.pyx has the documentation."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ._core import Characters

CELLS: dict[str, int]
NUMBERS: dict[str, int]
NUMBER_SIZES: dict[str, int]

def kernel_names() -> list[str]: ...
def burn(kernels: str, rounds: int) -> float: ...
def is_finite(stored: NDArray[np.uint8], number: str) -> bool: ...

class _Model:
    labels: int
    tokens: int
    def run(self, ids: NDArray[np.int32], row_splits: NDArray[np.int64]) -> NDArray[np.float32]: ...

class Network(_Model):
    kernels: str
    folded: bool
    table_bytes: int
    def __init__(
        self,
        kernels: str,
        cell: str,
        hidden: int,
        pooling: Sequence[str],
        separate: bool,
        embedding: NDArray[np.uint8],
        number: str,
        scales: NDArray[np.float32] | None,
        layers: list[list[list[NDArray[np.float32]]]],
        head_weights: NDArray[np.float32],
        head_bias: NDArray[np.float32],
    ) -> None: ...

class Ngrams(_Model):
    def __init__(
        self,
        weights: NDArray[np.uint8],
        number: str,
        bias: NDArray[np.float32],
        max_ngram: int,
        tokens: int,
        hashes: NDArray[np.int32] | None = None,
    ) -> None: ...

class Vocabulary:
    def __init__(
        self, tokens: dict[str, int], merges: list[tuple[str, str]] | None, unknown: int, byte_fallback: bool, mark: str
    ) -> None: ...
    def encode(
        self,
        texts: list[str] | Characters,
        begins_word: NDArray[np.uint8],
        forms: list[str],
        form_ids: memoryview,
        spans: memoryview,
        row_splits: memoryview,
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]: ...
