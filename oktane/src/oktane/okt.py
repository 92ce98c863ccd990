"""`Okt`: konlpy's interface, and batches, tokens with spans, and a user dictionary beside it."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar, overload

from . import dictionary

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")

# Texts that one thread analyzes in one go: enough to make each distinct string once, few enough to share the work out.
CHUNK = 512


class Token(NamedTuple):
    """A morpheme and where it stands.

    Attributes:
        text: The morpheme as it stands in the text (under `norm`: in the normal form).
        pos: Its part of speech: "Noun", "Josa", "Verb", ...
        start: Index of its first character in the text that was given, also under `norm`.
        end: Index after its last character.
        stem: Dictionary form of a verb or adjective if `stem` was asked for, else None.
        unknown: True for a noun that is in no word list.
    """

    text: str
    pos: str
    start: int
    end: int
    stem: str | None
    unknown: bool


class Morphemes(NamedTuple):
    """The morphemes of a batch of texts as arrays, without a Python object for each.

    Attributes:
        forms: The distinct morphemes, by first appearance.
        form_ids: int32, (morphemes,): the index in `forms` of each morpheme, in order.
        spans: int32, (morphemes * 2,): start and end of each in the text that was given, in characters; under `norm` of
            what it came from.
        row_splits: int64, (texts + 1,): text i has the morphemes row_splits[i] to row_splits[i + 1].
    """

    forms: list[str]
    form_ids: memoryview
    spans: memoryview
    row_splits: memoryview


class Okt:
    """Okt as in `konlpy.tag.Okt`, compiled: the same results for the same arguments, without Java.

    Objects are cheap: all that have the same user dictionary share one packed dictionary. They can be used from any
    number of threads, survive a fork, and can be pickled.

    Args:
        user_dictionary: Words that act as if they stood in Okt's own lists: part of speech to words,
            {"Noun": ["덕질"], "Verb": ["덕질하다"]}; or the path of a text file with a word, a tab and its part of
            speech on each line. Verbs and adjectives are conjugated; their final 다 may be left out.
        threads: How many threads the batch methods use; None is one for each core that the process may run on.

    Raises:
        oktane.DictionaryError: If konlpy, which has the word lists, is not installed.
        ValueError: If the user dictionary is wrong; it says where.
    """

    def __init__(
        self,
        user_dictionary: dictionary.UserDictionary | str | os.PathLike[str] | None = None,
        threads: int | None = None,
    ) -> None:
        if threads is not None and threads < 1:
            raise ValueError(f"threads must be at least 1, or None for all cores, not {threads}")
        self.user_dictionary = dictionary.read_user_dictionary(user_dictionary)
        self.threads = threads
        self._dictionary = dictionary.load(self.user_dictionary)

    def __reduce__(self) -> tuple[type["Okt"], tuple[dict[str, list[str]], int | None]]:
        return Okt, (self.user_dictionary, self.threads)

    def __repr__(self) -> str:
        words = sum(map(len, self.user_dictionary.values()))
        return f"Okt({words} user words, dictionary {self.dictionary_hash[:12]})"

    @property
    def dictionary_hash(self) -> str:
        """SHA-256 of the word lists and the user's words in hexadecimal; the same on every machine."""
        return self._dictionary.digest.hex()

    # ---- konlpy's interface ----

    @overload
    def pos(
        self, phrase: str, norm: bool = ..., stem: bool = ..., join: Literal[False] = ...
    ) -> list[tuple[str, str]]: ...
    @overload
    def pos(self, phrase: str, norm: bool = ..., stem: bool = ..., *, join: Literal[True]) -> list[str]: ...
    def pos(self, phrase: str, norm: bool = False, stem: bool = False, join: bool = False) -> Any:
        """Returns the morphemes of a text with their parts of speech.

        Args:
            phrase: The text.
            norm: Normalize colloquial spelling first: 잇엇다 as 있었다, 안됔ㅋㅋㅋㅋ as 안돼ㅋㅋㅋ.
            stem: Give verbs and adjectives by their dictionary form.
            join: Give "morpheme/Part" instead of a pair.

        Returns:
            [("이", "Determiner"), ("것", "Noun"), ...] or ["이/Determiner", "것/Noun", ...].

        Raises:
            TypeError: If `phrase` is no str.
        """
        return self._dictionary.pairs((phrase,), norm, stem, join)[0]

    def morphs(self, phrase: str, norm: bool = False, stem: bool = False) -> list[str]:
        """Returns the morphemes of a text; for arguments and errors see `pos`."""
        return self._dictionary.strings((phrase,), "morphemes", norm, stem)[0]

    def nouns(self, phrase: str) -> list[str]:
        """Returns the nouns of a text."""
        return self._dictionary.strings((phrase,), "nouns", False, False)[0]

    def phrases(self, phrase: str) -> list[str]:
        """Returns the noun phrases of a text, in Okt's order."""
        return self._dictionary.strings((phrase,), "phrases", False, False)[0]

    def normalize(self, phrase: str) -> str:
        """Returns a text with its colloquial spelling normalized."""
        return self._dictionary.strings((phrase,), "normalized", True, False)[0][0]

    def tokens(self, phrase: str, norm: bool = False, stem: bool = False) -> list[Token]:
        """Returns the morphemes of a text as `Token`s, with spans; for arguments and errors see `pos`."""
        return self._dictionary.tokens((phrase,), norm, stem, Token)[0]

    # ---- batches ----

    @overload
    def pos_batch(
        self, phrases: Iterable[str], norm: bool = ..., stem: bool = ..., join: Literal[False] = ...
    ) -> list[list[tuple[str, str]]]: ...
    @overload
    def pos_batch(
        self, phrases: Iterable[str], norm: bool = ..., stem: bool = ..., *, join: Literal[True]
    ) -> list[list[str]]: ...
    def pos_batch(self, phrases: Iterable[str], norm: bool = False, stem: bool = False, join: bool = False) -> Any:
        """Returns what `pos` gives for each text, in order, on all cores.

        Args:
            phrases: Any iterable of texts. It is read as the work goes on: a generator's texts are never all in memory.
            norm: As for `pos`.
            stem: As for `pos`.
            join: As for `pos`.

        Raises:
            TypeError: If one of the texts is no str; it says which.
        """
        return self._map(phrases, lambda texts: self._dictionary.pairs(texts, norm, stem, join))

    def morphs_batch(self, phrases: Iterable[str], norm: bool = False, stem: bool = False) -> list[list[str]]:
        """Returns what `morphs` gives for each text; for arguments and errors see `pos_batch`."""
        return self._map(phrases, lambda texts: self._dictionary.strings(texts, "morphemes", norm, stem))

    def nouns_batch(self, phrases: Iterable[str]) -> list[list[str]]:
        """Returns what `nouns` gives for each text; see `pos_batch`."""
        return self._map(phrases, lambda texts: self._dictionary.strings(texts, "nouns", False, False))

    def phrases_batch(self, phrases: Iterable[str]) -> list[list[str]]:
        """Returns what `phrases` gives for each text; see `pos_batch`."""
        return self._map(phrases, lambda texts: self._dictionary.strings(texts, "phrases", False, False))

    def normalize_batch(self, phrases: Iterable[str]) -> list[str]:
        """Returns what `normalize` gives for each text; see `pos_batch`."""
        rows = self._map(phrases, lambda texts: self._dictionary.strings(texts, "normalized", True, False))
        return [row[0] for row in rows]

    def tokens_batch(self, phrases: Iterable[str], norm: bool = False, stem: bool = False) -> list[list[Token]]:
        """Returns what `tokens` gives for each text; for arguments and errors see `pos_batch`."""
        return self._map(phrases, lambda texts: self._dictionary.tokens(texts, norm, stem, Token))

    def encode_batch(self, texts: Iterable[str], norm: bool = False, stem: bool = False) -> Morphemes:
        """Returns the morphemes of texts as arrays, on one core; for arguments and errors see `pos`."""
        return Morphemes(*self._dictionary.morphemes(texts, norm, stem))

    def _map(self, texts: Iterable[str], analyze: Callable[[list[str]], list[T]]) -> list[T]:
        if isinstance(texts, str):
            raise TypeError(f"a batch is several texts: pass [{texts!r:.40}], or call the method without _batch")
        threads = self.threads or _available_cores()
        return list(chain.from_iterable(_map_in_threads(analyze, _chunks(texts), threads)))


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(texts)
    while chunk := list(islice(remaining, CHUNK)):
        yield chunk


def _map_in_threads(analyze: Callable[[list[str]], T], chunks: Iterator[list[str]], threads: int) -> Iterator[T]:
    """Yields analyze(chunk) for each chunk in order; few chunks are under way at a time."""
    beginning = list(islice(chunks, 2))
    if threads == 1 or len(beginning) < 2:
        yield from map(analyze, chain(beginning, chunks))
        return
    from concurrent.futures import ThreadPoolExecutor  # takes longer to import than all of oktane

    under_way: deque[Future[T]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="oktane") as executor:
        for chunk in chain(beginning, chunks):
            under_way.append(executor.submit(analyze, chunk))
            if len(under_way) > 2 * threads:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def _available_cores() -> int:
    """Returns how many cores this process may run on."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
