import json

import numpy as np
import pytest

from oktane.problem_type import ProblemType

NAMES = ["a", "b"]


def logits(*rows):
    return np.array(rows, np.float32)


@pytest.mark.parametrize(
    ("problem_type", "rows", "decisions", "predictions"),
    [
        ("single_label_classification", [[0.1, 2.0], [3.0, 0.0]], [1, 0], ["b", "a"]),
        ("multi_label_classification", [[0.1, -0.1], [-2.0, -3.0]], [[1, 0], [0, 0]], [["a"], []]),
        ("regression", [[0.5], [-1.0]], [[0.5], [-1.0]], [0.5, -1.0]),
        ("regression", [[0.5, 1.0], [2.0, 3.0]], [[0.5, 1.0], [2.0, 3.0]], [[0.5, 1.0], [2.0, 3.0]]),
    ],
)
def test_decisions_and_predictions_follow_from_logits(problem_type, rows, decisions, predictions):
    problem = ProblemType(problem_type)
    assert problem.logits_to_labels(logits(*rows)).tolist() == decisions
    assert problem.predictions(problem.scores(logits(*rows)), NAMES) == predictions


@pytest.mark.parametrize(("problem_type", "decisions"), [("MULTI_LABEL", [1, 1]), ("SINGLE_LABEL", 0)])
def test_ties_are_decided_in_one_way(problem_type, decisions):
    problem = ProblemType[problem_type]
    tie = logits([0.0, 0.0])
    assert problem.logits_to_labels(tie).tolist() == [decisions]
    assert problem.predictions(problem.scores(tie), NAMES) == [NAMES if problem is ProblemType.MULTI_LABEL else "a"]


def test_scores_are_probabilities_except_in_regression():
    row = logits([1.0, -1.0])
    np.testing.assert_allclose(ProblemType.SINGLE_LABEL.scores(row), [[0.880797, 0.119203]], rtol=1e-5)
    np.testing.assert_allclose(ProblemType.MULTI_LABEL.scores(row), [[0.731059, 0.268941]], rtol=1e-5)
    assert ProblemType.REGRESSION.scores(row).tolist() == row.tolist()


@pytest.mark.parametrize("problem", ProblemType)
@pytest.mark.parametrize("probabilities", [False, True])
def test_every_column_of_a_prediction_has_a_value(problem, probabilities):
    (values,) = problem.rows(problem.scores(logits([1.0, -1.0])), NAMES, probabilities)
    columns = problem.columns(NAMES, probabilities)
    assert len(values) == len(columns) == len(set(columns))
    named = dict(zip(columns, values, strict=True))
    if "probability" in named:
        assert (named["label"], named["probability"]) == ("a", 0.880797)
    assert ("probability_b" in named) == (
        problem is ProblemType.MULTI_LABEL or (probabilities and problem is ProblemType.SINGLE_LABEL)
    )


def test_a_configuration_without_a_problem_type_is_told_by_its_labels():
    assert ProblemType.default(2) is ProblemType.SINGLE_LABEL
    assert ProblemType.default(1) is ProblemType.REGRESSION


def test_a_problem_type_is_the_string_that_configurations_hold():
    assert ProblemType.REGRESSION == "regression"
    assert f"{ProblemType.REGRESSION}" == "regression"
    assert json.dumps([ProblemType.REGRESSION]) == '["regression"]'


def test_unsure_takes_the_place_of_a_label_that_is_not_probable_enough():
    scores = np.array([[0.6, 0.4], [0.9, 0.1], [0.5, 0.5]], np.float32)
    single = ProblemType.SINGLE_LABEL
    assert single.predictions(scores, ["a", "b"], abstain_below=0.7) == ["unsure", "a", "unsure"]
    assert single.predictions(scores, ["a", "b"]) == ["a", "a", "a"]
    assert next(single.rows(scores, ["a", "b"], abstain_below=0.7)) == ["unsure", pytest.approx(0.6)]
