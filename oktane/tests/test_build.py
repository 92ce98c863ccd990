"""A wheel is built from a clean copy of the source, holds all that oktane needs, and is the same every time."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytest.importorskip("Cython")
pytest.importorskip("konlpy")
pytestmark = pytest.mark.slow


def copy_source(folder):
    ignored = shutil.ignore_patterns("build", "okt.dict", "*.egg-info", "*.so", "*.pyd", "__pycache__", "tests")
    return shutil.copytree(ROOT, folder, ignore=ignored)


def build(source, target, **environment):
    command = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", target, source]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    done = build(copy_source(folder / "source"), folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("oktane-*.whl")
    return path


def test_a_wheel_built_twice_is_the_same(wheel, tmp_path):
    source = copy_source(tmp_path / "elsewhere" / "source")
    # What an earlier version left behind stays out.
    stale = source / "build" / f"lib.{sysconfig.get_platform()}-{sys.implementation.cache_tag}" / "oktane" / "stale.py"
    stale.parent.mkdir(parents=True)
    stale.write_text("")
    done = build(source, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


def test_a_wheel_is_small_and_has_the_license(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = [Path(name).name for name in archive.namelist()]
        installed = sum(entry.file_size for entry in archive.infolist())
    assert {"okt.dict", "py.typed", "_core.pyi", "cli.py", "LICENSE", "NOTICE"} <= set(names)
    assert {"_engine.pyi", "classifier.py", "config.json", "model.safetensors", "tokenizer.json"} <= set(names)
    assert not {"_core.pyx", "_core.c", "_engine.pyx", "kernels.h", "word_lists.py", "setup.py"} & set(names)
    assert wheel.stat().st_size < 27e6
    assert installed < 32e6


def test_a_source_distribution_has_every_file_of_the_source(tmp_path):
    source = copy_source(tmp_path / "source")
    expected = {path.relative_to(source).as_posix() for path in (source / "src").rglob("*") if path.is_file()}
    code = "import build_backend; build_backend.build_sdist('dist')"
    subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, check=True)
    (path,) = (source / "dist").glob("oktane-*.tar.gz")
    with tarfile.open(path) as archive:
        assert expected <= {name.partition("/")[2] for name in archive.getnames()}


def test_a_wheel_works_in_an_empty_environment(wheel, tmp_path):
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "JAVA_HOME")}

    def run(*arguments):
        done = subprocess.run([python, *arguments], env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    run("-m", "pip", "install", "--no-index", "--no-deps", wheel)
    assert run("-m", "oktane", "morphs", "영화가 재밌다") == "영화 가 재밌다\n"
    assert run("-c", "import oktane; print(oktane.__file__)").startswith(str(tmp_path))
    assert run("-c", "import oktane; print(len(oktane.Okt({'Noun': ['쌀과자칩']}).morphs('쌀과자칩을')))") == "2\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Visual C++ is not found through CC")
def test_without_a_compiler_the_build_fails_with_one_line_that_says_what_to_install(tmp_path):
    # setuptools warns if it may not write bytecode.
    done = build(copy_source(tmp_path / "source"), tmp_path, CC="/nonexistent/cc", PYTHONDONTWRITEBYTECODE="")
    assert done.returncode != 0
    output = done.stdout + done.stderr
    lines = [line.strip() for line in output.splitlines() if "oktane needs a C compiler" in line]
    assert lines
    assert "/nonexistent/cc failed" in lines[0]
    assert "[1 lines of output]" in output
    assert not list(tmp_path.glob("*.whl"))


@pytest.mark.skipif(not (ROOT.parent / "NOTICE").exists(), reason="not in the repository")
def test_the_license_is_that_of_the_repository():
    assert (ROOT / "LICENSE").read_bytes() == (ROOT.parent / "LICENSE").read_bytes()
