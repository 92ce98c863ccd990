"""The networks give torch's logits, whatever the model, the kernels, the rows beside a row and the storage."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

okt_lstm = pytest.importorskip("okt_lstm")

import torch  # noqa: E402
from safetensors.numpy import load_file, save_file  # noqa: E402
from trained_folders import RELEASED, random_model, random_rows, torch_logits  # noqa: E402

import oktane  # noqa: E402
from okt_lstm.models.ngrams import NUM_HASHES, hashed_ngrams  # noqa: E402
from oktane import _engine, network  # noqa: E402

LENGTHS = [0, 1, 2, 70, 7, 7, 13, 0, *range(3, 30)]
KERNELS = _engine.kernel_names()


@pytest.fixture(params=KERNELS)
def kernels(request, monkeypatch):
    monkeypatch.setenv("OKTANE_CPU", request.param)
    return request.param


def assert_close(found, expected):
    """Within 1e-4, or as close as single precision comes where logits are large."""
    np.testing.assert_allclose(found, expected, rtol=3e-6, atol=1e-4)


def save(model, folder):
    model.save_pretrained(folder, max_shard_size="1GB")
    return folder


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "max_mean", "max_mean_last"])
@pytest.mark.parametrize("family", ["LSTM", "GRU", "RNN"])
def test_every_pooling_of_every_cell(tmp_path, kernels, family, pooling):
    model = random_model(family, vocab_size=90, embedding_size=12, hidden_size=20, pooling=pooling)
    rows = random_rows(90, LENGTHS)
    assert_close(network.load_model(save(model, tmp_path)).network.run(*rows), torch_logits(model, *rows))


def test_the_mean_of_many_states_loses_nothing_to_rounding(tmp_path, kernels):
    model = random_model("RNN", nonlinearity="relu", vocab_size=50, embedding_size=33, hidden_size=50, pooling="mean")
    ids, row_splits = np.full(20_000, 7, np.int32), np.array([0, 20_000], np.int64)
    found = network.load_model(save(model, tmp_path)).network.run(ids, row_splits)
    np.testing.assert_allclose(found, torch_logits(model, ids, row_splits), rtol=2e-6, atol=1e-5)


@pytest.mark.parametrize("directions", ["one", "joined", "separate"])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize(("embedding_size", "hidden_size"), [(1, 1), (33, 50), (128, 64)])
@pytest.mark.parametrize("family", ["LSTM", "GRU", "RNN"])
def test_every_size_and_direction(tmp_path, family, embedding_size, hidden_size, layers, directions):
    options = {"bidirectional": directions != "one", "separate_directions": directions == "separate"}
    if family == "RNN" and layers == 2:
        options["nonlinearity"] = "relu"
    model = random_model(
        family,
        labels="abc",
        vocab_size=50,
        embedding_size=embedding_size,
        hidden_size=hidden_size,
        num_hidden_layers=layers,
        pooling="max_mean_last",
        **options,
    )
    rows = random_rows(50, LENGTHS)
    assert_close(network.load_model(save(model, tmp_path)).network.run(*rows), torch_logits(model, *rows))


@pytest.mark.parametrize("max_ngram", [1, 2, 4, 9])
def test_ngram_models(tmp_path, max_ngram):
    model = random_model("Ngram", labels="abc", vocab_size=50, num_buckets=997, max_ngram=max_ngram)
    rows = random_rows(50, LENGTHS)
    assert_close(network.load_model(save(model, tmp_path)).network.run(*rows), torch_logits(model, *rows))


def know_ngrams_of(known, ids, vocab_size, max_ngram):
    """Give every second n-gram of some tokens a weight."""
    hashes = torch.cat(hashed_ngrams(torch.tensor([[vocab_size, *ids, vocab_size]]), max_ngram, NUM_HASHES), dim=1)
    known.hashes.copy_(hashes.unique()[::2][: len(known.hashes)].int())
    torch.nn.init.normal_(known.weight)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("family", ["LSTM", "GRU", "Ngram"])
def test_known_ngrams_alone_and_beside_a_network(tmp_path, family, dtype):
    length = {"max_ngram" if family == "Ngram" else "ngram_length": 3}
    model = random_model(family, labels="abc", vocab_size=50, num_ngrams=300, **length)
    rows = random_rows(50, LENGTHS)
    before = torch_logits(model, *rows)
    know_ngrams_of(model.weights if family == "Ngram" else model.ngrams, rows[0], 50, 3)
    model = model.to(dtype)
    save(model, tmp_path)
    found = network.load_model(tmp_path).network.run(*rows)
    assert_close(found, torch_logits(model.float(), *rows))
    assert np.abs(found - before).max() > 0.1


@pytest.mark.parametrize("engine", ["oktane", "torch"])
def test_known_ngrams_out_of_order_are_refused(tmp_path, engine):
    shutil.copytree(RELEASED, tmp_path / "model")
    model = random_model("LSTM", labels=("negative", "positive"), vocab_size=12_000, num_ngrams=4)
    model.ngrams.hashes.copy_(torch.tensor([1, 5, 3, 9]))
    save(model, tmp_path / "model")
    with pytest.raises(oktane.LoadError, match=r"ngrams\.hashes must be in ascending order"):
        okt_lstm.load(tmp_path / "model", device="cpu", engine=engine)


@pytest.mark.parametrize("family", ["LSTM", "Ngram"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_stored_in_half_precision(tmp_path, family, dtype):
    sizes = {"num_buckets": 997} if family == "Ngram" else {"embedding_size": 12, "hidden_size": 20}
    model = random_model(family, vocab_size=90, **sizes).to(dtype)
    save(model, tmp_path)
    rows = random_rows(90, LENGTHS)
    assert_close(network.load_model(tmp_path).network.run(*rows), torch_logits(model.float(), *rows))


def test_embeddings_of_int8_with_a_scale_for_each_row(tmp_path):
    model = random_model(vocab_size=90, embedding_size=12, hidden_size=20)
    path = save(model, tmp_path) / "model.safetensors"
    tensors = load_file(path)
    name = "model.embed_tokens.weight"
    scales = np.abs(tensors[name]).max(axis=1) / 127
    integers = np.round(tensors[name] / scales[:, None]).astype(np.int8)
    save_file(tensors | {name: integers, f"{name}_scale": scales}, path)
    with torch.no_grad():
        model.model.embed_tokens.weight.copy_(torch.from_numpy(integers * scales[:, None]))
    rows = random_rows(90, LENGTHS)
    assert_close(network.load_model(tmp_path).network.run(*rows), torch_logits(model, *rows))


def test_numbers_too_small_for_a_leading_one(tmp_path):
    model = random_model(vocab_size=2, embedding_size=1024, hidden_size=4)
    halves = torch.arange(-1024, 1024, dtype=torch.int16).view(torch.float16)  # with the sign bit NaNs: replaced below
    with torch.no_grad():
        model.model.embed_tokens.weight.copy_(torch.nan_to_num(halves, 0).view(2, 1024).float())
        model.model.layers[0].forward_rnn.weight_ih_l0.mul_(1e4)
    save(model.half(), tmp_path)
    rows = random_rows(2, [5, 3])
    assert_close(network.load_model(tmp_path).network.run(*rows), torch_logits(model.float(), *rows))


def test_a_vocabulary_too_large_for_the_folded_table(tmp_path, kernels, monkeypatch):
    model = random_model(vocab_size=300_000, embedding_size=4, hidden_size=64)
    found = network.load_model(save(model, tmp_path)).network
    assert not found.folded
    rows = random_rows(300_000, LENGTHS)
    assert_close(found.run(*rows), torch_logits(model, *rows))


def test_the_released_model(kernels):
    model = okt_lstm.LSTMForSequenceClassification.from_pretrained(RELEASED, dtype=torch.float32).eval()
    rows = random_rows(32000, [*LENGTHS, 100, 99])
    assert_close(network.load_model(RELEASED).network.run(*rows), torch_logits(model, *rows))


def test_saturated_gates(tmp_path, kernels):
    model = random_model(vocab_size=90, embedding_size=12, hidden_size=20)
    with torch.no_grad():
        model.model.embed_tokens.weight.mul_(1e4)
    rows = random_rows(90, LENGTHS)
    assert_close(network.load_model(save(model, tmp_path)).network.run(*rows), torch_logits(model, *rows))


def test_a_row_has_the_same_bits_whatever_stands_beside_it(kernels):
    found = network.load_model(RELEASED).network
    ids, splits = random_rows(32000, LENGTHS * 4)
    together = found.run(ids, splits)
    alone = [found.run(ids[a:b], np.array([0, b - a])) for a, b in pairwise(splits)]
    assert (together == np.concatenate(alone)).all()


def test_threads_that_see_the_same_new_tokens_give_the_bits_of_one():
    rows = random_rows(32000, LENGTHS * 8)
    expected = network.load_model(RELEASED).network.run(*rows)
    for _ in range(3):
        shared = network.load_model(RELEASED).network
        with ThreadPoolExecutor(16) as pool:
            results = list(pool.map(lambda _, network=shared: network.run(*rows), range(32)))
        assert all((result == expected).all() for result in results)


def test_ids_outside_the_vocabulary_are_refused():
    found = network.load_model(RELEASED).network
    splits = np.array([0, 1])
    for wrong in (-1, 32000):
        with pytest.raises(ValueError, match="out of range"):
            found.run(np.array([wrong], np.int32), splits)
    with pytest.raises(ValueError, match="out of range"):
        found.run(np.array([1], np.int32), np.array([0, 2]))


def test_oktane_cpu_must_name_kernels_of_this_processor(monkeypatch):
    monkeypatch.setenv("OKTANE_CPU", "abacus")
    with pytest.raises(ValueError, match=f"abacus.*{KERNELS[0]}"):
        network.load_model(RELEASED)


def test_labels_and_problem_type_without_names(tmp_path):
    model = random_model(vocab_size=50, embedding_size=4, hidden_size=4)
    path = Path(save(model, tmp_path)) / "config.json"
    config = json.loads(path.read_text())
    for name in ("id2label", "label2id", "problem_type"):
        config.pop(name, None)
    path.write_text(json.dumps(config))
    loaded = network.load_model(tmp_path)
    assert loaded.labels == ["LABEL_0", "LABEL_1"]
    assert loaded.problem_type == "single_label_classification"
