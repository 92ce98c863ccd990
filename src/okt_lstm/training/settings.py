"""How a network is trained: the options of transformers' `TrainingArguments` that matter here, and our own.

Nothing heavy is imported here; see options.py for what a field's metadata say.
"""

from dataclasses import dataclass, field
from typing import Literal

_OF_CLASSES = ("accuracy", "f1_macro", "precision_macro", "recall_macro")

SCORES = {
    "single_label_classification": _OF_CLASSES,
    "multi_label_classification": (*_OF_CLASSES, "f1_micro"),
    "regression": ("mse", "mae", "r2", "spearman"),
}
"""The scores that validation gives beside the loss, by problem type."""


@dataclass
class RunSettings:
    """The options of transformers' `TrainingArguments` that matter here, and our own, for any kind of run."""

    _argument_group_name = "training"

    output_dir: str = field(
        metadata={"metavar": "FOLDER", "help": "where the trained model goes (required)", "group": "output"}
    )
    num_train_epochs: float = field(default=3, metadata={"help": "passes over the training set (--epochs)"})
    per_device_train_batch_size: int = field(
        default=128, metadata={"help": "texts per batch, per device (--batch_size)", "min": 1}
    )
    per_device_eval_batch_size: int = field(
        default=256, metadata={"help": "texts per batch in evaluation, on each device", "advanced": True, "min": 1}
    )
    learning_rate: float = field(default=1e-3, metadata={"help": "peak learning rate (--lr)"})
    optim: str = field(
        default="rmsprop", metadata={"metavar": "NAME", "help": "optimizer: rmsprop, adamw_torch_fused, ..."}
    )
    lr_scheduler_type: str = field(
        default="linear", metadata={"metavar": "NAME", "help": "schedule: linear, cosine, constant, ..."}
    )
    warmup_steps: float = field(
        default=0, metadata={"help": "steps of rising learning rate; below 1: their share of all steps"}
    )
    weight_decay: float = field(default=0.0, metadata={"help": "weight decay of the optimizer", "advanced": True})
    train_sampling_strategy: Literal["random", "sequential", "group_by_length", "batch_rebalance"] = field(
        default="group_by_length",
        metadata={
            "metavar": "NAME",
            "help": "order of the rows; group_by_length needs the least padding",
            "advanced": True,
        },
    )
    seed: int = field(default=42, metadata={"help": "seed of weights, dropout and the order of rows"})
    bf16: bool = field(default=False, metadata={"help": "train in bfloat16 mixed precision, where the hardware can"})
    use_cpu: bool = field(
        default=False, metadata={"help": "train on the CPU, even if there is a GPU", "advanced": True}
    )
    eval_strategy: Literal["no", "steps", "epoch"] = field(
        default="epoch", metadata={"help": "when to validate", "advanced": True}
    )
    early_stopping_patience: int | None = field(
        default=None, metadata={"help": "stop after N validations without a new best score", "min": 1}
    )
    load_best_model_at_end: bool = field(
        default=True, metadata={"help": "keep the epoch that validates best, not the last one", "advanced": True}
    )
    overwrite_output_dir: bool = field(
        default=False, metadata={"help": "delete the model and checkpoints of an earlier run there", "group": "output"}
    )
    resume_from_checkpoint: str | bool | None = field(
        default=None,
        metadata={
            "metavar": "FOLDER",
            "help": "continue an interrupted run, from its newest checkpoint if no folder is named",
            "group": "output",
        },
    )
    save_strategy: Literal["no", "steps", "epoch", "best"] = field(
        default="epoch", metadata={"help": "when to save a checkpoint", "group": "output", "advanced": True}
    )
    save_total_limit: int | None = field(
        default=2,
        metadata={"help": "checkpoints to keep; the best is always kept", "group": "output", "advanced": True},
    )
    logging_steps: float = field(
        default=0.02,
        metadata={"help": "steps between logs; below 1: their share of all steps", "group": "output", "advanced": True},
    )
    report_to: list[str] | str | None = field(
        default=None,
        metadata={
            "metavar": "NAME",
            "help": "loggers, or none (default: tensorboard, if it is installed)",
            "group": "output",
            "advanced": True,
        },
    )
    disable_tqdm: bool | None = field(
        default=None, metadata={"help": "show no progress bars and tables", "group": "output", "advanced": True}
    )
    license: str = field(
        default="apache-2.0",
        metadata={
            "metavar": "NAME",
            "help": "license of the weights, for the model card",
            "group": "output",
            "advanced": True,
        },
    )
    push_to_hub: bool = field(
        default=False, metadata={"help": "upload the trained model to the Hugging Face Hub", "group": "output"}
    )
    hub_model_id: str | None = field(
        default=None,
        metadata={
            "metavar": "HUB_ID",
            "help": "with --push_to_hub: the repository (default: the name of --output_dir)",
            "group": "output",
            "advanced": True,
        },
    )
    hub_strategy: str = field(
        default="end", metadata={"help": "end: push the finished model only", "group": "output", "advanced": True}
    )
    ddp_find_unused_parameters: bool | None = field(
        default=False, metadata={"help": "with several GPUs: look for weights without a gradient", "advanced": True}
    )


@dataclass
class TrainSettings(RunSettings):
    """How a classifier is trained. The defaults are those of the classic recipe."""

    metric_for_best_model: str | None = field(
        default="auto",
        metadata={
            "metavar": "NAME",
            "help": "score that decides which epoch is best; auto: accuracy (single-label), f1_macro (multi-label) or "
            "mse (regression)",
            "names": ("auto", "loss", *dict.fromkeys(name for names in SCORES.values() for name in names)),
        },
    )
    do_predict: bool = field(
        default=True,
        metadata={"help": "measure the finished model on the test split", "group": "output", "advanced": True},
    )


@dataclass
class PretrainSettings(RunSettings):
    """How a language model is trained."""

    direction: Literal["both", "forward"] = field(
        default="both",
        metadata={
            "help": "both: read texts in both directions, to start classifiers from and to fill gaps; forward: from "
            "left to right, to generate text (see `generate`)"
        },
    )
    mask_token: str | None = field(
        default=None,
        metadata={
            "metavar": "TOKEN",
            "help": "add this token, such as '<mask>', to mark gaps with that the model fills",
        },
    )
    optim: str = field(default="adamw_torch_fused", metadata={"metavar": "NAME", "help": "optimizer"})
    learning_rate: float = field(default=2e-3, metadata={"help": "peak learning rate (--lr)"})
    lr_scheduler_type: str = field(
        default="cosine", metadata={"metavar": "NAME", "help": "schedule: linear, cosine, constant, ..."}
    )
    warmup_steps: float = field(
        default=500, metadata={"help": "steps of rising learning rate; below 1: their share of all steps"}
    )
    adam_beta2: float = field(
        default=0.98, metadata={"help": "decay of Adam's mean of squared gradients", "advanced": True}
    )
    per_device_eval_batch_size: int = field(
        default=64, metadata={"help": "texts per batch in evaluation, on each device", "advanced": True, "min": 1}
    )
    metric_for_best_model: str | None = field(
        default="loss", metadata={"metavar": "NAME", "help": "score that decides which epoch is best", "advanced": True}
    )
    max_eval_samples: int = field(
        default=3000, metadata={"help": "hold out N texts for evaluation, but at most a tenth of all", "min": 1}
    )
