"""Texts of files and streams in, their predictions out, in constant memory."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import tee
from typing import Any, TextIO, TypeVar

from .base_classifier import BaseClassifier
from .columns import choose_text_column, refuse_table
from .encodings import say_once
from .lines import FileError, check_output, escaped
from .paths import Source, file_format, find_files
from .readers import open_reader, text_of
from .row_reader import ReadOptions, Row, RowReader
from .writers import open_writer, tsv_line

Result = TypeVar("Result")


def predict_file(
    classifier: BaseClassifier,
    source: Source,
    target: str | os.PathLike[str],
    *,
    reading: ReadOptions | None = None,
    text_column: str | None = None,
    probabilities: bool = False,
    output_encoding: str | None = None,
    progress: Callable[[RowReader, int], None] | None = None,
) -> int:
    """Predict the rows of a table and write them, with their labels, to a file.

    The new columns follow the table's own. They are `label`; in single-label classification, `probability`; in
    multi-label classification, or with `probabilities`, `probability_NAME` for each label. If the table has a column of
    one of these names, all new ones begin with `predicted_`. A txt file gets only the labels. A row whose text is null
    gets null in the new columns, and how many there are is said.

    Args:
        classifier: The classifier.
        source: The files to read; see `readers.open_reader`.
        target: The file to write: txt, tsv, csv, json or jsonl. It appears when all rows are written.
        reading: How to read `source`. By default the files tell.
        text_column: The column of the texts. By default the only column, or one with a usual name.
        probabilities: Whether to write the probability of each label.
        output_encoding: The encoding of a txt, tsv or csv file. By default UTF-8, with a byte order mark (utf-8-sig) if
            a csv file is written of a file that has one.
        progress: Called with the reader and the number of rows so far, after some rows at a time.

    Returns:
        The number of rows.

    Raises:
        FileError: If a file can't be read or written as asked, or a column is missing; the message says where.
        OSError: If a file can't be opened, read or written.
    """
    check_output(os.fspath(target), [os.fspath(path) for path in find_files(source)])
    with open_reader(source, reading) as reader:
        text_column = choose_texts(reader, text_column)
        new = _new_columns(classifier, probabilities, reader.columns)
        columns = [*reader.columns, *new]
        if file_format(target) == "txt":
            if probabilities:
                raise FileError(f"{target}: a txt file holds labels only; write probabilities to .tsv, .csv or .jsonl")
            columns = new[:1]
        if output_encoding is None and file_format(target) == "csv" and reader.has_byte_order_mark:
            output_encoding = "utf-8-sig"
        count = 0
        with open_writer(target, columns, reader.schema, output_encoding) as writer:
            for chunk, predicted in _predicted(classifier, reader, text_column, probabilities, classifier.labels):
                for number, (row, values) in enumerate(zip(chunk, predicted, strict=True), count + 1):
                    if clash := row.keys() & set(new):
                        raise FileError(
                            f"{reader.name}, row {number}: has a field {min(clash)!r}, which the first row lacks"
                        )
                    row.update(zip(new, values, strict=True))
                writer.write(chunk)
                count += len(chunk)
                if progress is not None:
                    progress(reader, count)
    return count


def print_file(
    classifier: BaseClassifier,
    source: Source,
    stream: TextIO,
    *,
    reading: ReadOptions | None = None,
    text_column: str | None = None,
    probabilities: bool = False,
) -> None:
    """Predict the texts of a table and write them to a stream; see `predict_file` and `print_predictions`."""
    with open_reader(source, reading) as reader:
        column = choose_texts(reader, text_column)
        for rows, predicted in _predicted(classifier, reader, column, probabilities, _escaped_labels(classifier)):
            texts = (row.get(column) for row in rows)
            stream.writelines(tsv_line([*values, text]) for values, text in zip(predicted, texts, strict=True))
        stream.flush()


def print_predictions(
    classifier: BaseClassifier, texts: Iterable[str], stream: TextIO, *, probabilities: bool = False
) -> None:
    """Write a line of tsv for each text: its label, probabilities as in `predict_file`, and the text.

    Args:
        classifier: The classifier.
        texts: The texts.
        stream: Where the lines go. It is flushed at the end.
        probabilities: Whether to write the probability of each label.
    """
    for chunk, scores in classifier.score_chunks(texts):
        predicted = classifier.problem_type.rows(
            scores, _escaped_labels(classifier), probabilities, classifier.abstain_below
        )
        stream.writelines(tsv_line([*values, text]) for values, text in zip(predicted, chunk, strict=True))
    stream.flush()


def _escaped_labels(classifier: BaseClassifier) -> list[str]:
    """Return the labels for a terminal: a model's labels may come from a stranger."""
    return [escaped(label) for label in classifier.labels]


def choose_texts(reader: RowReader, given: str | None) -> str:
    """Return the column of the texts. Refuse a table that is called .txt, unless its format was named."""
    if reader.options.input_format is None:
        refuse_table(reader, "add --input_format tsv if it is a table with a header, txt if each line is a text")
    return choose_text_column(reader, given)


def with_texts(
    reader: RowReader, column: str, process: Callable[[Iterable[str]], Iterable[tuple[list[str], Result]]]
) -> Iterator[tuple[list[Row], list[bool], Result | None]]:
    """Process the texts of a table, and yield its rows with the results; a row whose text is null has none.

    Args:
        reader: The table.
        column: The column of the texts.
        process: Yields some texts at a time, in order, with their results. It may read ahead.

    Yields:
        Some rows, whether each of them has a text, and the results of those that have; None if none has.
    """
    # The rows that were read ahead, for the threads, wait in `rows`.
    rows, ahead = tee((row, text_of(row, column, reader)) for row in reader)
    nulls = 0
    for texts, results in process(text for _, text in ahead if text is not None):
        chunk: list[tuple[Row, str | None]] = []
        missing = len(texts)
        while missing:
            chunk.append(next(rows))
            missing -= chunk[-1][1] is not None
        nulls += len(chunk) - len(texts)
        yield [row for row, _ in chunk], [text is not None for _, text in chunk], results
    if last := [row for row, _ in rows]:
        nulls += len(last)
        yield last, [False] * len(last), None
    if nulls:
        say_once(f"{reader.name}: {nulls:,} rows have no text (null in the column {column!r}), so they get null")


def _predicted(
    classifier: BaseClassifier,
    reader: RowReader,
    column: str,
    probabilities: bool,
    labels: Sequence[str],
) -> Iterator[tuple[list[Row], list[list[Any]]]]:
    """Yield some rows of a table at a time with the values of the new columns."""
    nothing = [None] * len(classifier.problem_type.columns(labels, probabilities))
    for rows, has_text, scores in with_texts(reader, column, classifier.score_chunks):
        found = (
            ()
            if scores is None
            else classifier.problem_type.rows(scores, labels, probabilities, classifier.abstain_below)
        )
        values = iter(found)
        yield rows, [next(values) if has else list(nothing) for has in has_text]


def _new_columns(classifier: BaseClassifier, probabilities: bool, taken: Iterable[str]) -> list[str]:
    """Return names for the columns of predictions that none of the file's own columns has."""
    columns = classifier.problem_type.columns(classifier.labels, probabilities)
    taken = set(taken)
    if taken & set(columns):
        columns = [f"predicted_{column}" for column in columns]
    if clash := taken & set(columns):
        raise FileError(f"the input has a column {min(clash)!r} already, where the prediction would go; rename it")
    return columns
