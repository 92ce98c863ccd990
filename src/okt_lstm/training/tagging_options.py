"""What a user can choose about a tagger. See `options` for how fields become flags."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

from .options import ModelOptions, TokenizerOptions
from .settings import RunSettings, TrainSettings
from .values import check_ranges

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


NEW_TOKENIZERS = ("character", "morpheme", "bpe")
"""The values of `--tokenizer` that stand for a new tokenizer, not for a trained one."""


def _field(part: type[Any], name: str, default: Any) -> Any:
    """Return a field of an option that another part has, too, with a default of its own."""
    return field(default=default, metadata=part.__dataclass_fields__[name].metadata)


@dataclass
class TaskOptions:
    """What is trained."""

    _argument_group_name = "task"

    task: Literal["text-classification", "token-classification", "spacing"] = field(
        default="text-classification",
        metadata={
            "help": "label texts, label parts of texts (entities), or restore spaces; each has options of its own "
            "(--task NAME --help)"
        },
    )


@dataclass
class TaggingTokenizerOptions:
    """How texts become ids."""

    _argument_group_name = "text to ids"

    tokenizer: str = field(
        default="character",
        metadata={
            "metavar": "NAME|FOLDER|HUB_ID",
            "help": "character: a token for each character, with its part of speech; morpheme or bpe: OktTokenizer's "
            "morphemes or pieces of them; or any fast tokenizer",
        },
    )
    vocab_size: int = _field(TokenizerOptions, "vocab_size", 20000)
    min_frequency: int = _field(TokenizerOptions, "min_frequency", 2)
    max_length: int = field(default=512, metadata={"help": "cut training texts after this many tokens", "min": 1})

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_ranges(vars(self), fields(self))

    def for_card(self) -> dict[str, Any]:
        """Return the options by name, as a card lists them."""
        return asdict(self)

    def train(self, texts: Iterable[str], *, keep_whitespace: bool = True) -> "PreTrainedTokenizerBase":
        """Return the tokenizer that is named, or one whose vocabulary is built from the texts.

        Args:
            texts: The texts.
            keep_whitespace: Whether white space has tokens among characters, too.

        Raises:
            ValueError: If the tokenizer doesn't know where in a text its tokens are.
        """
        from transformers import AutoTokenizer

        from ..models.tokenization_okt import OktTokenizer
        from ..models.tokenization_okt_character import OktCharacterTokenizer

        new: dict[str, Any] = {
            "character": lambda: OktCharacterTokenizer(
                keep_whitespace=keep_whitespace, model_max_length=self.max_length
            ),
            "morpheme": lambda: OktTokenizer(model_max_length=self.max_length),
            "bpe": lambda: OktTokenizer(subword="bpe", model_max_length=self.max_length),
        }
        if self.tokenizer in new:
            return new[self.tokenizer]().train_new_from_iterator(
                iter(texts), vocab_size=self.vocab_size, min_frequency=self.min_frequency, show_progress=False
            )
        tokenizer = AutoTokenizer.from_pretrained(self.tokenizer, trust_remote_code=False)
        if not tokenizer.is_fast:
            raise ValueError(f"--tokenizer {self.tokenizer} doesn't know where its tokens are in a text: it isn't fast")
        tokenizer.model_max_length = self.max_length
        return tokenizer


@dataclass
class TaggingModelOptions(ModelOptions):
    """`ModelOptions` for a tagger."""

    embedding_size: int | None = _field(ModelOptions, "embedding_size", 128)
    hidden_size: int | None = _field(ModelOptions, "hidden_size", 256)
    num_hidden_layers: int | None = _field(ModelOptions, "num_hidden_layers", 1)
    embedding_dropout: float | None = _field(ModelOptions, "embedding_dropout", 0.4)
    classifier_dropout: float | None = _field(ModelOptions, "classifier_dropout", 0.6)
    crf: bool = field(default=True, metadata={"help": "put a linear-chain CRF above the network"})
    constrain_tags: bool = field(
        default=True, metadata={"help": "let the CRF put I-LABEL only after B-LABEL or I-LABEL"}
    )
    num_bigram_buckets: int = field(
        default=32768, metadata={"help": "embeddings of pairs of neighboring tokens; 0: none", "min": 0}
    )


@dataclass
class TaggingSettings(RunSettings):
    """How a tagger is trained."""

    num_train_epochs: float = _field(RunSettings, "num_train_epochs", 20)
    per_device_train_batch_size: int = _field(RunSettings, "per_device_train_batch_size", 32)
    per_device_eval_batch_size: int = _field(RunSettings, "per_device_eval_batch_size", 128)
    optim: str = _field(RunSettings, "optim", "adamw_torch_fused")
    adam_beta2: float = field(
        default=0.98, metadata={"help": "decay of Adam's mean of squared gradients", "advanced": True}
    )
    learning_rate: float = _field(RunSettings, "learning_rate", 3e-3)
    warmup_steps: float = _field(RunSettings, "warmup_steps", 100)
    metric_for_best_model: str | None = field(
        default="entity_f1", metadata={"metavar": "NAME", "help": "score that decides which epoch is best"}
    )
    do_predict: bool = _field(TrainSettings, "do_predict", True)


@dataclass
class SpacingModelOptions(TaggingModelOptions):
    """`ModelOptions` for a tagger that restores spaces: small and fast."""

    embedding_size: int | None = _field(ModelOptions, "embedding_size", 64)
    hidden_size: int | None = _field(ModelOptions, "hidden_size", 64)
    num_hidden_layers: int | None = _field(ModelOptions, "num_hidden_layers", 2)
    embedding_dropout: float | None = _field(ModelOptions, "embedding_dropout", 0.1)
    hidden_dropout: float | None = _field(ModelOptions, "hidden_dropout", 0.2)
    classifier_dropout: float | None = _field(ModelOptions, "classifier_dropout", 0.2)
    crf: bool = _field(TaggingModelOptions, "crf", False)
    constrain_tags: bool = _field(TaggingModelOptions, "constrain_tags", False)
    num_bigram_buckets: int = _field(TaggingModelOptions, "num_bigram_buckets", 131072)


@dataclass
class SpacingSettings(TaggingSettings):
    """How a tagger that restores spaces is trained."""

    num_train_epochs: float = _field(RunSettings, "num_train_epochs", 4)
    per_device_train_batch_size: int = _field(RunSettings, "per_device_train_batch_size", 128)
    learning_rate: float = _field(RunSettings, "learning_rate", 4e-3)
    warmup_steps: float = _field(RunSettings, "warmup_steps", 200)
