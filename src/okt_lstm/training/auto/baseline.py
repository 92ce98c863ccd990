"""The baseline that every model is compared with: TF-IDF of characters, and logistic regression."""

from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from .folds import Fold, held_out_rows
from .linear import Linear, Targets, fit_linear
from .mixture import score_of
from .row_space import RowSpace

_FEW_ROWS = 2000
_MANY_ROWS = 20_000


class Baseline(NamedTuple):
    """TF-IDF of character 1- to 4-grams with logistic regression (ridge regression for numbers).

    Of a pair of texts, its features are how far the two are apart, and what they share.

    Attributes:
        held_out_logits: Its logits of the rows that were held out, by models without these rows.
        c: The C that did best there, as scikit-learn has it.
        balanced: Whether balanced class weights did best there.
        vectorizer: The TF-IDF, of all rows.
        model: The regression, fitted on all rows.
    """

    held_out_logits: NDArray[np.float64]
    c: float
    balanced: bool
    vectorizer: TfidfVectorizer
    model: Linear

    def logits(self, texts: Sequence[Any]) -> NDArray[np.float64]:
        """Return the logits of texts or pairs of texts, `(texts, labels)`."""
        return self.model.logits(_features(self.vectorizer, texts))


def _features(vectorizer: TfidfVectorizer, texts: Sequence[Any]) -> Any:
    if not texts or isinstance(texts[0], str):
        return vectorizer.transform(texts)
    first, second = (vectorizer.transform(side) for side in zip(*texts, strict=True))
    return sparse.hstack([abs(first - second), first.minimum(second)], format="csr")


def fit_baseline(texts: Sequence[Any], targets: Targets, folds: Sequence[Fold], metric: str = "f1_macro") -> Baseline:
    """Choose C and class weights on the rows that the folds hold out, and fit the baseline on all rows.

    Args:
        texts: The texts, or pairs of texts.
        targets: Their labels.
        folds: What is held out.
        metric: The score that decides; see `score_of`.
    """
    vectorizer = TfidfVectorizer(
        analyzer="char",
        ngram_range=(1, 4),
        sublinear_tf=True,
        min_df=1 if len(texts) < _MANY_ROWS else 2,
        dtype=np.float32,
    )
    if isinstance(texts[0], str):
        features = vectorizer.fit_transform(texts)
    else:
        vectorizer.fit([text for pair in texts for text in pair])
        features = _features(vectorizer, texts)
    space = RowSpace(features)
    held_out = targets.of(held_out_rows(folds))
    found = {}
    for c, balanced in product((1.0, 10.0) if len(texts) < _FEW_ROWS else (10.0,), (True, False)):
        logits = [
            fit_linear(space.vectors[fold.kept], targets.of(fold.kept), c, balanced).logits(
                space.vectors[fold.held_out]
            )
            for fold in folds
        ]
        found[c, balanced] = np.concatenate(logits)
    c, balanced = max(found, key=lambda choice: score_of(found[choice], held_out, metric))
    model = space.expand(fit_linear(space.vectors, targets, c, balanced))
    return Baseline(found[c, balanced], c, balanced, vectorizer, model)
