"""The command `oktane encode`: texts, lines or the rows of a file in, their vectors out."""

import io
import json
import random
import signal
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("okt_lstm")

from test_load_encoder import save_encoder

import oktane
from oktane import cli
from oktane.encoder import Encoder
from oktane.vector_files import NpyWriter

TEXTS = ["연기도 연출도 최고였다", "시간이 아깝다", "", "탭\t하나"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("encoder")
    save_encoder(path, projection_size=24)
    return path


@pytest.fixture
def encode(capsys, monkeypatch, tmp_path, folder):
    """Runs `oktane encode ...` in a folder of its own: the exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def encode(*arguments):
        try:
            code = cli.main(["encode", "--model", str(folder), *map(str, arguments)])
        except SystemExit as exit:
            code = exit.code
        return code, *capsys.readouterr()

    return encode


@pytest.fixture(scope="module")
def expected(folder):
    return oktane.load_encoder(folder).encode(TEXTS)


def write(path, texts=TEXTS, header="id,review"):
    lines = [header, *(f'{number},"{text}"' for number, text in enumerate(texts))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path.name


def test_texts_as_arguments_get_a_line_of_json_each(encode, expected):
    code, output, errors = encode(*TEXTS)
    assert (code, errors) == (0, "")
    lines = [json.loads(line) for line in output.splitlines()]
    assert [line["text"] for line in lines] == TEXTS
    np.testing.assert_array_equal(np.array([line["vector"] for line in lines], np.float32), expected)


def test_lines_of_standard_input(encode, expected, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\n".join(TEXTS).encode() + b"\n")))
    code, output, _ = encode()
    assert code == 0
    vectors = [json.loads(line)["vector"] for line in output.splitlines()]
    np.testing.assert_array_equal(np.array(vectors, np.float32), expected)


@pytest.mark.parametrize("count", [0, 4, 3000])
def test_a_numpy_file_has_a_row_for_each_row(encode, expected, tmp_path, count):
    write(tmp_path / "texts.csv", (TEXTS * 750)[:count])
    assert encode("--input", "texts.csv", "--text_column", "review", "--output", "vectors.npy")[0] == 0
    found = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    assert found.shape == (count, 24)
    np.testing.assert_array_equal(found, np.tile(expected, (750, 1))[:count])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["texts.csv", "vectors.npy"]


def test_parquet_and_jsonl_keep_the_columns(encode, expected, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    write(tmp_path / "texts.csv")
    for name in ("vectors.parquet", "vectors.jsonl"):
        assert encode("--input", "texts.csv", "--output", name)[0] == 0
    table = parquet.read_table(tmp_path / "vectors.parquet")
    assert table.column_names == ["id", "review", "vector"]
    assert table["review"].to_pylist() == TEXTS
    np.testing.assert_array_equal(np.array(table["vector"].to_pylist(), np.float32), expected)
    lines = [json.loads(line) for line in (tmp_path / "vectors.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == ["0", "1", "2", "3"]
    np.testing.assert_array_equal(np.array([line["vector"] for line in lines], np.float32), expected)


def test_lengths_can_be_kept(encode, folder):
    _, output, _ = encode("--no_normalize", TEXTS[0])
    expected = oktane.load_encoder(folder).encode(TEXTS[0], normalize=False)
    np.testing.assert_array_equal(np.array(json.loads(output)["vector"], np.float32), expected)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("target", ["vectors.npy", "vectors.jsonl", "vectors.parquet"])
def test_killed_at_random_moments_the_vectors_are_those_of_an_undisturbed_run(tmp_path, folder, target):
    if target.endswith("parquet"):
        pytest.importorskip("pyarrow")
    write(tmp_path / "texts.csv", (TEXTS * 2500)[:9999])

    def start(output):
        command = [sys.executable, "-m", "oktane", "encode", "--model", folder, "--input", "texts.csv"]
        return subprocess.Popen([*command, "--output", output], cwd=tmp_path, stderr=subprocess.PIPE)

    assert start(f"whole-{target}").wait() == 0
    journal = tmp_path / f".{target}.journal"
    for moment in sorted(random.Random(target).randrange(100, 500_000) for _ in range(2)):
        process = start(target)
        while process.poll() is None and not (journal.exists() and journal.stat().st_size >= moment):
            pass
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not (tmp_path / target).exists()
    process = start(target)
    assert b"goes on after the first" in process.communicate()[1]
    assert process.returncode == 0
    assert (tmp_path / target).read_bytes() == (tmp_path / f"whole-{target}").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["texts.csv", target, f"whole-{target}"]


@pytest.fixture
def half_done(encode, tmp_path, monkeypatch):
    """Stops a run after its first vectors were computed; counts the texts that the next ones compute."""
    write(tmp_path / "texts.csv", TEXTS * 750)
    with monkeypatch.context() as patch:
        patch.setattr(NpyWriter, "write", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
        assert encode("--input", "texts.csv", "--output", "vectors.npy")[0] != 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [".vectors.npy.journal", "texts.csv"]
    computed = []
    compute = Encoder._compute_chunk
    monkeypatch.setattr(
        Encoder,
        "_compute_chunk",
        lambda self, texts, normalize: computed.append(len(texts)) or compute(self, texts, normalize),
    )
    return computed


def test_vectors_of_a_stopped_run_are_not_computed_again(encode, expected, tmp_path, half_done):
    assert encode("--input", "texts.csv", "--output", "vectors.npy")[0] == 0
    # The texts by which the encoder is told from others are computed.
    assert sum(half_done) < 1000
    np.testing.assert_array_equal(np.load(tmp_path / "vectors.npy"), np.tile(expected, (750, 1)))


def test_vectors_of_another_length_begin_anew(encode, folder, tmp_path, half_done):
    assert encode("--no_normalize", "--input", "texts.csv", "--output", "vectors.npy")[0] == 0
    assert sum(half_done) >= 3000
    expected = oktane.load_encoder(folder).encode(TEXTS, normalize=False)
    np.testing.assert_array_equal(np.load(tmp_path / "vectors.npy"), np.tile(expected, (750, 1)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input", "missing.csv"], "missing.csv"),
        (["--input", "texts.csv", "--output", "vectors.csv"], "must end in .npy, .jsonl, .parquet"),
        (["--input", "texts.csv", "--output", "no/folder/vectors.npy"], "mkdir -p"),
        (["--input", "texts.csv", "--text_column", "본문"], "no column '본문'"),
        (["--input", "taken.csv", "--output", "vectors.jsonl"], "column 'vector' already"),
        (["--output", "vectors.npy"], "--output goes with --input"),
        (["--input", "texts.csv", "--output", "texts.csv"], "the same file"),
        (["--threads", "0", "최고"], "--threads must be at least 1"),
    ],
)
def test_what_can_t_be_done_is_said_in_a_line_and_leaves_nothing(encode, tmp_path, arguments, message):
    write(tmp_path / "texts.csv")
    write(tmp_path / "taken.csv", header="vector,review")
    before = sorted(path.name for path in tmp_path.iterdir())
    code, output, errors = encode(*arguments)
    assert code in (1, 2)
    assert output == ""
    assert message in errors
    assert len(errors.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_without_pyarrow_the_extra_is_named(encode, tmp_path, monkeypatch):
    write(tmp_path / "texts.csv")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    code, _, errors = encode("--input", "texts.csv", "--output", "vectors.parquet")
    assert code == 1
    assert "pip install 'oktane[arrow]'" in errors
    assert sorted(path.name for path in tmp_path.iterdir()) == ["texts.csv"]
