"""The folder of a run: whether it is free, what an earlier run left in it, which checkpoint to go on with.

Nothing heavy is imported, so that a folder that is taken is answered at once.
"""

import json
import re
import shutil
from pathlib import Path

from ..atomic import remove_unfinished
from ..model_files import MODEL_FILES, RECORD_FILES
from .settings import RunSettings

TRAINER_STATE_NAME = "trainer_state.json"
"""transformers' constant, whose module takes seconds to import."""

RECIPE_NAME = "recipe.yaml"
"""The file of a trained folder that holds the recipe it was trained by."""
STAGES_NAME = "recipe_stages.json"
"""The file of a trained folder that says how long each stage took, in seconds."""

# A folder that has one of these, or a checkpoint, is the folder of a run.
RUN_MARKS = (*RECORD_FILES, TRAINER_STATE_NAME)
# What else a run writes, under names that a user's own file may have.
RUN_PRODUCTS = (
    *MODEL_FILES,
    RECIPE_NAME,
    # The code for `trust_remote_code=True`.
    *sorted(path.name for path in (Path(__file__).parents[1] / "models").glob("*.py") if path.stem != "__init__"),
)
# Where 0.1.0 collected its files.
_FORMER_TEMPORARY = "_saving"


def find_checkpoint(folder: Path, options: RunSettings) -> str | None:
    """Return the checkpoint to continue from; None for a new run.

    Raises:
        FileNotFoundError: If there is none where one is asked for.
    """
    resume = options.resume_from_checkpoint
    if not resume:
        return None
    if resume is True:
        if (newest := newest_checkpoint(folder)) is None:
            raise FileNotFoundError(
                f"there is no checkpoint to resume in {folder}: leave out --resume_from_checkpoint to start from the "
                "beginning"
            )
        return str(newest)
    if not is_whole_checkpoint(Path(resume)):
        raise FileNotFoundError(f"there is no checkpoint to resume in {resume}, or it is not complete")
    return resume


def begin_at(options: RunSettings) -> tuple[Path, str | None]:
    """Return the folder of a run, and the checkpoint to continue from; None for a new run, for which it is free.

    Raises:
        FileExistsError, FileNotFoundError, NotADirectoryError: See `find_checkpoint` and `refuse_overwrite`.
    """
    folder = Path(options.output_dir)
    checkpoint = find_checkpoint(folder, options)
    if checkpoint is None:
        refuse_overwrite(folder, overwrite=options.overwrite_output_dir)
    return folder, checkpoint


def newest_checkpoint(folder: Path) -> Path | None:
    """Return the newest complete checkpoint of a run; None if there is none."""
    checkpoints = [path for path in _checkpoints(folder) if is_whole_checkpoint(path)]
    return max(checkpoints, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def is_whole_checkpoint(folder: Path) -> bool:
    """Return whether a folder is a complete checkpoint: Trainer writes the file of its state last."""
    try:
        state = json.loads((folder / TRAINER_STATE_NAME).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(state, dict) and (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))


def _checkpoints(folder: Path) -> list[Path]:
    return [path for path in folder.glob("checkpoint-*") if re.fullmatch(r"checkpoint-[0-9]+", path.name)]


def refuse_overwrite(folder: Path, *, overwrite: bool) -> None:
    """Raise an error if a run would overwrite an earlier one without being told to, or files that no run wrote.

    Raises:
        FileExistsError: If the folder holds such files.
        NotADirectoryError: If it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; --output_dir must name a folder")
    earlier = earlier_run(folder)
    # A killed run that left only incomplete checkpoints left nothing to lose.
    incomplete = [path for path in _checkpoints(folder) if not is_whole_checkpoint(path)]
    kept = [path for path in earlier if path not in incomplete]
    if kept and not overwrite:
        go_on = "continue it with --resume_from_checkpoint, " if newest_checkpoint(folder) else ""
        raise FileExistsError(
            f"{folder} holds an earlier run ({kept[0].name}): {go_on}delete it with --overwrite_output_dir, or name "
            "another --output_dir"
        )
    if not earlier and (foreign := files_in_the_way(folder)):
        raise FileExistsError(
            f"{foreign[0]} is not from a run, and a run would overwrite it: move it, or name another --output_dir"
        )


def earlier_run(folder: Path) -> list[Path]:
    """Return the checkpoints and files that an earlier run left in the folder."""
    marks = [*_checkpoints(folder), *_existing(folder, RUN_MARKS)]
    return marks + files_in_the_way(folder) if marks else []


def files_in_the_way(folder: Path) -> list[Path]:
    """Return the files that a run would overwrite, whoever wrote them."""
    return _existing(folder, RUN_PRODUCTS)


def start_run(folder: Path, *, resumed: bool) -> None:
    """Make the folder of a run, without what an earlier one left there.

    Args:
        folder: The folder.
        resumed: Whether the run goes on with one of its checkpoints, so that all that is complete stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remove_unfinished(folder)
    shutil.rmtree(folder / _FORMER_TEMPORARY, ignore_errors=True)
    if resumed:
        return
    # Checkpoints go first, so that nobody resumes the earlier run; the marks go last, so that what an interruption
    # leaves is still known to be of a run.
    for path in sorted(earlier_run(folder), key=lambda path: (path.name in RUN_MARKS, path.name in RUN_PRODUCTS)):
        if path.is_dir() and not path.is_symlink():
            (path / TRAINER_STATE_NAME).unlink(missing_ok=True)
            shutil.rmtree(path)
        else:
            path.unlink()


def _existing(folder: Path, names: tuple[str, ...]) -> list[Path]:
    return [folder / name for name in names if (folder / name).exists()]
