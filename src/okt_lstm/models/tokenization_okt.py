"""OktTokenizer: from text to ids over the morphemes of Open Korean Text.

An analyzer (`okt_analyzer`) splits texts into morphemes, and a model of the `tokenizers` library turns them into ids.
Padding, truncation, pairs, stride and special tokens are that library's work, too: it is given the morphemes as words
that are split already, and what it returns is mapped back to the characters of the user's text (`okt_words`).
"""

import os
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast
from weakref import WeakKeyDictionary

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer
from transformers import BatchEncoding, TokenizersBackend
from transformers.tokenization_utils_base import LARGE_INTEGER, TruncationStrategy
from transformers.utils import logging
from transformers.utils.generic import PaddingStrategy

from .okt_analyzer import Okt, analyzer_for, analyzer_version, hash_here, warn_of_other_words
from .okt_encoding import Encoding, LazyEncodings
from .okt_former_names import with_present_names

# Of a local folder's code, older releases of transformers copy only what this file itself imports.
from .okt_hangul import compose_hangul  # noqa: F401
from .okt_inputs import check_rows, no_negative_ids
from .okt_konlpy import KonlpyOkt  # noqa: F401
from .okt_options import check_options, checked_pos, checked_stopwords
from .okt_ragged import Ragged, encode_morphemes
from .okt_user_dictionary import write_user_dictionary
from .okt_vocabulary import (
    bare_copy,
    check_size,
    count_morphemes,
    make_tokenizer,
    rename_token,
    smallest_size,
    with_post_processor_of,
)
from .okt_words import Morphemes, Piece, Word, cut_at_added_tokens, encode_words, find_morphemes, words_of_text

logger = logging.get_logger(__name__)

USER_DICTIONARY_FILE = "user_dictionary.txt"

# By tokenizer, which warnings the base class has given. An attribute would change a tokenizer's fingerprint.
_warnings_given: WeakKeyDictionary["OktTokenizer", dict[str, bool]] = WeakKeyDictionary()


class OktTokenizer(TokenizersBackend):
    """A tokenizer over the morphemes of Open Korean Text.

    It is a fast tokenizer of transformers with everything that belongs to it: padding, truncation, pairs, offsets, word
    ids, added tokens, saving, training. Offsets count characters of the given text. `word_ids` count morphemes or, with
    `is_split_into_words`, the user's words. A new one has no vocabulary yet and only knows its special tokens: see
    `train_new_from_iterator`.

    Args:
        norm: Whether to correct the spelling first, as Okt's `normalize` does (`되나욬ㅋㅋ` becomes `되나요ㅋㅋ`).
        stem: Whether to give verbs and adjectives in their dictionary form (`재밌었어요` becomes `재밌다`).
        subword: What a token is. `"none"`: a whole morpheme; those outside the vocabulary become `unk_token`. `"bpe"`:
            a piece of a morpheme, found by byte pair encoding. Characters outside the vocabulary fall back to their
            bytes, so nothing is unknown.
        word_mark: A mark such as `"▁"` before each morpheme that begins a word, so that `decode` restores the spacing
            (as one space between words). Added tokens that stand in a text get none. By default, no mark.
        user_dictionary: Words to add to Okt's own: nouns, such as `["워라밸"]`; words by part of speech, such as
            `{"Noun": ["오크트"]}`; or the path of a text file with a word, a tab and its part of speech on each line.
            `oktane.Okt` says what else it can hold. It is saved with the tokenizer.
        pos: The parts of speech to keep, such as `["Noun", "Verb", "Adjective"]`. By default all. It is saved, too.
        stopwords: Morphemes to leave out; with `stem`, verbs and adjectives in their dictionary form. They are saved,
            too.
        pad_token: The padding token. Its id is 0.
        unk_token: The token of unknown morphemes. Its id is 1.
        split_special_tokens: Whether a special token that somebody typed into a text is text like any other. By default
            it is, unless there is a `mask_token`, which texts are to have.
        **kwargs: As for every tokenizer of transformers: `cls_token`, `mask_token`, `model_max_length`,
            `padding_side`, ...

    Raises:
        ValueError: If an option or a word of the user dictionary is wrong.

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
        subword: str = "none",
        word_mark: str | None = None,
        user_dictionary: Mapping[str, Sequence[str]] | Sequence[str] | str | Path | None = None,
        pos: str | Iterable[str] | None = None,
        stopwords: Iterable[str] | None = None,
        pad_token: str | AddedToken = "<pad>",
        unk_token: str | AddedToken = "<unk>",
        split_special_tokens: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if "model" in kwargs:
            warnings.warn(
                'OktTokenizer(model="word" or "bpe") is now OktTokenizer(subword="none" or "bpe")',
                FutureWarning,
                stacklevel=2,
            )
            kwargs = with_present_names(kwargs)
            subword = kwargs.pop("subword")
        check_options(norm, stem, subword, word_mark)
        if pad_token is None or unk_token is None:
            raise ValueError("OktTokenizer needs a pad_token and an unk_token")
        if kwargs.get("tokenizer_file", ...) is None and "tokenizer_object" not in kwargs:
            raise ValueError(f"{kwargs.get('name_or_path')!r} has no tokenizer.json, so there is no vocabulary to load")
        self.norm, self.stem, self.subword, self.word_mark = norm, stem, subword, word_mark
        self.user_dictionary: dict[str, list[str]] = Okt(user_dictionary).user_dictionary
        self.pos, self.stopwords = checked_pos(pos), checked_stopwords(stopwords)
        if kwargs.get("tokenizer_file") is None and kwargs.get("tokenizer_object") is None:
            named = [kwargs.get(name) for name in self.SPECIAL_TOKENS_ATTRIBUTES]
            special = [pad_token, unk_token, *filter(None, named), *(kwargs.get("extra_special_tokens") or [])]
            size = smallest_size(subword, len(special))
            kwargs["tokenizer_object"] = make_tokenizer(subword, word_mark, special, Counter(), size)
        # What the vocabulary was made with; None if there is none yet. Kept by loading and saving.
        self.dictionary_hash: str | None = kwargs.pop("dictionary_hash", None)
        self.analyzer: str | None = kwargs.pop("analyzer", None)
        if self.analyzer is not None and self.dictionary_hash is None:
            self.dictionary_hash = hash_here(self.user_dictionary)
        for name in ("is_local", "local_files_only"):  # of this load; saved, they would mislead the next one
            kwargs.pop(name, None)
        if split_special_tokens is None:
            split_special_tokens = kwargs.get("mask_token") is None
        # Those that keep all morphemes have the files that they always had.
        filters = {name: value for name in ("pos", "stopwords") if (value := getattr(self, name))}
        super().__init__(
            norm=norm,
            stem=stem,
            subword=subword,
            word_mark=word_mark,
            user_dictionary=self.user_dictionary,
            dictionary_hash=self.dictionary_hash,
            analyzer=self.analyzer,
            pad_token=pad_token,
            unk_token=unk_token,
            split_special_tokens=split_special_tokens,
            **filters,
            **kwargs,
        )
        name = self.name_or_path or "This tokenizer"
        warn_of_other_words(name, self.user_dictionary, self.dictionary_hash, self.analyzer)

    @classmethod
    def convert_to_native_format(cls, trust_remote_code: bool = False, **kwargs: Any) -> dict[str, Any]:
        """Return the arguments of a saved tokenizer for `__init__`, which reads `tokenizer.json` itself."""
        return with_present_names(kwargs)

    # ---- from texts to words ----

    def _morphemes(self, texts: Sequence[str], begins_word: Sequence[bool] | None = None) -> Morphemes:
        options = {name: getattr(self, name) for name in ("norm", "stem", "pos", "stopwords")}
        return find_morphemes(analyzer_for(self.user_dictionary), texts, options, self.word_mark, begins_word)

    def _words(self, rows: Sequence[Sequence[Any]], added: Sequence[AddedToken]) -> list[list[list[Word]]]:
        """Return the words of each text of each row. All texts are analyzed in one call.

        Args:
            rows: Rows of one text or two; a text is a str, or a list of the user's words.
            added: The added tokens to look for.
        """
        ids = self.added_tokens_encoder
        pieces = [[cut_at_added_tokens(text, added, ids) for text in row] for row in rows]
        analyzed = [piece for row in pieces for text in row for piece in text if piece.added is None]
        morphemes = self._morphemes([piece.text for piece in analyzed], [piece.start == 0 for piece in analyzed])
        numbers = iter(range(len(analyzed)))
        mark = self.word_mark or ""
        return [[words_of_text(text, morphemes, numbers, mark) for text in row] for row in pieces]

    # ---- from words to ids ----

    def encode_ragged(self, texts: Sequence[str], max_length: int | None = None) -> Ragged:
        """Encode texts as one flat array: the ids of `__call__`, without a Python object for each of them.

        Args:
            texts: The texts.
            max_length: Number of tokens to truncate a text to. By default, texts are not truncated.

        Returns:
            The ids of all texts, int64, `(tokens,)`; and the row splits, int64, `(texts + 1,)`: text `i` has the ids
            `row_splits[i]:row_splits[i + 1]`.
        """
        if self._is_plain(texts, self._added_tokens(None), add_special_tokens=True):
            self._warn_without_vocabulary()
            return self._ragged(self._morphemes(texts), max_length)
        truncation = {"truncation": True, "max_length": max_length} if max_length is not None else {}
        return Ragged.from_rows(self(list(texts), return_attention_mask=False, **truncation)["input_ids"])

    def _ragged(self, morphemes: Morphemes, max_length: int | None) -> Ragged:
        encoded = encode_morphemes(self.backend_tokenizer.model, morphemes, self.unk_token_id)
        return encoded.truncate(max_length, self.truncation_side)

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
        rows, is_batched = check_rows(text, text_pair, is_split_into_words)
        self._warn_without_vocabulary()
        backend = bare_copy(self.backend_tokenizer)
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
        added = self._added_tokens(split_special_tokens)
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
            or any(len(row) == 2 for row in rows)
            or not self._is_plain([row[0] for row in rows], added, add_special_tokens)
        ):
            result = self._to_batch(
                encode_words(backend, self._words(rows, added), add_special_tokens),
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

    def _added_tokens(self, split_special_tokens: bool | None) -> list[AddedToken]:
        """Return the added tokens to look for in texts; the argument is that of `__call__`."""
        if split_special_tokens is None:
            split_special_tokens = self.split_special_tokens
        return [token for token in self.added_tokens_decoder.values() if not (split_special_tokens and token.special)]

    def _is_plain(self, texts: Sequence[str], added: Sequence[AddedToken], add_special_tokens: bool) -> bool:
        """Return whether a token of these texts can only be a morpheme or its piece."""
        joined = "\0".join(texts)
        return not (add_special_tokens and self.backend_tokenizer.num_special_tokens_to_add(False)) and not any(
            token.content in joined for token in added
        )

    def _warn_without_vocabulary(self) -> None:
        if self.dictionary_hash is None:
            size = self.backend_tokenizer.get_vocab_size(with_added_tokens=False)
            if size <= smallest_size(self.subword, len(self.added_tokens_decoder)):
                logger.warning_once(
                    "This OktTokenizer has no vocabulary yet, so it knows no morpheme. Learn one from your texts with "
                    "train_new_from_iterator, or load a trained tokenizer with OktTokenizer.from_pretrained."
                )

    def _to_batch(
        self, encodings: list[Any], return_tensors: Any, return_overflowing_tokens: bool = False, **returns: bool
    ) -> BatchEncoding:
        """Return the result for a batch from the encodings of its rows. What overflows becomes rows of its own."""
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
        """Do what `_to_batch` does, for plain texts, without a Python object for each morpheme.

        Args:
            texts: The texts.
            backend: The tokenizer, configured for the call. Encodings are made with it if they are asked for.
            max_length: Number of tokens to truncate to; None for no truncation.
            padding: The arguments of `Tokenizer.enable_padding`; None for no padding.
            return_tensors: As in `__call__`.
            return_token_type_ids: As in `__call__`.
            return_attention_mask: As in `__call__`.
        """
        morphemes = self._morphemes(texts)
        encoded = self._ragged(morphemes, max_length)

        def make_encodings() -> list[Encoding]:
            rows = iter(range(len(texts)))
            words = [[words_of_text([Piece(text, 0)], morphemes, rows, self.word_mark or "")] for text in texts]
            return encode_words(backend, words, False)

        data: dict[str, Any] = {}
        if padding is None:
            data["input_ids"] = encoded.rows()
            if return_token_type_ids:
                data["token_type_ids"] = [[0] * length for length in encoded.lengths.tolist()]
            if return_attention_mask:
                data["attention_mask"] = [[1] * length for length in encoded.lengths.tolist()]
        else:
            longest = int(encoded.lengths.max(initial=0))
            width: int = padding["length"] if padding["length"] is not None else longest
            width += -width % (padding["pad_to_multiple_of"] or 1)
            backend.enable_padding(**(padding | {"length": width, "pad_to_multiple_of": None}))
            if longest > width:  # padding to max_length without truncation leaves longer rows as they are
                return self._to_batch(
                    make_encodings(),
                    return_tensors,
                    return_token_type_ids=return_token_type_ids,
                    return_attention_mask=return_attention_mask,
                )
            data["input_ids"], mask = encoded.pad(width, padding["direction"], padding["pad_id"])
            if return_token_type_ids:
                data["token_type_ids"] = np.where(mask, 0, padding["pad_type_id"])
            if return_attention_mask:
                data["attention_mask"] = mask.astype(np.int64)
            if return_tensors is None:
                data = {name: values.tolist() for name, values in data.items()}
            elif return_tensors == "pt":  # BatchEncoding would copy the arrays
                data = {name: torch.from_numpy(values) for name, values in data.items()}
        encodings: Any = LazyEncodings(len(texts), make_encodings)
        return BatchEncoding(data, encodings, tensor_type=return_tensors, n_sequences=1)

    @property
    def deprecation_warnings(self) -> dict[str, bool]:
        """Which warnings the base class has given."""
        return _warnings_given.setdefault(self, {})

    @deprecation_warnings.setter
    def deprecation_warnings(self, given: dict[str, bool]) -> None:
        _warnings_given[self] = given

    # ---- from ids to texts ----

    def _decode(self, token_ids: Any, *args: Any, **kwargs: Any) -> str:
        with no_negative_ids():
            return super()._decode(token_ids, *args, **kwargs)

    def convert_ids_to_tokens(self, ids: Any, skip_special_tokens: bool = False) -> Any:  # noqa: D102
        with no_negative_ids():
            return super().convert_ids_to_tokens(ids, skip_special_tokens)

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
        """Make a tokenizer with the options of this one and a vocabulary learned from texts.

        The texts are read once, as a stream.

        Args:
            text_iterator: Texts, or lists of texts.
            vocab_size: The largest number of tokens, including special tokens and, with BPE, 256 bytes. The most
                frequent are kept; of equally frequent morphemes, the ones that came first.
            length: Number of texts, or lists, in the iterator, for the progress bar.
            new_special_tokens: Special tokens that the new tokenizer has in addition to those of this one.
            special_tokens_map: New texts of special tokens by their present ones, such as `{"<pad>": "[PAD]"}`.
            min_frequency: How often a morpheme (with BPE: a pair of pieces) has to occur to be kept.
            show_progress: Whether to show a progress bar.

        Returns:
            The new tokenizer. This one stays as it is.

        Raises:
            TypeError: If something in the iterator is not a text; the message says which item.
            ValueError: If `vocab_size` leaves no room beside the special tokens.
        """
        renamed = dict(special_tokens_map or {})
        named = {name: rename_token(token, renamed) for name, token in self._special_tokens_map.items() if token}
        extra = [rename_token(t, renamed) for t in [*self._extra_special_tokens, *(new_special_tokens or [])]]
        first = [named["pad_token"], named["unk_token"]]
        special = list({token.content: token for token in [*first, *named.values(), *extra]}.values())
        check_size(vocab_size, self.subword, len(special))
        counts = count_morphemes(text_iterator, self._morphemes, length, show_progress)
        backend = make_tokenizer(
            self.subword, self.word_mark, special, counts, vocab_size, min_frequency, show_progress
        )
        if self.backend_tokenizer.post_processor is not None:
            backend = with_post_processor_of(self.backend_tokenizer, backend, renamed)

        kept = ["norm", "stem", "subword", "word_mark", "user_dictionary", "pos", "stopwords", "split_special_tokens"]
        kept += ["padding_side", "truncation_side", "model_max_length"]
        options = self.init_kwargs | {name: getattr(self, name) for name in kept}
        options |= {
            "dictionary_hash": analyzer_for(self.user_dictionary).dictionary_hash,
            "analyzer": analyzer_version(),
            "extra_special_tokens": extra,
            "tokenizer_object": backend,
        }
        for name in ("added_tokens_decoder", "name_or_path"):  # of where this one was loaded
            options.pop(name, None)
        return type(self)(**options | named)

    # ---- files ----

    def _save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        file_names: tuple[str, ...],
        legacy_format: bool | None = None,
        filename_prefix: str | None = None,
    ) -> tuple[str, ...]:
        files = super()._save_pretrained(str(save_directory), file_names, legacy_format, filename_prefix)
        name = f"{filename_prefix}-{USER_DICTIONARY_FILE}" if filename_prefix else USER_DICTIONARY_FILE
        path = Path(save_directory) / name
        if self.user_dictionary:
            write_user_dictionary(self.user_dictionary, path)
            return (*files, str(path))
        path.unlink(missing_ok=True)  # that of a tokenizer saved here before would be loaded with this one
        return files

    def save_vocabulary(  # type: ignore[override]
        self, save_directory: str, filename_prefix: str | None = None
    ) -> tuple[str, ...]:
        """Save the vocabulary alone (`vocab.json` and, with BPE, `merges.txt`) and return the paths."""
        return tuple(self.backend_tokenizer.model.save(str(save_directory), filename_prefix))


OktTokenizer.register_for_auto_class()
