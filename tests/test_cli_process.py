"""The command as a process of its own: pipes, signals, and what a person types."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import okt_lstm

COMMAND = [sys.executable, "-m", "okt_lstm"]


@pytest.fixture
def start(tmp_path):
    processes = []

    def start(*arguments, **options):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        # Where the tests run in a shell's background, Ctrl-C is ignored, and a child would inherit that.
        earlier = signal.signal(signal.SIGINT, signal.default_int_handler)
        process = subprocess.Popen([*COMMAND, *map(str, arguments)], **pipes, **options)
        signal.signal(signal.SIGINT, earlier)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


def test_a_line_is_answered_before_the_next_is_asked_for(start, folder, classifier):
    process = start("predict", "--model", folder)
    for text in ("굿", "시간이 아깝다"):
        process.stdin.write(f"{text}\n".encode())
        process.stdin.flush()
        label = process.stdout.readline().decode().split("\t")[0]
        assert label == classifier.predict(text)
    process.stdin.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == b""


def test_a_reader_that_goes_away_and_an_interruption_end_quietly(start, folder, tmp_path):
    source = tmp_path / "in.txt"
    source.write_text("시간이 아깝다\n" * 1_000_000)
    reading = start("predict", "--model", folder, "--input", source)
    ended = [
        (signal.SIGINT, 130, start("predict", "--model", folder, "--input", source, "--output", tmp_path / "1.csv")),
        (signal.SIGTERM, 143, start("predict", "--model", folder, "--input", source, "--output", tmp_path / "2.csv")),
    ]
    assert reading.stdout.readline()
    reading.stdout.close()
    assert reading.wait(60) == 141
    assert reading.stderr.read() == b""

    for number, (kind, code, process) in enumerate(ended, 1):
        while not list(tmp_path.glob(f".{number}.csv.*")) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(kind)
        assert process.wait(60) == code
        assert (
            process.stderr.read().decode()
            == f"okt-lstm: {number}.csv: stopped; the same command goes on where it was\n"
        )
    # What is done already is kept for the next run.
    assert {path.name for path in tmp_path.iterdir()} <= {"in.txt", ".1.csv.journal", ".2.csv.journal"}


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of Unix")
@pytest.mark.parametrize(
    ("redirection", "code", "says"),
    [
        (">&-", 1, "okt-lstm: error: standard output is closed: name files with --input and --output\n"),
        ("<&-", 1, "okt-lstm: error: standard input is closed: give texts as arguments or files with --input\n"),
        ("2>&- </dev/null", 0, ""),
    ],
)
def test_closed_streams_are_an_error_of_one_line_or_do_not_matter(folder, redirection, code, says):
    command = f"{sys.executable} -m okt_lstm predict --model {folder} {redirection}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stderr, done.stdout) == (code, says, "")


def test_the_installed_command_is_the_same_program():
    script = Path(sys.executable).with_name("okt-lstm")
    if not script.exists():
        pytest.skip("okt-lstm is not installed as a command")
    result = subprocess.run([script, "--version"], capture_output=True, check=True, text=True)
    assert result.stdout.startswith(f"okt-lstm {okt_lstm.__version__}\n")


@pytest.mark.parametrize(("kind", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_training_of_word_vectors_that_is_ended_leaves_nothing(start, tmp_path, kind, code):
    (tmp_path / "t.txt").write_text("영화가 재밌었어요\n정말 재밌는 영화\n" * 20)
    (tmp_path / "scratch").mkdir()
    endless = ["--vector_size", "4", "--bucket", "100", "--epochs", "99999999", "--workers", "1"]
    process = start(
        *("word-vectors", "--unlabeled", tmp_path / "t.txt", "--output", tmp_path / "v.vec", *endless),
        env=os.environ | {"TMPDIR": str(tmp_path / "scratch")},
    )
    while not any(file.stat().st_size for file in tmp_path.glob("scratch/*/ids")) and process.poll() is None:
        time.sleep(0.01)
    time.sleep(0.2)  # into the training, or before it: either must end well
    process.send_signal(kind)
    assert process.wait(60) == code
    assert process.stderr.read() == b""
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["scratch", "t.txt"]


# Mistakes, which are answered before anything heavy is imported


def run_alone(command, folder):
    """Run the command in an interpreter of its own, which prints the exit code and what heavy packages it imported."""
    program = f"""
import sys
from okt_lstm.cli import main
try:
    code = main({command.split()!r})
except SystemExit as exit:
    code = exit.code
print(code, [name for name in ("torch", "transformers", "datasets", "numpy", "pyarrow") if name in sys.modules])
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment["HF_HOME"] = str(folder / "no-token")
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("train --output_dir o --dataset none.csv", "none.csv: no such file or folder (--dataset)"),
        ("train --output_dir o --dataset sample --validation_file no.csv", "no.csv: no such file (--validation_file)"),
        ("train --output_dir o --data_dir none", "none: no such folder (--data_dir)"),
        ("train --output_dir earlier", "earlier holds an earlier run (trainer_state.json)"),
        ("pretrain --output_dir earlier --unlabeled nsmc", "earlier holds an earlier run (trainer_state.json)"),
        ("train --recipe fast --output_dir earlier", "earlier holds an earlier run (trainer_state.json)"),
        ("train --output_dir earlier/config.json", "config.json is a file; --output_dir must name a folder"),
        ("evaluate --dataset none.csv", "none.csv: no such file or folder (--dataset)"),
        ("evaluate --dataset nsmc --data_dir none", "none: no such folder (--data_dir)"),
        ("evaluate --output none/scores.json", "make it first: mkdir -p"),
        ("predict --input earlier/config.json --output none/labels.csv", "make it first: mkdir -p"),
        ("word-vectors --unlabeled nsmc --output none/vectors.bin", "make it first: mkdir -p"),
        ("push earlier kim/films", "not logged in to the Hugging Face Hub: run `hf auth login`"),
    ],
)
def test_a_mistake_is_one_line_before_anything_heavy_is_imported(tmp_path, command, message):
    (tmp_path / "earlier").mkdir()
    for name in ("config.json", "trainer_state.json"):
        (tmp_path / "earlier" / name).write_text("{}")
    result = run_alone(command, tmp_path)
    # oktane's own command, which needs numpy alone, looks at the output.
    assert result.stdout == ("1 ['numpy']\n" if command.startswith("predict") else "1 []\n")
    (line,) = result.stderr.splitlines()
    assert line.startswith("okt-lstm: error: ")
    assert message in line


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("train --hidden_size -3", "--hidden_size is -3; it has to be 1 or more"),
        ("train --batch_size 0", "--per_device_train_batch_size is 0; it has to be 1 or more"),
        ("train --classifier_dropout 1.5", "--classifier_dropout is 1.5; it has to be between 0 and 1"),
        ("train --optim adamw_torch_fusd", "--optim is 'adamw_torch_fusd'; did you mean adamw_torch_fused"),
        ("pretrain --lr_scheduler_type linaer", "--lr_scheduler_type is 'linaer'; did you mean linear"),
        ("pretrain --max_eval_samples 0", "--max_eval_samples is 0; it has to be 1 or more"),
    ],
)
def test_an_option_out_of_range_is_answered_before_anything_heavy_is_imported(tmp_path, command, message):
    result = run_alone(f"{command} --output_dir o --unlabeled nsmc", tmp_path)
    assert result.stdout == "2 []\n"
    assert message in result.stderr.splitlines()[0]
