"""Columns of text in Arrow's layout, which go to C as they are: UTF-8 in one buffer, and where each text begins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from ._core import Characters
from .parallel import CHARACTERS

# The bytes of as many characters as a list of texts holds (see `parallel`); a Hangul syllable takes 3.
CHUNK_BYTES = 3 * CHARACTERS


class ArrowTexts(Sequence[str]):
    """Texts without nulls. It is a sequence of str, which are made as they are asked for.

    Args:
        data: UTF-8, `(bytes,)`.
        offsets: `(texts + 1,)`: text `i` is `data[offsets[i]:offsets[i + 1]]`.
    """

    def __init__(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> None:
        self._data, self._offsets = data, offsets

    @classmethod
    def from_array(cls, array: Any) -> ArrowTexts:
        """Return the texts of a pyarrow array of large strings without nulls; they share its memory."""
        _, offsets, data = array.buffers()
        if len(array) == 0 or data is None:
            return cls(np.empty(0, np.uint8), np.zeros(len(array) + 1, np.int64))
        starts = np.frombuffer(offsets, np.int64, len(array) + 1, 8 * array.offset)
        return cls(np.frombuffer(data, np.uint8), starts)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> ArrowTexts: ...
    def __getitem__(self, index: int | slice) -> str | ArrowTexts:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step != 1:
                raise ValueError("texts are sliced without a step")
            return ArrowTexts(self._data, self._offsets[start : max(start, stop) + 1])
        start, stop = self._offsets[range(len(self))[index]], self._offsets[range(len(self))[index] + 1]
        return self._data[start:stop].tobytes().decode()

    def __iter__(self) -> Iterator[str]:
        data = self.utf8()
        places = (self._offsets - self._offsets[0]).tolist()
        for start, stop in pairwise(places):
            yield data[start:stop].decode()

    def utf8(self) -> bytes:
        """Return the UTF-8 of all texts, one after the other."""
        return self._data[self._offsets[0] : self._offsets[-1]].tobytes()

    def decoded(self) -> Characters:
        """Return the texts as the C modules read them.

        Raises:
            ValueError: If a text is not UTF-8.
        """
        return Characters(self._data, np.ascontiguousarray(self._offsets))

    def chunks(self, size: int) -> Iterator[ArrowTexts]:
        """Yield `size` texts at a time, or fewer if they are long."""
        start = 0
        while start < len(self):
            # The first text is taken whatever its length is.
            most = int(np.searchsorted(self._offsets, self._offsets[start] + CHUNK_BYTES, side="right")) - 1
            stop = min(start + size, max(most, start + 1), len(self))
            yield self[start:stop]
            start = stop


def text_arrays(column: Any, name: str) -> Any:
    """Return the texts of a pyarrow column, without its nulls, and which rows have one.

    Args:
        column: An array or chunked array of strings, of whatever type Arrow has for them.
        name: Its name, for the message.

    Returns:
        An `ArrowTexts`, and a numpy array of bool, `(rows,)`.

    Raises:
        TypeError: If it is no column of texts.
    """
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            # So many bytes that one array of their type can't hold them.
            column = column.cast(pa.large_string()).combine_chunks()
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    # Older versions of pyarrow have no views.
    kinds = ("is_string", "is_large_string", "is_string_view", "is_null")
    if not any(getattr(pa.types, name)(kind) for name in kinds if hasattr(pa.types, name)):
        raise TypeError(f"the column {name!r} holds {kind}, not text")
    # The offsets are widened, the texts are not copied. Views and dictionaries are unpacked.
    column = column.cast(pa.large_string())
    if not column.null_count:
        return ArrowTexts.from_array(column), np.ones(len(column), bool)
    return ArrowTexts.from_array(column.drop_null()), column.is_valid().to_numpy(zero_copy_only=False)
