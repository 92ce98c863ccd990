#!/usr/bin/env python3
"""Measure what int8 weights cost in ONNX Runtime: the accuracy of both graphs of an export, and their sizes.

    python scripts/benchmarks/onnx_accuracy.py ratings_validation.txt
    python scripts/benchmarks/onnx_accuracy.py reviews.csv --text_column review --label_column stars --model out

It exports the model with `--int8`, labels the rows with oktane and with both graphs, and prints a table in Markdown.
ONNX Runtime rounds activations by the range of a whole batch, so the int8 graph is run with batches of several texts
and with single ones. Choices are made by it, so give it validation rows, not a test set.
"""

import argparse
import importlib.metadata
import math
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import predictors
from benchmark_okt import machine
from numpy.typing import NDArray

import oktane
from okt_lstm.inference.onnx_export import GRAPH_NAME, INT8_NAME, export_onnx
from oktane.folders import released_model
from oktane.readers import open_reader
from oktane.row_reader import ReadOptions

PACKAGES = ("okt-lstm", "onnxruntime")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="rows with their labels")
    parser.add_argument("--text_column", default="document")
    parser.add_argument("--label_column", default="label")
    parser.add_argument("--model", type=Path, default=released_model(), help="default: the one inside the package")
    options = parser.parse_args()
    texts, labels = read_rows(options.data, options.text_column, options.label_column)
    with tempfile.TemporaryDirectory() as temporary:
        folder = export_onnx(options.model, Path(temporary) / "onnx", int8=True)
        sizes = {name: (folder / name).stat().st_size / 1e6 for name in (GRAPH_NAME, INT8_NAME)}
        classifier = oktane.load(options.model)
        targets = ids_of(labels, classifier.labels)
        found = {"oktane": classifier.scores(texts).argmax(axis=1)}
        exact = predictors.load_onnx(GRAPH_NAME, "oktane")(folder)
        rounded = predictors.load_onnx(INT8_NAME, "oktane")(folder)
        found["float32"] = exact(texts)
        found["int8, batches"] = rounded(texts)
        found["int8, one text at a time"] = one_by_one(rounded, texts)
    print(f"{len(texts):,} rows of {options.data.name}. {machine()}.")
    print(", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES), end="\n\n")
    print("| graph | MB | accuracy (%) | standard error of the difference | other labels than float32 (%) |")
    print("| --- | ---: | ---: | ---: | ---: |")
    right = found["float32"] == targets
    for name, predicted in found.items():
        size = "" if name == "oktane" else f"{sizes[INT8_NAME if 'int8' in name else GRAPH_NAME]:.1f}"
        # Both label the same rows, so the error is that of the paired difference.
        difference = (predicted == targets).astype(float) - right
        error = 100 * difference.std() / math.sqrt(len(texts))
        accuracy, other = 100 * (predicted == targets).mean(), 100 * (predicted != found["float32"]).mean()
        print(f"| {name} | {size} | {accuracy:.2f} | {error:.3f} | {other:.3f} |")


def read_rows(path: Path, text_column: str, label_column: str) -> tuple[list[str], list[str]]:
    """Return the texts and the labels of a file."""
    with open_reader(path, ReadOptions("tsv" if path.suffix == ".txt" else None)) as reader:
        rows = [(row[text_column] or "", str(row[label_column])) for row in reader]
    return [text for text, _ in rows], [label for _, label in rows]


def ids_of(labels: Sequence[str], names: Sequence[str]) -> NDArray[np.int64]:
    """Return the ids of labels that are names, or ids already."""
    ids = {name: number for number, name in enumerate(names)} | {str(number): number for number in range(len(names))}
    return np.array([ids[label] for label in labels])


def one_by_one(predict: Callable[[Sequence[str]], NDArray[np.int64]], texts: Sequence[str]) -> NDArray[np.int64]:
    """Return the labels of texts, each of which is a batch."""
    return np.concatenate([predict([text]) for text in texts])


if __name__ == "__main__":
    main()
