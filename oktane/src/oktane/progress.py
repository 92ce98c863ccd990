"""A progress bar on a terminal: how much is done, how fast, and how long it will take."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

from .lines import counted, escaped

# Seconds between two drawings.
INTERVAL = 0.2


class Progress:
    """A line on standard error that is drawn anew; nothing if that is no terminal.

    Args:
        name: What is being done.
        stream: Where the line goes. By default standard error.
        clock: Returns seconds.
    """

    def __init__(self, name: str, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._stream, self._clock = escaped(name), stream or sys.stderr, clock
        self._shown = self._stream.isatty()
        self._start = self._drawn = clock()
        self._first = (0, 0)

    def update(self, rows: int, computed: int, position: int, size: int) -> None:
        """Show how far the work is.

        Args:
            rows: Rows that are done.
            computed: How many of them this run has computed.
            position: How much of the file has been read.
            size: The size of the file; 0 if it is unknown.
        """
        now = self._clock()
        if not computed:
            # What an earlier run has done says nothing about the rate.
            self._first, self._start = (rows, position), now
        if not self._shown or now - self._drawn < INTERVAL:
            return
        self._drawn = now
        seconds = max(now - self._start, 1e-9)
        text = f"{self._name}: {counted(rows, 'row')}"
        if computed:
            text += f", {(rows - self._first[0]) / seconds:,.0f} a second"
        if size and position > self._first[1]:
            left = (size - position) * seconds / (position - self._first[1])
            text = f"{position / size:4.0%} {text}, {_clock_time(left)} left"
        width = shutil.get_terminal_size().columns - 1
        print(f"\r{text[:width]:{width}}", end="", file=self._stream, flush=True)

    def clear(self) -> None:
        """Remove the line, before something else is printed."""
        if self._shown:
            print(f"\r{'':{shutil.get_terminal_size().columns - 1}}\r", end="", file=self._stream, flush=True)


def _clock_time(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
