"""Rows of txt, tsv, csv, jsonl and parquet files, read and written in constant memory.

A row is a dictionary from column to value. The kind of a file is told by its suffix:

* `txt`: one text a line, no header; its only column is called `text`;
* `tsv`: a header line, then fields separated by tabs; no quoting, as in NSMC: a double quote is an ordinary character;
* `csv`: a header line, then fields separated by commas and quoted as in RFC 4180;
* `jsonl` (or `ndjson`): one JSON object a line;
* `parquet`: Apache Parquet, typed.

Text is UTF-8; a byte order mark at its beginning is ignored. A file that is read may be compressed, as its last suffix
tells: `.gz`, `.bz2` or `.xz`.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from ..atomic import FileError, replacing

if TYPE_CHECKING:
    import pyarrow as pa

Row: TypeAlias = dict[str, Any]

_SUFFIXES = {
    ".txt": "txt",
    ".tsv": "tsv",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
_DECOMPRESSORS: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
KINDS = ("txt", "tsv", "csv", "jsonl", "parquet")
TEXT_COLUMN = "text"  # the name of a txt file's only column
# Where a user does not say which column holds the texts, the first of these that a file has is taken.
TEXT_COLUMNS = ("text", "document", "sentence", "review", "comment", "content", "본문", "문장", "리뷰", "내용")


def kind_of(path: str | os.PathLike[str]) -> str:
    """The kind of a file, told by its suffix.

    Raises:
        FileError: if the suffix is none of those of the module's description.
    """
    kind = _SUFFIXES.get(Path(path).suffix.lower())
    if kind is None:
        raise FileError(f"{path}: unknown kind of file; the name must end in {', '.join(_SUFFIXES)}")
    return kind


def uncompressed(path: str | os.PathLike[str]) -> Path:
    """The path without the suffix of a compressed file, if it has one."""
    path = Path(path)
    return path.with_suffix("") if path.suffix.lower() in _DECOMPRESSORS else path


# Reading


class RowReader:
    """The rows of one file, in order; a context manager and an iterator of dictionaries.

    Attributes:
        columns: the names of the columns; in a jsonl file those of its first row (other rows may differ).
        schema: the columns' types, if the file is parquet.
        unit: the unit of `size` and `position`: `"B"` for bytes, or `"row"` if the file is parquet.
    """

    columns: list[str]
    schema: pa.Schema | None = None
    unit = "B"

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if self.path.is_dir():
            raise FileError(f"{path}: is a folder, not a file")
        if not self.path.exists():
            raise FileError(f"{path}: no such file")
        self._file: io.BufferedReader = self.path.open("rb")
        decompress = _DECOMPRESSORS.get(self.path.suffix.lower())
        self._stream: Any = decompress(self._file) if decompress else self._file
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
        """How much there is to read."""
        return os.fstat(self._file.fileno()).st_size

    @property
    def position(self) -> int:
        """How much has been read."""
        return self._file.tell()

    def peek_line(self) -> str:
        """The beginning of the line that is read next, as far as it shows without reading."""
        with self._decompressing():
            return self._stream.peek(1).split(b"\n", 1)[0].decode("utf-8", "replace")

    def error(self, message: str) -> FileError:
        """A FileError about the line read last."""
        return FileError(f"{self.path}, line {self.line}: {message}")

    def _lines(self) -> Iterator[str]:
        """The lines with their ends, decoded one by one so that an error can name the line."""
        with self._decompressing():
            for raw in self._stream:
                self.line += 1
                yield decode_line(raw, self.path, self.line)

    @contextmanager
    def _decompressing(self) -> Iterator[None]:
        """Turn what decompressors raise of a damaged or unfinished file into an error that says where."""
        try:
            yield
        except (OSError, EOFError, lzma.LZMAError, zlib.error) as exception:
            if getattr(exception, "errno", None) is not None:  # the system's; bz2 and gzip give theirs no number
                raise
            place = f", after line {self.line}" if self.line else ""
            raise FileError(f"{self.path}{place}: can't be decompressed ({exception})") from None

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


def decode_line(raw: bytes, source: str | os.PathLike[str], number: int) -> str:
    """A line as text, without the byte order mark that may begin the first one.

    Args:
        raw: the line's bytes.
        source: what it was read from, for the message.
        number: the line's number, from 1.

    Raises:
        FileError: if the bytes are not UTF-8.
    """
    try:
        line = raw.decode("utf-8")
    except UnicodeDecodeError as exception:
        raise FileError(
            f"{source}, line {number}: byte 0x{raw[exception.start]:02x} (number {exception.start + 1} of the line) is "
            "not UTF-8; convert it first, for example: iconv -f cp949 -t utf-8 OLD > NEW"
        ) from None
    return line.removeprefix("\ufeff") if number == 1 else line


def without_line_end(line: str) -> str:
    r"""The line without the `\n` or `\r\n` at its end."""
    return line.removesuffix("\n").removesuffix("\r")


class _TxtReader(RowReader):
    def _start(self) -> None:
        self.columns = [TEXT_COLUMN]

    def __iter__(self) -> Iterator[Row]:
        for line in self._lines():
            yield {TEXT_COLUMN: without_line_end(line)}


class _TsvReader(RowReader):
    def _start(self) -> None:
        self._records = (without_line_end(line).split("\t") for line in self._lines())
        self._set_header(next(self._records, None))

    def __iter__(self) -> Iterator[Row]:
        for fields in self._records:
            if (
                fields != [""] or len(self.columns) == 1
            ):  # a blank line holds a row only where one column makes it an empty text
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
                raise self.error(f"a {type(row).__name__}, not an object such as {{{json.dumps(TEXT_COLUMN)}: ...}}")
            if (
                "\\ud" in line.lower()
            ):  # an escape of half a surrogate pair is no character and can't be written anywhere
                try:
                    json.dumps(row, ensure_ascii=False).encode()
                except UnicodeEncodeError:
                    raise self.error("holds half a surrogate pair (an escape such as \\ud83d on its own)") from None
            yield row

    def __iter__(self) -> Iterator[Row]:
        if self._first is not None:
            yield self._first
        yield from self._objects


class _ParquetReader(RowReader):
    unit = "row"
    _rows_read = 0

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
                    self._rows_read += 1
                    yield row
        except (pa.ArrowException, UnicodeDecodeError) as exception:
            raise FileError(f"{self.path}, after row {self._rows_read}: damaged parquet file ({exception})") from None

    @property
    def size(self) -> int:
        return self._table.metadata.num_rows

    @property
    def position(self) -> int:
        return self._rows_read


_READERS: dict[str, type[RowReader]] = {
    "txt": _TxtReader,
    "tsv": _TsvReader,
    "csv": _CsvReader,
    "jsonl": _JsonlReader,
    "parquet": _ParquetReader,
}


def open_reader(path: str | os.PathLike[str], kind: str | None = None) -> RowReader:
    """Open a file for reading its rows.

    Args:
        path: the file.
        kind: one of `KINDS`; by default told by the suffix.

    Raises:
        FileError: if the file is missing, a folder, of an unknown kind, or lacks the header its kind needs. While
            it is read: if a line is not UTF-8, has the wrong number of fields, or is not valid csv or JSON.
    """
    return _READERS[kind or kind_of(uncompressed(path))](path)


def choose_text_column(reader: RowReader, kind: str | None = None, given: str | None = None) -> str:
    """Find the column of the texts: the one given, the only one, or the first of `files.TEXT_COLUMNS` there is.

    Args:
        reader: the file, of which no row was read yet.
        kind: the kind of file that the user named, if any.
        given: the column that the user named, if any.

    Raises:
        FileError: if there is no such column; or if the file is called .txt, its first line looks like a table's, and
            the user has not said which of the two it is.
    """
    if (
        kind is None
        and reader.unit == "B"
        and kind_of(uncompressed(reader.path)) == "txt"
        and "\t" in reader.peek_line()
    ):
        raise FileError(
            f"{reader.path}: the first line holds tabs; name the kind of file (--input_format): tsv if it is "
            "a table with a header, txt if each line is a text"
        )
    columns = reader.columns
    if given is not None:
        if columns and given not in columns:
            raise FileError(f"{reader.path}: has no column {given!r}; its columns are {', '.join(columns)}")
        return given
    if len(columns) == 1:
        return columns[0]
    for usual in TEXT_COLUMNS:
        for column in columns or [usual]:  # a jsonl file without rows has no columns
            if column.lower() == usual:
                return column
    raise FileError(
        f"{reader.path}: which column holds the texts? Name it (--text_column); there are {', '.join(columns)}"
    )


def check_text(row: Row, column: str, reader: RowReader, number: int) -> Row:
    """See that a row has a text, and return the row.

    Raises:
        FileError: if the row lacks the column or it holds something else; the message names the row's number.
    """
    text = row.get(column)
    if isinstance(text, str):
        return row
    if column not in row:
        raise FileError(f"{reader.path}, row {number}: has no field {column!r}")
    found = "missing (null)" if text is None else f"a {type(text).__name__} ({text!r:.40})"
    raise FileError(f"{reader.path}, row {number}: the column {column!r} is {found}, not text")


# Writing


class RowWriter:
    """Writes rows to an open stream; made by `open_writer`.

    Args:
        stream: where the bytes go.
        columns: the names of the columns, in order.
        schema: the types of columns that are known beforehand, used by parquet.
        name: the file's name in messages.
    """

    def __init__(self, stream: IO[bytes], columns: Sequence[str], schema: pa.Schema | None, name: str) -> None:
        self._stream = stream
        self._columns = list(columns)
        self._schema = schema
        self._name = name
        self._written = 0
        self._start()

    def write(self, rows: Sequence[Row]) -> None:
        """Append rows.

        Raises:
            FileError: if a row has a field that is none of the columns, or (parquet) a value of another type than those
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

    def _cells(self, rows: Sequence[Row]) -> Iterator[list[str]]:
        """The values as strings, in the order of the columns."""
        self._check_fields(rows)
        for row in rows:
            yield [cell(row.get(column)) for column in self._columns]


def cell(value: Any) -> str:
    """A value as a field of csv or tsv: nothing for None, JSON for a list or an object."""
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
        self._stream.writelines(f"{one_line(cell(row[column]))}\n".encode() for row in rows)


class _TsvWriter(RowWriter):
    def _start(self) -> None:
        self._write_fields(self._columns)

    def _write(self, rows: Sequence[Row]) -> None:
        for fields in self._cells(rows):
            self._write_fields(fields)

    def _write_fields(self, fields: list[str]) -> None:
        self._stream.write(("\t".join(map(one_line, fields)) + "\n").encode())


class _CsvWriter(RowWriter):
    def _start(self) -> None:
        self._text = io.StringIO()
        self._minimal = csv.writer(self._text, lineterminator="\n")
        self._quoted = csv.writer(self._text, lineterminator="\n", quoting=csv.QUOTE_ALL)
        self._write_records([self._columns])

    def _write(self, rows: Sequence[Row]) -> None:
        self._write_records(self._cells(rows))

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


class _ParquetWriter(RowWriter):
    def _start(self) -> None:
        self._writer: Any = None

    def _open(self, rows: Sequence[Row]) -> None:
        """Settle the types by the first rows; a column that holds nothing there is taken for text."""
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
        except pa.ArrowException as exception:
            span = f"rows {self._written + 1} to {self._written + len(rows)}"
            raise FileError(
                f"{self._name}: the values of {span} do not fit the columns' types ({exception}); "
                "write to a .jsonl file instead"
            ) from None

    def close(self) -> None:
        if self._writer is None:
            self._open([])
        self._writer.close()


_WRITERS: dict[str, type[RowWriter]] = {
    "txt": _TxtWriter,
    "tsv": _TsvWriter,
    "csv": _CsvWriter,
    "jsonl": _JsonlWriter,
    "parquet": _ParquetWriter,
}

_BLANKS = str.maketrans("\t\n\r", "   ")


def one_line(text: str) -> str:
    """The text with each tab and line end turned into a blank, as formats without quoting need it."""
    return text.translate(_BLANKS)


@contextmanager
def open_writer(
    path: str | os.PathLike[str], columns: Sequence[str], schema: pa.Schema | None = None
) -> Iterator[RowWriter]:
    """Open a file for writing rows; it appears under its name only when all rows are written.

    The rows go to a temporary file beside it, which is renamed at the end, or removed if anything fails. In txt and
    tsv, which know no quoting, a tab or line end inside a field is written as a blank.

    Args:
        path: the file; its suffix tells its kind. An existing file is replaced.
        columns: the names of the columns, in order; a txt file takes just one.
        schema: the types of those columns that are known beforehand, used by parquet (see `RowReader`).

    Raises:
        FileError: if the kind is unknown, the folder is missing, or the path is not a regular file.
    """
    writer_class = _WRITERS[kind_of(path)]
    with replacing(path) as stream:
        writer = writer_class(stream, columns, schema, str(path))
        try:
            yield writer
        finally:
            writer.close()
