"""Okt's packed dictionary, which comes with oktane, alone or with a user's words laid over it."""

import mmap
import os
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock

from . import _core
from .user_words import REMOVE
from .word_changes import change_words, words_in_no_list

# Made when oktane is built.
PACKED = Path(__file__).with_name("data") / "okt.dict"


class DictionaryError(RuntimeError):
    """Okt's packed word lists are missing or damaged."""


def load(user_words: Mapping[str, Iterable[str]]) -> _core.Dictionary:
    """Return the dictionary of Okt's word lists and the user's words; the same object for the same words.

    Args:
        user_words: What `read_user_dictionary` returned.

    Raises:
        DictionaryError: If the packed word lists are missing or damaged.
    """
    return _with_words(tuple((pos, tuple(words)) for pos, words in user_words.items())) if user_words else _base()


def removed_in_vain(user_words: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the words that a user removes from lists that don't have them: they may be misspelt."""
    is_removing = REMOVE in user_words or any(word.startswith("-") for words in user_words.values() for word in words)
    return words_in_no_list(_base(), user_words) if is_removing else []


@cache
def _base() -> _core.Dictionary:
    try:
        with PACKED.open("rb") as file:
            return _core.Dictionary(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:
        raise DictionaryError(
            f"{PACKED} is missing or damaged ({error}); reinstall oktane from its source: "
            "pip install --force-reinstall ./oktane"
        ) from error


# Threads that start at once would each make one.
_lock = Lock()


def _renew_lock() -> None:
    """Make the lock anew in a forked process, whose parent's other threads may have held it."""
    global _lock
    _lock = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def _with_words(user_words: tuple[tuple[str, tuple[str, ...]], ...]) -> _core.Dictionary:
    with _lock:
        return _extended(user_words)


# Each takes as much memory as the packed file.
@lru_cache(maxsize=8)
def _extended(user_words: tuple[tuple[str, tuple[str, ...]], ...]) -> _core.Dictionary:
    return change_words(_base(), dict(user_words))
