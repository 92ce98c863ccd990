"""Make models as fast as the trained ones, for `benchmark_models.py`, which imports this; it is not a program."""

from pathlib import Path
from typing import Any

from baselines import BASELINES, TEXTBOOK_VOCABULARY, Rows
from benchmark_training import TextbookClassifier
from safetensors.torch import save_file

from okt_lstm import LSTMConfig, LSTMForSequenceClassification, OktTokenizer
from oktane.folders import released_model

# The last stages of the recipes. The vocabulary of `classic` is that of the textbook loop. `fast` and `best` learn
# theirs from the same text and with the same options as the bundled model.
RECIPES: dict[str, dict[str, Any]] = {
    "classic": {},
    "fast": {"pooling": "max_mean_last"},
    "best": {"pooling": "max_mean_last", "hidden_size": 160},
}


TRAINED_IN_SECONDS = tuple(row for row in BASELINES if row != "textbook")


def make_replacement(row: str, rows: Rows, folder: Path, options: dict[str, Any]) -> None:
    """Make a model that is as fast as a row's: a network without training, or what is trained in seconds.

    Args:
        row: A row of `models_table.ROWS`, except the bundled model.
        rows: Training rows.
        folder: The folder to leave it in.
        options: The options of a baseline.
    """
    if row in TRAINED_IN_SECONDS:
        BASELINES[row].train(rows, rows, folder, 1, **options)
        return
    if row in ("fast", "best"):
        tokenizer = OktTokenizer.from_pretrained(released_model())
    else:
        batches = [rows.texts[start : start + 1000] for start in range(0, len(rows.texts), 1000)]
        tokenizer = OktTokenizer().train_new_from_iterator(batches, TEXTBOOK_VOCABULARY, show_progress=False)
    tokenizer.save_pretrained(folder)
    if row == "textbook":
        save_file(TextbookClassifier(len(tokenizer)).state_dict(), folder / "model.safetensors")
    else:
        LSTMForSequenceClassification(LSTMConfig(vocab_size=len(tokenizer), **RECIPES[row])).save_pretrained(folder)
