"""Parquet and Arrow files, which pyarrow reads and writes: the extra `oktane[arrow]`.

Arrow files are IPC files or streams, told apart by their content. What is written is a stream, as the library datasets
keeps it: `pyarrow.ipc.open_stream` reads it, or `datasets.Dataset.from_file`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from .lines import FileError
from .row_reader import Row, RowReader
from .row_writer import RowWriter

# Rows that are decoded at a time. Their Python objects, if they are needed, take some megabytes.
BATCH_ROWS = 4096


def import_pyarrow(name: object) -> Any:
    """Return the module pyarrow.

    Args:
        name: The file that needs it, for the message.

    Raises:
        FileError: If it is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise FileError(
            f"{name}: parquet and Arrow files need pyarrow ({error}): pip install 'oktane[arrow]'"
        ) from None
    return pyarrow


class _TableReader(RowReader):
    """The rows of a file with typed columns."""

    has_tables = True
    kind: ClassVar[str]

    def _start(self) -> None:
        self._pa = import_pyarrow(self.path)
        try:
            self._open()
        except (self._pa.ArrowException, OSError) as exception:
            raise FileError(f"{self.path}: not {self.kind} file ({exception})") from None
        self.columns = self.schema.names

    def _open(self) -> None:
        """Open the file and set `schema`."""
        raise NotImplementedError

    def _batches(self, columns: Sequence[str] | None) -> Iterable[Any]:
        """Return the record batches, of `BATCH_ROWS` rows at most, with all columns or some of them."""
        raise NotImplementedError

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """Yield the rows as record batches; see `RowReader.batches`."""
        for batch in self._checked_batches(columns):
            yield batch
            self.number += batch.num_rows

    def __iter__(self) -> Iterator[Row]:
        for rows in self._decoded_batches():
            for row in rows:
                self.number += 1
                yield row

    def _decoded_batches(self) -> Iterator[list[Row]]:
        for batch in self._checked_batches():
            try:
                yield batch.to_pylist()
            except UnicodeDecodeError as exception:
                raise self._damaged(exception) from None

    def _checked_batches(self, columns: Sequence[str] | None = None) -> Iterator[Any]:
        try:
            yield from self._batches(columns)
        except (self._pa.ArrowException, OSError) as exception:
            if getattr(exception, "errno", None) is not None:
                raise
            raise self._damaged(exception) from None

    def _damaged(self, exception: Exception) -> FileError:
        kind = self.kind.partition(" ")[2]
        return FileError(f"{self.path}, after row {self.number}: damaged {kind} file ({exception})")


class ParquetReader(_TableReader):
    """The rows of a parquet file."""

    unit = "row"
    kind = "a parquet"

    def _open(self) -> None:
        if not self._stream.seekable():
            raise FileError(f"{self.path}: parquet can't be read from a stream; save it to a file, or send Arrow")
        self._table = self._pa.parquet.ParquetFile(self._stream)
        self.schema = self._table.schema_arrow

    def _batches(self, columns: Sequence[str] | None) -> Iterable[Any]:
        return self._table.iter_batches(batch_size=BATCH_ROWS, columns=columns)

    @property
    def size(self) -> int:
        """Return the number of rows."""
        return self._table.metadata.num_rows

    @property
    def position(self) -> int:
        """Return the number of rows that have been read."""
        return self.number


class ArrowReader(_TableReader):
    """The rows of an Arrow file or stream."""

    kind = "an Arrow"

    def _open(self) -> None:
        if self.head.startswith(b"ARROW1"):
            file = self._pa.ipc.open_file(self._stream)
            self._stored = (file.get_batch(index) for index in range(file.num_record_batches))
            self.schema = file.schema
        else:
            stream = self._pa.ipc.open_stream(self._stream)
            self._stored, self.schema = iter(stream), stream.schema

    def _batches(self, columns: Sequence[str] | None) -> Iterable[Any]:
        for batch in self._stored:
            chosen = batch if columns is None else batch.select(columns)
            for start in range(0, chosen.num_rows, BATCH_ROWS):
                yield chosen.slice(start, BATCH_ROWS)


class _TableWriter(RowWriter):
    """Writes typed columns. The types of columns that are not known beforehand are those of the first rows' values."""

    takes_tables = True

    def _start(self) -> None:
        self._pa = import_pyarrow(self._name)
        self._writer: Any = None

    def _open(self, schema: Any) -> Any:
        """Return pyarrow's writer of this schema."""
        raise NotImplementedError

    def write_table(self, table: Any) -> None:
        """Append the rows of a pyarrow table, which has the columns in their order."""
        if self._writer is None:
            self._writer = self._open(table.schema)
        self._writer.write_table(table)
        self._written += table.num_rows

    def _open_for(self, rows: Sequence[Row]) -> None:
        pa = self._pa
        known = {field.name: field for field in self._schema or ()}
        new = [name for name in self._columns if name not in known]
        seen = pa.Table.from_pylist([{name: row.get(name) for name in new} for row in rows]).schema
        for name in new:
            index = seen.get_field_index(name)
            nothing = index < 0 or pa.types.is_null(seen.field(index).type)
            # A column without any value there is text.
            known[name] = pa.field(name, pa.string() if nothing else seen.field(index).type)
        metadata = self._schema.metadata if self._schema is not None else None
        self._schema = pa.schema([known[name] for name in self._columns], metadata=metadata)
        self._writer = self._open(self._schema)

    def _write(self, rows: Sequence[Row]) -> None:
        self._check_fields(rows)
        try:
            if self._writer is None:
                self._open_for(rows)
            self._writer.write_table(self._pa.Table.from_pylist(rows, schema=self._schema))
        # Arrow's whole numbers have 64 bits.
        except (self._pa.ArrowException, OverflowError) as exception:
            span = f"rows {self._written + 1} to {self._written + len(rows)}"
            raise FileError(
                f"{self._name}: the values of {span} do not fit the columns' types ({exception}); "
                "write to a .jsonl file instead"
            ) from None

    def close(self) -> None:
        """Write what comes after the rows."""
        if self._writer is None:
            self._open_for([])
        self._writer.close()


class ParquetWriter(_TableWriter):
    """Writes a parquet file; each call of `write` makes a row group."""

    def _open(self, schema: Any) -> Any:
        return self._pa.parquet.ParquetWriter(self._stream, schema)


class ArrowWriter(_TableWriter):
    """Writes an Arrow stream."""

    def _open(self, schema: Any) -> Any:
        return self._pa.ipc.new_stream(self._stream, schema)
