"""Every set of kernels gives the logits of the plain ones, also those of processors that are not here.

The same C program (kernels/run_networks.c) is compiled for this processor and, where Debian's gcc-aarch64-linux-gnu and
qemu-user are installed, for 64-bit ARM.
"""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from oktane import _engine

OKTANE = Path(__file__).parents[1]
CORE = OKTANE / "src" / "oktane" / "core"
# Those of setup.py.
FLAGS = ["-O2", "-ffp-contract=off", "-std=c11", "-g0"]


def compiled(path, compiler, *flags):
    """Compiles the program into `path`."""
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    engine = [source for source in sorted((CORE / "engine").glob("*.c")) if source.name != "vocabulary.c"]
    sources = [OKTANE / "tests" / "kernels" / "run_networks.c", *engine, CORE / "array.c"]
    command = [
        compiler,
        *FLAGS,
        *flags,
        f"-I{CORE}",
        f"-I{CORE / 'engine'}",
        *map(str, sources),
        "-lm",
        "-o",
        str(path),
    ]
    subprocess.run(command, check=True)
    return [str(path)]


def logits(command):
    """The logits of every network, by its name."""
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return {name: np.array(numbers, float) for name, *numbers in map(str.split, lines)}


def assert_close(found, expected):
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-5, atol=2e-5, err_msg=name)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("kernels") / "run_networks", "gcc")


@pytest.fixture(scope="module")
def plain(program):
    found = logits([*program, "plain"])
    assert len(found) > 100
    assert len({values.tobytes() for values in found.values()}) == len(found)
    return found


@pytest.fixture
def needs_avx2():
    if "avx2" not in _engine.kernel_names():
        pytest.skip("this processor has no AVX2")


@pytest.mark.parametrize("name", [name for name in _engine.kernel_names() if name != "plain"])
def test_kernels_of_this_processor(program, plain, name):
    assert_close(logits([*program, name]), plain)


@pytest.mark.slow
def test_vectors_of_64_bytes_on_avx2(tmp_path, plain, needs_avx2):
    wide = compiled(tmp_path / "wide", "gcc", "-mavx2", "-mfma", "-DLANES=16", "-Wno-psabi")
    assert_close(logits([*wide, "plain"]), plain)


@pytest.mark.slow
def test_neon(tmp_path, plain):
    emulator = shutil.which("qemu-aarch64")
    if emulator is None:
        pytest.skip("qemu-aarch64 is not installed")
    arm = compiled(tmp_path / "arm", "aarch64-linux-gnu-gcc", "-static")
    assert_close(logits([emulator, *arm, "neon"]), plain)
