"""A run that was stopped goes on where it was, and its output equals an undisturbed run's byte for byte."""

import json
import random
import resource
import signal
import subprocess
import sys

import pytest

import oktane
from oktane import runs
from oktane.files import predict_file
from oktane.lines import FileError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

OKTANE = [sys.executable, "-m", "oktane"]
ROWS = 6000


@pytest.fixture(scope="module")
def classifier():
    return oktane.load()


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Many texts, and some nulls."""
    draw = random.Random(0)
    words = ["영화", "정말", "최고", "별로", "시간이", "아깝다", "연기", "굿", "ㅋㅋㅋ", "그저", "그런", "배우"]
    rows = [
        {"id": number, "text": " ".join(draw.choices(words, k=draw.randrange(1, 20))) if number % 97 else None}
        for number in range(ROWS)
    ]
    folder = tmp_path_factory.mktemp("source")
    (folder / "in.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    pq.write_table(pa.Table.from_pylist(rows), folder / "in.parquet")
    return folder


def start(*arguments, **options):
    return subprocess.Popen([*OKTANE, "predict", *map(str, arguments)], stderr=subprocess.PIPE, **options)


def hidden(folder):
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("name", ["in.jsonl", "in.parquet"])
@pytest.mark.parametrize("target", ["out.csv", "out.jsonl.gz", "out.parquet"])
def test_killed_at_random_moments_the_output_is_that_of_an_undisturbed_run(source, tmp_path, classifier, name, target):
    predict_file(classifier, source / name, tmp_path / f"whole-{target}")
    journal, draw = tmp_path / f".{target}.journal", random.Random(f"{name} {target}")
    for moment in sorted(draw.randrange(100, 8 * ROWS) for _ in range(2)):
        process = start("--input", source / name, "--output", tmp_path / target)
        while process.poll() is None and not (journal.exists() and journal.stat().st_size >= moment):
            pass
        process.send_signal(signal.SIGKILL)
        process.communicate()
        # What has the final name is whole.
        assert not (tmp_path / target).exists() or process.returncode == 0
    process = start("--input", source / name, "--output", tmp_path / target)
    _, errors = process.communicate()
    assert process.returncode == 0
    assert b"goes on after the first" in errors
    assert (tmp_path / target).read_bytes() == (tmp_path / f"whole-{target}").read_bytes()
    assert hidden(tmp_path) == []


def stopped(error):
    """A report that stops a run after its first block."""

    def report(reader, summary):
        raise error

    return report


@pytest.fixture
def half_done(source, tmp_path, classifier, monkeypatch):
    """A run that was stopped after some blocks: its target and its journal."""
    monkeypatch.setattr("oktane.blocks.BLOCK_ROWS", 1000)
    target = tmp_path / "out.csv"
    with pytest.raises(KeyboardInterrupt):
        predict_file(classifier, source / "in.jsonl", target, report=stopped(KeyboardInterrupt()))
    assert not target.exists()
    return target, tmp_path / ".out.csv.journal"


def whole(source, tmp_path, classifier, **options):
    predict_file(classifier, source / "in.jsonl", tmp_path / "whole.csv", **options)
    return (tmp_path / "whole.csv").read_bytes()


def test_what_is_done_is_not_computed_again(source, tmp_path, classifier, half_done, monkeypatch):
    expected = whole(source, tmp_path, classifier)
    computed = []
    compute = type(classifier).compute
    monkeypatch.setattr(
        type(classifier),
        "compute",
        lambda self, chunks: compute(self, (computed.append(len(chunk)) or chunk for chunk in chunks)),
    )
    known = classifier.fingerprint()
    computed.clear()
    monkeypatch.setattr(type(classifier), "fingerprint", lambda self: known)
    summary = predict_file(classifier, source / "in.jsonl", half_done[0])
    assert 0 < sum(computed) < ROWS - 1000
    assert summary.computed == sum(computed)
    assert half_done[0].read_bytes() == expected


@pytest.mark.parametrize("damage", [lambda data: data[:-5], lambda data: data[:-100] + bytes(100), lambda data: b"?"])
def test_an_unfinished_or_damaged_record_is_computed_again(source, tmp_path, classifier, half_done, damage):
    target, journal = half_done
    journal.write_bytes(damage(journal.read_bytes()))
    predict_file(classifier, source / "in.jsonl", target)
    assert target.read_bytes() == whole(source, tmp_path, classifier)


def test_another_format_or_other_columns_go_on_as_well(source, tmp_path, classifier, half_done):
    options = {"columns": ["id"], "probabilities": True}
    predict_file(classifier, source / "in.jsonl", half_done[0], **options)
    assert half_done[0].read_bytes() == whole(source, tmp_path, classifier, **options)


def test_another_model_or_another_input_begins_anew(source, tmp_path, classifier, half_done):
    target, journal = half_done
    kept = journal.read_bytes()
    shorter = oktane.load(max_length=2)
    summary = predict_file(shorter, source / "in.jsonl", target)
    assert summary.computed == summary.rows - summary.nulls
    assert target.read_bytes() == whole(source, tmp_path, shorter)
    journal.write_bytes(kept)
    changed = tmp_path / "in.jsonl"
    changed.write_bytes((source / "in.jsonl").read_bytes())
    assert predict_file(classifier, changed, target).computed == summary.computed


def test_an_error_in_the_data_leaves_nothing(tmp_path, classifier):
    (tmp_path / "in.jsonl").write_text('{"text": "굿"}\n' * 2000 + '{"text": 5}\n')
    with pytest.raises(FileError, match="line 2001"):
        predict_file(classifier, tmp_path / "in.jsonl", tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_full_disk_is_said_and_the_next_run_goes_on(source, tmp_path, classifier):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    target = tmp_path / "out.jsonl"
    process = start("--input", source / "in.jsonl", "--output", target, preexec_fn=limit)
    _, errors = process.communicate()
    assert process.returncode == 1
    assert errors.decode().splitlines()[-1] == f"oktane: error: {target}: File too large"
    assert not target.exists()
    assert hidden(tmp_path) == [".out.jsonl.journal"]
    process = start("--input", source / "in.jsonl", "--output", target)
    assert b"goes on after the first" in process.communicate()[1]
    predict_file(classifier, source / "in.jsonl", tmp_path / "whole.jsonl")
    assert target.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_two_runs_do_not_write_one_file(source, tmp_path, classifier):
    target = tmp_path / "out.csv"

    def report(reader, summary):
        with pytest.raises(FileError, match="being written by another run"):
            predict_file(classifier, source / "in.jsonl", target)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_file(classifier, source / "in.jsonl", target, report=report)


def test_finished_files_of_a_run_are_not_repeated(source, tmp_path, classifier, monkeypatch, caplog):
    caplog.set_level("INFO")
    inputs = tmp_path / "in"
    inputs.mkdir()
    for number in range(3):
        (inputs / f"{number}.csv").write_text("text\n" + "굿\n" * (number + 1), encoding="utf-8")
    jobs = runs.plan([str(inputs)], f"{tmp_path / 'out'}/")
    real, done = predict_file, []

    def interrupted(classifier, source, target, **options):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(source)
        return real(classifier, source, target, **options)

    monkeypatch.setattr(runs, "predict_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        runs.predict_files(classifier, jobs)
    assert hidden(tmp_path / "out") == [".0.csv.finished", ".1.csv.finished"]
    (tmp_path / "out" / "1.csv").write_text("changed")
    done.clear()
    monkeypatch.setattr(
        runs, "predict_file", lambda *given, **options: done.append(given[1]) or real(*given, **options)
    )
    summary = runs.predict_files(classifier, jobs)
    assert [path.name for path in done] == ["1.csv", "2.csv"]
    assert summary.rows == 6
    assert "1 of 3 files were finished by an earlier run" in caplog.text
    assert hidden(tmp_path / "out") == []
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.csv", "1.csv", "2.csv"]
