"""The folder of a run: whether it is free, what an earlier run left in it, which checkpoint to go on with."""

import json
import shutil
from pathlib import Path
from typing import Any

from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR, get_last_checkpoint

from ..data.options import DATA_ARGUMENTS_NAME
from ..reports.trained_model import CARD_NAME
from .options import BaseRunOptions
from .provenance import PRETRAINING_NAME

# What a run leaves beside its checkpoints; a folder that holds any of these is not overwritten unasked.
OUTPUT_FILES = (
    "config.json",
    "model.safetensors",
    "README.md",
    CARD_NAME,
    DATA_ARGUMENTS_NAME,
    PRETRAINING_NAME,
    TRAINER_STATE_NAME,
    *(f"{name}_results.json" for name in ("train", "eval", "test", "all")),
    "curves.png",
    "confusion_matrix.png",
)


def find_checkpoint(folder: Path, args: BaseRunOptions) -> str | None:
    """The checkpoint that the run resumes; None for a new run."""
    resume = str(args.resume_from_checkpoint or "false")
    if resume.lower() == "false":
        return None
    newest = resume.lower() == "true"
    checkpoint = (get_last_checkpoint(str(folder)) if folder.is_dir() else None) if newest else resume
    if checkpoint is None or not (Path(checkpoint) / TRAINER_STATE_NAME).is_file():
        raise FileNotFoundError(f"there is no checkpoint to resume in {folder if newest else resume}")
    return checkpoint


def refuse_overwrite(folder: Path, args: BaseRunOptions) -> None:
    """Refuse to overwrite an earlier run unasked."""
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; --output_dir must name a folder")
    earlier = earlier_run(folder)
    if earlier and not args.overwrite_output_dir:
        raise FileExistsError(
            f"{folder} holds an earlier run ({earlier[0].name}): go on with it by --resume_from_checkpoint, delete it "
            "by --overwrite_output_dir, or name another --output_dir"
        )


def earlier_run(folder: Path) -> list[Path]:
    """The files and checkpoints that an earlier run left in the folder."""
    paths = [*folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*"), *(folder / name for name in OUTPUT_FILES)]
    return [path for path in paths if path.exists()]


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file, whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)


def clear(folder: Path) -> None:
    """Delete what an earlier run left in the folder."""
    for path in earlier_run(folder):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
