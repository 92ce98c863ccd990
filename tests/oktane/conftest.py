"""Fixtures of oktane's tests: both libraries, and the scripts as modules."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

oktane = pytest.importorskip("oktane", reason="oktane's compiled core isn't built")


@pytest.fixture(scope="session")
def okt():
    return oktane.Okt()


@pytest.fixture(scope="session")
def konlpy_okt():
    """konlpy's Okt; tests that need it are skipped without konlpy or a Java runtime."""
    import okt_parity

    try:
        return okt_parity.konlpy_okt()
    except Exception as error:
        pytest.skip(f"konlpy's Okt can't start: {error}")
