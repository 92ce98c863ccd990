# Copyright 2026 the okt-lstm developers. Licensed under the Apache License, Version 2.0.
"""What a classifier is: the configurations of the LSTM, GRU and RNN models, and of the linear model over n-grams."""

import os
from typing import Any, ClassVar, Literal

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig

PROBLEM_TYPES = ("single_label_classification", "multi_label_classification", "regression")


@strict
class ClassifierConfig(PreTrainedConfig):
    """The fields that all models share, and their labels. Use one of the subclasses.

    Args:
        vocab_size: Number of the tokenizer's tokens.
        pad_token_id: Id that pads short texts; `None` if there is none.
        **kwargs: Fields of every `PreTrainedConfig`, among them `num_labels`, `id2label` and `problem_type`.

    Raises:
        StrictDataclassError: If a field has the wrong type, is out of range, or contradicts another one.
    """

    vocab_size: int = 20000
    pad_token_id: int | None = 0
    tie_word_embeddings: bool = False

    def __post_init__(self, **kwargs: Any) -> None:
        """Checks what only the caller's arguments show; once they are merged, a contradiction is gone."""
        num_labels, label2id = kwargs.get("num_labels"), self.label2id
        if num_labels is not None and (not isinstance(num_labels, int) or num_labels < 1):
            raise ValueError(f"num_labels must be a whole number and at least 1, got {num_labels!r}")
        if self.id2label is None and label2id is not None:
            self.id2label = {int(index): label for label, index in label2id.items()}
        if self.id2label is not None:
            if num_labels is not None and len(self.id2label) != num_labels:
                raise ValueError(f"num_labels is {num_labels}, but there are names for {len(self.id2label)}; give one")
            # transformers lets the ids be strings.
            if label2id is not None and {(str(index), label) for label, index in label2id.items()} != {
                (str(index), label) for index, label in self.id2label.items()
            }:
                raise ValueError(f"label2id {label2id} is not the inverse of id2label {self.id2label}")
        super().__post_init__(**kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        """As for every attribute; and a new `id2label` brings `label2id`, its inverse, along."""
        super().__setattr__(name, value)
        if name == "id2label" and value is not None:
            if not isinstance(value, dict):
                raise ValueError(f"id2label must be a dictionary from id to name, got {value!r}")
            self.label2id = {label: int(index) for index, label in value.items()}

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """As in `PreTrainedConfig`; a `num_labels` among the keyword arguments replaces the saved labels."""
        num_labels = kwargs.get("num_labels")
        if num_labels is not None and num_labels != len(config_dict.get("id2label") or ()):
            config_dict = {key: value for key, value in config_dict.items() if key not in ("id2label", "label2id")}
        return super().from_dict(config_dict, **kwargs)

    def validate_padding(self) -> None:
        """Part of the strict validation: the padding id must be in the vocabulary."""
        if self.pad_token_id is not None and not 0 <= self.pad_token_id < self.vocab_size:
            raise ValueError(
                f"pad_token_id is {self.pad_token_id}, outside the vocabulary of {self.vocab_size} ids; "
                "use None for no padding"
            )

    def validate_labels(self) -> None:
        """Part of the strict validation: labels are numbered from 0, and their names differ."""
        if self.problem_type not in (None, *PROBLEM_TYPES):
            raise ValueError(f"problem_type must be one of {', '.join(PROBLEM_TYPES)}, got {self.problem_type!r}")
        if self.id2label is None:
            return
        if not self.id2label or sorted(self.id2label) != list(range(len(self.id2label))):
            raise ValueError(f"id2label must number its labels 0, 1, 2, ..., got {sorted(self.id2label)}")
        if len(set(self.id2label.values())) < len(self.id2label):
            raise ValueError(f"id2label must name each label differently, got {list(self.id2label.values())}")


@strict
class RecurrentConfig(ClassifierConfig):
    """The fields that the LSTM, GRU and RNN models share. Use one of the three subclasses.

    The defaults are the classic recipe for Korean sentiment: embeddings of 128, 64 units a direction, two
    bidirectional layers, dropout 0.5.

    Args:
        vocab_size: Number of rows of the embedding table.
        embedding_size: Width of a token's embedding.
        hidden_size: Units **per direction**, as in `torch.nn.LSTM`; a bidirectional layer's output is twice as wide.
        num_hidden_layers: Number of stacked recurrent layers. torch's name `num_layers` works as well.
        bidirectional: Whether each layer reads the text from both ends.
        separate_directions: Whether each direction is a stack of its own, whose layers read that direction's states
            only, as in ELMo (Peters et al., 2018). A language model needs it, as a layer that read both directions
            would have seen what it is to predict. By default a layer reads both.
        pooling: How a text's hidden states become one vector: `"last"` (each direction's final state), `"mean"`,
            `"max"`, or several of them, concatenated: `"max_mean"`, `"max_mean_last"`. Padding never counts.
        embedding_dropout: Probability of dropping an element of the embeddings.
        hidden_dropout: Probability of dropping an element between two recurrent layers.
        classifier_dropout: Probability of dropping an element of the pooled vector before the classifier.
        softmax_candidates: Tokens over which a language model's softmax runs in training, or the next multiple of it
            that holds the batch's own; 0 for the whole vocabulary. Classifiers don't use it.
        initializer_range: Standard deviation of the embeddings' and the classifier's initial weights.
        pad_token_id: Id that pads short texts; `None` if there is none.
        **kwargs: Fields of every `PreTrainedConfig`, among them `num_labels`, `id2label` and `problem_type`.

    Raises:
        StrictDataclassError: If a field has the wrong type, is out of range, or contradicts another one.
    """

    attribute_map: ClassVar[dict[str, str]] = {"num_layers": "num_hidden_layers"}

    embedding_size: int = 128
    hidden_size: int = 64
    num_hidden_layers: int = 2
    bidirectional: bool = True
    separate_directions: bool = False
    pooling: Literal["last", "mean", "max", "max_mean", "max_mean_last"] = "last"
    embedding_dropout: float | int = 0.0
    hidden_dropout: float | int = 0.5
    classifier_dropout: float | int = 0.5
    softmax_candidates: int = 2048
    initializer_range: float | int = 0.02

    def __post_init__(self, **kwargs: Any) -> None:
        """As in `ClassifierConfig`; and the two names of the number of layers must agree."""
        num_layers = kwargs.get("num_layers")
        default_layers = type(self).__dataclass_fields__["num_hidden_layers"].default
        if num_layers is not None and self.num_hidden_layers not in (default_layers, num_layers):
            raise ValueError(
                f"num_layers is {num_layers}, but num_hidden_layers is {self.num_hidden_layers}: "
                "they are two names of one field; give one"
            )
        super().__post_init__(**kwargs)

    def validate_sizes(self) -> None:
        """Part of the strict validation: sizes must be positive."""
        for name in ("vocab_size", "embedding_size", "hidden_size", "num_hidden_layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not self.initializer_range > 0:
            raise ValueError(f"initializer_range must be above 0, got {self.initializer_range}")

    def validate_dropouts(self) -> None:
        """Part of the strict validation: dropouts are probabilities."""
        for name in ("embedding_dropout", "hidden_dropout", "classifier_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 0 and below 1, got {getattr(self, name)}")

    def save_pretrained(self, save_directory: str | os.PathLike[str], *args: Any, **kwargs: Any) -> None:
        """Writes `config.json`, see `PreTrainedConfig.save_pretrained`, and notes in it which classes load the folder.

        transformers notes the class that was saved, but a saved classifier opens as a bare model, too. Notes that name
        another repository ("owner/name--module.Class") are dropped: the code is saved here, beside the configuration.
        """
        if self._auto_class is not None:
            ours = next(base for base in type(self).__mro__ if base.__module__ == __name__)  # for subclasses elsewhere
            family = ours.__name__.removesuffix("Config")
            noted = dict(getattr(self, "auto_map", None) or {})
            if f"{family}ForPreTraining" not in (self.architectures or ()):  # a classifier that began as one
                noted.pop("AutoModelForPreTraining", None)
            self.auto_map = {
                "AutoModel": f"modeling_lstm.{family}Model",
                "AutoModelForSequenceClassification": f"modeling_lstm.{family}ForSequenceClassification",
                **{auto: name for auto, name in noted.items() if "--" not in name},
            }
        super().save_pretrained(save_directory, *args, **kwargs)

    @property
    def network(self) -> str:
        """What the network is, in a few words."""
        direction = "bidirectional " if self.bidirectional else ""
        return f"{direction}{self.model_type.removeprefix('okt_').upper()} with {self.num_hidden_layers} layer(s)"

    @property
    def output_size(self) -> int:
        """Width of a recurrent layer's output: `hidden_size` times the number of directions."""
        return self.hidden_size * (2 if self.bidirectional else 1)

    @property
    def pooled_size(self) -> int:
        """Width of the vector that stands for a whole text."""
        return self.output_size * len(self.pooling.split("_"))


@strict
class LSTMConfig(RecurrentConfig):
    """Configuration of `LSTMModel` and `LSTMForSequenceClassification`. The fields are `RecurrentConfig`'s.

    Example:
        >>> from okt_lstm import LSTMConfig, LSTMForSequenceClassification
        >>> model = LSTMForSequenceClassification(LSTMConfig(vocab_size=20000, num_labels=2))
    """

    model_type = "okt_lstm"


@strict
class GRUConfig(RecurrentConfig):
    """Configuration of `GRUModel` and `GRUForSequenceClassification`. The fields are `RecurrentConfig`'s."""

    model_type = "okt_gru"


@strict
class RNNConfig(RecurrentConfig):
    """Configuration of `RNNModel` and `RNNForSequenceClassification`: `RecurrentConfig`'s fields and one more.

    Args:
        nonlinearity: The plain recurrent cell's activation, `"tanh"` or `"relu"`.
    """

    model_type = "okt_rnn"

    nonlinearity: Literal["tanh", "relu"] = "tanh"


@strict
class NgramConfig(ClassifierConfig):
    """Configuration of `NgramForSequenceClassification`: `ClassifierConfig`'s fields and two more.

    Args:
        max_ngram: Length of the longest n-grams, in tokens; all shorter ones count, too.
        num_buckets: Number of weights that each label has. N-grams whose hashes agree share one.
    """

    model_type = "okt_ngram"

    max_ngram: int = 4
    num_buckets: int = 2**22

    def validate_sizes(self) -> None:
        """Part of the strict validation: sizes must be positive."""
        for name in ("vocab_size", "max_ngram", "num_buckets"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")

    @property
    def network(self) -> str:
        """What the network is, in a few words."""
        return f"linear model with n-grams of up to {self.max_ngram} tokens"


MODEL_TYPES = tuple(config.model_type for config in (LSTMConfig, GRUConfig, RNNConfig, NgramConfig))
