"""Rows of txt, tsv, csv and jsonl files, read in constant memory. okt-lstm adds parquet.

A row is a dictionary from column to value. The suffix of a file tells its format:

* `txt`: one text per line, no header; the only column is called `text`;
* `tsv`: a header line, then fields separated by tabs; no quoting, as in NSMC: a double quote is an ordinary character;
* `csv`: a header line, then fields separated by commas and quoted as in RFC 4180;
* `jsonl` (or `ndjson`): one JSON object per line.

Text is UTF-8; a byte order mark at its beginning is ignored. A file may be compressed; its last suffix is then `.gz`,
`.bz2` or `.xz`.
"""

from __future__ import annotations

import csv
import io
import json
import lzma
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from .lines import FileError, decode_line, decompress, strip_line_end, uncompressed

Row: TypeAlias = dict[str, Any]

SUFFIXES = {".txt": "txt", ".tsv": "tsv", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
"""The formats, by suffix."""

# The only column of a txt file.
TXT_COLUMN = "text"


def file_format(path: str | os.PathLike[str]) -> str:
    """Return the format that the suffix of a file tells.

    Raises:
        FileError: The suffix belongs to none of them.
    """
    known = SUFFIXES.get(Path(path).suffix.lower())
    if known is None:
        raise FileError(f"{path}: unknown file format; the name must end in {', '.join(SUFFIXES)}")
    return known


class RowReader:
    """The rows of one file, in order: a context manager and an iterator of dictionaries. Made by `open_reader`.

    Attributes:
        path: The file.
        columns: The names of the columns; in a jsonl file, those of its first row (other rows may differ).
        schema: The types of the columns, if the format has types.
        unit: The unit of `size` and `position`: bytes, `"B"`, unless the format says otherwise.
    """

    columns: list[str]
    schema: Any = None
    unit = "B"

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if self.path.is_dir():
            raise FileError(f"{path}: is a folder, not a file")
        if not self.path.exists():
            raise FileError(f"{path}: no such file")
        self._file: io.BufferedReader = self.path.open("rb")
        self._stream = decompress(self._file, self.path)
        self.line = 0
        try:
            with self._decompressing():
                self._start()
        except BaseException:
            self._close()
            raise

    def _close(self) -> None:
        self._stream.close()
        self._file.close()

    def _start(self) -> None:
        """Read what comes before the rows and set `columns`."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Row]:
        raise NotImplementedError

    def __enter__(self) -> RowReader:
        return self

    def __exit__(self, *exception: object) -> None:
        self._close()

    @property
    def size(self) -> int:
        """Return how much there is to read, in `unit`."""
        return os.fstat(self._file.fileno()).st_size

    @property
    def position(self) -> int:
        """Return how much has been read, in `unit`."""
        return self._file.tell()

    def peek_line(self) -> str:
        """Return the beginning of the next line without reading it."""
        with self._decompressing():
            return self._stream.peek(1).split(b"\n", 1)[0].decode("utf-8", "replace")

    def error(self, message: str) -> FileError:
        """Make a FileError about the line that was read last."""
        return FileError(f"{self.path}, line {self.line}: {message}")

    def _lines(self) -> Iterator[str]:
        """Yield the lines with their ends, decoded one by one so that an error can name the line."""
        with self._decompressing():
            for raw in self._stream:
                self.line += 1
                yield decode_line(raw, self.path, self.line)

    @contextmanager
    def _decompressing(self) -> Iterator[None]:
        """Turn what decompressors raise about a damaged or unfinished file into a FileError with its line."""
        try:
            yield
        except (OSError, EOFError, lzma.LZMAError, zlib.error) as exception:
            # Errors of the operating system have a number; those of bz2 and gzip have none.
            if getattr(exception, "errno", None) is not None:
                raise
            location = f", after line {self.line}" if self.line else ""
            raise FileError(f"{self.path}{location}: can't be decompressed ({exception})") from None

    def _set_header(self, names: list[str] | None) -> None:
        if not names:
            raise FileError(f"{self.path}: is empty; its first line must name the columns")
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise self.error(f"the header names the column {repeated[0]!r} twice")
        self.columns = names

    def _row(self, fields: list[str]) -> Row:
        if len(fields) != len(self.columns):
            raise self.error(f"{len(fields)} fields, but the header names {len(self.columns)} columns")
        return dict(zip(self.columns, fields, strict=True))


class _TxtReader(RowReader):
    def _start(self) -> None:
        self.columns = [TXT_COLUMN]

    def __iter__(self) -> Iterator[Row]:
        for line in self._lines():
            yield {TXT_COLUMN: strip_line_end(line)}


class _TsvReader(RowReader):
    def _start(self) -> None:
        self._records = (strip_line_end(line).split("\t") for line in self._lines())
        self._set_header(next(self._records, None))

    def __iter__(self) -> Iterator[Row]:
        for fields in self._records:
            # A blank line is a row only in a file of one column: an empty text.
            if fields != [""] or len(self.columns) == 1:
                yield self._row(fields)


class _CsvReader(RowReader):
    def _start(self) -> None:
        self._records = csv.reader(self._lines(), strict=True)
        self._set_header(next(self._csv_records(), None))

    def _csv_records(self) -> Iterator[list[str]]:
        try:
            yield from self._records
        except csv.Error as exception:
            raise self.error(
                f"not valid csv ({exception}); look for a double quote that is opened and never closed, here or above, "
                "or name the file .tsv if tabs separate its fields"
            ) from None

    def __iter__(self) -> Iterator[Row]:
        for fields in self._csv_records():
            if fields:
                yield self._row(fields)


class _JsonlReader(RowReader):
    def _start(self) -> None:
        self._objects = self._parse()
        self._first = next(self._objects, None)
        self.columns = list(self._first or ())

    def _parse(self) -> Iterator[Row]:
        for line in self._lines():
            if line.isspace():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as exception:
                raise self.error(f"not valid JSON ({exception}); a jsonl file holds one object a line") from None
            if not isinstance(row, dict):
                raise self.error(f"a {type(row).__name__}, not an object such as {{{json.dumps(TXT_COLUMN)}: ...}}")
            # The escape of half a surrogate pair is not a character, and can't be written anywhere.
            if "\\ud" in line.lower():
                try:
                    json.dumps(row, ensure_ascii=False).encode()
                except UnicodeEncodeError:
                    raise self.error("holds half a surrogate pair (an escape such as \\ud83d on its own)") from None
            yield row

    def __iter__(self) -> Iterator[Row]:
        if self._first is not None:
            yield self._first
        yield from self._objects


READERS: dict[str, type[RowReader]] = {
    "txt": _TxtReader,
    "tsv": _TsvReader,
    "csv": _CsvReader,
    "jsonl": _JsonlReader,
}
"""The readers, by format."""


def open_reader(path: str | os.PathLike[str], input_format: str | None = None) -> RowReader:
    """Open a file for reading its rows.

    Args:
        path: The file.
        input_format: One of the formats in `READERS`. By default the suffix tells it.

    Raises:
        FileError: The file is missing, a folder, of an unknown format, or lacks the header that its format needs. While
            it is read: a line is not UTF-8, has the wrong number of fields, or is not valid csv or JSON.
    """
    return READERS[input_format or file_format(uncompressed(path))](path)


def check_text(row: Row, column: str, reader: RowReader, number: int) -> Row:
    """Check that a row has a text, and return the row.

    Args:
        row: The row.
        column: The column of the texts.
        reader: The file, for the message.
        number: The row's number, from 1, for the message.

    Raises:
        FileError: The row has no such column, or something else than text in it.
    """
    text = row.get(column)
    if isinstance(text, str):
        return row
    if column not in row:
        raise FileError(f"{reader.path}, row {number}: has no field {column!r}")
    found = "missing (null)" if text is None else f"a {type(text).__name__} ({text!r:.40})"
    raise FileError(f"{reader.path}, row {number}: the column {column!r} is {found}, not text")
