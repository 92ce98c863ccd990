"""What one label of a table is, however it was written: text, a number, a list, or nothing."""

import math
import re
from datetime import date
from decimal import Decimal
from typing import Any

from oktane.hangul import compose_hangul

_WHOLE = re.compile(r"[+-]?\d+(?:\.0*)?", re.ASCII)
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

# What pandas, numpy, databases and Excel write where there is nothing, or an error. "None" and "N/A" may be classes.
_NOTHING = frozenset({"", "nan", "NaN", "NaT", "<NA>", "null", "NULL", "\\N"})
_NOTHING |= {"#N/A", "#VALUE!", "#REF!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"}
# What is not seen at the ends of text: blanks of zero width and byte order marks.
_UNSEEN = "\u200b\u200c\u200d\u2060\ufeff"
# Digits as Korean keyboards type them in fullwidth.
_NARROW = {ord(wide): narrow for wide, narrow in zip("０１２３４５６７８９．＋－", "0123456789.+-", strict=True)}
# A list that became text, as Python, numpy or JSON write it: of quoted names, of numbers, or empty.
_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_ITEM = rf"(?:{_QUOTED}|[+-]?\d+\.?\d*|True|False|true|false|None|nan|null)"
_LIST = re.compile(rf"([\[({{])\s*(?:{_ITEM}(?:\s*,\s*|\s+))*(?:{_ITEM})?\s*[\])}}]", re.DOTALL)
_ITEMS = re.compile(_ITEM, re.DOTALL)
# How Python writes arrays and sets: array(['가'], dtype=object), set().
_CALL = re.compile(r"(?:array|set|frozenset)\((.*?)(?:,\s*dtype=[^\[\]]*)?\)", re.DOTALL)
# Brackets around several words: a list or an object, but not as Python, numpy or JSON write it.
_LIKE_A_LIST = re.compile(r"\[.*[,;|].*\]|\{.*[,:;|].*\}", re.DOTALL)


def read_label(value: Any) -> Any:
    """Return a label as it was meant.

    Args:
        value: What the table holds.

    Returns:
        None for nothing. A list of labels for a list, and for text that is a list by accident. Text without blanks and
        quotes around it, with one blank between words, and Hangul composed; "true" and "false" in lowercase; digits
        that are not wide. A whole number that became a float, as an int. A date in ISO 8601. Everything else as it is.
    """
    if isinstance(value, str):
        text = compose_hangul([" ".join(value.strip(_UNSEEN).split()).strip(_UNSEEN)])[0][0]
        if text[:1] == text[-1:] == '"' and '"' not in text[1:-1]:
            text = text[1:-1].strip()
        if text in _NOTHING:
            return None
        if NUMBER.fullmatch(narrow := text.translate(_NARROW)):
            return narrow
        if call := _CALL.fullmatch(text):
            text = call[1] or "[]"
        if _LIST.fullmatch(text):
            return [read_label(_unquoted(item)) for item in _ITEMS.findall(text)]
        return text.lower() if text.lower() in ("true", "false") else text
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return int(value) if value.is_integer() else value
    if isinstance(value, list | tuple):
        return [read_label(item) for item in value]
    return value


def _unquoted(item: str) -> str | int | float | None:
    if item in ("None", "nan", "null"):
        return None
    if item[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", item[1:-1])
    return float(item) if NUMBER.fullmatch(item) else item


def is_whole(name: str) -> bool:
    """Return whether the name of a class is a whole number, in any spelling: 1, 1.0, 1e0, +1 or 01."""
    if _WHOLE.fullmatch(name):
        return True
    # Larger numbers in this form are not exact.
    return NUMBER.fullmatch(name) is not None and float(name).is_integer() and abs(float(name)) < 2**53


def whole_number(name: str) -> str:
    """Return the name of a class in the plainest spelling, if it is a whole number: 1 for 1.0, 1e0, +1 and 01."""
    if not is_whole(name):
        return name
    spelled = without_fraction(name)
    digits = spelled.lstrip("+-").lstrip("0") or "0"
    return f"-{digits}" if spelled[0] == "-" and digits != "0" else digits


def without_fraction(name: str) -> str:
    """Return the name of a class without the fraction that programs give to whole numbers: 1 for 1.0, but 01 for 01."""
    if not is_whole(name):
        return name
    return name.partition(".")[0] if _WHOLE.fullmatch(name) else str(int(float(name)))


def is_like_a_list(name: str) -> bool:
    """Return whether the name of a class looks like several labels in brackets."""
    return _LIKE_A_LIST.fullmatch(name) is not None


def as_flags(labels: list[Any]) -> list[int] | None:
    """Return a list of labels that are all 0 or 1, or true or false, as integers; else None."""
    flags = {0: 0, 1: 1, "0": 0, "1": 1, "true": 1, "false": 0}
    try:
        return [flags[label] for label in labels]
    except (KeyError, TypeError):
        return None
