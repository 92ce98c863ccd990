import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from transformers import TrainingArguments

from okt_lstm.training import renamed
from okt_lstm.training.commands import COMMANDS, TRAIN, defaults, training_argument_names
from okt_lstm.training.options import ModelOptions
from okt_lstm.training.parsing import parse

RECORDED = Path(__file__).parents[1] / "recorded" / "0.1.0"


@pytest.fixture(autouse=True)
def _nothing_said_yet():
    renamed._say.cache_clear()


@pytest.fixture
def given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *flags: parse(TRAIN, ["--output_dir", "out", *flags])


def test_what_is_given_is_returned_with_its_type_and_nothing_else(given):
    flags = [
        "--hidden_size",
        "32",
        "--learning_rate",
        "1e-4",
        "--teacher",
        "a",
        "b",
        "--bidirectional",
        "false",
        "--bf16",
    ]
    assert given(*flags) == {
        "output_dir": "out",
        "hidden_size": 32,
        "learning_rate": 1e-4,
        "teacher": ["a", "b"],
        "bidirectional": False,
        "bf16": True,
    }


def test_options_of_transformers_are_taken_too(given):
    flags = ["--adam_epsilon", "1e-9", "--lr_scheduler_kwargs", '{"num_cycles": 2}', "--label_names", "labels"]
    options = given(*flags, "--seed", "7")
    assert (options["adam_epsilon"], options["label_names"], options["seed"]) == (1e-9, ["labels"], 7)
    assert set(options) == {"output_dir", "adam_epsilon", "lr_scheduler_kwargs", "label_names", "seed"}


def test_hyphens_and_no_are_understood(given):
    assert given("--hidden-size=32", "--no-bidirectional", "--no_do_predict") == {
        "output_dir": "out",
        "hidden_size": 32,
        "bidirectional": False,
        "do_predict": False,
    }


@pytest.mark.parametrize(("flags", "value"), [([], True), (["true"], True), (["false"], False), (["there"], "there")])
def test_resuming_needs_no_value(given, flags, value):
    assert given("--resume_from_checkpoint", *flags)["resume_from_checkpoint"] == value


# Files


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_a_file_sets_options_of_every_kind_and_flags_win(given, tmp_path, suffix):
    options = {"hidden_size": 32, "bidirectional": False, "dataset": "sample", "seed": 7, "learning_rate": 0.01}
    (tmp_path / f"options.{suffix}").write_text(json.dumps(options))
    assert given("--seed", "8", "--config", f"options.{suffix}") == options | {"output_dir": "out", "seed": 8}


def test_yaml_writes_numbers_lists_tables_and_nothing(given, tmp_path):
    (tmp_path / "options.yaml").write_text(
        "learning_rate: 1e-4\nlabel_names: [labels]\nlr_scheduler_kwargs: {num_cycles: 2}\nword_mark:\nteacher: a\n"
    )
    assert given("--config", "options.yaml") == {
        "output_dir": "out",
        "learning_rate": 1e-4,  # YAML 1.1 takes 1e-4 for a text
        "label_names": ["labels"],
        "lr_scheduler_kwargs": {"num_cycles": 2},
        "teacher": ["a"],
    }


def test_the_output_folder_may_stand_in_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "options.yaml").write_text("output_dir: there\n")
    assert parse(TRAIN, ["--config", "options.yaml"]) == {"output_dir": "there"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("epochs: 1\nlearning_rat: 1", r"options.yaml: unknown option 'learning_rat' \(did you mean learning_rate\?\)"),
        ("learning_rat: 1\nfoo: 2", "unknown options 'learning_rat' .*, 'foo'"),
        ("config: other.yaml", "unknown option 'config'"),
        ("hidden_size: large", "options.yaml: hidden_size is 'large'; it has to be a whole number"),
        ("hidden_size: true", "hidden_size is True"),
        ("model_type: cnn", "model_type is 'cnn'; it has to be lstm, gru, rnn or ngram"),
        ("a: [1", "options.yaml: not valid YAML or JSON"),
        ("- 1", "options.yaml: must be a table"),
        ("", "options.yaml: must be a table"),
    ],
)
def test_a_bad_file_is_an_error_that_names_it(given, tmp_path, content, message):
    (tmp_path / "options.yaml").write_text(content)
    with pytest.raises(ValueError, match=message):
        given("--config", "options.yaml")


def test_a_missing_file_is_an_error_that_names_it(given):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.yaml"):
        given("--config", "nowhere.yaml")


# Mistakes


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--learnin_rate", "1"], r"unknown option --learnin_rate \(did you mean --learning_rate\?\)$"),
        (["--learn", "1"], "unknown option --learn"),
        (["stray"], "unknown option stray"),
        (["--adam_epsilon", "1e-9", "stray"], "unknown option stray"),
        (
            ["--hiden_size", "1", "--adam_epsilom", "1", "--quux"],
            r"unknown options --hiden_size \(.*--hidden_size\?\), --adam_epsilom \(.*--adam_epsilon\?\), --quux$",
        ),
        (["--learning_rate", "fast"], "--learning_rate.*invalid float value: 'fast'"),
        (["--bf16", "maybe"], "--bf16: true or false is expected, not 'maybe'"),
        (["--model_type", "cnn"], "--model_type is 'cnn'; it has to be lstm, gru, rnn or ngram"),
    ],
)
def test_a_wrong_flag_ends_the_program_with_two_lines_that_name_it(given, capsys, flags, message):
    with pytest.raises(SystemExit) as exit_:
        given(*flags)
    assert exit_.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert re.search(message, lines[0])
    assert lines[1:] == ["Help: okt-lstm train --help"]


def test_what_is_required_is_asked_for(capsys):
    with pytest.raises(SystemExit):
        parse(TRAIN, ["--seed", "1"])
    assert "needs --output_dir: where the trained model goes\n" in capsys.readouterr().err


# Names


@pytest.mark.parametrize(
    ("typed", "option"),
    [
        ("--num_layers", "num_hidden_layers"),
        ("--epochs", "num_train_epochs"),
        ("--batch_size", "per_device_train_batch_size"),
        ("--batch-size", "per_device_train_batch_size"),
        ("--lr", "learning_rate"),
    ],
)
def test_the_short_names_that_people_type_are_taken(given, typed, option):
    assert given(typed, "1") == {"output_dir": "out", option: 1}
    assert given(f"{typed}=1") == {"output_dir": "out", option: 1}


def test_a_command_with_an_option_of_a_short_name_keeps_it():
    options = parse(COMMANDS["word-vectors"], ["--output", "v.vec", "--epochs", "2"])
    assert options == {"output": "v.vec", "epochs": 2}


def test_names_of_0_1_0_are_taken_with_a_line_that_names_the_new_one(given, caplog):
    flags = "--unlabelled t.txt --unlabelled_column c --max_unlabelled_samples 9 --tokenizer_model word"
    more = "--softmax_candidates 64 --max_validation_samples 8 --max-test-samples 7"
    assert given(*flags.split(), *more.split()) == {
        "output_dir": "out",
        "unlabeled": "t.txt",
        "unlabeled_column": "c",
        "max_unlabeled_samples": 9,
        "subword": "none",
        "sampled_softmax_size": 64,
        "max_eval_samples": 8,
        "max_predict_samples": 7,
    }
    assert "--unlabelled is now called --unlabeled" in caplog.messages
    assert len(caplog.messages) == 7
    flags = "--output_dir out --unlabelled t.txt --held_out_samples 5"
    assert parse(COMMANDS["pretrain"], flags.split())["max_eval_samples"] == 5


def test_a_file_of_options_of_0_1_0_means_what_it_meant(given):
    assert given("--config", str(RECORDED / "options.yaml")) == {
        "output_dir": "out",
        "dataset": "reviews.tsv",
        "subword": "bpe",
        "vocab_size": 290,
        "word_mark": "▁",
        "user_dictionary": "user_dictionary.txt",
        "max_eval_samples": 10,
    }


def test_every_name_of_0_1_0_has_one_that_a_command_knows():
    known = {name for command in COMMANDS.values() for name in command.options}
    assert set(renamed.OPTIONS.values()) <= known
    assert not set(renamed.OPTIONS) & known
    assert set(renamed.COMMANDS.values()) <= set(COMMANDS)


# Help


def help_of(name, capsys, monkeypatch, flag="--help"):
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as exit_:
        parse(COMMANDS[name], [flag])
    assert exit_.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_what_the_command_does_and_ends_with_two_examples(name, capsys, monkeypatch):
    lines = help_of(name, capsys, monkeypatch).splitlines()
    assert lines[0].startswith(f"usage: okt-lstm {name} --")
    assert "--output" in lines[0]
    assert lines[2] == COMMANDS[name].summary
    assert lines[-3] == "examples:"
    assert all(line.startswith(f"  okt-lstm {name} ") for line in lines[-2:])
    assert max(map(len, lines)) <= 100
    assert len(lines) <= 100


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_of_the_help_can_be_typed(name):
    for example in COMMANDS[name].examples:
        assert parse(COMMANDS[name], example.split()[2:])


def test_help_groups_what_matters_and_shows_defaults(capsys, monkeypatch):
    text = help_of("train", capsys, monkeypatch)
    for group in ("data", "text to ids", "network", "transfer", "unlabeled text", "training", "output"):
        assert f"\n{group}:\n" in text
    for option in ("--config", "--text_column", "--recipe", "--stages_dir", "--teacher", "--resume_from_checkpoint"):
        assert f"  {option} " in text
    flat = " ".join(text.split())
    assert "--hidden_size N hidden units of a layer, per direction (default: 64)" in flat
    assert "--bidirectional [true|false]" in flat
    assert "None" not in text
    assert "--no_" not in text
    assert "adam_epsilon" not in text
    assert "so many epochs" not in text
    for option in ("--license", "--hub_model_id", "--do_predict", "--max_ngram", "--unlabeled_column"):
        assert option not in text
    assert "  --unlabeled_column " in help_of("word-vectors", capsys, monkeypatch)


def test_help_all_shows_everything(capsys, monkeypatch):
    text = help_of("train", capsys, monkeypatch, "--help-all")
    for option in TRAIN.names:
        assert f"  --{option}" in text


def test_the_defaults_of_the_help_are_those_of_the_configurations():
    shown = defaults(ModelOptions)
    for model_type in ("lstm", "rnn", "ngram"):
        config = ModelOptions(model_type).to_config()
        for field in fields(ModelOptions)[1:]:
            if hasattr(config, field.name):
                assert shown[field.name] == getattr(config, field.name), field.name


def test_the_names_of_transformers_options_are_read_from_its_source():
    assert training_argument_names() == {field.name for field in fields(TrainingArguments)}


def test_mistakes_and_help_import_nothing_heavy():
    program = """
import sys
from okt_lstm.cli import main
for line in ("--version", "train --help", "train --lerning_rate 1", "predict --input none.txt", "push --help"):
    try:
        main(line.split())
    except SystemExit:
        pass
print([name for name in ("torch", "transformers", "datasets", "pyarrow") if name in sys.modules])
"""
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert output.splitlines()[-1] == "[]"
