"""What runs a classifier, oktane or torch, changes nothing but the speed."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from trained_folders import TEXTS, random_model, save, trained_tokenizer

import okt_lstm
from okt_lstm import LoadError

KINDS = {
    "lstm": {},
    "gru, one direction": {"family": "GRU", "bidirectional": False, "pooling": "max"},
    "rnn": {"family": "RNN", "nonlinearity": "relu", "pooling": "mean"},
    "separate directions": {"separate_directions": True, "pooling": "max_mean_last"},
    "n-grams": {"family": "Ngram"},
    "several labels": {"labels": ("a", "b", "c"), "problem_type": "multi_label_classification"},
    "a number": {"labels": ("score",)},
    "two numbers": {"labels": ("x", "y"), "problem_type": "regression"},
    "half precision": {"dtype": "float16"},
}


@pytest.fixture(scope="module", params=KINDS)
def trained(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    options = dict(KINDS[request.param])
    half = options.pop("dtype", None)
    save(folder, **options)
    if half:
        sizes = {"vocab_size": len(trained_tokenizer()), "embedding_size": 8, "hidden_size": 8}
        random_model(**sizes).half().save_pretrained(folder)
    return folder


@pytest.fixture
def okts(tmp_path):
    return save(tmp_path / "okts")


def test_labels_are_equal_and_probabilities_nearly(trained):
    oktane, by_torch = (okt_lstm.load(trained, device="cpu", engine=engine) for engine in ("oktane", "torch"))
    assert (oktane.engine, by_torch.engine) == ("oktane", "torch")
    texts = [*TEXTS, " ".join(TEXTS) * 3]
    np.testing.assert_allclose(oktane.scores(texts), by_torch.scores(texts), atol=1e-4)
    if oktane.problem_type != "regression":
        assert oktane.predict(texts) == by_torch.predict(texts)
        assert oktane.predict(texts, threshold=0.7) == by_torch.predict(texts, threshold=0.7)
    for name in ("labels", "problem_type", "max_length", "model_type"):
        assert getattr(oktane, name) == getattr(by_torch, name)
    assert np.ptp(oktane.scores(texts), axis=0).min() > 0.001, "the texts should differ"


def test_the_classifier_inside_the_package_predicts_the_same_by_both():
    oktane, by_torch = okt_lstm.load(), okt_lstm.load(device="cpu", engine="torch")
    assert oktane.engine == "oktane"
    texts = [f"{one} {other}" for one in TEXTS for other in TEXTS]
    assert oktane.predict(texts) == by_torch.predict(texts)
    np.testing.assert_allclose(oktane.predict_proba(texts), by_torch.predict_proba(texts), atol=1e-4)


def test_evaluation_gives_the_same_scores_by_both(okts):
    labels = [0, 1, 0, 1, 1, 0]
    oktane, by_torch = (okt_lstm.load(okts, engine=engine).evaluate(TEXTS, labels) for engine in ("oktane", "torch"))
    assert oktane == pytest.approx(by_torch, abs=1e-5)


def test_texts_are_cut_at_the_same_length_by_both(okts):
    oktane, by_torch = (okt_lstm.load(okts, max_length=2, engine=engine) for engine in ("oktane", "torch"))
    np.testing.assert_allclose(oktane.logits(TEXTS), by_torch.logits(TEXTS), atol=1e-4)
    assert np.abs(oktane.logits(TEXTS) - okt_lstm.load(okts).logits(TEXTS)).max() > 0.01


def test_what_oktane_cannot_run_is_run_by_torch_unless_oktane_was_asked_for(folder):
    assert okt_lstm.load(folder).engine == "torch"
    with pytest.raises(LoadError, match=r"oktane runs OktTokenizer only; for others use okt_lstm\.load"):
        okt_lstm.load(folder, engine="oktane")


@pytest.mark.parametrize("engine", ["auto", "oktane"])
def test_a_damaged_folder_is_refused_and_not_handed_to_torch(okts, engine):
    model = random_model(vocab_size=len(trained_tokenizer()), embedding_size=8, hidden_size=8)
    with torch.no_grad():
        model.classifier.bias[0] = torch.nan
    model.save_pretrained(okts)
    with pytest.raises(LoadError, match=r"classifier\.bias holds numbers that are infinite or NaN"):
        okt_lstm.load(okts, engine=engine)


def test_oktane_runs_on_the_cpu_only(okts):
    for device in ("cpu", torch.device("cpu"), "cpu:0"):
        assert okt_lstm.load(okts, device=device).engine == "oktane"
    with pytest.raises(ValueError, match="oktane runs on the CPU only, not on cuda:1"):
        okt_lstm.load(okts, device=torch.device("cuda:1"), engine="oktane")
    # Another device is torch's: it is the one that doesn't know it.
    with pytest.raises(ValueError, match="device 'abacus' can't be used"):
        okt_lstm.load(okts, device="abacus")


def test_an_unknown_engine_is_an_error(okts):
    with pytest.raises(ValueError, match="engine is 'onnx'; it must be auto, oktane, torch"):
        okt_lstm.load(okts, engine="onnx")


@pytest.mark.parametrize("engine", ["oktane", "torch"])
def test_model_and_tokenizer_are_at_hand_and_changes_to_them_count(okts, engine):
    classifier = okt_lstm.load(okts, device="cpu", engine=engine)
    before = classifier.logits(TEXTS)
    assert classifier.tokenizer("최고")["input_ids"]
    with torch.no_grad():
        classifier.model.classifier.bias += 1
    np.testing.assert_allclose(classifier.logits(TEXTS), before + 1, atol=1e-4)


@pytest.mark.parametrize("engine", ["oktane", "torch"])
def test_a_pickled_classifier_predicts_the_same(okts, engine):
    classifier = okt_lstm.load(okts, device="cpu", max_length=3, engine=engine)
    copy = pickle.loads(pickle.dumps(classifier))
    assert copy.engine == engine
    assert copy.logits(TEXTS).tolist() == classifier.logits(TEXTS).tolist()


def test_a_classifier_says_what_runs_it(okts):
    assert repr(okt_lstm.load(okts)) == "Classifier(okt_lstm, ['negative', 'positive'], oktane)"
    by_torch = okt_lstm.load(okts, device="cpu", engine="torch")
    assert repr(by_torch) == "Classifier(okt_lstm, ['negative', 'positive'], torch on cpu)"


HEAVY = ("torch", "transformers", "datasets", "pyarrow", "huggingface_hub")


@pytest.mark.parametrize(
    "program",
    [
        "import okt_lstm; okt_lstm.load(sys.argv[1]).predict('최고')",
        "from okt_lstm.cli import main; main(['predict', '--model', sys.argv[1], '최고'])",
        "from okt_lstm.cli import main; main(['predict', '--model', sys.argv[1], '--input', sys.argv[2]])",
    ],
)
def test_a_prediction_by_oktane_imports_nothing_heavy(okts, tmp_path, program):
    (tmp_path / "in.csv").write_text("text\n최고\n")
    program = f"import sys; {program}; print([name for name in {HEAVY} if name in sys.modules])"
    command = [sys.executable, "-c", program, str(okts), str(tmp_path / "in.csv")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"
    assert result.stderr == ""
