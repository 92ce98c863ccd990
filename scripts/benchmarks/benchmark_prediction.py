#!/usr/bin/env python3
"""Measure bulk prediction from text against konlpy's analysis alone, and print a report in Markdown.

    python scripts/benchmarks/benchmark_prediction.py --column document ratings_test.txt
    python scripts/benchmarks/benchmark_prediction.py --column document ratings_test.txt --memory --model out

It compares `okt_lstm.load(model).predict(texts)`, run by oktane and by torch, and what many programs do before any
network runs: `Okt().morphs(text)` in a Python loop. Each has a process of its own on the same cores. They take turns,
so that a busy machine slows all of them. A rate is the median of several runs, without those that warm up. Without
--model, an untrained network of the classic recipe's size is measured; the values of the weights do not change how long
prediction takes.

With --memory, `okt-lstm predict` also labels files of 100,000 and of 1,000,000 lines, in which the texts repeat. The
report gives the peak resident memory and the rate, start included. That takes minutes.
"""

import argparse
import importlib.metadata
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmark_okt import machine
from okt_parity import konlpy_okt, read_texts

PACKAGES = ["okt-lstm", "torch", "transformers", "konlpy"]
VOCABULARY_SIZE = 20_000
# Turns that are not counted: Java compiles while it runs.
WARM_UPS = 2


def konlpy_loop(texts: Sequence[str], model: str) -> Callable[[], Any]:
    """Analyze the texts, one per call, without predicting."""
    okt = konlpy_okt()
    return lambda: [okt.morphs(text) for text in texts]


def predict_with_oktane(texts: Sequence[str], model: str) -> Callable[[], Any]:
    """Predict the texts' labels as `load` does by default."""
    import okt_lstm

    classifier = okt_lstm.load(model, engine="oktane")
    return lambda: classifier.predict(texts)


def predict_with_torch(texts: Sequence[str], model: str) -> Callable[[], Any]:
    """Predict the texts' labels with torch."""
    import okt_lstm

    classifier = okt_lstm.load(model, device="cpu", engine="torch")
    return lambda: classifier.predict(texts)


BASELINE = "konlpy: Okt().morphs in a loop, no network"
SYSTEMS = {
    BASELINE: konlpy_loop,
    "okt-lstm, torch: text to label": predict_with_torch,
    "okt-lstm, oktane: text to label": predict_with_oktane,
}


def serve(system: str, texts_file: str, model: str) -> None:
    """In a process of its own, run once for each line of standard input, and print the seconds it took."""
    texts = json.loads(Path(texts_file).read_text(encoding="utf-8"))
    run = SYSTEMS[system](texts, model)
    for _ in sys.stdin:
        start = time.perf_counter()
        run()
        print(time.perf_counter() - start, flush=True)


@contextmanager
def started(system: str, texts_file: Path, model: str) -> Iterator[Callable[[], float]]:
    """Start a process that runs a system whenever the function is called. The function returns the seconds."""
    command = [sys.executable, __file__, "--serve", system, str(texts_file), model]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout

        requests, answers = process.stdin, process.stdout

        def run() -> float:
            print(file=requests, flush=True)
            return float(answers.readline())

        yield run
        requests.close()


def make_untrained_model(texts: Sequence[str], folder: Path) -> None:
    """Save a model of the classic recipe's size, with a vocabulary from these texts."""
    from okt_lstm import LSTMConfig, LSTMForSequenceClassification, OktTokenizer

    batches = (texts[start : start + 1000] for start in range(0, len(texts), 1000))
    tokenizer = OktTokenizer().train_new_from_iterator(batches, VOCABULARY_SIZE, show_progress=False)
    LSTMForSequenceClassification(LSTMConfig(vocab_size=VOCABULARY_SIZE)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def predict_a_file(texts: Sequence[str], lines: int, model: str, folder: Path) -> tuple[float, float]:
    """Return the seconds and the peak resident MB of `okt-lstm predict` over a file with this many lines."""
    source, target = folder / "texts.txt", folder / "labels.csv"
    with source.open("w", encoding="utf-8") as file:
        file.writelines(f"{text}\n" for text in itertools.islice(itertools.cycle(texts), lines))
    flags = ["--model", model, "--input", str(source), "--output", str(target), "--device", "cpu"]
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "okt_lstm", "predict", *flags])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"okt-lstm predict ended with exit code {process.returncode}")
    # ru_maxrss is in bytes on macOS, in KiB elsewhere.
    unit = 1 if sys.platform == "darwin" else 1024
    return time.perf_counter() - start, usage.ru_maxrss * unit / 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, help="texts, one per line, or with --column tab-separated")
    parser.add_argument("--column", help="the file is tab-separated: the column of texts")
    parser.add_argument("--model", help="a trained folder (default: an untrained network of the usual size)")
    parser.add_argument("--texts", type=int, default=20_000, help="how many texts (default: %(default)s)")
    parser.add_argument(
        "--repeats", type=int, default=5, help="number of runs; the median counts (default: %(default)s)"
    )
    parser.add_argument("--memory", action="store_true", help="also measure files of --lines lines")
    parser.add_argument(
        "--lines",
        type=int,
        nargs="+",
        default=[100_000, 1_000_000],
        help="their numbers of lines (default: %(default)s)",
    )
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(*options.serve)
        return
    if options.file is None:
        parser.error("name a file of reviews, for example: --column document ratings_test.txt")
    texts = list(itertools.islice(read_texts(options.file, options.column), options.texts))

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = options.model
        if model is None:
            model = str(folder / "model")
            make_untrained_model(texts, folder / "model")
        texts_file = folder / "texts.json"
        texts_file.write_text(json.dumps(texts), encoding="utf-8")
        seconds: dict[str, list[float]] = {system: [] for system in SYSTEMS}
        with ExitStack() as stack:
            runs = {system: stack.enter_context(started(system, texts_file, model)) for system in SYSTEMS}
            for turn in range(WARM_UPS + options.repeats):
                for system, run in runs.items():
                    duration = run()
                    if turn >= WARM_UPS:
                        seconds[system].append(duration)
        print(f"{len(texts):,} texts of {options.file.name}; {options.repeats} runs in turns. {machine()};")
        print(", ".join(f"{package} {importlib.metadata.version(package)}" for package in PACKAGES) + ".\n")
        print(f"| system | texts per second, median | lowest to highest | times {BASELINE.split(':')[0]} |")
        print("| --- | --- | --- | --- |")
        for system, times in seconds.items():
            rates = [len(texts) / time for time in times]
            # The runs of one turn follow each other, so their ratio means something on a machine that is busy at times.
            ratio = statistics.median(slow / fast for slow, fast in zip(seconds[BASELINE], times, strict=True))
            spread = f"{min(rates):,.0f} to {max(rates):,.0f}"
            print(f"| {system} | {statistics.median(rates):,.0f} | {spread} | {ratio:.2f} |")
        if options.memory:
            print("\n| lines of the file | seconds | lines per second | peak resident memory, MB |")
            print("| --- | --- | --- | --- |")
            for lines in options.lines:
                duration, memory = predict_a_file(texts, lines, model, folder)
                print(f"| {lines:,} | {duration:.0f} | {lines / duration:,.0f} | {memory:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
