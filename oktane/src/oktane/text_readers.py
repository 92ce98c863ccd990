"""Rows of txt, tsv and csv files."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice

from .encodings import say_once
from .lines import LONGEST_LINE, FileError, strip_line_end
from .row_reader import RecordReader, Row, RowReader, count_filled

# The only column of a txt file.
TXT_COLUMN = "text"

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}

# What Excel itself understands as the first line of a csv file.
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?\s*')
# How many lines the separator is found by.
_HEAD_LINES = 50
# And how many characters of each.
_HEAD_LENGTH = 1 << 16

# The csv module's own limit is 131,072 characters. A field may have as many as a line.
csv.field_size_limit(LONGEST_LINE)


class TxtReader(RowReader):
    """The lines of a file."""

    is_text = True
    untyped = True
    place = "line"

    def _start(self) -> None:
        self.columns = [TXT_COLUMN]

    def __iter__(self) -> Iterator[Row]:
        for line in self._counted(self._decoded()):
            self.number = self.line
            yield {TXT_COLUMN: strip_line_end(line)}


class TsvReader(RecordReader):
    """Fields separated by tabs, without quoting."""

    is_text = True
    place = "line"

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        for line in self._counted(self._decoded()):
            yield self.line, strip_line_end(line).split("\t")


class CsvReader(RecordReader):
    """Fields that may be quoted, separated by commas or another character, which is detected and said.

    Attributes:
        separator: The character.
    """

    is_text = True
    place = "line"
    separator = ","

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        lines = self._decoded()
        head = list(islice(lines, _HEAD_LINES))
        if head and (named := _SEPARATOR_LINE.fullmatch(head[0])):
            separator = named[1]
            self.line, head = 1, head[1:]
        else:
            separator = find_separator(head)
            if separator != ",":
                say_once(f"{self.path}: its fields are separated by {SEPARATORS[separator]}")
        self.separator = separator
        records = csv.reader(
            self._counted(chain(head, lines)),
            delimiter=separator,
            strict=True,
            skipinitialspace=_has_blanks_before_quotes(split_lines(head, separator)),
        )
        while True:
            start = self.line + 1
            try:
                fields = next(records, None)
            except csv.Error as exception:
                advice = (
                    "a field with a carriage return has to be in double quotes"
                    if "new-line" in str(exception)
                    else "look for a double quote that is opened and never closed, here or above, or that stands "
                    'inside a quoted field, where it is written twice (""); or name the file .tsv if tabs separate its '
                    "fields"
                )
                raise FileError(f"{self.path}, line {start}: not valid csv ({exception}); {advice}") from None
            if fields is None:
                return
            if fields:
                yield start, fields

    def _advice(self, count: int) -> str:
        if count < len(self.columns):
            return "a field with a line break in it has to be in double quotes"
        one = ", or add --input_format txt if each line is a text" if len(self.columns) == 1 else ""
        return f"put a field with {self.separator!r} in it in double quotes{one}; {super()._advice(count)}"


def find_separator(lines: Sequence[str]) -> str:
    """Return what separates the fields of the first lines of a csv file: a comma, unless another one does better."""
    best, separator = (0.0, 1), ","
    for candidate in SEPARATORS:
        counts = [count_filled(fields) for fields in split_lines(lines, candidate) if fields]
        if counts:
            alike = sum(count <= counts[0] and count > 1 for count in counts[1:]) / max(1, len(counts) - 1)
            if counts[0] > 1 and (alike, counts[0]) > best:
                best, separator = (alike, counts[0]), candidate
    return separator


def split_lines(lines: Iterable[str], separator: str) -> list[list[str]]:
    """Return the fields of lines, of long ones those at their beginning, as far as they are csv with this separator."""
    found: list[list[str]] = []
    with suppress(csv.Error):
        found.extend(csv.reader((line[:_HEAD_LENGTH] for line in lines), delimiter=separator))
    return found


def _has_blanks_before_quotes(records: Sequence[Sequence[str]]) -> bool:
    """Return whether blanks stand between separators and quotes, as in `"a", "b"`: in all rows but one of ten."""
    rows = [fields[1:] for fields in records[1:]]
    for column in range(max(map(len, rows), default=0)):
        values = [fields[column] for fields in rows if len(fields) > column]
        quoted = sum(value[:1] == " " and value.lstrip(" ")[:1] == '"' for value in values)
        if quoted >= 0.9 * len(values):
            return True
    return False
