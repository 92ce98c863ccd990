# Copyright 2026 the okt-lstm developers. Licensed under the Apache License, Version 2.0.
"""A linear text classifier over hashed n-grams of tokens, as a `transformers` model.

It makes a strong baseline. Because it makes different mistakes than the recurrent networks, it also improves an
ensemble of teachers.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils.generic import can_return_tuple

from .classification_loss import classification_loss
from .configuration_lstm import NgramConfig

# Odd numbers with bits all over; the hashes are computed modulo 2 ** 64.
_BASE = 0x2545F4914F6CDD1D
_MIX = 0x1B03738712FAD5C9


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


class NgramForSequenceClassification(PreTrainedModel):
    """A linear classifier over all n-grams of a text, including those with its beginning and its end.

    The logit of a label is its bias plus the sum of its weights for the n-grams of the text, divided by the square root
    of their number, so that long texts don't get large logits just because they are long.
    """

    config_class = NgramConfig
    config: NgramConfig
    main_input_name = "input_ids"

    def __init__(self, config: NgramConfig) -> None:
        super().__init__(config)
        assert config.num_labels is not None
        self.num_labels = config.num_labels
        self.weights = nn.Embedding(config.num_buckets, self.num_labels)
        self.bias = nn.Parameter(torch.zeros(self.num_labels))
        self.post_init()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        """Set all weights to zero: the loss is convex, and n-grams that training never saw then mean nothing."""
        for parameter in module.parameters(recurse=False):
            init.zeros_(parameter)

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        **kwargs: Any,
    ) -> SequenceClassifierOutput:
        """Classify a batch of texts.

        Args:
            input_ids: Token ids, `(batch, time)`.
            attention_mask: 1 for a token and 0 for padding, which may stand anywhere, `(batch, time)`. By default, ids
                other than `pad_token_id` are tokens.
            labels: The labels to compute the loss with. See `LSTMForSequenceClassification`.
            **kwargs: `num_items_in_batch` and `return_dict`, as in `LSTMForSequenceClassification`.

        Returns:
            `logits`, `(batch, num_labels)`, and, if there are labels, `loss`.

        Raises:
            ValueError: If the inputs or the labels have the wrong shape.
        """
        if input_ids.dim() != 2:
            raise ValueError(f"input_ids must have 2 dimensions, got the shape {tuple(input_ids.shape)}")
        if attention_mask is None:
            is_token = input_ids != (-1 if self.config.pad_token_id is None else self.config.pad_token_id)
        elif attention_mask.shape == input_ids.shape:
            is_token = attention_mask.bool()
        else:
            raise ValueError(
                f"attention_mask has the shape {tuple(attention_mask.shape)}, but the inputs are (batch, time) = "
                f"{tuple(input_ids.shape)}"
            )
        tokens, lengths = self._with_boundaries(input_ids, is_token)  # (batch, time + 2), (batch, 1)
        sums = self.bias.new_zeros(len(input_ids), self.num_labels)
        counts = torch.zeros_like(lengths)
        for length, hashes in enumerate(hashed_ngrams(tokens, self.config.max_ngram, self.config.num_buckets), 1):
            # n-grams that reach into the padding don't count
            is_ngram = torch.arange(hashes.shape[1], device=hashes.device) <= lengths - length  # (batch, ngrams)
            sums = sums + (self.weights(hashes) * is_ngram.unsqueeze(-1)).sum(dim=1)  # (batch, num_labels)
            counts = counts + is_ngram.sum(dim=1, keepdim=True)  # (batch, 1)
        logits = self.bias + sums / counts.sqrt()  # (batch, num_labels)
        loss = None
        if labels is not None:
            loss = classification_loss(logits, labels, self.config, kwargs.get("num_items_in_batch"))
        return SequenceClassifierOutput(loss=loss, logits=logits)

    def _with_boundaries(self, input_ids: Tensor, is_token: Tensor) -> tuple[Tensor, Tensor]:
        """Put the tokens of each row between a mark of its beginning and one of its end.

        Returns:
            The tokens with their marks, then padding of any value, `(batch, time + 2)`; and the lengths with the marks,
            `(batch, 1)`.
        """
        boundary = self.config.vocab_size
        tokens_first = (~is_token).int().argsort(dim=1, stable=True)  # (batch, time)
        tokens = input_ids.long().masked_fill(~is_token, boundary).gather(1, tokens_first)  # (batch, time)
        return F.pad(tokens, (1, 1), value=boundary), is_token.sum(dim=1, keepdim=True) + 2
