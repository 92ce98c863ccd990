"""How many texts a second trained models classify on one core, from raw text; used by other scripts.

Each model is loaded into a process of its own, where it and every library under it has one thread and one core. The
models take turns, so that a busy machine slows all of them.
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
FEWEST_TEXTS = 256  # of a turn, however slow the model is: a batch's worth, so that its lengths vary as usual


class MeasurementError(Exception):
    """The process that was to classify ended; what it wrote to standard error says why."""


def measure_rates(
    models: Mapping[str, Path], texts: Sequence[str], rounds: int = 5, seconds: float = 4.0
) -> dict[str, list[float]]:
    """Let models classify texts in turn.

    Args:
        models: The folder of each model, by name: a key of `baselines.BASELINES`, or any other for a model of okt-lstm.
        texts: The texts; a slow model gets only the first of them.
        rounds: How often each model takes its turn.
        seconds: About how long a turn takes, as far as there are texts enough.

    Returns:
        The texts a second of each turn, by name.

    Raises:
        MeasurementError: If a model can't be loaded or fails.
    """
    rates: dict[str, list[float]] = {name: [] for name in models}
    counts = {}
    with ExitStack() as stack:
        runs = {name: stack.enter_context(_started(name, folder, texts)) for name, folder in models.items()}
        for name, run in runs.items():  # warms it up, and tells how many texts fill a turn
            few = min(FEWEST_TEXTS, len(texts))
            run(few)
            counts[name] = min(len(texts), max(few, int(few / run(few) * seconds)))
        for _ in range(rounds):
            for name, run in runs.items():
                rates[name].append(counts[name] / run(counts[name]))
    return rates


@contextmanager
def _started(name: str, folder: Path, texts: Sequence[str]) -> Iterator[Callable[[int], float]]:
    """A process with a model, which classifies as many texts as the function is told; that returns the seconds."""
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
            except (BrokenPipeError, ValueError):  # an empty line is no number
                raise MeasurementError(f"the model {name} in {folder} can't be measured: its process ended") from None

        try:
            print(json.dumps(list(texts)), file=requests, flush=True)
            yield run
        finally:
            process.terminate()


def serve(name: str, folder: Path) -> None:
    """In a process of its own: classify the first texts, as many as each line of standard input says."""
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
