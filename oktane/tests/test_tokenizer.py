"""The ids are OktTokenizer's, whatever the options and whatever the text."""

import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

okt_lstm = pytest.importorskip("okt_lstm")

from tokenizers import AddedToken  # noqa: E402
from trained_folders import RELEASED, TEXTS, trained_tokenizer  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

from oktane.tokenizer import Tokenizer  # noqa: E402

HOSTILE = [
    "",
    " ",
    "\0",
    "\ud800",
    "a\udfff가",
    "가" * 5000,
    "ㅋ" * 3000,
    "<pad>",
    "<pad",
    "x<unk>y <pad>",
    "▁영화▁",
    "\u3000영화",
    "e\u0301 café",
    "\u1112\u1161\u11ab",
    "👨‍👩‍👧‍👦🇰🇷",
    "\U0010ffff",
    "ﬁ",
    "<0x41>",
    "A<0x0A>",
    "\x1c영화\x1d가",
    "a" * 10_000,
]
# Characters that matter to one of the steps.
ALPHABET = "가힣ㅋㅠ영화가재미있다최고였 \t\u3000\x1c.!?aZ09<>pad[CLS]#@▁\0\ud800\u0301\u200d👍é中"


def rows_of(tokenizer, texts):
    ids, splits = tokenizer.encode(texts)
    return [row.tolist() for row in np.split(ids, splits[1:-1])] if texts else []


def assert_same_ids(reference, tokenizer, texts):
    limited = tokenizer.max_length is not None
    expected = reference(texts, truncation=limited, max_length=tokenizer.max_length)["input_ids"]
    assert rows_of(tokenizer, texts) == expected


OPTIONS = {
    "words": {},
    "words with marks": {"word_mark": "▁"},
    "pieces": {"subword": "bpe"},
    "pieces with marks": {"subword": "bpe", "word_mark": "▁"},
    "normalized stems": {"norm": True, "stem": True, "word_mark": "##"},
    "pieces of stems": {"norm": True, "stem": True, "subword": "bpe"},
    "user dictionary": {"user_dictionary": {"Noun": ["연기도연출"], "Verb": ["굿굿하다"]}, "subword": "bpe"},
    "special tokens": {"cls_token": "[CLS]", "mask_token": "[MASK]", "word_mark": "▁"},
    "special tokens as text": {"cls_token": "[CLS]", "word_mark": "▁"},
}


@pytest.fixture(scope="module", params=OPTIONS)
def pair(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    reference = trained_tokenizer(**OPTIONS[request.param])
    reference.save_pretrained(folder)
    return reference, Tokenizer(folder)


def test_hostile_texts(pair):
    assert_same_ids(*pair, HOSTILE)
    for text in HOSTILE:
        assert_same_ids(*pair, [text])


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(st.text(ALPHABET, max_size=40) | st.text(max_size=20) | st.sampled_from(TEXTS), max_size=5))
def test_any_texts(pair, texts):
    assert_same_ids(*pair, texts)


@pytest.mark.parametrize("recorded", [None, True, False])
@pytest.mark.parametrize("mask", [{}, {"mask_token": "<mask>"}], ids=["classifier", "mask"])
def test_special_tokens_in_texts_are_text_where_okt_lstm_takes_them_as_text(tmp_path, recorded, mask):
    trained_tokenizer(**mask).save_pretrained(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    # 0.1.0 recorded nothing.
    del config["split_special_tokens"]
    path.write_text(json.dumps(config if recorded is None else config | {"split_special_tokens": recorded}))
    tokenizer = Tokenizer(tmp_path)
    assert_same_ids(AutoTokenizer.from_pretrained(tmp_path), tokenizer, [*HOSTILE, "영화 <mask> <pad>"])
    splits = recorded if recorded is not None else not mask
    assert (0 in rows_of(tokenizer, ["영화 <pad>"])[0]) is not splits


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("max_length", [1, 3, 10])
def test_truncation(tmp_path, side, max_length):
    reference = trained_tokenizer(subword="bpe", truncation_side=side, model_max_length=max_length)
    reference.save_pretrained(tmp_path)
    tokenizer = Tokenizer(tmp_path)
    assert tokenizer.max_length == max_length
    assert_same_ids(reference, tokenizer, TEXTS + HOSTILE)
    tokenizer = Tokenizer(tmp_path, max_length=2)
    assert_same_ids(reference, tokenizer, TEXTS + HOSTILE)


@pytest.fixture(scope="module", params=["plain", "stripped", "whole words"])
def pair_with_added_tokens(request, tmp_path_factory):
    """Tokenizers with tokens that were added after training, of every kind, and special tokens around a text."""
    folder = tmp_path_factory.mktemp("added")
    options = {
        "plain": {},
        "stripped": {"lstrip": True, "rstrip": True},
        "whole words": {"single_word": True},
    }[request.param]
    reference = trained_tokenizer(
        subword="bpe", word_mark="▁", cls_token="[CLS]", sep_token="[SEP]", model_max_length=12
    )
    reference.add_tokens([AddedToken(token, **options) for token in ("영화", "영화관", "ㅋㅋ", "굿 ")])
    reference.add_tokens([AddedToken("[감독]", special=True, normalized=False, **options)], special_tokens=True)
    from tokenizers.processors import TemplateProcessing

    ids = {token: reference.convert_tokens_to_ids(token) for token in ("[CLS]", "[SEP]")}
    reference.backend_tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=list(ids.items())
    )
    reference.save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder), Tokenizer(folder)


ADDED_TEXTS = [
    "영화관 영화",
    "영화관영화[감독]",
    "[감독] 영화 ㅋㅋㅋ [CLS]",
    "굿 굿굿 영화\u0301",
    "_영화_",
    "영화1",
    " 영화 ",
    "\u3000[감독]\t\x1c영화\x1d",
    "a[SEP]b",
    "ㅋㅋㅋㅋㅋ",
    "영화\u200d",
    "(영화)",
    "[감독][감독]",
    "[감독] [감독]",
    "영화 영화 영화",
]


def test_added_tokens(pair_with_added_tokens):
    assert_same_ids(*pair_with_added_tokens, ADDED_TEXTS + HOSTILE + TEXTS)


@settings(max_examples=200, deadline=None)
@given(
    parts=st.lists(
        st.sampled_from(
            ["영화", "영화관", "ㅋㅋ", "[감독]", "굿 ", " ", "\u3000", "\x1c", "이", "a", "_", "1", "[CLS]", "."]
        )
    )
)
def test_added_tokens_in_any_surroundings(pair_with_added_tokens, parts):
    assert_same_ids(*pair_with_added_tokens, ["".join(parts)])


def test_merges_of_equal_rank_come_in_the_library_s_order(tmp_path):
    """Long runs of few characters, where the order of the merges shows."""
    rng = random.Random(0)
    corpus = ["".join(rng.choices("abc", k=rng.randint(1, 30))) for _ in range(2000)]
    reference = trained_tokenizer(subword="bpe").train_new_from_iterator(corpus, vocab_size=500, show_progress=False)
    reference.save_pretrained(tmp_path)
    texts = ["".join(rng.choices("abcd", k=rng.randint(1, 200))) for _ in range(500)]
    assert_same_ids(reference, Tokenizer(tmp_path), texts)


@pytest.mark.slow
def test_fifty_thousand_reviews(nsmc_dir):
    lines = (nsmc_dir / "ratings_train.txt").read_text(encoding="utf-8").split("\n")[1:50_001]
    texts = [line.split("\t")[1] for line in lines]
    reference, tokenizer = AutoTokenizer.from_pretrained(RELEASED), Tokenizer(RELEASED)
    for start in range(0, len(texts), 5000):
        assert_same_ids(reference, tokenizer, texts[start : start + 5000])
