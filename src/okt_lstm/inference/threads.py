"""Work on many items at once, each in one thread."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def map_ahead(
    function: Callable[[_Item], _Result], items: Iterable[_Item], threads: int
) -> Iterator[tuple[_Item, _Result]]:
    """Apply a function to one item after another, with some items computed ahead.

    Each item is computed by one thread, in which torch's kernels use no further threads. For small networks this is
    faster than several threads per kernel, which would wait for each other thousands of times per second (and without
    end where other programs take their cores). The tokenizer's work is spread in the same way.

    Args:
        function: The function.
        items: An iterable. The calling thread reads it, only as far ahead as the threads need.
        threads: The number of threads.

    Yields:
        Each item with its result, in order.
    """
    cores = torch.get_num_threads()
    under_way: deque[tuple[_Item, Future[_Result]]] = deque()
    pool = ThreadPoolExecutor(threads, "okt_lstm", initializer=torch.set_num_threads, initargs=(1,))
    try:
        for item in items:
            under_way.append((item, pool.submit(function, item)))
            if len(under_way) > threads + 1:
                done, future = under_way.popleft()
                yield done, future.result()
        for done, future in under_way:
            yield done, future.result()
    finally:
        pool.shutdown(cancel_futures=True)
        # The workers' setting is also that of threads to come.
        torch.set_num_threads(cores)
