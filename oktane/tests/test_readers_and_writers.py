"""Tables are read as they were written, whatever texts they hold, and what can't be read is named with its line."""

import bz2
import gzip
import json
import lzma

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oktane.lines import FileError
from oktane.paths import file_format
from oktane.readers import open_reader
from oktane.row_reader import ReadOptions
from oktane.writers import open_writer

TABLES = ["tsv", "csv", "jsonl"]
ROWS = [{"id": "1", "text": '따옴표 "안" 쉼표,'}, {"id": "2", "text": ""}, {"id": "3", "text": "끝 😀"}]


def read(path, kind=None):
    with open_reader(path, ReadOptions(kind)) as reader:
        return list(reader)


def write(path, rows):
    with open_writer(path, list(rows[0])) as writer:
        writer.write(rows)
    return path


@pytest.mark.parametrize("kind", TABLES)
def test_rows_come_back_as_they_were_written(tmp_path, kind):
    assert read(write(tmp_path / f"rows.{kind}", ROWS)) == ROWS


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@given(texts=st.lists(st.text(st.characters(codec="utf-8"), max_size=20), min_size=1, max_size=5))
@settings(derandomize=True, suppress_health_check=list(HealthCheck), max_examples=60, deadline=None)
def test_any_text_survives_a_format_with_quoting(tmp_path, kind, texts):
    rows = [{"id": "1", "text": text} for text in texts]
    assert read(write(tmp_path / f"rows.{kind}", rows)) == rows


# A byte order mark at the beginning of a txt file is not part of its first text.
@given(
    texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\t\n\r\ufeff"), max_size=20), min_size=1)
)
@settings(derandomize=True, suppress_health_check=list(HealthCheck), max_examples=60, deadline=None)
def test_any_text_without_tabs_and_line_ends_survives_tsv_and_txt(tmp_path, texts):
    rows = [{"id": "1", "text": text} for text in texts]
    assert read(write(tmp_path / "rows.tsv", rows)) == rows
    assert [row["text"] for row in read(write(tmp_path / "rows.txt", [{"text": text} for text in texts]))] == texts


def test_tsv_and_txt_turn_tabs_and_line_ends_into_blanks(tmp_path):
    rows = [{"id": "1", "text": "가\t나\r\n다"}]
    assert read(write(tmp_path / "rows.tsv", rows)) == [{"id": "1", "text": "가 나  다"}]
    assert (write(tmp_path / "rows.txt", [{"text": "가\n나"}])).read_text() == "가 나\n"


def test_txt_is_cut_at_newlines_only(tmp_path):
    path = tmp_path / "rows.txt"
    path.write_bytes("\ufeff하나\r\n\n둘\u2028셋\x0b넷\x85\n다섯".encode())
    assert [row["text"] for row in read(path)] == ["하나", "", "둘\u2028셋\x0b넷\x85", "다섯"]


def test_quotes_in_tsv_are_characters(tmp_path):
    path = tmp_path / "nsmc.tsv"
    path.write_text('id\tdocument\n1\t"열린 따옴표\n2\t""\n')
    assert read(path) == [{"id": "1", "document": '"열린 따옴표'}, {"id": "2", "document": '""'}]


def test_the_format_can_be_named_where_the_suffix_misleads(tmp_path):
    path = tmp_path / "ratings_test.txt"
    path.write_text("id\tdocument\n1\t좋다\n")
    assert read(path, "tsv") == [{"id": "1", "document": "좋다"}]
    assert [row["text"] for row in read(path)] == ["id\tdocument", "1\t좋다"]


def test_blank_lines_of_a_table_are_skipped(tmp_path):
    for kind, text in (
        ("tsv", "a\tb\n\n1\t2\n\n"),
        ("csv", "a,b\n\n1,2\n\n"),
        ("jsonl", '\n{"a": "1", "b": "2"}\n \n'),
    ):
        path = tmp_path / f"rows.{kind}"
        path.write_text(text)
        assert read(path) == [{"a": "1", "b": "2"}], kind


def test_csv_writes_a_list_as_json_and_none_as_nothing(tmp_path):
    write(tmp_path / "rows.csv", [{"a": ["가", "나"], "b": None, "c": 1.5}])
    assert read(tmp_path / "rows.csv") == [{"a": '["가", "나"]', "b": "", "c": "1.5"}]


@pytest.mark.parametrize("kind", ["txt", *TABLES])
def test_a_file_without_rows_can_be_written_and_read(tmp_path, kind):
    path = tmp_path / f"rows.{kind}"
    with open_writer(path, ["text"]):
        pass
    assert read(path) == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "하나\n".encode() + "둘".encode("cp949"), "line 2: byte 0xb5 .*not UTF-8.*--encoding"),
        ("a.tsv", b"a\tb\n1\t2\n1\n", "line 3: 1 field, but the header names 2"),
        ("a.csv", b"a,b\n1,2\n1,2,3\n", "line 3: 3 fields, but the header names 2"),
        ("a.csv", b'a,b\n1,"2\n3,4\n', "line 2: not valid csv"),
        ("a.csv", b"", "is empty"),
        ("a.tsv", b"", "is empty"),
        ("a.csv", b"a,a\n", "names the column 'a' twice"),
        ("a.jsonl", b'{"a": 1}\n{"a": \n', "line 2: not valid JSON"),
        ("a.jsonl", b'{"a": 1}\n[1]\n', "line 2: a list, not an object"),
        ("a.jsonl", b"[1]\n", "row 1: a int, not an object"),
        ("a.jsonl", b'{"a": "\\ud83d"}\n', "line 1: holds half a surrogate pair"),
        ("a.docx", b"", "unknown file format"),
    ],
)
def test_what_cannot_be_read_is_an_error_with_its_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=message) as caught:
        read(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_escaped_surrogate_pairs_are_characters(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "\\ud83d\\ude00"}\n')
    assert read(path) == [{"text": "😀"}]


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(FileError, match="no such file"):
        open_reader(tmp_path / "none.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(FileError, match="is a folder without files of a known format"):
        open_reader(tmp_path / "folder.csv")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("old")
    with pytest.raises(FileError), open_writer(path, ["a"]) as writer:
        writer.write([{"a": "new"}, {"b": "bad"}])
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_of_an_unknown_format_is_not_written(tmp_path):
    with pytest.raises(FileError, match="unknown file format"), open_writer(tmp_path / "rows.doc", ["a"]):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_a_field_that_the_columns_lack_is_an_error_with_its_row(tmp_path, kind):
    with pytest.raises(FileError, match="row 3 has a field 'b'"), open_writer(tmp_path / f"a.{kind}", ["a"]) as writer:
        writer.write([{"a": "1"}, {"a": "2"}, {"a": "3", "b": "4"}])


def test_jsonl_rows_keep_their_own_fields(tmp_path):
    rows = [{"text": "a"}, {"text": "b", "more": {"x": [1, None]}}]
    write(tmp_path / "a.jsonl", rows)
    assert [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()] == rows


def test_the_suffix_tells_the_format_in_any_case():
    assert [file_format(name) for name in ("a.TXT", "b.Csv", "c.ndjson")] == ["txt", "csv", "jsonl"]


def test_the_position_reaches_the_size(tmp_path):
    for kind in TABLES:
        with open_reader(write(tmp_path / f"rows.{kind}", ROWS)) as reader:
            assert len(list(reader)) == 3
            assert reader.position == reader.size > 0


@pytest.mark.parametrize(
    ("suffix", "compress"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
def test_compressed_files_are_read_and_damage_is_named(tmp_path, suffix, compress):
    path = tmp_path / f"rows.csv{suffix}"
    content = compress(("text\n" + "영화가 재밌다\n" * 1000).encode())
    path.write_bytes(content)
    assert read(path) == [{"text": "영화가 재밌다"}] * 1000
    for damaged in (content[:-10], b"no" * 100):
        path.write_bytes(damaged)
        with pytest.raises(FileError, match=r"rows\.csv.*can't be decompressed"):
            read(path)
