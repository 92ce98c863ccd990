"""`oktane.load` labels texts as `okt_lstm.load` does, on any number of threads, after a fork and after pickling."""

import multiprocessing
import pickle
import subprocess
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

okt_lstm = pytest.importorskip("okt_lstm")

from trained_folders import RELEASED, TEXTS, save, trained_tokenizer  # noqa: E402

import oktane  # noqa: E402

PROBLEMS = {
    "one label": {"labels": ("부정", "중립", "긍정")},
    "several labels": {"labels": "abcd", "problem_type": "multi_label_classification"},
    "a number": {"labels": ("score",)},
    "several numbers": {"labels": "xy", "problem_type": "regression"},
}
HOSTILE = ["", "\0", "\ud800", "가" * 100_000, "<pad>", "\U0010ffff\u200d", "ㅋ" * 20_000]


@pytest.fixture(scope="module")
def classifier():
    return oktane.load(RELEASED)


@pytest.fixture(scope="module")
def many_texts():
    """More than one chunk, of all lengths."""
    rng = np.random.default_rng(0)
    words = np.array(
        ["영화", "재미", "정말", "최고", "별로", "ㅋㅋ", "배우", "연기", "the", "10점", ".", "!!", "지루하다", "았어요"]
    )
    return [" ".join(rng.choice(words, rng.integers(0, 30))) for _ in range(2000)]


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("family", ["LSTM", "GRU", "RNN", "Ngram"])
def test_predictions_are_those_of_torch(tmp_path, family, problem):
    save(tmp_path, family, **PROBLEMS[problem])
    found, expected = oktane.load(tmp_path), okt_lstm.load(tmp_path, device="cpu", engine="torch")
    texts = TEXTS + HOSTILE[:3]
    assert found.labels == expected.labels
    assert found.problem_type == expected.problem_type
    if found.problem_type == "regression":
        np.testing.assert_allclose(found.predict(texts), expected.predict(texts), atol=1e-4)
        with pytest.raises(ValueError, match="regression"):
            found.predict_proba(texts)
        return
    np.testing.assert_allclose(found.predict_proba(texts), expected.predict_proba(texts), atol=1e-5)
    for threshold in (0.1, 0.5, 0.9):
        assert found.predict(texts, threshold=threshold) == expected.predict(texts, threshold=threshold)


def test_one_text_and_several(classifier):
    assert classifier.predict("연기도 연출도 최고였다") == "positive"
    assert classifier.predict(["연기도 연출도 최고였다", "시간이 아깝다"]) == ["positive", "negative"]
    assert classifier.predict(text for text in ["시간이 아깝다"]) == ["negative"]
    assert classifier.predict([]) == []
    assert classifier.predict_proba("최고").shape == (2,)
    assert classifier.predict_proba(["최고"]).shape == (1, 2)
    assert classifier.predict_proba([]).shape == (0, 2)
    assert classifier.logits(["최고", "별로"]).dtype == np.float32


def test_any_text_is_labeled(tmp_path):
    unlimited = oktane.load(save(tmp_path, tokenizer=trained_tokenizer(subword="bpe")))
    assert unlimited.max_length is None
    expected = okt_lstm.load(tmp_path, device="cpu", engine="torch")
    texts = [*HOSTILE, "가나다 " * 30_000]
    np.testing.assert_allclose(unlimited.logits(texts), expected.logits(texts), atol=1e-4)


def test_a_million_characters_are_labeled(classifier):
    assert classifier.predict("정말 재미있는 영화! " * 90_000) in classifier.labels


def test_decomposed_hangul_counts_as_its_composed_form(classifier):
    texts = [*TEXTS, "값진 영화 ㅋㅋ 뷁!"]
    decomposed = [unicodedata.normalize("NFD", text) for text in texts]
    assert decomposed != texts
    assert (classifier.logits(decomposed) == classifier.logits(texts)).all()
    assert (classifier.logits([*decomposed, *texts]) == np.tile(classifier.logits(texts), (2, 1))).all()


def test_max_length(tmp_path):
    save(tmp_path, tokenizer=trained_tokenizer(subword="bpe"))
    for max_length in (1, 2, 5):
        found = oktane.load(tmp_path, max_length=max_length).predict_proba(TEXTS)
        expected = okt_lstm.load(tmp_path, device="cpu", max_length=max_length, engine="torch").predict_proba(TEXTS)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_number_of_threads_changes_no_bit(many_texts):
    expected = oktane.load(RELEASED, num_threads=1).logits(many_texts)
    for threads in (2, 16):
        assert (oktane.load(RELEASED, num_threads=threads).logits(many_texts) == expected).all()
    assert (np.concatenate([oktane.load(RELEASED).logits([text]) for text in many_texts[:20]]) == expected[:20]).all()


def test_one_object_serves_many_threads(classifier, many_texts):
    expected = classifier.predict(many_texts)
    with ThreadPoolExecutor(16) as pool:
        assert all(result == expected for result in pool.map(lambda _: classifier.predict(many_texts), range(16)))


def test_pickled_as_its_folder_and_options(many_texts):
    original = oktane.load(RELEASED, max_length=7, num_threads=2)
    pickled = pickle.dumps(original)
    assert len(pickled) < 1000
    copy = pickle.loads(pickled)
    assert (copy.max_length, copy.num_threads) == (7, 2)
    assert (copy.logits(many_texts) == original.logits(many_texts)).all()


FORKED = """
import multiprocessing, oktane, sys
texts = sys.argv[2:] * 200
classifier = oktane.load(sys.argv[1])
expected = classifier.logits(texts)  # on several threads, before the fork
with multiprocessing.get_context("fork").Pool(2) as pool:
    results = pool.map(classifier.logits, [texts, texts])
assert all((result == expected).all() for result in results)
"""


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
def test_a_forked_child_goes_on_with_it(many_texts):
    """In a process of its own: the children of one in which a JVM runs can't be terminated."""
    command = [sys.executable, "-c", FORKED, str(RELEASED), *many_texts[:10]]
    process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (process.returncode, process.stderr) == (0, "")


def test_what_is_no_text_is_named(classifier):
    with pytest.raises(TypeError, match=r"texts\[1\] is not a str but int: 3"):
        classifier.predict(["a", 3])
    for wrong in (b"bytes", {"text": "a"}, 3):
        with pytest.raises(TypeError, match=r"texts (must be|is a)"):
            classifier.predict(wrong)


def test_a_generator_s_error_comes_through(classifier):
    def texts():
        yield from ["최고"] * 1500
        raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        classifier.predict(texts())


def test_options_out_of_range():
    for option in ("max_length", "num_threads"):
        with pytest.raises(ValueError, match=f"{option} must be at least 1, not 0"):
            oktane.load(RELEASED, **{option: 0})


def test_neither_torch_nor_transformers_is_imported():
    code = f"""
import sys, oktane
assert "numpy" not in sys.modules
print(oktane.load({str(RELEASED)!r}).predict("최고"))
print(sorted({{"torch", "transformers", "tokenizers", "safetensors", "konlpy"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["positive", "[]", ""]


@pytest.mark.slow
def test_logits_of_all_test_reviews_are_torch_s(nsmc_dir):
    lines = (nsmc_dir / "ratings_test.txt").read_text(encoding="utf-8").split("\n")[1:]
    texts = [line.split("\t")[1] for line in lines if line.count("\t") == 2]
    found = oktane.load(RELEASED).logits(texts)
    reference = okt_lstm.load(device="cpu", engine="torch")
    expected = np.concatenate([reference.logits(texts[i : i + 4096]) for i in range(0, len(texts), 4096)])
    np.testing.assert_allclose(found, expected, atol=1e-4)
    margin = np.abs(expected[:, 0] - expected[:, 1])
    differs = found.argmax(1) != expected.argmax(1)
    assert not (differs & (margin > 1e-4)).any()
