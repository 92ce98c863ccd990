"""Pairs of texts in training: how they become rows of token ids."""

from collections.abc import Mapping
from typing import Any

from transformers import PreTrainedTokenizerBase

from ..data.columns import TEXTS


def let_read_pairs(tokenizer: PreTrainedTokenizerBase) -> None:
    """Let a tokenizer return token types, which tell the texts of a pair apart, also after it was saved and loaded."""
    names = ["input_ids", "token_type_ids", "attention_mask"]
    tokenizer.model_input_names = names
    tokenizer.init_kwargs["model_input_names"] = names


def encode_pairs(rows: Mapping[str, list[Any]], tokenizer: PreTrainedTokenizerBase) -> dict[str, list[Any]]:
    """Return the token ids and types of pairs. Each text is cut for itself, as the model that is loaded cuts them."""
    first, second = (
        tokenizer(rows[name], truncation=True, return_attention_mask=False, return_token_type_ids=False)["input_ids"]
        for name in TEXTS
    )
    sides = list(zip(first, second, strict=True))
    return {
        "input_ids": [one + other for one, other in sides],
        "token_type_ids": [[0] * len(one) + [1] * len(other) for one, other in sides],
    }
