"""What a tokenized row is: ids, tokens, and their positions in the text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, overload


@dataclass(slots=True)
class Encoding:
    """One tokenized row, with the interface of `tokenizers.Encoding`.

    Attributes:
        ids: The token ids.
        tokens: The tokens.
        offsets: Start and end of each token in the text (or in the word, if the text was split into words), in
            characters.
        word_ids: The morpheme (or the user's word) that each token belongs to. None for special tokens and padding.
        sequence_ids: Which text of a pair each token belongs to, 0 or 1. None for special tokens and padding.
        type_ids: The token type ids.
        attention_mask: 1 for a token and 0 for padding.
        special_tokens_mask: 1 for a special token or padding, else 0.
        n_sequences: Number of texts: 1, or 2 for a pair.
        overflowing: What truncation cut off, as further encodings.
    """

    ids: list[int]
    tokens: list[str]
    offsets: list[tuple[int, int]]
    word_ids: list[int | None]
    sequence_ids: list[int | None]
    type_ids: list[int]
    attention_mask: list[int]
    special_tokens_mask: list[int]
    n_sequences: int = 1
    overflowing: list["Encoding"] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def words(self) -> list[int | None]:
        """The former name of `word_ids`, which `tokenizers` keeps, too."""
        return self.word_ids

    def token_to_sequence(self, token_index: int) -> int | None:
        """Return which text of a pair a token belongs to; None for special tokens and padding."""
        return self.sequence_ids[token_index] if token_index < len(self) else None

    def token_to_chars(self, token_index: int) -> tuple[int, int] | None:
        """Return start and end of a token in its text; None for special tokens and padding."""
        return None if self.token_to_sequence(token_index) is None else self.offsets[token_index]

    def token_to_word(self, token_index: int) -> int | None:
        """Return the morpheme, or the user's word, of a token; None for special tokens and padding."""
        return None if self.token_to_sequence(token_index) is None else self.word_ids[token_index]

    def char_to_token(self, char_pos: int, sequence_index: int = 0) -> int | None:
        """Return the first token at a character of a text; None if there is none, as at white space."""
        for token, (sequence, (start, end)) in enumerate(zip(self.sequence_ids, self.offsets, strict=True)):
            if sequence == sequence_index and start <= char_pos < end:
                return token
        return None

    def char_to_word(self, char_pos: int, sequence_index: int = 0) -> int | None:
        """Return the morpheme, or the user's word, at a character of a text; None if there is none."""
        token = self.char_to_token(char_pos, sequence_index)
        return None if token is None else self.word_ids[token]

    def word_to_tokens(self, word_index: int, sequence_index: int = 0) -> tuple[int, int] | None:
        """Return the first token of a morpheme, or user's word, and the one after its last; None if it has none."""
        pairs = enumerate(zip(self.sequence_ids, self.word_ids, strict=True))
        tokens = [token for token, pair in pairs if pair == (sequence_index, word_index)]
        return (tokens[0], tokens[-1] + 1) if tokens else None

    def word_to_chars(self, word_index: int, sequence_index: int = 0) -> tuple[int, int] | None:
        """Return start and end of a morpheme, or user's word, in its text; None if it has no token."""
        tokens = self.word_to_tokens(word_index, sequence_index)
        return None if tokens is None else (self.offsets[tokens[0]][0], self.offsets[tokens[1] - 1][1])


class LazyEncodings(Sequence[Encoding]):
    """The encodings of a batch whose ids were found without them. They are made when one is asked for.

    Args:
        rows: Number of rows of the batch.
        make: Makes the encodings.
    """

    def __init__(self, rows: int, make: Callable[[], list[Encoding]]) -> None:
        self._rows, self._make = rows, make
        self._encodings: list[Encoding] | None = None

    def _all(self) -> list[Encoding]:
        if self._encodings is None:
            self._encodings = self._make()
        return self._encodings

    def __len__(self) -> int:
        return self._rows

    @overload
    def __getitem__(self, index: int) -> Encoding: ...
    @overload
    def __getitem__(self, index: slice) -> list[Encoding]: ...
    def __getitem__(self, index: int | slice) -> Encoding | list[Encoding]:
        return self._all()[index]

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (self._all(),)
