"""The ONNX graph of the benchmarks is the model that it was written from."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="comes with the extra `benchmark`")
pytest.importorskip("onnxruntime", reason="comes with the extra `benchmark`")

import oktane
from oktane.folders import released_model

TEXTS = [
    "연기도 연출도 최고였다",
    "시간이 아깝다",
    "",
    "ㅋㅋ",
    "그냥 그래요. 배우는 좋은데 이야기가 지루했어요 ㅠㅠ",
    "최고",
]


@pytest.fixture(scope="module")
def scripts():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2] / "scripts" / "benchmarks")
        yield


@pytest.fixture(scope="module")
def folder(scripts, tmp_path_factory):
    from onnx_graph import write_onnx

    target = tmp_path_factory.mktemp("onnx")
    write_onnx(released_model(), target)
    return target


@pytest.mark.parametrize("predictor", ["onnx", "onnx-tokenizer"])
def test_labels_are_those_of_oktane(folder, predictor):
    from predictors import PREDICTORS

    classifier = oktane.load()
    labels = PREDICTORS[predictor].load(folder)(TEXTS)
    assert [classifier.labels[label] for label in labels] == classifier.predict(TEXTS)


def test_logits_of_rows_of_different_lengths_are_those_of_oktane(folder):
    import onnxruntime

    from oktane.tokenizer import Tokenizer

    flat, row_splits = Tokenizer(folder).encode(TEXTS)
    lengths = np.diff(row_splits).astype(np.int32)
    is_token = np.arange(lengths.max())[:, None] < lengths  # (time, batch)
    ids = np.zeros(is_token.shape, np.int64)
    # Boolean indexing goes through the rows first, so it fills the transpose.
    ids.T[is_token.T] = flat
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"ids": ids, "lengths": lengths})
    np.testing.assert_allclose(logits, oktane.load().logits(TEXTS), atol=1e-4)


def test_a_model_of_another_kind_is_refused(scripts, tmp_path):
    from onnx_graph import write_onnx

    (tmp_path / "config.json").write_text('{"model_type": "okt_gru", "bidirectional": true}')
    with pytest.raises(ValueError, match="only LSTM models whose layers read both directions"):
        write_onnx(tmp_path, tmp_path / "onnx")
    assert not (tmp_path / "onnx").exists()
