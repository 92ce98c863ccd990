"""What the labels of a data set are, and how they become what a model is trained on.

The labels of a data set decide its problem type:

* names, whole numbers or booleans: one class per row (`single_label_classification`);
* lists of them: any number of classes per row (`multi_label_classification`);
* numbers with a fraction: a number to predict (`regression`).

In csv and tsv files everything is text. There, labels count as whole numbers if all of them read as whole numbers, and
as numbers with a fraction if all read as numbers and some have a fraction.

A first pass over the rows (`find_scheme`) decides, a second one encodes (`LabelScheme.encode`), so that only the names
of the classes are held in memory.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import datasets

from oktane.problem_type import ProblemType

from .columns import quote_list
from .errors import DataError

MAX_CLASSES = 10_000

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class Rows(Protocol):
    """The rows of one split.

    Attributes:
        name: The name of the split, for messages.
        text_column: The column of the texts.
        untyped: Whether numbers are written as text, as in csv.
        class_names: The names of the classes by id, if the data set numbers them itself, else None.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def text_column(self) -> str: ...  # noqa: D102

    @property
    def untyped(self) -> bool: ...  # noqa: D102

    @property
    def class_names(self) -> tuple[str, ...] | None: ...  # noqa: D102

    def __iter__(self) -> Iterator[tuple[str, Any, Any]]:
        """Yield the location of each row for messages ("reviews.csv, row 17"), its text and its label."""


@dataclass(frozen=True)
class LabelScheme:
    """How labels become what a model is trained on.

    Attributes:
        problem_type: The problem type.
        names: The names of the classes by id; empty for regression.
        ids: The id of each class, by how the data write it: its name, or its id in digits.
    """

    problem_type: ProblemType
    names: tuple[str, ...]
    ids: Mapping[str, int]

    @property
    def feature(self) -> Any:
        """The type of the encoded labels: a ClassLabel, a list of float32 with one item per class, or a float32."""
        if self.problem_type is ProblemType.REGRESSION:
            return datasets.Value("float32")
        if self.problem_type is ProblemType.MULTI_LABEL:
            return datasets.List(datasets.Value("float32"), length=len(self.names))
        return datasets.ClassLabel(names=list(self.names))

    def encode(self, label: Any, location: str) -> int | float | list[float]:
        """Encode one row's label.

        Args:
            label: The label as the data write it.
            location: The row, for messages.

        Returns:
            The class id; or a list with 1.0 for each class that holds and 0.0 for the others; or the number.

        Raises:
            DataError: The label doesn't fit the problem type, or is not one of the classes.
        """
        if self.problem_type is ProblemType.REGRESSION:
            return _number(label, location)
        if self.problem_type is ProblemType.SINGLE_LABEL:
            return self._class_id(label, location)
        encoded = [0.0] * len(self.names)
        for element in _elements(label):
            class_id = self._class_id(element, location)
            if encoded[class_id]:
                raise DataError(
                    f"{location}: label {element!r} is listed twice. List only the labels that apply to the row, not a "
                    "0 or 1 for each label."
                )
            encoded[class_id] = 1.0
        return encoded

    def _class_id(self, label: Any, location: str) -> int:
        class_id = self.ids.get(_class_name(label, location))
        if class_id is None:
            raise DataError(f"{location}: the label {label!r} is not one of the classes {quote_list(self.names)}.")
        return class_id


def find_scheme(
    splits: Sequence[Rows], problem_type: str | None = None, model_names: Sequence[str] | None = None
) -> LabelScheme:
    """Read all rows once: check the texts, and find out what the labels are.

    Args:
        splits: The rows of every split. The classes are those of all splits together.
        problem_type: The problem type, if the user names it; by default the labels decide.
        model_names: The names of the classes by id, if a trained model has settled them. If the labels are whole
            numbers instead of these names, they are class ids.

    Raises:
        DataError: A text or a label is missing or of a wrong type, or the labels don't go together.
    """
    types, found = _scan(splits)
    decided = infer_problem_type(types, problem_type, any(rows.untyped for rows in splits))
    if decided is ProblemType.REGRESSION:
        return LabelScheme(decided, (), {})
    if model_names is not None:
        names = tuple(model_names)
        if found.isdisjoint(names) and all(_INTEGER.fullmatch(name) for name in found):
            return LabelScheme(decided, names, {str(class_id): class_id for class_id in range(len(names))})
    else:
        names = _sorted_names(splits, found)
        if len(names) > MAX_CLASSES:
            raise DataError(
                f"{splits[0].name}: more than {MAX_CLASSES:,} different labels. Is --label_column the right one? "
                "If it holds numbers to predict, add --problem_type regression."
            )
        if len(names) < 2 and decided is ProblemType.SINGLE_LABEL:
            raise DataError(
                f"{splits[0].name}: every row has the label {quote_list(names)}; there have to be two or more."
            )
    return LabelScheme(decided, names, {name: class_id for class_id, name in enumerate(names)})


def _scan(splits: Sequence[Rows]) -> tuple[dict[str, str], set[str]]:
    """Return the types of labels with the location of the first of each, and the names of the classes.

    Names beyond `MAX_CLASSES` are not kept: a column of numbers has too many.
    """
    types: dict[str, str] = {}
    names: set[str] = set()
    for rows in splits:
        location, untyped = "", rows.untyped
        for location, text, label in rows:
            if not isinstance(text, str):
                what = "nothing" if text is None else f"{type(text).__name__} {text!r}, not text"
                raise DataError(f"{location}: the column {rows.text_column!r} holds {what}.")
            types.setdefault(_label_type(label, untyped), location)
            if len(names) <= MAX_CLASSES:
                names.update(_class_name(element, location) for element in _elements(label))
        if not location:
            raise DataError(f"{rows.name}: no rows.")
    return types, names


def _label_type(label: Any, untyped: bool) -> str:
    """Say what a label looks like, in the words of the error messages."""
    if isinstance(label, list):
        return "a list"
    if isinstance(label, int) and not isinstance(label, bool):
        return "a whole number"
    if isinstance(label, float):
        return "a fraction"
    if untyped and isinstance(label, str) and _NUMBER.fullmatch(label):
        return "a whole number" if _INTEGER.fullmatch(label) else "a fraction"
    return "a name"


def infer_problem_type(types: Mapping[str, str], wanted: str | None, untyped: bool) -> ProblemType:
    """Infer the problem type from what the labels look like.

    Args:
        types: What labels look like ("a list", "a name", "a whole number", "a fraction"), with the location of the
            first of each.
        wanted: The problem type that the user names, if any.
        untyped: Whether numbers are written as text, as in csv.

    Raises:
        DataError: The labels don't go together, or don't go with the problem type that the user names.
    """
    if "a list" in types:
        if len(types) > 1:
            raise _mixed("a list", types)
        if wanted not in (None, ProblemType.MULTI_LABEL):
            raise DataError(f"{types['a list']}: the label is a list, which doesn't go with problem_type {wanted}.")
        return ProblemType.MULTI_LABEL
    if "a name" in types and len(types) > 1 and not untyped:
        raise _mixed("a name", types)
    if wanted:
        return ProblemType(wanted)
    return ProblemType.REGRESSION if "a fraction" in types and "a name" not in types else ProblemType.SINGLE_LABEL


def _mixed(label_type: str, types: Mapping[str, str]) -> DataError:
    other, location = next((other, location) for other, location in types.items() if other != label_type)
    return DataError(
        f"{types[label_type]}: the label is {label_type}, but {location} has {other}. All labels have to be alike."
    )


def _sorted_names(splits: Sequence[Rows], found: set[str]) -> tuple[str, ...]:
    """Return the names of the classes by id: in the data set's own order, else sorted by number or code point."""
    known = {rows.class_names for rows in splits}
    if len(known) == 1 and (names := known.pop()):
        return names
    if all(_NUMBER.fullmatch(name) for name in found):
        return tuple(sorted(found, key=lambda name: (float(name), name)))
    return tuple(sorted(found))


def _elements(label: Any) -> list[Any]:
    return label if isinstance(label, list) else [label]


def _class_name(label: Any, location: str) -> str:
    """Return the name of a class: text unchanged, booleans and numbers as in JSON, but 1.0 as 1.

    Raises:
        DataError: The label is missing, or can't be a name.
    """
    if isinstance(label, str) and label:
        return label
    if label is None or label == "":
        raise DataError(f"{location}: the label is missing.")
    if isinstance(label, bool):
        return str(label).lower()
    if isinstance(label, int):
        return str(label)
    if isinstance(label, float) and math.isfinite(label):
        return str(int(label)) if label.is_integer() else str(label)
    raise DataError(f"{location}: the label is {type(label).__name__} {label!r}, not a name or a number.")


def _number(label: Any, location: str) -> float:
    try:
        if not isinstance(label, bool) and math.isfinite(number := float(label)):
            return number
    except (TypeError, ValueError, OverflowError):
        pass
    raise DataError(
        f"{location}: the label is {label!r}, not a number, which regression needs. If labels are names of classes, "
        "add --problem_type single_label_classification."
    )
