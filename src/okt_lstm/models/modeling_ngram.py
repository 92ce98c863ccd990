# Copyright 2026 the okt-lstm developers. Licensed under the Apache License, Version 2.0.
"""A linear text classifier over hashed n-grams of tokens, as a `transformers` model.

It makes a strong baseline. Because it makes different mistakes than the recurrent networks, it also improves an
ensemble of teachers.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils.generic import can_return_tuple

from .classification_loss import classification_loss
from .configuration_lstm import NgramConfig
from .ngrams import NUM_HASHES, KnownNgrams, sum_of_ngrams
from .pairs import split_pairs


class NgramForSequenceClassification(PreTrainedModel):
    """A linear classifier over all n-grams of a text, including those with its beginning and its end.

    The logit of a label is its bias plus the sum of its weights for the n-grams of the text, divided by the square root
    of their number, so that long texts don't get large logits just because they are long. N-grams share the weights of
    `num_buckets` buckets, or, with `num_ngrams`, those that were seen in training have weights of their own.
    """

    config_class = NgramConfig
    config: NgramConfig
    main_input_name = "input_ids"

    def __init__(self, config: NgramConfig) -> None:
        super().__init__(config)
        assert config.num_labels is not None
        self.num_labels = config.num_labels
        self.weights: nn.Embedding | KnownNgrams
        if config.num_ngrams:
            self.weights = KnownNgrams(config.num_ngrams, self.num_labels)
        else:
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
        token_type_ids: Tensor | None = None,
        **kwargs: Any,
    ) -> SequenceClassifierOutput:
        """Classify a batch of texts.

        Args:
            input_ids: Token ids, `(batch, time)`.
            attention_mask: 1 for a token and 0 for padding, which may stand anywhere, `(batch, time)`. By default, ids
                other than `pad_token_id` are tokens.
            labels: The labels to compute the loss with. See `LSTMForSequenceClassification`.
            token_type_ids: Of pairs, 0 for the first text and 1 for the second, `(batch, time)`.
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
        config = self.config
        if config.text_pair:
            input_ids, is_token = split_pairs(input_ids, is_token, token_type_ids)  # (2 * batch, longest)
        num_buckets = NUM_HASHES if config.num_ngrams else config.num_buckets
        logits = self.bias + sum_of_ngrams(
            input_ids, is_token, config.vocab_size, config.max_ngram, num_buckets, self.weights, config.text_pair
        )  # (batch, num_labels)
        loss = None
        if labels is not None:
            loss = classification_loss(logits, labels, self.config, kwargs.get("num_items_in_batch"))
        return SequenceClassifierOutput(loss=loss, logits=logits)
