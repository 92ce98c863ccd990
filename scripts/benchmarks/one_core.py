"""Measure speed, start-up and memory on one core, for the scripts that import this module; it is not a program.

Each model is loaded into a process of its own, where it and all libraries have one thread and one core. The models take
turns, so that a busy machine slows all of them. Seconds are the processor's, so that the other programs on the core do
not count.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from predictors import PREDICTORS

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
ONE_THREAD |= {"TOKENIZERS_PARALLELISM": "false"}
# A turn has at least this many texts, however slow the model is: a batch's worth, so that lengths vary as usual.
FEWEST_TEXTS = 128
FIRST_TEXT = "최고"


class MeasurementError(Exception):
    """The process that classifies ended early; what it wrote to standard error says why."""


class Contender(NamedTuple):
    """What is measured.

    Attributes:
        predictor: A name in `predictors.PREDICTORS`.
        folder: The trained folder.
        environment: Environment variables of its process.
    """

    predictor: str
    folder: Path
    environment: Mapping[str, str] = MappingProxyType({})


class Start(NamedTuple):
    """How a process started.

    Attributes:
        seconds: From the start of the interpreter to the first label.
        megabytes: Resident memory then.
        later_megabytes: Resident memory after it classified more texts.
    """

    seconds: float
    megabytes: float
    later_megabytes: float


def measure_rates(
    contenders: Mapping[str, Contender], texts: Sequence[str], rounds: int = 7, seconds: float = 4.0
) -> dict[str, list[float]]:
    """Let contenders classify texts in turns.

    Args:
        contenders: The contenders by name.
        texts: The texts. A slow one gets only the first of them.
        rounds: How many turns each takes.
        seconds: About how long a turn takes, if there are enough texts.

    Returns:
        The texts per second of each turn, by name.

    Raises:
        MeasurementError: If a model can't be loaded or fails.
    """
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    counts = {}
    with ExitStack() as stack:
        running = {name: stack.enter_context(_started(contender)) for name, contender in contenders.items()}
        _show_progress("first run")
        # The first run warms a model up, and shows how many texts fill a turn.
        for name, process in running.items():
            few = min(FEWEST_TEXTS, len(texts))
            process.give(texts)
            process.run(few)
            counts[name] = min(len(texts), max(few, int(few / process.run(few) * seconds)))
        for turn in range(rounds):
            _show_progress(f"rates, turn {turn + 1} of {rounds}")
            for name, process in running.items():
                rates[name].append(counts[name] / process.run(counts[name]))
    return rates


def measure_starts(
    contenders: Mapping[str, Contender], texts: Sequence[str], rounds: int = 7
) -> dict[str, list[Start]]:
    """Start contenders in turns, by name. Memory is measured on Linux only.

    Args:
        contenders: The contenders by name.
        texts: The texts to classify after the first one.
        rounds: How often each is started.

    Raises:
        MeasurementError: If a model can't be loaded or fails.
    """
    starts: dict[str, list[Start]] = {name: [] for name in contenders}
    for turn in range(rounds):
        _show_progress(f"starts, turn {turn + 1} of {rounds}")
        for name, contender in contenders.items():
            with _started(contender) as process:
                first = process.megabytes()
                process.give(texts)
                process.run(len(texts))
                starts[name].append(Start(process.start_seconds, first, process.megabytes()))
    return starts


def _show_progress(text: str) -> None:
    print(f"{datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


class _Running:
    """A process that has loaded a model and classified one text.

    Attributes:
        start_seconds: The seconds that this took.
    """

    def __init__(self, contender: Contender, process: "subprocess.Popen[str]") -> None:
        self._contender, self._process = contender, process
        self.start_seconds = self._answer()

    def _answer(self) -> float:
        assert self._process.stdout
        try:
            return float(self._process.stdout.readline())
        # An empty line, which is no number, is the end of the process.
        except ValueError:
            predictor, folder, _ = self._contender
            raise MeasurementError(f"{predictor} can't be measured with {folder}: its process ended") from None

    def give(self, texts: Sequence[str]) -> None:
        """Send the texts."""
        self._send(json.dumps(list(texts)))

    def run(self, count: int) -> float:
        """Classify that many of the texts, and return the seconds."""
        self._send(str(count))
        return self._answer()

    def _send(self, line: str) -> None:
        assert self._process.stdin
        # If the pipe is broken, the answer, which is empty, says so.
        with suppress(BrokenPipeError):
            print(line, file=self._process.stdin, flush=True)

    def megabytes(self) -> float:
        """Return the resident memory in MB, as far as this system tells."""
        status = Path(f"/proc/{self._process.pid}/statm")
        return (
            int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6 if status.exists() else float("nan")
        )


@contextmanager
def _started(contender: Contender) -> Iterator[_Running]:
    command = [sys.executable, __file__, contender.predictor, str(contender.folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    environment = os.environ | ONE_THREAD | contender.environment
    with subprocess.Popen(command, **pipes, text=True, env=environment) as process:
        try:
            yield _Running(contender, process)
        finally:
            process.terminate()


def serve(predictor: str, folder: Path) -> None:
    """In a process of its own, classify as many texts as each line of standard input says."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    predict = PREDICTORS[predictor].load(folder)
    predict([FIRST_TEXT])
    print(time.process_time(), flush=True)
    texts = json.loads(sys.stdin.readline())
    for line in sys.stdin:
        chosen = texts[: int(line)]
        start = time.process_time()
        predict(chosen)
        print(time.process_time() - start, flush=True)


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]))
