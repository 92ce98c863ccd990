"""Lines of text in, lines of text out: files and standard streams in UTF-8, whatever the locale is."""

import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

# How many bytes are read at a time: some ten thousand reviews.
BLOCK_SIZE = 1 << 20


NOT_UTF8 = "If it is CP949, as Korean Windows writes, convert the file first: iconv -f CP949 -t UTF-8 OLD > NEW"


class LineError(ValueError):
    """An input or output can't be used; the message is one line that says what, where and what to do."""


def read_blocks(paths: Iterable[str]) -> Iterator[list[str]]:
    r"""Yield the lines of files in blocks, without their ends (\n or \r\n).

    A block has the lines that are there already. So what a person types is answered at once, and of a large file only a
    part is in memory.

    Args:
        paths: Files; "-" is standard input.

    Raises:
        LineError: If standard input is closed or a line is not UTF-8.
        OSError: If a file can't be read.
    """
    for path in paths:
        if path == "-":
            if sys.stdin is None:
                raise LineError("standard input is closed: give texts as arguments or files with --input")
            yield from _decoded_blocks(sys.stdin.buffer, "standard input")
            continue
        with Path(path).open("rb") as stream:
            yield from _decoded_blocks(stream, path)


def _decoded_blocks(stream: IO[bytes], name: str) -> Iterator[list[str]]:
    count = 0
    for lines in _raw_blocks(cast(io.BufferedReader, stream)):
        if count == 0:
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
        yield [_decode(line, f"{name}, line {number}") for number, line in enumerate(lines, count + 1)]
        count += len(lines)


def _raw_blocks(stream: io.BufferedReader) -> Iterator[list[bytes]]:
    unfinished: list[bytes] = []
    while block := stream.read1(BLOCK_SIZE):
        complete, end, rest = block.rpartition(b"\n")
        if end:
            yield b"".join([*unfinished, complete]).split(b"\n")
            unfinished = [rest]
        else:
            unfinished.append(block)
    if last := b"".join(unfinished):
        yield [last]


def _decode(line: bytes, where: str) -> str:
    try:
        return line.removesuffix(b"\r").decode()
    except UnicodeDecodeError as error:
        raise LineError(f"{where}: not UTF-8 text ({error.reason} at byte {error.start + 1}). {NOT_UTF8}") from None


def check_output(output: str, inputs: Iterable[str]) -> None:
    """Refuse to write to a file that is read.

    Raises:
        LineError: If the output is one of the inputs, by whatever name.
    """
    if output != "-" and os.path.realpath(output) in {os.path.realpath(path) for path in inputs if path != "-"}:
        raise LineError(f"{output}: input and output are the same file; write to another")


@contextmanager
def open_output(path: str) -> Iterator[IO[bytes]]:
    """Open a stream to write to; a file appears under its name, in place of an older one, only when all went well.

    Args:
        path: The file; "-" is standard output. What is no regular file, such as /dev/null, is written to directly.

    Raises:
        LineError: If standard output is closed, or the folder of the file does not exist.
        OSError: If it can't be written.
    """
    if path == "-":
        if sys.stdout is None:
            raise LineError("standard output is closed: name a file with --output")
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    # Through a symbolic link, so that the link stays one.
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise LineError(f"{path}: the folder does not exist; make it first: mkdir -p {target.parent}")
    in_place = target.exists() and not target.is_file()
    temporary = target if in_place else target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            yield stream
        if not in_place:
            temporary.replace(target)
    finally:
        if not in_place:
            temporary.unlink(missing_ok=True)
