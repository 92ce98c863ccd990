"""What a user can choose about a sentence encoder and its teacher. See `options` for how fields become flags."""

from dataclasses import dataclass, field, fields
from typing import Literal

from .options import ModelOptions, TokenizerOptions
from .settings import RunSettings
from .values import check_ranges


@dataclass
class TeacherOptions:
    """Who teaches a sentence encoder, and what is learned from the teacher's vectors."""

    _argument_group_name = "teacher"

    teacher: str = field(
        metadata={
            "metavar": "FOLDER|HUB_ID",
            "help": "learn the vectors of this model of sentence-transformers, or encoder of transformers (required)",
        }
    )
    teacher_prompt: str | None = field(
        default=None,
        metadata={
            "metavar": "TEXT",
            "help": "put this before each text that the teacher reads, such as 'query: ' (default: the teacher's own)",
        },
    )
    teacher_pooling: Literal["mean", "cls", "lasttoken"] | None = field(
        default=None,
        metadata={"help": "how an encoder of transformers makes one vector (default: the teacher's own, or the mean)"},
    )
    teacher_embeddings: bool = field(
        default=True,
        metadata={"help": "start the embeddings from the teacher's vectors of the tokens, reduced to --embedding_size"},
    )
    whitening: float = field(
        default=0.5,
        metadata={
            "help": "even out the teacher's principal components: each is divided by its deviation to this power",
            "min": 0,
            "max": 1,
        },
    )
    similarity_weight: float = field(
        default=0.15,
        metadata={
            "help": "weight of telling a text's vector from the others of its batch, beside the cosine",
            "min": 0,
        },
    )
    similarity_scale: float = field(
        default=20.0, metadata={"help": "factor of the similarities before their softmax", "advanced": True, "min": 0}
    )

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_ranges(vars(self), fields(self))


@dataclass
class EncoderTokenizerOptions(TokenizerOptions):
    """`TokenizerOptions` for a sentence encoder: pieces of morphemes, which know every word."""

    subword: Literal["none", "bpe"] = field(
        default="bpe", metadata=TokenizerOptions.__dataclass_fields__["subword"].metadata
    )
    vocab_size: int = field(default=22_000, metadata=TokenizerOptions.__dataclass_fields__["vocab_size"].metadata)


@dataclass
class EncoderModelOptions(ModelOptions):
    """`ModelOptions` for a sentence encoder."""

    embedding_size: int | None = field(
        default=192, metadata=ModelOptions.__dataclass_fields__["embedding_size"].metadata
    )
    hidden_size: int | None = field(default=128, metadata=ModelOptions.__dataclass_fields__["hidden_size"].metadata)
    pooling: Literal["last", "mean", "max", "max_mean", "max_mean_last"] | None = field(
        default="max_mean", metadata=ModelOptions.__dataclass_fields__["pooling"].metadata
    )
    hidden_dropout: float | None = field(
        default=0.0, metadata=ModelOptions.__dataclass_fields__["hidden_dropout"].metadata
    )


@dataclass
class EncoderSettings(RunSettings):
    """How a sentence encoder is trained."""

    num_train_epochs: float = field(default=10, metadata=RunSettings.__dataclass_fields__["num_train_epochs"].metadata)
    per_device_train_batch_size: int = field(
        default=256, metadata=RunSettings.__dataclass_fields__["per_device_train_batch_size"].metadata
    )
    optim: str = field(default="adamw_torch_fused", metadata=RunSettings.__dataclass_fields__["optim"].metadata)
    learning_rate: float = field(default=2e-3, metadata=RunSettings.__dataclass_fields__["learning_rate"].metadata)
    lr_scheduler_type: str = field(
        default="cosine", metadata=RunSettings.__dataclass_fields__["lr_scheduler_type"].metadata
    )
    warmup_steps: float = field(default=300, metadata=RunSettings.__dataclass_fields__["warmup_steps"].metadata)
    metric_for_best_model: str | None = field(
        default="loss", metadata={"metavar": "NAME", "help": "score that decides which epoch is best", "advanced": True}
    )
    max_eval_samples: int = field(
        default=3000, metadata={"help": "hold out N texts for evaluation, but at most a tenth of all", "min": 1}
    )
