"""A run over files: which file each input becomes, which share of them is done here, and which are finished already."""

from __future__ import annotations

import json
import logging
import os
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .base_classifier import BaseClassifier
from .files import predict_file
from .journal import fingerprint, key_of
from .lines import ARCHIVES, STREAM, FileError, check_output, uncompressed
from .paths import SUFFIXES, Source, find_files
from .progress import Progress
from .readers import format_of
from .row_reader import ReadOptions, RowReader
from .summary import Summary
from .writers import WRITERS

logger = logging.getLogger(__name__)

# What files become that can be read, but not written.
FALLBACK = "csv"


class Shard(NamedTuple):
    """The share of one process in a run over many files: files `first`, `first + step`, `first + 2 * step`, ..."""

    first: int
    step: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read a share as it is written: `0/8` is the first of eight.

        Raises:
            ValueError: It is none.
        """
        first, slash, step = text.partition("/")
        if not (slash and first.isdecimal() and step.isdecimal() and int(first) < int(step)):
            raise ValueError(f"a shard is written I/N, with I from 0 to N - 1, not {text!r}")
        return cls(int(first), int(step))


class Job(NamedTuple):
    """One output file.

    Attributes:
        source: What is read.
        target: The file to write; `-` is standard output.
        target_format: Its format.
        in_folder: Whether it is in a folder that is made if it is missing.
    """

    source: Source
    target: str
    target_format: str | None
    in_folder: bool = False


def plan(
    inputs: Sequence[str],
    output: str,
    input_format: str | None = None,
    output_format: str | None = None,
    shard: Shard | None = None,
) -> list[Job]:
    """Decide which files a run writes.

    If the output is a folder, each input file has an output file of the same name there; else all inputs are one table.
    A name with a slash at its end is a folder; so is one that is a folder already, or one without the suffix of a
    format where there are several inputs.

    Args:
        inputs: Files, folders and patterns.
        output: A file, a folder, or `-` for standard output.
        input_format: The format of the inputs. By default their suffixes tell.
        output_format: The format of the outputs. By default that of the inputs, or what the suffix of `output` tells.
        shard: Which of the files are done here. By default all.

    Raises:
        FileError: If there is no such input, two inputs would have one output, or shards would share one.
    """
    files = find_files(inputs)
    many = len(files) > 1 or any(Path(name).expanduser().is_dir() for name in inputs)
    if not _is_folder(output, many):
        if shard is not None:
            raise FileError(f"{output}: with --shard, --output is a folder for a file of each input: {output}/")
        if output == STREAM and output_format is None:
            output_format = input_format or _written(files[0], None)
        return [Job(files[0] if len(files) == 1 else files, output, output_format)]
    if any(str(file) == STREAM for file in files):
        raise FileError("standard input has no name for a file in the folder of --output; name the output file")
    jobs = []
    for file in files:
        known = output_format or _written(file, input_format)
        jobs.append(Job(file, os.path.join(output, _name(file, known)), known, in_folder=True))  # noqa: PTH118
    repeated = [target for target, count in Counter(job.target for job in jobs).items() if count > 1]
    if repeated:
        both = [str(job.source) for job in jobs if job.target == repeated[0]]
        raise FileError(f"{' and '.join(both)} would both become {repeated[0]}; name a folder for each run")
    for job in jobs:
        check_output(job.target, map(str, files))
    return jobs if shard is None else jobs[shard.first :: shard.step]


def _is_folder(output: str, many: bool) -> bool:
    if output == STREAM:
        return False
    named = uncompressed(output).suffix.lower() in SUFFIXES
    return output.endswith(("/", os.sep)) or Path(output).is_dir() or (many and not named)


def _written(file: Path, input_format: str | None) -> str:
    known = input_format or format_of(file)
    return known if known in WRITERS else FALLBACK


def _name(file: Path, known: str) -> str:
    """Return the name of the output of a file: its own, with another suffix if the format is another."""
    inner = uncompressed(file)
    compression = file.name.removeprefix(inner.name)
    if compression.lower() in ARCHIVES:
        compression = ""
        inner = inner if inner.suffix else inner.with_name(f"{inner.name}.{known}")
    suffix = inner.suffix.lower()
    if suffix not in SUFFIXES or SUFFIXES[suffix] == known:
        return inner.name + compression
    # A compressed xlsx file becomes a csv file, and parquet is compressed inside.
    return inner.with_suffix(f".{known}").name + ("" if known == "parquet" else compression)


def predict_files(
    classifier: BaseClassifier, jobs: Sequence[Job], reading: ReadOptions | None = None, **options: Any
) -> Summary:
    """Predict the rows of files, and say what was done.

    If a run over several files was stopped, the next one does not repeat the files that are finished.

    Args:
        classifier: The classifier.
        jobs: The outputs, as `plan` returns them.
        reading: How the inputs are read.
        **options: Those of `files.predict_file`.

    Returns:
        What was labeled, altogether.

    Raises:
        FileError: As in `files.predict_file`.
    """
    start = time.monotonic()
    total = Summary()
    known = classifier.fingerprint() if len(jobs) > 1 else ""
    finished = 0
    for number, job in enumerate(jobs, 1):
        target = Path(job.target)
        if job.in_folder:
            target.parent.mkdir(parents=True, exist_ok=True)
        if len(jobs) > 1:
            key = key_of(known, fingerprint(Path(str(job.source))), job.target_format, reading, options)
            if (done := _finished(target, key)) is not None:
                total.add(done)
                finished += 1
                continue
        began = time.monotonic()
        name = f"{target.name}" if len(jobs) == 1 else f"{target.name} ({number} of {len(jobs)})"
        summary = _predict(classifier, job, name, reading, options)
        if len(jobs) > 1:
            _mark_finished(target, key, summary)
            rows, *more = summary.lines(time.monotonic() - began, classifier.problem_type, classifier.max_length)
            logger.info("%s", f"{job.target}: {rows}" + (f"; {more[0]}" if more else ""))
        total.add(summary)
    if finished:
        logger.info("%s", f"{finished:,} of {len(jobs):,} files were finished by an earlier run")
    if len(jobs) == 1:
        name = "standard output" if jobs[0].target == STREAM else jobs[0].target
    else:
        name = f"{len(jobs):,} files"
    for line in total.lines(time.monotonic() - start, classifier.problem_type, classifier.max_length):
        logger.info("%s", f"{name}: {line}")
    for job in jobs if len(jobs) > 1 else ():
        _mark(Path(job.target)).unlink(missing_ok=True)
    return total


def _predict(
    classifier: BaseClassifier, job: Job, name: str, reading: ReadOptions | None, options: dict[str, Any]
) -> Summary:
    progress = Progress(name)

    def report(reader: RowReader, summary: Summary) -> None:
        progress.update(summary.rows, summary.computed, reader.position, reader.size)

    try:
        return predict_file(
            classifier,
            job.source,
            job.target,
            target_format=job.target_format,
            reading=reading,
            report=report,
            **options,
        )
    finally:
        progress.clear()


def _mark(target: Path) -> Path:
    """Return the file that says, while a run over several files lasts, that this one is finished."""
    return target.with_name(f".{target.name}.finished")


def _mark_finished(target: Path, key: str, summary: Summary) -> None:
    content = {"key": key, "file": fingerprint(target), "summary": summary.to_json() | {"computed": 0}}
    _mark(target).write_text(json.dumps(content), encoding="utf-8")


def _finished(target: Path, key: str) -> Summary | None:
    """Return what an earlier run counted in a file that it finished; None if there is none, or it has changed."""
    try:
        content = json.loads(_mark(target).read_text(encoding="utf-8"))
        if content["key"] != key or content["file"] != fingerprint(target):
            return None
        counts = content["summary"]
        return Summary(**counts | {"labels": Counter(counts["labels"])})
    # There is no such file, or it was being written when the run was killed.
    except (OSError, ValueError, KeyError, TypeError):
        return None
