# Copyright 2026 the okt-lstm developers. Licensed under the Apache License, Version 2.0.
"""Sequence to sequence: an encoder reads a text, and a decoder writes another one, token by token.

The decoder starts from the encoder's final states (Sutskever et al., 2014). With attention it also looks back at all of
the encoder's states at each step, so that a long source need not fit into those (Bahdanau et al., 2015).
"""

import copy
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from transformers import GenerationMixin
from transformers.cache_utils import Cache, EncoderDecoderCache
from transformers.modeling_outputs import BaseModelOutput
from transformers.utils.generic import ModelOutput, can_return_tuple

# Of a local folder's code, older releases of transformers copy only what this file itself imports.
from .classification_loss import classification_loss  # noqa: F401
from .configuration_lstm import GRUConfig, LSTMConfig, RecurrentConfig, RNNConfig
from .generation import RecurrentGenerationMixin
from .modeling_lstm import GRUModel, LSTMModel, RecurrentModel, RecurrentPreTrainedModel, RNNModel

_IGNORED = -100  # cross_entropy's own mark of positions without a target


@dataclass
class Seq2SeqOutput(ModelOutput):
    """The output of a sequence-to-sequence model.

    Attributes:
        loss: Mean cross-entropy of a token of the target, in nats.
        logits: The scores of the target's tokens, `(batch, target, vocab_size)`.
        cache: The decoder's states after its last token, to go on from.
        decoder_hidden_states: If asked for, the embeddings and the output of each layer, `(batch, target, width)`.
        cross_attentions: If asked for, one tensor: how much each step of the decoder looks at each token of the source,
            `(batch, 1, target, source)`. Each row sums to 1.
        encoder_last_hidden_state: The states of the encoder's last layer, `(batch, source, width)`.
        encoder_hidden_states: If asked for, the embeddings and the output of each layer, `(batch, source, width)`.
    """

    loss: Tensor | None = None
    logits: Tensor | None = None
    cache: Cache | None = None
    decoder_hidden_states: tuple[Tensor, ...] | None = None
    cross_attentions: tuple[Tensor, ...] | None = None
    encoder_last_hidden_state: Tensor | None = None
    encoder_hidden_states: tuple[Tensor, ...] | None = None


class Attention(nn.Module):
    """A weighted mean of the encoder's states for each state of the decoder.

    Args:
        width: Size of a state, of the encoder's as of the decoder's.
        is_additive: Score a pair of states as Bahdanau et al. (2015) do, else by its dot product.
    """

    def __init__(self, width: int, is_additive: bool) -> None:
        super().__init__()
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width) if is_additive else None
        self.score = nn.Linear(width, 1, bias=False) if is_additive else None

    def forward(self, states: Tensor, source: Tensor, is_source: Tensor) -> tuple[Tensor, Tensor]:
        """Look at the source.

        Args:
            states: The decoder's states, `(batch, target, width)`.
            source: The encoder's states, zero at padding, `(batch, source, width)`.
            is_source: Whether a position of the source holds a token, bool, `(batch, source)`.

        Returns:
            The means, `(batch, target, width)`, zero for an empty source; and the weights, `(batch, target, source)`.
        """
        queries = self.query(states)  # (batch, target, width)
        if self.key is None or self.score is None:
            scores = queries @ source.transpose(1, 2)  # (batch, target, source)
        else:
            pairs = queries.unsqueeze(2) + self.key(source).unsqueeze(1)  # (batch, target, source, width)
            scores = self.score(torch.tanh(pairs)).squeeze(-1)  # (batch, target, source)
        lowest = torch.finfo(scores.dtype).min
        weights = scores.masked_fill(~is_source.unsqueeze(1), lowest).softmax(dim=-1)  # (batch, target, source)
        return weights @ source, weights


class RecurrentForSeq2SeqLM(RecurrentPreTrainedModel, RecurrentGenerationMixin):
    """An encoder, a decoder and attention. Use `LSTMForSeq2SeqLM`, `GRUForSeq2SeqLM` or `RNNForSeq2SeqLM`.

    Source and target share one vocabulary, and the encoder, the decoder and the output layer one embedding table (Press
    and Wolf, 2017). The decoder has as many layers as the encoder. Each is as wide as both directions of the encoder
    together, so that their states can be compared.
    """

    model_class: ClassVar[type[RecurrentModel]]
    base_model_prefix = "encoder"
    _is_stateful = True  # a state can't be taken back, which assisted decoding would need
    _tied_weights_keys = {
        "decoder.embed_tokens.weight": "encoder.embed_tokens.weight",
        "lm_head.weight": "encoder.embed_tokens.weight",
    }

    def __init__(self, config: RecurrentConfig) -> None:
        config.is_encoder_decoder = config.tie_word_embeddings = True  # as transformers knows it
        super().__init__(config)
        width = config.output_size
        self.encoder = self.model_class(config)
        self.decoder = self.model_class(_decoder_config(config))
        self.bridge = nn.Linear(config.pooled_size, config.num_hidden_layers * self.decoder.state_size)
        self.attention = None if config.attention == "none" else Attention(width, config.attention == "additive")
        self.output_dropout = nn.Dropout(config.hidden_dropout)
        self.output = nn.Linear(width if self.attention is None else 2 * width, config.embedding_size)
        self.lm_head = nn.Linear(config.embedding_size, config.vocab_size)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Return the embedding table."""
        return self.encoder.embed_tokens

    def set_input_embeddings(self, value: nn.Embedding) -> None:  # type: ignore[override]
        """Replace the embedding table."""
        self.encoder.embed_tokens = self.decoder.embed_tokens = value

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        encoder_outputs: BaseModelOutput | tuple[Tensor, ...] | None = None,
        cache: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        **kwargs: Any,
    ) -> Seq2SeqOutput:
        """Predict each token of the target from the source and from the tokens of the target before it.

        Args:
            input_ids: The source's token ids, `(batch, source)`. Pass these, `inputs_embeds` or `encoder_outputs`.
            attention_mask: 1 for a token of the source and 0 for padding, `(batch, source)`. See `LSTMModel`.
            decoder_input_ids: What the decoder reads, `(batch, target)`: `decoder_start_token_id` and the target
                without its last token. By default, made of the labels (teacher forcing).
            decoder_attention_mask: 1 for a token of those and 0 for padding, `(batch, target)`. By default, all are
                tokens.
            encoder_outputs: What the encoder returned for the source.
            cache: The decoder's states after the tokens that came before. It is updated.
            inputs_embeds: Embeddings of the source instead of ids, `(batch, source, embedding_size)`.
            decoder_inputs_embeds: Embeddings instead of `decoder_input_ids`, `(batch, target, embedding_size)`.
            labels: The target, `(batch, target)`; -100 for a token that doesn't count.
            use_cache: Whether to return a cache. By default, what the configuration says, but not in training.
            output_attentions: Whether to return what the decoder looks at.
            **kwargs: `num_items_in_batch`, which `Trainer` passes: the number of labels to average the loss over when
                gradients are accumulated; `output_hidden_states` and `return_dict`.

        Returns:
            See `Seq2SeqOutput`.

        Raises:
            ValueError: If there is neither a target nor something that the decoder reads, or an input has the wrong
                shape.
        """
        num_items_in_batch = kwargs.pop("num_items_in_batch", None)
        if kwargs.pop("past_key_values", None) is not None:
            raise ValueError("the states are passed as `cache`, not as past_key_values")
        if decoder_input_ids is None and decoder_inputs_embeds is None:
            if labels is None:
                raise ValueError("pass labels, or what the decoder reads: decoder_input_ids or decoder_inputs_embeds")
            decoder_input_ids = self.prepare_decoder_input_ids_from_labels(labels)
        cache = self.carried_states(cache, use_cache)
        if encoder_outputs is None:
            encoder_outputs = self.encoder(
                input_ids, attention_mask=attention_mask, inputs_embeds=inputs_embeds, return_dict=True, **kwargs
            )
            is_source = self.encoder.token_mask(input_ids, attention_mask, inputs_embeds)  # (batch, source)
        elif attention_mask is not None:
            is_source = attention_mask.bool()
        else:
            is_source = torch.ones(encoder_outputs[0].shape[:2], dtype=torch.bool, device=encoder_outputs[0].device)
        source = encoder_outputs[0]  # (batch, source, width)

        outputs = self.decoder(
            decoder_input_ids,
            attention_mask=self._decoder_mask(decoder_input_ids, decoder_attention_mask, decoder_inputs_embeds),
            inputs_embeds=decoder_inputs_embeds,
            initial_state=self._initial_states(encoder_outputs, is_source),
            cache=cache.self_attention_cache if isinstance(cache, EncoderDecoderCache) else cache,
            return_dict=True,
            **kwargs,
        )
        states = self.output_dropout(outputs.last_hidden_state)  # (batch, target, width)
        weights = None
        if self.attention is not None:
            context, weights = self.attention(states, source, is_source.to(source.device))
            states = torch.cat([context, states], dim=-1)  # (batch, target, 2 * width)
        predicted = torch.tanh(self.output(states))  # (batch, target, embedding)
        logits = self.lm_head(self.output_dropout(predicted))  # (batch, target, vocab_size)
        loss = None
        if labels is not None:
            reduction = "mean" if num_items_in_batch is None else "sum"
            loss = F.cross_entropy(
                logits.flatten(0, 1).float(), labels.flatten(), ignore_index=_IGNORED, reduction=reduction
            )
            loss = loss if num_items_in_batch is None else loss / num_items_in_batch
        return Seq2SeqOutput(
            loss=loss,
            logits=logits,
            cache=cache,
            decoder_hidden_states=outputs.hidden_states,
            cross_attentions=(weights.unsqueeze(1),) if output_attentions and weights is not None else None,
            encoder_last_hidden_state=source,
            encoder_hidden_states=encoder_outputs.get("hidden_states") if hasattr(encoder_outputs, "get") else None,
        )

    def _decoder_mask(self, input_ids: Tensor | None, mask: Tensor | None, embeddings: Tensor | None) -> Tensor:
        """Return the decoder's mask, `(batch, target)`. Arguments are those of `forward`."""
        if mask is not None:
            return mask
        # The padding token, too: it may be what the decoder starts from, and what follows a target doesn't matter.
        inputs = input_ids if embeddings is None else embeddings
        assert inputs is not None, "one of the two is given"
        return torch.ones(inputs.shape[:2], dtype=torch.long, device=inputs.device)

    def _initial_states(self, encoder_outputs: Any, is_source: Tensor) -> Tensor:
        """Return the states that the decoder starts from, `(batch, num_hidden_layers, state_size)`."""
        pooled = getattr(encoder_outputs, "pooler_output", None)  # (batch, pooled_size)
        if pooled is None:
            pooled = self.encoder.pool(encoder_outputs[0], is_source)
        return torch.tanh(self.bridge(pooled)).unflatten(-1, (self.config.num_hidden_layers, -1))

    def prepare_decoder_input_ids_from_labels(self, labels: Tensor) -> Tensor:
        """Return what the decoder reads to predict the labels: the start token and all labels but the last.

        Args:
            labels: The target, `(batch, target)`; -100 for a token that doesn't count.

        Raises:
            ValueError: If the configuration names no token to start from.
        """
        start = self.config.decoder_start_token_id
        if start is None:
            start = self.config.bos_token_id
        if start is None or self.config.pad_token_id is None:
            raise ValueError("the decoder needs pad_token_id and decoder_start_token_id (or bos_token_id) to be set")
        shifted = labels.roll(1, dims=1).masked_fill(labels.roll(1, dims=1) == _IGNORED, self.config.pad_token_id)
        shifted[:, :1] = start
        return shifted


def _decoder_config(config: RecurrentConfig) -> RecurrentConfig:
    """Return the decoder's configuration: one direction, as wide as the encoder's output."""
    decoder = copy.deepcopy(config)
    decoder.hidden_size = config.output_size
    decoder.bidirectional = decoder.separate_directions = False
    decoder.pooling, decoder.projection_size = "last", None
    return decoder


# transformers looks for GenerationMixin among the bases of the class itself.
class LSTMForSeq2SeqLM(RecurrentForSeq2SeqLM, GenerationMixin):
    """An `LSTMModel` that reads and one that writes. See `RecurrentForSeq2SeqLM.forward`."""

    config_class = LSTMConfig
    model_class = LSTMModel


class GRUForSeq2SeqLM(RecurrentForSeq2SeqLM, GenerationMixin):
    """A `GRUModel` that reads and one that writes. See `RecurrentForSeq2SeqLM.forward`."""

    config_class = GRUConfig
    model_class = GRUModel


class RNNForSeq2SeqLM(RecurrentForSeq2SeqLM, GenerationMixin):
    """An `RNNModel` that reads and one that writes. See `RecurrentForSeq2SeqLM.forward`."""

    config_class = RNNConfig
    model_class = RNNModel
