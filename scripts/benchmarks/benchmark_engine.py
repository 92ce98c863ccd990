#!/usr/bin/env python3
"""Measures oktane's engine beside torch, from raw text on one core, and prints a report in Markdown.

    python scripts/benchmarks/benchmark_engine.py ratings_test.txt
    python scripts/benchmarks/benchmark_engine.py ratings_test.txt --texts 8192 --turns 7

Every contender runs in a process of its own, bound to the same core. They take turns. A figure is the median of the
turns after one that isn't counted. Seconds are CPU seconds, so that other programs disturb little; with --wall they are
seconds on the clock. torch without AVX-512 is torch told not to use it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

# What each contender is, and the environment that makes it so.
TORCH_AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}
CONTENDERS = {
    "okt_lstm (torch)": {},
    "oktane, avx512": {"OKTANE_CPU": "avx512"},
    "okt_lstm (torch), avx2": TORCH_AVX2,
    "oktane, avx2": {"OKTANE_CPU": "avx2"},
    "oktane, neon": {"OKTANE_CPU": "neon"},
    "oktane, plain": {"OKTANE_CPU": "plain"},
}
BASELINES = {"oktane, avx2": "okt_lstm (torch), avx2"}  # of the others it is torch as it comes
BATCH = 512  # texts whose ids the network gets at a time
BURN_ROUNDS = 2_000_000


# ---- inside a process of its own ------------------------------------------------------------------------------------


def timed(clock: Callable[[], float], function: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    start = clock()
    function()
    return clock() - start


def measure_torch(texts: list[str], folder: Path, clock: Callable[[], float]) -> Iterator[dict[str, float]]:
    """Yield the seconds of today's road, turn by turn."""
    import torch

    import okt_lstm

    torch.set_num_threads(1)
    classifier = okt_lstm.load(folder, device="cpu", engine="torch")
    while True:
        yield {"all": timed(clock, lambda: classifier.predict(texts))}


def measure_oktane(texts: list[str], folder: Path, clock: Callable[[], float]) -> Iterator[dict[str, float]]:
    """Yield the seconds of the whole road and of its parts, and the processor's peak, turn by turn."""
    import numpy as np

    import oktane
    from oktane import _engine
    from oktane.network import kernels, load_model
    from oktane.tokenizer import Tokenizer

    classifier = oktane.load(folder, num_threads=1)
    okt, tokenizer, network = oktane.Okt(threads=1), Tokenizer(folder), load_model(folder).network
    batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
    encoded = [tokenizer.encode(batch) for batch in batches]
    logits = [network.run(*pair) for pair in encoded]
    kind, names = classifier.problem_type, classifier.labels
    config = json.loads((folder / "config.json").read_text())
    lengths = np.concatenate([np.diff(row_splits) for _, row_splits in encoded])
    macs = multiplications(config, int(lengths.sum()), int(np.count_nonzero(lengths)))
    while True:
        start = clock()
        operations = _engine.burn(kernels(), BURN_ROUNDS)
        yield {
            "peak": operations / (clock() - start),
            "all": timed(clock, lambda: classifier.predict(texts)),
            "morphemes": timed(clock, lambda: [okt.encode_batch(batch) for batch in batches]),
            "ids": timed(clock, lambda: [tokenizer.encode(batch) for batch in batches]),
            "network": timed(clock, lambda: [network.run(*pair) for pair in encoded]),
            "labels": timed(clock, lambda: [kind.predictions(kind.scores(found), names) for found in logits]),
            "operations": 2.0 * macs,
        }


def multiplications(config: dict, tokens: int, texts: int) -> int:
    """Return how many multiplications of weights can't be avoided.

    These are all but those of the first layer with the embeddings, whose products are kept by token, and those of a
    text's first step with the states before it, which are zero.

    Args:
        config: What config.json says.
        tokens: Number of tokens.
        texts: Number of texts that have a token.
    """
    hidden, directions = config["hidden_size"], 2 if config["bidirectional"] else 1
    gates = {"okt_lstm": 4, "okt_gru": 3, "okt_rnn": 1}[config["model_type"]]
    read = hidden if config["separate_directions"] else hidden * directions
    layers = config["num_hidden_layers"]
    return directions * gates * hidden * ((layers - 1) * read * tokens + layers * hidden * (tokens - texts))


def work(name: str, texts: list[str], folder: Path, wall: bool) -> None:
    """Answer each line of standard input with a turn's figures."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    measure = measure_torch if "torch" in name else measure_oktane
    turns = measure(texts, folder, time.perf_counter if wall else time.thread_time)
    if "torch" in name and not wall:  # its work is done by a thread of a pool
        turns = measure(texts, folder, time.process_time)
    for _ in sys.stdin:
        print(json.dumps(next(turns)), flush=True)


# ---- the report -----------------------------------------------------------------------------------------------------


def startup(folder: Path) -> tuple[float, float]:
    """Return the seconds from a cold interpreter to the first label, and the resident memory then in MB."""
    code = (
        f"import oktane; oktane.load({str(folder)!r}).predict('최고');"
        "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    times, sizes = [], []
    for _ in range(7):
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        times.append(time.perf_counter() - start)
        sizes.append(float(done.stdout))
    return min(times), statistics.median(sizes)


def scaling(folder: Path, texts: list[str], turns: int) -> tuple[int, float]:
    """Return the number of cores, and how many times as many reviews as on one all label: the median of turns."""
    import oktane

    cores = oktane.available_cores()
    one, every = (oktane.load(folder, num_threads=threads) for threads in (1, cores))
    seconds = [
        [timed(time.perf_counter, lambda c=classifier: c.predict(texts)) for classifier in (one, every)]
        for _ in range(turns + 1)
    ]
    return cores, statistics.median(alone / together for alone, together in seconds[1:])


def main() -> None:
    """Run the contenders in turns and print the report."""
    released = Path(__file__).parents[2] / "oktane" / "src" / "oktane" / "data" / "classifier"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reviews", type=Path, help="a file of NSMC: id, document and label, with a header line")
    parser.add_argument("--model", type=Path, default=released, help="a trained folder (default: the released model)")
    parser.add_argument("--texts", type=int, default=12_288, help="number of reviews (default: 12288)")
    parser.add_argument("--turns", type=int, default=7, help="turns that count (default: 7)")
    parser.add_argument(
        "--wall", action="store_true", help="measure seconds on the clock, for a machine without other load"
    )
    parser.add_argument("--worker", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    lines = options.reviews.read_text(encoding="utf-8").split("\n")[1:]
    texts = [line.split("\t")[1] for line in lines if line.count("\t") == 2][: options.texts]
    if options.worker:
        work(options.worker, texts, options.model, options.wall)
        return

    from oktane import _engine

    present = [name for name in CONTENDERS if "torch" in name or name.split(", ")[1] in _engine.kernel_names()]
    processes = {
        name: subprocess.Popen(
            [sys.executable, *sys.argv, "--worker", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"} | CONTENDERS[name],
        )
        for name in present
    }
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in present}
    for turn in range(options.turns + 1):
        for name, process in processes.items():
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("\n")
            process.stdin.flush()
            found = json.loads(process.stdout.readline())
            if turn:
                figures[name].append(found)
    for process in processes.values():
        process.communicate()

    median = {
        name: {part: statistics.median(turn[part] for turn in turns) for part in turns[0]}
        for name, turns in figures.items()
    }
    count = len(texts)
    print(f"{count} reviews, {options.turns} turns, medians; {'wall' if options.wall else 'CPU'} seconds of one core\n")
    print("| | reviews/s | of torch's | us a review | morphemes | ids | network | labels |")
    print("|---|---|---|---|---|---|---|---|")
    for name, parts in median.items():
        baseline = BASELINES.get(name, "okt_lstm (torch)")
        ratios = [theirs["all"] / ours["all"] for theirs, ours in zip(figures[baseline], figures[name], strict=True)]
        row = [name, f"{count / parts['all']:,.0f}", f"{statistics.median(ratios):.2f}"]
        row.append(f"{parts['all'] / count * 1e6:.1f}")
        if "network" in parts:
            road = [parts["morphemes"], parts["ids"] - parts["morphemes"], parts["network"], parts["labels"]]
            row += [f"{part / count * 1e6:.1f} ({part / sum(road):.0%})" for part in road]
        print("| " + " | ".join(row + [""] * (8 - len(row))) + " |")

    print("\nThe network beside the processor's peak of multiply-adds, measured in registers with the same kernels:\n")
    print("| | MFLOP a review that can't be avoided | peak GFLOP/s | reached | share |")
    print("|---|---|---|---|---|")
    for name, parts in median.items():
        if "network" not in parts:
            continue
        reached = parts["operations"] / parts["network"]
        share = statistics.median(turn["operations"] / turn["network"] / turn["peak"] for turn in figures[name])
        cells = [f"{parts['operations'] / count / 1e6:.2f}", f"{parts['peak'] / 1e9:.0f}", f"{reached / 1e9:.0f}"]
        print(f"| {name} | {' | '.join(cells)} | {share:.0%} |")
    cores, ratio = scaling(options.model, texts, options.turns)
    print(f"\nOn {cores} cores it labels {ratio:.2f} times as many reviews as on one (seconds on the clock)")
    seconds, size = startup(options.model)
    print(f"\nFrom a cold interpreter to the first label: {seconds:.2f} s (best of 7), {size:.0f} MB resident")


if __name__ == "__main__":
    main()
