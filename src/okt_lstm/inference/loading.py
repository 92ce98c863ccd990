"""From a trained folder, or the id of a repository on the Hub, to a classifier; and which engine runs it."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import oktane
from oktane.folders import LoadError, UnsupportedError, local_folder, released_model

from .classifier import Classifier

if TYPE_CHECKING:
    import torch

    from .generator import Generator
    from .tagger import Tagger

Engine: TypeAlias = Literal["auto", "oktane", "torch"]


def load(
    folder_or_hub_id: str | os.PathLike[str] | None = None,
    revision: str | None = None,
    token: str | bool | None = None,
    device: "str | torch.device | None" = None,
    max_length: int | None = None,
    engine: Engine = "auto",
    stride: int | None = None,
) -> Classifier:
    """Load a trained classifier of this package with its tokenizer.

    Only safetensors weights are read, and no code of the folder or repository is run. Weights that are stored in half
    precision are computed with in single precision, which is faster on a CPU.

    Args:
        folder_or_hub_id: A folder that `okt-lstm train` or `save_pretrained` wrote, or the id of a repository on the
            Hub. By default the classifier inside oktane, which tells positive from negative movie reviews (NSMC) and
            needs no network. The card beside it, `oktane/data/classifier/README.md`, says how it was trained and how
            good it is.
        revision: A branch, tag or commit of the repository.
        token: A token for the Hub, for private repositories. By default that of `hf auth login` or of HF_TOKEN.
        device: Where the network runs, such as `"cuda"` or `"cpu"`. By default the CPU if oktane runs it, and a GPU if
            torch runs it and there is one.
        max_length: Maximum number of tokens in a text. Longer texts are truncated. By default the tokenizer's
            `model_max_length`.
        engine: What runs the network. `"oktane"` runs it in C, on the CPU, and neither torch nor transformers is
            imported. `"torch"` runs everything. By default oktane, and torch for what it can't run: another device,
            and tokenizers other than `OktTokenizer`. Both predict the same labels.
        stride: If it is given, texts longer than `max_length` are read in windows that have so many tokens in common,
            and their logits are averaged. By default as the model was trained, and `max_length` truncates.

    Returns:
        The classifier.

    Raises:
        LoadError: If there is no such folder or repository, it may not be read, it holds no complete classifier of this
            package, or one that oktane can't run was to be run by it.
        ValueError: If the device is unknown or missing, or an option is out of range.
    """
    classifier = load_in_oktane(folder_or_hub_id, revision, token, device, max_length, engine, stride)
    if classifier is not None:
        return classifier
    from .torch_loading import load_in_torch

    name = os.fspath(released_model() if folder_or_hub_id is None else folder_or_hub_id)
    _refuse_other_models(name, revision, token)
    # Its weights could fit those of a classifier.
    if is_tagger(name, revision, token):
        raise LoadError(f"{name} holds a tagger, not a classifier: load it with okt_lstm.load_tagger")
    return Classifier.run_by(load_in_torch(name, revision, token, device, max_length, stride=stride))


def load_in_oktane(
    folder_or_hub_id: str | os.PathLike[str] | None,
    revision: str | None = None,
    token: str | bool | None = None,
    device: "str | torch.device | None" = None,
    max_length: int | None = None,
    engine: Engine = "auto",
    stride: int | None = None,
) -> Classifier | None:
    """Load a classifier that oktane runs. Return `None` if torch has to run it; for the rest see `load`."""
    if engine not in get_args(Engine):
        raise ValueError(f"engine is {engine!r}; it must be {', '.join(get_args(Engine))}")
    on_cpu = device is None or str(device).partition(":")[0] == "cpu"
    if engine == "oktane" and not on_cpu:
        raise ValueError(f"oktane runs on the CPU only, not on {device}; choose another engine, or no device")
    if engine == "torch" or not on_cpu:
        return None
    try:
        found = oktane.load(folder_or_hub_id, revision=revision, token=token, max_length=max_length, stride=stride)
    except UnsupportedError:
        if engine == "oktane":
            raise
        return None
    return Classifier.run_by(found)


def load_tagger(
    folder_or_hub_id: str | os.PathLike[str],
    revision: str | None = None,
    token: str | bool | None = None,
    device: "str | torch.device | None" = None,
) -> "Tagger":
    """Load a trained tagger of this package with its tokenizer. torch runs it.

    Only safetensors weights are read, and no code of the folder or repository is run.

    Args:
        folder_or_hub_id: A folder that `okt-lstm train --task token-classification` or `--task spacing` wrote, or the
            id of a repository on the Hub.
        revision: A branch, tag or commit of the repository.
        token: A token for the Hub, for private repositories. By default that of `hf auth login` or of HF_TOKEN.
        device: Where the network runs, such as `"cuda"` or `"cpu"`. By default a GPU if there is one.

    Returns:
        The tagger.

    Raises:
        LoadError: If there is no such folder or repository, it may not be read, or it holds no complete tagger of this
            package.
        ValueError: If the device is unknown or missing.
    """
    from .torch_loading import load_tagger_in_torch

    name = os.fspath(folder_or_hub_id)
    _refuse_other_models(name, revision, token)
    if not is_tagger(name, revision, token):
        raise LoadError(f"{name} holds no tagger, but another model: load it with okt_lstm.load")
    return load_tagger_in_torch(name, revision, token, device)


def load_generator(
    folder_or_hub_id: str | os.PathLike[str],
    revision: str | None = None,
    token: str | bool | None = None,
    device: "str | torch.device | None" = None,
) -> "Generator":
    """Load a language model that `okt-lstm pretrain --direction forward` trained, with its tokenizer.

    Only safetensors weights are read, and no code of the folder or repository is run.

    Args:
        folder_or_hub_id: The folder, or the id of a repository on the Hub.
        revision: A branch, tag or commit of the repository.
        token: A token for the Hub, for private repositories. By default that of `hf auth login` or of HF_TOKEN.
        device: Where the network runs, such as `"cuda"`. By default the CPU.

    Raises:
        LoadError: If there is no such folder or repository, it may not be read, or it holds no complete model that
            generates text.
        ValueError: If the device is unknown or missing.
    """
    from .torch_loading import load_generator_in_torch

    name = os.fspath(folder_or_hub_id)
    _refuse_other_models(name, revision, token)
    found = _architectures(name, revision, token)
    if not any(one.endswith("ForCausalLM") for one in found):
        raise LoadError(
            f"{name} holds no model that generates text, but {', '.join(found) or 'another one'}: train one with "
            "`okt-lstm pretrain --direction forward`"
        )
    return load_generator_in_torch(name, revision, token, device)


def is_tagger(name: str, revision: str | None = None, token: str | bool | None = None) -> bool:
    """Return whether a folder or repository holds a model that labels tokens, by its config.json."""
    return any(one.endswith("ForTokenClassification") for one in _architectures(name, revision, token))


def _architectures(name: str, revision: str | None, token: str | bool | None) -> list[str]:
    """Return the names of a model's classes, by its config.json; none if that can't be read."""
    try:
        config_file = find_model_file(name, "config.json", revision, token)
        classes = json.loads(config_file.read_text(encoding="utf-8")).get("architectures") if config_file else None
    # Whoever loads the model says what is wrong with it.
    except (OSError, ValueError, AttributeError, RecursionError):
        return []
    return [str(one) for one in classes] if isinstance(classes, list) else []


def find_model_file(name: str, file: str, revision: str | None, token: str | bool | None) -> Path | None:
    """Find a file of a folder or repository; see `okt_lstm.hub.model_file`. For a folder nothing heavy is imported."""
    folder = local_folder(name)
    if folder is not None:
        return folder / file if (folder / file).is_file() else None
    from ..hub import model_file

    return model_file(name, file, revision, token)


def _refuse_other_models(name: str, revision: str | None, token: str | bool | None) -> None:
    """Raise LoadError for a model of another package, or without a tokenizer, as `transformers` would load it."""
    from ..models.configuration_lstm import MODEL_TYPES

    config_file = find_model_file(name, "config.json", revision, token)
    if config_file is None:
        raise LoadError(f"{name} holds no model: it has no config.json; give the --output_dir of `okt-lstm train`")
    try:
        model_type = json.loads(config_file.read_text(encoding="utf-8")).get("model_type")
    except (ValueError, AttributeError, RecursionError) as exception:
        raise LoadError(f"{config_file} is damaged: {exception}") from None
    except OSError as exception:
        raise LoadError(f"{config_file}: can't be read: {exception.strerror}") from None
    if model_type not in MODEL_TYPES:
        raise LoadError(
            f"{name} holds a model of type {model_type!r}, but only {', '.join(MODEL_TYPES)} are loaded here; use "
            "transformers.pipeline for others"
        )
    if find_model_file(name, "tokenizer_config.json", revision, token) is None:
        raise LoadError(
            f"{name} holds no tokenizer: it has no tokenizer_config.json; save the tokenizer beside the model with "
            "save_pretrained()"
        )
