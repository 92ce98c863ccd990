"""Parquet files, which oktane's readers and writers of tables know as soon as this module is imported."""

from collections.abc import Iterator, Sequence
from typing import Any

from oktane.lines import FileError
from oktane.paths import SUFFIXES
from oktane.readers import READERS
from oktane.row_reader import Row, RowReader
from oktane.writers import WRITERS, RowWriter


class _ParquetReader(RowReader):
    """The rows of a parquet file, typed."""

    unit = "row"

    def _start(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            self._table = pq.ParquetFile(self._stream)
        except pa.ArrowInvalid as exception:
            raise FileError(f"{self.path}: not a parquet file ({exception})") from None
        self.schema = self._table.schema_arrow
        self.columns = self._table.schema_arrow.names

    def __iter__(self) -> Iterator[Row]:
        import pyarrow as pa

        try:
            for batch in self._table.iter_batches(batch_size=4096):
                for row in batch.to_pylist():
                    self.number += 1
                    yield row
        except (pa.ArrowException, UnicodeDecodeError) as exception:
            raise FileError(f"{self.path}, after row {self.number}: damaged parquet file ({exception})") from None

    @property
    def size(self) -> int:
        return self._table.metadata.num_rows

    @property
    def position(self) -> int:
        return self.number


class _ParquetWriter(RowWriter):
    """Writes rows to a parquet file; each call of `write` makes a row group."""

    def _start(self) -> None:
        self._writer: Any = None

    def _open(self, rows: Sequence[Row]) -> None:
        """Take the types from the first rows; a column without any value there is text."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        known = {field.name: field for field in self._schema or ()}
        new = [name for name in self._columns if name not in known]
        seen = pa.Table.from_pylist([{name: row.get(name) for name in new} for row in rows]).schema
        for name in new:
            index = seen.get_field_index(name)
            nothing = index < 0 or pa.types.is_null(seen.field(index).type)
            known[name] = pa.field(name, pa.string() if nothing else seen.field(index).type)
        metadata = self._schema.metadata if self._schema is not None else None
        self._schema = pa.schema([known[name] for name in self._columns], metadata=metadata)
        self._writer = pq.ParquetWriter(self._stream, self._schema)

    def _write(self, rows: Sequence[Row]) -> None:
        import pyarrow as pa

        self._check_fields(rows)
        try:
            if self._writer is None:
                self._open(rows)
            self._writer.write_table(pa.Table.from_pylist(rows, schema=self._schema))
        # Arrow's whole numbers have 64 bits.
        except (pa.ArrowException, OverflowError) as exception:
            span = f"rows {self._written + 1} to {self._written + len(rows)}"
            raise FileError(
                f"{self._name}: the values of {span} do not fit the columns' types ({exception}); "
                "write to a .jsonl file instead"
            ) from None

    def close(self) -> None:
        if self._writer is None:
            self._open([])
        self._writer.close()


SUFFIXES[".parquet"] = "parquet"
READERS["parquet"] = _ParquetReader
WRITERS["parquet"] = _ParquetWriter
