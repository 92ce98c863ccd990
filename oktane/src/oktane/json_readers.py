"""Rows of json and jsonl files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

from .lines import FileError, uncompressed
from .row_reader import Row, RowReader
from .text_readers import TXT_COLUMN

# Characters of a compressed file that is read into memory.
MOST_DECOMPRESSED = 1 << 28
# Rows that are read ahead to find the columns, and bytes of a file.
_FIRST_ROWS = 1000
_FIRST_BYTES = 1 << 24


class JsonlReader(RowReader):
    """One object a line, or an array of objects."""

    is_text = True
    place = "line"

    def _start(self) -> None:
        # An array may fill many lines; an object that is a row fills one.
        if self.first_line.lstrip("\ufeff \t\r")[:1] == "[" or self._is_spread():
            self.place = "row"
            self._objects = self._parse_whole()
        else:
            self._objects = self._parse_lines()
        first = list(self._first_rows())
        self.columns = list(dict.fromkeys(column for _, row in first for column in row))
        self._objects = chain(first, self._objects)

    def __iter__(self) -> Iterator[Row]:
        for number, row in self._objects:
            self.number = number
            yield row

    def _first_rows(self) -> Iterator[tuple[int, Row]]:
        """Yield rows until they show the columns: many programs leave out the keys of nulls."""
        start = self.position
        for number, row in islice(self._objects, _FIRST_ROWS):
            yield number, row
            if self.position - start > _FIRST_BYTES:
                return

    def _is_spread(self) -> bool:
        """Return whether the file is one JSON value on several lines, not an object a line."""
        return False

    def _parse_lines(self) -> Iterator[tuple[int, Row]]:
        for line in self._counted(self._decoded()):
            if line.isspace():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as exception:
                raise self.error(f"not valid JSON ({exception}); a jsonl file holds one object a line") from None
            yield self.line, _checked(row, line, f"{self.path}, line {self.line}")

    def _limited(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield lines, and refuse a small compressed file whose content fills the memory."""
        length = 0
        for line in lines:
            length += len(line)
            if length > MOST_DECOMPRESSED and uncompressed(self.path) != self.path:
                raise FileError(
                    f"{self.path}: has more than {MOST_DECOMPRESSED >> 20:,} MB when it is decompressed, which are too "
                    "many for an array; decompress it first, or write a jsonl file"
                )
            yield line

    def _parse_whole(self) -> Iterator[tuple[int, Row]]:
        text = "".join(self._limited(self._counted(self._decoded())))
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as exception:
            raise FileError(f"{self.path}: not valid JSON ({exception})") from None
        rows = value if isinstance(value, list) else _rows_of_columns(value)
        if rows is None:
            raise FileError(f"{self.path}: is one object; a table is an array of objects, or has one object a line")
        for number, row in enumerate(rows, 1):
            yield number, _checked(row, text if number == 1 else "", f"{self.path}, row {number}")


class JsonReader(JsonlReader):
    """An array of objects; also an object of columns, as pandas writes one, or what a jsonl file holds."""

    def _is_spread(self) -> bool:
        try:
            first = json.loads(self.first_line)
        except ValueError:
            return True
        return isinstance(first, dict) and _rows_of_columns(first) is not None


def _rows_of_columns(value: Any) -> list[Row] | None:
    """Return the rows of an object of columns: lists, or objects by index, all of the same length."""
    if not isinstance(value, dict) or not value:
        return None
    columns = list(value.values())
    if all(isinstance(column, dict) and column.keys() == columns[0].keys() for column in columns):
        columns = [list(column.values()) for column in columns]
    if not all(isinstance(column, list) and len(column) == len(columns[0]) for column in columns):
        return None
    return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]


def _checked(row: Any, text: str, location: str) -> Row:
    if not isinstance(row, dict):
        raise FileError(f"{location}: a {type(row).__name__}, not an object such as {{{json.dumps(TXT_COLUMN)}: ...}}")
    # The escape of half a surrogate pair is not a character, and can't be written anywhere.
    if "\\ud" in text.lower():
        try:
            json.dumps(row, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise FileError(f"{location}: holds half a surrogate pair (an escape such as \\ud83d on its own)") from None
    return row
