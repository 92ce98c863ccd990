"""What the labels of a data set are, and how they become what a model is trained on.

Labels decide what kind of problem a data set makes:

* names, whole numbers or booleans: one class of several a row (`single_label_classification`);
* a list of them a row: any number of classes a row (`multi_label_classification`);
* numbers with a fraction: a number to predict (`regression`).

In csv and tsv files everything is text. There, labels that all read as whole numbers are taken for such, and labels
that all read as numbers, some of them with a fraction, likewise.

A first pass over the rows (`find_scheme`) decides, a second one encodes (`LabelScheme.encode`), so that no more than
the names of the classes is held in memory.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, cast, get_args

import datasets

from .nsmc import DataError

ProblemType: TypeAlias = Literal["single_label_classification", "multi_label_classification", "regression"]
PROBLEM_TYPES: tuple[str, ...] = get_args(ProblemType)

MAX_CLASSES = 10_000

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class Rows(Protocol):
    """The rows of one split.

    Attributes:
        name: The split's name for messages.
        text_column: The name of the texts' column.
        untyped: Whether text may stand for a number, as in csv.
        class_names: The classes by id, where the data set numbers them itself, else None.
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
        """Give every row's place for messages ("reviews.csv, row 17"), text and label."""


@dataclass(frozen=True)
class LabelScheme:
    """How labels become what a model is trained on.

    Attributes:
        problem_type: The kind of problem.
        names: The classes by id; empty for regression.
        ids: The id of each class, by what stands for it in the data: its name, or its id in digits.
    """

    problem_type: ProblemType
    names: tuple[str, ...]
    ids: Mapping[str, int]

    @property
    def feature(self) -> Any:
        """The type of the column of encoded labels: a ClassLabel, a list of float32 for each class, or a float32."""
        if self.problem_type == "regression":
            return datasets.Value("float32")
        if self.problem_type == "multi_label_classification":
            return datasets.List(datasets.Value("float32"), length=len(self.names))
        return datasets.ClassLabel(names=list(self.names))

    def encode(self, label: Any, place: str) -> int | float | list[float]:
        """Encode one row's label.

        Args:
            label: The label as it stands in the data.
            place: The row, for messages.

        Returns:
            The class id, or 1.0 for each class that holds and 0.0 for the others, or the number.

        Raises:
            DataError: The label doesn't fit the kind of problem, or is none of the classes.
        """
        if self.problem_type == "regression":
            return _number(label, place)
        if self.problem_type == "single_label_classification":
            return self._class_id(label, place)
        encoded = [0.0] * len(self.names)
        for element in _elements(label):
            class_id = self._class_id(element, place)
            if encoded[class_id]:
                raise DataError(
                    f"{place}: the label {element!r} stands there twice. A row lists the labels that hold for it; it "
                    "doesn't give a 0 or 1 for every label."
                )
            encoded[class_id] = 1.0
        return encoded

    def _class_id(self, label: Any, place: str) -> int:
        class_id = self.ids.get(_class_name(label, place))
        if class_id is None:
            raise DataError(f"{place}: the label {label!r} is none of the classes {quote_list(self.names)}.")
        return class_id


def find_scheme(
    splits: Sequence[Rows], problem_type: str | None = None, model_names: Sequence[str] | None = None
) -> LabelScheme:
    """Read all rows once: check the texts, and find out what the labels are.

    Args:
        splits: The rows of every split; the classes are those of all of them together.
        problem_type: The kind of problem if the user names it; by default the labels decide.
        model_names: The classes by id, if a model has settled them. Labels that are none of them but whole numbers
            are taken for ids.

    Raises:
        DataError: A text or a label is missing or of a wrong type, or the labels don't go together.
    """
    kinds, found = _scan(splits)
    decided = _decide(kinds, problem_type, any(rows.untyped for rows in splits))
    if decided == "regression":
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
        if len(names) < 2 and decided == "single_label_classification":
            raise DataError(
                f"{splits[0].name}: every row has the label {quote_list(names)}; there have to be two or more."
            )
    return LabelScheme(decided, names, {name: class_id for class_id, name in enumerate(names)})


def quote_list(names: Sequence[Any], most: int = 20) -> str:
    """Write names for a message: quoted, separated by commas, and only so many of them."""
    text = ", ".join(repr(str(name)) for name in names[:most])
    return text + (f" and {len(names) - most:,} more" if len(names) > most else "")


def _scan(splits: Sequence[Rows]) -> tuple[dict[str, str], set[str]]:
    """Return the kinds of labels with the places where they first stand, and the names of the classes.

    Once there are more than `MAX_CLASSES` names no further ones are kept: a column of numbers has too many.
    """
    kinds: dict[str, str] = {}
    names: set[str] = set()
    for rows in splits:
        place, untyped = "", rows.untyped
        for place, text, label in rows:
            if not isinstance(text, str):
                what = "nothing" if text is None else f"{type(text).__name__} {text!r}, not text"
                raise DataError(f"{place}: column {rows.text_column!r} holds {what}.")
            kinds.setdefault(_kind(label, untyped), place)
            if len(names) <= MAX_CLASSES:
                names.update(_class_name(element, place) for element in _elements(label))
        if not place:
            raise DataError(f"{rows.name}: no rows.")
    return kinds, names


def _kind(label: Any, untyped: bool) -> str:
    """Tell what a label looks like."""
    if isinstance(label, list):
        return "a list"
    if isinstance(label, int) and not isinstance(label, bool):
        return "a whole number"
    if isinstance(label, float):
        return "a fraction"
    if untyped and isinstance(label, str) and _NUMBER.fullmatch(label):
        return "a whole number" if _INTEGER.fullmatch(label) else "a fraction"
    return "a name"


def _decide(kinds: Mapping[str, str], wanted: str | None, untyped: bool) -> ProblemType:
    """Decide what kind of problem the kinds of labels make.

    Raises:
        DataError: They don't go together, or not with the kind of problem that the user wants.
    """
    if "a list" in kinds:
        if len(kinds) > 1:
            raise _mixed("a list", kinds)
        if wanted not in (None, "multi_label_classification"):
            raise DataError(f"{kinds['a list']}: the label is a list, which doesn't go with problem_type {wanted}.")
        return "multi_label_classification"
    if "a name" in kinds and len(kinds) > 1 and not untyped:
        raise _mixed("a name", kinds)
    if wanted:
        return cast(ProblemType, wanted)
    return "regression" if "a fraction" in kinds and "a name" not in kinds else "single_label_classification"


def _mixed(kind: str, kinds: Mapping[str, str]) -> DataError:
    other, place = next((other, place) for other, place in kinds.items() if other != kind)
    return DataError(f"{kinds[kind]}: the label is {kind}, but it is {other} in {place}. All have to be alike.")


def _sorted_names(splits: Sequence[Rows], found: set[str]) -> tuple[str, ...]:
    """Return the classes by id: as the data set numbers them, else numbers by size, else names by code point."""
    known = {rows.class_names for rows in splits}
    if len(known) == 1 and (names := known.pop()):
        return names
    if all(_NUMBER.fullmatch(name) for name in found):
        return tuple(sorted(found, key=lambda name: (float(name), name)))
    return tuple(sorted(found))


def _elements(label: Any) -> list[Any]:
    return label if isinstance(label, list) else [label]


def _class_name(label: Any, place: str) -> str:
    """Return the name of a class: text as it is, booleans and numbers as JSON writes them, but 1.0 as 1.

    Raises:
        DataError: The label is missing, or can't be a name.
    """
    if isinstance(label, str) and label:
        return label
    if label is None or label == "":
        raise DataError(f"{place}: the label is missing.")
    if isinstance(label, bool):
        return str(label).lower()
    if isinstance(label, int):
        return str(label)
    if isinstance(label, float) and math.isfinite(label):
        return str(int(label)) if label.is_integer() else str(label)
    raise DataError(f"{place}: the label is {type(label).__name__} {label!r}, not a name or a number.")


def _number(label: Any, place: str) -> float:
    try:
        if not isinstance(label, bool) and math.isfinite(number := float(label)):
            return number
    except (TypeError, ValueError, OverflowError):
        pass
    raise DataError(
        f"{place}: the label is {label!r}, not a number, which regression needs. If labels are the names of classes, "
        "add --problem_type single_label_classification."
    )
