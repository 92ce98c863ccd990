"""The example of search finds what it is asked for, near-duplicates, and groups."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("faiss")

SCRIPT = Path(__file__).parents[2] / "scripts" / "examples" / "search_texts.py"
TEXTS = [
    "배우들 연기가 좋았다",
    "배우들의 연기가 좋았다",
    "배송이 너무 늦어요",
    "환불은 어떻게 하나요",
    "음악이 아름답다",
]


def test_the_example_runs(tmp_path):
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS * 2) + "\n", encoding="utf-8")
    command = [sys.executable, str(SCRIPT), str(tmp_path / "texts.txt"), "배송이 늦게 왔어요", "--clusters", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "5 texts encoded" in done.stdout
    _, found = done.stdout.split("배송이 늦게 왔어요")
    assert "배송이 너무 늦어요" in found.splitlines()[1]
    duplicates = found.split("neighbors found")[1].splitlines()[1]
    assert TEXTS[0] in duplicates
    assert TEXTS[1] in duplicates
