"""From texts whose parts have labels, or from well-spaced texts, to a folder that holds a trained tagger."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import torch
from huggingface_hub import ModelCard
from transformers import (
    AutoModelForTokenClassification,
    DataCollatorForTokenClassification,
    EvalPrediction,
    PreTrainedTokenizerBase,
    set_seed,
)

from ..atomic import write_json
from ..data.options import DATA_ARGUMENTS_NAME
from ..data.spacing import WORD, load_spacing
from ..data.tagged_texts import TaggedSplits, character_tags, entities_of, load_tagged
from ..inference.tagger import Tagger
from ..models.tokenization_okt_character import TYPE_VOCAB_SIZE, OktCharacterTokenizer
from ..reports.tagger_card import TrainedTagger, build_tagger_card
from ..reports.tagging_metrics import check_seqeval, tagging_scores
from .output_folder import begin_at, start_run
from .parts import SpacingParts, TaggingParts
from .prepare import check_same_model
from .result import TrainResult
from .trainer import RecurrentTrainer

logger = logging.getLogger(__name__)

# What doesn't count in a loss, as in all of transformers.
_IGNORED = -100


def train_tagger(options: TaggingParts | SpacingParts) -> TrainResult:
    """Train a tagger, test it, and leave it documented in `options.training.output_dir`.

    The vocabulary is built from the training texts. The best epoch is chosen on the validation split; the test split is
    read once, at the end.

    Args:
        options: What to train, on what, and how; see `okt_lstm.training.parts.build`. `SpacingParts` makes its own
            labels.

    Returns:
        The folder and the figures.

    Raises:
        ImportError: If seqeval is missing.
        OSError: If the folder already holds a model, there is nothing to resume, or a file can't be read or written.
        ValueError: If the data can't be used, or options contradict each other.
        KeyboardInterrupt: If the run was interrupted; the message says how to resume it.
    """
    check_seqeval()
    training = options.training
    if options.model.model_type == "ngram":
        raise ValueError("a tagger is a recurrent network: --model_type can be lstm, gru or rnn here")
    folder, checkpoint = begin_at(training)
    with training.main_process_first(desc="reading and tokenizing"):
        if isinstance(options, SpacingParts):
            splits = load_spacing(options.data, options.tables, training.seed)
        else:
            splits = load_tagged(options.data)
        tokenizer = options.tokenizer.train(
            splits.datasets["train"]["text"], keep_whitespace=not isinstance(options, SpacingParts)
        )
        tags = tag_names(splits.labels)
        rows = {name: align(splits.datasets[name], tokenizer, tags) for name in ("train", "validation")}
    config = options.model.to_config(
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        type_vocab_size=TYPE_VOCAB_SIZE if isinstance(tokenizer, OktCharacterTokenizer) else 0,
        id2label=dict(enumerate(tags)),
    )
    if checkpoint is not None:
        check_same_model(config, checkpoint)
    set_seed(training.seed)
    model = AutoModelForTokenClassification.from_config(config)
    if training.should_save:
        start_run(folder, resumed=checkpoint is not None)
    trainer = RecurrentTrainer(
        model=model,
        args=training,
        train_dataset=rows["train"],
        eval_dataset=rows["validation"],
        processing_class=tokenizer,
        data_collator=DataCollatorForTokenClassification(tokenizer),
        compute_metrics=compute_metrics_for(tags),
        preprocess_logits_for_metrics=_best_tags,
    )
    trained = trainer.fit(checkpoint)
    history = [dict(entry) for entry in trainer.state.log_history if "eval_loss" in entry]
    tagger = Tagger(trainer.model, tokenizer)
    metrics: dict[str, Mapping[str, float]] = {"train": trained.metrics}
    for prefix, split in (("eval", "validation"), ("test", "test")):
        if split in splits.datasets and (split != "test" or training.do_predict):
            held_out = splits.datasets[split]
            scores = tagger.score(held_out["text"], held_out["entities"])
            metrics[prefix] = {f"{prefix}_{name}": value for name, value in scores.items()}
    if trainer.is_world_process_zero():
        trainer.card = _document(options, splits, tokenizer, trainer, history, metrics, folder)
        trainer.create_model_card()
    for split, figures in metrics.items():
        trainer.save_metrics(split, dict(figures))
    trainer.save_state()
    trainer.save_model()
    return TrainResult(folder, {name: value for figures in metrics.values() for name, value in figures.items()})


def tag_names(labels: Sequence[str]) -> list[str]:
    """Return the tags of entities with these labels. The words of a text leave nothing outside, so no `O`."""
    tags = [f"{prefix}-{label}" for label in labels for prefix in "BI"]
    return tags if tuple(labels) == (WORD,) else ["O", *tags]


def align(rows: datasets.Dataset, tokenizer: PreTrainedTokenizerBase, tags: Sequence[str]) -> datasets.Dataset:
    """Return rows of ids with a tag for each token, found by the tokens' offsets.

    A token has the tag of its first character that is in an entity. How many entities don't begin and end where tokens
    do, so that they can't be learned as they are, is said.

    Args:
        rows: Rows with `text` and `entities`.
        tokenizer: A fast tokenizer. Its `model_max_length` cuts long texts.
        tags: The names of the tags, in the order of their ids.
    """
    ids = {tag: index for index, tag in enumerate(tags)}
    lost = total = 0

    def encode(batch: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
        nonlocal lost, total
        encoded = tokenizer(batch["text"], truncation=True, return_offsets_mapping=True, verbose=False)
        labels = []
        for text, entities, offsets in zip(batch["text"], batch["entities"], encoded["offset_mapping"], strict=True):
            by_character = character_tags(len(text), entities)
            names = [_token_tag(by_character[start:end]) for start, end in offsets]
            known = {(entity["start"], entity["end"], entity["label"]) for entity in entities}
            lost += len(known - {tuple(entity) for entity, _ in entities_of(names, offsets)})
            total += len(known)
            labels.append([ids.get(name, _IGNORED) for name in names])
        kept = ("input_ids", "token_type_ids", "attention_mask")
        return {name: encoded[name] for name in kept if name in encoded} | {"labels": labels}

    encoded = rows.map(encode, batched=True, remove_columns=rows.column_names, load_from_cache_file=False)
    if lost:
        logger.warning(
            f"{lost:,} of {total:,} entities don't begin and end where tokens do, or were cut off: they count as "
            "mistakes whatever the model predicts"
        )
    return encoded


def _token_tag(tags: Sequence[str]) -> str:
    """Return the tag of a token from those of its characters; the empty text for a token without characters."""
    return next((tag for tag in tags if tag != "O"), "O" if tags else "")


def compute_metrics_for(tags: Sequence[str]) -> Any:
    """Return the `compute_metrics` function that Trainer takes: scores of the tokens' tags."""

    def compute_metrics(evaluated: EvalPrediction) -> dict[str, float]:
        found, truth = np.asarray(evaluated.predictions), np.asarray(evaluated.label_ids)
        kept = truth != _IGNORED
        rows = [
            ([tags[index] for index in row[keep]] for row, keep in zip(values, kept, strict=True))
            for values in (truth, found)
        ]
        return tagging_scores(list(rows[0]), list(rows[1]))

    return compute_metrics


def _best_tags(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Keep what the scores need of logits, `(batch, time, tags)`: the ids of the best tags, `(batch, time)`."""
    return logits.argmax(dim=-1)


def _document(
    options: TaggingParts | SpacingParts,
    splits: TaggedSplits,
    tokenizer: PreTrainedTokenizerBase,
    trainer: RecurrentTrainer,
    history: Sequence[Mapping[str, float]],
    metrics: Mapping[str, Mapping[str, float]],
    folder: Path,
) -> ModelCard:
    """Write the record of the data, and return the card."""
    training, config = options.training, trainer.model.config
    data = {name: value for name, value in asdict(options.data).items() if value is not None}
    write_json(folder / DATA_ARGUMENTS_NAME, data)
    network = {name: getattr(config, name) for name in asdict(options.model) if hasattr(config, name)}
    unused = ("pooling", "sampled_softmax_size", "separate_directions")
    hyperparameters = {
        **{name: value for name, value in network.items() if name not in unused},
        **options.tokenizer.for_card(),
        "tokens in the vocabulary": len(tokenizer),
        **training.for_card(),
        "weight_decay": training.weight_decay,
        "seed": training.seed,
        "best step": trainer.state.best_global_step if training.load_best_model_at_end else None,
    }
    named = {"eval": "validation", "test": "test"}
    return build_tagger_card(
        TrainedTagger(
            name=training.hub_model_id or folder.resolve().name,
            license=training.license,
            network=config.network + (" with a CRF" if config.crf else ""),
            model_type=config.model_type.removeprefix("okt_"),
            num_parameters=trainer.model.num_parameters(),
            labels=splits.labels,
            restores_spaces=splits.labels == (WORD,),
            data=splits.description,
            hyperparameters={name: value for name, value in hyperparameters.items() if value is not None},
            results={
                named[split]: {name.removeprefix(f"{split}_"): value for name, value in figures.items()}
                for split, figures in metrics.items()
                if split in named
            },
            epochs=[{name: entry[name] for name in ("epoch", "eval_loss", "eval_entity_f1")} for entry in history],
            seconds=metrics["train"]["train_runtime"],
        )
    )
