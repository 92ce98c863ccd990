"""What to train and evaluate on, as the user says it. Nothing heavy is imported here, so that `--help` is quick."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

DATA_ARGUMENTS_NAME = "data_args.json"
"""The file of a trained folder that names the data set it was trained on: the fields of `DataOptions`."""

_FILE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".txt", ".json", ".xlsx", ".xls")


@dataclass
class DataOptions:
    """What to train and evaluate on. Each field is a flag of the command line."""

    _argument_group_name = "data"

    dataset: str = field(
        default="nsmc",
        metadata={
            "metavar": "NAME|FILE|FOLDER",
            "help": "'nsmc' (Naver movie reviews), 'sample' (1,000 made-up reviews that come with okt-lstm), a csv, "
            "tsv, jsonl or parquet file to train on, a folder with files named train..., validation... and test..., "
            "or the id of a data set on the Hugging Face Hub",
        },
    )
    dataset_config: str | None = field(
        default=None, metadata={"metavar": "NAME", "help": "configuration of a data set on the Hub", "advanced": True}
    )
    data_dir: str | None = field(
        default=None,
        metadata={
            "metavar": "FOLDER",
            "help": "folder with the NSMC files (default: download them), or of a data set's repository",
        },
    )
    validation_file: str | None = field(default=None, metadata={"metavar": "FILE", "help": "file to validate on"})
    test_file: str | None = field(
        default=None, metadata={"metavar": "FILE", "help": "file to test on; without one, there is no test"}
    )
    text_column: str | None = field(
        default=None, metadata={"metavar": "NAME", "help": "column with the texts (default: detected by name)"}
    )
    label_column: str | None = field(
        default=None, metadata={"metavar": "NAME", "help": "column with the labels (default: detected by name)"}
    )
    label_delimiter: str | None = field(
        default=None,
        metadata={"metavar": "TEXT", "help": "separator of several labels in one csv or tsv field, such as '|'"},
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
            "help": "fraction, or number if 1 or more, of training rows to hold out, if there is no validation split",
        },
    )
    split_seed: int = field(default=42, metadata={"help": "seed for holding out and sampling rows", "advanced": True})
    max_train_samples: int | None = field(
        default=None, metadata={"help": "use at most N training rows, drawn at random (default: all)"}
    )
    max_eval_samples: int | None = field(
        default=None, metadata={"help": "use at most N validation rows", "advanced": True}
    )
    max_predict_samples: int | None = field(
        default=None, metadata={"help": "use at most N test rows", "advanced": True}
    )


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
    )
