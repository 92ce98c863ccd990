"""What to train and evaluate on, as the user says it. Nothing heavy is imported here, so that `--help` is quick."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from oktane.table_options import FORMATS as OKTANE_FORMATS

if TYPE_CHECKING:
    from oktane.row_reader import ReadOptions

DATA_ARGUMENTS_NAME = "data_args.json"
"""The file of a trained folder that names the data set it was trained on: the fields of `DataOptions`."""

_FILE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".txt", ".json", ".xlsx", ".xls", ".arrow")

FORMATS = (*OKTANE_FORMATS, "xlsx")
"""The formats of tables that can be read."""


@dataclass(kw_only=True)
class TableOptions:
    """How to read tables. Each field is a flag of the command line."""

    _argument_group_name = "tables"

    input_format: str | None = field(
        default=None,
        metadata={
            "metavar": "FORMAT",
            "help": f"format of the files: {', '.join(FORMATS)} (default: by their suffix)",
            "advanced": True,
        },
    )
    encoding: str | None = field(
        default=None,
        metadata={"metavar": "NAME", "help": "encoding of files, such as cp949 (default: detected)"},
    )
    header: Literal["first", "none"] | None = field(
        default=None,
        metadata={"help": "none: the first line is a row, too; columns are called 1, 2, ...", "advanced": True},
    )
    sheet: str | None = field(
        default=None,
        metadata={"metavar": "NAME", "help": "sheet of an xlsx file (default: the first one)", "advanced": True},
    )

    @property
    def reading(self) -> "ReadOptions":
        """Return the options for oktane's readers.

        Raises:
            ValueError: The format is unknown.
        """
        from oktane.row_reader import ReadOptions

        if self.input_format is not None and self.input_format not in FORMATS:
            raise ValueError(f"input_format is {self.input_format!r}; it can be {', '.join(FORMATS)}")
        return ReadOptions(self.input_format, self.encoding, self.header != "none", self.sheet)


@dataclass
class DataOptions(TableOptions):
    """What to train and evaluate on. Each field is a flag of the command line."""

    _argument_group_name = "data"

    dataset: str = field(
        default="nsmc",
        metadata={
            "metavar": "NAME|FILE|FOLDER",
            "help": "'nsmc' (Naver movie reviews), 'sample' (1,000 made-up reviews), a csv, tsv, xlsx, json, jsonl, "
            "parquet or Arrow file, a folder (train..., validation..., test..., or one table), a pattern, or a data "
            "set on the Hub",
        },
    )
    dataset_config: str | None = field(
        default=None, metadata={"metavar": "NAME", "help": "configuration of a data set on the Hub", "advanced": True}
    )
    data_dir: str | None = field(
        default=None,
        metadata={
            "metavar": "FOLDER",
            "help": "folder of the NSMC files, or of a data set's repository",
        },
    )
    validation_file: str | None = field(default=None, metadata={"metavar": "FILE", "help": "file to validate on"})
    test_file: str | None = field(
        default=None, metadata={"metavar": "FILE", "help": "file to test on; without one, there is no test"}
    )
    text_column: str | None = field(
        default=None, metadata={"metavar": "NAME", "help": "column with the texts (default: detected by name)"}
    )
    text_pair_column: str | None = field(
        default=None, metadata={"metavar": "NAME", "help": "column with the second texts, if two are compared"}
    )
    label_column: str | None = field(
        default=None, metadata={"metavar": "NAME", "help": "column with the labels (default: detected by name)"}
    )
    label_delimiter: str | None = field(
        default=None,
        metadata={
            "metavar": "TEXT",
            "help": "separator of several labels in one csv or tsv field, such as '|'",
            "advanced": True,
        },
    )
    label_columns: str | None = field(
        default=None,
        metadata={
            "metavar": "NAME,NAME",
            "help": "columns of 0 and 1, one for each label",
        },
    )
    on_bad_row: Literal["error", "skip"] = field(
        default="error",
        metadata={"metavar": "error|skip", "help": "rows without text (null) or label"},
    )
    allow_odd_data: bool = field(
        default=False,
        metadata={
            "help": "train though the data look like a mistake: nearly every row has a label of its own, a class has "
            "one row, or the test file is the training file or shares more than a quarter of its rows",
            "advanced": True,
        },
    )
    problem_type: Literal["single_label_classification", "multi_label_classification", "regression"] | None = field(
        default=None,
        metadata={
            "metavar": "TYPE",
            "help": "single_label_classification, multi_label_classification or regression (default: detected from "
            "the labels)",
            "advanced": True,
        },
    )
    validation_size: float = field(
        default=0.05,
        metadata={
            "help": "training rows to hold out: a share, or 1 or more",
        },
    )
    split_seed: int = field(default=42, metadata={"help": "seed for holding out and sampling rows", "advanced": True})
    max_train_samples: int | None = field(
        default=None, metadata={"help": "use at most N training rows, drawn at random (default: all)", "advanced": True}
    )
    max_eval_samples: int | None = field(
        default=None, metadata={"help": "use at most N validation rows", "advanced": True}
    )
    max_predict_samples: int | None = field(
        default=None, metadata={"help": "use at most N test rows", "advanced": True}
    )

    @property
    def is_single_file(self) -> bool:
        """Whether the data set is one table in local files: neither splits nor a name on the Hub."""
        path = Path(self.dataset).expanduser()
        return is_local(self.dataset) and not path.is_dir()


READING_OPTIONS = (
    "dataset_config",
    "data_dir",
    "text_column",
    "label_column",
    "label_delimiter",
    "label_columns",
    "on_bad_row",
    "problem_type",
    "input_format",
    "encoding",
    "header",
    "sheet",
)
"""The options of commands that read one labeled table: `evaluate`, `inspect` and `audit`."""


def is_local(dataset: str) -> bool:
    """Return whether `--dataset` means a path: it exists, or doesn't look like an id on the Hub."""
    if dataset in ("nsmc", "sample"):
        return False
    return (
        Path(dataset).expanduser().exists()
        or dataset.lower().endswith(_FILE_SUFFIXES)
        or dataset.startswith((".", "~", "/"))
        or dataset.count("/") > 1
        or "\\" in dataset
        or any(character in dataset for character in "*?[")
    )
