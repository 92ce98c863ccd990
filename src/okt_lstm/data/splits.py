"""From `--dataset` to splits that a model can be trained on: columns `text` and `label`, whatever they came from.

A data set is NSMC, the sample that comes with this package, local files, or one of the Hub's. What its labels mean is
told in `labels`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import datasets
import numpy as np
import pyarrow.compute as pc
from datasets.exceptions import DatasetGenerationError, DatasetsError
from sklearn.model_selection import train_test_split

from .files import TEXT_COLUMNS, kind_of, open_reader
from .labels import PROBLEM_TYPES, LabelScheme, ProblemType, Rows, find_scheme, quote_list
from .nsmc import NSMC, OFFICIAL_FILES, DataError, git_blob_id
from .options import DataOptions

logger = datasets.logging.get_logger(__name__)

# Guessed in this order where --label_column is not given, as TEXT_COLUMNS are where --text_column is not.
LABEL_COLUMNS = (
    "label",
    "labels",
    "category",
    "sentiment",
    "class",
    "target",
    "score",
    "라벨",
    "레이블",
    "감정",
    "분류",
)

_SPLIT_NAMES = {"train": "train", "validation": "validation", "valid": "validation", "val": "validation"}
_SPLIT_NAMES |= {"dev": "validation", "test": "test"}
_SPLIT_FILE = re.compile(rf"({'|'.join(_SPLIT_NAMES)})([-_.].*)?\.(csv|tsv|jsonl|ndjson|parquet)", re.IGNORECASE)
_FILE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".txt", ".json", ".xlsx", ".xls")

# The rows that scripts/release/rebuild_training_rows.py writes, so that a model card can name them.
_REBUILT_TRAINING_BLOB_ID = "bf0f6661638873dad50a066802902faf33b285a2"

DATA_ARGUMENTS_NAME = "data_args.json"
"""The file of a trained folder that says which data set it was trained on: the fields of `DataOptions`."""


@dataclass(frozen=True)
class DataFile:
    """A file that rows came from: its split, its name without folders, its size in bytes, its git blob id."""

    split: str
    name: str
    num_bytes: int
    git_blob_id: str

    @classmethod
    def of(cls, split: str, path: Path) -> "DataFile":
        """Describe a file."""
        return cls(split, path.name, path.stat().st_size, git_blob_id(path))


@dataclass(frozen=True)
class DataDescription:
    """What a model card says about the data.

    Attributes:
        name: The data set's name for readers.
        hub_id: Its id on the Hub, or None.
        config: Its configuration there, or None.
        license: Its license as the Hub writes it, or None if unknown.
        files: The files behind it, if they are known.
        rows: How many rows of each split are used.
        notes: Full sentences that a reader of results has to know.
    """

    name: str
    hub_id: str | None = None
    config: str | None = None
    license: str | None = None
    files: tuple[DataFile, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Splits:
    """A data set ready for training.

    Attributes:
        datasets: `train`, `validation` and, where there is one, `test`. Columns: `text` (string) and `label`: a
            ClassLabel, a list of 0.0 and 1.0 (one for each class), or a float, by `problem_type`.
        problem_type: As in the configuration of a model.
        label_names: The classes' names by id; empty for regression.
        description: For the model card.
    """

    datasets: datasets.DatasetDict
    problem_type: ProblemType
    label_names: tuple[str, ...]
    description: DataDescription


def load_splits(args: DataOptions) -> Splits:
    """Load the data set that the arguments name, with a validation split held out of the training rows.

    The held-out rows are drawn by seed, in the classes' proportions where every class has enough rows. Existing
    validation and test splits are left as they are. Nothing is held out for a test: without a test split there is none.

    Args:
        args: The data set and how to read it.

    Returns:
        The splits, the kind of problem, the classes and a description.

    Raises:
        DataError: The arguments contradict each other, a column is missing, a row can't be used, or something can't be
            downloaded; the message says where and what to do.
        FileError: A local file is missing or malformed.
    """
    _check_arguments(args)
    corpus = _read_corpus(args)
    if "train" not in corpus.splits:
        raise DataError(f"{corpus.description.name} has no split 'train', only {quote_list(list(corpus.splits))}.")
    splits, problem_type, label_names = _encode(corpus, args.problem_type, None)
    if problem_type == "single_label_classification":
        _warn_of_missing_classes(splits["train"], label_names)
    if "validation" not in splits:
        splits["train"], splits["validation"] = _hold_out(splits["train"], args)
    return _finish(args, corpus, splits, problem_type, label_names)


def load_test_split(
    args: DataOptions, problem_type: str | None, label_names: Sequence[str], trained_on: bool = False
) -> Splits:
    """Load the rows on which a trained model is to be evaluated, their labels numbered as the model numbers them.

    Args:
        args: The data set. A single local file is read whole; of anything else the split `test` is taken.
        problem_type: The model's; None if its configuration doesn't say.
        label_names: The model's classes by id. Labels that are none of them but whole numbers are taken for ids.
        trained_on: Whether the model was trained with these arguments: then a single file is no test of it.

    Returns:
        Splits that hold `test` only.

    Raises:
        DataError: As `load_splits`; or there is no test split; or a label is none of the model's.
        FileError: A local file is missing or malformed.
    """
    _check_arguments(args)
    corpus = _read_corpus(args)
    if "test" in corpus.splits:
        corpus.splits = {"test": corpus.splits["test"]}
    elif Path(args.dataset).expanduser().is_file() and not trained_on:
        corpus.splits = {"test": corpus.splits["train"]}
    else:
        raise DataError(
            f"{corpus.description.name} has no split 'test', only {quote_list(list(corpus.splits))}: name a file "
            "of other rows to evaluate on, such as --dataset test.csv."
        )
    return _finish(args, corpus, *_encode(corpus, problem_type, tuple(label_names)))


def _check_arguments(args: DataOptions) -> None:
    if args.problem_type is not None and args.problem_type not in PROBLEM_TYPES:
        raise DataError(f"problem_type is {args.problem_type!r}; it can be {', '.join(PROBLEM_TYPES)}.")
    if not args.validation_size > 0:
        raise DataError(f"validation_size is {args.validation_size}; it has to be above 0.")
    for name in ("max_train_samples", "max_eval_samples", "max_predict_samples"):
        count = getattr(args, name)
        if count is not None and count < 1:
            raise DataError(f"{name} is {count}; it has to be 1 or more.")
    if args.label_delimiter == "":
        raise DataError("label_delimiter is empty; leave it out, or name what separates labels, such as '|'.")
    if not _is_local(args.dataset) and (args.validation_file or args.test_file):
        raise DataError(f"validation_file and test_file go with local files, not with the data set {args.dataset!r}.")
    if args.dataset in ("nsmc", "sample") or _is_local(args.dataset):
        if args.dataset_config:
            raise DataError(f"dataset_config goes with data sets on the Hub, not with {args.dataset!r}.")
        if args.data_dir and args.dataset != "nsmc":
            raise DataError(
                f"data_dir goes with the data set 'nsmc' and with ones on the Hub, not with {args.dataset!r}."
            )


def _is_local(dataset: str) -> bool:
    """Tell whether `--dataset` means a path: what exists, and what no id on the Hub looks like."""
    if dataset in ("nsmc", "sample"):
        return False
    return (
        Path(dataset).expanduser().exists()
        or dataset.lower().endswith(_FILE_SUFFIXES)
        or dataset.startswith((".", "~", "/"))
        or dataset.count("/") > 1
        or "\\" in dataset
    )


# Reading: every kind of data set becomes rows of a place, a text and a label


@dataclass(frozen=True)
class _FileRows:
    """The rows of one split in local files."""

    paths: tuple[str, ...]
    stamps: tuple[tuple[int, int], ...]  # sizes and times of change: they make the cache of `datasets` notice changes
    text_column: str
    label_column: str
    label_delimiter: str | None

    class_names = None

    @property
    def name(self) -> str:
        return ", ".join(self.paths)

    @property
    def untyped(self) -> bool:
        return any(kind_of(path) in ("csv", "tsv") for path in self.paths)

    def __iter__(self) -> Iterator[tuple[str, Any, Any]]:
        for path in self.paths:
            with open_reader(path) as reader:
                for number, row in enumerate(reader, start=1):
                    label = _split_label(row.get(self.label_column), self.label_delimiter)
                    yield f"{path}, row {number}", row.get(self.text_column), label


@dataclass(frozen=True)
class _DatasetRows:
    """The rows of one split of a `datasets.Dataset`."""

    name: str
    dataset: datasets.Dataset
    text_column: str
    label_column: str
    label_delimiter: str | None

    untyped = False

    @property
    def label_feature(self) -> Any:
        return self.dataset.features[self.label_column]

    @property
    def class_names(self) -> tuple[str, ...] | None:
        feature = getattr(self.label_feature, "feature", self.label_feature)  # of the elements, if it is a list
        return tuple(feature.names) if isinstance(feature, datasets.ClassLabel) else None

    def __iter__(self) -> Iterator[tuple[str, Any, Any]]:
        names = self.class_names
        number = 0
        columns = self.dataset.select_columns([self.text_column, self.label_column]).with_format("arrow")
        for table in columns.iter(batch_size=1000):
            texts, labels = table[self.text_column].to_pylist(), table[self.label_column].to_pylist()
            for text, label in zip(texts, labels, strict=True):
                number += 1
                named = _named(label, names) if names else _split_label(label, self.label_delimiter)
                yield f"{self.name}, row {number}", text, named


def _split_label(label: Any, delimiter: str | None) -> Any:
    if delimiter is None or not isinstance(label, str):
        return label
    return [element.strip() for element in label.split(delimiter)] if label else []


def _named(label: Any, names: Sequence[str]) -> Any:
    """Replace class ids by their names; -1, which stands for an unknown class, by None."""
    if isinstance(label, list):
        return [_named(element, names) for element in label]
    return None if label is None or label < 0 else names[label]


@dataclass
class _Corpus:
    splits: dict[str, _FileRows | _DatasetRows]
    description: DataDescription


def _read_corpus(args: DataOptions) -> _Corpus:
    if args.dataset in ("nsmc", "sample"):
        return _read_nsmc(args)
    if _is_local(args.dataset):
        return _read_files(args)
    return _read_hub(args)


def _read_nsmc(args: DataOptions) -> _Corpus:
    builder = NSMC(args.dataset, data_dir=args.data_dir)
    builder.download_and_prepare()
    splits = _dataset_rows(builder.as_dataset(), args.dataset, args)
    if args.dataset == "sample":
        note = (
            "The sample that comes with okt-lstm is combined from a few hand-written phrases that all its splits "
            "share: figures measured on it say nothing about real reviews."
        )
        return _Corpus(splits, DataDescription("okt-lstm sample", license="apache-2.0", notes=(note,)))
    # What is downloaded was checked to be the official file.
    files = tuple(DataFile(split, *official) for split, official in OFFICIAL_FILES.items())
    if args.data_dir:
        files = tuple(DataFile.of(split, path) for split, path in builder.local_files().items())
    description = DataDescription("NSMC", "e9t/nsmc", license="cc0-1.0", files=files, notes=tuple(_nsmc_notes(files)))
    return _Corpus(splits, description)


def _nsmc_notes(files: Iterable[DataFile]) -> Iterator[str]:
    for file in files:
        official = OFFICIAL_FILES[file.split]
        what = {"train": "training", "test": "test"}[file.split]
        if file.git_blob_id == official.blob_id:
            yield f"The {what} rows are NSMC's official `{official.name}` (git blob id {official.blob_id})."
            continue
        yield (
            f"The {what} rows are **not** NSMC's official `{official.name}` (git blob id {official.blob_id}): the "
            f"file has git blob id {file.git_blob_id}."
        )
        if file.git_blob_id == _REBUILT_TRAINING_BLOB_ID:
            yield (
                "They were drawn from the corpus's raw reviews by `scripts/release/rebuild_training_rows.py`: reviews "
                "of at most 140 characters without the official test set's, ratings 1 to 4 as negative, 9 and 10 as "
                "positive, and of each label 75,000, drawn with `random.Random(1234)`."
            )


def _read_files(args: DataOptions) -> _Corpus:
    path = Path(args.dataset).expanduser()
    if not path.exists():
        raise DataError(f"{path}: no such file or folder.")
    paths = _split_files(path) if path.is_dir() else {"train": [path]}
    if args.validation_file:
        paths["validation"] = [Path(args.validation_file).expanduser()]
    if args.test_file:
        paths["test"] = [Path(args.test_file).expanduser()]
    splits: dict[str, _FileRows | _DatasetRows] = {}
    for split, files in paths.items():
        columns = [_file_columns(file, args) for file in files]
        if len(set(columns)) > 1:
            raise DataError(f"The files of the split {split!r} name their columns differently: {quote_list(files)}.")
        stamps = tuple((file.stat().st_size, file.stat().st_mtime_ns) for file in files)
        splits[split] = _FileRows(tuple(map(str, files)), stamps, *columns[0], args.label_delimiter)
    files_used = tuple(DataFile.of(split, file) for split, files in paths.items() for file in files)
    return _Corpus(splits, DataDescription(path.name, files=files_used))


def _split_files(folder: Path) -> dict[str, list[Path]]:
    paths: dict[str, list[Path]] = {}
    for file in sorted(folder.iterdir()):
        if match := _SPLIT_FILE.fullmatch(file.name):
            paths.setdefault(_SPLIT_NAMES[match[1].lower()], []).append(file)
    if paths:
        return paths
    if (folder / OFFICIAL_FILES["train"].name).exists():
        raise DataError(f"{folder} holds NSMC's files: read them with --dataset nsmc --data_dir {folder}")
    raise DataError(
        f"{folder}: no file whose name begins with train, validation or test and ends in .csv, .tsv, .jsonl or "
        ".parquet."
    )


def _file_columns(file: Path, args: DataOptions) -> tuple[str, str]:
    with open_reader(file) as reader:
        if file.suffix.lower() == ".txt":
            raise DataError(
                f"{file}: a txt file holds texts without labels. NSMC's own files are read with --dataset nsmc "
                "--data_dir FOLDER; other files whose columns are separated by tabs have to be named .tsv."
            )
        return _choose_columns(reader.columns, str(file), args)


def _read_hub(args: DataOptions) -> _Corpus:
    try:
        loaded = datasets.load_dataset(args.dataset, args.dataset_config, data_dir=args.data_dir)
    except (DatasetsError, OSError, ValueError, RuntimeError) as error:
        raise DataError(
            f"No local file or folder is called {args.dataset!r}, and as a data set on the Hub it can't be loaded: "
            f"{error}"
        ) from error
    found = {_SPLIT_NAMES[split]: loaded[split] for split in loaded if split in _SPLIT_NAMES} or loaded
    rows = _dataset_rows(found, args.dataset, args)
    test = rows.get("test")
    if test and test.class_names and set(test.dataset.unique(test.label_column)) == {-1}:
        logger.warning(f"The test split of {args.dataset} keeps its labels secret: it is left out.")
        del rows["test"]
    info = next(iter(found.values())).info
    description = DataDescription(args.dataset, args.dataset, args.dataset_config, info.license or None)
    return _Corpus(dict(rows), description)


def _dataset_rows(loaded: Mapping[str, datasets.Dataset], name: str, args: DataOptions) -> dict[str, Any]:
    rows = {}
    for split, dataset in loaded.items():
        where = f"{name}, split {split!r}"
        rows[split] = _DatasetRows(
            where, dataset, *_choose_columns(dataset.column_names, where, args), args.label_delimiter
        )
    return rows


def _choose_columns(columns: Sequence[str], where: str, args: DataOptions) -> tuple[str, str]:
    text = _choose_column(columns, args.text_column, TEXT_COLUMNS, where)
    label = _choose_column(columns, args.label_column, LABEL_COLUMNS, where)
    # The other one of two is clear, unless it numbers the rows.
    if len(columns) == 2 and (text is None) != (label is None) and "id" not in map(str.lower, columns):
        text = text or next(column for column in columns if column != label)
        label = label or next(column for column in columns if column != text)
    for column, what, flag in ((text, "texts", "--text_column"), (label, "labels", "--label_column")):
        if column is None:
            raise DataError(
                f"{where}: which of the columns {quote_list(columns)} holds the {what}? Name it with {flag}."
            )
    if text == label:
        raise DataError(f"{where}: the column {text!r} can't hold both the texts and the labels.")
    return str(text), str(label)


def _choose_column(columns: Sequence[str], given: str | None, usual: Sequence[str], where: str) -> str | None:
    if given is not None:
        if given not in columns:
            raise DataError(f"{where}: no column {given!r}; the columns are {quote_list(columns)}.")
        return given
    return next((column for name in usual for column in columns if column.lower() == name), None)


def _encode(
    corpus: _Corpus, problem_type: str | None, model_names: tuple[str, ...] | None
) -> tuple[datasets.DatasetDict, ProblemType, tuple[str, ...]]:
    """Give every split the columns `text` and `label`; return them with the kind of problem and the classes."""
    ready_names = _ready_classes(corpus) if problem_type in (None, "single_label_classification") else None
    if ready_names and model_names in (None, ready_names):
        splits = {split: _renamed(cast(_DatasetRows, rows)) for split, rows in corpus.splits.items()}
        return datasets.DatasetDict(splits), "single_label_classification", ready_names
    scheme = find_scheme(list(corpus.splits.values()), problem_type, model_names)
    features = datasets.Features({"text": datasets.Value("string"), "label": scheme.feature})
    encoded = datasets.DatasetDict()
    for split, rows in corpus.splits.items():
        encoded[split] = generate(_encoded_rows, features, split=split, rows=rows, scheme=scheme)
    return encoded, scheme.problem_type, scheme.names


def generate(
    generator: Callable[..., Iterator[dict[str, Any]]], features: datasets.Features, split: str = "train", **inputs: Any
) -> datasets.Dataset:
    """Keep what a generator gives in a file of the `datasets` cache, where the same inputs find it again.

    Args:
        generator: Gives the rows.
        features: Their columns.
        split: The split's name.
        **inputs: What the generator is called with.

    Raises:
        OSError: As the generator.
        ValueError: As the generator.
    """
    try:
        return datasets.Dataset.from_generator(generator, features, gen_kwargs=inputs, split=split)
    except DatasetGenerationError as error:
        if isinstance(error.__cause__, OSError | ValueError):  # it says what is wrong
            raise error.__cause__ from None
        raise


def _encoded_rows(rows: Rows, scheme: LabelScheme) -> Iterator[dict[str, Any]]:
    for place, text, label in rows:
        yield {"text": text, "label": scheme.encode(label, place)}


def _ready_classes(corpus: _Corpus) -> tuple[str, ...] | None:
    """Return the classes if all splits are text with class ids already, and nothing is missing; else None."""
    found = set()
    for rows in corpus.splits.values():
        if not isinstance(rows, _DatasetRows) or not isinstance(rows.label_feature, datasets.ClassLabel):
            return None
        text, label = rows.dataset.data[rows.text_column], rows.dataset.data[rows.label_column]
        is_text = rows.dataset.features[rows.text_column] == datasets.Value("string")
        if not is_text or len(label) == 0 or text.null_count or label.null_count or pc.min(label).as_py() < 0:
            return None
        found.add(rows.class_names)
    return found.pop() if len(found) == 1 else None


def _renamed(rows: _DatasetRows) -> datasets.Dataset:
    """Rename the columns, which copies nothing."""
    dataset = rows.dataset.select_columns([rows.text_column, rows.label_column])
    names = {rows.text_column: "text", rows.label_column: "label"}
    return dataset.rename_columns({old: new for old, new in names.items() if old != new})


# Splitting


def _hold_out(train: datasets.Dataset, args: DataOptions) -> tuple[datasets.Dataset, datasets.Dataset]:
    """Split training rows into those kept and those held out, both in their old order."""
    size = args.validation_size
    count = max(1, round(len(train) * size)) if size < 1 else int(size)
    if count >= len(train):
        raise DataError(
            f"Of {len(train)} training rows {count} can't be held out for validation: give more rows, a smaller "
            "--validation_size, or a --validation_file"
        )
    labels = None
    if isinstance(train.features["label"], datasets.ClassLabel):
        labels = _labels(train)
        present = np.unique(labels, return_counts=True)[1]
        if present.min() < 2 or len(present) > min(count, len(train) - count):  # no row of some class for either side
            labels = None
    kept, held_out = train_test_split(
        np.arange(len(train)), test_size=count, random_state=args.split_seed, stratify=labels
    )
    return train.select(np.sort(kept)), train.select(np.sort(held_out))


def _labels(dataset: datasets.Dataset) -> np.ndarray:
    """Return the labels as an array of shape (rows,), without reading the texts."""
    return dataset.select_columns("label").with_format("numpy")[:]["label"]


def _warn_of_missing_classes(train: datasets.Dataset, label_names: Sequence[str]) -> None:
    present = set(_labels(train))
    if missing := [name for class_id, name in enumerate(label_names) if class_id not in present]:
        logger.warning(f"No training row has the label {quote_list(missing)}: the model can't learn it.")


def _finish(
    args: DataOptions,
    corpus: _Corpus,
    splits: datasets.DatasetDict,
    problem_type: ProblemType,
    label_names: tuple[str, ...],
) -> Splits:
    """Draw the rows that are asked for, and describe what is used."""
    notes = list(corpus.description.notes)
    if "validation" in splits and "validation" not in corpus.splits:
        held_out = len(splits["validation"])
        notes.append(
            f"{held_out:,} of the {held_out + len(splits['train']):,} training rows, drawn by seed "
            f"{args.split_seed}, were held out for validation."
        )
    splits = datasets.DatasetDict(
        {split: splits[split] for split in ("train", "validation", "test") if split in splits}
    )
    limits = {
        "train": args.max_train_samples,
        "validation": args.max_eval_samples,
        "test": args.max_predict_samples,
    }
    for split in splits:
        limit = limits[split]
        if limit is not None and limit < (total := len(splits[split])):
            # By a generator of its own, so that the rows of one split do not depend on which others are loaded.
            drawn = np.random.default_rng(args.split_seed).choice(total, limit, replace=False)
            splits[split] = splits[split].select(np.sort(drawn))
            notes.append(f"Only {limit:,} of {total:,} {split} rows, drawn by seed {args.split_seed}, were used.")
    description = replace(
        corpus.description, rows={split: len(rows) for split, rows in splits.items()}, notes=tuple(notes)
    )
    return Splits(splits, problem_type, label_names, description)
