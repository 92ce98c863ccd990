"""Rows that lack their text or their label: counted, and named all at once."""

import math
from typing import Any

from oktane.encodings import say_once

from .errors import DataError

_SHOWN = 10


def is_missing(text: Any) -> bool:
    """Return whether a text, or one of a pair, is null. A blank text is not."""
    if isinstance(text, tuple):
        return any(map(is_missing, text))
    return text is None or (isinstance(text, float) and math.isnan(text))


class BadRows:
    """Collects the rows without a text or a label.

    Args:
        skip: Whether they are left out, instead of refused.
    """

    def __init__(self, skip: bool = False) -> None:
        self._skip = skip
        self._found: dict[str, list[str]] = {}
        self._count: dict[str, int] = {}

    def is_bad(self, location: str, text: Any, label: Any) -> bool:
        """Return whether the text or the label of a row is missing."""
        if is_missing(text):
            self._add("text", location)
        elif label is None:
            self._add("label", location)
        else:
            return False
        return True

    def _add(self, what: str, location: str) -> None:
        self._count[what] = self._count.get(what, 0) + 1
        locations = self._found.setdefault(what, [])
        if len(locations) < _SHOWN:
            locations.append(location)

    def report(self) -> None:
        """Say which rows there are.

        Raises:
            DataError: There are some, and they are not to be left out.
        """
        if not self._found:
            return
        parts = [
            f"{self._count[what]:,} row{'s' * (self._count[what] > 1)} without {what}: {self._places(what)}"
            for what in self._found
        ]
        if not self._skip:
            raise DataError(f"{'; '.join(parts)}. Mend them, or add --on_bad_row skip to leave them out.")
        say_once(f"left out {'; '.join(parts)}")

    def _places(self, what: str) -> str:
        """Name the places file by file: "a.csv, line 3, 17"."""
        places: dict[str, list[str]] = {}
        for location in self._found[what]:
            file, _, number = location.rpartition(" ")
            places.setdefault(file, []).append(number)
        text = "; ".join(f"{file} {', '.join(numbers)}" for file, numbers in places.items())
        more = self._count[what] - len(self._found[what])
        return text + (f" and {more:,} more" if more else "")
