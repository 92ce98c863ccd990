"""From text without labels to a language model, whose encoder a classifier starts from."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp
from pathlib import Path

import datasets
from transformers import (
    AutoModelForPreTraining,
    DataCollatorWithPadding,
    PreTrainedTokenizerBase,
    set_seed,
)

from ..data.batches import batched
from ..data.cache import generate
from ..data.unlabeled import UnlabeledText, open_unlabeled
from .options import ModelOptions, PretrainOptions, TokenizerOptions, UnlabeledOptions
from .output_folder import clear, find_checkpoint, refuse_overwrite, write_json
from .provenance import PRETRAINING_NAME, as_record
from .trainer import RecurrentTrainer


@dataclass(frozen=True)
class PretrainResult:
    """What a pretraining run leaves.

    Attributes:
        folder: The language model with its tokenizer and results.
        loss: Mean cross-entropy of a token of the held-out texts, in nats, over the whole vocabulary. It is Trainer's
            mean over batches of texts of like length, in which a short text counts as much as a long one.
        perplexity: Its exponential.
        seconds: How long training took, without tokenizing.
    """

    folder: Path
    loss: float
    perplexity: float
    seconds: float


def pretrain(
    model_args: ModelOptions,
    tokenizer_args: TokenizerOptions,
    unlabeled_args: UnlabeledOptions,
    training_args: PretrainOptions,
) -> PretrainResult:
    """Train a language model on text without labels, and leave it in `training_args.output_dir`.

    The text is read as a stream and kept as ids in a file of the `datasets` cache, so it may be of any size.

    Args:
        model_args: The network; a bidirectional one is made of separate directions.
        tokenizer_args: How texts become ids; the vocabulary is built from the text.
        unlabeled_args: The text.
        training_args: Everything else.

    Returns:
        The folder and the figures.

    Raises:
        OSError: If the folder already holds a model, there is nothing to resume, or a file can't be read or written.
        ValueError: If the text can't be used, or options contradict each other.
        KeyboardInterrupt: If the run was interrupted; the message says how to resume it.
    """
    if model_args.model_type == "ngram":
        raise ValueError("a language model is a recurrent network: --model_type can be lstm, gru or rnn here")
    folder = Path(training_args.output_dir)
    checkpoint = find_checkpoint(folder, training_args)
    if checkpoint is None:
        refuse_overwrite(folder, training_args)
    if unlabeled_args.unlabeled is None:
        raise ValueError("a language model learns from text without labels: name a file of it with --unlabeled")
    text = open_unlabeled(
        unlabeled_args.unlabeled, unlabeled_args.unlabeled_column, unlabeled_args.max_unlabeled_samples
    )
    with training_args.main_process_first(desc="reading and tokenizing"):
        tokenizer = tokenizer_args.to_tokenizer().train_new_from_iterator(
            text, vocab_size=tokenizer_args.vocab_size, min_frequency=tokenizer_args.min_frequency
        )
        rows = tokenize(text, tokenizer)
    held_out = min(training_args.max_eval_samples, len(rows) // 10)
    if not held_out:
        raise ValueError(f"{text.path}: {len(rows)} texts of two tokens and more are too few to train on")
    splits = rows.train_test_split(test_size=held_out, seed=training_args.seed)
    config = model_args.to_config(vocab_size=len(tokenizer), pad_token_id=tokenizer.pad_token_id)
    config.separate_directions = True
    if checkpoint is None and training_args.should_save:
        clear(folder)

    set_seed(training_args.seed)
    training_args.label_names = []  # the text is its own label
    training_args.prediction_loss_only = True
    trainer = RecurrentTrainer(
        model=AutoModelForPreTraining.from_config(config),
        args=training_args,
        train_dataset=splits["train"],
        eval_dataset=splits["test"],
        processing_class=tokenizer,
        data_collator=DataCollatorWithPadding(tokenizer),
    )
    trained = trainer.fit(checkpoint)
    metrics = trainer.evaluate()
    metrics["eval_perplexity"] = exp(metrics["eval_loss"])
    if trainer.is_world_process_zero():
        record = {
            "unlabeled": as_record(text.file),
            "texts": len(splits["train"]),
            "held_out_texts": len(splits["test"]),
            "loss": metrics["eval_loss"],
            "perplexity": metrics["eval_perplexity"],
            "seconds": trained.metrics["train_runtime"],
        }
        write_json(folder / PRETRAINING_NAME, record)
    trainer.save_metrics("train", trained.metrics)
    trainer.save_metrics("eval", metrics)
    trainer.save_state()
    trainer.save_model()
    return PretrainResult(folder, metrics["eval_loss"], metrics["eval_perplexity"], trained.metrics["train_runtime"])


def tokenize(text: UnlabeledText, tokenizer: PreTrainedTokenizerBase) -> datasets.Dataset:
    """Turn texts into rows of `input_ids`, kept in a file; those of fewer than two tokens are left out.

    Args:
        text: The texts.
        tokenizer: The tokenizer, whose `model_max_length` cuts long texts.

    Raises:
        FileError: If a row of the text can't be read.
        ValueError: If no text has two tokens.
    """
    if next(_tokenized(text, tokenizer), None) is None:
        raise ValueError(f"{text.path}: no text has two tokens, so there is none to predict")
    features = datasets.Features({"input_ids": datasets.List(datasets.Value("int32"))})
    return generate(_tokenized, features, files=[text.path], text=text, tokenizer=tokenizer)


def _tokenized(text: UnlabeledText, tokenizer: PreTrainedTokenizerBase) -> Iterator[dict[str, list[int]]]:
    for batch in batched(text, 1000):
        for input_ids in tokenizer(batch, truncation=True, return_attention_mask=False)["input_ids"]:
            if len(input_ids) > 1:
                yield {"input_ids": input_ids}
