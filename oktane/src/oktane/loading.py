"""Read and check the files of a trained folder: configuration in JSON, weights in safetensors."""

import json
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import _engine
from .folders import WITH_TORCH, LoadError, UnsupportedError

FLOATS = ("F32", "F16", "BF16")  # types of numbers, as safetensors names them
LARGEST_HEADER = 100_000_000  # bytes, as the safetensors library allows


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises:
        LoadError: If there is no such file, or it is not a JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _missing(path) from None
    except OSError as error:
        raise LoadError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or nested without end
        raise LoadError(f"{path} is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise LoadError(f"{path}: expected a JSON object, got {content!r:.40}")
    return content


def _missing(path: Path) -> LoadError:
    return LoadError(
        f"{path.parent} holds no classifier: it has no {path.name}; name a folder that `okt-lstm train`, or "
        "save_pretrained() of the model and of its tokenizer, wrote"
    )


def _is_probability(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


class Fields:
    """The fields of a JSON object, checked as they are read.

    Args:
        path: The file, for messages.
        values: The fields.
    """

    def __init__(self, path: Path, values: dict[str, Any]) -> None:
        self.path = path
        self.values = values

    def error(self, name: str, expected: str) -> LoadError:
        """Return an error that names a field, its value and what was expected."""
        return LoadError(f"{self.path}: {name} must be {expected}, got {self.values.get(name)!r:.60}")

    def integer(self, name: str, default: int, least: int = 1) -> int:
        """Return a whole number of at least `least`; `default` if the field is missing."""
        value = self.values.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 2**31:
            raise self.error(name, f"a whole number from {least} to {2**31 - 1}")
        return value

    def optional_integer(self, name: str) -> int | None:
        """Return a whole number of at least 1; `None` if the field is missing or null."""
        return None if self.values.get(name) is None else self.integer(name, 1)

    def optional_probability(self, name: str) -> float | None:
        """Return a number from 0 to 1; `None` if the field is missing or null."""
        value = self.values.get(name)
        if value is not None and not _is_probability(value):
            raise self.error(name, "a number from 0 to 1")
        return None if value is None else float(value)

    def optional_probabilities(self, name: str, count: int) -> list[float] | None:
        """Return a list of numbers from 0 to 1; `None` if the field is missing or null."""
        values = self.values.get(name)
        if values is None:
            return None
        if not isinstance(values, list) or len(values) != count or not all(map(_is_probability, values)):
            raise self.error(name, f"a list of {count} numbers from 0 to 1")
        return list(map(float, values))

    def boolean(self, name: str, default: bool) -> bool:
        """Return true or false; `default` if the field is missing."""
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            raise self.error(name, "true or false")
        return value

    def choice(self, name: str, choices: Sequence[Any], default: Any = None) -> Any:
        """Return one of some values; `default` if the field is missing or null."""
        value = self.values.get(name)
        value = default if value is None else value
        if not any(type(value) is type(known) and value == known for known in choices):
            raise self.error(name, "one of " + ", ".join(map(json.dumps, choices)))
        return value


class Tensor(NamedTuple):
    """Numbers as they are stored.

    Attributes:
        number: The `dtype` in safetensors. Only those in `NUMBER_SIZES` of `_engine` can be read.
        shape: Its shape.
        data: The bytes, uint8 `(bytes,)`.
    """

    number: str
    shape: tuple[int, ...]
    data: NDArray[np.uint8]


class Weights:
    """The tensors of a safetensors file.

    Args:
        path: The file. It is read whole.

    Raises:
        LoadError: If there is no such file, or it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            content = np.fromfile(path, np.uint8)
        except FileNotFoundError:
            raise _missing(path) from None
        except OSError as error:
            raise LoadError(f"{path}: {error.strerror}") from None
        length = int.from_bytes(content[:8].tobytes(), "little")
        if len(content) < 8 or length > min(len(content) - 8, LARGEST_HEADER):
            raise LoadError(f"{path} is not a safetensors file, or cut off: its header would be longer than the file")
        try:
            header = json.loads(content[8 : 8 + length].tobytes())
        except (ValueError, RecursionError) as error:
            raise LoadError(f"{path} is not a safetensors file: its header is not JSON: {error}") from None
        if not isinstance(header, dict):
            raise LoadError(f"{path}: its header must be a JSON object, got {header!r:.40}")
        header.pop("__metadata__", None)
        self._tensors = {name: self._tensor(name, entry, content[8 + length :]) for name, entry in header.items()}

    def _tensor(self, name: str, entry: Any, data: NDArray[np.uint8]) -> Tensor:
        try:
            number, shape, (start, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
        except (TypeError, KeyError, ValueError):
            raise LoadError(f"{self.path}: {name} needs dtype, shape and data_offsets, got {entry!r:.80}") from None
        places = (*shape, start, end)
        if not isinstance(number, str) or not all(type(place) is int and place >= 0 for place in places):
            raise LoadError(f"{self.path}: {name} has a wrong dtype, shape or data_offsets: {entry!r:.80}")
        if not start <= end <= len(data):
            raise LoadError(f"{self.path}: {name} ends at byte {end} of {len(data)}: the file is damaged or cut off")
        size = _engine.NUMBER_SIZES.get(number)
        if size is not None and prod(shape) * size != end - start:
            raise LoadError(f"{self.path}: {name} has {end - start} bytes, but its shape is {list(shape)} of {number}")
        return Tensor(number, shape, data[start:end])

    def stored(
        self, name: str, shape: tuple[int, ...], numbers: Sequence[str] = FLOATS
    ) -> tuple[NDArray[np.uint8], str]:
        """Return the bytes of a tensor of one or two dimensions, `(rows, bytes of a row)`, and its dtype.

        Args:
            name: Its name.
            shape: The shape that it must have.
            numbers: The types that it may have.

        Raises:
            LoadError: If it is missing, or has another shape, a type that is not supported, or a number that is not
                finite.
        """
        if name not in self._tensors:
            raise LoadError(
                f"{self.path} holds no trained classifier: it lacks {name}; train one with `okt-lstm train`"
            )
        tensor = self._tensors[name]
        if tensor.shape != shape:
            raise LoadError(
                f"{self.path}: {name} has the shape {list(tensor.shape)}, but config.json asks for {list(shape)}"
            )
        if tensor.number not in numbers:
            raise UnsupportedError(
                f"{self.path}: {name} is of type {tensor.number}, and oktane reads {', '.join(numbers)} only here; for "
                f"others use {WITH_TORCH}"
            )
        alignment = _engine.NUMBER_SIZES[tensor.number]
        data = tensor.data if tensor.data.ctypes.data % alignment == 0 else tensor.data.copy()
        rows = data.reshape(shape[0], -1)
        if tensor.number in FLOATS and not _engine.is_finite(rows, tensor.number):
            raise LoadError(f"{self.path}: {name} holds numbers that are infinite or NaN: its training has failed")
        return rows, tensor.number

    def floats(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Return a tensor as float32, `shape`. For the errors see `stored`."""
        rows, number = self.stored(name, shape)
        data = rows.reshape(-1)
        if number == "F16":
            values = data.view(np.float16).astype(np.float32)
        elif number == "BF16":
            values = (data.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
        else:
            values = data.view(np.float32)
        return values.reshape(shape)

    def integers(self, name: str, shape: tuple[int, ...]) -> NDArray[np.int32]:
        """Return a tensor of int32, `shape`. For the errors see `stored`."""
        rows, _ = self.stored(name, shape, ("I32",))
        return rows.reshape(-1).view(np.int32).reshape(shape)
