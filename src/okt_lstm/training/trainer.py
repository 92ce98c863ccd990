"""Trainer as every run here uses it: length-grouped batches, an order that can be resumed, folders without pickles."""

import logging
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import datasets
import pyarrow.compute as pc
import torch
from huggingface_hub import ModelCard
from safetensors import SafetensorError
from torch.utils.data import Sampler
from transformers import (
    EarlyStoppingCallback,
    PreTrainedModel,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer import TRAINER_STATE_NAME, TRAINING_ARGS_NAME
from transformers.trainer_pt_utils import LengthGroupedSampler
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR, TrainOutput, rotate_checkpoints

from ..atomic import replacing_files, write_text
from ..hub import push
from .optimization import RowwiseRMSprop
from .run_options import BaseRunOptions

logger = logging.getLogger(__name__)


class RecurrentTrainer(Trainer):
    """Trainer with batches that are cheap to group and can be resumed, our model card, and no pickle in the folder.

    Attributes:
        card: The model card, which replaces Trainer's draft whenever Trainer writes that.
    """

    args: BaseRunOptions
    model: PreTrainedModel
    card: ModelCard | None = None
    # Where the files of a checkpoint are written before it appears.
    _checkpoint_dir: Path | None = None
    # Of the training rows since the last log: how many got their class, `()`, and how many there were.
    _right: torch.Tensor | int = 0
    _seen: int = 0

    @staticmethod
    def get_optimizer_cls_and_kwargs(args: TrainingArguments, model: PreTrainedModel | None = None) -> tuple[Any, Any]:
        """Return the optimizer. On a CPU, use an RMSprop that skips embedding rows without a gradient."""
        optimizer_class, options = Trainer.get_optimizer_cls_and_kwargs(args, model)
        if optimizer_class is torch.optim.RMSprop and args.device.type == "cpu":
            optimizer_class = RowwiseRMSprop
        return optimizer_class, options

    def fit(self, checkpoint: str | None) -> TrainOutput:
        """Train, stop early if `early_stopping_patience` says so, and let Ctrl-C save a checkpoint.

        Args:
            checkpoint: The checkpoint to go on with; None for a new run.

        Raises:
            KeyboardInterrupt: If the run was interrupted; the message says how to resume it.
        """
        interruption = SaveOnInterrupt()
        self.add_callback(interruption)
        if self.args.early_stopping_patience is not None:
            stopping = EarlyStoppingCallback(self.args.early_stopping_patience)
            stopping.early_stopping_patience_counter = _validations_without_best(checkpoint)
            self.add_callback(stopping)
        with interruption.listening(self.args):
            trained = self.train(resume_from_checkpoint=checkpoint)
        if interruption.happened:
            raise KeyboardInterrupt(f"stopped at step {self.state.global_step}; --resume_from_checkpoint continues")
        return trained

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Return the loss, and count how many training rows get their class, for the curves."""
        labels = inputs.get("labels")
        loss, outputs = super().compute_loss(model, inputs, True, num_items_in_batch)
        if model.training and labels is not None and labels.dim() == 1 and not labels.is_floating_point():
            self._right = self._right + (outputs["logits"].detach().argmax(dim=-1) == labels).sum()
            self._seen += len(labels)
        return (loss, outputs) if return_outputs else loss

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Log, with the accuracy on the training rows since the last log beside their loss."""
        if "loss" in logs and self._seen:
            logs["accuracy"] = round(float(self._right) / self._seen, 4)
            self._right, self._seen = 0, 0
        super().log(logs, *args, **kwargs)

    def _get_train_sampler(self, train_dataset: datasets.Dataset | None = None) -> Sampler[int] | None:
        rows = self.train_dataset if train_dataset is None else train_dataset
        batch_size = self.args.train_batch_size * self.args.gradient_accumulation_steps
        return self._sampler(rows, batch_size) or super()._get_train_sampler(train_dataset)

    def _get_eval_sampler(self, eval_dataset: datasets.Dataset) -> Sampler[int] | None:
        return self._sampler(eval_dataset, self.args.eval_batch_size) or super()._get_eval_sampler(eval_dataset)

    def _sampler(self, rows: datasets.Dataset, batch_size: int) -> Sampler[int] | None:
        if self.args.train_sampling_strategy != "group_by_length":
            return None
        # Trainer's way to the lengths decodes every row, which takes as long as a good part of an epoch.
        input_ids = rows.with_format("arrow")[:]["input_ids"]
        return ResumableLengthGroupedSampler(batch_size, pc.list_value_length(input_ids).to_pylist(), self.args.seed)

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        folder = Path(self.args.output_dir)
        if not self.args.should_save or (output_dir is not None and Path(output_dir) != folder):
            super()._save(output_dir, state_dict)
            return
        with _failing_as_os_error(folder), replacing_files(folder) as temporary:
            super()._save(str(temporary), state_dict)
            # A pickle.
            (temporary / TRAINING_ARGS_NAME).unlink()

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        """Save a checkpoint that appears whole or not at all; older ones stay until it is there."""
        # Several processes would each need to know the temporary folder. There, what is incomplete is not resumed.
        if self.args.world_size > 1:
            super()._save_checkpoint(model, trial)
            return
        folder = Path(self.args.output_dir)
        target = folder / f"{PREFIX_CHECKPOINT_DIR}-{self.state.global_step}"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with _failing_as_os_error(target), replacing_files(folder) as self._checkpoint_dir:
                super()._save_checkpoint(model, trial)
                if self.state.best_global_step == self.state.global_step:
                    # Where it will be.
                    self.state.best_model_checkpoint = str(target)
                self.state.save_to_json(str(self._checkpoint_dir / target.name / TRAINER_STATE_NAME))
                # An incomplete one, or one of a run with other options that is now resumed from an earlier step.
                shutil.rmtree(target, ignore_errors=True)
        finally:
            self._checkpoint_dir = None
        rotate_checkpoints(
            output_dir=str(folder),
            save_total_limit=self.args.save_total_limit,
            best_model_checkpoint=self.state.best_model_checkpoint,
            use_mtime=True,
        )

    def _get_output_dir(self, trial: Any) -> str:
        return str(self._checkpoint_dir or super()._get_output_dir(trial))

    def _determine_best_metric(self, metrics: dict[str, float], trial: Any) -> bool:
        """Return whether this is the best validation so far. Of equal scores, the one with the lower loss is better."""
        best, name = self.state.best_metric, f"eval_{str(self.args.metric_for_best_model).removeprefix('eval_')}"
        is_best = super()._determine_best_metric(metrics, trial)
        if is_best or best is None or metrics.get(name) != best:
            return is_best
        losses = {entry["step"]: entry["eval_loss"] for entry in self.state.log_history if "eval_loss" in entry}
        if metrics["eval_loss"] >= losses.get(self.state.best_global_step or 0, float("-inf")):
            return False
        self.state.best_global_step = self.state.global_step
        return True

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Evaluate without changing the state of the random numbers, which even a fixed order of batches draws from."""
        with torch.random.fork_rng(devices=[]):
            return super().evaluate(*args, **kwargs)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Write our card in place of Trainer's draft."""
        if self.card is not None:
            write_text(Path(self.args.output_dir) / "README.md", str(self.card))

    def push_to_hub(self, commit_message: str | None = None, **kwargs: Any) -> str | None:  # type: ignore[override]
        """Upload what `okt-lstm push` uploads of the folder, where Trainer would upload all that is in it."""
        if not self.is_world_process_zero():
            return None
        assert self.hub_model_id is not None, "Trainer has made the repository"
        return push(
            self.args.output_dir,
            self.hub_model_id,
            private=bool(self.args.hub_private_repo),
            token=self.args.hub_token,
            revision=self.args.hub_revision,
            commit_message=commit_message,
        )


@contextmanager
def _failing_as_os_error(path: Path) -> Iterator[None]:
    """Raise an OSError for what the writers of weights and of PyTorch's files make of one."""
    try:
        yield
    except (SafetensorError, RuntimeError) as error:
        raise OSError(f"{path} can't be written: {error}") from error


def _validations_without_best(checkpoint: str | None) -> int:
    """Return how many validations before a checkpoint had no new best score. Trainer would begin to count anew."""
    if checkpoint is None:
        return 0
    saved = TrainerState.load_from_json(str(Path(checkpoint) / TRAINER_STATE_NAME)).stateful_callbacks or {}
    attributes = saved.get(EarlyStoppingCallback.__name__, {}).get("attributes", {})
    return int(attributes.get("early_stopping_patience_counter", 0))


class ResumableLengthGroupedSampler(LengthGroupedSampler):
    """Trainer's length-grouped sampler, with an order that depends on the seed and the epoch alone.

    So an epoch that is resumed halfway continues in the order it began with.

    Args:
        batch_size: Rows per batch.
        lengths: Number of tokens of each row.
        seed: Seed of the first epoch's order. Later epochs add their number.
    """

    def __init__(self, batch_size: int, lengths: list[int], seed: int) -> None:
        super().__init__(batch_size, lengths=lengths, generator=torch.Generator())
        self.seed = seed
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Set the order of an epoch; the data loader calls this."""
        self.generator.manual_seed(self.seed + epoch)


class SaveOnInterrupt(TrainerCallback):
    """Lets Ctrl-C save a checkpoint after the current step and end the run. A second Ctrl-C ends it at once."""

    def __init__(self) -> None:
        self.happened = False

    @contextmanager
    def listening(self, args: TrainingArguments) -> Iterator[None]:
        """Handle Ctrl-C, but not with several processes: they would stop at different steps and wait for each other."""
        if args.world_size > 1 or threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = signal.signal(signal.SIGINT, self._handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, previous)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        logger.warning("Interrupted: saving a checkpoint; Ctrl-C again stops at once")
        self.happened = True

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Save and stop, if Ctrl-C was pressed."""
        if self.happened:
            control.should_training_stop = True
            # After the last step of an epoch, the epoch's validation comes first.
            control.should_save = not _ends_epoch(state)

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Save after the last step of an epoch; in the middle of one, the interrupted step has just been saved."""
        if self.happened:
            control.should_save = _ends_epoch(state)
            control.should_evaluate = control.should_evaluate and _ends_epoch(state)


def _ends_epoch(state: TrainerState) -> bool:
    return state.epoch is not None and float(state.epoch).is_integer()
