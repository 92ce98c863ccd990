"""Measure what `import okt_lstm` adds to importing transformers, and how fast the command answers.

    python scripts/benchmarks/benchmark_import.py --runs 15

Each fresh process imports transformers first and okt_lstm next, and times each of them. (Comparing processes with and
without okt_lstm would not work: importing transformers and torch takes seconds, and varies by tenths of a second.)
Then the command is timed with help, its version and mistakes, which it answers without importing either.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
from importlib.metadata import version
from time import perf_counter

TIMED_IMPORTS = """
from time import perf_counter
start = perf_counter()
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel
between = perf_counter()
import okt_lstm
print(between - start, perf_counter() - between)
"""


def timed_imports() -> tuple[float, float]:
    """Return the seconds to import transformers, and those to import okt_lstm after it, in a fresh process."""
    done = subprocess.run([sys.executable, "-c", TIMED_IMPORTS], check=True, capture_output=True, text=True)
    transformers, okt_lstm = map(float, done.stdout.split())
    return transformers, okt_lstm


COMMANDS = ("--version", "train --help", "predict --help", "train --lerning_rate 1", "predict --input missing.csv")


def timed_command(arguments: str) -> float:
    """Return the seconds that `okt-lstm` takes for help, its version or a mistake."""
    start = perf_counter()
    subprocess.run([sys.executable, "-m", "okt_lstm", *arguments.split()], check=False, capture_output=True)
    return perf_counter() - start


def main() -> None:
    """Measure, and print the figures with the versions and the machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15, help="number of processes (default: 15)")
    runs = parser.parse_args().runs

    # The first import writes the byte code and fills the disk's cache.
    timed_imports()
    transformers, okt_lstm = zip(*(timed_imports() for _ in range(runs)), strict=True)

    packages = ", ".join(f"{name} {version(name)}" for name in ("okt-lstm", "transformers", "torch"))
    print(f"Python {platform.python_version()}, {packages}; {platform.machine()}, {os.cpu_count()} CPUs; {runs} runs")
    for label, seconds in (("transformers", transformers), ("then okt_lstm", okt_lstm)):
        print(f"{label:14} {statistics.median(seconds):6.3f} s (median; {min(seconds):.3f} to {max(seconds):.3f})")
    for command in COMMANDS:
        median = statistics.median(timed_command(command) for _ in range(runs))
        print(f"okt-lstm {command:28} {median:6.3f} s (median)")


if __name__ == "__main__":
    main()
