"""Fixtures of oktane's tests: both libraries, and the scripts and the build step as modules."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

# word_lists.py, which packs Okt's word lists when oktane is built, and the scripts of the repository.
ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT.parent / "scripts" / "benchmarks")]

oktane = pytest.importorskip("oktane", reason="oktane's compiled core isn't built")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes minutes, or needs the NSMC files or a Java runtime")
    config.addinivalue_line("markers", "release: takes long; run before a release")


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
def lists():
    """Okt's own word lists; tests that need them are skipped without konlpy."""
    import word_lists

    if importlib.util.find_spec("konlpy") is None:
        pytest.skip("konlpy, which has Okt's word lists, is not installed")
    return word_lists.read_word_lists(word_lists.find_jar())


@pytest.fixture(scope="session")
def nsmc_dir() -> Path:
    """The folder of the NSMC files, named by OKT_LSTM_NSMC; tests that need it are skipped without it."""
    folder = os.environ.get("OKT_LSTM_NSMC")
    if not folder:
        pytest.skip("OKT_LSTM_NSMC does not name a folder with ratings_train.txt and ratings_test.txt")
    return Path(folder)
