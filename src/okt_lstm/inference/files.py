"""Predict the rows of a file with a progress bar."""

import os
from typing import Any

from tqdm import tqdm

from oktane import files
from oktane.base_classifier import BaseClassifier
from oktane.readers import RowReader

# So that it may be a parquet file.
from ..data import parquet  # noqa: F401


def predict_file(
    classifier: BaseClassifier, source: str | os.PathLike[str], target: str | os.PathLike[str], **options: Any
) -> int:
    """Predict the rows of a file and write them, with their labels, to another file.

    A progress bar is shown if standard error is a terminal.

    Args:
        classifier: The classifier.
        source: The file to read: txt, tsv, csv, jsonl or parquet.
        target: The file to write, in any of these formats.
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
