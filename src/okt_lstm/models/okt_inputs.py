"""The texts that are passed to OktTokenizer: brought to one form, or refused with an error that says where."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any


def check_rows(text: Any, text_pair: Any, is_split_into_words: bool) -> tuple[list[tuple[Any, ...]], bool]:
    """Bring the texts of a call to one form.

    Args:
        text: A text or a batch, as for `__call__`.
        text_pair: The second texts, or None.
        is_split_into_words: Whether a text is a list of words.

    Returns:
        The rows, each with one text or two (a str, or a list of words); and whether they came as a batch.

    Raises:
        TypeError: If something is not a text; the message says which row.
        ValueError: If there are not as many second texts as first ones.
    """
    text, text_pair = _as_list(text), _as_list(text_pair)
    if is_split_into_words:
        is_batched = isinstance(text, (list, tuple)) and len(text) > 0 and isinstance(text[0], (list, tuple))
    else:
        is_batched = isinstance(text, (list, tuple))
    if not is_batched:
        rows = [(text, text_pair) if text_pair else (text,)]
    elif text_pair is None:
        rows = [tuple(row) if _is_pair(row, is_split_into_words) else (row,) for row in text]
    elif not isinstance(text_pair, (list, tuple)):
        raise TypeError(
            f"for a batch of texts, text_pair must be a list of as many texts, not {type(text_pair).__name__}"
        )
    elif len(text) != len(text_pair):
        raise ValueError(f"there are {len(text)} texts, but {len(text_pair)} in text_pair")
    else:
        rows = list(zip(text, text_pair, strict=True))
    for number, row in enumerate(rows):
        for part in row:
            if is_split_into_words:
                is_right = isinstance(part, (list, tuple)) and all(isinstance(word, str) for word in part)
            else:
                is_right = isinstance(part, str)
            if not is_right:
                where = f"row {number} of the batch" if is_batched else "the input"
                wanted = (
                    "a list of words (str), for is_split_into_words=True" if is_split_into_words else "a text (str)"
                )
                raise TypeError(f"{where} must be {wanted}, not {_describe(part)}")
    return rows, is_batched


@contextmanager
def no_negative_ids() -> Iterator[None]:
    """Say what is wrong with ids below 0 or beyond 32 bits, for which the tokenizers library raises OverflowError.

    Raises:
        ValueError: An id is one of these.
    """
    try:
        yield
    except OverflowError:
        raise ValueError(
            "token ids are 0 or more, and below the size of the vocabulary: leave others out, such as the -100 of "
            "labels that don't count"
        ) from None


def batches(items: Iterable[str | Sequence[str]], size: int) -> Iterator[tuple[list[str], int]]:
    """Cut a stream of texts, or of lists of texts, into batches.

    Args:
        items: The texts or lists.
        size: Number of texts of a batch. A longer list is not cut.

    Yields:
        The texts, and the number of items that they came from.

    Raises:
        TypeError: If an item is not a text or a list of texts, or the items are a table; the message says which one.
    """
    if isinstance(items, (str, bytes)):
        raise TypeError("expected an iterator of texts, or of lists of texts, not one text")
    items = _as_list(items)
    batch: list[str] = []
    count = 0
    for number, item in enumerate(items):
        texts = [item] if isinstance(item, str) else item
        if not isinstance(_as_list(texts), (list, tuple)) or not all(isinstance(text, str) for text in texts):
            raise TypeError(
                f"item {number} of the iterator must be a text (str) or a list of texts, not {_describe(item)}"
            )
        batch += texts
        count += 1
        if len(batch) >= size:
            yield batch, count
            batch, count = [], 0
    if batch:
        yield batch, count


def _as_list(texts: Any) -> Any:
    """Return columns of data sets, arrays and series as lists, and everything else as it is.

    Raises:
        TypeError: If it is a table, which would give the names of its columns.
    """
    if any(hasattr(texts, name) for name in ("columns", "column_names")):
        raise TypeError(
            f"expected texts, not a {type(texts).__name__}: pass the column that holds the texts, as in data['text']"
        )
    is_column = hasattr(texts, "__len__") and hasattr(texts, "__getitem__") and not isinstance(texts, (bytes, Mapping))
    return list(texts) if is_column and not isinstance(texts, (str, list, tuple)) else texts


def _is_pair(row: Any, is_split_into_words: bool) -> bool:
    kind = (list, tuple) if is_split_into_words else str
    return isinstance(row, (list, tuple)) and len(row) == 2 and all(isinstance(part, kind) for part in row)


def _describe(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        wrong = [type(part).__name__ for part in value if not isinstance(part, str)]
        return f"a {type(value).__name__} of {len(value)}" + (f" that holds {wrong[0]}" if wrong else "")
    return f"{type(value).__name__} ({value!r:.40})"
