#!/usr/bin/env python3
"""Compare the logits and labels of oktane's engine with torch's, for all kernels of this processor.

    # the bundled model, or with --model another one; one text per line
    python scripts/benchmarks/engine_parity.py reviews.txt more.txt.xz
    # tab-separated with a header line
    python scripts/benchmarks/engine_parity.py --column document ratings_train.txt ratings_test.txt
    # random models: every option that the engine runs, with texts that are hard to analyze
    python scripts/benchmarks/engine_parity.py --random_models

Files may be compressed (.xz, .gz). The report is a table in Markdown. Below it are the texts whose labels differ, with
torch's margin: how far torch's logits are from giving another label. A label may differ only where the margin is at
most --tolerance. Random recurrences without gates can magnify rounding errors, torch's as well as the engine's. So a
random model's logits are within tolerance if they differ from torch's by at most --tolerance, or from logits in double
precision by at most ten times as much as torch's do. The exit code is 0 if all labels and logits are so, 1 if not, 2 if
the input can't be read. Ctrl-C ends it with a report of what was compared.
"""

import argparse
import itertools
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from benchmark_okt import machine
from numpy.typing import NDArray
from okt_parity import hostile_texts, read_texts
from transformers.utils import logging

import okt_lstm
import oktane
from okt_lstm.inference.classifier import Classifier
from oktane import _engine
from oktane.folders import released_model

# The random models are those of oktane's tests, which try a few options at a time.
sys.path.append(str(Path(__file__).parents[2] / "oktane" / "tests"))
from trained_folders import random_model

CHUNK_SIZE = 4096
# Logits of hundreds, which random models have, can't be within 0.0001 in single precision.
RELATIVE_TOLERANCE = 3e-6


@dataclass
class Comparison:
    """What was found for a group of models on one set of kernels.

    Attributes:
        models: Number of models.
        texts: Number of texts, over all models.
        difference: The largest difference between two logits.
        logit: The largest logit of torch.
        magnified: Number of texts with a logit farther from torch's than the tolerance, where `exact` logits decide.
        beyond: Number of texts with a logit that is out of tolerance.
        differing: Model, text and torch's margin where the label differs.
    """

    models: int = 0
    texts: int = 0
    difference: float = 0.0
    logit: float = 0.0
    magnified: int = 0
    beyond: int = 0
    differing: list[tuple[str, str, float]] = field(default_factory=list)

    def add(
        self,
        model: str,
        texts: Sequence[str],
        found: NDArray[np.float32],
        expected: NDArray[np.float32],
        problem_type: str,
        tolerance: float,
        exact: NDArray[np.float32] | None = None,
    ) -> None:
        """Add the logits of some texts, `(texts, labels)`; `exact` ones come from double precision."""
        differences = np.abs(found - expected)
        self.texts += len(texts)
        self.difference = max(self.difference, float(differences.max()))
        self.logit = max(self.logit, float(np.abs(expected).max()))
        # Written so that a NaN is out of tolerance.
        near = differences <= np.maximum(tolerance, RELATIVE_TOLERANCE * np.abs(expected))
        if exact is not None:
            magnified = ~near.all(axis=1)
            self.magnified += int(magnified.sum())
            near |= np.abs(found - exact) <= 10 * np.abs(expected - exact)
        self.beyond += int((~near.all(axis=1)).sum())
        if problem_type == "regression":
            return
        ours, _ = decide(found, problem_type)
        theirs, margins = decide(expected, problem_type)
        for row in np.flatnonzero((ours != theirs).any(axis=1)):
            margin = float(margins[row][ours[row] != theirs[row]].max())
            self.differing.append((model, texts[row], margin))

    def passed(self, tolerance: float) -> bool:
        """Return whether all logits are within tolerance, and all labels equal that are no tie."""
        return not self.beyond and all(margin <= tolerance for *_, margin in self.differing)


def decide(logits: NDArray[np.float32], problem_type: str) -> tuple[NDArray[Any], NDArray[np.float32]]:
    """Return decisions and how far each is from another one, both `(texts, decisions)`."""
    if problem_type == "multi_label_classification":
        return logits >= 0, np.abs(logits)
    best = np.sort(logits, axis=1)
    return logits.argmax(axis=1)[:, None], best[:, -1:] - best[:, -2:-1]


# ---- a trained model over many texts --------------------------------------------------------------------------------


def compare_folder(folder: Path, texts: Iterable[str], results: Mapping[str, Comparison], tolerance: float) -> None:
    """Compare a trained model, and add to the results by name of the kernels."""
    reference = okt_lstm.load(folder, device="cpu", engine="torch")
    classifiers = {name: load_with(name, folder) for name in results}
    done, start = 0, time.perf_counter()
    for chunk in oktane.chunks(texts, CHUNK_SIZE):
        expected = reference.logits(chunk)
        for name, classifier in classifiers.items():
            found = classifier.logits(chunk)
            results[name].models = 1
            results[name].add(folder.name, chunk, found, expected, classifier.problem_type, tolerance)
        done += len(chunk)
        rate = done / (time.perf_counter() - start)
        print(f"\r{done:,} texts, {rate:,.0f} per second", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def load_with(kernels: str, folder: Path) -> oktane.Classifier:
    """Load a trained folder with kernels of this name."""
    os.environ["OKTANE_CPU"] = kernels
    return oktane.load(folder)


# ---- random models --------------------------------------------------------------------------------------------------

CELLS = {
    "LSTM": ("LSTM", {}),
    "GRU": ("GRU", {}),
    "RNN (tanh)": ("RNN", {"nonlinearity": "tanh"}),
    "RNN (relu)": ("RNN", {"nonlinearity": "relu"}),
}
DIRECTIONS = (
    {"bidirectional": False},
    {"bidirectional": True},
    {"bidirectional": True, "separate_directions": True},
)
LAYERS = (1, 2, 3)
POOLINGS = ("last", "mean", "max", "max_mean", "max_mean_last")
# (embedding_size, hidden_size)
SIZES = ((1, 1), (33, 50), (128, 64))
MAX_NGRAMS = (1, 2, 4, 9)
NUM_BUCKETS = (1, 997, 2**16)
DTYPES = (torch.float32, torch.float16, torch.bfloat16)
PROBLEMS = (
    {"labels": ("no", "yes")},
    {"labels": "abcde"},
    {"labels": "abcd", "problem_type": "multi_label_classification"},
    {"labels": ("score",), "problem_type": "regression"},
    {"labels": "xyz", "problem_type": "regression"},
)
TOKENIZERS = (
    {},
    {"subword": "bpe"},
    {"subword": "bpe", "word_mark": "▁", "norm": True, "model_max_length": 100},
    {"stem": True, "truncation_side": "left", "model_max_length": 5},
)
ODD_TEXTS = ("", " ", "\0", "\ud800", "<pad>", "가" * 3000, "ㅋ" * 2000, "\U0010ffff\u200d", "e\u0301", "한글")


class Variant(NamedTuple):
    """A random model to compare.

    Attributes:
        group: The row of the report that it counts in.
        family: The family that `trained_folders.random_model` makes.
        options: Fields of its configuration.
        dtype: The type of its stored weights.
        problem: Its labels and its problem type.
        tokenizer: Options of its tokenizer.
    """

    group: str
    family: str
    options: dict[str, Any]
    dtype: torch.dtype
    problem: dict[str, Any]
    tokenizer: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.group} {self.options} {self.dtype} {self.problem} {self.tokenizer}"


def variants() -> Iterator[Variant]:
    """Yield every network in every type of weights. Problem types and tokenizers take turns."""
    networks: list[tuple[str, str, dict[str, Any]]] = []
    for (cell, (family, options)), directions, layers, pooling, (embedding_size, hidden_size) in itertools.product(
        CELLS.items(), DIRECTIONS, LAYERS, POOLINGS, SIZES
    ):
        sizes = {"embedding_size": embedding_size, "hidden_size": hidden_size, "num_hidden_layers": layers}
        networks.append((cell, family, {"pooling": pooling} | options | directions | sizes))
    for max_ngram, num_buckets in itertools.product(MAX_NGRAMS, NUM_BUCKETS):
        networks.append(("n-grams", "Ngram", {"max_ngram": max_ngram, "num_buckets": num_buckets}))
    turns = zip(itertools.cycle(PROBLEMS), itertools.cycle(TOKENIZERS), strict=False)
    for (network, dtype), (problem, tokenizer) in zip(itertools.product(networks, DTYPES), turns, strict=False):
        yield Variant(*network, dtype, problem, tokenizer)


def compare_random_models(
    texts: Sequence[str], results: Mapping[str, Mapping[str, Comparison]], tolerance: float
) -> None:
    """Compare all `variants`, and add to the results by group and name of the kernels."""
    tokenizers = [
        okt_lstm.OktTokenizer(**options).train_new_from_iterator([list(texts)], 1000, show_progress=False)
        for options in TOKENIZERS
    ]
    for seed, variant in enumerate(variants()):
        tokenizer = tokenizers[TOKENIZERS.index(variant.tokenizer)]
        options = {"vocab_size": len(tokenizer)} | variant.options | variant.problem
        model = random_model(variant.family, seed=seed, **options).to(variant.dtype)
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
            classifiers = {name: load_with(name, folder) for name in results[variant.group]}
        expected = Classifier(model.float(), tokenizer).logits(texts)
        exact = Classifier(model.double(), tokenizer).logits(texts)
        for name, classifier in classifiers.items():
            result = results[variant.group][name]
            result.models += 1
            found = classifier.logits(texts)
            result.add(str(variant), texts, found, expected, classifier.problem_type, tolerance, exact)
        print(f"\r{seed + 1:,} models", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


# ---- the report -----------------------------------------------------------------------------------------------------


def report(results: Mapping[str, Mapping[str, Comparison]], tolerance: float, shown: int) -> None:
    """Print the table, and the texts whose labels differ."""
    print(f"{machine()}; torch {torch.__version__}, oktane {oktane.__version__}; tolerance {tolerance:g}\n")
    print("| | kernels | models | texts | difference | logit | magnified | out of tolerance | other labels |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for group, comparisons in results.items():
        for name, found in comparisons.items():
            cells = [f"{found.models:,}", f"{found.texts:,}", f"{found.difference:.1e}", f"{found.logit:.1f}"]
            cells += [f"{count:,}" for count in (found.magnified, found.beyond, len(found.differing))]
            print(f"| {group} | {name} | {' | '.join(cells)} |")
    for comparisons in results.values():
        for name, found in comparisons.items():
            for model, text, margin in found.differing[:shown]:
                print(f"\n{name}: another label, margin {margin:.1e}\n    model {model}\n    text  {text[:200]!r}")


def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, help="files with one text per line, or as --column says")
    parser.add_argument("--column", help="name of the column of texts, if the files are tab-separated")
    parser.add_argument("--model", type=Path, help="a trained folder (default: the bundled model)")
    parser.add_argument("--limit", type=int, metavar="N", help="take only the first N texts of each file")
    parser.add_argument("--random_models", action="store_true", help="compare random models over generated texts")
    parser.add_argument("--texts", type=int, default=200, help="number of generated texts (default: %(default)s)")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="for logits and margins (default: %(default)s)")
    parser.add_argument("--shown", type=int, default=20, help="differing labels to print (default: %(default)s)")
    options = parser.parse_args()
    if not (options.files or options.random_models):
        parser.error("nothing to compare: give files or --random_models")

    logging.disable_progress_bar()
    results: defaultdict[str, dict[str, Comparison]] = defaultdict(
        lambda: {name: Comparison() for name in _engine.kernel_names()}
    )
    interrupted = False
    try:
        if options.files:
            each = (itertools.islice(read_texts(path, options.column), options.limit) for path in options.files)
            texts = itertools.chain.from_iterable(each)
            compare_folder(options.model or released_model(), texts, results["the model"], options.tolerance)
        if options.random_models:
            compare_random_models([*ODD_TEXTS, *hostile_texts(options.texts)], results, options.tolerance)
    except (OSError, ValueError) as error:
        print(f"engine_parity: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        interrupted = True
        print("\nengine_parity: interrupted; the report is about what was compared", file=sys.stderr)
    report(results, options.tolerance, options.shown)
    passed = all(found.passed(options.tolerance) for group in results.values() for found in group.values())
    return 130 if interrupted else 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
