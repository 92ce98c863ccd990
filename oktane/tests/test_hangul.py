"""Hangul in conjoining jamo counts as its composed form, and spans stay those of the given text."""

import random
import unicodedata
from itertools import pairwise

import pytest

from oktane.hangul import compose_hangul

TEXTS = ["연기도 연출도 최고였다", "값 읽 뷁 ㅋㅋ ㅏ", "the end!! 10점 😀", "", "각ᆨ ᄀ ᅡ ᆨ"]


def decomposed(text):
    return unicodedata.normalize("NFD", text)


def test_hangul_is_composed_as_unicode_does_and_each_character_knows_its_source():
    alphabet = "ᄀ하ᅵᆨᇂ가각힣a ᅀ\u11c3\u1176\u11a7ㄱ😀\ud800\n"
    rng = random.Random(0)
    for _ in range(5000):
        text = "".join(rng.choices(alphabet, k=rng.randint(0, 9)))
        (composed,), positions = compose_hangul([text])
        assert composed == unicodedata.normalize("NFC", text)
        sources = positions.get(0, range(len(text) + 1))
        parts = [text[start:end] for start, end in pairwise(sources)]
        assert "".join(parts) == text
        assert [unicodedata.normalize("NFC", part) for part in parts] == list(composed)


def test_nothing_else_is_normalized():
    texts = ["é ｶﾞ Å Ⅳ ﬁ", decomposed("é") + "한", "ㅎㅏㄴ"]
    composed, positions = compose_hangul(texts)
    assert list(composed) == texts
    assert positions == {}
    assert compose_hangul([decomposed("é한")])[0] == [decomposed("é") + "한"]


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("stem", [False, True])
def test_morphemes_of_decomposed_texts_are_those_of_the_composed(okt, norm, stem):
    expected = okt.encode_batch(TEXTS, norm, stem)
    texts = [decomposed(text) for text in TEXTS]
    found = okt.encode_batch(texts, norm, stem, compose=True)
    assert found.forms == expected.forms
    assert found.form_ids.tolist() == expected.form_ids.tolist()
    assert found.row_splits.tolist() == expected.row_splits.tolist()
    for row, (text, given) in enumerate(zip(TEXTS, texts, strict=True)):
        for place in range(2 * found.row_splits[row], 2 * found.row_splits[row + 1], 2):
            start, end = found.spans[place : place + 2]
            first, last = expected.spans[place : place + 2]
            assert unicodedata.normalize("NFC", given[start:end]) == text[first:last]


def test_okt_itself_reads_a_text_as_it_stands(okt):
    assert okt.morphs(decomposed("최고")) != okt.morphs("최고")
    assert okt.encode_batch([decomposed("최고")]).forms == okt.morphs(decomposed("최고"))


def test_what_is_no_text_is_named_as_without_composition(okt):
    with pytest.raises(TypeError, match="text 1 of the batch must be a str, not int: 3"):
        okt.encode_batch(["a", 3], compose=True)
