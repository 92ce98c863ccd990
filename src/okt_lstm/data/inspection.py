"""What a table holds, and what `train` would do with it: read in one pass, without torch."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import datasets
import numpy as np

from oktane import Okt
from oktane.columns import TEXT_COLUMNS, find_usual
from oktane.encodings import detect_encoding
from oktane.hangul import compose_hangul
from oktane.lines import counted, decompress
from oktane.paths import find_files
from oktane.problem_type import ProblemType
from oktane.readers import READERS, open_reader
from oktane.row_reader import RowReader

from .bad_rows import is_missing
from .columns import quote_list
from .errors import DataError
from .label_values import without_fraction
from .labels import LabelScheme, alike_names, find_scheme
from .odd_data import refuse_classes_of_one_row, refuse_labels_of_their_own
from .options import DataOptions, is_local
from .repeats import Repeats, find_repeats
from .sources import Corpus, DatasetRows, FileRows, LabelColumns, read_corpus

# Texts whose morphemes are looked up one by one: the share of unknown ones needs no more.
_SAMPLED_TEXTS = 20_000
_TEXTS_AT_A_TIME = 1000
_EXAMPLE_ROWS = 1000
_WITH_FRACTION = "whole numbers with a fraction, such as 1.0"
_QUANTILES = (0.5, 0.9, 0.99, 1.0)


@dataclass(frozen=True)
class Column:
    """A column of a file, as its first rows show it.

    Attributes:
        name: Its name.
        example: Its first value that is not blank.
        distinct: How many different values the first rows have.
        blank: How many of them are blank or null.
    """

    name: str
    example: str
    distinct: int
    blank: int


@dataclass
class Inspection:
    """What a table holds.

    Attributes:
        name: The data set's name.
        files: Its files.
        format: Their format.
        encoding: The encoding of text.
        separator: What separates the fields of a csv file.
        columns: The columns.
        text_column: The likely column of the texts.
        label_columns: The likely columns of the labels.
        rows: The number of rows, by split.
        null_texts: The training rows without a text.
        blank_labels: The training rows without a label.
        odd_labels: What is odd about labels, each with its number of rows.
        problem_type: What `train` would learn.
        classes: The number of training rows by class, the most frequent first.
        characters: The lengths of texts in characters: the median, the longest of 90 % and of 99 %, and the longest.
        tokens: The same in Okt's morphemes.
        cut: The texts that are longer than `max_length` tokens.
        max_length: The default of `train --max_length`.
        unknown_morphemes: The share of morphemes that are in no list of Okt.
        repeats: Exact duplicates, conflicts and blank texts.
        verdict: What `train` would do, or why it would refuse.
        character_lengths: The length of each text, for the histogram.
    """

    name: str
    files: list[str] = field(default_factory=list)
    format: str | None = None
    encoding: str | None = None
    separator: str | None = None
    columns: list[Column] = field(default_factory=list)
    text_column: str | None = None
    label_columns: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    null_texts: int = 0
    blank_labels: int = 0
    odd_labels: dict[str, int] = field(default_factory=dict)
    problem_type: str | None = None
    classes: dict[str, int] = field(default_factory=dict)
    characters: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    cut: int = 0
    max_length: int = 128
    unknown_morphemes: float = 0.0
    repeats: Repeats | None = None
    verdict: str = ""
    character_lengths: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def to_json(self) -> dict[str, Any]:
        """Return all of it but the length of each text, as plain values."""
        found = asdict(self)
        del found["character_lengths"]
        return found


@dataclass(frozen=True)
class _Row:
    """A row with its place, and its label as it stands there and as it was meant."""

    location: str
    text: Any
    raw_label: Any
    label: Any


@dataclass(frozen=True)
class _RowsInMemory:
    """Rows that were read, as `find_scheme` takes them."""

    name: str
    text_column: str
    class_names: tuple[str, ...] | None
    rows: Sequence[_Row]
    pair_column: str | None = None

    def __iter__(self) -> Iterator[tuple[str, Any, Any]]:
        return ((row.location, row.text, row.label) for row in self.rows)


def inspect_data(args: DataOptions) -> Inspection:
    """Read a data set, and say what it holds.

    Args:
        args: The data set and how to read it, as for `train`.

    Raises:
        DataError: It is no local file, and can't be loaded.
        FileError: A file is missing, or can't be read.
    """
    found = Inspection(args.dataset)
    is_folder = Path(args.dataset).expanduser().is_dir()
    if is_local(args.dataset) and not is_folder:
        _inspect_file(args, found)
    try:
        corpus = read_corpus(args)
    except DataError as error:
        if found.text_column is None:
            raise
        # A table of texts alone can be inspected, too.
        found.verdict = f"train would refuse it: {error}"
        rows = FileRows(tuple(found.files), found.text_column, LabelColumns((found.text_column,)), args.reading)
        texts = [text for _, text, _ in rows]
        found.rows["train"], found.null_texts = len(texts), sum(map(is_missing, texts))
        _inspect_texts([text for text in texts if isinstance(text, str)], found)
        return found
    found.name = corpus.description.name
    found.files = found.files or [file.name for file in corpus.description.files]
    split, first = next(iter(corpus.splits.items()))
    found.text_column, found.label_columns = first.text_column, list(first.labels.columns)
    found.rows = {name: sum(1 for _ in rows) for name, rows in corpus.splits.items() if name != split}
    rows_of_split = list(_raw_rows(first))
    found.rows = {split: len(rows_of_split), **found.rows}
    found.null_texts = sum(is_missing(row.text) for row in rows_of_split)
    found.blank_labels = sum(row.label is None for row in rows_of_split)
    found.odd_labels = _odd_labels(rows_of_split)
    _inspect_texts([row.text for row in rows_of_split if isinstance(row.text, str)], found)
    _inspect_labels(args, corpus, _RowsInMemory(first.name, first.text_column, first.class_names, rows_of_split), found)
    return found


def _inspect_file(args: DataOptions, found: Inspection) -> None:
    """Find out what kind of file it is, and what its columns are."""
    paths = find_files(args.dataset)
    found.files = [str(path) for path in paths]
    with open_reader(paths, args.reading) as reader:
        # Several files are read by one reader after the other.
        inner = getattr(reader, "_reader", reader)
        found.format = next(name for name, kind in READERS.items() if type(inner) is kind)
        found.separator = getattr(inner, "separator", None)
        found.columns = list(_columns(reader))
        texts = reader.columns[:1] if len(reader.columns) == 1 else [find_usual(reader.columns, TEXT_COLUMNS)]
        found.text_column = args.text_column or texts[0]
    if found.format in ("txt", "tsv", "csv", "json", "jsonl"):
        with paths[0].open("rb") as file:
            found.encoding = args.encoding or detect_encoding(decompress(file, paths[0]), str(paths[0]))


def _columns(reader: RowReader) -> Iterator[Column]:
    rows = list(islice(reader, _EXAMPLE_ROWS))
    for name in reader.columns:
        values = [row.get(name) for row in rows]
        filled = [str(value) for value in values if value is not None and str(value).strip()]
        yield Column(name, filled[0] if filled else "", len(set(filled)), len(values) - len(filled))


def _raw_rows(rows: FileRows | DatasetRows) -> Iterator[_Row]:
    if isinstance(rows, DatasetRows):
        yield from (_Row(location, text, label, label) for location, text, label in rows)
        return
    with open_reader(rows.paths, rows.reading) as reader:
        for row in reader:
            label = rows.labels.read(row, reader.location)
            yield _Row(reader.location, row.get(rows.text_column), row.get(rows.labels.columns[0]), label)


def _odd_labels(rows: Sequence[_Row]) -> dict[str, int]:
    """Count what is odd about labels, although `train` reads them as they were meant."""
    odd: Counter[str] = Counter()
    for row in rows:
        raw = row.raw_label
        if isinstance(raw, str) and row.label is not None:
            odd["with blanks around them"] += raw != raw.strip()
            odd["with decomposed Hangul"] += compose_hangul([raw])[0][0] != raw
            odd["lists written as text"] += isinstance(row.label, list) and raw.strip()[:1] in ("[", "(", "{")
        odd[_WITH_FRACTION] += is_whole_with_fraction(raw)
    names = Counter(row.label for row in rows if isinstance(row.label, str))
    alike = alike_names(names)
    found = {what: count for what, count in odd.items() if count}
    for same in alike[:10]:
        found[f"that differ in blanks or case only: {quote_list(same)}"] = sum(names[name] for name in same)
    return found


def is_whole_with_fraction(label: Any) -> bool:
    """Return whether a label is a whole number that is written as 1.0."""
    if isinstance(label, float):
        return label.is_integer()
    return isinstance(label, str) and without_fraction(label.strip()) != label.strip()


def _inspect_texts(texts: Sequence[str], found: Inspection) -> None:
    """Measure the texts."""
    if not texts:
        return
    okt = Okt(threads=1)
    lengths = []
    for start in range(0, len(texts), _TEXTS_AT_A_TIME):
        splits = okt.encode_batch(texts[start : start + _TEXTS_AT_A_TIME], compose=True).row_splits
        lengths.append(np.diff(np.asarray(splits)))
    tokens = np.concatenate(lengths)
    found.character_lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    found.characters = [int(value) for value in np.quantile(found.character_lengths, _QUANTILES)]
    found.tokens = [int(value) for value in np.quantile(tokens, _QUANTILES)]
    found.cut = int((tokens > found.max_length).sum())
    step = max(1, len(texts) // _SAMPLED_TEXTS)
    sample, _ = compose_hangul(list(texts[::step]))
    morphemes = [morpheme for row in okt.tokenize_batch(sample) for morpheme in row]
    unknown = sum(morpheme.unknown or morpheme.pos == "Foreign" for morpheme in morphemes)
    found.unknown_morphemes = unknown / max(1, len(morphemes))


def _inspect_labels(args: DataOptions, corpus: Corpus, rows: _RowsInMemory, found: Inspection) -> None:
    """Find out what `train` would learn, or why it would refuse to."""
    usable = [row for row in rows.rows if isinstance(row.text, str) and row.label is not None]
    try:
        # As `train` does: rows that lack something are an error, unless they are to be skipped.
        find_scheme([rows], args.problem_type, skip_bad_rows=args.on_bad_row == "skip")
    except DataError as error:
        found.verdict = f"train would refuse it: {error}"
    try:
        scheme = find_scheme([replace(rows, rows=usable)], args.problem_type)
    except DataError:
        return
    found.problem_type = scheme.problem_type.value
    if scheme.problem_type is ProblemType.REGRESSION:
        found.odd_labels.pop(_WITH_FRACTION, None)
    features = datasets.Features({"text": datasets.Value("string"), "label": scheme.feature})
    encoded = [scheme.encode(row.label, row.location) for row in usable]
    table = datasets.Dataset.from_dict({"text": [row.text for row in usable], "label": encoded}, features)
    found.repeats = find_repeats(table, scheme.names)
    found.classes = _class_counts(scheme, encoded)
    if found.verdict:
        return
    try:
        if scheme.problem_type is ProblemType.SINGLE_LABEL and not args.allow_odd_data:
            refuse_labels_of_their_own(corpus, table, scheme.names)
            refuse_classes_of_one_row(corpus.description.name, table, scheme.names)
    except DataError as error:
        found.verdict = f"train would refuse it: {error}"
        return
    what = "a number" if not scheme.names else f"{len(scheme.names)} classes"
    found.verdict = f"train would learn {what} ({found.problem_type}) from {counted(len(table), 'row')}"
    if "validation" not in corpus.splits:
        found.verdict += ", of which it holds out some for validation"
    if "test" not in corpus.splits:
        found.verdict += "; there is no test split"


def _class_counts(scheme: LabelScheme, encoded: Sequence[Any]) -> dict[str, int]:
    """Return the number of rows of each class, the most frequent first."""
    if scheme.problem_type is ProblemType.MULTI_LABEL:
        counts = np.sum(encoded, axis=0).astype(int).tolist()
    else:
        counts = [0] * len(scheme.names)
        for class_id in encoded if scheme.names else ():
            counts[class_id] += 1
    return dict(sorted(zip(scheme.names, counts, strict=True), key=lambda pair: -pair[1]))
