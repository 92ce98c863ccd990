"""Cut an iterable into lists."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

_Item = TypeVar("_Item")


def batched(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    """Cut an iterable into lists of `size` items; the last one may be shorter. Python 3.12 has it in itertools."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
