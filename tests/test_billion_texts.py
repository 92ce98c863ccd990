"""The examples of docs/billion-texts.md for programs of many machines run as they stand."""

import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

PAGE = Path(__file__).parents[1] / "docs" / "billion-texts.md"
EXAMPLES = re.findall(r"^### (\w+)\n\n```py\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("name", "code"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_an_example_runs(tmp_path, name, code):
    pytest.importorskip(name.lower())
    pq.write_table(pa.table({"text": ["연기도 연출도 최고였다", None, "시간이 아깝다"]}), tmp_path / "texts.parquet")
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    result = subprocess.run([sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    if name == "datasets":
        assert pq.read_table(tmp_path / "labels.parquet")["label"].to_pylist() == ["positive", None, "negative"]
    else:
        assert "positive" in result.stdout
        assert "negative" in result.stdout
