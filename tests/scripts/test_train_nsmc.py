"""The example that shows all of training runs offline, quietly, and ends on right answers."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "examples" / "train_nsmc.py"


@pytest.mark.slow
def test_the_example_trains_on_the_sample_and_ends_on_right_answers(tmp_path):
    command = [sys.executable, str(SCRIPT), "--dataset", "sample", "--output_dir", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    accuracy, good, bad = done.stdout.splitlines()[-3:]
    assert float(accuracy.rpartition(": ")[2]) > 0.9
    assert "훌륭하고" in good
    assert ": positive (" in good
    assert "지루해서" in bad
    assert ": negative (" in bad
    assert "Warning" not in done.stderr
