"""Where tokens stand in the text: all that a stock tokenizer of transformers promises, over Okt's morphemes."""

import copy
import json
import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from okt_tokenizers import train, trained_once
from tokenizers import AddedToken, Tokenizer, pre_tokenizers
from transformers import TokenizersBackend

from okt_lstm import OktTokenizer
from okt_lstm.models import okt_analyzer
from okt_lstm.models.okt_konlpy import Morphemes


@pytest.fixture(scope="module")
def tokenizer() -> OktTokenizer:
    return train()


class SpaceAnalyzer:
    """Splits at white space, so that a stock tokenizer which does the same can be held against OktTokenizer."""

    dictionary_hash = "spaces"

    def encode_batch(self, texts, norm=False, stem=False, compose=False, pos=None, stopwords=()):
        ids: dict[str, int] = {}
        form_ids, spans, splits = [], [], [0]
        for text in texts:
            for match in re.finditer(r"\S+", text):
                form_ids.append(ids.setdefault(match[0], len(ids)))
                spans.append(match.span())
            splits.append(len(form_ids))
        return Morphemes(list(ids), np.array(form_ids, np.int32), np.array(spans, np.int32), np.array(splits, np.int64))


@pytest.fixture
def split_at_spaces(monkeypatch):
    monkeypatch.setattr(okt_analyzer, "_analyzer", lambda user_dictionary: SpaceAnalyzer())


def stock_twin(tokenizer: OktTokenizer, **options) -> TokenizersBackend:
    """The stock tokenizer with the same model, added tokens and post-processor that splits at white space."""
    backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return TokenizersBackend(tokenizer_object=backend, pad_token="<pad>", unk_token="<unk>", **options)


def assert_same(ours, theirs) -> None:
    assert set(ours) == set(theirs)
    for name in theirs:
        assert np.array_equal(np.asarray(ours[name], object), np.asarray(theirs[name], object)), name
    assert len(ours.encodings) == len(theirs.encodings)
    for row, (mine, stock) in enumerate(zip(ours.encodings, theirs.encodings, strict=True)):
        for name in (
            "ids",
            "tokens",
            "offsets",
            "word_ids",
            "sequence_ids",
            "type_ids",
            "attention_mask",
            "special_tokens_mask",
            "n_sequences",
        ):
            assert getattr(mine, name) == getattr(stock, name), (row, name)
        assert [part.ids for part in mine.overflowing] == [part.ids for part in stock.overflowing]
        for token in range(len(stock)):
            assert mine.token_to_chars(token) == stock.token_to_chars(token)
            assert mine.token_to_word(token) == stock.token_to_word(token)
            assert mine.token_to_sequence(token) == stock.token_to_sequence(token)
        for sequence in range(stock.n_sequences):
            for place in range(12):
                assert mine.char_to_token(place, sequence) == stock.char_to_token(place, sequence)
                assert mine.char_to_word(place, sequence) == stock.char_to_word(place, sequence)
                assert mine.word_to_tokens(place, sequence) == stock.word_to_tokens(place, sequence)
                assert mine.word_to_chars(place, sequence) == stock.word_to_chars(place, sequence)


# ---- the same as a stock tokenizer, but for where words end ----

ALPHABET = st.sampled_from(
    ["가", "나", "영화", "😀", "e\u0301", " ", "\t", "\u3000", "a", "b", "<tag>", "<mask>", "bb", "<unk>"]
)
TEXT = st.lists(ALPHABET, max_size=8).map("".join)
WORD = st.lists(st.sampled_from(["가", "나", "영화", "😀", "a", "b", "<tag>", "bb", ""]), max_size=3).map("".join)


@st.composite
def calls(draw):
    """A text, pair or batch of either, and options of a call."""
    split = draw(st.booleans())  # into the user's words
    text = st.lists(WORD, max_size=4) if split else TEXT
    rows = draw(st.lists(text, max_size=4))
    options = {"is_split_into_words": split, "padding": draw(st.sampled_from([False, True, "max_length"]))}
    arguments = [rows]
    if draw(st.booleans()):
        arguments.append(draw(st.lists(text, min_size=len(rows), max_size=len(rows))))
    if draw(st.booleans()):
        options |= {"truncation": True, "max_length": draw(st.integers(5, 9))}
        if draw(st.booleans()):
            options |= {"return_overflowing_tokens": True, "stride": draw(st.integers(0, 1))}
    else:
        options["max_length"] = 7 if options["padding"] == "max_length" else None
    if options["padding"] is True and draw(st.booleans()) and not options.get("max_length"):
        options["pad_to_multiple_of"] = 4
    for name in ("return_offsets_mapping", "return_special_tokens_mask", "return_length", "return_token_type_ids"):
        if draw(st.booleans()):
            options[name] = True
    options["add_special_tokens"] = draw(st.booleans())
    options["split_special_tokens"] = draw(st.booleans())
    sides = {"padding_side": draw(st.sampled_from(["left", "right"]))}
    sides["truncation_side"] = draw(st.sampled_from(["left", "right"]))
    return arguments, options, sides


@pytest.mark.parametrize("subword", ["none", "bpe"])
@pytest.mark.parametrize("specials", [{}, {"cls_token": "<cls>", "sep_token": "<sep>"}])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(call=calls())
def test_everything_equals_a_stock_tokenizer_if_the_analyzer_splits_at_spaces(split_at_spaces, subword, specials, call):
    arguments, options, sides = call
    texts = ["가나 영화 a", "영화 b 가나 가나", "나"]
    tokenizer = OktTokenizer(subword=subword, mask_token=AddedToken("<mask>", lstrip=True), **specials, **sides)
    tokenizer = tokenizer.train_new_from_iterator(texts, 300, show_progress=False)
    tokenizer.add_tokens(["<tag>", AddedToken("bb", single_word=True)])
    if specials:
        state = json.loads(tokenizer.backend_tokenizer.to_str())
        sep, cls = tokenizer.sep_token_id, tokenizer.cls_token_id
        state["post_processor"] = {"type": "BertProcessing", "sep": ["<sep>", sep], "cls": ["<cls>", cls]}
        tokenizer._tokenizer = Tokenizer.from_str(json.dumps(state))
    stock = stock_twin(tokenizer, **sides)
    if not arguments[0] and not options["is_split_into_words"]:  # the stock tokenizer fails
        assert all(value == [] for value in tokenizer(*arguments, **options).values())
        return
    try:
        expected, refused = stock(*arguments, **options), ""
    except BaseException as error:  # a panic, where the stride is too long for what truncation leaves
        expected, refused = None, str(error)
    if refused:
        with pytest.raises(ValueError, match="stride"):
            tokenizer(*arguments, **options)
    else:
        assert_same(tokenizer(*arguments, **options), expected)


# ---- morphemes, places, words ----


def surfaces(tokenizer, text, **options):
    """Tokens with the characters of the text that their offsets name."""
    encoding = tokenizer(text, return_offsets_mapping=True, **options)
    return [(token, text[a:b]) for token, (a, b) in zip(encoding.tokens(), encoding.offset_mapping, strict=True)]


def test_offsets_count_characters_after_emoji_and_white_space_of_every_kind():
    text = "영화\u3000최고 \u2003\n👍🏽재밌었어요 😀😀\n\n또\t\xa0"
    tokenizer = OktTokenizer().train_new_from_iterator([text], 100, show_progress=False)
    found = surfaces(tokenizer, text)
    assert len(found) > 6
    assert all(token == surface for token, surface in found)


def test_under_stem_an_offset_is_the_surface_form():
    tokenizer = train(stem=True)
    assert ("재밌다", "재밌었어요") in surfaces(tokenizer, "😀 영화가 재밌었어요")


def test_under_norm_an_offset_is_what_the_token_came_from():
    tokenizer = train(norm=True)
    found = surfaces(tokenizer, "😀 안됔ㅋㅋㅋㅋㅋ 이것도 되나욬ㅋㅋ")
    assert ("ㅋㅋㅋ", "ㅋㅋㅋㅋㅋ") in found
    assert ("되나요", "되나욬") in found


def test_a_piece_of_a_morpheme_has_its_own_characters_unless_the_morpheme_is_not_in_the_text():
    tokenizer = train(subword="bpe", word_mark="▁", vocab_size=300)
    for _, surface in surfaces(tokenizer, "😀 재밌었어요"):
        assert len(surface) <= 1 or surface in "재밌었어요"
    stemmed = train(subword="bpe", stem=True, vocab_size=300)
    assert {surface for _, surface in surfaces(stemmed, "재밌었어요")} == {"재밌었어요"}


def test_word_ids_count_morphemes_or_the_users_words(tokenizer):
    assert tokenizer("영화가 재밌었어요").word_ids() == [0, 1, 2]
    split = tokenizer(["영화가", "", "재밌었어요"], is_split_into_words=True, return_offsets_mapping=True)
    assert split.word_ids() == [0, 0, 2]
    assert split.offset_mapping == [(0, 2), (2, 3), (0, 5)]  # as everywhere in transformers: within the word


def test_added_tokens_are_found_before_the_analyzer_sees_the_text(tokenizer):
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.add_tokens(["[영화]"])
    tokenizer.add_special_tokens({"mask_token": "<mask>"})
    tokenizer.split_special_tokens = False
    assert tokenizer.tokenize("이[영화]정말<mask>") == ["이", "[영화]", "정말", "<mask>"]
    assert tokenizer("이[영화]정말<mask>").word_ids() == [0, 1, 2, 3]
    assert tokenizer.mask_token_id not in tokenizer("정말<mask>", split_special_tokens=True).input_ids


def test_an_added_token_is_not_found_inside_a_morpheme():
    tokenizer = train(stem=True)
    tokenizer.add_tokens(["다"])  # the last character of every stem, but not of the text
    assert tokenizer.tokenize("영화 재밌었어요") == ["영화", "재밌다"]


@pytest.mark.parametrize("options", [{}, {"stem": True, "norm": True}, {"subword": "bpe", "word_mark": "▁"}])
@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.text(max_size=30), max_size=5), side=st.sampled_from(["left", "right"]))
def test_ids_are_the_same_with_and_without_encodings(options, texts, side):
    tokenizer = trained_once(**options)
    call = {"truncation": True, "max_length": 8, "padding": True, "padding_side": side}
    plain, full = tokenizer(texts, **call), tokenizer(texts, return_offsets_mapping=True, **call)
    assert plain.input_ids == full.input_ids
    assert plain.attention_mask == full.attention_mask
    assert list(plain.encodings) == list(full.encodings)
    alone = [tokenizer(text, truncation=True, max_length=8).input_ids for text in texts]
    assert alone == tokenizer(texts, truncation=True, max_length=8).input_ids


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=40))
def test_offsets_are_in_order_and_cover_every_character_that_is_not_white_space(text):
    encoding = trained_once()(text, return_offsets_mapping=True)
    spans = encoding.offset_mapping
    assert all(a < b for a, b in spans)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    for place, character in enumerate(text):
        if not character.isspace() and not any(space in text for space in "\xa0\u3000"):
            covered = encoding.char_to_token(place) is not None
            assert covered or unicode_space_before(text, place)


def unicode_space_before(text: str, place: int) -> bool:
    """Whether the character belongs to a piece that begins with a Unicode space, which Okt drops whole."""
    piece = re.split(r"[ \t\n\x0b\f\r]+", text[: place + 1])[-1]
    return bool(piece) and piece[0].isspace()
