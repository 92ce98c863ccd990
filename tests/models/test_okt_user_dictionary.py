"""The reader of user dictionaries that stands in for oktane's accepts, refuses and returns the same."""

import warnings
from unicodedata import normalize

import pytest

import oktane
from okt_lstm.models.okt_konlpy import KonlpyOkt
from okt_lstm.models.okt_options import PARTS_OF_SPEECH
from okt_lstm.models.okt_user_dictionary import read_user_dictionary, write_user_dictionary

USER_DICTIONARY = {"Verb": ["뷁하다", "뷁하"], "Noun": ("뷁뷁", " 가나 ")}
CANONICAL = {"Noun": ["가나", "뷁뷁"], "Verb": ["뷁하"]}


def by_oktane(words):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return oktane.Okt(words).user_dictionary


READERS = pytest.mark.parametrize("read", [read_user_dictionary, by_oktane], ids=["ours", "oktane"])


@READERS
def test_a_user_dictionary_has_one_form_however_it_is_written(read, tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("\ufeff# mine\n\n뷁하다\tVerb\n뷁뷁\t Noun\n가나\tNoun\n", encoding="utf-8")
    assert read(path) == read(str(path)) == read(USER_DICTIONARY) == CANONICAL
    assert read(CANONICAL) == CANONICAL
    assert read(None) == read({}) == {}


@READERS
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"명사": ["가"]}, "user_dictionary['명사'], word 0: '명사' is no part of speech"),
        ({"Noun": "가나"}, "user_dictionary['Noun'] must be a list of words"),
        ({"Noun": 5}, "user_dictionary['Noun'] must be a list of words"),
        ({"Noun": ["가", "나 다"]}, "user_dictionary['Noun'], word 1: a word has no white space inside, not '나 다'"),
        ({"Noun": [" "]}, "user_dictionary['Noun'], word 0: the word is empty"),
        ({"Noun": [3]}, "user_dictionary['Noun'], word 0: expected a str, not 3"),
        ({"Verb": ["go"]}, "user_dictionary['Verb'], word 0: 'go' cannot be conjugated"),
    ],
)
def test_a_wrong_user_dictionary_is_refused_in_the_same_words(read, words, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011  # the whole message is compared
        read(words)
    assert str(error.value).startswith(message)
    with pytest.raises(ValueError) as expected:  # noqa: PT011
        by_oktane(words)
    assert str(error.value) == str(expected.value)


@READERS
def test_a_wrong_line_of_a_file_is_named(read, tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("뷁뷁\tNoun\n뷁 Noun\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"words\.txt, line 2: expected a word, a tab"):
        read(path)
    path.write_bytes("뷁".encode("euc-kr", "replace") + b"\xff\tNoun\n")
    with pytest.raises(ValueError, match=r"words\.txt, line 1: not UTF-8"):
        read(path)
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.txt")


@READERS
def test_what_is_written_is_read_again(read, tmp_path):
    write_user_dictionary(CANONICAL, tmp_path / "words.txt")
    assert (tmp_path / "words.txt").read_text("utf-8") == "가나\tNoun\n뷁뷁\tNoun\n뷁하\tVerb\n"
    assert read(tmp_path / "words.txt") == CANONICAL
    assert [path.name for path in tmp_path.iterdir()] == ["words.txt"]


@READERS
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["워라밸", "-워드"], {"Noun": ["워라밸"], "remove": ["워드"]}),
        ({"Noun": ["-영화", "LG전자"], "remove": ["하다"]}, {"Noun": ["-영화", "LG전자"], "remove": ["하다"]}),
        ({"Verb": ["-가다"], "split": [" 8/Number  시즌/Noun"]}, {"Verb": ["-가"], "split": ["8/Number 시즌/Noun"]}),
        ([normalize("NFD", "워라밸")], {"Noun": ["워라밸"]}),
    ],
)
def test_words_are_removed_kept_together_and_split_alike(read, words, expected, tmp_path):
    assert read(words) == expected
    write_user_dictionary(expected, tmp_path / "words.txt")
    assert read(tmp_path / "words.txt") == expected


@READERS
@pytest.mark.parametrize("words", [{"Noun": ["가", "-가"]}, {"split": ["8시즌"]}, ["두 단어"], [3], {"remove": "가"}])
def test_a_wrong_change_is_refused_in_the_same_words(read, words):
    with pytest.raises(ValueError) as error:  # noqa: PT011  # the whole message is compared
        read(words)
    with pytest.raises(ValueError) as expected:  # noqa: PT011
        by_oktane(words)
    assert str(error.value) == str(expected.value)


def test_parts_of_speech_are_oktanes():
    from oktane._core import PARTS_OF_SPEECH as OKTANES

    assert PARTS_OF_SPEECH == OKTANES


def test_where_konlpy_stands_in_words_that_it_would_split_are_refused_by_name():
    for words in (["8시즌", "워라밸"], {"split": ["8/Number 시즌/Noun"]}):
        with pytest.raises(ValueError, match=r"would split these words .* in its own way: '8시즌'\. Install oktane"):
            KonlpyOkt(words)
    assert KonlpyOkt(["워라밸", "-영화"]).dictionary_hash == oktane.Okt(["워라밸", "-영화"]).dictionary_hash
