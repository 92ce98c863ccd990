"""What the writers of all formats have in common."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Sequence
from typing import IO, Any

from .lines import FileError
from .row_reader import Row


class RowWriter:
    """Writes rows to an open stream. Made by `open_writer`.

    Args:
        stream: Where the bytes go.
        columns: The names of the columns, in order.
        schema: The types of the columns that are known beforehand; only parquet needs them.
        name: The file's name, for messages.
        encoding: The encoding of text; by default UTF-8.

    Attributes:
        takes_tables: Whether `write_table` takes tables of pyarrow.
    """

    takes_tables = False

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

    def write_table(self, table: Any) -> None:
        """Append the rows of a pyarrow table, which has the columns in their order, if `takes_tables`."""
        raise NotImplementedError

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
                    f"{self._name}: row {number} has a field {unknown!r} that the first rows lack; "
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
