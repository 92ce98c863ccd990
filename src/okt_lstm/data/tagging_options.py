"""What a tagger is trained and measured on, as the user says it. Nothing heavy is imported here."""

from dataclasses import dataclass, field
from typing import Any

from .options import DataOptions

_SHARED: dict[str, Any] = dict(DataOptions.__dataclass_fields__)


@dataclass(kw_only=True)
class HeldOutOptions:
    """Which rows are held out, and how many are used."""

    _argument_group_name = "data"

    validation_file: str | None = field(default=None, metadata=_SHARED["validation_file"].metadata)
    test_file: str | None = field(default=None, metadata=_SHARED["test_file"].metadata)
    validation_size: float = field(default=0.05, metadata=_SHARED["validation_size"].metadata)
    split_seed: int = field(default=42, metadata=_SHARED["split_seed"].metadata)
    max_train_samples: int | None = field(default=None, metadata=_SHARED["max_train_samples"].metadata)
    max_eval_samples: int | None = field(default=None, metadata=_SHARED["max_eval_samples"].metadata)
    max_predict_samples: int | None = field(default=None, metadata=_SHARED["max_predict_samples"].metadata)

    def held_out(self, rows: int) -> int:
        """Return how many of the training rows to hold out for validation.

        Raises:
            ValueError: If nothing would be left to train or to validate on.
        """
        count = round(self.validation_size * rows) if self.validation_size < 1 else int(self.validation_size)
        count = max(count, 1)
        if count >= rows or self.validation_size <= 0:
            raise ValueError(
                f"--validation_size {self.validation_size} of {rows} training rows leaves nothing to train or to "
                "validate on; add rows, or name a --validation_file"
            )
        return count


@dataclass(kw_only=True)
class TaggingDataOptions(HeldOutOptions):
    """Texts whose parts have labels."""

    _argument_group_name = "data"

    dataset: str = field(
        metadata={
            "metavar": "FILE|NAME",
            "help": "jsonl, parquet or CoNLL file, a folder of such files (train..., validation..., test...), or a "
            "data set on the Hub (required)",
        }
    )
    dataset_config: str | None = field(default=None, metadata=_SHARED["dataset_config"].metadata)
    tokens_column: str = field(default="tokens", metadata={"metavar": "NAME", "help": "column with the tokens"})
    tags_column: str = field(
        default="ner_tags", metadata={"metavar": "NAME", "help": "column with their tags: O, B-LABEL, I-LABEL"}
    )
    text_column: str = field(
        default="text", metadata={"metavar": "NAME", "help": "column with the texts, of rows without tokens"}
    )
    entities_column: str = field(
        default="entities",
        metadata={"metavar": "NAME", "help": "column with their entities: lists of start, end (in characters), label"},
    )


@dataclass(kw_only=True)
class SpacingDataOptions(HeldOutOptions):
    """Well-spaced texts."""

    _argument_group_name = "data"

    dataset: list[str] = field(
        metadata={"metavar": "FILE", "help": "well-spaced text: txt files with a text a line, or tables (required)"}
    )
    text_column: str | None = field(default=None, metadata=_SHARED["text_column"].metadata)
    spaced_share: float = field(
        default=0.3,
        metadata={
            "help": "share of training texts that keep some spaces and get some wrong ones; the others lose all",
            "min": 0,
            "max": 1,
        },
    )
