"""OktTokenizer: from text to ids over the morphemes of Open Korean Text.

An analyser (oktane where it is installed and compiled, else konlpy's Okt in a JVM) splits the texts of a batch into
morphemes; a model of the `tokenizers` library (whole words, or BPE inside morphemes) turns morphemes into ids.
Padding, truncation, pairs, stride and special tokens are that library's work too: morphemes are given to it as words
that are split already, and what it returns is mapped back to the characters of the user's text.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from itertools import chain, repeat
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, cast, overload
from weakref import WeakKeyDictionary

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, trainers
from transformers import BatchEncoding, TokenizersBackend
from transformers.tokenization_utils_base import LARGE_INTEGER, TruncationStrategy
from transformers.utils import logging
from transformers.utils.generic import PaddingStrategy

from .okt_konlpy import INSTALL_HINT, KonlpyOkt, canonical_dictionary

logger = logging.get_logger(__name__)

USER_DICTIONARY_FILE = "user_dictionary.txt"
TEXTS_PER_BATCH = 1024  # how many texts training reads at a time

_warnings_given: WeakKeyDictionary["OktTokenizer", dict[str, bool]] = WeakKeyDictionary()

_WHITE_SPACE = np.array([code for code in range(0x3001) if chr(code).isspace()], np.uint32)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
# Any ASCII character is exactly one token of every model here (with BPE, at worst a byte). It holds the place of an
# added token.
_PLACEHOLDER = "a"


@lru_cache(maxsize=16)
def _analyser(words: str) -> tuple[Any, str]:
    """The process's analyser for a user dictionary (as JSON), and what it is, such as `oktane 0.1.0`.

    Kept here, not in the tokenizer: so tokenizers stay small, picklable, and equal before and after a call.
    """
    user_dictionary = json.loads(words)
    try:
        import oktane
    except ImportError:
        pass
    else:
        return oktane.Okt(user_dictionary), f"oktane {oktane.__version__}"
    try:
        analyser = KonlpyOkt(user_dictionary)
    except ImportError as error:
        raise ImportError(
            "OktTokenizer needs an Okt analyser, and finds neither oktane (compiled, in the package okt-lstm: "
            f"pip install okt-lstm) nor konlpy. {INSTALL_HINT}"
        ) from error
    logger.warning_once(
        "oktane is not installed or not compiled, so OktTokenizer uses konlpy's Okt in a Java virtual machine: the "
        "same ids, many times slower. pip install okt-lstm brings oktane."
    )
    return analyser, f"konlpy {version('konlpy')}"


@dataclass(slots=True)
class Encoding:
    """One tokenized row, with the interface of `tokenizers.Encoding`.

    Attributes:
        ids, tokens, type_ids, attention_mask, special_tokens_mask: one value a token.
        offsets: start and end of each token in characters of the text (or of the word, of texts that came split into
            words).
        word_ids: the morpheme (or the user's word) that a token belongs to; None for special tokens and padding.
        sequence_ids: 0 or 1, which text of a pair a token belongs to; None for special tokens and padding.
        n_sequences: 1, or 2 for a pair.
        overflowing: what truncation cut off, as further encodings.
    """

    ids: list[int]
    tokens: list[str]
    offsets: list[tuple[int, int]]
    word_ids: list[int | None]
    sequence_ids: list[int | None]
    type_ids: list[int]
    attention_mask: list[int]
    special_tokens_mask: list[int]
    n_sequences: int = 1
    overflowing: list["Encoding"] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def words(self) -> list[int | None]:
        """The same as `word_ids`."""
        return self.word_ids

    def token_to_sequence(self, token_index: int) -> int | None:
        """Which text of a pair the token belongs to; None for special tokens and padding."""
        return self.sequence_ids[token_index] if token_index < len(self) else None

    def token_to_chars(self, token_index: int) -> tuple[int, int] | None:
        """Start and end of the token in its text; None for special tokens and padding."""
        return None if self.token_to_sequence(token_index) is None else self.offsets[token_index]

    def token_to_word(self, token_index: int) -> int | None:
        """The morpheme, or the user's word, of the token; None for special tokens and padding."""
        return None if self.token_to_sequence(token_index) is None else self.word_ids[token_index]

    def char_to_token(self, char_pos: int, sequence_index: int = 0) -> int | None:
        """The first token over a character of the text; None where there is none, as on white space."""
        for token, (sequence, (start, end)) in enumerate(zip(self.sequence_ids, self.offsets, strict=True)):
            if sequence == sequence_index and start <= char_pos < end:
                return token
        return None

    def char_to_word(self, char_pos: int, sequence_index: int = 0) -> int | None:
        """The morpheme, or the user's word, over a character of the text; None where there is none."""
        token = self.char_to_token(char_pos, sequence_index)
        return None if token is None else self.word_ids[token]

    def word_to_tokens(self, word_index: int, sequence_index: int = 0) -> tuple[int, int] | None:
        """The first token of a morpheme, or user's word, and the one after its last; None where it has none."""
        pairs = enumerate(zip(self.sequence_ids, self.word_ids, strict=True))
        tokens = [token for token, pair in pairs if pair == (sequence_index, word_index)]
        return (tokens[0], tokens[-1] + 1) if tokens else None

    def word_to_chars(self, word_index: int, sequence_index: int = 0) -> tuple[int, int] | None:
        """Start and end of a morpheme, or user's word, in the text; None where it has no token."""
        tokens = self.word_to_tokens(word_index, sequence_index)
        return None if tokens is None else (self.offsets[tokens[0]][0], self.offsets[tokens[1] - 1][1])


class _LazyEncodings(Sequence[Encoding]):
    """The encodings of a batch whose ids were found without them; made when one is asked for."""

    def __init__(self, rows: int, make: Callable[[], list[Encoding]]) -> None:
        self._rows, self._make = rows, make
        self._encodings: list[Encoding] | None = None

    def _all(self) -> list[Encoding]:
        if self._encodings is None:
            self._encodings = self._make()
        return self._encodings

    def __len__(self) -> int:
        return self._rows

    @overload
    def __getitem__(self, index: int) -> Encoding: ...
    @overload
    def __getitem__(self, index: slice) -> list[Encoding]: ...
    def __getitem__(self, index: int | slice) -> Encoding | list[Encoding]:
        return self._all()[index]

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (self._all(),)


class _Morphemes(NamedTuple):
    """The analyser's answer to a batch of texts, with word marks, in numpy arrays.

    Attributes:
        texts: the texts.
        forms: distinct morphemes, with the mark where they begin a word.
        marks: bool `(forms,)`: whether the form carries the mark.
        form_ids: `(morphemes,)`: index in `forms`.
        spans: `(morphemes, 2)`, in characters of the texts.
        row_splits: `(texts + 1,)`: text `i` has the morphemes `row_splits[i]:row_splits[i + 1]`.
    """

    texts: Sequence[str]
    forms: list[str]
    marks: np.ndarray
    form_ids: np.ndarray
    spans: np.ndarray
    row_splits: np.ndarray

    def row(self, number: int, mark: int) -> Iterator[tuple[str, int, int, int]]:
        """For each morpheme of a text: form, length of its mark (`mark` or 0), start and end."""
        first, last = self.row_splits[number : number + 2].tolist()
        for form, (start, end) in zip(self.form_ids[first:last].tolist(), self.spans[first:last].tolist(), strict=True):
            yield self.forms[form], mark if self.marks[form] else 0, start, end


class _Word(NamedTuple):
    """A word as the `tokenizers` library is given it: a morpheme, or an added token that stands in the text.

    Attributes:
        form: the morpheme, with its word mark; for an added token, a placeholder.
        start, end: its place in the text.
        word_id: what `word_ids` calls it.
        origin: the place in the text of the form's first character; None where the form is not the text's own
            characters (under `norm` or `stem`), so that its pieces have no places of their own.
        added: id and text of the added token.
    """

    form: str
    start: int
    end: int
    word_id: int
    origin: int | None = None
    added: tuple[int, str] | None = None


class _Piece(NamedTuple):
    """A stretch of a text that holds no added token, or (`added`) is one."""

    text: str
    start: int
    word_id: int | None  # the user's word, where the text came split into words
    added: tuple[int, str] | None = None


class OktTokenizer(TokenizersBackend):
    """Turns Korean texts into ids over the morphemes of Open Korean Text.

    A full fast tokenizer of transformers: padding, truncation, pairs, offsets, word ids, added tokens, saving,
    training. Offsets count characters of the text that was passed. `word_ids` count morphemes, or, with
    `is_split_into_words`, the user's words. Without a vocabulary (neither loaded nor trained) it knows its special
    tokens only.

    Args:
        norm: correct the spelling first, as Okt's `normalize` does (`되나욬ㅋㅋ` becomes `되나요ㅋㅋ`).
        stem: take verbs and adjectives in their dictionary form (`재밌었어요` becomes `재밌다`).
        model: what a token is. `"word"`: a morpheme; those outside the vocabulary are `unk_token`. `"bpe"`: a piece
            of a morpheme, found by byte pair encoding; a character outside the vocabulary falls back to its bytes, so
            nothing is unknown.
        word_mark: put before each morpheme that begins a word, such as `"▁"`, so that `decode` gives the text's
            spacing back (one space between words). None: no mark.
        user_dictionary: words by part of speech that the analyser shall know, such as `{"Noun": ["오크트"]}`, or the
            path of a text file with a word, a tab and its part of speech on each line. It is saved with the tokenizer.
        pad_token, unk_token: their ids are 0 and 1.
        kwargs: as for every tokenizer of transformers: `cls_token`, `mask_token`, `model_max_length`, `padding_side`,
            ...

    Raises:
        ValueError: an option or a word of the user dictionary is wrong.

    Example:
        >>> tokenizer = OktTokenizer(stem=True).train_new_from_iterator(texts, vocab_size=20000)
        >>> tokenizer(["영화가 재밌었어요", "별로"], padding=True, return_tensors="pt")
    """

    vocab_files_names = {"tokenizer_file": "tokenizer.json", "user_dictionary": USER_DICTIONARY_FILE}
    model_input_names = ["input_ids", "attention_mask"]

    def __init__(
        self,
        norm: bool = False,
        stem: bool = False,
        model: str = "word",
        word_mark: str | None = None,
        user_dictionary: Mapping[str, Sequence[str]] | str | Path | None = None,
        pad_token: str | AddedToken = "<pad>",
        unk_token: str | AddedToken = "<unk>",
        **kwargs: Any,
    ) -> None:
        if model not in ("word", "bpe"):
            raise ValueError(f'model must be "word" or "bpe", not {model!r}')
        if word_mark is not None and (
            not isinstance(word_mark, str) or not word_mark or word_mark.split() != [word_mark]
        ):
            raise ValueError(f'word_mark must be a text without white space, such as "▁", or None, not {word_mark!r}')
        for name, value in (("norm", norm), ("stem", stem)):
            if not isinstance(value, bool):
                raise ValueError(f"{name} must be true or false, not {value!r}")
        if pad_token is None or unk_token is None:
            raise ValueError("OktTokenizer needs a pad_token and an unk_token")
        if "tokenizer_file" in kwargs and kwargs["tokenizer_file"] is None and "tokenizer_object" not in kwargs:
            raise ValueError(
                f"{kwargs.get('name_or_path')!r} holds no tokenizer.json, so there is no vocabulary to load"
            )
        self.user_dictionary = canonical_dictionary(user_dictionary)
        self.norm, self.stem, self.word_mark = norm, stem, word_mark
        self.model = model  # type: ignore[assignment]  # the base class keeps a class of `tokenizers` here, for its own loading
        if kwargs.get("tokenizer_file") is None and kwargs.get("tokenizer_object") is None:
            named = [kwargs.get(name) for name in self.SPECIAL_TOKENS_ATTRIBUTES]
            special = [pad_token, unk_token, *filter(None, named), *(kwargs.get("extra_special_tokens") or [])]
            kwargs["tokenizer_object"] = _train(model, word_mark, special, Counter(), vocab_size=len(special) + 256)
        # What the vocabulary was made with, None while there is none. Kept through loading and saving.
        self.dictionary_hash: str | None = kwargs.pop("dictionary_hash", None)
        self.analyser: str | None = kwargs.pop("analyser", None)
        for name in ("is_local", "local_files_only"):  # of this load; saved, they would mislead the next
            kwargs.pop(name, None)
        super().__init__(
            norm=norm,
            stem=stem,
            model=model,
            word_mark=word_mark,
            user_dictionary=self.user_dictionary,
            dictionary_hash=self.dictionary_hash,
            analyser=self.analyser,
            pad_token=pad_token,
            unk_token=unk_token,
            **kwargs,
        )
        self._warn_of_other_word_lists()

    def _warn_of_other_word_lists(self) -> None:
        if self.dictionary_hash is None:
            return
        try:
            here, _ = self._analyser()
        except (ImportError, RuntimeError):  # the first text says so; what needs no analyser, such as decode, works
            return
        if here.dictionary_hash != self.dictionary_hash:
            logger.warning(
                f"The vocabulary of {self.name_or_path or 'this tokenizer'} was made with other word lists of Okt, or "
                f"another user dictionary, than those here (sha256 {self.dictionary_hash[:12]}, here "
                f"{here.dictionary_hash[:12]}): texts may be split otherwise than the model saw in training. It was "
                f"made by {self.analyser}; install the konlpy that it was made with, or train anew."
            )

    @classmethod
    def convert_to_native_format(cls, trust_remote_code: bool = False, **kwargs: Any) -> dict[str, Any]:
        """Leaves the arguments as they are, as `__init__` reads `tokenizer.json` whole."""
        return kwargs

    # ---- from texts to morphemes ----

    def _analyser(self) -> tuple[Any, str]:
        return _analyser(json.dumps(self.user_dictionary, ensure_ascii=False))

    def _morphemes(self, texts: Sequence[str], begins_word: Sequence[bool] | None = None) -> _Morphemes:
        """Analyses texts in one call.

        Args:
            texts: the texts.
            begins_word: for each text, whether its first morpheme begins a word even without white space before it;
                all do by default. False for what follows an added token within a text.
        """
        try:
            "".join(texts).encode()
        except UnicodeEncodeError:  # lone surrogates, which no library in Rust or Java takes
            texts = [_LONE_SURROGATE.sub("\ufffd", text) for text in texts]
        found = self._analyser()[0].morphemes_batch(texts, norm=self.norm, stem=self.stem)
        forms = found.forms
        form_ids: np.ndarray = np.frombuffer(found.form_ids, np.int32)
        spans = np.frombuffer(found.spans, np.int32).reshape(-1, 2)
        row_splits = np.frombuffer(found.row_splits, np.int64)
        marks = np.zeros(len(forms), bool)
        if self.word_mark is not None and len(form_ids):
            begins = _begins_word(texts, spans, row_splits, begins_word)
            keys, form_ids = np.unique(2 * form_ids.astype(np.int64) + begins, return_inverse=True)
            marks = keys % 2 == 1
            forms = [self.word_mark * (key % 2) + forms[key // 2] for key in keys.tolist()]
        return _Morphemes(texts, forms, marks, form_ids, spans, row_splits)

    def _pieces(self, text: str, added: Sequence[AddedToken], word_id: int | None) -> list[_Piece]:
        """Cuts a text at the added tokens in it, where `tokenizers` would."""
        if not any(token.content in text for token in added):
            return [_Piece(text, 0, word_id)]
        finder = Tokenizer(models.WordLevel({"\0": 0}, unk_token="\0"))  # the rest of the text is one unknown word
        finder.add_special_tokens([token for token in added if token.special])
        finder.add_tokens([token for token in added if not token.special])
        found = finder.encode(_LONE_SURROGATE.sub("\ufffd", text), add_special_tokens=False)
        ids = self.added_tokens_encoder
        return [
            _Piece(text[a:b], a, word_id, (ids[str(finder.id_to_token(number))], token) if number else None)
            for number, token, (a, b) in zip(found.ids, found.tokens, found.offsets, strict=True)
        ]

    def _words(self, rows: Sequence[Sequence[Any]], added: Sequence[AddedToken]) -> list[list[list[_Word]]]:
        """The words of each text of each row, for the `tokenizers` library; all texts are analysed in one call.

        Args:
            rows: one text, or two, each; a text is a str, or a list of the user's words.
            added: the added tokens to look for.
        """
        pieces: list[list[list[_Piece]]] = []
        for row in rows:
            pieces.append([])
            for text in row:
                if isinstance(text, str):
                    pieces[-1].append(self._pieces(text, added, None))
                else:
                    cut = (self._pieces(word, added, word_id) for word_id, word in enumerate(text))
                    pieces[-1].append(list(chain.from_iterable(cut)))
        analysed = [piece for row in pieces for text in row for piece in text if piece.added is None]
        morphemes = self._morphemes([piece.text for piece in analysed], [piece.start == 0 for piece in analysed])
        number = iter(range(len(analysed)))
        return [[self._words_of_text(text, morphemes, number) for text in row] for row in pieces]

    def _words_of_text(self, pieces: Sequence[_Piece], morphemes: _Morphemes, number: Iterator[int]) -> list[_Word]:
        """The words of one text; `number` counts the analysed pieces of the batch."""
        words: list[_Word] = []
        for piece in pieces:
            if piece.added is not None:
                word_id = len(words) if piece.word_id is None else piece.word_id
                end = piece.start + len(piece.text)
                words.append(_Word(_PLACEHOLDER, piece.start, end, word_id, added=piece.added))
                continue
            for form, mark, a, b in morphemes.row(next(number), len(self.word_mark or "")):
                word_id = len(words) if piece.word_id is None else piece.word_id
                start = piece.start + a
                origin = start - mark if form[mark:] == piece.text[a:b] else None
                words.append(_Word(form, start, piece.start + b, word_id, origin))
        return words

    # ---- from morphemes to ids ----

    def _bare_backend(self) -> Tokenizer:
        """A `tokenizers.Tokenizer` over the same model and post-processor, without added tokens.

        Morphemes go to it, as added tokens are found in the text, before the analyser; none must be found inside a
        morpheme. As each call has its own, threads never share one whose padding or truncation the other changes.
        """
        backend = Tokenizer(self.backend_tokenizer.model)
        backend.post_processor = self.backend_tokenizer.post_processor
        return backend

    def _encode_plus(
        self,
        text: Any,
        text_pair: Any = None,
        add_special_tokens: bool = True,
        padding_strategy: PaddingStrategy = PaddingStrategy.DO_NOT_PAD,
        truncation_strategy: TruncationStrategy = TruncationStrategy.DO_NOT_TRUNCATE,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_tensors: Any = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        split_special_tokens: bool | None = None,
        **kwargs: Any,
    ) -> BatchEncoding:
        rows, is_batched = _checked_rows(text, text_pair, is_split_into_words)
        backend = self._bare_backend()
        if truncation_strategy != TruncationStrategy.DO_NOT_TRUNCATE:
            backend.enable_truncation(
                cast(int, max_length), stride=stride, strategy=truncation_strategy.value, direction=self.truncation_side
            )
        padding = None
        if padding_strategy != PaddingStrategy.DO_NOT_PAD:
            padding = {
                "length": max_length if padding_strategy == PaddingStrategy.MAX_LENGTH else None,
                "direction": padding_side or self.padding_side,
                "pad_id": self.pad_token_id,
                "pad_token": self.pad_token,
                "pad_type_id": self.pad_token_type_id,
                "pad_to_multiple_of": pad_to_multiple_of,
            }
            backend.enable_padding(**padding)
        if split_special_tokens is None:
            split_special_tokens = self.split_special_tokens
        added = [t for t in self.added_tokens_decoder.values() if not (split_special_tokens and t.special)]
        if return_token_type_ids is None:
            return_token_type_ids = "token_type_ids" in self.model_input_names
        if return_attention_mask is None:
            return_attention_mask = "attention_mask" in self.model_input_names

        if (
            is_split_into_words
            or return_overflowing_tokens
            or return_special_tokens_mask
            or return_offsets_mapping
            or return_length
            or (add_special_tokens and backend.num_special_tokens_to_add(False) > 0)
            or any(len(row) == 2 for row in rows)
            or any(token.content in text for text in ["\0".join(row[0] for row in rows)] for token in added)
        ):
            encodings = _encode_words(backend, self._words(rows, added), add_special_tokens)
            result = self._to_batch(
                encodings,
                return_tensors,
                return_overflowing_tokens,
                return_token_type_ids=return_token_type_ids,
                return_attention_mask=return_attention_mask,
                return_special_tokens_mask=return_special_tokens_mask,
                return_offsets_mapping=return_offsets_mapping,
                return_length=return_length,
            )
        else:
            result = self._encode_plain(
                [row[0] for row in rows],
                backend,
                None if truncation_strategy == TruncationStrategy.DO_NOT_TRUNCATE else max_length,
                padding,
                return_tensors,
                return_token_type_ids,
                return_attention_mask,
            )
        if self.model_max_length < LARGE_INTEGER:
            longest: list[int] = max(result["input_ids"], key=len, default=[])
            self._eventual_warn_about_too_long_sequence(longest, max_length, verbose)
        if not is_batched and return_tensors is None and not return_overflowing_tokens:
            data = {key: value[0] if isinstance(value[0], list) else value for key, value in result.items()}
            return BatchEncoding(data, result.encodings, n_sequences=result.n_sequences)
        return result

    def _to_batch(
        self, encodings: list[Any], return_tensors: Any, return_overflowing_tokens: bool, **returns: bool
    ) -> BatchEncoding:
        """The result for a batch, out of its rows' encodings; what overflows makes rows of its own."""
        empty: Any = Encoding([], [], [], [], [], [], [], [])
        names = self._convert_encoding(empty, **returns)[0]
        data: dict[str, list[Any]] = {name: [] for name in names}
        rows: list[Any] = []
        samples: list[int] = []
        for sample, encoding in enumerate(encodings):
            columns, parts = self._convert_encoding(
                encoding, return_overflowing_tokens=return_overflowing_tokens, **returns
            )
            for name, values in columns.items():
                data[name] += values
            rows += parts
            samples += [sample] * len(parts)
        if return_overflowing_tokens:
            data["overflow_to_sample_mapping"] = samples
        return BatchEncoding(data, rows, tensor_type=return_tensors, n_sequences=rows[0].n_sequences if rows else 1)

    def _encode_plain(
        self,
        texts: Sequence[str],
        backend: Tokenizer,
        max_length: int | None,
        padding: dict[str, Any] | None,
        return_tensors: Any,
        return_token_type_ids: bool,
        return_attention_mask: bool,
    ) -> BatchEncoding:
        """Does what `_to_batch` does, for texts without added or special tokens, with no Python object a morpheme.

        Args:
            texts: the texts.
            backend: configured for the call; encodings are made with it if they are asked for.
            max_length: to truncate to; None not to.
            padding: what `Tokenizer.enable_padding` takes; None not to pad.
            return_tensors: as in `__call__`.
            return_token_type_ids: as in `__call__`.
            return_attention_mask: as in `__call__`.
        """
        morphemes = self._morphemes(texts)
        ids, row_splits = self._ids(morphemes)
        starts, lengths = row_splits[:-1], np.diff(row_splits)
        if max_length is not None and len(lengths) and lengths.max() > max_length:
            kept = np.minimum(lengths, max_length)
            if self.truncation_side == "left":
                starts = starts + lengths - kept
            ids, lengths = ids[_ranges(starts, kept)], kept
        width = None
        if padding is not None:
            longest = int(lengths.max(initial=0))
            width = padding["length"] if padding["length"] is not None else longest
            width += -width % (padding["pad_to_multiple_of"] or 1)
            backend.enable_padding(**(padding | {"length": width, "pad_to_multiple_of": None}))
            if longest > width:  # padding to max_length without truncation leaves longer rows as they are
                width = None

        def make_encodings() -> list[Encoding]:
            numbers = iter(range(len(texts)))
            words = [[self._words_of_text([_Piece(text, 0, None)], morphemes, numbers)] for text in texts]
            return _encode_words(backend, words, False)

        returns = {"return_token_type_ids": return_token_type_ids, "return_attention_mask": return_attention_mask}
        data: dict[str, Any] = {}
        if padding is None or width is None:
            if width is None and padding is not None:
                return self._to_batch(make_encodings(), return_tensors, False, **returns)
            flat, ends = ids.tolist(), np.cumsum(lengths).tolist()
            data["input_ids"] = [flat[end - length : end] for end, length in zip(ends, lengths.tolist(), strict=True)]
            if return_token_type_ids:
                data["token_type_ids"] = [[0] * length for length in lengths.tolist()]
            if return_attention_mask:
                data["attention_mask"] = [[1] * length for length in lengths.tolist()]
        else:
            columns = np.arange(width)
            if padding["direction"] == "right":
                mask = columns < lengths[:, None]  # (texts, width)
            else:
                mask = columns >= width - lengths[:, None]
            matrix = np.full(mask.shape, padding["pad_id"], np.int64)
            matrix[mask] = ids
            data["input_ids"] = matrix
            if return_token_type_ids:
                data["token_type_ids"] = np.where(mask, 0, padding["pad_type_id"])
            if return_attention_mask:
                data["attention_mask"] = mask.astype(np.int64)
            if return_tensors is None:
                data = {name: values.tolist() for name, values in data.items()}
            elif return_tensors == "pt":  # BatchEncoding would copy the arrays
                data = {name: torch.from_numpy(values) for name, values in data.items()}
        encodings: Any = _LazyEncodings(len(texts), make_encodings)
        return BatchEncoding(data, encodings, tensor_type=return_tensors, n_sequences=1)

    def _ids(self, morphemes: _Morphemes) -> tuple[np.ndarray, np.ndarray]:
        """Token ids of all texts, flat, and row splits `(texts + 1,)`; each distinct morpheme is looked up once."""
        if self.model == "word":
            find, unknown = self.backend_tokenizer.model.token_to_id, self.unk_token_id
            found = [find(form) for form in morphemes.forms]
            ids = np.array([unknown if i is None else i for i in found], np.int64)
            return ids[morphemes.form_ids], morphemes.row_splits
        pieces = Tokenizer(self.backend_tokenizer.model).encode(
            morphemes.forms, is_pretokenized=True, add_special_tokens=False
        )
        counts = np.bincount(np.array(pieces.word_ids, np.int64), minlength=len(morphemes.forms))
        starts, counts = (np.cumsum(counts) - counts)[morphemes.form_ids], counts[morphemes.form_ids]
        ends = np.concatenate(([0], np.cumsum(counts)))
        return np.array(pieces.ids, np.int64)[_ranges(starts, counts)], ends[morphemes.row_splits]

    @property
    def deprecation_warnings(self) -> dict[str, bool]:
        """Which warnings the base class has given. Kept outside the instance, whose fingerprint they would change."""
        return _warnings_given.setdefault(self, {})

    @deprecation_warnings.setter
    def deprecation_warnings(self, given: dict[str, bool]) -> None:
        _warnings_given[self] = given

    # ---- vocabulary ----

    def train_new_from_iterator(  # type: ignore[override]
        self,
        text_iterator: Iterable[str | Sequence[str]],
        vocab_size: int,
        length: int | None = None,
        new_special_tokens: Sequence[str | AddedToken] | None = None,
        special_tokens_map: Mapping[str, str] | None = None,
        min_frequency: int = 1,
        show_progress: bool = True,
    ) -> "OktTokenizer":
        """Makes a tokenizer with this one's options and a vocabulary counted in texts; reads the texts once, as a
        stream.

        Args:
            text_iterator: texts, or lists of texts.
            vocab_size: the largest number of tokens, special tokens (and, for BPE, 256 bytes) included. The most
                frequent are kept; of equally frequent morphemes, the ones that came first.
            length: how many texts, or lists, the iterator gives: for the progress bar.
            new_special_tokens: special tokens that the new tokenizer shall have beside this one's.
            special_tokens_map: new texts for this tokenizer's special tokens, such as `{"<pad>": "[PAD]"}`.
            min_frequency: how often a morpheme (for BPE: a pair of pieces) must occur to be kept.
            show_progress: show a progress bar.

        Returns:
            The new tokenizer; this one stays as it is.

        Raises:
            TypeError: something in the iterator is not a text; the message says which.
            ValueError: `vocab_size` leaves no room beside the special tokens.
        """
        renamed = dict(special_tokens_map or {})

        def rename(token: str | AddedToken) -> AddedToken:
            old = token if isinstance(token, AddedToken) else AddedToken(token, special=True, normalized=False)
            fields = old.__getstate__()
            return AddedToken(**fields | {"content": renamed.get(old.content, old.content), "special": True})

        named = {name: rename(token) for name, token in self._special_tokens_map.items() if token is not None}
        extra = [rename(token) for token in [*self._extra_special_tokens, *(new_special_tokens or [])]]
        first = [named["pad_token"], named["unk_token"]]
        special = list({token.content: token for token in [*first, *named.values(), *extra]}.values())
        smallest = len(special) + (256 if self.model == "bpe" else 0)
        if vocab_size < smallest:
            raise ValueError(
                f"vocab_size={vocab_size} leaves no room: {len(special)} special tokens"
                + (" and 256 bytes" if self.model == "bpe" else "")
                + f" need {smallest}"
            )

        counts: Counter[str] = Counter()
        with logging.tqdm(total=length, desc="Counting morphemes", unit=" texts", disable=not show_progress) as bar:
            for texts, items in _text_batches(text_iterator):
                morphemes = self._morphemes(texts)
                frequencies = np.bincount(morphemes.form_ids, minlength=len(morphemes.forms)).tolist()
                for form, frequency in zip(morphemes.forms, frequencies, strict=True):
                    counts[form] += frequency
                bar.update(items)
        backend = _train(str(self.model), self.word_mark, special, counts, vocab_size, min_frequency, show_progress)
        if self.backend_tokenizer.post_processor is not None:
            backend = _with_post_processor_of(self.backend_tokenizer, backend, renamed)

        analyser, analyser_version = self._analyser()
        options = self.init_kwargs | {
            "norm": self.norm,
            "stem": self.stem,
            "model": self.model,
            "word_mark": self.word_mark,
            "user_dictionary": self.user_dictionary,
            "padding_side": self.padding_side,
            "truncation_side": self.truncation_side,
            "model_max_length": self.model_max_length,
            "dictionary_hash": analyser.dictionary_hash,
            "analyser": analyser_version,
            "extra_special_tokens": extra,
            "tokenizer_object": backend,
        }
        for name in ("added_tokens_decoder", "name_or_path"):  # of where this one was loaded
            options.pop(name, None)
        return type(self)(**options | named)

    # ---- files ----

    def _save_pretrained(
        self,
        save_directory: str | PathLike[str],
        file_names: tuple[str, ...],
        legacy_format: bool | None = None,
        filename_prefix: str | None = None,
    ) -> tuple[str, ...]:
        files = super()._save_pretrained(str(save_directory), file_names, legacy_format, filename_prefix)
        name = f"{filename_prefix}-{USER_DICTIONARY_FILE}" if filename_prefix else USER_DICTIONARY_FILE
        path = Path(save_directory) / name
        if not self.user_dictionary:
            path.unlink(
                missing_ok=True
            )  # of another tokenizer that was saved here before: it would be loaded with this one
            return files
        lines = [f"{word}\t{pos}\n" for pos, words in self.user_dictionary.items() for word in words]
        unfinished = path.with_name(path.name + ".tmp")
        unfinished.write_text("".join(lines), encoding="utf-8")
        unfinished.replace(path)
        return (*files, str(path))

    def save_vocabulary(  # type: ignore[override]
        self, save_directory: str, filename_prefix: str | None = None
    ) -> tuple[str, ...]:
        """Saves the model's vocabulary alone (`vocab.json`; for BPE `merges.txt` too) and returns the paths."""
        return tuple(self.backend_tokenizer.model.save(str(save_directory), filename_prefix))


def _checked_rows(text: Any, text_pair: Any, is_split_into_words: bool) -> tuple[list[tuple[Any, ...]], bool]:
    """The rows of a call, each one text or two (a str, or a list of words), and whether it was a batch.

    Raises:
        TypeError: something is not a text; the message says which row.
        ValueError: there are not as many second texts as first ones.
    """
    text, text_pair = _as_list(text), _as_list(text_pair)
    if is_split_into_words:
        is_batched = isinstance(text, (list, tuple)) and len(text) > 0 and isinstance(text[0], (list, tuple))
    else:
        is_batched = isinstance(text, (list, tuple))
    if not is_batched:
        rows = [(text, text_pair) if text_pair else (text,)]
    elif text_pair is None:
        rows = [tuple(row) if _is_pair(row, is_split_into_words) else (row,) for row in text]
    elif not isinstance(text_pair, (list, tuple)):
        raise TypeError(
            f"for a batch of texts, text_pair must be a list of as many texts, not {type(text_pair).__name__}"
        )
    elif len(text) != len(text_pair):
        raise ValueError(f"there are {len(text)} texts, but {len(text_pair)} in text_pair")
    else:
        rows = list(zip(text, text_pair, strict=True))
    for number, row in enumerate(rows):
        for part in row:
            if is_split_into_words:
                is_right = isinstance(part, (list, tuple)) and all(isinstance(word, str) for word in part)
            else:
                is_right = isinstance(part, str)
            if not is_right:
                where = f"row {number} of the batch" if is_batched else "the input"
                wanted = (
                    "a list of words (str), for is_split_into_words=True" if is_split_into_words else "a text (str)"
                )
                raise TypeError(f"{where} must be {wanted}, not {_describe(part)}")
    return rows, is_batched


def _as_list(texts: Any) -> Any:
    """Columns of a data set, arrays and series as lists; everything else as it is."""
    is_column = hasattr(texts, "__len__") and hasattr(texts, "__getitem__") and not isinstance(texts, (bytes, Mapping))
    return list(texts) if is_column and not isinstance(texts, (str, list, tuple)) else texts


def _is_pair(row: Any, is_split_into_words: bool) -> bool:
    kind = (list, tuple) if is_split_into_words else str
    return isinstance(row, (list, tuple)) and len(row) == 2 and all(isinstance(part, kind) for part in row)


def _describe(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        wrong = [type(part).__name__ for part in value if not isinstance(part, str)]
        return f"a {type(value).__name__} of {len(value)}" + (f" that holds {wrong[0]}" if wrong else "")
    return f"{type(value).__name__} ({value!r:.40})"


def _text_batches(items: Iterable[str | Sequence[str]]) -> Iterator[tuple[list[str], int]]:
    """Texts in batches of about `TEXTS_PER_BATCH`, each with the number of items that it came from."""
    if isinstance(items, (str, bytes)):
        raise TypeError("expected an iterator of texts, or of lists of texts, not one text")
    batch: list[str] = []
    count = 0
    for number, item in enumerate(items):
        texts = [item] if isinstance(item, str) else item
        if not isinstance(_as_list(texts), (list, tuple)) or not all(isinstance(text, str) for text in texts):
            raise TypeError(
                f"item {number} of the iterator must be a text (str) or a list of texts, not {_describe(item)}"
            )
        batch += texts
        count += 1
        if len(batch) >= TEXTS_PER_BATCH:
            yield batch, count
            batch, count = [], 0
    if batch:
        yield batch, count


def _begins_word(
    texts: Sequence[str], spans: np.ndarray, row_splits: np.ndarray, row_begins_word: Sequence[bool] | None
) -> np.ndarray:
    """For each morpheme, whether white space, or the text's beginning, stands right before it: bool `(morphemes,)`."""
    characters = np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32)
    white_before = np.concatenate(([0], np.cumsum(np.isin(characters, _WHITE_SPACE))))
    counts = np.diff(row_splits)
    lengths = np.array([len(text) for text in texts], np.int64)
    offsets = np.repeat(np.cumsum(lengths) - lengths, counts)
    first = row_splits[:-1][counts > 0]
    previous_end = np.concatenate(([0], spans[:-1, 1]))
    previous_end[first] = 0
    begins = white_before[offsets + spans[:, 0]] > white_before[offsets + previous_end]
    begins[first] |= np.ones(len(first), bool) if row_begins_word is None else np.array(row_begins_word)[counts > 0]
    return begins


def _ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The indices `start, ..., start + length - 1` of every range, one after the other."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - lengths), lengths)


def _encode_words(
    backend: Tokenizer, rows: Sequence[Sequence[Sequence[_Word]]], add_special_tokens: bool
) -> list[Encoding]:
    """Encodes rows of one or two texts that are words already."""
    inputs = [tuple([word.form for word in text] for text in row) for row in rows]
    try:
        encodings = backend.encode_batch(
            [row if len(row) == 2 else row[0] for row in inputs],
            is_pretokenized=True,
            add_special_tokens=add_special_tokens,
        )
    except BaseException as error:
        if (
            type(error).__name__ == "PanicException"
        ):  # the Rust library's way to refuse a stride; no Exception catches it
            raise ValueError(str(error)) from None
        raise
    return [_to_text(encoding, row) for encoding, row in zip(encodings, rows, strict=True)]


def _to_text(encoding: Any, texts: Sequence[Sequence[_Word]]) -> Encoding:
    """An encoding of words as one of the texts that they stand in."""
    ids, tokens = encoding.ids, encoding.tokens
    offsets: list[tuple[int, int]] = []
    word_ids: list[int | None] = []
    places = zip(encoding.sequence_ids, encoding.word_ids, encoding.offsets, strict=True)
    for token, (sequence, number, (start, end)) in enumerate(places):
        if sequence is None or number is None:
            offsets.append((0, 0))
            word_ids.append(None)
            continue
        word = texts[sequence][number]
        word_ids.append(word.word_id)
        if word.added is not None:
            ids[token], tokens[token] = word.added
        if word.origin is None:
            offsets.append((word.start, word.end))
        else:  # a piece within the mark has no character
            offsets.append((max(word.start, word.origin + start), max(word.start, word.origin + end)))
    return Encoding(
        ids,
        tokens,
        offsets,
        word_ids,
        encoding.sequence_ids,
        encoding.type_ids,
        encoding.attention_mask,
        encoding.special_tokens_mask,
        len(texts),
        [_to_text(part, texts) for part in encoding.overflowing],
    )


def _train(
    model: str,
    word_mark: str | None,
    special_tokens: Sequence[str | AddedToken],
    counts: Counter[str],
    vocab_size: int,
    min_frequency: int = 1,
    show_progress: bool = False,
) -> Tokenizer:
    """A `tokenizers.Tokenizer` with the special tokens first, then the best of the counted morphemes."""
    special = [AddedToken(t, special=True, normalized=False) if isinstance(t, str) else t for t in special_tokens]
    vocabulary = [token.content for token in special]
    merges: list[tuple[str, str]] = []
    if model == "word":
        frequent = (form for form, count in counts.most_common() if count >= min_frequency)
        vocabulary += [form for form in frequent if form not in vocabulary]
        del vocabulary[vocab_size:]
    else:
        vocabulary += _BYTES
        room = vocab_size - len(vocabulary)
        characters: Counter[str] = Counter()
        for form, count in counts.items():
            for character in form:
                characters[character] += count
        by_frequency = sorted(characters, key=lambda character: (-characters[character], character))
        alphabet = [character for character in by_frequency if characters[character] >= min_frequency][:room]
        trainer = trainers.BpeTrainer(
            vocab_size=room,
            min_frequency=min_frequency,
            show_progress=show_progress,
            initial_alphabet=alphabet,
            limit_alphabet=len(alphabet),
        )
        learner = Tokenizer(models.BPE())
        words = chain.from_iterable(repeat(form, count) for form, count in counts.items())
        learner.train_from_iterator(words, trainer=trainer, length=counts.total())
        learned = json.loads(learner.to_str())["model"]
        vocabulary += sorted(learned["vocab"].keys() - set(vocabulary), key=learned["vocab"].__getitem__)
        merges = [tuple(merge) for merge in learned["merges"]]
    ids = {token: i for i, token in enumerate(dict.fromkeys(vocabulary))}
    unknown = special[1].content
    tokenizer = Tokenizer(
        models.WordLevel(ids, unk_token=unknown)
        if model == "word"
        else models.BPE(ids, merges, unk_token=unknown, byte_fallback=True)
    )
    steps: list[Any] = [decoders.Replace(word_mark, " ")] if word_mark is not None else []
    if model == "bpe":
        steps += [decoders.ByteFallback(), decoders.Fuse()]
    if word_mark is not None:
        steps += [decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    if steps:
        tokenizer.decoder = decoders.Sequence(steps)
    tokenizer.add_special_tokens(special)
    return tokenizer


def _with_post_processor_of(old: Tokenizer, new: Tokenizer, renamed: Mapping[str, str]) -> Tokenizer:
    """The new tokenizer with the old one's post-processor, its special tokens by their new texts and ids."""

    def update(part: Any) -> Any:
        if isinstance(part, list):
            return [update(item) for item in part]
        if not isinstance(part, dict):
            return part
        part = {name: update(value) for name, value in part.items()}
        if "tokens" in part and "ids" in part:  # a special token of TemplateProcessing
            part["tokens"] = [renamed.get(token, token) for token in part["tokens"]]
            part["ids"] = [new.token_to_id(token) for token in part["tokens"]]
        for name in ("sep", "cls"):  # of BertProcessing and RobertaProcessing
            if isinstance(part.get(name), list):
                token = renamed.get(part[name][0], part[name][0])
                part[name] = [token, new.token_to_id(token)]
        return part

    state = json.loads(new.to_str())
    state["post_processor"] = update(json.loads(old.to_str())["post_processor"])
    return Tokenizer.from_str(json.dumps(state))


OktTokenizer.register_for_auto_class()
