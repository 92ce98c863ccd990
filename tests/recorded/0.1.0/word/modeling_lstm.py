# Copyright 2026 the okt-lstm developers. Licensed under the Apache License, Version 2.0.
"""LSTM, GRU and plain recurrent text classifiers as `transformers` models.

Every layer runs torch's unpacked kernels, one direction at a time, on rows whose real tokens were moved to the front.
That is exact, because what follows a row's last real token cannot reach the states before it, and on a CPU it trains
twice as fast as a `PackedSequence`. It also needs no length on the host, so a GPU is never waited for.
"""

from typing import Any, ClassVar, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import BaseModelOutputWithPooling, SequenceClassifierOutput
from transformers.utils.generic import can_return_tuple
from transformers.utils.output_capturing import capture_outputs

from .configuration_lstm import ClassifierConfig, GRUConfig, LSTMConfig, RecurrentConfig, RNNConfig

RNNClass: TypeAlias = type[nn.LSTM] | type[nn.GRU] | type[nn.RNN]


class ReadingOrder(NamedTuple):
    """In which order a direction reads the tokens of a batch: a row's real ones first, then its padding.

    So padding comes after everything that counts. The recurrent kernels want the steps of time as the first dimension;
    getting them there is part of the same copy.

    Attributes:
        take: `(time * batch,)`, the position, in a batch flattened to `(batch * time, ...)`, that each step reads.
        put: `(batch * time,)`, the step that reads each position; the inverse of `take`.
    """

    take: Tensor
    put: Tensor

    @classmethod
    def of(cls, real: Tensor, reverse: bool = False) -> "ReadingOrder":
        """The order for a mask of real tokens, `(batch, time)`, read from the left or, reversed, from the right."""
        batch, time = real.shape
        device = real.device
        # A token's step is the number of real tokens read before it; padding takes the steps that are left over.
        step_of_real = real.flip(1).cumsum(1).flip(1) - 1 if reverse else real.cumsum(1) - 1
        step_of_padding = real.sum(1, keepdim=True) + (~real).cumsum(1) - 1
        step = torch.where(real, step_of_real, step_of_padding)  # (batch, time)
        put = (step * batch + torch.arange(batch, device=device).unsqueeze(1)).flatten()
        take = torch.empty_like(put).scatter_(0, put, torch.arange(batch * time, device=device))
        return cls(take, put)

    def read(self, states: Tensor) -> Tensor:
        """Maps positions, `(batch, time, width)`, to the steps that read them, `(time, batch, width)`."""
        batch, time, width = states.shape
        return states.flatten(0, 1).index_select(0, self.take).view(time, batch, width)

    def restore(self, states: Tensor) -> Tensor:
        """Maps steps, `(time, batch, width)`, back to the positions that they read, `(batch, time, width)`."""
        time, batch, width = states.shape
        return states.flatten(0, 1).index_select(0, self.put).view(batch, time, width)


def clear_padding(states: Tensor, real: Tensor, finite: bool) -> Tensor:
    """Zeroes `states`, `(batch, time, width)`, where `real`, `(batch, time)`, is false.

    On a CPU a product takes a tenth of the time that masked_fill does, but it serves finite states only.
    """
    real = real.unsqueeze(-1)
    return states * real if finite else states.masked_fill(~real, 0)


class RecurrentLayer(GradientCheckpointingLayer):
    """One recurrent layer: a network that reads from the left and, if bidirectional, one that reads from the right.

    Args:
        config: The model's configuration.
        input_size: Width of what the layer reads.
        rnn_class: `nn.LSTM`, `nn.GRU` or `nn.RNN`.
    """

    def __init__(self, config: RecurrentConfig, input_size: int, rnn_class: RNNClass) -> None:
        super().__init__()
        cell: dict[str, Any] = {"nonlinearity": config.nonlinearity} if isinstance(config, RNNConfig) else {}
        self.forward_rnn = rnn_class(input_size, config.hidden_size, **cell)
        self.backward_rnn = rnn_class(input_size, config.hidden_size, **cell) if config.bidirectional else None
        self.input_size = input_size
        self.bounded = cell.get("nonlinearity") != "relu"  # rectified states may overflow, over padding too

    def forward(
        self, hidden_states: Tensor, real: Tensor, left_to_right: ReadingOrder, right_to_left: ReadingOrder
    ) -> Tensor:
        """Maps `(batch, time, input_size)` to `(batch, time, hidden_size * directions)`, zero at padding.

        If the states are twice as wide as `input_size`, each direction reads its own half of them.
        """
        forward_states = hidden_states[..., : self.input_size]  # (batch, time, input_size)
        backward_states = hidden_states[..., -self.input_size :]
        outputs = []
        for rnn, order, states in (
            (self.forward_rnn, left_to_right, forward_states),
            (self.backward_rnn, right_to_left, backward_states),
        ):
            if rnn is not None:
                states, _ = rnn(order.read(states))  # (time, batch, hidden)
                outputs.append(order.restore(states))
        return clear_padding(torch.cat(outputs, dim=-1), real, finite=self.bounded)


class RecurrentPreTrainedModel(PreTrainedModel):
    """What all models here share: their loading, their initial weights and the parts that tools may look for."""

    config_class = RecurrentConfig
    config: RecurrentConfig
    base_model_prefix = "model"
    main_input_name = "input_ids"
    supports_gradient_checkpointing = True
    _no_split_modules = ["RecurrentLayer"]
    _can_record_outputs = {"hidden_states": RecurrentLayer}

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        """Draws a module's initial weights.

        Recurrent input weights are Xavier-uniform (Glorot and Bengio, 2010), recurrent weights orthogonal (Saxe et
        al., 2014), biases zero, but one for the LSTM's forget gate (Jozefowicz et al., 2015): a new network remembers.
        """
        if not isinstance(module, nn.RNNBase):
            super()._init_weights(module)
            return
        for name, parameter in module.named_parameters():
            if name.startswith("weight_ih"):
                init.xavier_uniform_(parameter)
            elif name.startswith("weight_hh"):
                init.orthogonal_(parameter)
            elif name.startswith("bias_ih") and isinstance(module, nn.LSTM):
                forget_gate = torch.zeros_like(parameter)
                forget_gate[module.hidden_size : 2 * module.hidden_size] = 1  # the second of torch's four gates
                init.copy_(parameter, forget_gate)
            else:
                init.zeros_(parameter)


class RecurrentModel(RecurrentPreTrainedModel):
    """Embeddings, recurrent layers and pooling. Use `LSTMModel`, `GRUModel` or `RNNModel`."""

    rnn_class: ClassVar[RNNClass]

    def __init__(self, config: RecurrentConfig) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.embedding_size, padding_idx=config.pad_token_id)
        self.embedding_dropout = nn.Dropout(config.embedding_dropout)
        hidden_size = config.hidden_size if config.separate_directions else config.output_size
        self.layers = nn.ModuleList(
            RecurrentLayer(config, hidden_size if index else config.embedding_size, self.rnn_class)
            for index in range(config.num_hidden_layers)
        )
        self.hidden_dropout = nn.Dropout(config.hidden_dropout)
        self.post_init()

    @capture_outputs
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        **kwargs: Any,
    ) -> BaseModelOutputWithPooling:
        """Encodes a batch of texts.

        Args:
            input_ids: Token ids, `(batch, time)`. Give these or `inputs_embeds`, not both.
            attention_mask: `(batch, time)`, 1 for a real token and 0 for padding, which may stand anywhere. Without
                it, ids other than `pad_token_id` are real, and so is all of `inputs_embeds`.
            inputs_embeds: Embeddings in place of ids, `(batch, time, embedding_size)`.
            **kwargs: `output_hidden_states` and `return_dict`, as in every `transformers` model.

        Returns:
            `last_hidden_state`, `(batch, time, hidden_size * directions)`, zero where the input is padding;
            `pooler_output`, `(batch, pooled_size)`, zero for an empty text; and, if asked for, `hidden_states`: the
            embeddings and each layer's output.

        Raises:
            ValueError: If not exactly one of `input_ids` and `inputs_embeds` is given, or a shape is wrong.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("Give exactly one of input_ids and inputs_embeds")
        real = self._real_tokens(input_ids, attention_mask, inputs_embeds)  # (batch, time)
        empty = real.shape[1] == 0
        if empty:  # torch's recurrent kernels refuse a length of 0, so a batch of empty texts becomes one of padding
            real = F.pad(real, (0, 1))
        if inputs_embeds is None:
            assert input_ids is not None
            inputs_embeds = self.embed_tokens(F.pad(input_ids.long(), (0, 1)) if empty else input_ids)
        elif empty:
            inputs_embeds = F.pad(inputs_embeds, (0, 0, 0, 1))
        left_to_right = ReadingOrder.of(real)
        right_to_left = ReadingOrder.of(real, reverse=True)

        # What stands under the mask never enters the network, be it another id or not a number.
        hidden_states = clear_padding(self.embedding_dropout(inputs_embeds), real, finite=input_ids is not None)
        for index, layer in enumerate(self.layers):
            if index:
                hidden_states = self.hidden_dropout(hidden_states)
            # (batch, time, hidden * directions)
            hidden_states = layer(hidden_states, real, left_to_right, right_to_left)
        return BaseModelOutputWithPooling(
            last_hidden_state=hidden_states[:, :0] if empty else hidden_states,
            pooler_output=self._pool(hidden_states, real.to(hidden_states.device)),
        )

    def _real_tokens(
        self, input_ids: Tensor | None, attention_mask: Tensor | None, inputs_embeds: Tensor | None
    ) -> Tensor:
        """Which positions hold a token of the text: a boolean mask, `(batch, time)`."""
        inputs = input_ids if input_ids is not None else inputs_embeds
        assert inputs is not None
        dimensions = 2 if input_ids is not None else 3
        if inputs.dim() != dimensions:
            name = "input_ids" if input_ids is not None else "inputs_embeds"
            raise ValueError(f"{name} must have {dimensions} dimensions, got the shape {tuple(inputs.shape)}")
        if attention_mask is not None:
            if attention_mask.shape != inputs.shape[:2]:
                raise ValueError(
                    f"attention_mask has the shape {tuple(attention_mask.shape)}, "
                    f"but the inputs are (batch, time) = {tuple(inputs.shape[:2])}"
                )
            return attention_mask.bool()
        if input_ids is not None and self.config.pad_token_id is not None:
            return input_ids != self.config.pad_token_id
        return torch.ones(inputs.shape[:2], dtype=torch.bool, device=inputs.device)

    def _pool(self, hidden_states: Tensor, real: Tensor) -> Tensor:
        """Maps states that are zero at padding, `(batch, time, width)`, to `(batch, pooled_size)`."""
        parts = self.config.pooling.split("_")
        pooled = []
        if "max" in parts:
            # Added to the zeros at padding, as that is faster than masked_fill, too.
            lowest = (~real).to(hidden_states.dtype) * torch.finfo(hidden_states.dtype).min
            highest = (hidden_states + lowest.unsqueeze(-1)).amax(dim=1)
            pooled.append(highest.masked_fill(~real.any(dim=1, keepdim=True), 0))  # an empty text has no maximum
        if "mean" in parts:
            pooled.append(hidden_states.sum(dim=1) / real.sum(dim=1, keepdim=True).clamp(min=1))
        if "last" in parts:
            pooled.append(self._final_states(hidden_states, real))
        return torch.cat(pooled, dim=-1)

    def _final_states(self, hidden_states: Tensor, real: Tensor) -> Tensor:
        """Each direction's state after its last real token; zero for an empty text, whose states all are."""
        # argmax finds the first of equal values: the first real token, and, flipped, the last one.
        first = real.int().argmax(dim=1)
        last = real.shape[1] - 1 - real.flip(1).int().argmax(dim=1)
        rows = torch.arange(real.shape[0], device=real.device)
        hidden_size = self.config.hidden_size
        final = [hidden_states[rows, last, :hidden_size]]
        if self.config.bidirectional:
            final.append(hidden_states[rows, first, hidden_size:])
        return torch.cat(final, dim=-1)


class RecurrentForSequenceClassification(RecurrentPreTrainedModel):
    """A recurrent model with a linear classifier over its pooled output, for one label, several, or numbers.

    Use `LSTMForSequenceClassification`, `GRUForSequenceClassification` or `RNNForSequenceClassification`.
    """

    model_class: ClassVar[type[RecurrentModel]]

    def __init__(self, config: RecurrentConfig) -> None:
        super().__init__(config)
        assert config.num_labels is not None
        self.num_labels = config.num_labels
        self.model = self.model_class(config)
        self.dropout = nn.Dropout(config.classifier_dropout)
        self.classifier = nn.Linear(config.pooled_size, self.num_labels)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        **kwargs: Any,
    ) -> SequenceClassifierOutput:
        """Classifies a batch of texts.

        Args:
            input_ids: Token ids, `(batch, time)`. Give these or `inputs_embeds`, not both.
            attention_mask: `(batch, time)`, 1 for a real token and 0 for padding; see `LSTMModel`.
            inputs_embeds: Embeddings in place of ids, `(batch, time, embedding_size)`.
            labels: What the loss compares with: class ids `(batch,)`, or a teacher's probabilities of the classes
                `(batch, num_labels)`; zeros and ones `(batch, num_labels)` where
                several labels may hold; or numbers, `(batch,)` or `(batch, num_labels)`. `config.problem_type` decides,
                and if it is unset the labels' type does, as in every `transformers` classifier.
            **kwargs: `num_items_in_batch`, which `Trainer` passes: the number of labels over which the loss is
                averaged across accumulated batches; `output_hidden_states` and `return_dict`.

        Returns:
            `loss` if there are labels; `logits`, `(batch, num_labels)`; and `hidden_states` if asked for.

        Raises:
            ValueError: If the inputs or the labels have the wrong shape or type.
        """
        num_items_in_batch = kwargs.pop("num_items_in_batch", None)
        outputs = self.model(
            input_ids, attention_mask=attention_mask, inputs_embeds=inputs_embeds, return_dict=True, **kwargs
        )
        logits = self.classifier(self.dropout(outputs.pooler_output))  # (batch, labels)
        loss = None
        if labels is not None:
            loss = classification_loss(logits, labels, self.config, num_items_in_batch)
        return SequenceClassifierOutput(loss=loss, logits=logits, hidden_states=outputs.hidden_states)


def classification_loss(
    logits: Tensor, labels: Tensor, config: ClassifierConfig, num_items_in_batch: Tensor | int | None = None
) -> Tensor:
    """The loss of `config.problem_type`, which is set from the labels' type and number where it is unset.

    Cross-entropy for one label, binary cross-entropy for several, squared error for numbers. Unlike the library's own
    loss it honours `num_items_in_batch` for all three, so that accumulated gradients equal those of one large batch.

    Args:
        logits: `(batch, num_labels)`.
        labels: See `RecurrentForSequenceClassification.forward`; class ids of -100 are left out.
        config: The model's configuration.
        num_items_in_batch: Number of labels to average over; by default this batch's.

    Returns:
        A scalar.

    Raises:
        ValueError: If the labels' shape does not fit the logits'.
    """
    if config.problem_type is None:
        if config.num_labels == 1:
            config.problem_type = "regression"
        elif labels.is_floating_point():
            config.problem_type = "multi_label_classification"
        else:
            config.problem_type = "single_label_classification"
    labels = labels.to(logits.device)
    logits = logits.float()  # half precision is too coarse for a logarithm
    one_label = config.problem_type == "single_label_classification" and not labels.is_floating_point()
    expected = logits.shape[0] if one_label else logits.numel()
    if labels.numel() != expected:
        raise ValueError(
            f"{config.problem_type} with {config.num_labels} labels needs {expected} labels for a batch of "
            f"{logits.shape[0]}, got the shape {tuple(labels.shape)}"
        )
    reduction = "mean" if num_items_in_batch is None else "sum"
    if one_label:
        loss = F.cross_entropy(logits, labels.view(-1).long(), reduction=reduction)
    elif config.problem_type == "single_label_classification":
        loss = F.cross_entropy(logits, labels.view_as(logits).float(), reduction=reduction)
        if num_items_in_batch is not None:
            loss = loss * logits.shape[1]  # Trainer counts each probability as an item
    elif config.problem_type == "multi_label_classification":
        loss = F.binary_cross_entropy_with_logits(logits, labels.view_as(logits).float(), reduction=reduction)
    else:
        loss = F.mse_loss(logits, labels.view_as(logits).float(), reduction=reduction)
    if isinstance(num_items_in_batch, Tensor):
        num_items_in_batch = num_items_in_batch.to(loss.device)
    return loss if num_items_in_batch is None else loss / num_items_in_batch


class LSTMModel(RecurrentModel):
    """Embeddings, stacked `nn.LSTM` layers and pooling; see `RecurrentModel.forward`."""

    config_class = LSTMConfig
    rnn_class = nn.LSTM


class LSTMForSequenceClassification(RecurrentForSequenceClassification):
    """An `LSTMModel` with a classifier; see `RecurrentForSequenceClassification.forward`."""

    config_class = LSTMConfig
    model_class = LSTMModel


class GRUModel(RecurrentModel):
    """Embeddings, stacked `nn.GRU` layers and pooling; see `RecurrentModel.forward`."""

    config_class = GRUConfig
    rnn_class = nn.GRU


class GRUForSequenceClassification(RecurrentForSequenceClassification):
    """A `GRUModel` with a classifier; see `RecurrentForSequenceClassification.forward`."""

    config_class = GRUConfig
    model_class = GRUModel


class RNNModel(RecurrentModel):
    """Embeddings, stacked `nn.RNN` layers and pooling; see `RecurrentModel.forward`."""

    config_class = RNNConfig
    rnn_class = nn.RNN


class RNNForSequenceClassification(RecurrentForSequenceClassification):
    """An `RNNModel` with a classifier; see `RecurrentForSequenceClassification.forward`."""

    config_class = RNNConfig
    model_class = RNNModel
