"""The first step of a training run: data, tokenizer and configuration, checked before anything is trained."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow.compute as pc
from transformers import AutoConfig, PreTrainedTokenizerBase

from oktane.problem_type import ProblemType

from ..data.columns import TEXTS
from ..data.splits import Splits, load_splits
from ..data.unlabeled import UnlabeledText
from ..models.configuration_lstm import ClassifierConfig
from .distillation import DistillationTask
from .options import ModelOptions
from .output_folder import begin_at
from .pairs import encode_pairs, let_read_pairs
from .parts import TrainParts
from .settings import SCORES
from .transfer import check_transfer, choose_config, choose_tokenizer

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prepared:
    """What is known before anything is trained.

    Attributes:
        folder: Where the model goes.
        checkpoint: The checkpoint to continue from; None for a new run.
        splits: The data.
        task: What the teachers, if there are any, are to label.
        tokenizer: The tokenizer, with its vocabulary.
        train_set: The training rows as `input_ids` and `label`.
        validation_set: The validation rows.
        config: The model's configuration.
    """

    folder: Path
    checkpoint: str | None
    splits: Splits
    task: DistillationTask
    tokenizer: PreTrainedTokenizerBase
    train_set: datasets.Dataset
    validation_set: datasets.Dataset
    config: ClassifierConfig


def prepare(options: TrainParts) -> Prepared:
    """Read the data, build the tokenizer, tokenize, and check all that can be checked without a model."""
    check_transfer(options.transfer, options.model, options.training)
    pairs = options.data.text_pair_column is not None
    if pairs and options.transfer.teacher:
        raise ValueError("--teacher labels single texts: leave out --text_pair_column")
    if options.transfer.pretrained is None:
        # What is wrong with the user's words is said before the data are read.
        options.tokenizer.to_tokenizer()
    unlabeled = _open_unlabeled(options)
    folder, checkpoint = begin_at(options.training)
    # The other processes find what the first one has cached.
    with options.training.main_process_first(desc="reading and tokenizing"):
        splits = load_splits(options.data)
        _check_metric(options.training.metric_for_best_model, splits.problem_type)
        task = DistillationTask(
            teachers=tuple(options.transfer.teacher),
            label_names=splits.label_names,
            problem_type=splits.problem_type,
            labeled=splits.datasets["train"],
            held_out=tuple(rows for name, rows in splits.datasets.items() if name != "train"),
            unlabeled=unlabeled,
            bf16=options.training.bf16,
        )
        tokenizer = choose_tokenizer(options.tokenizer, options.transfer, task.texts())
        if pairs:
            let_read_pairs(tokenizer)
        train_set, validation_set = (tokenize(splits.datasets[name], tokenizer) for name in ("train", "validation"))
    if options.training.should_log:
        _say_cut_texts(splits.datasets["train"], train_set, tokenizer)
    config = choose_config(
        options.model,
        options.transfer,
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        problem_type=splits.problem_type.value,
        abstain_below=options.transfer.abstain_below,
        text_pair=pairs,
        **_labels(splits),
    )
    if checkpoint is not None:
        check_same_model(config, checkpoint)
    return Prepared(folder, checkpoint, splits, task, tokenizer, train_set, validation_set, config)


def _check_metric(metric: str | None, problem_type: ProblemType) -> None:
    """Refuse a score that the problem type doesn't have: Trainer would look for it after the first epoch."""
    known = ("auto", "loss", *SCORES[problem_type.value])
    if metric is not None and metric.removeprefix("eval_") not in known:
        raise ValueError(
            f"--metric_for_best_model {metric}: the data make it a {problem_type.value}, which has the scores "
            f"{', '.join(known[1:])}"
        )


def tokenize(rows: datasets.Dataset, tokenizer: PreTrainedTokenizerBase) -> datasets.Dataset:
    """Return the rows with `input_ids` in place of `text`; of pairs, also `token_type_ids`."""
    texts = [name for name in TEXTS if name in rows.column_names]
    encode = _encode if len(texts) == 1 else encode_pairs
    return rows.map(encode, batched=True, remove_columns=texts, fn_kwargs={"tokenizer": tokenizer}, desc="Tokenizing")


def _encode(rows: Mapping[str, list[Any]], tokenizer: PreTrainedTokenizerBase) -> dict[str, list[Any]]:
    return {"input_ids": tokenizer(rows["text"], truncation=True, return_attention_mask=False)["input_ids"]}


def _say_cut_texts(rows: datasets.Dataset, tokenized: datasets.Dataset, tokenizer: PreTrainedTokenizerBase) -> None:
    """Say how many training texts have more tokens than the tokenizer's maximum."""
    limit = tokenizer.model_max_length
    lengths = pc.list_value_length(tokenized.with_format("arrow")[:]["input_ids"]).to_numpy()
    full = rows.select(np.flatnonzero(lengths >= limit))
    columns = [name for name in TEXTS if name in rows.column_names]
    texts = [text for name in columns for text in full[name][:]]
    # A text may end with the last token that fits.
    whole = tokenizer(texts, return_attention_mask=False, verbose=False)["input_ids"] if texts else []
    if cut := sum(len(ids) > limit for ids in whole):
        logger.info(
            f"{cut:,} of the {len(columns) * len(rows):,} training texts have more than {limit} tokens and are cut "
            "there; --max_length sets the limit"
        )


def _open_unlabeled(options: TrainParts) -> UnlabeledText | None:
    """Return the text that teachers label, if any."""
    if options.unlabeled.unlabeled is None:
        return None
    if not options.transfer.teacher:
        raise ValueError(
            "`train` uses --unlabeled only with --teacher. Without a teacher, use it with `okt-lstm word-vectors` or "
            "`pretrain`."
        )
    return options.unlabeled.open("a student", options.data)


def _labels(splits: Splits) -> dict[str, Any]:
    if splits.problem_type is ProblemType.REGRESSION:
        return {"num_labels": 1}
    return {"id2label": dict(enumerate(splits.label_names))}


def check_same_model(config: ClassifierConfig, checkpoint: str) -> None:
    """Refuse to resume a checkpoint of another model: its weights would not fit, or fit and mean something else."""
    saved = AutoConfig.from_pretrained(checkpoint)
    names = [field.name for field in fields(ModelOptions) if hasattr(config, field.name)]
    for name in (*names, "vocab_size", "id2label", "problem_type"):
        if getattr(config, name) != getattr(saved, name, None):
            raise ValueError(
                f"{checkpoint} has {name} {getattr(saved, name, None)!r}, but the options and data now give "
                f"{getattr(config, name)!r}: resume with the options and the data of the interrupted run"
            )
