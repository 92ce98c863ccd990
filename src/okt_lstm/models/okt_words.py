"""From texts to the words that the `tokenizers` library is given, and from its result back to the texts.

A word is a morpheme, or an added token that stands in the text. Added tokens are found before the analyzer sees a text.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from tokenizers import AddedToken, Tokenizer, models

from .okt_encoding import Encoding

_WHITE_SPACE = np.array([code for code in range(0x3001) if chr(code).isspace()], np.uint32)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# Every ASCII character is exactly one token of every model here (with BPE, at worst a byte). This one takes the place
# of an added token.
_PLACEHOLDER = "a"


class Morphemes(NamedTuple):
    """The morphemes of a batch of texts, with word marks, in numpy arrays.

    Attributes:
        texts: The texts.
        forms: The distinct morphemes, with the mark where they begin a word.
        is_marked: Whether a form has the mark, bool, `(forms,)`.
        form_ids: Index in `forms` of each morpheme, `(morphemes,)`.
        spans: Start and end of each morpheme in its text, in characters, `(morphemes, 2)`.
        row_splits: Text `i` has the morphemes `row_splits[i]:row_splits[i + 1]`, `(texts + 1,)`.
    """

    texts: Sequence[str]
    forms: list[str]
    is_marked: np.ndarray
    form_ids: np.ndarray
    spans: np.ndarray
    row_splits: np.ndarray


def find_morphemes(
    analyzer: Any,
    texts: Sequence[str],
    options: Mapping[str, Any],
    word_mark: str | None,
    begins_word: Sequence[bool] | None = None,
) -> Morphemes:
    """Analyze texts in one call.

    Args:
        analyzer: An `oktane.Okt`, or what takes its place.
        texts: The texts.
        options: Those of its `encode_batch`: `norm`, `stem`, and perhaps `pos` and `stopwords`.
        word_mark: The mark of morphemes that begin a word; None for no mark.
        begins_word: For each text, whether its first morpheme begins a word even without white space before it. All do
            by default. What follows an added token within a text does not.
    """
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:  # lone surrogates, which no library in Rust or Java accepts
        texts = [_LONE_SURROGATE.sub("\ufffd", text) for text in texts]
    found = analyzer.encode_batch(texts, compose=True, **options)
    forms: list[str] = found.forms
    form_ids: np.ndarray = np.frombuffer(found.form_ids, np.int32)
    spans = np.frombuffer(found.spans, np.int32).reshape(-1, 2)
    row_splits = np.frombuffer(found.row_splits, np.int64)
    is_marked = np.zeros(len(forms), bool)
    if word_mark is not None and len(form_ids):
        begins = _begins_word(texts, spans, row_splits, begins_word)
        keys, form_ids = np.unique(2 * form_ids.astype(np.int64) + begins, return_inverse=True)
        is_marked = keys % 2 == 1
        forms = [word_mark * (key % 2) + forms[key // 2] for key in keys.tolist()]
    return Morphemes(texts, forms, is_marked, form_ids, spans, row_splits)


def _begins_word(
    texts: Sequence[str], spans: np.ndarray, row_splits: np.ndarray, begins_word: Sequence[bool] | None
) -> np.ndarray:
    """Return whether white space, or the beginning of the text, is right before a morpheme: bool, `(morphemes,)`."""
    characters = np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32)
    white_before = np.concatenate(([0], np.cumsum(np.isin(characters, _WHITE_SPACE))))
    counts = np.diff(row_splits)
    lengths = np.array([len(text) for text in texts], np.int64)
    offsets = np.repeat(np.cumsum(lengths) - lengths, counts)
    first = row_splits[:-1][counts > 0]
    previous_end = np.concatenate(([0], spans[:-1, 1]))
    previous_end[first] = 0
    begins = white_before[offsets + spans[:, 0]] > white_before[offsets + previous_end]
    begins[first] |= np.ones(len(first), bool) if begins_word is None else np.array(begins_word)[counts > 0]
    return begins


class Piece(NamedTuple):
    """A part of a text that has no added token in it, or that is one.

    Attributes:
        text: Its characters.
        start: Its position in the text, or in the user's word.
        word_id: The number of the user's word, if the text was split into words.
        added: Id and text of the added token that it is.
    """

    text: str
    start: int
    word_id: int | None = None
    added: tuple[int, str] | None = None


def cut_at_added_tokens(text: str | Sequence[str], added: Sequence[AddedToken], ids: Mapping[str, int]) -> list[Piece]:
    """Cut a text at the added tokens in it, where the `tokenizers` library would.

    Args:
        text: The text, or the user's words.
        added: The tokens to look for.
        ids: The ids of added tokens by their texts.
    """
    if isinstance(text, str):
        return _cut(text, added, ids, None)
    return list(chain.from_iterable(_cut(word, added, ids, word_id) for word_id, word in enumerate(text)))


def _cut(text: str, added: Sequence[AddedToken], ids: Mapping[str, int], word_id: int | None) -> list[Piece]:
    if not any(token.content in text for token in added):
        return [Piece(text, 0, word_id)]
    finder = Tokenizer(models.WordLevel({"\0": 0}, unk_token="\0"))  # the rest of the text is one unknown word
    finder.add_special_tokens([token for token in added if token.special])
    finder.add_tokens([token for token in added if not token.special])
    found = finder.encode(_LONE_SURROGATE.sub("\ufffd", text), add_special_tokens=False)
    return [
        Piece(text[start:end], start, word_id, (ids[str(finder.id_to_token(number))], token) if number else None)
        for number, token, (start, end) in zip(found.ids, found.tokens, found.offsets, strict=True)
    ]


class Word(NamedTuple):
    """A word as the `tokenizers` library is given it.

    Attributes:
        form: The morpheme, with its word mark; for an added token, a placeholder.
        start: Its first character in the text.
        end: The character after its last one.
        word_id: Its number in `word_ids`.
        origin: The position in the text of the form's first character. None if the form is not the text's own
            characters (with `norm` or `stem`), so that its pieces have no positions of their own.
        added: Id and text of the added token.
    """

    form: str
    start: int
    end: int
    word_id: int
    origin: int | None = None
    added: tuple[int, str] | None = None


def words_of_text(pieces: Sequence[Piece], morphemes: Morphemes, rows: Iterator[int], word_mark: str) -> list[Word]:
    """Return the words of one text.

    Args:
        pieces: The pieces of the text.
        morphemes: The morphemes of the batch's pieces, added tokens left out.
        rows: The rows of `morphemes` that are still to be read; each piece takes one.
        word_mark: The mark of morphemes that begin a word; empty for no mark.
    """
    words: list[Word] = []
    for piece in pieces:
        if piece.added is not None:
            word_id = len(words) if piece.word_id is None else piece.word_id
            words.append(Word(_PLACEHOLDER, piece.start, piece.start + len(piece.text), word_id, added=piece.added))
            continue
        row = next(rows)
        first, last = morphemes.row_splits[row : row + 2].tolist()
        form_ids, spans = morphemes.form_ids[first:last].tolist(), morphemes.spans[first:last].tolist()
        for form_id, (a, b) in zip(form_ids, spans, strict=True):
            form = morphemes.forms[form_id]
            mark = len(word_mark) if morphemes.is_marked[form_id] else 0
            word_id = len(words) if piece.word_id is None else piece.word_id
            start = piece.start + a
            origin = start - mark if form[mark:] == piece.text[a:b] else None
            words.append(Word(form, start, piece.start + b, word_id, origin))
    return words


def encode_words(
    backend: Tokenizer, rows: Sequence[Sequence[Sequence[Word]]], add_special_tokens: bool
) -> list[Encoding]:
    """Encode rows of one or two texts that are words already.

    Args:
        backend: The tokenizer, configured to pad and to truncate.
        rows: The words of each text of each row.
        add_special_tokens: Whether to add special tokens.

    Raises:
        ValueError: If the stride is too long for what truncation leaves.
    """
    inputs = [tuple([word.form for word in text] for text in row) for row in rows]
    try:
        encodings = backend.encode_batch(
            [row if len(row) == 2 else row[0] for row in inputs],
            is_pretokenized=True,
            add_special_tokens=add_special_tokens,
        )
    except BaseException as error:
        # the Rust library's way to refuse a stride, which is not an Exception
        if type(error).__name__ == "PanicException":
            raise ValueError(str(error)) from None
        raise
    return [_in_texts(encoding, row) for encoding, row in zip(encodings, rows, strict=True)]


def _in_texts(encoding: Any, texts: Sequence[Sequence[Word]]) -> Encoding:
    """Return an encoding of words as one of the texts that they stand in."""
    ids, tokens = encoding.ids, encoding.tokens
    offsets: list[tuple[int, int]] = []
    word_ids: list[int | None] = []
    positions = zip(encoding.sequence_ids, encoding.word_ids, encoding.offsets, strict=True)
    for token, (sequence, number, (start, end)) in enumerate(positions):
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
        [_in_texts(part, texts) for part in encoding.overflowing],
    )
