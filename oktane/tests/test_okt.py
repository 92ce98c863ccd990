"""The promises of oktane.Okt: konlpy's interface, batches, tokens, threads, pickling, and a user's words."""

import inspect
import itertools
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import oktane
from oktane import Morphemes, Okt, Token

SENTENCES = [
    "단독입찰보다 복수입찰의 경우",
    "유일하게 항공기 체계 종합개발 경험을 갖고 있는 KAI는",
    "날카로운 분석과 신뢰감 있는 진행으로",
    "이것도 되나욬ㅋㅋ",
    "",
    "10년전 영화!! http://www.example.com/a?b=c @user #태그 $ABC a@b.kr",
    "우혀니가 그럿다고 햇는데\t안됔ㅋㅋㅋㅋ ㅠㅠㅠㅠ",
    "\U0001f600사랑해요\U0001f600 𝒜\0끝",
]
TEXTS = [sentence * n for n in (1, 2, 3) for sentence in SENTENCES] * 60
WORDS = {
    "Noun": ["쌀과자칩", "먹방각", "뷁", "갸뉴"],
    "Verb": ["덕질하다"],
    "Adjective": ["킹받"],
    "Adverb": ["존맛"],
    "Josa": ["욤뇸"],
    "Suffix": ["각"],
    "Eomi": ["습니당께"],
    "Determiner": ["요따위"],
    "Exclamation": ["꺄르륵"],
    "Modifier": ["핵"],
    "Conjunction": ["근데말이야"],
}

NAMES = ["pos", "morphs", "nouns", "phrases", "normalize", "tokenize"]

texts = st.lists(
    st.sampled_from([*SENTENCES, "가", "\ud800", "ㅋ", " ", "#", "3,000원", "é", "\U0001f600"]), max_size=5
).map("".join)


# ---- konlpy's interface ----


def test_results_and_their_types_are_konlpys(okt):
    assert okt.pos("이것도 되나욬ㅋㅋ", norm=True, stem=True) == [
        ("이", "Determiner"),
        ("것", "Noun"),
        ("도", "Josa"),
        ("되다", "Verb"),
        ("ㅋㅋ", "KoreanParticle"),
    ]
    assert okt.pos("되나욬ㅋㅋ", True, False, True) == ["되나요/Verb", "ㅋㅋ/KoreanParticle"]
    assert okt.morphs("단독입찰보다 복수입찰의 경우") == ["단독", "입찰", "보다", "복수", "입찰", "의", "경우"]
    assert okt.nouns("유일하게 항공기 체계 종합개발 경험을 갖고 있는 KAI는") == [
        "항공기",
        "체계",
        "종합",
        "개발",
        "경험",
    ]
    assert okt.phrases("날카로운 분석과 신뢰감 있는 진행으로") == [
        "날카로운 분석",
        "날카로운 분석과 신뢰감",
        "날카로운 분석과 신뢰감 있는 진행",
        "분석",
        "신뢰",
        "진행",
    ]
    assert okt.normalize("잇엇다 안됔ㅋㅋㅋㅋ") == "있었다 안돼ㅋㅋㅋ"


@pytest.mark.parametrize("name", ["pos", "morphs", "nouns", "phrases", "normalize"])
def test_arguments_have_konlpys_names_order_and_defaults(name):
    konlpy_tag = pytest.importorskip("konlpy.tag")
    theirs = inspect.signature(getattr(konlpy_tag.Okt, name)).parameters.values()
    ours = inspect.signature(getattr(Okt, name)).parameters.values()
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", [None, 3, b"bytes", ["text"]])
def test_what_is_no_text_is_a_type_error_that_says_so(okt, name, wrong):
    with pytest.raises(TypeError, match=f"the text must be a str, not {type(wrong).__name__}"):
        getattr(okt, name)(wrong)


@pytest.mark.parametrize("name", NAMES)
def test_lone_surrogates_are_foreign_and_harm_nobody(okt, name):
    getattr(okt, name)("가\ud800나\udfff다")
    assert okt.pos("\ud800") == [("\ud800", "Foreign")]


# ---- tokens and arrays ----


@given(texts, st.booleans(), st.booleans())
def test_tokens_say_more_of_the_same_morphemes(okt, text, norm, stem):
    tokens = okt.tokenize(text, norm=norm, stem=stem)
    assert [(token.stem or token.text, token.pos) for token in tokens] == okt.pos(text, norm=norm, stem=stem)
    for token in tokens:
        assert isinstance(token, Token)
        assert norm or token.text == text[token.start : token.end]
        assert (token.stem is not None) == (stem and token.pos in ("Verb", "Adjective"))
        assert not token.unknown or token.pos == "Noun"
    for before, after in itertools.pairwise(tokens):
        assert before.end <= after.start


def test_a_noun_that_no_list_has_is_unknown(okt):
    assert [(t.text, t.unknown) for t in okt.tokenize("갸뉴뎌를 영화가 우혀니가")] == [
        ("갸뉴뎌", True),
        ("를", False),
        ("영화", False),
        ("가", False),
        ("우혀니", False),
        ("가", False),
    ]


def test_spans_under_norm_stand_in_the_text_that_was_given(okt):
    text = "정말 잇엇다 안됔ㅋㅋㅋㅋㅋㅋ 끝"
    assert [(t.text, text[t.start : t.end]) for t in okt.tokenize(text, norm=True)] == [
        ("정말", "정말"),
        ("있었다", "잇엇다"),
        ("안", "안"),
        ("돼", "됔"),
        ("ㅋㅋㅋ", "ㅋㅋㅋㅋㅋㅋ"),
        ("끝", "끝"),
    ]


@given(st.lists(texts, max_size=5), st.booleans(), st.booleans())
def test_encode_batch_gives_the_same_as_arrays(okt, batch, norm, stem):
    result = okt.encode_batch(batch, norm=norm, stem=stem)
    assert isinstance(result, Morphemes)
    assert (result.form_ids.format, result.spans.format, result.row_splits.format) == ("i", "i", "q")
    assert list(dict.fromkeys(result.form_ids)) == list(range(len(result.forms)))
    rows = [[result.forms[i] for i in result.form_ids[a:b]] for a, b in itertools.pairwise(result.row_splits)]
    assert rows == [okt.morphs(text, norm=norm, stem=stem) for text in batch]
    spans = list(zip(result.spans[::2], result.spans[1::2], strict=True))
    assert spans == [(t.start, t.end) for text in batch for t in okt.tokenize(text, norm=norm)]


@pytest.mark.parametrize(
    ("old", "new", "argument"),
    [
        ("tokens", "tokenize", "영화가"),
        ("tokens_batch", "tokenize_batch", ["영화가"]),
    ],
)
def test_the_names_of_0_1_0_work_and_name_the_new_ones(okt, old, new, argument):
    with pytest.warns(DeprecationWarning, match=f"Okt.{old} is now Okt.{new}"):
        assert getattr(okt, old)(argument, True) == getattr(okt, new)(argument, True)


def test_what_code_saved_by_0_1_0_calls_works_without_a_warning(okt, recwarn):
    assert okt.morphemes_batch(["영화가"], norm=True, stem=True) == okt.encode_batch(["영화가"], True, True)
    assert not recwarn.list


# ---- batches ----


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("threads", [1, 3])
def test_a_batch_gives_what_each_text_gives_alone(name, threads):
    okt = Okt(threads=threads)
    expected = {text: getattr(okt, name)(text) for text in set(TEXTS)}
    result = getattr(okt, name + "_batch")(TEXTS)
    assert result == [expected[text] for text in TEXTS]
    assert getattr(okt, name + "_batch")(iter(TEXTS)) == result
    assert getattr(okt, name + "_batch")([]) == []


def test_batches_take_the_options_of_the_single_call(okt):
    for norm, stem in itertools.product([False, True], repeat=2):
        assert okt.morphs_batch(SENTENCES, norm=norm, stem=stem) == [okt.morphs(s, norm, stem) for s in SENTENCES]
        for join in (False, True):
            expected = [okt.pos(sentence, norm, stem, join) for sentence in SENTENCES]
            assert okt.pos_batch(SENTENCES, norm, stem, join) == expected


def test_a_generator_is_read_as_the_work_goes_on(monkeypatch):
    okt = Okt(threads=2)
    monkeypatch.setattr(oktane.okt, "CHUNK", 4)
    read = analyzed = most = 0

    def given_texts():
        nonlocal read, most
        for _ in range(400):
            read += 1
            most = max(most, read - analyzed)
            yield "영화"

    def analyze(chunk):
        nonlocal analyzed
        analyzed += len(chunk)
        return chunk

    assert len(okt._map(given_texts(), analyze)) == 400
    assert most <= 4 * (2 * 2 + 3)


def test_errors_in_a_batch_name_the_text(okt):
    with pytest.raises(TypeError, match="text 1 of the batch must be a str, not int: 5"):
        okt.morphs_batch(["가", 5])
    with pytest.raises(TypeError, match="text 1500 of the batch must be a str, not NoneType: None"):
        okt.morphs_batch(["가"] * 1500 + [None])
    with pytest.raises(TypeError, match=r"pass \['영화'\]"):
        okt.pos_batch("영화")
    with pytest.raises(ZeroDivisionError):
        okt.morphs_batch(str(1 // (600 - i)) for i in range(2000))


def test_threads_are_counted_from_one():
    with pytest.raises(ValueError, match="at least 1"):
        Okt(threads=0)


# ---- sharing ----


def test_many_objects_share_one_dictionary():
    assert Okt()._dictionary is Okt(threads=1)._dictionary
    assert Okt(WORDS)._dictionary is Okt({pos: tuple(words) for pos, words in WORDS.items()})._dictionary


def test_one_object_serves_many_threads_at_once(okt):
    expected = [okt.pos(text, norm=True) for text in TEXTS[:200]]
    with ThreadPoolExecutor(8) as executor:
        for result in executor.map(lambda _: [okt.pos(text, norm=True) for text in TEXTS[:200]], range(16)):
            assert result == expected


def test_a_pickled_object_is_equal_and_keeps_the_users_words():
    okt = pickle.loads(pickle.dumps(Okt(WORDS, threads=1)))
    assert (okt.user_dictionary, okt.threads) == (Okt(WORDS).user_dictionary, 1)
    assert okt.morphs("쌀과자칩을") == ["쌀과자칩", "을"]


FORKED = """
import multiprocessing, oktane, sys
texts = sys.argv[1:] * 400
okt = oktane.Okt(threads=2)
expected = okt.morphs_batch(texts)
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(okt.morphs, texts[:40]) == expected[:40]
    assert pool.apply(okt.morphs_batch, (texts,)) == expected
"""


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this platform can't fork")
def test_forked_processes_go_on_with_the_object():
    """In a process of its own: one in which a JVM runs can't be forked."""
    process = subprocess.run(
        [sys.executable, "-c", FORKED, *SENTENCES[:4]], capture_output=True, text=True, check=False, timeout=120
    )
    assert (process.returncode, process.stderr) == (0, "")


def test_the_hash_is_of_the_words_and_the_same_in_every_process():
    other_order = {pos: words[::-1] for pos, words in reversed(WORDS.items())}
    assert Okt(WORDS).dictionary_hash == Okt(other_order).dictionary_hash != Okt().dictionary_hash
    code = "import oktane; print(oktane.Okt().dictionary_hash)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == Okt().dictionary_hash
    # Saved with tokenizers by 0.1.0.
    assert Okt().dictionary_hash == "d41eea791d614d12b4b9b6d1d8ac139b54c757be72bc4aac8e4f263cf74b93ee"


@pytest.mark.slow
def test_memory_does_not_grow_with_calls(okt):
    resource = pytest.importorskip("resource")
    for calls in (20_000, 200_000):
        for text in itertools.islice(itertools.cycle(SENTENCES), calls):
            okt.pos(text, norm=True)
            okt.phrases(text)
        if calls == 20_000:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2048  # KiB


# ---- the user's words ----


@settings(deadline=None)
@given(texts)
def test_words_that_okt_has_already_change_nothing(okt, text):
    known = Okt({"Noun": ["영화"], "Verb": ["하다"], "Adjective": ["예쁘"], "Josa": ["보다"], "Adverb": ["매우"]})
    for norm, stem in itertools.product([False, True], repeat=2):
        assert known.pos(text, norm=norm, stem=stem) == okt.pos(text, norm=norm, stem=stem)
    assert known.phrases(text) == okt.phrases(text)


def test_verbs_and_adjectives_are_conjugated_and_stemmed():
    okt = Okt(WORDS)
    assert okt.pos("덕질했습니다", stem=True) == okt.pos("덕질하는", stem=True) == [("덕질하다", "Verb")]
    assert okt.pos("덕질했습니다") == [("덕질했습니다", "Verb")]
    assert okt.pos("킹받습니다", stem=True) == [("킹받다", "Adjective")]


KONLPY_WITH_WORDS = """
import json, sys
import okt_parity
okt = okt_parity.konlpy_okt()
import jpype
words, texts = json.load(sys.stdin)
positions = jpype.JClass("org.openkoreantext.processor.util.KoreanPos")
provider = getattr(jpype.JClass("org.openkoreantext.processor.util.KoreanDictionaryProvider$"), "MODULE$")
for pos, listed in words.items():
    for word in listed:
        provider.koreanDictionary().get(getattr(positions, pos)()).add(word)
print(json.dumps([[okt.pos(text), okt.pos(text, norm=True, stem=True), okt.phrases(text)] for text in texts]))
"""


@pytest.mark.slow
def test_words_act_as_if_they_stood_in_okts_own_lists(konlpy_okt):
    """konlpy's own dictionary, in a process of its own, gets the words while it runs."""
    words = {pos: listed for pos, listed in WORDS.items() if pos not in ("Verb", "Adjective")}
    parts = [
        *itertools.chain.from_iterable(words.values()),
        "영화",
        "가",
        "를",
        "먹",
        "잇엇다",
        "사랑했",
        "이",
        "큰데",
        "갸",
    ]
    mixed = [a + b for a, b in itertools.product(parts, repeat=2)][::3]
    mixed += [f"{a} {b}{c}ㅋㅋ" for a, b, c in zip(parts, parts[3:], parts[7:], strict=False)]
    process = subprocess.run(
        [sys.executable, "-c", KONLPY_WITH_WORDS],
        input=json.dumps([words, mixed]),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    okt = Okt(WORDS)
    for text, (tagged, normal, phrases) in zip(mixed, json.loads(process.stdout.splitlines()[-1]), strict=True):
        assert okt.pos(text) == [tuple(pair) for pair in tagged]
        assert okt.pos(text, norm=True, stem=True) == [tuple(pair) for pair in normal]
        assert okt.phrases(text) == phrases


def test_repr_counts_the_users_words_and_names_the_dictionary():
    assert repr(Okt(WORDS)).startswith("Okt(14 user words, dictionary ")
    assert oktane.__version__


def test_konlpys_arguments_and_attributes_are_there():
    okt = Okt(jvmpath=None, max_heap_size=2048)
    assert okt.morphs("영화가 재밌다") == ["영화", "가", "재밌다"]
    assert okt.tagset["Noun"] == "명사"
    assert {pos for _, pos in okt.pos("영화가 재밌다 ㅋㅋ LG 12 @a #b ! 漢")} <= okt.tagset.keys()


def test_morphemes_are_kept_by_part_of_speech_and_stop_words():
    texts = ["영화가 재밌었다 정말", "", "별로 ㅋㅋ"]
    found = Okt().encode_batch(texts, stem=True, pos=["Noun", "Adjective"], stopwords=["정말"])
    assert [found.forms[number] for number in found.form_ids] == ["영화", "재밌다", "별로"]
    assert list(found.spans) == [0, 2, 4, 8, 0, 2]
    assert list(found.row_splits) == [0, 2, 2, 3]
    with pytest.raises(ValueError, match="'명사' is no part of speech; choose from: Adjective, "):
        Okt().encode_batch(texts, pos=["명사"])


def test_hangul_is_composed_if_one_asks_for_it():
    text = normalize("NFD", "영화가 재밌었다")
    okt, composing = Okt(), Okt(compose=True)
    assert okt.morphs(text) != ["영화", "가", "재밌었다"]
    assert composing.morphs(text) == composing.morphs_batch([text])[0] == ["영화", "가", "재밌었다"]
    assert composing.pos(text, stem=True)[-1] == ("재밌다", "Adjective")
    assert composing.nouns(text) == ["영화"]
    for tokens in (composing.tokenize(text), composing.tokenize_batch(["", text])[1]):
        assert [normalize("NFC", text[token.start : token.end]) for token in tokens] == ["영화", "가", "재밌었다"]
    assert pickle.loads(pickle.dumps(composing)).morphs(text) == ["영화", "가", "재밌었다"]
