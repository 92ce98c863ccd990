"""Measure texts per second on one core, from raw text, for the scripts that import this module; it is not a program.

Each model is loaded into a process of its own, where it and all libraries have one thread and one core. The models take
turns, so that a busy machine slows all of them.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch

import okt_lstm

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
ONE_THREAD |= {"TOKENIZERS_PARALLELISM": "false"}
# A turn has at least this many texts, however slow the model is: a batch's worth, so that lengths vary as usual.
FEWEST_TEXTS = 256


class MeasurementError(Exception):
    """The process that classifies ended early; what it wrote to standard error says why."""


def measure_rates(
    models: Mapping[str, Path], texts: Sequence[str], rounds: int = 5, seconds: float = 4.0
) -> dict[str, list[float]]:
    """Let models classify texts in turns.

    Args:
        models: The folder of each model by name: a key of `baselines.BASELINES`, or any other for a model of okt-lstm.
        texts: The texts. A slow model gets only the first of them.
        rounds: How many turns each model takes.
        seconds: About how long a turn takes, if there are enough texts.

    Returns:
        The texts per second of each turn, by name.

    Raises:
        MeasurementError: If a model can't be loaded or fails.
    """
    rates: dict[str, list[float]] = {name: [] for name in models}
    counts = {}
    with ExitStack() as stack:
        runs = {name: stack.enter_context(_started(name, folder, texts)) for name, folder in models.items()}
        # The first run warms a model up, and shows how many texts fill a turn.
        for name, run in runs.items():
            few = min(FEWEST_TEXTS, len(texts))
            run(few)
            counts[name] = min(len(texts), max(few, int(few / run(few) * seconds)))
        for _ in range(rounds):
            for name, run in runs.items():
                rates[name].append(counts[name] / run(counts[name]))
    return rates


@contextmanager
def _started(name: str, folder: Path, texts: Sequence[str]) -> Iterator[Callable[[int], float]]:
    """Start a process with a model. The function takes how many texts to classify, and returns the seconds."""
    command = [sys.executable, __file__, name, str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True, env=os.environ | ONE_THREAD) as process:
        assert process.stdin
        assert process.stdout

        requests, answers = process.stdin, process.stdout

        def run(count: int) -> float:
            try:
                print(count, file=requests, flush=True)
                return float(answers.readline())
            # An empty line, which is no number, is the end of the process.
            except (BrokenPipeError, ValueError):
                raise MeasurementError(f"the model {name} in {folder} can't be measured: its process ended") from None

        try:
            print(json.dumps(list(texts)), file=requests, flush=True)
            yield run
        finally:
            process.terminate()


def serve(name: str, folder: Path) -> None:
    """In a process of its own, classify as many texts as each line of standard input says."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    predict = _load(name, folder)
    texts = json.loads(sys.stdin.readline())
    for line in sys.stdin:
        chosen = texts[: int(line)]
        start = time.perf_counter()
        predict(chosen)
        print(time.perf_counter() - start, flush=True)


def _load(name: str, folder: Path) -> Callable[[list[str]], object]:
    from baselines import BASELINES

    return BASELINES[name].load(folder) if name in BASELINES else okt_lstm.load(folder, device="cpu").predict


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]))
