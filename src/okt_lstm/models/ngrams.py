# Copyright 2026 the okt-lstm developers. Licensed under the Apache License, Version 2.0.
"""N-grams of tokens as linear models read them: hashed, with the beginning and the end of the text."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from .pairs import is_shared

# Odd numbers with bits all over; the hashes are computed modulo 2 ** 64.
_BASE = 0x2545F4914F6CDD1D
_MIX = 0x1B03738712FAD5C9

NUM_HASHES = 2**31 - 1
"""Number of different hashes of `KnownNgrams`."""

SHARED = 0x2B1D4C3F
"""What is added to the hash of an n-gram that both texts of a pair have."""


def hashed_ngrams(tokens: Tensor, max_ngram: int, num_buckets: int) -> list[Tensor]:
    """Hash the n-grams of a batch (feature hashing, Weinberger et al., 2009).

    Args:
        tokens: Token ids, `(batch, time)`.
        max_ngram: Length of the longest n-grams.
        num_buckets: Number of different hashes.

    Returns:
        For each length from 1 to `max_ngram` (at most `time`), the hash of the n-gram that begins at each position:
        integers from 0 to `num_buckets - 1`, `(batch, time - length + 1)`.
    """
    time = tokens.shape[1]
    rolling = torch.zeros_like(tokens)  # (batch, time)
    hashes = []
    for length in range(1, min(max_ngram, time) + 1):
        rolling = rolling[:, : time - length + 1] * _BASE + tokens[:, length - 1 :] + 1
        hashes.append((((rolling ^ (rolling >> 32)) * _MIX) >> 20) % num_buckets)
    return hashes


def with_boundaries(input_ids: Tensor, is_token: Tensor, boundary: int) -> tuple[Tensor, Tensor]:
    """Put the tokens of each row between a mark of its beginning and one of its end.

    Args:
        input_ids: Token ids, `(batch, time)`.
        is_token: Whether a position holds a token (else padding), bool, `(batch, time)`.
        boundary: The mark.

    Returns:
        The tokens with their marks, then padding of any value, `(batch, time + 2)`; and the lengths with the marks,
        `(batch, 1)`.
    """
    tokens_first = (~is_token).int().argsort(dim=1, stable=True)  # (batch, time)
    tokens = input_ids.long().masked_fill(~is_token, boundary).gather(1, tokens_first)  # (batch, time)
    return F.pad(tokens, (1, 1), value=boundary), is_token.sum(dim=1, keepdim=True) + 2


def sum_of_ngrams(
    input_ids: Tensor,
    is_token: Tensor,
    boundary: int,
    max_ngram: int,
    num_buckets: int,
    weights: Callable[[Tensor], Tensor],
    pairs: bool = False,
) -> Tensor:
    """Sum the weights of all n-grams of a text, including those with its beginning and its end.

    The sum is divided by the square root of the number of n-grams, so that long texts don't get large logits just
    because they are long. In a pair of texts, an n-gram that both have has another weight than one that only one has.

    Args:
        input_ids: Token ids, `(batch, time)`.
        is_token: Whether a position holds a token (else padding), bool, `(batch, time)`.
        boundary: The id that marks the beginning and the end of a text.
        max_ngram: Length of the longest n-grams.
        num_buckets: Number of different hashes.
        weights: Maps hashes, `(batch, ngrams)`, to weights, `(batch, ngrams, labels)`.
        pairs: Whether the rows are the first texts of pairs, then the second ones, as `split_pairs` returns them.

    Returns:
        Logits without a bias, `(batch, labels)`; of pairs, half as many.
    """
    tokens, lengths = with_boundaries(input_ids, is_token, boundary)  # (batch, time + 2), (batch, 1)
    sums: Tensor | float = 0.0
    counts = torch.zeros_like(lengths)  # (batch, 1)
    for length, hashes in enumerate(hashed_ngrams(tokens, max_ngram, num_buckets), 1):
        # n-grams that reach into the padding don't count
        is_ngram = torch.arange(hashes.shape[1], device=hashes.device) <= lengths - length  # (batch, ngrams)
        if pairs:
            hashes = torch.where(is_shared(hashes, is_ngram), (hashes + SHARED) % num_buckets, hashes)
        sums = sums + (weights(hashes) * is_ngram.unsqueeze(-1)).sum(dim=1)  # (batch, labels)
        counts = counts + is_ngram.sum(dim=1, keepdim=True)  # (batch, 1)
    if pairs:
        assert isinstance(sums, Tensor)
        sums, counts = sum(sums.chunk(2)), sum(counts.chunk(2))  # type: ignore[assignment]
    return sums / counts.sqrt()


class KnownNgrams(nn.Module):
    """Weights of the n-grams that were seen in training, which are known by their hash. Others weigh nothing.

    Args:
        num_ngrams: Number of known n-grams.
        num_labels: Number of weights of each.

    Attributes:
        hashes: The hashes in ascending order, modulo `NUM_HASHES`, int32 `(num_ngrams,)`.
        weight: `(num_ngrams, num_labels)`.
    """

    hashes: Tensor

    def __init__(self, num_ngrams: int, num_labels: int) -> None:
        super().__init__()
        self.register_buffer("hashes", torch.arange(num_ngrams, dtype=torch.int32))
        self.weight = nn.Parameter(torch.zeros(num_ngrams, num_labels))

    def forward(self, hashes: Tensor) -> Tensor:
        """Map hashes, `(batch, ngrams)`, to weights, `(batch, ngrams, num_labels)`."""
        hashes = hashes.to(self.hashes.dtype)
        index = torch.searchsorted(self.hashes, hashes.contiguous()).clamp(max=len(self.hashes) - 1)  # (batch, ngrams)
        is_known = self.hashes[index] == hashes  # (batch, ngrams)
        return F.embedding(index, self.weight) * is_known.unsqueeze(-1)
