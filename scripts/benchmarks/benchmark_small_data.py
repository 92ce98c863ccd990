"""Measure `okt-lstm train` with its defaults beside TF-IDF and fastText, from few labeled rows to many.

    python scripts/benchmarks/benchmark_small_data.py --corpora CORPORA --nsmc NSMC --output OUT

CORPORA is the folder of the corpora's folders, and NSMC the one of the NSMC files. For each corpus and number of rows,
training sets are drawn: ten below 1,000 rows, three from there on, and one of all rows. Every system learns from the
same rows and is tested on the same test set (of NSMC the first 5,000 rows). `--part validation` tests on rows of the
training files instead, which is for choosing between ways. What is measured is kept line by line in OUT/results.jsonl,
and not measured again. The table and the picture are made of that file.
"""

import argparse
import csv
import json
import logging
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.metrics import accuracy_score, f1_score
from small_data_corpora import CORPORA, Corpus, read_corpus
from small_data_report import draw, table_of

import okt_lstm
from okt_lstm.atomic import write_text
from okt_lstm.training.auto.baseline import fit_baseline
from okt_lstm.training.auto.folds import make_folds
from okt_lstm.training.auto.linear import Targets
from okt_lstm.training.auto.tokens import Tokens
from okt_lstm.training.parts import TrainParts, build
from okt_lstm.training.train import train
from oktane import Okt, available_cores, load_encoder
from oktane.problem_type import ProblemType

# Seconds in which fastText chooses its settings.
AUTOTUNE_SECONDS = 60
# Texts that are labeled to measure the speed.
TIMED_TEXTS = 2000


class Answer(NamedTuple):
    """What a system predicts for the test texts, how long it learned, and how many texts it labels in a second."""

    predictions: Any
    seconds: float
    rate: float


def run_auto(corpus: Corpus, chosen: np.ndarray, seed: int) -> Answer:
    """Train with the defaults, and label with what `okt_lstm.load` gives."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        column = "labels" if corpus.several else "label"
        with (folder / "train.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["text", column])
            writer.writerows((corpus.pool[row], "|".join(corpus.pool_names(row))) for row in chosen)
        options: dict[str, Any] = {"method": "auto", "dataset": str(folder / "train.csv"), "seed": seed}
        if corpus.several:
            options["label_delimiter"] = "|"
        options |= {"output_dir": str(folder / "out"), "disable_tqdm": True, "report_to": "none"}
        start = time.monotonic()
        train(build(TrainParts, options))
        seconds = time.monotonic() - start
        classifier = okt_lstm.load(folder / "out")
        predicted = classifier.predict(corpus.test)
        rate = rate_of(classifier.predict, corpus.test)
    names = list(corpus.names)
    if corpus.several:
        return Answer(np.array([[label in row for label in names] for row in predicted], np.int64), seconds, rate)
    return Answer(np.array([names.index(label) for label in predicted]), seconds, rate)


def run_tfidf(corpus: Corpus, chosen: np.ndarray, seed: int) -> Answer:
    """Train the baseline of the model cards, whose C and class weights are chosen by cross-validation."""
    kind = ProblemType.MULTI_LABEL if corpus.several else ProblemType.SINGLE_LABEL
    targets = Targets(
        kind, corpus.pool_labels[chosen].astype(np.float64 if corpus.several else np.int64), len(corpus.names)
    )
    texts = [corpus.pool[row] for row in chosen]
    start = time.monotonic()
    words = [text.split() for text in texts]
    ids = {word: number for number, word in enumerate(dict.fromkeys(word for row in words for word in row))}
    splits = np.cumsum([0, *map(len, words)])
    flat = np.array([ids[word] for row in words for word in row], np.int64)
    baseline = fit_baseline(texts, targets, make_folds(Tokens(flat, splits), targets, seed))
    seconds = time.monotonic() - start
    predicted = kind.logits_to_labels(baseline.logits(corpus.test))
    return Answer(predicted, seconds, rate_of(baseline.logits, corpus.test))


def run_fasttext(corpus: Corpus, chosen: np.ndarray, seed: int) -> Answer:
    """Train fastText on Okt's morphemes, with the settings that its autotune finds on a fifth of the rows."""
    import fasttext

    okt = Okt()
    lines = [" ".join(okt.morphs(corpus.pool[row])).replace("\n", " ") for row in chosen]
    marks = [" ".join(f"__label__{corpus.names.index(name)}" for name in corpus.pool_names(row)) for row in chosen]
    rows = [f"{mark} {line}\n" for mark, line in zip(marks, lines, strict=True)]
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        paths = {part: str(Path(name) / part) for part in ("all", "kept", "held_out")}
        fifth = max(1, len(rows) // 5)
        for part, content in (("all", rows), ("kept", rows[fifth:]), ("held_out", rows[:fifth])):
            Path(paths[part]).write_text("".join(content), encoding="utf-8")
        found = fasttext.train_supervised(
            paths["kept"],
            autotuneValidationFile=paths["held_out"],
            autotuneDuration=AUTOTUNE_SECONDS,
            seed=seed,
            thread=available_cores(),
            verbose=0,
        ).f.getArgs()
        tuned = {
            option: getattr(found, option) for option in ("lr", "dim", "epoch", "wordNgrams", "minn", "maxn", "bucket")
        }
        loss = "ova" if corpus.several else "softmax"
        model = fasttext.train_supervised(
            paths["all"], loss=loss, seed=seed, thread=available_cores(), verbose=0, **tuned
        )
    seconds = time.monotonic() - start

    def predict(texts: Sequence[str]) -> Any:
        morphs = [" ".join(okt.morphs(text)).replace("\n", " ") for text in texts]
        labels, _ = model.predict(morphs, k=-1 if corpus.several else 1, threshold=0.5 if corpus.several else 0.0)
        ids = [[int(label.removeprefix("__label__")) for label in row] for row in labels]
        if not corpus.several:
            return np.array([row[0] for row in ids])
        return np.array([[label in row for label in range(len(corpus.names))] for row in ids], np.int64)

    return Answer(predict(corpus.test), seconds, rate_of(predict, corpus.test))


SYSTEMS: dict[str, Callable[[Corpus, np.ndarray, int], Answer]] = {
    "TF-IDF": run_tfidf,
    "fastText": run_fasttext,
    "okt-lstm": run_auto,
}


def rate_of(predict: Callable[[Sequence[str]], Any], texts: Sequence[str]) -> float:
    """Return how many texts are labeled in a second."""
    timed = list(texts[:TIMED_TEXTS])
    start = time.perf_counter()
    predict(timed)
    return len(timed) / (time.perf_counter() - start)


def scores_of(corpus: Corpus, predictions: Any) -> dict[str, float]:
    """Return accuracy, macro F1 and micro F1, in percent."""
    options: dict[str, Any] = {"zero_division": 0}
    return {
        "accuracy": 100 * accuracy_score(corpus.test_labels, predictions),
        "f1_macro": 100 * f1_score(corpus.test_labels, predictions, average="macro", **options),
        "f1_micro": 100 * f1_score(corpus.test_labels, predictions, average="micro", **options),
    }


def main() -> None:
    """Measure what is missing, and write the table and the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, required=True, help="folder of the corpora's folders")
    parser.add_argument("--nsmc", type=Path, required=True, help="folder of the NSMC files")
    parser.add_argument("--output", type=Path, required=True, help="folder for results.jsonl, table.md and plot.png")
    parser.add_argument("--part", choices=("test", "validation"), default="test", help="what is tested on")
    parser.add_argument("--only", nargs="+", choices=CORPORA, default=list(CORPORA), help="only these corpora")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS), help="only these systems")
    parser.add_argument("--most_rows", type=int, help="only training sets of at most N rows")
    parser.add_argument("--draws", type=int, help="at most N training sets for each number of rows")
    options = parser.parse_args()
    logging.getLogger("okt_lstm").setLevel(logging.WARNING)
    torch.set_num_threads(available_cores())
    load_encoder()
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "results.jsonl"
    results = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    keys = ("corpus", "part", "rows", "draw", "system")
    done = {tuple(line[key] for key in keys) for line in results}
    with path.open("a", encoding="utf-8") as stream:
        for name in options.only:
            corpus = read_corpus(name, options.corpora, options.nsmc, options.part)
            for rows, draw_number, chosen in corpus.draws(options.most_rows, options.draws):
                for system in options.systems:
                    if (name, options.part, rows, draw_number, system) in done:
                        continue
                    answer = SYSTEMS[system](corpus, chosen, draw_number)
                    line = dict(zip(keys, (name, options.part, rows, draw_number, system), strict=True))
                    line |= scores_of(corpus, answer.predictions)
                    line |= {"seconds": round(answer.seconds, 1), "rate": round(answer.rate)}
                    print(json.dumps(line), file=stream, flush=True)
                    print(json.dumps(line), flush=True)
                    results.append(line)
    measured = [line for line in results if line["part"] == options.part]
    write_text(options.output / "table.md", table_of(measured) + "\n")
    print(table_of(measured))
    draw(measured, options.output / "plot.png")


if __name__ == "__main__":
    main()
