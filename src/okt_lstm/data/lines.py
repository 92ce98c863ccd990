"""Lines of text files in UTF-8, compressed or not."""

import bz2
import gzip
import io
import lzma
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..atomic import FileError

_DECOMPRESSORS: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
# The number of bytes to take from a stream at once, if they are waiting: some ten thousand reviews.
_BLOCK_SIZE = 1 << 20
_BLANKS = str.maketrans("\t\n\r", "   ")


def uncompressed(path: str | os.PathLike[str]) -> Path:
    """Return the path without the suffix of a compressed file (.gz, .bz2 or .xz), if it has one."""
    path = Path(path)
    return path.with_suffix("") if path.suffix.lower() in _DECOMPRESSORS else path


def decompress(file: Any, path: Path) -> Any:
    """Return a stream of an open file's content, decompressed if the path's last suffix says that it has to be."""
    decompressor = _DECOMPRESSORS.get(path.suffix.lower())
    return decompressor(file) if decompressor else file


def decode_line(raw: bytes, source: str | os.PathLike[str], number: int) -> str:
    """Decode a line, without the byte order mark that the first one may begin with.

    Args:
        raw: The line's bytes.
        source: Where it was read from, for the message.
        number: The line's number, from 1.

    Raises:
        FileError: The bytes are not UTF-8.
    """
    try:
        line = raw.decode("utf-8")
    except UnicodeDecodeError as exception:
        raise FileError(
            f"{source}, line {number}: byte 0x{raw[exception.start]:02x} (number {exception.start + 1} of the line) is "
            "not UTF-8; convert the file first, for example: iconv -f cp949 -t utf-8 OLD > NEW"
        ) from None
    return line.removeprefix("\ufeff") if number == 1 else line


def strip_line_end(line: str) -> str:
    r"""Return the line without the `\n` or `\r\n` at its end."""
    return line.removesuffix("\n").removesuffix("\r")


def one_line(text: str) -> str:
    """Replace each tab and line end by a blank, for formats without quoting."""
    return text.translate(_BLANKS)


def waiting_lines(stream: io.BufferedReader, name: str) -> Iterator[list[str]]:
    """Yield the lines of a stream as they arrive, without waiting for a full batch.

    Args:
        stream: A binary stream, such as standard input.
        name: Its name, for messages.

    Raises:
        FileError: A line is not UTF-8.
    """
    rest = b""
    count = 0
    while block := stream.read1(_BLOCK_SIZE):
        *raws, rest = (rest + block).split(b"\n")
        yield [strip_line_end(decode_line(raw, name, number)) for number, raw in enumerate(raws, count + 1)]
        count += len(raws)
    if rest:
        yield [strip_line_end(decode_line(rest, name, count + 1))]
