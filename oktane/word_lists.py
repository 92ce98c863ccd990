"""Read Okt's word lists from konlpy's archive and pack them: the step of the build that needs konlpy.

    python word_lists.py src src/oktane/data/okt.dict

The lists are Open Korean Text 2.1.0's own (Apache-2.0); KoreanDictionaryProvider.scala tells how each is used. konlpy
is not imported, so neither Java nor what konlpy depends on has to be there.
"""

import gzip
import hashlib
import importlib.util
import sys
import zipfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

JAR = "open-korean-text-2.1.0.jar"
JAR_SHA256 = "568fd66e85b849a18f838a9ff88b5e1c6c29b210fa36eb3b61865a736c7b3fe6"
FOLDER_IN_JAR = "org/openkoreantext/processor/util/"

# The files of each list. The order of the lists is that of their bits in core/okt.h; the parts of speech come first, in
# KoreanPos.scala's order.
FILES = {
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
    "full name": ("noun/kpop.txt", "noun/foreign.txt", "noun/names.txt"),
    "given name": ("substantives/given_names.txt",),
    "family name": ("substantives/family_names.txt",),
}  # fmt: skip
FREQUENCY_FILE = "freq/entity-freq.txt.gz"
TYPO_FILE = "typos/typos.txt"

LIST_BITS = {name: 1 << i for i, name in enumerate(FILES)}


class WordListError(RuntimeError):
    """Okt's word lists are not there, or not the expected ones."""


class WordLists(NamedTuple):
    """Okt's word lists: words by list, frequencies of nouns, and typos with their corrections."""

    words: dict[str, set[str]]
    frequencies: dict[str, float]
    typos: dict[str, str]

    def digest(self) -> bytes:
        """Return the SHA-256 of all of it, the same on every machine."""
        sha = hashlib.sha256()
        for name, words in self.words.items():
            sha.update("\n".join([name, *sorted(words), ""]).encode())
        for name, pairs in (("frequencies", self.frequencies), ("typos", self.typos)):
            sha.update(f"{name} {sorted(pairs.items())}\n".encode())
        return sha.digest()


def find_jar() -> Path:
    """Return the path of konlpy's copy of Open Korean Text.

    Raises:
        WordListError: If konlpy is not installed, or has another archive than the word lists are known of.
    """
    spec = importlib.util.find_spec("konlpy")
    if spec is None or not spec.submodule_search_locations:
        raise WordListError(
            "Okt's word lists come with konlpy, which is not installed: pip install --no-deps konlpy==0.6.0"
        )
    jar = Path(spec.submodule_search_locations[0]) / "java" / JAR
    if not jar.is_file() or hashlib.sha256(jar.read_bytes()).hexdigest() != JAR_SHA256:
        raise WordListError(
            f"{jar} is missing or not konlpy 0.6.0's: pip install --no-deps --force-reinstall konlpy==0.6.0"
        )
    return jar


def read_word_lists(jar: Path) -> WordLists:
    """Read all lists; verbs and adjectives are stems without 다, as they are in the archive."""
    with zipfile.ZipFile(jar) as archive:
        lists = WordLists(
            words={
                name: {line for file in files for line in _read_lines(archive, file)} for name, files in FILES.items()
            },
            frequencies={},
            typos={},
        )
        for line in _read_lines(archive, FREQUENCY_FILE):
            word, tab, frequency = line.partition("\t")
            if tab:
                lists.frequencies[word] = float(frequency[:6])  # Okt reads no more of it
        for line in _read_lines(archive, TYPO_FILE):
            typo, space, correction = line.partition(" ")
            if space:
                lists.typos[typo] = correction.partition(" ")[0]
    return lists


def _read_lines(jar: zipfile.ZipFile, name: str) -> Iterator[str]:
    """Yield the lines of a list without white space around them, as java.lang.String.trim takes it away."""
    content = jar.read(FOLDER_IN_JAR + name)
    if name.endswith(".gz"):
        content = gzip.decompress(content)
    white = bytes(range(0x21))
    for line in BytesIO(content):
        if line := line.strip(white):
            yield line.decode()


def pack(lists: WordLists) -> bytes:
    """Conjugate verbs and adjectives and pack all lists; words with characters that Okt never looks up are left out."""
    from oktane import _core
    from oktane.conjugation import conjugate_all
    from oktane.user_words import PREDICATES, can_be_looked_up

    masks: dict[str, int] = {}
    stems: list[str] = []
    stem_numbers: dict[str, dict[str, int]] = {}
    for name, words in lists.words.items():
        forms: Iterable[str] = words
        if name in PREDICATES:
            stem_of = conjugate_all(words, is_adjective=name == "Adjective")
            numbers = {stem: len(stems) + i for i, stem in enumerate(sorted(set(stem_of.values())))}
            stems.extend(numbers)
            stem_numbers[name] = {form: numbers[stem] for form, stem in stem_of.items()}
            forms = stem_of
        for form in forms:
            masks[form] = masks.get(form, 0) | LIST_BITS[name]
    corrections = sorted(set(lists.typos.values()))
    correction_numbers = {correction: i for i, correction in enumerate(corrections)}
    every_word = masks.keys() | lists.frequencies.keys() | lists.typos.keys()
    words_in_order = sorted(filter(can_be_looked_up, every_word))
    verbs, adjectives = (stem_numbers[name] for name in PREDICATES)
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


def main(package_root: str, target: str) -> None:
    """Pack the word lists with the compiled core of the package below `package_root`."""
    sys.path.insert(0, package_root)
    try:
        packed = pack(read_word_lists(find_jar()))
    except WordListError as error:
        sys.exit(str(error))
    Path(target).parent.mkdir(exist_ok=True)
    Path(target).write_bytes(packed)


if __name__ == "__main__":
    main(*sys.argv[1:])
