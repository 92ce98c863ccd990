"""Lines of text in, lines of text out: files and standard streams in UTF-8, whatever the locale is."""

import errno
import io
import os
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import IO, Any, cast

# How many bytes are read at a time: some ten thousand reviews.
BLOCK_SIZE = 1 << 20
LONGEST_LINE = 1 << 27
"""How many bytes a line may have: a larger one would fill the memory before anything is known of it."""

STREAM = "-"
"""What stands for standard input or standard output in place of a file's name."""

NOT_UTF8 = "If it is CP949, as Korean Windows writes, convert it first: iconv -f CP949 -t UTF-8 OLD > NEW"

# The modules that read and write compressed files, by suffix. They are imported when they are needed.
COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma"}
# Those that are read only.
ARCHIVES = {".zip": "open_zip", ".zst": "open_zstd"}
# What writing fails with when the disk, a quota or the largest size of a file is reached.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
BLANKS = str.maketrans("\t\n\r", "   ")


class FileError(ValueError):
    """A file can't be read or written as the user asked; the message says which, why and what to do."""


def replace_closed_streams() -> None:
    """Open the null device in place of the standard streams that are closed, as by `2>&-`.

    So no file gets their numbers, into which other code would write. Messages go nowhere then; `sys.stdin` and
    `sys.stdout` stay None, so that what needs them can say that they are closed.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


def compress(file: Any, path: Path) -> Any:
    """Return a stream that compresses into an open file if the last suffix of the path says that it has to.

    The same content gives the same bytes.
    """
    module = COMPRESSIONS.get(path.suffix.lower())
    if module == "gzip":
        return import_module(module).GzipFile("", "wb", 6, file, mtime=0)
    return import_module(module).open(file, "wb") if module else file


def uncompressed(path: str | os.PathLike[str]) -> Path:
    """Return the path without the suffix of a compressed file (.gz, .bz2, .xz, .zip or .zst), if it has one."""
    path = Path(path)
    return path.with_suffix("") if path.suffix.lower() in {*COMPRESSIONS, *ARCHIVES} else path


def decompress(file: Any, path: Path) -> Any:
    """Return a stream of an open file's content, decompressed if the last suffix of the path says that it has to be.

    Raises:
        FileError: If an archive can't be opened.
    """
    suffix = path.suffix.lower()
    if suffix in ARCHIVES:
        # It imports this module.
        return getattr(import_module(".archives", __package__), ARCHIVES[suffix])(file, path)
    module = COMPRESSIONS.get(suffix)
    return import_module(module).open(file) if module else file


def decode_line(raw: bytes, name: str | os.PathLike[str], number: int) -> str:
    """Decode a line, without the byte order mark that the first one may begin with.

    Args:
        raw: The bytes of the line.
        name: Where it was read from, for the message.
        number: The number of the line, from 1.

    Raises:
        FileError: If the bytes are not UTF-8.
    """
    try:
        line = raw.decode()
    except UnicodeDecodeError as error:
        byte = f"byte 0x{raw[error.start]:02x} (number {error.start + 1} of the line)"
        raise FileError(f"{name}, line {number}: {byte} is not UTF-8. {NOT_UTF8}") from None
    return line.lstrip("\ufeff") if number == 1 else line


def with_line_feeds(stream: Any, head: bytes) -> Any:
    r"""Return a stream whose lines end at `\n`, also if those of the given one end at `\r` alone, as on an old Mac.

    Args:
        stream: The content.
        head: Its beginning, which may be read already, in an encoding that has the bytes of ASCII.
    """
    # The last byte may be the first half of a line end.
    is_old = b"\r" in head[:-1] and b"\n" not in head
    return io.BufferedReader(_LineFeeds(stream)) if is_old else stream


class _LineFeeds(io.RawIOBase):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._stream.read1(len(buffer)).replace(b"\r", b"\n")
        buffer[: len(content)] = content
        return len(content)


def raw_lines(stream: IO[bytes], name: str | os.PathLike[str]) -> Iterator[bytes]:
    """Yield the lines of a stream with their ends.

    Raises:
        FileError: If a line has more than `LONGEST_LINE` bytes.
    """
    for number, line in enumerate(iter(partial(stream.readline, LONGEST_LINE + 1), b""), 1):
        check_length(len(line), name, number)
        yield line


def check_length(length: int, name: str | os.PathLike[str], number: int) -> None:
    """Refuse a line of more than `LONGEST_LINE` bytes.

    Raises:
        FileError: If it has more; the message names the line.
    """
    if length > LONGEST_LINE:
        raise FileError(
            f"{name}, line {number}: has more than {LONGEST_LINE >> 20} MB, the most that a line may have; break it "
            "into several texts"
        )


def strip_line_end(line: str) -> str:
    r"""Return the line without the `\n` or `\r\n` at its end."""
    return line.removesuffix("\n").removesuffix("\r")


def one_line(text: str) -> str:
    """Replace each tab and line end by a blank, for formats without quoting."""
    return text.translate(BLANKS)


def counted(number: int, what: str) -> str:
    """Write a number with its noun: "1 row", "2,000 rows"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def escaped(text: str) -> str:
    r"""Write what a person can't see as its escape: control characters, and those that turn the direction of text.

    A name from a stranger then does nothing to a terminal or a page: `\x1b[2J` is four characters and `[2J`.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def standard_input() -> io.BufferedReader:
    """Return the bytes of standard input.

    Raises:
        FileError: If it is closed.
    """
    if sys.stdin is None:
        raise FileError("standard input is closed: give texts as arguments or files with --input")
    return cast(io.BufferedReader, sys.stdin.buffer)


def read_blocks(paths: Iterable[str], encoding: str | None = None) -> Iterator[list[str]]:
    r"""Yield the lines of files in blocks, without their ends (\n or \r\n).

    A block has the lines that are there already. So what a person types is answered at once, and of a large file only a
    part is in memory.

    Args:
        paths: Files, which may be compressed; "-" is standard input.
        encoding: Their encoding. By default it is detected; see `encodings`.

    Raises:
        FileError: If standard input is closed, or a line is not in the encoding.
        OSError: If a file can't be read.
    """
    for path in paths:
        if path == STREAM:
            stream = standard_input()
            if stream.isatty():
                print("Type a text and press Enter; Ctrl-D ends.", file=sys.stderr)
            yield from _decoded_blocks(stream, "standard input", encoding)
            continue
        with Path(path).open("rb") as stream:
            yield from _decoded_blocks(decompress(stream, Path(path)), path, encoding)


def _decoded_blocks(stream: IO[bytes], name: str, encoding: str | None) -> Iterator[list[str]]:
    # It imports this module.
    from .encodings import BlockDecoder

    decoder = BlockDecoder(name, encoding)
    stream = cast(io.BufferedReader, stream)
    first = stream.read1(BLOCK_SIZE)
    if decoder.is_wide(first):
        yield from decoder.wide_blocks(first, stream)
        return
    rest = with_line_feeds(stream, first)
    if rest is not stream:
        first = first.replace(b"\r", b"\n")
    for lines in _raw_blocks(first, rest, name):
        yield decoder.decode(lines)


def _raw_blocks(block: bytes, stream: io.BufferedReader, name: str) -> Iterator[list[bytes]]:
    unfinished: list[bytes] = []
    count = length = 0
    while block:
        complete, end, rest = block.rpartition(b"\n")
        if end:
            lines = b"".join([*unfinished, complete]).split(b"\n")
            yield lines
            count += len(lines)
            unfinished, length = [rest], len(rest)
        else:
            unfinished.append(block)
            length += len(block)
            check_length(length, name, count + 1)
        block = stream.read1(BLOCK_SIZE)
    if last := b"".join(unfinished):
        yield [last]


def check_output(output: str, inputs: Iterable[str]) -> None:
    """Refuse to write to a file that is read.

    Raises:
        FileError: If the output is one of the inputs, by whatever name.
    """
    if output != STREAM and os.path.realpath(output) in {os.path.realpath(path) for path in inputs if path != STREAM}:
        raise FileError(f"{output}: input and output are the same file; write to another")


@contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Name what is written in the error of a full disk, which names nothing."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in _FULL:
            error.filename = os.fspath(path)
        raise


# As `open_output` makes them, and okt-lstm, whose folders have them, too.
_TEMPORARY = re.compile(r"\.(?P<name>.+?)\.(?P<process>[0-9]{1,9})(?:[.-][0-9a-f]+)?\.(?P<kind>tmp|old)")


def left_unfinished(folder: Path, name: str | None = None) -> list[tuple[Path, Path, str]]:
    """Find what killed processes left half written in a folder.

    Args:
        folder: The folder, which may be missing.
        name: The file or folder that they were writing; by default, any.

    Returns:
        For each: the path, the path that it was written for, and its kind: "tmp", or "old" for what was just replaced.
    """
    if not folder.is_dir():
        return []
    found = [(path, _TEMPORARY.fullmatch(path.name)) for path in sorted(folder.iterdir()) if path.name[0] == "."]
    return [
        (path, path.with_name(match["name"]), match["kind"])
        for path, match in found
        if match and name in (None, match["name"]) and not _is_running(int(match["process"]))
    ]


def _is_running(process: int) -> bool:
    # On Windows, a signal of any number ends the process.
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # Somebody else's.
    except PermissionError:
        return True
    return True


@contextmanager
def open_output(path: str) -> Iterator[IO[bytes]]:
    """Open a stream to write to; a file appears under its name, in place of an older one, only when all went well.

    Args:
        path: The file; "-" is standard output. What is no regular file, such as /dev/null, is written to directly.

    Raises:
        FileError: If standard output is closed, or the folder of the file does not exist.
        OSError: If it can't be written.
    """
    if path == STREAM:
        if sys.stdout is None:
            raise FileError("standard output is closed: name a file with --output")
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    # Through a symbolic link, so that the link stays one.
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileError(f"{path}: the folder does not exist; make it first: mkdir -p {target.parent}")
    in_place = target.exists() and not target.is_file()
    temporary = target if in_place else target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    if not in_place:
        for unfinished, *_ in left_unfinished(target.parent, target.name):
            unfinished.unlink(missing_ok=True)
    try:
        with naming(path), temporary.open("wb") as stream:
            yield stream
        if not in_place:
            temporary.replace(target)
    finally:
        if not in_place:
            temporary.unlink(missing_ok=True)
