"""Turn texts into the token ids of okt-lstm's OktTokenizer: added tokens, then words or subwords of morphemes."""

import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import _engine
from ._core import Characters
from .arrow_texts import ArrowTexts
from .folders import WITH_TORCH, LoadError, UnsupportedError
from .hangul import FIRST_BYTE
from .loading import Fields, read_json
from .okt import Okt
from .tagset import mask_of
from .user_words import known_to_first_version, read_user_dictionary
from .windows import cut_windows

# A `model_max_length` of at least this is no limit, as in transformers.
UNLIMITED = 10**20
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# What the tokenizers library strips: the White_Space property of Unicode. str.isspace has four control characters more.
SPACES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace() and not 0x1C <= code <= 0x1F)


class AddedToken(NamedTuple):
    """A token that is looked for in the text itself, before Okt reads it. The fields are those of tokenizer.json."""

    content: str
    id: int
    special: bool
    normalized: bool
    single_word: bool
    lstrip: bool
    rstrip: bool


class Tokenizer:
    """The tokenizer of a trained folder. Safe to share between threads.

    Args:
        folder: The folder, with tokenizer_config.json, tokenizer.json and perhaps user_dictionary.txt.
        max_length: Maximum number of tokens in a text, with special tokens. By default the `model_max_length` of
            tokenizer_config.json.
        vocab_size: The number of tokens that the model knows, if that is to be checked.
        stride: The number of tokens that windows have in common, if longer texts are read in windows.

    Attributes:
        max_length: Maximum number of tokens in a text or window; `None` for no limit.
        stride: See above; `None` if longer texts are truncated.
        size: Ids run from 0 to `size - 1`.

    Raises:
        LoadError: If a file is missing or damaged, or asks for something that can't be done here.
        ValueError: If `max_length` leaves no room for the special tokens, or for more than `stride` tokens.
    """

    def __init__(
        self,
        folder: Path,
        max_length: int | None = None,
        vocab_size: int | None = None,
        stride: int | None = None,
    ) -> None:
        path = folder / "tokenizer_config.json"
        config = Fields(path, read_json(path))
        if config.values.get("tokenizer_class") != "OktTokenizer":
            raise UnsupportedError(
                f"{path}: tokenizer_class is {config.values.get('tokenizer_class')!r}, and oktane runs OktTokenizer "
                f"only; for others use {WITH_TORCH}"
            )
        self._norm, self._stem = config.boolean("norm", False), config.boolean("stem", False)
        self._pos, self._stopwords = _words_of(config, "pos"), _words_of(config, "stopwords") or []
        mark = config.values.get("word_mark") or ""
        if not isinstance(mark, str):
            raise config.error("word_mark", "a text or null")
        saved_limit = config.values.get("model_max_length") or UNLIMITED
        if not isinstance(saved_limit, int | float) or saved_limit < 1:
            raise config.error("model_max_length", "a number of at least 1")
        limit = max_length or saved_limit
        self.max_length = int(limit) if limit < UNLIMITED else None
        self._keeps_end = config.choice("truncation_side", ("right", "left"), "right") == "left"

        path = folder / "tokenizer.json"
        state = Fields(path, read_json(path))
        self._vocabulary, self.size = _read_vocabulary(state, mark)
        added = _read_added_tokens(state)
        self._before, self._after = _read_special_tokens(state)
        ids = [*(token.id for token in added), *self._before, *self._after]
        self.size = max([self.size, *(number + 1 for number in ids)])
        if vocab_size is not None and self.size > vocab_size:
            raise LoadError(
                f"{folder}: tokenizer.json has ids up to {self.size - 1}, but config.json has a vocab_size of "
                f"{vocab_size}: they belong to different models"
            )
        # As in OktTokenizer: only where there is a mask token, texts are to have special tokens.
        splits_special = config.boolean("split_special_tokens", config.values.get("mask_token") is None)
        self._added = [token for token in added if not (splits_special and token.special)]
        room = len(self._before) + len(self._after)
        if self.max_length is not None and self.max_length < room:
            if max_length is None:
                raise config.error("model_max_length", f"at least {room}, which is how many special tokens a text gets")
            raise ValueError(f"max_length is {max_length}, but the special tokens alone are {room}")
        self.stride = None if self.max_length is None else stride
        if self.stride is not None and self.stride >= (self.max_length or 0) - room:
            raise ValueError(f"stride is {stride}; it has to be less than max_length, which is {self.max_length}")

        words = folder / "user_dictionary.txt"
        try:
            user_dictionary = read_user_dictionary(words if words.exists() else None)
            if "analyser" in config.values:
                user_dictionary = known_to_first_version(user_dictionary)
            self._okt = Okt(user_dictionary)
            mask_of(self._pos)
        except ValueError as error:
            raise LoadError(str(error)) from None
        self._warn_of_other_word_lists(config)

    def _warn_of_other_word_lists(self, config: Fields) -> None:
        expected, here = config.values.get("dictionary_hash"), self._okt.dictionary_hash
        # Version 0.1.0, which wrote "analyser", hashed user dictionaries in another way.
        by_first_version = "analyser" in config.values and bool(self._okt.user_dictionary)
        if expected is not None and expected != here and not by_first_version:
            warnings.warn(
                f"{config.path.parent} was trained with other word lists of Okt, or another user dictionary, than here "
                f"(sha256 {str(expected)[:12]}, here {here[:12]}): texts may be split in another way than in "
                "training",
                stacklevel=4,
            )

    def encode(self, texts: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the token ids of texts.

        Args:
            texts: Any texts. Lone surrogates count as U+FFFD.

        Returns:
            The ids of all texts, `(tokens,)`, and their row splits, `(texts + 1,)`: text `i` has the tokens
            `ids[row_splits[i]:row_splits[i + 1]]`.

        Raises:
            ValueError: If a text of an `ArrowTexts` is not UTF-8.
        """
        ids, row_splits, _ = self.encode_counted(texts)
        return ids, row_splits

    def encode_counted(self, texts: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int64], int]:
        """Return what `encode` returns, and how many texts were truncated."""
        return self._complete(*self._encode_whole(texts))

    def encode_windows(
        self, texts: Sequence[str]
    ) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64], int]:
        """Encode texts in windows if there is a `stride`, and else as one window each.

        Returns:
            The ids of all windows, `(tokens,)`; their row splits, `(windows + 1,)`; the text of each window,
            `(windows,)`; and how many texts were truncated.
        """
        ids, row_splits = self._encode_whole(texts)
        owners = np.arange(len(texts))
        if self.stride is not None and self.max_length is not None:
            size = self.max_length - len(self._before) - len(self._after)
            ids, row_splits, owners = cut_windows(ids, row_splits, size, self.stride)
        ids, row_splits, truncated = self._complete(ids, row_splits)
        return ids, row_splits, owners, truncated

    def _encode_whole(self, texts: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        if isinstance(texts, ArrowTexts):
            # What is between texts can't be told from them here, but a false alarm costs little.
            utf8 = texts.utf8()
            if FIRST_BYTE not in utf8 and not any(token.content.encode() in utf8 for token in self._added):
                return self._encode_morphemes(texts.decoded(), np.ones(len(texts), np.uint8))
            texts = list(texts)
        joined = "\0".join(texts)
        try:
            joined.encode()
        except UnicodeEncodeError:
            texts = [LONE_SURROGATE.sub("\ufffd", text) for text in texts]
        if any(token.content in joined for token in self._added):
            return self._encode_around_added_tokens(texts)
        return self._encode_morphemes(list(texts), np.ones(len(texts), np.uint8))

    def _complete(
        self, ids: NDArray[np.int32], row_splits: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.int64], int]:
        """Truncate texts, and add the special tokens."""
        ids, row_splits, truncated = self._truncate(ids, row_splits)
        if self._before or self._after:
            ids, row_splits = self._add_special_tokens(ids, row_splits)
        return ids, row_splits, truncated

    def _encode_morphemes(
        self, texts: list[str] | Characters, begins_word: NDArray[np.uint8]
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        compose = not isinstance(texts, Characters)
        found = self._okt.encode_batch(
            texts, self._norm, self._stem, compose=compose, pos=self._pos, stopwords=self._stopwords
        )
        return self._vocabulary.encode(texts, begins_word, *found)

    def _encode_around_added_tokens(self, texts: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        pieces = [list(split_at_added_tokens(text, self._added)) for text in texts]
        between = [(start, piece) for text in pieces for start, piece, found in text if found is None]
        begins_word = np.array([start == 0 for start, _ in between], np.uint8)
        ids, splits = self._encode_morphemes([piece for _, piece in between], begins_word)
        encoded = iter(np.split(ids, splits[1:-1]) if between else ())
        rows = [
            [next(encoded) if found is None else np.array([found], np.int32) for _, _, found in text] for text in pieces
        ]
        flat = [np.concatenate([np.empty(0, np.int32), *row]) for row in rows]
        row_splits = np.cumsum([0, *map(len, flat)], dtype=np.int64)
        return np.concatenate([np.empty(0, np.int32), *flat]), row_splits

    def _truncate(
        self, ids: NDArray[np.int32], row_splits: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.int64], int]:
        lengths = np.diff(row_splits)
        if self.max_length is None:
            return ids, row_splits, 0
        limit = self.max_length - len(self._before) - len(self._after)
        if lengths.max(initial=0) <= limit:
            return ids, row_splits, 0
        places = np.arange(len(ids)) - np.repeat(row_splits[:-1], lengths)  # (tokens,), each in its own row
        kept = places >= np.repeat(lengths - limit, lengths) if self._keeps_end else places < limit
        splits = np.concatenate([[0], np.cumsum(np.minimum(lengths, limit))])
        return ids[kept], splits, int((lengths > limit).sum())

    def _add_special_tokens(
        self, ids: NDArray[np.int32], row_splits: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        rows = np.split(ids, row_splits[1:-1]) if len(row_splits) > 1 else []
        before, after = np.array(self._before, np.int32), np.array(self._after, np.int32)
        flat = [part for row in rows for part in (before, row, after)]
        more = len(before) + len(after)
        return np.concatenate([np.empty(0, np.int32), *flat]), row_splits + more * np.arange(len(row_splits))


# ---- tokenizer.json ----


def _words_of(config: Fields, name: str) -> list[str] | None:
    words = config.values.get(name)
    if words is not None and not (isinstance(words, list) and all(isinstance(word, str) for word in words)):
        raise config.error(name, "a list of texts")
    return words


def _is_id(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**31 - 1


def _read_vocabulary(state: Fields, mark: str) -> tuple[_engine.Vocabulary, int]:
    """Return the vocabulary and its size, which is its highest id plus one."""
    model = state.values.get("model")
    if not isinstance(model, dict):
        raise state.error("model", "an object")
    kind = model.get("type")
    if kind not in ("WordLevel", "BPE"):
        raise UnsupportedError(
            f"{state.path}: the model's type is {kind!r}, and oktane runs WordLevel and BPE only; for others use "
            f"{WITH_TORCH}"
        )
    for name in ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "ignore_merges"):
        if model.get(name):
            raise UnsupportedError(
                f"{state.path}: model.{name} is {model[name]!r}, which oktane does not support; use {WITH_TORCH}"
            )
    tokens, unknown, merges = model.get("vocab"), model.get("unk_token"), None
    if not isinstance(tokens, dict) or not all(map(_is_id, tokens.values())):
        raise LoadError(f"{state.path}: model.vocab must be an object of ids from 0 on by token")
    if not isinstance(unknown, str) or unknown not in tokens:
        raise LoadError(f"{state.path}: model.unk_token must be one of the tokens, got {unknown!r:.40}")
    try:
        if kind == "BPE":
            merges = [_read_merge(merge) for merge in model.get("merges", ())]
        byte_fallback = model.get("byte_fallback") is True
        vocabulary = _engine.Vocabulary(tokens, merges, tokens[unknown], byte_fallback, mark)
    except (TypeError, ValueError) as error:
        raise LoadError(f"{state.path}: model.merges must be pairs of tokens: {error}") from None
    return vocabulary, max(tokens.values()) + 1


def _read_merge(merge: Any) -> tuple[str, str]:
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    if not isinstance(left, str) or not isinstance(right, str):
        raise ValueError(f"got {merge!r:.40}")
    return left, right


def _read_added_tokens(state: Fields) -> list[AddedToken]:
    entries = state.values.get("added_tokens") or []
    if not isinstance(entries, list):
        raise state.error("added_tokens", "a list")
    tokens = []
    for number, entry in enumerate(entries):
        values = [entry.get(name, False) for name in AddedToken._fields] if isinstance(entry, dict) else []
        if not values or not isinstance(values[0], str) or not _is_id(values[1]):
            raise LoadError(f"{state.path}: added_tokens[{number}] needs a content and an id, got {entry!r:.80}")
        if values[0]:
            tokens.append(AddedToken(values[0], values[1], *map(bool, values[2:])))
    return tokens


def _read_special_tokens(state: Fields) -> tuple[list[int], list[int]]:
    """Return the ids that the post-processor adds before and after a text."""
    processor: Any = state.values.get("post_processor")
    if processor is None:
        return [], []
    kind = processor.get("type") if isinstance(processor, dict) else processor
    parts: tuple[list[int], list[int]] = [], []
    try:
        if kind in ("BertProcessing", "RobertaProcessing"):
            parts = [processor["cls"][1]], [processor["sep"][1]]
        elif kind == "TemplateProcessing":
            behind = 0
            for step in processor["single"]:
                if "Sequence" in step:
                    behind += 1
                else:
                    parts[behind].extend(processor["special_tokens"][step["SpecialToken"]["id"]]["ids"])
            if behind != 1:
                raise ValueError
        else:
            raise UnsupportedError(
                f"{state.path}: oktane does not support a post_processor of type {kind!r}; use {WITH_TORCH}"
            )
        if not all(map(_is_id, parts[0] + parts[1])):
            raise ValueError
    except (TypeError, KeyError, IndexError, ValueError):
        raise LoadError(f"{state.path}: post_processor is damaged, or is not for exactly one text") from None
    return parts


# ---- added tokens in a text ----


def split_at_added_tokens(text: str, tokens: Sequence[AddedToken]) -> Iterator[tuple[int, str, int | None]]:
    """Split a text at its added tokens, as the tokenizers library does.

    Tokens with `normalized=False` are found first, the others in the pieces between them.

    Yields:
        Start, text and id of each piece. The id is `None` between added tokens.
    """
    exact = [token for token in tokens if not token.normalized]
    normalized = [token for token in tokens if token.normalized]
    for start, piece, found in _split(text, exact):
        if found is not None:
            yield start, piece, found
            continue
        for inner, part, other in _split(piece, normalized):
            yield start + inner, part, other


def _split(text: str, tokens: Sequence[AddedToken]) -> Iterator[tuple[int, str, int | None]]:
    by_content = {token.content: token for token in tokens}
    # The leftmost match, and of several there the longest.
    longest_first = sorted(by_content, key=len, reverse=True)
    done = 0
    for match in re.finditer("|".join(map(re.escape, longest_first)), text) if tokens else ():
        token, start, end = by_content[match[0]], match.start(), match.end()
        inside_word = (start > 0 and _is_word(text[start - 1])) or (end < len(text) and _is_word(text[end]))
        if token.single_word and inside_word:
            continue
        if token.lstrip:
            start = max(done, len(text[:start].rstrip(SPACES)))
        if token.rstrip:
            end = len(text) - len(text[end:].lstrip(SPACES))
        if done < start:
            yield done, text[done:start], None
        yield start, text[start:end], token.id
        done = end
    if done < len(text):
        yield done, text[done:], None


def _is_word(character: str) -> bool:
    r"""Return whether a character matches \w as Unicode defines it, marks and joiners included."""
    import unicodedata

    return (
        character.isalnum()
        or character in "\u200c\u200d"
        or unicodedata.category(character)[0] == "M"
        or (unicodedata.category(character) == "Pc")
    )
