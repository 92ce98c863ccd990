"""Names that options have had, or that people type for them.

What 0.1.0 wrote (recipes, files of options, `data_args.json`) and what was typed for it keeps its meaning.
"""

import logging
from collections.abc import Container, Mapping
from functools import cache
from typing import Any

logger = logging.getLogger(__name__)

COMMANDS = {"embed": "word-vectors"}
"""Commands of 0.1.0, and what they are called now."""

OPTIONS = {
    "tokenizer_model": "subword",
    "softmax_candidates": "sampled_softmax_size",
    "unlabelled": "unlabeled",
    "unlabelled_column": "unlabeled_column",
    "max_unlabelled_samples": "max_unlabeled_samples",
    "max_validation_samples": "max_eval_samples",
    "held_out_samples": "max_eval_samples",
    "max_test_samples": "max_predict_samples",
}
"""Options of 0.1.0, and what they are called now."""

ALIASES = {
    "num_layers": "num_hidden_layers",
    "layers": "num_hidden_layers",
    "epochs": "num_train_epochs",
    "batch_size": "per_device_train_batch_size",
    "lr": "learning_rate",
    "output": "output_dir",
}
"""What people type for options, where a command has no option of that name."""

_VALUES = {("subword", "word"): "none"}


def current_command(name: str) -> str:
    """Return the current name of a command, and warn if it was renamed."""
    if name in COMMANDS:
        _say(f"`okt-lstm {name}`", f"`okt-lstm {COMMANDS[name]}`")
    return COMMANDS.get(name, name)


def current_name(name: str, known: Container[str | None]) -> str:
    """Return the name that a command knows an option by, and warn if it was renamed.

    Args:
        name: What was written: the name, an alias, or the name in 0.1.0.
        known: The names of the command's options. What is none of them by any name is returned as it is.
    """
    if name in known:
        return name
    if OPTIONS.get(name) in known:
        _say(f"--{name}", f"--{OPTIONS[name]}")
        return OPTIONS[name]
    return ALIASES[name] if ALIASES.get(name) in known else name


@cache
def _say(old: str, new: str) -> None:
    """Warn once about a renamed option, even if several stages use it."""
    logger.warning("%s is now called %s", old, new)


def current_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with their current names and values."""
    renamed = {OPTIONS.get(name, name): value for name, value in options.items()}
    return {
        name: _VALUES.get((name, value), value) if isinstance(value, str) else value for name, value in renamed.items()
    }
