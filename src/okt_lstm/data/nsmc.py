"""NSMC, the Naver sentiment movie corpus, as a `datasets` builder.

The corpus (https://github.com/e9t/nsmc, CC0 1.0) holds 200,000 Korean film reviews, half of them negative (ratings 1
to 4) and half positive (9 and 10), split into 150,000 rows for training and 50,000 for testing. `load_dataset` no
longer runs loading scripts, but a builder works when it is used directly:

    nsmc = NSMC()                                # or NSMC("sample"), NSMC("nsmc", data_dir="~/Korpora")
    nsmc.download_and_prepare()                  # an Arrow cache on disk; the second time it is only opened
    dataset = nsmc.as_dataset()                  # DatasetDict with train and test
    stream = nsmc.as_streaming_dataset("train")  # or row by row, nothing prepared

Configurations:
    nsmc: the 150,000 and 50,000 labeled reviews, downloaded and checked, or read from a folder.
    raw: all reviews of the corpus's repository that are not in the test set, without labels.
    sample: 1,000 short labeled reviews that come with this package, to try every step offline. They combine a few
        hand-written phrases: an accuracy measured on them says nothing about real reviews.
"""

import hashlib
import json
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeAlias, cast

import aiohttp
import datasets
from datasets.exceptions import DatasetGenerationError

from oktane.lines import decode_line, strip_line_end

from ..atomic import FileError
from .description import git_blob_digest, git_blob_id
from .errors import DataError

logger = datasets.logging.get_logger(__name__)

LABELS = ("negative", "positive")
SAMPLE_DIR = Path(__file__).with_name("sample")

# The addresses that Korpora (https://github.com/ko-nlp/Korpora) downloads from.
_ADDRESS = "https://raw.githubusercontent.com/e9t/nsmc/master/"
# A tar archive can be read while it arrives. A zip archive can't: it needs random access.
_ARCHIVE_ADDRESS = "https://github.com/e9t/nsmc/archive/refs/heads/master.tar.gz"
_ARCHIVE_SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")

_DownloadManager: TypeAlias = datasets.DownloadManager | datasets.StreamingDownloadManager
_Reader: TypeAlias = Callable[[], Iterator[tuple[int, dict[str, Any]]]]

_DAMAGES = (EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile)

_WITHOUT_NETWORK = (
    "name a folder with the corpus's ratings_train.txt and ratings_test.txt, for raw reviews also its folder raw "
    '(--data_dir FOLDER, in Python NSMC(data_dir="FOLDER")), or use the small sample that comes with okt-lstm '
    '(--dataset sample, in Python NSMC("sample"))'
)

_DESCRIPTION = "Naver sentiment movie corpus v1.0 by Lucy Park (e9t), https://github.com/e9t/nsmc"


class RatingsFile(NamedTuple):
    """One of the corpus's labeled files: its name, size in bytes, and git blob id (see `description.git_blob_id`)."""

    name: str
    num_bytes: int
    blob_id: str


OFFICIAL_FILES = {
    "train": RatingsFile("ratings_train.txt", 14_628_807, "ac0dba272895dc1d0b3dd5f11afbeaeb7abe7876"),
    "test": RatingsFile("ratings_test.txt", 4_893_335, "b6cfcd8cd1557bcd9bf06617b0e429ed73e9a367"),
}


def parse_ratings(lines: Iterable[bytes], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    r"""Parse the lines of a labeled file of the corpus.

    The fields `id`, `document` and `label` are separated by tabs, under a header line with these names, in UTF-8.
    Double quotes are part of the document: there is no csv quoting. Lines end at `\n`; a `\r` before it is dropped. A
    byte order mark and blank lines at the end are accepted.

    Args:
        lines: The lines of the file in bytes, as an open binary file yields them.
        name: The file's name, for messages.

    Yields:
        The line number, from 1, and the row: `id` (str), `document` (str, may be empty), `label` (0 or 1).

    Raises:
        DataError: A line doesn't have three fields, or has a label other than 0 and 1; or the header is missing.
        FileError: A line isn't UTF-8.
    """
    number = 0
    blank = 0
    for number, line in enumerate(lines, start=1):
        text = strip_line_end(decode_line(line, name, number))
        fields = text.split("\t")
        if number == 1:
            if fields != ["id", "document", "label"]:
                raise DataError(
                    f"{name}, line 1: found {_shorten(text)}, not the header of an NSMC file "
                    "('id', 'document' and 'label', separated by tabs)."
                )
            continue
        if not text:
            blank = blank or number
            continue
        if blank:
            raise DataError(f"{name}, line {blank}: the line is blank, but more rows follow it.")
        if len(fields) != 3:
            raise DataError(
                f"{name}, line {number}: {len(fields)} fields instead of 3 (id, document and label, separated by "
                f"tabs): {_shorten(text)}"
            )
        if fields[2] not in ("0", "1"):
            raise DataError(
                f"{name}, line {number}: the label is {_shorten(fields[2])}, not 0 (negative) or 1 (positive)."
            )
        yield number, {"id": fields[0], "document": fields[1], "label": int(fields[2])}
    if number == 0:
        raise DataError(f"{name}: the file is empty.")


def _shorten(text: str, width: int = 60) -> str:
    return repr(text if len(text) <= width else text[:width] + "…")


def parse_raw_reviews(content: bytes, name: str) -> list[dict[str, str]]:
    """Parse one file of the corpus's raw reviews.

    Args:
        content: The file: a JSON list of objects with the strings `review_id`, `review` and `rating`, among others.
        name: The file's name, for messages.

    Returns:
        The objects, in the file's order.

    Raises:
        DataError: The file is not JSON, or not such a list.
    """
    try:
        reviews = json.loads(content)
    except (ValueError, RecursionError) as error:  # not JSON, not UTF-8, or nested too deeply
        raise DataError(f"{name}: not a JSON file: {error}") from None
    if not isinstance(reviews, list):
        raise DataError(f"{name}: expected a list of reviews, found a JSON {type(reviews).__name__}.")
    for position, review in enumerate(reviews, start=1):
        for field in ("review_id", "review", "rating"):
            if not isinstance(review, dict) or not isinstance(review.get(field), str):
                raise DataError(f"{name}, review {position}: the field {field!r} is missing or not a string.")
        if not review["review_id"].isdecimal():
            raise DataError(f"{name}, review {position}: the review_id {review['review_id']!r} is not a number.")
    return reviews


def _read_ratings(path: str, official: RatingsFile | None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read a labeled file or address; if `official` is given, check at the end that it was that file."""
    digest = git_blob_digest(official.num_bytes if official else 0)

    def lines(file: BinaryIO) -> Iterator[bytes]:
        for line in file:
            digest.update(line)
            yield line

    # `datasets` replaces this module's `open` by one that opens addresses too.
    with _reading(path), cast(BinaryIO, open(path, "rb")) as file:  # noqa: PTH123
        yield from parse_ratings(lines(file), path)
    if official and digest.hexdigest() != official.blob_id:
        raise _checksum_error(path, digest.hexdigest(), official)


def _unlabeled(content: bytes, name: str, test_ids: frozenset[str]) -> Iterator[dict[str, str]]:
    """Yield the reviews of a raw file with single spaces, without blank ones and those of the test set."""
    for review in parse_raw_reviews(content, name):
        document = " ".join(review["review"].split())
        if document and review["review_id"] not in test_ids:
            yield {"id": review["review_id"], "document": document}


def _read_raw_archive(files: Iterable[tuple[str, BinaryIO]], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read an archive of the corpus's repository in one pass: git puts the test set before the folder `raw`."""
    test_ids = None
    key = 0
    with _reading(name):
        for path, file in files:
            if Path(path).name == OFFICIAL_FILES["test"].name:
                test_ids = frozenset(row["id"] for _, row in parse_ratings(file, path))
            elif Path(path).parent.name == "raw" and path.endswith(".json"):
                if test_ids is None:
                    raise DataError(f"{name}: ratings_test.txt must come before the raw reviews, as in git's archives.")
                for row in _unlabeled(file.read(), path, test_ids):
                    yield key, row
                    key += 1
    if key == 0:
        raise DataError(f"{name}: no raw reviews (raw/*.json) in this archive.")


def _read_raw_folder(
    paths: list[str], test_path: str, official: RatingsFile | None
) -> Iterator[tuple[int, dict[str, Any]]]:
    test_ids = frozenset(row["id"] for _, row in _read_ratings(test_path, official))
    rows = (row for path in paths for row in _unlabeled(Path(path).read_bytes(), path, test_ids))
    yield from enumerate(rows)


@contextmanager
def _reading(path: str) -> Iterator[None]:
    """Turn an error while reading a file or an address into one that says what to do."""
    try:
        yield
    except (OSError, aiohttp.ClientError, *_DAMAGES) as error:
        cause = f"({type(error).__name__}: {error})"
        if "://" in path:
            advice = f"Check the network and try again, or {_WITHOUT_NETWORK}."
            raise DataError(f"NSMC could not be downloaded from {path} {cause}. {advice}") from error
        raise DataError(f"{path} could not be read {cause}.") from error


def _download(dl_manager: _DownloadManager, address: str) -> str:
    """Return the path of the downloaded file (in the cache of `datasets`), or the address if it is streamed."""
    with _reading(address):
        return dl_manager.download(address)


def _download_ratings(dl_manager: _DownloadManager, official: RatingsFile) -> str:
    path = _download(dl_manager, _ADDRESS + official.name)
    if not dl_manager.is_streaming and (blob_id := git_blob_id(path)) != official.blob_id:
        # The next attempt would find the broken file in the cache.
        Path(path).unlink()
        raise _checksum_error(_ADDRESS + official.name, blob_id, official)
    return path


def _test_set_beside(raw_file: Path) -> list[Path]:
    """Find the test set beside or in the folder of raw reviews."""
    candidates = [folder / OFFICIAL_FILES["test"].name for folder in (raw_file.parent.parent, raw_file.parent)]
    return [path for path in candidates if path.is_file()][:1]


def _warn_if_other(path: Path, official: RatingsFile) -> None:
    if (blob_id := git_blob_id(path)) != official.blob_id:
        logger.warning(
            f"{path} is not NSMC's official {official.name} (git blob id {blob_id}, not {official.blob_id}): don't "
            "compare results with published ones."
        )


def _checksum_error(path: str, blob_id: str, official: RatingsFile) -> DataError:
    return DataError(
        f"{path}: this is not the official {official.name}: its git blob id is {blob_id}, not {official.blob_id}. "
        "The download is damaged: try again."
    )


class NSMCConfig(datasets.BuilderConfig):  # type: ignore[misc]
    """A configuration of `NSMC`, whose cache is named after the files that it reads."""

    def create_config_id(self, config_kwargs: dict[str, Any], custom_features: datasets.Features | None = None) -> str:
        """Name the cache after the content of local files: a changed file is read anew, an equal copy is not."""
        kwargs = {key: value for key, value in config_kwargs.items() if key != "data_dir"}
        if self.name == "raw" and self.data_dir:
            source = _raw_source(self.data_dir)
            paths = [*source, *_test_set_beside(source[0])] if isinstance(source, list) else [source]
            kwargs["files"] = _fingerprint(paths)
        elif folder := _ratings_folder(self):
            kwargs["files"] = "-".join(git_blob_id(path)[:12] for path in _files_in(folder).values())
        return super().create_config_id(kwargs, custom_features)


def _ratings_folder(config: datasets.BuilderConfig) -> Path | None:
    """Return the local folder of the labeled files, or None where they're downloaded."""
    if config.name == "sample":
        if config.data_dir:
            raise DataError("The configuration 'sample' comes with okt-lstm and takes no data_dir.")
        return SAMPLE_DIR
    return find_ratings_folder(config.data_dir) if config.data_dir else None


def find_ratings_folder(data_dir: str) -> Path:
    """Find the folder of `ratings_train.txt` and `ratings_test.txt`.

    Args:
        data_dir: That folder, or the one above `nsmc/`, as Korpora lays it out (`~/Korpora`).

    Raises:
        DataError: The files are in neither.
    """
    root = Path(data_dir).expanduser()
    names = [official.name for official in OFFICIAL_FILES.values()]
    for folder in (root, root / "nsmc"):
        if all((folder / name).is_file() for name in names):
            return folder
    if not root.is_dir():
        raise DataError(f"data_dir {str(root)!r} is not a folder.")
    missing = [name for name in names if not (root / name).is_file()]
    raise DataError(
        f"No {' and no '.join(missing)} in the folder {str(root)!r}, nor both files in its subfolder 'nsmc'. Name the "
        "folder that holds both files, or leave data_dir out to download them."
    )


def _files_in(folder: Path) -> dict[str, Path]:
    return {split: folder / official.name for split, official in OFFICIAL_FILES.items()}


def _raw_source(data_dir: str) -> Path | list[Path]:
    """Return the archive or the JSON files that `data_dir` means for the configuration `raw`."""
    root = Path(data_dir).expanduser()
    if root.is_file():
        if root.name.endswith(_ARCHIVE_SUFFIXES):
            return root
        raise DataError(
            f"{root}: expected an archive ({', '.join(_ARCHIVE_SUFFIXES)}). Text of your own goes through --unlabeled."
        )
    for folder in (root / "raw", root):
        if files := sorted(folder.glob("*.json")):
            return files
    raise DataError(f"No raw reviews (raw/*.json) in data_dir {str(root)!r}.")


def _fingerprint(paths: list[Path]) -> str:
    """Hash names, sizes and times of change: reading all raw reviews just to name a cache would take too long."""
    digest = hashlib.sha1(usedforsecurity=False)
    for path in paths:
        stat = path.stat()
        digest.update(f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


class NSMC(datasets.GeneratorBasedBuilder):  # type: ignore[misc]
    """Builder of the Naver sentiment movie corpus.

    Columns: `id` (string), `document` (string, a few are empty), `label` (negative 0, positive 1; not in `raw`).
    Splits: `train` and `test`; `raw` has `train` only.

    Args:
        config_name: "nsmc" (default), "raw" or "sample"; see the module's description.
        data_dir: Read local files instead of downloading. For `nsmc`, the folder that holds `ratings_train.txt` and
            `ratings_test.txt`, or the one above it in Korpora's layout (`~/Korpora`). Files other than the official
            ones are accepted with a warning. For `raw`, a copy of the corpus's repository, its folder `raw`, or an
            archive of it.
        **kwargs: Further arguments of `datasets.DatasetBuilder`, such as `cache_dir`.

    Raises:
        DataError: `data_dir` doesn't hold what it should. While reading: a row is malformed (the message names file and
            line), or a download failed or isn't the official file.
        FileError: While reading: a line isn't UTF-8.
    """

    VERSION = datasets.Version("1.0.0")
    BUILDER_CONFIG_CLASS = NSMCConfig
    BUILDER_CONFIGS = [
        NSMCConfig(name="nsmc", version=VERSION, description="150,000 and 50,000 labeled film reviews"),
        NSMCConfig(name="raw", version=VERSION, description="unlabeled film reviews that are not in the test set"),
        NSMCConfig(name="sample", version=VERSION, description="about 1,000 made-up labeled reviews"),
    ]
    DEFAULT_CONFIG_NAME = "nsmc"

    def __init__(self, config_name: str | None = None, data_dir: str | Path | None = None, **kwargs: Any) -> None:
        super().__init__(config_name=config_name, data_dir=None if data_dir is None else str(data_dir), **kwargs)

    def _info(self) -> datasets.DatasetInfo:
        features = {"id": datasets.Value("string"), "document": datasets.Value("string")}
        if self.config.name != "raw":
            features["label"] = datasets.ClassLabel(names=list(LABELS))
        sample = self.config.name == "sample"
        return datasets.DatasetInfo(
            description="Made-up reviews that come with okt-lstm." if sample else _DESCRIPTION,
            homepage=None if sample else "https://github.com/e9t/nsmc",
            license="apache-2.0" if sample else "cc0-1.0",
            features=datasets.Features(features),
        )

    def local_files(self) -> dict[str, Path]:
        """Return the local file of each split; empty if they are downloaded, and for `raw`."""
        folder = None if self.config.name == "raw" else _ratings_folder(self.config)
        return _files_in(folder) if folder else {}

    def download_and_prepare(self, *args: Any, **kwargs: Any) -> None:
        """Do what `DatasetBuilder.download_and_prepare` does, but raise our own errors as they are."""
        try:
            super().download_and_prepare(*args, **kwargs)
        except DatasetGenerationError as error:
            if isinstance(error.__cause__, DataError | FileError):
                raise error.__cause__ from None
            raise

    def _split_generators(self, dl_manager: _DownloadManager) -> list[datasets.SplitGenerator]:
        if self.config.name == "raw":
            read = self._raw_reader(dl_manager)
            return [datasets.SplitGenerator(name=datasets.Split.TRAIN, gen_kwargs={"read": read})]
        local_files = self.local_files()
        generators = []
        for split, official in OFFICIAL_FILES.items():
            if split in local_files:
                read = partial(_read_ratings, str(local_files[split]), None)
                if self.config.name == "nsmc":
                    _warn_if_other(local_files[split], official)
            else:
                read = partial(_read_ratings, _download_ratings(dl_manager, official), official)
            generators.append(datasets.SplitGenerator(name=split, gen_kwargs={"read": read}))
        return generators

    def _raw_reader(self, dl_manager: _DownloadManager) -> _Reader:
        source = _raw_source(self.config.data_dir) if self.config.data_dir else None
        if isinstance(source, list):
            paths = [str(path) for path in source]
            if test_set := _test_set_beside(source[0]):
                return partial(_read_raw_folder, paths, str(test_set[0]), None)
            official = OFFICIAL_FILES["test"]
            return partial(_read_raw_folder, paths, _download_ratings(dl_manager, official), official)
        archive = str(source or _download(dl_manager, _ARCHIVE_ADDRESS))
        return partial(_read_raw_archive, dl_manager.iter_archive(archive), archive)

    def _generate_examples(self, read: _Reader) -> Iterator[tuple[int, dict[str, Any]]]:
        return read()
