"""Pairs of texts, as models take them that compare two texts."""

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any, TypeAlias, TypeGuard

from .parallel import refuse_container, sized_chunks

Pair: TypeAlias = tuple[str, str]


def is_pair(value: Any) -> TypeGuard[Pair]:
    """Return whether something is a pair of texts: a tuple of two."""
    return isinstance(value, tuple) and len(value) == 2 and all(isinstance(text, str) for text in value)


def pair_chunks(pairs: Iterable[Pair], size: int) -> Iterator[list[Pair]]:
    """Yield pairs in lists of `size`, or fewer if their texts are long.

    Raises:
        TypeError: If something is not a pair of texts; the message names its position (from 0) and type.
    """
    refuse_container(pairs)
    yield from sized_chunks(map(_checked, pairs, count()), size, _length)


def _length(pair: Pair) -> int:
    return len(pair[0]) + len(pair[1])


def _checked(pair: Any, position: int) -> Pair:
    # A list of two texts is what a row of a table becomes.
    if isinstance(pair, list):
        pair = tuple(pair)
    if is_pair(pair):
        return pair
    raise TypeError(
        f"texts[{position}] is not a pair but {type(pair).__name__}: {pair!r:.60}; this model compares two texts, so "
        "pass tuples (text, text_pair)"
    )
