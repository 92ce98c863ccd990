"""Arrow and xlsx files are tables for every command; a saved data set keeps its splits and classes."""

import zipfile

import datasets
import openpyxl
import pyarrow as pa
import pytest

from okt_lstm.atomic import FileError
from okt_lstm.data.options import DataOptions
from okt_lstm.data.splits import load_splits
from okt_lstm.data.unlabeled import open_unlabeled
from oktane.readers import open_reader
from oktane.row_reader import ReadOptions

ROWS = [{"text": f"글 {number}", "label": number % 2} for number in range(10)]


@pytest.mark.parametrize("kind", ["file", "stream"])
def test_arrow_files_are_read(tmp_path, kind):
    table = pa.Table.from_pylist(ROWS)
    make = pa.ipc.new_file if kind == "file" else pa.ipc.new_stream
    with make(str(tmp_path / "a.arrow"), table.schema) as writer:
        writer.write_table(table, max_chunksize=3)
    with open_reader(tmp_path / "a.arrow") as reader:
        assert list(reader) == ROWS
        assert reader.location == f"{tmp_path / 'a.arrow'}, row 10"
    (tmp_path / "b.arrow").write_bytes(b"no")
    with pytest.raises(FileError, match="not an Arrow file"):
        open_reader(tmp_path / "b.arrow")


@pytest.fixture
def book(tmp_path):
    book = openpyxl.Workbook()
    for cells in (["리뷰", "별점", None], ["좋다", 1.0, None], [None, 0], [], [10, True]):
        book.active.append(cells)
    other = book.create_sheet("둘째 장")
    other.append(["text"])
    other.append(["가\n나"])
    path = tmp_path / "a.xlsx"
    book.save(path)
    return path


def test_xlsx_files_are_read_by_sheet(book):
    def read(**options):
        with open_reader(book, ReadOptions(**options)) as reader:
            return list(reader)

    rows = [{"리뷰": "좋다", "별점": "1"}, {"리뷰": "", "별점": "0"}, {"리뷰": "10", "별점": "true"}]
    assert read() == read(sheet="1") == rows
    assert read(sheet="둘째 장") == read(sheet="2") == [{"text": "가\n나"}]
    assert read(header=False, sheet="2") == [{"1": "text"}, {"1": "가\n나"}]
    with pytest.raises(FileError, match=r"no sheet '셋째' \(--sheet\); its sheets are Sheet, 둘째 장"):
        read(sheet="셋째")
    assert list(open_unlabeled(str(book))) == ["좋다", "10"]


def test_the_first_sheet_that_is_seen_is_read_and_said(book, caplog):
    workbook = openpyxl.load_workbook(book)
    workbook.worksheets[0].sheet_state = "hidden"
    workbook.active = 1
    workbook.save(book)
    with open_reader(book) as reader:
        assert list(reader) == [{"text": "가\n나"}]
    assert "the sheet '둘째 장' is read; --sheet names another of Sheet, 둘째 장" in caplog.text


def test_a_formula_without_its_result_is_named(tmp_path):
    book = openpyxl.Workbook()
    for cells in (["text", "label"], ["가", 1], ['=A2&"나"', 0]):
        book.active.append(cells)
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(FileError, match=r"row 3: the result of the formula .*; open it in Excel and save it"):
        open_reader(tmp_path / "a.xlsx")


HEADER = '<row><c t="inlineStr"><is><t>text</t></is></c></row>'
ENTITIES = "".join(f"<!ENTITY l{number} '{f'&l{number - 1};' * 10}'>" for number in range(1, 11))


@pytest.mark.parametrize(
    ("before", "rows", "says"),
    [
        ("", f'{HEADER}<row r="1000000000000"><c><v>1</v></c></row>', "numbers a row above 1,048,576"),
        ("", f'{HEADER}<row r="x"><c><v>1</v></c></row>', "damaged one"),
        ("", f'{HEADER}<row><c r="ZZZZZZZ1"><v>1</v></c></row>', "damaged one .*ZZZZZZZ"),
        ("", f'{HEADER}<row><c t="s"><v>77</v></c></row>', "damaged one"),
        ("", f"{HEADER}<row>", "damaged one"),
        (
            f"<!DOCTYPE a [<!ENTITY l0 'ha'>{ENTITIES}]>",
            '<row><c t="inlineStr"><is><t>&l10;</t></is></c></row>',
            "damaged one",
        ),
        (
            "",
            f'{HEADER}<row><c t="inlineStr"><is><t>{"a" * 20_000_000}',
            r"sheet1.xml has [\d,]+ bytes and would have 20,",
        ),
    ],
    ids=["a far row", "no row number", "no column", "no string", "cut off", "entities", "a zip bomb"],
)
def test_a_hostile_sheet_is_one_error_at_once(book, tmp_path, before, rows, says):
    path = tmp_path / "hostile.xlsx"
    with zipfile.ZipFile(book) as whole, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as hostile:
        for part in whole.namelist():
            content = whole.read(part)
            if part == "xl/worksheets/sheet1.xml":
                main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
                content = f'{before}<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'.encode()
            hostile.writestr(part, content)
    with pytest.raises(FileError, match=says) as error, open_reader(path) as reader:
        list(reader)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_saved_data_set_keeps_its_splits_and_classes(tmp_path):
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["나", "가"])})
    saved = datasets.Dataset.from_list(ROWS, features=features)
    saved.save_to_disk(tmp_path / "one")
    datasets.DatasetDict({"train": saved, "test": saved}).save_to_disk(tmp_path / "both")
    assert load_splits(DataOptions(str(tmp_path / "one"))).label_names == ("나", "가")
    assert load_splits(DataOptions(str(tmp_path / "both"), allow_odd_data=True)).description.rows == {
        "train": 9,
        "validation": 1,
        "test": 10,
    }
    with open_reader(tmp_path / "both" / "test") as reader:
        assert list(reader) == ROWS
    with pytest.raises(FileError, match="holds several splits; name one of"):
        open_reader(tmp_path / "both")


def test_folders_and_patterns_of_shards_are_one_data_set(tmp_path):
    for number in range(2):
        (tmp_path / f"part-0000{number}").write_text("text,label\n" + f"가,{number}\n" * 5)
    (tmp_path / "_SUCCESS").touch()
    for dataset in (tmp_path, tmp_path / "part-*"):
        splits = load_splits(DataOptions(str(dataset)))
        assert (splits.label_names, sum(splits.description.rows.values())) == (("0", "1"), 10)
    assert len(list(open_unlabeled([str(tmp_path / "part-00001"), str(tmp_path / "part-00000")]))) == 10
