"""What `okt-lstm export --format onnx` writes computes what the model computes, in ONNX Runtime."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from full_disk import full_disk
from trained_folders import FAMILIES, random_model, save

pytest.importorskip("onnxruntime", reason="comes with the extra `onnx`")
pytest.importorskip("onnx", reason="comes with the extra `onnx`")

import onnxruntime

import oktane
from okt_lstm.atomic import FileError
from okt_lstm.inference.onnx_export import GRAPH_NAME, INT8_NAME, export_onnx
from okt_lstm.models.ngrams import NUM_HASHES, sum_of_ngrams
from oktane.folders import LoadError

POOLINGS = ("last", "mean", "max", "max_mean", "max_mean_last")
TEXTS = ["연기도 연출도 최고였다", "시간이 아깝다", "", "ㅋㅋ", "그냥 그래요. 배우는 좋은데 이야기가 지루했어요 ㅠㅠ"]


def session_of(folder, name=GRAPH_NAME):
    return onnxruntime.InferenceSession(folder / name, providers=["CPUExecutionProvider"])


def run(session, ids, mask):
    return session.run(["logits"], {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})[0]


def rows_of(lengths, size, seed=0):
    generator = torch.Generator().manual_seed(seed)
    time = max(lengths)
    ids = torch.randint(0, size, (len(lengths), time), generator=generator)
    return ids, (torch.arange(time) < torch.tensor(lengths)[:, None]).long()


@pytest.mark.parametrize("family", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("directions", ["one", "both", "separate"])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_cell_direction_and_pooling_gives_the_logits_of_torch(tmp_path, family, directions, pooling):
    options = {"bidirectional": directions != "one", "separate_directions": directions == "separate"}
    if family == "RNN":
        options["nonlinearity"] = "relu" if pooling == "mean" else "tanh"
    if pooling == "max":
        options["projection_size"] = 5
    folder = save(tmp_path / "model", family, pooling=pooling, labels=("a", "b", "c"), **options)
    session = session_of(export_onnx(folder, tmp_path / "onnx"))
    model = FAMILIES[family][1].from_pretrained(folder).eval()
    for lengths in ([3, 0, 7, 1], [0, 0], [512, 511, 2], [1]):
        ids, mask = rows_of(lengths, model.config.vocab_size)
        with torch.inference_mode():
            expected = model(input_ids=ids, attention_mask=mask).logits
            np.testing.assert_allclose(run(session, ids, mask), expected, atol=2e-5)
            # Padding on the left, and between tokens.
            for where in (mask.flip(1), mask * (torch.arange(mask.shape[1]) % 3 > 0)):
                expected = model(input_ids=ids, attention_mask=where).logits
                np.testing.assert_allclose(run(session, ids, where), expected, atol=2e-5)
    empty = torch.zeros(2, 0, dtype=torch.long)
    np.testing.assert_allclose(run(session, empty, empty), run(session, *rows_of([0, 0], 9)), atol=1e-6)


def save_with_ngrams(folder, family, count, **options):
    """Save a model whose known n-grams are some of those of `rows_of`."""
    save(folder, family, num_ngrams=count, labels=("a", "b", "c"), **options)
    model = FAMILIES[family][1].from_pretrained(folder)
    known, found = (model.weights if family == "Ngram" else model.ngrams), []
    ids, mask = rows_of([3, 0, 7, 1, 40], model.config.vocab_size)
    is_token = mask.bool()
    sum_of_ngrams(ids, is_token, model.config.vocab_size, 3, NUM_HASHES, lambda h: found.append(h) or h.unsqueeze(-1))
    hashes = torch.cat([part.flatten() for part in found]).unique()
    hashes = hashes[torch.linspace(0, len(hashes) - 1, count).long()].unique()
    filled = torch.cat([hashes, hashes[-1] + 1 + torch.arange(count - len(hashes))])
    known.hashes.copy_(filled)
    torch.nn.init.normal_(known.weight)
    model.save_pretrained(folder)
    return folder


@pytest.mark.parametrize(("family", "count"), [("LSTM", 50), ("GRU", 1), ("Ngram", 64), ("Ngram", 0)])
def test_ngrams_alone_and_beside_a_network_give_the_logits_of_torch(tmp_path, family, count):
    if count:
        folder = save_with_ngrams(tmp_path / "model", family, count)
    else:
        folder = save(tmp_path / "model", family, labels=("a", "b", "c"))
    session = session_of(export_onnx(folder, tmp_path / "onnx", int8=True))
    model = FAMILIES[family][1].from_pretrained(folder).eval()
    for lengths in ([3, 0, 7, 1, 40], [0, 0], [1]):
        ids, mask = rows_of(lengths, model.config.vocab_size)
        # Padding on the left, and between tokens.
        for where in (mask, mask.flip(1), mask * (torch.arange(mask.shape[1]) % 3 > 0)):
            with torch.inference_mode():
                expected = model(input_ids=ids, attention_mask=where).logits
            np.testing.assert_allclose(run(session, ids, where), expected, atol=2e-5)
    empty = torch.zeros(2, 0, dtype=torch.long)
    np.testing.assert_allclose(run(session, empty, empty), run(session, *rows_of([0, 0], 9)), atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weights_in_half_precision_are_computed_with_in_single(tmp_path, dtype):
    folder = save(tmp_path / "model")
    model = random_model(
        vocab_size=json.loads((folder / "config.json").read_text())["vocab_size"], embedding_size=8, hidden_size=8
    )
    model.to(dtype).save_pretrained(folder)
    session = session_of(export_onnx(folder, tmp_path / "onnx"))
    ids, mask = rows_of([3, 0, 7], model.config.vocab_size)
    with torch.inference_mode():
        expected = model.float()(input_ids=ids, attention_mask=mask).logits
    np.testing.assert_allclose(run(session, ids, mask), expected, atol=2e-5)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    return export_onnx(oktane.folders.released_model(), tmp_path_factory.mktemp("onnx") / "out", int8=True)


def test_the_folder_has_what_runners_look_for(exported):
    names = {path.name for path in exported.iterdir()}
    assert names >= {GRAPH_NAME, INT8_NAME, "config.json", "tokenizer.json", "tokenizer_config.json", "README.md"}
    session = session_of(exported)
    assert [(value.name, value.shape) for value in session.get_inputs()] == [
        ("input_ids", ["batch", "time"]),
        ("attention_mask", ["batch", "time"]),
    ]
    assert [value.name for value in session.get_outputs()] == ["logits"]


def test_transformers_opens_the_folder(exported):
    exporters = pytest.importorskip("transformers.exporters.base", reason="transformers has no exporters yet")
    pytest.importorskip("onnxscript", reason="comes with the extra `dev`; transformers' runner needs it")
    import okt_lstm  # noqa: F401

    model = exporters.ExportedModel.from_pretrained(exported)
    ids, mask = rows_of([3, 0, 7], 1000)
    np.testing.assert_allclose(
        model(input_ids=ids, attention_mask=mask).logits, run(session_of(exported), ids, mask), atol=1e-6
    )


def test_int8_is_smaller_and_gives_nearly_the_same_logits(exported):
    assert (exported / INT8_NAME).stat().st_size < 0.4 * (exported / GRAPH_NAME).stat().st_size
    ids, mask = rows_of([10] * 50, 1000)
    exact, rounded = (run(session_of(exported, name), ids, mask) for name in (GRAPH_NAME, INT8_NAME))
    assert (exact.argmax(1) == rounded.argmax(1)).mean() >= 0.9
    assert not np.array_equal(exact, rounded)


def example(folder, language):
    return re.search(rf"```{language}\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)[1]


def test_the_example_in_python_labels_texts_as_oktane_does(exported):
    result = subprocess.run(
        [sys.executable, "-c", example(exported, "python")], cwd=exported, capture_output=True, text=True, check=True
    )
    texts = ["연기도 연출도 최고였다", "시간이 아깝다"]
    expected = [f"{label} {text}" for label, text in zip(oktane.load().predict(texts), texts, strict=True)]
    assert result.stdout.splitlines() == expected


def test_the_example_in_javascript_gives_the_same_logits(exported):
    node = shutil.which("node")
    modules = os.environ.get("OKT_LSTM_NODE_MODULES", "")
    if not node or not Path(modules, "onnxruntime-web").is_dir():
        pytest.skip("OKT_LSTM_NODE_MODULES names no folder with onnxruntime-web")
    result = subprocess.run(
        [node, "-e", example(exported, "javascript")],
        cwd=exported,
        env=os.environ | {"NODE_PATH": modules},
        capture_output=True,
        text=True,
        check=True,
    )
    ids, mask = torch.tensor([[5, 17, 9], [12, 0, 0]]), torch.tensor([[1, 1, 1], [1, 0, 0]])
    logits = run(session_of(exported), ids, mask)
    np.testing.assert_allclose(json.loads(result.stdout), logits.reshape(-1), atol=1e-5)


def test_a_graph_that_the_disk_has_no_room_for_leaves_nothing(tmp_path):
    with pytest.raises(OSError, match="File too large") as error, full_disk():
        export_onnx(oktane.folders.released_model(), tmp_path / "onnx")
    assert error.value.filename == str(tmp_path / "onnx")
    assert not any(tmp_path.iterdir())


def test_what_has_no_graph_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(LoadError, match="compares two texts can't be written as ONNX"):
        export_onnx(save(tmp_path / "model", text_pair=True), tmp_path / "onnx")
    assert not (tmp_path / "onnx").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").touch()
    with pytest.raises(FileError, match="is not empty, and holds no ONNX graph"):
        export_onnx(oktane.folders.released_model(), tmp_path / "mine")
