"""The token ids of texts, or of pairs of texts, in one flat array."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Tokens(NamedTuple):
    """The token ids of rows.

    Attributes:
        ids: The ids of all rows, `(tokens,)`.
        row_splits: Row `i` has the ids `ids[row_splits[i]:row_splits[i + 1]]`, `(rows + 1,)`.
        first: Of pairs, how many ids of a row belong to the first text, `(rows,)`; None if rows are single texts.
    """

    ids: NDArray[np.int64]
    row_splits: NDArray[np.int64]
    first: NDArray[np.int64] | None = None

    @classmethod
    def encode(cls, texts: Sequence[Any], tokenizer: Any) -> "Tokens":
        """Encode texts, or tuples of two texts."""
        if not texts or isinstance(texts[0], str):
            return cls(*tokenizer.encode_ragged(texts))
        return cls(*tokenizer.encode_ragged([text for pair in texts for text in pair])).paired()

    def paired(self) -> "Tokens":
        """Return rows of two texts each, of rows of one text."""
        return Tokens(self.ids, self.row_splits[::2], self.lengths[::2])

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The number of tokens of each row, `(rows,)`."""
        return np.diff(self.row_splits)

    @property
    def texts(self) -> "Tokens":
        """The texts alone: of pairs twice as many, each first text before its second one."""
        if self.first is None:
            return self
        lengths = np.stack([self.first, self.lengths - self.first], axis=1).ravel()  # (2 * rows,)
        return Tokens(self.ids, np.cumsum([0, *lengths]))

    def cut(self, max_length: int) -> "Tokens":
        """Return the first tokens of each text."""
        texts = self.texts
        lengths = texts.lengths
        places = np.arange(len(self.ids)) - np.repeat(texts.row_splits[:-1], lengths)  # (tokens,), each in its own text
        cut = Tokens(self.ids[places < max_length], np.cumsum([0, *np.minimum(lengths, max_length)]))
        return cut if self.first is None else cut.paired()
