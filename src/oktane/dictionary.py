"""Finds, reads, packs and caches Okt's word lists.

The lists are Open Korean Text 2.1.0's own, read from the jar that konlpy installs; how each is used is told by
KoreanDictionaryProvider.scala. Packing them takes about two seconds, so the result is kept in the user's cache folder.
"""

import gzip
import hashlib
import importlib.util
import io
import json
import mmap
import os
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from . import _core
from .conjugation import conjugate_all

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

UserDictionary = Mapping[str, Iterable[str]]


class DictionaryError(RuntimeError):
    """Okt's word lists are not there, or not what they should be."""


@dataclass
class WordLists:
    """Okt's word lists: words by list, frequencies of nouns, and typos with their corrections."""

    words: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in LIST_BITS})
    frequencies: dict[str, float] = field(default_factory=dict)
    typos: dict[str, str] = field(default_factory=dict)

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


def _read_lines(jar: zipfile.ZipFile, name: str) -> Iterator[str]:
    """Yields the lines of a list without white space around them, as java.lang.String.trim takes it away."""
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
    lists = WordLists()
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
        found.setdefault(pos, set()).add(_checked(where, word, pos))
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
    """Returns the folder of packed dictionaries: OKTANE_CACHE, or oktane in the user's cache folder."""
    if folder := os.environ.get("OKTANE_CACHE"):
        return Path(folder)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "oktane"


def _open(path: Path) -> _core.Dictionary | None:
    """Returns the dictionary of a cache file; None if there is none, or it is damaged or of another format."""
    try:
        with path.open("rb") as file:
            return _core.Dictionary(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):
        return None


def _write(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all, whoever else writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=path.name, dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load(user_words: Mapping[str, Iterable[str]]) -> _core.Dictionary:
    """Returns the packed dictionary of Okt's word lists and the user's words; one object however often it is asked for.

    Args:
        user_words: What `read_user_dictionary` returned.

    Raises:
        DictionaryError: If konlpy's word lists are not there.
    """
    return _load(json.dumps(user_words, ensure_ascii=False))


@cache
def _load(user_words: str) -> _core.Dictionary:
    jar = find_jar()
    key = hashlib.sha256(jar.read_bytes() + user_words.encode("utf-8", "surrogatepass")).hexdigest()
    path = None
    try:
        path = cache_folder() / f"{key[:32]}.v{_core.FORMAT}"
        dictionary = _open(path)
    except RuntimeError:  # no home directory
        dictionary = None
    if dictionary is not None:
        return dictionary
    lists = read_word_lists(jar)
    for pos, words in json.loads(user_words).items():
        lists.words[pos].update(words)
    packed = pack(lists)
    if path is not None:
        try:
            _write(path, packed)
        except OSError:  # it works without the file, only slower the next time
            pass
        else:
            return _open(path) or _core.Dictionary(packed)
    return _core.Dictionary(packed)
