"""What the labels of a data set are, and how they become what a model is trained on.

The labels of a data set decide its problem type:

* names, whole numbers or booleans: one class per row (`single_label_classification`);
* lists of them: any number of classes per row (`multi_label_classification`);
* numbers with a fraction: a number to predict (`regression`).

Text counts as whole numbers if all labels read as whole numbers (1, or 1.0 as pandas writes it), and as numbers with a
fraction if all read as numbers and some have a fraction. So it does not matter whether a file has types, as parquet, or
not, as csv. Lists of 0 and 1 that are equally long have a flag for each class.

A first pass over the rows (`find_scheme`) decides, a second one encodes (`LabelScheme.encode`), so that only the names
of the classes are held in memory.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import datasets

from oktane.encodings import say_once
from oktane.problem_type import ProblemType

from .bad_rows import BadRows
from .columns import quote_list
from .errors import DataError
from .label_values import NUMBER, as_flags, is_like_a_list, is_whole, read_label, whole_number, without_fraction

MAX_CLASSES = 10_000

# What joins labels in a field.
_MARKS = ";|,/"
# Booleans, and the numbers that other programs write for them.
_DIGITS = {"true": "1", "false": "0"}
_BOTH = {*_DIGITS, "0", "1"}

# Numbers with a fraction that may be classes, such as half stars.
FEW_NUMBERS = 20


class Rows(Protocol):
    """The rows of one split.

    Attributes:
        name: The name of the split, for messages.
        text_column: The column of the texts.
        pair_column: The column of the second texts; None if the rows hold one text each.
        class_names: The names of the classes by id, if the data set numbers them itself, else None.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def text_column(self) -> str: ...  # noqa: D102

    @property
    def pair_column(self) -> str | None: ...  # noqa: D102

    @property
    def class_names(self) -> tuple[str, ...] | None: ...  # noqa: D102

    def __iter__(self) -> Iterator[tuple[str, Any, Any]]:
        """Yield the location of each row for messages ("a.csv, line 17"), its text (or two), and its `read_label`."""


@dataclass(frozen=True)
class LabelScheme:
    """How labels become what a model is trained on.

    Attributes:
        problem_type: The problem type.
        names: The names of the classes by id; empty for regression.
        ids: The id of each class, by how the data write it: its name, or its id in digits.
        flags: Whether a label is a list of 0 and 1, one for each class.
    """

    problem_type: ProblemType
    names: tuple[str, ...]
    ids: Mapping[str, int]
    flags: bool = False

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
            label: The label (see `read_label`).
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
        if self.flags:
            flags = as_flags(_elements(label))
            if flags is None or len(flags) != len(self.names):
                raise DataError(f"{location}: the label {label!r} is not a list of {len(self.names)} zeros and ones.")
            return [float(flag) for flag in flags]
        encoded = [0.0] * len(self.names)
        for element in _elements(label):
            class_id = self._class_id(element, location)
            if encoded[class_id]:
                raise DataError(f"{location}: label {element!r} is listed twice. List only the labels that apply.")
            encoded[class_id] = 1.0
        return encoded

    def _class_id(self, label: Any, location: str) -> int:
        name = _class_name(label, location)
        class_id = self.ids.get(name, self.ids.get(whole_number(name)))
        if class_id is None:
            raise DataError(f"{location}: the label {label!r} is not one of the classes {quote_list(self.names)}.")
        return class_id


@dataclass
class _Found:
    """What a first pass over the rows finds.

    Attributes:
        types: What labels look like ("a list", "a name", "a whole number", "a fraction"), with the location of the
            first of each.
        names: The names of the classes. Names beyond `MAX_CLASSES` are not kept: a column of numbers has too many.
        rows: The number of usable rows.
        lengths: The lengths of lists of zeros and ones; None if there is another label.
    """

    types: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    rows: int = 0
    lengths: set[int] | None = field(default_factory=set)


def find_scheme(
    splits: Sequence[Rows],
    problem_type: str | None = None,
    model_names: Sequence[str] | None = None,
    skip_bad_rows: bool = False,
) -> LabelScheme:
    """Read all rows once: check the texts, and find out what the labels are.

    Args:
        splits: The rows of every split. The classes are those of all splits together.
        problem_type: The problem type, if the user names it; by default the labels decide.
        model_names: The names of the classes by id, if a trained model has settled them. If the labels are whole
            numbers instead of these names, they are class ids.
        skip_bad_rows: Whether rows without text or label are left out, and counted, instead of refused.

    Raises:
        DataError: A text or a label is missing or of a wrong type, or the labels don't go together.
    """
    found = _scan(splits, skip_bad_rows)
    decided = infer_problem_type(found.types, problem_type)
    if decided is ProblemType.REGRESSION:
        if problem_type is None:
            _announce_regression(splits[0].name, found)
        return LabelScheme(decided, (), {})
    names = tuple(model_names) if model_names is not None else _sorted_names(splits, found.names)
    if decided is ProblemType.MULTI_LABEL and found.lengths and len(found.lengths) == 1 and max(found.lengths) > 1:
        length = max(found.lengths)
        flag_names = names if model_names is not None else tuple(map(str, range(length)))
        if len(flag_names) != length:
            raise DataError(
                f"{splits[0].name}: the labels are lists of {length} zeros and ones, but the model has the "
                f"{len(flag_names)} labels {quote_list(flag_names)}."
            )
        return LabelScheme(decided, flag_names, {}, flags=True)
    if model_names is not None:
        return _scheme_of_model(splits[0].name, decided, names, found)
    if len(names) > MAX_CLASSES:
        raise DataError(
            f"{splits[0].name}: more than {MAX_CLASSES:,} different labels. Is --label_column the right one? "
            "If it holds numbers to predict, add --problem_type regression."
        )
    if len(names) < 2 and decided is ProblemType.SINGLE_LABEL:
        raise DataError(
            f"{splits[0].name}: every row has the label {quote_list(names)}; there have to be two or more. "
            "--label_column names another column."
        )
    if decided is ProblemType.SINGLE_LABEL and problem_type is None:
        _ask_about_joined_labels(splits[0].name, names)
    for same in alike_names(names):
        say_once(f"{splits[0].name}: the classes {quote_list(same)} differ in blanks or case only; are they one?")
    return LabelScheme(decided, names, ids_by_name(names))


def _ask_about_joined_labels(source: str, names: Sequence[str]) -> None:
    """Refuse names that look like lists, and mention those that join others.

    Raises:
        DataError: A name looks like several labels in brackets.
    """
    if like := [name for name in names if is_like_a_list(name)]:
        fix = "write a list of those that apply" if ":" in like[0] else "add --label_delimiter ',' to read them as such"
        raise DataError(
            f"{source}: the label {like[0]!r:.60} looks like several labels: {fix}, or --problem_type "
            "single_label_classification if it is the name of one class."
        )
    for mark in _MARKS:
        joined = [name for name in names if mark in name]
        if joined and all(part.strip() in names for name in joined for part in name.split(mark)):
            say_once(f"{source}: the label {joined[0]!r} joins others; --label_delimiter '{mark}' reads several labels")


def alike_names(names: Iterable[str]) -> list[list[str]]:
    """Return names that differ in blanks or case only, in lists of two and more."""
    forms: dict[str, list[str]] = {}
    for name in names:
        forms.setdefault("".join(name.split()).casefold(), []).append(name)
    return [same for same in forms.values() if len(same) > 1]


def _scheme_of_model(source: str, decided: ProblemType, names: tuple[str, ...], found: _Found) -> LabelScheme:
    """Return the scheme of a trained model, for labels that are its names or its ids."""
    plain = {whole_number(name) for name in found.names}
    if plain.isdisjoint(map(whole_number, names)) and all(map(is_whole, plain)):
        every_id = {str(class_id) for class_id in range(len(names))}
        # The numbers of some other column, such as stars, are not ids.
        if plain != every_id and not (len(names) == 2 and plain < every_id):
            raise DataError(
                f"{source}: the labels {quote_list(sorted(plain))} are none of the model's classes "
                f"{quote_list(names)}. Is --label_column the right one?"
            )
        meaning = ", ".join(f"{class_id} is {name!r}" for class_id, name in enumerate(names[:20]))
        say_once(f"{source}: the labels are numbers, read as the ids of the model's classes: {meaning}")
        return LabelScheme(decided, names, {str(class_id): class_id for class_id in range(len(names))})
    return LabelScheme(decided, names, ids_by_name(names))


def ids_by_name(names: Sequence[str]) -> dict[str, int]:
    """Return the id of each class by its name, and by the forms in which `read_label` gives that name."""
    ids: dict[str, int] = {}
    for class_id, name in enumerate(names):
        read = read_label(name)
        for form in (whole_number(name), read if isinstance(read, str) else name):
            ids.setdefault(form, class_id)
    ids |= {name: class_id for class_id, name in enumerate(names)}
    return ids | {flag: ids[digit] for flag, digit in _DIGITS.items()} if {*names} == {"0", "1"} else ids


def _announce_regression(source: str, found: _Found) -> None:
    """Say that numbers are learned, not classes; ask, if there are as few numbers as there might be classes."""
    classes = "--problem_type single_label_classification"
    if len(found.names) <= FEW_NUMBERS and found.rows >= 5 * len(found.names):
        raise DataError(
            f"{source}: the labels are {len(found.names)} different numbers ({quote_list(sorted(found.names), 5)}): "
            f"add --problem_type regression to learn the numbers, or {classes} to learn them as classes."
        )
    say_once(
        f"{source}: the labels are numbers, some with a fraction, so a regression is trained; {classes} "
        "makes them classes"
    )


def _scan(splits: Sequence[Rows], skip_bad_rows: bool) -> _Found:
    found = _Found()
    bad = BadRows(skip_bad_rows)
    for rows in splits:
        location, number = "", ""
        types: dict[str, str] = {}
        for location, text, label in rows:
            if bad.is_bad(location, text, label):
                continue
            parts = text if isinstance(text, tuple) else (text,)
            for part, column in zip(parts, (rows.text_column, rows.pair_column), strict=False):
                if not isinstance(part, str):
                    what = f"{type(part).__name__} {part!r:.40}, not text"
                    raise DataError(
                        f"{location}: the column {column!r} holds {what}. Make it text, or name another column with "
                        "--text_column."
                    )
            found.rows += 1
            if not isinstance(label, str | bool | list):
                number = number or location
            types.setdefault(_label_type(label), location)
            elements = _elements(label)
            if found.lengths is not None:
                flags = as_flags(elements) if isinstance(label, list) else None
                found.lengths = None if flags is None else found.lengths | {len(flags)}
            if len(found.names) <= MAX_CLASSES:
                found.names.update(_class_name(element, location) for element in elements)
        if not location:
            raise DataError(f"{rows.name}: no rows.")
        if "a name" in types and number:
            raise _mixed("a name", types)
        found.types |= {kind: place for kind, place in types.items() if kind not in found.types}
    bad.report()
    if not found.rows:
        raise DataError(f"{splits[0].name}: no row has both a text and a label.")
    return found


def _label_type(label: Any) -> str:
    """Say what a label looks like, in the words of the error messages."""
    if isinstance(label, list):
        return "a list"
    if isinstance(label, int) and not isinstance(label, bool):
        return "a whole number"
    if isinstance(label, float):
        return "a fraction"
    if isinstance(label, str) and NUMBER.fullmatch(label):
        return "a whole number" if is_whole(label) else "a fraction"
    return "a name"


def infer_problem_type(types: Mapping[str, str], wanted: str | None) -> ProblemType:
    """Infer the problem type from what the labels look like.

    Args:
        types: What labels look like ("a list", "a name", "a whole number", "a fraction"), with the location of the
            first of each.
        wanted: The problem type that the user names, if any.

    Raises:
        DataError: The labels don't go together, or don't go with the problem type that the user names.
    """
    if "a list" in types:
        if len(types) > 1:
            raise _mixed("a list", types)
        if wanted not in (None, ProblemType.MULTI_LABEL):
            raise DataError(f"{types['a list']}: the label is a list, which doesn't go with problem_type {wanted}.")
        return ProblemType.MULTI_LABEL
    if wanted:
        return ProblemType(wanted)
    return ProblemType.REGRESSION if "a fraction" in types and "a name" not in types else ProblemType.SINGLE_LABEL


def _mixed(label_type: str, types: Mapping[str, str]) -> DataError:
    other, location = next((other, location) for other, location in types.items() if other != label_type)
    return DataError(
        f"{types[label_type]}: the label is {label_type}, but {location} has {other}. All labels have to be alike."
        + (" Lists without quotes are read with --label_delimiter ','." if label_type == "a list" else "")
    )


def _sorted_names(splits: Sequence[Rows], found: set[str]) -> tuple[str, ...]:
    """Return the names of the classes by id: in the data set's own order, else sorted by number or code point."""
    known = {rows.class_names for rows in splits}
    if len(known) == 1 and (names := known.pop()):
        return names
    found = _one_spelling(found)
    if all(NUMBER.fullmatch(name) for name in found):
        return tuple(sorted(found, key=lambda name: (float(name), name)))
    return tuple(sorted(found))


def _one_spelling(names: set[str]) -> set[str]:
    """Return names in which each whole number is spelled in one way: its own, or the plainest if it has several."""
    spellings: dict[str, set[str]] = {}
    for name in names:
        spellings.setdefault(whole_number(name), set()).add(name)
    if all(map(is_whole, names)):
        spellings = {plain: set(map(without_fraction, spelled)) for plain, spelled in spellings.items()}
    found = {plain if len(spelled) > 1 else min(spelled) for plain, spelled in spellings.items()}
    return {_DIGITS.get(name, name) for name in found} if found <= _BOTH and found & {"0", "1"} else found


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
