import bz2
import gzip
import json
import lzma

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tiny import save_tiny

from okt_lstm.atomic import FileError
from okt_lstm.cli import main
from okt_lstm.data.errors import DataError
from okt_lstm.data.unlabeled import open_unlabeled

TEXTS = ["연기도 최고였다", "시간이\u2028 아깝다", '"정말', "굿 😀"]
COMPRESSORS = {"": lambda content: content, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def lines(*texts):
    return "".join(f"{text}\n" for text in texts).encode()


@pytest.mark.parametrize("suffix", COMPRESSORS)
def test_a_txt_file_has_one_text_per_line_compressed_or_not(tmp_path, suffix):
    path = tmp_path / f"texts.txt{suffix}"
    path.write_bytes(COMPRESSORS[suffix](lines(*TEXTS)))
    texts = open_unlabeled(str(path))
    assert list(texts) == TEXTS
    assert list(texts) == TEXTS  # they can be read again
    assert texts.name == path.name
    assert (texts.file.name, texts.file.num_bytes) == (path.name, path.stat().st_size)


def write_table(path):
    rows = [{"id": str(number), "document": text} for number, text in enumerate(TEXTS)]
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        table = lines("id\tdocument", *("\t".join(row.values()) for row in rows))
        path.write_bytes(COMPRESSORS[".xz"](table) if path.suffix == ".xz" else table)
    return str(path)


@pytest.mark.parametrize("name", ["t.tsv", "t.tsv.xz", "t.jsonl", "t.parquet"])
def test_one_column_of_a_table_is_read(tmp_path, name):
    path = write_table(tmp_path / name)
    assert list(open_unlabeled(path)) == TEXTS
    assert list(open_unlabeled(path, "id")) == ["0", "1", "2", "3"]
    with pytest.raises(FileError, match=r"has no column 'nope'; its columns are id, document"):
        open_unlabeled(path, "nope")


def test_blank_texts_are_left_out(tmp_path):
    (tmp_path / "t.txt").write_bytes(lines("", "굿", "  \t", "\u3000", "별로", ""))
    assert list(open_unlabeled(str(tmp_path / "t.txt"))) == ["굿", "별로"]


@pytest.mark.parametrize("limit", [1, 3, 4, 99])
def test_a_limit_counts_rows(tmp_path, limit):
    (tmp_path / "t.txt").write_bytes(lines(*TEXTS))
    assert list(open_unlabeled(str(tmp_path / "t.txt"), limit=limit)) == TEXTS[:limit]


def test_texts_are_read_as_a_stream(tmp_path):
    (tmp_path / "t.txt").write_bytes(lines("굿") + b"\xff\n")
    texts = iter(open_unlabeled(str(tmp_path / "t.txt")))
    assert next(texts) == "굿"
    with pytest.raises(FileError, match=r"t\.txt, line 2: byte 0xff"):
        next(texts)


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])
def test_a_damaged_file_is_an_error_that_names_file_and_line(tmp_path, suffix):
    path = tmp_path / f"t.txt{suffix}"
    path.write_bytes(COMPRESSORS[suffix](lines(*map(str, range(300_000))))[:-2000])
    with pytest.raises(FileError, match=rf"t\.txt\{suffix}, after line \d+: can't be decompressed"):
        list(open_unlabeled(str(path)))
    path.write_bytes(b"this was never compressed")
    with pytest.raises(FileError, match=rf"t\.txt\{suffix}.*can't be decompressed"):
        open_unlabeled(str(path))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.txt", b"", "holds no text"),
        ("t.tsv", b"document\n", "holds no text"),
        ("t.jsonl", b"", "holds no text"),
        ("t.txt.gz", gzip.compress(b"", mtime=0), "holds no text"),
        ("t.doc", b"x", r"the name must end in \.txt"),
        ("t.gz", gzip.compress(b"x", mtime=0), r"the name must end in \.txt"),
        ("t.txt", b"a\tb\n", "the first line has tabs: add --input_format"),
        ("t.csv", b"a,b\n1,2\n", "which column holds the texts.*--unlabeled_column"),
    ],
)
def test_what_cannot_be_read_is_an_error_for_people(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=rf"t[.:].*{message}"):
        open_unlabeled(str(tmp_path / name))


def test_a_missing_file_and_a_folder_are_errors(tmp_path):
    with pytest.raises(FileError, match="no such file"):
        open_unlabeled(str(tmp_path / "nope.txt"))
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(FileError, match="is a folder"):
        open_unlabeled(str(tmp_path / "folder.txt"))


def test_something_else_than_text_is_an_error_that_names_the_row(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"text": "굿"}\n{"text": 3}\n')
    with pytest.raises(FileError, match=r"t\.jsonl, line 2: the column 'text' is a int"):
        list(open_unlabeled(str(tmp_path / "t.jsonl")))


def test_the_raw_reviews_of_nsmc_are_kept_as_a_file(tmp_path, monkeypatch):
    class Reviews:
        cache_dir = str(tmp_path)

        def __init__(self, config):
            assert config == "raw"

        def download_and_prepare(self):
            pass

        def as_dataset(self, split):
            import datasets

            assert split == "train"
            return datasets.Dataset.from_dict({"id": ["0", "1"], "document": ["굿", "별로"]})

    monkeypatch.setattr("okt_lstm.data.unlabeled.NSMC", Reviews)
    texts = open_unlabeled("nsmc")
    assert list(texts) == ["굿", "별로"]
    assert texts.name == "NSMC's raw reviews"
    assert list(open_unlabeled("nsmc", limit=1)) == ["굿"]


def test_a_failed_download_of_raw_reviews_advises_unlabeled_and_not_data_dir(monkeypatch):
    class Unreachable:
        def __init__(self, config):
            pass

        def download_and_prepare(self):
            raise DataError("Name a folder with --data_dir.") from OSError("no network")

    monkeypatch.setattr("okt_lstm.data.unlabeled.NSMC", Unreachable)
    with pytest.raises(DataError, match=r"not be downloaded \(no network\)\..*--unlabeled FILE") as error:
        open_unlabeled("nsmc")
    assert "--data_dir" not in str(error.value)


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])
def test_compressed_texts_are_predicted_too(tmp_path, capsys, suffix):
    folder = save_tiny(tmp_path / "model")
    labels = []
    for ending in ("", suffix):
        path = tmp_path / f"t.txt{ending}"
        path.write_bytes(COMPRESSORS[ending](lines(*TEXTS)))
        assert main(["predict", "--model", str(folder), "--input", str(path), "--output", str(tmp_path / "o.txt")]) == 0
        labels.append((tmp_path / "o.txt").read_text())
    assert labels[0] == labels[1]
    assert len(labels[0].splitlines()) == len(TEXTS)
