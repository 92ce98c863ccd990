"""From `--dataset` to rows of text and label: NSMC, the sample, local files, or a data set on the Hub."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
from datasets.exceptions import DatasetsError

from oktane.columns import find_column, refuse_table
from oktane.lines import FileError, uncompressed
from oktane.paths import SUFFIXES, find_files
from oktane.readers import open_reader
from oktane.row_reader import ReadOptions
from oktane.text_readers import TxtReader

from .columns import choose_columns
from .description import DataDescription, DataFile
from .errors import DataError
from .label_values import as_flags, read_label, whole_number
from .nsmc import NSMC, OFFICIAL_FILES
from .options import DataOptions, is_local

logger = datasets.logging.get_logger(__name__)

_SPLIT_NAMES = {"train": "train", "validation": "validation", "valid": "validation", "val": "validation"}
_SPLIT_NAMES |= {"dev": "validation", "test": "test"}
_SPLIT_FILE = re.compile(rf"({'|'.join(_SPLIT_NAMES)})([-_.].*)?", re.IGNORECASE)

# The rows that scripts/release/rebuild_training_rows.py writes, so that a model card can name them.
_REBUILT_TRAINING_BLOB_ID = "bf0f6661638873dad50a066802902faf33b285a2"


@dataclass(frozen=True)
class LabelColumns:
    """The columns of the labels: one, or one of 0 and 1 for each class.

    Attributes:
        columns: Their names.
        delimiter: What separates several labels in a field, if something does.
        are_flags: Whether each column holds 0 and 1 for the class that it is named after.
    """

    columns: tuple[str, ...]
    delimiter: str | None = None
    are_flags: bool = False

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes, if columns name them."""
        return self.columns if self.are_flags else None

    def read(self, row: Mapping[str, Any], location: str) -> Any:
        """Return the label of a row (see `read_label`); None if it is missing.

        Raises:
            DataError: A column of flags holds something else than 0 and 1.
        """
        if not self.are_flags:
            label = row.get(self.columns[0])
            read = read_label(label)
            if self.delimiter is None or not isinstance(label, str) or isinstance(read, list):
                return read
            text = label.strip()
            inner = text[1:-1] if text[:1] + text[-1:] in ("[]", "{}", "()") else text
            return [read_label(element) for element in inner.split(self.delimiter) if element.strip()]
        values = [read_label(row.get(column)) for column in self.columns]
        if None in values:
            return None
        flags = as_flags([whole_number(value) if isinstance(value, str) else value for value in values])
        if flags is None:
            wrong = next(column for column, value in zip(self.columns, values, strict=True) if not as_flags([value]))
            raise DataError(f"{location}: the column {wrong!r} holds {row.get(wrong)!r}, not 0 or 1 (--label_columns).")
        return [column for column, flag in zip(self.columns, flags, strict=True) if flag]


@dataclass(frozen=True)
class FileRows:
    """The rows of one split in local files."""

    paths: tuple[str, ...]
    text_column: str
    labels: LabelColumns
    reading: ReadOptions
    pair_column: str | None = None

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes, if columns name them."""
        return self.labels.class_names

    @property
    def name(self) -> str:
        """The paths, for messages."""
        return ", ".join(self.paths)

    def __iter__(self) -> Iterator[tuple[str, Any, Any]]:
        with open_reader(self.paths, self.reading) as reader:
            for row in reader:
                yield reader.location, _texts(row, self), self.labels.read(row, reader.location)


@dataclass(frozen=True)
class DatasetRows:
    """The rows of one split of a `datasets.Dataset`."""

    name: str
    dataset: datasets.Dataset
    text_column: str
    labels: LabelColumns
    pair_column: str | None = None

    @property
    def label_feature(self) -> Any:
        """The type of the labels."""
        return self.dataset.features[self.labels.columns[0]]

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes by id; None if the data set doesn't number them."""
        if self.labels.class_names:
            return self.labels.class_names
        # The feature of the elements, if the labels are lists.
        feature = getattr(self.label_feature, "feature", self.label_feature)
        return tuple(feature.names) if isinstance(feature, datasets.ClassLabel) else None

    def __iter__(self) -> Iterator[tuple[str, Any, Any]]:
        names = None if self.labels.class_names else self.class_names
        number = 0
        texts = [self.text_column] if self.pair_column is None else [self.text_column, self.pair_column]
        columns = self.dataset.select_columns([*texts, *self.labels.columns]).with_format("arrow")
        for table in columns.iter(batch_size=1000):
            for row in table.to_pylist():
                number += 1
                location = f"{self.name}, row {number}"
                label = _named(row[self.labels.columns[0]], names) if names else self.labels.read(row, location)
                yield location, _texts(row, self), label


def _texts(row: Mapping[str, Any], rows: FileRows | DatasetRows) -> Any:
    """Return the text of a row, or the pair of its texts."""
    text = row.get(rows.text_column)
    return text if rows.pair_column is None else (text, row.get(rows.pair_column))


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
    splits: dict[str, FileRows | DatasetRows] = {}
    paths: dict[str, list[Path]] = {}
    if any((path / name).is_file() for name in ("dataset_dict.json", "state.json")):
        saved = datasets.load_from_disk(str(path))
        loaded = saved if isinstance(saved, datasets.DatasetDict) else {"train": saved}
        splits |= _dataset_rows(_by_split(loaded), str(path), args)
    else:
        paths = _split_files(path) if path.is_dir() else {"train": find_files(path)}
    if args.validation_file:
        paths["validation"] = find_files(args.validation_file)
    if args.test_file:
        paths["test"] = find_files(args.test_file)
    for split, files in paths.items():
        splits[split] = _file_rows(files, args)
    files_used = tuple(DataFile.of(split, file) for split, files in paths.items() for file in files)
    return Corpus(splits, DataDescription(path.name, files=files_used))


def _split_files(folder: Path) -> dict[str, list[Path]]:
    paths: dict[str, list[Path]] = {}
    for file in sorted(folder.iterdir()):
        name = uncompressed(file)
        match = _SPLIT_FILE.fullmatch(name.stem)
        if match and SUFFIXES.get(name.suffix.lower(), "txt") != "txt":
            paths.setdefault(_SPLIT_NAMES[match[1].lower()], []).append(file)
    if paths:
        return paths
    if (folder / OFFICIAL_FILES["train"].name).exists():
        raise DataError(f"{folder} holds NSMC's files: read them with --dataset nsmc --data_dir {folder}")
    try:
        return {"train": find_files(folder)}
    except FileError:
        raise DataError(
            f"{folder}: has no file whose name begins with train, validation or test, and no other file that ends in "
            f"{', '.join(suffix for suffix, known in SUFFIXES.items() if known != 'txt')}."
        ) from None


def _file_rows(files: Sequence[Path], args: DataOptions) -> FileRows:
    with open_reader(files, args.reading) as reader:
        if isinstance(reader, TxtReader):
            raise DataError(
                f"{reader.path}: a txt file holds texts without labels. NSMC's own files are read with --dataset nsmc "
                "--data_dir FOLDER; for other files add --input_format tsv or csv."
            )
        refuse_table(reader, "")
        text, labels, pair = _choose(reader.columns, reader.name, args, reader.untyped and args.header is None)
        return FileRows(tuple(map(str, files)), text, labels, args.reading, pair)


def _choose(
    columns: Sequence[str], source: str, args: DataOptions, untyped: bool = False
) -> tuple[str, LabelColumns, str | None]:
    """Choose the columns of the texts, of the labels and, of pairs, of the second texts."""
    pair = None
    if args.text_pair_column is not None:
        pair = find_column(columns, args.text_pair_column, source, "--text_pair_column")
        columns = [column for column in columns if column != pair]
    if args.label_columns is None:
        text, label = choose_columns(columns, source, args.text_column, args.label_column, untyped)
        return text, LabelColumns((label,), args.label_delimiter), pair
    names = [name.strip() for name in args.label_columns.split(",")]
    flags = tuple(find_column(columns, name, source, "--label_columns") for name in names)
    if repeated := [column for column, count in Counter(flags).items() if count > 1]:
        raise DataError(f"{source}: --label_columns names the column {repeated[0]!r} twice.")
    # With the texts' column alone beside them.
    others = [column for column in columns if column not in flags]
    text, _ = choose_columns([*others, flags[0]], source, args.text_column, flags[0], untyped)
    return text, LabelColumns(flags, are_flags=True), pair


def _read_hub(args: DataOptions) -> Corpus:
    try:
        loaded = datasets.load_dataset(args.dataset, args.dataset_config, data_dir=args.data_dir)
    except (DatasetsError, OSError, ValueError, RuntimeError) as error:
        raise DataError(
            f"There is no local file or folder {args.dataset!r}, and the data set of this name on the Hub can't be "
            f"loaded: {error}"
        ) from error
    found = _by_split(loaded)
    rows = _dataset_rows(found, args.dataset, args)
    test = rows.get("test")
    if test and test.class_names and set(test.dataset.unique(test.labels.columns[0])) == {-1}:
        logger.warning(f"The test split of {args.dataset} has no labels, so it is ignored.")
        del rows["test"]
    info = next(iter(found.values())).info
    description = DataDescription(args.dataset, args.dataset, args.dataset_config, info.license or None)
    return Corpus(dict(rows), description)


def _by_split(loaded: Mapping[str, datasets.Dataset]) -> Mapping[str, datasets.Dataset]:
    """Return the splits under the names of `_SPLIT_NAMES`; as they are, if none is named so."""
    return {_SPLIT_NAMES[split]: loaded[split] for split in loaded if split in _SPLIT_NAMES} or loaded


def _dataset_rows(loaded: Mapping[str, datasets.Dataset], name: str, args: DataOptions) -> dict[str, Any]:
    rows = {}
    for split, dataset in loaded.items():
        source = f"{name}, split {split!r}"
        rows[split] = DatasetRows(source, dataset, *_choose(dataset.column_names, source, args))
    return rows
