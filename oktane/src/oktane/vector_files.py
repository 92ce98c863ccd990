"""Vectors written to npy, jsonl and parquet files, in constant memory."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from .lines import FileError, open_output
from .row_reader import Row
from .row_writer import to_field

VECTOR_COLUMN = "vector"


class NpyWriter:
    """Writes vectors as numpy's `.npy`: float32, `(rows, dimension)`, in the order of the rows.

    Args:
        stream: Where the bytes go.
        columns: The names of the input's columns, which it leaves out.
        dimension: Size of a vector.
    """

    def __init__(self, stream: IO[bytes], columns: Sequence[str], dimension: int) -> None:
        self._stream, self._dimension, self._count = stream, dimension, 0
        self._write_header()

    def write(self, rows: Sequence[Row], vectors: NDArray[np.float32]) -> None:
        """Append the vectors of rows, `(rows, dimension)`."""
        self._stream.write(np.ascontiguousarray(vectors, "<f4").tobytes())
        self._count += len(rows)

    def close(self) -> None:
        """Say in the header how many rows there are."""
        self._stream.seek(0)
        self._write_header()

    def _write_header(self) -> None:
        """Write the header. Its length does not depend on the number of rows: numpy leaves room for any."""
        header = {"descr": "<f4", "fortran_order": False, "shape": (self._count, self._dimension)}
        np.lib.format.write_array_header_1_0(self._stream, header)


class JsonlWriter:
    """Writes rows with their vectors as JSON objects, one a line; for the arguments see `NpyWriter`."""

    def __init__(self, stream: IO[bytes], columns: Sequence[str], dimension: int) -> None:
        self._stream = stream

    def write(self, rows: Sequence[Row], vectors: NDArray[np.float32]) -> None:
        """Append rows and their vectors, `(rows, dimension)`."""
        lines = (row | {VECTOR_COLUMN: to_numbers(vector)} for row, vector in zip(rows, vectors, strict=True))
        self._stream.writelines(f"{json.dumps(line, ensure_ascii=False, default=str)}\n".encode() for line in lines)

    def close(self) -> None:
        """Do nothing: there is nothing after the rows."""


class ParquetWriter:
    """Writes the columns as strings, and a column of float32 lists of fixed size; see `NpyWriter` for the arguments."""

    def __init__(self, stream: IO[bytes], columns: Sequence[str], dimension: int) -> None:
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise FileError(f"parquet files need pyarrow ({error}): pip install 'oktane[arrow]'") from None
        self._pa, self._columns, self._dimension = pa, columns, dimension
        fields = [(name, pa.string()) for name in columns]
        self._schema = pa.schema([*fields, (VECTOR_COLUMN, pa.list_(pa.float32(), dimension))])
        self._writer = parquet.ParquetWriter(stream, self._schema)

    def write(self, rows: Sequence[Row], vectors: NDArray[np.float32]) -> None:
        """Append rows and their vectors, `(rows, dimension)`."""
        pa = self._pa
        values = [[_text_or_none(row.get(name)) for row in rows] for name in self._columns]
        missing = pa.array(np.isnan(vectors[:, 0]))
        flat = pa.array(vectors.reshape(-1))
        numbers = pa.FixedSizeListArray.from_arrays(flat, self._dimension, mask=missing)
        arrays = [*(pa.array(column, pa.string()) for column in values), numbers]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        """Write what comes after the rows."""
        self._writer.close()


def to_numbers(vector: NDArray[np.float32]) -> list[float] | None:
    """Return a vector for JSON, in float32's shortest decimals, not those of float64; None for a vector of NaN."""
    return None if np.isnan(vector[0]) else [float(str(number)) for number in vector]


def _text_or_none(value: Any) -> str | None:
    return None if value is None else to_field(value)


WRITERS: dict[str, type[NpyWriter] | type[JsonlWriter] | type[ParquetWriter]] = {
    ".npy": NpyWriter,
    ".jsonl": JsonlWriter,
    ".parquet": ParquetWriter,
}
"""The writers, by the suffix of the file."""


@contextmanager
def open_vector_writer(
    path: str | os.PathLike[str], columns: Sequence[str], dimension: int
) -> Iterator[NpyWriter | JsonlWriter | ParquetWriter]:
    """Open a file for vectors; it appears only when all are written.

    Args:
        path: The file; its suffix tells the format. An existing file is replaced.
        columns: The names of the rows' columns.
        dimension: Size of a vector.

    Raises:
        FileError: The format is unknown, a column is called `vector`, pyarrow is missing, or the folder is.
    """
    writer_class = WRITERS.get(Path(path).suffix.lower())
    if writer_class is None:
        raise FileError(f"{path}: unknown file format; the name must end in {', '.join(WRITERS)}")
    if VECTOR_COLUMN in columns and writer_class is not NpyWriter:
        raise FileError(f"the input has a column {VECTOR_COLUMN!r} already, where the vectors would go; rename it")
    with open_output(os.fspath(path)) as stream:
        writer = writer_class(stream, columns, dimension)
        yield writer
        writer.close()
