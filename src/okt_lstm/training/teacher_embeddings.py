"""Embeddings that start from what a teacher of sentence vectors says of each token alone."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import PreTrainedTokenizerBase

from .teacher_vectors import Teacher, teacher_vectors

# Standard deviation of an embedding's numbers. Trained embeddings have about as much.
SCALE = 0.1


def token_vectors(teacher: Teacher, tokenizer: PreTrainedTokenizerBase) -> NDArray[np.float16]:
    """Return the teacher's vector of each token, as a text of its own, in the order of their ids."""
    return teacher_vectors(teacher, tokenizer.convert_ids_to_tokens(list(range(len(tokenizer)))))


@torch.no_grad()
def start_from_teacher(embedding: nn.Embedding, vectors: NDArray[np.float16]) -> None:
    """Set embeddings to the principal components of tokens' vectors, all of one length.

    Args:
        embedding: The embeddings, `(tokens, size)`. That of the padding stays.
        vectors: The teacher's vectors, `(tokens, width)`.

    Raises:
        ValueError: If the teacher's vectors have fewer numbers than an embedding.
    """
    size = embedding.embedding_dim
    if vectors.shape[1] < size:
        raise ValueError(
            f"the teacher's vectors have {vectors.shape[1]} numbers, fewer than --embedding_size {size}: "
            "set that lower, or --no_teacher_embeddings"
        )
    centered = torch.from_numpy(vectors.astype(np.float32))
    centered -= centered.mean(dim=0)
    directions = torch.linalg.svd(centered, full_matrices=False).Vh[:size]  # (size, width)
    components = nn.functional.normalize(centered @ directions.T, dim=1) * SCALE * size**0.5  # (tokens, size)
    if embedding.padding_idx is not None:
        components[embedding.padding_idx] = 0
    embedding.weight.copy_(components)
