"""Compressed files that are read, and never written: `.zip` with one file inside, as Windows makes them, and `.zst`."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from .lines import FileError


def open_zip(file: Any, path: Path) -> Any:
    """Return a stream of the file inside a zip archive.

    Args:
        file: The archive.
        path: Its name, for messages.

    Raises:
        FileError: It is no archive, is encrypted, or holds another number of files than one.
    """
    try:
        archive = zipfile.ZipFile(file)
        return archive.open(_only_name(archive, path))
    # What zipfile raises for a damaged archive, and for a compression that it doesn't know.
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise FileError(f"{path}: can't be decompressed ({error})") from None
    # What zipfile raises for an archive with a password.
    except RuntimeError:
        raise FileError(f"{path}: has a password; unzip it first") from None


def name_in_zip(path: Path) -> Path:
    """Return the name of the file inside a zip archive; for the errors see `open_zip`."""
    with path.open("rb") as file, open_zip(file, path) as stream:
        return Path(stream.name)


def _only_name(archive: zipfile.ZipFile, path: Path) -> str:
    """Return the name of the only file, beside what macOS adds."""
    names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
    names = [name for name in names if not PurePosixPath(name).name.startswith(".")]
    if len(names) != 1:
        found = ", ".join(names[:5]) or "nothing"
        raise FileError(f"{path}: an archive has to hold one file, but this one holds {found}; unzip it into a folder")
    return names[0]


def open_zstd(file: Any, path: Path) -> Any:
    """Return a stream of the content of a `.zst` file, which pyarrow decompresses.

    Args:
        file: The file.
        path: Its name, for messages.

    Raises:
        FileError: pyarrow is missing.
    """
    try:
        import pyarrow
    except ImportError as error:
        raise FileError(f"{path}: pyarrow reads .zst files ({error}): pip install 'oktane[arrow]'") from None
    return io.BufferedReader(pyarrow.CompressedInputStream(file, "zstd"))
