"""Fixtures that several test files share."""

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from okt_lstm import Classifier

# The tests' networks are tiny: more than one thread only makes them wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def nsmc_dir() -> Path:
    """The folder of the NSMC files, named by OKT_LSTM_NSMC; tests that need it are skipped without it.

    oktane's tests, which run without these, have the same fixture.
    """
    folder = os.environ.get("OKT_LSTM_NSMC")
    if not folder:
        pytest.skip("OKT_LSTM_NSMC does not name a folder with ratings_train.txt and ratings_test.txt")
    return Path(folder)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The saved folder of a tiny classifier; read it, don't change it."""
    from tiny import save_tiny

    return save_tiny(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def classifier(folder: Path) -> "Classifier":
    """The tiny classifier, loaded."""
    import okt_lstm

    return okt_lstm.load(folder)


@pytest.fixture
def run(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the command in this process: arguments and standard input to exit code, output and errors."""
    from okt_lstm import cli

    def run(*arguments: object, stdin: bytes = b"") -> tuple[Any, ...]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin))))
        capsys.readouterr()
        try:
            code = cli.main([str(argument) for argument in arguments])
        except SystemExit as exit:
            code = exit.code
        return (code, *capsys.readouterr())

    return run


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks that transformers' own tests use; see transformers_suite.py."""
    flash_attention = ("flash_attn_test", "flash_attn_3_test", "flash_attn_4_test")
    for mark in ("accelerate_tests", "generate", "torch_compile_test", *flash_attention):
        config.addinivalue_line("markers", f"{mark}: set by transformers' own tests")
