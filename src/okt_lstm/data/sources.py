"""From `--dataset` to rows of text and label: NSMC, the sample, local files, or a data set on the Hub."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
from datasets.exceptions import DatasetsError

from oktane.lines import uncompressed
from oktane.readers import file_format, open_reader

from .columns import choose_columns, quote_list
from .description import DataDescription, DataFile
from .errors import DataError
from .nsmc import NSMC, OFFICIAL_FILES
from .options import DataOptions, is_local

logger = datasets.logging.get_logger(__name__)

_SPLIT_NAMES = {"train": "train", "validation": "validation", "valid": "validation", "val": "validation"}
_SPLIT_NAMES |= {"dev": "validation", "test": "test"}
_SPLIT_FILE = re.compile(rf"({'|'.join(_SPLIT_NAMES)})([-_.].*)?\.(csv|tsv|jsonl|ndjson|parquet)", re.IGNORECASE)

# The rows that scripts/release/rebuild_training_rows.py writes, so that a model card can name them.
_REBUILT_TRAINING_BLOB_ID = "bf0f6661638873dad50a066802902faf33b285a2"


@dataclass(frozen=True)
class FileRows:
    """The rows of one split in local files."""

    paths: tuple[str, ...]
    text_column: str
    label_column: str
    label_delimiter: str | None

    class_names = None

    @property
    def name(self) -> str:
        """The paths, for messages."""
        return ", ".join(self.paths)

    @property
    def untyped(self) -> bool:
        """Whether numbers are written as text."""
        return any(file_format(path) in ("csv", "tsv") for path in self.paths)

    def __iter__(self) -> Iterator[tuple[str, Any, Any]]:
        for path in self.paths:
            with open_reader(path) as reader:
                for number, row in enumerate(reader, start=1):
                    label = _split_label(row.get(self.label_column), self.label_delimiter)
                    yield f"{path}, row {number}", row.get(self.text_column), label


@dataclass(frozen=True)
class DatasetRows:
    """The rows of one split of a `datasets.Dataset`."""

    name: str
    dataset: datasets.Dataset
    text_column: str
    label_column: str
    label_delimiter: str | None

    untyped = False

    @property
    def label_feature(self) -> Any:
        """The type of the labels."""
        return self.dataset.features[self.label_column]

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes by id; None if the data set doesn't number them."""
        # The feature of the elements, if the labels are lists.
        feature = getattr(self.label_feature, "feature", self.label_feature)
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
class Corpus:
    """The rows of each split of a data set, and what a model card says about it."""

    splits: dict[str, FileRows | DatasetRows]
    description: DataDescription


def read_corpus(args: DataOptions) -> Corpus:
    """Open the data set that the options name.

    Raises:
        DataError: A column is missing or unclear, or something can't be downloaded.
        FileError: A local file is missing or malformed.
    """
    if args.dataset in ("nsmc", "sample"):
        return _read_nsmc(args)
    if is_local(args.dataset):
        return _read_files(args)
    return _read_hub(args)


def _read_nsmc(args: DataOptions) -> Corpus:
    builder = NSMC(args.dataset, data_dir=args.data_dir)
    builder.download_and_prepare()
    splits = _dataset_rows(builder.as_dataset(), args.dataset, args)
    if args.dataset == "sample":
        note = (
            "The sample that comes with okt-lstm combines a few hand-written phrases that all its splits share: "
            "figures measured on it say nothing about real reviews."
        )
        return Corpus(splits, DataDescription("okt-lstm sample", license="apache-2.0", notes=(note,)))
    # Downloaded files were checked to be the official ones.
    files = tuple(DataFile(split, *official) for split, official in OFFICIAL_FILES.items())
    if args.data_dir:
        files = tuple(DataFile.of(split, path) for split, path in builder.local_files().items())
    description = DataDescription("NSMC", "e9t/nsmc", license="cc0-1.0", files=files, notes=tuple(_nsmc_notes(files)))
    return Corpus(splits, description)


def _nsmc_notes(files: Iterable[DataFile]) -> Iterator[str]:
    for file in files:
        official = OFFICIAL_FILES[file.split]
        rows = {"train": "training", "test": "test"}[file.split]
        if file.git_blob_id == official.blob_id:
            yield f"The {rows} rows are NSMC's official `{official.name}` (git blob id {official.blob_id})."
            continue
        yield (
            f"The {rows} rows are **not** NSMC's official `{official.name}` (git blob id {official.blob_id}): the "
            f"file has git blob id {file.git_blob_id}."
        )
        if file.git_blob_id == _REBUILT_TRAINING_BLOB_ID:
            yield (
                "They were drawn from the corpus's raw reviews by `scripts/release/rebuild_training_rows.py`: reviews "
                "of at most 140 characters without the official test set's, ratings 1 to 4 as negative, 9 and 10 as "
                "positive, and of each label 75,000, drawn with `random.Random(1234)`."
            )


def _read_files(args: DataOptions) -> Corpus:
    path = Path(args.dataset).expanduser()
    if not path.exists():
        raise DataError(f"{path}: no such file or folder.")
    paths = _split_files(path) if path.is_dir() else {"train": [path]}
    if args.validation_file:
        paths["validation"] = [Path(args.validation_file).expanduser()]
    if args.test_file:
        paths["test"] = [Path(args.test_file).expanduser()]
    splits: dict[str, FileRows | DatasetRows] = {}
    for split, files in paths.items():
        columns = [_file_columns(file, args) for file in files]
        if len(set(columns)) > 1:
            raise DataError(f"The files of the split {split!r} have different columns: {quote_list(files)}.")
        splits[split] = FileRows(tuple(map(str, files)), *columns[0], args.label_delimiter)
    files_used = tuple(DataFile.of(split, file) for split, files in paths.items() for file in files)
    return Corpus(splits, DataDescription(path.name, files=files_used))


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
        f"{folder}: has no file whose name begins with train, validation or test and ends in .csv, .tsv, .jsonl or "
        ".parquet."
    )


def _file_columns(file: Path, args: DataOptions) -> tuple[str, str]:
    with open_reader(file) as reader:
        if file_format(uncompressed(file)) == "txt":
            raise DataError(
                f"{file}: a txt file holds texts without labels. NSMC's own files are read with --dataset nsmc "
                "--data_dir FOLDER; rename other files to .tsv if tabs separate their columns."
            )
        return choose_columns(reader.columns, str(file), args.text_column, args.label_column)


def _read_hub(args: DataOptions) -> Corpus:
    try:
        loaded = datasets.load_dataset(args.dataset, args.dataset_config, data_dir=args.data_dir)
    except (DatasetsError, OSError, ValueError, RuntimeError) as error:
        raise DataError(
            f"There is no local file or folder {args.dataset!r}, and the data set of this name on the Hub can't be "
            f"loaded: {error}"
        ) from error
    found = {_SPLIT_NAMES[split]: loaded[split] for split in loaded if split in _SPLIT_NAMES} or loaded
    rows = _dataset_rows(found, args.dataset, args)
    test = rows.get("test")
    if test and test.class_names and set(test.dataset.unique(test.label_column)) == {-1}:
        logger.warning(f"The test split of {args.dataset} has no labels, so it is ignored.")
        del rows["test"]
    info = next(iter(found.values())).info
    description = DataDescription(args.dataset, args.dataset, args.dataset_config, info.license or None)
    return Corpus(dict(rows), description)


def _dataset_rows(loaded: Mapping[str, datasets.Dataset], name: str, args: DataOptions) -> dict[str, Any]:
    rows = {}
    for split, dataset in loaded.items():
        source = f"{name}, split {split!r}"
        columns = choose_columns(dataset.column_names, source, args.text_column, args.label_column)
        rows[split] = DatasetRows(source, dataset, *columns, args.label_delimiter)
    return rows
