"""The table of models: every figure is from its row's result, nothing is done twice, every test reading is kept."""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
MEASURED = ROOT / "model_cards" / "benchmark"
LIMITS = ["--dataset", "sample", "--max_train_samples", "200", "--max_predict_samples", "60"]
QUICK = ["--rounds", "1", "--turn", "0.05"]


@pytest.fixture(scope="module")
def script():
    pytest.importorskip("fasttext", reason="comes with the extra `benchmark`")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "scripts" / "benchmarks")
        import benchmark_models

        yield benchmark_models


@pytest.fixture(scope="module")
def models_speed(script):
    return sys.modules["models_speed"]


@pytest.fixture
def run(script, monkeypatch):
    def run(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["benchmark_models.py", *LIMITS, *QUICK, *map(str, arguments)])
        return script.main()

    return run


@pytest.fixture(scope="module")
def finished(script, tmp_path_factory):
    """Two cheap rows on the sample. Only fastText is trained with both seeds."""
    folder = tmp_path_factory.mktemp("benchmark")
    with pytest.MonkeyPatch.context() as patch:
        for name, choices in (("fasttext", 1), ("tfidf", 2)):
            baseline = script.BASELINES[name]
            patch.setitem(script.BASELINES, name, dataclasses.replace(baseline, grid=baseline.grid[:choices]))
        arguments = ["--output_dir", str(folder), "--rows", "fasttext", "tfidf", "--seeds", "1", "2"]
        patch.setattr(sys, "argv", ["benchmark_models.py", *LIMITS, *QUICK, *arguments])
        assert script.main() == 0
    return folder


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def readings(folder):
    return [json.loads(line) for line in (folder / "test_readings.jsonl").read_text(encoding="utf-8").splitlines()]


def figures(page, row):
    """The cells behind the name of a row of a table, without notes in parentheses."""
    lines = [line.strip("|").split("|") for line in page.read_text(encoding="utf-8").splitlines() if row in line]
    return [cell.strip() for cell in next(cells for cells in lines if len(cells) > 3)[1:]]


@pytest.mark.slow
def test_a_line_has_the_mean_over_the_seeds_the_speed_and_the_size(finished):
    results = [read(finished / "results" / f"fasttext-seed-{seed}.json") for seed in (1, 2)]
    accuracy, seeds, seconds, rate, size = figures(finished / "table.md", "fastText")
    assert accuracy.startswith(f"{100 * np.mean([result['accuracy'] for result in results]):.2f} ± ")
    assert seeds == "2"
    assert int(seconds) == round(results[0]["seconds"])
    assert float(rate.replace(",", "")) == pytest.approx(read(finished / "speed.json")["rates"]["fasttext"], rel=0.01)
    assert float(size) == pytest.approx(results[0]["megabytes"], abs=0.1)


@pytest.mark.slow
def test_a_row_without_chance_is_trained_once(finished):
    assert len(list((finished / "results").glob("tfidf-*.json"))) == 1


@pytest.mark.slow
def test_every_reading_of_the_test_set_is_written_down_with_its_time(finished):
    assert [(reading["row"], reading["seed"]) for reading in readings(finished)] == [
        ("fasttext", 1),
        ("fasttext", 2),
        ("tfidf", 1),
    ]
    assert all(reading["when"] and 0 <= reading["accuracy"] <= 1 for reading in readings(finished))


@pytest.mark.slow
def test_options_are_those_that_are_best_on_the_validation_set(finished):
    choice = read(finished / "choices" / "tfidf.json")
    assert len(choice["tried"]) == 2
    best = max(trial["accuracy"] for trial in choice["tried"])
    assert {"options": choice["chosen"], "accuracy": best} in choice["tried"]


@pytest.mark.slow
def test_what_is_finished_is_not_done_again(finished, script, models_speed, run, monkeypatch):
    def fail(*arguments, **options):
        raise AssertionError("done again")

    before = {path: path.read_bytes() for path in finished.rglob("*.json*")}
    broken = dataclasses.replace(script.BASELINES["fasttext"], train=fail)
    monkeypatch.setitem(script.BASELINES, "fasttext", broken)
    monkeypatch.setattr(models_speed, "measure_rates", fail)
    assert run("--output_dir", finished, "--rows", "fasttext", "--seeds", 1, 2) == 0
    assert {path: path.read_bytes() for path in finished.rglob("*.json*")} == before


@pytest.mark.slow
def test_results_of_other_data_are_not_mixed(finished, run, capsys):
    assert run("--output_dir", finished, "--rows", "tfidf", "--max_train_samples", 100) == 1
    assert "holds results of other data" in capsys.readouterr().err


def test_a_row_that_is_timed_only_never_reads_the_test_set(script, models_speed, run, tmp_path, monkeypatch, capsys):
    def train(rows, validation, folder, seed):
        (folder / "model").write_text("nothing")

    baseline = dataclasses.replace(script.BASELINES["bert"], train=train)
    monkeypatch.setitem(script.BASELINES, "bert", baseline)
    monkeypatch.setattr(models_speed, "measure_rates", lambda models, *_: {row: [12.3] for row in models})
    assert run("--output_dir", tmp_path, "--rows", "bert") == 0
    assert not (tmp_path / "test_readings.jsonl").exists()
    assert "| BERT-base (random weights) | — | — | — | 12.3 |" in capsys.readouterr().out


def test_a_recipe_that_was_trained_before_is_used_as_it_is(models_speed, run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(models_speed, "measure_rates", lambda models, *_: {row: [100.0] for row in models})
    folder = tmp_path / "models" / "best-seed-1"
    folder.mkdir(parents=True)
    (folder / "test_results.json").write_text('{"test_accuracy": 0.9}')
    (folder / "recipe_stages.json").write_text('{"seconds": {"language_model": 2000.0, "model": 400.0}}')
    (folder / "model.safetensors").write_bytes(bytes(10))
    assert run("--output_dir", tmp_path, "--rows", "best", "--seeds", 1) == 0
    assert "| okt-lstm, recipe `best` | 90.00 | 1 | 2,400 | 100 |" in capsys.readouterr().out


@pytest.mark.slow
def test_a_model_that_is_gone_is_timed_with_one_of_its_shape(models_speed, run, tmp_path, monkeypatch, capsys):
    timed = {}

    def measure_rates(contenders, *arguments):
        timed.update(contenders)
        return {name: [100.0] for name in contenders}

    monkeypatch.setattr(models_speed, "measure_rates", measure_rates)
    (tmp_path / "results").mkdir()
    result = {"row": "classic", "seed": 1, "accuracy": 0.9, "seconds": 60.0, "megabytes": 11.0}
    (tmp_path / "results" / "classic-seed-1.json").write_text(json.dumps(result))
    assert run("--output_dir", tmp_path, "--rows", "classic", "--seeds", 1) == 0
    assert read(timed["classic"].folder / "config.json")["hidden_size"] == 64
    assert "Timed with untrained networks of the same shape" in capsys.readouterr().out


def test_the_serving_table_shows_engines_by_name(script, tmp_path):
    (tmp_path / "results").mkdir()
    result = {"row": "released", "seed": 1, "accuracy": 0.8948, "seconds": None, "megabytes": 9.6}
    (tmp_path / "results" / "released-seed-1.json").write_text(json.dumps(result))
    start = {"seconds": 0.204, "megabytes": 76.4, "later_megabytes": 121.0, "model": 9.6, "installed": 48.2}
    speed = {"rates": {"released": 18_000.0, "torch": 7_000.0}, "starts": {"torch": start}, "rounds": {"released": [1]}}
    speed |= {
        "seconds": "CPU seconds",
        "later_texts": 10_000,
        "untrained": [],
        "machine": "a machine",
        "versions": {"torch": "2"},
    }
    (tmp_path / "speed.json").write_text(json.dumps(speed))
    table = script.make_table(tmp_path, "NSMC", {"train": 1, "validation": 1, "test": 1})
    assert "| the bundled model, okt_lstm (oktane) | 89.48 | 1 | — | 18,000 | 9.6 |" in table
    assert "| the bundled model, okt_lstm (torch) | 89.48 | 1 | — | 7,000 | 9.6 |" in table
    assert "| okt_lstm (torch) | 7,000 | 0.20 | 76 | 121 | 9.6 | 48 |" in table


# The figures that are published


def test_the_published_table_is_made_of_the_stored_results(script):
    counts = read(MEASURED / "settings.json")["rows"]
    assert (MEASURED / "table.md").read_text(encoding="utf-8") == script.make_table(MEASURED, "NSMC", counts)


@pytest.mark.parametrize(
    "row",
    ["fastText", "TF-IDF", "recipe `classic`", "recipe `fast`", "recipe `best`", "the bundled model"],
)
def test_readme_and_docs_show_the_figures_of_the_table(row):
    measured = figures(MEASURED / "table.md", row)
    assert figures(ROOT / "docs" / "benchmarks.md", row) == measured
    accuracy, _, *others = measured
    assert figures(ROOT / "README.md", row) == [accuracy.split(" ")[0], *others]
