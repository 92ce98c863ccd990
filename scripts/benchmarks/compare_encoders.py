"""Train sentence encoders of several sizes for a few steps each, and measure which is worth training in earnest.

    OKTANE_CPU=avx2 python scripts/benchmarks/compare_encoders.py --texts texts.txt --teacher TEACHER \
        --corpora CORPORA --output OUT

All else is as in the recipe `encoder`. Nothing is read of the test sets: a logistic regression over frozen vectors
learns from draws of the corpora's training texts, and is measured on others of them; pairs are compared on their
validation files. Each encoder stays in OUT, and its scores in OUT/results.jsonl, so that an interrupted comparison
goes on where it was. Last, all encoders are timed in turns.
"""

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmark_encoder import macro_f1, probabilities_of_vectors
from encoder_corpora import CORPORA, Corpus, read_corpus, read_pairs
from encoder_plot import draw
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score

import oktane
from okt_lstm.atomic import write_text
from okt_lstm.reports.model_card import table
from okt_lstm.training.encoder import train_encoder
from okt_lstm.training.parts import EncoderParts, build
from okt_lstm.training.recipe import read_recipe
from oktane.network import kernels

SIZES = ((1, 64), (2, 64), (1, 96), (1, 128), (2, 128), (1, 192), (1, 256))
"""Layers and hidden sizes."""
ROWS, DRAWS, VALIDATION_ROWS = 300, 3, 1500
# Of the measurement of speed.
TURNS = 7


def train(layers: int, hidden_size: int, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Train an encoder, and return its cosine with the teacher and its megabytes."""
    recipe = dict(read_recipe("encoder", "train-encoder").stages[-1].options)
    recipe.pop("num_train_epochs")
    changed = {
        "num_hidden_layers": layers,
        "hidden_size": hidden_size,
        "max_steps": options.steps,
        "teacher": options.teacher,
        "unlabeled": str(options.texts),
        "output_dir": str(folder),
        "overwrite_output_dir": True,
        "report_to": "none",
        "disable_tqdm": True,
    }
    result = train_encoder(build(EncoderParts, recipe | changed))
    # Released encoders are stored in half precision.
    megabytes = (folder / "model.safetensors").stat().st_size / 2e6
    return {"cosine": result.cosine, "megabytes": megabytes}


def validation_score(corpus: Corpus, vectors: NDArray[np.float32]) -> float:
    """Return the mean macro F1 over draws of the training texts, measured on others of them."""
    scores = []
    for order in corpus.draws(len(corpus.pool), DRAWS):
        rows, others = order[:ROWS], order[ROWS : ROWS + VALIDATION_ROWS]
        labels = corpus.pool_labels[rows]
        found = probabilities_of_vectors(vectors[rows], labels, vectors[others])
        scores.append(macro_f1(found, np.unique(labels), corpus.pool_labels[others]))
    return statistics.mean(scores)


def measure_rates(folders: Mapping[str, Path], texts: Sequence[str]) -> dict[str, float]:
    """Return how many texts each encoder reads in a second of one processor: the median over turns."""
    encoders = {name: oktane.load_encoder(folder, num_threads=1) for name, folder in folders.items()}
    rates: dict[str, list[float]] = {name: [] for name in encoders}
    for turn in range(1 + TURNS):
        for name, encoder in encoders.items():
            start = time.process_time()
            encoder.encode(texts)
            # The first turn warms up.
            if turn:
                rates[name].append(len(texts) / (time.process_time() - start))
    return {name: statistics.median(found) for name, found in rates.items()}


def measure(folder: Path, corpora: Mapping[str, Corpus], pairs: Path) -> dict[str, Any]:
    """Return an encoder's scores."""
    encoder = oktane.load_encoder(folder, num_threads=1)
    scores: dict[str, Any] = {
        name: validation_score(corpus, encoder.encode(corpus.pool)) for name, corpus in corpora.items()
    }
    for name in ("korsts", "question_pair"):
        first, second, labels = read_pairs(pairs / name / "validation.csv")
        cosines = (encoder.encode(first) * encoder.encode(second)).sum(axis=1)
        if name == "korsts":
            scores[name] = 100 * float(spearmanr(cosines, [float(label) for label in labels]).statistic)
        else:
            scores[name] = 100 * float(roc_auc_score([label == "same" for label in labels], cosines))
    return scores


def quality(result: Mapping[str, Any]) -> float:
    """Return the mean macro F1 over the corpora."""
    return statistics.mean(result[name] for name in CORPORA)


def table_of(results: Sequence[Mapping[str, Any]], rates: Mapping[str, float]) -> str:
    """Return a row for each encoder."""
    header = ["layers x units", "cosine with the teacher", *CORPORA.values(), "mean", "KorSTS", "question_pair"]
    header += ["MB", f"texts/s, {kernels()}"]
    rows = []
    for result in results:
        scores = [*(result[name] for name in CORPORA), quality(result), result["korsts"], result["question_pair"]]
        size = [f"{result['megabytes']:.1f}", f"{rates[result['name']]:,.0f}"]
        rows.append([result["name"], f"{result['cosine']:.3f}", *(f"{score:.1f}" for score in scores), *size])
    return table(header, rows)


def main() -> None:
    """Train and measure what is missing, and write the table and the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, required=True, help="text file to learn from, one a line")
    parser.add_argument("--teacher", required=True, help="folder or Hub id of a sentence-transformers model")
    parser.add_argument("--corpora", type=Path, required=True, help="folder of the corpora's folders")
    parser.add_argument("--steps", type=int, default=1500, help="steps of 256 texts (default: %(default)s)")
    parser.add_argument("--output", type=Path, required=True, help="folder for encoders, results, table and picture")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    torch.set_num_threads(1)
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "results.jsonl"
    results = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {result["name"] for result in results}
    corpora = {name: read_corpus(options.corpora / name) for name in CORPORA}
    sizes = {f"{layers} x {hidden_size}": (layers, hidden_size) for layers, hidden_size in SIZES}
    folders = {name: options.output / name.replace(" ", "") for name in sizes}
    with path.open("a", encoding="utf-8") as stream:
        for name, (layers, hidden_size) in sizes.items():
            if name in done:
                continue
            trained = train(layers, hidden_size, options, folders[name])
            result = {"name": name, **trained, **measure(folders[name], corpora, options.corpora)}
            print(json.dumps(result), file=stream, flush=True)
            results.append(result)
    rates = measure_rates(folders, corpora["chatbot"].pool)
    found = table_of(results, rates)
    write_text(options.output / "table.md", found + "\n")
    print(found)
    draw({result["name"]: quality(result) for result in results}, rates, ROWS, options.output / "plot.png")


if __name__ == "__main__":
    main()
