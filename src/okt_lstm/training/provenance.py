"""What a model learned from besides its labeled rows, for its card: unlabeled text, word vectors, and teachers."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from ..data.description import DataDescription, DataFile
from ..data.unlabeled import UnlabeledText
from ..hub import model_file
from ..reports.quoting import code_span
from .options import TransferOptions
from .renamed import current_options

PRETRAINING_NAME = "pretraining.json"
"""The file that says what a language model learned from, beside it and beside every model that started from it."""
LEARNED_FROM = "learned_from"
"""The key, in the metadata of a safetensors file of vectors, of the file of texts that they were learned from."""

# For word vectors and language models. From what teachers label, such texts are left out.
_SEEN = "without labels, including those that also occur in the labeled data"


def as_record(file: DataFile) -> dict[str, Any]:
    """Return what is recorded of a file: its `name`, `num_bytes` and `git_blob_id`."""
    return {name: value for name, value in asdict(file).items() if name != "split"}


def read_pretraining(model: str) -> dict[str, Any] | None:
    """Return what `okt-lstm pretrain` recorded of the language model that a model is, or started from.

    Args:
        model: A folder or a Hub id.

    Returns:
        The record, with the keys `unlabeled` (see `as_record`), `texts`, `held_out_texts`, `loss`, `perplexity` and
        `seconds`; None if the model started from no language model.

    Raises:
        LoadError: If there is no such model.
    """
    path = model_file(model, PRETRAINING_NAME, None, None)
    return None if path is None else current_options(json.loads(path.read_text("utf-8")))


def with_transfer(
    data: DataDescription,
    transfer: TransferOptions,
    unlabeled: UnlabeledText | None,
    unlabeled_texts: int,
    coverage: object = None,
) -> DataDescription:
    """Return a description of labeled data, with all else that a model learned from.

    Args:
        data: The labeled data.
        transfer: What the model started from, and its teachers.
        unlabeled: The unlabeled texts that its teachers labeled, if any.
        unlabeled_texts: How many there are.
        coverage: How much of the vocabulary the vectors cover, if the model started from vectors.

    Returns:
        The description with the files and sentences of all of these.
    """
    files = list(data.files)
    notes = list(data.notes)
    if transfer.pretrained:
        notes.append(f"The network started from {code_span(display_name(transfer.pretrained))}.")
        for file, sentence in _pretraining(transfer.pretrained, "It was"):
            files.append(file)
            notes.append(sentence)
    if transfer.embeddings:
        path = Path(transfer.embeddings)
        files.append(DataFile.of("vectors", path))
        notes.append(f"The embeddings started from the vectors of {code_span(path.name)}: {coverage}.")
        if (source := _source_of_vectors(path)) is not None:
            files.append(source)
            notes.append(f"These were learned from the texts of {code_span(source.name)}, {_SEEN}.")
    if transfer.teacher:
        names = [code_span(display_name(name)) for name in transfer.teacher]
        teachers = f"{len(names)} teachers ({', '.join(names)})" if len(names) > 1 else f"the teacher {names[0]}"
        texts = "the training rows"
        if unlabeled is not None:
            files.append(unlabeled.file)
            texts += f" and for {unlabeled_texts:,} unlabeled texts of {code_span(unlabeled.file.name)}"
        notes.append(
            f"It learned the mean prediction of {teachers} for {texts}. For a training row, the row's own label has a "
            f"weight of {1 - transfer.teacher_weight:.4g}."
        )
        for name in transfer.teacher:
            for file, sentence in _pretraining(name, f"The teacher {code_span(display_name(name))} was"):
                files.append(file)
                notes.append(sentence)
    return replace(data, files=tuple(dict.fromkeys(files)), notes=tuple(notes))


def display_name(name: str) -> str:
    """Return the Hub id, or the folder's name without its path, which may be private."""
    path = Path(name).expanduser()
    return path.resolve().name if path.exists() else name


def _pretraining(model: str, subject: str) -> Iterator[tuple[DataFile, str]]:
    """Yield the file that a model's encoder was pretrained on, and a sentence about it, if it was pretrained."""
    record = read_pretraining(model)
    if record is not None:
        file = DataFile("pretraining", **record["unlabeled"])
        yield (
            file,
            f"{subject} pretrained as a language model on {record['texts']:,} texts of {code_span(file.name)}, {_SEEN} "
            f"(perplexity {record['perplexity']:.1f} on {record['held_out_texts']:,} others).",
        )


def _source_of_vectors(path: Path) -> DataFile | None:
    """Return the file that word vectors were learned from, if they say so."""
    try:
        with safe_open(path, framework="np") as file:
            source = (file.metadata() or {}).get(LEARNED_FROM)
    # Other formats have no place for it.
    except SafetensorError:
        return None
    return None if source is None else DataFile("vectors' texts", **json.loads(source))
