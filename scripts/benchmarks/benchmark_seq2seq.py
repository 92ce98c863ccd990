#!/usr/bin/env python3
"""Train sequence-to-sequence models on pairs of texts, and measure them alone and as an ensemble.

    python benchmark_seq2seq.py g2p G2P --seeds 1 2 3                    # Hangul to sounds (IPA), split by spaces
    python benchmark_seq2seq.py transliteration NAMES                    # foreign names to Hangul

The folder holds `train.csv`, `validation.csv` and `test.csv` with the columns `text` and `target`. The data are
SIGMORPHON 2021, task 1, Korean (medium), and korean-go of muik/transliteration. The test set is read with `--test`
alone. It prints the word error rate, the share of texts that are not written exactly like their target, and
the character error rate: the edit distance to the targets by their length, in sounds or syllables.
"""

import argparse
import csv
import sys
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import NamedTuple

import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers
from transformers import (
    DataCollatorForSeq2Seq,
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedTokenizerFast,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    set_seed,
)

from okt_lstm import LSTMConfig, LSTMForSeq2SeqLM
from okt_lstm.reports.model_card import table

SPECIAL = ["<pad>", "<bos>", "<eos>", "<unk>"]
# A letter with its marks, or two letters under a tie: `a̠`, `t͡ɕ͈`, `sʰ`, a jamo of Hangul.
SYMBOL = Regex(r"(?:.\x{0361})?.[\p{M}\p{Lm}]*")


class Pair(NamedTuple):
    """A text and what it has to become."""

    text: str
    target: str


class Task(NamedTuple):
    """What is to be learned.

    Attributes:
        keep_spaces: Whether a space of a text is a symbol. Between sounds it only separates.
        join: How symbols become a target again.
        units: How a target is cut to count character errors.
    """

    keep_spaces: bool
    join: Callable[[list[str]], str]
    units: Callable[[str], Sequence[str]]


TASKS = {
    "g2p": Task(False, " ".join, str.split),
    "transliteration": Task(
        True, lambda symbols: unicodedata.normalize("NFC", "".join(symbols)).replace("▁", " "), list
    ),
}


def read_pairs(path: Path) -> list[Pair]:
    """Read a file with the columns `text` and `target`."""
    with path.open(encoding="utf-8", newline="") as file:
        return [Pair(row["text"], unicodedata.normalize("NFD", row["target"])) for row in csv.DictReader(file)]


def make_tokenizer(pairs: list[Pair], task: Task) -> PreTrainedTokenizerFast:
    """Return a tokenizer whose tokens are the symbols of the texts and targets. Hangul is taken apart into its jamo."""
    tokenizer = Tokenizer(models.WordLevel(dict(zip(SPECIAL, range(4), strict=True)), unk_token="<unk>"))
    marked = [normalizers.Replace(" ", "▁")] if task.keep_spaces else []
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFD(), *marked])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(SYMBOL, "isolated")]
    )
    symbols: dict[str, int] = {}
    for pair in pairs:
        for text in pair:
            for symbol, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text)):
                symbols[symbol] = symbols.get(symbol, 0) + 1
    vocabulary = [*SPECIAL, *sorted(symbol for symbol, count in symbols.items() if count > 1)]
    tokenizer.model = models.WordLevel({symbol: i for i, symbol in enumerate(vocabulary)}, unk_token="<unk>")
    named = dict(zip(["pad_token", "bos_token", "eos_token", "unk_token"], SPECIAL, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named)


def encode(pairs: list[Pair], tokenizer: PreTrainedTokenizerFast) -> list[dict[str, list[int]]]:
    """Return rows of `input_ids`, between the marks of begin and end, and of `labels`, which end with a mark."""
    begin, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    sources = tokenizer([pair.text for pair in pairs])["input_ids"]
    targets = tokenizer([pair.target for pair in pairs])["input_ids"]
    return [
        {"input_ids": [begin, *source, end], "labels": [*target, end]}
        for source, target in zip(sources, targets, strict=True)
    ]


class Together(LogitsProcessor):
    """Averages the predictions of several models while one of them generates.

    Args:
        others: The other models.
        input_ids: The sources, `(batch, source)`.
        attention_mask: 1 for a token of them and 0 for padding, `(batch, source)`.
        num_beams: Number of beams of a source.
    """

    def __init__(
        self, others: list[LSTMForSeq2SeqLM], input_ids: torch.Tensor, attention_mask: torch.Tensor, num_beams: int
    ) -> None:
        self.mask = attention_mask.repeat_interleave(num_beams, dim=0)
        encoded = [model.get_encoder()(input_ids, attention_mask=attention_mask) for model in others]
        for outputs in encoded:
            for name, states in outputs.items():
                outputs[name] = states.repeat_interleave(num_beams, dim=0)
        self.others = list(zip(others, encoded, strict=True))

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return the mean of the log-probabilities, `(batch * beams, vocab_size)`."""
        all_scores = [scores.log_softmax(-1)]
        for model, outputs in self.others:
            step = model(
                encoder_outputs=outputs, attention_mask=self.mask, decoder_input_ids=input_ids, use_cache=False
            )
            all_scores.append(step.logits[:, -1].log_softmax(-1))
        return torch.stack(all_scores).mean(0)


@torch.no_grad()
def generate(
    ensemble: list[LSTMForSeq2SeqLM], pairs: list[Pair], tokenizer: PreTrainedTokenizerFast, task: Task, num_beams: int
) -> list[str]:
    """Return what the models write together for the texts."""
    collate = DataCollatorForSeq2Seq(tokenizer)
    written: list[str] = []
    for start in range(0, len(pairs), 250):
        batch = collate(encode(pairs[start : start + 250], tokenizer)).to(ensemble[0].device)
        inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
        together = LogitsProcessorList([Together(ensemble[1:], **inputs, num_beams=num_beams)])
        ids = ensemble[0].generate(**inputs, num_beams=num_beams, max_new_tokens=80, logits_processor=together)
        rows = [tokenizer.convert_ids_to_tokens(row, skip_special_tokens=True) for row in ids.tolist()]
        written += [task.join(row) for row in rows]
    return written


def distance(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the edit distance (Levenshtein) of two sequences."""
    row = list(range(len(second) + 1))
    for i, left in enumerate(first, 1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(second, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
    return row[-1]


def measure(written: list[str], pairs: list[Pair], task: Task) -> dict[str, float]:
    """Return the word error rate and the character error rate, in percent."""
    targets = [
        task.join(pair.target.split(" ")) if not task.keep_spaces else unicodedata.normalize("NFC", pair.target)
        for pair in pairs
    ]
    wrong = sum(text != target for text, target in zip(written, targets, strict=True))
    edits = sum(distance(task.units(a), task.units(b)) for a, b in zip(written, targets, strict=True))
    return {
        "word_error_rate": 100 * wrong / len(pairs),
        "character_error_rate": 100 * edits / sum(len(task.units(target)) for target in targets),
    }


def as_table(result: Mapping[tuple[str, str], Mapping[str, float]]) -> str:
    """Return the error rates of each model on each split as a table in Markdown."""
    rows = [
        [*names, f"{row['word_error_rate']:.2f}", f"{row['character_error_rate']:.2f}"] for names, row in result.items()
    ]
    return table(["split", "model", "word error rate, %", "character error rate, %"], rows)


def train(
    rows: list[dict[str, list[int]]], tokenizer: PreTrainedTokenizerFast, options: argparse.Namespace, seed: int
) -> LSTMForSeq2SeqLM:
    """Train a model, or load the one that an earlier run left for this seed."""
    folder = options.output_dir / f"seed-{seed}"
    if (folder / "model.safetensors").exists():
        return LSTMForSeq2SeqLM.from_pretrained(folder).eval()
    set_seed(seed)
    config = LSTMConfig(
        vocab_size=len(tokenizer),
        embedding_size=options.embedding_size,
        hidden_size=options.hidden_size,
        num_hidden_layers=options.num_hidden_layers,
        attention=options.attention,
        embedding_dropout=options.dropout,
        hidden_dropout=options.dropout,
        initializer_range=0.1,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.bos_token_id,
    )
    model = LSTMForSeq2SeqLM(config)
    arguments = Seq2SeqTrainingArguments(
        output_dir=str(folder),
        num_train_epochs=options.epochs,
        per_device_train_batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        train_sampling_strategy="group_by_length",
        lr_scheduler_type="cosine",
        bf16=options.bf16,
        warmup_steps=200,
        weight_decay=0.01,
        label_smoothing_factor=0.1,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        seed=seed,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
    )
    collate = DataCollatorForSeq2Seq(tokenizer, model=model)
    Seq2SeqTrainer(model=model, args=arguments, train_dataset=rows, data_collator=collate).train()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model.eval()


def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=list(TASKS))
    parser.add_argument("data", type=Path, help="the folder of train.csv, validation.csv and test.csv")
    parser.add_argument("--output_dir", type=Path, default=Path("seq2seq"), help="where the models go")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="train a model for each of these seeds")
    parser.add_argument("--test", action="store_true", help="measure on the test set, too")
    parser.add_argument("--num_beams", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batch_size", type=int, default=32)
    parser.add_argument("--learning_rate", type=float, default=1e-3)
    parser.add_argument("--embedding_size", type=int, default=128)
    parser.add_argument("--hidden_size", type=int, default=256)
    parser.add_argument("--num_hidden_layers", type=int, default=2)
    parser.add_argument("--dropout", type=float, default=0.4)
    parser.add_argument("--bf16", action="store_true", help="train in mixed precision")
    parser.add_argument("--attention", choices=["dot", "additive", "none"], default="dot")
    options = parser.parse_args()
    task = TASKS[options.task]
    pairs = {name: read_pairs(options.data / f"{name}.csv") for name in ("train", "validation")}
    tokenizer = make_tokenizer(pairs["train"], task)
    rows = encode(pairs["train"], tokenizer)
    start = time.process_time()
    # Trainer prints what it logs.
    with redirect_stdout(sys.stderr):
        ensemble = [train(rows, tokenizer, options, seed) for seed in options.seeds]
    seconds = time.process_time() - start
    result: dict[tuple[str, str], dict[str, float]] = {}
    splits = ["validation", "test"] if options.test else ["validation"]
    for split in splits:
        pairs[split] = read_pairs(options.data / f"{split}.csv")
        for seed, model in zip(options.seeds, ensemble, strict=True):
            alone = generate([model], pairs[split], tokenizer, task, options.num_beams)
            result[split, f"seed {seed}"] = measure(alone, pairs[split], task)
        if len(ensemble) > 1:
            together = generate(ensemble, pairs[split], tokenizer, task, options.num_beams)
            result[split, "together"] = measure(together, pairs[split], task)
    print(f"{ensemble[0].num_parameters():,} weights a model; trained in {seconds:,.0f} s\n")
    print(as_table(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
