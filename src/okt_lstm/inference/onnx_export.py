"""Write a trained folder for ONNX Runtime: the graph, the tokenizer, and a README with examples."""

import dataclasses
import json
import logging
import os
import shutil
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from transformers import AutoConfig
from transformers.tokenization_utils_base import FULL_TOKENIZER_FILE, TOKENIZER_CONFIG_FILE
from transformers.utils import CONFIG_NAME

from ..atomic import FileError, replacing_folder
from ..models.tokenization_okt import USER_DICTIONARY_FILE
from .loading import load

logger = logging.getLogger(__name__)

# The names under which transformers, optimum and transformers.js look for a graph, and for one with weights in int8.
GRAPH_NAME, INT8_NAME = "model.onnx", "model_quantized.onnx"
# What transformers' `ExportedModel.from_pretrained` reads beside config.json. It asks for a file of weights, too, which
# is empty here: the graph has its weights in itself, as browsers expect.
MANIFEST_NAME, WEIGHTS_NAME = "export.json", f"{GRAPH_NAME}.data"
_COPIED = (FULL_TOKENIZER_FILE, TOKENIZER_CONFIG_FILE, USER_DICTIONARY_FILE)


def export_onnx(source: str | os.PathLike[str], target: str | os.PathLike[str], int8: bool = False) -> Path:
    """Write a classifier as an ONNX graph that needs neither torch nor this package.

    The graph maps `input_ids` and `attention_mask`, int64 `(batch, time)`, to `logits`, float32 `(batch, labels)`, for
    any batch and any length, 0 included.

    Args:
        source: What `okt-lstm train` left: a classifier of single texts.
        target: The folder to write. It appears when it is complete, and replaces an older export there.
        int8: Whether to write a second graph with weights in int8.

    Returns:
        The folder.

    Raises:
        LoadError: The source has no complete classifier of this package, or one that compares two texts.
        FileError: The target has something else than an export in it, can't be written, or onnx is missing.
    """
    try:
        from .onnx_graph import build_graph, check_kind, load_weights
    except ImportError as error:
        raise FileError(f"writing ONNX needs onnx and onnxruntime ({error}): pip install 'okt-lstm[onnx]'") from None
    import onnx

    source, target = Path(source), Path(target)
    if target.is_dir() and any(target.iterdir()) and not (target / GRAPH_NAME).is_file():
        raise FileError(f"{target}: is not empty, and holds no ONNX graph; name another folder, or remove this one")
    classifier = load(source)
    config = AutoConfig.from_pretrained(source)
    check_kind(config, source)
    model = build_graph(config, load_weights(source))
    with replacing_folder(target) as folder:
        onnx.save(model, folder / GRAPH_NAME)
        if int8:
            _quantize(folder, config.model_type)
        for name in (CONFIG_NAME, *_COPIED):
            if (source / name).is_file():
                shutil.copyfile(source / name, folder / name)
        architecture = type(config).__name__.replace("Config", "ForSequenceClassification")
        if (manifest := _manifest(architecture, len(classifier.labels))) is not None:
            (folder / MANIFEST_NAME).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
            (folder / WEIGHTS_NAME).touch()
        readme = files("okt_lstm.inference").joinpath("onnx_readme.md").read_text(encoding="utf-8")
        content = readme.replace("LABELS", json.dumps(classifier.labels, ensure_ascii=False))
        (folder / "README.md").write_text(content, encoding="utf-8")
    return target


def _quantize(folder: Path, model_type: str) -> None:
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    from .onnx_ngrams import UNQUANTIZED

    nodes = [node.name for node in onnx.load(folder / GRAPH_NAME).graph.node]
    exact = [name for name in nodes if name.startswith(UNQUANTIZED)]
    # It logs hints about its own steps, which are none for the user, and would set up the root logger for that.
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, [logging.NullHandler()]
    try:
        quantize_dynamic(folder / GRAPH_NAME, folder / INT8_NAME, weight_type=QuantType.QInt8, nodes_to_exclude=exact)
    finally:
        root.handlers = handlers
    if model_type in ("okt_gru", "okt_rnn"):
        logger.warning(
            "%s",
            f"{INT8_NAME}: ONNX Runtime has int8 kernels for LSTM only, so the cells of this model stay in float32",
        )


def _manifest(architecture: str, labels: int) -> dict[str, Any] | None:
    """Return what transformers' exporters write about a graph that they have traced; None if they are not there yet."""
    import torch
    from transformers.modeling_outputs import SequenceClassifierOutput

    try:
        from transformers.exporters.metadata import ExportMetadata, record_output_structure
    except ImportError:
        return None
    tokens = {"rank": 2, "shape": [1, 1], "dtype": "int64"}
    metadata = ExportMetadata(
        architecture=architecture,
        packages={name: version(name) for name in ("onnx", "transformers")},
        export_dtype="float32",
        export_device="cpu",
        kwargs={"input_ids": tokens, "attention_mask": tokens},
    )
    record_output_structure(metadata, SequenceClassifierOutput(logits=torch.zeros(1, labels)))
    return {
        "schema_version": 1,
        "export_format": "onnx",
        "components": {"model": {"file": GRAPH_NAME, "metadata": dataclasses.asdict(metadata)}},
    }
