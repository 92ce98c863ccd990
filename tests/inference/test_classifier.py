import json
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hub_server import HubServer
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import WORDS, save_tiny, tiny_model, tiny_tokenizer
from transformers import BertConfig, BertForSequenceClassification, pipeline

import okt_lstm
from okt_lstm.atomic import FileError
from okt_lstm.data.files import open_reader
from okt_lstm.inference import classifier as inference
from okt_lstm.inference.classifier import Classifier, LoadError, predict_file

TEXTS = ["연기도 연출도 최고였다", "시간이 아깝다", "", "모르는 말", "정말 재미 없다 " * 20, "굿"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def classifier(folder):
    return okt_lstm.load(folder)


def classifier_of(**options):
    return Classifier(tiny_model(**options), tiny_tokenizer())


def random_texts(count, seed=0):
    generator = random.Random(seed)
    return [" ".join(generator.choices(WORDS, k=generator.randrange(30))) for _ in range(count)]


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
    monkeypatch.setattr(inference, "CHUNK_SIZE", 70)
    for tokens in (1, 50, 100_000):
        monkeypatch.setattr(inference, "BATCH_TOKENS", tokens)
        np.testing.assert_allclose(classifier.logits(texts), expected, atol=1e-4)
    probabilities = classifier.predict_proba(texts)
    np.testing.assert_allclose(probabilities, torch.from_numpy(expected).softmax(1), atol=1e-5)


@given(lengths=st.lists(st.integers(0, 60), max_size=50), tokens=st.integers(1, 200))
@settings(deadline=None)
def test_batches_hold_every_row_once_within_their_size(lengths, tokens):
    lengths = np.array(lengths, np.int64)
    order = np.argsort(lengths, kind="stable")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inference, "BATCH_TOKENS", tokens)
        batches = list(inference._batches(order, lengths))
    assert np.concatenate([*batches, np.empty(0, np.int64)]).tolist() == order.tolist()
    for batch in batches:
        assert len(batch) == 1 or len(batch) * lengths[batch].max() <= tokens


def test_chunks_are_worked_on_ahead_but_answered_in_order(classifier):
    read = []

    def items():
        for number in range(50):
            read.append(number)
            yield number

    answers = classifier.map_ahead(lambda number: -number, items())
    assert next(answers) == (0, 0)
    assert len(read) <= torch.get_num_threads() + 2, "no more is read than the threads need"
    assert list(answers) == [(number, -number) for number in range(1, 50)]


def test_an_error_in_a_thread_reaches_the_caller(classifier):
    answers = classifier.map_ahead(lambda number: 1 // number, [2, 1, 0, 3])
    assert (next(answers), next(answers)) == ((2, 0), (1, 1))
    with pytest.raises(ZeroDivisionError):
        next(answers)


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
        ({"text": "굿"}, "not dict"),
        (datasets.Dataset.from_dict({"text": ["굿"]}), "of a data set give one column"),
    ],
)
def test_what_is_no_text_is_named_with_its_place_and_type(classifier, texts, message, monkeypatch):
    monkeypatch.setattr(inference, "CHUNK_SIZE", 4)
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


def test_okt_morphemes_are_classified_in_threads_as_one_by_one(monkeypatch):
    texts = ["정말 재미있게 봤어요ㅋㅋ", "돈이 아깝다", "", "😀 최고!", "배우들 연기가 별로였음"]
    tokenizer = okt_lstm.OktTokenizer().train_new_from_iterator([texts], vocab_size=50, show_progress=False)
    classifier = Classifier(tiny_model(vocab_size=len(tokenizer)), tokenizer)
    monkeypatch.setattr(inference, "CHUNK_SIZE", 7)
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


# Loading


def test_loading_needs_a_folder_of_our_own_models(tmp_path, folder):
    with pytest.raises(LoadError, match="no such folder"):
        okt_lstm.load(tmp_path / "no" / "such" / "folder")
    with pytest.raises(LoadError, match=r"holds no model: it has no config\.json"):
        okt_lstm.load(tmp_path)
    with pytest.raises(LoadError, match="is a file"):
        okt_lstm.load(folder / "config.json")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(LoadError, match="is damaged"):
        okt_lstm.load(tmp_path)
    BertForSequenceClassification(
        BertConfig(hidden_size=8, num_attention_heads=1, num_hidden_layers=1, intermediate_size=8, vocab_size=9)
    ).save_pretrained(tmp_path)
    with pytest.raises(LoadError, match=r"of type 'bert', but only okt_lstm"):
        okt_lstm.load(tmp_path)


def test_loading_needs_tokenizer_and_trained_safetensors_weights(tmp_path, folder):
    model = tiny_model()
    model.save_pretrained(tmp_path)
    with pytest.raises(LoadError, match="holds no tokenizer"):
        okt_lstm.load(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(LoadError, match="can't be loaded"):
        okt_lstm.load(tmp_path)
    weights.unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(LoadError, match="can't be loaded"):
        okt_lstm.load(tmp_path)
    model.model.save_pretrained(tmp_path)
    with pytest.raises(LoadError, match=r"no trained classifier: its weights lack classifier\.bias"):
        okt_lstm.load(tmp_path)


def test_half_precision_is_computed_with_in_single_precision(tmp_path, classifier):
    tiny_model().half().save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    half = okt_lstm.load(tmp_path)
    assert half.model.dtype == torch.float32
    np.testing.assert_allclose(half.predict_proba(TEXTS), classifier.predict_proba(TEXTS), atol=2e-2)


def test_a_missing_device_is_an_error(folder):
    for device in ("nonsense", "cuda:99"):
        with pytest.raises(ValueError, match=f"device '{device}' can't be used"):
            okt_lstm.load(folder, device=device)


LOAD_FROM_HUB = """
import json, sys
import okt_lstm
answers = []
for name, options in json.loads(sys.argv[1]):
    try:
        answers.append(okt_lstm.load(name, **options).predict("굿"))
    except okt_lstm.inference.classifier.LoadError as error:
        answers.append(str(error))
print(json.dumps(answers))
"""


def test_loading_from_the_hub_works_and_says_what_is_wrong(tmp_path, folder, classifier):
    with HubServer(users={"hf_kim": "kim"}) as hub:
        environment = os.environ | hub.environment(tmp_path)
        upload = "import sys; from huggingface_hub import HfApi; api = HfApi(token='hf_kim')\nfor name, private in "
        upload += "(('kim/open', False), ('kim/closed', True)): api.create_repo(name, private=private); "
        upload += "api.upload_folder(repo_id=name, folder_path=sys.argv[1])\napi.create_repo('kim/empty')"
        subprocess.run([sys.executable, "-c", upload, folder], env=environment, check=True)
        calls = [
            ("kim/closed", {"token": False}),
            ("kim/open", {}),
            ("kim/closed", {"token": "hf_kim"}),
            ("kim/none", {}),
            ("kim/open", {"revision": "v9"}),
            ("kim/empty", {}),
        ]
        run = [sys.executable, "-c", LOAD_FROM_HUB, json.dumps(calls)]
        result = subprocess.run(run, env=environment, check=True, capture_output=True, text=True)
    answers = json.loads(result.stdout)
    label = classifier.predict("굿")
    assert "kim/closed: no such folder, and no such repository" in answers[0]
    assert "hf auth login" in answers[0]
    assert answers[1:3] == [label, label]
    assert "kim/none: no such folder, and no such repository" in answers[3]
    assert "kim/open has no revision 'v9'" in answers[4]
    assert "kim/empty holds no model" in answers[5]

    run[-1] = json.dumps([("kim/open", {}), ("kim/none", {})])  # the server is gone now
    offline = subprocess.run(run, env=environment | {"HF_HUB_OFFLINE": "1"}, check=True, capture_output=True, text=True)
    answers = json.loads(offline.stdout)
    assert answers[0] == label, "what was downloaded once loads offline"
    assert "the Hugging Face Hub can't be asked" in answers[1]


# Files


def write_input(path, texts):
    rows = [{"id": str(index), "text": text} for index, text in enumerate(texts)]
    if path.suffix == ".txt":
        path.write_text("".join(f"{text}\n" for text in texts))
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        separator = "\t" if path.suffix == ".tsv" else ","
        path.write_text(f"id{separator}text\n" + "".join(f"{row['id']}{separator}{row['text']}\n" for row in rows))
    return path


KINDS = ["txt", "tsv", "csv", "jsonl", "parquet"]


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("target", KINDS)
def test_every_kind_of_file_becomes_every_kind_with_labels(tmp_path, classifier, monkeypatch, source, target):
    monkeypatch.setattr(inference, "CHUNK_SIZE", 4)
    source = write_input(tmp_path / f"in.{source}", TEXTS)
    assert predict_file(classifier, source, tmp_path / f"out.{target}") == len(TEXTS)
    with open_reader(tmp_path / f"out.{target}") as reader:
        rows = list(reader)
    labels = classifier.predict(TEXTS)
    if target == "txt":
        assert [row["text"] for row in rows] == labels
        return
    assert [row["label"] for row in rows] == labels
    assert [row["text"] for row in rows] == TEXTS
    probabilities = classifier.predict_proba(TEXTS).max(axis=1)
    np.testing.assert_allclose([float(row["probability"]) for row in rows], probabilities, atol=2e-6)
    assert list(rows[0]) == [*(["id"] if source.suffix != ".txt" else []), "text", "label", "probability"]


def test_all_probabilities_are_written_if_asked_for(tmp_path, classifier):
    predict_file(classifier, write_input(tmp_path / "in.csv", TEXTS), tmp_path / "out.jsonl", probabilities=True)
    with open_reader(tmp_path / "out.jsonl") as reader:
        rows = [[row["probability_negative"], row["probability_positive"]] for row in reader]
    np.testing.assert_allclose(rows, classifier.predict_proba(TEXTS), atol=1e-6)
    with pytest.raises(FileError, match="txt file holds labels only"):
        predict_file(classifier, tmp_path / "in.csv", tmp_path / "out.txt", probabilities=True)


def test_several_labels_and_numbers_have_a_form_in_files(tmp_path):
    source = write_input(tmp_path / "in.txt", TEXTS)
    several = classifier_of(labels=("a", "b"), problem_type="multi_label_classification")
    predict_file(several, source, tmp_path / "several.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "several.jsonl").read_text().splitlines()]
    assert [row["label"] for row in rows] == several.predict(TEXTS)
    assert set(rows[0]) == {"text", "label", "probability_a", "probability_b"}
    number = classifier_of(labels=("x",))
    predict_file(number, source, tmp_path / "number.parquet")
    table = pq.read_table(tmp_path / "number.parquet")
    assert table["label"].to_pylist() == pytest.approx(number.predict(TEXTS))
    assert table.column_names == ["text", "label"]


def test_columns_of_the_input_are_never_overwritten(tmp_path, classifier):
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "굿", "label": 1}\n')
    predict_file(classifier, source, tmp_path / "out.jsonl")
    row = json.loads((tmp_path / "out.jsonl").read_text())
    assert row["label"] == 1
    assert row["predicted_label"] == classifier.predict("굿")
    (tmp_path / "again.jsonl").write_text((tmp_path / "out.jsonl").read_text())
    with pytest.raises(FileError, match="'predicted_label' already"):
        predict_file(classifier, tmp_path / "again.jsonl", tmp_path / "out2.jsonl")
    source.write_text('{"text": "굿"}\n{"text": "굿", "label": 1}\n')
    with pytest.raises(FileError, match=r"row 2.*'label'"):
        predict_file(classifier, source, tmp_path / "out3.jsonl")
    assert not (tmp_path / "out3.jsonl").exists()


def test_the_column_of_the_texts_is_guessed_or_named(tmp_path, classifier):
    source = tmp_path / "in.tsv"
    source.write_text("id\tdocument\tother\n1\t굿\t별로\n")
    for column in (None, "document"):
        predict_file(classifier, source, tmp_path / "out.jsonl", text_column=column)
        assert json.loads((tmp_path / "out.jsonl").read_text())["label"] == classifier.predict("굿")
    with pytest.raises(FileError, match="no column 'x'; its columns are id, document, other"):
        predict_file(classifier, source, tmp_path / "out.jsonl", text_column="x")
    source.write_text("id\twords\n1\t굿\n")
    with pytest.raises(FileError, match=r"which column holds the texts.*id, words"):
        predict_file(classifier, source, tmp_path / "out.jsonl")


def test_a_table_called_txt_is_not_taken_for_texts(tmp_path, classifier):
    source = tmp_path / "ratings_test.txt"
    source.write_text("id\tdocument\tlabel\n1\t굿\t1\n")
    with pytest.raises(FileError, match="first line holds tabs"):
        predict_file(classifier, source, tmp_path / "out.csv")
    assert predict_file(classifier, source, tmp_path / "out.csv", kind="tsv") == 1
    assert predict_file(classifier, source, tmp_path / "out.csv", kind="txt") == 2


@pytest.mark.parametrize("value", [None, 17, ["굿"]])
def test_a_row_without_text_is_named_and_nothing_is_left(tmp_path, classifier, value, monkeypatch):
    monkeypatch.setattr(inference, "CHUNK_SIZE", 4)
    source = tmp_path / "in.jsonl"
    rows = [{"text": "굿"}] * 16 + [{"text": value}]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "out.csv").write_text("old")
    with pytest.raises(FileError, match=r"in\.jsonl, row 17: the column 'text' is .*, not text"):
        predict_file(classifier, source, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.csv"]


def test_input_and_output_must_differ(tmp_path, classifier):
    source = write_input(tmp_path / "in.csv", TEXTS)
    with pytest.raises(FileError, match="same file"):
        predict_file(classifier, source, tmp_path / "." / "in.csv")
    assert source.read_text().startswith("id,text\n")
