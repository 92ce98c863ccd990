"""Make a small copy of a trained folder: what loading needs, in half precision, without the code for the Hub."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from transformers.tokenization_utils_base import FULL_TOKENIZER_FILE, TOKENIZER_CONFIG_FILE
from transformers.utils import CONFIG_NAME, SAFE_WEIGHTS_NAME

from oktane import load_encoder

from ..atomic import FileError, replacing_folder
from ..data.options import DATA_ARGUMENTS_NAME
from ..model_files import MODEL_FILES
from ..models.tokenization_okt import USER_DICTIONARY_FILE
from .loading import load
from .sentence_transformers_files import MODULES_NAME, write_sentence_transformers_files

_COPIED = (USER_DICTIONARY_FILE, "README.md")
_WRITTEN = frozenset({*MODEL_FILES, DATA_ARGUMENTS_NAME})


def export_model(
    source: str | os.PathLike[str], target: str | os.PathLike[str], dtype: torch.dtype = torch.float16
) -> Path:
    """Write a small copy of a trained folder, which `okt_lstm.load` or `okt_lstm.load_encoder` opens.

    The copy has the configuration, the weights (safetensors), the tokenizer, the model card with its pictures, and the
    name of the data set, without the local folder that it was read from. It has no Python files for
    `trust_remote_code=True`: whoever loads it needs okt-lstm. Half precision is for storage only: `config.json` asks
    for single precision, so that every program that loads the copy computes in it.

    Args:
        source: What `okt-lstm train` or `okt-lstm train-encoder` left.
        target: The folder to write. It appears when it is complete, and replaces an older model there.
        dtype: The type in which the weights are stored.

    Returns:
        The folder.

    Raises:
        LoadError: The source has no complete classifier or encoder of this package.
        FileError: The target has something else than a model in it, or can't be written.
        ValueError: A weight is beyond the range of `dtype`.
    """
    source, target = Path(source), Path(target)
    if target.is_dir() and any(target.iterdir()) and not (target / CONFIG_NAME).is_file():
        raise FileError(f"{target}: is not empty, and is not a model; name another folder, or remove this one")
    # The names of what this function writes; anything else would be lost.
    if target.is_dir() and (
        others := [p.name for p in target.iterdir() if p.name not in _WRITTEN and p.suffix != ".png"]
    ):
        raise FileError(f"{target}: holds {min(others)}, which is not part of a small copy; name another folder")
    is_encoder = (source / MODULES_NAME).is_file()
    if is_encoder:
        load_encoder(source)
    else:
        load(source, device="cpu", engine="torch")
    weights = {name: weight.to(dtype) for name, weight in load_file(source / SAFE_WEIGHTS_NAME).items()}
    for name, weight in weights.items():
        if not weight.isfinite().all():
            raise ValueError(
                f"{source}: the weights {name} are beyond the range of {dtype}; store them in another type"
            )
    config = _read(source / CONFIG_NAME) | {"dtype": "float32"}
    with _naming(target), replacing_folder(target) as folder:
        (folder / SAFE_WEIGHTS_NAME).write_bytes(save(weights, metadata={"format": "pt"}))
        _write(folder / CONFIG_NAME, config)
        _write(folder / TOKENIZER_CONFIG_FILE, _read(source / TOKENIZER_CONFIG_FILE))
        vocabulary = json.loads((source / FULL_TOKENIZER_FILE).read_text(encoding="utf-8"))
        # With indentation it would be twice as large.
        packed = json.dumps(vocabulary, ensure_ascii=False, separators=(",", ":"))
        (folder / FULL_TOKENIZER_FILE).write_text(packed, encoding="utf-8")
        if (source / DATA_ARGUMENTS_NAME).is_file():
            data = _read(source / DATA_ARGUMENTS_NAME)
            data.pop("data_dir", None)
            _write(folder / DATA_ARGUMENTS_NAME, data)
        if is_encoder:
            write_sentence_transformers_files(folder)
        for path in (*(source / name for name in _COPIED), *sorted(source.glob("*.png"))):
            if path.is_file():
                shutil.copyfile(path, folder / path.name)
    return target


@contextmanager
def _naming(target: Path) -> Iterator[None]:
    """Name the folder in the errors of writing, which name no file if the disk is full."""
    try:
        yield
    except OSError as error:
        raise FileError(f"{target}: can't be written: {error.strerror or error}") from error


def _read(path: Path) -> dict[str, Any]:
    """Read a JSON object, without the names of the Python files of its classes."""
    content = json.loads(path.read_text(encoding="utf-8"))
    content.pop("auto_map", None)
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
