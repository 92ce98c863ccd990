"""The options of OktTokenizer that say how texts become morphemes: checked, and brought to one form."""

from collections.abc import Iterable, Sequence
from typing import Any

from .okt_hangul import compose_hangul
from .okt_user_dictionary import OTHER_PARTS_OF_SPEECH, WORD_LISTS

PARTS_OF_SPEECH = (*WORD_LISTS, *OTHER_PARTS_OF_SPEECH)


def check_options(norm: Any, stem: Any, subword: Any, word_mark: Any) -> None:
    """Raise ValueError if an option has a value that it can't have."""
    if subword not in ("none", "bpe"):
        raise ValueError(f'subword must be "none" or "bpe", not {subword!r}')
    if word_mark is not None and (not isinstance(word_mark, str) or word_mark.split() != [word_mark]):
        raise ValueError(f'word_mark must be a text without white space, such as "▁", or None, not {word_mark!r}')
    for name, value in (("norm", norm), ("stem", stem)):
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be true or false, not {value!r}")


def checked_pos(pos: str | Iterable[str] | None) -> list[str] | None:
    """Return the parts of speech to keep in Okt's order, or None for all.

    Raises:
        ValueError: If there is no such part of speech.
    """
    if pos is None:
        return None
    names = {pos} if isinstance(pos, str) else set(pos)
    if unknown := names.difference(PARTS_OF_SPEECH):
        raise ValueError(f"pos: {min(unknown)!r} is no part of speech; choose from: {', '.join(PARTS_OF_SPEECH)}")
    if not names:
        raise ValueError("pos is empty, so no morpheme would be left; leave it out to keep all of them")
    return [name for name in PARTS_OF_SPEECH if name in names]


def checked_stopwords(stopwords: Iterable[str] | None) -> list[str]:
    """Return the stop words, each once, in composed Hangul.

    Raises:
        ValueError: If they are no list of words.
    """
    if stopwords is None:
        return []
    if isinstance(stopwords, str) or not isinstance(stopwords, Iterable):
        raise ValueError(f"stopwords must be a list of words, not {stopwords!r:.60}")
    words: Sequence[Any] = list(stopwords)
    if wrong := [word for word in words if not isinstance(word, str)]:
        raise ValueError(f"stopwords must be a list of words, and {wrong[0]!r:.60} is none")
    return list(dict.fromkeys(compose_hangul(word.strip())[0] for word in words if word.strip()))
