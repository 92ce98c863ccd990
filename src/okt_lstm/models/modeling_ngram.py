# Copyright 2026 the okt-lstm developers. Licensed under the Apache License, Version 2.0.
"""A linear text classifier over hashed n-grams of tokens, as a `transformers` model.

It is what a recurrent network has to beat; and as it errs elsewhere, it is a good teacher beside them.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils.generic import can_return_tuple

from .configuration_lstm import NgramConfig
from .modeling_lstm import classification_loss

# Odd numbers with bits all over; the hashes are computed modulo 2 ** 64.
_BASE = 0x2545F4914F6CDD1D
_MIX = 0x1B03738712FAD5C9


def hashed_ngrams(tokens: Tensor, max_ngram: int, num_buckets: int) -> list[Tensor]:
    """Hash the n-grams of a batch (feature hashing, Weinberger et al., 2009).

    Args:
        tokens: Token ids, `(batch, time)`.
        max_ngram: Length of the longest n-grams.
        num_buckets: Number of values of a hash.

    Returns:
        For each length from 1 to the smaller one of `max_ngram` and `time` the hashes of the n-grams that begin at each
        position, `(batch, time - length + 1)`, integers from 0 to `num_buckets - 1`.
    """
    time = tokens.shape[1]
    rolling = torch.zeros_like(tokens)
    hashes = []
    for length in range(1, min(max_ngram, time) + 1):
        rolling = rolling[:, : time - length + 1] * _BASE + tokens[:, length - 1 :] + 1
        hashes.append((((rolling ^ (rolling >> 32)) * _MIX) >> 20) % num_buckets)
    return hashes


class NgramForSequenceClassification(PreTrainedModel):
    """A linear classifier over all n-grams of a text, its beginning and end included.

    A label's logit is its bias and the sum of its weights of the text's n-grams, divided by the square root of their
    number: so long texts don't get large logits for their length alone. It starts from zeros.
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
        """All weights begin as zeros: the problem has one optimum, and unseen n-grams then mean nothing."""
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
        """Classifies a batch of texts.

        Args:
            input_ids: Token ids, `(batch, time)`.
            attention_mask: `(batch, time)`, 1 for a real token and 0 for padding, which may stand anywhere. Without
                it, ids other than `pad_token_id` are real.
            labels: What the loss compares with; see `LSTMForSequenceClassification`.
            **kwargs: `return_dict`, as in every `transformers` model.

        Returns:
            `logits`, `(batch, num_labels)`, and, where there are labels, `loss`.

        Raises:
            ValueError: If the inputs or the labels have the wrong shape.
        """
        if input_ids.dim() != 2:
            raise ValueError(f"input_ids must have 2 dimensions, got the shape {tuple(input_ids.shape)}")
        if attention_mask is None:
            real = input_ids != (-1 if self.config.pad_token_id is None else self.config.pad_token_id)
        elif attention_mask.shape == input_ids.shape:
            real = attention_mask.bool()
        else:
            raise ValueError(
                f"attention_mask has the shape {tuple(attention_mask.shape)}, but the inputs are (batch, time) = "
                f"{tuple(input_ids.shape)}"
            )
        tokens, lengths = self._between_boundaries(input_ids, real)
        sums = self.bias.new_zeros(len(input_ids), self.num_labels)
        counts = torch.zeros_like(lengths)
        for length, hashes in enumerate(hashed_ngrams(tokens, self.config.max_ngram, self.config.num_buckets), 1):
            whole = torch.arange(hashes.shape[1], device=hashes.device) <= lengths - length  # (batch, time)
            sums = sums + (self.weights(hashes) * whole.unsqueeze(-1)).sum(dim=1)
            counts = counts + whole.sum(dim=1, keepdim=True)
        logits = self.bias + sums / counts.sqrt()  # (batch, labels)
        loss = None
        if labels is not None:
            loss = classification_loss(logits, labels, self.config, kwargs.get("num_items_in_batch"))
        return SequenceClassifierOutput(loss=loss, logits=logits)

    def _between_boundaries(self, input_ids: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """The real tokens of each row between two marks of the text's beginning and end, and their number.

        Returns:
            The tokens, `(batch, time + 2)`, whatever padding there was behind them; and `(batch, 1)`.
        """
        boundary = self.config.vocab_size
        first_real = (~real).int().argsort(dim=1, stable=True)
        tokens = input_ids.long().masked_fill(~real, boundary).gather(1, first_real)
        return F.pad(tokens, (1, 1), value=boundary), real.sum(dim=1, keepdim=True) + 2
