"""Learning a vocabulary."""

import pytest
from okt_tokenizers import TEXTS, train, trained_once
from transformers.utils import logging

from okt_lstm import OktTokenizer
from okt_lstm.models import okt_vocabulary


def test_a_tokenizer_without_vocabulary_knows_its_special_tokens():
    empty = OktTokenizer()
    assert empty.get_vocab() == {"<pad>": 0, "<unk>": 1}
    assert empty("영화가 좋다").input_ids == [1, 1, 1]
    assert (empty.pad_token_id, empty.unk_token_id) == (0, 1)


@pytest.mark.parametrize("subword", ["none", "bpe"])
@pytest.mark.parametrize("encode", [OktTokenizer.__call__, OktTokenizer.tokenize, OktTokenizer.encode_ragged])
def test_encoding_without_a_vocabulary_says_once_how_to_learn_one(caplog, subword, encode):
    logging.get_logger("transformers").warning_once.cache_clear()
    tokenizer = OktTokenizer(subword=subword)
    for _ in range(2):
        encode(tokenizer, "영화가 재밌다" if encode is OktTokenizer.tokenize else ["영화가 재밌다"])
    assert caplog.text.count("train_new_from_iterator") == 1
    caplog.clear()
    trained_once(subword=subword)(["영화가 재밌다"])
    assert not caplog.messages


def test_the_vocabulary_is_by_frequency_then_by_first_appearance():
    trained = OktTokenizer().train_new_from_iterator(["영화 배우 영화", "음악 배우 돈"], 100, show_progress=False)
    assert trained.convert_ids_to_tokens(range(len(trained))) == ["<pad>", "<unk>", "영화", "배우", "음악", "돈"]
    cut = OktTokenizer().train_new_from_iterator(["영화 배우 영화", "음악 배우 돈"], 5, show_progress=False)
    assert cut.convert_ids_to_tokens(range(len(cut))) == ["<pad>", "<unk>", "영화", "배우", "음악"]
    rare = OktTokenizer().train_new_from_iterator(
        ["영화 배우 영화", "배우 돈"], 9, min_frequency=2, show_progress=False
    )
    assert set(rare.get_vocab()) == {"<pad>", "<unk>", "영화", "배우"}


@pytest.mark.parametrize("subword", ["none", "bpe"])
def test_training_twice_gives_the_same_files(tmp_path, subword):
    for name in ("one", "two"):
        train(subword=subword, vocab_size=320).save_pretrained(tmp_path / name)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_training_takes_texts_or_lists_of_texts_and_reads_them_as_a_stream(monkeypatch):
    vocabulary = train().get_vocab()
    lists = OktTokenizer().train_new_from_iterator(iter([TEXTS[:3], TEXTS[3:]]), 400, show_progress=False)
    assert lists.get_vocab() == vocabulary

    analyzed = []
    monkeypatch.setattr(okt_vocabulary, "TEXTS_PER_BATCH", 10)
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
    # A command that ran before in this process may have turned transformers' bars off.
    logging.enable_progress_bar()
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


@pytest.mark.parametrize(("subword", "size"), [("none", 1), ("bpe", 257)])
def test_a_vocabulary_size_without_room_for_special_tokens_is_refused(subword, size):
    with pytest.raises(ValueError, match=f"vocab_size={size} leaves no room"):
        OktTokenizer(subword=subword).train_new_from_iterator(TEXTS, size, show_progress=False)


@pytest.mark.parametrize("size", [258, 270, 320])
def test_bpe_keeps_within_its_vocabulary_size(size):
    tokenizer = train(subword="bpe", vocab_size=size)
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
        ({"subword": "unigram"}, 'subword must be "none" or "bpe"'),
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
