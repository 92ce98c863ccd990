"""Folds for cross-validation, in which near-duplicates stay together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from oktane.problem_type import ProblemType

from .linear import Targets
from .tokens import Tokens

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
    of_row = _assign(groups, _one_class_per_row(targets), count, seed)  # (rows,)
    folds = [Fold(np.flatnonzero(of_row != fold), np.flatnonzero(of_row == fold)) for fold in range(count)]
    return folds[:1] if rows > MOST_CROSS_VALIDATED else folds


def _assign(groups: NDArray[np.int64], classes: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """Return a fold for each row, `(rows,)`: each group, in random order, goes where its class has the fewest rows."""
    distinct, places, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    rows_by_fold = np.zeros((classes.max() + 1, count))
    fold_of_group = np.empty(len(distinct), np.int64)
    class_of_group = np.empty(len(distinct), np.int64)
    # Near-duplicates have one class, nearly always.
    class_of_group[places] = classes
    for group in np.random.default_rng(seed).permutation(len(distinct)):
        rows = rows_by_fold[class_of_group[group]]
        fold_of_group[group] = fold = int((rows + 1e-6 * rows_by_fold.sum(axis=0)).argmin())
        rows[fold] += sizes[group]
    return fold_of_group[places]


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
        for text in np.flatnonzero(alike & (leader != np.arange(len(keys)))).tolist():
            _join(parents, text, int(leader[text]))
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
