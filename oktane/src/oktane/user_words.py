"""Lays the words of a user dictionary over the packed word lists."""

from collections.abc import Callable, Iterable, Mapping

from . import _core
from .conjugation import conjugate_all


def add_words(base: _core.Dictionary, user_words: Mapping[str, Iterable[str]], digest: bytes) -> _core.Dictionary:
    """Return a dictionary of the words of `base` and further ones, as if all had been packed at once.

    It is made in memory, in milliseconds; `base` stays as it is.

    Args:
        base: A packed dictionary.
        user_words: Part of speech to words, predicates without 다. Words with characters other than Hangul syllables
            and compatibility jamo are left out, because Okt never looks them up.
        digest: 32 bytes that name the new dictionary.
    """
    lists: dict[str, int] = {}
    stems: dict[str, int] = {}
    # By part of speech: the stem that each new form has.
    chosen: dict[str, dict[str, str]] = {"Verb": {}, "Adjective": {}}
    for pos, words in user_words.items():
        forms: Iterable[str] = words
        if pos in chosen:
            forms = chosen[pos] = conjugate_all(words, pos == "Adjective", _stem_finder(base, pos))
            for stem in chosen[pos].values():
                stems.setdefault(stem, len(stems))
        bit = 1 << _core.PARTS_OF_SPEECH.index(pos)
        for form in filter(can_be_looked_up, forms):
            lists[form] = lists.get(form, 0) | bit
    words_in_order = sorted(lists)
    verbs, adjectives = chosen["Verb"], chosen["Adjective"]
    entries = [
        (lists[word], stems.get(verbs.get(word, ""), -1), stems.get(adjectives.get(word, ""), -1))
        for word in words_in_order
    ]
    return base.extended(words_in_order, entries, list(stems), digest)


def _stem_finder(dictionary: _core.Dictionary, pos: str) -> Callable[[str], str | None]:
    """Return a function from a form to the stem that it has in a dictionary as a verb or an adjective."""

    def stem_of(form: str) -> str | None:
        _, verb, adjective = dictionary.lookup(form)
        return adjective if pos == "Adjective" else verb

    return stem_of


def can_be_looked_up(word: str) -> bool:
    """Return whether a word has only characters that Okt looks up: Hangul syllables and compatibility jamo."""
    return all("가" <= c <= "힣" or "ㄱ" <= c <= "ㅣ" for c in word)
