"""Which column of a table holds the texts, if the user does not say."""

import re
from collections.abc import Iterator, Sequence
from unicodedata import normalize

from .encodings import say_once
from .lines import STREAM, FileError, read_blocks
from .row_reader import RowReader
from .text_readers import SEPARATORS, CsvReader, TsvReader, TxtReader, split_lines

# Usual names, without blanks and underscores. The first of them that a table has is taken.
TEXT_COLUMNS = (
    "text",
    "document",
    "sentence",
    "review",
    "comment",
    "content",
    "body",
    "message",
    "reviewtext",
    "본문",
    "문장",
    "텍스트",
    "리뷰",
    "리뷰내용",
    "상품평",
    "후기",
    "댓글",
    "감상평",
    "내용",
    "메시지",
)
LABEL_COLUMNS = (
    "label",
    "labels",
    "category",
    "sentiment",
    "class",
    "target",
    "score",
    "rating",
    "라벨",
    "레이블",
    "감정",
    "감성",
    "분류",
    "카테고리",
    "평점",
    "별점",
)

PAIR_COLUMNS = ("textpair", "sentence2", "question2", "text2", "hypothesis")

# The last word of a name: of review_text, reviewText and "review text" it is "text".
_LAST_WORD = re.compile(r".*(?:[_\s-]|(?<=[a-z])(?=[A-Z]))(.+)")

# What may separate fields in files that other programs write: :, ^, ~, ::, a fullwidth comma, several blanks.
_OTHER_SEPARATORS = re.compile(r"\s{2,}|[^\w\s'\".()\[\]/&-]+")


def choose_text_column(reader: RowReader, given: str | None = None, flag: str = "--text_column") -> str:
    """Choose the column of the texts: the given one, the only one, or the one with a usual name.

    A guess is said, unless the name leaves no doubt.

    Args:
        reader: The file.
        given: The column that the user named, if any.
        flag: How the user can name it, for the message.

    Raises:
        FileError: There is no such column, or none can be guessed.
    """
    columns = reader.columns
    if given is not None:
        # A jsonl file without rows has no columns.
        return find_column(columns, given, reader.name, flag) if columns else given
    if len(columns) == 1:
        if reader.untyped and reader.options.header and not isinstance(reader, TxtReader):
            _say_header(columns[0], reader.name)
        return columns[0]
    usual = find_usual(columns or TEXT_COLUMNS[:1], TEXT_COLUMNS)
    if usual is None:
        hint = "" if not reader.untyped else "; if the first line is a row, too, add --header none"
        raise FileError(
            f"{reader.name}: which column holds the texts? Name it with {flag}; the columns are "
            f"{names_of(columns)}{hint}"
        )
    say_guess("texts", usual, reader.name, flag)
    return usual


def choose_pair_column(reader: RowReader, given: str | None = None) -> str:
    """Choose the column of the second texts of pairs: the given one, or the one with a usual name.

    Raises:
        FileError: There is no such column, or none can be guessed.
    """
    flag = "--text_pair_column"
    if given is not None:
        return find_column(reader.columns, given, reader.name, flag) if reader.columns else given
    usual = find_usual(reader.columns or PAIR_COLUMNS[:1], PAIR_COLUMNS)
    if usual is None:
        raise FileError(
            f"{reader.name}: the model compares two texts; name the column of the second ones with {flag}; the columns "
            f"are {names_of(reader.columns)}"
        )
    return usual


def names_of(columns: Sequence[str], limit: int = 20) -> str:
    """Write the names of columns for a message: at most `limit` of them, none longer than 60 characters."""
    text = ", ".join(column if len(column) <= 60 else f"{column:.60}..." for column in columns[:limit])
    return text + (f" and {len(columns) - limit:,} more" if len(columns) > limit else "")


def _say_header(column: str, name: str) -> None:
    """Say that the first line of a table of one column counts as its name, if it looks like a text."""
    if find_usual([column], TEXT_COLUMNS + LABEL_COLUMNS) is None:
        say_once(f"{name}: the first line, {column!r:.60}, names the column; if it is a text, add --header none")


def say_guess(content: str, column: str, name: str, flag: str) -> None:
    """Say which column was guessed, unless its name leaves no doubt."""
    if column not in ("text", "document", "sentence", "review", "comment", "content", "label", "labels"):
        say_once(f"{name}: the {content} are read from the column {column!r}; {flag} names another")


def find_column(columns: Sequence[str], given: str, name: str, flag: str) -> str:
    """Return the column that the user named: as it is written, or else in other blanks, case or composition.

    Raises:
        FileError: There is no such column.
    """
    if given in columns:
        return given
    same = [column for column in columns if _plain(column) == _plain(given)]
    if len(same) != 1:
        raise FileError(
            f"{name}: has no column {given!r}; its columns are {names_of(columns)}. Name one of them with {flag}"
        )
    return same[0]


def refuse_table(reader: RowReader, advice: str) -> None:
    """Refuse a file without a header or without separators if its first line looks like the header of another format.

    Args:
        reader: The file, before its rows are read.
        advice: What the user can do with a txt file, for the message.

    Raises:
        FileError: The first line of a txt file has a tab or names columns; or that of a tsv file is one of csv; or that
            of a csv file has another separator.
    """
    if isinstance(reader, TxtReader):
        if "\t" in reader.first_line:
            raise FileError(f"{reader.path}: the first line has tabs: {advice}")
        if names_columns(reader.first_line):
            raise FileError(
                f"{reader.path}: the first line names columns: rename the file to .csv, or add --input_format csv "
                "(txt if each line is a text)"
            )
    elif isinstance(reader, TsvReader):
        if len(reader.columns) == 1 and names_columns(reader.columns[0]):
            raise FileError(f"{reader.path}: no tabs separate the columns: rename the file to .csv")
        if all(len(name) > 1 and name[0] == name[-1] == '"' for name in reader.columns):
            raise FileError(
                f"{reader.path}: the names of the columns are in quotes, which are text in a tsv file: rename the file "
                "to .csv, or add --input_format csv"
            )
    elif isinstance(reader, CsvReader) and len(reader.columns) == 1 and (mark := _other_separator(reader.columns[0])):
        raise FileError(
            f"{reader.path}: {mark!r} seems to separate the columns in the first line, {reader.columns[0]!r:.60}; "
            "separate them by commas, semicolons, tabs or |, or add --input_format csv if it is the name of one column"
        )


def _other_separator(line: str) -> str | None:
    """Return what separates the fields of a header that is not one of csv: one of them is a usual name."""
    for mark in _OTHER_SEPARATORS.findall(line):
        fields = [_plain(field) for field in line.split(mark) if field.strip()]
        if len(fields) > 1 and {*fields} & {*TEXT_COLUMNS, *LABEL_COLUMNS}:
            return str(mark)
    return None


def lines_of_input(encoding: str | None) -> Iterator[list[str]]:
    """Yield the lines of standard input in blocks, and say so if they look like a table."""
    for number, block in enumerate(read_blocks([STREAM], encoding)):
        if number == 0 and block and names_columns(block[0]):
            say_once(
                "standard input: each line is read as a text, but the first one names columns; to read a table, add "
                "--input - --input_format csv"
            )
        yield block


def names_columns(line: str) -> bool:
    """Return whether a line looks like the header of a table: one of several fields is a usual name of a column."""
    for separator in SEPARATORS:
        fields = next(iter(split_lines([line], separator)), [])
        if len(fields) > 1 and {_plain(field) for field in fields} & {*TEXT_COLUMNS, *LABEL_COLUMNS}:
            return True
    return False


def find_usual(columns: Sequence[str], usual: Sequence[str]) -> str | None:
    """Return the column with a usual name, in any case; else the only one whose last word is a usual name.

    The order of the usual names decides between several columns.
    """
    plain = [_plain(column) for column in columns]
    for name in usual:
        if name in plain:
            return columns[plain.index(name)]
    ends = [column for column in columns if _ends_with(column, usual)]
    return ends[0] if len(ends) == 1 else None


def _ends_with(column: str, usual: Sequence[str]) -> bool:
    word = _LAST_WORD.fullmatch(column.strip())
    if word and _plain(word[1]) in usual:
        return True
    # Korean words are joined without a mark: 고객리뷰.
    return any(_plain(column).endswith(name) for name in usual if not name.isascii())


def _plain(name: str) -> str:
    """Return a name without case, blanks and underscores, in composed Hangul."""
    return re.sub(r"[\s_]", "", normalize("NFC", name).removeprefix("\ufeff").lower())
