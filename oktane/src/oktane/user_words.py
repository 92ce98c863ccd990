"""The user's own words: read, checked, and brought to one form.

A user dictionary adds words to Okt's lists, takes words out of them, and says how a word is split. As a file it has one
of these a line:

    워라밸                       a noun
    덕질하다<tab>Verb            a word of any part of speech
    -워드                        in no list of Okt any more
    -워드<tab>Noun               no noun any more
    8시즌<tab>8/Number 시즌/Noun  always split so
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from . import _core
from .hangul import compose_hangul

# The parts of speech that Okt has a word list of.
LISTED = _core.PARTS_OF_SPEECH[: _core.PARTS_OF_SPEECH.index("Suffix") + 1]
PREDICATES = ("Verb", "Adjective")
# Keys of a user dictionary beside the parts of speech.
SPLIT, REMOVE = "split", "remove"

UserDictionary = Mapping[str, Iterable[str]] | Iterable[str]


def read_user_dictionary(
    words: UserDictionary | str | os.PathLike[str] | None, remove: Iterable[str] = ()
) -> dict[str, list[str]]:
    """Return a user dictionary in its canonical form: part of speech to sorted words, predicates without 다.

    A word that is taken out of the list of a part of speech begins with "-" there. The key "remove" has words that are
    taken out of every list, and "split" the morphemes of words that are split in a fixed way, as "8/Number 시즌/Noun".

    Args:
        words: Such a dictionary; nouns; or the path of a text file in UTF-8, with a word, a tab and its part of speech
            on each line. Empty lines and lines that begin with # are skipped.
        remove: Words that are taken out of every list.

    Raises:
        ValueError: If a part of speech has no word list in Okt, a word is empty or has white space inside, or a verb or
            adjective can't be conjugated, or the file is not UTF-8. The message says where.
        OSError: If the file can't be read.
    """
    if isinstance(remove, str):
        raise ValueError(f"remove must be a list of words, not {remove!r:.60}")
    found: dict[str, set[str]] = {}
    for where, given, pos in (*_entries(words), *_listed("remove", remove, REMOVE)):
        word, pos = _checked(where, given, pos)
        if _opposite(word) in found.setdefault(pos, set()):
            raise ValueError(f"{where}: {word.removeprefix('-')!r} is both added and removed as {pos}")
        found[pos].add(word)
    return {pos: sorted(found[pos]) for pos in (*LISTED, SPLIT, REMOVE) if pos in found}


def _opposite(word: str) -> str:
    return word[1:] if word.startswith("-") else f"-{word}"


def _entries(words: UserDictionary | str | os.PathLike[str] | None) -> Iterator[tuple[str, str, str]]:
    """Yield where a word stands, the word, and its part of speech, `SPLIT` or `REMOVE`."""
    if isinstance(words, str | os.PathLike):
        yield from _file_entries(Path(words))
    elif isinstance(words, Mapping):
        for pos, listed in words.items():
            yield from _listed(f"user_dictionary[{pos!r}]", listed, pos)
    elif words is not None:
        yield from _listed("user_dictionary", words, "Noun")


def _listed(name: str, words: Iterable[str], pos: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(words, str) or not isinstance(words, Iterable):
        raise ValueError(f"{name} must be a list of words, not {words!r:.60}")
    for number, word in enumerate(words):
        is_removed = name == "user_dictionary" and isinstance(word, str) and word.startswith("-")
        yield f"{name}, word {number}", word[1:] if is_removed else word, REMOVE if is_removed else pos


def _file_entries(path: Path) -> Iterator[tuple[str, str, str]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        from .lines import NOT_UTF8

        number = error.object.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path}, line {number}: not UTF-8 text ({error.reason}). {NOT_UTF8}") from None
    except FileNotFoundError as error:
        if path.suffix or len(path.parts) > 1:
            raise
        error.strerror = f"no such file; to add words, pass a list of them: [{str(path)!r}]"
        raise
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        where = f"{path}, line {number}"
        word, tab, pos = line.partition("\t")
        word, pos = word.strip(), pos.strip()
        if tab and "/" in pos:
            if word != joined_morphemes(pos):
                raise ValueError(f"{where}: the morphemes {pos!r} do not make the word {word!r}")
            word, pos = pos, SPLIT
        elif not tab:
            if word.split() != [word]:
                raise ValueError(f"{where}: expected a word, a tab and its part of speech, not {line!r:.60}")
            word, pos = (word[1:], REMOVE) if word.startswith("-") else (word, "Noun")
        yield where, word, pos


def _checked(where: str, given: str, pos: str) -> tuple[str, str]:
    """Return a word as Okt's own lists would have it, and its part of speech, `SPLIT` or `REMOVE`."""
    if pos not in (*LISTED, SPLIT, REMOVE):
        raise ValueError(f"{where}: {pos!r} is no part of speech with a word list; choose from: {', '.join(LISTED)}")
    if not isinstance(given, str):
        raise ValueError(f"{where}: expected a str, not {given!r:.60}")
    word = compose_hangul([given.strip()])[0][0]
    if pos == SPLIT:
        return _checked_split(where, word), pos
    is_removed = word.startswith("-")
    word = word.removeprefix("-") if is_removed else word
    if not word:
        raise ValueError(f"{where}: the word is empty")
    if word.split() != [word]:
        raise ValueError(f"{where}: a word has no white space inside, not {word!r:.60}; Okt splits there")
    if pos in PREDICATES:
        if len(word) > 1:
            word = word.removesuffix("다")
        if not all("가" <= c <= "힣" for c in word):
            raise ValueError(f"{where}: {word!r} cannot be conjugated: a {pos} is made of Hangul syllables only")
    return f"-{word}" if is_removed and pos != REMOVE else word, pos


def _checked_split(where: str, split: str) -> str:
    for morpheme in split.split():
        form, slash, pos = morpheme.rpartition("/")
        if not slash or not form or pos not in _core.PARTS_OF_SPEECH:
            raise ValueError(f"{where}: expected morphemes such as '8/Number 시즌/Noun', not {split!r:.60}")
    if not split:
        raise ValueError(f"{where}: the word is empty")
    return " ".join(split.split())


def morphemes_of(split: str) -> tuple[tuple[str, str], ...]:
    """Return the morphemes of a split as pairs of form and part of speech: of "8/Number 시즌/Noun" two."""
    parts = (morpheme.rpartition("/") for morpheme in split.split())
    return tuple((form, pos) for form, _, pos in parts)


def joined_morphemes(split: str) -> str:
    """Return the word that the morphemes of a split make together: 8시즌."""
    return "".join(form for form, _ in morphemes_of(split))


def can_be_looked_up(word: str) -> bool:
    """Return whether a word has only characters that Okt looks up: Hangul syllables and compatibility jamo."""
    return all("가" <= c <= "힣" or "ㄱ" <= c <= "ㅣ" for c in word)


def known_to_first_version(words: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Return the words of a user dictionary that oktane 0.1.0 looked up: those that Okt can look up itself."""
    return {pos: kept for pos, listed in words.items() if (kept := [word for word in listed if can_be_looked_up(word)])}
