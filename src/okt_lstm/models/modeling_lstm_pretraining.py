# Copyright 2026 the okt-lstm developers. Licensed under the Apache License, Version 2.0.
"""Language models over the recurrent encoders: what an encoder learns from unlabeled text.

Each direction predicts the token that it reads next. The encoder is that of the classifiers, so
`LSTMForSequenceClassification.from_pretrained` can start from a language model.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from transformers import initialization as init
from transformers.utils.generic import ModelOutput, can_return_tuple

# Of a local folder's code, older releases of transformers copy only what this file itself imports.
from .classification_loss import classification_loss  # noqa: F401
from .configuration_lstm import GRUConfig, LSTMConfig, RecurrentConfig, RNNConfig
from .modeling_lstm import GRUModel, LSTMModel, RecurrentModel, RecurrentPreTrainedModel, RNNModel

_IGNORED = -100  # cross_entropy's own mark of positions without a target


@dataclass
class LanguageModelOutput(ModelOutput):
    """The output of a language model.

    Attributes:
        loss: Mean cross-entropy of a prediction over both directions, in nats.
        hidden_states: If asked for, the embeddings and the output of each layer, `(batch, time, width)`.
    """

    loss: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None


class RecurrentLanguageModel(RecurrentPreTrainedModel):
    """A recurrent encoder with a language modeling head: what all models that predict tokens share.

    The weights of the output layer are always the embedding table (tied weights: Press and Wolf, 2017; Inan et al.,
    2017). States of another size are projected to that of the embeddings first.
    """

    model_class: ClassVar[type[RecurrentModel]]
    _tied_weights_keys = {"lm_head.weight": "model.embed_tokens.weight", "lm_head.bias": "output_bias"}
    # Trainer warns of every other key that a checkpoint lacks.
    _keys_to_ignore_on_save = ["lm_head.weight", "lm_head.bias"]

    def __init__(self, config: RecurrentConfig) -> None:
        config.tie_word_embeddings = True  # as transformers knows it
        super().__init__(config)
        if config.bidirectional and config.num_hidden_layers > 1 and not config.separate_directions:
            raise ValueError(
                "a bidirectional language model needs separate_directions=True: otherwise its second layer reads, from "
                "the other direction, the tokens that it has to predict"
            )
        self.model = self.model_class(config)
        self.output_dropout = nn.Dropout(config.hidden_dropout)
        self.projections = nn.ModuleList(
            nn.Linear(config.hidden_size, config.embedding_size)
            if config.hidden_size != config.embedding_size
            else nn.Identity()
            for _ in range(2 if config.bidirectional else 1)
        )
        self.lm_head = nn.Linear(config.embedding_size, config.vocab_size)
        # The bias has a second name, as in BERT: checkpoints of 0.1.0, which had no lm_head, know it by this one.
        self.output_bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.post_init()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self:
            init.zeros_(self.output_bias)

    def set_output_embeddings(self, new_embeddings: nn.Linear) -> None:
        """Replace the output layer. `resize_token_embeddings` calls this."""
        self.lm_head = new_embeddings
        self.output_bias = new_embeddings.bias


class RecurrentForPreTraining(RecurrentLanguageModel):
    """A language model that learns, for an encoder. Use `LSTMForPreTraining` or one of its siblings.

    In training, the softmax runs over the tokens of the batch and random others, `sampled_softmax_size` in all (sampled
    softmax: Jean et al., 2015), because the whole vocabulary would take several times as long as the network. In
    evaluation it runs over the whole vocabulary, so that perplexities can be compared.
    """

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        return_loss: bool = True,
        **kwargs: Any,
    ) -> LanguageModelOutput:
        """Predict each token of a batch from those before it and, if bidirectional, from those after it.

        Args:
            input_ids: Token ids, `(batch, time)`.
            attention_mask: 1 for a token and 0 for padding, `(batch, time)`. See `LSTMModel`. The tokens of a row must
                stand together.
            return_loss: Whether to compute the loss. (Trainer looks for this parameter where there are no labels.)
            **kwargs: `output_hidden_states` and `return_dict`, as in every `transformers` model.

        Returns:
            The mean loss of a prediction, zero if no row has two tokens; and `hidden_states` if asked for.
        """
        outputs = self.model(input_ids, attention_mask=attention_mask, return_dict=True, **kwargs)
        if not return_loss:
            return LanguageModelOutput(hidden_states=outputs.hidden_states)
        is_token = self.model.token_mask(input_ids, attention_mask, None)  # (batch, time)
        is_pair = is_token[:, :-1] & is_token[:, 1:]  # (batch, time - 1): a token and its successor
        size = self.config.hidden_size
        states = [outputs.last_hidden_state[:, :-1, :size]]  # (batch, time - 1, hidden)
        targets = [input_ids[:, 1:].masked_fill(~is_pair, _IGNORED)]  # (batch, time - 1)
        if self.config.bidirectional:
            states.append(outputs.last_hidden_state[:, 1:, size:])
            targets.append(input_ids[:, :-1].masked_fill(~is_pair, _IGNORED))
        # Padding stays in: if the shapes differed from batch to batch, oneDNN would compile its kernels for each.
        predicted = torch.cat(
            [projection(self.output_dropout(part)) for projection, part in zip(self.projections, states, strict=True)]
        ).flatten(0, 1)  # (directions * batch * (time - 1), embedding)
        loss = self._loss(predicted, torch.cat(targets).flatten())
        return LanguageModelOutput(loss=loss, hidden_states=outputs.hidden_states)

    def _loss(self, predicted: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy of predicted embeddings, `(predictions, embedding)`, for token ids."""
        if not (targets != _IGNORED).any():
            return predicted.sum() * 0
        if self.training and self.config.sampled_softmax_size:
            candidates, targets = self._candidates(targets)
            weight, bias = self.lm_head.weight[candidates], self.lm_head.bias[candidates]
            logits = F.linear(predicted, weight, bias)  # (predictions, candidates)
        else:
            logits = self.lm_head(predicted)  # (predictions, vocab_size)
        return F.cross_entropy(logits.float(), targets, ignore_index=_IGNORED)

    def _candidates(self, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Draw the tokens that a sampled softmax runs over.

        Args:
            targets: Token ids, `(predictions,)`.

        Returns:
            Token ids, `(candidates,)`: a multiple of `sampled_softmax_size`, or as many as the vocabulary has; and
            the targets as indices among them, `(predictions,)`.
        """
        is_target = torch.zeros(self.config.vocab_size, dtype=torch.bool, device=targets.device)
        is_target[targets[targets != _IGNORED]] = True
        step = self.config.sampled_softmax_size
        size = min(-(-int(is_target.sum()) // step) * step, len(is_target))
        # Targets sort before all other tokens, which are in random order.
        keys = torch.rand(len(is_target), device=targets.device).masked_fill(is_target, -1)  # (vocab_size,)
        candidates = keys.topk(size, largest=False).indices  # (candidates,)
        index = torch.empty(len(is_target), dtype=torch.long, device=targets.device)
        index[candidates] = torch.arange(size, device=targets.device)
        return candidates, torch.where(targets == _IGNORED, _IGNORED, index[targets.clamp(min=0)])


class LSTMForPreTraining(RecurrentForPreTraining):
    """An `LSTMModel` that predicts tokens. See `RecurrentForPreTraining.forward`."""

    config_class = LSTMConfig
    model_class = LSTMModel


class GRUForPreTraining(RecurrentForPreTraining):
    """A `GRUModel` that predicts tokens. See `RecurrentForPreTraining.forward`."""

    config_class = GRUConfig
    model_class = GRUModel


class RNNForPreTraining(RecurrentForPreTraining):
    """An `RNNModel` that predicts tokens. See `RecurrentForPreTraining.forward`."""

    config_class = RNNConfig
    model_class = RNNModel
