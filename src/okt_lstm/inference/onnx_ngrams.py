"""A linear model over n-grams as part of an ONNX graph. What it has to match is `models/ngrams.py`."""

import numpy as np
from numpy.typing import NDArray

from ..models.ngrams import NUM_HASHES
from .onnx_operators import Graph

# As in `models/ngrams.py`; ONNX multiplies integers of 64 bits modulo 2 ** 64, too.
_BASE, _MIX = np.int64(0x2545F4914F6CDD1D), np.int64(0x1B03738712FAD5C9)
_END = np.iinfo(np.int64).max

UNQUANTIZED = "ngram_weights"
"""What the names of nodes begin with whose weights stay in float32."""


def add_ngrams(
    graph: Graph,
    ids: str,
    lengths: str,
    boundary: int,
    longest: int,
    weights: NDArray[np.float32],
    hashes: NDArray[np.int32] | None,
) -> str:
    """Add a linear model over n-grams.

    Args:
        graph: The graph.
        ids: Token ids, in which padding comes last, int64 `(batch, time)`.
        lengths: How many of a row are tokens, int64 `(batch, 1)`.
        boundary: The id that marks the beginning and the end of a text.
        longest: Length of the longest n-grams.
        weights: Of each bucket or known n-gram, `(n-grams, labels)`.
        hashes: The hashes of known n-grams in ascending order, `(n-grams,)`; None for buckets.

    Returns:
        The logits, `(batch, labels)`.
    """
    tokens = _with_boundaries(graph, ids, lengths, boundary)  # (batch, time + 2)
    table, one = graph.constant(weights), graph.scalar(np.int64(1))
    rolling, sums, counts = "", [], []
    for length in range(1, longest + 1):
        later = graph.node("Slice", tokens, *(graph.constant([value]) for value in (length - 1, _END, 1)))
        if length == 1:
            rolling = graph.node("Add", later, one)
        else:
            earlier = graph.node("Slice", rolling, *(graph.constant([value]) for value in (0, -1, 1)))
            rolling = graph.node("Mul", earlier, graph.scalar(_BASE))
            rolling = graph.node("Add", graph.node("Add", rolling, later), one)  # (batch, ngrams)
        mixed = graph.node(
            "Mul", graph.node("BitwiseXor", rolling, _shift_right(graph, rolling, 32)), graph.scalar(_MIX)
        )
        buckets = graph.scalar(np.int64(NUM_HASHES if hashes is not None else len(weights)))
        bucket = graph.node("Mod", _shift_right(graph, mixed, 20), buckets)  # (batch, ngrams)
        # The n-grams of this length: those that begin before `length` from the end.
        count = graph.node(
            "Max", graph.node("Add", lengths, graph.scalar(np.int64(3 - length))), graph.scalar(np.int64(0))
        )
        counts.append(count)  # (batch, 1)
        valid = graph.node("Less", _positions(graph, bucket), count)  # (batch, ngrams)
        if hashes is not None:
            bucket, known = _search(graph, bucket, hashes)
            valid = graph.node("And", valid, known)
        found = graph.node("Gather", table, bucket, name=f"{UNQUANTIZED}_{length}")  # (batch, ngrams, labels)
        mask = graph.node("Unsqueeze", graph.node("Cast", valid, to=Graph.FLOAT), graph.constant([2]))
        sums.append(graph.node("ReduceSum", graph.node("Mul", found, mask), graph.constant([1]), keepdims=0))
    total = graph.node(
        "Cast", graph.node("Sum", *(graph.node("Cast", c, to=Graph.FLOAT) for c in counts)), to=Graph.FLOAT
    )
    return graph.node("Div", graph.node("Sum", *sums), graph.node("Sqrt", total))


def _with_boundaries(graph: Graph, ids: str, lengths: str, boundary: int) -> str:
    """Put the tokens of each row between a mark of its beginning and one of its end: `(batch, time + 2)`."""
    padded = graph.node("Pad", ids, graph.constant([0, 1, 0, 1]))
    position = _positions(graph, padded)  # (time + 2,)
    first = graph.node("Equal", position, graph.scalar(np.int64(0)))
    last = graph.node("Equal", position, graph.node("Add", lengths, graph.scalar(np.int64(1))))
    return graph.node("Where", graph.node("Or", first, last), graph.scalar(np.int64(boundary)), padded)


def _positions(graph: Graph, rows: str) -> str:
    """Return 0, 1, 2, ... for the second dimension of a matrix."""
    size = graph.node("Squeeze", graph.node("Shape", rows, start=1, end=2))
    return graph.node("Range", graph.scalar(np.int64(0)), size, graph.scalar(np.int64(1)))


def _shift_right(graph: Graph, values: str, bits: int) -> str:
    """Shift int64 to the right as Python does: the sign stays. ONNX shifts numbers without a sign only."""
    power = graph.scalar(np.int64(2**bits))
    # The remainder is that of a floor division, so that what is left can be divided exactly.
    return graph.node("Div", graph.node("Sub", values, graph.node("Mod", values, power)), power)


def _search(graph: Graph, values: str, hashes: NDArray[np.int32]) -> tuple[str, str]:
    """Find hashes by binary search.

    Returns:
        The index of each, int64, and whether it is known, bool, both of the shape of `values`.
    """
    size = 1 << max(0, len(hashes) - 1).bit_length()
    padded = np.full(size, _END)
    padded[: len(hashes)] = hashes
    table = graph.constant(padded)
    index = graph.node("Mul", values, graph.scalar(np.int64(0)))
    step = size // 2
    while step:
        further = graph.node("Add", index, graph.scalar(np.int64(step)))
        is_below = graph.node("LessOrEqual", graph.node("Gather", table, further), values)
        index = graph.node("Where", is_below, further, index)
        step //= 2
    return index, graph.node("Equal", graph.node("Gather", table, index), values)
