#!/usr/bin/env python3
"""Measure a trained tagger against a plain CRF over character n-grams that is trained on the same rows.

    pip install sklearn-crfsuite
    okt-lstm train --task token-classification --recipe ner --dataset KLUE_NER --output_dir ner
    python scripts/benchmarks/benchmark_tagging.py --data KLUE_NER --model ner
    python scripts/benchmarks/benchmark_tagging.py --data KLUE_NER --split validation

KLUE_NER is a folder with train.jsonl, validation.jsonl and test.jsonl: rows with `tokens` (characters) and `ner_tags`.
The CRF sees all n-grams of up to four characters that lie at most three characters away. Its regularization was chosen
on the validation rows. Without --model only the CRF is measured. It prints a table of scores, in percent.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from okt_lstm import load_tagger
from okt_lstm.data.tagged_texts import Entity, from_tags
from okt_lstm.reports.model_card import table
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
) -> list[list[str]]:
    """Train the CRF, and return its tags."""
    import sklearn_crfsuite

    crf = sklearn_crfsuite.CRF(c1=c1, c2=c2, max_iterations=100)
    crf.fit([features("".join(row["tokens"])) for row in train], [row["ner_tags"] for row in train])
    return [list(row) for row in crf.predict([features("".join(row["tokens"])) for row in held_out])]


def as_table(report: Mapping[str, Mapping[str, float]]) -> str:
    """Return the scores of each system as a table in Markdown."""
    scores = {
        "entity_f1": "entity F1",
        "entity_precision": "precision",
        "entity_recall": "recall",
        "entity_f1_macro": "macro entity F1",
        "character_f1": "character F1",
    }
    rows = [[name, *(f"{100 * row[score]:.1f}" for score in scores)] for name, row in report.items()]
    return table(["tagger", *scores.values()], rows)


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
    report = {
        "CRF over character n-grams": tagging_scores(truth, crf_tags(train, held_out, options.c1, options.c2)),
    }
    if options.model:
        tagger = load_tagger(options.model, device="cpu")
        texts, entities = zip(*(from_tags(row["tokens"], row["ner_tags"])[:2] for row in held_out), strict=True)
        report[options.model] = tagger.score(list(texts), [list(map(Entity._asdict, row)) for row in entities])
    print(f"{len(train):,} rows for training, {len(held_out):,} of the {options.split} split\n")
    print(as_table(report))


if __name__ == "__main__":
    main()
