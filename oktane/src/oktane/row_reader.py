"""What the readers of all formats have in common: rows with columns, their place in the file, and header lines."""

from __future__ import annotations

import codecs
import io
import lzma
import os
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias
from zipfile import BadZipFile

from .encodings import check_encoding, decoded_lines, detect_wide
from .lines import STREAM, FileError, counted, decompress, standard_input

Row: TypeAlias = dict[str, Any]

# Bytes that show a file's format and whether it is in UTF-16.
HEAD_SIZE = 4096
MOST_COLUMNS = 1_000_000
"""How many columns a text file may have: a small compressed one can name so many that they fill the memory."""

# The first bytes of the formats that are not text, and of compressed files.
MAGIC = {b"PAR1": "parquet", b"ARROW1": "arrow", b"PK\x03\x04": "xlsx"}
_OTHER_MAGIC = {b"\x1f\x8b": "gz", b"BZh9": "bz2", b"\xfd7zXZ": "xz", b"(\xb5/\xfd": "zst", b"\xd0\xcf\x11\xe0": "xls"}


@dataclass(frozen=True)
class ReadOptions:
    """How to read a table, where the file itself does not tell or tells something wrong.

    Attributes:
        input_format: One of the formats in `readers.READERS`. By default the suffix tells it.
        encoding: The encoding of text. By default it is detected.
        header: Whether the first line of a csv, tsv or xlsx file names the columns. Without one they are called by
            their numbers, from 1.
        sheet: The sheet of an xlsx file, by name or by number, from 1. By default the first one.
    """

    input_format: str | None = None
    encoding: str | None = None
    header: bool = True
    sheet: str | None = None


class RowReader:
    """The rows of a table, in order: a context manager and an iterator of dictionaries. Made by `open_reader`.

    Attributes:
        path: The file.
        columns: The names of the columns; in json and jsonl files, those of the first rows (later ones may differ).
        schema: The types of the columns, if the format has types.
        untyped: Whether every value is text, as in csv.
        is_text: Whether the format is text.
        unit: The unit of `size` and `position`: bytes, `"B"`, unless the format says otherwise.
        place: What `number` counts: lines, as an editor does, or rows.
        has_tables: Whether `batches` gives the rows as tables of pyarrow.
        head: The first bytes of the content.
        number: The number of the line on which the last row begins, or of the row, from 1.
    """

    columns: list[str]
    schema: Any = None
    untyped = False
    is_text = False
    unit = "B"
    place = "row"
    number = 0
    has_tables = False

    def __init__(self, path: str | os.PathLike[str], options: ReadOptions | None = None) -> None:
        self.options = options or ReadOptions()
        self._encoding = self.options.encoding and check_encoding(self.options.encoding)
        self._file: io.BufferedReader
        if os.fspath(path) == STREAM:
            self.path, self._file = Path("standard input"), standard_input()
        else:
            self.path = Path(path)
            self._file = self.path.open("rb")
        try:
            self._stream = decompress(self._file, self.path)
        except FileError:
            self._file.close()
            raise
        self.line = 0
        try:
            with self._decompressing():
                self.head: bytes = self._stream.peek(HEAD_SIZE)[:HEAD_SIZE]
                if self.is_text and self.options.input_format is None:
                    self._refuse_other_content()
                self._start()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        self._file.close()

    def _start(self) -> None:
        """Read what comes before the rows and set `columns`."""
        raise NotImplementedError

    def _refuse_other_content(self) -> None:
        """Refuse a file of text whose content is that of another format.

        Raises:
            FileError: It is; the message says which.
        """
        for magic, kind in (MAGIC | _OTHER_MAGIC).items():
            if self.head.startswith(magic):
                raise FileError(f"{self.path}: has the content of .{kind} files; rename it so that it ends in .{kind}")
        begin = self.head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        if self.untyped and begin.startswith((b'{"', b'[{"')):
            raise FileError(f"{self.path}: holds JSON; rename it to .jsonl (or .json), or add --input_format jsonl")
        if begin.startswith((b"<html", b"<!doctype html", b"<table")):
            raise FileError(
                f"{self.path}: holds a web page, which some programs call a table; open it in Excel and save it as "
                ".xlsx or .csv"
            )

    def __iter__(self) -> Iterator[Row]:
        raise NotImplementedError

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """Yield the rows as record batches of pyarrow, if `has_tables`.

        Args:
            columns: The columns that are read. By default all of them.
        """
        raise NotImplementedError

    def __enter__(self) -> RowReader:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def name(self) -> str:
        """Return the name of the table for messages."""
        return str(self.path)

    @property
    def location(self) -> str:
        """Return where the last row is, for messages: "reviews.csv, line 17"."""
        return f"{self.path}, {self.place} {self.number}"

    @property
    def size(self) -> int:
        """Return how much there is to read, in `unit`."""
        return os.fstat(self._file.fileno()).st_size

    @property
    def position(self) -> int:
        """Return how much has been read, in `unit`."""
        return self._file.tell() if self._file.seekable() else 0

    @property
    def wide_encoding(self) -> str | None:
        """Return the encoding that a byte order mark or zero bytes show."""
        return detect_wide(self.head)

    @property
    def has_byte_order_mark(self) -> bool:
        """Return whether the file begins with a byte order mark, as Excel writes."""
        return self.head.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))

    @property
    def first_line(self) -> str:
        """Return the first line of a text file, as far as its first bytes show it."""
        return self.head.decode(self._encoding or self.wide_encoding or "utf-8", "replace").split("\n", 1)[0]

    def error(self, message: str) -> FileError:
        """Make a FileError about the line that was read last."""
        return FileError(f"{self.path}, line {self.line}: {message}")

    def _decoded(self) -> Iterator[str]:
        """Yield the lines with their ends."""
        with self._decompressing():
            yield from decoded_lines(self._stream, str(self.path), self._encoding, self.head)

    def _counted(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield lines, and keep the number of the last one in `line`."""
        for line in lines:
            self.line += 1
            yield line

    @contextmanager
    def _decompressing(self) -> Iterator[None]:
        """Turn what decompressors raise about a damaged or unfinished file into a FileError with its line."""
        try:
            yield
        except (OSError, EOFError, lzma.LZMAError, zlib.error, BadZipFile) as exception:
            # Errors of the operating system have a number; those of bz2 and gzip have none.
            if getattr(exception, "errno", None) is not None:
                raise
            location = f", after line {self.line}" if self.line else ""
            raise FileError(f"{self.path}{location}: can't be decompressed ({exception})") from None


class RecordReader(RowReader):
    """Rows of a format that has a header and lists of fields, all of them text."""

    untyped = True

    def _start(self) -> None:
        self._rows = self._read_header(self._records())

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the fields of each row, the header included, with the row's number."""
        raise NotImplementedError

    def _read_header(self, records: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
        """Set `columns`, and return the records below the header."""
        first = next(records, None)
        if first is None:
            needed = "its first line must name the columns" if self.options.header else "there are no rows"
            raise FileError(f"{self.path}: is empty; {needed}")
        names = first[1]
        if len(names) > MOST_COLUMNS:
            raise FileError(
                f"{self.path}: its first line has {len(names):,} fields; a table has {MOST_COLUMNS:,} at most"
            )
        if not self.options.header:
            self.columns = [str(number) for number in range(1, len(names) + 1)]
            return chain([first], records)
        # Excel leaves columns without a name where something once stood, and pandas one for its index.
        names = names[: count_filled(names)]
        names = [name if name.strip() else str(number) for number, name in enumerate(names, 1)]
        if not names:
            raise FileError(f"{self.path}: its first line must name the columns, but is blank")
        repeated = [name for name, count in Counter(names).items() if count > 1]
        if repeated:
            raise FileError(
                f"{self.path}, {self.place} {first[0]}: the header names the column {repeated[0]!r} twice; rename one"
            )
        self.columns = names
        return records

    def __iter__(self) -> Iterator[Row]:
        for number, fields in self._rows:
            self.number = number
            # A blank line is a row only in a file of one column: an empty text.
            if fields != [""] or len(self.columns) == 1:
                yield self._row(fields)

    def _row(self, fields: list[str]) -> Row:
        count = len(self.columns)
        if len(fields) < count or any(field.strip() for field in fields[count:]):
            named = "the header names" if self.options.header else "the first line has"
            raise FileError(
                f"{self.location}: {counted(len(fields), 'field')}, but {named} {counted(count, 'column')}; "
                f"{self._advice(len(fields))}"
            )
        return dict(zip(self.columns, fields, strict=False))

    def _advice(self, count: int) -> str:
        """Return what may be wrong with a row of another number of fields than there are columns."""
        if count > len(self.columns):
            return "if lines stand above the one that names the columns, delete them"
        return "add what is missing"


def count_filled(fields: Sequence[str]) -> int:
    """Return how many fields there are up to the last that is not blank."""
    return max((number for number, field in enumerate(fields, 1) if field.strip()), default=0)
