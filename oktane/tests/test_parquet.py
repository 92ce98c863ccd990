import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oktane.lines import FileError
from oktane.readers import open_reader
from oktane.writers import open_writer


def read(path):
    with open_reader(path) as reader:
        return list(reader)


def write(path, rows, schema=None):
    with open_writer(path, list(rows[0]), schema) as writer:
        writer.write(rows)
    return path


@given(texts=st.lists(st.text(st.characters(codec="utf-8"), max_size=20), min_size=1, max_size=5))
@settings(derandomize=True, suppress_health_check=list(HealthCheck), max_examples=60, deadline=None)
def test_any_text_comes_back_as_it_was_written(tmp_path, texts):
    rows = [{"id": "1", "text": text} for text in texts]
    assert read(write(tmp_path / "rows.parquet", rows)) == rows


def test_parquet_keeps_types_and_takes_the_schema_of_known_columns(tmp_path):
    schema = pa.schema([("stars", pa.int8()), ("text", pa.string())])
    rows = [{"stars": 5, "text": "굿", "probability": 0.5, "label": ["a"]}]
    write(tmp_path / "rows.parquet", rows, schema=schema)
    written = pq.read_table(tmp_path / "rows.parquet")
    assert written.schema.field("stars").type == pa.int8()
    assert written.schema.field("probability").type == pa.float64()
    assert written.to_pylist() == rows


def test_a_file_without_rows_can_be_written_and_read(tmp_path):
    with open_writer(tmp_path / "rows.parquet", ["text"]):
        pass
    assert read(tmp_path / "rows.parquet") == []


def test_what_is_no_parquet_file_is_named(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"no")
    with pytest.raises(FileError, match=r"a\.parquet: not a parquet file"):
        read(tmp_path / "a.parquet")


def test_a_field_that_the_columns_lack_is_an_error_with_its_row(tmp_path):
    path = tmp_path / "a.parquet"
    with pytest.raises(FileError, match="row 3 has a field 'b'"), open_writer(path, ["a"]) as writer:
        writer.write([{"a": "1"}, {"a": "2"}, {"a": "3", "b": "4"}])
    assert not path.exists()


def test_a_value_that_does_not_fit_a_parquet_column_is_an_error(tmp_path):
    with pytest.raises(FileError, match="rows 2 to 2 do not fit"), open_writer(tmp_path / "a.parquet", ["a"]) as writer:
        list(map(writer.write, ([{"a": 1}], [{"a": "text"}])))


def test_the_position_reaches_the_size(tmp_path):
    with open_reader(write(tmp_path / "rows.parquet", [{"text": "a"}] * 3)) as reader:
        assert len(list(reader)) == 3
        assert reader.position == reader.size == 3


@pytest.mark.parametrize("rows", [[{"a": 2**70}], [{"a": 1}, {"a": 2**70}], [{"a": -(2**70)}]])
def test_a_number_that_is_too_large_for_parquet_is_an_error(tmp_path, rows):
    with pytest.raises(FileError, match="do not fit"), open_writer(tmp_path / "a.parquet", ["a"]) as writer:
        writer.write(rows)
    assert list(tmp_path.iterdir()) == []
