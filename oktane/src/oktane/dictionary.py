"""Finds, reads, packs and caches Okt's word lists.

The lists are Open Korean Text 2.1.0's own, read from the jar that konlpy installs; how each is used is told by
KoreanDictionaryProvider.scala. Packing them takes about two seconds, so the result is kept in the user's cache folder.
"""

import hashlib
import importlib.util
import mmap
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from . import _core

if TYPE_CHECKING:
    from zipfile import ZipFile

# What only reading and packing the lists needs is imported there: most starts find them packed.

JAR = "open-korean-text-2.1.0.jar"
FOLDER_IN_JAR = "org/openkoreantext/processor/util/"

# Part of speech to the files of its words. The order of the parts of speech is KoreanPos.scala's.
WORD_FILES = {
    "Noun": (
        "noun/nouns.txt", "noun/entities.txt", "noun/spam.txt", "noun/names.txt", "noun/twitter.txt", "noun/lol.txt",
        "noun/slangs.txt", "noun/company_names.txt", "noun/foreign.txt", "noun/geolocations.txt", "noun/profane.txt",
        "substantives/given_names.txt", "noun/kpop.txt", "noun/bible.txt", "noun/pokemon.txt", "noun/congress.txt",
        "noun/wikipedia_title_nouns.txt",
    ),
    "Verb": ("verb/verb.txt",),
    "Adjective": ("adjective/adjective.txt",),
    "Adverb": ("adverb/adverb.txt",),
    "Determiner": ("auxiliary/determiner.txt",),
    "Exclamation": ("auxiliary/exclamation.txt",),
    "Josa": ("josa/josa.txt",),
    "Eomi": ("verb/eomi.txt",),
    "PreEomi": ("verb/pre_eomi.txt",),
    "Conjunction": ("auxiliary/conjunctions.txt",),
    "Modifier": ("substantives/modifier.txt",),
    "VerbPrefix": ("verb/verb_prefix.txt",),
    "Suffix": ("substantives/suffix.txt",),
}  # fmt: skip
NAME_FILES = {
    "full name": ("noun/kpop.txt", "noun/foreign.txt", "noun/names.txt"),
    "given name": ("substantives/given_names.txt",),
    "family name": ("substantives/family_names.txt",),
}
FREQUENCY_FILE = "freq/entity-freq.txt.gz"
TYPO_FILE = "typos/typos.txt"

PREDICATES = ("Verb", "Adjective")
# The bit of each list in a packed word's mask, as core/okt.h has it.
LIST_BITS = {name: 1 << i for i, name in enumerate((*WORD_FILES, *NAME_FILES))}

# Packed dictionaries that stay in the cache folder; each list of user words makes one.
CACHED = 8

UserDictionary = Mapping[str, Iterable[str]]


class DictionaryError(RuntimeError):
    """Okt's word lists are not there, or not what they should be."""


class WordLists(NamedTuple):
    """Okt's word lists: words by list, frequencies of nouns, and typos with their corrections."""

    words: dict[str, set[str]]
    frequencies: dict[str, float]
    typos: dict[str, str]

    def digest(self) -> bytes:
        """Returns the SHA-256 of all of it, the same on every machine."""
        sha = hashlib.sha256()
        for name, words in self.words.items():
            sha.update("\n".join([name, *sorted(words), ""]).encode())
        for name, pairs in (("frequencies", self.frequencies), ("typos", self.typos)):
            sha.update(f"{name} {sorted(pairs.items())}\n".encode())
        return sha.digest()


def find_jar() -> Path:
    """Returns the path of konlpy's copy of Open Korean Text, without importing konlpy.

    Raises:
        DictionaryError: If konlpy is not installed, or is a version with another jar.
    """
    spec = importlib.util.find_spec("konlpy")
    if spec is None or not spec.submodule_search_locations:
        raise DictionaryError(
            "Okt's word lists come with konlpy, which is not installed: pip install konlpy (Java is not needed)"
        )
    jar = Path(spec.submodule_search_locations[0]) / "java" / JAR
    if not jar.is_file():
        raise DictionaryError(f"{jar} is missing: oktane reads konlpy 0.6's word lists: pip install 'konlpy>=0.6,<0.7'")
    return jar


def _read_lines(jar: "ZipFile", name: str) -> Iterator[str]:
    """Yields the lines of a list without white space around them, as java.lang.String.trim takes it away."""
    import gzip
    import io

    content = jar.read(FOLDER_IN_JAR + name)
    if name.endswith(".gz"):
        content = gzip.decompress(content)
    white = "".join(map(chr, range(0x21)))
    for line in io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"):
        if line := line.strip(white):
            yield line


def read_word_lists(jar: Path) -> WordLists:
    """Reads all lists from the jar; verbs and adjectives as stems without 다, as they stand there.

    Raises:
        DictionaryError: If the jar is damaged or lacks a list.
    """
    import zipfile

    lists = WordLists({}, {}, {})
    try:
        with zipfile.ZipFile(jar) as archive:
            for name, files in (WORD_FILES | NAME_FILES).items():
                lists.words[name] = {line for file in files for line in _read_lines(archive, file)}
            for line in _read_lines(archive, FREQUENCY_FILE):
                word, tab, frequency = line.partition("\t")
                if tab:
                    lists.frequencies[word] = float(frequency[:6])  # Okt reads no more of it
            for line in _read_lines(archive, TYPO_FILE):
                typo, space, correction = line.partition(" ")
                if space:
                    lists.typos[typo] = correction.partition(" ")[0]
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError, ValueError, OSError) as error:
        raise DictionaryError(f"{jar} is damaged ({error}): pip install --force-reinstall konlpy") from error
    return lists


def _can_be_looked_up(word: str) -> bool:
    return all("가" <= c <= "힣" or "ㄱ" <= c <= "ㅣ" for c in word)


def pack(lists: WordLists) -> bytes:
    """Expands and packs word lists; words with characters that Okt never looks up are left out."""
    from .conjugation import conjugate_all

    masks: dict[str, int] = {}
    stems: list[str] = []
    stem_numbers: dict[str, dict[str, int]] = {name: {} for name in PREDICATES}
    for name, words in lists.words.items():
        forms: Iterable[str] = words
        if name in PREDICATES:
            chosen = conjugate_all(words, is_adjective=name == "Adjective")
            numbers = {stem: len(stems) + i for i, stem in enumerate(sorted(set(chosen.values())))}
            stems.extend(numbers)
            stem_numbers[name] = {form: numbers[stem] for form, stem in chosen.items()}
            forms = chosen
        bit = LIST_BITS[name]
        for form in forms:
            masks[form] = masks.get(form, 0) | bit
    corrections = sorted(set(lists.typos.values()))
    correction_numbers = {correction: i for i, correction in enumerate(corrections)}
    every_word = masks.keys() | lists.frequencies.keys() | lists.typos.keys()
    words_in_order = sorted(filter(_can_be_looked_up, every_word))
    verbs, adjectives = stem_numbers["Verb"], stem_numbers["Adjective"]
    entries = [
        (
            lists.frequencies.get(word, 0.0),
            masks.get(word, 0),
            correction_numbers[lists.typos[word]] + 1 if word in lists.typos else 0,
            verbs.get(word, -1),
            adjectives.get(word, -1),
        )
        for word in words_in_order
    ]
    return _core.pack(words_in_order, entries, stems, corrections, lists.digest())


# ---- the user's words ----


def read_user_dictionary(words: UserDictionary | str | os.PathLike[str] | None) -> dict[str, list[str]]:
    """Returns a user dictionary in its one true form: part of speech to sorted words, predicates without 다.

    Args:
        words: Part of speech to words; or the path of a UTF-8 text file with a word, a tab and its part of speech on
            each line, where empty lines and those that begin with # say nothing.

    Raises:
        ValueError: For a part of speech that Okt has no list of, an empty word, or a verb or adjective that cannot be
            conjugated; it says where.
        OSError: If the file cannot be read.
    """
    if words is None:
        return {}
    entries = _mapping_entries(words) if isinstance(words, Mapping) else _file_entries(Path(words))
    found: dict[str, set[str]] = {}
    lost: list[str] = []
    for where, word, pos in entries:
        word = _checked(where, word, pos)
        found.setdefault(pos, set()).add(word)
        if not _can_be_looked_up(word):
            lost.append(word)
    if lost:
        sample = ", ".join(map(repr, lost[:3]))
        warnings.warn(
            f"{len(lost)} words of the user dictionary can never be found, for Okt looks up Hangul only: {sample}",
            stacklevel=4,
        )
    return {pos: sorted(found[pos]) for pos in WORD_FILES if pos in found}


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
        raise ValueError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from error
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        word, tab, pos = line.partition("\t")
        if not tab:
            raise ValueError(f"{path}, line {number}: expected a word, a tab and its part of speech, not {line!r:.60}")
        yield f"{path}, line {number}", word, pos.strip()


def _checked(where: str, word: str, pos: str) -> str:
    """Returns a word as Okt's own lists would have it."""
    if pos not in WORD_FILES:
        raise ValueError(f"{where}: {pos!r} is no part of speech with a word list; these are: {', '.join(WORD_FILES)}")
    if not isinstance(word, str):
        raise ValueError(f"{where}: expected a str, not {word!r:.60}")
    word = word.strip()
    if not word:
        raise ValueError(f"{where}: the word is empty")
    if pos in PREDICATES:
        if len(word) > 1:
            word = word.removesuffix("다")
        if not all("가" <= c <= "힣" for c in word):
            raise ValueError(f"{where}: {word!r} cannot be conjugated: a {pos} is made of Hangul syllables only")
    return word


# ---- the cache ----


def cache_folder() -> Path:
    """Returns the folder of packed dictionaries: OKTANE_CACHE, or else `oktane` in the user's cache folder."""
    if folder := os.environ.get("OKTANE_CACHE"):
        return Path(folder)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.path.expanduser(base)) / "oktane"  # noqa: PTH111 - Path.expanduser raises without a home folder


def _open(path: Path) -> _core.Dictionary | None:
    """Returns the dictionary of a cache file; None if there is none, or it is damaged or of another format."""
    try:
        with path.open("rb") as file:
            return _core.Dictionary(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):
        return None


def _write(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all, whoever else writes it, and lets go of the oldest of too many."""
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=path.name, dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    by_age = sorted(path.parent.glob("*.v*"), key=lambda other: other.stat().st_mtime, reverse=True)
    for old in by_age[CACHED:]:
        old.unlink(missing_ok=True)


def load(user_words: Mapping[str, Iterable[str]]) -> _core.Dictionary:
    """Returns the packed dictionary of Okt's word lists and the user's words; one object however often it is asked for.

    Args:
        user_words: What `read_user_dictionary` returned.

    Raises:
        DictionaryError: If konlpy's word lists are not there.
    """
    return _load(tuple((pos, tuple(words)) for pos, words in user_words.items()))


@cache
def _load(user_words: tuple[tuple[str, tuple[str, ...]], ...]) -> _core.Dictionary:
    jar = find_jar()
    key = hashlib.sha256(jar.read_bytes() + ascii(user_words).encode()).hexdigest()
    path = cache_folder() / f"{key[:32]}.v{_core.FORMAT}"
    dictionary = _open(path)
    if dictionary is not None:
        return dictionary
    lists = read_word_lists(jar)
    for pos, words in user_words:
        lists.words[pos].update(words)
    packed = pack(lists)
    try:
        _write(path, packed)
    except OSError:
        return _core.Dictionary(packed)  # works as well, but has to be packed again in the next process
    return _open(path) or _core.Dictionary(packed)
