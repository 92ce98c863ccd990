# Copyright 2026 the okt-lstm developers. Licensed under the Apache License, Version 2.0.
"""Pairs of texts: a tokenizer joins two texts to one row, which a model takes apart and compares."""

import torch
from torch import Tensor


def split_pairs(input_ids: Tensor, is_token: Tensor, token_type_ids: Tensor | None) -> tuple[Tensor, Tensor]:
    """Take the rows of a batch apart.

    Args:
        input_ids: Token ids, `(batch, time)`.
        is_token: Whether a position holds a token (else padding), bool, `(batch, time)`.
        token_type_ids: 0 for a token of the first text and 1 for one of the second, `(batch, time)`.

    Returns:
        The ids of the first texts, then those of the second ones, `(2 * batch, longest)`, in which padding comes last
        and has any id; and whether a position holds a token, `(2 * batch, longest)`.

    Raises:
        ValueError: If there are no token types.
    """
    if token_type_ids is None:
        raise ValueError(
            "this model compares two texts and needs token_type_ids: call its tokenizer with (text, text_pair)"
        )
    is_second = token_type_ids.bool()
    masks = torch.cat([is_token & ~is_second, is_token & is_second])  # (2 * batch, time)
    longest = max(1, int(masks.sum(dim=1).max())) if masks.numel() else 0
    tokens_first = (~masks).int().argsort(dim=1, stable=True)[:, :longest]  # (2 * batch, longest)
    return torch.cat([input_ids, input_ids]).gather(1, tokens_first), masks.gather(1, tokens_first)


def compare_vectors(vectors: Tensor) -> Tensor:
    """Return the features of pairs: both vectors, how far they are apart, and their product (Conneau et al., 2017).

    Args:
        vectors: Those of the first texts, then those of the second ones, `(2 * batch, dimension)`.

    Returns:
        `(batch, 4 * dimension)`.
    """
    first, second = vectors.chunk(2)  # (batch, dimension) each
    return torch.cat([first, second, (first - second).abs(), first * second], dim=-1)


def is_shared(hashes: Tensor, is_ngram: Tensor) -> Tensor:
    """Return whether the other text of the pair has an n-gram, too.

    Args:
        hashes: The hashes of the first texts' n-grams, then those of the second ones', `(2 * batch, ngrams)`.
        is_ngram: Whether a position holds an n-gram, bool, `(2 * batch, ngrams)`.

    Returns:
        Bool, `(2 * batch, ngrams)`.
    """
    # No n-gram has the hash -1.
    others = hashes.masked_fill(~is_ngram, -1).roll(len(hashes) // 2, 0).sort(dim=1).values  # (2 * batch, ngrams)
    index = torch.searchsorted(others, hashes.contiguous()).clamp(max=others.shape[1] - 1)  # (2 * batch, ngrams)
    return others.gather(1, index) == hashes
