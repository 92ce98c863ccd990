"""Rows written to txt, tsv, csv and jsonl files, in constant memory; see `readers` for the formats."""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

from .encodings import check_encoding
from .lines import FileError, one_line, open_output
from .paths import file_format
from .row_reader import Row


class RowWriter:
    """Writes rows to an open stream. Made by `open_writer`.

    Args:
        stream: Where the bytes go.
        columns: The names of the columns, in order.
        schema: The types of the columns that are known beforehand; only parquet needs them.
        name: The file's name, for messages.
        encoding: The encoding of text; by default UTF-8.
    """

    def __init__(
        self, stream: IO[bytes], columns: Sequence[str], schema: Any, name: str, encoding: str | None = None
    ) -> None:
        self._stream = stream
        # Writes a byte order mark only once.
        self._encoder = codecs.getincrementalencoder(encoding or "utf-8")()
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

    def _write_text(self, text: str) -> None:
        """Write text in the encoding of the file.

        Raises:
            FileError: A character does not exist in the encoding.
        """
        try:
            self._stream.write(self._encoder.encode(text))
        except UnicodeEncodeError as error:
            character = text[error.start]
            raise FileError(
                f"{self._name}: the character {character!r} does not exist in {error.encoding}; leave "
                "--output_encoding out, or set it to utf-8-sig for Excel"
            ) from None

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
        self._write_text("".join(f"{one_line(to_field(row[column]))}\n" for row in rows))


def tsv_line(values: Iterable[Any]) -> str:
    """Write values as a line of tsv with its end; a tab or line end inside a value becomes a blank."""
    return "\t".join(one_line(to_field(value)) for value in values) + "\n"


class _TsvWriter(RowWriter):
    def _start(self) -> None:
        self._write_text(tsv_line(self._columns))

    def _write(self, rows: Sequence[Row]) -> None:
        self._write_text("".join(map(tsv_line, self._fields(rows))))


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
        self._write_text(self._text.getvalue())
        self._text.seek(0)
        self._text.truncate()


class _JsonlWriter(RowWriter):
    def _write(self, rows: Sequence[Row]) -> None:
        self._write_text("".join(f"{json.dumps(row, ensure_ascii=False, default=str)}\n" for row in rows))


class _JsonWriter(RowWriter):
    def _write(self, rows: Sequence[Row]) -> None:
        for number, row in enumerate(rows, self._written):
            self._write_text(f"{',' if number else '['}\n{json.dumps(row, ensure_ascii=False, default=str)}")

    def close(self) -> None:
        self._write_text("\n]\n" if self._written else "[]\n")


WRITERS: dict[str, type[RowWriter]] = {
    "txt": _TxtWriter,
    "tsv": _TsvWriter,
    "csv": _CsvWriter,
    "jsonl": _JsonlWriter,
    "json": _JsonWriter,
}
"""The writers, by format."""


@contextmanager
def open_writer(
    path: str | os.PathLike[str], columns: Sequence[str], schema: Any = None, encoding: str | None = None
) -> Iterator[RowWriter]:
    """Open a file for writing rows; it appears only when all rows are written.

    In txt and tsv files, which have no quoting, a tab or line end inside a field becomes a blank.

    Args:
        path: The file; its suffix tells the format. An existing file is replaced.
        columns: The names of the columns, in order; a txt file takes just one.
        schema: The types of the columns that are known beforehand (see `RowReader.schema`); only parquet needs them.
        encoding: The encoding of a txt, tsv or csv file; by default UTF-8.

    Raises:
        FileError: The format is unknown or has no such encoding, or the folder is missing.
    """
    known = file_format(path)
    if known not in WRITERS:
        raise FileError(f"{path}: {known} files can be read, not written; write to .csv, which Excel opens, or .jsonl")
    if encoding is not None and check_encoding(encoding) != "utf-8" and known not in ("txt", "tsv", "csv"):
        raise FileError(f"{path}: --output_encoding goes with txt, tsv and csv files, not with {known}")
    with open_output(os.fspath(path)) as stream:
        writer = WRITERS[known](stream, columns, schema, str(path), encoding)
        try:
            yield writer
        finally:
            writer.close()
