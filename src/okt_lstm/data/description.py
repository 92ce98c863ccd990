"""Where the rows of a data set came from, for model cards."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class DataFile:
    """A file that rows came from: its split, name without folders, size in bytes, and git blob id."""

    split: str
    name: str
    num_bytes: int
    git_blob_id: str

    @classmethod
    def of(cls, split: str, path: Path, *more: Path) -> "DataFile":
        """Describe a file; several as the one that they would make, one after the other."""
        name = f"{path.name} and {len(more)} more" if more else path.name
        return cls(split, name, sum(file.stat().st_size for file in (path, *more)), git_blob_id(path, *more))


@dataclass(frozen=True)
class DataDescription:
    """What a model card says about the data.

    Attributes:
        name: The data set's name for readers.
        hub_id: Its id on the Hub, or None.
        config: Its configuration on the Hub, or None.
        license: Its license as the Hub writes it, or None if unknown.
        files: The files that the rows came from, as far as they are known.
        rows: The number of rows of each split.
        notes: Full sentences that readers of the results have to know.
    """

    name: str
    hub_id: str | None = None
    config: str | None = None
    license: str | None = None
    files: tuple[DataFile, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def git_blob_id(*paths: str | Path) -> str:
    r"""Return the id that git gives to the content of files: sha1 of `b"blob <size>\0" + content`, in hexadecimal.

    Args:
        *paths: The files, of any size: they are read in blocks.
    """
    digest = git_blob_digest(sum(Path(path).stat().st_size for path in paths))
    for path in paths:
        with Path(path).open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def git_blob_digest(num_bytes: int) -> "hashlib._Hash":
    """Start the digest of a git blob of this size; feed it the content."""
    return hashlib.sha1(b"blob %d\0" % num_bytes, usedforsecurity=False)
