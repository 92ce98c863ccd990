"""Run a recipe: its stages one after the other, without those that are finished already."""

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..atomic import write_json, write_text
from ..data.options import DataOptions, TableOptions
from .commands import COMMANDS, SPACING, TAGGING
from .encoder import train_encoder
from .options import TokenizerOptions, UnlabeledOptions
from .output_folder import (
    RECIPE_NAME,
    STAGES_NAME,
    earlier_run,
    files_in_the_way,
    newest_checkpoint,
    refuse_overwrite,
    start_run,
)
from .parts import EncoderParts, PretrainParts, SpacingParts, TaggingParts, TrainParts, WordVectorParts, build
from .pretrain import pretrain
from .recipe import Recipe, Stage, stages_named
from .renamed import COMMANDS as RENAMED_COMMANDS
from .renamed import current_options
from .tagging import train_tagger
from .train import train
from .word_vectors import import_gensim, train_word_vectors

logger = logging.getLogger(__name__)

# In a stage's folder: what makes its result and, once that is finished, how long it took.
_STAGE_NAME = "stage.json"
_VECTORS_NAME = "vectors.safetensors"
# Options that say where to compute and to report. They change no result.
_SURROUNDINGS = frozenset({"report_to", "use_cpu"})


def run_command(command: str, options: Mapping[str, Any]) -> Any:
    """Run one of `COMMANDS` with options by name."""
    if command == "word-vectors":
        return train_word_vectors(build(WordVectorParts, options))
    if command == "pretrain":
        return pretrain(build(PretrainParts, options))
    if command == "train-encoder":
        return train_encoder(build(EncoderParts, options))
    if command == TAGGING.name:
        return train_tagger(build(TaggingParts, options))
    if command == SPACING.name:
        return train_tagger(build(SpacingParts, options))
    return train(build(TrainParts, options))


def run_recipe(
    recipe: Recipe,
    given: Mapping[str, Any],
    stages_dir: str | None = None,
    run: Callable[[str, Mapping[str, Any]], Any] = run_command,
) -> Any:
    """Run a recipe's stages. Only the result of the last one is measured on the test split.

    A finished stage is not run again as long as its options, and those of the stages it builds on, stay the same. So an
    interrupted recipe continues where it was, and runs with several seeds can share the stages before the last one.

    Args:
        recipe: The recipe.
        given: Options of the last stage's command by name. They win over that stage's options. Those that name the
            data, and the unlabeled text, hold for every stage.
        stages_dir: Where the earlier stages' results go; by default the folder `stages` in the output folder.
        run: What runs a command with its options.

    Returns:
        The last stage's result: a `TrainResult` or an `EncoderResult`.

    Raises:
        OSError: If the output folder already holds a model, and as `train`, `pretrain` and `train_word_vectors`.
        ValueError: As these.
        KeyboardInterrupt: If a stage was interrupted.
    """
    given = dict(given)
    output = Path(given["output_dir"])
    if given.get("resume_from_checkpoint") is True and newest_checkpoint(output) is None:
        # It was an earlier stage that was interrupted.
        del given["resume_from_checkpoint"]
    if not given.get("resume_from_checkpoint"):
        refuse_overwrite(output, overwrite=given.get("overwrite_output_dir", False))
    *earlier, last = recipe.stages
    _check_stages(recipe, given)
    is_taught = last.reads_unlabeled or "teacher" in given
    if "unlabeled" in given and not is_taught and not any(stage.reads_unlabeled for stage in earlier):
        logger.warning(f"The recipe {recipe.name} learns from labeled rows only: --unlabeled isn't read.")
    results: dict[str, list[_Result]] = {}
    seconds: dict[str, float] = {}
    folder = Path(stages_dir) if stages_dir else output / "stages"
    for stage in earlier:
        results[stage.name] = [
            _run_stage(
                stage,
                folder / name,
                origin,
                _of_command(given, stage, _SURROUNDINGS),
                seconds,
                run,
                overwrite=given.get("overwrite_output_dir", False),
            )
            for name, origin in _runs(stage, given, results)
        ]
    last_given = {name: value for name, value in given.items() if is_taught or name not in _names(UnlabeledOptions)}
    begin = time.monotonic()
    result = run(last.command, _with_results(last, results) | last_given)
    seconds[last.name] = round(time.monotonic() - begin, 1)
    write_text(output / RECIPE_NAME, recipe.text)
    write_json(output / STAGES_NAME, {"recipe": recipe.name, "version": recipe.version, "seconds": seconds})
    return result


def _check_stages(recipe: Recipe, given: Mapping[str, Any]) -> None:
    """Refuse, before the first stage runs, what a later one could not do."""
    if any(stage.command == "word-vectors" for stage in recipe.stages):
        import_gensim()
    for stage in recipe.stages:
        options = dict(stage.options) | (dict(given) if stage is recipe.stages[-1] else {})
        for part in COMMANDS[stage.command].parts:
            if issubclass(part, TokenizerOptions) and "pretrained" not in options:
                part(**{name: options[name] for name in _names(part) & options.keys()}).to_tokenizer()


@dataclass(frozen=True)
class _Result:
    """Where a stage's result is, and its origin: command, options, and the origins of the stages that it builds on."""

    path: str
    origin: Mapping[str, Any]


def _runs(
    stage: Stage, given: Mapping[str, Any], results: Mapping[str, Sequence[_Result]]
) -> list[tuple[str, dict[str, Any]]]:
    """Return the folder's name and the origin of each run of an earlier stage: one, or one per seed."""
    shared = _names(DataOptions) if DataOptions in COMMANDS[stage.command].parts else frozenset()
    if stage.reads_unlabeled:
        shared |= _names(UnlabeledOptions) | _names(TableOptions)
    options = _with_results(stage, results) | _of_command(given, stage, shared)
    named = [name for value in stage.options.values() for name in stages_named(value)]
    basis = [result.origin for name in named for result in results[name]]
    runs = [(f"{stage.name}-{seed}", options | {"seed": seed}) for seed in stage.seeds] or [(stage.name, options)]
    return [(name, {"options": chosen, "basis": basis, "command": stage.command}) for name, chosen in runs]


def _with_results(stage: Stage, results: Mapping[str, Sequence[_Result]]) -> dict[str, Any]:
    """Return a stage's options, with the paths of earlier results in place of their names."""
    options = dict(stage.options)
    for option, value in stage.options.items():
        if isinstance(value, list):
            named = [stages_named(element) for element in value]
            paths = [[result.path for result in results[name[0]]] if name else [] for name in named]
            options[option] = [path for element, found in zip(value, paths, strict=True) for path in found or [element]]
        elif stages_named(value):
            options[option] = results[value[1:]][0].path
    return options


def _names(part: type[Any]) -> frozenset[str]:
    return frozenset(field.name for field in fields(part))


def _of_command(given: Mapping[str, Any], stage: Stage, names: frozenset[str]) -> dict[str, Any]:
    """Return those of the options that have one of the names and that the stage's command knows."""
    known = names & COMMANDS[stage.command].names
    return {name: value for name, value in given.items() if name in known}


def _run_stage(
    stage: Stage,
    folder: Path,
    origin: dict[str, Any],
    surroundings: Mapping[str, Any],
    seconds: dict[str, float],
    run: Callable[[str, Mapping[str, Any]], Any],
    *,
    overwrite: bool,
) -> _Result:
    """Run a stage, unless it is finished, or continue it, if it was interrupted.

    Args:
        stage: The stage.
        folder: Where its result goes.
        origin: What makes the result; it is recorded beside it, and a result of the same origin is not made again.
        surroundings: Options that change no result.
        seconds: Where the time that it took is noted.
        run: What runs a command with its options.
        overwrite: Whether a result of something else than this recipe may be deleted.
    """
    record = folder / _STAGE_NAME
    vectors = folder / _VECTORS_NAME
    found = _read_record(record)
    took = found.pop("seconds", None) if found else None
    if not found or _current_origin(found) != json.loads(json.dumps(origin)):
        if found is None and not overwrite and (strange := earlier_run(folder) or files_in_the_way(folder)):
            raise FileExistsError(
                f"{folder} holds {strange[0].name}, but not of this recipe's stage: delete it with "
                "--overwrite_output_dir, or name another --stages_dir"
            )
        folder.mkdir(parents=True, exist_ok=True)
        # Delete the record first: an interrupted deletion must not look like a finished stage.
        write_json(record, {})
        start_run(folder, resumed=False)
        write_json(record, origin)
        took = None
    if took is None:
        options = origin["options"] | surroundings
        if stage.command == "word-vectors":
            options["output"] = str(vectors)
        else:
            options["output_dir"] = str(folder)
            options["resume_from_checkpoint" if newest_checkpoint(folder) else "overwrite_output_dir"] = True
        if stage.command == "train":
            # Only the recipe's result is tested.
            options["do_predict"] = False
        begin = time.monotonic()
        run(stage.command, options)
        took = round(time.monotonic() - begin, 1)
        write_json(record, origin | {"seconds": took})
    seconds[folder.name] = took
    return _Result(str(vectors if stage.command == "word-vectors" else folder), origin)


def _read_record(path: Path) -> dict[str, Any] | None:
    """Return the record of a stage; None if there is none, and an empty one if it is damaged."""
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_bytes())
    except ValueError:
        return {}
    return record if isinstance(record, dict) and {"options", "basis", "command"} <= record.keys() else {}


def _current_origin(origin: Mapping[str, Any]) -> dict[str, Any]:
    """Return an origin with current names. 0.1.0 had other names, and wrote each earlier result as a list."""
    options = current_options(origin["options"])
    for name in {"pretrained", "embeddings"} & options.keys():
        if isinstance(options[name], list):
            (options[name],) = options[name]
    return {
        "options": options,
        "basis": [_current_origin(earlier) for earlier in origin["basis"]],
        "command": RENAMED_COMMANDS.get(origin["command"], origin["command"]),
    }
