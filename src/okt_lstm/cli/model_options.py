"""What the commands that run a trained model share."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..inference.classifier import Classifier


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add what says which model runs, and how."""
    group = parser.add_argument_group("model")
    group.add_argument("--revision", metavar="NAME", help="branch, tag or commit of a model on the Hub")
    group.add_argument("--token", help="Hub token for a private model (default: that of `hf auth login`)")
    group.add_argument("--device", help="where to run, such as cpu or cuda:1 (default: cpu if oktane runs the model)")
    group.add_argument(
        "--engine",
        choices=("auto", "oktane", "torch"),
        default="auto",
        help="what runs the model: oktane is fast on a CPU, torch runs everything (default: oktane if it can)",
    )
    group.add_argument("--max_length", metavar="N", type=int, help="cut texts after N tokens (default: as in training)")
    group.add_argument(
        "--stride",
        metavar="N",
        type=int,
        help="read longer texts in windows that have N tokens in common, and average (default: as in training)",
    )


def load_model(options: argparse.Namespace) -> Classifier:
    """Load the model that the options name."""
    if not sys.stderr.isatty():
        # For huggingface_hub, which is imported only for a model on the Hub.
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    from ..inference.loading import load

    return load(
        options.model,
        options.revision,
        options.token,
        options.device,
        options.max_length,
        options.engine,
        options.stride,
    )
