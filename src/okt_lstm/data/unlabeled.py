"""Text without labels: what embeddings and language models learn from, and what a teacher gives labels to."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from ..atomic import FileError, replacing
from .files import check_text, choose_text_column, open_reader
from .nsmc import NSMC, DataError
from .splits import DataFile


@dataclass(frozen=True)
class UnlabeledText:
    """Texts that can be read any number of times, one after the other, without holding them in memory.

    Attributes:
        name: What a model card calls them.
        path: The file they are read from.
        text_column: The column of the texts.
        stamp: The file's size and time of change: what `datasets` caches of a text is not taken for a newer one's.
        limit: How many texts are read at most; None for all.
    """

    name: str
    path: Path
    text_column: str
    stamp: tuple[int, int]
    limit: int | None = None

    def __iter__(self) -> Iterator[str]:
        """The texts that are not blank, with a progress bar if standard error is a terminal.

        Raises:
            FileError: If a row can't be read; the message names it.
        """
        with (
            open_reader(self.path) as reader,
            tqdm(total=reader.size, unit=reader.unit, unit_scale=True, desc=self.name, disable=None) as bar,
        ):
            for number, row in enumerate(islice(reader, self.limit), 1):
                text = check_text(row, self.text_column, reader, number)[self.text_column]
                if number % 1000 == 0:
                    bar.update(reader.position - bar.n)
                if text and not text.isspace():
                    yield text
            bar.update(reader.position - bar.n)

    @property
    def file(self) -> DataFile:
        """The file, for a model card."""
        return DataFile.of("unlabeled", self.path)


def open_unlabeled(name: str, text_column: str | None = None, limit: int | None = None) -> UnlabeledText:
    """Find text without labels.

    Args:
        name: A txt file, one text a line; a tsv, csv, jsonl or parquet file, of which one column is taken; any of them
            may be compressed (.gz, .bz2, .xz). Or `"nsmc"`: the raw reviews of that corpus, which are downloaded.
        text_column: The column; by default the only one, or one with a usual name.
        limit: How many texts are read at most; None for all.

    Raises:
        FileError: If there is no such file, or it can't be read.
        DataError: If NSMC's raw reviews can't be downloaded.
    """
    if name == "nsmc":
        return _raw_reviews(limit)
    path = Path(name).expanduser()
    with open_reader(path) as reader:
        column = choose_text_column(reader, None, text_column)
        if next(iter(reader), None) is None:
            raise FileError(f"{path}: holds no text")
    return UnlabeledText(path.name, path, column, stamp(path), limit)


def _raw_reviews(limit: int | None) -> UnlabeledText:
    builder = NSMC("raw")
    try:
        builder.download_and_prepare()
    except DataError as error:  # whose advice is for labeled rows
        raise DataError(
            f"NSMC's raw reviews could not be had ({error.__cause__ or error}). Check the network and try again, or "
            "name a file of texts, one a line, with --unlabeled."
        ) from error
    path = Path(builder.cache_dir) / "documents.parquet"
    if not path.exists():
        with replacing(path) as stream:
            builder.as_dataset(split="train").select_columns("document").to_parquet(stream)
    return UnlabeledText("NSMC's raw reviews", path, "document", stamp(path), limit)


def stamp(path: Path) -> tuple[int, int]:
    """A file's size and time of change, which tell its versions apart."""
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns
