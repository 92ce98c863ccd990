"""Predict the rows of a file with a progress bar."""

import os
from typing import Any

from tqdm import tqdm

from oktane import files
from oktane.base_classifier import BaseClassifier
from oktane.paths import Source
from oktane.row_reader import RowReader

# So that it may be a parquet, Arrow or xlsx file.
from .. import data  # noqa: F401


def predict_file(classifier: BaseClassifier, source: Source, target: str | os.PathLike[str], **options: Any) -> int:
    """Predict the rows of a file and write them, with their labels, to another file.

    A progress bar is shown if standard error is a terminal.

    Args:
        classifier: The classifier.
        source: The files to read: txt, tsv, csv, json, jsonl, parquet, Arrow or xlsx.
        target: The file to write, in any of these formats but the last two.
        **options: Those of `oktane.files.predict_file`.

    Returns:
        The number of rows.

    Raises:
        FileError: As in `oktane.files.predict_file`.
    """
    with tqdm(unit_scale=True, disable=None) as bar:

        def progress(reader: RowReader, count: int) -> None:
            bar.total, bar.unit = reader.size, reader.unit
            bar.set_postfix(texts=count, refresh=False)
            bar.update(reader.position - bar.n)

        return files.predict_file(classifier, source, target, progress=progress, **options)
