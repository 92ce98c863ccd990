"""Find the folder of a model: on this machine, inside this package, or down from the Hugging Face Hub."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

RELEASED_MODEL = Path(__file__).parent / "data" / "classifier"
"""The classifier inside the package."""
RELEASED_ENCODER = Path(__file__).parent / "data" / "encoder"
"""The sentence encoder inside the package."""

# The files that are read, and downloaded from the Hub; a repository may lack some of them. The index exists where the
# weights are in several files, which is an error here.
MODEL_FILES = (
    "config.json",
    "model.safetensors",
    "model.safetensors.index.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "user_dictionary.txt",
    "data_args.json",
)

# No repository is named like a file, so the Hub is not asked for these.
FILE_SUFFIXES = {".json", ".safetensors", ".md", ".png", ".bin", ".txt", ".csv", ".tsv", ".jsonl", ".parquet", ".yaml"}
FILE_SUFFIXES |= {".py", ".gz", ".zip"}

WITH_TORCH = 'okt_lstm.load(..., engine="torch")'
"""What runs the classifiers of okt-lstm that oktane doesn't, for messages."""


class LoadError(OSError):
    """A folder or Hub repository has no model that can be loaded; the message says why and what to do."""


class UnsupportedError(LoadError):
    """A model is not one that oktane runs; the message says what runs it."""


def released_model() -> Path:
    """Return the folder of the classifier inside the package.

    Raises:
        LoadError: If the package was installed without one; the message says how to get one.
    """
    return _inside(RELEASED_MODEL, "trained model", "okt-lstm train --output_dir out")


def released_encoder() -> Path:
    """Return the folder of the sentence encoder inside the package.

    Raises:
        LoadError: If the package was installed without one; the message says how to get one.
    """
    return _inside(RELEASED_ENCODER, "sentence encoder", "okt-lstm train-encoder")


def _inside(folder: Path, what: str, command: str) -> Path:
    if not (folder / "config.json").is_file():
        raise LoadError(
            f"this installation of oktane has no {what} ({folder} is missing or empty): name a folder or a model on "
            f"the Hub (--model), or train one with `{command}`"
        )
    return folder


class TextColumns(NamedTuple):
    """The columns of a table that hold the texts and, of pairs, the second texts; None for those that aren't known."""

    text: str | None = None
    text_pair: str | None = None


UNKNOWN_COLUMNS = TextColumns()


def trained_columns(folder: Path) -> TextColumns:
    """Return the columns that held the texts when a model was trained, as far as its folder says so."""
    try:
        found = json.loads((folder / "data_args.json").read_text(encoding="utf-8"))
        names = [found.get(name) for name in ("text_column", "text_pair_column")]
    # The file is a hint: a folder may lack it, or hold another program's.
    except (OSError, ValueError, AttributeError, RecursionError):
        return UNKNOWN_COLUMNS
    return TextColumns(*(name if isinstance(name, str) else None for name in names))


def local_folder(name: str | os.PathLike[str]) -> Path | None:
    """Return the local folder of a name; `None` if there is none, and the name can be an id on the Hub.

    Raises:
        LoadError: If there is no such folder, and the name can't be an id either.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if folder.exists():
        raise LoadError(f"{name} is a file; give the folder of a model, or the id of one on the Hugging Face Hub")
    given = os.fspath(name)
    if given.count("/") != 1 or given.startswith((".", "~", "/")) or folder.suffix in FILE_SUFFIXES:
        raise LoadError(f"{name}: no such folder (a model on the Hugging Face Hub is named owner/name)")
    return None


class Source(NamedTuple):
    """Where a model was found.

    Attributes:
        folder: Its folder on this machine.
        arguments: The arguments by name that find the same model again, in another process.
    """

    folder: Path
    arguments: dict[str, Any]


def check_at_least_one(**options: int | None) -> None:
    """Raise ValueError if one of some options is given and less than 1."""
    for name, value in options.items():
        if value is not None and value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")


def find_model(
    name: str | os.PathLike[str] | None,
    inside: Callable[[], Path],
    revision: str | None,
    token: str | bool | None,
) -> Source:
    """Find a model by its folder or Hub id.

    Args:
        name: A folder, or the id of a repository. `None` for the model inside the package.
        inside: Returns the folder of that.
        revision: A branch, tag or commit of the repository.
        token: A token for the Hub. By default that of `hf auth login` or of HF_TOKEN.

    Raises:
        LoadError: If there is no such folder or repository; the message says what to do.
    """
    if name is None:
        return Source(inside(), {})
    if (local := local_folder(name)) is not None:
        return Source(local.absolute(), {"folder_or_hub_id": local.absolute()})
    hub_id = os.fspath(name)
    folder = hub_folder(hub_id, revision, token)
    # The folder is named by its commit: what is loaded again is the same, wherever the branch is by then.
    return Source(folder, {"folder_or_hub_id": hub_id, "revision": folder.name})


def hub_folder(name: str, revision: str | None, token: str | bool | None) -> Path:
    """Download `MODEL_FILES` of a Hub repository, all of one commit. It needs the extra `oktane[hub]`.

    Args:
        name: The id of the repository.
        revision: A branch, tag or commit of the repository.
        token: A token for the Hub. By default that of `hf auth login` or of HF_TOKEN.

    Returns:
        The folder in huggingface_hub's cache. Its name is the commit.

    Raises:
        LoadError: If there is no such repository, or it may not be read, or huggingface_hub is missing; the message
            says what to do.
    """
    try:
        from .hub import download_folder
    except ImportError as error:
        raise LoadError(
            f"{name}: no such folder, and loading it from the Hugging Face Hub needs huggingface_hub ({error}): "
            "pip install 'oktane[hub]'"
        ) from None
    return download_folder(name, MODEL_FILES, revision, token)
