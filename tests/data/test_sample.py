"""The shipped sample: what its script writes, and fit for what it is for."""

import runpy
import sys
from pathlib import Path

import pytest

from okt_lstm.data.nsmc import LABELS, SAMPLE_DIR, parse_ratings

SCRIPT = Path(__file__).parents[2] / "scripts" / "release" / "make_sample.py"


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(SCRIPT))


def shipped(split: str) -> list[dict]:
    path = SAMPLE_DIR / f"ratings_{split}.txt"
    with path.open("rb") as lines:
        return [row for _, row in parse_ratings(lines, str(path))]


def test_the_script_writes_the_shipped_files_byte_for_byte(script, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", [SCRIPT.name, "--output_dir", str(tmp_path)])
    script["main"]()
    for split in ("train", "test"):
        name = f"ratings_{split}.txt"
        assert (tmp_path / name).read_bytes() == (SAMPLE_DIR / name).read_bytes()


def test_no_pair_of_phrases_is_used_twice_so_splits_share_none(script):
    openings = script["OPENINGS"].strip().splitlines()
    pairs = []
    for row in shipped("train") + shipped("test"):
        verdicts = script["POSITIVE" if LABELS[row["label"]] == "positive" else "NEGATIVE"].strip().splitlines()
        matching = [
            (opening, verdict)
            for opening in openings
            for verdict in verdicts
            if row["document"].startswith(f"{opening} {verdict}")
        ]
        assert matching, row
        pairs.append(max(matching, key=lambda pair: len(pair[1])))
    assert len(pairs) == len(set(pairs)) == 1000


def test_phrases_are_many_and_none_is_written_twice(script):
    for name in ("OPENINGS", "POSITIVE", "NEGATIVE"):
        phrases = script[name].strip().splitlines()
        assert len(phrases) == len(set(phrases)) >= 40
    assert not set(script["POSITIVE"].strip().splitlines()) & set(script["NEGATIVE"].strip().splitlines())


def test_reviews_are_short_and_numbered():
    rows = shipped("train") + shipped("test")
    assert [row["id"] for row in rows] == [str(number) for number in range(1, 1001)]
    assert all(5 < len(row["document"]) < 60 for row in rows)
