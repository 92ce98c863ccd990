"""How long to search for a network. Nothing heavy is imported here; see options.py for what a field's metadata say."""

import re
from dataclasses import dataclass, field, fields

from .values import check_ranges

_UNITS = {"s": 1, "m": 60, "h": 3600}


@dataclass
class TuneOptions:
    """How long to search."""

    _argument_group_name = "search"

    time: str = field(
        default="10m",
        metadata={
            "metavar": "TIME",
            "help": "begin no further trial after this time: a number and s, m or h, such as 90s or 10m",
        },
    )
    trials: int | None = field(
        default=None, metadata={"help": "begin at most N trials (default: as many as the time allows)", "min": 1}
    )

    def __post_init__(self) -> None:
        """Check the ranges, and that the time can be read."""
        check_ranges(vars(self), fields(self))
        self.seconds  # noqa: B018  # raises ValueError

    @property
    def seconds(self) -> float:
        """The time in seconds.

        Raises:
            ValueError: If it can't be read.
        """
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", self.time.strip())
        if match is None or not float(match[1]) > 0:
            raise ValueError(f"time is {self.time!r}; it has to be a number and s, m or h, such as 90s or 10m")
        return float(match[1]) * _UNITS[match[2] or "s"]
