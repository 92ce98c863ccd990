"""Recipes: named, versioned ways to a classifier or a sentence encoder, each a file of stages run one after the other.

A recipe is a YAML file in this package's folder `recipes`, or one of the user's:

    version: 1
    description: what it is for
    stages:
      - name: language_model
        command: pretrain                   # word-vectors, pretrain, train or train-encoder
        options: {hidden_size: 256}         # the command's options by name
      - name: teacher
        command: train
        seeds: [1, 2, 3]                    # one model per seed; `$teacher`, alone or in a list, stands for all of them
        options: {pretrained: $language_model}
      - name: model                         # the last stage is the result; its seed is the user's
        command: train
        options: {teacher: $teacher}

With `extends: NAME`, a recipe inherits the stages of another; its own stages replace those of the same name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from .commands import COMMANDS, ENCODER, SPACING, TAGGING, TRAIN
from .parsing import options_of
from .renamed import current_command
from .values import read_table

RESULTS = (TRAIN.name, ENCODER.name, TAGGING.name, SPACING.name)
"""The commands that a recipe's last stage can be of."""
# What a recipe, which may come from a stranger, has no say in: where results go, and whether anything is deleted or
# leaves the machine. The same holds for all options that begin with `hub_`.
_CHOSEN_BY_USER = frozenset(
    {"output_dir", "output", "recipe", "stages_dir", "overwrite_output_dir", "resume_from_checkpoint", "push_to_hub"}
)


@dataclass(frozen=True)
class Stage:
    """One step of a recipe.

    Attributes:
        name: What later stages call its result: `$name`.
        command: One of `COMMANDS`.
        options: The command's options by name.
        seeds: Where given, the stage is run with each of them.
    """

    name: str
    command: str
    options: Mapping[str, Any]
    seeds: tuple[int, ...] = ()

    @property
    def reads_unlabeled(self) -> bool:
        """Whether the stage learns from unlabeled text."""
        return self.command not in (TRAIN.name, TAGGING.name, SPACING.name) or "teacher" in self.options


@dataclass(frozen=True)
class Recipe:
    """A way to a classifier or a sentence encoder.

    Attributes:
        name: Its file's name, without the suffix.
        version: Changes with whatever changes the result.
        description: What it is for.
        stages: The steps; the last one trains the result.
        text: A file of the whole recipe.
    """

    name: str
    version: int
    description: str
    stages: tuple[Stage, ...]
    text: str


def recipe_names() -> list[str]:
    """Return the names of the recipes of this package."""
    folder = resources.files(__package__) / "recipes"
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


def read_recipe(name: str, command: str = "train") -> Recipe:
    """Read a recipe.

    Args:
        name: One of `recipe_names()`, or a YAML file.
        command: The command that the last stage has to be of: `train` or `train-encoder`.

    Raises:
        OSError: If the file can't be read.
        ValueError: If it is no recipe; the message says what is wrong in it.
    """
    path = _find(name)
    table, text = _read(path)
    stages: list[Stage] = []
    for number, entry in enumerate(table["stages"], 1):
        stages.append(_parse_stage(entry, f"{path}, stage {number}", {stage.name: stage for stage in stages}))
    if stages[-1].command not in RESULTS or stages[-1].seeds:
        raise ValueError(f"{path}: the last stage has to be one of {' or '.join(RESULTS)}, without seeds")
    if stages[-1].command != command:
        raise ValueError(
            f"the recipe {name} is one of `{stages[-1].command}`: okt-lstm {stages[-1].command} --recipe {name}"
        )
    return Recipe(path.stem, table["version"], table.get("description") or "", tuple(stages), text)


def _find(name: str) -> Path:
    """Return the file of a recipe."""
    if name in recipe_names():
        return Path(__file__).with_name("recipes") / f"{name}.yaml"
    path = Path(name).expanduser()
    if not path.is_file():
        raise ValueError(f"there is no recipe {name!r}: name a YAML file, or one of {', '.join(recipe_names())}")
    return path


def _read(path: Path, extended_by: tuple[Path, ...] = ()) -> tuple[dict[str, Any], str]:
    """Return the table of a recipe, with the stages of the one that it extends, and its text."""
    table, text = read_table(path), path.read_text("utf-8")
    if unknown := table.keys() - {"version", "description", "extends", "stages"}:
        raise ValueError(f"{path}: a recipe has version, description, extends and stages, but no {min(unknown)!r}")
    if not isinstance(table.get("version"), int) or not isinstance(table.get("stages"), list) or not table["stages"]:
        raise ValueError(f"{path}: a recipe needs a version, which is a whole number, and a list of stages")
    if "extends" not in table:
        return table, text
    base_path = _find(str(table.pop("extends")))
    if base_path in (path, *extended_by):
        raise ValueError(f"{path}: extends {base_path}, which extends this recipe (a cycle)")
    base, _ = _read(base_path, (path, *extended_by))
    own = {entry["name"]: entry for entry in table["stages"] if isinstance(entry, dict) and "name" in entry}
    inherited = [own.get(entry["name"], entry) if isinstance(entry, dict) else entry for entry in base["stages"]]
    table["stages"] = inherited + [entry for entry in table["stages"] if entry not in inherited]
    return table, yaml.safe_dump(table, sort_keys=False, allow_unicode=True, width=120)


def _parse_stage(entry: Any, where: str, earlier: Mapping[str, Stage]) -> Stage:
    """Check an entry of the list of stages.

    Args:
        entry: The entry.
        where: What errors call it.
        earlier: The stages before it, by name.
    """
    keys = {field.name for field in fields(Stage)}
    if not isinstance(entry, dict) or not {"name", "command"} <= entry.keys() <= keys:
        raise ValueError(f"{where}: must be a mapping with `name` and `command`, and optionally `options` and `seeds`")
    options, seeds = entry.get("options") or {}, entry.get("seeds") or []
    if not isinstance(options, dict) or not all(isinstance(option, str) for option in options):
        raise ValueError(f"{where}: the options must be a table of names and values")
    if not isinstance(seeds, list) or not all(isinstance(seed, int) for seed in seeds):
        raise ValueError(f"{where}: the seeds must be a list of whole numbers, such as [1, 2, 3]")
    name, command = str(entry["name"]), current_command(str(entry["command"]))
    if command not in COMMANDS:
        raise ValueError(f"{where}: the command is {command!r}; it can be {', '.join(COMMANDS)}")
    if not name.isidentifier() or name in earlier:
        raise ValueError(
            f"{where}: stage names must be unique identifiers (letters, digits, underscores), which {name!r} is not"
        )
    try:
        options = options_of(options, COMMANDS[command])
    except ValueError as error:
        raise ValueError(f"{where}: `{command}`: {error}") from None
    if refused := [option for option in options if option in _CHOSEN_BY_USER or option.startswith("hub_")]:
        raise ValueError(f"{where}: a recipe can't set {min(refused)!r}; that is for whoever runs it to choose")
    _check_references(options, where, earlier)
    return Stage(name, command, options, tuple(seeds))


def _check_references(options: Mapping[str, Any], where: str, earlier: Mapping[str, Stage]) -> None:
    """Raise ValueError if options name stages that are not there, or that have several results."""
    for option, value in options.items():
        for name in stages_named(value):
            if name not in earlier:
                raise ValueError(f"{where}: {option} is ${name}, but no earlier stage has that name")
            results = len(earlier[name].seeds) or 1
            if option != "teacher" and results > 1:
                raise ValueError(
                    f"{where}: {option} is ${name}, which has {results} results, one per seed; only teacher takes "
                    "several"
                )


def stages_named(value: Any) -> list[str]:
    """Return the stages that an option's value names: one, as `$name`, or some elements of a list."""
    values = value if isinstance(value, list) else [value]
    return [element[1:] for element in values if isinstance(element, str) and element.startswith("$")]
