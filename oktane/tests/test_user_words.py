"""A user dictionary is checked when it is read, and laid over the packed word lists equals all words packed at once."""

import hashlib
import random
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st
from word_lists import LIST_BITS, WordLists, pack

from oktane import Okt, Token, _core
from oktane.conjugation import conjugate
from oktane.user_words import LISTED, PREDICATES, can_be_looked_up, read_user_dictionary
from oktane.word_changes import change_words, digest_with

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

NOT_EMPTY = [(pos, words) for pos, words in SMALL.words.items() if words and pos in LISTED]
SYLLABLES = st.sampled_from("가나다라하갈갔파랗르니뷁힣")
WORDS = st.text(st.one_of(SYLLABLES, st.sampled_from("ㄱㅣㅋA1漢")), min_size=1, max_size=4)
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
    extended, expected = change_words(base, user_words), packed_at_once(lists, user_words)
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
    change_words(base, user_words)
    assert {word: base.lookup(word) for word in before} == before


@given(USER_WORDS, USER_WORDS)
def test_words_are_laid_over_in_as_many_steps_as_one_likes(first, second):
    base = _core.Dictionary(pack(SMALL))
    both = {pos: [*first.get(pos, ()), *second.get(pos, ())] for pos in LISTED}
    stepwise, at_once = change_words(change_words(base, first), second), change_words(base, both)
    for word in words_of(SMALL, both):
        assert stepwise.lookup(word) == at_once.lookup(word)


def without(lists, removed):
    """Return lists without words; predicates are stems."""
    words = {name: words - set(removed.get(name, ())) for name, words in lists.words.items()}
    names = {name: words[name] - set(removed.get("Noun", ())) for name in ("full name", "given name")}
    return lists._replace(words=words | names)


@given(
    st.fixed_dictionaries({}, optional={pos: st.lists(st.sampled_from(sorted(words))) for pos, words in NOT_EMPTY}),
    USER_WORDS,
    st.lists(st.text(st.sampled_from("가나다라하갈갔파랗르니됬뷁ㅋ "), max_size=12), max_size=8),
)
def test_words_taken_out_are_as_if_they_had_never_been_packed(removed, added, texts):
    base = _core.Dictionary(pack(SMALL))
    # What is removed and added is there, so nothing is left to compare.
    added = {pos: [word for word in words if word not in removed.get(pos, ())] for pos, words in added.items()}
    changes = {pos: [*added.get(pos, ()), *(f"-{word}" for word in set(removed.get(pos, ())))] for pos in LISTED}
    changed, expected = change_words(base, changes), packed_at_once(without(SMALL, removed), added)
    for word in words_of(SMALL, added):
        assert changed.lookup(word) == expected.lookup(word), word
    for norm in (False, True):
        assert changed.tokens(texts, norm, True, Token) == expected.tokens(texts, norm, True, Token)


@pytest.mark.slow
def test_predicates_taken_out_of_okts_own_lists_leave_their_forms_to_the_others(lists):
    removed = {"Verb": ["가", "들", "하", "나르"], "Adjective": ["파랗", "하", "가렵"], "Noun": ["영화", "가"]}
    base, expected = _core.Dictionary(pack(lists)), _core.Dictionary(pack(without(lists, removed)))
    changed = change_words(base, {pos: [f"-{word}" for word in words] for pos, words in removed.items()})
    for word in words_of(SMALL, removed) | {form for pos in PREDICATES for form in lists.words[pos]}:
        assert changed.lookup(word) == expected.lookup(word), word


def test_a_word_can_leave_one_list_or_all():
    assert Okt().pos("영화가 재밌다")[0] == ("영화", "Noun")
    for removing in ({"Noun": ["-영화"]}, {"remove": ["영화"]}, ["-영화"]):
        assert ("영화", "Noun") not in Okt(removing).pos("영화가 재밌다")
    assert Okt(remove=["영화"]).user_dictionary == Okt(["-영화"]).user_dictionary == {"remove": ["영화"]}
    assert Okt(remove=["재밌다"]).pos("재밌다", stem=True) == [("재밌다", "Noun")]
    # Removed everywhere, then added: it is a noun and nothing else.
    assert Okt({"Noun": ["하"], "remove": ["하다", "하"]}).pos("하", stem=True) == [("하", "Noun")]


def test_a_word_to_remove_that_no_list_has_is_told():
    with pytest.warns(UserWarning, match="no list of Okt has these words, so they can't be removed: '영화', '뷁뷁'"):
        Okt({"remove": ["뷁뷁"], "Verb": ["-영화"]} | {"Noun": ["-영화"]})


@pytest.mark.parametrize(
    ("words", "text", "morphemes"),
    [
        (["8시즌"], "8시즌은 별로", ["8시즌/Noun", "은/Josa", "별로/Noun"]),
        ({"split": ["8/Number 시즌/Noun"]}, "8시즌이 좋다", ["8/Number", "시즌/Noun", "이/Josa", "좋다/Adjective"]),
        (["8시즌"], "18시즌", ["18시/Number", "즌/Foreign"]),
        (["LG전자"], "LG전자는 ALG전자", ["LG전자/Noun", "는/Josa", "ALG/Alpha", "전자/Noun"]),
        (["C++"], "C++을", ["C++/Noun", "을/Josa"]),
        (["S23", "S23울트라"], "갤럭시S23울트라 S23", ["갤럭시/Noun", "S23울트라/Noun", "S23/Noun"]),
        ({"split": ["아버지/Noun 가방/Noun"]}, "아버지가방에", ["아버지/Noun", "가방/Noun", "에/Josa"]),
        (["워라밸"], "워라밸이 좋다", ["워라밸/Noun", "이/Josa", "좋다/Adjective"]),
    ],
)
def test_words_of_any_characters_are_kept_together_or_split_as_told(words, text, morphemes):
    okt = Okt(words)
    assert okt.pos(text, join=True) == morphemes
    assert all(text[token.start : token.end] == token.text for token in okt.tokenize(text))


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
    assert change_words(base, user_words).pairs(texts, False, True, False) != base.pairs(texts, False, True, False)


# ---- what is refused ----


@pytest.mark.parametrize(
    ("words", "entries", "stems", "message"),
    [
        (["가"], [], [], "1 words, but 0 entries"),
        (["나", "가"], [(1, 0, -1, -1)] * 2, [], "ascending order, but '나' precedes '가'"),
        (["가", "가"], [(1, 0, -1, -1)] * 2, [], "distinct"),
        ([""], [(1, 0, -1, -1)], [], "empty"),
        (["가A"], [(1, 0, -1, -1)], [], "Hangul syllables and compatibility jamo, not '가A'"),
        (["가"], [(1, -1)], [], "entry of '가' is malformed"),
        (["가"], [(1 << 16, 0, -1, -1)], [], "entry of '가' is malformed"),
        (["가"], [(1, 0, 0, -1)], [], "stem or correction that is not there"),
        (["가"], [(1, 0, -1, 1)], ["가다"], "stem or correction that is not there"),
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


def test_a_file_and_a_list_can_remove_and_split(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("워라밸\n-워드\n-영화\tNoun\n-가다\tVerb\n8시즌\t8/Number  시즌/Noun\n", encoding="utf-8")
    expected = {
        "Noun": ["-영화", "워라밸"],
        "Verb": ["-가"],
        "split": ["8/Number 시즌/Noun"],
        "remove": ["워드"],
    }
    assert read_user_dictionary(path) == read_user_dictionary(expected) == expected
    assert read_user_dictionary(["워라밸", "-워드"], remove=["영화"]) == {
        "Noun": ["워라밸"],
        "remove": ["영화", "워드"],
    }


def test_decomposed_hangul_is_the_same_word():
    assert read_user_dictionary([normalize("NFD", "워라밸")]) == {"Noun": ["워라밸"]}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"Noun": ["가", "-가"]}, r"word 1: '가' is both added and removed as Noun"),
        ({"split": ["8시즌"]}, r"expected morphemes such as '8/Number 시즌/Noun', not '8시즌'"),
        ({"split": ["8/Nummer 시즌/Noun"]}, r"expected morphemes such as"),
        (["두 단어"], r"user_dictionary, word 0: a word has no white space inside"),
        ([3], r"user_dictionary, word 0: expected a str"),
    ],
)
def test_a_wrong_change_is_named(words, message):
    with pytest.raises(ValueError, match=message):
        Okt(words)


def test_morphemes_that_make_another_word_are_refused(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("9시즌\t8/Number 시즌/Noun\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"line 1: the morphemes '8/Number 시즌/Noun' do not make the word '9시즌'"):
        Okt(path)


def test_a_word_in_place_of_a_path_is_answered_with_the_list():
    with pytest.raises(FileNotFoundError, match=r"to add words, pass a list of them: \['워라밸'\]"):
        Okt("워라밸")


def test_the_hash_is_that_of_the_lists_and_the_words():
    """The formula is part of the format of saved tokenizers; okt_lstm has it, too."""
    base = _core.Dictionary(pack(SMALL)).digest
    words = {"Noun": ["가", "나"], "Verb": ["하"]}
    assert digest_with(base, words) == hashlib.sha256(f"{base.hex()}\n가\tNoun\n나\tNoun\n하\tVerb".encode()).digest()
