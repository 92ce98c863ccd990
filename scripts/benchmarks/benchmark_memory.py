#!/usr/bin/env python3
"""Call Okt many times on texts that all differ, and print how much memory the process has after each tenth of them.

    python scripts/benchmarks/benchmark_memory.py --texts reviews.txt

Each text is made of parts of three lines of the file, at random. Each call is one of morphs, pos, nouns, phrases and
normalize, with and without `norm` and `stem`. A thousandth of the calls go through a batch on one thread.
"""

import argparse
import os
import random
import time
from pathlib import Path

from oktane import Okt

CALLS = [
    lambda okt, text: okt.morphs(text),
    lambda okt, text: okt.morphs(text, norm=True, stem=True),
    lambda okt, text: okt.pos(text, norm=True),
    lambda okt, text: okt.nouns(text),
    lambda okt, text: okt.phrases(text),
    lambda okt, text: okt.normalize(text),
    lambda okt, text: okt.tokenize(text, stem=True),
]


def megabytes() -> float:
    """Return the memory of this process that is in use (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def mixed(lines: list[str], draw: random.Random) -> str:
    """Return a text of parts of three lines."""
    parts = (draw.choice(lines) for _ in range(3))
    return " ".join(part[draw.randrange(len(part)) :][: draw.randrange(60)] for part in parts)


def main() -> None:
    """Call, and print a line after each tenth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, required=True, help="file with a text on each line")
    parser.add_argument("--calls", type=int, default=10_000_000, help="number of calls (default: 10,000,000)")
    options = parser.parse_args()
    lines = [line for line in options.texts.read_text(encoding="utf-8").splitlines() if line]
    draw = random.Random(0)
    okt = Okt(threads=1)
    begin = time.monotonic()
    for number in range(options.calls):
        if number % max(1, options.calls // 10) == 0:
            print(f"{number:>12,} calls  {time.monotonic() - begin:>6.0f} s  {megabytes():.1f} MB", flush=True)
        if number % 1000 == 0:
            okt.morphs_batch([mixed(lines, draw) for _ in range(100)])
        draw.choice(CALLS)(okt, mixed(lines, draw))
    print(f"{options.calls:>12,} calls  {time.monotonic() - begin:>6.0f} s  {megabytes():.1f} MB")


if __name__ == "__main__":
    main()
