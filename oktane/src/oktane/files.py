"""The rows of files in, their predictions out, in constant memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TextIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .base_classifier import BaseClassifier
from .blocks import Block, computed_blocks, row_blocks, table_blocks
from .columns import choose_pair_column, choose_text_column, find_column, refuse_table
from .encodings import say_once
from .folders import UNKNOWN_COLUMNS, TextColumns
from .journal import Journal, open_journal
from .lines import FileError, check_output, counted, escaped
from .paths import Source, find_files
from .prediction_tables import prediction_arrays, with_predictions
from .readers import open_reader
from .row_reader import ReadOptions, RowReader
from .summary import Summary
from .writers import WRITERS, open_writer, output_format, tsv_line

Report: TypeAlias = Callable[[RowReader, Summary], None]
"""Called with the reader and the counts so far, after some rows at a time."""


def predict_file(
    classifier: BaseClassifier,
    source: Source,
    target: str | os.PathLike[str],
    *,
    reading: ReadOptions | None = None,
    text_column: str | None = None,
    text_pair_column: str | None = None,
    usual: TextColumns = UNKNOWN_COLUMNS,
    columns: Sequence[str] | None = None,
    probabilities: bool = False,
    target_format: str | None = None,
    output_encoding: str | None = None,
    report: Report | None = None,
) -> Summary:
    """Predict the rows of a table and write them, with their labels, to a file.

    The new columns follow the table's own. They are `label`; in single-label classification, `probability`; in
    multi-label classification, or with `probabilities`, `probability_NAME` for each label. If the table has a column of
    one of these names, all new ones begin with `predicted_`. A txt file gets only the labels. A row whose text is null
    gets null in the new columns.

    A run that is stopped leaves what it has computed in a hidden file beside `target`; the next one goes on from there
    (see `journal`). It does not matter whether that writes other columns or another format.

    Args:
        classifier: The classifier.
        source: The files to read; see `readers.open_reader`.
        target: The file to write, which appears when all rows are written; `-` is standard output.
        reading: How to read `source`. By default the files tell.
        text_column: The column of the texts. By default the only column, or one with a usual name.
        text_pair_column: The column of the second texts, for a model that compares two.
        usual: The names that these columns have if the table has them, such as those in training.
        columns: The columns of the table that are kept. By default all.
        probabilities: Whether to write the probability of each label.
        target_format: The format of `target`. By default its suffix tells.
        output_encoding: The encoding of a txt, tsv or csv file. By default UTF-8, with a byte order mark (utf-8-sig) if
            a csv file is written of a file that has one.
        report: Called after some rows at a time.

    Returns:
        What was labeled.

    Raises:
        FileError: If a file can't be read or written as asked, or a column is missing; the message says where.
        OSError: If a file can't be opened, read or written.
    """
    paths = find_files(source)
    check_output(os.fspath(target), [os.fspath(path) for path in paths])
    known = output_format(target, target_format, output_encoding)
    if known == "txt" and probabilities:
        raise FileError(f"{target}: a txt file holds labels only; write probabilities to .tsv, .csv or .jsonl")
    with open_reader(source, reading) as reader:
        text_column = choose_texts(reader, text_column, usual.text)
        pair_column = choose_pairs(classifier, reader, text_pair_column, usual.text_pair)
        kept = _kept_columns(reader, columns)
        new = new_columns(classifier, probabilities, kept)
        written = new[:1] if known == "txt" else [*kept, *new]
        if output_encoding is None and known == "csv" and reader.has_byte_order_mark:
            output_encoding = "utf-8-sig"
        as_tables = reader.has_tables and WRITERS[known].takes_tables and pair_column is None
        blocks = table_blocks(reader, text_column, kept) if as_tables else row_blocks(reader, text_column, pair_column)
        schema = None if reader.schema is None else reader.schema.empty_table().select(kept).schema
        summary = Summary()
        what = (classifier.fingerprint(), reader.options, text_column, pair_column)
        with (
            open_journal(target, paths, len(classifier.labels), *what) as journal,
            open_writer(target, written, schema, output_encoding, known) as writer,
        ):
            for block, scores, truncated in scored_blocks(classifier, blocks, journal):
                if as_tables:
                    arrays = prediction_arrays(classifier, scores, block.has_text, probabilities)
                    writer.write_table(with_predictions(block.rows, dict(zip(new, arrays, strict=True))))
                else:
                    rows = _with_predictions(classifier, block, scores, probabilities, new, reader, summary.rows)
                    chosen = None if columns is None or known == "txt" else set(written)
                    writer.write(rows if chosen is None else [_only(row, chosen) for row in rows])
                summary.rows += len(block.has_text)
                summary.nulls += len(block.has_text) - len(scores)
                summary.truncated += truncated
                summary.count(classifier, scores)
                summary.computed = max(0, summary.rows - summary.nulls - (journal.texts if journal else 0))
                if report is not None:
                    report(reader, summary)
    return summary


def print_file(
    classifier: BaseClassifier,
    source: Source,
    stream: TextIO,
    *,
    reading: ReadOptions | None = None,
    text_column: str | None = None,
    text_pair_column: str | None = None,
    usual: TextColumns = UNKNOWN_COLUMNS,
    probabilities: bool = False,
) -> None:
    """Predict the texts of a table and write them to a stream; see `predict_file` and `print_predictions`."""
    nulls = 0
    with open_reader(source, reading) as reader:
        column = choose_texts(reader, text_column, usual.text)
        pair_column = choose_pairs(classifier, reader, text_pair_column, usual.text_pair)
        columns = [column] if pair_column is None else [column, pair_column]
        for block, scores, _ in scored_blocks(classifier, row_blocks(reader, column, pair_column)):
            texts = ([row.get(name) for name in columns] for row in block.rows)
            predicted = _values(classifier, block, scores, probabilities, _escaped_labels(classifier))
            stream.writelines(tsv_line([*values, *text]) for values, text in zip(predicted, texts, strict=True))
            nulls += len(block.has_text) - len(scores)
        stream.flush()
        if nulls:
            say_once(
                f"{reader.name}: {counted(nulls, 'row')} without a text (null in the column {column!r}), labeled null"
            )


def print_predictions(
    classifier: BaseClassifier, texts: Iterable[Any], stream: TextIO, *, probabilities: bool = False
) -> None:
    """Write a line of tsv for each text: its label, probabilities as in `predict_file`, and the text.

    Args:
        classifier: The classifier.
        texts: The texts, or pairs of texts.
        stream: Where the lines go. It is flushed at the end.
        probabilities: Whether to write the probability of each label.
    """
    for chunk, scores in classifier.score_chunks(texts):
        predicted = classifier.problem_type.rows(
            scores, _escaped_labels(classifier), probabilities, classifier.abstain_below, classifier.threshold
        )
        for values, text in zip(predicted, chunk, strict=True):
            stream.write(tsv_line([*values, *([text] if isinstance(text, str) else text)]))
    stream.flush()


def choose_texts(reader: RowReader, given: str | None, usual: str | None = None) -> str:
    """Return the column of the texts. Refuse a table that is called .txt, unless its format was named.

    Args:
        reader: The table.
        given: The column that the user named, if any.
        usual: The column that is taken if the table has it, and the user named none.
    """
    if reader.options.input_format is None:
        refuse_table(reader, "add --input_format tsv if it is a table with a header, txt if each line is a text")
    return choose_text_column(reader, usual if given is None and usual in reader.columns else given)


def choose_pairs(
    classifier: BaseClassifier, reader: RowReader, given: str | None, usual: str | None = None
) -> str | None:
    """Return the column of the second texts; None for a model of single texts. The arguments are as above.

    Raises:
        FileError: There is no such column, or the model has no use for it.
    """
    if classifier.text_pair:
        return choose_pair_column(reader, usual if given is None and usual in reader.columns else given)
    if given is not None:
        raise FileError(f"the model reads single texts, not pairs: leave out --text_pair_column {given}")
    return None


def scored_blocks(
    classifier: BaseClassifier, blocks: Iterable[Block], journal: Journal | None = None
) -> Iterator[tuple[Block, NDArray[np.float32], int]]:
    """Compute the texts of blocks, on all cores.

    Args:
        classifier: The classifier.
        blocks: The blocks. They are read as far ahead as the threads need.
        journal: Where the logits are kept, and come from if they are there.

    Yields:
        The blocks in order, each with the scores of its texts, `(texts, labels)`, and how many texts were truncated.
    """
    compute = classifier.compute if journal is None else partial(journal.compute, classifier.compute)
    for block, logits, truncated in computed_blocks(blocks, compute, classifier.chunk_size, len(classifier.labels)):
        yield block, classifier.problem_type.scores(logits), truncated


def _with_predictions(
    classifier: BaseClassifier,
    block: Block,
    scores: NDArray[np.float32],
    probabilities: bool,
    new: Sequence[str],
    reader: RowReader,
    before: int,
) -> list[dict[str, Any]]:
    """Add the new columns to the rows of a block, and return them."""
    values = _values(classifier, block, scores, probabilities, classifier.labels)
    for number, (row, predicted) in enumerate(zip(block.rows, values, strict=True), before + 1):
        if clash := row.keys() & set(new):
            raise FileError(f"{reader.name}, row {number}: has a field {min(clash)!r}, which the first rows lack")
        row.update(zip(new, predicted, strict=True))
    return block.rows


def _values(
    classifier: BaseClassifier,
    block: Block,
    scores: NDArray[np.float32],
    probabilities: bool,
    labels: Sequence[str],
) -> Iterator[list[Any]]:
    """Yield the values of the new columns for each row of a block."""
    found = classifier.problem_type.rows(scores, labels, probabilities, classifier.abstain_below, classifier.threshold)
    nothing = [None] * len(classifier.problem_type.columns(labels, probabilities))
    for has_text in block.has_text.tolist():
        yield next(found) if has_text else list(nothing)


def _escaped_labels(classifier: BaseClassifier) -> list[str]:
    """Return the labels for a terminal: a model's labels may come from a stranger."""
    return [escaped(label) for label in classifier.labels]


def _only(row: dict[str, Any], columns: set[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name in columns}


def _kept_columns(reader: RowReader, wanted: Sequence[str] | None) -> list[str]:
    """Return the columns of a table that are to be written, in the table's order."""
    if wanted is None:
        return list(reader.columns)
    chosen = {find_column(reader.columns, name, reader.name, "--columns") for name in wanted}
    return [name for name in reader.columns if name in chosen]


def new_columns(classifier: BaseClassifier, probabilities: bool, taken: Iterable[str]) -> list[str]:
    """Return names for the columns of predictions that none of the file's own columns has."""
    columns = classifier.problem_type.columns(classifier.labels, probabilities)
    taken = set(taken)
    if taken & set(columns):
        columns = [f"predicted_{column}" for column in columns]
    if clash := taken & set(columns):
        raise FileError(f"the input has a column {min(clash)!r} already, where the prediction would go; rename it")
    return columns
