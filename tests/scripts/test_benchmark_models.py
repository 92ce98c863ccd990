"""The table of models: every figure from its row's result, nothing done twice, the test set read once a seed."""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

SCRIPTS = Path(__file__).parents[2] / "scripts" / "benchmarks"
LIMITS = ["--dataset", "sample", "--max_train_samples", "200", "--max_predict_samples", "60"]
QUICK = ["--rounds", "1", "--turn", "0.05"]


@pytest.fixture(scope="module", autouse=True)
def scripts():
    sys.path.insert(0, str(SCRIPTS))
    yield
    sys.path.remove(str(SCRIPTS))


@pytest.fixture(scope="module")
def script(scripts):
    pytest.importorskip("fasttext", reason="pip install 'okt-lstm[benchmark]'")
    import benchmark_models

    return benchmark_models


@pytest.fixture
def run(script, monkeypatch):
    def run(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["benchmark_models.py", *LIMITS, *QUICK, *map(str, arguments)])
        return script.main()

    return run


@pytest.fixture(scope="module")
def finished(script, tmp_path_factory):
    """Two cheap rows, of which one is trained with two seeds."""
    folder = tmp_path_factory.mktemp("benchmark")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("fasttext", "tfidf"):
            baseline = script.BASELINES[name]
            patch.setitem(script.BASELINES, name, dataclasses.replace(baseline, grid=baseline.grid[::5]))
        arguments = ["--output_dir", str(folder), "--rows", "fasttext", "tfidf", "--seeds", "1", "2"]
        patch.setattr(sys, "argv", ["benchmark_models.py", *LIMITS, *QUICK, *arguments])
        assert script.main() == 0
    return folder


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def readings(folder):
    return [json.loads(line) for line in (folder / "test_readings.jsonl").read_text(encoding="utf-8").splitlines()]


def constant(script, **options):
    """A baseline that learns nothing: it always answers its option `label`."""

    def train(rows, validation, folder, seed, label=1):
        (folder / "label").write_text(str(label), encoding="utf-8")

    def load(folder):
        label = int((folder / "label").read_text(encoding="utf-8"))
        return lambda texts: np.full(len(texts), label)

    return script.Baseline("constant", train, load, **options)


def test_a_row_has_a_result_for_each_seed_and_a_line_of_their_mean(finished):
    results = [read(finished / "results" / f"fasttext-seed-{seed}.json") for seed in (1, 2)]
    mean = 100 * np.mean([result["accuracy"] for result in results])
    line = next(line for line in (finished / "table.md").read_text().splitlines() if "fastText" in line)
    rate = read(finished / "speed.json")["rates"]["fasttext"]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[1].startswith(f"{mean:.2f} ± ")
    assert cells[2] == "2"
    assert float(cells[4].replace(",", "")) == pytest.approx(rate, rel=0.01)
    assert float(cells[5]) == pytest.approx(results[0]["megabytes"], abs=0.1)


def test_a_row_that_chance_has_no_part_in_is_trained_once(finished):
    assert len(list((finished / "results").glob("tfidf-*.json"))) == 1


def test_published_accuracies_are_marked_and_have_no_measured_speed(finished):
    text = (finished / "table.md").read_text()
    assert "| KcELECTRA-base (published) | 91.97 | | | not measured |" in text


def test_every_reading_of_the_test_set_is_written_down_with_its_time(finished):
    assert [(reading["row"], reading["seed"]) for reading in readings(finished)] == [
        ("fasttext", 1),
        ("fasttext", 2),
        ("tfidf", 1),
    ]
    assert all(reading["when"] and 0 <= reading["accuracy"] <= 1 for reading in readings(finished))


def test_models_learn(finished):
    assert min(reading["accuracy"] for reading in readings(finished)) > 0.7


def test_the_picture_is_one(finished):
    assert imread(finished / "models.png", format="png").std() > 0


def test_the_table_says_how_options_were_chosen(finished):
    chosen = read(finished / "choices" / "tfidf.json")
    assert len(chosen["tried"]) == 2
    best = max(trial["accuracy"] for trial in chosen["tried"])
    assert {"options": chosen["chosen"], "accuracy": best} in chosen["tried"]
    assert "logistic regression: analyzer" in (finished / "table.md").read_text()


def test_what_is_finished_is_not_done_again(finished, script, run, monkeypatch):
    def fail(*arguments, **options):
        raise AssertionError("done again")

    before = {path: path.read_bytes() for path in finished.rglob("*.json*")}
    broken = dataclasses.replace(script.BASELINES["fasttext"], train=fail)
    monkeypatch.setitem(script.BASELINES, "fasttext", broken)
    monkeypatch.setattr(script, "measure_rates", fail)
    assert run("--output_dir", finished, "--rows", "fasttext", "--seeds", 1, 2) == 0
    assert {path: path.read_bytes() for path in finished.rglob("*.json*")} == before


def test_a_note_on_the_speeds_is_shown_below_the_table(script, run, tmp_path, monkeypatch):
    monkeypatch.setattr(script, "measure_rates", lambda models, *_: {row: [100.0] for row in models})
    monkeypatch.setitem(script.BASELINES, "textbook", constant(script))
    assert run("--output_dir", tmp_path, "--rows", "textbook", "--seeds", 1) == 0
    speed = read(tmp_path / "speed.json")
    (tmp_path / "speed.json").write_text(json.dumps(speed | {"note": "One row is of another machine."}))
    assert run("--output_dir", tmp_path, "--rows", "textbook", "--seeds", 1) == 0
    assert "\nOne row is of another machine.\n" in (tmp_path / "table.md").read_text()


def test_results_of_other_data_are_not_mixed(finished, run, capsys):
    assert run("--output_dir", finished, "--rows", "tfidf", "--max_train_samples", 100) == 1
    assert "holds results of other data" in capsys.readouterr().err


def test_a_run_goes_on_where_it_was_stopped(script, run, tmp_path, monkeypatch):
    monkeypatch.setattr(script, "measure_rates", lambda models, *_: {row: [100.0] for row in models})
    monkeypatch.setitem(script.BASELINES, "textbook", constant(script))
    assert run("--output_dir", tmp_path, "--rows", "textbook", "--seeds", 1, 2) == 0
    (tmp_path / "results" / "textbook-seed-2.json").unlink()
    assert run("--output_dir", tmp_path, "--rows", "textbook", "--seeds", 1, 2) == 0
    assert [reading["seed"] for reading in readings(tmp_path)] == [1, 2, 2]


def test_options_are_chosen_on_the_validation_rows_and_the_first_of_equals_wins(script, run, tmp_path, monkeypatch):
    monkeypatch.setattr(script, "measure_rates", lambda models, *_: {row: [100.0] for row in models})
    monkeypatch.setattr(script, "_accuracy", lambda predict, rows: [0.2, 0.6, 0.6][int(predict([""])[0])])
    grid = [{"label": 0}, {"label": 1}, {"label": 2}]
    monkeypatch.setitem(script.BASELINES, "textbook", constant(script, grid=grid))
    assert run("--output_dir", tmp_path, "--rows", "textbook", "--seeds", 1) == 0
    assert read(tmp_path / "choices" / "textbook.json")["chosen"] == {"label": 1}


def test_what_is_timed_only_never_reads_the_test_set(script, run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(script, "measure_rates", lambda models, *_: {row: [12.3] for row in models})
    monkeypatch.setitem(script.BASELINES, "bert", constant(script, trained=False, random=False))
    assert run("--output_dir", tmp_path, "--rows", "bert") == 0
    assert not (tmp_path / "test_readings.jsonl").exists()
    assert "| BERT-base (random weights) | — | — | — | 12.3 |" in capsys.readouterr().out


def test_a_recipe_is_trained_by_the_command_and_its_own_reading_of_the_test_set_is_taken(
    script, run, tmp_path, monkeypatch
):
    commands = []

    def command(words):
        commands.append(words)
        folder = Path(words[words.index("--output_dir") + 1])
        (folder / "test_results.json").write_text('{"test_accuracy": 0.875}')
        (folder / "recipe_stages.json").write_text('{"seconds": {"embeddings": 200.5, "model": 100.0}}')
        (folder / "model.safetensors").write_bytes(bytes(2_000_000))
        (folder / "optimizer.bin").write_bytes(bytes(9_000_000))

    monkeypatch.setattr(script, "_command", command)
    monkeypatch.setattr(script, "measure_rates", lambda models, *_: {row: [100.0] for row in models})
    raw = tmp_path / "raw.txt"
    raw.write_text("좋다\n", encoding="utf-8")
    assert run("--output_dir", tmp_path / "out", "--rows", "fast", "--seeds", 7, "--unlabeled", raw) == 0
    words = " ".join(commands[0])
    flags = ["train --recipe fast", "--seed 7", f"--unlabeled {raw}", "--dataset sample", "--max_predict_samples 60"]
    for flag in [*flags, f"--stages_dir {tmp_path / 'out' / 'stages' / 'fast'}"]:
        assert flag in words
    result = read(tmp_path / "out" / "results" / "fast-seed-7.json")
    assert (result["accuracy"], result["megabytes"], result["seconds"]) == (0.875, 2.0, 300.5)
    assert [reading["accuracy"] for reading in readings(tmp_path / "out")] == [0.875]


def test_a_recipe_that_was_trained_before_is_taken_as_it_is(script, run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(script, "measure_rates", lambda models, *_: {row: [100.0] for row in models})
    folder = tmp_path / "models" / "best-seed-1"
    folder.mkdir(parents=True)
    (folder / "test_results.json").write_text('{"test_accuracy": 0.9}')
    (folder / "recipe_stages.json").write_text('{"seconds": {"language_model": 2000.0, "model": 400.0}}')
    (folder / "model.safetensors").write_bytes(bytes(10))
    assert run("--output_dir", tmp_path, "--rows", "best", "--seeds", 1) == 0
    assert "| okt-lstm, recipe `best` | 90.00 | 1 | 2,400 | 100 |" in capsys.readouterr().out


def test_a_recipe_that_fails_is_said_and_leaves_no_result(script, run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(script.subprocess, "run", lambda *_, **__: type("Done", (), {"returncode": 1}))
    assert run("--output_dir", tmp_path, "--rows", "best", "--seeds", 1) == 1
    assert "exit code 1" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_a_model_that_can_not_be_loaded_is_named(script, tmp_path, capfd):
    from one_core import MeasurementError, measure_rates

    with pytest.raises(MeasurementError, match=f"best in {tmp_path}"):
        measure_rates({"best": tmp_path}, ["좋다"], rounds=1)
    assert "holds no model" in capfd.readouterr().err


def test_labels_in_the_picture_find_places_beside_each_other(script, tmp_path, recwarn):
    lines = [script.Line(f"model {number}", [88.0, 88.1], 1.0, 5000.0 + number, 10.0) for number in range(6)]
    script.draw([*lines, script.Line("slow", [], None, 10.0, 400.0)], script.PUBLISHED, tmp_path / "models.png")
    assert imread(tmp_path / "models.png", format="png").std() > 0
    assert not recwarn.list
