"""Which Okt splits texts into morphemes: oktane, or konlpy's where oktane is not installed."""

import json
import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from transformers.utils import logging

# In a saved folder, transformers requires the packages that plain imports name; those within `try` may be missing.
try:
    from oktane import Okt

    PACKAGE = "oktane"
except ImportError:
    from .okt_konlpy import KonlpyOkt as Okt  # type: ignore[assignment]

    PACKAGE = "konlpy"

__all__ = ["Okt", "analyzer_for", "analyzer_version", "hash_here", "warn_of_other_words"]

logger = logging.get_logger(__name__)


def analyzer_for(user_dictionary: Mapping[str, Sequence[str]]) -> Any:
    """Return this process's analyzer for a user dictionary: an `oktane.Okt`, or what takes its place.

    It is kept here and not in the tokenizer, so that tokenizers stay small, picklable, and equal before and after a
    call.

    Args:
        user_dictionary: The words, as `Okt(...).user_dictionary` has them.
    """
    return _analyzer(json.dumps(user_dictionary))


@lru_cache(maxsize=8)
def _analyzer(user_dictionary: str) -> Any:
    if PACKAGE != "oktane":
        logger.warning_once(
            "oktane is not installed, so OktTokenizer uses konlpy's Okt in a Java virtual machine: the same ids, but "
            "many times slower."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of words that Okt never finds; the user heard of them at the first reading
        return Okt(json.loads(user_dictionary))


def analyzer_version() -> str:
    """Return the name and version of the analyzer, such as `oktane 0.1.0`."""
    return f"{PACKAGE} {version(PACKAGE)}"


def hash_here(user_dictionary: Mapping[str, Sequence[str]]) -> str | None:
    """Return the hash of the word lists here, with the user's words; None without an analyzer.

    Much of a tokenizer works without one, and the first text says what is missing.
    """
    try:
        return analyzer_for(user_dictionary).dictionary_hash
    except (ImportError, RuntimeError):
        return None


def warn_of_other_words(
    tokenizer: str, user_dictionary: Mapping[str, Sequence[str]], expected: str | None, analyzer: str | None
) -> None:
    """Warn if the word lists here, with the user's words, are not those that a tokenizer was trained with.

    Args:
        tokenizer: What the tokenizer is called.
        user_dictionary: Its words.
        expected: The hash of what it was trained with, if it was trained.
        analyzer: The analyzer that it was trained with.
    """
    here = hash_here(user_dictionary)
    if here is not None and expected not in (None, here):
        logger.warning(
            f"{tokenizer} was trained with other word lists of Okt or another user dictionary (sha256 "
            f"{str(expected)[:12]}, here {here[:12]}), so it may split texts differently than in training. Install "
            f"what it was trained with ({analyzer}), or retrain."
        )
