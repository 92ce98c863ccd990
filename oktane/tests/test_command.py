"""The command `oktane`: lines in, lines out, and a good neighbor in a pipe."""

import gzip
import json
import os
import re
import signal
import subprocess
import sys
from unicodedata import normalize

import pytest

from oktane import __version__, cli

OKTANE = [sys.executable, "-m", "oktane"]
TEXTS = [
    "영화가 재밌다",
    "",
    "이것도 되나욬ㅋㅋ",
    "10년전 영화!! http://a.kr @user #태그",
    "날카로운 분석과 신뢰감 있는 진행으로",
]


def run(*arguments, given=b"", **options):
    if isinstance(given, str):
        given = given.encode()
    return subprocess.run([*OKTANE, *arguments], input=given, capture_output=True, timeout=60, **options)


def lines_of(done):
    assert done.stderr == b""
    assert done.returncode == 0
    return done.stdout.decode().split("\n")[:-1]


# ---- results ----


@pytest.mark.parametrize("options", [(), ("norm",), ("stem",), ("norm", "stem")])
@pytest.mark.parametrize("command", ["morphs", "pos"])
def test_morphemes_and_tags_are_those_of_python(okt, command, options):
    flags = [f"--{option}" for option in options]
    chosen = dict.fromkeys(options, True)
    expected = [
        okt.pos(text, **chosen, join=True) if command == "pos" else okt.morphs(text, **chosen) for text in TEXTS
    ]
    assert lines_of(run(command, *flags, given="\n".join(TEXTS))) == [" ".join(row) for row in expected]


def test_nouns_phrases_and_normal_forms_are_those_of_python(okt):
    given = "\n".join(TEXTS)
    assert lines_of(run("nouns", given=given)) == [" ".join(okt.nouns(text)) for text in TEXTS]
    assert lines_of(run("phrases", given=given)) == ["\t".join(okt.phrases(text)) for text in TEXTS]
    assert lines_of(run("normalize", given=given)) == [okt.normalize(text) for text in TEXTS]


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_json_lines_have_the_text_and_the_whole_result(okt, command):
    texts = [*TEXTS, "가\t나\n다"]
    done = run(command, "--output_format", "jsonl", *texts)
    expected = [{"text": text, command: getattr(okt, command)(text)} for text in texts]
    assert [json.loads(line) for line in lines_of(done)] == json.loads(json.dumps(expected))


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_a_text_is_one_line_of_output_whatever_line_breaks_it_has(command):
    assert len(lines_of(run(command, "가 나\n다\r\n라\r마\t바\x0b사\u2028아\x85자", "끝"))) == 2


def test_a_user_dictionary_is_a_file_of_words(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("쌀과자칩\tNoun\n", encoding="utf-8")
    assert lines_of(run("morphs", "--user_dictionary", str(path), "쌀과자칩을")) == ["쌀과자칩 을"]


# ---- reading and writing ----


def test_files_are_read_in_order_and_the_output_appears_whole(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeff영화가\r\n재밌다".encode())
    (tmp_path / "b.txt").write_bytes("끝\n\n".encode())
    output = tmp_path / "out.txt"
    output.write_text("what was there")
    inputs = [str(tmp_path / "a.txt"), "-", str(tmp_path / "b.txt")]
    done = run("morphs", "--input", *inputs, "--output", str(output), given="배송이\n")
    assert lines_of(done) == []
    assert output.read_text(encoding="utf-8") == "영화 가\n재밌다\n배송 이\n끝\n\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.txt", "out.txt"]


def test_an_error_leaves_the_output_as_it_was(tmp_path):
    (tmp_path / "bad.txt").write_bytes("가\n".encode() * 100_000 + b"\xb0\xa1\n")
    output = tmp_path / "out.txt"
    output.write_text("what was there")
    done = run("morphs", "--input", str(tmp_path / "bad.txt"), "--output", str(output))
    assert done.returncode == 1
    assert re.fullmatch(
        r"oktane: error: \S+bad\.txt, line 100001: byte 0xb0 .* is not UTF-8\. .*--encoding\n",
        done.stderr.decode(),
    )
    assert output.read_text() == "what was there"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("threads", ["1", "3"])
def test_many_lines_keep_their_order_on_all_cores(okt, threads):
    texts = [f"{i} 번째 영화가 재밌다" for i in range(5_000)]
    expected = [" ".join(row) for row in okt.morphs_batch(texts)]
    assert lines_of(run("morphs", "--threads", threads, given="\n".join(texts))) == expected


def test_a_dash_is_standard_input_and_output():
    assert lines_of(run("morphs", "-", "--output", "-", given="영화가")) == ["영화 가"]


def test_input_and_output_are_utf_8_in_every_locale():
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert lines_of(run("morphs", given="영화가", env=environment)) == ["영화 가"]
    assert "재밌다" in run("morphs", "--help", env=environment).stdout.decode()


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="this platform doesn't tell a child's memory")
def test_only_a_part_of_the_input_is_in_memory_at_a_time(tmp_path):
    def peak_memory(count):
        (tmp_path / "in.txt").write_text("영화\n" * count, encoding="utf-8")
        command = [*OKTANE, "morphs", "--threads", "1", "--input", tmp_path / "in.txt", "--output", os.devnull]
        _, status, usage = os.wait4(subprocess.Popen(command).pid, 0)
        assert status == 0
        return usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)  # KiB

    assert peak_memory(6_000_000) < peak_memory(300_000) + 8 * 1024


# ---- in a pipe, and at a keyboard ----


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGPIPE")
def test_a_reader_that_goes_away_ends_the_command_quietly():
    process = subprocess.Popen(
        [*OKTANE, "morphs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    try:
        process.stdin.write("영화가\n".encode() * 300_000)
        process.stdin.close()
    except BrokenPipeError:
        pass
    assert process.wait(60) == 141
    assert process.stderr.read() == b""


@pytest.mark.skipif(sys.platform == "win32", reason="pty is for Unix")
def test_a_typed_line_is_answered_before_the_next_one():
    import pty

    keyboard, terminal = pty.openpty()
    process = subprocess.Popen([*OKTANE, "morphs"], stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.close(terminal)
    for text, answer in (("영화가", "영화 가\n"), ("재밌다", "재밌다\n")):
        os.write(keyboard, f"{text}\n".encode())
        assert process.stdout.readline().decode() == answer
    os.write(keyboard, b"\x04")
    assert process.wait(60) == 0
    assert process.stderr.read().startswith(b"Type a text and press Enter")
    os.close(keyboard)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_an_interrupt_ends_the_command_quietly():
    process = subprocess.Popen(
        [*OKTANE, "morphs"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A job in the background ignores the interrupt, and so would this one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    process.stdin.write("영화가\n".encode())
    process.stdin.flush()
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert process.stderr.read() == b""


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of Unix")
@pytest.mark.parametrize(
    ("redirection", "message"),
    [
        (">&-", "standard output is closed: name a file with --output"),
        ("<&-", "standard input is closed: give texts as arguments or files with --input"),
        pytest.param(
            "> /dev/full",
            "the output: No space left on device",
            marks=pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full"),  # noqa: PTH110
        ),
    ],
)
def test_streams_that_cannot_be_used_are_an_error_of_one_line(redirection, message):
    command = f"echo 영화가 | {{ {sys.executable} -m oktane morphs {redirection}; }}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, f"oktane: error: {message}\n")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of Unix")
def test_with_standard_error_closed_the_command_works_and_says_nothing_else():
    command = f"echo 영화가 | {sys.executable} -m oktane morphs 2>&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "영화 가\n")
    command = f"{sys.executable} -m oktane morphs --input missing.txt 2>&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")


def test_an_error_with_a_name_from_a_stranger_does_nothing_to_a_terminal():
    done = subprocess.run([*OKTANE, "morphs", "--input", "\x1b[2J\u202e.txt"], capture_output=True, text=True)
    assert done.stderr == "oktane: error: \\x1b[2J\\u202e.txt: no file matches\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no way to ask for a process")
def test_what_a_killed_command_was_writing_is_removed_by_the_next_one(tmp_path):
    (tmp_path / ".out.txt.999999999.140.tmp").write_text("half")
    (tmp_path / f".out.txt.{os.getpid()}.140.tmp").write_text("at work")
    subprocess.run([*OKTANE, "morphs", "영화가", "--output", str(tmp_path / "out.txt")], check=True)
    assert {path.name for path in tmp_path.iterdir()} == {"out.txt", f".out.txt.{os.getpid()}.140.tmp"}


# ---- usage ----


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["morphs", "--input", "missing.txt"], 1, "oktane: error: missing.txt: no such file"),
        (
            ["morphs", "--user_dictionary", "missing.txt", "가"],
            1,
            "oktane: error: missing.txt: No such file or directory",
        ),
        (["morphs", "--output", "no/such/folder.txt", "가"], 1, "the folder does not exist; make it first: mkdir -p"),
        (["morphs", "가", "--input", "a.txt"], 2, "give texts or --input, not both"),
        (["morphs", "--threads", "0", "가"], 2, "--threads must be at least 1"),
        (["nouns", "--stem", "가"], 2, "unrecognized arguments: --stem"),
        (
            ["morphs", "--stme", "가"],
            2,
            "oktane morphs: error: unrecognized arguments: --stme; did you mean --stem? (see oktane morphs --help)",
        ),
        (["--norm", "morphs", "가"], 2, "unrecognized arguments: --norm; --norm goes after the command"),
        (["--vresion"], 2, "did you mean --version? (see oktane --help)"),
        (["morph", "가"], 2, "; did you mean morphs? (see oktane --help)"),
        (["morphs", "--output_format", "json", "가"], 2, "; did you mean jsonl? (see oktane morphs --help)"),
        (
            [],
            2,
            "choose from morphs, pos, nouns, phrases, normalize, predict, encode (see oktane --help)",
        ),
    ],
)
def test_wrong_usage_says_what_is_wrong(tmp_path, arguments, code, message):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == code
    assert message in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [[], *([command] for command in cli.COMMANDS)])
def test_the_examples_in_help_run(capsys, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reviews.txt").write_text("영화가 재밌다\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="0"):
        cli.main([*command, "--help"])
    examples = capsys.readouterr().out.partition("examples:\n")[2].splitlines()
    assert len(examples) == 2
    for example in examples:
        script = example.strip().replace("oktane", f"{sys.executable} -m oktane", 1)
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
        assert done.stderr == ""


def test_version_and_help_load_nothing_that_only_an_analysis_needs():
    assert run("--version").stdout.decode() == f"oktane {__version__}\n"
    code = (
        "import sys; from oktane import cli\ntry: cli.main(['--help'])\nexcept SystemExit: print(sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for name in ("numpy", "difflib", "hashlib", "concurrent.futures", "oktane.readers"):
        assert repr(name) not in done.stdout.splitlines()[-1]


def processor_seconds(*command):
    """The least time that a command kept a core busy: unlike the clock's, the same on a busy machine."""
    times = []
    for _ in range(10):
        process = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0
        times.append(usage.ru_utime + usage.ru_stime)
    return min(times)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "wait4"), reason="this platform doesn't tell a child's time")
def test_version_answers_in_a_tenth_of_a_second_and_an_analysis_soon_after():
    bare = processor_seconds("-c", "pass")
    assert processor_seconds("-m", "oktane", "--version") < 0.1
    assert processor_seconds("-c", "from oktane import Okt; print(Okt().morphs('영화가 재밌다'))") - bare < 0.15


def test_a_file_is_not_overwritten_by_its_own_analysis(tmp_path):
    path = tmp_path / "reviews.txt"
    path.write_text("영화가 재밌다\n", encoding="utf-8")
    (tmp_path / "link.txt").symlink_to(path)
    for name in ("reviews.txt", "link.txt"):
        done = run("morphs", "--input", "reviews.txt", "--output", name, cwd=tmp_path)
        assert done.returncode == 1
        assert b"input and output are the same file" in done.stderr
    assert path.read_text(encoding="utf-8") == "영화가 재밌다\n"


# ---- tables ----


def test_the_texts_of_tables_are_read_as_predict_reads_them(tmp_path):
    (tmp_path / "a.csv").write_bytes('리뷰;분류\n"영화가; 좋다";긍정\n별로;부정\n'.encode("cp949"))
    (tmp_path / "b.jsonl").write_text('{"text": "영화가"}\n{"text": null}\n', encoding="utf-8")
    (tmp_path / "c.log").write_text("리뷰,영화가\n", encoding="utf-8")
    (tmp_path / "part-00000").write_text("영화가\n", encoding="utf-8")
    done = run("morphs", "--input", "a.csv", "b.jsonl", "c.log", "part-*", cwd=tmp_path)
    expected = ["영화 가 ; 좋다", "별로", "영화 가", "", "리뷰 , 영화 가", "영화 가"]
    assert done.stdout.decode().splitlines() == expected
    assert "separated by semicolons" in done.stderr.decode()
    done = run("nouns", "--input", "a.csv", "--text_column", "분류", "--output_format", "jsonl", cwd=tmp_path)
    assert json.loads(done.stdout.splitlines()[0]) == {"text": "긍정", "nouns": ["긍정"]}
    table = (tmp_path / "a.csv").read_bytes()
    done = run("morphs", "--input", "-", "--input_format", "csv", given=table)
    assert done.stdout.decode().splitlines() == expected[:2]
    done = run("morphs", given=table)
    assert len(done.stdout.splitlines()) == 3
    assert "the first one names columns; to read a table, add --input - --input_format csv" in done.stderr.decode()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--input", "table.txt"], 1, "the first line names columns: .*--input_format csv"),
        (["--input", "a.csv"], 1, "which column holds the texts\\? Name it with --text_column"),
        (["--text_column", "text", "가"], 2, "--text_column goes with --input"),
        (["--input", "missing.csv"], 1, "missing.csv: no such file"),
    ],
)
def test_mistakes_with_tables_are_one_line(tmp_path, arguments, code, message):
    (tmp_path / "table.txt").write_text("text,label\n가,1\n", encoding="utf-8")
    (tmp_path / "a.csv").write_text("x,y\n가,1\n", encoding="utf-8")
    done = run("morphs", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, b"")
    assert re.fullmatch(rf"oktane.*: error: .*{message}.*\n", done.stderr.decode())


# ---- encodings ----


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp949", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("by_file", [True, False])
def test_lines_are_read_in_the_encoding_that_they_are_in(okt, tmp_path, encoding, by_file):
    texts = ["정말 재미있는 영화였다", "연기가 별로", "", "배우들이 좋았다"]
    content = "\r\n".join(texts).encode(encoding)
    path = tmp_path / "texts.txt"
    path.write_bytes(content)
    done = run("morphs", "--input", str(path)) if by_file else run("morphs", given=content)
    assert done.stdout.decode().split("\n")[:-1] == [" ".join(okt.morphs(text)) for text in texts]
    said = done.stderr.decode()
    assert ("is read as" in said) == (encoding != "utf-8-sig"), said


def test_a_named_encoding_decides_and_a_compressed_file_is_read(okt, tmp_path):
    path = tmp_path / "texts.txt.gz"
    path.write_bytes(gzip.compress("영화가 좋다\n별로".encode("cp949")))
    done = run("morphs", "--input", str(path), "--encoding", "cp949")
    assert lines_of(done) == ["영화 가 좋다", "별로"]
    done = run("morphs", "--input", str(path), "--encoding", "utf-8")
    assert done.returncode == 1
    assert "line 1: byte 0xbf (number 1 of the line) is not UTF-8" in done.stderr.decode()
    done = run("morphs", "--encoding", "utf8000", given="가")
    assert "--encoding utf8000: no such encoding" in done.stderr.decode()


def test_decomposed_hangul_is_composed_if_one_asks_for_it(tmp_path):
    text = normalize("NFD", "영화가 재밌다")
    assert lines_of(run("morphs", "--compose", text)) == ["영화 가 재밌다"]


def test_a_file_of_words_changes_the_morphemes(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("워라밸\n-영화\n8시즌\t8/Number 시즌/Noun\n", encoding="utf-8")
    done = run("pos", "--user_dictionary", str(path), "8시즌 워라밸이", "영화")
    assert lines_of(done)[0] == "8/Number 시즌/Noun 워라밸/Noun 이/Josa"
    assert lines_of(done)[1] != "영화/Noun"
