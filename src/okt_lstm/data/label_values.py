"""What one label of a table is, however it was written: text, a number, a list, or nothing."""

import math
import re
from typing import Any

from oktane.hangul import compose_hangul

WHOLE = re.compile(r"([+-]?\d+)(?:\.0*)?", re.ASCII)
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

# What pandas, numpy and Excel write where there is nothing.
_NOTHING = frozenset({"", "nan", "NaN", "<NA>", "#N/A"})
# A list that became text, as Python, numpy or JSON write it: of quoted names, of numbers, or empty.
_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_ITEM = rf"(?:{_QUOTED}|[+-]?\d+\.?\d*|True|False|true|false)"
_LIST = re.compile(rf"([\[({{])\s*(?:{_ITEM}(?:\s*,\s*|\s+))*(?:{_ITEM})?\s*[\])}}]", re.DOTALL)
_ITEMS = re.compile(_ITEM, re.DOTALL)


def read_label(value: Any) -> Any:
    """Return a label as it was meant.

    Args:
        value: What the table holds.

    Returns:
        None for nothing. A list of labels for a list, and for text that is a list by accident. Text without blanks
        around it, and Hangul composed; "true" and "false" in lowercase. A whole number that became a float, as an int.
        Everything else as it is.
    """
    if isinstance(value, str):
        text = compose_hangul([value.strip()])[0][0]
        if text in _NOTHING:
            return None
        if _LIST.fullmatch(text):
            return [read_label(_unquoted(item)) for item in _ITEMS.findall(text)]
        return text.lower() if text.lower() in ("true", "false") else text
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return int(value) if value.is_integer() else value
    if isinstance(value, list | tuple):
        return [read_label(item) for item in value]
    return value


def _unquoted(item: str) -> str | int | float:
    if item[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", item[1:-1])
    return float(item) if NUMBER.fullmatch(item) else item


def whole_number(name: str) -> str:
    """Return the name of a class without the fraction that pandas gives to whole numbers: 1 for 1.0."""
    whole = WHOLE.fullmatch(name)
    return whole[1] if whole else name


def as_flags(labels: list[Any]) -> list[int] | None:
    """Return a list of labels that are all 0 or 1, or true or false, as integers; else None."""
    flags = {0: 0, 1: 1, "0": 0, "1": 1, "true": 1, "false": 0}
    try:
        return [flags[label] for label in labels]
    except (KeyError, TypeError):
        return None
