"""Rows that teach spacing, made of well-spaced texts: what the spaces were becomes the labels."""

import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import datasets

from .description import DataDescription, DataFile
from .errors import DataError
from .options import TableOptions
from .tagged_texts import FEATURES, Entity, TaggedSplits
from .tagging_options import SpacingDataOptions
from .unlabeled import UnlabeledText, open_unlabeled

WORD = "word"
"""The label of every word, the only entities of this task."""


def load_spacing(options: SpacingDataOptions, tables: TableOptions, seed: int) -> TaggedSplits:
    """Read well-spaced texts, and make rows of them whose spaces are gone or wrong.

    Held-out texts lose all their spaces.

    Args:
        options: Which texts.
        tables: How to read tables.
        seed: Seed of the wrong spaces.

    Raises:
        DataError: There are too few texts.
        FileError: A file is missing or can't be read.
    """
    names = {"train": options.dataset, "validation": options.validation_file, "test": options.test_file}
    found = {
        split: open_unlabeled(name, options.text_column, reading=tables.reading)
        for split, name in names.items()
        if name is not None
    }
    texts = {split: [_one_space(text) for text in text_file] for split, text_file in found.items()}
    notes = ["Its labels are the spaces of the texts; the texts were read without them."]
    if "validation" not in texts:
        held_out = options.held_out(len(texts["train"]))
        random.Random(options.split_seed).shuffle(texts["train"])
        texts = {"train": texts["train"][held_out:], "validation": texts["train"][:held_out]} | {
            split: rows for split, rows in texts.items() if split == "test"
        }
        notes.append(f"{held_out:,} training texts, drawn by seed {options.split_seed}, were held out for validation.")
    limits = {"train": options.max_train_samples, "validation": options.max_eval_samples}
    for split, limit in (limits | {"test": options.max_predict_samples}).items():
        if split in texts and limit is not None and limit < len(texts[split]):
            texts[split] = random.Random(options.split_seed).sample(texts[split], limit)
    if not any(" " in text for text in texts["train"]):
        raise DataError(f"{found['train'].name}: no text has a space, so there is nothing to learn")
    generator = random.Random(seed)
    splits = datasets.DatasetDict(
        {
            split: datasets.Dataset.from_list(
                list(_rows(rows, options.spaced_share if split == "train" else 0, generator)), features=FEATURES
            )
            for split, rows in texts.items()
        }
    )
    return TaggedSplits(splits, (WORD,), _describe(found, splits, notes))


def _describe(found: dict[str, UnlabeledText], splits: datasets.DatasetDict, notes: list[str]) -> DataDescription:
    return DataDescription(
        found["train"].name,
        files=tuple(DataFile.of(split, *map(Path, text.paths)) for split, text in found.items()),
        rows={split: len(rows) for split, rows in splits.items()},
        notes=tuple(notes),
    )


def _one_space(text: str) -> str:
    """Return a text with one space wherever it has white space."""
    return " ".join(text.split())


def _rows(texts: Iterable[str], spaced_share: float, generator: random.Random) -> Iterator[dict[str, Any]]:
    for text in texts:
        keep, insert = (generator.random(), 0.03) if generator.random() < spaced_share else (0.0, 0.0)
        yield spacing_row(text, keep, insert, generator)


def spacing_row(text: str, keep: float, insert: float, generator: random.Random) -> dict[str, Any]:
    """Return a row with a text whose spaces are gone or wrong, and its words as entities.

    Args:
        text: A well-spaced text, with one space between words.
        keep: Probability that a space stays.
        insert: Probability of a wrong space between two characters of a word.
        generator: Draws.
    """
    written: list[str] = []
    entities = []
    for number, word in enumerate(text.split(" ") if text else ()):
        if number and generator.random() < keep:
            written.append(" ")
        start = len(written)
        for place, character in enumerate(word):
            if place and insert and generator.random() < insert:
                written.append(" ")
            written.append(character)
        entities.append(Entity(start, len(written), WORD)._asdict())
    return {"text": "".join(written), "entities": entities}


def words_without_spaces(text: str) -> list[Entity]:
    """Return the words of a text as entities of the text without white space."""
    entities, end = [], 0
    for word in text.split():
        entities.append(Entity(end, end + len(word), WORD))
        end += len(word)
    return entities
