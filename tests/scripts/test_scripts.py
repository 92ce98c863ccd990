"""Every script says what it does and how to run it, or that it is a module of other scripts."""

import subprocess
import sys
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parents[2] / "scripts").glob("*/*.py"))
SCRIPTS = [path for path in FILES if "ArgumentParser(" in path.read_text(encoding="utf-8")]
BENCHMARKS = [path for path in FILES if path.parent.name == "benchmarks"]
MODULES = [path for path in BENCHMARKS if "__main__" not in path.read_text(encoding="utf-8")]


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_help_answers(script):
    done = subprocess.run([sys.executable, str(script), "--help"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage:")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_docstring_shows_how_to_run_it(script):
    source = script.read_text(encoding="utf-8")
    assert script.name in source.split('"""')[1]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_a_module_that_cannot_be_run_says_so_first(module):
    first = module.read_text(encoding="utf-8").splitlines()[0]
    assert "it is not a program" in first
