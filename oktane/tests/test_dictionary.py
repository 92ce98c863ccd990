"""The packed dictionary comes with oktane: nothing else is read, written or loaded."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from oktane import DictionaryError, Okt, dictionary


@pytest.mark.parametrize(
    "content", [None, b"", b"no dictionary", "flipped"], ids=["missing", "empty", "other", "flipped"]
)
def test_missing_or_damaged_word_lists_are_an_error_that_says_what_to_do(monkeypatch, tmp_path, content):
    path = tmp_path / "okt.dict"
    if content == "flipped":
        content = bytearray(dictionary.PACKED.read_bytes())
        content[-100] ^= 1
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(dictionary, "PACKED", path)
    dictionary._base.cache_clear()
    try:
        with pytest.raises(
            DictionaryError, match=r"okt\.dict is missing or damaged .*pip install --force-reinstall \./oktane$"
        ):
            Okt()
    finally:
        dictionary._base.cache_clear()


CODE = """
import sys, oktane
oktane.Okt({"Noun": ["덕질"]}).morphs("가나다")
print([name for name in ("numpy", "torch", "transformers", "konlpy", "jpype") if name in sys.modules])
"""


def test_importing_and_using_oktane_loads_neither_numpy_nor_torch_nor_konlpy(tmp_path):
    environment = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
    assert list(tmp_path.iterdir()) == []


MISSING = """
import sys
sys.modules["oktane._core"] = None
try:
    import oktane
except ImportError as error:
    print(error.__cause__ or error.__suppress_context__, error)
"""


def test_without_the_compiled_core_the_error_is_one_line_that_says_what_to_do():
    done = subprocess.run([sys.executable, "-c", MISSING], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("True oktane's compiled core can't be imported (")
    assert done.stdout.endswith("pip install --force-reinstall ./oktane\n")
    assert done.stdout.count("\n") == 1


def test_threads_that_start_at_once_make_a_users_dictionary_once(monkeypatch):
    made = []
    change_words = dictionary.change_words
    monkeypatch.setattr(dictionary, "change_words", lambda *arguments: made.append(1) or change_words(*arguments))
    with ThreadPoolExecutor(16) as threads:
        okts = list(threads.map(lambda _: Okt({"Noun": ["한꺼번에만든낱말"]}), range(16)))
    assert len(made) == 1
    assert len({id(okt._dictionary) for okt in okts}) == 1
