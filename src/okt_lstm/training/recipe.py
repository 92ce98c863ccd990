"""Recipes: named, versioned ways to a classifier, each a file of stages that are run one after the other.

A recipe is a YAML file of this package's folder `recipes`, or of the user's:

    version: 1
    description: what it is for
    stages:
      - name: language_model
        command: pretrain                   # embed, pretrain or train
        options: {hidden_size: 256}         # the command's options by name
      - name: teacher
        command: train
        seeds: [1, 2, 3]                    # so many models; `$teacher`, alone or in a list, is all their folders
        options: {pretrained: $language_model}
      - name: model                         # the last stage is the result; its seed is the user's
        command: train
        options: {teacher: $teacher}
"""

import difflib
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any, get_args

from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from ..atomic import replacing
from ..data.options import DataOptions
from .options import (
    Arguments,
    PretrainingParts,
    UnlabeledOptions,
    given_options,
    parse_arguments,
    parse_pretraining_arguments,
    read_table,
    to_flags,
)
from .output_folder import clear, earlier_run, refuse_overwrite, write_json
from .pretrain import pretrain
from .train import TrainResult, train
from .word_vectors import EmbeddingParts, embed, parse_embedding_arguments

logger = logging.getLogger(__name__)

RECIPE_NAME = "recipe.yaml"
"""The file of a trained folder that holds the recipe it was trained by."""
STAGES_NAME = "recipe_stages.json"
"""The file of a trained folder that tells how long each stage took, in seconds."""

_STAGE_NAME = "stage.json"  # of a stage's folder: what makes its result and, once that is finished, how long it took
_VECTORS_NAME = "vectors.safetensors"


@dataclass(frozen=True)
class _Command:
    parts: Sequence[type[Any]]
    run: Callable[[list[str]], Any]

    @property
    def options(self) -> set[str]:
        return {field.name for part in self.parts for field in fields(part)}


_COMMANDS = {
    "embed": _Command(get_args(EmbeddingParts), lambda argv: embed(*parse_embedding_arguments(argv))),
    "pretrain": _Command(get_args(PretrainingParts), lambda argv: pretrain(*parse_pretraining_arguments(argv))),
    "train": _Command(get_args(Arguments), lambda argv: train(*parse_arguments(argv))),
}


@dataclass(frozen=True)
class Stage:
    """One step of a recipe.

    Attributes:
        name: What later stages call its result: `$name`.
        command: `embed`, `pretrain` or `train`.
        options: The command's options by name.
        seeds: Where given, the stage is run with each of them.
    """

    name: str
    command: str
    options: Mapping[str, Any]
    seeds: tuple[int, ...] = ()

    @property
    def reads_unlabeled(self) -> bool:
        """Whether the stage learns from text without labels."""
        return self.command != "train" or "teacher" in self.options


@dataclass(frozen=True)
class Recipe:
    """A way to a classifier.

    Attributes:
        name: Its file's name, without the suffix.
        version: Changes with whatever changes the result.
        description: What it is for.
        stages: The steps; the last one trains the classifier.
        text: The file as it is.
    """

    name: str
    version: int
    description: str
    stages: tuple[Stage, ...]
    text: str


def recipe_names() -> list[str]:
    """The recipes of this package."""
    folder = resources.files(__package__) / "recipes"
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


def read_recipe(name: str) -> Recipe:
    """Read a recipe.

    Args:
        name: One of `recipe_names()`, or a YAML file.

    Raises:
        OSError: If the file can't be read.
        ValueError: If it is no recipe; the message says what is wrong in it.
    """
    if name in recipe_names():
        with resources.as_file(resources.files(__package__) / "recipes" / f"{name}.yaml") as path:
            return _parse(path)
    path = Path(name).expanduser()
    if not path.is_file():
        raise ValueError(f"there is no recipe {name!r}: name a YAML file, or one of {', '.join(recipe_names())}")
    return _parse(path)


def _parse(path: Path) -> Recipe:
    table = read_table(path)
    if unknown := table.keys() - {"version", "description", "stages"}:
        raise ValueError(f"{path}: a recipe has version, description and stages, but no {min(unknown)!r}")
    if not isinstance(table.get("version"), int) or not isinstance(table.get("stages"), list) or not table["stages"]:
        raise ValueError(f"{path}: a recipe needs a version, which is a whole number, and a list of stages")
    stages: list[Stage] = []
    for number, entry in enumerate(table["stages"], 1):
        where = f"{path}, stage {number}"
        if not isinstance(entry, dict) or not {"name", "command"} <= entry.keys() <= {
            field.name for field in fields(Stage)
        }:
            raise ValueError(f"{where}: must be a table of name, command and perhaps options and seeds")
        options, seeds = entry.get("options") or {}, entry.get("seeds") or []
        if not isinstance(options, dict) or not all(isinstance(option, str) for option in options):
            raise ValueError(f"{where}: the options must be a table of names and values")
        if not isinstance(seeds, list) or not all(isinstance(seed, int) for seed in seeds):
            raise ValueError(f"{where}: the seeds must be a list of whole numbers, such as [1, 2, 3]")
        stage = Stage(str(entry["name"]), str(entry["command"]), options, tuple(seeds))
        if stage.command not in _COMMANDS:
            raise ValueError(f"{where}: the command is {stage.command!r}; it can be {', '.join(_COMMANDS)}")
        if not stage.name.isidentifier() or stage.name in (earlier.name for earlier in stages):
            raise ValueError(f"{where}: needs a name of its own of letters and underscores, not {stage.name!r}")
        _check_options(stage, where, {earlier.name: earlier for earlier in stages})
        stages.append(stage)
    if stages[-1].command != "train" or stages[-1].seeds:
        raise ValueError(f"{path}: the last stage has to be one of `train`, without seeds")
    return Recipe(path.stem, table["version"], table.get("description") or "", tuple(stages), path.read_text("utf-8"))


def _check_options(stage: Stage, where: str, earlier: Mapping[str, Stage]) -> None:
    settable = _COMMANDS[stage.command].options - {"output_dir", "output"}
    for option, value in stage.options.items():
        if option not in settable:
            close = difflib.get_close_matches(option, settable, n=1, cutoff=0.8)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"{where}: `{stage.command}` has no option {option!r} that a recipe could set{hint}")
        for name in _stages_named(value):
            if name not in earlier:
                raise ValueError(f"{where}: {option} is ${name}, but no earlier stage is called so")
            results = len(earlier[name].seeds) or 1
            if option != "teacher" and results > 1:
                raise ValueError(
                    f"{where}: {option} is ${name}, which has {results} results, one of each seed; only teacher takes "
                    "several"
                )


def run_recipe(recipe: Recipe, argv: Sequence[str], stages_dir: str | None = None) -> TrainResult:
    """Run a recipe's stages. Only the result of the last one is measured on the test split.

    A finished stage is not run again as long as its options, and those of the stages it builds on, stay the same. So an
    interrupted recipe goes on where it was; and runs with several seeds may share the stages before the last one.

    Args:
        recipe: The recipe.
        argv: Flags of `okt-lstm train`. They win over the last stage's options; those that name the data, and the text
            without labels, hold for every stage.
        stages_dir: Where the earlier stages' results go; by default the folder `stages` in the output folder.

    Returns:
        The last stage's result.

    Raises:
        OSError: If the output folder already holds a model, and as `train`, `pretrain` and `embed`.
        ValueError: As these.
        KeyboardInterrupt: If a stage was interrupted.
    """
    training_args = parse_arguments(argv)[3]  # which checks the flags, too
    given = given_options(argv, _COMMANDS["train"].parts)
    output = Path(training_args.output_dir)
    if given.get("resume_from_checkpoint") == "true" and not any(output.glob(f"{PREFIX_CHECKPOINT_DIR}-*")):
        del given["resume_from_checkpoint"]  # it was an earlier stage that was interrupted
    if "resume_from_checkpoint" not in given:
        refuse_overwrite(output, training_args)
    *earlier, last = recipe.stages
    taught = last.reads_unlabeled or "teacher" in given
    if "unlabeled" in given and not taught and not any(stage.reads_unlabeled for stage in earlier):
        logger.warning(f"The recipe {recipe.name} learns from labeled rows only: --unlabeled isn't read.")
    results: dict[str, list[_Result]] = {}
    seconds: dict[str, float] = {}
    folder = Path(stages_dir) if stages_dir else output / "stages"
    for stage in earlier:
        options = _with_results(stage, results) | _shared(given, stage)
        named = [name for value in stage.options.values() for name in _stages_named(value)]
        basis = [result.origin for name in named for result in results[name]]
        runs = [(f"{stage.name}-{seed}", options | {"seed": seed}) for seed in stage.seeds] or [(stage.name, options)]
        others = _of_command(given, stage, {"report_to", "use_cpu"})
        results[stage.name] = [
            _run_stage(stage, folder / name, {"options": options, "basis": basis}, others, seconds)
            for name, options in runs
        ]
    ours = {name: value for name, value in given.items() if name not in _unlabeled_names() or taught}
    begin = time.monotonic()
    result: TrainResult = _COMMANDS["train"].run(to_flags(_with_results(last, results) | ours))
    seconds[last.name] = round(time.monotonic() - begin, 1)
    with replacing(output / RECIPE_NAME) as file:
        file.write(recipe.text.encode())
    write_json(output / STAGES_NAME, {"recipe": recipe.name, "version": recipe.version, "seconds": seconds})
    return result


@dataclass(frozen=True)
class _Result:
    """Where a stage's result is, and what made it: its options, and likewise of the stages that it builds on."""

    path: str
    origin: Mapping[str, Any]


def _stages_named(value: Any) -> list[str]:
    """The stages that an option's value names: one, as `$name`, or some elements of a list."""
    values = value if isinstance(value, list) else [value]
    return [element[1:] for element in values if isinstance(element, str) and element.startswith("$")]


def _with_results(stage: Stage, results: Mapping[str, Sequence[_Result]]) -> dict[str, Any]:
    """A stage's options, with the paths of earlier results for their names."""
    options = dict(stage.options)
    for option, value in stage.options.items():
        if _stages_named(value):
            options[option] = []
            for element in value if isinstance(value, list) else [value]:
                named = _stages_named(element)
                options[option] += [result.path for result in results[named[0]]] if named else [element]
    return options


def _unlabeled_names() -> set[str]:
    return {field.name for field in fields(UnlabeledOptions)}


def _shared(given: Mapping[str, Any], stage: Stage) -> dict[str, Any]:
    """The user's options that make an earlier stage's result, too: those that name the data."""
    names = {field.name for field in fields(DataOptions)}
    if stage.reads_unlabeled:
        names |= _unlabeled_names()
    return _of_command(given, stage, names)


def _of_command(given: Mapping[str, Any], stage: Stage, names: set[str]) -> dict[str, Any]:
    """Those of the options that have one of the names and that the stage's command knows."""
    known = _COMMANDS[stage.command].options
    return {name: value for name, value in given.items() if name in names & known}


def _run_stage(
    stage: Stage, folder: Path, origin: dict[str, Any], others: Mapping[str, Any], seconds: dict[str, float]
) -> _Result:
    """Run a stage, unless it was, or go on with it, if it was interrupted.

    Its result is known by `origin`; `others` are options that only say where to compute and to report.
    """
    record = folder / _STAGE_NAME
    vectors = folder / _VECTORS_NAME
    origin = json.loads(json.dumps(origin | {"command": stage.command}))
    found = json.loads(record.read_text("utf-8")) if record.is_file() else None
    took = found.pop("seconds", None) if found else None
    if found != origin:
        if found is None and (strange := earlier_run(folder)):
            raise FileExistsError(
                f"{folder} holds {strange[0].name}, but not of this recipe's stage: name another --stages_dir"
            )
        folder.mkdir(parents=True, exist_ok=True)
        write_json(record, {})  # were it the old or the new one, what is deleted now could be taken for its result
        clear(folder)
        write_json(record, origin)
        took = None
    if took is None:
        if stage.command == "embed":
            where = {"output": str(vectors)}
        elif any(folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*")):
            where = {"output_dir": str(folder), "resume_from_checkpoint": "true"}
        else:
            where = {"output_dir": str(folder), "overwrite_output_dir": "true"}
        if stage.command == "train":
            where["do_predict"] = "false"  # only the recipe's result is tested
        begin = time.monotonic()
        _COMMANDS[stage.command].run(to_flags(origin["options"] | others | where))
        took = round(time.monotonic() - begin, 1)
        write_json(record, origin | {"seconds": took})
    seconds[folder.name] = took
    return _Result(str(vectors if stage.command == "embed" else folder), origin)
