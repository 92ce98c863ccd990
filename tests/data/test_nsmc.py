"""The NSMC builder: rows exactly as the files hold them, checked downloads, and errors that name file and line."""

import hashlib
import http.server
import io
import json
import re
import tarfile
import threading
from pathlib import Path

import datasets
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okt_lstm.atomic import FileError
from okt_lstm.data import nsmc
from okt_lstm.data.description import git_blob_id
from okt_lstm.data.errors import DataError
from okt_lstm.data.nsmc import NSMC, RatingsFile, parse_ratings

HEADER = b"id\tdocument\tlabel\n"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Keep the user's cache of `datasets` out of the tests."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets.config, "DOWNLOADED_DATASETS_PATH", str(tmp_path / "cache" / "downloads"))


def parse(content: bytes) -> list[dict]:
    return [row for _, row in parse_ratings(io.BytesIO(content), "ratings.txt")]


def write_corpus(folder: Path, train: str = "1\t좋다\t1\n2\t나쁘다\t0\n", test: str = "3\t별로\t0\n") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ratings_train.txt").write_bytes(HEADER + train.encode())
    (folder / "ratings_test.txt").write_bytes(HEADER + test.encode())
    return folder


def prepare(builder: NSMC, split: str = "train") -> list[dict]:
    builder.download_and_prepare()
    return builder.as_dataset(split).to_list()


# Parsing

FIELDS = st.text(st.characters(exclude_characters="\t\n", exclude_categories=["Cs"]))


@given(st.lists(st.tuples(FIELDS, FIELDS, st.sampled_from([0, 1]))))
def test_any_text_without_tabs_and_line_ends_comes_back_as_it_was_written(rows):
    lines = "".join(f"{identifier}\t{document}\t{label}\n" for identifier, document, label in rows)
    parsed = parse(HEADER + lines.encode())
    assert [(row["id"], row["document"], row["label"]) for row in parsed] == rows


PIECES = [b"\t", b"\t1\n", b"\n", b"\r", b"0", b"1", "가".encode(), b"\xff"]


@given(st.lists(st.sampled_from(PIECES)).map(b"".join))
def test_any_bytes_are_either_parsed_or_refused_with_a_line_number(content):
    try:
        rows = parse(HEADER + content)
    except (DataError, FileError) as refusal:
        message = str(refusal)
        assert message.startswith("ratings.txt, line ")
    else:
        assert len(rows) == len(content.rstrip(b"\r\n").split(b"\n")) - (not content.strip(b"\r\n"))


def test_double_quotes_are_part_of_the_document():
    assert parse(HEADER + '1\t"""""명작"""\t1\n2\t"\t0\n'.encode()) == [
        {"id": "1", "document": '"""""명작"""', "label": 1},
        {"id": "2", "document": '"', "label": 0},
    ]


def test_an_empty_document_stays_an_empty_string():
    assert parse(HEADER + b"1\t\t1\n") == [{"id": "1", "document": "", "label": 1}]


def test_windows_line_ends_a_byte_order_mark_and_blank_last_lines_change_nothing():
    plain = HEADER + "1\t좋다\t1\n2\t\t0\n".encode()
    assert parse(b"\xef\xbb\xbf" + plain.replace(b"\n", b"\r\n") + b"\r\n\n") == parse(plain)


def test_unusual_line_separators_do_not_end_a_row():
    assert parse(HEADER + "1\t가\u2028나\x85다\x0b라\r마\t1".encode())[0]["document"] == "가\u2028나\x85다\x0b라\r마"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEADER + "1\t좋다\t1\n2\t나쁘다\n".encode(), "ratings.txt, line 3: 2 fields instead of 3"),
        (HEADER + b"1\ta\tb\t1\n", "ratings.txt, line 2: 4 fields instead of 3"),
        (HEADER + b"1\ta\t2\n", "ratings.txt, line 2: the label is '2', not 0 (negative) or 1 (positive)"),
        (HEADER + b"1\ta\t\n", "ratings.txt, line 2: the label is ''"),
        (HEADER + b"1\t\xc1\xc1\t1\n", "ratings.txt, line 2: byte 0xc1 (number 3 of the line) is not UTF-8"),
        (HEADER + b"1\ta\t1\n\n2\tb\t1\n", "ratings.txt, line 3: the line is blank, but more rows follow"),
        (b"1\ta\t1\n", "ratings.txt, line 1: found '1\\ta\\t1', not the header"),
        (b"", "ratings.txt: the file is empty"),
    ],
)
def test_a_malformed_row_is_an_error_with_file_and_line(content, message):
    with pytest.raises((DataError, FileError)) as error:
        parse(content)
    assert message in str(error.value)


def test_a_git_blob_id_is_gits(tmp_path):
    # The example of the book "Pro Git": echo 'test content' | git hash-object --stdin
    (tmp_path / "file").write_bytes(b"test content\n")
    assert git_blob_id(tmp_path / "file") == "d670460b4b4aece5915caf5c68d12f560a9fe3e4"


# Local folders


def test_a_folder_is_read_with_names_for_the_labels(tmp_path):
    builder = NSMC(data_dir=write_corpus(tmp_path / "data"))
    assert prepare(builder) == [
        {"id": "1", "document": "좋다", "label": 1},
        {"id": "2", "document": "나쁘다", "label": 0},
    ]
    assert builder.as_dataset("test").features["label"].names == ["negative", "positive"]


def test_korporas_layout_is_found_from_its_root(tmp_path):
    write_corpus(tmp_path / "Korpora" / "nsmc")
    assert prepare(NSMC(data_dir=tmp_path / "Korpora")) == prepare(NSMC(data_dir=tmp_path / "Korpora" / "nsmc"))


def test_a_home_folder_is_understood(tmp_path, monkeypatch):
    write_corpus(tmp_path / "Korpora" / "nsmc")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(prepare(NSMC(data_dir="~/Korpora"))) == 2


def test_streaming_gives_the_same_rows_again_and_again(tmp_path):
    builder = NSMC(data_dir=write_corpus(tmp_path / "data"))
    stream = builder.as_streaming_dataset("train")
    assert list(stream) == list(stream) == prepare(builder)


def test_a_changed_file_is_read_anew_and_an_equal_copy_is_not(tmp_path):
    first = NSMC(data_dir=write_corpus(tmp_path / "data"))
    assert len(prepare(first)) == 2
    copy = NSMC(data_dir=write_corpus(tmp_path / "copy"))
    assert copy.cache_dir == first.cache_dir
    write_corpus(tmp_path / "data", train="1\t다르다\t0\n")
    assert prepare(NSMC(data_dir=tmp_path / "data")) == [{"id": "1", "document": "다르다", "label": 0}]


def test_a_missing_file_is_named_with_its_folder(tmp_path):
    folder = write_corpus(tmp_path / "data")
    (folder / "ratings_train.txt").unlink()
    with pytest.raises(DataError, match=rf"No ratings_train.txt in the folder '{folder}'"):
        NSMC(data_dir=folder)
    with pytest.raises(DataError, match="is not a folder"):
        NSMC(data_dir=tmp_path / "nowhere")


def test_other_files_than_the_official_ones_are_accepted_with_a_warning(tmp_path, caplog):
    datasets.logging.enable_propagation()
    try:
        prepare(NSMC(data_dir=write_corpus(tmp_path / "data")))
    finally:
        datasets.logging.disable_propagation()
    assert "ratings_train.txt is not NSMC's official ratings_train.txt" in caplog.text
    assert git_blob_id(tmp_path / "data" / "ratings_train.txt") in caplog.text


def test_an_error_while_preparing_arrives_as_itself_and_leaves_nothing(tmp_path):
    builder = NSMC(data_dir=write_corpus(tmp_path / "data", train="1\t좋다\t1\n2\t나쁘다\t3\n"))
    with pytest.raises(DataError, match=r"ratings_train.txt, line 3: the label is '3'"):
        builder.download_and_prepare()
    assert not list((tmp_path / "cache").rglob("*.arrow"))
    with pytest.raises(DataError, match="line 3"):
        list(builder.as_streaming_dataset("train"))


# The sample


def test_the_sample_needs_nothing_and_is_balanced():
    builder = NSMC("sample")
    builder.download_and_prepare()
    dataset = builder.as_dataset()
    assert {split: len(rows) for split, rows in dataset.items()} == {"train": 800, "test": 200}
    assert all(sum(rows["label"]) == len(rows) // 2 for rows in dataset.values())


def test_the_sample_takes_no_data_dir(tmp_path):
    with pytest.raises(DataError, match="takes no data_dir"):
        NSMC("sample", data_dir=tmp_path)


def test_an_unknown_configuration_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"nsmc.*raw.*sample"):
        NSMC("smaple")


# Downloads, from a server on loopback that stands in for GitHub


@pytest.fixture
def server(monkeypatch):
    """A server whose `files` (path to bytes) can be changed; NSMC's addresses point to it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            content = instance.files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"") + instance.withheld))
            self.send_header("ETag", hashlib.sha1(content or b"").hexdigest())
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content or b"")

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *args):
            pass

    instance = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    instance.files = {}
    instance.withheld = 0  # how many promised bytes never come
    threading.Thread(target=instance.serve_forever, daemon=True).start()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(nsmc, "_ADDRESS", f"http://127.0.0.1:{instance.server_port}/")
    monkeypatch.setattr(nsmc, "_ARCHIVE_ADDRESS", f"http://127.0.0.1:{instance.server_port}/master.tar.gz")
    yield instance
    instance.shutdown()
    instance.server_close()


@pytest.fixture
def published(server, tmp_path, monkeypatch):
    """The server offers two files, and they are the official ones."""
    folder = write_corpus(tmp_path / "github")
    official = {}
    for split in ("train", "test"):
        path = folder / f"ratings_{split}.txt"
        server.files[f"/{path.name}"] = path.read_bytes()
        official[split] = RatingsFile(path.name, path.stat().st_size, git_blob_id(path))
    monkeypatch.setattr(nsmc, "OFFICIAL_FILES", official)
    return server


def test_official_files_are_downloaded_once(published):
    assert len(prepare(NSMC())) == 2
    published.files.clear()
    assert len(prepare(NSMC())) == 2


def test_official_files_are_streamed(published, tmp_path):
    assert [row["id"] for row in NSMC().as_streaming_dataset("train")] == ["1", "2"]
    assert not (tmp_path / "cache" / "downloads").exists()


def test_a_changed_download_is_refused_and_not_kept(published, tmp_path):
    right = published.files["/ratings_train.txt"]
    published.files["/ratings_train.txt"] = right.replace("좋다".encode(), "싫다".encode())
    with pytest.raises(DataError, match=r"not the official ratings_train.txt: its git blob id is [0-9a-f]{40}"):
        NSMC().download_and_prepare()
    assert not list((tmp_path / "cache").rglob("*.arrow"))
    with pytest.raises(DataError, match="is not the official"):
        list(NSMC().as_streaming_dataset("train"))
    published.files["/ratings_train.txt"] = right
    assert len(prepare(NSMC())) == 2


def test_a_download_that_breaks_off_leaves_nothing_that_a_second_attempt_would_use(published):
    published.withheld = 5
    with pytest.raises(DataError, match="could not be downloaded"):
        NSMC().download_and_prepare()
    published.withheld = 0
    assert len(prepare(NSMC())) == 2


@pytest.mark.parametrize("config", ["nsmc", "raw"])
def test_without_a_network_the_error_names_the_ways_out(server, config):
    for attempt in (NSMC(config).download_and_prepare, lambda: list(NSMC(config).as_streaming_dataset("train"))):
        with pytest.raises(DataError) as error:
            attempt()
        assert "--dataset sample" in str(error.value)
        assert "--data_dir" in str(error.value)
        assert f"http://127.0.0.1:{server.server_port}/" in str(error.value)


# Raw reviews


def raw_review(identifier: int, text: str) -> dict[str, str]:
    return {"review_id": str(identifier), "review": text, "rating": "10", "movie_id": "1", "date": "15.08.25"}


@pytest.fixture
def repository(tmp_path):
    """A copy of the corpus's repository: review 3 is in the test set, 5 is blank."""
    folder = write_corpus(tmp_path / "nsmc-master")
    (folder / "raw").mkdir()
    films = {"10.json": [raw_review(7, "둘째  영화\n줄"), raw_review(3, "별로")], "1.json": [raw_review(5, " ")]}
    films["1.json"].append(raw_review(9, '"첫째"'))
    for name, reviews in films.items():
        (folder / "raw" / name).write_text(json.dumps(reviews, ensure_ascii=False), encoding="utf-8")
    return folder


RAW_ROWS = [{"id": "9", "document": '"첫째"'}, {"id": "7", "document": "둘째 영화 줄"}]


def archive(repository: Path) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for path in sorted(repository.rglob("*"), key=lambda path: path.relative_to(repository).as_posix()):
            tar.add(path, arcname=f"nsmc-master/{path.relative_to(repository).as_posix()}", recursive=False)
    return content.getvalue()


def test_raw_reviews_come_from_a_folder_without_the_test_set_and_blank_ones(repository):
    builder = NSMC("raw", data_dir=repository)
    assert prepare(builder) == RAW_ROWS
    assert list(builder.as_streaming_dataset("train")) == RAW_ROWS
    assert prepare(NSMC("raw", data_dir=repository / "raw")) == RAW_ROWS


def test_another_test_set_leaves_out_other_raw_reviews(repository):
    assert prepare(NSMC("raw", data_dir=repository)) == RAW_ROWS
    write_corpus(repository, test="9\t\t1\n11\t\t1\n")
    assert [row["id"] for row in prepare(NSMC("raw", data_dir=repository))] == ["7", "3"]


def test_raw_reviews_come_from_the_repositorys_archive(repository, server, tmp_path):
    server.files["/master.tar.gz"] = archive(repository)
    assert prepare(NSMC("raw")) == list(NSMC("raw").as_streaming_dataset("train")) == RAW_ROWS
    (tmp_path / "copy.tar.gz").write_bytes(server.files["/master.tar.gz"])
    assert prepare(NSMC("raw", data_dir=tmp_path / "copy.tar.gz")) == RAW_ROWS


def test_raw_reviews_in_a_folder_without_the_test_set_need_it_from_the_network(repository, published):
    (repository / "ratings_test.txt").unlink()
    assert prepare(NSMC("raw", data_dir=repository)) == RAW_ROWS


def test_raw_reviews_are_not_read_while_the_test_set_is_unknown(repository, server):
    (repository / "ratings_test.txt").unlink()
    with pytest.raises(DataError, match="could not be downloaded"):
        prepare(NSMC("raw", data_dir=repository))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("raw/1.json", b"{", "1.json: not a JSON file"),
        ("raw/1.json", b"{}", "1.json: expected a list of reviews, found a JSON dict"),
        ("raw/1.json", b'[{"review": 5}]', "1.json, review 1: the field 'review_id' is missing or not a string"),
        ("raw/1.json", b"\xc1", "1.json: not a JSON file"),
    ],
)
def test_malformed_raw_reviews_are_an_error_with_file_and_position(repository, name, content, message):
    (repository / name).write_bytes(content)
    with pytest.raises(DataError) as error:
        prepare(NSMC("raw", data_dir=repository))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("broken.tar.gz", b"\x1f\x8bnonsense", "broken.tar.gz could not be read"),
        ("broken.zip", b"PK\x03\x04nonsense", "broken.zip could not be read"),
        ("reviews.txt", b"", "expected an archive .* --unlabeled"),
    ],
)
def test_a_file_of_raw_reviews_that_cannot_be_read_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as error:
        prepare(NSMC("raw", data_dir=tmp_path / name))
    assert re.search(message, str(error.value))


def test_an_archive_with_its_test_set_in_the_wrong_place_is_refused(repository, tmp_path):
    with tarfile.open(tmp_path / "other.tar", "w") as tar:
        tar.add(repository / "raw", arcname="nsmc/raw")
        tar.add(repository / "ratings_test.txt", arcname="nsmc/ratings_test.txt")
    with pytest.raises(DataError, match="must come before the raw reviews"):
        prepare(NSMC("raw", data_dir=tmp_path / "other.tar"))


# The real corpus


def test_the_official_test_set_is_read_whole(nsmc_dir):
    if git_blob_id(nsmc_dir / "ratings_test.txt") != nsmc.OFFICIAL_FILES["test"].blob_id:
        pytest.skip("OKT_LSTM_NSMC holds another ratings_test.txt than the official one")
    rows = list(NSMC(data_dir=nsmc_dir).as_streaming_dataset("test"))
    assert len(rows) == 50_000
    assert sum(row["label"] for row in rows) == 25_173
    assert [row["id"] for row in rows if row["document"] == ""] == ["402110", "5026896", "511097"]
    assert rows[0] == {"id": "6270596", "document": "굳 ㅋ", "label": 1}
