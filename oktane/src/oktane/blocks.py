"""Tables cut into blocks of rows, whose texts are computed together; where they are cut depends on the rows alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .arrow_texts import ArrowTexts, text_arrays
from .base_classifier import Chunk
from .lines import FileError
from .pairs import pair_chunks
from .parallel import text_chunks
from .readers import text_of
from .row_reader import Row, RowReader

# A second's work for two cores. The rows of a block and of the next ones, which are read ahead, are in memory.
BLOCK_ROWS = 16_384
# Long texts make shorter blocks: characters of rows, bytes of tables.
BLOCK_SIZE = 16_000_000


class Block(NamedTuple):
    """Some rows of a table and their texts.

    Attributes:
        rows: The rows: dictionaries, or a table of pyarrow.
        texts: The texts, or pairs of texts, of the rows that have one.
        has_text: Which rows have a text, or both of them, `(rows,)`; the others' text is null.
    """

    rows: list[Row] | Any
    texts: Sequence[Any]
    has_text: NDArray[np.bool_]

    def chunks(self, size: int) -> Iterator[Sequence[Any]]:
        """Yield `size` texts at a time, or fewer if they are long."""
        if isinstance(self.texts, ArrowTexts):
            return self.texts.chunks(size)
        are_pairs = len(self.texts) > 0 and isinstance(self.texts[0], tuple)
        return pair_chunks(self.texts, size) if are_pairs else text_chunks(self.texts, size)


def row_blocks(reader: RowReader, column: str, pair_column: str | None = None) -> Iterator[Block]:
    """Yield the rows of a table as dictionaries.

    Args:
        reader: The table.
        column: The column of the texts.
        pair_column: The column of the second texts, if the rows hold pairs.

    Raises:
        FileError: A text is something else; the message says where.
    """
    rows: list[Row] = []
    texts: list[Any] = []
    size = 0
    for row in reader:
        text = text_of(row, column, reader)
        size += len(text or "")
        rows.append(row)
        if pair_column is None:
            texts.append(text)
        else:
            second = text_of(row, pair_column, reader)
            size += len(second or "")
            texts.append(None if text is None or second is None else (text, second))
        if len(rows) == BLOCK_ROWS or size >= BLOCK_SIZE:
            yield _row_block(rows, texts)
            rows, texts, size = [], [], 0
    if rows:
        yield _row_block(rows, texts)


def _row_block(rows: list[Row], texts: Sequence[Any]) -> Block:
    has_text = [text is not None for text in texts]
    return Block(rows, list(compress(texts, has_text)), np.array(has_text))


def table_blocks(reader: RowReader, column: str, columns: Sequence[str]) -> Iterator[Block]:
    """Yield the rows of a table as tables of pyarrow.

    Args:
        reader: The table; it `has_tables`.
        column: The column of the texts.
        columns: The columns of the yielded tables.

    Raises:
        FileError: The column of the texts holds something else.
    """
    import pyarrow as pa

    wanted = list(dict.fromkeys([*columns, column]))
    batches: list[Any] = []
    for batch in reader.batches(None if set(wanted) == set(reader.columns) else wanted):
        if batches and (
            sum(map(len, batches)) + len(batch) > BLOCK_ROWS or sum(old.nbytes for old in batches) > BLOCK_SIZE
        ):
            yield _table_block(pa.Table.from_batches(batches), column, columns, reader)
            batches = []
        batches.append(batch)
    if batches:
        yield _table_block(pa.Table.from_batches(batches), column, columns, reader)


def _table_block(table: Any, column: str, columns: Sequence[str], reader: RowReader) -> Block:
    try:
        texts, has_text = text_arrays(table[column], column)
    except TypeError as error:
        raise FileError(f"{reader.path}: {error}") from None
    return Block(table.select(columns), texts, has_text)


def computed_blocks(
    blocks: Iterable[Block], compute: Callable[[Iterable[Sequence[Any]]], Iterator[Chunk]], chunk_size: int, width: int
) -> Iterator[tuple[Block, NDArray[np.float32], int]]:
    """Compute the texts of blocks, on all cores.

    Args:
        blocks: The blocks. They are read as far ahead as the threads need.
        compute: Computes chunks of texts, in order.
        chunk_size: How many texts a thread computes at a time.
        width: Number of outputs for each text.

    Yields:
        The blocks in order, each with the outputs of its texts, `(texts, width)`, and how many texts were truncated.
    """
    # The blocks that were read, each with the number of its chunks that are still to come, and those that have.
    waiting: deque[tuple[Block, int, list[Chunk]]] = deque()

    def chunks() -> Iterator[Sequence[Any]]:
        for block in blocks:
            parts = list(block.chunks(chunk_size))
            waiting.append((block, len(parts), []))
            yield from parts

    def complete() -> Iterator[tuple[Block, NDArray[np.float32], int]]:
        while waiting and len(waiting[0][2]) == waiting[0][1]:
            block, _, found = waiting.popleft()
            none = np.empty((0, width), np.float32)
            yield block, np.concatenate([none, *(chunk.outputs for chunk in found)]), sum(c.truncated for c in found)

    for chunk in compute(chunks()):
        # Blocks without any text come before the one of this chunk.
        yield from complete()
        waiting[0][2].append(chunk)
        yield from complete()
    yield from complete()
