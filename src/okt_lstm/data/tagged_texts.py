"""Texts whose parts have labels: from tables, CoNLL files or a data set on the Hub to columns of text and entities."""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import datasets
from datasets.exceptions import DatasetsError

from oktane.lines import FileError
from oktane.paths import find_files

from .columns import quote_list
from .description import DataDescription, DataFile
from .errors import DataError
from .options import is_local
from .tagging_options import TaggingDataOptions

logger = logging.getLogger(__name__)

FEATURES = datasets.Features(
    {
        "text": datasets.Value("string"),
        "entities": datasets.List(
            {"start": datasets.Value("int64"), "end": datasets.Value("int64"), "label": datasets.Value("string")}
        ),
    }
)
"""The columns of every split."""

# What datasets' loaders are called, by suffix.
_LOADERS = {".jsonl": "json", ".json": "json", ".ndjson": "json", ".parquet": "parquet", ".arrow": "arrow"}
_CONLL_SUFFIXES = (".conll", ".bio", ".iob", ".iob2", ".tsv", ".txt")
_SPLIT_FILE = re.compile(r"(train|validation|valid|val|dev|test)([-_.].*)?", re.IGNORECASE)
_SPLITS = {"valid": "validation", "val": "validation", "dev": "validation"}


class Entity(NamedTuple):
    """A part of a text that has a label.

    Attributes:
        start: Index of its first character.
        end: Index after its last character.
        label: Its label.
    """

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class TaggedSplits:
    """The splits of a data set of tagged texts.

    Attributes:
        datasets: `train`, `validation` and, where there is one, `test`: rows with `FEATURES`.
        labels: The labels of the training rows' entities, sorted.
        description: What a model card says about the data.
    """

    datasets: datasets.DatasetDict
    labels: tuple[str, ...]
    description: DataDescription


def load_tagged(options: TaggingDataOptions) -> TaggedSplits:
    """Read a data set of tagged texts.

    A row has either `tokens` and `ner_tags` (tags `O`, `B-X` and `I-X`, or ids of a data set that names them), or a
    `text` and its `entities`, each with `start`, `end` and `label`. Tokens that are single characters make a text as
    they are; other tokens are joined by spaces. An `I-X` that follows no `B-X` or `I-X` begins an entity; how many
    there are is said.

    Raises:
        DataError: A row can't be used; the message names it.
        FileError: A file is missing or can't be read.
    """
    files, loaded = _load(options)
    rows: dict[str, datasets.Dataset] = {}
    for split, table in loaded.items():
        source = ", ".join(map(str, files.get(split, ()))) or f"{options.dataset}, split {split!r}"
        rows[split] = _rows(table, source, options)
    if "train" not in rows:
        raise DataError(f"{options.dataset}: has no training rows; its splits are {quote_list(list(rows))}")
    notes = []
    if "validation" not in rows:
        held_out = options.held_out(len(rows["train"]))
        parts = rows["train"].train_test_split(test_size=held_out, seed=options.split_seed)
        rows["train"], rows["validation"] = parts["train"], parts["test"]
        notes.append(f"{held_out:,} training rows, drawn by seed {options.split_seed}, were held out for validation.")
    limits = {"train": options.max_train_samples, "validation": options.max_eval_samples}
    for split, limit in (limits | {"test": options.max_predict_samples}).items():
        if split in rows and limit is not None and limit < len(rows[split]):
            rows[split] = rows[split].shuffle(seed=options.split_seed).select(range(limit))
    labels = tuple(sorted({entity["label"] for row in rows["train"]["entities"] for entity in row}))
    if not labels:
        raise DataError(f"{options.dataset}: no training row has an entity, so there is nothing to learn")
    _refuse_unknown(rows, labels)
    description = DataDescription(
        Path(options.dataset).name,
        hub_id=None if is_local(options.dataset) else options.dataset,
        files=tuple(DataFile.of(split, path) for split, paths in files.items() for path in paths),
        rows={split: len(table) for split, table in rows.items()},
        notes=tuple(notes),
    )
    ordered = {split: rows[split] for split in ("train", "validation", "test") if split in rows}
    return TaggedSplits(datasets.DatasetDict(ordered), labels, description)


def _refuse_unknown(rows: Mapping[str, datasets.Dataset], labels: Sequence[str]) -> None:
    for split, table in rows.items():
        for number, entities in enumerate(table["entities"], 1):
            if strange := {entity["label"] for entity in entities} - set(labels):
                raise DataError(
                    f"row {number} of the {split} split has the label {min(strange)!r}, which no training row has; the "
                    f"labels are {quote_list(labels)}"
                )


# ---- files ----


def _load(options: TaggingDataOptions) -> tuple[dict[str, list[Path]], Mapping[str, datasets.Dataset]]:
    """Return the files of each split, if they are local, and the tables."""
    if not is_local(options.dataset):
        try:
            loaded = datasets.load_dataset(options.dataset, options.dataset_config)
        except (DatasetsError, OSError, ValueError, RuntimeError) as error:
            raise DataError(
                f"There is no local file or folder {options.dataset!r}, and the data set of this name on the Hub can't "
                f"be loaded: {error}"
            ) from error
        return {}, {_SPLITS.get(split, split): table for split, table in loaded.items()}
    path = Path(options.dataset).expanduser()
    files = _split_files(path) if path.is_dir() else {"train": list(find_files(path))}
    for split, name in (("validation", options.validation_file), ("test", options.test_file)):
        if name is not None:
            files[split] = list(find_files(name))
    return files, {split: _load_files(paths, options) for split, paths in files.items()}


def _split_files(folder: Path) -> dict[str, list[Path]]:
    files: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if (match := _SPLIT_FILE.fullmatch(path.stem)) and path.suffix.lower() in (*_LOADERS, *_CONLL_SUFFIXES):
            files.setdefault(_SPLITS.get(match[1].lower(), match[1].lower()), []).append(path)
    if not files:
        raise FileError(
            f"{folder}: has no jsonl, parquet or CoNLL file whose name begins with train, validation or test"
        )
    return files


def _load_files(paths: Sequence[Path], options: TaggingDataOptions) -> datasets.Dataset:
    suffix = paths[0].suffix.lower()
    loader, settings = _LOADERS.get(suffix), {}
    if loader is None:
        if suffix not in _CONLL_SUFFIXES:
            known = ", ".join((*_LOADERS, *_CONLL_SUFFIXES))
            raise FileError(f"{paths[0]}: {suffix or 'no suffix'} is no format of tagged texts; those are {known}")
        loader, settings = "conll", _conll_settings(paths[0], options)
    try:
        return datasets.load_dataset(loader, data_files=[str(path) for path in paths], split="train", **settings)
    except (DatasetsError, OSError, ValueError) as error:
        reason = " ".join(str(error.__cause__ or error).split())
        raise FileError(f"{paths[0]}: can't be read as {loader}: {reason:.300}") from error


def _conll_settings(path: Path, options: TaggingDataOptions) -> dict[str, Any]:
    """Return what datasets' loader has to know of a CoNLL file: its columns, delimiter and comments."""
    comment = None
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.startswith(("## ", "# ")):
                comment = line[: line.index(" ") + 1]
            elif line.strip():
                break
        else:
            raise FileError(f"{path}: holds no tokens")
    delimiter = "\t" if "\t" in line else None
    columns = line.rstrip("\n").split(delimiter)
    if len(columns) < 2:
        raise FileError(f"{path}: {line.strip()!r:.60} has no tag beside its token")
    # The first column holds the tokens and the last one the tags, as in CoNLL-2003 and in KLUE.
    names = [options.tokens_column, *(f"column_{index}" for index in range(2, len(columns))), options.tags_column]
    return {"column_names": names, "delimiter": delimiter, "comment_prefix": comment}


# ---- rows ----


def _rows(table: datasets.Dataset, source: str, options: TaggingDataOptions) -> datasets.Dataset:
    columns = table.column_names
    has_tokens = {options.tokens_column, options.tags_column} <= set(columns)
    if not has_tokens and not {options.text_column, options.entities_column} <= set(columns):
        raise DataError(
            f"{source}: needs the columns {options.tokens_column!r} and {options.tags_column!r}, or "
            f"{options.text_column!r} and {options.entities_column!r}; it has {quote_list(columns)}. Name others with "
            "--tokens_column and --tags_column, or --text_column and --entities_column."
        )
    kept = (
        (options.tokens_column, options.tags_column) if has_tokens else (options.text_column, options.entities_column)
    )
    names = _tag_names(table.features[kept[1]]) if has_tokens else None
    loose = 0
    found: list[dict[str, Any]] = []
    for number, row in enumerate(table.select_columns(list(kept)), 1):
        location = f"{source}, row {number}"
        if has_tokens:
            text, entities, wrong = from_tags(row[kept[0]], _named(row[kept[1]], names, location), location)
            loose += wrong
        else:
            text, entities = from_spans(row[kept[0]], row[kept[1]], location)
        found.append({"text": text, "entities": [entity._asdict() for entity in entities]})
    if not found:
        raise DataError(f"{source}: holds no rows")
    if loose:
        logger.warning(
            f"{source}: {loose:,} tags I-X follow no B-X or I-X; each is read as the beginning of an entity."
        )
    return datasets.Dataset.from_list(found, features=FEATURES)


def _tag_names(feature: Any) -> list[str] | None:
    element = getattr(feature, "feature", feature)
    return list(element.names) if isinstance(element, datasets.ClassLabel) else None


def _named(tags: Any, names: Sequence[str] | None, location: str) -> list[str]:
    if not isinstance(tags, list):
        raise DataError(f"{location}: the tags must be a list, one for each token, not {tags!r:.40}")
    if names is None:
        return tags
    for tag in tags:
        if not isinstance(tag, int) or not 0 <= tag < len(names):
            raise DataError(f"{location}: the tag {tag!r} is outside the set of {len(names)} tags")
    return [names[tag] for tag in tags]


def from_tags(tokens: Any, tags: Sequence[Any], location: str = "row") -> tuple[str, list[Entity], int]:
    """Return the text of tokens, its entities, and how many `I-X` begin one.

    Raises:
        DataError: There are not as many tags as tokens, or one of them is none.
    """
    if not isinstance(tokens, list) or not all(isinstance(token, str) and token for token in tokens):
        raise DataError(f"{location}: the tokens must be a list of texts that are not empty, not {tokens!r:.60}")
    if len(tokens) != len(tags):
        raise DataError(f"{location}: the number of tokens is {len(tokens)}, that of tags {len(tags)}")
    separator = "" if all(len(token) == 1 for token in tokens) else " "
    entities: list[Entity] = []
    loose, end, inside = 0, 0, ""
    for token, tag in zip(tokens, tags, strict=True):
        prefix, _, label = tag.partition("-") if isinstance(tag, str) else ("", "", "")
        if tag != "O" and (prefix not in ("B", "I") or not label):
            raise DataError(f"{location}: the tag {tag!r} is not O, B-LABEL or I-LABEL")
        start, end = end, end + len(token)
        if prefix == "I" and label == inside:
            entities[-1] = entities[-1]._replace(end=end)
        elif tag != "O":
            entities.append(Entity(start, end, label))
            loose += prefix == "I"
        inside = label
        end += len(separator)
    return separator.join(tokens), entities, loose


def from_spans(text: Any, spans: Any, location: str = "row") -> tuple[str, list[Entity]]:
    """Return a text and its entities in order.

    Raises:
        DataError: A span is empty, leaves the text, overlaps another, or has no label; or there is no text.
    """
    if not isinstance(text, str):
        raise DataError(f"{location}: the text is {text!r:.40}; it must be a text")
    entities = []
    for span in spans or ():
        start, end, label = (span.get(name) if isinstance(span, Mapping) else None for name in Entity._fields)
        if type(start) is not int or type(end) is not int or not isinstance(label, str) or not label:
            raise DataError(f"{location}: an entity needs start, end and label, got {span!r:.100}")
        if start >= end:
            raise DataError(f"{location}: the entity {label} from {start} to {end} has no character")
        if not 0 <= start <= end <= len(text):
            raise DataError(
                f"{location}: the entity {label} from {start} to {end} leaves the text of {len(text)} characters"
            )
        if isinstance(span.get("text"), str) and span["text"] != text[start:end]:
            raise DataError(
                f"{location}: the entity from {start} to {end} is {text[start:end]!r}, but says that it is "
                f"{span['text']!r}; start and end count characters"
            )
        entities.append(Entity(start, end, label))
    entities.sort()
    for one, other in pairwise(entities):
        if other.start < one.end:
            raise DataError(
                f"{location}: the entities {one.label} ({one.start} to {one.end}) and {other.label} ({other.start} to "
                f"{other.end}) overlap"
            )
    return text, entities


def character_tags(length: int, entities: Iterable[Any]) -> list[str]:
    """Return the tag of each character of a text: `O`, `B-X` or `I-X`.

    Args:
        length: The number of characters.
        entities: Its entities: `(start, end, label)`, or mappings with these names.
    """
    tags = ["O"] * length
    for entity in entities:
        start, end, label = (entity[name] for name in Entity._fields) if isinstance(entity, Mapping) else entity[:3]
        tags[start:end] = [f"I-{label}"] * (end - start)
        tags[start] = f"B-{label}"
    return tags


def entities_of(tags: Iterable[str], offsets: Iterable[tuple[int, int]]) -> Iterator[tuple[Entity, range]]:
    """Yield the entities of a row's tags, each with its tokens' places in the row.

    An `I-X` that follows no `B-X` or `I-X` begins an entity. Tokens without characters have no part in any.
    """
    current: Entity | None = None
    first = last = 0
    for place, (tag, (start, end)) in enumerate(zip(tags, offsets, strict=True)):
        if start == end:
            continue
        prefix, _, label = tag.partition("-")
        if current is not None and prefix == "I" and label == current.label:
            current, last = current._replace(end=end), place
            continue
        if current is not None:
            yield current, range(first, last + 1)
        current = Entity(start, end, label) if label else None
        first = last = place
    if current is not None:
        yield current, range(first, last + 1)
