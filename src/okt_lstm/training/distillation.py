"""Distillation: a network learns the probabilities that larger ones give to texts, labeled or not.

After Hinton et al. (2015), "Distilling the Knowledge in a Neural Network", at temperature 1; the teachers' answers are
averaged. Each teacher's are computed once and kept in a file: not at every epoch, nor for another weight of the rows'
own labels, nor beside other teachers.
"""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from ..data.batches import batched
from ..data.cache import generate
from ..data.columns import quote_list
from ..data.problem_type import ProblemType
from ..data.unlabeled import UnlabeledText
from ..inference.classifier import CHUNK_SIZE, Classifier
from ..inference.loading import load_any


@dataclass(frozen=True)
class DistillationTask:
    """What the teachers are asked.

    Attributes:
        teachers: Folders or Hub ids of sequence classifiers, each with its own tokenizer.
        label_names: The labels, in the student's order; empty for regression.
        problem_type: The student's, which has to be the teachers'.
        labeled: Rows with the columns `text` and `label`.
        held_out: The rows that the student will be measured on.
        unlabeled: Further texts, or None. Those that stand among the labeled or held-out rows, too, are left out: a
            student that had learned the teachers' answers to the latter would look better than it is.
        bf16: Whether the teachers compute in bfloat16.
    """

    teachers: tuple[str, ...]
    label_names: tuple[str, ...]
    problem_type: ProblemType
    labeled: datasets.Dataset
    held_out: tuple[datasets.Dataset, ...]
    unlabeled: UnlabeledText | None
    bf16: bool

    def files(self) -> list[Path]:
        """Return the files that the predictions depend on: those of teachers in folders, and the unlabeled text."""
        files = [file for name in self.teachers for file in sorted(Path(name).glob("*.*")) if file.is_file()]
        return files if self.unlabeled is None else [*files, self.unlabeled.path]

    def texts(self) -> Iterator[str]:
        """All texts of the lesson: the labeled ones, then the others."""
        yield from _texts(self.labeled)
        if self.unlabeled is not None:
            known = {_spaced(text) for rows in (self.labeled, *self.held_out) for text in _texts(rows)}
            yield from (text for text in self.unlabeled if _spaced(text) not in known)


def _texts(rows: datasets.Dataset) -> Iterator[str]:
    for batch in rows.select_columns("text").iter(batch_size=1000):
        yield from batch["text"]


def _spaced(text: str) -> str:
    """A text as it is compared with others: the corpora's files differ in white space."""
    return " ".join(text.split())


def soft_labels(lesson: DistillationTask, teacher_weight: float = 1.0) -> datasets.Dataset:
    """Ask the teachers.

    Args:
        lesson: What to ask.
        teacher_weight: The teachers' share of the answer where a row has a label; its label has the rest.

    Returns:
        A row for each text, in the order of `DistillationTask.texts`: `text`, and `label`, a list of one number for
        each label: probabilities, or what a regression model gives.

    Raises:
        OSError: If a teacher can't be loaded.
        ValueError: If a teacher's labels are not the student's.
    """
    label = datasets.List(datasets.Value("float32"), length=max(1, len(lesson.label_names)))
    features = datasets.Features({"text": datasets.Value("string"), "label": label})
    for name in lesson.teachers:
        _load_teacher(name, lesson)  # which finds what is wrong with one before another is asked for long
    tasks = [replace(lesson, teachers=(name,)) for name in lesson.teachers]
    alone = [generate(_rows, features, files=task.files(), lesson=task) for task in tasks]
    if len(alone) == 1 and teacher_weight == 1:
        return alone[0]
    columns = {f"label {number}": answers for number, answers in enumerate(alone)}
    together = datasets.concatenate_datasets(
        [alone[0].select_columns("text")]
        + [answers.select_columns("label").rename_column("label", name) for name, answers in columns.items()],
        axis=1,
    )
    return together.map(
        _mean,
        batched=True,
        with_indices=True,
        remove_columns=list(columns),
        fn_kwargs={"hard": _hard_labels(lesson), "teacher_weight": teacher_weight},
        features=features,
        desc="Averaging the answers",
    )


def _mean(
    rows: dict[str, list[Any]], indices: list[int], hard: NDArray[np.float32], teacher_weight: float
) -> dict[str, NDArray[np.float32]]:
    """The teachers' mean answers, with the rows' own labels mixed in; the rows that have labels come first of all."""
    alone = [np.asarray(column, np.float32) for name, column in rows.items() if name != "text"]
    answers: NDArray[np.float32] = np.stack(alone).mean(axis=0)
    own = hard[indices[0] : indices[-1] + 1]
    answers[: len(own)] = teacher_weight * answers[: len(own)] + (1 - teacher_weight) * own
    return {"label": answers}  # (texts, labels)


def _rows(lesson: DistillationTask) -> Iterator[dict[str, Any]]:
    """The answers of the lesson's only teacher."""
    teacher, order = _load_teacher(lesson.teachers[0], lesson)
    autocast = torch.autocast(teacher.model.device.type, torch.bfloat16) if lesson.bf16 else nullcontext()
    title = f"Asking {Path(lesson.teachers[0]).name}"
    for batch in batched(tqdm(lesson.texts(), desc=title, unit=" texts", disable=None), CHUNK_SIZE):
        with autocast:
            answers = teacher.scores(batch)[:, order]  # (texts, labels)
        for text, answer in zip(batch, answers, strict=True):
            yield {"text": text, "label": answer}


def _hard_labels(lesson: DistillationTask) -> NDArray[np.float32]:
    """The rows' own labels as numbers or probabilities, `(rows, labels)`."""
    labels = np.asarray(lesson.labeled.select_columns("label").with_format("numpy")[:]["label"])
    if lesson.problem_type == ProblemType.SINGLE_LABEL:
        return np.eye(len(lesson.label_names), dtype=np.float32)[labels]
    return labels.reshape(len(labels), -1).astype(np.float32)


def _load_teacher(name: str, lesson: DistillationTask) -> tuple[Classifier, Sequence[int]]:
    """A teacher, and the places of the student's labels among its own."""
    teacher = load_any(name)
    if teacher.problem_type != lesson.problem_type:
        raise ValueError(f"the teacher {name} is made for {teacher.problem_type}, the data for {lesson.problem_type}")
    if lesson.problem_type == ProblemType.REGRESSION:
        return teacher, [0]
    nameless = teacher.labels == [f"LABEL_{number}" for number in range(len(teacher.labels))]
    if nameless and len(teacher.labels) == len(lesson.label_names):
        return teacher, range(len(teacher.labels))
    if set(teacher.labels) != set(lesson.label_names):
        raise ValueError(
            f"the teacher {name} knows the labels {quote_list(teacher.labels)}, but the data have "
            f"{quote_list(lesson.label_names)}"
        )
    return teacher, [teacher.labels.index(label) for label in lesson.label_names]
