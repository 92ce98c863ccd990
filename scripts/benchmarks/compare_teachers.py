#!/usr/bin/env python3
"""Measure which trained models make good teachers together, by the mean of their probabilities on the validation set.

    python compare_teachers.py stages/teacher-1 stages/teacher-2 stages/piece_teacher-1 --data_dir NSMC

It prints the loss and the accuracy of each model, and of the best combinations of each size. Models that make different
mistakes are better together than alone, and so is the student that learns from them.
"""

import argparse
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss

import okt_lstm
from okt_lstm.data.options import DataOptions
from okt_lstm.data.splits import Splits, load_splits

# How many combinations of each size are shown.
SHOWN = 3


def probabilities(folder: Path, splits: Splits) -> NDArray[np.float32]:
    """Return a model's probabilities on the validation set: `(rows, labels)`, in the data's order of labels.

    Raises:
        ValueError: If the model has other labels.
    """
    classifier = okt_lstm.load(folder, device="cpu")
    if set(classifier.labels) != set(splits.label_names):
        raise ValueError(f"{folder} has the labels {classifier.labels}, but the data has {list(splits.label_names)}")
    order = [classifier.labels.index(label) for label in splits.label_names]
    return classifier.predict_proba(splits.datasets["validation"]["text"][:])[:, order]


def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path, help="folders of trained models")
    parser.add_argument("--dataset", default="nsmc", help="what they were trained on (default: %(default)s)")
    parser.add_argument("--data_dir", help="with nsmc: the folder of ratings_train.txt and ratings_test.txt")
    options = parser.parse_args()
    try:
        splits = load_splits(DataOptions(dataset=options.dataset, data_dir=options.data_dir))
        if splits.problem_type != "single_label_classification":
            raise ValueError(
                f"{options.dataset} is not single-label: only classes with one label per text can be compared"
            )
        answers = {str(folder): probabilities(folder, splits) for folder in options.models}
    except (OSError, ValueError) as error:
        print(f"compare_teachers: {error}", file=sys.stderr)
        return 1
    labels = np.asarray(splits.datasets["validation"]["label"][:])
    print("loss    accuracy  models")
    for number in range(1, len(answers) + 1):
        lines = []
        for names in combinations(answers, number):
            mean = np.mean([answers[name] for name in names], axis=0, dtype=np.float64)
            # In single precision, probabilities sum to 1 less exactly than scikit-learn asks for.
            mean /= mean.sum(axis=1, keepdims=True)
            loss = log_loss(labels, mean, labels=range(mean.shape[1]))
            lines.append((loss, np.mean(mean.argmax(axis=1) == labels), ", ".join(names)))
        for loss, accuracy, models in sorted(lines)[: SHOWN if number > 1 else None]:
            print(f"{loss:.4f}  {accuracy:.4f}    {models}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
