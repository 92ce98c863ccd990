"""Tables are read as offices make them: in their encodings, with their separators, headers, blanks and shards."""

import gzip
import io
import json
import logging
import zipfile

import pytest

from oktane import encodings
from oktane.columns import choose_text_column, find_usual, refuse_table
from oktane.lines import FileError, read_blocks
from oktane.readers import open_reader, text_of
from oktane.row_reader import ReadOptions
from oktane.text_readers import find_separator
from oktane.writers import open_writer, output_format

ROWS = [{"리뷰": "배송이 빨라요, 정말", "분류": "긍정"}, {"리뷰": '줄\n바꿈 "인용"', "분류": "부정"}]
CSV = '리뷰,분류\n"배송이 빨라요, 정말",긍정\n"줄\n바꿈 ""인용""",부정\n'


@pytest.fixture(autouse=True)
def said(monkeypatch, caplog):
    """What was said about the files."""
    monkeypatch.setattr(encodings, "_said", set())
    caplog.set_level(logging.WARNING, "oktane")
    return lambda: [record.getMessage() for record in caplog.records]


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def read(source, **options):
    with open_reader(source, ReadOptions(**options)) as reader:
        return list(reader)


# Encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp949"])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_the_encoding_is_detected_and_said_if_it_is_not_utf8(write, said, encoding, compress):
    suffix = "" if compress is bytes else ".gz"
    path = write(f"a.csv{suffix}", compress(CSV.replace("\n", "\r\n").encode(encoding)))
    expected = [row | {"리뷰": row["리뷰"].replace("\n", "\r\n")} for row in ROWS]
    assert read(path) == read(path) == expected
    messages = said()
    assert len(messages) == (0 if encoding.startswith("utf-8") else 1)
    if encoding == "cp949":
        # The guess can be checked by eye.
        assert "is read as CP949 (line 1: '리뷰,분류')" in messages[0]
        assert "--encoding" in messages[0]


def test_cp949_is_found_after_any_number_of_lines_of_ascii(write):
    rows = [{"text": f"review {number}"} for number in range(20_000)] + [{"text": "늦게 나온 한글"}]
    path = write("a.csv", "\n".join(["text", *(row["text"] for row in rows)]).encode("cp949"))
    assert read(path) == rows


def test_a_named_encoding_decides(write, said):
    path = write("a.csv", "text\ncafé\n".encode("latin-1"))
    assert read(path, encoding="latin-1") == [{"text": "café"}]
    assert read(write("b.csv", CSV.encode("johab")), encoding="johab") == ROWS
    assert read(write("c.csv", CSV.encode("utf-16-le")), encoding="utf-16-le") == ROWS
    assert said() == []
    with pytest.raises(FileError, match="--encoding cp94: no such encoding"):
        read(path, encoding="cp94")
    with pytest.raises(FileError, match=r"line 1: byte 0x.* is not UTF-8"):
        read(write("d.csv", CSV.encode("cp949")), encoding="utf-8")


@pytest.mark.parametrize("encoding", ["latin-1", "shift_jis", "gb18030", "johab"])
def test_other_encodings_are_refused_not_read_as_cp949(write, encoding):
    text = {"latin-1": "Größe, très bien", "shift_jis": "とても良い映画です", "gb18030": "这部电影非常好看"}
    content = f"text\n{text.get(encoding, '아주 재미있는 영화입니다')}\n".encode(encoding)
    with pytest.raises(FileError, match=r"line 2: .*--encoding"):
        read(write("a.csv", content))


def test_what_may_be_either_is_said_with_both_readings(write, said):
    path = write("a.csv", "text\n첨\n".encode("cp949"))
    assert path.read_bytes().decode("utf-8")
    read(path)
    assert "may be CP949 ('첨'); if so, add --encoding cp949" in said()[0]
    assert read(path, encoding="cp949") == [{"text": "첨"}]


@pytest.mark.parametrize("encoding", ["cp949", "utf-8"])
@pytest.mark.parametrize("is_windows", [False, True])
def test_korean_that_a_program_took_for_latin_1_is_refused(write, encoding, is_windows):
    mistaken = "".join(
        chr(byte) if not is_windows else bytes([byte]).decode("cp1252", "ignore") or chr(byte)
        for byte in "배송이 정말 빨라요".encode(encoding)
    )
    path = write("a.txt", f"{mistaken}\n")
    with pytest.raises(
        FileError, match=f"was '배송이 정말 빨라요' before some program read {encoding.upper()} as Latin-1"
    ):
        read(path)
    assert read(path, encoding="utf-8") == [{"text": mistaken}]
    assert read(write("b.txt", "Größe, très bien\n")) == [{"text": "Größe, très bien"}]


def test_a_line_of_another_encoding_is_named_on_either_side(write):
    lines = [f"좋다 {number}\n".encode("cp949") for number in range(20)]
    with pytest.raises(FileError, match=r"line 21: byte 0x.* is not CP949"):
        read(write("a.txt", b"".join(lines) + "나쁘다\n".encode()))


def test_a_damaged_line_of_utf8_is_named_not_guessed(write):
    with pytest.raises(FileError, match=r"a\.csv, line 3: byte 0x.* is not UTF-8"):
        read(write("a.csv", "text\n좋다\n".encode() + "나쁘다\n".encode("cp949")))


def test_excels_unicode_text_is_a_table_with_quotes(write, said):
    content = '리뷰\t분류\r\n"배송이\t빨라요"\t긍정\r\n'.encode("utf-16")
    assert read(write("통합 문서1.txt", content)) == [{"리뷰": "배송이\t빨라요", "분류": "긍정"}]
    assert any("separated by tabs" in message for message in said())
    # Lines of text in the same encoding stay lines.
    assert read(write("b.txt", "좋다\n\n별로\n".encode("utf-16"))) == [{"text": "좋다"}, {"text": ""}, {"text": "별로"}]


# Separators, fields and headers


@pytest.mark.parametrize(("separator", "name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")])
def test_separators_are_detected_and_said(write, said, separator, name):
    rows = [["리뷰", "분류"], ["좋다, 참; 정말|\t", "긍정"], ["별로", "부정"]]
    quoted = "".join(f'"{text}"{separator}"{label}"\n' for text, label in rows)
    assert read(write("a.csv", quoted)) == [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert f"separated by {name}" in said()[0]


@pytest.mark.parametrize(
    ("lines", "separator"),
    [
        (["text,label;x"], ","),
        (["text", "가;나", "다;라"], ","),
        (['text,"a;b"', "가,나"], ","),
        (["text;label", "가, 나;1", "다, 라, 마;0"], ";"),
        (["text;label", '"줄', '바꿈";1'], ";"),
        (["text|label|", "가|1|"], "|"),
    ],
)
def test_a_comma_separates_unless_another_separator_does_better(lines, separator):
    assert find_separator([f"{line}\n" for line in lines]) == separator


def test_excels_own_line_names_the_separator(write):
    assert read(write("a.csv", "sep=;\ntext;label\n가;1\n")) == [{"text": "가", "label": "1"}]


def test_fields_may_have_any_length(write):
    text = "가 " * 100_000
    assert read(write("a.csv", f"text\n{text}\n")) == [{"text": text}]
    assert read(write("b.csv", f'text,label\n"{text}",1\n')) == [{"text": text, "label": "1"}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "리뷰:분류\n좋다:긍정\n", "':' seems to separate the columns"),
        ("a.csv", "리뷰^분류\n좋다^긍정\n", "'\\^' seems to separate the columns"),
        ("a.csv", "리뷰   분류\n좋다   긍정\n", "'   ' seems to separate the columns"),
        ("a.tsv", '"리뷰"\t"분류"\n"좋다"\t"긍정"\n', "in quotes.*--input_format csv"),
    ],
)
def test_separators_and_quotes_that_are_not_read_are_refused(write, name, content, message):
    with open_reader(write(name, content)) as reader, pytest.raises(FileError, match=message):
        refuse_table(reader, "")


@pytest.mark.parametrize("content", ["text,label,,\n좋다,1,,\n", "text,label\n좋다,1,\n", "text,label,,\n좋다,1\n"])
@pytest.mark.parametrize("separator", [",", "\t"])
def test_blank_columns_at_the_end_are_none(write, content, separator):
    path = write("a.csv" if separator == "," else "a.tsv", content.replace(",", separator))
    assert read(path) == [{"text": "좋다", "label": "1"}]


def test_a_value_without_a_column_is_an_error(write):
    with pytest.raises(FileError, match="line 3: 4 fields, but the header names 2 columns"):
        read(write("a.csv", "text,label,,\n좋다,1,,\n별로,0,,x\n"))


def test_a_column_without_a_name_is_called_by_its_number(write):
    assert read(write("a.csv", ",text,,label\n0,좋다,x,1\n")) == [{"1": "0", "text": "좋다", "3": "x", "label": "1"}]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_without_a_header_columns_have_numbers(write, name):
    content = "좋다,1\n별로,0\n".replace(",", "\t" if name.endswith("tsv") else ",")
    assert read(write(name, content), header=False) == [{"1": "좋다", "2": "1"}, {"1": "별로", "2": "0"}]


def test_an_open_quote_is_named_where_it_opens(write):
    with pytest.raises(FileError, match="line 3: not valid csv"):
        read(write("a.csv", 'text,label\n가,1\n"나,1\n' + "다,1\n" * 100))


def test_places_are_lines_as_an_editor_counts_them(write):
    with open_reader(write("a.csv", 'text\n"줄\n바꿈"\n\n끝\n')) as reader:
        assert [reader.location.rsplit(", ")[-1] for _ in reader] == ["line 2", "line 5"]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt"])
def test_lines_may_end_with_carriage_returns_alone(write, name):
    separator = "\t" if name == "a.tsv" else ","
    content = f"text{separator}label\r좋다{separator}1\r별로{separator}0\r"
    expected = [{"text": "좋다", "label": "1"}, {"text": "별로", "label": "0"}]
    if name == "a.txt":
        expected = [{"text": "text,label"}, {"text": "좋다,1"}, {"text": "별로,0"}]
    assert read(write(name, content)) == expected
    assert read(write(f"{name}.gz", gzip.compress(content.encode("cp949")))) == expected
    assert [text for block in read_blocks([write("b.txt", "좋다\r별로\r")]) for text in block] == ["좋다", "별로"]


def test_a_carriage_return_in_a_field_without_quotes_is_named(write):
    with pytest.raises(FileError, match=r"line 3: not valid csv .*carriage return has to be in double quotes"):
        read(write("a.csv", "text,label\n가,1\n나\r다,1\n"))


def test_blanks_before_quotes_are_no_text(write):
    assert read(write("a.csv", 'text, label\n"가, 나", "긍정"\n"다", "부정"\n')) == [
        {"text": "가, 나", "label": "긍정"},
        {"text": "다", "label": "부정"},
    ]
    # Quotes that are in the text itself.
    assert read(write("b.csv", 'id,text\n1,"  ""가"" 나"\n2, 다\n')) == [
        {"id": "1", "text": '  "가" 나'},
        {"id": "2", "text": " 다"},
    ]


def test_byte_order_marks_are_in_no_name(write):
    assert read(write("a.csv", "\ufeff\ufefftext,label\n가,1\n")) == [{"text": "가", "label": "1"}]


# Compressed files, and files under the name of another format


def zipped(*files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files:
            archive.writestr(name, content)
    return stream.getvalue()


def test_a_zip_archive_of_one_file_is_read(write, tmp_path):
    content = zipped(("__MACOSX/._리뷰.csv", b"x"), ("folder/", b""), ("folder/리뷰.csv", CSV.encode("cp949")))
    assert read(write("a.zip", content)) == read(write("a.csv.zip", content)) == ROWS
    with pytest.raises(FileError, match=r"has to hold one file, but this one holds a\.csv, b\.csv; unzip it"):
        read(write("b.zip", zipped(("a.csv", b""), ("b.csv", b""))))
    with pytest.raises(FileError, match="can't be decompressed"):
        read(write("c.csv.zip", CSV))
    with pytest.raises(FileError, match=r"\.zip files can be read, not written; write to a\.csv\.gz"):
        output_format(tmp_path / "a.csv.zip")


def test_zst_files_are_read(write):
    pyarrow = pytest.importorskip("pyarrow")
    content = pyarrow.compress(CSV.encode(), codec="zstd", asbytes=True)
    assert read(write("a.csv.zst", content)) == ROWS
    with pytest.raises(FileError, match="can't be decompressed"):
        read(write("b.csv.zst", content[:-8]))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", gzip.compress(CSV.encode()), r"rename it so that it ends in \.gz"),
        ("a.txt", zipped(("xl/workbook.xml", b"")), r"rename it so that it ends in \.xlsx"),
        ("a.tsv", b"PAR1\x15\x04", r"rename it so that it ends in \.parquet"),
        ("a.csv", '{"text": "가", "label": 1}\n', r"holds JSON; rename it to \.jsonl"),
        ("a.txt", '[{"text": "가"}]', "holds JSON"),
        ("a.csv", "<html><table><tr><td>리뷰</td></tr></table>", "holds a web page"),
        ("a.xls", CSV, r"old Excel files can't be read; save it as \.xlsx or \.csv"),
    ],
)
def test_what_has_the_content_of_another_format_is_named(write, name, content, message):
    with pytest.raises(FileError, match=message):
        read(write(name, content))


# JSON


@pytest.mark.parametrize("indent", [None, 2])
def test_json_holds_an_array_or_columns_or_lines(write, indent):
    array = json.dumps(ROWS, ensure_ascii=False, indent=indent)
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    indexed = {name: {str(index): value for index, value in enumerate(column)} for name, column in columns.items()}
    for value in (array, *(json.dumps(value, ensure_ascii=False, indent=indent) for value in (columns, indexed))):
        assert read(write("a.json", value)) == ROWS
    assert read(write("b.json", "".join(f"{json.dumps(row)}\n" for row in ROWS))) == ROWS
    assert read(write("c.jsonl", array)) == ROWS
    with pytest.raises(FileError, match="is one object; a table is an array"):
        read(write("d.json", json.dumps({"rows": 3, "text": "가"}, indent=2)))


def test_columns_of_json_are_those_of_the_first_rows(write):
    path = write("a.jsonl", '{"id": 1}\n{"id": 2, "text": "가"}\n{"text": "나", "id": 3}\n')
    with open_reader(path) as reader:
        assert reader.columns == ["id", "text"]
        assert [(reader.location[-6:], text_of(row, "text", reader)) for row in reader] == [
            ("line 1", None),
            ("line 2", "가"),
            ("line 3", "나"),
        ]
    other = write("b.jsonl", '{"text": NaN, "x": 1}\n')
    with open_reader([path, other]) as reader:
        assert [text_of(row, "text", reader) for row in reader] == [None, "가", "나", None]


def test_json_can_be_written(tmp_path):
    for rows in (ROWS, []):
        with open_writer(tmp_path / "a.json", ["리뷰", "분류"]) as writer:
            for row in rows:
                writer.write([row])
        assert json.loads((tmp_path / "a.json").read_text()) == rows


# Several files


def test_files_folders_and_patterns_are_one_table(write, tmp_path):
    first = write("d/part-1.csv", "text,label\n가,1\n")
    second = write("d/part-2.csv", "text,label\n나,0\n".encode("cp949"))
    write("d/_SUCCESS", "")
    write("d/.part-1.csv.crc", "x")
    write("d/README.md", "x")
    rows = [{"text": "가", "label": "1"}, {"text": "나", "label": "0"}]
    for source in ([first, second], tmp_path / "d", str(tmp_path / "d" / "part-*.csv"), [tmp_path / "d"]):
        assert read(source) == rows
    assert read([second, first]) == rows[::-1]
    with open_reader(tmp_path / "d") as reader:
        assert [reader.location for _ in reader] == [f"{first}, line 2", f"{second}, line 2"]
        assert reader.position == reader.size
    with pytest.raises(FileError, match="no file matches"):
        read(str(tmp_path / "*.tsv"))


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("좋다\n별로\n", [{"text": "좋다"}, {"text": "별로"}]),
        ('{"body": "좋다"}\n', [{"body": "좋다"}]),
        ("본문,라벨\n좋다,1\n", [{"본문": "좋다", "라벨": "1"}]),
    ],
)
def test_sparks_shards_have_the_format_of_their_content(write, tmp_path, content, rows):
    write("out/part-00000", content)
    write("out/part-00001", content)
    write("out/_SUCCESS", "")
    assert read(tmp_path / "out") == rows * 2


def test_shards_without_a_byte_have_no_rows(write, tmp_path):
    write("out/part-00000", "")
    write("out/part-00001", "본문,라벨\n좋다,1\n")
    write("out/part-00002", "")
    assert read(tmp_path / "out") == [{"본문": "좋다", "라벨": "1"}]


def test_shards_with_other_columns_are_refused(write):
    with pytest.raises(FileError, match=r"b\.csv: has the columns x, but .*a\.csv has text"):
        read([write("a.csv", "text\n가\n"), write("b.csv", "x\n가\n")])


# Columns


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        *((["번호", name, "평점"], name) for name in ["상품평", "후기", "댓글", "텍스트", "감상평", "리뷰내용"]),
        (["id", "리뷰 내용", "별점"], "리뷰 내용"),
        (["id", "body", "label"], "body"),
        (["id", "Message", "label"], "Message"),
        (["id", "review_text", "label"], "review_text"),
        (["id", "reviewText", "label"], "reviewText"),
        (["번호", "고객리뷰", "평점"], "고객리뷰"),
        (["번호", "상품평", "평점"], "상품평"),
        (["id", "context", "label"], None),
        (["리뷰번호", "날짜"], None),
        (["고객의견", "구매자의견"], None),
    ],
)
def test_usual_columns_are_guessed(write, said, columns, text):
    path = write("a.csv", f"{','.join(columns)}\n{',' * (len(columns) - 1)}\n")
    with open_reader(path) as reader:
        if text is None:
            with pytest.raises(FileError, match=r"which column holds the texts.*--unlabeled_column"):
                choose_text_column(reader, flag="--unlabeled_column")
        else:
            assert choose_text_column(reader) == text
            assert f"texts are read from the column {text!r}" in said()[-1]


def test_a_given_column_may_differ_in_blanks_case_and_composition(write):
    with open_reader(write("a.csv", "id, 리뷰 ,Label\n")) as reader:
        assert choose_text_column(reader, "리뷰") == " 리뷰 "
        with pytest.raises(FileError, match=r"no column '평'; .*--text_column"):
            choose_text_column(reader, "평")
    assert find_usual(["리뷰"], ["리뷰"]) == "리뷰"


@pytest.mark.parametrize(
    ("name", "content"), [("a.txt", "a\tb\n"), ("a.txt", "리뷰;분류\n좋다;긍정\n"), ("a.tsv", "text,label\n좋다,1\n")]
)
def test_a_table_under_the_name_of_another_format_is_refused(write, name, content):
    with open_reader(write(name, content)) as reader, pytest.raises(FileError, match=r"rename|--input_format"):
        refuse_table(reader, "rename it")


def test_a_first_line_that_may_be_a_text_is_said(write, said):
    with open_reader(write("a.csv", "정말 재미있어요\n별로예요\n")) as reader:
        choose_text_column(reader)
    assert "the first line, '정말 재미있어요', names the column; if it is a text, add --header none" in said()[0]


# Writing


def test_an_output_encoding_is_used_or_refused(tmp_path):
    for encoding in ("utf-8-sig", "cp949", "utf-16"):
        with open_writer(tmp_path / "a.csv", ["text"], encoding=encoding) as writer:
            writer.write([{"text": "가"}])
            writer.write([{"text": "나"}])
        assert (tmp_path / "a.csv").read_bytes() == "text\n가\n나\n".encode(encoding)
    with (
        pytest.raises(FileError, match=r"'😡' does not exist in"),
        open_writer(tmp_path / "b.csv", ["text"], encoding="cp949") as writer,
    ):
        writer.write([{"text": "😡"}])
    with (
        pytest.raises(FileError, match="--output_encoding goes with"),
        open_writer(tmp_path / "b.jsonl", ["text"], encoding="cp949"),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize("name", ["a.txt", "a.tsv", "a.csv", "a.jsonl", "a.json", "a.txt.gz", "a.csv.gz"])
def test_a_line_that_would_fill_the_memory_is_refused_by_its_number(tmp_path, monkeypatch, name):
    monkeypatch.setattr("oktane.lines.LONGEST_LINE", 1000)
    content = b"text\n" + b'{"text": "a"}\n' * 5 + b"a" * 100_000
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    with (
        pytest.raises(FileError, match=rf"{name}, line 7: has more than 0 MB"),
        open_reader(tmp_path / name, ReadOptions(input_format="txt")) as reader,
    ):
        list(reader)


def test_a_small_compressed_file_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("oktane.json_readers.MOST_DECOMPRESSED", 1000)
    rows = json.dumps([{"text": "a"}] * 1000, indent=1)
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(rows.encode()))
    (tmp_path / "a.json").write_text(rows)
    with pytest.raises(FileError, match=r"a\.json\.gz: has more than .* when it is decompressed"):
        open_reader(tmp_path / "a.json.gz")
    with open_reader(tmp_path / "a.json") as reader:
        assert len(list(reader)) == 1000


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_a_header_of_more_columns_than_a_table_has_is_refused_and_blank_ones_at_its_end_are_none(tmp_path, name):
    separator = "," if name == "a.csv" else "\t"
    (tmp_path / name).write_text(f"text,label{',' * 300_000}\n굿,1\n".replace(",", separator))
    with open_reader(tmp_path / name) as reader:
        assert reader.columns == ["text", "label"]
        assert list(reader) == [{"text": "굿", "label": "1"}]
    (tmp_path / name).write_text(separator * 1_000_001)
    with pytest.raises(FileError, match=r"first line has 1,000,002 fields; a table has 1,000,000 at most"):
        open_reader(tmp_path / name)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_a_header_of_a_hundred_thousand_columns_is_read_and_not_shown_whole(tmp_path, name):
    separator = "," if name == "a.csv" else "\t"
    columns = [f"c{number}" for number in range(100_000)]
    (tmp_path / name).write_text(f"{separator.join(columns)}\n{separator.join(columns)}\n")
    with open_reader(tmp_path / name) as reader:
        with pytest.raises(FileError, match="c19 and 99,980 more") as error:
            choose_text_column(reader)
        assert len(str(error.value)) < 1000
        assert len(list(reader)) == 1
