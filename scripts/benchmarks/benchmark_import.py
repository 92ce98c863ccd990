"""Measure what `import okt_lstm` adds to importing the parts of transformers that every program with a model needs.

    python scripts/benchmarks/benchmark_import.py --runs 15

Each fresh process imports transformers first and okt_lstm next, and times each of them. (Comparing processes with and
without okt_lstm would not work: importing transformers and torch takes seconds, and varies by tenths of a second.)
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
from importlib.metadata import version

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


if __name__ == "__main__":
    main()
