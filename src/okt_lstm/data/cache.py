"""Rows that a generator computes once and that `datasets` keeps on disk."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import datasets
from datasets.exceptions import DatasetGenerationError


def generate(
    generator: Callable[..., Iterator[dict[str, Any]]],
    features: datasets.Features,
    *,
    split: str = "train",
    files: Iterable[str | Path] = (),
    **inputs: Any,
) -> datasets.Dataset:
    """Write the rows of a generator to a file of the `datasets` cache, or find them there from an earlier call.

    Args:
        generator: Yields the rows. It is called with `inputs`.
        features: The types of the columns.
        split: The name of the split.
        files: The files that the generator reads. After one of them changes, the rows are generated anew.
        **inputs: The arguments of the generator. Equal ones (as `datasets` hashes them) find the cached rows.

    Returns:
        The rows, mapped from the file.

    Raises:
        OSError: The generator raised it.
        ValueError: The generator raised it.
    """
    # `datasets` hashes all arguments of what it calls, so the versions are part of them.
    versions = tuple(map(file_version, files))
    arguments = {"generator": generator, "inputs": inputs, "versions": versions}
    try:
        return datasets.Dataset.from_generator(_rows, features, gen_kwargs=arguments, split=split)
    except DatasetGenerationError as error:
        if isinstance(error.__cause__, OSError | ValueError):  # it says what is wrong
            raise error.__cause__ from None
        raise


def _rows(
    generator: Callable[..., Iterator[dict[str, Any]]], inputs: dict[str, Any], versions: object
) -> Iterator[dict[str, Any]]:
    return generator(**inputs)


def file_version(path: str | Path) -> tuple[str, int, int]:
    """Return what tells a file's versions apart: its name, size and time of change."""
    stat = Path(path).stat()
    return Path(path).name, stat.st_size, stat.st_mtime_ns
