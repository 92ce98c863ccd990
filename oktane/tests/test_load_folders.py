"""What is wrong with a folder is said by one kind of error, which names the file and the field."""

import json
import struct

import numpy as np
import pytest

okt_lstm = pytest.importorskip("okt_lstm")

from safetensors.numpy import load_file, save_file  # noqa: E402
from trained_folders import save  # noqa: E402

import oktane  # noqa: E402


@pytest.fixture
def folder(tmp_path):
    return save(tmp_path)


def change(path, **fields):
    """Sets fields of a JSON file; a dot leads into an object."""
    content = json.loads(path.read_text(encoding="utf-8"))
    for name, value in fields.items():
        *outer, last = name.split("__")
        place = content
        for key in outer:
            place = place[key]
        place[last] = value
    path.write_text(json.dumps(content), encoding="utf-8")


def assert_refused(folder, *words):
    with pytest.raises(oktane.LoadError) as caught:
        oktane.load(folder)
    for word in words:
        assert word in str(caught.value)


def test_an_error_is_an_oserror(folder):
    assert issubclass(oktane.LoadError, OSError)
    oktane.load(folder)


def test_no_folder(tmp_path):
    assert_refused(tmp_path / "nowhere", "nowhere", "no such folder")
    (tmp_path / "file").touch()
    assert_refused(tmp_path / "file", "is a file")


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "tokenizer.json", "model.safetensors"])
def test_missing_and_damaged_files(folder, name):
    content = (folder / name).read_bytes()
    for damaged in (b"", content[: len(content) // 2], b"\xff" * 100, b"[1]", b"[" * 100_000, b"null"):
        (folder / name).write_bytes(damaged)
        assert_refused(folder, name)
    (folder / name).unlink()
    assert_refused(folder, name)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hidden_size", 0),
        ("hidden_size", "8"),
        ("hidden_size", True),
        ("hidden_size", 2**40),
        ("hidden_size", 1e3),
        ("num_hidden_layers", -1),
        ("embedding_size", None),
        ("bidirectional", 1),
        ("separate_directions", "no"),
        ("pooling", "sum"),
        ("pooling", ["max"]),
        ("problem_type", "ranking"),
        ("id2label", {"1": "a"}),
        ("id2label", {}),
        ("id2label", {"0": "a", "1": "a"}),
        ("id2label", {"0": 1, "1": 2}),
        ("id2label", ["a", "b"]),
        ("vocab_size", -5),
        ("architectures", "LSTM"),
    ],
)
def test_fields_of_the_configuration(folder, field, value):
    change(folder / "config.json", **{field: value})
    assert_refused(folder, "config.json", field)


def test_other_models_are_refused_by_name(folder):
    change(folder / "config.json", model_type="bert")
    assert_refused(folder, "config.json", "model_type", "bert", "transformers.pipeline")
    change(folder / "config.json", model_type="okt_lstm", architectures=["LSTMForPreTraining"])
    assert_refused(folder, "LSTMForPreTraining", "okt_lstm.LSTMForPreTraining")


@pytest.mark.parametrize("field", ["hidden_size", "embedding_size", "vocab_size", "num_hidden_layers"])
def test_sizes_that_the_weights_contradict(folder, field):
    change(folder / "config.json", **{field: 2**30})
    assert_refused(folder, "model.safetensors")


def test_a_tokenizer_of_another_model(tmp_path):
    save(tmp_path, vocab_size=5)
    assert_refused(tmp_path, "tokenizer.json", "vocab_size of 5")


@pytest.mark.parametrize(
    ("file", "field", "value"),
    [
        ("tokenizer_config", "tokenizer_class", "BertTokenizer"),
        ("tokenizer_config", "norm", "yes"),
        ("tokenizer_config", "word_mark", 1),
        ("tokenizer_config", "truncation_side", "both"),
        ("tokenizer_config", "model_max_length", "long"),
        ("tokenizer", "model", None),
        ("tokenizer", "model__type", "Unigram"),
        ("tokenizer", "model__vocab", {"a": -1}),
        ("tokenizer", "model__vocab", {"a": 1.5}),
        ("tokenizer", "model__unk_token", "nowhere"),
        ("tokenizer", "added_tokens", [{"id": 1}]),
        ("tokenizer", "added_tokens", 5),
        ("tokenizer", "post_processor", {"type": "ByteLevel"}),
        ("tokenizer", "post_processor", {"type": "TemplateProcessing", "single": [{}]}),
        ("tokenizer", "post_processor", {"type": "BertProcessing", "cls": []}),
    ],
)
def test_fields_of_the_tokenizer(folder, file, field, value):
    change(folder / f"{file}.json", **{field: value})
    assert_refused(folder, f"{file}.json", field.split("__")[-1])


def test_special_tokens_beyond_the_vocabulary(folder):
    change(folder / "tokenizer.json", post_processor={"type": "BertProcessing", "cls": ["a", 0], "sep": ["b", 10**6]})
    assert_refused(folder, "tokenizer.json", "ids up to 1000000")


def test_a_maximum_length_without_room_for_the_special_tokens(folder):
    change(folder / "tokenizer.json", post_processor={"type": "BertProcessing", "cls": ["a", 0], "sep": ["b", 1]})
    change(folder / "tokenizer_config.json", model_max_length=1)
    assert_refused(folder, "tokenizer_config.json", "model_max_length", "at least 2")


@pytest.mark.parametrize("merges", [5, [["a"]], [["a", "b"]], ["a"], [[1, 2]]])
def test_merges_that_are_none(folder, merges):
    change(folder / "tokenizer.json", model__type="BPE", model__merges=merges)
    assert_refused(folder, "tokenizer.json", "merges")


@pytest.mark.parametrize("name", ["dropout", "fuse_unk", "ignore_merges", "end_of_word_suffix"])
def test_options_of_bpe_that_are_not_supported(folder, name):
    change(folder / "tokenizer.json", **{f"model__{name}": "x"})
    assert_refused(folder, "tokenizer.json", name)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers(folder, wrong):
    path = folder / "model.safetensors"
    for name in ("classifier.bias", "model.embed_tokens.weight", "model.layers.0.forward_rnn.weight_hh_l0"):
        for dtype in (np.float32, np.float16):
            tensors = {key: value.copy() for key, value in load_file(path).items()}
            tensors[name] = tensors[name].astype(dtype)
            tensors[name].flat[-1] = wrong
            save_file(tensors, path)
            assert_refused(folder, "model.safetensors", name, "NaN")
            tensors[name].flat[-1] = 0
            save_file(tensors, path)
    oktane.load(folder)


def test_tensors_of_a_wrong_shape_or_type(folder):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    save_file(tensors | {"classifier.bias": np.zeros(3, np.float32)}, path)
    assert_refused(folder, "classifier.bias", "[3]", "[2]")
    for number in (np.float64, np.int8):
        save_file(tensors | {"classifier.bias": np.zeros(2, number)}, path)
        assert_refused(folder, "classifier.bias", {np.float64: "F64", np.int8: "I8"}[number])
    embedding = np.zeros(tensors["model.embed_tokens.weight"].shape, np.int8)
    save_file(tensors | {"model.embed_tokens.weight": embedding}, path)
    assert_refused(folder, "model.embed_tokens.weight_scale")
    del tensors["classifier.bias"]
    save_file(tensors, path)
    assert_refused(folder, "classifier.bias", "okt-lstm train")


@pytest.mark.parametrize(
    "entry",
    [
        5,
        {},
        {"dtype": "F32", "shape": [2], "data_offsets": [0]},
        {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]},
        {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2.0], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 8]},
        {"dtype": 5, "shape": [2], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 2**63]},
        {"dtype": "F32", "shape": None, "data_offsets": [0, 8]},
    ],
)
def test_headers_that_lie(folder, entry):
    header = json.dumps({"classifier.bias": entry}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))
    assert_refused(folder, "model.safetensors", "classifier.bias")
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", 2**60) + header)
    assert_refused(folder, "model.safetensors", "header")


def test_weights_that_are_not_aligned(folder, tmp_path):
    path = folder / "model.safetensors"
    expected = oktane.load(folder).logits(["영화"])
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = content[8 : 8 + length] + b" "
    path.write_bytes(struct.pack("<Q", length + 1) + header + content[8 + length :])
    assert (oktane.load(folder).logits(["영화"]) == expected).all()


def test_a_damaged_user_dictionary(folder):
    (folder / "user_dictionary.txt").write_text("단어\tNowhere\n", encoding="utf-8")
    assert_refused(folder, "user_dictionary.txt")


def test_other_word_lists_than_in_training_give_a_warning(folder):
    change(folder / "tokenizer_config.json", dictionary_hash="0" * 64)
    with pytest.warns(UserWarning, match="other word lists"):
        oktane.load(folder)


def test_weights_in_several_files(folder):
    (folder / "model.safetensors").rename(folder / "model-00001-of-00001.safetensors")
    (folder / "model.safetensors.index.json").write_text("{}")
    assert_refused(folder, "several files")
