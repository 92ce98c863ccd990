# Copyright 2026 the okt-lstm developers. Licensed under the Apache License, Version 2.0.
"""Language models that fill a gap: the two directions of a bidirectional network meet at the missing token.

The forward network has read what stands before the gap, the backward network what stands after it. Neither has read the
gap itself, so the model needs no training of its own: a pretrained language model of both directions is one.
"""

from typing import Any

import torch
from torch import Tensor
from transformers.modeling_outputs import MaskedLMOutput
from transformers.utils.generic import can_return_tuple

# Of a local folder's code, older releases of transformers copy only what this file itself imports.
from .classification_loss import classification_loss  # noqa: F401
from .configuration_lstm import GRUConfig, LSTMConfig, RNNConfig
from .modeling_lstm import GRUModel, LSTMModel, RNNModel
from .modeling_lstm_pretraining import RecurrentLanguageModel


class RecurrentForMaskedLM(RecurrentLanguageModel):
    """A recurrent language model that fills gaps. Use `LSTMForMaskedLM`, `GRUForMaskedLM` or `RNNForMaskedLM`.

    Its weights are those of `LSTMForPreTraining` and its siblings. A model of one direction fills a gap by what stands
    before it.
    """

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        **kwargs: Any,
    ) -> MaskedLMOutput:
        """Predict each token of a batch from those before it and those after it.

        No prediction reads its own token, so it does not matter which token is masked. Of several gaps in a text, each
        is read by the others as the mask token, whatever the model has learned of that.

        Args:
            input_ids: Token ids, `(batch, time)`. Pass these or `inputs_embeds`, not both.
            attention_mask: 1 for a token and 0 for padding, `(batch, time)`. See `LSTMModel`. The tokens of a row must
                stand together.
            inputs_embeds: Embeddings instead of ids, `(batch, time, embedding_size)`.
            labels: The tokens to predict, `(batch, time)`; -100 for a token that doesn't count. They are not shifted.
            **kwargs: `num_items_in_batch`, which `Trainer` passes: the number of labels to average the loss over when
                gradients are accumulated; `output_hidden_states` and `return_dict`.

        Returns:
            `loss` if there are labels; `logits`, `(batch, time, vocab_size)`; and `hidden_states` if asked for.
        """
        num_items_in_batch = kwargs.pop("num_items_in_batch", None)
        outputs = self.model(
            input_ids, attention_mask=attention_mask, inputs_embeds=inputs_embeds, return_dict=True, **kwargs
        )
        is_token = self.model.token_mask(input_ids, attention_mask, inputs_embeds)  # (batch, time)
        is_pair = is_token[:, :-1] & is_token[:, 1:]  # (batch, time - 1): a token and its successor
        size = self.config.hidden_size
        before = self._projected(outputs.last_hidden_state[:, :-1, :size], 0, is_pair)  # (batch, time - 1, embedding)
        predicted = _pad_time(before, first=True)  # (batch, time, embedding)
        if self.config.bidirectional:
            after = self._projected(outputs.last_hidden_state[:, 1:, size:], 1, is_pair)  # (batch, time - 1, embedding)
            predicted = predicted + _pad_time(after, first=False)
        # The product of both predictions. The bias, which knows how frequent a token is, counts once.
        logits = self.lm_head(predicted)  # (batch, time, vocab_size)
        loss = None
        if labels is not None:
            loss = self.loss_function(
                logits, labels, vocab_size=self.config.vocab_size, num_items_in_batch=num_items_in_batch
            )
        return MaskedLMOutput(loss=loss, logits=logits, hidden_states=outputs.hidden_states)

    def _projected(self, states: Tensor, direction: int, is_pair: Tensor) -> Tensor:
        """Return what a direction predicts of its neighbors, `(batch, time - 1, embedding)`, zero without one."""
        predicted = self.projections[direction](self.output_dropout(states))
        return predicted * is_pair.unsqueeze(-1).to(predicted.device)


def _pad_time(states: Tensor, first: bool) -> Tensor:
    """Add a position of zeros, `(batch, time - 1, width)` to `(batch, time, width)`, as the first or the last one."""
    zeros = states.new_zeros(states.shape[0], 1, states.shape[2])
    return torch.cat([zeros, states] if first else [states, zeros], dim=1)


class LSTMForMaskedLM(RecurrentForMaskedLM):
    """An `LSTMModel` that fills gaps. See `RecurrentForMaskedLM.forward`."""

    config_class = LSTMConfig
    model_class = LSTMModel


class GRUForMaskedLM(RecurrentForMaskedLM):
    """A `GRUModel` that fills gaps. See `RecurrentForMaskedLM.forward`."""

    config_class = GRUConfig
    model_class = GRUModel


class RNNForMaskedLM(RecurrentForMaskedLM):
    """An `RNNModel` that fills gaps. See `RecurrentForMaskedLM.forward`."""

    config_class = RNNConfig
    model_class = RNNModel
