#!/usr/bin/env python3
"""Measure how well, and how fast, spaces are restored: by a trained tagger, and by kiwipiepy in the same run.

    pip install kiwipiepy
    okt-lstm train --task spacing --recipe spacing --dataset train.csv --output_dir spacing
    OMP_NUM_THREADS=1 python scripts/benchmarks/benchmark_spacing.py --texts test.csv --model spacing
    python scripts/benchmarks/benchmark_spacing.py --texts validation.csv

The texts are well spaced. Each is read without any space, as it is, and with half of its spaces and some wrong ones.
Word F1 counts a word as right if it begins and ends where it does in the text. Speed is per second of one core's time.
"""

import argparse
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from okt_lstm import load_tagger
from okt_lstm.data.spacing import spacing_row, words_without_spaces
from okt_lstm.data.unlabeled import open_unlabeled
from okt_lstm.reports.model_card import table


def word_scores(truth: Sequence[str], found: Sequence[str]) -> dict[str, float]:
    """Return the precision, recall and F1 of the words of texts, and how many texts lost or won characters."""
    right = words = predicted = changed = 0
    for one, other in zip(truth, found, strict=True):
        expected, got = set(words_without_spaces(one)), set(words_without_spaces(other))
        right, words, predicted = right + len(expected & got), words + len(expected), predicted + len(got)
        changed += "".join(one.split()) != "".join(other.split())
    precision, recall = right / predicted, right / words
    return {
        "word_f1": 2 * precision * recall / (precision + recall),
        "precision": precision,
        "recall": recall,
        "changed_texts": changed,
    }


def timed(respace: Callable[[list[str]], list[str]], texts: list[str]) -> tuple[list[str], float]:
    """Return the texts with their spaces restored, and how many were done in a second of the processor's time."""
    respace(texts[:50])
    begin = time.process_time()
    found = respace(texts)
    return found, len(texts) / (time.process_time() - begin)


def as_table(report: Mapping[tuple[str, str], Mapping[str, float]]) -> str:
    """Return the scores, in percent, and the speeds of each system and input as a table in Markdown."""
    scores = {"word_f1": "word F1", "precision": "precision", "recall": "recall"}
    rows = [
        [
            *names,
            *(f"{100 * row[score]:.1f}" for score in scores),
            f"{row['changed_texts']:.0f}",
            f"{row['texts_per_second']:,.0f}",
        ]
        for names, row in report.items()
    ]
    return table(["system", "spaces", *scores.values(), "texts with other characters", "texts per second"], rows)


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--texts", required=True, metavar="FILE", help="well-spaced texts that no system was trained on"
    )
    parser.add_argument("--model", metavar="FOLDER", help="what `okt-lstm train --task spacing` left")
    options = parser.parse_args()
    texts = [" ".join(text.split()) for text in open_unlabeled(str(Path(options.texts)))]
    generator = random.Random(0)
    inputs = {
        "no spaces": ["".join(text.split()) for text in texts],
        "as they are": texts,
        "half, and wrong ones": [spacing_row(text, 0.5, 0.03, generator)["text"] for text in texts],
    }
    systems: dict[str, Callable[[list[str]], list[str]]] = {}
    if options.model:
        tagger = load_tagger(options.model, device="cpu")
        systems[options.model] = lambda given: list(tagger.respace(given))
    try:
        from kiwipiepy import Kiwi

        kiwi = Kiwi(num_workers=1)
        systems["kiwipiepy"] = lambda given: [kiwi.space(text) for text in given]
    except ImportError:
        print("kiwipiepy is not installed, so it is not measured")
    report: dict[tuple[str, str], dict[str, float]] = {}
    for name, respace in systems.items():
        for what, given in inputs.items():
            found, speed = timed(respace, given)
            report[name, what] = word_scores(texts, found) | {"texts_per_second": speed}
    print(f"{len(texts):,} texts\n")
    print(as_table(report))


if __name__ == "__main__":
    main()
