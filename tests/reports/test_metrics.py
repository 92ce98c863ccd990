import evaluate
import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score
from transformers import EvalPrediction

from okt_lstm.reports.metrics import (
    METRICS,
    MultiLabelMetrics,
    RegressionMetrics,
    SingleLabelMetrics,
    compute_metrics_for,
)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def test_single_label_scores_are_those_of_a_hand_count():
    # class 0: 2 of 3 found, 2 of 2 right; class 1: 1 of 1 found, 1 of 2 right
    scores = SingleLabelMetrics().compute(predictions=[0, 0, 1, 1], references=[0, 0, 0, 1])
    assert scores == pytest.approx(
        {
            "accuracy": 3 / 4,
            "precision_macro": (1 + 1 / 2) / 2,
            "recall_macro": (2 / 3 + 1) / 2,
            "f1_macro": (4 / 5 + 2 / 3) / 2,
        }
    )


def test_single_label_scores_agree_with_scikit_learn_on_many_classes():
    generator = np.random.default_rng(0)
    predictions, references = generator.integers(0, 7, (2, 500))
    scores = SingleLabelMetrics().compute(predictions=predictions, references=references)
    for name, function in [("f1", f1_score), ("precision", precision_score), ("recall", recall_score)]:
        assert scores[f"{name}_macro"] == pytest.approx(function(references, predictions, average="macro"))


def test_a_class_that_is_never_predicted_counts_as_zero_without_a_warning(recwarn):
    scores = SingleLabelMetrics().compute(predictions=[0, 0], references=[0, 1])
    assert scores["precision_macro"] == pytest.approx(0.25)
    assert not recwarn.list


def test_multi_label_accuracy_wants_every_label_of_a_row_right():
    scores = MultiLabelMetrics().compute(predictions=[[1, 0], [1, 1], [0, 0]], references=[[1, 0], [1, 0], [0, 0]])
    assert scores["accuracy"] == pytest.approx(2 / 3)
    assert scores["f1_micro"] == pytest.approx(4 / 5)
    assert scores["f1_macro"] == pytest.approx(1 / 2)


def test_regression_scores_are_those_of_a_hand_count():
    scores = RegressionMetrics().compute(predictions=[1.0, 3.0], references=[0.0, 4.0])
    assert scores == pytest.approx({"mse": 1.0, "mae": 1.0, "r2": 1 - 2 / 8, "spearman": 1.0})


def test_regression_on_one_row_gives_finite_scores_without_a_warning(recwarn):
    expected = {"mse": 4.0, "mae": 2.0, "r2": 0.0, "spearman": 0.0}
    assert RegressionMetrics().compute(predictions=[1.0], references=[3.0]) == expected
    assert not recwarn.list


@pytest.mark.parametrize("metric", METRICS.values())
def test_scoring_nothing_is_an_error_that_says_so(metric):
    with pytest.raises(ValueError, match="Nothing to score"):
        metric().compute(predictions=[], references=[])


def test_lengths_that_differ_are_an_error():
    with pytest.raises(ValueError, match=r"Mismatch.*\(1\).*\(2\)"):
        SingleLabelMetrics().compute(predictions=[0], references=[0, 1])


def test_metrics_combine_and_accumulate_as_those_of_the_hub_do():
    combined = evaluate.combine([SingleLabelMetrics(), SingleLabelMetrics()])
    metric = SingleLabelMetrics()
    for each in (combined, metric):
        each.add_batch(predictions=[0, 1], references=[0, 1])
        each.add_batch(predictions=[1, 1], references=[0, 1])
    assert metric.compute()["accuracy"] == 0.75
    assert 0.75 in combined.compute().values()


@pytest.mark.parametrize(
    ("problem_type", "logits", "labels", "name", "score"),
    [
        ("single_label_classification", [[0.0, 1.0], [1.0, 0.0]], [1, 1], "accuracy", 0.5),
        ("multi_label_classification", [[1.0, -1.0], [1.0, 1.0]], [[1.0, 0.0], [1.0, 0.0]], "accuracy", 0.5),
        ("regression", [[1.0], [2.0]], [1.0, 4.0], "mse", 2.0),
        ("regression", [[1.0], [2.0]], [[1.0], [4.0]], "mse", 2.0),
        ("regression", [[1.0, 2.0], [2.0, 2.0]], [[1.0, 2.0], [4.0, 2.0]], "mse", 1.0),
    ],
)
def test_trainers_metrics_score_each_problem_type(problem_type, logits, labels, name, score):
    evaluated = EvalPrediction(predictions=np.array(logits, dtype=np.float32), label_ids=np.array(labels))
    scores = compute_metrics_for(problem_type)(evaluated)
    assert scores[name] == pytest.approx(score)
    assert all(type(value) is float for value in scores.values())


def test_an_unknown_problem_type_is_named_in_the_error():
    with pytest.raises(ValueError, match="'ranking'"):
        compute_metrics_for("ranking")
