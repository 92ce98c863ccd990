"""What to report with a bug."""

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def versions() -> Iterator[str]:
    """Yield what to report with a bug: the versions of the packages and of Python, and what the processor can do."""
    for package in ("okt-lstm", "oktane", "torch", "transformers"):
        try:
            yield f"{package} {version(package)}"
        except PackageNotFoundError:
            yield f"{package} (not installed)"
    yield f"Python {platform.python_version()}"
    features = {
        "avx512f": "AVX-512",
        "avx2": "AVX2",
        "avx512_bf16": "bf16",
        "amx_bf16": "AMX",
        "asimd": "NEON",
        "bf16": "bf16",
    }
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    flags = next((line.split() for line in lines if line.lower().startswith(("flags", "features"))), [])
    found = list(dict.fromkeys(name for flag, name in features.items() if flag in flags))
    yield f"{platform.system()} {platform.machine()} {', '.join(found)}".rstrip()
