"""Rows written to txt, tsv, csv and jsonl files, in constant memory; see `readers` for the formats."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

from .lines import FileError, one_line, open_output
from .readers import Row, file_format


class RowWriter:
    """Writes rows to an open stream. Made by `open_writer`.

    Args:
        stream: Where the bytes go.
        columns: The names of the columns, in order.
        schema: The types of the columns that are known beforehand; only parquet needs them.
        name: The file's name, for messages.
    """

    def __init__(self, stream: IO[bytes], columns: Sequence[str], schema: Any, name: str) -> None:
        self._stream = stream
        self._columns = list(columns)
        self._schema = schema
        self._name = name
        self._written = 0
        self._start()

    def write(self, rows: Sequence[Row]) -> None:
        """Append rows.

        Raises:
            FileError: A row has a field that is not a column, or, in a parquet file, a value of another type than those
                of the first rows.
        """
        self._write(rows)
        self._written += len(rows)

    def _start(self) -> None:
        """Write what comes before the rows."""

    def _write(self, rows: Sequence[Row]) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Write what comes after the rows."""

    def _check_fields(self, rows: Sequence[Row]) -> None:
        known = set(self._columns)
        for number, row in enumerate(rows, self._written + 1):
            if not row.keys() <= known:
                unknown = sorted(row.keys() - known)[0]
                raise FileError(
                    f"{self._name}: row {number} has a field {unknown!r} that the first row lacks; "
                    "write to a .jsonl file instead"
                )

    def _fields(self, rows: Sequence[Row]) -> Iterator[list[str]]:
        """Yield the values of each row as strings, in the order of the columns."""
        self._check_fields(rows)
        for row in rows:
            yield [to_field(row.get(column)) for column in self._columns]


def to_field(value: Any) -> str:
    """Write a value as a field of csv or tsv: nothing for None, JSON for a list or an object."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


class _TxtWriter(RowWriter):
    def _write(self, rows: Sequence[Row]) -> None:
        (column,) = self._columns
        self._stream.writelines(f"{one_line(to_field(row[column]))}\n".encode() for row in rows)


def tsv_line(values: Iterable[Any]) -> str:
    """Write values as a line of tsv with its end; a tab or line end inside a value becomes a blank."""
    return "\t".join(one_line(to_field(value)) for value in values) + "\n"


class _TsvWriter(RowWriter):
    def _start(self) -> None:
        self._stream.write(tsv_line(self._columns).encode())

    def _write(self, rows: Sequence[Row]) -> None:
        self._stream.writelines(tsv_line(fields).encode() for fields in self._fields(rows))


class _CsvWriter(RowWriter):
    def _start(self) -> None:
        self._text = io.StringIO()
        self._minimal = csv.writer(self._text, lineterminator="\n")
        self._quoted = csv.writer(self._text, lineterminator="\n", quoting=csv.QUOTE_ALL)
        self._write_records([self._columns])

    def _write(self, rows: Sequence[Row]) -> None:
        self._write_records(self._fields(rows))

    def _write_records(self, records: Iterable[list[str]]) -> None:
        for fields in records:
            # Python before 3.13 leaves a lone carriage return unquoted, and then cannot read it back.
            writer = self._quoted if any("\r" in field for field in fields) else self._minimal
            writer.writerow(fields)
        self._stream.write(self._text.getvalue().encode())
        self._text.seek(0)
        self._text.truncate()


class _JsonlWriter(RowWriter):
    def _write(self, rows: Sequence[Row]) -> None:
        self._stream.writelines(f"{json.dumps(row, ensure_ascii=False, default=str)}\n".encode() for row in rows)


WRITERS: dict[str, type[RowWriter]] = {
    "txt": _TxtWriter,
    "tsv": _TsvWriter,
    "csv": _CsvWriter,
    "jsonl": _JsonlWriter,
}
"""The writers, by format."""


@contextmanager
def open_writer(path: str | os.PathLike[str], columns: Sequence[str], schema: Any = None) -> Iterator[RowWriter]:
    """Open a file for writing rows; it appears only when all rows are written.

    In txt and tsv files, which have no quoting, a tab or line end inside a field becomes a blank.

    Args:
        path: The file; its suffix tells the format. An existing file is replaced.
        columns: The names of the columns, in order; a txt file takes just one.
        schema: The types of the columns that are known beforehand (see `RowReader.schema`); only parquet needs them.

    Raises:
        FileError: The format is unknown, the folder is missing, or the path is not a regular file.
    """
    writer_class = WRITERS[file_format(path)]
    with open_output(os.fspath(path)) as stream:
        writer = writer_class(stream, columns, schema, str(path))
        try:
            yield writer
        finally:
            writer.close()
