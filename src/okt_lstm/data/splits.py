"""From `--dataset` to splits that a model can be trained on: columns `text` and `label`, whatever they came from.

`sources` reads the rows; `labels` finds out what they mean.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import datasets
import numpy as np
import pyarrow.compute as pc
from datasets import DatasetDict
from sklearn.model_selection import train_test_split

from oktane.problem_type import ProblemType

from .bad_rows import is_missing
from .cache import generate
from .columns import TEXTS, quote_list
from .description import DataDescription
from .errors import DataError
from .labels import LabelScheme, Rows, find_scheme
from .odd_data import (
    label_ids,
    refuse_classes_of_one_row,
    refuse_labels_of_their_own,
    refuse_training_file_as_test,
    say_repeats,
)
from .options import DataOptions, is_local
from .repeats import together
from .sources import Corpus, DatasetRows, FileRows, read_corpus

logger = datasets.logging.get_logger(__name__)


def texts_of(rows: datasets.Dataset) -> list[Any]:
    """Return the texts of rows, or tuples of both texts if they hold pairs."""
    columns = [rows[name][:] for name in TEXTS if name in rows.column_names]
    return columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))


@dataclass(frozen=True)
class Splits:
    """A data set ready for training.

    Attributes:
        datasets: `train`, `validation` and, if there is one, `test`. Columns: `text` (string), of pairs also
            `text_pair` (string), and `label`: a ClassLabel, a list of 0.0 and 1.0 (one per class), or a float,
            depending on `problem_type`.
        problem_type: The problem type.
        label_names: The names of the classes by id; empty for regression.
        description: What the model card says about the data.
    """

    datasets: DatasetDict
    problem_type: ProblemType
    label_names: tuple[str, ...]
    description: DataDescription


def load_splits(args: DataOptions, hold_out: bool = True) -> Splits:
    """Load the data set that the options name, and hold out a validation split if it has none.

    The held-out rows are drawn by seed from the training rows, stratified by class if every class has enough rows.
    Existing validation and test splits stay as they are. Nothing is held out for a test.

    Args:
        args: The data set and how to read it.
        hold_out: Whether to hold out a validation split if the data set has none.

    Returns:
        The splits with their problem type, classes and description.

    Raises:
        DataError: The options contradict each other, a column is missing, a row can't be used, or something can't be
            downloaded; the message says where and what to do.
        FileError: A local file is missing or malformed.
    """
    _check_arguments(args)
    corpus = read_corpus(args)
    if "train" not in corpus.splits:
        raise DataError(f"{corpus.description.name} has no split 'train', only {quote_list(list(corpus.splits))}.")
    if not args.allow_odd_data:
        refuse_training_file_as_test(corpus.description)
    splits, problem_type, label_names = _encode(corpus, args.problem_type, None, args.on_bad_row == "skip")
    if problem_type is ProblemType.SINGLE_LABEL and not args.allow_odd_data:
        refuse_labels_of_their_own(corpus, splits["train"], label_names)
        refuse_classes_of_one_row(corpus.description.name, splits["train"], label_names)
    if problem_type is ProblemType.SINGLE_LABEL:
        _warn_of_missing_classes(splits["train"], label_names)
    is_file = is_local(args.dataset) and not args.allow_odd_data
    corpus.description = say_repeats(corpus.description, splits, label_names, refuse_shared=is_file)
    if "validation" not in splits and hold_out:
        splits["train"], splits["validation"] = _hold_out(splits["train"], args)
    return _finish(args, corpus, splits, problem_type, label_names)


def load_test_split(
    args: DataOptions, problem_type: str | None, label_names: Sequence[str], trained_on: bool = False
) -> Splits:
    """Load the rows to evaluate a trained model on, with the model's label ids.

    Args:
        args: The data set. A single local file is read whole; of anything else, only the split `test`.
        problem_type: The model's problem type; None if its configuration names none.
        label_names: The names of the model's classes by id. Labels that are whole numbers instead are class ids.
        trained_on: Whether the model was trained with these options. Then a single file holds its training rows, and
            can't test it.

    Returns:
        Splits with `test` alone.

    Raises:
        DataError: As for `load_splits`; or there is no test split; or a label is not one of the model's.
        FileError: A local file is missing or malformed.
    """
    _check_arguments(args)
    corpus = read_corpus(args)
    if "test" in corpus.splits:
        corpus.splits = {"test": corpus.splits["test"]}
        if args.test_file:
            files = tuple(file for file in corpus.description.files if file.split == "test")
            corpus.description = replace(corpus.description, name=Path(args.test_file).name, files=files)
    elif args.is_single_file and not trained_on:
        corpus.splits = {"test": corpus.splits["train"]}
    else:
        raise DataError(
            f"{corpus.description.name} has no split 'test', only {quote_list(list(corpus.splits))}: name a file "
            "with other rows to evaluate on, such as --dataset test.csv."
        )
    encoded = _encode(corpus, problem_type, tuple(label_names), args.on_bad_row == "skip")
    return _finish(args, corpus, *encoded)


def _check_arguments(args: DataOptions) -> None:
    if args.problem_type is not None and args.problem_type not in list(ProblemType):
        raise DataError(f"problem_type is {args.problem_type!r}; it must be {', '.join(ProblemType)}.")
    if not args.validation_size > 0:
        raise DataError(f"validation_size is {args.validation_size}; it has to be above 0.")
    for name in ("max_train_samples", "max_eval_samples", "max_predict_samples"):
        count = getattr(args, name)
        if count is not None and count < 1:
            raise DataError(f"{name} is {count}; it has to be 1 or more.")
    if args.label_columns is not None and (args.label_column or args.label_delimiter):
        raise DataError("label_columns goes without label_column and label_delimiter: leave those out.")
    if args.on_bad_row not in ("error", "skip"):
        raise DataError(f"on_bad_row is {args.on_bad_row!r}; it must be error or skip.")
    if args.label_delimiter == "":
        raise DataError("label_delimiter is empty; leave it out, or name what separates labels, such as '|'.")
    if not is_local(args.dataset) and (args.validation_file or args.test_file):
        raise DataError(f"validation_file and test_file go with local files, not with the data set {args.dataset!r}.")
    if args.dataset in ("nsmc", "sample") or is_local(args.dataset):
        if args.dataset_config:
            raise DataError(f"dataset_config goes with data sets on the Hub, not with {args.dataset!r}.")
        if args.data_dir and args.dataset != "nsmc":
            raise DataError(
                f"data_dir goes with the data set 'nsmc' and with ones on the Hub, not with {args.dataset!r}."
            )


def _encode(
    corpus: Corpus, problem_type: str | None, model_names: tuple[str, ...] | None, skip_bad_rows: bool
) -> tuple[DatasetDict, ProblemType, tuple[str, ...]]:
    """Give every split the columns `text` and `label`; return them with the problem type and the classes."""
    ready_names = _ready_classes(corpus) if problem_type in (None, ProblemType.SINGLE_LABEL) else None
    if ready_names and model_names in (None, ready_names):
        splits = {split: _renamed(cast(DatasetRows, rows)) for split, rows in corpus.splits.items()}
        return DatasetDict(splits), ProblemType.SINGLE_LABEL, ready_names
    scheme = find_scheme(list(corpus.splits.values()), problem_type, model_names, skip_bad_rows=skip_bad_rows)
    are_pairs = all(rows.pair_column is not None for rows in corpus.splits.values())
    texts = {name: datasets.Value("string") for name in TEXTS[: 1 + are_pairs]}
    features = datasets.Features({**texts, "label": scheme.feature})
    encoded = DatasetDict()
    for split, rows in corpus.splits.items():
        files = rows.paths if isinstance(rows, FileRows) else ()
        encoded[split] = generate(_encoded_rows, features, split=split, files=files, rows=rows, scheme=scheme)
    return encoded, scheme.problem_type, scheme.names


def _encoded_rows(rows: Rows, scheme: LabelScheme) -> Iterator[dict[str, Any]]:
    for location, text, label in rows:
        # Bad rows were counted in the first pass.
        if not is_missing(text) and label is not None:
            parts = text if isinstance(text, tuple) else (text,)
            yield dict(zip(TEXTS, parts, strict=False)) | {"label": scheme.encode(label, location)}


def _ready_classes(corpus: Corpus) -> tuple[str, ...] | None:
    """Return the classes if all splits hold text and class ids already, and nothing is missing; else None."""
    found = set()
    for rows in corpus.splits.values():
        if not isinstance(rows, DatasetRows) or not isinstance(rows.label_feature, datasets.ClassLabel):
            return None
        label = rows.dataset.data[rows.labels.columns[0]]
        if len(label) == 0 or label.null_count or pc.min(label).as_py() < 0:
            return None
        for column in filter(None, (rows.text_column, rows.pair_column)):
            if rows.dataset.features[column] != datasets.Value("string") or rows.dataset.data[column].null_count:
                return None
        found.add(rows.class_names)
    return found.pop() if len(found) == 1 else None


def _renamed(rows: DatasetRows) -> datasets.Dataset:
    """Rename the columns, which copies nothing."""
    columns = (*filter(None, (rows.text_column, rows.pair_column)), rows.labels.columns[0])
    dataset = rows.dataset.select_columns(columns)
    names = dict(zip(columns, (*TEXTS[: len(columns) - 1], "label"), strict=True))
    return dataset.rename_columns({old: new for old, new in names.items() if old != new})


def _hold_out(train: datasets.Dataset, args: DataOptions) -> tuple[datasets.Dataset, datasets.Dataset]:
    """Split the training rows into kept and held-out ones, both in their old order."""
    size = args.validation_size
    count = max(1, round(len(train) * size)) if size < 1 else int(size)
    if count >= len(train):
        raise DataError(
            f"{count} of {len(train)} training rows can't be held out for validation: add rows, a smaller "
            "--validation_size, or a --validation_file"
        )
    labels = None
    if isinstance(train.features["label"], datasets.ClassLabel):
        labels = label_ids(train)
        present = np.unique(labels, return_counts=True)[1]
        # One of the two sides would have no row of some class.
        if present.min() < 2 or len(present) > min(count, len(train) - count):
            labels = None
    _, held_out = train_test_split(
        np.arange(len(train)), test_size=count, random_state=args.split_seed, stratify=labels
    )
    is_held_out = np.zeros(len(train), bool)
    is_held_out[held_out] = True
    is_held_out = together(train, is_held_out)
    return train.select(np.flatnonzero(~is_held_out)), train.select(np.flatnonzero(is_held_out))


def _warn_of_missing_classes(train: datasets.Dataset, label_names: Sequence[str]) -> None:
    present = set(label_ids(train))
    if missing := [name for class_id, name in enumerate(label_names) if class_id not in present]:
        logger.warning(f"No training row has the label {quote_list(missing)}, so the model can't learn it.")


def _finish(
    args: DataOptions,
    corpus: Corpus,
    splits: DatasetDict,
    problem_type: ProblemType,
    label_names: tuple[str, ...],
) -> Splits:
    """Draw as many rows as the options say, and describe what is used."""
    notes = list(corpus.description.notes)
    if "validation" in splits and "validation" not in corpus.splits:
        held_out = len(splits["validation"])
        notes.append(
            f"{held_out:,} of the {held_out + len(splits['train']):,} training rows, drawn by seed "
            f"{args.split_seed}, were held out for validation."
        )
    splits = DatasetDict({split: splits[split] for split in ("train", "validation", "test") if split in splits})
    limits = {
        "train": args.max_train_samples,
        "validation": args.max_eval_samples,
        "test": args.max_predict_samples,
    }
    for split in splits:
        limit = limits[split]
        if limit is not None and limit < (total := len(splits[split])):
            # Each split has a generator of its own, so that its rows do not depend on which others are loaded.
            drawn = np.random.default_rng(args.split_seed).choice(total, limit, replace=False)
            splits[split] = splits[split].select(np.sort(drawn))
            notes.append(f"Only {limit:,} of {total:,} {split} rows, drawn by seed {args.split_seed}, were used.")
    description = replace(
        corpus.description, rows={split: len(rows) for split, rows in splits.items()}, notes=tuple(notes)
    )
    return Splits(splits, problem_type, label_names, description)
