# Copyright 2026 the okt-lstm developers. Licensed under the Apache License, Version 2.0.
"""Language models that generate text: a recurrent network that reads from left to right and predicts the next token.

Everything that such a model knows of the text so far is its state, of the same size after ten tokens and after ten
thousand. `generate` carries it in the `cache` of transformers, as it does for other recurrent models (Mamba).
"""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from transformers import GenerationMixin
from transformers.cache_utils import Cache
from transformers.utils.generic import ModelOutput, can_return_tuple

# Of a local folder's code, older releases of transformers copy only what this file itself imports.
from .classification_loss import classification_loss  # noqa: F401
from .configuration_lstm import GRUConfig, LSTMConfig, RecurrentConfig, RNNConfig
from .generation import RecurrentGenerationMixin
from .modeling_lstm import GRUModel, LSTMModel, RNNModel
from .modeling_lstm_pretraining import RecurrentLanguageModel


@dataclass
class CausalLMOutput(ModelOutput):
    """The output of a causal language model.

    Attributes:
        loss: Mean cross-entropy of a prediction, in nats.
        logits: The scores of the next token, `(batch, time, vocab_size)`.
        cache: The states after the last token, to go on from.
        hidden_states: If asked for, the embeddings and the output of each layer, `(batch, time, width)`.
    """

    loss: Tensor | None = None
    logits: Tensor | None = None
    cache: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None


class RecurrentForCausalLM(RecurrentLanguageModel, RecurrentGenerationMixin):
    """A recurrent language model that generates text. Use `LSTMForCausalLM`, `GRUForCausalLM` or `RNNForCausalLM`.

    A pretrained language model of both directions can be loaded with `bidirectional=False`, which leaves its
    right-to-left half behind.
    """

    _is_stateful = True  # a state can't be taken back, which assisted decoding would need
    _keys_to_ignore_on_load_unexpected = [r"backward_rnn", r"projections\.1\."]

    def __init__(self, config: RecurrentConfig) -> None:
        if config.bidirectional:
            raise ValueError("a causal language model reads from left to right: it needs bidirectional=False")
        super().__init__(config)
        self.initial_states = None
        if config.initial_state_size is not None:
            size = config.num_hidden_layers * self.model.state_size
            self.initial_states = nn.Linear(config.initial_state_size, size)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        initial_state: Tensor | None = None,
        cache: Cache | None = None,
        use_cache: bool | None = None,
        labels: Tensor | None = None,
        logits_to_keep: int | Tensor = 0,
        **kwargs: Any,
    ) -> CausalLMOutput:
        """Predict, at each position, the token that comes next.

        Args:
            input_ids: Token ids, `(batch, time)`. Pass these or `inputs_embeds`, not both.
            attention_mask: 1 for a token and 0 for padding, which may stand anywhere, `(batch, time)`. With a `cache`,
                it may cover the tokens before, too.
            inputs_embeds: Embeddings instead of ids, `(batch, time, embedding_size)`.
            initial_state: A vector to start from, such as that of a picture or a label, `(batch, initial_state_size)`.
                The layers start from linear projections of it, and from zeros without it. A `cache` that holds states
                already goes first.
            cache: The states after the tokens that came before. It is updated.
            use_cache: Whether to return a cache. By default, what the configuration says, but not in training.
            labels: The tokens to predict, `(batch, time)`: the `input_ids` themselves, which are shifted here. -100
                for a token that doesn't count.
            logits_to_keep: Number of positions, counted from the end, to predict the next token at; or their indices.
                0 for all.
            **kwargs: `num_items_in_batch`, which `Trainer` passes: the number of labels to average the loss over when
                gradients are accumulated; `shift_labels`, labels that are shifted already; `output_hidden_states` and
                `return_dict`.

        Returns:
            `loss` if there are labels; `logits`, `(batch, time, vocab_size)`; `cache`; and `hidden_states` if asked
            for.

        Raises:
            ValueError: If an input has the wrong shape.
        """
        of_loss = {name: kwargs.pop(name) for name in ("num_items_in_batch", "shift_labels") if name in kwargs}
        if kwargs.pop("past_key_values", None) is not None:
            raise ValueError("the states are passed as `cache`, not as past_key_values")
        cache = self.carried_states(cache, use_cache)
        outputs = self.model(
            input_ids,
            attention_mask=attention_mask,
            inputs_embeds=inputs_embeds,
            initial_state=self._initial_states(initial_state),
            cache=cache,
            return_dict=True,
            **kwargs,
        )
        states = outputs.last_hidden_state  # (batch, time, hidden)
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        predicted = self.projections[0](self.output_dropout(states[:, kept]))  # (batch, kept, embedding)
        logits = self.lm_head(predicted)  # (batch, kept, vocab_size)
        loss = None
        if labels is not None:
            loss = self.loss_function(logits, labels, vocab_size=self.config.vocab_size, **of_loss)
        return CausalLMOutput(loss=loss, logits=logits, cache=cache, hidden_states=outputs.hidden_states)

    def _initial_states(self, vector: Tensor | None) -> Tensor | None:
        """Map a vector, `(batch, initial_state_size)`, to states, `(batch, num_hidden_layers, state_size)`."""
        if vector is None:
            return None
        size = self.config.initial_state_size
        if self.initial_states is None:
            raise ValueError("this model has no layer for an initial_state: set initial_state_size to its size")
        if vector.dim() != 2 or vector.shape[1] != size:
            raise ValueError(f"initial_state has the shape {tuple(vector.shape)}, not (batch, {size})")
        return self.initial_states(vector).unflatten(-1, (self.config.num_hidden_layers, -1))

    def prepare_inputs_for_generation(
        self,
        input_ids: Tensor,
        inputs_embeds: Tensor | None = None,
        is_first_iteration: bool | None = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Return the arguments of `forward` for the next step of `generate`."""
        inputs = super().prepare_inputs_for_generation(
            input_ids, inputs_embeds=inputs_embeds, is_first_iteration=is_first_iteration, **kwargs
        )
        if not is_first_iteration and kwargs.get("use_cache"):
            # The state has it.
            inputs.pop("initial_state", None)
        return inputs


# transformers looks for GenerationMixin among the bases of the class itself.
class LSTMForCausalLM(RecurrentForCausalLM, GenerationMixin):
    """An `LSTMModel` that generates text. See `RecurrentForCausalLM.forward`."""

    config_class = LSTMConfig
    model_class = LSTMModel


class GRUForCausalLM(RecurrentForCausalLM, GenerationMixin):
    """A `GRUModel` that generates text. See `RecurrentForCausalLM.forward`."""

    config_class = GRUConfig
    model_class = GRUModel


class RNNForCausalLM(RecurrentForCausalLM, GenerationMixin):
    """An `RNNModel` that generates text. See `RecurrentForCausalLM.forward`."""

    config_class = RNNConfig
    model_class = RNNModel
