"""Whatever the text, oktane answers as konlpy does, and keeps its promises where konlpy can't be asked."""

import importlib.util
import itertools
import re
import sys
import unicodedata
from pathlib import Path

import okt_parity
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

RECORDED = Path(__file__).with_name("recorded.txt").read_text(encoding="utf-8")
# Without konlpy there are no word lists to draw from.
WORDS = okt_parity.word_lists() if importlib.util.find_spec("konlpy") else {"recorded": RECORDED.split()}
PIECES = [
    *(part for parts in (okt_parity.ADDRESSES, okt_parity.NUMBERS, okt_parity.EMOJI) for part in parts.split()),
    *okt_parity.JAMO.split(),
    *okt_parity.MARKS,
    *okt_parity.WHITE_SPACE,
]
characters = st.characters(exclude_categories=["Cs"])
syllables = st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)
words = st.sampled_from(sorted(word for name in WORDS for word in WORDS[name][:: max(1, len(WORDS[name]) // 300)]))
pieces = st.one_of(words, st.sampled_from(PIECES), st.text(syllables, max_size=4), characters)
repeated = st.tuples(pieces, st.integers(2, 12)).map(lambda pair: pair[0] * pair[1])
texts = st.lists(st.one_of(pieces, pieces, repeated), max_size=16).map(lambda parts: "".join(parts)[:300])

examples = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def morphemes(okt, batch, **options):
    """For each text of a batch: its (form, start, end)."""
    forms, form_ids, spans, row_splits = okt.encode_batch(batch, **options)
    form_ids, spans, row_splits = (memoryview(buffer).tolist() for buffer in (form_ids, spans, row_splits))
    assert len(row_splits) == len(batch) + 1
    assert len(spans) == 2 * len(form_ids)
    assert row_splits[-1] == len(form_ids)
    assert len(forms) == len(set(forms))
    rows = list(zip([forms[i] for i in form_ids], spans[::2], spans[1::2], strict=True))
    return [rows[start:end] for start, end in itertools.pairwise(row_splits)]


def is_dropped(piece):
    """Whether konlpy drops a run of white space, or what stands between two: by its first character."""
    return unicodedata.category(piece[0]) in ("Zs", "Zl", "Zp")


def check_spans(text, rows):
    """Spans run upward, do not overlap, and leave out nothing but what konlpy drops."""
    covered = 0
    gaps = []
    for form, start, end in rows:
        assert covered <= start < end <= len(text)
        assert form == text[start:end]
        gaps.append((covered, start))
        covered = end
    gaps.append((covered, len(text)))
    dropped = set()
    for match in re.finditer(r"[ \t\n\x0b\f\r]+|[^ \t\n\x0b\f\r]+", text):
        if is_dropped(match[0]):
            dropped.update(range(*match.span()))
    assert {i for gap in gaps for i in range(*gap)} == dropped


def check_origins(text, rows):
    """Under norm, what tokens came from runs upward and lies within the text."""
    last = (0, 0)
    for _, start, end in rows:
        assert last[0] <= start < end <= len(text)
        assert last[1] <= end
        last = (start, end)


# ---- compared to konlpy ---------------------------------------------------------------------------------------------


@pytest.mark.slow
@settings(examples, max_examples=400)
@given(text=texts, method=st.sampled_from(okt_parity.METHODS))
def test_a_text_gives_what_konlpy_gives(okt, konlpy_okt, text, method):
    assert getattr(okt, method.name)(text, **method.options) == getattr(konlpy_okt, method.name)(text, **method.options)


# ---- invariants -----------------------------------------------------------------------------------------------------


@settings(examples, max_examples=200)
@given(batch=st.lists(texts, max_size=5))
def test_spans_cover_the_text_and_a_batch_gives_what_each_text_gives_alone(okt, batch):
    rows = morphemes(okt, batch)
    for text, row in zip(batch, rows, strict=True):
        check_spans(text, row)
        assert [row] == morphemes(okt, [text])
    for options in okt_parity.OPTIONS:
        together = okt.pos_batch(batch, **options)
        assert together == [okt.pos(text, **options) for text in batch]
        assert okt.morphs_batch(batch, **options) == [[form for form, _ in row] for row in together]
        assert [[form for form, _, _ in row] for row in morphemes(okt, batch, **options)] == [
            [form for form, _ in row] for row in together
        ]
    assert okt.phrases_batch(batch) == [okt.phrases(text) for text in batch]
    assert okt.normalize_batch(batch) == [okt.normalize(text) for text in batch]
    nouns = [[form for form, pos in row if pos == "Noun"] for row in okt.pos_batch(batch)]
    assert okt.nouns_batch(batch) == [okt.nouns(text) for text in batch] == nouns


@settings(examples, max_examples=200)
@given(text=texts)
def test_tokens_of_normalized_text_point_to_where_they_came_from(okt, text):
    for stem in (False, True):
        (row,) = morphemes(okt, [text], norm=True, stem=stem)
        check_origins(text, row)
    (stemmed,) = morphemes(okt, [text], stem=True)
    (plain,) = morphemes(okt, [text])
    assert [span for _, *span in stemmed] == [span for _, *span in plain]


def test_every_code_point_keeps_spans_in_order(okt):
    every = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    batch = ["".join(every[i : i + 1000]) for i in range(0, len(every), 1000)]
    for text, row in zip(batch, morphemes(okt, batch), strict=True):
        check_spans(text, row)
    for text, row in zip(batch, morphemes(okt, batch, norm=True), strict=True):
        check_origins(text, row)


@pytest.mark.parametrize("surrogate", [0xD800, 0xDBFF, 0xDC00, 0xDFFF], ids=hex)
@pytest.mark.parametrize("template", ["{}", "가{}나", "http://a.com/{}", "#{}태그", "{}ㅋㅋ {}"])
def test_lone_surrogates_raise_or_answer_but_never_crash(okt, surrogate, template):
    text = template.replace("{}", chr(surrogate))
    for method in okt_parity.METHODS:
        try:
            one = getattr(okt, method.name)(text, **method.options)
        except UnicodeError:
            with pytest.raises(UnicodeError):
                getattr(okt, f"{method.name}_batch")([text], **method.options)
        else:
            assert getattr(okt, f"{method.name}_batch")([text], **method.options) == [one]
    assert okt.morphs("가나다") == okt.morphs_batch(["가나다"])[0]


LONG = {
    "one syllable": "가" * 100_000,
    "two syllables": "하다" * 50_000,
    "a verb": "가시었다" * 25_000,
    "particles": "ㅋ" * 100_000,
    "tears": "ㅠㅜ" * 50_000,
    "tears after syllables": "머구ㅜ" * 30_000,
    "a typo": "됏" * 100_000,
    "typos": "그러시져아하능됏이뿌다쳣다" * 8_000,
    "digits": "1" * 100_000,
    "thousands": "1" + ",000" * 25_000,
    "letters": "a" * 100_000,
    "dots": "." * 100_000,
    "a name of many labels": "a." * 50_000 + "com",
    "many addresses": "http://a.com/(b)?c=d" * 5_000,
    "protocols": "http://" * 14_000,
    "open parentheses": "http://a.com/" + "(" * 100_000,
    "parentheses in a path": "http://a.com/" + "(a)" * 30_000 + ",",
    "at signs": "@" * 100_000,
    "hashes": "#" * 100_000,
    "a long tag": "#" + "가" * 100_000,
    "numerals after a hash": "#" + "1" * 100_000,
    "dollars": "$a." * 30_000,
    "mails": "a@b.c" * 20_000,
    "hyphens": "a-" * 50_000,
    "spaces": " " * 100_000,
    "new lines": "\n" * 100_000,
    "no-break spaces": "\u00a0" * 100_000,
    "noun and spaces": ("영화" + " " * 1000) * 100,
    "nouns": "영화 " * 30_000,
    "NUL": "\0" * 100_000,
    "emoji": "👨‍👩‍👧" * 20_000,
}


@pytest.mark.parametrize("name", LONG)
def test_long_texts_are_analyzed_without_trouble(okt, name):
    text = LONG[name]
    check_spans(text, morphemes(okt, [text])[0])
    check_origins(text, morphemes(okt, [text], norm=True)[0])
    assert okt.phrases(text) == okt.phrases_batch([text])[0]


def test_what_is_no_text_is_refused(okt):
    for wrong in (None, 3, b"bytes", ["list"]):
        for method in okt_parity.METHODS:
            with pytest.raises((TypeError, AssertionError)):
                getattr(okt, method.name)(wrong, **method.options)
            with pytest.raises((TypeError, AssertionError)):
                getattr(okt, f"{method.name}_batch")(["가", wrong], **method.options)
