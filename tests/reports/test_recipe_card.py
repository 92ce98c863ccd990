"""The card of a recipe: the figures of its runs as they are, and what they get wrong."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from tiny import save_tiny

import okt_lstm
from okt_lstm.data.description import DataDescription
from okt_lstm.data.options import DataOptions
from okt_lstm.data.splits import load_test_split
from okt_lstm.reports.error_analysis import Group
from okt_lstm.reports.model_card import build_model_card
from okt_lstm.reports.recipe_card import RecipeFigures, build_recipe_card
from okt_lstm.reports.trained_model import TrainedModel
from oktane.problem_type import ProblemType

SCRIPT = Path(__file__).parents[2] / "scripts" / "benchmarks" / "make_recipe_card.py"
DATA = DataOptions("sample", max_predict_samples=60)
STAGES = "name: best\nstages:\n- embed: {vector_size: 8}\n- train: {learning_rate: 0.002}\n"


DESCRIPTION = DataDescription("reviews.csv", rows={"train": 10, "test": 5})
SCORES = {"accuracy": 0.9, "loss": 0.1}


def write_json(path, content):
    path.write_text(json.dumps(content), encoding="utf-8")


def write_run(folder: Path, seed: int) -> Path:
    """A folder as `okt-lstm train --recipe` leaves it, with a model that never learned anything."""
    save_tiny(folder)
    classifier = okt_lstm.load(folder, device="cpu")
    with torch.no_grad():  # so that the runs differ
        classifier.model.classifier.weight.mul_((-1) ** seed)
    classifier.model.save_pretrained(folder)
    splits = load_test_split(DATA, classifier.problem_type, classifier.labels)
    test = splits.datasets["test"]
    scores = classifier.evaluate(test["text"][:], test["label"][:])
    write_json(folder / "test_results.json", {f"test_{name}": value for name, value in scores.items()})
    write_json(folder / "eval_results.json", {"eval_accuracy": 0.5 + seed / 100})
    write_json(folder / "data_args.json", {"dataset": "sample", "max_predict_samples": 60})
    (folder / "recipe.yaml").write_text(STAGES, encoding="utf-8")
    write_json(folder / "recipe_stages.json", {"seconds": {"embeddings": 1200.0, "model": 100.0 * seed}})
    (folder / "user_dictionary.txt").write_bytes(bytes(1_200_000))
    (folder / "optimizer.pt").write_bytes(bytes(9_000_000))
    model = trained_model(folder.name, seed, splits.description, scores)
    write_json(folder / "card.json", model.to_json())
    build_model_card(model).save(folder / "README.md")
    return folder


def trained_model(name="run", seed=1, data=DESCRIPTION, scores=SCORES) -> TrainedModel:
    return TrainedModel(
        name=name,
        license="apache-2.0",
        description="A network.",
        model_type="lstm",
        problem_type=ProblemType.SINGLE_LABEL,
        max_length=128,
        data=data,
        hyperparameters={"learning_rate": 0.002, "seed": seed},
        seconds=1.0,
        epochs=[],
        results={"test": scores},
        pictures={},
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return [write_run(folder / f"best-seed-{seed}", seed) for seed in (1, 2)]


@pytest.fixture(scope="module")
def script():
    import make_recipe_card

    return make_recipe_card


@pytest.fixture
def run(script, monkeypatch):
    def run(*arguments):
        monkeypatch.setattr(
            script, "measure_rates", lambda models, *_: {name: [1000.0, 1234.0, 9.0] for name in models}
        )
        monkeypatch.setattr(sys, "argv", [SCRIPT.name, *map(str, arguments)])
        return script.main()

    return run


@pytest.fixture
def written(run, runs, tmp_path):
    assert run(*runs, "--output", tmp_path / "okt-lstm-best") == 0
    return tmp_path / "okt-lstm-best"


def test_the_card_gives_each_seed_and_their_mean(written, runs):
    accuracies = [json.loads((run / "test_results.json").read_text())["test_accuracy"] for run in runs]
    assert accuracies[0] != accuracies[1]
    mean = sum(accuracies) / 2
    text = (written / "README.md").read_text(encoding="utf-8")
    assert f"| 1 | 0.5100 | {accuracies[0]:.4f} |" in text
    assert f"| 2 | 0.5200 | {accuracies[1]:.4f} |" in text
    assert f"| mean | **0.5150** | **{mean:.4f}** |" in text
    measured = {
        result.metric_name: result.metric_value for result in ModelCard.load(written / "README.md").data.eval_results
    }
    assert measured["test accuracy"] == pytest.approx(mean)


def test_the_card_holds_the_recipe_and_what_the_runs_own_card_says_of_the_data(written, runs):
    text = (written / "README.md").read_text(encoding="utf-8")
    assert f"```yaml\n{STAGES.strip()}\n```" in text
    assert "| embeddings | 1,200 |" in text
    assert "| together | 1,300 |" in text  # of the first run
    own = (runs[0] / "README.md").read_text(encoding="utf-8")
    data = own[own.index("## Training data") : own.index("## Recipe")]
    assert data in text
    assert "## Limitations" in text
    assert 'model="okt-lstm-best"' in text
    assert "best-seed-1" not in text


def test_the_card_tells_speed_size_groups_and_errors(written):
    text = (written / "README.md").read_text(encoding="utf-8")
    assert "Speed: 1,000 texts per second" in text  # the median
    assert "Size on disk: 1.2 MB" in text  # without what only training needs
    errors = text[text.index("The most confident") : text.index("## Limitations")].splitlines()[4:]
    assert 1 <= len([line for line in errors if line.startswith("|")]) <= 10
    assert "| tokens | share of the rows | accuracy |" in text


def test_the_pictures_stand_beside_the_card(written):
    assert {path.name for path in written.iterdir()} == {"README.md", "confusion_matrix.png", "reliability.png"}


def test_a_run_whose_test_accuracy_is_not_reproduced_is_refused(run, runs, tmp_path, capsys):
    spoilt = write_run(tmp_path / "spoilt", seed=3)
    results = json.loads((spoilt / "test_results.json").read_text())
    write_json(spoilt / "test_results.json", results | {"test_accuracy": results["test_accuracy"] + 0.01})
    assert run(spoilt, "--output", tmp_path / "card") == 1
    assert "when the run was tested" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "card").exists()


def test_runs_of_different_recipes_are_refused(run, runs, tmp_path, capsys):
    other = write_run(tmp_path / "other", seed=3)
    (other / "recipe.yaml").write_text("name: fast\n", encoding="utf-8")
    assert run(runs[0], other, "--output", tmp_path / "card") == 1
    assert "come from different recipes" in capsys.readouterr().err


def test_two_runs_with_one_seed_are_refused(run, runs, tmp_path, capsys):
    assert run(runs[0], runs[0], "--output", tmp_path / "card") == 1
    assert "each run needs its own" in capsys.readouterr().err


def test_an_unfinished_run_is_named(run, runs, tmp_path, capsys):
    unfinished = write_run(tmp_path / "unfinished", seed=3)
    (unfinished / "test_results.json").unlink()
    assert run(unfinished, "--output", tmp_path / "card") == 1
    assert f"{unfinished} is not a finished run" in capsys.readouterr().err


@pytest.mark.slow
def test_the_program_measures_the_speed_in_a_process_of_its_own(runs, tmp_path):
    command = [sys.executable, SCRIPT, *runs, "--output", tmp_path / "card", "--rounds", "1", "--turn", "0.1"]
    assert subprocess.run(command).returncode == 0
    assert "from raw text, on one core" in (tmp_path / "card" / "README.md").read_text(encoding="utf-8")


def figures(**changes):
    recipe = RecipeFigures(
        name="somebody/best",
        stages=STAGES,
        seconds={"model": 10.0},
        runs={"7": {"accuracy": 0.9}},
        rate=100.0,
        megabytes=1.0,
        machine="a machine",
        groups={"tokens": [Group("at most 5", 30, 0.9), Group("over 5", 10, 0.8)]},
        errors=[("별로 | *최고*\n~~재미~~ <b>", "negative", "positive", 0.98765)],
        pictures={},
    )
    return dataclasses.replace(recipe, **changes)


def test_texts_are_shown_unchanged_and_break_no_table():
    text = build_recipe_card(trained_model(), figures()).text
    assert r"| 별로 \| \*최고\* \~\~재미\~\~ \<b\> | negative | positive | 0.988 |" in text
    assert "| at most 5 | 75.0% | 0.9000 |" in text


def test_one_run_has_no_spread():
    text = build_recipe_card(trained_model(), figures()).text
    assert "(standard deviation 0.0000)" not in text
