"""Word vectors in files: word2vec's text and binary formats, fastText's two, and safetensors. Never a pickle.

Files are mapped into memory, so that only the vectors of the wanted tokens are read. gensim, which is an optional
dependency, would load all of them: several GB of a published fastText model, instead of the megabytes of a vocabulary.
"""

import codecs
import json
import mmap
import os
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError, safe_open

from oktane.hangul import FIRST_BYTE, compose_hangul

from ..atomic import FileError

FORMATS = {".safetensors": "safetensors", ".vec": "text", ".txt": "text", ".bin": "binary"}

_FASTTEXT_MAGIC = struct.pack("<i", 793712314)
# A pickle, or an archive that may hold pickles (torch, numpy).
_PICKLE = re.compile(rb"\x80[\x02-\x05]|PK\x03\x04")
_COMPRESSED = {b"\x1f\x8b": "gunzip", b"BZh": "bunzip2", b"\xfd7zXZ": "unxz"}
_HEADER = re.compile(rb"(?:\xef\xbb\xbf)?[ \t]*(\d+)[ \t]+(\d+)[ \t]*\r?\n")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
# In bytes. A longer word shows that a file is not what it seems.
_LONGEST_WORD = 10_000

# What the reader of a format returns: the size of the vectors, and the wanted tokens (None: all) with their vectors.
_Found: TypeAlias = tuple[int, Iterator[tuple[bytes, np.ndarray]]]
_Wanted: TypeAlias = dict[bytes, None] | None


@dataclass(frozen=True)
class Vectors:
    """Tokens and their vectors.

    Attributes:
        tokens: The tokens, each once.
        matrix: float32, `(tokens, size)`.
    """

    tokens: list[str]
    matrix: np.ndarray


def format_of(path: str | os.PathLike[str]) -> str:
    """Return the format in which vectors are written to a file of this name: one of the values of `FORMATS`.

    Raises:
        FileError: The suffix is not one of the keys of `FORMATS`.
    """
    known = FORMATS.get(Path(path).suffix.lower())
    if known is None:
        raise FileError(
            f"{path}: vectors are written to .safetensors, .vec or .txt (word2vec text) or .bin (word2vec binary) files"
        )
    return known


def write_vectors(
    vectors: Vectors, stream: IO[bytes], file_format: str = "safetensors", metadata: Mapping[str, str] | None = None
) -> None:
    """Write vectors.

    Args:
        vectors: The vectors.
        stream: Where the bytes go.
        file_format: `"safetensors"`: the float32 matrix `vectors` and the uint8 tensor `tokens`, a JSON list in UTF-8.
            `"text"` or `"binary"`: word2vec's formats, in which a token ends at a blank; tokens that contain blanks are
            left out.
        metadata: The metadata of a safetensors file; the other formats have none.
    """
    if file_format == "safetensors":
        tokens = np.frombuffer(json.dumps(vectors.tokens, ensure_ascii=False).encode(), np.uint8)
        matrix = np.ascontiguousarray(vectors.matrix, np.float32)
        stream.write(
            safetensors.numpy.save({"vectors": matrix, "tokens": tokens}, {"format": "pt", **(metadata or {})})
        )
        return
    kept = [(token, row) for token, row in zip(vectors.tokens, vectors.matrix, strict=True) if token.split() == [token]]
    stream.write(f"{len(kept)} {vectors.matrix.shape[1]}\n".encode())
    for token, row in kept:
        if file_format == "text":
            stream.write(f"{token} {' '.join(map(str, row))}\n".encode())
        else:
            stream.write(f"{token} ".encode() + row.astype("<f4").tobytes() + b"\n")


def read_vectors(path: str | os.PathLike[str], tokens: Iterable[str] | None = None) -> Vectors:
    """Read vectors. The content of the file tells its format, not its name.

    Args:
        path: A file in the text format of word2vec, fastText (.vec) or GloVe, in word2vec's binary format, a fastText
            model (.bin), or a safetensors file that `write_vectors` wrote.
        tokens: The wanted tokens; by default, all words in the file. For a fastText model these can be
            out-of-vocabulary words, too: it computes their vectors from their n-grams.

    Returns:
        The wanted tokens that have vectors, in the file's order (for a fastText model, in the order of `tokens`).

    Raises:
        FileError: The file is missing, damaged, of another format, or a pickle, which could run any code.
    """
    path = Path(path)
    if path.is_dir() or not path.exists():
        raise FileError(f"{path}: " + ("is a folder, not a file" if path.is_dir() else "no such file"))
    if path.stat().st_size == 0:
        raise FileError(f"{path}: is empty")
    wanted = None if tokens is None else dict.fromkeys(token.encode(errors="replace") for token in tokens)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        size, found = _reader(data, path)(data, path, wanted)
        rows: dict[bytes, np.ndarray] = {}
        for token, row in found:
            rows.setdefault(token, row)
    matrix = np.stack(list(rows.values())) if rows else np.zeros((0, size), np.float32)
    names = [token.decode(errors="replace") for token in rows]
    if not np.isfinite(matrix).all():
        name = names[int(np.isfinite(matrix).all(axis=1).argmin())]
        raise FileError(f"{path}: the vector of {name!r} holds a number that is not finite")
    return Vectors(names, matrix)


def _reader(data: mmap.mmap, path: Path) -> Callable[[mmap.mmap, Path, _Wanted], _Found]:
    """Return the function that reads the format of a file."""
    start = data[:16]
    if _PICKLE.match(start):
        raise FileError(
            f"{path}: is a pickle, or an archive that may hold one, which could run any code when it is read; write "
            "the vectors in word2vec's format where they were made, in gensim: "
            "model.wv.save_word2vec_format('vectors.bin', binary=True)"
        )
    for magic, command in _COMPRESSED.items():
        if start.startswith(magic):
            raise FileError(f"{path}: is compressed; decompress it first: {command} {path}")
    if start.startswith(_FASTTEXT_MAGIC):
        return _read_fasttext
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= len(data) - 8:
        return _read_safetensors
    header = _HEADER.match(data[:64])
    if header and int(header[1]) * int(header[2]) > len(data):
        raise FileError(
            f"{path}: is too short for the {int(header[1])} vectors of {int(header[2])} numbers that its first line "
            "promises; was it cut off?"
        )
    if _is_text(data, header.end() if header else 0):
        return _read_text
    if header is None:
        raise FileError(
            f"{path}: has no word vectors in a known format: word2vec (text or binary), fastText, safetensors"
        )
    return _read_binary


def _composed(token: bytes) -> bytes:
    """Return a token with its Hangul composed, as the vocabulary of a tokenizer has it."""
    if FIRST_BYTE not in token:
        return token
    return compose_hangul([token.decode(errors="surrogateescape")])[0][0].encode(errors="surrogateescape")


def _is_text(data: mmap.mmap, start: int) -> bool:
    """Return whether lines of text begin here, and not a binary vector."""
    sample = data[start : start + 4096]
    # The end of the sample may cut a character. Some published files contain cut words, too.
    text = sample.decode(errors="replace").rstrip("\ufffd")
    return not _CONTROL.search(sample) and text.count("\ufffd") <= len(text) // 100


def _read_text(data: mmap.mmap, path: Path, wanted: _Wanted) -> _Found:
    header = _HEADER.match(data[:64])
    if header:
        count, size = int(header[1]), int(header[2])
        data.seek(header.end())
    else:
        # Some editors begin a file with a byte order mark.
        begin = len(codecs.BOM_UTF8) if data[:3] == codecs.BOM_UTF8 else 0
        data.seek(begin)
        count, size = 0, data.readline().rstrip().count(b" ")
        data.seek(begin)
    first = 2 if header else 1
    if size == 0:
        raise FileError(f"{path}, line 1: not a word and its vector, separated by blanks")

    def rows() -> Iterator[tuple[bytes, np.ndarray]]:
        number = first - 1
        for number, line in enumerate(iter(data.readline, b""), first):
            token, *fields = line.rstrip().rsplit(b" ", size)
            token = _composed(token)
            if not token and not fields:
                continue
            if len(fields) != size:
                raise FileError(f"{path}, line {number}: {len(fields)} numbers after the word; there should be {size}")
            if wanted is None or token in wanted:
                try:
                    yield token, np.array([float(field) for field in fields], np.float32)
                except ValueError:
                    hint = "; is it a file of word vectors?" if number == first else ""
                    raise FileError(
                        f"{path}, line {number}: not a word and {size} numbers: "
                        f"{line[:60].decode(errors='replace')!r}{hint}"
                    ) from None
        if number - first + 1 < count:
            raise FileError(f"{path}: ends after {number - first + 1} of {count} vectors; was it cut off?")

    return size, rows()


def _read_binary(data: mmap.mmap, path: Path, wanted: _Wanted) -> _Found:
    header = _HEADER.match(data[:64])
    assert header is not None
    count, size = int(header[1]), int(header[2])

    def rows() -> Iterator[tuple[bytes, np.ndarray]]:
        position = header.end()
        for number in range(count):
            # A line end follows each vector in files of the original tool, but not in gensim's.
            if data[position : position + 1] == b"\n":
                position += 1
            end = data.find(b" ", position, position + _LONGEST_WORD)
            if end < 0 or end + 1 + 4 * size > len(data):
                raise FileError(f"{path}: vector {number + 1} of {count} is damaged or cut off")
            token = _composed(data[position:end])
            position = end + 1 + 4 * size
            if wanted is None or token in wanted:
                yield token, np.frombuffer(data[end + 1 : position], "<f4")

    return size, rows()


def _read_safetensors(data: mmap.mmap, path: Path, wanted: _Wanted) -> _Found:
    try:
        with safe_open(path, "numpy") as file:
            names = set(file.keys())
            if names != {"vectors", "tokens"}:
                raise FileError(
                    f"{path}: a file of vectors has the tensors `vectors`, a matrix, and `tokens`, a JSON list in "
                    f"UTF-8 as uint8; this one has {', '.join(sorted(names)) or 'nothing'}"
                )
            matrix = file.get_tensor("vectors")
            tokens = json.loads(file.get_tensor("tokens").tobytes())
    except (SafetensorError, ValueError, TypeError) as exception:
        if isinstance(exception, FileError):
            raise
        raise FileError(f"{path}: damaged ({exception})") from None
    if (
        not isinstance(tokens, list)
        or not all(isinstance(token, str) for token in tokens)
        or matrix.ndim != 2
        or len(matrix) != len(tokens)
    ):
        raise FileError(f"{path}: damaged: `tokens` does not name the rows of `vectors`, of shape {matrix.shape}")
    tokens = compose_hangul(tokens)[0]
    rows = ((token.encode(errors="replace"), row.astype(np.float32)) for token, row in zip(tokens, matrix, strict=True))
    return matrix.shape[1], (pair for pair in rows if wanted is None or pair[0] in wanted)


def _read_fasttext(data: mmap.mmap, path: Path, wanted: _Wanted) -> _Found:
    """Read a fastText model; see `Dictionary::load` and `FastText::loadModel` in its sources.

    The vector of a word is the mean of its own row and those of its n-grams; that of an out-of-vocabulary word, the
    mean of its n-grams' rows.
    """
    position = 0

    def take(layout: str) -> tuple[int, ...]:
        nonlocal position
        position += struct.calcsize(layout)
        return struct.unpack_from(layout, data, position - struct.calcsize(layout))

    try:
        _, version = take("<2i")
        size, *_, bucket, min_n, max_n, _, _ = take("<12id")
        num_entries, num_words, _ = take("<3i")
        _, num_pruned = take("<2q")
        indices: dict[bytes, int] = {}
        for index in range(num_entries):
            end = data.find(b"\0", position, position + _LONGEST_WORD)
            if end < 0:
                raise FileError(f"{path}: word {index + 1} of {num_entries} is damaged or cut off")
            word = _composed(data[position:end])
            position = end + 1
            _, is_label = take("<qb")
            if not is_label and (wanted is None or word in wanted):
                indices[word] = index
        position += 8 * max(num_pruned, 0)
        (is_quantized,) = take("<?")
        num_rows, num_columns = take("<2q")
    except struct.error:
        raise FileError(f"{path}: this fastText model is cut off") from None
    if is_quantized:
        raise FileError(
            f"{path}: is a quantized fastText model (.ftz), without full vectors; use its .bin or .vec file"
        )
    if not (num_columns == size > 0 and bucket >= 0 and num_rows == num_words + bucket):
        raise FileError(f"{path}: damaged, or of another version ({version}) of fastText: its sizes contradict")
    if position + 4 * num_rows * num_columns > len(data):
        raise FileError(f"{path}: this fastText model is cut off")

    def row(index: int) -> np.ndarray:
        start = position + 4 * size * index
        return np.frombuffer(data[start : start + 4 * size], "<f4")

    def rows() -> Iterator[tuple[bytes, np.ndarray]]:
        for word in indices if wanted is None else wanted:
            own = [indices[word]] if word in indices else []
            grams = _ngrams(word.decode(errors="replace"), min_n, max_n) if bucket and word != b"</s>" else []
            numbers = [*own, *(num_words + _hash(gram) % bucket for gram in grams)]
            if numbers:
                yield word, np.stack([row(number) for number in numbers]).mean(axis=0)

    return size, rows()


def _ngrams(word: str, min_n: int, max_n: int) -> list[bytes]:
    """Return the character n-grams of `<word>`, except lone brackets; see fastText's `Dictionary::computeSubwords`."""
    marked = f"<{word}>"
    return [
        marked[start : start + length].encode()
        for start in range(len(marked))
        for length in range(max(min_n, 1), min(max_n, len(marked) - start) + 1)
        if length > 1 or 0 < start < len(marked) - 1
    ]


def _hash(text: bytes) -> int:
    """Return the 32-bit FNV-1a hash over signed bytes, as fastText's `Dictionary::hash` does."""
    value = 2166136261
    for byte in text:
        value = ((value ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * 16777619) & 0xFFFFFFFF
    return value
