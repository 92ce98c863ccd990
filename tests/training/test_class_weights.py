"""The weighted loss: classes weigh the same, rows weigh 1 on average, accumulated gradients are those of one batch."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from okt_lstm.training.class_weights import weighted_loss

CLASSES = np.array([0] * 9 + [1])
LABELS = torch.from_numpy(CLASSES)


def test_classes_weigh_the_same():
    logits = torch.zeros(10, 2, requires_grad=True)
    weighted_loss(CLASSES, 2)({"logits": logits}, LABELS).backward()
    # The gradients of the nine rows of one class balance that of the one row of the other.
    torch.testing.assert_close(logits.grad.sum(dim=0), torch.zeros(2), atol=1e-6, rtol=0)


def test_rows_weigh_one_on_average():
    logits = torch.zeros(10, 2)
    torch.testing.assert_close(weighted_loss(CLASSES, 2)({"logits": logits}, LABELS), F.cross_entropy(logits, LABELS))


def test_no_power_is_cross_entropy():
    logits = torch.randn(10, 2, generator=torch.Generator().manual_seed(0))
    found = weighted_loss(CLASSES, 2, power=0)({"logits": logits}, LABELS)
    torch.testing.assert_close(found, F.cross_entropy(logits, LABELS))


def test_accumulated_batches_are_as_one():
    logits = torch.randn(10, 2, generator=torch.Generator().manual_seed(0))
    loss = weighted_loss(CLASSES, 2)
    parts = [loss({"logits": logits[part]}, LABELS[part], 10) for part in (slice(5), slice(5, 10))]
    assert sum(parts).item() == pytest.approx(loss({"logits": logits}, LABELS).item())
