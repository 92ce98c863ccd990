"""Which files a name means (a file, the shards in a folder, or all that match a pattern), and their formats."""

import glob
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from .lines import STREAM, FileError, uncompressed

Source: TypeAlias = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""A file, a folder of files, a pattern such as `part-*`, or several of these."""

SUFFIXES = {
    ".txt": "txt",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
}
"""The formats, by suffix."""


def file_format(path: str | os.PathLike[str]) -> str:
    """Return the format that the suffix of a file tells.

    Raises:
        FileError: The suffix belongs to none of them.
    """
    suffix = Path(path).suffix.lower()
    known = SUFFIXES.get(suffix)
    if suffix == ".xls":
        raise FileError(f"{path}: old Excel files can't be read; save it as .xlsx or .csv in Excel")
    if known is None:
        raise FileError(f"{path}: unknown file format; the name must end in {', '.join(SUFFIXES)}")
    return known


def is_shard(path: Path) -> bool:
    """Return whether a file without a known suffix is named as Spark names parts of a table: `part-00000`."""
    return path.name.startswith("part-") and path.suffix.lower() not in SUFFIXES


def find_files(source: Source) -> list[Path]:
    """Return the files that are meant: of folders and patterns in the order of their names. `-` is standard input.

    In a folder, files whose names begin with `.` or `_`, as Spark's `_SUCCESS`, do not count; nor do folders in it.

    Raises:
        FileError: If there is no such file, or nothing matches.
    """
    if not isinstance(source, str | os.PathLike):
        found = [path for name in source for path in find_files(name)]
        if not found:
            raise FileError("no file is named")
        return found
    if os.fspath(source) == STREAM:
        return [Path(STREAM)]
    path = Path(source).expanduser()
    if path.is_dir():
        return _in_folder(path)
    if path.exists():
        return [path]
    if glob.has_magic(str(path)):
        # Path.glob takes no absolute patterns.
        names = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207
        if found := [file for name in names for file in _not_hidden(Path(name))]:
            return found
        raise FileError(f"{source}: no file matches")
    raise FileError(f"{source}: no such file")


def _in_folder(folder: Path) -> list[Path]:
    if (state := folder / "state.json").is_file():
        # What `save_to_disk` of the library datasets leaves.
        return [folder / file["filename"] for file in json.loads(state.read_text(encoding="utf-8"))["_data_files"]]
    if (splits := folder / "dataset_dict.json").is_file():
        names = json.loads(splits.read_text(encoding="utf-8"))["splits"]
        raise FileError(
            f"{folder}: holds several splits; name one of {', '.join(str(folder / name) for name in names)}"
        )
    found = [file for path in sorted(folder.iterdir()) for file in _not_hidden(path)]
    # Beside data of a known format lie things such as a README.md.
    tables = [file for file in found if uncompressed(file).suffix.lower() in SUFFIXES or is_shard(uncompressed(file))]
    if tables:
        return tables
    raise FileError(f"{folder}: is a folder without files of a known format")


def _not_hidden(path: Path) -> list[Path]:
    return [path] if path.is_file() and not path.name.startswith((".", "_")) else []
