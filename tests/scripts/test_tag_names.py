"""The example of aligned many-to-many runs offline and finds the names in its sentence."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "examples" / "tag_names.py"


@pytest.mark.slow
def test_the_example_finds_the_names_of_a_new_sentence():
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, timeout=300, check=True)
    lines = done.stdout.splitlines()
    assert lines[-2:] == ["이은서: PS", "강릉: LC"]
    assert float(next(line for line in lines if line.startswith("epoch 5")).split()[-6].rstrip("%")) > 95
    assert len(SCRIPT.read_text(encoding="utf-8").splitlines()) < 100
