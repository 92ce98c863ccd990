"""Okt's word lists are read from konlpy's archive as Okt reads them, and packed whole."""

import importlib.machinery
import importlib.util
import zipfile

import pytest
import word_lists
from hypothesis import given
from hypothesis import strategies as st
from word_lists import LIST_BITS, WordListError, WordLists

from oktane import _core
from oktane.user_words import LISTED, PREDICATES, can_be_looked_up

SMALL = WordLists(
    words={name: set() for name in LIST_BITS} | {"Noun": {"가", "가나", "나라"}, "Josa": {"가"}, "Verb": {"하"}},
    frequencies={"가나": 0.5, "없음": 0.25},
    typos={"됬": "됐"},
)


# ---- reading ----


@pytest.mark.slow
def test_word_lists_are_those_of_open_korean_text(konlpy_okt, lists):
    import jpype

    positions = jpype.JClass("org.openkoreantext.processor.util.KoreanPos")
    provider = getattr(jpype.JClass("org.openkoreantext.processor.util.KoreanDictionaryProvider$"), "MODULE$")
    for name in set(LISTED) - set(PREDICATES):
        theirs = str(provider.koreanDictionary().get(getattr(positions, name)()))[1:-1].split(", ")
        assert lists.words[name] == set(theirs)


def test_without_konlpy_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WordListError, match=r"pip install --no-deps konlpy==0\.6\.0"):
        word_lists.find_jar()


@pytest.mark.parametrize("content", [None, b"", b"another archive"], ids=["missing", "empty", "other"])
def test_another_archive_than_the_known_one_is_refused(monkeypatch, tmp_path, content):
    jar = tmp_path / "java" / word_lists.JAR
    jar.parent.mkdir()
    if content is not None:
        jar.write_bytes(content)
    spec = importlib.machinery.ModuleSpec("konlpy", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(WordListError, match=r"open-korean-text-2\.1\.0\.jar is missing or not konlpy 0\.6\.0's"):
        word_lists.find_jar()


def test_lines_are_trimmed_as_java_does(tmp_path):
    with zipfile.ZipFile(tmp_path / "words.jar", "w") as archive:
        archive.writestr(word_lists.FOLDER_IN_JAR + "list.txt", "\x01가 \r\n\n \u3000나\n다")
    with zipfile.ZipFile(tmp_path / "words.jar") as archive:
        assert list(word_lists._read_lines(archive, "list.txt")) == ["가", "\u3000나", "다"]


# ---- packing ----


def test_the_packed_lists_that_oktane_comes_with_are_these(okt, lists):
    assert okt.dictionary_hash == lists.digest().hex()


def test_every_word_is_found_in_exactly_its_lists(okt, lists):
    predicates = LIST_BITS["Verb"] | LIST_BITS["Adjective"]
    for name in ("Josa", "Adverb", "Suffix", "family name"):
        for word in lists.words[name]:
            expected = sum(
                bit for other, bit in LIST_BITS.items() if other not in PREDICATES and word in lists.words[other]
            )
            found = okt._dictionary.lookup(word)[0] & ~predicates
            assert found == (expected if can_be_looked_up(word) else 0)


@given(
    st.dictionaries(
        st.text(st.sampled_from("가나다각힣ㄱㅣ"), min_size=1, max_size=5),
        st.sampled_from(["Noun", "Josa"]),
        max_size=60,
    )
)
def test_the_trie_holds_what_was_packed_and_nothing_else(words):
    lists = SMALL._replace(words={name: {w for w, n in words.items() if n == name} for name in LIST_BITS})
    packed = _core.Dictionary(word_lists.pack(lists))
    for word, name in words.items():
        assert packed.lookup(word)[0] == LIST_BITS[name]
        for other in (word + "가", word[:-1], word[::-1], word + "x"):
            assert packed.lookup(other)[0] == LIST_BITS.get(words.get(other, ""), 0)


def test_the_digest_names_the_words_and_not_their_order():
    more = SMALL._replace(words=SMALL.words | {"Noun": {"나라", "가", "가나"}})
    other = SMALL._replace(words=SMALL.words | {"Noun": {"나라", "가"}})
    assert _core.Dictionary(word_lists.pack(SMALL)).digest == SMALL.digest() == more.digest() != other.digest()


def test_packing_the_same_words_gives_the_same_bytes():
    other_order = SMALL._replace(
        words={name: dict.fromkeys(sorted(words)[::-1]) for name, words in SMALL.words.items()}
    )
    assert word_lists.pack(SMALL) == word_lists.pack(other_order)


def test_damage_anywhere_is_noticed():
    packed = word_lists.pack(SMALL)
    for at in (0, 9, 13, 20, 40, len(packed) // 2, len(packed) - 20):
        damaged = bytearray(packed)
        damaged[at] ^= 0x40
        with pytest.raises(ValueError, match="dictionary"):
            _core.Dictionary(bytes(damaged))
    for length in (0, 1, 63, 64, len(packed) - 1):
        with pytest.raises(ValueError, match="dictionary"):
            _core.Dictionary(packed[:length])
