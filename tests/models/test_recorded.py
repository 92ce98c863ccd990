"""Folders that okt-lstm 0.1.0 wrote load, and give the labels and logits that 0.1.0 gave."""

import json
import logging
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoModelForPreTraining, AutoModelForSequenceClassification, AutoTokenizer

import okt_lstm

FOLDER = Path(__file__).parents[1] / "recorded" / "0.1.0"
RECORD = json.loads((FOLDER / "expected.json").read_text("utf-8"))
TEXTS, EXPECTED = RECORD["texts"], RECORD["expected"]
CLASSIFIERS = sorted(EXPECTED.keys() - {"language_model", "resumed"})


@pytest.fixture(autouse=True)
def no_warnings(caplog, recwarn):
    library = logging.getLogger("transformers")  # it does not pass its messages on to the root logger
    library.addHandler(caplog.handler)
    yield
    library.removeHandler(caplog.handler)
    assert not caplog.messages
    assert not [str(warning.message) for warning in recwarn]


@pytest.mark.parametrize("engine", ["oktane", "torch"])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_load_gives_the_recorded_labels_and_logits(name, engine):
    classifier = okt_lstm.load(FOLDER / name, engine=engine)
    numbers = name == "regression"
    labels = EXPECTED[name]["labels"]
    assert classifier.predict(TEXTS) == (pytest.approx(labels, abs=1e-5) if numbers else labels)
    torch.testing.assert_close(
        torch.from_numpy(classifier.logits(TEXTS)), torch.tensor(EXPECTED[name]["logits"]), atol=1e-5, rtol=0
    )


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_the_auto_classes_give_the_recorded_ids_and_logits(name):
    tokenizer = AutoTokenizer.from_pretrained(FOLDER / name)
    model = AutoModelForSequenceClassification.from_pretrained(FOLDER / name).eval()
    assert tokenizer(TEXTS, truncation=True)["input_ids"] == EXPECTED[name]["ids"]
    with torch.no_grad():
        logits = model(**tokenizer(TEXTS, truncation=True, padding=True, return_tensors="pt")).logits
    torch.testing.assert_close(logits, torch.tensor(EXPECTED[name]["logits"]), atol=1e-5, rtol=0)


def test_a_language_model_gives_the_recorded_loss():
    tokenizer = AutoTokenizer.from_pretrained(FOLDER / "language_model")
    model, loaded = AutoModelForPreTraining.from_pretrained(FOLDER / "language_model", output_loading_info=True)
    assert not any(loaded.values())
    assert model.config.sampled_softmax_size == 64
    batch = tokenizer(TEXTS, truncation=True, padding=True, return_tensors="pt")
    with torch.no_grad():
        assert model.eval()(**batch).loss.item() == pytest.approx(EXPECTED["language_model"]["loss"], abs=1e-5)


def test_a_language_model_opens_as_an_encoder():
    model, loaded = AutoModel.from_pretrained(FOLDER / "language_model", output_loading_info=True)
    assert not loaded["missing_keys"]
    assert type(model) is okt_lstm.LSTMModel


def test_a_tokenizer_of_an_earlier_version_is_saved_in_todays_form(tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(FOLDER / "bpe")
    tokenizer.save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "tokenizer_config.json").read_text("utf-8"))
    assert saved["subword"] == "bpe"
    assert saved["analyzer"].startswith("oktane ")
    assert not {"model", "analyser"} & saved.keys()
    assert AutoTokenizer.from_pretrained(tmp_path)(TEXTS)["input_ids"] == tokenizer(TEXTS)["input_ids"]


def test_a_folder_loads_by_the_code_that_0_1_0_saved_with_it_where_okt_lstm_is_missing(tmp_path):
    program = """
        import sys
        sys.modules["okt_lstm"] = None
        import json, torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
        tokenizer = AutoTokenizer.from_pretrained(sys.argv[1], trust_remote_code=True)
        model = AutoModelForSequenceClassification.from_pretrained(sys.argv[1], trust_remote_code=True).eval()
        batch = tokenizer(json.loads(sys.argv[2]), truncation=True, padding=True, return_tensors="pt")
        with torch.no_grad():
            print(json.dumps(model(**batch).logits.tolist()))
    """
    saved = shutil.copytree(FOLDER / "word", tmp_path / "word")
    shutil.unpack_archive(saved / "code.zip", saved)
    environment = {"PATH": "", "HOME": str(tmp_path), "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    arguments = [sys.executable, "-c", textwrap.dedent(program), str(saved), json.dumps(TEXTS)]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    torch.testing.assert_close(json.loads(done.stdout), EXPECTED["word"]["logits"], atol=1e-5, rtol=0)
