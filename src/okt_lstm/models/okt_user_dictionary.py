"""User dictionaries of Okt: written to a file; and read as oktane reads them, where that is not installed."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from .okt_hangul import compose_hangul

# The parts of speech that Okt has word lists of, each with a file of its words, in Okt's order (KoreanPos.scala).
WORD_LISTS = {
    "Noun": "noun/nouns.txt",
    "Verb": "verb/verb.txt",
    "Adjective": "adjective/adjective.txt",
    "Adverb": "adverb/adverb.txt",
    "Determiner": "auxiliary/determiner.txt",
    "Exclamation": "auxiliary/exclamation.txt",
    "Josa": "josa/josa.txt",
    "Eomi": "verb/eomi.txt",
    "PreEomi": "verb/pre_eomi.txt",
    "Conjunction": "auxiliary/conjunctions.txt",
    "Modifier": "substantives/modifier.txt",
    "VerbPrefix": "verb/verb_prefix.txt",
    "Suffix": "substantives/suffix.txt",
}
# What a split may name besides them.
OTHER_PARTS_OF_SPEECH = (
    *("Unknown", "Korean", "Foreign", "Number", "KoreanParticle", "Alpha", "Punctuation", "Hashtag", "ScreenName"),
    *("Email", "URL", "CashTag", "Space", "Others", "ProperNoun"),
)
# Keys of a user dictionary beside the parts of speech: morphemes of words that are split in a fixed way, and words that
# are taken out of every list. A word that is taken out of one list begins with "-" there.
SPLIT, REMOVE = "split", "remove"


def write_user_dictionary(words: Mapping[str, Iterable[str]], path: Path) -> None:
    """Write a user dictionary as a text file, as `read_user_dictionary` reads it.

    Args:
        words: The user dictionary in its canonical form.
        path: The file. It is written whole or not at all.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        lines = [_line(word, pos) for pos, listed in words.items() for word in listed]
        unfinished.write_text("".join(lines), encoding="utf-8")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _line(word: str, pos: str) -> str:
    if pos == REMOVE:
        return f"-{word}\n"
    return f"{_joined(word)}\t{word}\n" if pos == SPLIT else f"{word}\t{pos}\n"


def read_user_dictionary(
    words: Mapping[str, Iterable[str]] | Iterable[str] | str | os.PathLike[str] | None,
) -> dict[str, list[str]]:
    """Return a user dictionary in its canonical form: part of speech to sorted words, predicates without 다.

    It accepts, refuses and returns what oktane's own reader does, and repeats its code: this file goes to machines
    without oktane. A test compares the two.

    Raises:
        ValueError: If there is an unknown part of speech, or something that is not a word. The message says where.
        OSError: If the file can't be read.
    """
    found: dict[str, set[str]] = {}
    for where, given, pos in _entries(words):
        word = _checked(where, given, pos)
        opposite = word[1:] if word.startswith("-") else f"-{word}"
        if opposite in found.setdefault(pos, set()):
            raise ValueError(f"{where}: {word.removeprefix('-')!r} is both added and removed as {pos}")
        found[pos].add(word)
    return {pos: sorted(found[pos]) for pos in (*WORD_LISTS, SPLIT, REMOVE) if pos in found}


def _entries(
    words: Mapping[str, Iterable[str]] | Iterable[str] | str | os.PathLike[str] | None,
) -> Iterator[tuple[str, str, str]]:
    """Yield where a word stands, the word, and its part of speech, `SPLIT` or `REMOVE`."""
    if isinstance(words, (str, os.PathLike)):
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
    content = path.read_bytes()
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path}, line {number}: not UTF-8 text ({error.reason}). If it is CP949, as Korean Windows writes, "
            "convert the file first: iconv -f CP949 -t UTF-8 OLD > NEW"
        ) from None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        where = f"{path}, line {number}"
        word, tab, pos = line.partition("\t")
        word, pos = word.strip(), pos.strip()
        if tab and "/" in pos:
            if word != _joined(pos):
                raise ValueError(f"{where}: the morphemes {pos!r} do not make the word {word!r}")
            word, pos = pos, SPLIT
        elif not tab:
            if word.split() != [word]:
                raise ValueError(f"{where}: expected a word, a tab and its part of speech, not {line!r:.60}")
            word, pos = (word[1:], REMOVE) if word.startswith("-") else (word, "Noun")
        yield where, word, pos


def _checked(where: str, given: str, pos: str) -> str:
    """Return a word as Okt's own lists would have it."""
    if pos not in (*WORD_LISTS, SPLIT, REMOVE):
        raise ValueError(
            f"{where}: {pos!r} is no part of speech with a word list; choose from: {', '.join(WORD_LISTS)}"
        )
    if not isinstance(given, str):
        raise ValueError(f"{where}: expected a str, not {given!r:.60}")
    word = compose_hangul(given.strip())[0]
    if pos == SPLIT:
        return _checked_split(where, word)
    is_removed = word.startswith("-")
    word = word.removeprefix("-") if is_removed else word
    if not word:
        raise ValueError(f"{where}: the word is empty")
    if word.split() != [word]:
        raise ValueError(f"{where}: a word has no white space inside, not {word!r:.60}; Okt splits there")
    if pos in ("Verb", "Adjective"):
        word = word.removesuffix("다") or word
        if not re.fullmatch("[가-힣]+", word):
            raise ValueError(f"{where}: {word!r} cannot be conjugated: a {pos} is made of Hangul syllables only")
    return f"-{word}" if is_removed and pos != REMOVE else word


def _checked_split(where: str, split: str) -> str:
    for morpheme in split.split():
        form, slash, pos = morpheme.rpartition("/")
        if not slash or not form or pos not in (*WORD_LISTS, *OTHER_PARTS_OF_SPEECH):
            raise ValueError(f"{where}: expected morphemes such as '8/Number 시즌/Noun', not {split!r:.60}")
    if not split:
        raise ValueError(f"{where}: the word is empty")
    return " ".join(split.split())


def _joined(split: str) -> str:
    """Return the word that the morphemes of a split make together."""
    return "".join(morpheme.rpartition("/")[0] for morpheme in split.split())


def fixed_words(words: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the words of a user dictionary that only oktane can keep together or split: Okt looks up Hangul only."""
    listed = [word for pos in WORD_LISTS for word in words.get(pos, ()) if not re.fullmatch("-.*|[가-힣ㄱ-ㅣ]+", word)]
    return [*map(_joined, words.get(SPLIT, ())), *listed]


def removed_from(pos: str, words: Mapping[str, Iterable[str]]) -> set[str]:
    """Return the words that a user dictionary takes out of Okt's list of a part of speech."""
    everywhere = words.get(REMOVE, ())
    if pos in ("Verb", "Adjective"):
        everywhere = [word.removesuffix("다") for word in everywhere if word.endswith("다") and len(word) > 1]
    return {word[1:] for word in words.get(pos, ()) if word.startswith("-")}.union(everywhere)
