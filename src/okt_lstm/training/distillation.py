"""Distillation: a student learns the probabilities that larger models, its teachers, predict, for labeled texts or not.

After Hinton et al. (2015), "Distilling the Knowledge in a Neural Network", at temperature 1; the teachers' predictions
are averaged. Each teacher predicts once, and its predictions are kept in a file: they don't change with the epoch, the
weight of the rows' own labels, or the other teachers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from oktane.base_classifier import BaseClassifier
from oktane.problem_type import ProblemType

from ..data.cache import generate
from ..data.columns import TEXTS, quote_list
from ..data.unlabeled import UnlabeledText
from ..inference.loading import Engine, load_in_oktane
from ..inference.torch_loading import load_in_torch


@dataclass(frozen=True)
class DistillationTask:
    """The teachers, and the texts that they label.

    Attributes:
        teachers: Folders or Hub ids of sequence classifiers, each with its own tokenizer.
        label_names: The labels, in the student's order; empty for regression.
        problem_type: The student's problem type, which has to be the teachers'.
        labeled: Rows with the columns `text` and `label`.
        held_out: The rows that the student is evaluated on.
        unlabeled: Further texts, or None. Those that also occur in the labeled or held-out rows are dropped, so no
            teacher ever labels a text that the student is evaluated on.
        bf16: Whether the teachers that torch runs compute in bfloat16.
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
        return files if self.unlabeled is None else [*files, *self.unlabeled.paths]

    def texts(self) -> Iterator[str]:
        """Yield all texts: those of the labeled rows, then the unlabeled ones."""
        yield from _texts(self.labeled)
        if self.unlabeled is not None:
            known = {_normalized(text) for rows in (self.labeled, *self.held_out) for text in _texts(rows)}
            yield from (text for text in self.unlabeled if _normalized(text) not in known)


def _texts(rows: datasets.Dataset) -> Iterator[str]:
    for name in TEXTS:
        if name in rows.column_names:
            for batch in rows.select_columns(name).iter(batch_size=1000):
                yield from batch[name]


def _normalized(text: str) -> str:
    """Return a text as it is compared with others: the corpora's files differ in white space."""
    return " ".join(text.split())


def soft_labels(task: DistillationTask, teacher_weight: float = 1.0) -> datasets.Dataset:
    """Return the texts with the teachers' mean predictions as labels.

    Args:
        task: The teachers and the texts.
        teacher_weight: Weight of the teachers' predictions for labeled rows. The row's own label gets the remaining
            weight.

    Returns:
        A row for each text, in the order of `DistillationTask.texts`: `text`, and `label`, a list of one number per
        label: probabilities, or the numbers of a regression model.

    Raises:
        OSError: If a teacher can't be loaded.
        ValueError: If a teacher's labels are not the student's.
    """
    label = datasets.List(datasets.Value("float32"), length=max(1, len(task.label_names)))
    features = datasets.Features({"text": datasets.Value("string"), "label": label})
    # A wrong teacher is found before another one predicts for hours.
    for name in task.teachers:
        _load_teacher(name, task)
    tasks = [replace(task, teachers=(name,)) for name in task.teachers]
    predictions = [generate(_predictions, features, files=single.files(), task=single) for single in tasks]
    if len(predictions) == 1 and teacher_weight == 1:
        return predictions[0]
    columns = {f"label {number}": rows for number, rows in enumerate(predictions)}
    together = datasets.concatenate_datasets(
        [predictions[0].select_columns("text")]
        + [rows.select_columns("label").rename_column("label", name) for name, rows in columns.items()],
        axis=1,
    )
    return together.map(
        _mean,
        batched=True,
        with_indices=True,
        remove_columns=list(columns),
        fn_kwargs={"hard": _hard_labels(task), "teacher_weight": teacher_weight},
        features=features,
        desc="Averaging the teachers' predictions",
    )


def _mean(
    rows: dict[str, list[Any]], indices: list[int], hard: NDArray[np.float32], teacher_weight: float
) -> dict[str, NDArray[np.float32]]:
    """Average the teachers' predictions, and mix in the rows' own labels. The rows that have labels come first."""
    predictions = [np.asarray(column, np.float32) for name, column in rows.items() if name != "text"]
    # (texts, labels)
    soft: NDArray[np.float32] = np.stack(predictions).mean(axis=0)
    own = hard[indices[0] : indices[-1] + 1]
    soft[: len(own)] = teacher_weight * soft[: len(own)] + (1 - teacher_weight) * own
    return {"label": soft}


def _predictions(task: DistillationTask) -> Iterator[dict[str, Any]]:
    """Yield each text with the predictions of the task's only teacher."""
    teacher, order = _load_teacher(task.teachers[0], task)
    title = f"Predictions of {Path(task.teachers[0]).name}"
    # scores: (texts, labels)
    for texts, scores in teacher.score_chunks(tqdm(task.texts(), desc=title, unit=" texts", disable=None)):
        for text, prediction in zip(texts, scores[:, order], strict=True):
            yield {"text": text, "label": prediction}


def _hard_labels(task: DistillationTask) -> NDArray[np.float32]:
    """Return the rows' own labels as numbers or probabilities, `(rows, labels)`."""
    labels = np.asarray(task.labeled.select_columns("label").with_format("numpy")[:]["label"])
    if task.problem_type == ProblemType.SINGLE_LABEL:
        return np.eye(len(task.label_names), dtype=np.float32)[labels]
    return labels.reshape(len(labels), -1).astype(np.float32)


def _load_teacher(name: str, task: DistillationTask) -> tuple[BaseClassifier, Sequence[int]]:
    """Load a teacher. oktane runs it if it can, unless there is a GPU.

    Returns:
        The teacher, and for each of the student's labels its index among the teacher's.
    """
    engine: Engine = "torch" if torch.cuda.is_available() else "auto"
    teacher = load_in_oktane(name, engine=engine) or load_in_torch(name, bf16=task.bf16)
    if teacher.problem_type != task.problem_type:
        raise ValueError(f"the teacher {name} is made for {teacher.problem_type}, the data for {task.problem_type}")
    if task.problem_type == ProblemType.REGRESSION:
        return teacher, [0]
    has_no_names = teacher.labels == [f"LABEL_{index}" for index in range(len(teacher.labels))]
    if has_no_names and len(teacher.labels) == len(task.label_names):
        return teacher, range(len(teacher.labels))
    if set(teacher.labels) != set(task.label_names):
        raise ValueError(
            f"the teacher {name} knows the labels {quote_list(teacher.labels)}, but the data have "
            f"{quote_list(task.label_names)}"
        )
    return teacher, [teacher.labels.index(label) for label in task.label_names]
