"""Choose among an encoder that stays frozen, one that is fine-tuned, an n-gram model, and mixtures of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedModel

from .fine_tuning import FineTuned
from .folds import Fold, held_out_rows
from .linear import Linear, Targets, fit_linear
from .mixture import Mixture, fit_mixture, loss_of
from .ngram_features import NgramFeatures
from .row_space import RowSpace

# The inverse strengths of the penalty that are tried on the encoder's vectors.
_CS = (0.1, 1.0, 10.0)
_NGRAM_C = 10.0


@dataclass(frozen=True)
class Choice:
    """What was chosen, fitted on all rows, and how well it did on the rows that were held out.

    Attributes:
        mixture: How the two parts are mixed.
        head: The linear model on the encoder's vectors; None if the network was fine-tuned.
        network: The network that was fine-tuned; None if the encoder stays frozen.
        ngrams: The linear model on n-grams.
        logits: The mixed logits of the rows that were held out, `(rows, labels)`.
        scores: The score of each candidate, R2 for a regression, by its name.
        c: The C of the head.
        history: What Trainer logged while it fine-tuned.
    """

    mixture: Mixture
    head: Linear
    network: PreTrainedModel | None
    ngrams: Linear
    logits: NDArray[np.float64]
    scores: dict[str, float]
    c: float
    history: Sequence[dict[str, float]] = ()

    @property
    def kind(self) -> str:
        """What is kept, in a few words."""
        network = "fine-tuned network" if self.network else "frozen encoder"
        if not self.mixture.deep:
            return "n-gram model"
        return f"{network} and n-gram model" if self.mixture.wide else network


def choose(
    vectors: NDArray[np.float32],
    ngrams: NgramFeatures,
    targets: Targets,
    folds: Sequence[Fold],
    class_weights: str,
    metric: str,
    fine_tune: Callable[[Linear, Fold], FineTuned] | None,
) -> Choice:
    """Compare the candidates on the rows that the folds hold out, and fit the best one on all rows.

    Args:
        vectors: The encoder's vectors of all rows, centered, and of length 1 on average.
        ngrams: The n-grams of all rows.
        targets: The labels of all rows.
        folds: What is held out.
        class_weights: See `fit_mixture`.
        metric: The score that decides; see `score_of`.
        fine_tune: Trains the network on a fold, from a fitted head; None if the encoder is to stay frozen.
    """
    held_out = targets.of(held_out_rows(folds))
    space = RowSpace(ngrams.matrix)
    wide = _held_out_logits(space.vectors, targets, folds, _NGRAM_C)
    by_c = {c: _held_out_logits(vectors, targets, folds, c) for c in _CS}
    c = min(_CS, key=lambda c: loss_of(by_c[c], held_out, balanced=True))
    deep = by_c[c]
    frozen = fit_mixture(deep, wide, held_out, class_weights, metric)
    nothing = np.zeros_like(wide)
    scores = {
        name: fit_mixture(*parts, held_out, class_weights, metric).score(*parts, held_out, metric)
        for name, parts in (("n-gram model", (nothing, wide)), ("frozen encoder", (deep, nothing)))
    }
    scores["frozen encoder and n-gram model"] = frozen.score(deep, wide, held_out, metric)
    head = fit_linear(vectors, targets, c)
    ngram_model = space.expand(fit_linear(space.vectors, targets, _NGRAM_C))
    best = Choice(frozen, head, None, ngram_model, frozen.logits(deep, wide), scores, c)
    if fine_tune is not None:
        fold = folds[0]
        tuned = fine_tune(fit_linear(vectors[fold.kept], targets.of(fold.kept), c), fold)
        rows = targets.of(fold.held_out)
        count = len(fold.held_out)
        # The first fold's rows come first.
        mixture = fit_mixture(tuned.logits, wide[:count], rows, class_weights, metric)
        mixed = mixture.logits(tuned.logits, wide[:count])
        scores["fine-tuned network and n-gram model"] = mixture.score(tuned.logits, wide[:count], rows, metric)
        if mixture.loss < fit_mixture(deep[:count], wide[:count], rows, class_weights).loss:
            best = Choice(mixture, head, tuned.model, ngram_model, mixed, scores, c, tuned.history)
    return best


def _held_out_logits(features: Any, targets: Targets, folds: Sequence[Fold], c: float) -> NDArray[np.float64]:
    """Return the logits of the rows that each fold holds out, by a model of the rows that it keeps."""
    return np.concatenate(
        [fit_linear(features[fold.kept], targets.of(fold.kept), c).logits(features[fold.held_out]) for fold in folds]
    )
