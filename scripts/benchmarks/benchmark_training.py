#!/usr/bin/env python3
"""Measure an epoch of `okt-lstm train` against the textbook loop, and print a report in Markdown.

    python scripts/benchmarks/benchmark_training.py --data_dir NSMC
    python scripts/benchmarks/benchmark_training.py --data_dir NSMC --rows 20000 --runs 3

The textbook loop is what tutorials teach: every row padded to 64 ids, a TensorDataset, `nn.LSTM` over the padding. Both
train the same network (embeddings 128, two bidirectional layers of 64, dropout 0.5, RMSprop) on the same ids with the
same batch size and number of threads. They run in turns, so that a busy machine slows both. The time of `okt-lstm
train` includes Trainer's own overhead. Neither includes tokenization.
"""

import argparse
import importlib.metadata
import statistics
import tempfile
import time
from collections.abc import Mapping
from typing import Any

import torch
from benchmark_okt import machine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from transformers import AutoTokenizer, set_seed

from okt_lstm.data.options import DataOptions
from okt_lstm.data.splits import load_splits
from okt_lstm.training.parts import TrainParts, build
from okt_lstm.training.train import train
from oktane import available_cores

PADDED_LENGTH = 64


class TextbookClassifier(nn.Module):
    """The network as tutorials write it."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 128, padding_idx=0)
        self.lstm = nn.LSTM(128, 64, num_layers=2, batch_first=True, bidirectional=True, dropout=0.5)
        self.dropout = nn.Dropout(0.5)
        self.classifier = nn.Linear(2 * 64, 2)

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        """Map ids, `(batch, 64)`, to logits, `(batch, 2)`."""
        _, (hidden, _) = self.lstm(self.embedding(input_ids))  # hidden: (layers * directions, batch, 64)
        return self.classifier(self.dropout(torch.cat([hidden[-2], hidden[-1]], dim=-1)))


def textbook_epoch(input_ids: torch.Tensor, labels: torch.Tensor, vocab_size: int, batch_size: int) -> float:
    """Train an epoch of the textbook loop, and return the seconds it took."""
    set_seed(42)
    model = TextbookClassifier(vocab_size).train()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    loss_function = nn.CrossEntropyLoss()
    batches = DataLoader(TensorDataset(input_ids, labels), batch_size=batch_size, shuffle=True)
    start = time.perf_counter()
    for batch_ids, batch_labels in batches:
        optimizer.zero_grad()
        loss_function(model(batch_ids), batch_labels).backward()
        optimizer.step()
    return time.perf_counter() - start


def trainer_epoch(options: Mapping[str, Any], folder: str) -> float:
    """Train an epoch as `okt-lstm train` does, and return the seconds that Trainer took for it."""
    once = {"num_train_epochs": 1, "eval_strategy": "no", "save_strategy": "no", "load_best_model_at_end": False}
    output = {"output_dir": folder, "overwrite_output_dir": True, "disable_tqdm": True, "report_to": "none"}
    return train(build(TrainParts, {**options, **once, **output})).metrics["train_runtime"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="nsmc")
    parser.add_argument("--data_dir", help="folder of ratings_train.txt and ratings_test.txt")
    parser.add_argument("--rows", type=int, help="training rows of an epoch (default: all)")
    parser.add_argument("--batch_size", type=int, default=128)
    parser.add_argument("--threads", type=int, default=available_cores())
    parser.add_argument("--runs", type=int, default=3, help="pairs of epochs")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    data = {"dataset": options.dataset, "max_predict_samples": 100}
    data |= {"data_dir": options.data_dir} if options.data_dir else {}
    data |= {"max_train_samples": options.rows} if options.rows else {}
    run = {**data, "per_device_train_batch_size": options.batch_size, "use_cpu": True}
    with tempfile.TemporaryDirectory() as folder:
        # The first epoch warms up, and leaves the tokenizer.
        trainer_epoch(run, folder)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        rows = load_splits(DataOptions(**data)).datasets["train"]
        texts = rows["text"][:]
        padded = tokenizer(texts, padding="max_length", truncation=True, max_length=PADDED_LENGTH, return_tensors="pt")
        labels = torch.tensor(rows["label"][:])
        pairs = []
        for _ in range(options.runs):
            textbook = textbook_epoch(padded["input_ids"], labels, len(tokenizer), options.batch_size)
            pairs.append((textbook, trainer_epoch(run, folder)))

    lengths = [len(ids) for ids in tokenizer(texts)["input_ids"]]
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("okt-lstm", "torch", "transformers")]
    print(
        f"\n{len(rows):,} rows of {options.dataset} with {statistics.mean(lengths):.1f} tokens on average; batches of"
    )
    print(f"{options.batch_size}; vocabulary {len(tokenizer):,}; {options.threads} threads.")
    print(f"{machine()}; {', '.join(versions)}.\n")
    print("| run | textbook loop, s | okt-lstm train, s | times faster |\n| --- | --- | --- | --- |")
    for run, (textbook, trainer) in enumerate(pairs, 1):
        print(f"| {run} | {textbook:.1f} | {trainer:.1f} | {textbook / trainer:.2f} |")
    medians = [statistics.median(column) for column in zip(*pairs, strict=True)]
    ratio = statistics.median(textbook / trainer for textbook, trainer in pairs)
    print(f"| median | {medians[0]:.1f} | {medians[1]:.1f} | **{ratio:.2f}** |")


if __name__ == "__main__":
    main()
