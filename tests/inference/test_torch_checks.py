"""Damaged and hostile folders on the way through torch: one LoadError, before memory is taken."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import okt_lstm
from okt_lstm.hub import LoadError


@pytest.fixture
def copy(folder, tmp_path):
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def change(path, **fields):
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def error_of(folder):
    with pytest.raises(LoadError) as error:
        okt_lstm.load(folder, engine="torch")
    return str(error.value)


def assert_one_error_at_most(folder):
    """Nothing but a LoadError that names the folder."""
    try:
        okt_lstm.load(folder, engine="torch").predict("굿")
    except LoadError as error:
        message = str(error)
    else:
        message = str(folder)
    assert str(folder) in message


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_hidden_layers", 100_000),
        ("hidden_size", 10**9),
        ("hidden_size", 10**30),
        ("vocab_size", 10**12),
        ("embedding_size", -3),
        ("hidden_size", 16),
        ("vocab_size", 5),
    ],
)
def test_absurd_sizes_are_refused_before_memory_is_taken(copy, field, value):
    change(copy / "config.json", **{field: value})
    assert "config.json" in error_of(copy)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hidden_size", "8"),
        ("hidden_size", None),
        ("id2label", "x"),
        ("id2label", {"a": 1}),
        ("id2label", [1]),
        ("problem_type", 3),
        ("pooling", ["last"]),
        ("architectures", 5),
        ("bidirectional", "maybe"),
        ("hidden_dropout", 1e999),
    ],
)
def test_fields_of_other_types_are_one_error(copy, field, value):
    change(copy / "config.json", **{field: value})
    assert_one_error_at_most(copy)


def test_a_linear_model_of_a_trillion_buckets_is_refused(copy):
    config = {"model_type": "okt_ngram", "vocab_size": 10, "num_buckets": 10**12, "id2label": {"0": "a", "1": "b"}}
    (copy / "config.json").write_text(json.dumps(config))
    assert "num_buckets" in error_of(copy)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"])
@pytest.mark.parametrize(
    "content", ["", "{", "[]", "5", '{"a": ' * 5000, '{"model": {"type": 7}}', "\0", '{"pad_token": {}}']
)
def test_a_damaged_file_is_one_error_or_does_not_matter(copy, name, content):
    (copy / name).write_text(content)
    assert_one_error_at_most(copy)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["classifier.bias", "model.embed_tokens.weight"])
def test_weights_that_are_no_numbers_are_refused(copy, name, value):
    weights = load_file(copy / "model.safetensors")
    weights[name].view(-1)[1] = value
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    assert f"{name} holds numbers that are infinite or NaN" in error_of(copy)


@pytest.mark.parametrize("dtype", [torch.int8, torch.bool, torch.int64])
def test_weights_of_whole_numbers_are_refused(copy, dtype):
    weights = {name: weight.to(dtype) for name, weight in load_file(copy / "model.safetensors").items()}
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    assert "weights must be F64, F32, F16, BF16" in error_of(copy)


@pytest.mark.parametrize("shard", ["../elsewhere.safetensors", "/etc/passwd", "a/b.safetensors", "..", 5])
def test_an_index_that_names_files_outside_the_folder_is_refused(copy, shard):
    shutil.copy(copy / "model.safetensors", copy.parent / "elsewhere.safetensors")
    (copy / "model.safetensors").unlink()
    index = {"metadata": {}, "weight_map": {"classifier.bias": shard}}
    (copy / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "weight_map" in error_of(copy)


def test_a_tokenizer_of_another_model_is_refused(copy):
    state = json.loads((copy / "tokenizer.json").read_text())
    state["model"]["vocab"]["낯선"] = 1000
    (copy / "tokenizer.json").write_text(json.dumps(state))
    assert "the tokenizer has ids up to 1000, but config.json has a vocab_size of" in error_of(copy)


def test_a_refused_permission_is_called_that(copy, monkeypatch):
    opened = Path.open

    def refuse(path, *arguments, **options):
        if path.name == "model.safetensors":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    assert error_of(copy).endswith("model.safetensors: can't be read: Permission denied")
