"""OktTokenizer: calls, decoding, files and copies, processes and threads."""

import copy
import json
import pickle
import re
import threading
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from okt_tokenizers import TEXTS, train, trained_once
from transformers import AutoTokenizer, DataCollatorWithPadding

import okt_lstm.models
from okt_lstm import OktTokenizer
from okt_lstm.models.okt_former_names import with_present_names
from oktane.hangul import compose_hangul
from oktane.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> OktTokenizer:
    return train()


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


def test_a_table_is_refused_with_the_fix(tokenizer):
    datasets = pytest.importorskip("datasets")
    table = datasets.Dataset.from_dict({"text": TEXTS})
    for texts in (table, table.to_pandas(), table.data.table):
        with pytest.raises(TypeError, match=r"pass the column that holds the texts, as in data\['text'\]"):
            tokenizer(texts)


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
    assert len(train(subword="bpe")("\ud800").input_ids) > 0


@pytest.mark.parametrize("options", [{}, {"norm": True, "stem": True}, {"subword": "bpe", "word_mark": "▁"}])
def test_decomposed_hangul_has_the_ids_of_its_composed_form_and_offsets_in_the_given_text(options):
    tokenizer = train(**options)
    decomposed = [unicodedata.normalize("NFD", text) for text in TEXTS]
    expected = tokenizer(TEXTS, return_offsets_mapping=True)
    for found in (tokenizer(decomposed, return_offsets_mapping=True), tokenizer(decomposed)):
        assert found.input_ids == expected.input_ids
    assert tokenizer.encode_ragged(decomposed).ids.tolist() == tokenizer.encode_ragged(TEXTS).ids.tolist()
    found = tokenizer(decomposed, return_offsets_mapping=True)
    for row, (source, text) in enumerate(zip(decomposed, TEXTS, strict=True)):
        for word in set(found.word_ids(row)):
            start, end = found[row].word_to_chars(word)
            assert unicodedata.normalize("NFC", source[start:end]) == text[slice(*expected[row].word_to_chars(word))]


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
    tokenizer = trained_once(subword="bpe", word_mark="▁")
    text = " ".join(words)
    assume(not any(token in text for token in tokenizer.all_special_tokens))  # those are no words and have no mark
    ids = tokenizer(text).input_ids
    assert tokenizer.decode(ids) == compose_hangul([text])[0][0]
    assert tokenizer.unk_token_id not in ids


# ---- names of version 0.1.0 ----


@pytest.mark.parametrize(("model", "subword"), [("word", "none"), ("bpe", "bpe")])
def test_the_former_option_model_is_accepted_with_a_warning_that_names_subword(model, subword):
    with pytest.warns(FutureWarning, match='subword="none" or "bpe"'):
        tokenizer = OktTokenizer(model=model)
    assert tokenizer.subword == subword
    with pytest.warns(FutureWarning), pytest.raises(ValueError, match="subword must be"):
        OktTokenizer(model="unigram")


def test_a_folder_of_0_1_0_with_a_user_dictionary_loads_without_a_warning_and_is_saved_in_todays_form(tmp_path, caplog):
    tokenizer = train(subword="bpe", user_dictionary={"Noun": ["뷁뷁"]})
    tokenizer.save_pretrained(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    config = json.loads(path.read_text("utf-8"))
    former = {"model": config.pop("subword"), "analyser": config.pop("analyzer"), "dictionary_hash": "0" * 64}
    path.write_text(json.dumps(config | former), "utf-8")
    loaded = OktTokenizer.from_pretrained(tmp_path)
    assert_equal_tokenizers(loaded, tokenizer)
    loaded.save_pretrained(tmp_path)
    saved = json.loads(path.read_text("utf-8"))
    assert saved["dictionary_hash"] == tokenizer.dictionary_hash
    assert not {"model", "analyser"} & saved.keys()
    assert not caplog.messages


# ---- files and copies ----


def assert_equal_tokenizers(one: OktTokenizer, other: OktTokenizer) -> None:
    assert one.get_vocab() == other.get_vocab()
    for name in (
        "norm",
        "stem",
        "subword",
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
        {"subword": "bpe", "word_mark": "▁", "cls_token": "<cls>", "bos_token": "<s>", "add_bos_token": True},
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
    assert (config["norm"], config["stem"], config["subword"], config["word_mark"]) == (False, True, "none", "▁")
    assert re.fullmatch("[0-9a-f]{64}", config["dictionary_hash"])
    assert re.fullmatch(r"(oktane|konlpy) \d+\.\d+.*", config["analyzer"])
    assert config["auto_map"]["AutoTokenizer"][0] == "tokenization_okt.OktTokenizer"
    code = {path.name for path in tmp_path.iterdir() if path.suffix == ".py"}
    of_this_tokenizer = {path.name for path in Path(okt_lstm.models.__path__[0]).glob("*okt*.py")}
    assert code == of_this_tokenizer - {"tokenization_okt_character.py"}


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


def test_a_folder_without_vocabulary_is_refused(tmp_path):
    train().save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(ValueError, match=r"no tokenizer\.json"):
        OktTokenizer.from_pretrained(tmp_path)


def test_save_vocabulary_writes_the_models_own_files(tmp_path, tokenizer):
    (path,) = tokenizer.save_vocabulary(tmp_path)
    assert json.loads(Path(path).read_text())["<unk>"] == 1
    assert len(train(subword="bpe").save_vocabulary(tmp_path, "bpe")) == 2


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


TYPED = ["<pad>", "영화 <unk> 최고", "<pad><pad>영화", "[SEP]굿<pad>"]


@pytest.mark.parametrize("subword", ["none", "bpe"])
def test_special_tokens_that_somebody_typed_are_text(subword, tmp_path):
    texts = [*TEXTS, *TYPED]
    trained = OktTokenizer(subword=subword, sep_token="[SEP]").train_new_from_iterator(texts, 400, show_progress=False)
    trained.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert config["split_special_tokens"] is True
    # As 0.1.0 wrote it.
    del config["split_special_tokens"]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    for tokenizer in (trained, OktTokenizer.from_pretrained(tmp_path)):
        ids = tokenizer(texts)["input_ids"]
        assert not {tokenizer.pad_token_id, tokenizer.sep_token_id} & {number for row in ids for number in row}
        flat, _ = tokenizer.encode_ragged(texts)
        assert flat.tolist() == [number for row in ids for number in row]
        # On the fast way, with no look at single texts.
        assert tokenizer._is_plain(texts, tokenizer._added_tokens(None), add_special_tokens=True)


def test_a_tokenizer_with_a_mask_token_finds_it(tmp_path):
    trained = OktTokenizer(mask_token="<mask>").train_new_from_iterator(TEXTS, 400, show_progress=False)
    trained.save_pretrained(tmp_path)
    for tokenizer in (trained, OktTokenizer.from_pretrained(tmp_path)):
        assert tokenizer.mask_token_id in tokenizer("영화 <mask>")["input_ids"]
        assert tokenizer.mask_token_id not in tokenizer("영화 <mask>", split_special_tokens=True)["input_ids"]


@pytest.mark.parametrize("ids", [[2, -100], -1, [-(2**40)]])
def test_negative_ids_are_a_value_error_that_says_so(ids):
    tokenizer = OktTokenizer()
    for refuse in (tokenizer.decode, tokenizer.convert_ids_to_tokens):
        with pytest.raises(ValueError, match="token ids are 0 or more"):
            refuse(ids)


@pytest.mark.parametrize("subword", ["none", "bpe"])
def test_parts_of_speech_and_stop_words_are_left_out_saved_and_keep_their_places(tmp_path, subword):
    options = {"stem": True, "pos": ["Verb", "Noun", "Adjective"], "stopwords": ["정말", "하다", " 정말"]}
    tokenizer = train(subword=subword, vocab_size=400, **options)
    assert (tokenizer.pos, tokenizer.stopwords) == (["Noun", "Verb", "Adjective"], ["정말", "하다"])
    text = "영화가 정말 재밌었다"
    encoded = tokenizer(text, return_offsets_mapping=True)
    assert {text[start:end] for start, end in encoded["offset_mapping"]} == {"영화", "재밌었다"}
    tokenizer.save_pretrained(tmp_path)
    again = OktTokenizer.from_pretrained(tmp_path)
    assert (again.pos, again.stopwords) == (tokenizer.pos, tokenizer.stopwords)
    assert again(text).input_ids == encoded.input_ids == Tokenizer(tmp_path).encode([text])[0].tolist()
    assert again.encode_ragged([text]).ids.tolist() == encoded.input_ids


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pos": ["명사"]}, "pos: '명사' is no part of speech; choose from: Noun, Verb"),
        ({"pos": []}, "pos is empty"),
        ({"stopwords": "정말"}, "stopwords must be a list of words, not '정말'"),
        ({"stopwords": [1]}, "stopwords must be a list of words, and 1 is none"),
    ],
)
def test_wrong_parts_of_speech_and_stop_words_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        OktTokenizer(**options)


def test_words_that_0_1_0_did_not_look_up_stay_unknown_to_its_tokenizers():
    words = {"Noun": ["LG전자", "워라밸"]}
    assert OktTokenizer(user_dictionary=words).user_dictionary == words
    old = with_present_names({"analyser": "oktane 0.1.0", "user_dictionary": words})
    assert old["user_dictionary"] == {"Noun": ["워라밸"]}
