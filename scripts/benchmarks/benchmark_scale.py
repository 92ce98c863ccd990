"""Measure how fast a lot of text is labeled: by the engine alone, from file to file, by Ray and by Spark.

    python scripts/benchmarks/benchmark_scale.py --nsmc ratings_test.txt --folder FOLDER

It writes parquet files of NSMC reviews, repeated, and labels them. With --turns, the parts take turns, so that a busy
machine slows all of them. With --kill, workers of Ray and Spark are killed while they work; all labels must be those
that one machine gives. It needs `oktane[arrow]`, and ray[data] and pyspark for their parts. The figures go to standard
output as JSON, one line for each run: seconds on the clock, and seconds of all cores together.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

import oktane
from oktane.arrow_texts import text_arrays
from oktane.parallel import available_cores

ROWS_OF_A_FILE = 250_000
PARTS = ("engine", "parquet", "csv", "ray", "spark")


def main() -> None:
    """Run the parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--nsmc", type=Path, required=True, help="ratings_test.txt, or another tsv file with `document`"
    )
    parser.add_argument("--folder", type=Path, required=True, help="a folder for the files")
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--turns", type=int, default=1, help="how often the parts are run, in turns")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="numbers of workers of Ray and Spark")
    parser.add_argument("--kill", type=int, default=0, metavar="N", help="kill N workers of each run")
    parser.add_argument("--kill_every", type=float, default=30, metavar="SECONDS", help="seconds from one to the next")
    options = parser.parse_args()
    texts = options.folder / "texts"
    write_texts(options.nsmc, texts, options.rows)
    for part in options.parts * options.turns:
        if part in ("ray", "spark"):
            expected = labels_by_id(options.folder / "parquet")
            for workers in options.workers:
                target = options.folder / f"{part}-{workers}"
                shutil.rmtree(target, ignore_errors=True)
                seconds, killed = timed(partial(RUNS[part], texts, target, workers), options.kill, options.kill_every)
                report(part, options.rows, seconds, workers=workers, killed=killed)
                assert labels_by_id(target).equals(expected), f"{part}: other labels than one machine's"
        else:
            report(part, options.rows, *RUNS[part](texts, options.folder / part))


def report(
    part: str,
    rows: int,
    seconds: float,
    core_seconds: float | None = None,
    megabytes: float | None = None,
    **facts: int,
) -> None:
    """Print the figures of a run, those that were measured."""
    figures = {"rows": rows, "cores": available_cores(), "seconds": seconds, "rows_per_second": rows / seconds}
    figures |= {"core_seconds": core_seconds, "peak_megabytes": megabytes} | facts
    measured = {name: round(value, 1) for name, value in figures.items() if value is not None}
    print(json.dumps({"part": part} | measured), flush=True)


def write_texts(nsmc: Path, folder: Path, rows: int) -> None:
    """Write reviews, repeated, to parquet files with the columns `id` and `text`."""
    # Files of an earlier run with more rows.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    reviews = [line.split("\t")[1] for line in nsmc.read_text(encoding="utf-8").split("\n")[1:] if line]
    for start in range(0, rows, ROWS_OF_A_FILE):
        ids = range(start, min(start + ROWS_OF_A_FILE, rows))
        table = pa.table({"id": list(ids), "text": [reviews[number % len(reviews)] for number in ids]})
        pq.write_table(table, folder / f"part-{start // ROWS_OF_A_FILE:05}.parquet")


def labels_by_id(folder: Path) -> pa.Table:
    """Return all labels, by id; a row that came twice is there twice."""
    table = ds.dataset(folder, format="parquet").to_table(columns=["id", "label"])
    return table.cast(pa.schema([("id", pa.int64()), ("label", pa.string())])).sort_by("id").combine_chunks()


def run_engine(texts: Path, target: Path) -> tuple[float, float]:
    """Compute the logits of texts that are in memory."""
    classifier = oktane.load()
    column, _ = text_arrays(ds.dataset(texts).to_table(columns=["text"])["text"], "text")
    start, core_start = time.perf_counter(), time.process_time()
    for _ in classifier.compute(column.chunks(classifier.chunk_size)):
        pass
    return time.perf_counter() - start, time.process_time() - core_start


def run_command(texts: Path, target: Path, *options: str) -> tuple[float, float, float]:
    """Label the files with `oktane predict`; return the seconds, those of all cores, and the most memory in MB."""
    shutil.rmtree(target, ignore_errors=True)
    command = [sys.executable, "-m", "oktane", "predict", "--input", str(texts), "--output", f"{target}/", *options]
    start = time.perf_counter()
    _, status, used = os.wait4(os.spawnv(os.P_NOWAIT, command[0], command), 0)
    if status:
        raise SystemExit(f"{' '.join(command)}: exit status {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000


def run_ray(texts: Path, target: Path, workers: int) -> None:
    """Label the files with Ray Data."""
    import ray

    # By default Ray runs its workers at a low priority, which a busy machine would make of the measurement.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112
    # One more than there are workers, for reading and writing: an actor keeps its core.
    ray.init(num_cpus=workers + 1, include_dashboard=False, logging_level="error")
    try:
        pool = ray.data.ActorPoolStrategy(size=workers)
        data = ray.data.read_parquet(str(texts)).map_batches(
            oktane.BatchPredictor, compute=pool, num_cpus=1, batch_format="pyarrow", batch_size=4096
        )
        data.write_parquet(str(target))
    finally:
        ray.shutdown()


def run_spark(texts: Path, target: Path, workers: int) -> None:
    """Label the files with Spark."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    # A task is tried eight times.
    spark = SparkSession.builder.master(f"local[{workers},8]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        predict = oktane.BatchPredictor()
        schema = "id long, text string, label string, probability double"
        frame = spark.read.parquet(str(texts)).mapInArrow(lambda batches: map(predict, batches), schema)
        frame.write.mode("overwrite").parquet(str(target))
    finally:
        spark.stop()


RUNS: dict[str, Callable[..., object]] = {
    "engine": run_engine,
    "parquet": run_command,
    "csv": lambda texts, target: run_command(texts, target, "--output_format", "csv"),
    "ray": run_ray,
    "spark": run_spark,
}


def timed(run: Callable[[], object], kills: int, every: float) -> tuple[float, int]:
    """Return the seconds of a run, and how many workers were killed in it: one every so many seconds."""
    stopped, killed = threading.Event(), list[int]()
    killer = threading.Thread(target=kill_workers, args=(kills, every, stopped, killed), daemon=True)
    killer.start()
    start = time.perf_counter()
    run()
    seconds = time.perf_counter() - start
    stopped.set()
    killer.join()
    return seconds, len(killed)


def kill_workers(count: int, every: float, stopped: threading.Event, killed: list[int]) -> None:
    """Kill workers below this process that run BatchPredictor, one at a time, and list them."""
    draw = random.Random(0)
    while len(killed) < count and not stopped.wait(every):
        workers = [number for number in descendants(os.getpid()) if is_worker(number)]
        if workers:
            killed.append(draw.choice(workers))
            # It may have ended by itself.
            with suppress(ProcessLookupError):
                os.kill(killed[-1], signal.SIGKILL)


def descendants(process: int) -> Iterator[int]:
    """Yield the processes that a process has started, and those that they have."""
    for tasks in Path(f"/proc/{process}/task").glob("*/children"):
        # It may have ended meanwhile.
        with suppress(OSError):
            for child in tasks.read_text().split():
                yield int(child)
                yield from descendants(int(child))


def is_worker(process: int) -> bool:
    """Return whether a process is a worker of Ray or Spark that runs a model.

    Spark's workers are forks of a daemon, and have its command line.
    """
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False
    return b"ray::MapWorker" in command or (b"pyspark.daemon" in command and not any(descendants(process)))


if __name__ == "__main__":
    main()
