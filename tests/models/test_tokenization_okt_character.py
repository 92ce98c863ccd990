"""OktCharacterTokenizer: ids, types and offsets of characters."""

import pickle
import unicodedata

import pytest
import torch
from transformers import AutoTokenizer, DataCollatorForTokenClassification

from okt_lstm import OktCharacterTokenizer
from okt_lstm.models.tokenization_okt_character import PARTS_OF_SPEECH, TYPE_VOCAB_SIZE, character_types
from oktane import Okt

TEXTS = ["이순신은 서울에서 태어났다.", "서울", "", "ㅋㅋ 굿!! 123 abc 😀", "한글\n둘째 줄"]


@pytest.fixture(scope="module")
def tokenizer():
    return OktCharacterTokenizer().train_new_from_iterator(TEXTS, vocab_size=200)


def parts(types):
    """Return (part of speech, begins a morpheme, after white space) of each type; None for 0."""
    return [None if t == 0 else (PARTS_OF_SPEECH[(t - 1) // 4], (t - 1) % 4 > 1, (t - 1) % 2 == 1) for t in types]


def test_each_character_is_a_token_with_its_offset(tokenizer):
    encoded = tokenizer(TEXTS, return_offsets_mapping=True)
    for text, offsets, ids in zip(TEXTS, encoded["offset_mapping"], encoded["input_ids"], strict=True):
        assert offsets == [(index, index + 1) for index in range(len(text))]
        assert tokenizer.decode(ids) == text


def test_types_say_what_okt_says(tokenizer):
    text = TEXTS[0]
    types = parts(tokenizer(text)["token_type_ids"])
    for morpheme in Okt().tokenize(text):
        for index in range(morpheme.start, morpheme.end):
            part, begins, _ = types[index]
            assert part == morpheme.pos
            assert begins == (index == morpheme.start)
    assert [index for index, kind in enumerate(types) if kind and kind[2]] == [0, 5, 10]
    assert types[4] is None
    assert all(0 <= kind < TYPE_VOCAB_SIZE for row in character_types(TEXTS) if row for kind in row)


def test_without_white_space_it_only_shows_in_the_types():
    tokenizer = OktCharacterTokenizer(keep_whitespace=False).train_new_from_iterator(TEXTS, vocab_size=200)
    encoded = tokenizer(TEXTS[0], return_offsets_mapping=True)
    assert "".join(TEXTS[0][start:end] for start, end in encoded["offset_mapping"]) == TEXTS[0].replace(" ", "")
    kinds = parts(encoded["token_type_ids"])
    assert [start for (start, _), kind in zip(encoded["offset_mapping"], kinds, strict=True) if kind[2]] == [0, 5, 10]


def test_conjoining_jamo_count_as_the_character_that_they_make(tokenizer):
    # NFD: each syllable is two or three characters of the given text.
    text = unicodedata.normalize("NFD", "서울")
    encoded = tokenizer(text, return_offsets_mapping=True)
    assert encoded["input_ids"] == tokenizer("서울")["input_ids"]
    assert encoded["offset_mapping"] == [(0, 2), (2, 5)]


def test_padding_truncation_and_overflow_keep_types_beside_their_characters(tokenizer):
    text = TEXTS[0]
    whole = tokenizer(text)
    padded = tokenizer([text, "서울"], padding=True, return_tensors="pt")
    assert padded["token_type_ids"].shape == padded["input_ids"].shape
    assert padded["token_type_ids"][0].tolist() == whole["token_type_ids"]
    assert padded["token_type_ids"][1, 2:].sum() == 0
    cut = tokenizer(text, truncation=True, max_length=5, stride=2, return_overflowing_tokens=True)
    for row, ids in enumerate(cut["input_ids"]):
        start = row * 3
        assert ids == whole["input_ids"][start : start + 5]
        assert cut["token_type_ids"][row] == whole["token_type_ids"][start : start + 5]


def test_characters_as_words_give_the_types_of_the_text_that_they_make(tokenizer):
    text = TEXTS[0]
    encoded = tokenizer(list(text), is_split_into_words=True)
    assert encoded["input_ids"] == tokenizer(text)["input_ids"]
    assert encoded["token_type_ids"] == tokenizer(text)["token_type_ids"]
    assert encoded.word_ids() == list(range(len(text)))
    words = tokenizer([text.split(), ["서울"]], is_split_into_words=True)
    expected = [
        kind for kind, character in zip(tokenizer(text)["token_type_ids"], text, strict=True) if character != " "
    ]
    assert words["token_type_ids"] == [expected, tokenizer("서울")["token_type_ids"]]


def test_a_collator_pads_labels_and_types(tokenizer):
    rows = [{**tokenizer(text), "labels": [0] * len(text)} for text in TEXTS[:2]]
    batch = DataCollatorForTokenClassification(tokenizer)(rows)
    assert batch["labels"].shape == batch["token_type_ids"].shape == batch["input_ids"].shape
    assert batch["labels"][1, 2:].eq(-100).all()


def test_a_saved_tokenizer_loads_and_pickles(tmp_path, tokenizer):
    tokenizer.save_pretrained(tmp_path)
    for again in (AutoTokenizer.from_pretrained(tmp_path), pickle.loads(pickle.dumps(tokenizer))):
        assert isinstance(again, OktCharacterTokenizer)
        assert again(TEXTS)["token_type_ids"] == tokenizer(TEXTS)["token_type_ids"]
        assert again(TEXTS)["input_ids"] == tokenizer(TEXTS)["input_ids"]


def test_special_tokens_in_a_text_are_text(tokenizer):
    assert tokenizer.pad_token_id not in tokenizer("<pad> 서울")["input_ids"]


def test_empty_texts_have_no_tokens(tokenizer):
    assert tokenizer("")["input_ids"] == tokenizer("")["token_type_ids"] == []
    assert tokenizer(["", ""])["token_type_ids"] == [[], []]
    assert torch.is_tensor(tokenizer(["", "서울"], padding=True, return_tensors="pt")["token_type_ids"])
