"""Which columns of a table hold the texts and the labels, if the user does not say."""

from collections.abc import Sequence

from oktane.columns import LABEL_COLUMNS, TEXT_COLUMNS, find_column, find_usual, say_guess

from .errors import DataError

TEXTS = ("text", "text_pair")
"""The columns of a data set's texts; the second one only if its rows hold pairs."""


def choose_columns(
    columns: Sequence[str], source: str, text_column: str | None, label_column: str | None, untyped: bool = False
) -> tuple[str, str]:
    """Choose the columns of the texts and of the labels, by name; of two columns, the second follows from the first.

    Args:
        columns: The names of all columns.
        source: Where they come from, for messages.
        text_column: The column of the texts that the user named, if any.
        label_column: The column of the labels that the user named, if any.
        untyped: Whether it is a table of text, which may lack a header.

    Raises:
        DataError: A named column is missing, or a column can't be guessed.
    """
    text = _given_or_usual(columns, text_column, TEXT_COLUMNS, source, "--text_column")
    label = _given_or_usual(columns, label_column, LABEL_COLUMNS, source, "--label_column")
    # With two columns, the second one follows from the first, unless it is a row index.
    if len(columns) == 2 and (text is None) != (label is None) and "id" not in map(str.lower, columns):
        text = text or next(column for column in columns if column != label)
        label = label or next(column for column in columns if column != text)
    hint = "" if text or label or not untyped else " If the first line is a row, too, add --header none."
    for column, content, flag in ((text, "texts", "--text_column"), (label, "labels", "--label_column")):
        if column is None:
            raise DataError(
                f"{source}: which of the columns {quote_list(columns)} holds the {content}? Add {flag}.{hint}"
            )
    if text == label:
        raise DataError(f"{source}: the column {text!r} can't hold both the texts and the labels.")
    for given, column, content, flag in (
        (text_column, str(text), "texts", "--text_column"),
        (label_column, str(label), "labels", "--label_column"),
    ):
        if given is None:
            say_guess(content, column, source, flag)
    return str(text), str(label)


def quote_list(names: Sequence[object], limit: int = 20) -> str:
    """Write names for a message: quoted, separated by commas, at most `limit` of them."""
    text = ", ".join(f"{str(name)!r:.80}" for name in names[:limit])
    return text + (f" and {len(names) - limit:,} more" if len(names) > limit else "")


def _given_or_usual(
    columns: Sequence[str], given: str | None, usual: Sequence[str], source: str, flag: str
) -> str | None:
    return find_usual(columns, usual) if given is None else find_column(columns, given, source, flag)
