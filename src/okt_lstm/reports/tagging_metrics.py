"""Scores of a tagger, by seqeval and scikit-learn: of whole entities, and of single characters."""

import warnings
from collections.abc import Sequence
from importlib.util import find_spec

from sklearn.metrics import f1_score


def check_seqeval() -> None:
    """Raise ImportError if seqeval is missing, before anything takes long."""
    if find_spec("seqeval") is None:
        raise ImportError("measuring entities needs seqeval: pip install seqeval, or the extra '.[tagging]'")


def tagging_scores(references: Sequence[Sequence[str]], predictions: Sequence[Sequence[str]]) -> dict[str, float]:
    """Compare the tags of rows, `O`, `B-X` and `I-X`, one for each character (or token).

    An entity is right if its beginning, its end and its label are (strict IOB2, as in CoNLL).

    Returns:
        `entity_f1`, `entity_precision` and `entity_recall` over all entities (micro); `entity_f1_macro`, the mean of
        the labels' F1, as KLUE reports it; and `character_f1`, the mean F1 of the tags but `O` (macro), as KLUE's
        character F1.
    """
    check_seqeval()
    from seqeval.metrics.v1 import precision_recall_fscore_support
    from seqeval.scheme import IOB2

    truth, found = [list(tags) for tags in references], [list(tags) for tags in predictions]
    how = {"scheme": IOB2, "zero_division": 0}
    with warnings.catch_warnings():
        # Of labels that are never predicted, which count as 0.
        warnings.simplefilter("ignore")
        precision, recall, f1, _ = precision_recall_fscore_support(truth, found, average="micro", **how)
        macro = precision_recall_fscore_support(truth, found, average="macro", **how)[2]
        flat_truth, flat_found = ([tag for row in rows for tag in row] for rows in (truth, found))
        tags = sorted(set(flat_truth) - {"O"})
        by_character = f1_score(flat_truth, flat_found, labels=tags, average="macro", zero_division=0) if tags else 0.0
    return {
        "entity_f1": float(f1),
        "entity_precision": float(precision),
        "entity_recall": float(recall),
        "entity_f1_macro": float(macro),
        "character_f1": float(by_character),
    }
