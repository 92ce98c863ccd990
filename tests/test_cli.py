import json
import logging
import platform
import re
import signal

import pytest
import torch
from command_errors import assert_one_line_error
from tiny import save_tiny

import okt_lstm
import okt_lstm.hub as sharing
from okt_lstm import cli
from okt_lstm.training import renamed


@pytest.fixture(autouse=True)
def _signals():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def printed(output):
    return [line.split("\t") for line in output.splitlines()]


# predict


def test_texts_as_arguments_get_a_line_each(run, folder, classifier):
    texts = ["시간이 아깝다", "", "정말\t재미\n있다"]
    code, output, errors = run("predict", "--model", folder, *texts)
    assert (code, errors) == (0, "")
    rows = printed(output)
    assert [row[0] for row in rows] == classifier.predict(texts)
    assert [float(row[1]) for row in rows] == pytest.approx(classifier.predict_proba(texts).max(axis=1), abs=1e-5)
    assert [row[2] for row in rows] == ["시간이 아깝다", "", "정말 재미 있다"]


def test_without_a_model_the_one_inside_the_package_is_used(run, tmp_path, folder, reviews, monkeypatch):
    monkeypatch.setattr("oktane.folders.RELEASED_MODEL", folder)
    assert run("predict", "굿", "시간이 아깝다") == run("predict", "--model", folder, "굿", "시간이 아깝다")
    assert run("evaluate", "--dataset", reviews)[:2] == run("evaluate", folder, "--dataset", reviews)[:2]
    assert_one_line_error(run("evaluate"), folder, "does not say what it was trained on")
    monkeypatch.setattr("oktane.folders.RELEASED_MODEL", tmp_path / "released")
    for command in (["predict", "굿"], ["evaluate"], ["evaluate", "--dataset", reviews]):
        assert_one_line_error(run(*command), "has no trained model", "okt-lstm train")


def test_lines_of_standard_input_get_a_line_each(run, folder, classifier):
    code, output, errors = run(
        "predict", "--model", folder, "--probabilities", stdin="\ufeff굿\r\n\n정말 재미 없다".encode()
    )
    assert (code, errors) == (0, "")
    rows = printed(output)
    texts = ["굿", "", "정말 재미 없다"]
    assert [row[4] for row in rows] == texts
    assert [[float(value) for value in row[2:4]] for row in rows] == pytest.approx(
        classifier.predict_proba(texts), abs=1e-5
    )


def test_rows_of_a_file_are_printed_or_written(run, tmp_path, folder, classifier):
    source = tmp_path / "in.csv"
    source.write_text("id,review\n1,굿\n2,시간이 아깝다\n")
    labels = classifier.predict(["굿", "시간이 아깝다"])
    for flag in ("--text_column", "--text-column"):
        code, output, _ = run("predict", "--model", folder, "--input", source, flag, "review")
        assert code == 0
        assert [row[0] for row in printed(output)] == labels
    target = tmp_path / "out.jsonl"
    code, output, _ = run("predict", "--model", folder, "--input", source, "--output", target)
    assert (code, output) == (0, "")
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert [(row["id"], row["review"], row["label"]) for row in rows] == [
        ("1", "굿", labels[0]),
        ("2", "시간이 아깝다", labels[1]),
    ]


def test_mistakes_with_files_are_one_line(run, tmp_path, folder):
    def predict(name, content, target="out.csv", *more):
        source = tmp_path / name
        if content is not None:
            source.write_bytes(content)
        return run("predict", "--model", folder, "--input", source, "--output", tmp_path / target, *more)

    assert_one_line_error(predict("none.csv", None), "none.csv", "no such file")
    assert_one_line_error(predict("in.csv", b"a,b\n1,2\n"), "--text_column", "a, b")
    assert_one_line_error(predict("in.csv", b"text\n1\n", "out.csv", "--text_column", "x"), "'x'", "text")
    assert_one_line_error(predict("in.csv", b"text\n1\n", "out.doc"), "out.doc", ".jsonl")
    assert_one_line_error(predict("in.csv", b"text\n1\n", "none/out.csv"), "none", "mkdir -p")
    assert_one_line_error(predict("in.csv", b"text\n1\n", "in.csv"), "same file")
    assert_one_line_error(predict("in.doc", b"text\n"), "in.doc", "unknown file format")
    rows = b'{"text": "a"}\n' * 16 + b'{"text": 5}\n'
    assert_one_line_error(predict("in.jsonl", rows), "in.jsonl", "line 17", "int", "not text")
    assert_one_line_error(predict("in.txt", b"a\nb\n\xff\n"), "in.txt", "line 3", "xff", "UTF-8")
    assert not (tmp_path / "out.csv").exists()
    assert not list(tmp_path.glob(".*")), "no temporary file stays"


def test_mistakes_with_standard_input_and_models_are_one_line(run, tmp_path, folder):
    code, _, errors = run("predict", "--model", folder, stdin=b"good\nbad \xb1\n")
    assert code == 1
    assert "standard input, line 2: is neither UTF-8 nor Korean in CP949" in errors
    assert_one_line_error(run("predict", "--model", folder, "굿", "\udcff"), "text 2 of the arguments is not UTF-8")
    assert_one_line_error(run("predict", "--model", tmp_path / "no" / "model", "굿"), "no such folder")
    assert_one_line_error(run("predict", "--model", tmp_path, "굿"), "config.json", "okt-lstm train")
    assert_one_line_error(run("predict", "--model", folder, "--device", "abacus", "굿"), "abacus")
    assert_one_line_error(run("predict", "--model", folder, "--engine", "oktane", "굿"), "tokenizer_class", "torch")
    assert_one_line_error(
        run("predict", "--engine", "oktane", "--device", "cuda", "굿"), "on the CPU only, not on cuda"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["predict", "--model", "m", "굿", "--input", "a.csv"],
        ["predict", "--model", "m", "--output", "a.csv"],
        ["predict", "--model", "m", "--text_column", "x"],
        ["predict", "--model", "m", "--input", "a.csv", "--input_format", "doc"],
        ["predict", "--model", "m", "--engine", "onnx", "굿"],
        ["push", "folder"],
    ],
)
def test_wrong_usage_exits_with_2(run, arguments):
    code, output, errors = run(*arguments)
    assert code == 2
    assert output == ""
    assert errors.splitlines()[0].startswith("okt-lstm")
    assert errors.splitlines()[1:] == [f"Help: okt-lstm {arguments[0] + ' ' if arguments[1:] else ''}--help"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("trian", "'trian' (did you mean train?)"),
        ("predict --modle m 굿", "--modle (did you mean --model?)"),
        ("evaluate m --datset d --outptu o", "--datset (did you mean --dataset?), --outptu (did you mean --output?)"),
        ("evaluate --modle x", "--modle (did you mean --model?)"),
        ("push out kim/m --privat", "--privat (did you mean --private?)"),
    ],
)
def test_what_was_mistyped_is_answered_with_what_was_meant(run, typed, meant):
    code, _, errors = run(*typed.split())
    assert code == 2
    assert meant in errors.splitlines()[0]


COMMANDS = ("train", "pretrain", "word-vectors", "inspect", "audit", "evaluate", "predict", "export", "push")


def test_help_names_every_command(run):
    code, output, _ = run("--help")
    assert code == 0
    for command in COMMANDS:
        assert f"\n  {command} " in output


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_says_what_it_does_and_ends_with_two_examples(run, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    code, output, _ = run(command, "--help")
    assert code == 0
    lines = output.splitlines()
    assert lines[0].startswith(f"usage: okt-lstm {command} ")
    assert lines[2].endswith(".")
    examples = lines[lines.index("examples:") + 1 :]
    assert len(examples) >= 2
    assert all(line.startswith(f"  okt-lstm {command} ") for line in examples)
    assert max(map(len, lines)) <= 100


def test_the_version_says_what_to_report_with_a_bug(run):
    code, output, _ = run("--version")
    assert code == 0
    names = [line.split()[0] for line in output.splitlines()]
    assert names == ["okt-lstm", "oktane", "torch", "transformers", "Python", platform.system()]
    assert output.splitlines()[0] == f"okt-lstm {okt_lstm.__version__}"


def test_the_command_of_0_1_0_is_answered_with_the_new_one(run, tmp_path):
    renamed._say.cache_clear()
    code, _, errors = run("embed", "--unlabelled", tmp_path / "none.txt", "--output", tmp_path / "v.vec")
    assert code == 1
    assert errors.splitlines() == [
        "okt-lstm: `okt-lstm embed` is now called `okt-lstm word-vectors`",
        "okt-lstm: --unlabelled is now called --unlabeled",
        f"okt-lstm: error: {tmp_path / 'none.txt'}: no such file (--unlabeled)",
    ]


@pytest.mark.parametrize("name", ["ou", "./kim/ou", "kim/my/ou"])
def test_what_can_be_no_repository_is_refused_without_asking_the_hub(run, monkeypatch, name):
    monkeypatch.setattr(sharing, "hf_hub_download", lambda *_, **__: pytest.fail("the Hub was asked"))
    assert_one_line_error(run("predict", "--model", name, "굿"), f"{name}: no such folder")


@pytest.mark.parametrize(("chosen", "threads"), [(None, 1), ("2", 2)])
def test_torch_gets_no_more_threads_than_cores_are_granted_unless_they_are_chosen(monkeypatch, chosen, threads):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if chosen:
        monkeypatch.setenv("OMP_NUM_THREADS", chosen)
    monkeypatch.setattr("oktane.available_cores", lambda: 1)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        cli.training._use_granted_cores()
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_a_run_leaves_the_logging_of_the_process_as_it_was(run, folder):
    from transformers.utils import logging as transformers_logging

    verbosity = transformers_logging.get_verbosity()
    package = logging.getLogger("okt_lstm")
    before = (list(package.handlers), package.level)
    run("predict", "--model", folder, "굿")
    assert (list(package.handlers), package.level) == before
    assert transformers_logging.get_verbosity() == verbosity


def test_a_bug_is_not_taken_for_a_mistake(run, folder, monkeypatch):
    monkeypatch.setattr("oktane.files.print_predictions", lambda *_, **__: {}["bug"])
    with pytest.raises(KeyError):
        run("predict", "--model", folder, "굿")


def test_a_traceback_can_be_asked_for(run, tmp_path, monkeypatch):
    monkeypatch.setenv("OKT_LSTM_TRACEBACK", "1")
    with pytest.raises(OSError, match=r"config\.json"):
        run("predict", "--model", tmp_path, "굿")


@pytest.mark.parametrize("command", [["predict", "굿", "별로"], ["evaluate", "--dataset", "sample"]])
def test_the_engine_changes_nothing_that_is_printed(run, command, tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    code, expected, _ = run(*command, "--device", "cpu", "--engine", "torch")
    assert code == 0
    for engine in ([], ["--engine", "oktane"]):
        code, output, _ = run(*command, *engine)
        assert code == 0
        for found, wanted in zip(re.findall(r"[\w.]+", output), re.findall(r"[\w.]+", expected), strict=True):
            assert found == wanted or float(found) == pytest.approx(float(wanted), abs=1e-4)


# evaluate, train, push


@pytest.fixture
def reviews(tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    path = tmp_path / "reviews.csv"
    path.write_text("text,label\n굿,positive\n시간이 아깝다,negative\n정말 재미 있다,positive\n별로,negative\n")
    return path


def test_evaluation_prints_and_writes_scores_of_a_named_data_set(run, tmp_path, folder, classifier, reviews):
    target = tmp_path / "scores.json"
    code, output, errors = run("evaluate", folder, "--dataset", reviews, "--output", target)
    assert code == 0, errors
    scores = json.loads(output)
    assert json.loads(target.read_text()) == scores
    assert scores["rows"] == 4
    labels = ["positive", "negative", "positive", "negative"]
    predicted = classifier.predict(["굿", "시간이 아깝다", "정말 재미 있다", "별로"])
    assert scores["accuracy"] == sum(map(str.__eq__, labels, predicted)) / 4
    assert {"loss", "f1_macro", "precision_macro", "recall_macro"} < scores.keys()


def test_evaluation_uses_what_the_model_was_trained_on(run, tmp_path, reviews):
    trained = save_tiny(tmp_path / "trained")
    assert_one_line_error(run("evaluate", trained), "does not say what it was trained on", "--dataset")
    recorded = {"dataset": str(reviews), "test_file": str(reviews), "text_column": "text"}
    (trained / "data_args.json").write_text(json.dumps(recorded))
    code, output, errors = run("evaluate", trained, "--max_predict_samples", "3")
    assert code == 0, errors
    assert json.loads(output)["rows"] == 3
    assert_one_line_error(run("evaluate", trained, "--output", tmp_path / "none" / "scores.json"), "mkdir -p")
    for damaged in (
        "[]",
        '{"dataset": 5}',
        '{"dataset": "nsmc", "data_dir": [1]}',
        '{"a": ' * 9000,
        '{"text_column": {}}',
    ):
        (trained / "data_args.json").write_text(damaged)
        assert_one_line_error(run("evaluate", trained), "data_args.json is damaged")


def test_evaluation_refuses_labels_that_the_model_does_not_know(run, tmp_path, folder, reviews):
    reviews.write_text("text,label\n굿,neutral\n")
    code, output, errors = run("evaluate", folder, "--dataset", reviews)
    assert (code, output) == (1, "")
    assert "neutral" in errors.splitlines()[-1]


def test_nsmc_is_downloaded_where_the_folder_it_was_read_from_is_missing(run, tmp_path, monkeypatch):
    trained = save_tiny(tmp_path / "trained")
    (trained / "data_args.json").write_text(json.dumps({"dataset": "nsmc", "data_dir": str(tmp_path / "gone")}))
    asked = []

    def load_test_split(arguments, *_, **__):
        asked.append(arguments.data_dir)
        raise ValueError("no network")

    monkeypatch.setattr("okt_lstm.data.splits.load_test_split", load_test_split)
    assert_one_line_error(run("evaluate", trained), "no network")
    assert_one_line_error(run("evaluate", trained, "--data_dir", tmp_path), "no network")
    assert asked == [None, str(tmp_path)]


def test_push_of_what_is_no_model_is_one_line(run, tmp_path):
    assert_one_line_error(run("push", tmp_path, "kim/m", "--token", "hf_x"), "config.json", "okt-lstm train")


def test_word_vectors_without_gensim_says_how_to_get_it(run, tmp_path, monkeypatch):
    monkeypatch.setattr(cli.training, "find_spec", lambda name: None)
    (tmp_path / "t.txt").write_text("굿\n")
    command = ["word-vectors", "--unlabeled", tmp_path / "t.txt", "--output", tmp_path / "v.vec"]
    assert_one_line_error(run(*command), "needs gensim: pip install gensim")


class Refusal(sharing.RepositoryNotFoundError):
    """The Hub's answer for what it does not have."""

    def __init__(self):
        Exception.__init__(self)


@pytest.mark.parametrize("command", [["train", "--output_dir", "o"], ["evaluate"]])
@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("kim/none", Refusal(), "kim/none: no such file or folder; no such data set on the Hugging Face Hub"),
        ("kim/none", sharing.OfflineModeIsEnabled(), "the Hugging Face Hub can't be asked for it"),
        ("reviws", Refusal(), "reviws: no such file or folder; a data set on the Hugging Face Hub is named owner/name"),
        ("reviws", sharing.OfflineModeIsEnabled(), "is named owner/name"),
        ("a b", None, "a b: no such file or folder"),
    ],
)
def test_a_data_set_that_is_not_there_is_one_line_after_one_question(run, monkeypatch, command, name, answer, message):
    asked = []

    def ask(url):
        asked.append(url)
        raise answer

    monkeypatch.setattr(sharing, "get_hf_file_metadata", ask)
    assert_one_line_error(run(*command, "--dataset", name), message)
    assert len(asked) == (0 if answer is None else 1)


def test_a_recorded_data_set_that_is_gone_is_one_line(run, tmp_path, monkeypatch):
    def ask(url):
        raise Refusal

    monkeypatch.setattr(sharing, "get_hf_file_metadata", ask)
    trained = save_tiny(tmp_path / "trained")
    (trained / "data_args.json").write_text(json.dumps({"dataset": "kim/none"}))
    assert_one_line_error(run("evaluate", trained), "kim/none: no such file or folder; no such data set")


def test_a_data_set_in_the_cache_needs_no_connection(monkeypatch, tmp_path):
    def ask(url):
        raise sharing.OfflineModeIsEnabled

    monkeypatch.setattr(sharing, "get_hf_file_metadata", ask)
    monkeypatch.setattr(sharing, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(sharing.LoadError):
        sharing.check_dataset("kim/films")
    (tmp_path / "datasets--kim--films").mkdir()
    sharing.check_dataset("kim/films")


def test_evaluate_takes_the_model_as_predict_does(run, folder, reviews):
    assert run("evaluate", "--model", folder, "--dataset", reviews) == run("evaluate", folder, "--dataset", reviews)
    code, _, errors = run("evaluate", "a", "--model", "b")
    assert code == 2
    assert "name one model, a or b" in errors


def test_predict_asks_whether_a_text_that_is_a_model_was_meant_as_one(run, folder, monkeypatch):
    monkeypatch.setattr("oktane.folders.RELEASED_MODEL", folder)
    code, output, errors = run("predict", folder, "굿")
    assert (code, len(output.splitlines())) == (0, 2)
    assert errors.splitlines() == [
        f"okt-lstm: warning: {folder} is the folder of a model; did you mean --model {folder}?"
    ]
    assert run("predict", "--model", folder, folder)[2] == ""
    monkeypatch.chdir(folder)
    code, _, errors = run("predict", "", "정말 재미 있다 " * 1000)
    assert (code, errors) == (0, "")


# word-vectors


def test_word_vectors_writes_vectors_and_prints_figures(run, tmp_path):
    (tmp_path / "t.txt").write_text("영화가 재밌었어요\n정말 재밌는 영화\n" * 20)
    quick = ["--vector_size", "4", "--bucket", "100", "--epochs", "1", "--workers", "1"]
    code, output, errors = run(
        "word-vectors", "--unlabeled", tmp_path / "t.txt", "--output", tmp_path / "v.vec", *quick
    )
    assert (code, errors) == (0, "")
    tokens, size = (tmp_path / "v.vec").read_text().split("\n")[0].split()
    figures = json.loads(output)
    assert (figures["tokens"], figures["vector_size"]) == (int(tokens), int(size))


def test_word_vectors_says_in_one_line_what_cannot_be_used(run, tmp_path):
    assert_one_line_error(
        run("word-vectors", "--unlabeled", tmp_path / "none.txt", "--output", tmp_path / "v.vec"),
        "none.txt",
        "no such file",
    )
    (tmp_path / "t.txt").write_text("굿\n")
    text = ["--unlabeled", tmp_path / "t.txt"]
    assert_one_line_error(run("word-vectors", *text, "--output", "v.npy"), "v.npy", ".safetensors")
    code, _, errors = run("word-vectors", "--unlabeled", "t.txt", "--output", "v.vec", "--window_size", "3")
    assert code == 2
    assert "--window" in errors
