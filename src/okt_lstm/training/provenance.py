"""What a model learned from beside its labeled rows, for its card: texts without labels, vectors, and teachers."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from ..data.description import DataDescription, DataFile
from ..data.unlabeled import UnlabeledText
from ..hub import model_file
from .options import TransferOptions

PRETRAINING_NAME = "pretraining.json"
"""The file that tells what a language model learned, beside it and beside every model that started from it."""
LEARNED_FROM = "learned_from"
"""The name, in the metadata of a safetensors file of vectors, of the file of texts that they were learned from."""

# Of what vectors and language models learn from; from what teachers label, such texts are left out.
_SEEN = "without labels, those texts included that the labeled rows have as well"


def as_record(file: DataFile) -> dict[str, Any]:
    """What is written down of a file: its `name`, `num_bytes` and `git_blob_id`."""
    return {name: value for name, value in asdict(file).items() if name != "split"}


def read_pretraining(model: str) -> dict[str, Any] | None:
    """What `okt-lstm pretrain` wrote down of the language model that a model is, or started from; None if nothing.

    Args:
        model: A folder or a Hub id.

    Raises:
        LoadError: If there is no such model.
    """
    path = model_file(model, PRETRAINING_NAME, None, None)
    return None if path is None else json.loads(path.read_text("utf-8"))


def with_transfer(
    data: DataDescription,
    transfer: TransferOptions,
    unlabeled: UnlabeledText | None,
    unlabeled_texts: int,
    coverage: object = None,
) -> DataDescription:
    """Add to a description of labeled data what else a model learned from.

    Args:
        data: The labeled data.
        transfer: What the model started from, and its teachers.
        unlabeled: The texts that its teachers gave labels to, if any.
        unlabeled_texts: How many.
        coverage: How much of the vocabulary the vectors cover, if the model started from vectors.

    Returns:
        The description with the files and sentences of all of these.
    """
    files = list(data.files)
    notes = list(data.notes)
    if transfer.pretrained:
        notes.append(f"The network started from `{short(transfer.pretrained)}`.")
        for file, sentence in _pretraining(transfer.pretrained, "It was"):
            files.append(file)
            notes.append(sentence)
    if transfer.embeddings:
        path = Path(transfer.embeddings)
        files.append(DataFile.of("vectors", path))
        notes.append(f"The embeddings started from the vectors of `{path.name}`: {coverage}.")
        if (source := _source_of_vectors(path)) is not None:
            files.append(source)
            notes.append(f"These were learned from the texts of `{source.name}`, {_SEEN}.")
    if transfer.teacher:
        names = [short(name) for name in transfer.teacher]
        teachers = f"{len(names)} teachers ({', '.join(f'`{name}`' for name in names)})"
        texts = "the training rows"
        if unlabeled is not None:
            files.append(unlabeled.file)
            texts += f" and to {unlabeled_texts:,} texts without labels, of `{unlabeled.file.name}`"
        notes.append(
            f"It learned the mean answer of {teachers if len(names) > 1 else f'the teacher `{names[0]}`'} to {texts}. "
            f"In the answer to a training row, the row's own label has a weight of {1 - transfer.teacher_weight:.4g}."
        )
        for name in transfer.teacher:
            for file, sentence in _pretraining(name, f"The teacher `{short(name)}` was"):
                files.append(file)
                notes.append(sentence)
    return replace(data, files=tuple(dict.fromkeys(files)), notes=tuple(notes))


def short(name: str) -> str:
    """A model's id, or its folder's name: where a folder is, is nobody else's business."""
    path = Path(name).expanduser()
    return path.resolve().name if path.exists() else name


def _pretraining(model: str, subject: str) -> Iterator[tuple[DataFile, str]]:
    """The file that a model's encoder learned from as a language model, if it was one, and a sentence about it."""
    record = read_pretraining(model)
    if record is not None:
        file = DataFile("pretraining", **record["unlabeled"])
        yield (
            file,
            f"{subject} pretrained as a language model on {record['texts']:,} texts of `{file.name}`, {_SEEN} "
            f"(perplexity {record['perplexity']:.1f} on {record['held_out_texts']:,} others).",
        )


def _source_of_vectors(path: Path) -> DataFile | None:
    try:
        with safe_open(path, framework="np") as file:
            source = (file.metadata() or {}).get(LEARNED_FROM)
    except SafetensorError:  # another format, which has no place for it
        return None
    return None if source is None else DataFile("vectors' texts", **json.loads(source))
