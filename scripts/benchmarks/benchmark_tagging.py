#!/usr/bin/env python3
"""Measure a trained tagger against a plain CRF over character n-grams that is trained on the same rows.

    pip install sklearn-crfsuite
    okt-lstm train --task token-classification --recipe ner --dataset KLUE_NER --output_dir ner
    python scripts/benchmarks/benchmark_tagging.py --data KLUE_NER --model ner
    python scripts/benchmarks/benchmark_tagging.py --data KLUE_NER --split validation

KLUE_NER is a folder with train.jsonl, validation.jsonl and test.jsonl: rows with `tokens` (characters) and `ner_tags`.
The CRF sees all n-grams of up to four characters that lie at most three characters away. Its regularization was chosen
on the validation rows. Without --model only the CRF is measured.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from okt_lstm import load_tagger
from okt_lstm.data.tagged_texts import Entity, from_tags
from okt_lstm.reports.tagging_metrics import tagging_scores

LONGEST, DISTANCE = 4, 3


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read the rows of a jsonl file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def features(text: str) -> list[dict[str, Any]]:
    """Return the n-grams around each character, by their length and place."""
    padded = "\x02" * DISTANCE + text + "\x03" * DISTANCE
    return [
        {"bias": 1.0}
        | {
            f"{length}:{place}": padded[index + DISTANCE + place : index + DISTANCE + place + length]
            for length in range(1, LONGEST + 1)
            for place in range(-DISTANCE, DISTANCE - length + 2)
        }
        for index in range(len(text))
    ]


def crf_tags(
    train: Sequence[Mapping[str, Any]], held_out: Sequence[Mapping[str, Any]], c1: float, c2: float
) -> tuple[list[list[str]], float, float]:
    """Train the CRF, and return its tags and how many seconds training and prediction took."""
    import sklearn_crfsuite

    crf = sklearn_crfsuite.CRF(c1=c1, c2=c2, max_iterations=100)
    begin = time.perf_counter()
    crf.fit([features("".join(row["tokens"])) for row in train], [row["ner_tags"] for row in train])
    trained = time.perf_counter()
    tags = [list(row) for row in crf.predict([features("".join(row["tokens"])) for row in held_out])]
    return tags, trained - begin, time.perf_counter() - trained


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--model", metavar="FOLDER", help="what `okt-lstm train --task token-classification` left")
    parser.add_argument("--split", choices=["validation", "test"], default="test")
    parser.add_argument("--c1", type=float, default=0.1, help="L1 regularization of the CRF")
    parser.add_argument("--c2", type=float, default=0.01, help="L2 regularization of the CRF")
    options = parser.parse_args()
    train, held_out = (read_rows(options.data / f"{name}.jsonl") for name in ("train", options.split))
    truth = [row["ner_tags"] for row in held_out]
    report = {}
    tags, trained, predicted = crf_tags(train, held_out, options.c1, options.c2)
    report["CRF over character n-grams"] = tagging_scores(truth, tags) | {
        "training_seconds": trained,
        "sentences_per_second": len(held_out) / predicted,
    }
    if options.model:
        tagger = load_tagger(options.model, device="cpu")
        texts, entities = zip(*(from_tags(row["tokens"], row["ner_tags"])[:2] for row in held_out), strict=True)
        begin = time.perf_counter()
        list(tagger.entities(texts))
        seconds = time.perf_counter() - begin
        scores = tagger.score(list(texts), [list(map(Entity._asdict, row)) for row in entities])
        report[options.model] = scores | {"sentences_per_second": len(held_out) / seconds}
    print(json.dumps({"split": options.split, "rows": len(held_out), "training_rows": len(train), **report}, indent=2))


if __name__ == "__main__":
    main()
