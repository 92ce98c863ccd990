import json
import re
from typing import get_args

import pytest

from okt_lstm.training.options import Arguments, given_options, parse_arguments, to_flags


@pytest.fixture
def parse(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *flags: parse_arguments(["--output_dir", "out", "--use_cpu", "true", *flags])


def test_defaults_are_the_classic_recipe(parse):
    model, tokenizer, data, training, transfer, unlabeled = parse()
    assert (model.model_type, model.embedding_size, model.hidden_size) == ("lstm", 128, 64)
    assert (model.num_hidden_layers, model.bidirectional) == (2, True)
    assert (model.hidden_dropout, model.classifier_dropout) == (0.5, 0.5)
    assert (training.optim.value, training.learning_rate) == ("rmsprop", 1e-3)
    assert (tokenizer.tokenizer_model, tokenizer.norm, tokenizer.stem) == ("word", False, False)
    assert data.dataset == "nsmc"
    assert (transfer.pretrained, transfer.embeddings, transfer.teacher, unlabeled.unlabeled) == (None, None, [], None)


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_a_file_sets_options_of_every_kind_and_flags_win(parse, tmp_path, suffix):
    options = {"hidden_size": 32, "bidirectional": False, "dataset": "sample", "seed": 7, "learning_rate": 0.01}
    (tmp_path / f"options.{suffix}").write_text(json.dumps(options))
    model, _, data, training, *_ = parse("--seed", "8", "--config", f"options.{suffix}")
    assert (model.hidden_size, model.bidirectional, data.dataset) == (32, False, "sample")
    assert (training.learning_rate, training.seed) == (0.01, 8)


def test_yaml_writes_numbers_lists_tables_and_nothing(parse, tmp_path):
    (tmp_path / "options.yaml").write_text(
        "learning_rate: 1e-4\nlabel_names: [labels]\nlr_scheduler_kwargs: {num_cycles: 2}\nword_mark:\nlicense: mit\n"
    )
    _, tokenizer, _, training, *_ = parse("--config", "options.yaml")
    assert training.learning_rate == 1e-4  # YAML 1.1 takes 1e-4 for a text
    assert training.label_names == ["labels"]
    assert training.lr_scheduler_kwargs == {"num_cycles": 2}
    assert tokenizer.word_mark is None
    assert training.license == "mit"


def test_the_output_folder_may_stand_in_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "options.yaml").write_text("output_dir: there\nuse_cpu: true\n")
    assert parse_arguments(["--config", "options.yaml"])[3].output_dir == "there"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("learning_rat: 1", r"options.yaml: unknown option 'learning_rat'; did you mean --learning_rate\?"),
        ("config: other.yaml", "unknown option 'config'"),
        ("a: [1", "options.yaml: not valid YAML or JSON"),
        ("- 1", "options.yaml: must be a table"),
        ("", "options.yaml: must be a table"),
    ],
)
def test_a_bad_file_is_an_error_that_names_it(parse, tmp_path, content, message):
    (tmp_path / "options.yaml").write_text(content)
    with pytest.raises(ValueError, match=message):
        parse("--config", "options.yaml")


def test_a_missing_file_is_an_error_that_names_it(parse):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.yaml"):
        parse("--config", "nowhere.yaml")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--learnin_rate", "1"], r"unknown option --learnin_rate; did you mean --learning_rate\?"),
        (["--learn", "1"], "unknown option --learn"),
        (["stray"], "unknown option stray"),
        (["--learning_rate", "fast"], "--learning_rate.*invalid float value: 'fast'"),
        (["--model_type", "cnn"], "--model_type.*'cnn'"),
        (["--optim", "magic"], "--optim.*'magic'"),
    ],
)
def test_a_wrong_flag_ends_the_program_with_two_lines_that_name_it(parse, capsys, flags, message):
    with pytest.raises(SystemExit) as exit_:
        parse(*flags)
    assert exit_.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert re.search(message, lines[0])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--nonlinearity", "relu"], "nonlinearity goes with --model_type rnn, not lstm"),
        (["--hidden_size", "0"], "hidden_size must be at least 1"),
        (["--hidden_dropout", "1.5"], "hidden_dropout must be"),
        (["--vocab_size", "0"], "vocab_size is 0"),
        (["--eval_strategy", "steps"], "load_best_model_at_end"),
        (["--push_to_hub", "--hub_strategy", "every_save"], "pickles"),
    ],
)
def test_options_out_of_range_or_in_contradiction_are_errors_before_any_work(parse, flags, message):
    with pytest.raises(ValueError, match=message):
        parse(*flags)


def test_rnn_takes_a_nonlinearity(parse):
    model = parse("--model_type", "rnn", "--nonlinearity", "relu")[0]
    assert model.to_config(vocab_size=10).nonlinearity == "relu"


@pytest.mark.parametrize(("flags", "value"), [([], None), (["--resume_from_checkpoint"], "true")])
def test_resuming_needs_no_value(parse, flags, value):
    assert parse(*flags)[3].resume_from_checkpoint == value


def test_lower_is_better_for_errors(parse):
    assert parse("--metric_for_best_model", "mse")[3].greater_is_better is False
    assert parse("--metric_for_best_model", "eval_loss")[3].greater_is_better is False
    assert parse("--metric_for_best_model", "f1_macro")[3].greater_is_better is True


def test_help_lists_the_options_in_groups(capsys):
    with pytest.raises(SystemExit):
        parse_arguments(["--help"])
    text = capsys.readouterr().out
    for part in ("the model:", "the tokenizer:", "the training:", "--config", "--text_column"):
        assert part in text


@pytest.mark.parametrize(("installed", "report_to"), [(object(), ["tensorboard"]), (None, [])])
def test_tensorboard_gets_logs_where_it_is_installed(parse, monkeypatch, installed, report_to):
    monkeypatch.setattr("okt_lstm.training.options.find_spec", lambda name: installed)
    assert parse()[3].report_to == report_to


@pytest.mark.parametrize("able", [True, False])
def test_a_processor_without_bfloat16_is_told_of_and_computes_in_float32(parse, monkeypatch, caplog, able):
    monkeypatch.setattr("okt_lstm.training.options._cpu_mixes_bfloat16", lambda: able)
    training = parse("--bf16")[3]
    assert (training.bf16, training.mixed_precision) == ((True, "bf16") if able else (False, "no"))
    assert ("goes on in float32" in caplog.text) is not able
    parse()
    assert len(caplog.records) == (not able)


def test_what_was_given_can_be_told_from_defaults_and_written_as_flags(parse, tmp_path):
    (tmp_path / "options.yaml").write_text("learning_rate: 1e-4\nlr_scheduler_kwargs: {num_cycles: 2}\nseed: 1\n")
    flags = ["--config", "options.yaml", "--seed", "8", "--teacher", "a", "b", "--bidirectional", "false", "--bf16"]
    given = given_options([*flags, "--output_dir", "out", "--unknown", "3"], get_args(Arguments))
    assert given.pop("lr_scheduler_kwargs") in ({"num_cycles": 2}, '{"num_cycles": 2}')
    assert given == {
        "learning_rate": 1e-4,
        "seed": 8,
        "teacher": ["a", "b"],
        "bidirectional": False,
        "bf16": True,
        "output_dir": "out",
    }
    assert given_options(to_flags(given), get_args(Arguments)) == given
    assert to_flags({"seed": None}) == []


def test_embeddings_are_not_frozen_for_less_than_no_epochs(parse):
    with pytest.raises(ValueError, match="freeze_embeddings_epochs is -1"):
        parse("--freeze_embeddings_epochs", "-1")
