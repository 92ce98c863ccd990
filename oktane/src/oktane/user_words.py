"""The user's own words: read and checked, named by a hash, and laid over the packed word lists."""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from . import _core
from .conjugation import conjugate_all

# The parts of speech that Okt has a word list of.
LISTED = _core.PARTS_OF_SPEECH[: _core.PARTS_OF_SPEECH.index("Suffix") + 1]
PREDICATES = ("Verb", "Adjective")

UserDictionary = Mapping[str, Iterable[str]]


def read_user_dictionary(words: UserDictionary | str | os.PathLike[str] | None) -> dict[str, list[str]]:
    """Return a user dictionary in its canonical form: part of speech to sorted words, predicates without 다.

    Args:
        words: Part of speech to words; or the path of a UTF-8 text file with a word, a tab and its part of speech on
            each line. Empty lines and lines that begin with # are skipped.

    Raises:
        ValueError: If a part of speech has no word list in Okt, a word is empty or has white space inside, or a verb or
            adjective can't be conjugated, or the file is not UTF-8. The message says where.
        OSError: If the file can't be read.
    """
    if words is None:
        return {}
    entries = _mapping_entries(words) if isinstance(words, Mapping) else _file_entries(Path(words))
    found: dict[str, set[str]] = {}
    lost: list[str] = []
    for where, given, pos in entries:
        word = _checked(where, given, pos)
        found.setdefault(pos, set()).add(word)
        if not can_be_looked_up(word):
            lost.append(word)
    if lost:
        sample = ", ".join(map(repr, lost[:3]))
        warnings.warn(
            f"{len(lost)} words of the user dictionary can never be found, because Okt looks up Hangul only: {sample}",
            stacklevel=4,
        )
    return {pos: sorted(found[pos]) for pos in LISTED if pos in found}


def _mapping_entries(words: UserDictionary) -> Iterator[tuple[str, str, str]]:
    for pos, listed in words.items():
        if isinstance(listed, str) or not isinstance(listed, Iterable):
            raise ValueError(f"user_dictionary[{pos!r}] must be a list of words, not {listed!r:.60}")
        for i, word in enumerate(listed):
            yield f"user_dictionary[{pos!r}], word {i}", word, pos


def _file_entries(path: Path) -> Iterator[tuple[str, str, str]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        from .lines import NOT_UTF8

        number = error.object.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path}, line {number}: not UTF-8 text ({error.reason}). {NOT_UTF8}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        word, tab, pos = line.partition("\t")
        if not tab:
            raise ValueError(f"{path}, line {number}: expected a word, a tab and its part of speech, not {line!r:.60}")
        yield f"{path}, line {number}", word, pos.strip()


def _checked(where: str, word: str, pos: str) -> str:
    """Return a word as Okt's own lists would have it."""
    if pos not in LISTED:
        raise ValueError(f"{where}: {pos!r} is no part of speech with a word list; choose from: {', '.join(LISTED)}")
    if not isinstance(word, str):
        raise ValueError(f"{where}: expected a str, not {word!r:.60}")
    word = word.strip()
    if not word:
        raise ValueError(f"{where}: the word is empty")
    if word.split() != [word]:
        raise ValueError(f"{where}: a word has no white space inside, not {word!r:.60}; Okt splits there")
    if pos in PREDICATES:
        if len(word) > 1:
            word = word.removesuffix("다")
        if not all("가" <= c <= "힣" for c in word):
            raise ValueError(f"{where}: {word!r} cannot be conjugated: a {pos} is made of Hangul syllables only")
    return word


def digest_with(base: bytes, user_words: Mapping[str, Iterable[str]]) -> bytes:
    """Return the SHA-256 that names a dictionary with words laid over it, the same on every machine.

    Args:
        base: The SHA-256 of the dictionary below.
        user_words: What `read_user_dictionary` returned, not empty.
    """
    # Importing it takes a while, and few dictionaries need it.
    import hashlib

    lines = [base.hex(), *(f"{word}\t{pos}" for pos, words in user_words.items() for word in words)]
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).digest()


def add_words(base: _core.Dictionary, user_words: Mapping[str, Iterable[str]]) -> _core.Dictionary:
    """Return a dictionary of the words of `base` and further ones, as if all had been packed at once.

    It is made in memory, in milliseconds; `base` stays as it is.

    Args:
        base: A packed dictionary.
        user_words: Part of speech to words, predicates without 다. Words with characters other than Hangul syllables
            and compatibility jamo are left out, because Okt never looks them up.
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
    return base.extended(words_in_order, entries, list(stems), digest_with(base.digest, user_words))


def _stem_finder(dictionary: _core.Dictionary, pos: str) -> Callable[[str], str | None]:
    """Return a function from a form to the stem that it has in a dictionary as a verb or an adjective."""

    def stem_of(form: str) -> str | None:
        _, verb, adjective = dictionary.lookup(form)
        return adjective if pos == "Adjective" else verb

    return stem_of


def can_be_looked_up(word: str) -> bool:
    """Return whether a word has only characters that Okt looks up: Hangul syllables and compatibility jamo."""
    return all("가" <= c <= "힣" or "ㄱ" <= c <= "ㅣ" for c in word)
