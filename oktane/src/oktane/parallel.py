"""Work on all cores: how many there are, and a map in threads that keeps the order."""

import math
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import chain, count, islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

S = TypeVar("S")
T = TypeVar("T")

# Characters in a list of texts: more than most lists have, and less than a core works on in half a second.
CHARACTERS = 50_000


def available_cores() -> int:
    """Return how many cores this process may use: those it may run on, or fewer if its container's quota is smaller.

    A quota that is no whole number of cores is rounded up.
    """
    if hasattr(os, "process_cpu_count"):  # Python 3.13
        cores = os.process_cpu_count() or 1
    elif hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, math.ceil(min(cores, _cgroup_quota(Path("/")))))


def _cgroup_quota(root: Path) -> float:
    """Return the CPU time per second that Linux control groups grant this process; infinity without a limit.

    Args:
        root: The folder that `proc` and `sys` are in.
    """
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return math.inf
    quotas = [math.inf]
    for group in groups:
        number, controllers, path = group.split(":", 2)
        version_1 = "cpu" in controllers.split(",")
        if number != "0" and not version_1:
            continue
        mount = root / "sys/fs/cgroup" / ("cpu" if version_1 else "")
        # A group has no more than the groups above it. In a container the path may be the host's, and only the mount
        # point be there.
        folder = mount / path.lstrip("/")
        for level in (folder, *folder.parents):
            quotas.append(_quota_of_group(level))
            if level == mount:
                break
    return min(quotas)


def _quota_of_group(folder: Path) -> float:
    try:
        if (folder / "cpu.max").exists():  # version 2
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return int(quota) / int(period) if int(quota) > 0 else math.inf
    except (OSError, ValueError, ZeroDivisionError):  # no such file here, or "max"
        return math.inf


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the items in lists of `size`; the last one may be shorter."""
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        yield chunk


def refuse_container(texts: object) -> None:
    """Refuse what has texts in it but gives something else, such as the names of columns, when it is iterated over.

    Raises:
        TypeError: It is a text itself, a set, a dictionary, a data frame or a table, or can't be iterated over.
    """
    name = type(texts).__name__
    # A data frame of pandas or polars, an Arrow table, or a data set has columns; a column has none.
    if any(hasattr(texts, attribute) for attribute in ("columns", "column_names")) or isinstance(texts, Mapping):
        raise TypeError(
            f"texts is a {name}, not a list of str: pass the column that holds the texts, as in data['text']"
        )
    if isinstance(texts, str):
        raise TypeError(f"texts is one text: pass a list of it, [{texts!r:.40}]")
    if isinstance(texts, bytes) or not isinstance(texts, Iterable):
        raise TypeError(f"texts must be a str or an iterable of str, not {name}")
    if isinstance(texts, AbstractSet):
        raise TypeError(f"texts is a {name}, which has no order; pass a list of it, such as sorted(texts)")
    # A NumPy array of more than one dimension gives rows.
    if getattr(texts, "ndim", 1) != 1:
        raise TypeError(f"texts is a {name} of {texts.ndim} dimensions; pass one column of it, as in data[:, 0]")  # type: ignore[attr-defined]


def text_chunks(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    """Yield texts in lists of `size`, or fewer if they are long: after Ctrl-C, the lists under way are finished.

    Raises:
        TypeError: If one of the texts is not a str; the message says which of all. Also see `refuse_container`.
    """
    refuse_container(texts)
    yield from sized_chunks(map(_checked, count(), texts), size)


def _checked(number: int, text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(f"text {number} of the batch must be a str, not {type(text).__name__}: {text!r:.60}")
    # The C modules take no subclasses, such as the str of NumPy.
    return text if type(text) is str else str.__str__(text)


def sized_chunks(texts: Iterable[T], size: int, length: Callable[[T], int] = len) -> Iterator[list[T]]:  # type: ignore[assignment]
    """Yield texts in lists of `size`, or fewer if they are long.

    Args:
        texts: The texts.
        size: The most texts of a list.
        length: Returns the number of characters of a text.
    """
    chunk: list[T] = []
    characters = 0
    for text in texts:
        chunk.append(text)
        characters += length(text)
        if len(chunk) == size or characters >= CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


class AbandonedError(Exception):
    """Ends the work of a thread whose results nobody waits for any more."""


# In a thread of `map_in_threads`: `abandoned`, which is set when no more of its results are asked for.
_thread = threading.local()


def check_awaited() -> None:
    """Raise `AbandonedError` in a thread of `map_in_threads` that nobody waits for any more. Long work calls it."""
    if hasattr(_thread, "abandoned") and _thread.abandoned.is_set():
        raise AbandonedError


def map_in_threads(function: Callable[[S], T], items: Iterable[S], threads: int) -> Iterator[T]:
    """Yield function(item) for each item, in order. Reads at most a few items ahead of the results.

    After an error, or if no more results are asked for, it waits for no thread: those that work end soon.
    """
    remaining = iter(items)
    beginning = list(islice(remaining, 2))
    if threads == 1 or len(beginning) < 2:
        yield from map(function, chain(beginning, remaining))
        return
    # Importing it takes longer than importing all of oktane.
    from concurrent.futures import ThreadPoolExecutor

    pending: deque[Future[T]] = deque()
    abandoned = threading.Event()
    executor = ThreadPoolExecutor(threads, "oktane", initializer=setattr, initargs=(_thread, "abandoned", abandoned))
    try:
        for item in chain(beginning, remaining):
            pending.append(executor.submit(function, item))
            if len(pending) > 2 * threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        abandoned.set()
        executor.shutdown(wait=not pending, cancel_futures=True)
