"""From unlabeled text to a language model: to start a classifier from, to generate text, or to fill gaps."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from math import exp
from pathlib import Path

import datasets
from huggingface_hub import ModelCard
from tokenizers.processors import TemplateProcessing
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForPreTraining,
    DataCollatorWithPadding,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    set_seed,
)

from oktane import chunks
from oktane.lines import counted

from ..atomic import write_json
from ..data.cache import generate
from ..data.unlabeled import UnlabeledText
from ..reports.language_model_card import TrainedLanguageModel, build_language_model_card
from .output_folder import begin_at, start_run
from .parts import PretrainParts
from .provenance import PRETRAINING_NAME, as_record
from .run_options import PretrainOptions
from .trainer import RecurrentTrainer

_BEGIN, _END = "<bos>", "<eos>"


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
    is_forward = training.direction == "forward"
    if is_forward and options.model.bidirectional:
        raise ValueError("--direction forward reads from left to right: leave out --bidirectional, or pass false")
    if is_forward and training.mask_token is not None:
        raise ValueError("a gap is filled from both sides: --mask_token goes with --direction both")
    folder, checkpoint = begin_at(training)
    text = options.unlabeled.open("a language model", options.tables)
    with training.main_process_first(desc="reading and tokenizing"):
        tokenizer = _train_tokenizer(options, text)
        splits = _split(tokenize(text, tokenizer), text, training)
    config = options.model.to_config(
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    config.separate_directions = not is_forward
    config.bidirectional = config.bidirectional and not is_forward
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
    if is_forward or training.mask_token is not None:
        trainer.model = _with_head(trainer.model, tokenizer)
    result = PretrainResult(folder, metrics["eval_loss"], metrics["eval_perplexity"], trained.metrics["train_runtime"])
    if trainer.is_world_process_zero():
        trainer.card = _card(options, trainer.model, text, splits, result)
        trainer.create_model_card()
    trainer.save_model()
    return result


def _card(
    options: PretrainParts,
    model: PreTrainedModel,
    text: UnlabeledText,
    splits: datasets.DatasetDict,
    result: PretrainResult,
) -> ModelCard:
    """Return the card of what was trained."""
    training, config = options.training, model.config
    network = {name: getattr(config, name) for name in asdict(options.model) if hasattr(config, name)}
    for name in ("pooling", "classifier_dropout"):
        network.pop(name, None)
    return build_language_model_card(
        TrainedLanguageModel(
            name=training.hub_model_id or result.folder.resolve().name,
            license=training.license,
            architecture=type(model).__name__,
            network=config.network,
            num_parameters=model.num_parameters(),
            mask_token=training.mask_token,
            file=text.file,
            num_texts=len(splits["train"]),
            num_held_out=len(splits["test"]),
            perplexity=result.perplexity,
            hyperparameters={
                **network,
                **options.tokenizer.for_card(),
                **training.for_card(),
                "seed": training.seed,
            },
            seconds=result.seconds,
        )
    )


def _train_tokenizer(options: PretrainParts, text: UnlabeledText) -> PreTrainedTokenizerBase:
    """Return a tokenizer whose vocabulary is built from the text, with the special tokens that the model needs."""
    if options.training.mask_token is not None:
        return options.tokenizer.train(text, mask_token=options.training.mask_token)
    if options.training.direction == "both":
        return options.tokenizer.train(text)
    # With a mark, what is generated has its spaces.
    marked = replace(options.tokenizer, word_mark=options.tokenizer.word_mark or "▁")
    tokenizer = marked.train(text, bos_token=_BEGIN, eos_token=_END)
    begin = [(_BEGIN, tokenizer.bos_token_id)]
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(f"{_BEGIN} $A", f"{_BEGIN} $A $B", begin)
    return tokenizer


def _with_head(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """Return a language model as one that fills gaps, or as one that generates text. The weights are the same."""
    auto = AutoModelForMaskedLM if tokenizer.mask_token is not None else AutoModelForCausalLM
    # Trainer switches it off for the time of training.
    model.config.use_cache = True
    result = auto.from_config(model.config)
    result.load_state_dict(model.state_dict())
    if result.can_generate():
        # What no text has.
        result.generation_config.suppress_tokens = [
            tokenizer.pad_token_id,
            tokenizer.unk_token_id,
            tokenizer.bos_token_id,
        ]
    return result


def _split(rows: datasets.Dataset, text: UnlabeledText, training: PretrainOptions) -> datasets.DatasetDict:
    """Hold out rows for evaluation, as the split `test`."""
    held_out = min(training.max_eval_samples, len(rows) // 10)
    if not held_out:
        raise ValueError(f"{text.name}: {counted(len(rows), 'text')} of two tokens and more: too few to train on")
    return rows.train_test_split(test_size=held_out, seed=training.seed)


def tokenize(text: UnlabeledText, tokenizer: PreTrainedTokenizerBase) -> datasets.Dataset:
    """Return texts as rows of `input_ids`, kept in a file. Texts of fewer than two tokens are left out.

    Args:
        text: The texts.
        tokenizer: The tokenizer, whose `model_max_length` cuts long texts. If it has an `eos_token`, that ends each
            text that is not cut.

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
            if len(input_ids) <= 1:
                continue
            if tokenizer.eos_token_id is not None and len(input_ids) < tokenizer.model_max_length:
                input_ids.append(tokenizer.eos_token_id)
            yield {"input_ids": input_ids}
