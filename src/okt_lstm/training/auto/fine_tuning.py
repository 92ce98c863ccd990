"""Fine-tune the encoder on many rows: Trainer, stopped early, with the best weights kept in memory."""

import tempfile
from collections.abc import Mapping
from typing import Any, NamedTuple

import datasets
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import (
    DataCollatorWithPadding,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)

from oktane.problem_type import ProblemType

from ...reports.metrics import compute_metrics_for
from ..class_weights import weighted_loss
from ..run_options import TrainOptions
from ..trainer import RecurrentTrainer
from .folds import Fold
from .linear import Targets
from .reading import Reading, averaging
from .tokens import Tokens

LEAST_ROWS = 2000
"""With fewer rows the encoder stays frozen, which does better."""
_MOST_TOKENS = 128
_EPOCHS = 4
# Tokens to learn from, in all: what two cores read in a minute or two. Few rows are read _EPOCHS times, many at least
# once.
_TOKENS = 1_000_000
_VALIDATIONS = 8
_PATIENCE = 3


class Plan(NamedTuple):
    """How to train.

    Attributes:
        epochs: Passes over the rows.
        batch_size: Texts in a batch.
        steps: Batches in all.
        learning_rate: The peak learning rate.
        freezes_embeddings: Whether the embeddings of tokens stay as they are.
    """

    epochs: float
    batch_size: int
    steps: int
    learning_rate: float = 1e-3
    freezes_embeddings: bool = False


def plan(lengths: NDArray[np.int64]) -> Plan:
    """Plan the training for texts of these lengths, in tokens."""
    tokens = np.minimum(lengths, _MOST_TOKENS).sum()
    epochs = float(np.clip(_TOKENS / max(1, tokens), 1, _EPOCHS))
    batch_size = int(np.clip(2 ** round(np.log2(len(lengths) / 200)), 16, 128))
    return Plan(epochs, batch_size, max(1, round(epochs * len(lengths) / batch_size)))


class FineTuned(NamedTuple):
    """A network that was fine-tuned, its logits for the rows that were held out, and what Trainer logged."""

    model: PreTrainedModel
    logits: NDArray[np.float64]
    history: list[dict[str, float]]


def fine_tune(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    tokens: Tokens,
    targets: Targets,
    fold: Fold,
    reading: Reading,
    planned: Plan,
    metric: str,
    training: TrainOptions,
) -> FineTuned:
    """Train a classifier whose head has been fitted already, and keep the weights that validate best.

    Args:
        model: The classifier. It is changed.
        tokenizer: Its tokenizer, for padding.
        tokens: The token ids of all rows, whole.
        targets: The labels of all rows.
        fold: The rows to train on, and those to validate on.
        reading: How the model will read texts.
        planned: How to train.
        metric: The score that decides which weights are best.
        training: The options of the run, for its seed and surroundings.
    """
    if planned.freezes_embeddings:
        model.get_input_embeddings().requires_grad_(False)
    best = KeepBest(metric, _PATIENCE)
    set_seed(training.seed)
    loss = None
    if targets.problem_type is ProblemType.SINGLE_LABEL:
        # Between balanced and not: with full balance, a few rows of a rare class decide.
        loss = weighted_loss(targets.values[fold.kept], targets.num_labels, power=0.5)
    # To learn from, the beginning of a text is enough.
    beginnings = tokens.cut(_MOST_TOKENS)
    # What Trainer saves when it is interrupted goes with the folder.
    with tempfile.TemporaryDirectory() as folder:
        trainer = RecurrentTrainer(
            model=model,
            args=TrainOptions(
                output_dir=folder,
                num_train_epochs=planned.epochs,
                per_device_train_batch_size=planned.batch_size,
                learning_rate=planned.learning_rate,
                optim="adamw_torch_fused",
                weight_decay=0.01,
                warmup_steps=0.1,
                eval_strategy="steps",
                eval_steps=max(1, planned.steps // _VALIDATIONS),
                save_strategy="no",
                load_best_model_at_end=False,
                metric_for_best_model=best.score,
                report_to="none",
                disable_tqdm=training.disable_tqdm,
                seed=training.seed,
                use_cpu=training.use_cpu,
                bf16=training.bf16,
            ),
            train_dataset=_rows(beginnings, targets, fold.kept),
            eval_dataset=_rows(beginnings, targets, fold.held_out),
            processing_class=tokenizer,
            data_collator=DataCollatorWithPadding(tokenizer),
            compute_metrics=compute_metrics_for(targets.problem_type),
            callbacks=[best],
            compute_loss_func=loss,
        )
        # It would print a line for every few steps where there is no progress bar.
        trainer.remove_callback(PrinterCallback)
        try:
            trainer.fit(None)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("stopped; nothing was written: give the same command to start again") from None
        best.restore(model)
        # Trainer would predict in the order of length-grouped batches.
        trainer.args.train_sampling_strategy = "random"
        parts, owners = reading.read(tokens)
        chosen = np.flatnonzero(np.isin(owners, fold.held_out))
        whole = Targets(targets.problem_type, targets.values[owners], targets.num_labels)
        predicted = np.asarray(trainer.predict(_rows(parts, whole, chosen)).predictions, np.float64)
        logits = averaging(owners[chosen], len(targets.values))[fold.held_out] @ predicted
    return FineTuned(model, logits, list(trainer.state.log_history))


def _rows(tokens: Tokens, targets: Targets, rows: NDArray[np.int64]) -> datasets.Dataset:
    """Return rows with columns as the model takes them."""
    columns = {
        "input_ids": [tokens.ids[tokens.row_splits[row] : tokens.row_splits[row + 1]] for row in rows],
        "label": targets.values[rows],
    }
    if tokens.first is not None:
        lengths, first = tokens.lengths, tokens.first
        columns["token_type_ids"] = [(np.arange(lengths[row]) >= first[row]).astype(np.int64) for row in rows]
    return datasets.Dataset.from_dict(columns)


class KeepBest(TrainerCallback):
    """Keeps the weights that validate best, in memory, and stops when they have not been beaten for a while.

    Of equal scores the one with the lower loss is better.

    Args:
        score: The score's name, without Trainer's prefix.
        patience: The number of validations after which to stop.
    """

    def __init__(self, score: str, patience: int) -> None:
        self.score, self.patience = score, patience
        self._best: tuple[float, float] | None = None
        self._weights: dict[str, Tensor] = {}
        self._since_best = 0

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: Mapping[str, float] | None = None,
        model: torch.nn.Module | None = None,
        **kwargs: Any,
    ) -> None:
        """Compare, and keep or count."""
        assert metrics is not None
        assert model is not None
        found = (metrics[f"eval_{self.score}"], -metrics["eval_loss"])
        if self._best is None or found > self._best:
            self._best, self._since_best = found, 0
            self._weights = {name: weight.detach().clone() for name, weight in model.state_dict().items()}
            return
        self._since_best += 1
        if self._since_best >= self.patience:
            control.should_training_stop = True

    def restore(self, model: torch.nn.Module) -> None:
        """Give a model the best weights."""
        if self._weights:
            model.load_state_dict(self._weights)
