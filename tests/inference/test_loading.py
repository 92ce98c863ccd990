import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from hub_server import HubServer
from tiny import TEXTS, tiny_model, tiny_tokenizer
from transformers import BertConfig, BertForSequenceClassification

import okt_lstm
from okt_lstm.hub import LoadError


def test_loading_needs_a_folder_of_our_own_models(tmp_path, folder):
    with pytest.raises(LoadError, match="no such folder"):
        okt_lstm.load(tmp_path / "no" / "such" / "folder")
    with pytest.raises(LoadError, match=r"holds no classifier: it has no config\.json"):
        okt_lstm.load(tmp_path)
    with pytest.raises(LoadError, match="is a file"):
        okt_lstm.load(folder / "config.json")
    with pytest.raises(LoadError, match=r"reviews\.csv: no such folder"):
        okt_lstm.load("reviews.csv")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(LoadError, match="is not JSON"):
        okt_lstm.load(tmp_path)
    BertForSequenceClassification(
        BertConfig(hidden_size=8, num_attention_heads=1, num_hidden_layers=1, intermediate_size=8, vocab_size=9)
    ).save_pretrained(tmp_path)
    with pytest.raises(LoadError, match=r"of type 'bert', but only okt_lstm"):
        okt_lstm.load(tmp_path)


def test_loading_needs_tokenizer_and_trained_safetensors_weights(tmp_path, folder):
    model = tiny_model()
    model.save_pretrained(tmp_path)
    with pytest.raises(LoadError, match=r"it has no tokenizer_config\.json"):
        okt_lstm.load(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(LoadError, match=r"model\.safetensors is not a safetensors file, or cut off"):
        okt_lstm.load(tmp_path)
    with pytest.raises(LoadError, match="can't be loaded"):
        okt_lstm.load(tmp_path, engine="torch")
    weights.unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(LoadError, match=r"it has no model\.safetensors"):
        okt_lstm.load(tmp_path)
    with pytest.raises(LoadError, match="can't be loaded"):
        okt_lstm.load(tmp_path, engine="torch")
    model.model.save_pretrained(tmp_path)
    with pytest.raises(LoadError, match=r"this is a LSTMModel"):
        okt_lstm.load(tmp_path)
    with pytest.raises(LoadError, match=r"no trained classifier: its weights lack classifier\.bias"):
        okt_lstm.load(tmp_path, engine="torch")


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
    except okt_lstm.LoadError as error:
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
    assert "holds no classifier: it has no config.json" in answers[5]

    run[-1] = json.dumps([("kim/open", {}), ("kim/none", {})])  # the server is gone now
    offline = subprocess.run(run, env=environment, check=True, capture_output=True, text=True)
    assert "Retrying" not in offline.stderr, "what cannot be reached is asked once"
    answers = json.loads(offline.stdout)
    assert answers[0] == label, "what was downloaded once loads offline"
    assert "the Hugging Face Hub can't be asked" in answers[1]
