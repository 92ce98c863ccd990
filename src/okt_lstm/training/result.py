"""What a training run returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TrainResult:
    """What a training run leaves.

    Attributes:
        folder: The trained model with its tokenizer, code, results, pictures and card.
        metrics: Figures as Trainer names them: `train_...`, `eval_...` (validation) and, where there is a test split,
            `test_...`.
    """

    folder: Path
    metrics: Mapping[str, float]
