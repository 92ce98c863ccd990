# Copyright 2026 the okt-lstm developers. Licensed under the Apache License, Version 2.0.
"""Configurations of the LSTM, GRU and RNN models, and of the linear model over n-grams."""

import os
from typing import Any, ClassVar, Literal

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig

# The names of okt_lstm.data.problem_type once more: this file travels without that package.
PROBLEM_TYPES = ("single_label_classification", "multi_label_classification", "regression")

_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@strict
class ClassifierConfig(PreTrainedConfig):
    """The fields that all models share, and their labels. Use one of the subclasses.

    Args:
        vocab_size: Number of tokens in the vocabulary.
        pad_token_id: Id of the padding token; `None` for no padding.
        abstain_below: The least probability of a label in single-label classification, from which `okt_lstm.load` and
            oktane predict it. They predict "unsure" for other texts. `None`: every text gets a label.
        thresholds: The least probability from which each label holds in multi-label classification, by label id.
            `okt_lstm.load` and oktane use them. `None`: 0.5 for all.
        stride: Number of tokens that windows have in common, in which `okt_lstm.load` and oktane read texts that are
            longer than the tokenizer's `model_max_length`. They average the windows' logits. `None`: such texts are
            cut.
        text_pair: Whether a classifier compares two texts. It tells them apart by their `token_type_ids`.
        **kwargs: Fields of every `PreTrainedConfig`, such as `num_labels`, `id2label` and `problem_type`.

    Raises:
        StrictDataclassError: If a field has the wrong type, is out of range, or contradicts another one.
        ValueError: If `num_labels`, `id2label` and `label2id` contradict each other.
    """

    vocab_size: int = 20000
    pad_token_id: int | None = 0
    abstain_below: float | int | None = None
    thresholds: list[float] | None = None
    stride: int | None = None
    text_pair: bool = False
    tie_word_embeddings: bool = False

    def __post_init__(self, **kwargs: Any) -> None:
        """Check the arguments against each other. Once they are merged, a contradiction no longer shows."""
        num_labels, label2id = kwargs.get("num_labels"), self.label2id
        if num_labels is not None and (not isinstance(num_labels, int) or num_labels < 1):
            raise ValueError(f"num_labels must be a whole number and at least 1, got {num_labels!r}")
        if self.id2label is None and label2id is not None:
            self.id2label = {int(index): label for label, index in label2id.items()}
        if self.id2label is not None:
            if num_labels is not None and len(self.id2label) != num_labels:
                raise ValueError(f"num_labels is {num_labels}, but there are names for {len(self.id2label)}; give one")
            # transformers accepts ids that are strings.
            if label2id is not None and {(str(index), label) for label, index in label2id.items()} != {
                (str(index), label) for index, label in self.id2label.items()
            }:
                raise ValueError(f"label2id {label2id} is not the inverse of id2label {self.id2label}")
        super().__post_init__(**kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute. Setting `id2label` also sets `label2id`, its inverse."""
        super().__setattr__(name, value)
        if name == "id2label" and value is not None:
            if not isinstance(value, dict):
                raise ValueError(f"id2label must be a dictionary from id to name, got {value!r}")
            self.label2id = {label: int(index) for index, label in value.items()}

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Make a configuration from a dictionary. A `num_labels` in the keyword arguments replaces the saved labels."""
        num_labels = kwargs.get("num_labels")
        if num_labels is not None and num_labels != len(config_dict.get("id2label") or ()):
            of_labels = ("id2label", "label2id", "thresholds")
            config_dict = {key: value for key, value in config_dict.items() if key not in of_labels}
        return super().from_dict(config_dict, **kwargs)

    def validate_padding(self) -> None:
        """Check that the padding id is in the vocabulary. Part of the strict validation."""
        if self.pad_token_id is not None and not 0 <= self.pad_token_id < self.vocab_size:
            raise ValueError(
                f"pad_token_id is {self.pad_token_id}, outside the vocabulary of {self.vocab_size} ids; "
                "use None for no padding"
            )

    def validate_abstention(self) -> None:
        """Check that least probabilities are some. Part of the strict validation."""
        if self.abstain_below is not None and not 0 <= self.abstain_below <= 1:
            raise ValueError(f"abstain_below must be from 0 to 1, got {self.abstain_below}")
        if self.stride is not None and self.stride < 0:
            raise ValueError(f"stride must be 0 or more, or None, got {self.stride}")
        if self.stride is not None and self.text_pair:
            raise ValueError("a model that compares two texts has no stride: they are not read in windows")
        for threshold in self.thresholds or ():
            if not 0 <= threshold <= 1:
                raise ValueError(f"thresholds must be from 0 to 1, got {threshold}")

    def validate_labels(self) -> None:
        """Check that labels are numbered from 0 and have different names. Part of the strict validation."""
        if self.problem_type not in (None, *PROBLEM_TYPES):
            raise ValueError(f"problem_type must be one of {', '.join(PROBLEM_TYPES)}, got {self.problem_type!r}")
        if self.id2label is None:
            return
        if not self.id2label or sorted(self.id2label) != list(range(len(self.id2label))):
            raise ValueError(f"id2label must number its labels 0, 1, 2, ..., got {sorted(self.id2label)}")
        if self.thresholds is not None and len(self.thresholds) != len(self.id2label):
            raise ValueError(f"there are {len(self.thresholds)} thresholds, but {len(self.id2label)} labels")
        if len(set(self.id2label.values())) < len(self.id2label):
            raise ValueError(f"id2label must name each label differently, got {list(self.id2label.values())}")


@strict
class RecurrentConfig(ClassifierConfig):
    """The fields that the LSTM, GRU and RNN models share. Use one of the three subclasses.

    The defaults are those of textbook networks for Korean sentiment analysis.

    Args:
        vocab_size: Number of rows of the embedding table.
        embedding_size: Size of a token's embedding.
        hidden_size: Number of units **per direction**, as in `torch.nn.LSTM`. The output of a bidirectional layer is
            twice as large.
        num_hidden_layers: Number of stacked recurrent layers. torch's name `num_layers` works, too.
        bidirectional: Whether each layer also reads the text from right to left.
        separate_directions: Whether each direction is a stack of its own, whose layers read the states of that
            direction only, as in ELMo (Peters et al., 2018). A bidirectional language model needs this: a layer that
            reads both directions would see the tokens that it has to predict.
        pooling: How the hidden states of a text become one vector: `"last"` (the final state of each direction),
            `"mean"`, `"max"`, or several of them, concatenated. Padding never counts.
        projection_size: Size of a linear projection of the pooled vector, as sentence encoders have it. `None` for no
            projection.
        type_vocab_size: Number of token types whose embeddings a token classifier adds to those of the tokens. 0 for
            none. Other models don't use it.
        num_bigram_buckets: Number of embeddings of pairs of neighboring tokens that a token classifier adds. Pairs with
            the same hash share one. 0 for none. Other models don't use it.
        crf: Whether a token classifier has a linear-chain conditional random field (CRF) above its network.
        constrain_tags: Whether its CRF lets `I-X` follow only `B-X` and `I-X`.
        embedding_dropout: Dropout probability of the embeddings.
        hidden_dropout: Dropout probability between two recurrent layers.
        classifier_dropout: Dropout probability of the pooled vector, before the classifier.
        num_ngrams: Number of n-grams of tokens in a linear model whose logits are added to the classifier's ("wide and
            deep", Cheng et al., 2016). 0 for the network alone.
        ngram_length: Length of the longest of these n-grams, in tokens.
        sampled_softmax_size: Number of tokens over which the softmax of a language model runs in training. It is
            rounded up to the next multiple that holds all tokens of the batch. 0 for the whole vocabulary. Classifiers
            don't use it.
        initializer_range: Standard deviation of the initial weights of the embeddings and of the classifier.
        attention: How the decoder of a sequence-to-sequence model looks at the encoder's states: by `"dot"` products
            (Luong et al., 2015), by `"additive"` scores (Bahdanau et al., 2015), or not at all (`"none"`), so that the
            encoder's final states have to hold the whole source. Other models don't use it.
        initial_state_size: Size of the vector that a causal language model can start from, its `initial_state`. `None`
            for no such vector. Other models don't use it.
        pad_token_id: Id of the padding token; `None` for no padding.
        bos_token_id: Id of the token that begins a text that a model generates.
        eos_token_id: Id of the token that ends such a text.
        decoder_start_token_id: Id of the token that the decoder of a sequence-to-sequence model starts from.
        use_cache: Whether a model that generates text returns its states, to go on from them.
        **kwargs: Fields of every `PreTrainedConfig`, such as `num_labels`, `id2label` and `problem_type`.

    Raises:
        StrictDataclassError: If a field has the wrong type, is out of range, or contradicts another one.
    """

    # softmax_candidates: what version 0.1.0 called it
    attribute_map: ClassVar[dict[str, str]] = {
        "num_layers": "num_hidden_layers",
        "softmax_candidates": "sampled_softmax_size",
    }

    embedding_size: int = 128
    hidden_size: int = 64
    num_hidden_layers: int = 2
    bidirectional: bool = True
    separate_directions: bool = False
    pooling: Literal["last", "mean", "max", "max_mean", "max_mean_last"] = "last"
    projection_size: int | None = None
    type_vocab_size: int = 0
    num_bigram_buckets: int = 0
    crf: bool = False
    constrain_tags: bool = False
    embedding_dropout: float | int = 0.0
    hidden_dropout: float | int = 0.5
    classifier_dropout: float | int = 0.5
    num_ngrams: int = 0
    ngram_length: int = 3
    sampled_softmax_size: int = 2048
    initializer_range: float | int = 0.02
    attention: Literal["dot", "additive", "none"] = "dot"
    initial_state_size: int | None = None
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = None
    decoder_start_token_id: int | None = None
    use_cache: bool = True

    def __post_init__(self, **kwargs: Any) -> None:
        """Check that the two names of the number of layers agree, and everything that `ClassifierConfig` checks."""
        num_layers = kwargs.get("num_layers")
        default_layers = type(self).__dataclass_fields__["num_hidden_layers"].default
        if num_layers is not None and self.num_hidden_layers not in (default_layers, num_layers):
            raise ValueError(
                f"num_layers is {num_layers}, but num_hidden_layers is {self.num_hidden_layers}: "
                "they are two names of one field; give one"
            )
        super().__post_init__(**kwargs)

    def validate_sizes(self) -> None:
        """Check that sizes are positive. Part of the strict validation."""
        for name in ("vocab_size", "embedding_size", "hidden_size", "num_hidden_layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.projection_size is not None and self.projection_size < 1:
            raise ValueError(f"projection_size must be at least 1 or None, got {self.projection_size}")
        for name in ("type_vocab_size", "num_bigram_buckets"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")
        if self.num_ngrams < 0 or self.ngram_length < 1:
            raise ValueError(
                f"num_ngrams must be 0 or more, and ngram_length at least 1, got {self.num_ngrams} and "
                f"{self.ngram_length}"
            )
        if self.initial_state_size is not None and self.initial_state_size < 1:
            raise ValueError(f"initial_state_size must be at least 1 or None, got {self.initial_state_size}")
        if not self.initializer_range > 0:
            raise ValueError(f"initializer_range must be above 0, got {self.initializer_range}")

    def validate_dropouts(self) -> None:
        """Check that dropouts are probabilities. Part of the strict validation."""
        for name in ("embedding_dropout", "hidden_dropout", "classifier_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 0 and below 1, got {getattr(self, name)}")

    def save_pretrained(self, save_directory: str | os.PathLike[str], *args: Any, **kwargs: Any) -> None:
        """Write `config.json` with an `auto_map` of all classes that can load the folder.

        transformers only adds the class that was saved, but a saved classifier can also be loaded as a bare model.
        Entries that name another repository ("owner/name--module.Class") are dropped: the code is saved here, beside
        the configuration.

        Args:
            save_directory: The folder.
            *args: See `PreTrainedConfig.save_pretrained`.
            **kwargs: See `PreTrainedConfig.save_pretrained`.
        """
        if self._auto_class is not None:
            # a subclass elsewhere has another name
            own_class = next(base for base in type(self).__mro__ if base.__module__ == __name__)
            family = own_class.__name__.removesuffix("Config")
            noted = dict(getattr(self, "auto_map", None) or {})
            # A model that started from one with another head has its entry, too.
            noted = {auto: name for auto, name in noted.items() if name.partition(".")[2] in (self.architectures or ())}
            self.auto_map = {
                "AutoModel": f"modeling_lstm.{family}Model",
                "AutoModelForSequenceClassification": f"modeling_lstm.{family}ForSequenceClassification",
                **{auto: name for auto, name in noted.items() if "--" not in name},
            }
        super().save_pretrained(save_directory, *args, **kwargs)

    @property
    def network(self) -> str:
        """The network in a few words, such as `two-layer bidirectional LSTM`."""
        layers = self.num_hidden_layers
        number = _NUMBERS[layers] if layers < len(_NUMBERS) else str(layers)
        direction = "bidirectional " if self.bidirectional else ""
        network = f"{number}-layer {direction}{self.model_type.removeprefix('okt_').upper()}"
        return f"{network} beside a linear {self.ngram_length}-gram model" if self.num_ngrams else network

    @property
    def layer_types(self) -> list[str]:
        """What each layer keeps in a cache of transformers, in the words of that: a recurrent state.

        A decoder has "hybrid" layers, as the cache that `generate` makes for it asks each for keys and values, too.
        """
        return ["hybrid" if self.is_encoder_decoder else "linear_attention"] * self.num_hidden_layers

    @property
    def output_size(self) -> int:
        """Size of a recurrent layer's output: `hidden_size` times the number of directions."""
        return self.hidden_size * (2 if self.bidirectional else 1)

    @property
    def poolings(self) -> list[str]:
        """The parts of `pooling`: one or more of `"max"`, `"mean"` and `"last"`, in the order of their vectors."""
        return self.pooling.split("_")

    @property
    def unprojected_size(self) -> int:
        """Size of the pooled states of a text, before a projection."""
        return self.output_size * len(self.poolings)

    @property
    def pooled_size(self) -> int:
        """Size of the vector that stands for a whole text."""
        return self.unprojected_size if self.projection_size is None else self.projection_size

    @property
    def classifier_size(self) -> int:
        """Size of what a classifier's last layer reads: the vector of a text, or four of them for a pair."""
        return self.pooled_size * (4 if self.text_pair else 1)


@strict
class LSTMConfig(RecurrentConfig):
    """Configuration of `LSTMModel` and `LSTMForSequenceClassification`. See `RecurrentConfig` for the fields.

    Example:
        >>> from okt_lstm import LSTMConfig, LSTMForSequenceClassification
        >>> model = LSTMForSequenceClassification(LSTMConfig(vocab_size=20000, num_labels=2))
    """

    model_type = "okt_lstm"


@strict
class GRUConfig(RecurrentConfig):
    """Configuration of `GRUModel` and `GRUForSequenceClassification`. See `RecurrentConfig` for the fields."""

    model_type = "okt_gru"


@strict
class RNNConfig(RecurrentConfig):
    """Configuration of `RNNModel` and `RNNForSequenceClassification`. See `RecurrentConfig` for the other fields.

    Args:
        nonlinearity: The activation function of the cell, `"tanh"` or `"relu"`.
    """

    model_type = "okt_rnn"

    nonlinearity: Literal["tanh", "relu"] = "tanh"


@strict
class NgramConfig(ClassifierConfig):
    """Configuration of `NgramForSequenceClassification`. See `ClassifierConfig` for the other fields.

    Args:
        max_ngram: Length of the longest n-grams, in tokens. All shorter n-grams count, too.
        num_buckets: Number of weights of each label. N-grams with the same hash share a weight.
        num_ngrams: Number of n-grams that have weights of their own, while others weigh nothing. 0 for `num_buckets`
            weights that n-grams share.
    """

    model_type = "okt_ngram"

    max_ngram: int = 4
    num_buckets: int = 2**22
    num_ngrams: int = 0

    def validate_sizes(self) -> None:
        """Check that sizes are positive. Part of the strict validation."""
        for name in ("vocab_size", "max_ngram", "num_buckets"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.num_ngrams < 0:
            raise ValueError(f"num_ngrams must be 0 or more, got {self.num_ngrams}")

    @property
    def network(self) -> str:
        """The network in a few words."""
        return f"linear {self.max_ngram}-gram model"


MODEL_TYPES = tuple(config.model_type for config in (LSTMConfig, GRUConfig, RNNConfig, NgramConfig))
