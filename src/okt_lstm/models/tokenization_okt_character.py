# Copyright 2026 the okt-lstm developers. Licensed under the Apache License, Version 2.0.
"""OktCharacterTokenizer: a token for each character, and its part of speech and word boundary as its type.

Korean particles stick to the words before them, so that labels of parts of a text, such as names, end within words. A
model over characters can end them anywhere; the token types tell it what Okt knows of the words.
"""

import unicodedata
from collections.abc import Sequence
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import BatchEncoding, TokenizersBackend

from .okt_analyzer import PACKAGE, analyzer_for

PARTS_OF_SPEECH = (
    *("Noun", "Verb", "Adjective", "Adverb", "Determiner", "Exclamation", "Josa", "PreEomi", "Eomi", "Suffix"),
    *("Punctuation", "Foreign", "Alpha", "Number", "Unknown", "KoreanParticle", "Hashtag", "ScreenName", "Email"),
    *("URL", "ProperNoun", "Conjunction", "Modifier", "VerbPrefix", "CashTag", "Space", "Others"),
)
"""Okt's parts of speech. Saved models know them by their order."""

TYPE_VOCAB_SIZE = 1 + 4 * len(PARTS_OF_SPEECH)
"""The number of token types: 0 for what isn't in a morpheme; else a part of speech, whether the character begins a
morpheme, and whether white space or the beginning of the text is before it."""

_FIRST_TYPE = {part: 1 + 4 * index for index, part in enumerate(PARTS_OF_SPEECH)}


class OktCharacterTokenizer(TokenizersBackend):
    """A tokenizer over characters, whose `token_type_ids` are what Okt says of each character.

    It is a fast tokenizer of transformers with all that belongs to it. `train_new_from_iterator` learns the characters
    of texts. Hangul in conjoining jamo is composed first (NFC); offsets are those of the given text.

    Args:
        keep_whitespace: Whether white space gives tokens, too. If not, it only shows in the types of what follows.
        pad_token: The padding token. Its id is 0.
        unk_token: The token of unknown characters. Its id is 1.
        **kwargs: As for every tokenizer of transformers: `model_max_length`, `padding_side`, ...

    Example:
        >>> tokenizer = OktCharacterTokenizer().train_new_from_iterator(texts, vocab_size=3000)
        >>> tokenizer("이순신은 서울에서")["token_type_ids"]
    """

    vocab_files_names = {"tokenizer_file": "tokenizer.json"}
    model_input_names = ["input_ids", "token_type_ids", "attention_mask"]

    def __init__(
        self,
        keep_whitespace: bool = True,
        pad_token: str | AddedToken = "<pad>",
        unk_token: str | AddedToken = "<unk>",
        **kwargs: Any,
    ) -> None:
        if pad_token is None or unk_token is None:
            raise ValueError("OktCharacterTokenizer needs a pad_token and an unk_token")
        self.keep_whitespace = keep_whitespace
        if kwargs.get("tokenizer_file") is None and kwargs.get("tokenizer_object") is None:
            special = {str(token): index for index, token in enumerate((pad_token, unk_token))}
            backend = Tokenizer(models.WordLevel(special, unk_token=str(unk_token)))
            backend.normalizer = normalizers.NFC()
            characters = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
            backend.pre_tokenizer = (
                characters
                if keep_whitespace
                else pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), characters])
            )
            backend.decoder = decoders.Fuse()
            kwargs["tokenizer_object"] = backend
        # What looks like a special token in a text is text.
        kwargs.setdefault("split_special_tokens", True)
        super().__init__(keep_whitespace=keep_whitespace, pad_token=pad_token, unk_token=unk_token, **kwargs)

    @classmethod
    def convert_to_native_format(cls, trust_remote_code: bool = False, **kwargs: Any) -> dict[str, Any]:
        """Return the arguments of a saved tokenizer for `__init__`, which reads `tokenizer.json` itself."""
        return kwargs

    def _encode_plus(  # type: ignore[override]
        self,
        text: Any,
        text_pair: Any = None,
        is_split_into_words: bool = False,
        return_tensors: Any = None,
        return_token_type_ids: bool | None = None,
        **kwargs: Any,
    ) -> BatchEncoding:
        encoded = super()._encode_plus(
            text,
            text_pair,
            is_split_into_words=is_split_into_words,
            return_tensors=None,
            return_token_type_ids=False,
            **kwargs,
        )
        if return_token_type_ids is None:
            return_token_type_ids = "token_type_ids" in self.model_input_names
        if return_token_type_ids:
            rows = _rows(text, text_pair, is_split_into_words)
            samples = encoded.get("overflow_to_sample_mapping", range(len(_encodings(encoded))))
            types = self._types(rows, _encodings(encoded), samples, is_split_into_words)
            is_one_row = bool(encoded["input_ids"]) and isinstance(encoded["input_ids"][0], int)
            encoded["token_type_ids"] = (
                types[0] if is_one_row or (not encoded["input_ids"] and types == [[]]) else types
            )
        if "offset_mapping" in encoded and not is_split_into_words:
            _end_after_marks(encoded, _rows(text, text_pair, is_split_into_words))
        if return_tensors is None:
            return encoded
        is_one_row = not encoded["input_ids"] or isinstance(encoded["input_ids"][0], int)
        return encoded.convert_to_tensors(return_tensors, prepend_batch_axis=is_one_row)

    def _types(
        self, rows: list[list[Any]], encodings: Sequence[Any], samples: Sequence[int], is_split_into_words: bool
    ) -> list[list[int]]:
        """Return the type of each token of each encoding."""
        joined = [_joined(part) if is_split_into_words else (part, None) for row in rows for part in row]
        of_characters = character_types([text for text, _ in joined])
        width = len(rows[0]) if rows else 1
        types = []
        for encoding, sample in zip(encodings, samples, strict=True):
            places = [sample * width + (sequence or 0) for sequence in encoding.sequence_ids]
            starts = [start for start, _ in encoding.offsets]
            if is_split_into_words:
                # Offsets count from the beginning of a word.
                begins = [joined[place][1] or [] for place in places]
                starts = [
                    start if word is None else begin[word] + start
                    for start, word, begin in zip(starts, encoding.word_ids, begins, strict=True)
                ]
            known = encoding.sequence_ids
            types.append(
                [
                    0 if sequence is None else of_characters[place][start]
                    for place, start, sequence in zip(places, starts, known, strict=True)
                ]
            )
        return types


def character_types(texts: Sequence[str]) -> list[list[int]]:
    """Return the type of each character of each text, numbers below `TYPE_VOCAB_SIZE`.

    Raises:
        ImportError: If oktane, which knows the parts of speech, is not installed.
    """
    if PACKAGE != "oktane":
        raise ImportError("OktCharacterTokenizer needs oktane for the parts of speech: pip install ./oktane")
    types = []
    for text, morphemes in zip(texts, analyzer_for({}).tokenize_batch(texts), strict=True):
        row = [0] * len(text)
        for _, part, start, end, *_ in morphemes:
            first = _FIRST_TYPE.get(part, _FIRST_TYPE["Others"])
            row[start:end] = [first] * (end - start)
            row[start] = first + 2 + (start == 0 or text[start - 1].isspace())
        types.append(row)
    return types


def _end_after_marks(encoded: BatchEncoding, rows: list[list[Any]]) -> None:
    """Let the offsets of composed characters end after all that they were composed of.

    The tokenizers library lets them end after the first.
    """
    if all(unicodedata.is_normalized("NFC", text) for row in rows for text in row):
        return
    is_one_row = bool(encoded["offset_mapping"]) and isinstance(encoded["offset_mapping"][0], tuple)
    offsets = [encoded["offset_mapping"]] if is_one_row else encoded["offset_mapping"]
    samples = encoded.get("overflow_to_sample_mapping", range(len(_encodings(encoded))))
    for line, encoding, sample in zip(offsets, _encodings(encoded), samples, strict=True):
        for place, (sequence, (start, end)) in enumerate(zip(encoding.sequence_ids, line, strict=True)):
            if sequence is not None:
                text = rows[sample][sequence]
                while end < len(text) and _continues(text[end]):
                    end += 1
                line[place] = (start, end)


def _continues(character: str) -> bool:
    """Return whether a character is part of the one before it: a vowel or final consonant in jamo, or a mark."""
    return "\u1160" <= character <= "\u11ff" or unicodedata.combining(character) > 0


def _encodings(encoded: BatchEncoding) -> list[Any]:
    """Return the encodings of a fast tokenizer's batch, which always has them."""
    assert encoded.encodings is not None
    return encoded.encodings


def _rows(text: Any, text_pair: Any, is_split_into_words: bool) -> list[list[Any]]:
    """Return the texts of a call as rows of one text or two."""
    kind: Any = (list, tuple)
    is_batched = isinstance(text, kind) and (not is_split_into_words or (len(text) > 0 and isinstance(text[0], kind)))
    if not is_batched:
        return [[text, text_pair] if text_pair else [text]]
    if text_pair is not None:
        return [list(row) for row in zip(text, text_pair, strict=True)]
    is_pair = not is_split_into_words and len(text) > 0 and isinstance(text[0], kind)
    return [list(row) for row in text] if is_pair else [[row] for row in text]


def _joined(words: Sequence[str]) -> tuple[str, list[int]]:
    """Return the text of words, and where each begins. Words that are single characters are not words but a text."""
    separator = "" if all(len(word) <= 1 for word in words) else " "
    starts, length = [], 0
    for word in words:
        starts.append(length)
        length += len(word) + len(separator)
    return separator.join(words), starts


OktCharacterTokenizer.register_for_auto_class("AutoTokenizer")
