"""The examples that train run offline, in short time, and end on what they are to show."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "scripts" / "examples"


def output_of(script: str, *arguments: str) -> list[str]:
    command = [sys.executable, str(EXAMPLES / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=True).stdout.splitlines()


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_is_read_in_one_go(script):
    assert len(script.read_text(encoding="utf-8").splitlines()) < 100


@pytest.mark.slow
def test_both_sides_of_a_gap_say_more_than_one():
    lines = output_of("fill_gaps.py")
    before, after, both = (int(re.search(r"(\d+)% of the gaps", line)[1]) for line in lines[-5:-2])
    assert both > 75 > 60 > max(before, after)
    assert lines[-2].split()[-6] == "생선"
    assert lines[-1].split()[-6] == "장화"


@pytest.mark.slow
def test_a_language_model_goes_on_in_every_way_and_carries_a_state_of_one_size():
    lines = output_of("continue_reviews.py", "--epochs", "2")
    states = [line.partition(": ")[2] for line in lines if line.startswith("after ")]
    assert states == ["a state of (1, 256)"] * 2
    assert sum("배우들 연기가" in line for line in lines) == 8


@pytest.mark.slow
def test_reviews_are_written_from_a_label_and_a_length():
    lines = output_of("write_reviews.py", "--epochs", "2")
    assert [line.partition(":")[0] for line in lines[-8:]] == [
        f"{label}, {length} tokens" for label in ("positive", "negative") for length in (5, 5, 15, 15)
    ]


@pytest.mark.slow
def test_numbers_are_read_and_the_alignment_is_drawn(tmp_path):
    lines = output_of("read_numbers.py", "--steps", "20", "--picture", str(tmp_path / "alignment.png"))
    assert "of 500 numbers are read right" in lines[-2]
    assert (tmp_path / "alignment.png").read_bytes().startswith(b"\x89PNG")
