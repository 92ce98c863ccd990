import random
from concurrent.futures import ThreadPoolExecutor

import datasets
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import TEXTS, classifier_of, random_texts, save_tiny, tiny_model
from transformers import pipeline

import okt_lstm
from okt_lstm.inference import torch_classifier
from okt_lstm.inference.classifier import Classifier

# Texts in, labels out


def test_a_text_gives_a_label_and_a_list_gives_labels(classifier):
    labels = classifier.predict(TEXTS)
    assert len(labels) == len(TEXTS)
    assert set(labels) == {"negative", "positive"} == set(classifier.labels)
    assert [classifier.predict(text) for text in TEXTS] == labels
    assert classifier.predict([]) == []


def test_probabilities_sum_to_one_and_agree_with_the_labels(classifier):
    probabilities = classifier.predict_proba(TEXTS)
    assert probabilities.shape == (len(TEXTS), 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert [classifier.labels[row.argmax()] for row in probabilities] == classifier.predict(TEXTS)
    np.testing.assert_allclose(classifier.predict_proba(TEXTS[0]), probabilities[0], rtol=1e-5)
    assert classifier.predict_proba([]).shape == (0, 2)


def test_batching_changes_nothing(classifier, monkeypatch):
    texts = random_texts(300)
    expected = np.concatenate([classifier.logits([text]) for text in texts])
    monkeypatch.setattr(torch_classifier, "CHUNK_SIZE", 70)
    for tokens in (1, 50, 100_000):
        monkeypatch.setattr(torch_classifier, "BATCH_TOKENS", tokens)
        np.testing.assert_allclose(classifier.logits(texts), expected, atol=1e-4)
    probabilities = classifier.predict_proba(texts)
    np.testing.assert_allclose(probabilities, torch.from_numpy(expected).softmax(1), atol=1e-5)


@given(lengths=st.lists(st.integers(0, 60), max_size=50), tokens=st.integers(1, 200))
@settings(deadline=None)
def test_batches_hold_every_row_once_within_their_size(lengths, tokens):
    lengths = np.array(lengths, np.int64)
    order = np.argsort(lengths, kind="stable")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch_classifier, "BATCH_TOKENS", tokens)
        batches = list(torch_classifier._batches(order, lengths))
    assert np.concatenate([*batches, np.empty(0, np.int64)]).tolist() == order.tolist()
    for batch in batches:
        assert len(batch) == 1 or len(batch) * lengths[batch].max() <= tokens


def test_the_number_of_torchs_threads_stays_as_it_was(classifier):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        classifier.predict(TEXTS)
        assert torch.get_num_threads() == 3
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(torch.get_num_threads).result() == 3
    finally:
        torch.set_num_threads(before)


def test_texts_are_read_only_as_far_ahead_as_the_threads_need(classifier, monkeypatch):
    monkeypatch.setattr(torch_classifier, "CHUNK_SIZE", 2)
    read = []
    chunks = classifier.score_chunks(read.append(text) or text for text in TEXTS * 50)
    assert next(chunks)[0] == TEXTS[:2]
    assert len(read) <= 2 * (2 * torch.get_num_threads() + 1)


def test_several_threads_may_predict_at_once(classifier):
    texts = random_texts(200)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(classifier.predict_proba, [texts] * 8))
    for result in results:
        np.testing.assert_allclose(result, results[0], atol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        tuple,
        iter,
        np.array,
        lambda texts: (text for text in texts),
        lambda texts: datasets.Dataset.from_dict({"text": texts})["text"],
    ],
)
def test_any_iterable_of_texts_will_do(classifier, make):
    assert classifier.predict(make(TEXTS)) == classifier.predict(TEXTS)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["굿", 17], r"texts\[1\] is not a str but int: 17"),
        (["굿"] * 9 + [None], r"texts\[9\] is not a str but NoneType"),
        ([["굿"]], r"texts\[0\] is not a str but list"),
        (None, "not NoneType"),
        (3, "not int"),
        (b"bytes", "not bytes"),
        ({"text": "굿"}, "texts is a dict, not a list of str"),
        (datasets.Dataset.from_dict({"text": ["굿"]}), "pass the column that holds the texts"),
    ],
)
def test_what_is_no_text_is_named_with_its_place_and_type(classifier, texts, message, monkeypatch):
    monkeypatch.setattr(torch_classifier, "CHUNK_SIZE", 4)
    for method in (classifier.predict, classifier.predict_proba):
        with pytest.raises(TypeError, match=message):
            method(texts)


def test_several_labels_may_hold():
    classifier = classifier_of(labels=("a", "b", "c"), problem_type="multi_label_classification")
    probabilities = classifier.predict_proba(TEXTS)
    labels = classifier.predict(TEXTS)
    assert labels == [
        [label for label, probability in zip("abc", row, strict=True) if probability >= 0.5] for row in probabilities
    ]
    assert len({len(row) for row in labels}) > 1, "the texts should differ in how many labels hold"
    assert classifier.predict(TEXTS[0], threshold=0) == ["a", "b", "c"]
    assert classifier.predict(TEXTS, threshold=1.1) == [[]] * len(TEXTS)


def test_regression_gives_numbers_and_no_probabilities():
    classifier = classifier_of(labels=("score",))
    assert classifier.problem_type == "regression"
    assert classifier.predict(TEXTS) == pytest.approx(classifier.logits(TEXTS)[:, 0].tolist())
    assert isinstance(classifier.predict("굿"), float)
    with pytest.raises(ValueError, match="use predict"):
        classifier.predict_proba("굿")
    several = classifier_of(labels=("x", "y"), problem_type="regression")
    assert np.shape(several.predict(TEXTS)) == (len(TEXTS), 2)


def test_dropout_is_off_and_nothing_requires_gradients(classifier):
    classifier.model.train()
    again = Classifier(classifier.model, classifier.tokenizer)
    assert again.predict_proba(TEXTS).tolist() == again.predict_proba(TEXTS).tolist()


def test_texts_are_cut_at_the_tokenizers_limit_or_a_given_one(tmp_path):
    long, cut = "굿 " * 5 + "별로 " * 5, "굿 " * 5
    unlimited = classifier_of()
    assert unlimited.logits([long]).tolist() != unlimited.logits([cut]).tolist()
    limited = okt_lstm.load(save_tiny(tmp_path, {"model_max_length": 5}))
    np.testing.assert_allclose(limited.logits([long]), unlimited.logits([cut]), atol=1e-5)
    np.testing.assert_allclose(
        okt_lstm.load(tmp_path, max_length=10).logits([long]), unlimited.logits([long]), atol=1e-5
    )
    with pytest.raises(ValueError, match="max_length"):
        okt_lstm.load(tmp_path, max_length=0)


@pytest.mark.parametrize(
    ("options", "labels", "score"),
    [
        ({}, [0, 1, 0, 1, 1, 0], "accuracy"),
        ({"problem_type": "multi_label_classification"}, [[0, 1]] * 3 + [[1, 1]] * 3, "f1_micro"),
        ({"labels": ("x",)}, [0.5, 1, 2, 3, 4, 5], "mse"),
    ],
)
def test_evaluation_measures_the_predictions(options, labels, score):
    classifier = classifier_of(**options)
    scores = classifier.evaluate(TEXTS, labels)
    logits = torch.from_numpy(classifier.logits(TEXTS))
    losses = {
        "accuracy": lambda: torch.nn.functional.cross_entropy(logits, torch.tensor(labels)),
        "f1_micro": lambda: torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.tensor(labels).float()),
        "mse": lambda: torch.nn.functional.mse_loss(logits[:, 0], torch.tensor(labels)),
    }
    assert scores["loss"] == pytest.approx(losses[score]().item(), rel=1e-5)
    if score == "accuracy":
        right = [
            classifier.labels[label] == answer for label, answer in zip(labels, classifier.predict(TEXTS), strict=True)
        ]
        assert scores["accuracy"] == np.mean(right)
    assert score in scores
    with pytest.raises(ValueError, match="6 texts, but 5 labels"):
        classifier.evaluate(TEXTS, labels[:5])


def test_predictions_and_evaluation_decide_ties_in_the_same_way():
    classifier = classifier_of(labels=("a", "b"), problem_type="multi_label_classification")
    with torch.no_grad():
        classifier.model.classifier.weight.zero_()
        classifier.model.classifier.bias.zero_()
    assert classifier.predict(["굿"]) == [["a", "b"]]
    assert classifier.evaluate(["굿"], [[1, 1]])["accuracy"] == 1


def test_okt_morphemes_are_classified_in_threads_as_one_by_one(monkeypatch):
    texts = ["정말 재미있게 봤어요ㅋㅋ", "돈이 아깝다", "", "😀 최고!", "배우들 연기가 별로였음"]
    tokenizer = okt_lstm.OktTokenizer().train_new_from_iterator([texts], vocab_size=50, show_progress=False)
    classifier = Classifier(tiny_model(vocab_size=len(tokenizer)), tokenizer)
    monkeypatch.setattr(torch_classifier, "CHUNK_SIZE", 7)
    many = random.Random(0).choices(texts, k=200)
    one_by_one = {text: classifier.predict_proba(text) for text in texts}
    assert len({tuple(row) for row in one_by_one.values()}) == len(texts)
    np.testing.assert_allclose(classifier.predict_proba(many), [one_by_one[text] for text in many], atol=1e-4)


# The pipeline of transformers


def test_the_pipeline_gives_the_same_labels_in_batches_and_truncates(folder, classifier):
    classify = pipeline("text-classification", model=str(folder))
    answers = classify(TEXTS, batch_size=4)
    assert [answer["label"] for answer in answers] == classifier.predict(TEXTS)
    probabilities = classifier.predict_proba(TEXTS).max(axis=1)
    np.testing.assert_allclose([answer["score"] for answer in answers], probabilities, atol=1e-5)
    cut = classify(["굿 " * 5 + "별로 " * 5], truncation=True, max_length=5)
    assert cut == classify(["굿 " * 5])
