"""`Classifier.evaluate` takes labels as `predict` returns them, and `predict` refuses what are not texts."""

import datasets
import numpy as np
import pandas as pd
import pytest
from tiny import TEXTS


@pytest.mark.parametrize(
    "labels",
    [
        lambda names, ids: names,
        lambda names, ids: ids,
        lambda names, ids: [float(label) for label in ids],
        lambda names, ids: np.array(ids),
        lambda names, ids: pd.Series(ids, dtype="float64"),
        lambda names, ids: [f" {name} " for name in names],
    ],
)
def test_names_and_ids_give_the_same_scores(classifier, labels):
    ids = [number % 2 for number in range(len(TEXTS))]
    names = [classifier.labels[label] for label in ids]
    expected = classifier.evaluate(TEXTS, ids)
    assert classifier.evaluate(TEXTS, labels(names, ids)) == expected
    assert classifier.evaluate(TEXTS, classifier.predict(TEXTS))["accuracy"] == 1


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("good", r"labels\[0\]: the label 'good' is not one of"),
        (2, "no class 2; the ids are 0 to 1"),
        (None, "missing"),
    ],
)
def test_a_label_that_the_model_lacks_is_named(classifier, label, message):
    with pytest.raises(ValueError, match=message):
        classifier.evaluate(["굿"], [label])


@pytest.mark.parametrize(
    "texts",
    [
        pd.DataFrame({"text": ["별로", "최고"]}),
        datasets.Dataset.from_dict({"text": ["별로"]}),
        {"text": ["별로"]},
        datasets.Dataset.from_dict({"text": ["별로"]}).data.table,
        np.array([["별로", "최고"]]),
    ],
)
def test_what_has_columns_is_refused_with_the_fix(classifier, texts):
    for method in (classifier.predict, classifier.predict_proba):
        with pytest.raises(TypeError, match=r"pass .*column"):
            method(texts)


def test_columns_are_texts(classifier):
    expected = classifier.predict(["별로", "최고"])
    for texts in (
        pd.Series(["별로", "최고"]),
        np.array(["별로", "최고"]),
        datasets.Dataset.from_dict({"text": ["별로", "최고"]})["text"],
        (text for text in ["별로", "최고"]),
    ):
        assert classifier.predict(texts) == expected
