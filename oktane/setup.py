"""Compile oktane's core and pack Okt's word lists with it; everything else stands in pyproject.toml."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - pip runs this file before it asks for the Python that is required
    sys.exit(f"oktane needs Python 3.11 or later; this is Python {sys.version.split()[0]}")

# Cython's build_ext is setuptools' only if that has been imported before.
import setuptools
from Cython.Distutils import build_ext
from setuptools.command.build import build

# The dates inside a wheel: with them fixed, the same source gives the same bytes.
os.environ.setdefault("SOURCE_DATE_EPOCH", "315532800")  # 1980-01-01, the first date that zip files know

INSTALL_COMPILER = {
    "linux": "on Debian or Ubuntu: apt install gcc python3-dev; on Fedora: dnf install gcc python3-devel",
    "darwin": "xcode-select --install",
}


class CleanBuild(build):
    """Build from nothing: leftovers of an earlier build would get into the wheel, or hide that this one failed."""

    def run(self) -> None:
        """Remove what an earlier build left, then build."""
        for folder in (self.build_lib, self.build_temp):
            shutil.rmtree(folder, ignore_errors=True)
        super().run()


class BuildCore(build_ext):
    """Compile the core, then let it pack the word lists."""

    def initialize_options(self) -> None:
        """Keep Cython's output out of the source tree."""
        super().initialize_options()
        self.cython_c_in_temp = True

    def run(self) -> None:
        """Compile, then pack into the package that has just been built (or into the source tree, if in place)."""
        in_place = self.inplace
        super().run()
        root = Path("src" if in_place else self.build_lib)
        packing = subprocess.run([sys.executable, "word_lists.py", root, root / "oktane" / "data" / "okt.dict"])
        if packing.returncode:
            sys.exit(packing.returncode)

    def build_extensions(self) -> None:
        """Choose flags by compiler: scores are float32, and one fused multiply-add would change an analysis."""
        if self.compiler.compiler_type == "msvc":
            flags = ["/O2", "/fp:precise", "/std:c11", "/experimental:c11atomics", "/utf-8"]
        else:
            require_compiler(self.compiler)
            # -g0: debug information names the folder that was built in.
            flags = ["-O2", "-ffp-contract=off", "-std=c11", "-g0"]
        for extension in self.extensions:
            extension.extra_compile_args = flags
        super().build_extensions()


def require_compiler(compiler) -> None:  # noqa: ANN001 - a class of setuptools' without a public name
    """Exit with one line unless a C file that includes Python's header compiles; Visual C++ says so by itself."""
    command = [*compiler.compiler_so, *(f"-I{folder}" for folder in compiler.include_dirs), "-fsyntax-only", "-xc", "-"]
    try:
        subprocess.run(command, input="#include <Python.h>\n", capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[0]
        advice = INSTALL_COMPILER.get(sys.platform, "install gcc or clang, and Python's header files")
        sys.exit(f"oktane needs a C compiler: {advice} ({shlex.quote(command[0])} failed: {reason})")


core = Path("src/oktane/core")
extension = setuptools.Extension(
    "oktane._core",
    ["src/oktane/_core.pyx", *sorted(str(path) for path in core.glob("*.c"))],
    include_dirs=[str(core)],
    depends=["setup.py", *sorted(str(path) for pattern in ("*.h", "*.inc", "../*.pxd") for path in core.glob(pattern))],
)
engine = setuptools.Extension(
    "oktane._engine",
    [
        "src/oktane/_engine.pyx",
        *sorted(str(path) for path in (core / "engine").glob("*.c")),
        *(str(core / name) for name in ("array.c", "index.c")),
    ],
    include_dirs=[str(core), str(core / "engine")],
    depends=["setup.py", *sorted(str(path) for folder in (core, core / "engine") for path in folder.glob("*.h"))],
)

setuptools.setup(
    ext_modules=[extension, engine],
    cmdclass={"build": CleanBuild, "build_ext": BuildCore},
    # Warnings and errors only: of a build that fails one reads the reason, not the log.
    options={"global": {"quiet": "1"}},
)
