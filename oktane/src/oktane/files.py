"""Texts of files and streams in, their predictions out, in constant memory."""

import os
from collections.abc import Callable, Iterable
from itertools import islice, tee
from typing import TextIO

from .base_classifier import BaseClassifier
from .columns import choose_text_column, refuse_table
from .lines import FileError, check_output, escaped
from .readers import RowReader, check_text, file_format, open_reader
from .writers import open_writer, tsv_line


def predict_file(
    classifier: BaseClassifier,
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    input_format: str | None = None,
    text_column: str | None = None,
    probabilities: bool = False,
    progress: Callable[[RowReader, int], None] | None = None,
) -> int:
    """Predict the rows of a file and write them, with their labels, to another file.

    The new columns follow the file's own. They are `label`; in single-label classification, `probability`; in
    multi-label classification, or with `probabilities`, `probability_NAME` for each label. If the file has a column of
    one of these names, all new ones begin with `predicted_`. A txt file gets only the labels.

    Args:
        classifier: The classifier.
        source: The file to read: txt, tsv, csv or jsonl, which may be compressed.
        target: The file to write: txt, tsv, csv or jsonl. It appears when all rows are written.
        input_format: The format of `source`. By default its suffix tells it.
        text_column: The column of the texts. By default the only column, or one with a usual name.
        probabilities: Whether to write the probability of each label.
        progress: Called with the reader and the number of rows so far, after some rows at a time.

    Returns:
        The number of rows.

    Raises:
        FileError: If a file can't be read or written as asked, a column is missing, or a row has no text; the message
            says where.
        OSError: If a file can't be opened, read or written.
    """
    check_output(os.fspath(target), [os.fspath(source)])
    with open_reader(source, input_format) as reader:
        text_column = choose_texts(reader, input_format, text_column)
        new = _new_columns(classifier, probabilities, reader.columns)
        columns = [*reader.columns, *new]
        if file_format(target) == "txt":
            if probabilities:
                raise FileError(f"{target}: a txt file holds labels only; write probabilities to .tsv, .csv or .jsonl")
            columns = new[:1]
        count = 0
        with open_writer(target, columns, reader.schema) as writer:
            # The rows that were read ahead, for the threads, wait in `rows`.
            rows, ahead = tee(check_text(row, text_column, reader, number) for number, row in enumerate(reader, 1))
            for texts, scores in classifier.score_chunks(row[text_column] for row in ahead):
                chunk = list(islice(rows, len(texts)))
                predicted = classifier.problem_type.rows(scores, classifier.labels, probabilities)
                for number, (row, values) in enumerate(zip(chunk, predicted, strict=True), count + 1):
                    if clash := row.keys() & set(new):
                        raise FileError(
                            f"{source}, row {number}: has a field {min(clash)!r}, which the first row lacks"
                        )
                    row.update(zip(new, values, strict=True))
                writer.write(chunk)
                count += len(chunk)
                if progress is not None:
                    progress(reader, count)
    return count


def print_file(
    classifier: BaseClassifier,
    source: str | os.PathLike[str],
    stream: TextIO,
    *,
    input_format: str | None = None,
    text_column: str | None = None,
    probabilities: bool = False,
) -> None:
    """Predict the texts of a file and write them to a stream; see `predict_file` and `print_predictions`."""
    with open_reader(source, input_format) as reader:
        column = choose_texts(reader, input_format, text_column)
        texts = (check_text(row, column, reader, number)[column] for number, row in enumerate(reader, 1))
        print_predictions(classifier, texts, stream, probabilities=probabilities)


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
        # A model's labels may come from a stranger, and this may be a terminal.
        labels = [escaped(label) for label in classifier.labels]
        predicted = classifier.problem_type.rows(scores, labels, probabilities)
        stream.writelines(tsv_line([*values, text]) for values, text in zip(predicted, chunk, strict=True))
    stream.flush()


def choose_texts(reader: RowReader, input_format: str | None, given: str | None) -> str:
    """Return the column of the texts. Refuse a table that is called .txt, unless its format was named."""
    if input_format is None:
        refuse_table(reader, "add --input_format tsv if it is a table with a header, txt if each line is a text")
    return choose_text_column(reader, given)


def _new_columns(classifier: BaseClassifier, probabilities: bool, taken: Iterable[str]) -> list[str]:
    """Return names for the columns of predictions that none of the file's own columns has."""
    columns = classifier.problem_type.columns(classifier.labels, probabilities)
    taken = set(taken)
    if taken & set(columns):
        columns = [f"predicted_{column}" for column in columns]
    if clash := taken & set(columns):
        raise FileError(f"the input has a column {min(clash)!r} already, where the prediction would go; rename it")
    return columns
