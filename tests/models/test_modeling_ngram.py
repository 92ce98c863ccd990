import json
import shlex

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForSequenceClassification

import okt_lstm
from okt_lstm import NgramConfig, NgramForSequenceClassification, OktTokenizer
from okt_lstm.cli import main
from okt_lstm.data.options import DataOptions
from okt_lstm.data.splits import load_splits
from okt_lstm.models.ngrams import hashed_ngrams

VOCABULARY = 50
TEXTS = [[5, 6, 7, 8, 9, 10, 11], [12, 13, 14], [15], []]
SMALL = shlex.split(
    "--dataset sample --max_train_samples 400 --max_eval_samples 100 --max_predict_samples 100 --use_cpu "
    "--disable_tqdm true --report_to none --model_type ngram --num_buckets 20000"
)
LEARNING = shlex.split("--optim adamw_torch --learning_rate 0.05 --num_train_epochs 6 --subword bpe --vocab_size 1500")


def seeded(**fields):
    """A model with random weights, so that every difference shows in the logits."""
    torch.manual_seed(0)
    model = NgramForSequenceClassification(NgramConfig(vocab_size=VOCABULARY, num_labels=3, **fields)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    return model


def reference(model, text):
    """The logits of one text by the definition: every n-gram is hashed alone."""
    config = model.config
    tokens = [VOCABULARY, *text, VOCABULARY]
    ngrams = [
        tokens[start : start + length]
        for length in range(1, config.max_ngram + 1)
        for start in range(len(tokens) - length + 1)
    ]
    buckets = [
        hashed_ngrams(torch.tensor([ngram]), config.max_ngram, config.num_buckets)[-1].item() for ngram in ngrams
    ]
    return model.bias + model.weights.weight[buckets].sum(0) / len(ngrams) ** 0.5


@pytest.mark.parametrize("max_ngram", [1, 2, 4, 20])
def test_logits_are_the_scaled_sums_of_the_ngrams_weights(max_ngram):
    model = seeded(max_ngram=max_ngram, num_buckets=5000)
    for text in TEXTS:
        logits = model(torch.tensor([text], dtype=torch.long)).logits[0]
        torch.testing.assert_close(logits, reference(model, text), rtol=1e-4, atol=1e-4)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(1, VOCABULARY - 1), max_size=9), min_size=1, max_size=5), st.randoms())
def test_padding_may_stand_anywhere_and_hold_any_id(texts, random):
    model = seeded(num_buckets=5000)
    ids = torch.randint(VOCABULARY, (len(texts), 14), generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(len(texts), 14, dtype=torch.long)
    for row, text in enumerate(texts):
        places = sorted(random.sample(range(14), len(text)))
        ids[row, places] = torch.tensor(text, dtype=torch.long)
        mask[row, places] = 1
    expected = torch.stack([reference(model, text) for text in texts])
    torch.testing.assert_close(model(ids, attention_mask=mask).logits, expected, rtol=1e-4, atol=1e-4)


def test_without_a_mask_the_padding_id_is_no_token():
    model = seeded(num_buckets=5000)
    torch.testing.assert_close(model(torch.tensor([[5, 6, 0, 0]])).logits, model(torch.tensor([[5, 6]])).logits)
    unpadded = seeded(num_buckets=5000, pad_token_id=None)
    assert not torch.allclose(unpadded(torch.tensor([[5, 6, 0]])).logits, unpadded(torch.tensor([[5, 6]])).logits)


@pytest.mark.parametrize("num_buckets", [2**16, 99_991])
def test_hashes_are_spread_like_random_numbers(num_buckets):
    """Of n distinct n-grams, random hashes meet in about buckets * (1 - exp(-n / buckets)) buckets."""
    first, second, third = torch.meshgrid(*(torch.arange(40) for _ in range(3)), indexing="ij")
    trigrams = torch.stack([first.flatten(), second.flatten(), third.flatten()], dim=1)
    hashes = hashed_ngrams(trigrams, 3, num_buckets)[-1]
    assert hashes.min() >= 0
    assert hashes.max() < num_buckets
    expected = num_buckets * (1 - np.exp(-len(trigrams) / num_buckets))
    assert len(hashes.unique()) == pytest.approx(expected, rel=0.02)


def test_an_ngram_is_not_its_beginning_nor_its_reverse():
    lengths = hashed_ngrams(torch.tensor([[0, 0, 0, 7, 8], [8, 7, 0, 0, 0]]), 3, 2**40)
    found = [hashes.tolist() for hashes in lengths]
    assert found[0][0][0] == found[0][0][1]  # the same one, wherever it stands
    assert len({found[0][0][0], found[1][0][0], found[2][0][0]}) == 3
    assert found[1][0][3] != found[1][1][0]


def test_a_new_model_knows_nothing():
    model = NgramForSequenceClassification(NgramConfig(vocab_size=VOCABULARY, num_labels=3, num_buckets=100))
    assert not model(torch.tensor([[5, 6, 7]])).logits.any()


def test_the_order_of_tokens_can_be_learned():
    """Both labels have the same tokens, so that only bigrams tell them apart."""
    torch.manual_seed(0)
    model = NgramForSequenceClassification(NgramConfig(vocab_size=10, num_labels=2, max_ngram=2, num_buckets=1000))
    ids, labels = torch.tensor([[5, 6, 7, 8], [6, 5, 8, 7], [7, 8, 5, 6], [8, 7, 6, 5]]), torch.tensor([0, 1, 0, 1])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(30):
        optimizer.zero_grad()
        model(ids, labels=labels).loss.backward()
        optimizer.step()
    assert model(ids).logits.argmax(1).tolist() == labels.tolist()


def test_a_saved_model_loads_by_the_auto_class_and_computes_the_same(tmp_path):
    model = seeded(num_buckets=5000)
    model.save_pretrained(tmp_path)
    loaded, report = AutoModelForSequenceClassification.from_pretrained(tmp_path, output_loading_info=True)
    assert type(loaded) is NgramForSequenceClassification
    assert not any(report.values())
    ids = torch.tensor([TEXTS[0]])
    torch.testing.assert_close(loaded(ids).logits, model(ids).logits, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("ids", "mask", "message"),
    [
        (torch.tensor([1, 2]), None, r"2 dimensions, got the shape \(2,\)"),
        (torch.tensor([[1, 2]]), torch.tensor([[1]]), r"attention_mask has the shape \(1, 1\)"),
    ],
)
def test_inputs_of_a_wrong_shape_are_named(ids, mask, message):
    with pytest.raises(ValueError, match=message):
        seeded(num_buckets=100)(ids, attention_mask=mask)


def test_the_command_trains_one_that_predicts_and_teaches(tmp_path):
    flags = [*SMALL, *LEARNING]
    assert main(["train", "--output_dir", str(tmp_path / "ngram"), *flags]) == 0
    card = (tmp_path / "ngram" / "README.md").read_text()
    assert "A linear 4-gram model over Okt morphemes, with 40,002 parameters." in card
    assert "| num_buckets | `20000` |" in card
    assert "| hidden_size |" not in card
    results = json.loads((tmp_path / "ngram" / "test_results.json").read_text())
    assert results["test_accuracy"] > 0.8
    classifier = okt_lstm.load(tmp_path / "ngram", device="cpu")
    sample = load_splits(DataOptions(dataset="sample", max_predict_samples=100)).datasets["test"]
    scores = classifier.evaluate(sample["text"][:], sample["label"][:])
    assert scores["accuracy"] == pytest.approx(results["test_accuracy"])
    rows = ["--dataset", "sample", "--max_train_samples", "50", "--max_eval_samples", "20", "--use_cpu"]
    rows += ["--max_predict_samples", "20", "--embedding_size", "4", "--hidden_size", "4", "--report_to", "none"]
    student = ["--output_dir", str(tmp_path / "student"), "--num_train_epochs", "1", "--disable_tqdm", "true"]
    assert main(["train", *student, *rows, "--teacher", str(tmp_path / "ngram")]) == 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--hidden_size", "8"], "hidden_size goes with --model_type lstm or gru or rnn, not ngram"),
        (["--embeddings", "v.vec"], "a model of type ngram has no embeddings: leave out --embeddings"),
        (["--freeze_embeddings_epochs", "1"], "leave out --freeze_embeddings_epochs"),
        (["--model_type", "lstm"], "num_buckets goes with --model_type ngram, not lstm"),
    ],
)
def test_options_of_other_models_are_refused(tmp_path, capsys, monkeypatch, flags, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "v.vec").write_text("1 1\n굿 1\n", "utf-8")
    assert main(["train", "--output_dir", str(tmp_path / "out"), *SMALL, *flags]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_nothing_starts_from_a_linear_model(tmp_path, capsys):
    NgramForSequenceClassification(NgramConfig(vocab_size=10, num_buckets=20)).save_pretrained(tmp_path / "ngram")
    OktTokenizer().train_new_from_iterator(["굿"], vocab_size=10).save_pretrained(tmp_path / "ngram")
    rows = ["--dataset", "sample", "--use_cpu", "--report_to", "none"]
    flags = ["--output_dir", str(tmp_path / "out"), "--pretrained", str(tmp_path / "ngram")]
    assert main(["train", *flags, *rows]) == 1
    assert "ngram is a okt_ngram, not a recurrent network" in capsys.readouterr().err


def test_there_is_no_language_model_over_ngrams(tmp_path, capsys):
    text = tmp_path / "t.txt"
    text.write_text("굿\n", "utf-8")
    flags = ["--output_dir", str(tmp_path / "out"), "--unlabeled", str(text), "--model_type", "ngram"]
    assert main(["pretrain", *flags]) == 1
    assert "--model_type can be lstm, gru or rnn here" in capsys.readouterr().err
