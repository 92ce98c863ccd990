from pathlib import Path

import datasets
import pytest

from okt_lstm.data.cache import generate

FEATURES = datasets.Features({"text": datasets.Value("string")})
calls = []


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    calls.clear()


def read(path):
    calls.append(path)
    for line in Path(path).read_text().splitlines():
        if line == "bad":
            raise ValueError("line is bad")
        yield {"text": line}


def rows(path):
    return generate(read, FEATURES, files=[path], path=str(path))["text"][:]


def test_rows_are_generated_once_until_a_file_changes(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one\n")
    assert rows(path) == rows(path) == ["one"]
    assert len(calls) == 1
    path.write_text("one\ntwo\n")
    assert rows(path) == ["one", "two"]
    assert len(calls) == 2


def test_an_error_of_the_generator_arrives_as_itself_and_nothing_is_cached(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one\nbad\n")
    for _ in range(2):
        with pytest.raises(ValueError, match="line is bad"):
            rows(path)
    assert not list((tmp_path / "cache").rglob("*.arrow"))
