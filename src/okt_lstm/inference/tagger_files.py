"""What a tagger finds in texts and files, written for people and for programs."""

import os
from collections.abc import Iterable, Iterator
from itertools import tee
from typing import Any, TextIO

from oktane.files import choose_texts
from oktane.lines import FileError, check_output, escaped
from oktane.paths import Source, file_format, find_files
from oktane.readers import open_reader, text_of
from oktane.row_reader import ReadOptions
from oktane.writers import open_writer, tsv_line

# So that it may be a parquet, Arrow or xlsx file.
from .. import data  # noqa: F401
from .tagger import Tagger

_ROWS_AT_A_TIME = 1024


def print_tags(tagger: Tagger, texts: Iterable[str], stream: TextIO) -> None:
    """Write a line of tsv for each entity: its text, label, start, end, score, and the text that it is from.

    A text without entities gives a line with empty fields before it. A model that restores spaces gives the texts.
    """
    if tagger.restores_spaces:
        stream.writelines(f"{escaped(text)}\n" for text in tagger.respace(texts))
    else:
        texts, kept = tee(texts)
        for text, entities in zip(kept, tagger.entities(texts), strict=True):
            rows = [[part, escaped(label), *rest] for part, label, *rest in entities] or [[""] * 5]
            stream.writelines(tsv_line([*row, text]) for row in rows)
    stream.flush()


def tag_file(
    tagger: Tagger,
    source: Source,
    target: str | os.PathLike[str],
    *,
    reading: ReadOptions | None = None,
    text_column: str | None = None,
    output_encoding: str | None = None,
) -> int:
    """Tag the texts of a table, and write its rows with what was found to another file.

    The new column is `entities`: lists of objects with `text`, `label`, `start`, `end` and `score` in json, jsonl and
    parquet files, and the same as JSON in csv and tsv files. A model that restores spaces gives a column `spaced`; a
    txt file has only these texts. A row whose text is null gets null.

    Args:
        tagger: The tagger.
        source: The files to read; see `oktane.readers.open_reader`.
        target: The file to write. It appears when all rows are written.
        reading: How to read `source`. By default the files tell.
        text_column: The column of the texts. By default the only column, or one with a usual name.
        output_encoding: The encoding of a txt, tsv or csv file. By default UTF-8.

    Returns:
        The number of rows.

    Raises:
        FileError: A file can't be read or written as asked, or a column is missing; the message says where.
    """
    check_output(os.fspath(target), [os.fspath(path) for path in find_files(source)])
    kind, new = file_format(target), "spaced" if tagger.restores_spaces else "entities"
    if kind == "txt" and not tagger.restores_spaces:
        raise FileError(f"{target}: a txt file has no room for entities; write .jsonl, .csv or .tsv")
    count = 0
    with open_reader(source, reading) as reader:
        column = choose_texts(reader, text_column)
        if new in reader.columns:
            raise FileError(f"{reader.name}: has a column {new!r} already, where the result would go; rename it")
        columns = [new] if kind == "txt" else [*reader.columns, new]
        with open_writer(target, columns, reader.schema, output_encoding) as writer:
            rows, ahead = tee((row, text_of(row, column, reader)) for row in reader)
            results = _results(tagger, (text for _, text in ahead if text is not None))
            chunk = []
            for row, text in rows:
                chunk.append(row | {new: None if text is None else next(results)})
                count += 1
                if len(chunk) == _ROWS_AT_A_TIME:
                    writer.write(chunk)
                    chunk = []
            writer.write(chunk)
    return count


def _results(tagger: Tagger, texts: Iterable[str]) -> Iterator[Any]:
    """Yield what the new column holds for each text."""
    if tagger.restores_spaces:
        yield from tagger.respace(texts)
        return
    for entities in tagger.entities(texts):
        yield [entity._asdict() for entity in entities]
