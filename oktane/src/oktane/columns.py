"""Which column of a table holds the texts, if the user does not say."""

from collections.abc import Sequence

from .lines import FileError, uncompressed
from .readers import RowReader, file_format

# Usual names. The first of them that a table has is taken.
TEXT_COLUMNS = ("text", "document", "sentence", "review", "comment", "content", "본문", "문장", "리뷰", "내용")


def choose_text_column(reader: RowReader, given: str | None = None, flag: str = "--text_column") -> str:
    """Choose the column of the texts: the given one, the only one, or the first of `TEXT_COLUMNS` that the file has.

    Args:
        reader: The file.
        given: The column that the user named, if any.
        flag: How the user can name it, for the message.

    Raises:
        FileError: There is no such column.
    """
    columns = reader.columns
    if given is not None:
        # A jsonl file without rows has no columns.
        if columns and given not in columns:
            raise FileError(f"{reader.path}: has no column {given!r}; its columns are {', '.join(columns)}")
        return given
    if len(columns) == 1:
        return columns[0]
    usual = find_usual(columns or TEXT_COLUMNS[:1], TEXT_COLUMNS)
    if usual is None:
        raise FileError(
            f"{reader.path}: which column holds the texts? Name it with {flag}; the columns are {', '.join(columns)}"
        )
    return usual


def refuse_table(reader: RowReader, advice: str) -> None:
    """Refuse a file that is called .txt, before any of its rows is read, if its first line looks like that of a table.

    Args:
        reader: The file.
        advice: What the user can do, for the message.

    Raises:
        FileError: The first line has a tab.
    """
    if file_format(uncompressed(reader.path)) == "txt" and "\t" in reader.peek_line():
        raise FileError(f"{reader.path}: the first line has tabs: {advice}")


def find_usual(columns: Sequence[str], usual: Sequence[str]) -> str | None:
    """Return the first column with one of the usual names, in any case; the order of the names decides."""
    return next((column for name in usual for column in columns if column.lower() == name), None)
