"""The commands `inspect` and `audit`, and mistakes that are answered before the work."""

import json
import random
import shutil
import sys

import pytest
from command_errors import assert_one_line_error


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    path = tmp_path / "table.csv"
    rows = [f"{'좋다' if number % 2 else '별로'} {number},{'긍정' if number % 2 else '부정'}" for number in range(40)]
    path.write_text("\n".join(["text,label", *rows, "좋다 99,부정", "별로 99,부정"]), encoding="utf-8-sig")
    return path


def test_inspect_prints_a_report_or_json_and_draws(run, table, tmp_path):
    code, output, errors = run("inspect", table, "--plot", tmp_path / "table.png")
    assert (code, errors) == (0, "")
    assert "table.csv (csv, utf-8, separator ',')" in output
    assert (tmp_path / "table.png").read_bytes().startswith(b"\x89PNG")
    code, output, _ = run("inspect", "--dataset", table, "--json")
    assert code == 0
    found = json.loads(output)
    assert (found["rows"], found["classes"]) == ({"train": 42}, {"부정": 22, "긍정": 20})
    assert run("inspect")[0] == 2
    assert_one_line_error(run("inspect", tmp_path / "none.csv"), "none.csv", "no such file")
    assert_one_line_error(run("inspect", table, "--plot", tmp_path / "none" / "a.png"), "mkdir -p")


def test_audit_lists_suspicious_rows(run, tmp_path):
    pytest.importorskip("cleanlab")
    table = tmp_path / "table.csv"
    draw = random.Random(0)
    words = {"긍정": ["최고", "재밌다", "감동", "좋다"], "부정": ["최악", "지루하다", "별로", "아깝다"]}
    rows = [(" ".join(draw.choices(words[label], k=4)), label) for _ in range(60) for label in words]
    rows[7] = (rows[7][0], "긍정")
    table.write_text("".join(f"{text},{label}\n" for text, label in [("text", "label"), *rows]), "utf-8-sig")
    code, output, errors = run("audit", table)
    assert code == 0, errors
    assert "of 120 rows of" in errors
    first, second = output.splitlines()[:2]
    assert first == "location,text,label,suggested_label,label_probability,suggested_probability"
    assert f'line 9",{rows[7][0]},긍정,부정,' in second
    target = tmp_path / "suspects.csv"
    assert run("audit", table, "--limit", "1", "--output", target)[:2] == (0, "")
    # As the table has, which Excel wrote.
    assert target.read_bytes().startswith(b"\xef\xbb\xbf")
    assert len(target.read_text().splitlines()) == 2


def test_without_cleanlab_the_error_says_what_to_install(run, table, monkeypatch):
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    assert_one_line_error(run("audit", table), "pip install cleanlab")


# errors before the work


def test_mistakes_are_answered_before_the_work_in_the_words_of_what_is_wanted(run, table, tmp_path):
    def train(*more):
        return run("train", "--dataset", table, "--recipe", "classic", "--output_dir", tmp_path / "out", *more)

    (tmp_path / "recipe.yaml").write_text("version: 1\nstages:\n- {name: model, command: train}\n")
    assert_one_line_error(train("--config", tmp_path / "recipe.yaml"), "is a recipe", "--recipe")
    code, _, errors = train("--metric_for_best_model", "roc_auc")
    assert code == 2
    assert "metric_for_best_model is 'roc_auc'; did you mean" in errors
    assert "accuracy" in errors
    assert_one_line_error(
        train("--metric_for_best_model", "mse"), "mse", "which has the scores loss, accuracy, f1_macro"
    )
    (tmp_path / "words.yaml").write_text("user_dictionary: {Nomen: [워라밸]}\n", encoding="utf-8")
    assert_one_line_error(train("--config", tmp_path / "words.yaml"), "'Nomen' is no part of speech", "Noun, Verb")
    assert_one_line_error(train("--pos", "명사"), "pos: '명사' is no part of speech")
    assert not (tmp_path / "out").exists()


def test_a_test_file_is_reported_under_its_own_name(run, trained_on_files):
    code, output, errors = run("evaluate", trained_on_files)
    assert code == 0, errors
    assert json.loads(output)["dataset"] == "held.csv"
    assert "rows of held.csv" in errors


@pytest.fixture
def trained_on_files(tmp_path, folder, table):
    """A model that says that it was trained on a table, and tested on another one."""
    copy = tmp_path / "model"
    shutil.copytree(folder, copy)
    held = tmp_path / "held.csv"
    held.write_text("text,label\n굿,positive\n시간이 아깝다,negative\n")
    data = {"dataset": str(table), "test_file": str(held)}
    (copy / "data_args.json").write_text(json.dumps(data))
    return copy
