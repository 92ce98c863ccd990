"""Fixtures of oktane's tests: both libraries, and the scripts as modules."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts" / "benchmarks"))

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


@pytest.fixture(scope="session")
def nsmc_dir() -> Path:
    """The folder of the NSMC files, named by OKT_LSTM_NSMC; tests that need it are skipped without it."""
    folder = os.environ.get("OKT_LSTM_NSMC")
    if not folder:
        pytest.skip("OKT_LSTM_NSMC does not name a folder with ratings_train.txt and ratings_test.txt")
    return Path(folder)
