"""`Classifier.evaluate` takes labels as `predict` returns them, and `predict` refuses what are not texts."""

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tiny import TEXTS

import oktane


@pytest.mark.parametrize(
    "labels",
    [
        lambda names, ids: names,
        lambda names, ids: ids,
        lambda names, ids: [float(label) for label in ids],
        lambda names, ids: np.array(ids),
        lambda names, ids: pd.Series(ids, dtype="float64"),
        lambda names, ids: [f" {name} " for name in names],
        lambda names, ids: [f"{label}.0" for label in ids],
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
    for method in (classifier.predict, classifier.predict_proba, lambda texts: classifier.evaluate(texts, [0])):
        with pytest.raises(TypeError, match=r"pass .*column"):
            method(texts)


def test_one_text_a_set_and_columns_of_arrow_are_refused_with_the_fix(classifier):
    with pytest.raises(TypeError, match=r"one text: pass a list of it, \['최고'\]"):
        classifier.evaluate("최고", ["positive"])
    with pytest.raises(TypeError, match=r"a set, which has no order; pass a list of it, such as sorted\(texts\)"):
        classifier.predict({"최고", "별로"})
    with pytest.raises(TypeError, match=r"pass column\.to_pylist\(\)"):
        classifier.predict(pa.array(["최고"]))


def test_a_model_of_characters_takes_numpys_texts():
    model = oktane.load()
    assert model.predict(np.array(["최고", "별로"])) == model.predict(["최고", "별로"])
    assert model.predict(np.str_("최고")) == model.predict("최고")


def test_columns_are_texts(classifier):
    expected = classifier.predict(["별로", "최고"])
    for texts in (
        pd.Series(["별로", "최고"]),
        np.array(["별로", "최고"]),
        datasets.Dataset.from_dict({"text": ["별로", "최고"]})["text"],
        (text for text in ["별로", "최고"]),
    ):
        assert classifier.predict(texts) == expected
