"""From unlabeled text to a language model, whose encoder a classifier starts from."""

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

from oktane import chunks

from ..atomic import write_json
from ..data.cache import generate
from ..data.unlabeled import UnlabeledText
from .output_folder import begin_at, start_run
from .parts import PretrainParts
from .provenance import PRETRAINING_NAME, as_record
from .run_options import PretrainOptions
from .trainer import RecurrentTrainer


@dataclass(frozen=True)
class PretrainResult:
    """What a pretraining run leaves.

    Attributes:
        folder: The language model with its tokenizer and results.
        loss: Mean cross-entropy per token of the held-out texts, in nats, over the whole vocabulary. It is Trainer's
            mean over batches of texts of similar length, in which a short text counts as much as a long one.
        perplexity: Exponential of the loss.
        seconds: How long training took, without tokenizing.
    """

    folder: Path
    loss: float
    perplexity: float
    seconds: float


def pretrain(options: PretrainParts) -> PretrainResult:
    """Train a language model on unlabeled text, and leave it in `options.training.output_dir`.

    The text is read as a stream and kept as ids in a file of the `datasets` cache, so it may be of any size.

    Args:
        options: The network, where a bidirectional one is made of separate directions; the tokenizer, whose vocabulary
            is built from the text; the text; and the training. See `okt_lstm.training.parts.build`.

    Returns:
        The folder and the figures.

    Raises:
        OSError: If the folder already holds a model, there is nothing to resume, or a file can't be read or written.
        ValueError: If the text can't be used, or options contradict each other.
        KeyboardInterrupt: If the run was interrupted; the message says how to resume it.
    """
    training = options.training
    if options.model.model_type == "ngram":
        raise ValueError("a language model is a recurrent network: --model_type can be lstm, gru or rnn here")
    folder, checkpoint = begin_at(training)
    text = options.unlabeled.open("a language model", options.tables)
    with training.main_process_first(desc="reading and tokenizing"):
        tokenizer = options.tokenizer.train(text)
        splits = _split(tokenize(text, tokenizer), text, training)
    config = options.model.to_config(vocab_size=len(tokenizer), pad_token_id=tokenizer.pad_token_id)
    config.separate_directions = True
    if training.should_save:
        start_run(folder, resumed=checkpoint is not None)

    set_seed(training.seed)
    # The text is its own label.
    training.label_names = []
    training.prediction_loss_only = True
    trainer = RecurrentTrainer(
        model=AutoModelForPreTraining.from_config(config),
        args=training,
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


def _split(rows: datasets.Dataset, text: UnlabeledText, training: PretrainOptions) -> datasets.DatasetDict:
    """Hold out rows for evaluation, as the split `test`."""
    held_out = min(training.max_eval_samples, len(rows) // 10)
    if not held_out:
        raise ValueError(f"{text.name}: {len(rows)} texts of two tokens and more are too few to train on")
    return rows.train_test_split(test_size=held_out, seed=training.seed)


def tokenize(text: UnlabeledText, tokenizer: PreTrainedTokenizerBase) -> datasets.Dataset:
    """Return texts as rows of `input_ids`, kept in a file. Texts of fewer than two tokens are left out.

    Args:
        text: The texts.
        tokenizer: The tokenizer, whose `model_max_length` cuts long texts.

    Raises:
        FileError: If a row of the text can't be read.
        ValueError: If no text has two tokens.
    """
    if next(_tokenized(text, tokenizer), None) is None:
        raise ValueError(f"{text.name}: no text has two tokens, so there is nothing to predict")
    features = datasets.Features({"input_ids": datasets.List(datasets.Value("int32"))})
    return generate(_tokenized, features, files=text.paths, text=text, tokenizer=tokenizer)


def _tokenized(text: UnlabeledText, tokenizer: PreTrainedTokenizerBase) -> Iterator[dict[str, list[int]]]:
    for batch in chunks(text, 1000):
        for input_ids in tokenizer(batch, truncation=True, return_attention_mask=False)["input_ids"]:
            if len(input_ids) > 1:
                yield {"input_ids": input_ids}
