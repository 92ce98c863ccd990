"""Files and folders that appear whole or not at all.

Everything is written under a temporary name beside its place, which no other process or thread uses, and renamed when
it is complete. After an error the temporary files are gone, and what was there before is still there. A killed process
leaves its temporary files; the next process that writes to the same place removes them.
"""

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from oktane.lines import FileError as FileError
from oktane.lines import left_unfinished, naming


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a binary stream whose content becomes the file when the block ends without an error.

    Args:
        path: The file. An older one is replaced; if it is a symbolic link, what the link points to is replaced.

    Raises:
        FileError: The folder is missing, or something else than a file has this name.
    """
    target = target_path(path)
    if target.exists() and not target.is_file():
        raise FileError(f"{path}: exists and is not a regular file")
    remove_unfinished(target.parent, target.name)
    temporary = _temporary(target)
    try:
        with naming(path), temporary.open("wb") as stream:
            yield stream
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write text as UTF-8, with line ends as they stand; see `replacing`."""
    with replacing(path) as stream:
        stream.write(text.encode())


def write_json(path: str | os.PathLike[str], content: Any) -> None:
    """Write indented JSON; see `replacing`."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=2) + "\n")


@contextmanager
def replacing_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Make an empty folder that appears under this name when the block ends without an error.

    Args:
        path: The folder. An older one is replaced with all that it holds.

    Yields:
        The folder to fill, which still has a temporary name.

    Raises:
        FileError: The folder above is missing, or something else than a folder has this name.
    """
    target = target_path(path)
    if target.exists() and not target.is_dir():
        raise FileError(f"{path}: exists and is not a folder")
    remove_unfinished(target.parent, target.name)
    temporary, older = _temporary(target), _temporary(target, "old")
    temporary.mkdir()
    try:
        with naming(path):
            yield temporary
        _open_to_readers(temporary)
        if target.exists():
            target.rename(older)
        temporary.rename(target)
    finally:
        if older.exists() and not target.exists():
            older.rename(target)
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(older, ignore_errors=True)


@contextmanager
def replacing_files(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Make an empty folder whose files and folders move into `folder` when the block ends without an error.

    Each of them appears whole; what else is in the folder stays. An interruption while they move can leave old files
    beside new ones.

    Args:
        folder: An existing folder.

    Yields:
        The temporary folder to fill.
    """
    target = target_path(folder)
    remove_unfinished(target, _FILES)
    temporary = _temporary(target / _FILES)
    temporary.mkdir()
    try:
        with naming(folder):
            yield temporary
        _open_to_readers(temporary)
        for file in sorted(temporary.iterdir()):
            file.replace(temporary.parent / file.name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def target_path(path: str | os.PathLike[str]) -> Path:
    """Return the path behind symbolic links, so that a link stays one.

    Raises:
        FileError: If its folder does not exist.
    """
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileError(f"{path}: the folder does not exist; make it first: mkdir -p {target.parent}")
    return target


def remove_unfinished(folder: Path, name: str | None = None) -> None:
    """Remove what killed processes left half written in a folder. A folder that one was just replacing comes back.

    Args:
        folder: The folder. Nothing happens if there is none.
        name: The file or folder that they were writing; by default, any.
    """
    for path, target, kind in left_unfinished(folder, name):
        if kind == "old" and not target.exists():
            path.rename(target)
        elif path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


# What `replacing_files` calls the files of a folder.
_FILES = "files"


def _temporary(target: Path, kind: str = "tmp") -> Path:
    # As `left_unfinished` reads it.
    return target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.{kind}")


def _open_to_readers(folder: Path) -> None:
    """Give the files of a new folder the permissions of any new file: safetensors writes for the owner alone."""
    # mkdir has heeded the umask.
    mode = folder.stat().st_mode & 0o666
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(mode)
