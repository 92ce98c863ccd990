"""The folder of a run: whether it is free, what an earlier run left in it, which checkpoint to go on with.

Nothing heavy is imported for the first question, so that it is answered at once.
"""

import shutil
from pathlib import Path

from ..data.options import DATA_ARGUMENTS_NAME
from .options import RunSettings

TRAINER_STATE_NAME = "trainer_state.json"
"""transformers' constant, whose module takes seconds to import."""

# What a run leaves beside its checkpoints. A folder that holds any of these is not overwritten by default. Some of the
# names are constants of modules that take seconds to import.
OUTPUT_FILES = (
    "config.json",
    "model.safetensors",
    "README.md",
    "card.json",
    DATA_ARGUMENTS_NAME,
    "pretraining.json",
    TRAINER_STATE_NAME,
    *(f"{name}_results.json" for name in ("train", "eval", "test", "all")),
    "curves.png",
    "confusion_matrix.png",
)


def find_checkpoint(folder: Path, options: RunSettings) -> str | None:
    """Return the checkpoint to continue from; None for a new run.

    Raises:
        FileNotFoundError: If there is none where one is asked for.
    """
    from transformers.trainer_utils import get_last_checkpoint

    resume = options.resume_from_checkpoint
    if not resume:
        return None
    newest = get_last_checkpoint(str(folder)) if folder.is_dir() else None
    checkpoint = newest if resume is True else resume
    if checkpoint is None or not (Path(checkpoint) / TRAINER_STATE_NAME).is_file():
        raise FileNotFoundError(f"there is no checkpoint to resume in {folder if resume is True else resume}")
    return checkpoint


def refuse_overwrite(folder: Path, *, overwrite: bool) -> None:
    """Raise an error if the folder holds an earlier run that is not to be overwritten.

    Raises:
        FileExistsError: If it holds an earlier run.
        NotADirectoryError: If it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; --output_dir must name a folder")
    earlier = earlier_run(folder)
    if earlier and not overwrite:
        raise FileExistsError(
            f"{folder} holds an earlier run ({earlier[0].name}): continue it with --resume_from_checkpoint, delete it "
            "with --overwrite_output_dir, or name another --output_dir"
        )


def earlier_run(folder: Path) -> list[Path]:
    """Return the files and checkpoints that an earlier run left in the folder."""
    paths = [*folder.glob("checkpoint-*"), *(folder / name for name in OUTPUT_FILES)]
    return [path for path in paths if path.exists()]


def delete_run_files(folder: Path) -> None:
    """Delete what an earlier run left in the folder."""
    for path in earlier_run(folder):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
