"""Unlabeled text: word vectors and language models learn from it, and teachers label it for a student."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from oktane.columns import choose_text_column, refuse_table
from oktane.readers import check_text, open_reader

from ..atomic import FileError, replacing
from .description import DataFile
from .errors import DataError
from .nsmc import NSMC


@dataclass(frozen=True)
class UnlabeledText:
    """Texts that can be iterated over any number of times without holding them in memory.

    Attributes:
        name: Their name in a model card.
        path: The file that they are read from.
        text_column: The column of the texts.
        limit: The largest number of texts to read; None for all.
    """

    name: str
    path: Path
    text_column: str
    limit: int | None = None

    def __iter__(self) -> Iterator[str]:
        """Yield the texts that are not blank, with a progress bar if standard error is a terminal.

        Raises:
            FileError: A row can't be read; the message names it.
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
        """Describe the file, for a model card."""
        return DataFile.of("unlabeled", self.path)


def open_unlabeled(name: str, text_column: str | None = None, limit: int | None = None) -> UnlabeledText:
    """Find unlabeled text.

    Args:
        name: A txt file with one text per line, or a tsv, csv, jsonl or parquet file with a column of texts; it may be
            compressed (.gz, .bz2, .xz). Or `"nsmc"`: the raw reviews of that corpus, which are downloaded.
        text_column: The column; by default the only one, or one with a usual name.
        limit: The largest number of texts to read; None for all.

    Raises:
        FileError: There is no such file, or it can't be read.
        DataError: The raw reviews of NSMC can't be downloaded.
    """
    if name == "nsmc":
        return _raw_reviews(limit)
    path = Path(name).expanduser()
    with open_reader(path) as reader:
        refuse_table(reader, "rename it to .tsv if it is a table with a header, or replace the tabs by blanks")
        column = choose_text_column(reader, text_column, "--unlabeled_column")
        if next(iter(reader), None) is None:
            raise FileError(f"{path}: holds no text")
    return UnlabeledText(path.name, path, column, limit)


def _raw_reviews(limit: int | None) -> UnlabeledText:
    builder = NSMC("raw")
    try:
        builder.download_and_prepare()
    except DataError as error:
        # Its own advice is about labeled rows.
        raise DataError(
            f"NSMC's raw reviews could not be downloaded ({error.__cause__ or error}). Check the network and try "
            "again, or name a file with one text per line: --unlabeled FILE."
        ) from error
    path = Path(builder.cache_dir) / "documents.parquet"
    if not path.exists():
        with replacing(path) as stream:
            builder.as_dataset(split="train").select_columns("document").to_parquet(stream)
    return UnlabeledText("NSMC's raw reviews", path, "document", limit)
