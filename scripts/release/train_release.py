#!/usr/bin/env python3
"""Make the bundled model: train it by the recipe `release`, store it in half precision, and check it.

    python train_release.py --unlabeled raw.txt                     # NSMC is downloaded
    python train_release.py --unlabeled raw.txt --data_dir NSMC     # NSMC is in the folder NSMC
    python train_release.py --trained out                            # the result of an earlier run of the recipe

The model replaces the one in oktane/src/oktane/data/classifier only if it is small enough and half precision does not
change its accuracy on the validation set. The test set is read once, at the end of training. That reading is printed,
and is in the card.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from okt_lstm.data.options import DATA_ARGUMENTS_NAME, DataOptions
from okt_lstm.data.splits import load_splits
from okt_lstm.inference.export import export_model
from okt_lstm.inference.loading import load

RELEASED = Path(__file__).parents[2] / "oktane" / "src" / "oktane" / "data" / "classifier"
# In bytes, all files together.
LARGEST = 12_000_000
# In the accuracy on the validation set.
LARGEST_CHANGE = 0.0005

# Takes the place of what the card of a trained folder says: the folder inside the package holds no Python files.
USE = """\
## Use

The model is inside the package oktane, which `pip install ./oktane` installs in a clone of its repository:

```python
import oktane

classifier = oktane.load()
classifier.predict(["연기도 연출도 최고였다", "시간이 아깝다"])  # ['positive', 'negative']
```

"""


def train(options: argparse.Namespace) -> Path:
    """Train by the recipe, and return the trained folder."""
    flags = ["--recipe", "release", "--seed", options.seed, "--output_dir", options.output_dir]
    for name in ("unlabeled", "data_dir", "stages_dir"):
        if getattr(options, name) is not None:
            flags += [f"--{name}", getattr(options, name)]
    subprocess.run([sys.executable, "-m", "okt_lstm", "train", *flags], check=True)
    return Path(options.output_dir)


def check(trained: Path, copy: Path) -> str:
    """Compare the copy with the trained folder, and return a paragraph about it.

    Raises:
        SystemExit: If the copy is too large or less accurate.
    """
    size = sum(path.stat().st_size for path in copy.iterdir())
    if size > LARGEST:
        raise SystemExit(f"the copy has {size:,} bytes, more than {LARGEST:,}: nothing was replaced")
    arguments = json.loads((trained / DATA_ARGUMENTS_NAME).read_text(encoding="utf-8"))
    validation = load_splits(DataOptions(**arguments)).datasets["validation"]
    labels = np.asarray(validation["label"])
    before, after = (
        load(folder, device="cpu").predict_proba(validation["text"]).argmax(axis=1) for folder in (trained, copy)
    )
    accuracies = np.mean(before == labels), np.mean(after == labels)
    if abs(accuracies[1] - accuracies[0]) > LARGEST_CHANGE:
        raise SystemExit(
            f"half precision changes the accuracy on the validation set from {accuracies[0]:.4f} to "
            f"{accuracies[1]:.4f}: nothing was replaced"
        )
    return (
        f"Its weights are stored in half precision and computed with in single precision. The folder takes "
        f"{size / 1e6:.1f} MB. On the validation set the accuracy is {accuracies[0]:.4f} before the conversion and "
        f"{accuracies[1]:.4f} after it; {np.sum(before != after)} of {len(labels):,} predictions change."
    )


def tested(trained: Path) -> Mapping[str, float]:
    """Return the reading of the test set that training left, by the name of the score."""
    results = json.loads((trained / "test_results.json").read_text(encoding="utf-8"))
    names = {"accuracy": "accuracy", "f1_macro": "macro F1", "loss": "loss"}
    return {title: results[f"test_{name}"] for name, title in names.items()}


def main() -> None:
    """Train, export, check, and put the model in its place."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--unlabeled", help="a file of unlabeled texts, as in `okt-lstm train`")
    parser.add_argument("--data_dir", help="the folder with NSMC's files (default: download them)")
    parser.add_argument("--seed", default="42", help="as in `okt-lstm train` (default: %(default)s)")
    parser.add_argument(
        "--output_dir", default="okt-lstm-nsmc-release", help="folder to train in (default: %(default)s)"
    )
    parser.add_argument("--stages_dir", help="where the results of earlier stages are kept, as in `okt-lstm train`")
    parser.add_argument("--trained", type=Path, help="a folder that the recipe trained already")
    parser.add_argument("--released", type=Path, default=RELEASED, help="folder to write (default: %(default)s)")
    options = parser.parse_args()

    trained = options.trained or train(options)
    scores = ", ".join(f"{name} {score:.4f}" for name, score in tested(trained).items())
    with tempfile.TemporaryDirectory() as temporary:
        copy = export_model(trained, Path(temporary) / "copy")
        paragraph = check(trained, copy)
        card = (copy / "README.md").read_text(encoding="utf-8")
        card = re.sub(r"## Use\n.*?(?=## Training data)", lambda _: USE, card, flags=re.DOTALL)
        card += f"\n## Inside okt-lstm\n\n{paragraph} The test set was read once, before the conversion: {scores}.\n"
        (copy / "README.md").write_text(card, encoding="utf-8")
        export_model(copy, options.released)
    print(paragraph)
    print(f"On the test set, read once: {scores}. Written to {options.released}.")


if __name__ == "__main__":
    main()
