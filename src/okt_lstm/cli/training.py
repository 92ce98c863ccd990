"""`okt-lstm train`, `pretrain`, `word-vectors` and `train-encoder`."""

import dataclasses
import json
import os
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from oktane.model_options import clean_up_on_sigterm

from ..training.commands import ENCODER, PRETRAIN, TASKS, TRAIN, TUNE, WORD_VECTORS, Command
from ..training.default_recipe import default_recipe
from ..training.parsing import parse
from .paths import check_paths


def train(argv: Sequence[str]) -> None:
    """Run `okt-lstm train` with these words. The task decides which options there are."""
    result = _train_by_recipe(TASKS.get(_task(argv), TRAIN), argv)
    _print_result({"folder": str(result.folder), **result.metrics})


def _task(argv: Sequence[str]) -> str:
    """Return the task that a command line names; the parser refuses unknown ones."""
    words = list(argv)
    for number, word in enumerate(words):
        name, _, value = word.partition("=")
        if name == "--task":
            return value or "".join(words[number + 1 : number + 2])
    return TRAIN.name


def train_encoder(argv: Sequence[str]) -> None:
    """Run `okt-lstm train-encoder` with these words."""
    result = _train_by_recipe(ENCODER, argv)
    _print_result(dataclasses.asdict(result) | {"folder": str(result.folder)})


def _train_by_recipe(command: Command, argv: Sequence[str]) -> Any:
    """Run `train` or `train-encoder`, by a recipe if one is named, and return its result."""
    options = parse(command, argv)
    task = options.pop("task", None)
    if task is not None and TASKS[task] is not command:
        raise ValueError(f"a file of options can't choose the task: add --task {task} to the command line")
    recipe_name, stages_dir = options.pop("recipe", None), options.pop("stages_dir", None)
    if command is TRAIN and recipe_name is None:
        recipe_name = default_recipe(options)
    if recipe_name is None and stages_dir is not None:
        raise ValueError("--stages_dir goes with --recipe: add that, or leave this out")
    # A recipe may name data of its own.
    needs_data = command is TRAIN and recipe_name is None
    check_paths({"dataset": "nsmc"} | options if needs_data else options)
    recipe = None
    if recipe_name is not None:
        from ..training.recipe import read_recipe

        recipe = read_recipe(recipe_name, command.name)
    _use_granted_cores()
    from ..training.run_recipe import run_command, run_recipe

    return run_command(command.name, options) if recipe is None else run_recipe(recipe, options, stages_dir)


def pretrain(argv: Sequence[str]) -> None:
    """Run `okt-lstm pretrain` with these words."""
    options = parse(PRETRAIN, argv)
    check_paths(options)
    _use_granted_cores()
    from ..training import pretrain as pretraining
    from ..training.parts import PretrainParts, build

    result = pretraining.pretrain(build(PretrainParts, options))
    _print_result(dataclasses.asdict(result) | {"folder": str(result.folder)})


def word_vectors(argv: Sequence[str]) -> None:
    """Run `okt-lstm word-vectors` with these words."""
    options = parse(WORD_VECTORS, argv)
    check_paths(options)
    if find_spec("gensim") is None:
        raise ImportError("training word vectors needs gensim: pip install gensim")
    from ..training.parts import WordVectorParts, build
    from ..training.word_vectors import train_word_vectors

    parts = build(WordVectorParts, options)
    clean_up_on_sigterm()
    _print_result(dataclasses.asdict(train_word_vectors(parts)))


def tune(argv: Sequence[str]) -> None:
    """Run `okt-lstm tune` with these words."""
    options = parse(TUNE, argv)
    check_paths({"dataset": "nsmc"} | options)
    if find_spec("optuna") is None:
        raise ImportError("the search needs optuna: pip install optuna")
    from ..training.tune_options import TuneOptions

    names = [field.name for field in dataclasses.fields(TuneOptions)]
    search = TuneOptions(**{name: options.pop(name) for name in names if name in options})
    _use_granted_cores()
    from ..training.tune import tune as search_and_train

    result = search_and_train(options, search)
    _print_result({"folder": str(result.folder), **result.metrics})


def _print_result(result: dict[str, Any]) -> None:
    """Print what a command returns as JSON. Under torchrun every process is here, and the first one prints."""
    if os.environ.get("RANK", "0") == "0":
        print(json.dumps(result, ensure_ascii=False, indent=2))


def _use_granted_cores() -> None:
    """Limit torch to the container's cores unless OMP_NUM_THREADS is set."""
    if "OMP_NUM_THREADS" in os.environ:
        return
    import torch

    from oktane import available_cores

    cores = available_cores()
    if torch.get_num_threads() > cores:
        torch.set_num_threads(cores)
