"""Builds oktane's compiled core; everything else stands in pyproject.toml."""

from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext


class StrictFloatBuildExt(build_ext):
    """Chooses flags by compiler: scores are float32, and one fused multiply-add would change an analysis."""

    def build_extensions(self) -> None:
        """Adds the flags that keep every float32 step rounded, then builds."""
        flags = (
            ["/O2", "/fp:precise", "/std:c11", "/utf-8"]
            if self.compiler.compiler_type == "msvc"
            else ["-O2", "-ffp-contract=off", "-std=c11"]
        )
        for extension in self.extensions:
            extension.extra_compile_args = flags
        super().build_extensions()


core = Path("src/oktane/core")
sources = ["src/oktane/_core.pyx", *sorted(str(path) for path in core.glob("*.c"))]
headers = sorted(str(path) for pattern in ("*.h", "*.inc") for path in core.glob(pattern))
extensions = [Extension("oktane._core", sources, include_dirs=[str(core)], depends=headers)]

setup(
    ext_modules=cythonize(extensions, compiler_directives={"language_level": "3"}),
    cmdclass={"build_ext": StrictFloatBuildExt},
)
