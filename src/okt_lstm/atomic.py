"""Files and folders that appear whole or not at all.

Everything is written under a temporary name beside its place, which no other process or thread uses, and renamed when
it is complete. After an error the temporary files are gone, and what was there before is still there.
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
    temporary = _temporary(target)
    try:
        with temporary.open("wb") as stream:
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
    temporary, older = _temporary(target), _temporary(target, "old")
    temporary.mkdir()
    try:
        yield temporary
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
    """Make an empty folder whose files move into `folder` when the block ends without an error.

    Each file appears whole; other files of the folder stay. An interruption while they move can leave old files beside
    new ones.

    Args:
        folder: An existing folder.

    Yields:
        The temporary folder to fill.
    """
    temporary = _temporary(target_path(folder) / "files")
    temporary.mkdir()
    try:
        yield temporary
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


def _temporary(target: Path, suffix: str = "tmp") -> Path:
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.{suffix}")
