# Copyright 2026 the okt-lstm developers. Licensed under the Apache License, Version 2.0.
"""LSTM, GRU and plain recurrent (RNN) networks that label each token of a text, with or without a CRF."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from transformers import initialization as init
from transformers.modeling_outputs import TokenClassifierOutput
from transformers.utils.generic import can_return_tuple

from .configuration_lstm import GRUConfig, LSTMConfig, RecurrentConfig, RNNConfig
from .crf import LinearChainCRF
from .modeling_lstm import GRUModel, LSTMModel, RecurrentModel, RecurrentPreTrainedModel, RNNModel
from .ngrams import hashed_ngrams
from .reading_order import ReadingOrder


class RecurrentForTokenClassification(RecurrentPreTrainedModel):
    """A recurrent model with a linear classifier on the state of each token, and optionally a CRF above it.

    The configuration's `type_vocab_size` and `num_bigram_buckets` add further embeddings to those of the tokens: of the
    tokens' types, such as the part of speech of the morpheme that a character belongs to, and of the pairs that a token
    forms with its neighbors.

    Use `LSTMForTokenClassification`, `GRUForTokenClassification` or `RNNForTokenClassification`.
    """

    model_class: ClassVar[type[RecurrentModel]]

    def __init__(self, config: RecurrentConfig) -> None:
        super().__init__(config)
        assert config.num_labels is not None
        names: dict[Any, str] | None = config.id2label
        assert names is not None
        self.num_labels = config.num_labels
        self.model = self.model_class(config)
        size = config.embedding_size
        self.embed_types = nn.Embedding(config.type_vocab_size, size) if config.type_vocab_size else None
        # The two halves of a row belong to the pair's second and first token.
        buckets = config.num_bigram_buckets
        self.embed_bigrams = nn.Embedding(buckets, 2 * size) if buckets else None
        self.dropout = nn.Dropout(config.classifier_dropout)
        self.classifier = nn.Linear(config.output_size, self.num_labels)
        tags = [names[index] for index in range(self.num_labels)]
        self.crf = LinearChainCRF(tags, config.constrain_tags) if config.crf else None
        self.post_init()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        """Draw the initial weights of a module. The scores of a CRF start at zero."""
        if not isinstance(module, LinearChainCRF):
            super()._init_weights(module)
            return
        for parameter in module.parameters(recurse=False):
            init.zeros_(parameter)

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        **kwargs: Any,
    ) -> TokenClassifierOutput:
        """Label the tokens of a batch of texts.

        Args:
            input_ids: Token ids, `(batch, time)`. Pass these or `inputs_embeds`, not both.
            attention_mask: 1 for a token and 0 for padding, `(batch, time)`. See `LSTMModel`.
            token_type_ids: The types of the tokens, `(batch, time)`; by default 0. A model whose `type_vocab_size` is
                0 doesn't use them.
            inputs_embeds: Embeddings instead of ids, `(batch, time, embedding_size)`. Those of pairs are then left out.
            labels: The ids of the true labels, `(batch, time)`. -100 stands for a token whose label doesn't count.
            **kwargs: `num_items_in_batch`, which `Trainer` passes: the number of labels to average the loss over when
                gradients are accumulated; `output_hidden_states` and `return_dict`.

        Returns:
            `loss` if there are labels, the mean over the labels that count; `logits`, `(batch, time, num_labels)`; and
            `hidden_states` if asked for. With a CRF, the highest logits of a row are the tags of its most probable
            sequence (except in training mode, where they are the CRF's emissions).

        Raises:
            ValueError: If the inputs or the labels have the wrong shape, or a label is outside the set.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("Pass exactly one of input_ids and inputs_embeds")
        num_items_in_batch = kwargs.pop("num_items_in_batch", None)
        is_token = self.model.token_mask(input_ids, attention_mask, inputs_embeds)  # (batch, time)
        if self.embed_types is not None or self.embed_bigrams is not None:
            # (batch, time, embedding)
            input_ids, inputs_embeds = None, self._embed(input_ids, inputs_embeds, token_type_ids, is_token)
        outputs = self.model(
            input_ids, attention_mask=is_token, inputs_embeds=inputs_embeds, return_dict=True, **kwargs
        )
        logits = self.classifier(self.dropout(outputs.last_hidden_state))  # (batch, time, num_labels)
        loss = None
        if labels is not None:
            labels = self._checked(labels.to(logits.device), is_token)
        # Without a token there is nothing to decode.
        if self.crf is not None and is_token.numel():
            order = ReadingOrder.from_mask(is_token)
            emissions = order.gather(logits.float())  # (time, batch, num_labels)
            token_first = order.gather(is_token.unsqueeze(2)).squeeze(2)  # (time, batch)
            if labels is not None:
                tags = order.gather(labels.unsqueeze(2)).squeeze(2)  # (time, batch)
                loss = self.crf.negative_log_likelihood(emissions, token_first, tags)
            if not self.training:
                logits = order.scatter(self.crf.logits(emissions, token_first)).to(logits.dtype)
        elif labels is not None:
            loss = F.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), reduction="sum")
        if loss is not None and labels is not None:
            counted = num_items_in_batch if num_items_in_batch is not None else (labels >= 0).sum().clamp(min=1)
            loss = loss / (counted.to(loss.device) if isinstance(counted, Tensor) else counted)
        return TokenClassifierOutput(loss=loss, logits=logits, hidden_states=outputs.hidden_states)

    def _embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, token_type_ids: Tensor | None, is_token: Tensor
    ) -> Tensor:
        """Return the sum of the embeddings of a token, its type and its pairs, `(batch, time, embedding)`."""
        embedded = self.model.embed_tokens(input_ids) if inputs_embeds is None else inputs_embeds
        if self.embed_types is not None:
            types = torch.zeros_like(is_token, dtype=torch.long) if token_type_ids is None else token_type_ids
            if types.shape != is_token.shape:
                raise ValueError(
                    f"token_type_ids has the shape {tuple(types.shape)}, but the inputs are (batch, time) = "
                    f"{tuple(is_token.shape)}"
                )
            embedded = embedded + self.embed_types(types)
        if self.embed_bigrams is not None and input_ids is not None:
            # Padding is one token, whatever stands under the mask, and so is what lies beyond the ends of a row.
            ids = F.pad((input_ids + 1) * is_token, (1, 1))  # (batch, time + 2)
            bigrams = hashed_ngrams(ids, 2, self.config.num_bigram_buckets)[1]  # (batch, time + 1)
            as_second, as_first = self.embed_bigrams(bigrams).chunk(2, dim=-1)  # (batch, time + 1, embedding) each
            embedded = embedded + as_second[:, :-1] + as_first[:, 1:]
        return embedded

    def _checked(self, labels: Tensor, is_token: Tensor) -> Tensor:
        """Return labels with -100 at padding, or raise ValueError if they don't fit."""
        if labels.shape != is_token.shape:
            raise ValueError(
                f"labels must have one id for each token, (batch, time) = {tuple(is_token.shape)}, got the shape "
                f"{tuple(labels.shape)}"
            )
        labels = labels.long().masked_fill(~is_token.to(labels.device), -100)
        wrong = (labels >= self.num_labels) | ((labels < 0) & (labels != -100))
        if not torch.compiler.is_compiling() and wrong.any():
            raise ValueError(
                f"labels must be from 0 to {self.num_labels - 1}, or -100 for a token that doesn't count, got "
                f"{labels[wrong][0].item()}"
            )
        return labels


class LSTMForTokenClassification(RecurrentForTokenClassification):
    """An `LSTMModel` that labels each token. See `RecurrentForTokenClassification.forward`.

    Example:
        >>> import okt_lstm
        >>> from transformers import pipeline
        >>> tag = pipeline("token-classification", model="path-or-hub-id", aggregation_strategy="simple")
        >>> tag("이순신은 1545년 서울에서 태어났다")
    """

    config_class = LSTMConfig
    model_class = LSTMModel


class GRUForTokenClassification(RecurrentForTokenClassification):
    """A `GRUModel` that labels each token. See `RecurrentForTokenClassification.forward`."""

    config_class = GRUConfig
    model_class = GRUModel


class RNNForTokenClassification(RecurrentForTokenClassification):
    """An `RNNModel` that labels each token. See `RecurrentForTokenClassification.forward`."""

    config_class = RNNConfig
    model_class = RNNModel
