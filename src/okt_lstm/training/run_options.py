"""transformers' `TrainingArguments` with the defaults, the checks and the further options of this package."""

import logging
from dataclasses import dataclass, fields
from functools import cache
from importlib.util import find_spec
from typing import Any

import torch
from transformers import TrainingArguments
from transformers.trainer_utils import HubStrategy, SchedulerType
from transformers.training_args import OptimizerNames

from ..reports.metrics import LOWER_IS_BETTER
from .encoder_options import EncoderSettings
from .settings import PretrainSettings, RunSettings, TrainSettings
from .tagging_options import SpacingSettings, TaggingSettings
from .values import check_name, check_ranges

logger = logging.getLogger(__name__)


@dataclass
class BaseRunOptions(RunSettings, TrainingArguments):  # type: ignore[misc]  # narrower types than transformers'
    """The options of any kind of run."""

    def __post_init__(self) -> None:
        """Fill in what depends on the machine and on other options, and check them."""
        check_ranges(vars(self), fields(self))
        check_name("optim", self.optim, [name.value for name in OptimizerNames])
        check_name("lr_scheduler_type", self.lr_scheduler_type, [name.value for name in SchedulerType])
        if self.report_to is None:
            self.report_to = "tensorboard" if find_spec("tensorboard") else "none"
        if self.greater_is_better is None and self.metric_for_best_model is not None:
            self.greater_is_better = self.metric_for_best_model.removeprefix("eval_") not in LOWER_IS_BETTER
        if not torch.accelerator.is_available():
            # Without this, several processes on CPUs would not know of each other.
            self.use_cpu = True
            # Only for copies to a GPU; PyTorch warns of it on each data loader.
            self.dataloader_pin_memory = False
        if self.bf16 and self.use_cpu and not _cpu_mixes_bfloat16():
            logger.warning(
                "This processor can't train in bfloat16 (on x86 that takes AVX-512), so the run uses float32, which "
                "takes longer."
            )
            self.bf16 = False
        super().__post_init__()
        # NaN is not above 0 either.
        if not self.num_train_epochs > 0 and self.max_steps <= 0:
            raise ValueError(f"num_train_epochs is {self.num_train_epochs}; it has to be above 0")
        if self.push_to_hub and self.hub_strategy != HubStrategy.END:
            raise ValueError("any hub_strategy but 'end' pushes checkpoints, which hold pickles; leave it out")

    def for_card(self) -> dict[str, Any]:
        """Return the hyperparameters of a training that every card lists, by name."""
        return {
            "optimizer": OptimizerNames(self.optim).value,
            "learning_rate": self.learning_rate,
            "lr_scheduler_type": SchedulerType(self.lr_scheduler_type).value,
            "warmup_steps": self.warmup_steps,
            "batch_size": self.train_batch_size * self.gradient_accumulation_steps * self.world_size,
            "num_train_epochs": self.num_train_epochs,
        }


@cache
def _cpu_mixes_bfloat16() -> bool:
    """Return whether the CPU runs LSTMs in mixed precision. Where it doesn't, PyTorch fails at the first batch."""
    try:
        with torch.autocast("cpu", torch.bfloat16):
            torch.nn.LSTM(1, 1)(torch.zeros(1, 1, 1))
    except RuntimeError:
        return False
    return True


@dataclass
class TrainOptions(TrainSettings, BaseRunOptions):  # type: ignore[misc]
    """How a classifier is trained."""


@dataclass
class PretrainOptions(PretrainSettings, BaseRunOptions):  # type: ignore[misc]
    """How a language model is trained."""


@dataclass
class EncoderOptions(EncoderSettings, BaseRunOptions):  # type: ignore[misc]
    """How a sentence encoder is trained."""


@dataclass
class TaggingOptions(TaggingSettings, BaseRunOptions):  # type: ignore[misc]
    """How a tagger is trained."""


@dataclass
class SpacingOptions(SpacingSettings, BaseRunOptions):  # type: ignore[misc]
    """How a tagger that restores spaces is trained."""
