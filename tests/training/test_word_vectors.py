import os
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest
from tiny import WORDS, tiny_tokenizer
from tqdm import tqdm

from okt_lstm import OktTokenizer
from okt_lstm.atomic import FileError
from okt_lstm.data.vectors import Vectors, read_vectors, write_vectors
from okt_lstm.training.commands import WORD_VECTORS
from okt_lstm.training.options import UnlabeledOptions, WordVectorOptions, WordVectorTokenizerOptions
from okt_lstm.training.parsing import parse
from okt_lstm.training.parts import WordVectorParts, build
from okt_lstm.training.word_vectors import _Sentences, skip_gram, train_word_vectors

TEXTS = ["연기도 연출도 최고였다", "시간이 아깝다", "정말 재미 있다", "정말 재미 없다", "굿", "최고였다 정말 굿"] * 30
QUICK = {"vector_size": 8, "bucket": 1000, "epochs": 2, "workers": 1}


def vector_options(folder, **options):
    return WordVectorOptions(**({"output": str(folder / "v.vec")} | QUICK | options))


def train(folder, **options):
    files = {"output": str(folder / "v.vec"), "unlabeled": str(folder / "t.txt")}
    return train_word_vectors(build(WordVectorParts, files | QUICK | options))


@pytest.fixture
def text_file(tmp_path):
    (tmp_path / "t.txt").write_text("".join(f"{text}\n" for text in TEXTS))
    return tmp_path / "t.txt"


# Training


def test_vectors_of_the_texts_tokens_are_written(tmp_path, text_file):
    result = train(tmp_path, min_frequency=1)
    vectors = read_vectors(tmp_path / "v.vec")
    tokenizer = OktTokenizer()
    morphemes = {token for text in TEXTS for token in tokenizer.train_new_from_iterator([text], 99).get_vocab()}
    assert set(vectors.tokens) == morphemes - {"<pad>", "<unk>"}
    assert asdict(result) | {"seconds": 0} == {
        "output": str(tmp_path / "v.vec"),
        "tokens": len(vectors.tokens),
        "vector_size": 8,
        "token_count": result.token_count,
        "seconds": 0,
    }
    assert result.token_count > len(TEXTS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.txt", "v.vec"]


def test_the_tokenizers_own_tokens_get_the_vectors(tmp_path, text_file):
    tiny_tokenizer().save_pretrained(tmp_path / "tokenizer")
    with text_file.open("a") as file:
        file.write("모르는 말\n")
    train(tmp_path, tokenizer=str(tmp_path / "tokenizer"))
    assert set(read_vectors(tmp_path / "v.vec").tokens) == {*WORDS, "<unk>"} - {"별로"}  # which no text has


def test_one_thread_and_a_seed_give_the_same_vectors(tmp_path):
    def vectors(**options):
        return skip_gram(iter(TEXTS), tiny_tokenizer(), vector_options(tmp_path, **options))[0]

    first, again, other = vectors(), vectors(), vectors(seed=1)
    assert first.tokens == again.tokens
    np.testing.assert_array_equal(first.matrix, again.matrix)
    assert not np.array_equal(first.matrix, other.matrix)


@pytest.mark.parametrize("max_n", [0, 4])
def test_words_of_the_same_contexts_get_like_vectors(tmp_path, max_n):
    rng = np.random.default_rng(0)
    topics = [["연기도", "연출도", "최고였다"], ["시간이", "아깝다", "별로"]]
    texts = [" ".join(rng.choice(topics[row % 2], 6)) for row in range(2000)]
    options = {"epochs": 5, "max_n": max_n, "sample": 0.0}
    vectors, _ = skip_gram(texts, tiny_tokenizer(), vector_options(tmp_path, **options))
    unit = vectors.matrix / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    like = dict(zip(vectors.tokens, unit @ unit[vectors.tokens.index("연기도")], strict=True))
    assert min(like[word] for word in topics[0]) > max(like[word] for word in topics[1]) + 0.1


def test_texts_are_read_once_and_as_a_stream(tmp_path, monkeypatch):
    tokenizer = tiny_tokenizer()
    waiting = 0

    def texts():
        nonlocal waiting
        for text in TEXTS * 40:
            waiting += 1
            assert waiting <= 1000
            yield text

    class Counting:
        def __call__(self, batch, **options):
            nonlocal waiting
            waiting -= len(batch)
            return tokenizer(batch, **options)

        def __getattr__(self, name):
            return getattr(tokenizer, name)

    _, token_count = skip_gram(texts(), Counting(), vector_options(tmp_path))
    assert token_count == 40 * sum(len(text.split()) for text in TEXTS)


def test_long_texts_and_empty_ones_keep_their_tokens(tmp_path):
    texts = ["", " ".join(WORDS * 10_000), "굿", ""]  # one longer than what is read at a time
    vectors, token_count = skip_gram(texts, tiny_tokenizer(), vector_options(tmp_path, epochs=1))
    assert token_count == 10_000 * len(WORDS) + 1
    assert set(vectors.tokens) == set(WORDS)


def test_words_beyond_the_ten_thousandth_of_a_text_are_learned_from(tmp_path):
    text = " ".join(["굿"] * 10_000 + ["정말", "재미"] * 5000)
    options = {"max_n": 0, "sample": 0.0, "epochs": 1}
    before, after = (
        skip_gram([text], tiny_tokenizer(), vector_options(tmp_path, alpha=alpha, **options))[0]
        for alpha in (1e-9, 0.05)
    )
    place = before.tokens.index("재미")
    assert np.abs(after.matrix[place] - before.matrix[place]).max() > 0.01


def test_pieces_can_have_vectors(tmp_path, text_file):
    train(tmp_path, subword="bpe", vocab_size=300, min_frequency=1)
    assert any(len(token) == 1 for token in read_vectors(tmp_path / "v.vec").tokens)


@pytest.mark.parametrize("texts", [[], ["굿", "굿"]])
def test_nothing_to_learn_from_is_an_error(tmp_path, texts):
    with pytest.raises(ValueError, match="nothing to learn"):
        skip_gram(texts, tiny_tokenizer(), vector_options(tmp_path))


def test_a_failure_leaves_the_old_file(tmp_path, text_file):
    (tmp_path / "v.vec").write_text("old")
    with pytest.raises(OSError, match="none"):
        train(tmp_path, tokenizer=str(tmp_path / "none"))
    assert (tmp_path / "v.vec").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.txt", "v.vec"]


def test_without_texts_the_error_names_the_flag(tmp_path):
    with pytest.raises(ValueError, match="--unlabeled"):
        train_word_vectors(build(WordVectorParts, {"output": str(tmp_path / "v.vec")}))
    assert not list(tmp_path.iterdir())


def test_the_outputs_name_is_checked_first(tmp_path):
    with pytest.raises(FileError, match=r"v\.pkl.*\.safetensors"):
        train(tmp_path, output="v.pkl")


def test_without_gensim_the_error_says_what_to_install(tmp_path, text_file, monkeypatch):
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    with pytest.raises(ImportError, match=r"needs gensim .*: pip install gensim"):
        train(tmp_path)


def test_reading_vectors_needs_no_gensim(tmp_path):
    path = tmp_path / "v.safetensors"
    with path.open("wb") as stream:
        write_vectors(Vectors(["굿"], np.ones((1, 2), np.float32)), stream)
    code = "import sys; sys.modules['gensim'] = None; import okt_lstm.training.word_vectors\n" + (
        f"from okt_lstm.data.vectors import read_vectors; print(read_vectors({str(path)!r}).tokens)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "['굿']\n"


# Options


def test_flags_become_options():
    flags = ["--unlabeled", "t.txt", "--output", "v.bin", "--vector_size", "32", "--max_n", "0", "--stem", "true"]
    options = build(WordVectorParts, parse(WORD_VECTORS, flags))
    assert options.vectors == WordVectorOptions("v.bin", vector_size=32, max_n=0)
    assert options.unlabeled == UnlabeledOptions("t.txt")
    assert options.tokenizer == WordVectorTokenizerOptions(stem=True, vocab_size=100_000)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"min_n": 5}, "max_n is 4.*5"),
        ({"alpha": 0.0}, "alpha"),
        ({"workers": -1}, "-1"),
    ],
)
def test_options_out_of_range_are_refused(tmp_path, options, words):
    with pytest.raises(ValueError, match=words):
        vector_options(tmp_path, **options)


@pytest.mark.skipif(os.name == "nt", reason="Windows deletes no file that is mapped")
def test_a_pass_that_begins_when_an_ended_run_has_deleted_its_file_is_a_whole_one(tmp_path):
    path = tmp_path / "ids"
    np.array([0, 1, -1, 1, -1], np.int32).tofile(path)
    with tqdm(disable=True) as bar:
        sentences = _Sentences(path, ["가", "나"], bar)
        path.unlink()
        assert list(sentences) == list(sentences) == [["가", "나"], ["나"]]
