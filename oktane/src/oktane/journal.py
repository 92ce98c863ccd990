"""What was computed of a file's texts, kept while the file is written, so that a run that was stopped can go on.

A run writes the logits, or an encoder's vectors, of each chunk of texts to a hidden file beside its output. If it is
stopped, the next run of the same texts and model reads them from there and computes only the rest. So the output is the
same, byte for byte, as that of a run that was never stopped, whatever its format is.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np

from .base_classifier import Chunk
from .encodings import say_once
from .lines import STREAM, FileError, counted

logger = logging.getLogger(__name__)

# Texts, truncated texts, and the checksum of the outputs.
_RECORD = struct.Struct("<III")


Compute: TypeAlias = Callable[[Iterable[Sequence[Any]]], Iterator[Chunk]]
"""Computes chunks of texts in order, as `BaseClassifier.compute` does."""


def key_of(*parts: Any) -> str:
    """Return a name for what makes the outputs of a file what they are: equal parts, equal outputs."""
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()


def fingerprint(path: Path) -> list[str | int]:
    """Return what changes when a file changes: its name, size and time of modification."""
    state = path.stat()
    return [os.path.realpath(path), state.st_size, state.st_mtime_ns]


class Journal:
    """What was computed of the first texts of a file. `open_journal` makes one.

    Args:
        stream: The file, open for reading and writing.
        key: What the outputs are those of; see `key_of`. A file with another key is begun anew.
        width: Number of outputs for each text.

    Attributes:
        texts: How many texts' outputs an earlier run left here.
    """

    def __init__(self, stream: IO[bytes], key: str, width: int) -> None:
        self._stream, self._width = stream, width
        header = f"{key}\n".encode()
        if stream.read(len(header)) != header:
            stream.seek(0)
            stream.truncate()
            stream.write(header)
        self._begin = len(header)
        self.texts = sum(texts for texts, _, _ in self._records())

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been computed yet."""
        return os.fstat(self._stream.fileno()).st_size == self._begin

    def compute(self, compute: Compute, chunks: Iterable[Sequence[Any]]) -> Iterator[Chunk]:
        """Compute chunks of texts, or read their outputs, as far as they are here."""
        remaining = iter(chunks)
        end = self._begin
        for count, truncated, outputs in self._records():
            texts = next(remaining, None)
            if texts is None:
                break
            if len(texts) != count:
                # They were cut in other places, because the output has another format now.
                remaining = chain([texts], remaining)
                break
            end = self._stream.tell()
            yield Chunk(texts, np.frombuffer(outputs, "<f4").reshape(count, self._width), truncated)
        self._stream.seek(end)
        self._stream.truncate()
        for chunk in compute(remaining):
            data = chunk.outputs.astype("<f4", copy=False).tobytes()
            self._stream.write(_RECORD.pack(len(chunk.texts), chunk.truncated, zlib.crc32(data)) + data)
            yield chunk

    def _records(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield the whole records, up to the first that a stopped run left unfinished."""
        self._stream.seek(self._begin)
        while len(head := self._stream.read(_RECORD.size)) == _RECORD.size:
            texts, truncated, checksum = _RECORD.unpack(head)
            data = self._stream.read(4 * texts * self._width)
            if len(data) < 4 * texts * self._width or zlib.crc32(data) != checksum:
                return
            yield texts, truncated, data


@contextmanager
def open_journal(
    target: str | os.PathLike[str], sources: Sequence[Path], width: int, *parts: Any
) -> Iterator[Journal | None]:
    """Open the journal of an output file, and say so if it goes on where an earlier run was stopped.

    It stays if the run is stopped or can't write, and is removed if the block ends without an error, or with one that
    will come again.

    Args:
        target: The output file.
        sources: The files that are read.
        width: Number of outputs for each text.
        *parts: What else makes the outputs what they are: the fingerprint of the model, and how the files are read.

    Yields:
        The journal. None if there can't be one: standard input can't be read again, and standard output and devices
        have no files beside them.

    Raises:
        FileError: Another process is writing the output.
    """
    path = Path(os.path.realpath(target))
    is_file = os.fspath(target) != STREAM and path.parent.is_dir() and (path.is_file() or not path.exists())
    if not is_file or any(str(source) == STREAM for source in sources):
        yield None
        return
    with _open(path, key_of(*parts, [fingerprint(source) for source in sources]), width) as journal:
        if journal.texts:
            say_once(
                f"{target}: goes on after the first {counted(journal.texts, 'text')}, which an earlier run computed"
            )
        yield journal


@contextmanager
def _open(target: Path, key: str, width: int) -> Iterator[Journal]:
    path = target.with_name(f".{target.name}.journal")
    # Unbuffered: what is written is there, whatever happens to the process.
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b", buffering=0) as stream:
        _lock(stream, target)
        journal = Journal(stream, key, width)
        try:
            yield journal
        except (KeyboardInterrupt, SystemExit, OSError, MemoryError) as stop:
            if journal.is_empty:
                path.unlink(missing_ok=True)
            elif not isinstance(stop, BrokenPipeError):
                logger.warning("%s", f"{target.name}: stopped; the same command goes on where it was")
            raise
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        path.unlink(missing_ok=True)


def _lock(stream: IO[bytes], target: Path) -> None:
    """Refuse a file that another process has open. Where there are no such locks, as on Windows, do nothing."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FileError(f"{target}: is being written by another run; wait for it, or name another file") from None
    except OSError:
        # A file system without locks.
        return
