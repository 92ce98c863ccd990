"""Threads share a dictionary, with the interpreter's lock and in builds without it."""

import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from word_lists import LIST_BITS, WordLists, pack

from oktane import Token, _core
from oktane.word_changes import change_words

TEXTS = [
    "영화는재밌었어욬ㅋㅋ a.kr/b",
    "이것도 되나욬ㅋㅋ 사랑했습니다",
    "",
    "소린가",
    "가" * 300,
    "1,000원 @name #태그 $AB",
]
CALLS = {
    "strings": lambda packed: [packed.strings(TEXTS, task, True, True) for task in ("morphemes", "nouns", "phrases")],
    "pairs": lambda packed: packed.pairs(TEXTS, True, True, False),
    "tokens": lambda packed: packed.tokens(TEXTS, True, True, Token),
    "morphemes": lambda packed: [list(part) for part in packed.morphemes(TEXTS, True, True)],
    "a text that is no str": lambda packed: _message_of(packed, [*TEXTS, None]),
    "lookup": lambda packed: packed.lookup("재밌었"),
    "user words": lambda packed: change_words(packed, {"Noun": ["덕질"]}).lookup("덕질"),
}
THREADS = 8


def _message_of(packed, texts):
    with pytest.raises(TypeError) as error:
        packed.pairs(texts, True, True, False)
    return str(error.value)


@pytest.fixture
def eager_switches():
    """Threads take turns as often as the interpreter allows."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def test_threads_that_start_at_once_get_what_one_gets(eager_switches):
    lists = WordLists({name: set() for name in LIST_BITS}, {}, {"됬": "됐"})
    lists.words["Noun"].update({"영화", "소리", "태그"})
    lists.words["Adjective"].add("재밌")
    lists.words["Verb"].update({"사랑하", "되"})
    lists.words["Josa"].update({"는", "도"})
    packed = pack(lists)
    expected = {name: call(_core.Dictionary(packed)) for name, call in CALLS.items()}
    barrier = Barrier(THREADS)

    def run(shared, first):
        barrier.wait()
        order = [*CALLS][first % len(CALLS) :] + [*CALLS][: first % len(CALLS)]
        return {name: CALLS[name](shared) for name in order * 3}

    with ThreadPoolExecutor(THREADS) as executor:
        for _ in range(10):
            shared = _core.Dictionary(packed)  # nothing of it has been used before
            for result in executor.map(run, [shared] * THREADS, range(THREADS)):
                assert result == expected


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python has the interpreter's lock")
def test_importing_oktane_leaves_the_lock_off():
    assert not sys._is_gil_enabled()
