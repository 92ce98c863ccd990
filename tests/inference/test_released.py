"""The model inside the package, and the copies that it is made by."""

import errno
import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from full_disk import full_disk
from safetensors.torch import load_file
from tiny import save_tiny, tiny_model
from transformers import pipeline

import okt_lstm
from okt_lstm.atomic import FileError
from okt_lstm.hub import LoadError
from okt_lstm.inference.export import export_model
from oktane import folders

ROOT = Path(__file__).parents[2]
TEXTS = ["연기도 연출도 최고였다", "시간이 아깝다", "", "모르는 말"]
LARGEST = 12_000_000  # bytes


@pytest.fixture
def trained(tmp_path):
    folder = save_tiny(tmp_path / "trained")
    (folder / "README.md").write_text("# The card\n")
    (folder / "curves.png").write_bytes(b"png")
    (folder / "data_args.json").write_text(json.dumps({"dataset": "nsmc", "data_dir": "/home/kim", "split_seed": 7}))
    (folder / "checkpoint-1").mkdir()
    (folder / "training_args.bin").write_bytes(b"pickle")
    return folder


@pytest.fixture
def released():
    return folders.RELEASED_MODEL


# Loading


def test_without_a_name_the_released_model_is_loaded_and_computes_in_single_precision(released):
    classifier = okt_lstm.load(device="cpu")
    assert classifier.model.dtype == torch.float32
    assert classifier.labels == ["negative", "positive"]
    expected = okt_lstm.load(released, device="cpu", engine="torch").predict_proba(TEXTS)
    # It runs on torch since its model was looked at.
    np.testing.assert_array_equal(classifier.predict_proba(TEXTS), expected)
    stored = {weight.dtype for weight in load_file(released / "model.safetensors").values()}
    assert stored == {torch.float16}


ISOLATED = """
import os
import sys
from pathlib import Path

def forbid(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        os._exit(9)  # an exception might be caught

sys.addaudithook(forbid)
import okt_lstm
from oktane import folders
folders.RELEASED_MODEL = Path(sys.argv[1])
print(okt_lstm.load().predict("굿"))
if any("transformers_modules" in name for name in sys.modules):
    sys.exit("code of a folder was run")
"""


def test_loading_it_asks_no_network_and_runs_no_code_from_elsewhere(released):
    command = [sys.executable, "-c", ISOLATED, str(released)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    assert result.stdout.strip() in ("negative", "positive")


def test_an_installation_without_a_model_says_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.setattr("oktane.folders.RELEASED_MODEL", tmp_path / "released")
    with pytest.raises(LoadError, match=r"has no trained model .*okt-lstm train --output_dir"):
        okt_lstm.load()


def test_a_classifier_shows_what_it_is(trained):
    assert repr(okt_lstm.load(trained, device="cpu")) == "Classifier(okt_lstm, ['negative', 'positive'], torch on cpu)"
    many = okt_lstm.load(save_tiny(trained, labels=[f"label {number}" for number in range(99)]))
    assert len(repr(many)) < 120


# Exporting


def test_a_copy_predicts_as_the_trained_folder_does(tmp_path, trained):
    target = export_model(trained, tmp_path / "copy")
    expected = okt_lstm.load(trained).predict_proba(TEXTS)
    np.testing.assert_allclose(okt_lstm.load(target).predict_proba(TEXTS), expected, atol=2e-2)
    exact = export_model(trained, tmp_path / "exact", torch.float32)
    np.testing.assert_array_equal(okt_lstm.load(exact).predict_proba(TEXTS), expected)
    classify = pipeline("text-classification", model=str(target))
    assert classify.model.dtype == torch.float32, "other programs compute in single precision, too"
    assert [answer["label"] for answer in classify(TEXTS)] == okt_lstm.load(target).predict(TEXTS)


def test_a_copy_holds_what_loading_needs_and_the_card_but_neither_code_nor_pickles(tmp_path, trained):
    target = export_model(trained, tmp_path / "copy")
    names = {path.name for path in target.iterdir()}
    assert names == {
        "README.md",
        "config.json",
        "curves.png",
        "data_args.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    assert (target / "README.md").read_text() == "# The card\n"
    assert json.loads((target / "data_args.json").read_text()) == {"dataset": "nsmc", "split_seed": 7}
    for name in ("config.json", "tokenizer_config.json"):
        assert "auto_map" not in json.loads((target / name).read_text())


def test_okts_tokenizer_with_its_user_dictionary_is_copied(tmp_path):
    tokenizer = okt_lstm.OktTokenizer(user_dictionary={"Noun": ["워라밸"]})
    tokenizer = tokenizer.train_new_from_iterator(["워라밸이 좋다"], vocab_size=50, show_progress=False)
    tiny_model(vocab_size=len(tokenizer)).save_pretrained(tmp_path / "trained")
    tokenizer.save_pretrained(tmp_path / "trained")
    assert list((tmp_path / "trained").glob("*.py"))
    target = export_model(tmp_path / "trained", tmp_path / "copy")
    assert not list(target.glob("*.py"))
    copied = okt_lstm.load(target).tokenizer
    assert isinstance(copied, okt_lstm.OktTokenizer)
    assert copied("워라밸이 좋다")["input_ids"] == tokenizer("워라밸이 좋다")["input_ids"]


def test_a_copys_vocabulary_is_the_same_in_fewer_bytes(tmp_path, trained):
    target = export_model(trained, tmp_path / "copy")
    before, after = ((folder / "tokenizer.json").read_text() for folder in (trained, target))
    assert json.loads(after) == json.loads(before)
    assert len(after) < 0.7 * len(before)


def test_an_older_copy_is_replaced_but_nothing_else(tmp_path, trained):
    target = export_model(trained, tmp_path / "copy")
    (target / "user_dictionary.txt").write_text("of the older copy")
    export_model(trained, target)
    assert not (target / "user_dictionary.txt").exists()
    (target / "notes.txt").write_text("precious")
    with pytest.raises(FileError, match=r"holds notes\.txt, which is not part of a small copy"):
        export_model(trained, target)
    assert (target / "notes.txt").read_text() == "precious"
    precious = tmp_path / "thesis"
    precious.mkdir()
    (precious / "thesis.tex").write_text("precious")
    with pytest.raises(FileError, match="is not a model"):
        export_model(trained, precious)
    with pytest.raises(FileError, match="not a folder"):
        export_model(trained, precious / "thesis.tex")
    with pytest.raises(FileError, match="mkdir -p"):
        export_model(trained, tmp_path / "none" / "copy")
    assert [path.name for path in precious.iterdir()] == ["thesis.tex"]


def test_a_failed_copy_leaves_the_older_one(tmp_path, trained, monkeypatch):
    target = export_model(trained, tmp_path / "copy")
    before = {path.name: path.read_bytes() for path in target.iterdir()}
    model = tiny_model()
    with torch.no_grad():
        model.classifier.weight[0, 0] = 1e6  # beyond half precision
    model.save_pretrained(trained)
    with pytest.raises(ValueError, match=r"classifier\.weight are beyond the range of torch\.float16"):
        export_model(trained, target)

    save_tiny(trained)

    def fail(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copyfile", fail)
    with pytest.raises(FileError, match=r"copy: can't be written: No space left on device"):
        export_model(trained, target)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "trained"]


def test_a_copy_that_the_disk_has_no_room_for_leaves_nothing(tmp_path, trained):
    with pytest.raises(FileError, match=r"copy: can't be written: File too large"), full_disk():
        export_model(trained, tmp_path / "copy")
    assert [path.name for path in tmp_path.iterdir()] == ["trained"]


def test_what_is_no_trained_classifier_is_not_copied(tmp_path):
    with pytest.raises(LoadError, match=r"config\.json"):
        export_model(tmp_path, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


# scripts/release/train_release.py


@pytest.fixture
def release(trained, tmp_path, monkeypatch):
    """Run the script on a trained folder and return what it wrote."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    (trained / "data_args.json").write_text(json.dumps({"dataset": "sample", "data_dir": None}))
    (trained / "test_results.json").write_text(
        json.dumps({"test_accuracy": 0.8765, "test_f1_macro": 0.8642, "test_loss": 0.2468})
    )
    script = runpy.run_path(str(ROOT / "scripts" / "release" / "train_release.py"))

    def run(**constants):
        script["main"].__globals__.update(constants)
        target = tmp_path / "released"
        monkeypatch.setattr(sys, "argv", ["train_release.py", "--trained", str(trained), "--released", str(target)])
        script["main"]()
        return target

    return run


def test_a_release_is_checked_and_its_card_says_so(release, trained, capsys):
    target = release()
    card = (target / "README.md").read_text()
    assert card.startswith("# The card\n")
    assert "accuracy 0.8765, macro F1 0.8642, loss 0.2468" in card
    assert "of 40 predictions change" in card
    assert "accuracy 0.8765" in capsys.readouterr().out
    assert okt_lstm.load(target).predict(TEXTS) == okt_lstm.load(trained).predict(TEXTS)


def test_a_release_that_is_too_large_or_less_accurate_replaces_nothing(release):
    target = release()
    before = (target / "README.md").read_bytes()
    with pytest.raises(SystemExit, match="more than 1,000: nothing was replaced"):
        release(LARGEST=1000)
    with pytest.raises(SystemExit, match="half precision changes the accuracy"):
        release(LARGEST=LARGEST, LARGEST_CHANGE=-1)
    assert (target / "README.md").read_bytes() == before


# The model in this checkout


def test_the_shipped_model_is_small_and_holds_neither_code_nor_pickles(released):
    files = list(released.rglob("*"))
    assert sum(path.stat().st_size for path in files) <= LARGEST
    assert {path.suffix for path in files} <= {".json", ".safetensors", ".md", ".png", ".txt"}
    assert "auto_map" not in (released / "config.json").read_text()


def test_the_shipped_model_tells_praise_from_blame(released):
    classifier = okt_lstm.load(device="cpu")
    praise = ["연기도 연출도 최고였다", "정말 감동적이고 재미있는 영화", "두 번 봐도 좋네요 강추합니다"]
    blame = ["시간이 아깝다", "지루하고 재미없는 영화", "돈 주고 보기 아까운 쓰레기"]
    assert classifier.predict(praise + blame) == ["positive"] * 3 + ["negative"] * 3


def test_the_shipped_card_gives_the_reading_of_the_test_set(released):
    card = (released / "README.md").read_text(encoding="utf-8")
    assert "| test |" in card
    assert "half precision" in card


@pytest.mark.slow
def test_the_shipped_model_reaches_what_its_card_says(released, nsmc_dir):
    from huggingface_hub import ModelCard

    from okt_lstm.data.options import DataOptions
    from okt_lstm.data.splits import load_test_split

    classifier = okt_lstm.load(device="cpu")
    arguments = DataOptions(data_dir=str(nsmc_dir))
    test = load_test_split(arguments, classifier.problem_type, classifier.labels, trained_on=True).datasets["test"]
    (accuracy,) = (
        result.metric_value
        for result in ModelCard.load(released / "README.md").data.eval_results
        if result.metric_type == "accuracy"
    )
    scores = classifier.evaluate(test["text"][:], test["label"][:])
    assert scores["accuracy"] == pytest.approx(accuracy, abs=5e-4)
