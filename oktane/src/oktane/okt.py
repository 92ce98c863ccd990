"""`Okt`: konlpy's interface, plus batches, tokens with spans, and a user dictionary."""

import os
import warnings
from array import array
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain
from typing import Any, Literal, NamedTuple, TypeVar, overload

from . import dictionary
from ._core import Characters
from .hangul import compose_hangul
from .parallel import available_cores, map_in_threads, text_chunks
from .tagset import TAGSET, mask_of
from .user_words import UserDictionary, read_user_dictionary

T = TypeVar("T")

# Texts that one thread analyzes at a time: enough to make each distinct string once, few enough to share the work out.
CHUNK = 512


class Token(NamedTuple):
    """A morpheme and its position.

    Attributes:
        text: The morpheme as in the text (with `norm`, in the corrected text).
        pos: Its part of speech: "Noun", "Josa", "Verb", ...
        start: Index of its first character in the given text, also with `norm`.
        end: Index after its last character.
        stem: Dictionary form of a verb or adjective with `stem`, else None.
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
        spans: int32, (morphemes * 2,): start and end of each in the given text, in characters; with `norm` or
            `compose`, of the characters that it came from.
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
        user_dictionary: Words to add to Okt's own lists: a list of nouns, ["워라밸"]; or part of speech to words,
            {"Noun": ["덕질"], "Verb": ["덕질하다"]}; or the path of a UTF-8 text file with a word, a tab and its part
            of speech on each line. Verbs and adjectives are conjugated; their final 다 may be left out. "-워드" takes
            a word out of the list. The key "split" says how words are split: {"split": ["8/Number 시즌/Noun"]}.
            The module `user_words` describes the file.
        threads: Number of threads of the batch methods. By default one per available core.
        remove: Words to take out of all of Okt's lists.
        compose: Compose Hangul in conjoining jamo first, as macOS writes file names. konlpy's Okt does not, and reads
            no Korean there. Spans are those of the characters in the given text.
        jvmpath: Not used. There is no Java; konlpy has this argument.
        max_heap_size: Not used, either. konlpy's `jki`, its object in Java, is not there.

    Attributes:
        user_dictionary: The user's words by part of speech.
        threads: The number of threads.
        compose: Whether Hangul is composed.
        tagset: The parts of speech and their Korean names, as konlpy's Okt has them.

    Raises:
        ValueError: If something in the user dictionary is no word; the message says where.
        OSError: If the file of the user dictionary can't be read.
        oktane.DictionaryError: If oktane was installed without its word lists, or they are damaged.
    """

    def __init__(
        self,
        user_dictionary: UserDictionary | str | os.PathLike[str] | None = None,
        threads: int | None = None,
        *,
        remove: Iterable[str] = (),
        compose: bool = False,
        jvmpath: str | os.PathLike[str] | None = None,
        max_heap_size: int | None = None,
    ) -> None:
        if threads is not None and threads < 1:
            raise ValueError(f"threads must be at least 1, or None for all cores, not {threads}")
        self.user_dictionary = read_user_dictionary(user_dictionary, remove)
        self.threads = threads
        self.compose = compose
        self._dictionary = dictionary.load(self.user_dictionary)
        if lost := dictionary.removed_in_vain(self.user_dictionary):
            words = ", ".join(map(repr, lost[:5]))
            warnings.warn(f"no list of Okt has these words, so they can't be removed: {words}", stacklevel=2)

    @property
    def tagset(self) -> dict[str, str]:
        """The parts of speech and their Korean names."""
        return dict(TAGSET)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(Okt, compose=self.compose), (self.user_dictionary, self.threads)

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
        """Return the morphemes of a text with their parts of speech.

        Args:
            phrase: The text.
            norm: Correct colloquial spelling first: 잇엇다 as 있었다, 안됔ㅋㅋㅋㅋ as 안돼ㅋㅋㅋ.
            stem: Give verbs and adjectives in their dictionary form.
            join: Give "morpheme/Part" instead of a pair.

        Returns:
            [("이", "Determiner"), ("것", "Noun"), ...] or ["이/Determiner", "것/Noun", ...].

        Raises:
            TypeError: If `phrase` is not a str.
        """
        return self._dictionary.pairs(self._texts((phrase,)), norm, stem, join)[0]

    def morphs(self, phrase: str, norm: bool = False, stem: bool = False) -> list[str]:
        """Return the morphemes of a text; for arguments and errors, see `pos`."""
        return self._dictionary.strings(self._texts((phrase,)), "morphemes", norm, stem)[0]

    def nouns(self, phrase: str) -> list[str]:
        """Return the nouns of a text."""
        return self._dictionary.strings(self._texts((phrase,)), "nouns", False, False)[0]

    def phrases(self, phrase: str) -> list[str]:
        """Return the noun phrases of a text, in Okt's order."""
        return self._dictionary.strings(self._texts((phrase,)), "phrases", False, False)[0]

    def normalize(self, phrase: str) -> str:
        """Return a text with its colloquial spelling normalized."""
        return self._dictionary.strings(self._texts((phrase,)), "normalized", True, False)[0][0]

    def tokenize(self, phrase: str, norm: bool = False, stem: bool = False) -> list[Token]:
        """Return the morphemes of a text as `Token`s, with spans; for arguments and errors, see `pos`."""
        return self._tokens((phrase,), norm, stem)[0]

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
        """Return what `pos` gives for each text, in order, on all cores.

        Args:
            phrases: Texts. An iterator is read as the work goes on, so that its texts need never all be in memory.
            norm: As for `pos`.
            stem: As for `pos`.
            join: As for `pos`.

        Raises:
            TypeError: If one of the texts is not a str; the message says which.
        """
        return self._map(phrases, lambda texts: self._dictionary.pairs(self._texts(texts), norm, stem, join))

    def morphs_batch(self, phrases: Iterable[str], norm: bool = False, stem: bool = False) -> list[list[str]]:
        """Return what `morphs` gives for each text; for arguments and errors, see `pos_batch`."""
        return self._map(phrases, lambda texts: self._dictionary.strings(self._texts(texts), "morphemes", norm, stem))

    def nouns_batch(self, phrases: Iterable[str]) -> list[list[str]]:
        """Return what `nouns` gives for each text; see `pos_batch`."""
        return self._map(phrases, lambda texts: self._dictionary.strings(self._texts(texts), "nouns", False, False))

    def phrases_batch(self, phrases: Iterable[str]) -> list[list[str]]:
        """Return what `phrases` gives for each text; see `pos_batch`."""
        return self._map(phrases, lambda texts: self._dictionary.strings(self._texts(texts), "phrases", False, False))

    def normalize_batch(self, phrases: Iterable[str]) -> list[str]:
        """Return what `normalize` gives for each text; see `pos_batch`."""
        rows = self._map(phrases, lambda texts: self._dictionary.strings(self._texts(texts), "normalized", True, False))
        return [row[0] for row in rows]

    def tokenize_batch(self, phrases: Iterable[str], norm: bool = False, stem: bool = False) -> list[list[Token]]:
        """Return what `tokenize` gives for each text; for arguments and errors, see `pos_batch`."""
        return self._map(phrases, lambda texts: self._tokens(texts, norm, stem))

    def encode_batch(
        self,
        texts: Iterable[str] | Characters,
        norm: bool = False,
        stem: bool = False,
        compose: bool = False,
        pos: Iterable[str] | None = None,
        stopwords: Iterable[str] = (),
    ) -> Morphemes:
        """Return the morphemes of texts as arrays, on one core.

        Args:
            texts: The texts. What was decoded beforehand, as `Characters`, is not composed.
            norm: As for `pos`.
            stem: As for `pos`.
            compose: Compose Hangul in conjoining jamo first, which Okt would not read as Korean. Spans are those of the
                characters in the given text.
            pos: The parts of speech to keep, such as ["Noun", "Verb", "Adjective"]. By default all.
            stopwords: Forms to leave out; with `stem`, verbs and adjectives in their dictionary form.

        Raises:
            TypeError: If one of the texts is not a str; the message says which.
            ValueError: If there is no such part of speech.
        """
        kept = mask_of(pos)
        stopwords = frozenset(stopwords)
        if not (compose or self.compose) or isinstance(texts, Characters):
            return Morphemes(*self._dictionary.morphemes(texts, norm, stem, kept, stopwords))
        texts = list(texts)
        composed, positions = compose_hangul(texts)
        found = Morphemes(*self._dictionary.morphemes(composed, norm, stem, kept, stopwords))
        if not positions:
            return found
        spans = array("i", found.spans)
        for row, sources in positions.items():
            for place in range(2 * found.row_splits[row], 2 * found.row_splits[row + 1]):
                spans[place] = sources[spans[place]]
        return found._replace(spans=memoryview(spans))

    def _texts(self, texts: Sequence[str]) -> Sequence[str]:
        return compose_hangul(texts)[0] if self.compose else texts

    def _tokens(self, texts: Sequence[str], norm: bool, stem: bool) -> list[list[Token]]:
        if not self.compose:
            return self._dictionary.tokens(texts, norm, stem, Token)
        composed, positions = compose_hangul(texts)
        rows = self._dictionary.tokens(composed, norm, stem, Token)
        for row, sources in positions.items():
            rows[row] = [token._replace(start=sources[token.start], end=sources[token.end]) for token in rows[row]]
        return rows

    # ---- names of 0.1.0 ----

    def tokens(self, phrase: str, norm: bool = False, stem: bool = False) -> list[Token]:
        """Return what `tokenize` gives; deprecated since 0.2.0."""
        _warn_of_old_name("tokens", "tokenize")
        return self.tokenize(phrase, norm, stem)

    def tokens_batch(self, phrases: Iterable[str], norm: bool = False, stem: bool = False) -> list[list[Token]]:
        """Return what `tokenize_batch` gives; deprecated since 0.2.0."""
        _warn_of_old_name("tokens_batch", "tokenize_batch")
        return self.tokenize_batch(phrases, norm, stem)

    def morphemes_batch(self, texts: Iterable[str], norm: bool = False, stem: bool = False) -> Morphemes:
        """Return what `encode_batch` gives, without a warning: code that version 0.1.0 saved in folders calls it."""
        return self.encode_batch(texts, norm, stem)

    def _map(self, texts: Iterable[str], analyze: Callable[[list[str]], list[T]]) -> list[T]:
        if isinstance(texts, str):
            raise TypeError(f"a batch is several texts: pass [{texts!r:.40}], or call the method without _batch")
        threads = self.threads or available_cores()
        return list(chain.from_iterable(map_in_threads(analyze, text_chunks(texts, CHUNK), threads)))


def _warn_of_old_name(old: str, new: str) -> None:
    warnings.warn(f"Okt.{old} is now Okt.{new}; use the new name", DeprecationWarning, stacklevel=3)
