"""Word vectors as the embeddings of a model: filled in, frozen for the first epochs, and how much they cover."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import nn
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from ..data.vectors import Vectors


@dataclass(frozen=True)
class Coverage:
    """How much of a vocabulary has word vectors; `str` says it in words.

    Attributes:
        found: Number of tokens that have a vector.
        tokens: Number of tokens of the vocabulary, without padding.
        occurrence_coverage: Share of all occurrences of tokens that have a vector, from 0 to 1; None where no counts
            were given.
    """

    found: int
    tokens: int
    occurrence_coverage: float | None = None

    @property
    def share(self) -> float:
        """The share of the vocabulary's tokens that have a vector, from 0 to 1."""
        return self.found / self.tokens if self.tokens else 0.0

    def __str__(self) -> str:
        text = f"{self.found:,} of the vocabulary's {self.tokens:,} tokens have a vector ({self.share:.1%})"
        return (
            text
            if self.occurrence_coverage is None
            else f"{text}, covering {self.occurrence_coverage:.1%} of all occurrences"
        )


@torch.no_grad()
def fill_embeddings(
    embedding: nn.Embedding, tokenizer: PreTrainedTokenizerBase, vectors: Vectors, counts: np.ndarray | None = None
) -> Coverage:
    """Copy word vectors into the embeddings of a model.

    Tokens without a vector keep their random values, scaled to the vectors' standard deviation. The row of the padding
    token stays as it is.

    Args:
        embedding: The embeddings to fill, `(ids, size)`.
        tokenizer: The tokenizer of the model.
        vectors: The vectors; `read_vectors(path, tokenizer.get_vocab())` reads only those that are needed.
        counts: How often each id occurs in the training rows, `(ids,)`, for the coverage.

    Raises:
        ValueError: If the vectors have another size, or none of them is of the vocabulary.
    """
    size = vectors.matrix.shape[1]
    if size != embedding.embedding_dim:
        raise ValueError(
            f"the vectors have {size} numbers, the embeddings {embedding.embedding_dim}: set --embedding_size {size}"
        )
    rows = {token: row for row, token in enumerate(vectors.tokens)}
    vocabulary = {token: i for token, i in tokenizer.get_vocab().items() if i != tokenizer.pad_token_id}
    pairs = [(i, rows[token]) for token, i in vocabulary.items() if token in rows]
    if not pairs:
        raise ValueError(
            f"none of the {len(vocabulary):,} tokens has a vector: were the vectors trained with a different tokenizer?"
        )
    found, sources = (torch.tensor(numbers) for numbers in zip(*pairs, strict=True))
    weight = embedding.weight
    matrix = torch.from_numpy(vectors.matrix)[sources].to(weight)
    missing = torch.ones(len(weight), dtype=torch.bool)
    missing[found] = False
    if tokenizer.pad_token_id is not None:
        missing[tokenizer.pad_token_id] = False
    others = weight[missing]
    if len(others):
        weight[missing] = others * (matrix.std() / others.std().clamp(min=1e-12))
    weight[found] = matrix
    running = None
    if counts is not None:
        ids = np.fromiter(vocabulary.values(), np.int64)
        running = float(counts[found.numpy()].sum() / max(counts[ids].sum(), 1))
    return Coverage(len(pairs), len(vocabulary), running)


class FreezeEmbeddings(TrainerCallback):
    """Freezes a model's embeddings for the first epochs.

    No gradient reaches the optimizer, so none of torch's optimizers moves them, not even by weight decay.

    Args:
        epochs: How many epochs. Later epochs train the embeddings, too.
    """

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Freeze or unfreeze, but not under DistributedDataParallel, which waits for the gradients it started with."""
        if args.world_size == 1:
            _table(kwargs["model"]).requires_grad_(not self._is_frozen(state))

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Drop the gradient, if there is one."""
        if self._is_frozen(state):
            _table(kwargs["model"]).grad = None

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Unfreeze the embeddings of the finished model."""
        _table(kwargs["model"]).requires_grad_(True)

    def _is_frozen(self, state: TrainerState) -> bool:
        return (state.epoch or 0) < self.epochs


def _table(model: PreTrainedModel) -> torch.Tensor:
    return cast(nn.Embedding, model.get_input_embeddings()).weight
