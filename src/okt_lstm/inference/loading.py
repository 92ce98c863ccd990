"""From a trained folder, or the id of a repository on the Hub, to a classifier."""

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import CONFIG_NAME

from oktane.folders import LoadError, released_model
from oktane.hub import hub_is_unreachable

from ..hub import model_file
from ..models.configuration_lstm import MODEL_TYPES
from .classifier import Classifier


def load(
    folder_or_hub_id: str | os.PathLike[str] | None = None,
    revision: str | None = None,
    token: str | bool | None = None,
    device: str | torch.device | None = None,
    max_length: int | None = None,
) -> Classifier:
    """Load a trained classifier of this package with its tokenizer.

    Only safetensors weights are read, and no code of the folder or repository is run. Weights that are stored in half
    precision are computed with in single precision, which is faster on a CPU.

    Args:
        folder_or_hub_id: What `okt-lstm train` or `save_pretrained` left, or the id of a repository on the Hub. By
            default, the model inside oktane, which tells positive from negative movie reviews (NSMC) and needs no
            network. The card beside it, `oktane/data/classifier/README.md`, says how it was trained and how good
            it is.
        revision: A branch, tag or commit of the repository.
        token: A token for the Hub, for private repositories; by default, that of `hf auth login` or of HF_TOKEN.
        device: Where the network runs, such as `"cpu"` or `"cuda:1"`; by default, a GPU if there is one.
        max_length: See `Classifier`.

    Returns:
        The classifier.

    Raises:
        LoadError: There is no such folder or repository, it may not be read, or it holds no complete classifier of this
            package; or none is named, and the package was installed without a model.
        ValueError: The device is unknown or missing.
    """
    name = os.fspath(released_model() if folder_or_hub_id is None else folder_or_hub_id)
    config_file = model_file(name, CONFIG_NAME, revision, token)
    if config_file is None:
        raise LoadError(f"{name} holds no model: it has no {CONFIG_NAME}; give the --output_dir of `okt-lstm train`")
    try:
        model_type = json.loads(config_file.read_text(encoding="utf-8")).get("model_type")
    except (ValueError, AttributeError) as exception:
        raise LoadError(f"{config_file} is damaged: {exception}") from None
    if model_type not in MODEL_TYPES:
        raise LoadError(
            f"{name} holds a model of type {model_type!r}, but only {', '.join(MODEL_TYPES)} are loaded here; use "
            "transformers.pipeline for others"
        )
    if model_file(name, "tokenizer_config.json", revision, token) is None:
        raise LoadError(
            f"{name} holds no tokenizer: it has no tokenizer_config.json; save the tokenizer beside the model with "
            "save_pretrained()"
        )
    return load_any(name, revision, token, device, max_length)


def load_any(
    name: str,
    revision: str | None = None,
    token: str | bool | None = None,
    device: str | torch.device | None = None,
    max_length: int | None = None,
) -> Classifier:
    """Load any sequence classifier that transformers knows, such as a BERT teacher; see `load`."""
    target = _device(device)
    folder = Path(name).expanduser()
    source = str(folder) if folder.is_dir() else name
    try:
        offline = folder.is_dir() or hub_is_unreachable(name, revision, token)
        options = {"revision": revision or "main", "token": token, "local_files_only": offline}
        model, loaded = load_model(source, **options)
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False, **options)
    except (OSError, ValueError, RuntimeError, SafetensorError) as exception:
        raise LoadError(f"{name} can't be loaded: {exception}") from exception
    if loaded["missing_keys"]:
        raise LoadError(
            f"{name} holds no trained classifier: its weights lack {', '.join(sorted(loaded['missing_keys']))}; "
            "train one with `okt-lstm train`"
        )
    return Classifier(model.to(target), tokenizer, max_length)


def load_model(name: str, **options: Any) -> tuple[Any, dict[str, Any]]:
    """Load a sequence classifier without its tokenizer: never a pickle, never code of others, in single precision.

    Args:
        name: A folder or the id of a repository on the Hub.
        **options: Further options of `from_pretrained`, such as `config`.

    Returns:
        The model, and transformers' report of missing and mismatched weights.
    """
    return AutoModelForSequenceClassification.from_pretrained(
        name,
        dtype=torch.float32,
        use_safetensors=True,
        trust_remote_code=False,
        output_loading_info=True,
        **options,
    )


def _device(device: str | torch.device | None) -> torch.device:
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        target = torch.device(device)
        torch.empty(0, device=target)
    except (RuntimeError, AssertionError, NotImplementedError) as exception:
        raise ValueError(f"device {str(device)!r} can't be used: {str(exception).splitlines()[0]}") from None
    return target
