"""Which recipe `okt-lstm train` follows if none is named."""

import logging
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ..data.options import DataOptions
from .options import TransferOptions
from .settings import RunSettings

logger = logging.getLogger(__name__)

# Options that any recipe takes: where results go, and what is predicted.
_ANY = {field.name for field in fields(RunSettings) if field.metadata.get("group") == "output"}
_ANY |= {"do_predict", "seed", "max_length", "class_weights", "abstain_below", "method", "use_cpu"}
_ANY |= {"metric_for_best_model", "stride"}
# `auto` holds out rows by itself, and has no checkpoints.
_OF_AUTO = _ANY | {field.name for field in fields(DataOptions)}
_OF_AUTO -= {"validation_size", "max_eval_samples", "save_strategy", "save_total_limit", "logging_steps"}
_OF_AUTO -= {"resume_from_checkpoint"}
_STARTS = {field.name for field in fields(TransferOptions)} - _ANY


def default_recipe(given: Mapping[str, Any]) -> str | None:
    """Return the recipe for the options that were given: `auto`, or None for one network by the options.

    `auto` is for data of the user's own. NSMC keeps the textbook's network. An option that says how to build or train a
    network asks for that network.
    """
    if given.get("method") or given.get("dataset", "nsmc") == "nsmc":
        return None
    others = sorted(set(given) - _OF_AUTO - {"pretrained"})
    if not others and given.get("pretrained") in (None, "encoder"):
        return "auto"
    if given.get("pretrained") is None:
        weights = "" if _STARTS & given.keys() else " from random weights"
        logger.info(
            f"--{others[0]} is for a network of your own, which is trained{weights} by the recipe classic. Without it, "
            "the recipe auto starts from the encoder inside oktane."
        )
    return None
