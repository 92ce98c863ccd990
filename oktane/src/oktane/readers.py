"""Tables of txt, tsv, csv, json, jsonl, parquet and Arrow files, read in constant memory. okt-lstm adds xlsx.

A row is a dictionary from column to value. The suffix of a file tells its format:

* `txt`: one text per line, no header; the only column is called `text`;
* `tsv`: a header line, then fields separated by tabs; no quoting, as in NSMC: a double quote is an ordinary character;
* `csv`: a header line, then fields separated by commas (or by `;`, tabs or `|`) and quoted as in RFC 4180;
* `jsonl` (or `ndjson`): one JSON object per line;
* `json`: an array of objects, or what a jsonl file holds. An array is read into memory;
* `parquet`, `arrow` (or `feather`): typed columns. They need the extra `oktane[arrow]`.

The encoding of text is detected (see `encodings`); a byte order mark is ignored. A file may be compressed; its last
suffix is then `.gz`, `.bz2`, `.xz`, `.zip` or `.zst`. Several files with the same columns are read as one table.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .archives import name_in_zip
from .arrow_files import ArrowReader, ParquetReader
from .columns import names_columns, names_of
from .encodings import say_once
from .json_readers import JsonlReader, JsonReader
from .lines import STREAM, FileError, uncompressed
from .paths import SUFFIXES, Source, file_format, find_files, is_shard
from .row_reader import MAGIC, ReadOptions, Row, RowReader
from .text_readers import CsvReader, TsvReader, TxtReader

READERS: dict[str, type[RowReader]] = {
    "txt": TxtReader,
    "tsv": TsvReader,
    "csv": CsvReader,
    "jsonl": JsonlReader,
    "json": JsonReader,
    "parquet": ParquetReader,
    "arrow": ArrowReader,
}
"""The readers, by format."""


def open_reader(source: Source, options: ReadOptions | None = None) -> RowReader:
    """Open a table for reading its rows.

    Args:
        source: A file, a folder of shards, a pattern such as `part-*.csv`, or several of these, which are read one
            after the other.
        options: How to read it. By default the file tells.

    Raises:
        FileError: A file is missing, of an unknown format, or lacks the header that its format needs. While it is read:
            a line is not in the encoding, has the wrong number of fields, or is not valid csv or JSON.
    """
    paths = find_files(source)
    options = options or ReadOptions()
    return _open_file(paths[0], options) if len(paths) == 1 else _Shards(paths, options)


def _open_file(path: Path, options: ReadOptions) -> RowReader:
    known = options.input_format or format_of(path)
    if known not in READERS:
        raise FileError(
            f"{path}: {known} files are read by okt-lstm, not by oktane alone; the formats here are "
            f"{', '.join(READERS)}"
        )
    reader = READERS[known](path, options)
    if known == "txt" and options.input_format is None and "\t" in reader.first_line and _is_wide(reader):
        reader.close()
        say_once(f"{path}: is read as a table whose fields are separated by tabs, as Excel writes Unicode text")
        return CsvReader(path, options)
    return reader


def _is_wide(reader: RowReader) -> bool:
    return (reader.options.encoding or reader.wide_encoding or "utf-8").lower().startswith(("utf-16", "utf16"))


def format_of(path: Path) -> str:
    """Return the format of a file: by its suffix; that of a shard without one, by its content."""
    inner = uncompressed(path)
    if str(path) == STREAM:
        raise FileError("standard input has no name that tells its format: add --input_format csv (or another)")
    if path.suffix.lower() == ".zip" and inner.suffix.lower() not in SUFFIXES:
        return file_format(name_in_zip(path))
    if not is_shard(inner):
        return file_format(inner)
    with _AnyReader(path) as reader:
        head, line = reader.head, reader.first_line
    for magic, known in MAGIC.items():
        if head.startswith(magic):
            return known
    if line.lstrip("\ufeff ")[:1] in ("{", "["):
        return "json"
    return "csv" if names_columns(line) else "txt"


class _AnyReader(TxtReader):
    """The first bytes of a file of any format."""

    is_text = False


class _Shards(RowReader):
    """The rows of several files that have the same columns, one file after the other."""

    def __init__(self, paths: Sequence[str | os.PathLike[str]], options: ReadOptions) -> None:
        # Spark leaves an empty file where a part has no rows.
        self._paths = [path for path in map(Path, paths) if str(path) == STREAM or path.stat().st_size] or [
            Path(paths[0])
        ]
        self._done = 0
        self.options = options
        self._open(self._paths[0])
        self.columns, self.schema = self._reader.columns, self._reader.schema
        self.untyped, self.head = self._reader.untyped, self._reader.head
        self.has_tables = self._reader.has_tables

    def _open(self, path: Path) -> None:
        self.path = path
        self._reader = _open_file(path, self.options)

    def close(self) -> None:
        self._reader.close()

    def __iter__(self) -> Iterator[Row]:
        for reader in self._readers():
            yield from reader

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[Any]:
        for reader in self._readers():
            if reader.schema is None or not reader.schema.equals(self.schema):
                raise FileError(f"{reader.path}: has other types of columns than {self._paths[0]}")
            yield from reader.batches(columns)

    def _readers(self) -> Iterator[RowReader]:
        """Open the files, one after the other."""
        for path in self._paths:
            if path != self.path:
                self._reader.close()
                self._open(path)
                # Rows of JSON may lack keys.
                may_differ = isinstance(self._reader, JsonlReader)
                if not may_differ and set(self._reader.columns) != set(self.columns):
                    raise FileError(
                        f"{path}: has the columns {names_of(self._reader.columns)}, but {self._paths[0]} has "
                        f"{names_of(self.columns)}"
                    )
                self.untyped |= self._reader.untyped
            yield self._reader
            self._done += path.stat().st_size

    @property
    def name(self) -> str:
        return f"{self._paths[0]} and {len(self._paths) - 1} more"

    @property
    def location(self) -> str:
        return self._reader.location

    @property
    def size(self) -> int:
        return sum(path.stat().st_size for path in self._paths)

    @property
    def position(self) -> int:
        return self._done

    @property
    def first_line(self) -> str:
        return self._reader.first_line


def text_of(row: Row, column: str, reader: RowReader) -> str | None:
    """Return the text of the row that was read last: None if it is null (or NaN), or the row lacks the column.

    Raises:
        FileError: The column holds something else than text.
    """
    text = row.get(column)
    if text is None or isinstance(text, str):
        return text
    # What Python writes into JSON for nothing.
    if isinstance(text, float) and math.isnan(text):
        return None
    found = f"a {type(text).__name__} ({text!r:.40}), not text"
    raise FileError(
        f"{reader.location}: the column {column!r} is {found}; make it text, or name another column with --text_column"
    )
