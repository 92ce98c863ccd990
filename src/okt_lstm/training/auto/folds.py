"""Folds for cross-validation, in which near-duplicates stay together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from oktane.problem_type import ProblemType

from .linear import Targets
from .ngram_features import Tokens

_HASHES, _BAND = 16, 4
# The share of equal minimum hashes, an estimate of the share of common tokens, from which texts are near-duplicates.
_SIMILAR = 0.7
_PRIME = 2**31 - 1

NUM_FOLDS = 5
MOST_CROSS_VALIDATED = 5000
"""With more rows, one fold is held out, of at most this many rows."""


class Fold:
    """Rows to learn from and rows that are held out, as their numbers."""

    def __init__(self, kept: NDArray[np.int64], held_out: NDArray[np.int64]) -> None:
        self.kept, self.held_out = kept, held_out


def make_folds(tokens: Tokens, targets: Targets, seed: int) -> list[Fold]:
    """Split rows for validation: five folds for few rows, and one for many.

    Classes have the same shares in all folds, as far as groups of near-duplicates allow it.

    Args:
        tokens: The token ids of the rows.
        targets: Their labels.
        seed: Decides which rows go together.

    Raises:
        ValueError: If there are too few different texts.
    """
    groups = near_duplicates(tokens)
    rows, distinct = len(groups), len(np.unique(groups))
    if distinct < 2:
        raise ValueError(f"the {rows:,} training rows hold one text, more or less: add other texts")
    if rows > MOST_CROSS_VALIDATED:
        count = max(NUM_FOLDS, round(rows / MOST_CROSS_VALIDATED))
    else:
        count = min(NUM_FOLDS, distinct)
    classes = _one_class_per_row(targets)
    few = count > np.bincount(classes).max()
    splitter = (
        GroupKFold(count, shuffle=True, random_state=seed)
        if few or rows > 10 * MOST_CROSS_VALIDATED
        else (StratifiedGroupKFold(count, shuffle=True, random_state=seed))
    )
    folds = []
    for kept, held_out in splitter.split(np.zeros(rows), classes, groups):
        folds.append(Fold(kept, held_out))
        if rows > MOST_CROSS_VALIDATED:
            break
    return folds


def _one_class_per_row(targets: Targets) -> NDArray[np.int64]:
    """Return a class for each row to stratify by: of several labels the rarest, and of numbers the quartile."""
    if targets.problem_type is ProblemType.SINGLE_LABEL:
        return np.asarray(targets.values, np.int64)
    if targets.problem_type is ProblemType.REGRESSION:
        return np.searchsorted(np.quantile(targets.values, [0.25, 0.5, 0.75]), targets.values)
    rarity = targets.values / targets.priors
    return np.where(targets.values.any(axis=1), rarity.argmax(axis=1), targets.num_labels)


def near_duplicates(tokens: Tokens) -> NDArray[np.int64]:
    """Group texts that share most of their tokens, by MinHash (Broder, 1997).

    Returns:
        The number of each text's group, `(texts,)`: the lowest number of a text in it.
    """
    signatures = _min_hashes(tokens)  # (texts, hashes)
    parents = np.arange(len(signatures))
    for start in range(0, _HASHES, _BAND):
        # Texts with one key stand together, the first of them in front.
        keys = np.unique(signatures[:, start : start + _BAND], axis=0, return_inverse=True)[1].ravel()
        first = np.full(keys.max() + 1, len(keys))
        np.minimum.at(first, keys, np.arange(len(keys)))
        leader = first[keys]
        alike = (signatures == signatures[leader]).mean(axis=1) >= _SIMILAR
        for text in np.flatnonzero(alike & (leader != np.arange(len(keys)))):
            _join(parents, text, leader[text])
    return np.array([_root(parents, text) for text in range(len(parents))])


def _min_hashes(tokens: Tokens) -> NDArray[np.int64]:
    """Return the lowest of several hashes of each text's tokens, `(texts, hashes)`; empty texts have -1."""
    random = np.random.default_rng(0)
    lengths = tokens.lengths
    signatures = np.full((len(lengths), _HASHES), -1)
    filled = np.flatnonzero(lengths)
    if len(filled):
        for column in range(_HASHES):
            factor, shift = random.integers(1, _PRIME, 2)
            hashes = (tokens.ids.astype(np.int64) * factor + shift) % _PRIME
            signatures[filled, column] = np.minimum.reduceat(hashes, tokens.row_splits[:-1][filled])
    return signatures


def _root(parents: NDArray[np.int64], text: int) -> int:
    while parents[text] != text:
        parents[text] = parents[parents[text]]
        text = parents[text]
    return int(text)


def _join(parents: NDArray[np.int64], first: int, second: int) -> None:
    low, high = sorted((_root(parents, first), _root(parents, second)))
    parents[high] = low


def held_out_rows(folds: Sequence[Fold]) -> NDArray[np.int64]:
    """Return the rows that are held out in some fold, in the order of the folds."""
    return np.concatenate([fold.held_out for fold in folds])
