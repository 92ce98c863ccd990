import json
import shlex
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard
from tiny import WORDS, save_tiny
from tokenizers import Tokenizer, models, pre_tokenizers
from torch.nn import functional
from transformers import BertConfig, BertForSequenceClassification, BertTokenizer, PreTrainedTokenizerFast

import okt_lstm
from okt_lstm.atomic import FileError
from okt_lstm.data.unlabeled import open_unlabeled
from okt_lstm.hub import LoadError
from okt_lstm.models.classification_loss import classification_loss
from okt_lstm.training.commands import TRAIN
from okt_lstm.training.distillation import DistillationTask, soft_labels
from okt_lstm.training.parsing import parse
from okt_lstm.training.parts import TrainParts, build
from okt_lstm.training.prepare import prepare
from okt_lstm.training.train import initialize, train
from oktane.base_classifier import BaseClassifier
from oktane.problem_type import ProblemType

TEXTS = ["연기도 연출도 최고였다", "시간이 아깝다", "굿", "정말 별로", "재미 없다"]
LABELS = [1, 0, 1, 0, 0]
FURTHER = ["정말 재미 있다", "최고였다", "연출도 별로"]
SMALL = shlex.split(
    "--embedding_size 16 --hidden_size 16 --min_frequency 1 --per_device_train_batch_size 8 --num_train_epochs 12 "
    "--load_best_model_at_end false --learning_rate 0.02 --hidden_dropout 0 --classifier_dropout 0 --use_cpu "
    "--disable_tqdm true --report_to none"
)


def options(*flags):
    return build(TrainParts, parse(TRAIN, [str(flag) for flag in flags]))


def labeled(labels=LABELS, feature=None):
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": feature or datasets.ClassLabel(names=["negative", "positive"])}
    )
    return datasets.Dataset.from_dict({"text": TEXTS, "label": labels}, features)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """What teachers answered in an earlier run of the tests is not looked at."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def further(tmp_path):
    path = tmp_path / "further.txt"
    path.write_text("".join(f"{text}\n" for text in FURTHER))
    return open_unlabeled(str(path))


def ask(*teachers, names=("negative", "positive"), problem="single_label_classification", weight=1.0, **options):
    task = {"labeled": labeled(), "held_out": (), "unlabeled": None, "bf16": False}
    rows = soft_labels(
        DistillationTask(tuple(map(str, teachers)), tuple(names), ProblemType(problem), **task | options), weight
    )
    return rows["text"][:], np.array(rows["label"][:])


def answers(folder, texts=TEXTS):
    classifier = okt_lstm.load(folder, device="cpu")
    return classifier.scores(texts)


def save_shifted(folder, shift, **options):
    """A tiny teacher whose answers differ from another's."""
    save_tiny(folder, **options)
    classifier = okt_lstm.load(folder, device="cpu")
    with torch.no_grad():
        classifier.model.classifier.bias[0] += shift
    classifier.model.save_pretrained(folder)
    return folder


# What the student is given


def test_soft_labels_are_the_teachers_mean_of_labeled_and_other_texts(tmp_path, further):
    one, two = save_shifted(tmp_path / "one", 0), save_shifted(tmp_path / "two", 3)
    texts, soft = ask(one, two, unlabeled=further)
    expected = (answers(one, TEXTS + FURTHER) + answers(two, TEXTS + FURTHER)) / 2
    np.testing.assert_allclose(soft, expected, atol=1e-5)
    np.testing.assert_allclose(soft.sum(axis=1), 1, atol=1e-5)
    assert np.abs(answers(one) - answers(two)).max() > 0.1
    assert texts == TEXTS + FURTHER


def test_no_teacher_labels_a_text_of_the_labeled_or_held_out_rows_twice(tmp_path):
    (tmp_path / "t.txt").write_text(f"{TEXTS[0]}\n{FURTHER[0]}\n{FURTHER[1]}\n  {TEXTS[1].replace(' ', '  ')} \n")
    held_out = labeled().select([0]).map(lambda row: {"text": FURTHER[1]})
    further = open_unlabeled(str(tmp_path / "t.txt"))
    texts, _ = ask(save_tiny(tmp_path / "teacher"), unlabeled=further, held_out=(held_out,))
    assert texts == [*TEXTS, FURTHER[0]]


def test_each_teacher_reads_with_its_own_tokenizer(tmp_path):
    one, two = (save_tiny(tmp_path / name, initializer_range=0.3) for name in ("one", "two"))
    reversed_words = {word: place for place, word in enumerate(["<pad>", "<unk>", *reversed(WORDS)])}
    backend = Tokenizer(models.WordLevel(reversed_words, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>", unk_token="<unk>").save_pretrained(two)
    _, soft = ask(one, two)
    np.testing.assert_allclose(soft, (answers(one) + answers(two)) / 2, atol=1e-5)
    assert np.abs(answers(one) - answers(two)).max() > 0.01


def test_labels_are_matched_by_name(tmp_path):
    teacher = save_tiny(tmp_path / "teacher", labels=("positive", "negative"))
    _, soft = ask(teacher)
    np.testing.assert_allclose(soft, answers(teacher)[:, ::-1], atol=1e-5)


def test_labels_without_names_are_taken_in_their_order(tmp_path):
    teacher = save_tiny(tmp_path / "teacher", labels=("LABEL_0", "LABEL_1"))
    _, soft = ask(teacher)
    np.testing.assert_allclose(soft, answers(teacher), atol=1e-5)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_the_weight_mixes_in_the_rows_own_labels(tmp_path, further, weight):
    teacher = save_tiny(tmp_path / "teacher")
    _, soft = ask(teacher, unlabeled=further, weight=weight)
    np.testing.assert_allclose(soft[:5], weight * answers(teacher) + (1 - weight) * np.eye(2)[LABELS], atol=1e-5)
    np.testing.assert_allclose(soft[5:], answers(teacher, FURTHER), atol=1e-5)


def forbid_predictions(monkeypatch, message):
    """Lets a model be tried with an empty text, as loading does, but predict nothing else."""
    score_chunks = BaseClassifier.score_chunks

    def only_trials(self, texts):
        texts = list(texts)
        if texts != self.probes:
            pytest.fail(message)
        return score_chunks(self, texts)

    monkeypatch.setattr(BaseClassifier, "score_chunks", only_trials)


def test_another_weight_needs_no_new_predictions(tmp_path, further, monkeypatch):
    teacher = save_tiny(tmp_path / "teacher")
    ask(teacher, unlabeled=further)
    forbid_predictions(monkeypatch, "it predicted again")
    _, soft = ask(teacher, unlabeled=further, weight=0.0)
    np.testing.assert_array_equal(soft[:5], np.eye(2)[LABELS])


def test_a_further_teacher_needs_no_new_predictions_of_the_first(tmp_path, further, monkeypatch):
    one, two = save_shifted(tmp_path / "one", 0), save_shifted(tmp_path / "two", 3)
    _, first = ask(one, unlabeled=further)
    _, second = ask(two, unlabeled=further)
    forbid_predictions(monkeypatch, "it predicted again")
    _, both = ask(one, two, unlabeled=further)
    np.testing.assert_allclose(both, (first + second) / 2, atol=1e-6)


def test_a_wrong_teacher_is_found_before_another_predicts(tmp_path, monkeypatch):
    right, wrong = save_tiny(tmp_path / "right"), save_tiny(tmp_path / "wrong", labels=("good", "bad"))
    forbid_predictions(monkeypatch, "the other one predicted")
    with pytest.raises(ValueError, match="wrong knows the labels 'good', 'bad'"):
        ask(right, wrong)


def test_several_labels_have_a_probability_each(tmp_path):
    teacher = save_tiny(
        tmp_path / "teacher", labels=("b", "a"), problem_type="multi_label_classification", pooling="mean"
    )
    hard = [[1.0, 0.0], [0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]
    rows = labeled(hard, datasets.List(datasets.Value("float32"), length=2))
    _, soft = ask(teacher, names="ab", problem="multi_label_classification", labeled=rows, weight=0.5)
    np.testing.assert_allclose(soft, 0.5 * answers(teacher)[:, ::-1] + 0.5 * np.array(hard), atol=1e-5)


def test_the_numbers_of_regression_teachers_are_averaged(tmp_path):
    teachers = [
        save_shifted(tmp_path / name, shift, labels=("LABEL_0",), problem_type="regression")
        for name, shift in (("one", 0), ("two", 3))
    ]
    numbers = [0.5, 1.5, -2.0, 0.0, 4.0]
    rows = labeled(numbers, datasets.Value("float32"))
    _, soft = ask(*teachers, names=(), problem="regression", labeled=rows, weight=0.25)
    mean = (answers(teachers[0]) + answers(teachers[1])) / 2
    np.testing.assert_allclose(soft, 0.25 * mean + 0.75 * np.array(numbers)[:, None], atol=1e-5)


def test_a_teacher_may_be_any_sequence_classifier(tmp_path):
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (tmp_path / "vocab.txt").write_text("\n".join(vocabulary))
    torch.manual_seed(0)
    sizes = {
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 8,
        "initializer_range": 0.5,
    }
    config = BertConfig(vocab_size=len(vocabulary), **sizes, id2label={0: "positive", 1: "negative"})
    bert = BertForSequenceClassification(config).eval()
    tokenizer = BertTokenizer.from_pretrained(str(tmp_path))
    bert.save_pretrained(tmp_path / "bert")
    tokenizer.save_pretrained(tmp_path / "bert")
    _, soft = ask(tmp_path / "bert")
    with torch.no_grad():
        expected = [bert(**tokenizer(text, return_tensors="pt")).logits.softmax(-1)[0].flip(0) for text in TEXTS]
    np.testing.assert_allclose(soft, torch.stack(expected), atol=1e-4)
    assert np.ptp(soft[:, 0]) > 0.01


def test_a_teacher_stored_in_half_precision_computes_in_single_precision(tmp_path):
    teacher = save_tiny(tmp_path / "teacher")
    model = okt_lstm.load(teacher, device="cpu").model
    model.half().save_pretrained(tmp_path / "teacher")
    half = okt_lstm.load(teacher, device="cpu")
    assert half.model.dtype == torch.float32
    _, soft = ask(teacher)
    np.testing.assert_allclose(soft, half.scores(TEXTS), atol=1e-6)


def test_a_teacher_that_was_trained_anew_predicts_anew(tmp_path):
    teacher = save_shifted(tmp_path / "teacher", 0)
    _, before = ask(teacher)
    save_shifted(teacher, 3)
    _, after = ask(teacher)
    np.testing.assert_allclose(after, answers(teacher), atol=1e-5)
    assert np.abs(after - before).max() > 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": ("good", "bad")}, r"knows the labels 'good', 'bad', but the data have 'negative', 'positive'"),
        ({"labels": ("negative", "neutral", "positive")}, r"knows the labels 'negative', 'neutral', 'positive'"),
        ({"labels": ("LABEL_0", "LABEL_1", "LABEL_2")}, r"knows the labels 'LABEL_0'"),
        (
            {"problem_type": "multi_label_classification"},
            r"is made for multi_label_classification, the data for single",
        ),
        ({"labels": ("LABEL_0",)}, "is made for regression, the data for single_label_classification"),
    ],
)
def test_a_teacher_of_something_else_is_refused(tmp_path, options, message):
    teacher = save_tiny(tmp_path / "teacher", **options)
    with pytest.raises(ValueError, match=rf"the teacher .*teacher {message}"):
        ask(teacher)


def test_a_teacher_that_is_none_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(OSError, match="nope"):
        ask(tmp_path / "nope")


def test_a_line_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "t.txt").write_bytes("굿\n".encode() + b"\xff\n")
    with pytest.raises(FileError, match=r"t\.txt, line 2"):
        ask(save_tiny(tmp_path / "teacher"), unlabeled=open_unlabeled(str(tmp_path / "t.txt")))


# How it learns


@pytest.mark.parametrize("items", [None, 10])
def test_the_loss_of_certain_probabilities_is_that_of_ids(items):
    """Trainer counts every probability as an item, where it counts one for an id."""
    torch.manual_seed(0)
    logits, ids = torch.randn(4, 3), torch.tensor([0, 2, 1, 1])
    config = okt_lstm.LSTMConfig(num_labels=3, problem_type="single_label_classification")
    expected = classification_loss(logits, ids, config, items)
    one_hot = functional.one_hot(ids, 3).float()
    torch.testing.assert_close(classification_loss(logits, one_hot, config, items and items * 3), expected)


def test_the_loss_of_probabilities_is_least_at_them():
    config = okt_lstm.LSTMConfig(num_labels=3, problem_type="single_label_classification")
    probabilities = torch.tensor([[0.2, 0.5, 0.3]])
    entropy = -(probabilities * probabilities.log()).sum()
    torch.testing.assert_close(classification_loss(probabilities.log(), probabilities, config), entropy)
    assert classification_loss(torch.zeros(1, 3), probabilities, config) > entropy


def write_reviews(path, labels):
    """Reviews, of two words each, whose labels tell little."""
    pairs = [f"{one} {other}" for one in WORDS for other in WORDS]
    rows = [{"text": text, "label": label} for text, label in zip(pairs, labels, strict=False)]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return [row["text"] for row in rows]


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """A student of a teacher that answers otherwise than the labels of its data, and the texts of these."""
    folder = tmp_path_factory.mktemp("taught")
    teacher = save_tiny(folder / "teacher", pooling="mean", initializer_range=0.3)
    texts = write_reviews(folder / "reviews.jsonl", ["negative", "positive"] * 40)
    (folder / "further.txt").write_text("".join(f"{text}\n" for text in TEXTS))
    data = ["--dataset", str(folder / "reviews.jsonl"), "--unlabeled", str(folder / "further.txt")]
    teachers = ["--teacher", str(teacher), str(teacher)]
    train(options(*SMALL, *data, *teachers, "--output_dir", folder / "student"))
    return folder, texts


def test_a_student_comes_near_its_teacher(taught):
    folder, texts = taught
    student, teacher = (okt_lstm.load(folder / name, device="cpu").scores(texts) for name in ("student", "teacher"))
    assert np.ptp(teacher[:, 0]) > 0.5
    assert np.abs(student - teacher).mean() < 0.1


def test_the_card_says_who_taught_on_what(taught):
    folder, texts = taught
    card = ModelCard.load(folder / "student" / "README.md").text
    further = folder / "further.txt"
    others = len(set(TEXTS) - set(texts))
    assert 0 < others < len(TEXTS)
    assert f"| unlabeled | further.txt | {further.stat().st_size:,} | `" in card
    assert (
        f"It learned the mean prediction of 2 teachers (`teacher`, `teacher`) for the training rows and for {others} "
        "unlabeled texts of `further.txt`. For a training row, the row's own label has a weight of 0."
    ) in card
    assert "The vocabulary was built from the training rows and the unlabeled texts." in card
    assert "| teacher | `teacher teacher` |" in card
    assert "| teacher_weight | `1.0` |" in card
    assert str(Path(folder).parent) not in card


def test_weight_0_is_training_without_a_teacher(taught, tmp_path):
    folder, texts = taught
    flags = [*SMALL, "--dataset", str(folder / "reviews.jsonl"), "--num_train_epochs", "2", "--optim", "sgd"]
    teacher = ["--teacher", str(folder / "teacher"), "--teacher_weight", "0"]
    for name, more in (("alone", []), ("taught", teacher)):
        train(options(*flags, *more, "--output_dir", tmp_path / name))
    alone, by_teacher = (okt_lstm.load(tmp_path / name, device="cpu").scores(texts) for name in ("alone", "taught"))
    np.testing.assert_allclose(alone, by_teacher, atol=1e-5)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--pretrained {teacher} --hidden_size 99", "leave out --hidden_size"),
        ("--embeddings {vectors}", "set --embedding_size 3"),
        ("--embeddings {teacher}", "is a folder"),
    ],
)
def test_options_that_do_not_fit_are_found_before_the_teachers_predict(taught, tmp_path, flags, message):
    folder, _ = taught
    (tmp_path / "three.vec").write_text("1 3\n정말 0.1 0.2 0.3\n")
    flags = flags.format(teacher=folder / "teacher", vectors=tmp_path / "three.vec").split()
    data = ["--dataset", str(folder / "reviews.jsonl"), "--teacher", str(folder / "teacher")]
    given = options(*data, *flags, "--use_cpu", "--output_dir", tmp_path / "out")

    def before_the_teachers():
        initialize(given, prepare(given))

    with pytest.raises((ValueError, FileError), match=message):
        before_the_teachers()
    assert not (tmp_path / "out").exists()


def test_text_without_labels_needs_a_teacher(tmp_path):
    with pytest.raises(ValueError, match="uses --unlabeled only with --teacher"):
        prepare(options("--output_dir", tmp_path / "out", "--unlabeled", "t.txt"))


def test_smooth_predictions_are_not_smoothed_again(tmp_path):
    with pytest.raises(ValueError, match="--label_smoothing_factor has no use with --teacher"):
        prepare(options("--output_dir", tmp_path, "--teacher", "t", "--label_smoothing_factor", "0.1"))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--teacher_weight 0.5", "--teacher_weight goes with --teacher"),
        ("--freeze_embeddings_epochs 1", "keep random embeddings"),
        ("--max_unlabeled_samples 9", "--max_unlabeled_samples goes with --unlabeled"),
        ("--unlabeled_column text", "--unlabeled_column goes with --unlabeled"),
        ("--teacher ./nothere", r"--teacher: \./nothere: no such folder"),
        ("--pretrained ./nothere", r"--pretrained: \./nothere: no such folder"),
    ],
)
def test_what_would_do_nothing_and_models_that_are_not_there_are_refused_at_once(tmp_path, flags, message):
    with pytest.raises((ValueError, LoadError), match=message):
        prepare(options(*flags.split(), "--output_dir", tmp_path / "out"))


@pytest.mark.parametrize("weight", ["-0.1", "1.1"])
def test_a_weight_is_a_share(tmp_path, weight, capsys):
    with pytest.raises(SystemExit):
        options("--output_dir", tmp_path, "--teacher_weight", weight)
    assert f"teacher_weight is {weight}; it has to be between 0 and 1" in capsys.readouterr().err
