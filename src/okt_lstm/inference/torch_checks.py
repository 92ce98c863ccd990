"""A model's files, checked before torch takes memory for them; and its weights, checked when they are there."""

from collections.abc import Mapping
from math import prod
from pathlib import Path, PurePath
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import AutoConfig, AutoModelForSequenceClassification, PretrainedConfig, PreTrainedModel
from transformers.utils import CONFIG_NAME, SAFE_WEIGHTS_INDEX_NAME, SAFE_WEIGHTS_NAME

from oktane.folders import LoadError
from oktane.loading import Fields, read_json

from ..hub import model_file

# As safetensors names the types that weights can be of.
_FLOATS = ("F64", "F32", "F16", "BF16")
# How many more weights a model may have than its files: a head that is new, and its pooling.
_MOST_NEW_WEIGHTS = 4_000_000


def check_files(
    name: str,
    config: PretrainedConfig | None,
    same_sizes: bool,
    auto_class: Any = AutoModelForSequenceClassification,
    **hub: Any,
) -> None:
    """Refuse a model whose files contradict each other, before it takes memory.

    Args:
        name: A folder, or the id of a repository on the Hub.
        config: The configuration, if it isn't the one beside the weights.
        same_sizes: Whether the weights must have the sizes that the configuration asks for.
        auto_class: The Auto class that makes the model.
        **hub: `revision` and `token`.

    Raises:
        LoadError: The message names the file and the field.
    """
    revision, token = hub.get("revision"), hub.get("token")
    path = model_file(name, CONFIG_NAME, revision, token)
    stored = _stored_weights(name, revision, token)
    # transformers says what is missing.
    if path is None or not stored:
        return
    fields = Fields(path, read_json(path))
    sizes = {field: value for field, value in fields.values.items() if type(value) is int}
    for field in sizes:
        if field.startswith("num_") or field.endswith("_size"):
            fields.integer(field, 0, 0)
    layers = sizes.get("num_hidden_layers", 0)
    if layers > len(stored):
        raise LoadError(f"{path}: num_hidden_layers is {layers}, but there are only {len(stored)} tensors of weights")
    try:
        if config is None:
            config = AutoConfig.from_pretrained(path.parent, trust_remote_code=False)
        # The meta device takes no memory.
        with torch.device("meta"):
            model = auto_class.from_config(config, trust_remote_code=False)
    # Any field may be of any type.
    except Exception as error:
        raise LoadError(f"{path}: no model can be made of it: {str(error) or type(error).__name__:.500}") from error
    asked, held = sum(weights.numel() for weights in model.parameters()), sum(map(prod, stored.values()))
    if asked > 2 * held + _MOST_NEW_WEIGHTS:
        largest = max(sizes, key=lambda field: sizes[field], default="vocab_size")
        raise LoadError(
            f"{path}: asks for {asked:,} weights, but the files hold {held:,}; {largest} is {sizes.get(largest)}"
        )
    for weight, wanted in model.state_dict().items() if same_sizes else ():
        if stored.get(weight, tuple(wanted.shape)) != tuple(wanted.shape):
            raise LoadError(
                f"{name}: {weight} has the shape {list(stored[weight])}, but {CONFIG_NAME} asks for "
                f"{list(wanted.shape)}"
            )


def check_weights(name: str, model: PreTrainedModel) -> None:
    """Raise LoadError if a weight is infinite or NaN, or n-grams are out of order: labels would be wrong silently."""
    for weight, values in model.named_parameters():
        if not values.isfinite().all():
            raise LoadError(f"{name}: {weight} holds numbers that are infinite or NaN: its training has failed")
    for buffer, numbers in model.named_buffers():
        # In another order the n-grams would not be found.
        if buffer.endswith("hashes") and not (numbers.diff() > 0).all():
            raise LoadError(f"{name}: {buffer} must be in ascending order")


def _stored_weights(name: str, revision: str | None, token: str | bool | None) -> Mapping[str, tuple[int, ...]]:
    """Return the shapes of the tensors of a model's safetensors files, by name; empty if there are none."""
    files = [SAFE_WEIGHTS_NAME]
    # Without a connection, a file that was never asked for can't be known to be missing: the index comes second.
    has_one_file = model_file(name, SAFE_WEIGHTS_NAME, revision, token) is not None
    index = None if has_one_file else model_file(name, SAFE_WEIGHTS_INDEX_NAME, revision, token)
    if index is not None:
        shards = read_json(index).get("weight_map")
        if not isinstance(shards, dict) or not all(isinstance(file, str) for file in shards.values()):
            raise LoadError(f"{index}: weight_map must name the file of each tensor")
        files = sorted(set(shards.values()))
        for file in files:
            if PurePath(file).name != file or file in ("", ".", ".."):
                raise LoadError(f"{index}: weight_map names {file!r}, which is not a file of this folder")
    shapes: dict[str, tuple[int, ...]] = {}
    for file in files:
        path = model_file(name, file, revision, token)
        if path is not None:
            shapes |= _shapes(path)
    return shapes


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    shapes = {}
    try:
        # safetensors does not tell a refused permission from a missing file.
        path.open("rb").close()
        with safe_open(path, framework="np") as file:
            for name in file.keys():  # noqa: SIM118  # it is no mapping
                tensor = file.get_slice(name)
                shapes[name] = tuple(tensor.get_shape())
                kind = tensor.get_dtype()
                if kind not in _FLOATS and name.rpartition(".")[2].startswith(("weight", "bias")):
                    raise LoadError(f"{path}: {name} is of type {kind}; weights must be {', '.join(_FLOATS)}")
    except SafetensorError as error:
        raise LoadError(f"{path} is damaged: {error}; it can't be loaded") from None
    except OSError as error:
        if isinstance(error, LoadError):
            raise
        raise LoadError(f"{path}: can't be read: {error.strerror}") from None
    return shapes
