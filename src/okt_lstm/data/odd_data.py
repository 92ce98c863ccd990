"""What in a data set is probably a mistake: asked about, or counted and said."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import datasets
import numpy as np

from oktane.encodings import say_once

from .columns import quote_list
from .description import DataDescription
from .errors import DataError
from .repeats import count_shared, find_repeats
from .sources import Corpus

# Tables with fewer rows are tries, in which labels may well differ.
_MANY_ROWS = 40
# With fewer rows, a class of one is no surprise.
_SOME_ROWS = 10
# A test file may share this part of its rows with the training file; with fewer rows, all of them.
_FEW_ROWS = 5
_MOST_SHARED = 0.25


def label_ids(rows: datasets.Dataset) -> np.ndarray:
    """Return the labels as an array of shape (rows,), without reading the texts."""
    return rows.select_columns("label").with_format("numpy")[:]["label"]


def refuse_training_file_as_test(description: DataDescription) -> None:
    """Refuse a test file with the content of a training file."""
    trained = {file.git_blob_id: file.name for file in description.files if file.split == "train"}
    for file in description.files:
        if file.split == "test" and file.git_blob_id in trained:
            raise DataError(
                f"{file.name}: the test file has the content of the training file {trained[file.git_blob_id]}, so a "
                "test on it says nothing about new texts. If you mean it, add --allow_odd_data."
            )


def refuse_labels_of_their_own(corpus: Corpus, train: datasets.Dataset, label_names: Sequence[str]) -> None:
    """Refuse what is hardly a column of classes, such as order numbers."""
    if len(train) >= _MANY_ROWS and 2 * len(label_names) > len(train):
        column = ", ".join(corpus.splits["train"].labels.columns)
        raise DataError(
            f"{corpus.description.name}: the column {column!r} has {len(label_names):,} different labels in "
            f"{len(train):,} rows. Is --label_column the right one? If it holds numbers to predict, add --problem_type "
            "regression; if these are classes, --allow_odd_data."
        )


def refuse_classes_of_one_row(source: str, train: datasets.Dataset, label_names: Sequence[str]) -> None:
    """Refuse classes that can't be learned, and may be misspelt."""
    counts = np.bincount(label_ids(train), minlength=len(label_names))
    single = [name for name, count in zip(label_names, counts, strict=True) if count == 1]
    if len(train) >= _SOME_ROWS and single:
        raise DataError(
            f"{source}: only one training row has the label {quote_list(single, 10)}. If it is misspelt, mend it; if "
            "you mean it, add --allow_odd_data."
        )


def say_repeats(
    description: DataDescription,
    splits: Mapping[str, datasets.Dataset],
    label_names: Sequence[str],
    *,
    refuse_shared: bool,
) -> DataDescription:
    """Say which rows are repeated or blank, and which are shared by splits, and note it for the model card.

    Args:
        description: What the card says about the data.
        splits: The rows of each split, with the columns `text` and `label`.
        label_names: The names of the classes by id; empty for a regression.
        refuse_shared: Whether a test split that shares many rows with the training rows is refused.

    Raises:
        DataError: It is refused.
    """
    notes, said = [], []
    for split in ("validation", "test"):
        if split not in splits or not (shared := count_shared(splits[split], splits["train"])):
            continue
        rows = len(splits[split])
        have = "has" if shared == 1 else "have"
        sentence = f"{shared:,} of the {rows:,} {split} rows {have} the text of a training row."
        if split == "test" and refuse_shared and rows >= _FEW_ROWS and shared > _MOST_SHARED * rows:
            raise DataError(
                f"{description.name}: {sentence} So a test on them says little about new texts. If you mean it, add "
                "--allow_odd_data."
            )
        notes.append(sentence)
        said.append(sentence)
    for split, dataset in splits.items():
        repeats, name = find_repeats(dataset, label_names), "training" if split == "train" else split
        notes += repeats.sentences(name)
        said += repeats.sentences(name, listed=True)
    for sentence in said:
        say_once(f"{description.name}: {sentence}")
    return replace(description, notes=(*description.notes, *notes))
