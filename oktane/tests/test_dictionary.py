"""The packed dictionary holds Okt's word lists, and its cache survives whatever happens to it."""

import importlib.util
import os
import subprocess
import sys
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oktane import DictionaryError, Okt, _core, dictionary

SENTENCE = "이것도 되나욬ㅋㅋ 사랑했습니다"
EXPECTED = ["이", "것", "도", "되나욬", "ㅋㅋ", "사랑", "했습니다"]

SMALL = dictionary.WordLists(
    words={name: set() for name in dictionary.LIST_BITS}
    | {"Noun": {"가", "가나", "나라"}, "Josa": {"가"}, "Verb": {"하"}},
    frequencies={"가나": 0.5, "없음": 0.25},
    typos={"됬": "됐"},
)


@pytest.fixture(scope="module")
def lists():
    return dictionary.read_word_lists(dictionary.find_jar())


@pytest.fixture
def packed():
    return dictionary.pack(SMALL)


@pytest.fixture
def fresh_cache(monkeypatch, tmp_path):
    """An empty cache folder, and small word lists, which are packed at once."""
    monkeypatch.setenv("OKTANE_CACHE", str(tmp_path / "cache"))
    copy = {name: set(words) for name, words in SMALL.words.items()}
    monkeypatch.setattr(dictionary, "read_word_lists", lambda jar: SMALL._replace(words=copy))
    dictionary._load.cache_clear()
    yield tmp_path / "cache"
    dictionary._load.cache_clear()


def run(code, cache, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"OKTANE_CACHE": str(cache)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# ---- packing ----


def test_every_word_is_found_in_exactly_its_lists(okt, lists):
    packed = dictionary.load({})
    for name in ("Josa", "Adverb", "Suffix", "family name"):
        for word in lists.words[name]:
            expected = sum(
                bit
                for other, bit in dictionary.LIST_BITS.items()
                if other not in dictionary.PREDICATES and word in lists.words[other]
            )
            predicates = dictionary.LIST_BITS["Verb"] | dictionary.LIST_BITS["Adjective"]
            assert packed.lookup(word)[0] & ~predicates == (expected if dictionary._can_be_looked_up(word) else 0)


def test_word_lists_are_those_of_open_korean_text(konlpy_okt, lists):
    import jpype

    positions = jpype.JClass("org.openkoreantext.processor.util.KoreanPos")
    provider = getattr(jpype.JClass("org.openkoreantext.processor.util.KoreanDictionaryProvider$"), "MODULE$")
    for name in dictionary.WORD_FILES.keys() - set(dictionary.PREDICATES):
        theirs = str(provider.koreanDictionary().get(getattr(positions, name)()))[1:-1].split(", ")
        assert lists.words[name] == set(theirs)


@given(
    st.dictionaries(
        st.text(st.sampled_from("가나다각힣ㄱㅣ"), min_size=1, max_size=5),
        st.sampled_from(["Noun", "Josa"]),
        max_size=60,
    )
)
def test_the_trie_holds_what_was_packed_and_nothing_else(words):
    lists = SMALL._replace(words={name: {w for w, n in words.items() if n == name} for name in dictionary.LIST_BITS})
    packed = _core.Dictionary(dictionary.pack(lists))
    for word, name in words.items():
        assert packed.lookup(word)[0] == dictionary.LIST_BITS[name]
        for other in (word + "가", word[:-1], word[::-1], word + "x"):
            assert packed.lookup(other)[0] == dictionary.LIST_BITS.get(words.get(other, ""), 0)


def test_the_digest_names_the_words_and_not_their_order(packed):
    more = SMALL._replace(words=SMALL.words | {"Noun": {"나라", "가", "가나"}})
    other = SMALL._replace(words=SMALL.words | {"Noun": {"나라", "가"}})
    assert _core.Dictionary(packed).digest == SMALL.digest() == more.digest() != other.digest()


def test_damage_anywhere_is_noticed(packed):
    for at in (0, 9, 13, 20, 40, len(packed) // 2, len(packed) - 20):
        damaged = bytearray(packed)
        damaged[at] ^= 0x40
        with pytest.raises(ValueError, match="dictionary"):
            _core.Dictionary(bytes(damaged))
    for length in (0, 1, 63, 64, len(packed) - 1):
        with pytest.raises(ValueError, match="dictionary"):
            _core.Dictionary(packed[:length])


# ---- where the lists come from ----


def test_without_konlpy_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DictionaryError, match="pip install konlpy"):
        dictionary.find_jar()


def test_another_konlpy_is_named_in_the_error(monkeypatch):
    monkeypatch.setattr(dictionary, "JAR", "open-korean-text-9.jar")
    with pytest.raises(DictionaryError, match=r"open-korean-text-9\.jar is missing.*konlpy"):
        dictionary.find_jar()


def test_a_damaged_jar_is_an_error_that_says_what_to_do(tmp_path):
    jar = tmp_path / "words.jar"
    jar.write_bytes(b"no jar")
    with pytest.raises(DictionaryError, match=r"words\.jar is damaged.*reinstall"):
        dictionary.read_word_lists(jar)
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr(dictionary.FOLDER_IN_JAR + "noun/nouns.txt", "가")
    with pytest.raises(DictionaryError, match=r"words\.jar is damaged"):
        dictionary.read_word_lists(jar)


# ---- the cache ----


@pytest.mark.parametrize(
    ("platform", "environment", "folder"),
    [
        ("linux", {"HOME": "/h"}, "/h/.cache/oktane"),
        ("linux", {"HOME": "/h", "XDG_CACHE_HOME": "/x"}, "/x/oktane"),
        ("darwin", {"HOME": "/h"}, "/h/Library/Caches/oktane"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/oktane"),
        ("linux", {"OKTANE_CACHE": "/o"}, "/o"),
    ],
)
def test_the_cache_lies_where_the_platform_has_caches(monkeypatch, platform, environment, folder):
    for name in ("OKTANE_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert dictionary.cache_folder().as_posix() == folder


def test_a_packed_dictionary_is_written_once_and_used_again(fresh_cache, monkeypatch):
    digest = dictionary.load({}).digest
    assert len(list(fresh_cache.iterdir())) == 1
    dictionary._load.cache_clear()
    monkeypatch.setattr(dictionary, "pack", lambda lists: pytest.fail("packed again"))
    assert dictionary.load({}).digest == digest


@pytest.mark.parametrize("damage", [b"", b"oktane", b"\0" * 5000, None], ids=["empty", "short", "zeros", "flipped"])
def test_a_damaged_cache_file_is_made_anew(fresh_cache, damage):
    digest = dictionary.load({}).digest
    (path,) = fresh_cache.iterdir()
    good = path.read_bytes()
    dictionary._load.cache_clear()
    flipped = good[:-100] + bytes([good[-100] ^ 1]) + good[-99:]
    path.unlink()
    path.write_bytes(flipped if damage is None else damage)
    assert dictionary.load({}).digest == digest
    assert path.read_bytes() == good


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(fresh_cache):
    fresh_cache.write_text("a file where the folder should be", encoding="utf-8")
    assert dictionary.load({}).digest == SMALL.digest()
    assert fresh_cache.is_file()


def test_a_failed_write_leaves_no_file(fresh_cache, monkeypatch):
    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    assert dictionary.load({}).digest == SMALL.digest()
    assert list(fresh_cache.iterdir()) == []


def test_old_packed_dictionaries_make_room(fresh_cache):
    for i in range(dictionary.CACHED + 3):
        dictionary.load({"Noun": ["나" * (i + 1)]})
    assert len(list(fresh_cache.iterdir())) == dictionary.CACHED


def test_processes_that_start_at_once_agree(tmp_path):
    code = f"from oktane import Okt; print(Okt().morphs({SENTENCE!r}) == {EXPECTED!r})"
    processes = [run(code, tmp_path) for _ in range(2)]
    for process in processes:
        out, errors = process.communicate(timeout=300)
        assert (out.strip(), errors) == ("True", "")
    assert len(list(tmp_path.iterdir())) == 1


def test_importing_and_using_oktane_loads_neither_numpy_nor_torch_nor_konlpy(tmp_path):
    code = (
        "import sys, oktane; oktane.Okt().morphs('가나다');"
        "print([name for name in ('numpy', 'torch', 'transformers', 'konlpy', 'jpype') if name in sys.modules])"
    )
    process = run(code, dictionary.cache_folder())
    assert process.communicate(timeout=300) == ("[]\n", "")


# ---- the user's words ----


def test_a_user_file_and_a_mapping_say_the_same(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("\ufeff# my words\n덕질\tNoun\n\n 이세돌 \tNoun\n덕질하다\tVerb \n", encoding="utf-8")
    mapping = {"Verb": ("덕질하",), "Noun": ["이세돌", "덕질", "덕질"]}
    assert dictionary.read_user_dictionary(path) == dictionary.read_user_dictionary(mapping)
    assert dictionary.read_user_dictionary(mapping) == {"Noun": ["덕질", "이세돌"], "Verb": ["덕질하"]}
    assert dictionary.read_user_dictionary(str(path)) == dictionary.read_user_dictionary(path)
    assert dictionary.read_user_dictionary(None) == {}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("덕질 Noun", r"words\.txt, line 2: expected a word, a tab and its part of speech"),
        ("덕질\tNomen", r"words\.txt, line 2: 'Nomen' is no part of speech.*Noun, Verb"),
        ("\tNoun", r"words\.txt, line 2: the word is empty"),
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
    path.write_bytes(b"\xff\xfe\0")
    with pytest.raises(ValueError, match=r"words\.txt: not UTF-8"):
        Okt(path)


def test_words_that_okt_never_looks_up_are_told():
    with pytest.warns(UserWarning, match="1 words of the user dictionary can never be found.*'LG전자'"):
        assert dictionary.read_user_dictionary({"Noun": ["LG전자", "전자"]}) == {"Noun": ["LG전자", "전자"]}
