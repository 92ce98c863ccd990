"""Lines of text in whatever encoding a file is in: UTF-8, UTF-16 and CP949 are detected, others can be named."""

from __future__ import annotations

import codecs
import io
import logging
import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from typing import IO, Any

from .lines import LONGEST_LINE, FileError, check_length, raw_lines, strip_line_end, with_line_feeds

logger = logging.getLogger(__name__)

# How many bytes are looked at, from the first line that is not ASCII on: some ten thousand reviews.
SAMPLE_SIZE = 1 << 20

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    # Before UTF-16, whose mark is the beginning of this one.
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_HANGUL = re.compile("[가-힣]")
# Three of four syllables in Korean reviews are one of these. What another encoding gives, read as CP949, has hardly
# any of them.
_COMMON = re.compile(
    "[이다는고지화영하가도아에나기한보의어만은리게로을라서요니들인재그시스무데미없정있대면마말사해네진점음를자내수연감전주거으좋우장"
    "작안너드오었여상까생적야짜제것봤최부간일같더했개동과구성모건중평소런본신비와았러배되할히치분운않던각때려잘유공습긍용후댓글송품]"
)
# The characters that Windows' Latin-1 has where Latin-1 itself has control characters.
_LATIN_1 = {
    ord(character): 0x80 + place for place, character in enumerate("€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ")
}
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")

_said: set[str] = set()


def say_once(message: str) -> None:
    """Log a message about a file, unless it was logged before: files are opened more than once."""
    if message not in _said:
        _said.add(message)
        logger.warning(message)


def check_encoding(encoding: str) -> str:
    """Return the name of an encoding.

    Raises:
        FileError: If Python does not know it, or it is none of text.
    """
    try:
        "".encode(encoding)
        return codecs.lookup(encoding).name
    except LookupError:
        raise FileError(f"--encoding {encoding}: no such encoding; try utf-8, cp949 or utf-16") from None


def detect_wide(head: bytes) -> str | None:
    """Return the encoding that the beginning of a file shows by a byte order mark or by zero bytes, else None."""
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return encoding
    # In UTF-16 all ASCII characters, such as line ends, have a zero byte on the same side.
    pairs = list(zip(head[0::2], head[1::2], strict=False))
    big, little = sum(a == 0 < b < 0x80 for a, b in pairs), sum(b == 0 < a < 0x80 for a, b in pairs)
    if (big + little) * 50 >= len(head) > 0 and max(big, little) >= 0.9 * (big + little) > 0:
        encoding = "utf-16-be" if big > little else "utf-16-le"
        try:
            head[: len(head) // 2 * 2].decode(encoding)
        except UnicodeDecodeError:
            return None
        return encoding
    return None


def decoded_lines(stream: IO[bytes], name: str, encoding: str | None, head: bytes) -> Iterator[str]:
    r"""Yield the lines of a stream as text. They end at `\n` alone. A byte order mark is left out.

    Args:
        stream: The file's content.
        name: Its name, for messages.
        encoding: Its encoding. By default it is detected. If that is not UTF-8, it is said.
        head: The beginning of the stream, which is still to be read from it.

    Raises:
        FileError: If a line is not in the encoding, or the encoding can't be detected.
    """
    if encoding is None:
        encoding = detect_wide(head)
        if encoding is not None and encoding != "utf-8":
            say_once(f"{name}: is read as {encoding.upper()}; if that is wrong, name the encoding with --encoding")
    if encoding is not None and "\n".encode(encoding) != b"\n":
        yield from _wide_lines(stream, name, encoding)
        return
    lines = raw_lines(with_line_feeds(stream, head), name)
    for number, raw in enumerate(lines, 1):
        if encoding is None and not raw.isascii():
            sample = [raw]
            size = len(raw)
            for line in lines:
                sample.append(line)
                size += len(line)
                if size >= SAMPLE_SIZE:
                    break
            encoding = _guess(sample, name, number)
            for later, line in enumerate(chain(sample, lines), number):
                yield _decode(line, encoding, name, later)
            return
        yield _decode(raw, encoding or "utf-8", name, number)


def detect_encoding(stream: IO[bytes], name: str) -> str:
    """Return the encoding of a text file, as its beginning shows it.

    Args:
        stream: Its content.
        name: Its name, for messages.

    Raises:
        FileError: If the encoding can't be detected.
    """
    head = stream.read(SAMPLE_SIZE)
    if encoding := detect_wide(head[:4096]):
        return encoding
    lines = head.splitlines()
    # The end of the sample may cut a character.
    lines = lines[:-1] if len(head) == SAMPLE_SIZE and len(lines) > 1 else lines
    start = next((number for number, raw in enumerate(lines) if not raw.isascii()), None)
    return "utf-8" if start is None else _guess(lines[start:], name, start + 1)


class BlockDecoder:
    """Decodes the lines of a stream as they arrive, in blocks.

    Args:
        name: The stream's name, for messages.
        encoding: Its encoding. By default the first lines that are not ASCII show it. If it is not UTF-8, it is said.
    """

    def __init__(self, name: str, encoding: str | None = None) -> None:
        self._name = name
        self._encoding = encoding and check_encoding(encoding)
        self._count = 0

    def is_wide(self, head: bytes) -> bool:
        """Return whether the encoding's line ends are not those of ASCII, as the beginning of the stream shows."""
        if self._encoding is None:
            self._encoding = detect_wide(head[:4096])
            if self._encoding not in (None, "utf-8"):
                say_once(f"{self._name}: is read as {str(self._encoding).upper()}; --encoding names another")
        return self._encoding is not None and "\n".encode(self._encoding) != b"\n"

    def wide_blocks(self, first: bytes, stream: io.BufferedReader) -> Iterator[list[str]]:
        """Yield the lines of a stream in such an encoding, without their ends.

        Args:
            first: What was read of it.
            stream: The rest.

        Raises:
            FileError: If it is not in the encoding.
        """
        decoder = codecs.getincrementaldecoder(str(self._encoding))()
        unfinished: list[str] = []
        length, block = 0, first
        while True:
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeError as error:
                where = f"{self._name}, after line {self._count}"
                raise FileError(f"{where}: not {str(self._encoding).upper()} ({error}). {_NAME_IT}") from None
            complete, end, rest = text.rpartition("\n")
            lines = "".join([*unfinished, complete]).split("\n") if end else []
            unfinished, length = ([rest], len(rest)) if end else ([*unfinished, rest], length + len(rest))
            check_length(length, self._name, self._count + len(lines) + 1)
            if not block and length:
                lines.append("".join(unfinished))
            if lines and self._count == 0:
                lines[0] = lines[0].lstrip("\ufeff")
            self._count += len(lines)
            if lines:
                yield [strip_line_end(line) for line in lines]
            if not block:
                return
            block = stream.read1(SAMPLE_SIZE)

    def decode(self, lines: Sequence[bytes]) -> list[str]:
        """Decode the next lines, and leave out their ends and a byte order mark.

        Raises:
            FileError: If a line is not in the encoding, or the encoding can't be detected.
        """
        first = self._count + 1
        self._count += len(lines)
        if (
            self._encoding is None
            and (start := next((i for i, raw in enumerate(lines) if not raw.isascii()), None)) is not None
        ):
            self._encoding = _guess(lines[start:], self._name, first + start)
        encoding = self._encoding or "utf-8"
        return [strip_line_end(_decode(raw, encoding, self._name, number)) for number, raw in enumerate(lines, first)]


def _wide_lines(stream: Any, name: str, encoding: str) -> Iterator[str]:
    """Yield the lines of a stream in an encoding whose line end is not the byte of ASCII."""
    number = 0
    text = io.TextIOWrapper(stream, encoding, newline="\n")
    try:
        for number, line in enumerate(iter(partial(text.readline, LONGEST_LINE + 1), ""), 1):
            check_length(len(line), name, number)
            yield line.lstrip("\ufeff") if number == 1 else line
    except UnicodeError as error:
        raise FileError(f"{name}, after line {number}: not {encoding.upper()} ({error}). {_NAME_IT}") from None
    finally:
        if not stream.closed:
            text.detach()


_NAME_IT = "Name the file's encoding with --encoding"


def _decode(raw: bytes, encoding: str, name: str, number: int) -> str:
    try:
        line = raw.decode(encoding)
    except UnicodeDecodeError as error:
        byte = f"byte 0x{raw[error.start]:02x} (number {error.start + 1} of the line)"
        raise FileError(f"{name}, line {number}: {byte} is not {encoding.upper()}. {_NAME_IT}") from None
    return line.lstrip("\ufeff") if number == 1 else line


def _guess(lines: Sequence[bytes], name: str, number: int) -> str:
    """Return "utf-8" or "cp949", and say so if it is not UTF-8 without doubt.

    Args:
        lines: Lines, of which the first one is not ASCII.
        name: The file, for messages.
        number: The number of the first of these lines.

    Raises:
        FileError: If the lines are Korean in neither.
    """
    numbered = [(line, number) for number, line in enumerate(lines, number) if not line.isascii()]
    lines = [line for line, _ in numbered]
    utf8, cp949 = _decodable(lines, "utf-8"), _decodable(lines, "cp949")
    first = lines[0]
    if len(utf8) == len(lines):
        _refuse_mistaken("".join(utf8), name, number)
        # CP949 that happens to be valid UTF-8 has no Hangul there, and little else than Hangul in CP949.
        if len(cp949) == len(lines) and not _HANGUL.search("".join(utf8)) and _is_hangul("".join(cp949)):
            say_once(
                f"{name}: is read as UTF-8 (line {number}: {_shown(first, 'utf-8')}), but may be CP949 "
                f"({_shown(first, 'cp949')}); if so, add --encoding cp949"
            )
        return "utf-8"
    # A damaged line of UTF-8 is named when it is read; so is one of UTF-8 among lines of CP949.
    if 2 * len(utf8) >= len(lines) and _HANGUL.search("".join(utf8)):
        return "utf-8"
    if len(cp949) >= 0.9 * len(lines) and _korean("".join(cp949)):
        say_once(
            f"{name}: is not UTF-8; it is read as CP949 (line {number}: {_shown(first, 'cp949')}). If that looks "
            "wrong, name the encoding with --encoding"
        )
        return "cp949"
    raw, where = next((line, where) for line, where in numbered if not _decodable([line], "utf-8"))
    raise FileError(f"{name}, line {where}: is neither UTF-8 nor Korean in CP949: {raw[:40]!r}. {_NAME_IT}")


def _refuse_mistaken(text: str, name: str, number: int) -> None:
    """Refuse text that was Korean before a program took its bytes for characters of Latin-1, and saved those.

    Raises:
        FileError: It is such text.
    """
    if _HANGUL.search(text):
        return
    for encoding in ("utf-8", "cp949"):
        try:
            meant = text.translate(_LATIN_1).encode("latin-1").decode(encoding)
        except UnicodeError:
            continue
        # Fewer syllables may be chance.
        if len(_HANGUL.findall(meant)) >= 5 and _korean(meant):
            raise FileError(
                f"{name}, line {number}: {_shown(text.encode(), 'utf-8')} was {_shown(meant.encode(), 'utf-8')} before "
                f"some program read {encoding.upper()} as Latin-1. Export the file anew; if it is right as it is, add "
                "--encoding utf-8"
            )


def _decodable(lines: Sequence[bytes], encoding: str) -> list[str]:
    texts = []
    for line in lines:
        try:
            texts.append(line.decode(encoding))
        except UnicodeDecodeError:
            continue
    return texts


def _is_hangul(text: str) -> bool:
    """Return whether most characters beyond ASCII are Hangul."""
    return 2 * len(_HANGUL.findall(text)) > len(_NOT_ASCII.findall(text))


def _korean(text: str) -> bool:
    """Return whether a text is Korean, and not the bytes of another encoding that happen to give Hangul or hanja."""
    return _is_hangul(text) and 4 * len(_COMMON.findall(text)) > len(_HANGUL.findall(text))


def _shown(raw: bytes, encoding: str) -> str:
    text = strip_line_end(raw.decode(encoding, "replace"))
    start = _NOT_ASCII.search(text)
    return repr(text[max(0, start.start() - 10 if start else 0) :][:30])
