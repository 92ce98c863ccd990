import pickle
import struct
from unicodedata import normalize

import numpy as np
import pytest
import safetensors.numpy
import torch
from gensim.models import FastText, KeyedVectors
from gensim.models.fasttext import load_facebook_vectors, save_facebook_model
from hypothesis import given, settings
from hypothesis import strategies as st

from okt_lstm.atomic import FileError
from okt_lstm.data.vectors import FORMATS, Vectors, format_of, read_vectors, write_vectors

TOKENS = ["<unk>", "영화", "▁재밌다", "!", "12", "🙂"]
VECTORS = Vectors(TOKENS, np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32))
KINDS = ["safetensors", "text", "binary"]


def write(path, vectors=VECTORS, kind=None):
    with path.open("wb") as stream:
        write_vectors(vectors, stream, kind or format_of(path))
    return path


def assert_same(found, expected):
    assert found.tokens == expected.tokens
    np.testing.assert_array_equal(found.matrix, expected.matrix)
    assert found.matrix.dtype == np.float32


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_is_written_is_read_whatever_the_name(tmp_path, suffix):
    path = write(tmp_path / f"vectors{suffix}")
    assert_same(read_vectors(path), VECTORS)
    assert_same(read_vectors(path.rename(tmp_path / "other")), VECTORS)


@pytest.mark.parametrize("suffix", FORMATS)
def test_only_the_wanted_tokens_are_read(tmp_path, suffix):
    path = write(tmp_path / f"vectors{suffix}")
    assert_same(read_vectors(path, ["!", "없는", "영화"]), Vectors(["영화", "!"], VECTORS.matrix[[1, 3]]))
    nothing = read_vectors(path, ["없는"])
    assert (nothing.tokens, nothing.matrix.shape) == ([], (0, 5))


def test_an_unknown_suffix_is_refused():
    with pytest.raises(FileError, match=r"\.safetensors, \.vec or \.txt"):
        format_of("vectors.pkl")


# The other tools' files


@pytest.fixture(scope="module")
def model():
    sentences = [["영화", "재밌다", "!"], ["영화", "최고", "재밌었다"], ["배우", "최고", "!"]] * 20
    return FastText(sentences, sg=1, vector_size=6, min_count=1, min_n=1, max_n=3, bucket=50, epochs=2, workers=1)


@pytest.mark.parametrize("binary", [False, True])
def test_files_of_gensim_are_read_and_gensim_reads_ours(tmp_path, model, binary):
    path = tmp_path / "vectors"
    model.wv.save_word2vec_format(path, binary=binary)
    read = read_vectors(path)
    assert read.tokens == model.wv.index_to_key
    np.testing.assert_allclose(read.matrix, model.wv.vectors, rtol=1e-6)
    ours = write(tmp_path / "ours", kind="binary" if binary else "text")
    loaded = KeyedVectors.load_word2vec_format(ours, binary=binary)
    assert loaded.index_to_key == TOKENS
    np.testing.assert_allclose(loaded.vectors, VECTORS.matrix, rtol=1e-6)


def test_a_fasttext_model_gives_what_gensim_gives_for_known_and_unknown_words(tmp_path, model):
    save_facebook_model(model, str(tmp_path / "model.bin"))
    expected = load_facebook_vectors(str(tmp_path / "model.bin"))
    known = read_vectors(tmp_path / "model.bin")
    assert known.tokens == expected.index_to_key
    np.testing.assert_allclose(known.matrix, expected.vectors, rtol=1e-5, atol=1e-8)
    words = ["재밌겠다", "영화", "가", "é", "🙂🙂", "longer than max_n"]
    read = read_vectors(tmp_path / "model.bin", words)
    assert read.tokens == words
    np.testing.assert_allclose(read.matrix, [expected[word] for word in words], rtol=1e-5, atol=1e-8)


def test_a_fasttext_model_without_n_grams_knows_its_words_only(tmp_path):
    model = FastText([["가", "나"]] * 5, sg=1, vector_size=3, min_count=1, max_n=0)
    save_facebook_model(model, str(tmp_path / "model.bin"))
    read = read_vectors(tmp_path / "model.bin", ["다", "나"])
    assert read.tokens == ["나"]
    np.testing.assert_allclose(read.matrix[0], model.wv["나"], rtol=1e-6)


@pytest.mark.parametrize(
    "content",
    [
        "2 3\n영화 1 2 3\n! 4 5 6\n",
        "2 3\n영화 1 2 3 \n! 4 5 6 \n",  # the original tool ends each line with a blank
        "2 3\r\n영화 1 2 3\r\n! 4 5 6",
        "영화 1 2 3\n! 4 5 6\n\n",  # GloVe has no header
        "영화 1 2 3\n! 4 5 6\n영화 7 8 9\n",  # the first of equal words wins
        "\ufeff2 3\n영화 1 2 3\n! 4 5 6\n",  # a byte order mark
        "\ufeff영화 1 2 3\n! 4 5 6\n",
        normalize("NFD", "2 3\n영화 1 2 3\n! 4 5 6\n"),
    ],
)
def test_text_is_read_as_other_tools_write_it(tmp_path, content):
    (tmp_path / "vectors.vec").write_bytes(content.encode())
    assert_same(read_vectors(tmp_path / "vectors.vec"), Vectors(["영화", "!"], np.array([[1, 2, 3], [4, 5, 6]], "f")))


def test_binary_without_line_ends_is_read(tmp_path):
    (tmp_path / "v").write_bytes(b"2 2\na " + struct.pack("<2f", 1, 2) + b"b " + struct.pack("<2f", 3, 4))
    assert_same(read_vectors(tmp_path / "v"), Vectors(["a", "b"], np.array([[1, 2], [3, 4]], "f")))


def test_a_token_with_a_blank_is_kept_in_safetensors_and_left_out_of_word2vec(tmp_path):
    vectors = Vectors(["a b", "\u3000", "c"], np.eye(3, dtype=np.float32))
    assert_same(read_vectors(write(tmp_path / "v.safetensors", vectors)), vectors)
    for name in ("v.vec", "v.bin"):
        assert_same(read_vectors(write(tmp_path / name, vectors)), Vectors(["c"], vectors.matrix[2:]))


# Damaged files


def refuse(path, content, *words):
    path.write_bytes(content)
    with pytest.raises(FileError) as error:
        read_vectors(path)
    for word in (str(path), *words):
        assert word in str(error.value)


def test_a_pickle_is_refused_and_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (tmp_path / "ran").write_text, ("",)

    for protocol in range(2, 6):
        refuse(tmp_path / "v.bin", pickle.dumps(Bomb(), protocol), "pickle", "save_word2vec_format")
    refuse(tmp_path / "v.bin", pickle.dumps(Bomb(), 0))
    torch.save({"a": torch.ones(1)}, tmp_path / "v.pt")
    refuse(tmp_path / "v.bin", (tmp_path / "v.pt").read_bytes(), "pickle")
    assert not (tmp_path / "ran").exists()


def test_gensims_own_save_is_refused(tmp_path, model):
    model.wv.save(str(tmp_path / "model"))
    refuse(tmp_path / "v", (tmp_path / "model").read_bytes(), "pickle")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["empty"]),
        (b"2 3\na 1 2 3\n", ["1 of 2", "cut off"]),
        (b"2 3\na 1 2 3\nb 1 2\n", ["line 3", "2 numbers", "3"]),
        (b"2 3\na 1 2 3\nb 1 x 3\n", ["line 3", "b 1 x 3"]),
        (b"1 2\na 1 nan\n", ["'a'", "not finite"]),
        (b"\n", ["line 1"]),
        (b"text\nwithout numbers\n", ["line 1"]),
        (b"a fine film\n", ["line 1", "is it a file of word vectors?"]),
        (b"\x1f\x8b\x08", ["gunzip"]),
        (b"\x00\x01\x02\x03" * 9, ["format"]),
        (b"9 2\na " + struct.pack("<2f", 1, 2), ["9 vectors of 2 numbers", "cut off"]),
        (b"2 2\na " + struct.pack("<2f", 1, 2), ["vector 2 of 2"]),
        (b"1 4\na " + struct.pack("<2f", 1, 2), ["vector 1 of 1"]),
        (b"9" * 30 + b" " + b"9" * 30 + b"\na 1\n", ["9" * 30, "cut off"]),
    ],
)
def test_damage_is_named(tmp_path, content, words):
    refuse(tmp_path / "v", content, *words)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(FileError, match="no such file"):
        read_vectors(tmp_path / "none")
    with pytest.raises(FileError, match="is a folder"):
        read_vectors(tmp_path)


@pytest.mark.parametrize(
    "tensors",
    [
        {"weight": np.ones((2, 2), np.float32)},
        {"vectors": np.ones((2, 2), np.float32), "tokens": np.frombuffer(b'["a"]', np.uint8)},
        {"vectors": np.ones((1, 2), np.float32), "tokens": np.frombuffer(b"[1]", np.uint8)},
        {"vectors": np.ones(1, np.float32), "tokens": np.frombuffer(b'["a"]', np.uint8)},
        {"vectors": np.ones((1, 2), np.float32), "tokens": np.frombuffer(b'["a', np.uint8)},
    ],
)
def test_safetensors_of_something_else_are_refused(tmp_path, tensors):
    refuse(tmp_path / "v", safetensors.numpy.save(tensors), "vectors" if "weight" in tensors else "damaged")


@pytest.fixture(scope="module")
def whole(tmp_path_factory, model):
    """The bytes of a whole file of each kind."""
    folder = tmp_path_factory.mktemp("whole")
    save_facebook_model(model, str(folder / "fasttext"))
    for kind in KINDS:
        write(folder / kind, kind=kind)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("kind", [*KINDS, "fasttext"])
def test_a_file_that_was_cut_off_is_refused(tmp_path, whole, kind):
    content = whole[kind]
    # Not needed: a fastText model's output layer, the last number's last digits, the last line's end.
    unneeded = {"fasttext": 17 + 4 * 6 * 7, "text": 12, "binary": 1, "safetensors": 0}[kind]
    for length in range(0, len(content) - unneeded, len(content) // 40):
        refuse(tmp_path / "v", content[:length])


@settings(deadline=None)
@given(st.data())
def test_bytes_changed_at_random_give_vectors_or_a_file_error(tmp_path_factory, whole, data):
    content = bytearray(data.draw(st.sampled_from(sorted(whole.values()))))
    for place in data.draw(st.lists(st.integers(0, min(len(content), 150) - 1), max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("changed") / "v"
    path.write_bytes(content)
    try:
        read = read_vectors(path)
    except FileError:
        return
    assert len(read.tokens) == len(read.matrix)
    assert np.isfinite(read.matrix).all()
