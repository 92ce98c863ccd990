#!/usr/bin/env python3
"""Measure language models on texts that they have not read: perplexity beside n-grams, and gaps filled from each side.

    pip install nltk
    cut -f2 nsmc/ratings_train.txt | sed 1d | head -50000 > train.txt
    cut -f2 nsmc/ratings_test.txt | sed 1d | head -5000 > test.txt
    okt-lstm pretrain --unlabeled train.txt --direction forward --subword bpe --output_dir writer
    okt-lstm pretrain --unlabeled train.txt --mask_token '<mask>' --subword bpe --output_dir filler
    python scripts/benchmarks/benchmark_language_models.py --train train.txt --texts test.txt --writer writer
    python scripts/benchmarks/benchmark_language_models.py --texts test.txt --filler filler

The writer and the n-gram model read the same tokens of the same texts and predict each token of the held-out texts and
their ends. Gaps: each token of a text is left out in turn, and is predicted from what stands before it, from what
stands after it, and from both. Choose --order and --discount on texts that are not those of the test.
"""

import argparse
import itertools
import math
import sys
from collections import defaultdict
from collections.abc import Iterator

import torch
from torch.nn import functional as F  # noqa: N812
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoTokenizer,
    DataCollatorWithPadding,
    PreTrainedTokenizerBase,
    logging,
)

import okt_lstm  # noqa: F401
from okt_lstm.data.unlabeled import open_unlabeled

Texts = list[list[int]]


def batches(texts: Texts, collate: DataCollatorWithPadding) -> Iterator[dict[str, torch.Tensor]]:
    """Yield texts of similar length as tensors, `(batch, time)`."""
    by_length = sorted(texts, key=len)
    for start in range(0, len(by_length), 64):
        yield collate([{"input_ids": ids} for ids in by_length[start : start + 64]])


@torch.inference_mode()
def network_perplexity(model: torch.nn.Module, texts: Texts, collate: DataCollatorWithPadding) -> float:
    """Return the perplexity of a network that predicts the next token, over the whole vocabulary."""
    loss, count = 0.0, 0
    for batch in batches(texts, collate):
        labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)[:, 1:]  # (batch, time - 1)
        logits = model(**batch).logits[:, :-1]  # (batch, time - 1, vocab_size)
        loss += F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum").item()
        count += int((labels >= 0).sum())
    return math.exp(loss / count)


@torch.inference_mode()
def gap_accuracies(folder: str, texts: Texts, collate: DataCollatorWithPadding) -> dict[str, tuple[float, float]]:
    """Return, for each side and for both, how often the missing token is the first guess, and one of five, in percent.

    The texts have two tokens and more.
    """
    both = AutoModelForMaskedLM.from_pretrained(folder).eval()
    forward = AutoModelForMaskedLM.from_pretrained(folder, bidirectional=False).eval()
    right: dict[str, torch.Tensor] = defaultdict(lambda: torch.zeros(2))
    count = 0
    for batch in batches(texts, collate):
        is_token = batch["attention_mask"].bool()  # (batch, time)
        targets = batch["input_ids"][is_token].unsqueeze(1)  # (tokens, 1)
        of_both, before = (model(**batch).logits[is_token] for model in (both, forward))  # (tokens, vocab_size)
        # Both directions have the bias of the output layer once.
        after = of_both - before + both.output_bias  # (tokens, vocab_size)
        for name, logits in (("what stands before", before), ("what stands after", after), ("both", of_both)):
            hits = logits.topk(5).indices == targets  # (tokens, 5)
            right[name] += torch.stack([hits[:, 0].sum(), hits.sum()])
        count += len(targets)
    return {name: tuple((100 * hits / count).tolist()) for name, hits in right.items()}


def read(path: str, tokenizer: PreTrainedTokenizerBase) -> Texts:
    """Return the texts of a file as ids, each with the token that ends it if the tokenizer has one."""
    ids = tokenizer(list(open_unlabeled(path)), truncation=True)["input_ids"]
    end = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    return [row + end for row in ids if len(row + end) > 1]


def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", required=True, metavar="FILE", help="held-out texts, one a line")
    parser.add_argument(
        "--train", metavar="FILE", help="the texts that the writer was trained on, for the n-gram model"
    )
    parser.add_argument("--writer", metavar="FOLDER", help="what `okt-lstm pretrain --direction forward` left")
    parser.add_argument("--filler", metavar="FOLDER", help="what `okt-lstm pretrain --mask_token ...` left")
    parser.add_argument("--order", type=int, nargs="+", default=[4], help="lengths of the longest n-grams to try")
    parser.add_argument("--discount", type=float, nargs="+", default=[0.8], help="discounts to try")
    options = parser.parse_args()
    logging.set_verbosity_error()
    if options.writer:
        tokenizer = AutoTokenizer.from_pretrained(options.writer)
        held_out = read(options.texts, tokenizer)
        print(f"{len(held_out):,} texts, {sum(len(ids) - 1 for ids in held_out):,} predictions\n")
        print("| model | perplexity |\n| --- | ---: |")
        if options.train:
            # Only here: without --train, nltk need not be there.
            from kneser_ney import ngram_perplexity

            train = read(options.train, tokenizer)
            for order, discount in itertools.product(options.order, options.discount):
                perplexity = ngram_perplexity(train, held_out, order, discount, len(tokenizer))
                print(f"| {order}-grams, Kneser-Ney, discount {discount} | {perplexity:.1f} |", flush=True)
        model = AutoModelForCausalLM.from_pretrained(options.writer).eval()
        perplexity = network_perplexity(model, held_out, DataCollatorWithPadding(tokenizer))
        print(f"| {model.config.network} | {perplexity:.1f} |\n")
    if options.filler:
        tokenizer = AutoTokenizer.from_pretrained(options.filler)
        texts = read(options.texts, tokenizer)
        print(f"{len(texts):,} texts, {sum(map(len, texts)):,} gaps\n")
        print("| predicted from | first guess, % | one of five, % |\n| --- | ---: | ---: |")
        for name, (first, five) in gap_accuracies(options.filler, texts, DataCollatorWithPadding(tokenizer)).items():
            print(f"| {name} | {first:.1f} | {five:.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
