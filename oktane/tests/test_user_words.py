"""A user dictionary is checked when it is read, and laid over the packed word lists equals all words packed at once."""

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from word_lists import LIST_BITS, WordLists, pack

from oktane import Okt, Token, _core
from oktane.conjugation import conjugate
from oktane.user_words import LISTED, PREDICATES, add_words, can_be_looked_up, digest_with, read_user_dictionary

DIGEST = bytes(range(32))
SMALL = WordLists(
    words={name: set() for name in LIST_BITS}
    | {
        "Noun": {"가", "가나", "나라", "사랑"},
        "Verb": {"하", "사랑하", "나르", "가", "갈"},
        "Adjective": {"파랗", "하", "가렵"},
        "Josa": {"가"},
        "Eomi": {"니다"},
        "full name": {"가나다"},
    },
    frequencies={"가나": 0.5, "없음": 0.25},
    typos={"됬": "됐", "갓": "갔"},
)

SYLLABLES = st.sampled_from("가나다라하갈갔파랗르니뷁힣")
WORDS = st.text(st.one_of(SYLLABLES, st.sampled_from("ㄱㅣㅋA1 漢")), min_size=1, max_size=4)
STEMS = st.one_of(st.text(SYLLABLES, min_size=1, max_size=3), st.sampled_from(["하", "갈", "가", "날", "나르", "가렵"]))
USER_WORDS = st.fixed_dictionaries(
    {},
    optional={pos: st.lists(STEMS if pos in PREDICATES else WORDS, max_size=8) for pos in LISTED},
)


def packed_at_once(lists, user_words):
    words = {name: set(words) | set(user_words.get(name, ())) for name, words in lists.words.items()}
    return _core.Dictionary(pack(lists._replace(words=words)))


def words_of(lists, user_words):
    """Every word and form, and what is almost one."""
    words = set(lists.frequencies) | set(lists.typos)
    for source in (lists.words, user_words):
        for pos, listed in source.items():
            words.update(listed)
            if pos in PREDICATES:
                words.update(form for stem in listed for form in conjugate(stem, pos == "Adjective"))
    return words | {word[:-1] for word in words} | {word + "가" for word in words}


def check_equal(lists, user_words, texts):
    base = _core.Dictionary(pack(lists))
    extended, expected = add_words(base, user_words), packed_at_once(lists, user_words)
    assert extended.digest == digest_with(base.digest, user_words)
    for word in words_of(lists, user_words):
        assert extended.lookup(word) == expected.lookup(word), word
    for norm in (False, True):
        assert extended.tokens(texts, norm, True, Token) == expected.tokens(texts, norm, True, Token)
    return base


@given(USER_WORDS, st.lists(st.text(st.sampled_from("가나다라하갈갔파랗르니됬뷁ㅋ "), max_size=12), max_size=8))
def test_words_laid_over_equal_words_packed_at_once(user_words, texts):
    check_equal(SMALL, user_words, texts)


@given(USER_WORDS)
def test_laying_words_over_changes_nothing_of_the_dictionary_below(user_words):
    base = _core.Dictionary(pack(SMALL))
    before = {word: base.lookup(word) for word in words_of(SMALL, user_words)}
    add_words(base, user_words)
    assert {word: base.lookup(word) for word in before} == before


@given(USER_WORDS, USER_WORDS)
def test_words_are_laid_over_in_as_many_steps_as_one_likes(first, second):
    base = _core.Dictionary(pack(SMALL))
    both = {pos: [*first.get(pos, ()), *second.get(pos, ())] for pos in LISTED}
    stepwise, at_once = add_words(add_words(base, first), second), add_words(base, both)
    for word in words_of(SMALL, both):
        assert stepwise.lookup(word) == at_once.lookup(word)


@pytest.mark.slow
def test_a_thousand_words_over_okts_own_lists_equal_all_packed_at_once(lists):
    draw = random.Random(1)
    known = {pos: sorted(filter(can_be_looked_up, lists.words[pos])) for pos in LISTED}
    nouns = known["Noun"]
    user_words = {
        pos: [
            *draw.choices(words, k=20),  # words that are there
            *(draw.choice(words)[:-1] + draw.choice(nouns) for _ in range(40)),  # that begin like those
            *(draw.choice(nouns)[: draw.randint(1, 3)] + draw.choice(words) for _ in range(40)),  # that end like those
        ]
        for pos, words in known.items()
    }
    for pos in PREDICATES:
        user_words[pos] = [word for word in user_words[pos] if all("가" <= c <= "힣" for c in word)]
    listed = [word for words in user_words.values() for word in words]
    texts = ["".join(draw.choices(listed, k=draw.randint(1, 6))) + draw.choice([" ", "ㅋㅋ", ""]) for _ in range(3000)]
    base = check_equal(lists, user_words, texts)
    assert add_words(base, user_words).pairs(texts, False, True, False) != base.pairs(texts, False, True, False)


# ---- what is refused ----


@pytest.mark.parametrize(
    ("words", "entries", "stems", "message"),
    [
        (["가"], [], [], "1 words, but 0 entries"),
        (["나", "가"], [(1, -1, -1)] * 2, [], "ascending order, but '나' precedes '가'"),
        (["가", "가"], [(1, -1, -1)] * 2, [], "distinct"),
        ([""], [(1, -1, -1)], [], "empty"),
        (["가A"], [(1, -1, -1)], [], "Hangul syllables and compatibility jamo, not '가A'"),
        (["가"], [(1, -1)], [], "entry of '가' is malformed"),
        (["가"], [(1 << 16, -1, -1)], [], "entry of '가' is malformed"),
        (["가"], [(1, 0, -1)], [], "stem or correction that is not there"),
        (["가"], [(1, -1, 1)], ["가다"], "stem or correction that is not there"),
    ],
)
def test_malformed_words_are_refused(words, entries, stems, message):
    base = _core.Dictionary(pack(SMALL))
    with pytest.raises(ValueError, match=message):
        base.extended(words, entries, stems, DIGEST)
    with pytest.raises(ValueError, match="32 bytes"):
        base.extended([], [], [], b"short")


@pytest.mark.parametrize(
    "row", [(), (0.5, 1, 0, -1), ("x", 1, 0, -1, -1), (0.5, -1, 0, -1, -1), None, (0.5, 1, 1, -1, -1)]
)
def test_malformed_rows_are_refused_and_leak_nothing(row):
    import tracemalloc

    words = [chr(0xAC00 + i) for i in range(10_000)]
    entries = [(0.5, 1, 0, -1, -1)] * 9_999 + [row]
    tracemalloc.start()
    try:
        for attempt in range(4):
            with pytest.raises(ValueError, match=repr(words[-1])):
                _core.pack(words, entries, [], [], DIGEST)
            if attempt == 0:
                before, _ = tracemalloc.get_traced_memory()
        assert tracemalloc.get_traced_memory()[0] < before + 100_000
    finally:
        tracemalloc.stop()


# ---- reading ----


def test_a_user_file_and_a_mapping_say_the_same(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("\ufeff# my words\n덕질\tNoun\n\n 이세돌 \tNoun\n덕질하다\tVerb \n", encoding="utf-8")
    mapping = {"Verb": ("덕질하",), "Noun": ["이세돌", "덕질", "덕질"]}
    assert read_user_dictionary(path) == read_user_dictionary(mapping)
    assert read_user_dictionary(mapping) == {"Noun": ["덕질", "이세돌"], "Verb": ["덕질하"]}
    assert read_user_dictionary(str(path)) == read_user_dictionary(path)
    assert read_user_dictionary(None) == {}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("덕질 Noun", r"words\.txt, line 2: expected a word, a tab and its part of speech"),
        ("덕질\tNomen", r"words\.txt, line 2: 'Nomen' is no part of speech.*Noun, Verb"),
        ("\tNoun", r"words\.txt, line 2: the word is empty"),
        ("두 단어\tNoun", r"words\.txt, line 2: a word has no white space inside, not '두 단어'"),
        ("google하다\tVerb", r"words\.txt, line 2: 'google하' cannot be conjugated"),
    ],
)
def test_a_wrong_line_of_a_user_file_is_named(tmp_path, line, message):
    path = tmp_path / "words.txt"
    path.write_text(f"# words\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        Okt(path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"Noun": "덕질"}, r"user_dictionary\['Noun'\] must be a list of words"),
        ({"Noun": ["덕질", 3]}, r"user_dictionary\['Noun'\], word 1: expected a str"),
        ({"Noun": ["두 단어"]}, r"user_dictionary\['Noun'\], word 0: a word has no white space inside, not '두 단어'"),
        ({"Noon": ["덕질"]}, r"word 0: 'Noon' is no part of speech"),
        ({"Adjective": [""]}, r"the word is empty"),
    ],
)
def test_a_wrong_word_of_a_mapping_is_named(words, message):
    with pytest.raises(ValueError, match=message):
        Okt(words)


def test_a_user_file_that_is_missing_or_no_text_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        Okt(tmp_path / "none.txt")
    path = tmp_path / "words.txt"
    path.write_bytes("덕질\tNoun\n".encode() + "쌀과자칩\tNoun\n".encode("cp949"))
    with pytest.raises(ValueError, match=r"words\.txt, line 2: not UTF-8 text .*iconv -f CP949"):
        Okt(path)


def test_words_that_okt_never_looks_up_are_told():
    with pytest.warns(UserWarning, match="1 words of the user dictionary can never be found.*'LG전자'"):
        assert read_user_dictionary({"Noun": ["LG전자", "전자"]}) == {"Noun": ["LG전자", "전자"]}


def test_the_hash_is_that_of_the_lists_and_the_words():
    """The formula is part of the format of saved tokenizers; okt_lstm has it, too."""
    base = _core.Dictionary(pack(SMALL)).digest
    words = {"Noun": ["가", "나"], "Verb": ["하"]}
    assert digest_with(base, words) == hashlib.sha256(f"{base.hex()}\n가\tNoun\n나\tNoun\n하\tVerb".encode()).digest()
