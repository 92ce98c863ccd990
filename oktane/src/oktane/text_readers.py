"""Rows of txt, tsv and csv files."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
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
_HEAD_LENGTH = 1 << 20

# The csv module's own limit is 131,072 characters. A field may have as many as a line.
csv.field_size_limit(LONGEST_LINE)


class TxtReader(RowReader):
    """The lines of a file."""

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

    place = "line"

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        for line in self._counted(self._decoded()):
            yield self.line, strip_line_end(line).split("\t")


class CsvReader(RecordReader):
    """Fields that may be quoted, separated by commas or another character, which is detected and said.

    Attributes:
        separator: The character.
    """

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
        records = csv.reader(self._counted(chain(head, lines)), delimiter=separator, strict=True)
        while True:
            start = self.line + 1
            try:
                fields = next(records, None)
            except csv.Error as exception:
                raise FileError(
                    f"{self.path}, line {start}: not valid csv ({exception}); look for a double quote that is opened "
                    "and never closed, here or above, or name the file .tsv if tabs separate its fields"
                ) from None
            if fields is None:
                return
            if fields:
                yield start, fields


def find_separator(lines: Sequence[str]) -> str:
    """Return what separates the fields of the first lines of a csv file: a comma, unless another one does better."""
    best, separator = (0.0, 1), ","
    beginnings = [line[:_HEAD_LENGTH] for line in lines]
    for candidate in SEPARATORS:
        counts = [count_filled(fields) for fields in csv.reader(beginnings, delimiter=candidate) if fields]
        if counts:
            alike = sum(count <= counts[0] and count > 1 for count in counts[1:]) / max(1, len(counts) - 1)
            if counts[0] > 1 and (alike, counts[0]) > best:
                best, separator = (alike, counts[0]), candidate
    return separator
