# Copyright 2026 the okt-lstm developers. Licensed under the Apache License, Version 2.0.
"""LSTM, GRU and plain recurrent (RNN) text classifiers as `transformers` models.

Every layer runs torch's unpacked kernels, one direction at a time, on rows whose tokens were moved to the front. This
is exact, because whatever follows a row's last token cannot reach the states before it. On a CPU it trains twice as
fast as a `PackedSequence`. It also needs no lengths on the host, so a GPU never has to wait.
"""

from typing import Any, ClassVar, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.cache_utils import Cache
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import BaseModelOutputWithPooling, SequenceClassifierOutput
from transformers.utils.generic import can_return_tuple
from transformers.utils.output_capturing import capture_outputs

from .classification_loss import classification_loss
from .configuration_lstm import GRUConfig, LSTMConfig, RecurrentConfig, RNNConfig
from .ngrams import NUM_HASHES, KnownNgrams, sum_of_ngrams
from .pairs import compare_vectors, split_pairs
from .reading_order import ReadingOrder, zero_padding

RNNClass: TypeAlias = type[nn.LSTM] | type[nn.GRU] | type[nn.RNN]


class RecurrentLayer(GradientCheckpointingLayer):
    """One recurrent layer: a network that reads from left to right and, if bidirectional, one from right to left.

    Args:
        config: The model's configuration.
        index: The layer's number, from 0.
        rnn_class: `nn.LSTM`, `nn.GRU` or `nn.RNN`.
    """

    def __init__(self, config: RecurrentConfig, index: int, rnn_class: RNNClass) -> None:
        super().__init__()
        self.index = index
        input_size = config.hidden_size if config.separate_directions else config.output_size
        input_size = input_size if index else config.embedding_size
        cell: dict[str, Any] = {"nonlinearity": config.nonlinearity} if isinstance(config, RNNConfig) else {}
        self.forward_rnn = rnn_class(input_size, config.hidden_size, **cell)
        self.backward_rnn = rnn_class(input_size, config.hidden_size, **cell) if config.bidirectional else None
        self.input_size = input_size
        # Only ReLU states can overflow, and they can do so over padding, too.
        self.finite = cell.get("nonlinearity") != "relu"

    def forward(
        self,
        hidden_states: Tensor,
        is_token: Tensor,
        left_to_right: ReadingOrder,
        right_to_left: ReadingOrder,
        initial_state: Tensor | None = None,
        cache: Cache | None = None,
    ) -> Tensor:
        """Run the layer.

        Args:
            hidden_states: The states below, `(batch, time, input_size)`. If they are twice as wide, each direction
                reads its own half.
            is_token: Whether a position holds a token, bool, `(batch, time)`.
            left_to_right: The order of the forward network.
            right_to_left: The order of the backward network.
            initial_state: The state that the forward network starts from, `(batch, state_size)`. By default, zeros.
            cache: Where the forward network finds the state to go on from, if there is one, and leaves its last one.

        Returns:
            The states of this layer, `(batch, time, hidden * directions)`, zero at padding.
        """
        forward_states = hidden_states[..., : self.input_size]  # (batch, time, input_size)
        backward_states = hidden_states[..., -self.input_size :]  # (batch, time, input_size)
        outputs = []
        for rnn, order, states in (
            (self.forward_rnn, left_to_right, forward_states),
            (self.backward_rnn, right_to_left, backward_states),
        ):
            if rnn is None:
                continue
            states = order.gather(states)  # (time, batch, input_size)
            if cache is not None:
                states = self._run_from_cache(states, is_token.sum(1), initial_state, cache)  # (time, batch, hidden)
            else:
                start = None if rnn is not self.forward_rnn else self._for_torch(initial_state)
                states, _ = rnn(states, start)  # (time, batch, hidden)
            outputs.append(order.scatter(states))  # (batch, time, hidden)
        return zero_padding(torch.cat(outputs, dim=-1), is_token, self.finite)  # (batch, time, hidden * directions)

    def _run_from_cache(self, states: Tensor, lengths: Tensor, initial_state: Tensor | None, cache: Cache) -> Tensor:
        """Run the forward network from the state in the cache, and leave there the state after each row's last token.

        Args:
            states: What the steps read, `(time, batch, input_size)`.
            lengths: Number of tokens of each row, `(batch,)`. The steps after them are padding.
            initial_state: The state to start from if the cache has none, `(batch, state_size)`.
            cache: The cache.

        Returns:
            The states, `(time, batch, hidden)`.
        """
        layer: Any = cache.layers[self.index]
        # A copy, as the cache is updated in place. (batch, state_size)
        before = layer.recurrent_states[0].clone() if layer.has_previous_state[0] else initial_state
        if before is not None and before.shape[0] != states.shape[1]:
            raise ValueError(f"the cache is that of {before.shape[0]} texts, but there are {states.shape[1]} here")
        # Only a packed sequence gives an LSTM's cell state after a row's last token. Its rows can't be empty.
        packed = pack_padded_sequence(states, lengths.clamp(min=1).cpu(), enforce_sorted=False)
        packed, last = self.forward_rnn(packed, self._for_torch(before))
        after = torch.cat(last if isinstance(last, tuple) else (last,), dim=-1).squeeze(0)  # (batch, state_size)
        is_empty = lengths.unsqueeze(1) == 0  # (batch, 1)
        cache.update_recurrent_state(torch.where(is_empty, 0 if before is None else before, after), self.index)
        layer.has_previous_state[0] = True
        return pad_packed_sequence(packed, total_length=len(states))[0]

    def _for_torch(self, state: Tensor | None) -> Tensor | tuple[Tensor, ...] | None:
        """Return a state, `(batch, state_size)`, in the form of torch's recurrent networks."""
        if state is None or not isinstance(self.forward_rnn, nn.LSTM):
            return None if state is None else state.unsqueeze(0)  # (1, batch, hidden)
        hidden, cell = state.unsqueeze(0).chunk(2, dim=-1)  # (1, batch, hidden) each
        return hidden.contiguous(), cell.contiguous()


class RecurrentPreTrainedModel(PreTrainedModel):
    """What all recurrent models share: how they load, their initial weights, and the parts that tools look for."""

    config_class = RecurrentConfig
    config: RecurrentConfig
    base_model_prefix = "model"
    main_input_name = "input_ids"
    supports_gradient_checkpointing = True
    _no_split_modules = ["RecurrentLayer"]
    _can_record_outputs = {"hidden_states": RecurrentLayer}

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        """Draw the initial weights of a module.

        Input weights of recurrent layers are Xavier-uniform (Glorot and Bengio, 2010), recurrent weights orthogonal
        (Saxe et al., 2014), biases zero. The bias of the LSTM's forget gate is 1 (Jozefowicz et al., 2015), so that a
        new network remembers.
        """
        if isinstance(module, KnownNgrams):
            # n-grams that training never saw mean nothing
            init.zeros_(module.weight)
            return
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
        self.layers = nn.ModuleList(
            RecurrentLayer(config, index, self.rnn_class) for index in range(config.num_hidden_layers)
        )
        self.hidden_dropout = nn.Dropout(config.hidden_dropout)
        self.projection = (
            None if config.projection_size is None else nn.Linear(config.unprojected_size, config.projection_size)
        )
        self.post_init()

    @property
    def state_size(self) -> int:
        """Size of what a direction of a layer remembers: its hidden state and, in an LSTM, its cell state."""
        return self.config.hidden_size * (2 if self.rnn_class is nn.LSTM else 1)

    @capture_outputs
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        initial_state: Tensor | None = None,
        cache: Cache | None = None,
        **kwargs: Any,
    ) -> BaseModelOutputWithPooling:
        """Encode a batch of texts.

        Args:
            input_ids: Token ids, `(batch, time)`. Pass these or `inputs_embeds`, not both.
            attention_mask: 1 for a token and 0 for padding, which may stand anywhere, `(batch, time)`. By default, ids
                other than `pad_token_id` are tokens, and all of `inputs_embeds` are.
            inputs_embeds: Embeddings instead of ids, `(batch, time, embedding_size)`.
            initial_state: The state that each layer starts from, `(batch, num_hidden_layers, state_size)`. By default,
                zeros. A bidirectional model has no such state.
            cache: The states after the tokens that came before, from which the model goes on; it is updated. The
                `attention_mask` may then cover those tokens, too. A bidirectional model can't go on.
            **kwargs: `output_hidden_states` and `return_dict`, as in every `transformers` model.

        Returns:
            `last_hidden_state`, `(batch, time, hidden_size * directions)`, zero at padding; `pooler_output`,
            `(batch, pooled_size)`, the pooled states (zero for an empty text) or their projection; and, if asked for,
            `hidden_states`: the embeddings and the output of each layer.

        Raises:
            ValueError: If not exactly one of `input_ids` and `inputs_embeds` is given, or a shape is wrong.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("Pass exactly one of input_ids and inputs_embeds")
        if self.config.bidirectional and not (initial_state is None and cache is None):
            raise ValueError(
                "a bidirectional model reads whole texts: it can't start from a state; set bidirectional=False"
            )
        if cache is not None and attention_mask is not None:
            inputs = input_ids if inputs_embeds is None else inputs_embeds
            assert inputs is not None, "checked above"
            time = inputs.shape[1]
            attention_mask = attention_mask[:, attention_mask.shape[1] - time :]
        is_token = self.token_mask(input_ids, attention_mask, inputs_embeds)  # (batch, time)
        empty = is_token.shape[1] == 0
        if empty:  # torch's recurrent kernels refuse a length of 0: a batch of empty texts becomes one of padding
            is_token = F.pad(is_token, (0, 1))  # (batch, 1)
        if inputs_embeds is None:
            assert input_ids is not None
            inputs_embeds = self.embed_tokens(F.pad(input_ids.long(), (0, 1)) if empty else input_ids)
        elif empty:
            inputs_embeds = F.pad(inputs_embeds, (0, 0, 0, 1))
        left_to_right = ReadingOrder.from_mask(is_token)
        right_to_left = ReadingOrder.from_mask(is_token, reverse=True)

        # Whatever is under the mask never enters the network, be it another id or nan.
        hidden_states = self.embedding_dropout(inputs_embeds)  # (batch, time, embedding)
        hidden_states = zero_padding(hidden_states, is_token, finite=input_ids is not None)
        for index, layer in enumerate(self.layers):
            if index:
                hidden_states = self.hidden_dropout(hidden_states)
            # (batch, time, hidden * directions)
            hidden_states = layer(
                hidden_states,
                is_token,
                left_to_right,
                right_to_left,
                None if initial_state is None else initial_state[:, index],
                cache=cache,
            )
        return BaseModelOutputWithPooling(
            last_hidden_state=hidden_states[:, :0] if empty else hidden_states,
            pooler_output=self.pool(hidden_states, is_token.to(hidden_states.device)),  # (batch, pooled_size)
        )

    def token_mask(
        self, input_ids: Tensor | None, attention_mask: Tensor | None, inputs_embeds: Tensor | None
    ) -> Tensor:
        """Return whether each position holds a token, bool, `(batch, time)`. Arguments are those of `forward`."""
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

    def pool(self, hidden_states: Tensor, is_token: Tensor) -> Tensor:
        """Map the states of the last layer, which are zero at padding, to one vector a text.

        Args:
            hidden_states: The states, `(batch, time, hidden_size * directions)`.
            is_token: Whether a position holds a token, bool, `(batch, time)`.

        Returns:
            The pooled states or their projection, `(batch, pooled_size)`.
        """
        pooled = []
        if "max" in self.config.poolings:
            # Padding gets the lowest number by addition to its zeros: faster than masked_fill, as in zero_padding.
            lowest = (~is_token).to(hidden_states.dtype) * torch.finfo(hidden_states.dtype).min  # (batch, time)
            highest = (hidden_states + lowest.unsqueeze(-1)).amax(dim=1)  # (batch, width)
            pooled.append(highest.masked_fill(~is_token.any(dim=1, keepdim=True), 0))  # an empty text has no maximum
        if "mean" in self.config.poolings:
            pooled.append(hidden_states.sum(dim=1) / is_token.sum(dim=1, keepdim=True).clamp(min=1))  # (batch, width)
        if "last" in self.config.poolings:
            pooled.append(self._final_states(hidden_states, is_token))  # (batch, width)
        vectors = torch.cat(pooled, dim=-1)  # (batch, unprojected_size)
        return vectors if self.projection is None else self.projection(vectors)  # (batch, pooled_size)

    def _final_states(self, hidden_states: Tensor, is_token: Tensor) -> Tensor:
        """Return the state of each direction after its last token, `(batch, width)`. Those of an empty text are 0."""
        # argmax finds the first of equal values: the first token, and, in the flipped mask, the last one.
        first = is_token.int().argmax(dim=1)  # (batch,)
        last = is_token.shape[1] - 1 - is_token.flip(1).int().argmax(dim=1)  # (batch,)
        rows = torch.arange(is_token.shape[0], device=is_token.device)
        hidden_size = self.config.hidden_size
        final = [hidden_states[rows, last, :hidden_size]]  # (batch, hidden)
        if self.config.bidirectional:
            final.append(hidden_states[rows, first, hidden_size:])  # (batch, hidden)
        return torch.cat(final, dim=-1)  # (batch, hidden * directions)


class RecurrentForSequenceClassification(RecurrentPreTrainedModel):
    """A recurrent model with a linear classifier on its pooled output, for single-label, multi-label or regression.

    Use `LSTMForSequenceClassification`, `GRUForSequenceClassification` or `RNNForSequenceClassification`.
    """

    model_class: ClassVar[type[RecurrentModel]]

    def __init__(self, config: RecurrentConfig) -> None:
        super().__init__(config)
        assert config.num_labels is not None
        self.num_labels = config.num_labels
        self.model = self.model_class(config)
        self.dropout = nn.Dropout(config.classifier_dropout)
        self.classifier = nn.Linear(config.classifier_size, self.num_labels)
        self.ngrams = KnownNgrams(config.num_ngrams, self.num_labels) if config.num_ngrams else None
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        **kwargs: Any,
    ) -> SequenceClassifierOutput:
        """Classify a batch of texts, or of pairs of texts if `config.text_pair`.

        Args:
            input_ids: Token ids, `(batch, time)`. Pass these or `inputs_embeds`, not both.
            attention_mask: 1 for a token and 0 for padding, `(batch, time)`. See `LSTMModel`.
            inputs_embeds: Embeddings instead of ids, `(batch, time, embedding_size)`.
            labels: The labels to compute the loss with. For single-label classification, class ids, `(batch,)`, or
                soft labels (the probability of each class), `(batch, num_labels)`. For multi-label classification,
                zeros and ones, `(batch, num_labels)`. For regression, numbers, `(batch,)` or `(batch, num_labels)`.
                `config.problem_type` decides. If it is unset, it is inferred from the labels' type and set, as in every
                `transformers` classifier.
            token_type_ids: Of pairs, 0 for the first text and 1 for the second, `(batch, time)`.
            **kwargs: `num_items_in_batch`, which `Trainer` passes: the number of labels to average the loss over when
                gradients are accumulated; `output_hidden_states` and `return_dict`.

        Returns:
            `loss` if there are labels; `logits`, `(batch, num_labels)`; and `hidden_states` if asked for.

        Raises:
            ValueError: If the inputs or the labels have the wrong shape.
        """
        num_items_in_batch = kwargs.pop("num_items_in_batch", None)
        if self.config.text_pair:
            if input_ids is None:
                raise ValueError("a model of pairs needs input_ids")
            is_token = self.model.token_mask(input_ids, attention_mask, None)  # (batch, time)
            # From here on, twice as many texts.
            input_ids, attention_mask = split_pairs(input_ids, is_token, token_type_ids)  # (2 * batch, longest)
        outputs = self.model(
            input_ids, attention_mask=attention_mask, inputs_embeds=inputs_embeds, return_dict=True, **kwargs
        )
        vectors = outputs.pooler_output  # (batch, pooled_size)
        if self.config.text_pair:
            vectors = compare_vectors(vectors)  # (batch, 4 * pooled_size)
        logits = self.classifier(self.dropout(vectors))  # (batch, num_labels)
        if self.ngrams is not None:
            logits = logits + self._ngram_logits(input_ids, attention_mask)  # (batch, num_labels)
        loss = None
        if labels is not None:
            loss = classification_loss(logits, labels, self.config, num_items_in_batch)
        return SequenceClassifierOutput(loss=loss, logits=logits, hidden_states=outputs.hidden_states)

    def _ngram_logits(self, input_ids: Tensor | None, attention_mask: Tensor | None) -> Tensor:
        """Return the logits of the linear model over n-grams, `(batch, num_labels)`."""
        if input_ids is None:
            raise ValueError("a model with n-grams needs input_ids: embeddings don't say which tokens they are of")
        config = self.config
        is_token = self.model.token_mask(input_ids, attention_mask, None)  # (batch, time)
        assert self.ngrams is not None
        return sum_of_ngrams(
            input_ids, is_token, config.vocab_size, config.ngram_length, NUM_HASHES, self.ngrams, config.text_pair
        )


class LSTMModel(RecurrentModel):
    """Embeddings, stacked `nn.LSTM` layers and pooling. See `RecurrentModel.forward`."""

    config_class = LSTMConfig
    rnn_class = nn.LSTM


class LSTMForSequenceClassification(RecurrentForSequenceClassification):
    """An `LSTMModel` with a classifier. See `RecurrentForSequenceClassification.forward`."""

    config_class = LSTMConfig
    model_class = LSTMModel


class GRUModel(RecurrentModel):
    """Embeddings, stacked `nn.GRU` layers and pooling. See `RecurrentModel.forward`."""

    config_class = GRUConfig
    rnn_class = nn.GRU


class GRUForSequenceClassification(RecurrentForSequenceClassification):
    """A `GRUModel` with a classifier. See `RecurrentForSequenceClassification.forward`."""

    config_class = GRUConfig
    model_class = GRUModel


class RNNModel(RecurrentModel):
    """Embeddings, stacked `nn.RNN` layers and pooling. See `RecurrentModel.forward`."""

    config_class = RNNConfig
    rnn_class = nn.RNN


class RNNForSequenceClassification(RecurrentForSequenceClassification):
    """An `RNNModel` with a classifier. See `RecurrentForSequenceClassification.forward`."""

    config_class = RNNConfig
    model_class = RNNModel
