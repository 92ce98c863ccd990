"""Rows written to tables, in constant memory; see `readers` for the formats."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .arrow_files import ArrowWriter, ParquetWriter
from .encodings import check_encoding
from .lines import ARCHIVES, FileError, compress, one_line, open_output, uncompressed
from .paths import file_format
from .row_reader import Row
from .row_writer import RowWriter, to_field


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
    "parquet": ParquetWriter,
    "arrow": ArrowWriter,
}
"""The writers, by format."""


def output_format(path: str | os.PathLike[str], given: str | None = None, encoding: str | None = None) -> str:
    """Return the format in which a file is to be written.

    Args:
        path: The file.
        given: The format, if its suffix is not to tell it.
        encoding: The encoding of text that is asked for.

    Raises:
        FileError: The format is unknown or has no such encoding.
    """
    if (suffix := Path(path).suffix.lower()) in ARCHIVES:
        raise FileError(f"{path}: {suffix} files can be read, not written; write to {Path(path).stem}.gz instead")
    known = given or file_format(uncompressed(path))
    if known not in WRITERS:
        raise FileError(f"{path}: {known} files can be read, not written; write to .csv, which Excel opens, or .jsonl")
    if encoding is not None and check_encoding(encoding) != "utf-8" and known not in ("txt", "tsv", "csv"):
        raise FileError(f"{path}: --output_encoding goes with txt, tsv and csv files, not with {known}")
    return known


@contextmanager
def open_writer(
    path: str | os.PathLike[str],
    columns: Sequence[str],
    schema: Any = None,
    encoding: str | None = None,
    known: str | None = None,
) -> Iterator[RowWriter]:
    """Open a file for writing rows; it appears only when all rows are written.

    In txt and tsv files, which have no quoting, a tab or line end inside a field becomes a blank. The file is
    compressed if its last suffix is `.gz`, `.bz2` or `.xz`.

    Args:
        path: The file; its suffix tells the format. An existing file is replaced. `-` is standard output.
        columns: The names of the columns, in order; a txt file takes just one.
        schema: The types of the columns that are known beforehand (see `RowReader.schema`); only parquet needs them.
        encoding: The encoding of a txt, tsv or csv file; by default UTF-8.
        known: The format, if the suffix is not to tell it.

    Raises:
        FileError: The format is unknown or has no such encoding, or the folder is missing.
    """
    known = output_format(path, known, encoding)
    with open_output(os.fspath(path)) as stream:
        packed = compress(stream, Path(path))
        writer = WRITERS[known](packed, columns, schema, str(path), encoding)
        # What is left open would write once more when it is deleted.
        try:
            yield writer
        finally:
            try:
                writer.close()
            finally:
                if packed is not stream:
                    packed.close()
