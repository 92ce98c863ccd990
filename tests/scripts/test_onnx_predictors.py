"""What the benchmarks run with ONNX Runtime labels texts as oktane does."""

from pathlib import Path

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
    from okt_lstm.inference.onnx_export import export_onnx

    return export_onnx(released_model(), tmp_path_factory.mktemp("onnx") / "out", int8=True)


@pytest.mark.parametrize("predictor", ["onnx", "onnx-tokenizer"])
def test_labels_are_those_of_oktane(folder, predictor):
    from predictors import PREDICTORS

    classifier = oktane.load()
    labels = PREDICTORS[predictor].load(folder)(TEXTS)
    assert [classifier.labels[label] for label in labels] == classifier.predict(TEXTS)
