"""Unlabeled text: word vectors and language models learn from it, and teachers label it for a student."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from oktane.columns import choose_text_column, refuse_table
from oktane.paths import Source, find_files
from oktane.readers import open_reader, text_of
from oktane.row_reader import ReadOptions

from ..atomic import FileError, replacing
from .description import DataFile
from .errors import DataError
from .nsmc import NSMC


@dataclass(frozen=True)
class UnlabeledText:
    """Texts that can be iterated over any number of times without holding them in memory.

    Attributes:
        name: Their name in a model card.
        paths: The files that they are read from.
        text_column: The column of the texts.
        limit: The largest number of texts to read; None for all.
        reading: How to read the files.
    """

    name: str
    paths: tuple[Path, ...]
    text_column: str
    limit: int | None = None
    reading: ReadOptions | None = None

    def __iter__(self) -> Iterator[str]:
        """Yield the texts that are neither blank nor null, with a progress bar if standard error is a terminal.

        Raises:
            FileError: A row can't be read; the message names it.
        """
        with (
            open_reader(self.paths, self.reading) as reader,
            tqdm(total=reader.size, unit=reader.unit, unit_scale=True, desc=self.name, disable=None) as bar,
        ):
            for number, row in enumerate(islice(reader, self.limit), 1):
                text = text_of(row, self.text_column, reader)
                if number % 1000 == 0:
                    bar.update(reader.position - bar.n)
                if text and not text.isspace():
                    yield text
            bar.update(reader.position - bar.n)

    @property
    def file(self) -> DataFile:
        """Describe the file, for a model card; several as the one that they make together."""
        return DataFile.of("unlabeled", *self.paths)


def open_unlabeled(
    name: Source, text_column: str | None = None, limit: int | None = None, reading: ReadOptions | None = None
) -> UnlabeledText:
    """Find unlabeled text.

    Args:
        name: A txt file with one text per line, or a table with a column of texts: any files that
            `oktane.readers.open_reader` takes. Or `"nsmc"`: the raw reviews of that corpus, which are downloaded.
        text_column: The column; by default the only one, or one with a usual name.
        limit: The largest number of texts to read; None for all.
        reading: How to read the files. By default they tell.

    Raises:
        FileError: There is no such file, or it can't be read.
        DataError: The raw reviews of NSMC can't be downloaded.
    """
    if name == "nsmc" or (isinstance(name, list) and name == ["nsmc"]):
        return _raw_reviews(limit)
    paths = find_files(name)
    reading = reading or ReadOptions()
    with open_reader(paths, reading) as reader:
        if reading.input_format is None:
            refuse_table(reader, "add --input_format tsv if it is a table with a header, txt if each line is a text")
        column = choose_text_column(reader, text_column, "--unlabeled_column")
        if next(iter(reader), None) is None:
            raise FileError(f"{reader.name}: holds no text")
    return UnlabeledText(paths[0].name, tuple(paths), column, limit, reading)


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
    return UnlabeledText("NSMC's raw reviews", (path,), "document", limit)
