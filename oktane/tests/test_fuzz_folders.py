"""Damaged folders are refused or run: a short run of fuzz/fuzz_folders.py, which says how to run it for longer."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "fuzz"))

import fuzz_folders


def test_changed_folders_are_refused_or_run(tmp_path):
    done, loaded = fuzz_folders.fuzz(seed=1, turns=150, seconds=60, keep=tmp_path / "finding")
    assert done > 20
    assert 0 < loaded < done
