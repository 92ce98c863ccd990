# Copyright 2026 the okt-lstm developers. Licensed under the Apache License, Version 2.0.
"""The loss of all classifiers here, recurrent or linear."""

from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from transformers import PreTrainedConfig


def classification_loss(
    logits: Tensor, labels: Tensor, config: PreTrainedConfig, num_items_in_batch: Tensor | int | None = None
) -> Tensor:
    """Return the loss for `config.problem_type`.

    It is cross-entropy for single-label classification, binary cross-entropy for multi-label classification, and the
    mean squared error for regression. Unlike the losses of transformers, it uses `num_items_in_batch` for all three, so
    that accumulated gradients equal those of one large batch.

    An unset `config.problem_type` is inferred from the labels and then **set**, as every transformers classifier does.

    Args:
        logits: The model's predictions, `(batch, num_labels)`.
        labels: See `RecurrentForSequenceClassification.forward`. Class ids of -100 are ignored.
        config: The model's configuration.
        num_items_in_batch: Number of labels to average over. By default, that of this batch.

    Returns:
        A scalar.

    Raises:
        ValueError: If the shape of the labels does not fit the logits.
    """
    if config.problem_type is None:
        if config.num_labels == 1:
            config.problem_type = "regression"
        elif labels.is_floating_point():
            config.problem_type = "multi_label_classification"
        else:
            config.problem_type = "single_label_classification"
    labels = labels.to(logits.device)
    logits = logits.float()  # half precision is too coarse for a logarithm
    class_ids = config.problem_type == "single_label_classification" and not labels.is_floating_point()
    expected = logits.shape[0] if class_ids else logits.numel()
    if labels.numel() != expected:
        raise ValueError(
            f"{config.problem_type} with {config.num_labels} labels needs {expected} labels for a batch of "
            f"{logits.shape[0]}, got the shape {tuple(labels.shape)}"
        )
    reduction = "mean" if num_items_in_batch is None else "sum"
    if class_ids:
        loss = F.cross_entropy(logits, labels.view(-1).long(), reduction=reduction)
    elif config.problem_type == "single_label_classification":
        loss = F.cross_entropy(logits, labels.view_as(logits).float(), reduction=reduction)
        if num_items_in_batch is not None:
            loss = loss * logits.shape[1]  # Trainer counts each probability as an item
    elif config.problem_type == "multi_label_classification":
        loss = F.binary_cross_entropy_with_logits(logits, labels.view_as(logits).float(), reduction=reduction)
    else:
        loss = F.mse_loss(logits, labels.view_as(logits).float(), reduction=reduction)
    if isinstance(num_items_in_batch, Tensor):
        num_items_in_batch = num_items_in_batch.to(loss.device)
    return loss if num_items_in_batch is None else loss / num_items_in_batch
