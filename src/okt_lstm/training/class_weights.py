"""A loss in which rare classes weigh more."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812


def weighted_loss(classes: NDArray[np.int64], num_classes: int, power: float = 1.0) -> Callable[..., Tensor]:
    """Return a `compute_loss_func` of Trainer: cross-entropy, weighted by class.

    Args:
        classes: The class ids of the training rows, `(rows,)`.
        num_classes: The number of classes.
        power: 1 for classes that weigh the same, whatever the number of their rows; 0 for rows that do; 0.5 between.
    """
    shares = np.bincount(classes, minlength=num_classes) / len(classes)
    # A class without rows gets any weight.
    by_class = np.where(shares > 0, shares, 1) ** -power
    # The rows' weights are 1 on average, so that the learning rate means the same.
    weights = torch.tensor(by_class / (by_class * shares).sum(), dtype=torch.float32)

    def loss(outputs: Any, labels: Tensor, num_items_in_batch: Tensor | int | None = None) -> Tensor:
        logits = outputs["logits"].float()
        labels = labels.view(-1).long()
        losses = F.cross_entropy(logits, labels, reduction="none") * weights.to(logits.device)[labels]
        return losses.sum() / (len(labels) if num_items_in_batch is None else num_items_in_batch)

    return loss
