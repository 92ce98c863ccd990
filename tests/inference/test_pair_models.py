"""Models of pairs: both engines, `pipeline` and files give the same answers."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from trained_folders import TEXTS, random_model, trained_tokenizer
from transformers import pipeline

import okt_lstm
import oktane
from okt_lstm.models.ngrams import NUM_HASHES, sum_of_ngrams
from okt_lstm.models.pairs import split_pairs
from okt_lstm.training.pairs import let_read_pairs

PAIRS = [(one, other) for one in TEXTS for other in TEXTS]
KINDS = {
    "recurrent": {"hidden_size": 8, "embedding_size": 8},
    "projected": {"hidden_size": 8, "embedding_size": 8, "projection_size": 5, "pooling": "max_mean"},
    "both": {"hidden_size": 8, "embedding_size": 8, "num_ngrams": 100},
    "buckets": {"family": "Ngram", "num_buckets": 300},
    "known": {"family": "Ngram", "num_ngrams": 100},
}


def some_hashes(tokenizer, count):
    """Return hashes that pairs have, of n-grams of one text and of both."""
    found = []
    encoded = tokenizer(*map(list, zip(*PAIRS, strict=True)), padding=True, return_tensors="pt")
    ids, mask = split_pairs(encoded["input_ids"], encoded["attention_mask"].bool(), encoded["token_type_ids"])

    def weights(hashes):
        found.append(hashes.flatten())
        return torch.zeros(*hashes.shape, 1)

    sum_of_ngrams(ids, mask, len(tokenizer), 3, NUM_HASHES, weights, pairs=True)
    known = torch.cat(found).unique()
    return known[torch.linspace(0, len(known) - 1, count).long().unique()]


def save_pairs(folder, kind):
    tokenizer = trained_tokenizer()
    let_read_pairs(tokenizer)
    options = dict(KINDS[kind])
    model = random_model(options.pop("family", "LSTM"), vocab_size=len(tokenizer), text_pair=True, **options)
    for name, values in model.named_buffers():
        if name.endswith("hashes"):
            found = some_hashes(tokenizer, len(values))
            values[: len(found)] = found.to(torch.int32)
            values[len(found) :] = found[-1] + 1 + torch.arange(len(values) - len(found))
    for name, values in model.named_parameters():
        if name in ("ngrams.weight", "classifier.weight"):
            torch.nn.init.normal_(values)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=KINDS)
def folder(request, tmp_path_factory):
    return save_pairs(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def one_folder(tmp_path_factory):
    return save_pairs(tmp_path_factory.mktemp("pairs"), "both")


def test_engines_give_the_same_labels_and_probabilities(folder):
    fast, slow = okt_lstm.load(folder, engine="oktane"), okt_lstm.load(folder, engine="torch", device="cpu")
    np.testing.assert_allclose(fast.logits(PAIRS), slow.logits(PAIRS), atol=1e-4)
    assert fast.predict(PAIRS) == slow.predict(PAIRS)
    assert np.ptp(fast.logits(PAIRS), axis=0).max() > 0.02


def test_pipeline_gives_the_probabilities_that_the_classifier_gives(folder):
    classify = pipeline("text-classification", model=str(folder), device="cpu")
    given = [{"text": one, "text_pair": other} for one, other in PAIRS]
    found = [
        next(scores["score"] for scores in classify(pair, top_k=None) if scores["label"] == "positive")
        for pair in given
    ]
    np.testing.assert_allclose(found, oktane.load(folder).predict_proba(PAIRS)[:, 1], atol=1e-4)


def test_each_text_of_a_pair_is_cut_for_itself_by_both_engines(folder):
    fast, slow = (okt_lstm.load(folder, max_length=2, engine=engine, device="cpu") for engine in ("oktane", "torch"))
    np.testing.assert_allclose(fast.logits(PAIRS), slow.logits(PAIRS), atol=1e-4)
    long = [(f"{one} {TEXTS[1]}", other) for one, other in PAIRS if one]
    np.testing.assert_allclose(fast.logits(long), fast.logits([pair for pair in PAIRS if pair[0]]), atol=0.5)


def test_what_is_predicted_for_a_pair_does_not_depend_on_others(folder):
    classifier = oktane.load(folder)
    together = classifier.logits(PAIRS)
    assert [classifier.logits([pair])[0].tolist() for pair in PAIRS] == together.tolist()


def test_one_pair_gives_one_prediction(one_folder):
    classifier = oktane.load(one_folder)
    assert classifier.predict(PAIRS[1]) == classifier.predict([PAIRS[1]])[0]
    assert classifier.predict_proba(PAIRS[1]).shape == (2,)


@pytest.mark.parametrize("wrong", ["최고", ["최고", "굿"], [("최고", None)], [("최고",)]])
def test_what_is_no_pair_is_refused(one_folder, wrong):
    with pytest.raises(TypeError, match=r"texts\[0\] is not a pair but .* pass tuples \(text, text_pair\)"):
        oktane.load(one_folder).predict(wrong)


def test_pairs_are_refused_by_a_model_of_single_texts():
    with pytest.raises(TypeError, match=r"texts\[0\] is not a str but tuple"):
        oktane.load().predict([("최고", "굿")])


def write_table(path, header=("text", "text_pair")):
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *PAIRS])
    return path


def command(*words, **options):
    return subprocess.run(
        [sys.executable, "-m", "oktane", "predict", *map(str, words)], text=True, capture_output=True, **options
    )


def test_predict_reads_two_columns_two_arguments_and_lines_with_a_tab(one_folder, tmp_path):
    expected = oktane.load(one_folder).predict(PAIRS)
    table = write_table(tmp_path / "pairs.csv", ("left", "right"))
    out = tmp_path / "out.jsonl"
    named = ("--text_column", "left", "--text_pair_column", "right")
    done = command("--model", one_folder, "--input", table, "--output", out, *named)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["label"] for line in out.open()] == expected
    of_two = command("--model", one_folder, *PAIRS[1])
    assert of_two.stdout.split("\t")[0] == expected[1]
    of_lines = command("--model", one_folder, input="".join(f"{one}\t{other}\n" for one, other in PAIRS))
    assert [line.split("\t")[0] for line in of_lines.stdout.splitlines()] == expected


def test_predict_says_which_column_or_text_is_missing(one_folder, tmp_path):
    table = write_table(tmp_path / "pairs.csv", ("text", "other"))
    assert (
        "name the column of the second ones with --text_pair_column"
        in command("--model", one_folder, "--input", table).stderr
    )
    assert "give an even number of them" in command("--model", one_folder, "한 글").stderr
    assert "has no tab between two" in command("--model", one_folder, input="한 글\n").stderr
    assert "leave out --text_pair_column" in command("--input", table, "--text_pair_column", "other").stderr


def test_a_batch_predictor_refuses_a_model_of_pairs(one_folder):
    with pytest.raises(ValueError, match=r"this model compares two: use oktane\.load"):
        oktane.BatchPredictor(str(one_folder))({"text": ["가"]})
