"""Rows whose labels are probably mistaken: confident learning (Northcutt et al. 2021), by the library cleanlab.

A linear model over the n-grams of characters and of Okt's morphemes predicts each row from other rows, by
cross-validation. A row is listed if the model is surer of another label than it is of that label on the average.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oktane import Okt
from oktane.hangul import compose_hangul
from oktane.problem_type import ProblemType

from .errors import DataError
from .labels import find_scheme
from .options import DataOptions
from .sources import read_corpus

FOLDS = 5


@dataclass(frozen=True)
class Suspect:
    """A row whose label is probably mistaken.

    Attributes:
        location: Where it is: "reviews.csv, line 17".
        text: Its text.
        label: Its label.
        suggested_label: The label that the model finds most probable.
        label_probability: The probability of its label; the lower, the more likely a mistake.
        suggested_probability: That of the suggested label.
    """

    location: str
    text: str
    label: str
    suggested_label: str
    label_probability: float
    suggested_probability: float


COLUMNS = tuple(field.name for field in fields(Suspect))
"""The columns of the list of suspects."""


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        rows: The number of rows.
        accuracy: How often the model agrees with the labels.
        suspects: The rows that are probably mistaken, the most likely first.
    """

    rows: int
    accuracy: float
    suspects: list[Suspect]


def find_suspects(args: DataOptions, seed: int = 42) -> Audit:
    """Find the training rows whose labels are probably mistaken.

    Args:
        args: The data set and how to read it, as for `train`.
        seed: The seed of the folds.

    Raises:
        DataError: The data can't be read as `train` reads them, have not one label a row, or have a class of fewer than
            two rows.
        FileError: A file is missing or malformed.
        ImportError: cleanlab is missing.
    """
    rank = _import_cleanlab()
    rows = next(iter(read_corpus(args).splits.values()))
    scheme = find_scheme([rows], args.problem_type, skip_bad_rows=args.on_bad_row == "skip")
    if scheme.problem_type is not ProblemType.SINGLE_LABEL:
        raise DataError(f"{rows.name}: an audit needs one label a row; this is a {scheme.problem_type.value}.")
    usable = [row for row in rows if isinstance(row[1], str) and row[2] is not None]
    labels = np.array([scheme.encode(label, location) for location, _, label in usable])
    counts = np.bincount(labels, minlength=len(scheme.names))
    if few := [name for name, count in zip(scheme.names, counts, strict=True) if count < 2]:
        raise DataError(f"{rows.name}: the class {few[0]!r} has one row, so nothing can be learned of it.")
    texts, _ = compose_hangul([text for _, text, _ in usable])
    probabilities = cross_validated(texts, labels, min(FOLDS, int(counts.min())), seed)
    order = rank(labels, probabilities)
    best = probabilities.argmax(axis=1)
    suspects = [
        Suspect(
            usable[row][0],
            usable[row][1],
            scheme.names[labels[row]],
            scheme.names[best[row]],
            float(probabilities[row, labels[row]]),
            float(probabilities[row, best[row]]),
        )
        for row in order
    ]
    return Audit(len(usable), float((best == labels).mean()), suspects)


def _import_cleanlab() -> Any:
    try:
        from cleanlab.filter import find_label_issues
    except ImportError as error:
        raise ImportError(f"an audit needs cleanlab ({error}): pip install cleanlab") from error

    def rank(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> Sequence[int]:
        found = find_label_issues(
            labels,
            probabilities,
            filter_by="confident_learning",
            return_indices_ranked_by="self_confidence",
            n_jobs=1,
        )
        return [int(row) for row in found]

    return rank


def cross_validated(texts: Sequence[str], labels: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.float64]:
    """Return the probability of each class for each text, by a model that has not seen the text, `(texts, classes)`."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folding = StratifiedKFold(folds, shuffle=True, random_state=seed)
    model = LogisticRegression(C=3.0, solver="lbfgs", max_iter=100, tol=1e-3)
    return cross_val_predict(model, _features(texts), labels, cv=folding, method="predict_proba")


def _features(texts: Sequence[str]) -> Any:
    """Return the n-grams of texts, weighted by TF-IDF: a sparse matrix, `(texts, n-grams)`."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    characters = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True, dtype=np.float32)
    words = TfidfVectorizer(
        analyzer="word",
        tokenizer=list,
        preprocessor=_unchanged,
        lowercase=False,
        token_pattern=None,
        ngram_range=(1, 2),
        min_df=2,
        sublinear_tf=True,
        dtype=np.float32,
    )
    morphemes = Okt().morphs_batch(texts, stem=True)
    return hstack([characters.fit_transform(texts), words.fit_transform(morphemes)], format="csr")


def _unchanged(morphemes: list[str]) -> list[str]:
    return morphemes


def suspect_rows(audit: Audit) -> Iterator[dict[str, Any]]:
    """Yield the suspects as rows of a table, with rounded probabilities."""
    for suspect in audit.suspects:
        row = dict(vars(suspect))
        for name in ("label_probability", "suggested_probability"):
            row[name] = round(row[name], 4)
        yield row
