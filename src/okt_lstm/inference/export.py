"""Make a small copy of a trained folder: what loading needs, in half precision, without the code for the Hub."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from transformers.tokenization_utils_base import FULL_TOKENIZER_FILE, TOKENIZER_CONFIG_FILE
from transformers.utils import CONFIG_NAME, SAFE_WEIGHTS_NAME

from ..atomic import FileError, replacing_folder
from ..data.options import DATA_ARGUMENTS_NAME
from ..models.tokenization_okt import USER_DICTIONARY_FILE
from .loading import load

_COPIED = (USER_DICTIONARY_FILE, "README.md")


def export_model(
    source: str | os.PathLike[str], target: str | os.PathLike[str], dtype: torch.dtype = torch.float16
) -> Path:
    """Write a small copy of a trained folder, which `okt_lstm.load` opens.

    It holds configuration, weights (safetensors), tokenizer, the model card with its pictures, and what data set the
    model was trained on, without the folder that this was read from. Left out are the Python files that
    `trust_remote_code=True` would run: the copy is for where okt-lstm is installed. `config.json` asks for single
    precision, so that every program that loads the copy computes in it; half precision is for storage alone.

    Args:
        source: what `okt-lstm train` left.
        target: the folder to write; it appears when it is complete. An older model there is replaced.
        dtype: the type that weights are stored in.

    Returns:
        The folder.

    Raises:
        LoadError: if the source holds no complete classifier of this package.
        FileError: if the target holds something else than a model, or can't be written.
        ValueError: if a weight is beyond the range of `dtype`.
    """
    source, target = Path(source), Path(target)
    if target.is_dir() and any(target.iterdir()) and not (target / CONFIG_NAME).is_file():
        raise FileError(f"{target}: holds something else than a model; name another folder, or remove this one")
    weights = {
        name: weight.to(dtype).contiguous() for name, weight in load(source, device="cpu").model.state_dict().items()
    }
    for name, weight in weights.items():
        if not weight.isfinite().all():
            raise ValueError(
                f"{source}: the weights {name} are beyond the range of {dtype}; store them in another type"
            )
    config = _read(source / CONFIG_NAME) | {"dtype": "float32"}
    with replacing_folder(target) as folder:
        (folder / SAFE_WEIGHTS_NAME).write_bytes(save(weights, metadata={"format": "pt"}))
        _write(folder / CONFIG_NAME, config)
        _write(folder / TOKENIZER_CONFIG_FILE, _read(source / TOKENIZER_CONFIG_FILE))
        vocabulary = json.loads((source / FULL_TOKENIZER_FILE).read_text(encoding="utf-8"))
        packed = json.dumps(vocabulary, ensure_ascii=False, separators=(",", ":"))  # indented it is twice as large
        (folder / FULL_TOKENIZER_FILE).write_text(packed, encoding="utf-8")
        if (source / DATA_ARGUMENTS_NAME).is_file():
            data = _read(source / DATA_ARGUMENTS_NAME)
            data.pop("data_dir", None)
            _write(folder / DATA_ARGUMENTS_NAME, data)
        for path in (*(source / name for name in _COPIED), *sorted(source.glob("*.png"))):
            if path.is_file():
                shutil.copyfile(path, folder / path.name)
    return target


def _read(path: Path) -> dict[str, Any]:
    """A JSON object, without the note of where its classes' code is."""
    content = json.loads(path.read_text(encoding="utf-8"))
    content.pop("auto_map", None)
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
