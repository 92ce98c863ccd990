"""OktTokenizer: every promise of a fast tokenizer of transformers, over Okt's morphemes."""

import copy
import json
import pickle
import re
import subprocess
import sys
import textwrap
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, pre_tokenizers
from transformers import AutoTokenizer, DataCollatorWithPadding, TokenizersBackend

import okt_lstm
from okt_lstm import OktTokenizer
from okt_lstm.models import tokenization_okt
from okt_lstm.models.okt_konlpy import Morphemes

TEXTS = [
    "이 영화 정말 재밌었어요 😀 또 보고 싶다",
    "별로였다 돈이 아깝다",
    "",
    "연기도 연출도 최고였다 👍🏽 배우들이 좋았다",
    "지루하고 재미없는 영화였어요ㅋㅋㅋㅋㅋ",
    "   \t ",
    "안됔ㅋㅋㅋㅋㅋ 이것도 되나욬ㅋㅋ",
    "The best movie ever, 10점 만점에 10점!",
]


@pytest.fixture(scope="module")
def tokenizer() -> OktTokenizer:
    return train()


def train(**options) -> OktTokenizer:
    vocab_size = options.pop("vocab_size", 400)
    return OktTokenizer(**options).train_new_from_iterator(TEXTS, vocab_size, show_progress=False)


class SpaceAnalyzer:
    """Splits at white space, so that a stock tokenizer which does the same can be held against OktTokenizer."""

    dictionary_hash = "spaces"

    def encode_batch(self, texts, norm=False, stem=False):
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
    monkeypatch.setattr(tokenization_okt, "_analyzer", lambda words: (SpaceAnalyzer(), "spaces 1.0"))


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


@pytest.mark.parametrize("model", ["word", "bpe"])
@pytest.mark.parametrize("specials", [{}, {"cls_token": "<cls>", "sep_token": "<sep>"}])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(call=calls())
def test_everything_equals_a_stock_tokenizer_if_the_analyzer_splits_at_spaces(split_at_spaces, model, specials, call):
    arguments, options, sides = call
    texts = ["가나 영화 a", "영화 b 가나 가나", "나"]
    tokenizer = OktTokenizer(model=model, mask_token=AddedToken("<mask>", lstrip=True), **specials, **sides)
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
    tokenizer = train(model="bpe", word_mark="▁", vocab_size=300)
    for _, surface in surfaces(tokenizer, "😀 재밌었어요"):
        assert len(surface) <= 1 or surface in "재밌었어요"
    stemmed = train(model="bpe", stem=True, vocab_size=300)
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
    assert tokenizer.tokenize("이[영화]정말<mask>") == ["이", "[영화]", "정말", "<mask>"]
    assert tokenizer("이[영화]정말<mask>").word_ids() == [0, 1, 2, 3]
    assert tokenizer.mask_token_id not in tokenizer("정말<mask>", split_special_tokens=True).input_ids


def test_an_added_token_is_not_found_inside_a_morpheme():
    tokenizer = train(stem=True)
    tokenizer.add_tokens(["다"])  # the last character of every stem, but not of the text
    assert tokenizer.tokenize("영화 재밌었어요") == ["영화", "재밌다"]


@pytest.mark.parametrize("options", [{}, {"stem": True, "norm": True}, {"model": "bpe", "word_mark": "▁"}])
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


_trained: dict[str, OktTokenizer] = {}


def trained_once(**options) -> OktTokenizer:
    return _trained.setdefault(repr(options), _trained.get(repr(options)) or train(**options))


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


# ---- calls ----


def test_an_empty_batch_is_an_empty_result(tokenizer):
    assert dict(tokenizer([])) == {"input_ids": [], "attention_mask": []}
    assert tokenizer([], return_offsets_mapping=True)["offset_mapping"] == []
    assert tokenizer([], padding=True, return_tensors="pt").input_ids.shape == (0, 0)


def test_texts_of_nothing_but_white_space_have_no_tokens(tokenizer):
    assert tokenizer(["", " ", "\u3000 "]).input_ids == [[], [], []]
    assert tokenizer(["", " "], padding=True, return_tensors="pt").input_ids.shape == (2, 0)
    assert tokenizer("").word_ids() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((5,), r"the input must be a text \(str\), not int \(5\)"),
        ((["좋다", None],), r"row 1 of the batch must be a text \(str\), not NoneType"),
        ((["좋다", 3.5],), r"row 1 of the batch must be a text \(str\), not float \(3\.5\)"),
        ((b"abc",), r"the input must be a text \(str\), not bytes"),
        ((["좋다"], [None]), r"row 0 of the batch must be a text"),
        ((["좋다", ["a", 1]],), r"row 1 of the batch must be a text \(str\), not a list of 2 that holds int"),
    ],
)
def test_what_is_not_text_gets_an_error_with_row_and_type(tokenizer, arguments, message):
    with pytest.raises(TypeError, match=message):
        tokenizer(*arguments)


def test_words_that_are_not_text_get_an_error_with_row_and_type(tokenizer):
    with pytest.raises(
        TypeError, match=r"row 1 of the batch must be a list of words .* not a list of 1 that holds int"
    ):
        tokenizer([["가"], [1]], is_split_into_words=True)
    with pytest.raises(ValueError, match="2 texts, but 1 in text_pair"):
        tokenizer(["가", "나"], ["다"])


def test_columns_of_data_sets_and_arrays_are_batches(tokenizer):
    datasets = pytest.importorskip("datasets")
    column = datasets.Dataset.from_dict({"text": TEXTS})["text"]
    assert tokenizer(column).input_ids == tokenizer(TEXTS).input_ids == tokenizer(np.array(TEXTS)).input_ids


def test_pairs_come_as_second_argument_or_as_tuples(tokenizer):
    assert tokenizer(["가", "나"], ["영화", "다"]).input_ids == tokenizer([("가", "영화"), ("나", "다")]).input_ids
    assert tokenizer("영화", "정말").sequence_ids() == [0, 1]


def test_results_are_tensors_of_whole_numbers_padded_with_the_pad_id(tokenizer):
    batch = tokenizer(TEXTS, padding=True, return_tensors="pt")
    assert batch.input_ids.dtype == batch.attention_mask.dtype == torch.int64
    assert (batch.input_ids[batch.attention_mask == 0] == tokenizer.pad_token_id).all()
    assert batch.attention_mask.sum(1).tolist() == [len(ids) for ids in tokenizer(TEXTS).input_ids]
    with pytest.raises(ValueError, match="padding=True"):
        tokenizer(TEXTS, return_tensors="pt")


def test_encodings_are_there_for_a_batch_that_was_tokenized_without_them(tokenizer):
    batch = tokenizer(TEXTS, padding=True, return_tensors="pt")
    assert len(batch.encodings) == len(TEXTS)
    assert batch.tokens(1) == tokenizer.convert_ids_to_tokens(batch.input_ids[1].tolist())
    assert TEXTS[1][slice(*batch.token_to_chars(1, 0))] == batch.tokens(1)[0]
    assert pickle.loads(pickle.dumps(batch)).word_ids(1) == batch.word_ids(1)


def test_lone_surrogates_do_no_harm(tokenizer):
    assert tokenizer(["영화 \ud800", "\udfff"], return_offsets_mapping=True).offset_mapping[0][0] == (0, 2)
    assert len(tokenizer(["영화 \ud800", "\udfff"]).input_ids) == 2
    assert len(train(model="bpe")("\ud800").input_ids) > 0


# ---- vocabulary ----


def test_a_tokenizer_without_vocabulary_knows_its_special_tokens(tokenizer):
    empty = OktTokenizer()
    assert empty.get_vocab() == {"<pad>": 0, "<unk>": 1}
    assert empty("영화가 좋다").input_ids == [1, 1, 1]
    assert (tokenizer.pad_token_id, tokenizer.unk_token_id) == (0, 1)


def test_the_vocabulary_is_by_frequency_then_by_first_appearance():
    trained = OktTokenizer().train_new_from_iterator(["영화 배우 영화", "음악 배우 돈"], 100, show_progress=False)
    assert trained.convert_ids_to_tokens(range(len(trained))) == ["<pad>", "<unk>", "영화", "배우", "음악", "돈"]
    cut = OktTokenizer().train_new_from_iterator(["영화 배우 영화", "음악 배우 돈"], 5, show_progress=False)
    assert cut.convert_ids_to_tokens(range(len(cut))) == ["<pad>", "<unk>", "영화", "배우", "음악"]
    rare = OktTokenizer().train_new_from_iterator(
        ["영화 배우 영화", "배우 돈"], 9, min_frequency=2, show_progress=False
    )
    assert set(rare.get_vocab()) == {"<pad>", "<unk>", "영화", "배우"}


@pytest.mark.parametrize("model", ["word", "bpe"])
def test_training_twice_gives_the_same_files(tmp_path, model):
    for name in ("one", "two"):
        train(model=model, vocab_size=320).save_pretrained(tmp_path / name)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_training_takes_texts_or_lists_of_texts_and_reads_them_as_a_stream(monkeypatch):
    vocabulary = train().get_vocab()
    lists = OktTokenizer().train_new_from_iterator(iter([TEXTS[:3], TEXTS[3:]]), 400, show_progress=False)
    assert lists.get_vocab() == vocabulary

    analyzed = []
    monkeypatch.setattr(tokenization_okt, "TEXTS_PER_BATCH", 10)
    morphemes = OktTokenizer._morphemes
    monkeypatch.setattr(
        OktTokenizer, "_morphemes", lambda self, texts: analyzed.append(len(texts)) or morphemes(self, texts)
    )

    def stream():
        for number in range(100):
            assert sum(analyzed) >= number - 10, "texts pile up unread"
            yield TEXTS[number % len(TEXTS)]

    assert (
        OktTokenizer().train_new_from_iterator(stream(), 400, show_progress=False).get_vocab().keys()
        == vocabulary.keys()
    )
    assert max(analyzed) == 10


def test_training_shows_a_progress_bar_unless_told_not_to(capfd):
    OktTokenizer().train_new_from_iterator(TEXTS, 100, length=len(TEXTS))
    assert f"{len(TEXTS)}/{len(TEXTS)}" in capfd.readouterr().err
    train()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("texts", "message"),
    [(["좋다", None], "item 1 of the iterator"), ([["좋다", 3]], "item 0 .* holds int"), ("좋다", "not one text")],
)
def test_training_on_what_is_not_text_says_which_item(texts, message):
    with pytest.raises(TypeError, match=message):
        OktTokenizer().train_new_from_iterator(texts, 100, show_progress=False)


@pytest.mark.parametrize(("model", "size"), [("word", 1), ("bpe", 257)])
def test_a_vocabulary_size_without_room_for_special_tokens_is_refused(model, size):
    with pytest.raises(ValueError, match=f"vocab_size={size} leaves no room"):
        OktTokenizer(model=model).train_new_from_iterator(TEXTS, size, show_progress=False)


@pytest.mark.parametrize("size", [258, 270, 320])
def test_bpe_keeps_within_its_vocabulary_size(size):
    tokenizer = train(model="bpe", vocab_size=size)
    assert len(tokenizer) <= size
    assert sorted(tokenizer.get_vocab().values()) == list(range(len(tokenizer)))


def test_training_keeps_options_special_tokens_and_their_places():
    first = OktTokenizer(
        stem=True, word_mark="▁", cls_token="<cls>", bos_token="<s>", add_bos_token=True, padding_side="left"
    )
    trained = first.train_new_from_iterator(
        TEXTS, 100, new_special_tokens=["<new>"], special_tokens_map={"<cls>": "[CLS]"}, show_progress=False
    )
    assert (trained.stem, trained.word_mark, trained.padding_side) == (True, "▁", "left")
    assert trained.cls_token == "[CLS]"
    assert "<cls>" not in trained.get_vocab()
    assert trained.extra_special_tokens == ["<new>"]
    assert trained.convert_tokens_to_ids("<new>") < 5
    assert trained("영화").input_ids[0] == trained.bos_token_id
    again = trained.train_new_from_iterator(TEXTS, 50, show_progress=False)
    assert again("영화").input_ids[0] == again.bos_token_id
    assert again.all_special_tokens == trained.all_special_tokens


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "unigram"}, 'model must be "word" or "bpe"'),
        ({"word_mark": ""}, "word_mark must be"),
        ({"stem": "yes"}, "stem must be true or false"),
        ({"pad_token": None}, "needs a pad_token"),
        ({"user_dictionary": {"Nouns": ["가"]}}, "'Nouns'"),
        ({"user_dictionary": {"Noun": "가"}}, "must be a list of words"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        OktTokenizer(**options)


# ---- decoding ----


def test_decode_puts_spaces_between_morphemes_or_gives_the_spacing_back(tokenizer):
    text = "이 영화 정말 재밌었어요 😀"
    assert tokenizer.decode(tokenizer(text).input_ids) == "이 영화 정말 재밌었어요 😀"
    assert tokenizer.decode(tokenizer("연기도 연출도").input_ids) == "연기 도 연출 도"
    marked = train(word_mark="▁")
    assert marked.decode(marked("연기도 \t 연출도").input_ids) == "연기도 연출도"
    ids = marked(["연기도", "연기도 연출도"], padding=True).input_ids
    assert marked.decode(ids, skip_special_tokens=True) == ["연기도", "연기도 연출도"]


@settings(max_examples=150, deadline=None)
@given(
    words=st.lists(
        st.text(st.characters(exclude_categories=["Z", "C"], exclude_characters="▁"), min_size=1, max_size=8)
    )
)
def test_bpe_with_a_word_mark_decodes_to_the_text_and_knows_everything(words):
    tokenizer = trained_once(model="bpe", word_mark="▁")
    ids = tokenizer(" ".join(words)).input_ids
    assert tokenizer.decode(ids) == " ".join(words)
    assert tokenizer.unk_token_id not in ids


# ---- files and copies ----


def assert_equal_tokenizers(one: OktTokenizer, other: OktTokenizer) -> None:
    assert one.get_vocab() == other.get_vocab()
    for name in (
        "norm",
        "stem",
        "model",
        "word_mark",
        "user_dictionary",
        "dictionary_hash",
        "analyzer",
        "padding_side",
    ):
        assert getattr(one, name) == getattr(other, name), name
    texts = [*TEXTS, "<mask> 영화 <pad>"]
    assert one(texts).input_ids == other(texts).input_ids
    assert one.decode(one(texts[0]).input_ids) == other.decode(one(texts[0]).input_ids)
    assert one.backend_tokenizer.to_str() == other.backend_tokenizer.to_str()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"norm": True, "stem": True, "word_mark": "##", "padding_side": "left", "model_max_length": 40},
        {"model": "bpe", "word_mark": "▁", "cls_token": "<cls>", "bos_token": "<s>", "add_bos_token": True},
        {"user_dictionary": {"Noun": ["뷁뷁"], "Verb": ["뷁하다"]}, "mask_token": "<mask>"},
    ],
)
def test_saved_pickled_and_copied_tokenizers_are_equal(tmp_path, options):
    tokenizer = train(**options)
    tokenizer.add_tokens(["<tag>"])
    tokenizer(TEXTS, padding=True, truncation=True, max_length=5)
    tokenizer.save_pretrained(tmp_path)
    for copied in (
        OktTokenizer.from_pretrained(tmp_path),
        AutoTokenizer.from_pretrained(tmp_path),
        pickle.loads(pickle.dumps(tokenizer)),
        copy.deepcopy(tokenizer),
    ):
        assert type(copied) is OktTokenizer
        assert_equal_tokenizers(tokenizer, copied)
    OktTokenizer.from_pretrained(tmp_path).save_pretrained(tmp_path / "again")
    for path in (tmp_path / "again").iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_saved_files_record_options_and_analyzer(tmp_path):
    train(stem=True, word_mark="▁").save_pretrained(tmp_path)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert (config["norm"], config["stem"], config["model"], config["word_mark"]) == (False, True, "word", "▁")
    assert re.fullmatch("[0-9a-f]{64}", config["dictionary_hash"])
    assert re.fullmatch(r"(oktane|konlpy) \d+\.\d+.*", config["analyzer"])
    assert config["auto_map"]["AutoTokenizer"][0] == "tokenization_okt.OktTokenizer"
    assert {"tokenization_okt.py", "okt_konlpy.py"} <= {path.name for path in tmp_path.iterdir()}


def test_a_user_dictionary_is_a_file_of_its_own_and_changes_the_analysis(tmp_path):
    texts = ["뷁뷁을 뷁했다", *TEXTS]
    options = {"user_dictionary": {"Noun": ["뷁뷁"], "Verb": ["뷁하다"]}, "stem": True}
    tokenizer = OktTokenizer(**options).train_new_from_iterator(texts, 400, show_progress=False)
    assert tokenizer.tokenize(texts[0]) == ["뷁뷁", "을", "뷁하다"]
    tokenizer.save_pretrained(tmp_path)
    assert (tmp_path / "user_dictionary.txt").read_text() == "뷁뷁\tNoun\n뷁하\tVerb\n"
    assert "user_dictionary" not in json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert OktTokenizer.from_pretrained(tmp_path).tokenize(texts[0]) == ["뷁뷁", "을", "뷁하다"]
    assert OktTokenizer(user_dictionary=tmp_path / "user_dictionary.txt").user_dictionary == tokenizer.user_dictionary
    train().save_pretrained(tmp_path)  # one without, over it
    assert OktTokenizer.from_pretrained(tmp_path).user_dictionary == {}


def test_loading_with_other_word_lists_warns(tmp_path, caplog):
    train().save_pretrained(tmp_path)
    OktTokenizer.from_pretrained(tmp_path)
    assert "word lists" not in caplog.text
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config | {"dictionary_hash": "0" * 64}))
    loaded = OktTokenizer.from_pretrained(tmp_path)
    assert "made with other word lists" in caplog.text
    assert loaded.dictionary_hash == "0" * 64  # the vocabulary's, also when saved again


def test_a_folder_without_vocabulary_is_refused(tmp_path):
    train().save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(ValueError, match=r"no tokenizer\.json"):
        OktTokenizer.from_pretrained(tmp_path)


def test_save_vocabulary_writes_the_models_own_files(tmp_path, tokenizer):
    (path,) = tokenizer.save_vocabulary(tmp_path)
    assert json.loads(Path(path).read_text())["<unk>"] == 1
    assert len(train(model="bpe").save_vocabulary(tmp_path, "bpe")) == 2


def test_a_saved_folder_loads_by_its_own_code_where_okt_lstm_is_missing(tmp_path, tokenizer):
    tokenizer.save_pretrained(tmp_path / "model")
    program = """
        import sys
        sys.modules["okt_lstm"] = None
        from transformers import AutoTokenizer
        tokenizer = AutoTokenizer.from_pretrained(sys.argv[1], trust_remote_code=True)
        assert type(tokenizer).__module__.startswith("transformers_modules"), type(tokenizer)
        print(tokenizer(sys.argv[2]).input_ids)
        tokenizer.save_pretrained(sys.argv[1] + "-again")
        print(AutoTokenizer.from_pretrained(sys.argv[1] + "-again", trust_remote_code=True)(sys.argv[2]).input_ids)
    """
    environment = {"PATH": "", "HOME": str(tmp_path), "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"}
    arguments = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "model"), TEXTS[0]]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(tokenizer(TEXTS[0]).input_ids)] * 2


# ---- analyzers ----


def test_without_oktane_konlpy_is_used_and_said_once(monkeypatch, caplog):
    fake = SpaceAnalyzer()
    monkeypatch.setitem(sys.modules, "oktane", None)
    monkeypatch.setattr(tokenization_okt, "KonlpyOkt", lambda user_dictionary: fake)
    tokenization_okt._analyzer.cache_clear()
    try:
        assert OktTokenizer()._analyzer()[0] is fake
        assert OktTokenizer(user_dictionary={"Noun": ["가"]})._analyzer()[0] is fake
        assert caplog.text.count("uses konlpy's Okt in a Java virtual machine") == 1
    finally:
        tokenization_okt._analyzer.cache_clear()


def test_without_any_analyzer_one_error_says_what_to_install(monkeypatch, tmp_path):
    train().save_pretrained(tmp_path)
    monkeypatch.setitem(sys.modules, "oktane", None)
    find_spec = okt_lstm.models.okt_konlpy.importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *rest: None if name == "jpype" else find_spec(name, *rest)
    )
    tokenization_okt._analyzer.cache_clear()
    try:
        tokenizer = OktTokenizer.from_pretrained(tmp_path)  # decoding needs no analyzer
        assert tokenizer.decode([2])
        with pytest.raises(ImportError, match=r'pip install "okt-lstm\[java\]"'):
            tokenizer("영화")
    finally:
        tokenization_okt._analyzer.cache_clear()


# ---- processes and threads ----


def test_calls_leave_the_fingerprint_as_it_was(tmp_path):
    hasher = pytest.importorskip("datasets.fingerprint").Hasher
    tokenizer = train(model_max_length=3)
    before = hasher.hash(tokenizer)
    tokenizer(TEXTS)
    tokenizer(TEXTS, padding="max_length", truncation=True, max_length=9, return_tensors="pt")
    tokenizer(TEXTS[0], TEXTS[1], return_offsets_mapping=True, truncation=True, stride=1, max_length=4)
    tokenizer.decode([2, 3]), tokenizer.tokenize(TEXTS[0])
    assert hasher.hash(tokenizer) == before


def test_a_second_map_finds_its_cache_and_workers_give_the_same(tmp_path):
    datasets = pytest.importorskip("datasets")
    tokenizer = train()
    data = datasets.Dataset.from_dict({"text": TEXTS * 4})
    data.save_to_disk(tmp_path / "data")
    calls = datasets.load_from_disk(tmp_path / "data")

    def encode(rows):
        return tokenizer(rows["text"], truncation=True, max_length=6)

    first = calls.map(encode, batched=True)
    again = calls.map(encode, batched=True)
    assert first.cache_files == again.cache_files
    workers = calls.map(encode, batched=True, num_proc=2)
    assert workers["input_ids"][:] == first["input_ids"][:]


def test_data_loader_workers_tokenize(tokenizer):
    def collate(texts):
        return tokenizer(texts, padding=True, return_tensors="pt")

    loader = torch.utils.data.DataLoader(TEXTS, batch_size=2, num_workers=2, collate_fn=collate)
    assert [batch["input_ids"].tolist() for batch in loader] == [
        tokenizer(TEXTS[i : i + 2], padding=True).input_ids for i in range(0, len(TEXTS), 2)
    ]


def test_threads_with_different_options_do_not_disturb_each_other(tokenizer):
    options = [{"padding": True}, {"truncation": True, "max_length": 3}, {"padding": "max_length", "max_length": 30}]
    options = [*options, *(each | {"return_offsets_mapping": True} for each in options)]
    expected = [tokenizer(TEXTS, **each).input_ids for each in options]
    wrong = []

    def work(number):
        for _ in range(20):
            if tokenizer(TEXTS, **options[number]).input_ids != expected[number]:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(options))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_collator_pads_what_the_tokenizer_gives(tokenizer):
    batch = DataCollatorWithPadding(tokenizer)([dict(tokenizer(text)) for text in TEXTS])
    assert torch.equal(batch["input_ids"], tokenizer(TEXTS, padding=True, return_tensors="pt").input_ids)
