"""The labels of texts for a trained model, as a program gives them: ids, or the names that the model predicts."""

from collections.abc import Iterable, Sequence
from typing import Any

from oktane.problem_type import ProblemType

from .errors import DataError
from .label_values import as_flags, is_whole, read_label, whole_number
from .labels import LabelScheme, ids_by_name


def encode_labels(labels: Iterable[Any], problem_type: ProblemType, names: Sequence[str]) -> list[Any]:
    """Return labels as `LabelScheme.encode` does.

    Args:
        labels: A label for each text. Single-label classification: the name of a class, or its id. Multi-label
            classification: a list of names, or of 0 and 1 for each label. Regression: a number.
        problem_type: The model's problem type.
        names: The names of the model's labels by id.

    Raises:
        DataError: A label is missing or none of the model's.
    """
    scheme = LabelScheme(problem_type, tuple(names), ids_by_name(names))
    return [_encode(label, scheme, f"labels[{number}]") for number, label in enumerate(labels)]


def _encode(label: Any, scheme: LabelScheme, location: str) -> Any:
    # NumPy's numbers and arrays, and torch's.
    label = read_label(label.tolist() if hasattr(label, "tolist") else label)
    if label is None:
        raise DataError(f"{location}: the label is missing.")
    if isinstance(label, str) and is_whole(label) and label not in scheme.ids:
        label = int(whole_number(label))
    if scheme.problem_type is ProblemType.SINGLE_LABEL and isinstance(label, int) and not isinstance(label, bool):
        if not 0 <= label < len(scheme.names):
            raise DataError(f"{location}: there is no class {label}; the ids are 0 to {len(scheme.names) - 1}.")
        return label
    if scheme.problem_type is ProblemType.MULTI_LABEL and isinstance(label, list) and len(label) == len(scheme.names):
        flags = as_flags(label)
        if flags is not None and not all(name in scheme.ids for name in label):
            return [float(flag) for flag in flags]
    return scheme.encode(label, location)
