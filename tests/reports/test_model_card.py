import ast
import dataclasses
import json
import re

import pytest
from huggingface_hub import ModelCard

from okt_lstm import GRUConfig, LSTMConfig
from okt_lstm.data.description import DataDescription, DataFile
from okt_lstm.reports.model_card import build_model_card
from okt_lstm.reports.trained_model import TrainedModel, describe
from oktane.problem_type import ProblemType


@pytest.fixture
def model():
    return TrainedModel(
        name="somebody/films",
        license="apache-2.0",
        description=describe(LSTMConfig(), 2_726_000, ProblemType.SINGLE_LABEL, ["negative", "positive"]),
        model_type="lstm",
        problem_type=ProblemType.SINGLE_LABEL,
        max_length=128,
        data=DataDescription(
            "NSMC",
            "e9t/nsmc",
            license="cc0-1.0",
            files=(DataFile("train", "ratings_train.txt", 14688625, "bf0f66"),),
            rows={"train": 142500, "validation": 7500, "test": 50000},
            notes=("The training rows are **not** NSMC's official `ratings_train.txt`.",),
        ),
        hyperparameters={"optimizer": "rmsprop", "learning_rate": 0.001},
        seconds=300.0,
        epochs=[{"epoch": 1.0, "loss": 0.41, "accuracy": 0.82}, {"epoch": 2.0, "loss": 0.36, "accuracy": 0.85}],
        results={
            "validation": {"accuracy": 0.85, "f1_macro": 0.849, "loss": 0.36},
            "test": {
                "accuracy": 0.8512,
                "f1_macro": 0.8511,
                "precision_macro": 0.852,
                "recall_macro": 0.8513,
                "loss": 0.35,
            },
        },
        pictures={"curves.png": "Loss and score by epoch"},
    )


def test_the_hub_reads_the_measured_values_back(model, tmp_path):
    build_model_card(model).save(tmp_path / "README.md")
    data = ModelCard.load(tmp_path / "README.md").data
    assert (data.language, data.license, data.library_name) == ("ko", "apache-2.0", "transformers")
    assert (data.pipeline_tag, data.datasets) == ("text-classification", ["e9t/nsmc"])
    assert data.metrics == ["accuracy", "f1", "precision", "recall"]
    assert data.model_name == "films"
    measured = {result.metric_name: result.metric_value for result in data.eval_results}
    assert measured["test accuracy"] == 0.8512
    assert measured["test macro F1"] == 0.8511
    assert {result.dataset_split for result in data.eval_results} == {"test"}


def test_the_card_says_exactly_what_the_model_was_trained_on(model):
    text = build_model_card(model).text
    assert "**not** NSMC's official" in text
    assert "| train | ratings_train.txt | 14,688,625 | `bf0f66` |" in text
    assert "| test | 50,000 |" in text


def test_the_card_warns_that_transformers_alone_cannot_open_the_model(model):
    text = build_model_card(model).text
    assert re.search(r"\*\*Open this model with `okt_lstm` imported, or with\s+`trust_remote_code=True`", text)
    assert 'model="somebody/films"' in text


def test_hyperparameters_epochs_and_pictures_are_listed(model):
    text = build_model_card(model).text
    assert "| learning_rate | `0.001` |" in text
    assert "| 2 | 0.36 | 0.85 |" in text
    assert "![Loss and score by epoch](curves.png)" in text


def test_without_a_test_split_the_card_gives_the_validation_scores_and_claims_no_test(model):
    rows = {"train": 10, "validation": 5}
    untested = dataclasses.replace(
        model,
        data=dataclasses.replace(model.data, rows=rows),
        results={"validation": model.results["validation"]},
    )
    card = build_model_card(untested)
    assert {result.dataset_split for result in card.data.eval_results} == {"validation"}
    assert "test split" not in card.text


def test_a_regression_card_speaks_of_numbers(model):
    results = {"test": {"mse": 0.5, "mae": 0.4, "r2": 0.3, "loss": 0.5}}
    regression = dataclasses.replace(
        model,
        description=describe(GRUConfig(), 2_000, ProblemType.REGRESSION, []),
        problem_type=ProblemType.REGRESSION,
    )
    card = build_model_card(dataclasses.replace(regression, results=results, epochs=[]))
    assert "GRU" in card.text
    assert "mean squared error" in card.text
    assert "positive" not in card.text


def test_a_local_data_set_is_not_linked_to_the_hub(model):
    data = DataDescription("reviews.csv", rows=model.data.rows)
    card = build_model_card(dataclasses.replace(model, data=data))
    assert card.data.datasets is None
    assert "huggingface.co/datasets" not in card.text


def test_bars_in_names_do_not_break_tables(model):
    options = {"word_mark": "a|b"}
    assert "`a\\|b`" in build_model_card(dataclasses.replace(model, hyperparameters=options)).text


def test_a_name_and_labels_from_a_stranger_stay_names_in_the_card(model):
    name = 'x"); import os  # \n```\n\x1b[2J\u202e'
    described = describe(GRUConfig(), 2_000, ProblemType.SINGLE_LABEL, ["`\n# a", "\x1b[2J"])
    text = build_model_card(dataclasses.replace(model, name=name, description=described)).text
    assert not [char for char in text if char != "\n" and not char.isprintable()]
    snippets = re.findall(r"```python\n(.*?)\n```", text, re.DOTALL)
    assert len(snippets) == 2
    for snippet in snippets:
        calls = [node for node in ast.walk(ast.parse(snippet)) if isinstance(node, ast.Call)]
        models = [word.value.value for call in calls for word in call.keywords if word.arg == "model"]
        assert models == [name]
    assert len(re.findall("^# ", text, re.MULTILINE)) == 1


def test_the_card_shows_how_to_classify_its_own_examples(model):
    text = build_model_card(dataclasses.replace(model, examples=['배송이 "빨라요"', "별로"])).text
    assert 'classify(["배송이 \\"빨라요\\"", "별로"], truncation=True)' in text


def test_a_card_is_the_same_from_the_file_beside_it(model):
    content = json.loads(json.dumps(model.to_json()))
    assert TrainedModel.from_json(content) == dataclasses.replace(
        model, examples=list(model.examples), problem_type=ProblemType.SINGLE_LABEL
    )
    assert build_model_card(TrainedModel.from_json(content)).content == build_model_card(model).content


@pytest.mark.parametrize("content", [{}, {"data": {"files": [], "notes": []}, "problem_type": "regression", "x": 1}])
def test_a_file_of_something_else_is_refused(content):
    with pytest.raises(ValueError, match=r"not the content of a card\.json"):
        TrainedModel.from_json(content)
