"""User dictionaries of Okt: written to a file; and read as oktane reads them, where that is not installed."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

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


def write_user_dictionary(words: Mapping[str, Iterable[str]], path: Path) -> None:
    """Write a user dictionary as a text file with a word, a tab and its part of speech on each line.

    Args:
        words: Words by part of speech.
        path: The file. It is written whole or not at all.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        lines = [f"{word}\t{pos}\n" for pos, listed in words.items() for word in listed]
        unfinished.write_text("".join(lines), encoding="utf-8")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_user_dictionary(words: Mapping[str, Iterable[str]] | str | os.PathLike[str] | None) -> dict[str, list[str]]:
    """Return a user dictionary in its canonical form: part of speech to sorted words, predicates without 다.

    It accepts, refuses and returns what oktane's own reader does, and repeats its code: this file goes to machines
    without oktane. A test compares the two.

    Raises:
        ValueError: If there is an unknown part of speech, or something that is not a word. The message says where.
        OSError: If the file can't be read.
    """
    found: dict[str, set[str]] = {}
    entries = _mapping_entries(words) if isinstance(words, Mapping) else _file_entries(Path(words)) if words else ()
    for where, word, pos in entries:
        if pos not in WORD_LISTS:
            raise ValueError(
                f"{where}: {pos!r} is no part of speech with a word list; choose from: {', '.join(WORD_LISTS)}"
            )
        if not isinstance(word, str):
            raise ValueError(f"{where}: expected a str, not {word!r:.60}")
        word = word.strip()
        if not word:
            raise ValueError(f"{where}: the word is empty")
        if word.split() != [word]:
            raise ValueError(f"{where}: a word has no white space inside, not {word!r:.60}; Okt splits there")
        if pos in ("Verb", "Adjective"):
            word = word.removesuffix("다") or word
            if not re.fullmatch("[가-힣]+", word):
                raise ValueError(f"{where}: {word!r} cannot be conjugated: a {pos} is made of Hangul syllables only")
        found.setdefault(pos, set()).add(word)
    return {pos: sorted(found[pos]) for pos in WORD_LISTS if pos in found}


def _mapping_entries(words: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, str, str]]:
    for pos, listed in words.items():
        if isinstance(listed, str) or not isinstance(listed, Iterable):
            raise ValueError(f"user_dictionary[{pos!r}] must be a list of words, not {listed!r:.60}")
        for number, word in enumerate(listed):
            yield f"user_dictionary[{pos!r}], word {number}", word, pos


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
        if line.strip() and not line.startswith("#"):
            word, tab, pos = line.partition("\t")
            if not tab:
                raise ValueError(
                    f"{path}, line {number}: expected a word, a tab and its part of speech, not {line!r:.60}"
                )
            yield f"{path}, line {number}", word, pos.strip()
