# Copyright 2026 the okt-lstm developers. Licensed under the Apache License, Version 2.0.
"""Language models over the recurrent encoders: what an encoder learns from text without labels.

Each direction predicts the token that it reads next. The encoder is the very one of the classifiers, so that
`LSTMForSequenceClassification.from_pretrained` picks it up.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from transformers.utils.generic import ModelOutput, can_return_tuple

from .configuration_lstm import GRUConfig, LSTMConfig, RecurrentConfig, RNNConfig
from .modeling_lstm import GRUModel, LSTMModel, RecurrentModel, RecurrentPreTrainedModel, RNNModel

_IGNORED = -100  # cross_entropy's own mark of what has no target


@dataclass
class LanguageModelOutput(ModelOutput):
    """What a language model returns.

    Attributes:
        loss: Mean cross-entropy of a token, in nats, over both directions.
        hidden_states: If asked for, the embeddings and each layer's output, `(batch, time, width)`.
    """

    loss: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None


class RecurrentForPreTraining(RecurrentPreTrainedModel):
    """A recurrent encoder whose states predict the tokens read next; use `LSTMForPreTraining` or a sibling.

    The output layer is the embedding table once more (tied weights: Press and Wolf, 2017; Inan et al., 2017), after a
    projection to the embeddings' width where the states have another. In training the softmax runs over the batch's
    own tokens, filled up to `sampled_softmax_size` with random ones (Jean et al., 2015): the whole vocabulary would
    cost several times as much as the network. In evaluation it is the whole one, so that perplexities can be compared.
    """

    model_class: ClassVar[type[RecurrentModel]]

    def __init__(self, config: RecurrentConfig) -> None:
        super().__init__(config)
        if config.bidirectional and config.num_hidden_layers > 1 and not config.separate_directions:
            raise ValueError(
                "a language model of two directions needs separate_directions=True: else its second layer reads, from "
                "the other direction, the very tokens that it is to predict"
            )
        self.model = self.model_class(config)
        self.output_dropout = nn.Dropout(config.hidden_dropout)
        self.projections = nn.ModuleList(
            nn.Linear(config.hidden_size, config.embedding_size)
            if config.hidden_size != config.embedding_size
            else nn.Identity()
            for _ in range(2 if config.bidirectional else 1)
        )
        self.output_bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        return_loss: bool = True,
        **kwargs: Any,
    ) -> LanguageModelOutput:
        """Predicts each token of a batch from those before it and, if bidirectional, from those after it.

        Args:
            input_ids: Token ids, `(batch, time)`.
            attention_mask: `(batch, time)`, 1 for a real token and 0 for padding; see `LSTMModel`. The real tokens of
                a row must stand together.
            return_loss: Whether to compute the loss. (Trainer looks for this parameter where there are no labels.)
            **kwargs: `output_hidden_states` and `return_dict`, as in every `transformers` model.

        Returns:
            The mean loss of a prediction; zero if no row has two tokens.
        """
        outputs = self.model(input_ids, attention_mask=attention_mask, return_dict=True, **kwargs)
        if not return_loss:
            return LanguageModelOutput(hidden_states=outputs.hidden_states)
        real = self.model._real_tokens(input_ids, attention_mask, None)  # (batch, time)
        pair = real[:, :-1] & real[:, 1:]  # (batch, time - 1): both the token and its successor are there
        size = self.config.hidden_size
        states = [outputs.last_hidden_state[:, :-1, :size]]
        targets = [input_ids[:, 1:].masked_fill(~pair, _IGNORED)]
        if self.config.bidirectional:
            states.append(outputs.last_hidden_state[:, 1:, size:])
            targets.append(input_ids[:, :-1].masked_fill(~pair, _IGNORED))
        # (directions * batch * (time - 1), embedding). Padding stays in: shapes that differ from batch to batch would
        # make oneDNN compile its kernels anew for each.
        predicted = torch.cat(
            [projection(self.output_dropout(part)) for projection, part in zip(self.projections, states, strict=True)]
        ).flatten(0, 1)
        loss = self._loss(predicted, torch.cat(targets).flatten())
        return LanguageModelOutput(loss=loss, hidden_states=outputs.hidden_states)

    def _loss(self, predicted: Tensor, targets: Tensor) -> Tensor:
        if not (targets != _IGNORED).any():
            return predicted.sum() * 0
        table: Tensor = self.model.embed_tokens.weight
        bias: Tensor = self.output_bias
        if self.training and self.config.sampled_softmax_size:
            candidates, targets = self._candidates(targets)
            table, bias = table[candidates], bias[candidates]
        logits = F.linear(predicted, table) + bias  # (predictions, candidates)
        return F.cross_entropy(logits.float(), targets, ignore_index=_IGNORED)

    def _candidates(self, targets: Tensor) -> tuple[Tensor, Tensor]:
        """The tokens that the softmax runs over, and the targets as places among them.

        There are a multiple of `sampled_softmax_size` of them, or as many as the vocabulary has tokens.
        """
        present = torch.zeros(self.config.vocab_size, dtype=torch.bool, device=targets.device)
        present[targets[targets != _IGNORED]] = True
        step = self.config.sampled_softmax_size
        size = min(-(-int(present.sum()) // step) * step, len(present))
        # Tokens that are present sort before all others, which are in random order.
        candidates = torch.rand(len(present), device=targets.device).masked_fill(present, -1).topk(size, largest=False)
        place = torch.empty(len(present), dtype=torch.long, device=targets.device)
        place[candidates.indices] = torch.arange(size, device=targets.device)
        return candidates.indices, torch.where(targets == _IGNORED, _IGNORED, place[targets.clamp(min=0)])


class LSTMForPreTraining(RecurrentForPreTraining):
    """An `LSTMModel` that predicts tokens; see `RecurrentForPreTraining.forward`."""

    config_class = LSTMConfig
    model_class = LSTMModel


class GRUForPreTraining(RecurrentForPreTraining):
    """A `GRUModel` that predicts tokens; see `RecurrentForPreTraining.forward`."""

    config_class = GRUConfig
    model_class = GRUModel


class RNNForPreTraining(RecurrentForPreTraining):
    """An `RNNModel` that predicts tokens; see `RecurrentForPreTraining.forward`."""

    config_class = RNNConfig
    model_class = RNNModel
