import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from full_disk import full_disk
from huggingface_hub import ModelCard
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer, TrainerState

from okt_lstm.data.splits import load_splits
from okt_lstm.data.vectors import read_vectors
from okt_lstm.reports.metrics import MAIN_METRIC
from okt_lstm.training.commands import TRAIN
from okt_lstm.training.output_folder import is_whole_checkpoint
from okt_lstm.training.parsing import parse
from okt_lstm.training.parts import TrainParts, WordVectorParts, build
from okt_lstm.training.prepare import prepare
from okt_lstm.training.train import train
from okt_lstm.training.trainer import RecurrentTrainer, ResumableLengthGroupedSampler
from okt_lstm.training.word_vectors import train_word_vectors
from oktane.problem_type import ProblemType

SMALL = shlex.split(
    "--dataset sample --max_train_samples 96 --max_eval_samples 32 --max_predict_samples 32 --embedding_size 8 "
    "--hidden_size 8 --per_device_train_batch_size 16 --min_frequency 1 --num_train_epochs 2 --use_cpu --disable_tqdm "
    "true --report_to none"
)
EXACT = shlex.split("--hidden_dropout 0 --classifier_dropout 0 --optim sgd --learning_rate 0.5 --max_grad_norm 0")
LAST = shlex.split("--load_best_model_at_end false --save_total_limit 9")


def options(folder, *flags):
    return build(TrainParts, parse(TRAIN, [*SMALL, "--output_dir", str(folder), *flags]))


def run(folder, *flags):
    return train(options(folder, *flags))


def weights(folder):
    return load_file(Path(folder) / "model.safetensors")


def assert_equal_weights(one, other, **tolerance):
    one, other = weights(one), weights(other)
    assert one.keys() == other.keys()
    for name in one:
        torch.testing.assert_close(one[name], other[name], **(tolerance or {"rtol": 0, "atol": 0}))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run with default options but for its size, and what it returned."""
    folder = tmp_path_factory.mktemp("trained") / "model"
    return folder, run(folder, "--learning_rate", "0.01", "--num_train_epochs", "3")


def test_the_folder_holds_model_tokenizer_code_results_pictures_and_card(trained):
    folder, result = trained
    assert result.folder == folder
    names = {path.name for path in folder.iterdir()}
    assert names >= {
        *("model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json", "README.md"),
        *("configuration_lstm.py", "modeling_lstm.py", "tokenization_okt.py", "okt_konlpy.py"),
        *("train_results.json", "eval_results.json", "test_results.json", "trainer_state.json", "data_args.json"),
        *("curves.png", "confusion_matrix.png"),
    }


def test_outside_checkpoints_the_folder_holds_no_pickle_and_nothing_unfinished(trained):
    folder, _ = trained
    for path in folder.iterdir():
        if not path.name.startswith("checkpoint-"):
            assert path.is_file()
            assert path.suffix in (".safetensors", ".json", ".py", ".md", ".png")
            assert not path.name.startswith((".", "_"))
            # Not for the owner alone, as safetensors writes.
            assert path.stat().st_mode == (folder / "config.json").stat().st_mode


@pytest.mark.parametrize(("split", "prefix"), [("train", "train"), ("eval", "eval"), ("test", "test")])
def test_results_hold_loss_and_scores(trained, split, prefix):
    folder, result = trained
    scores = json.loads((folder / f"{split}_results.json").read_text())
    for name in ("loss", "accuracy", "f1_macro", "precision_macro", "recall_macro"):
        assert scores[f"{prefix}_{name}"] == result.metrics[f"{prefix}_{name}"]


def test_what_was_saved_scores_what_was_reported(trained):
    folder, result = trained
    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    test = load_splits(options(folder).data).datasets["test"]
    with torch.no_grad():
        logits = model.eval()(**tokenizer(test["text"][:], padding=True, return_tensors="pt")).logits
    accuracy = (logits.argmax(-1).numpy() == np.array(test["label"])).mean()
    assert accuracy == pytest.approx(result.metrics["test_accuracy"])
    assert model.config.id2label == {0: "negative", 1: "positive"}
    assert tokenizer.model_max_length == 128


def test_the_card_holds_the_measured_values(trained):
    folder, result = trained
    card = ModelCard.load(folder / "README.md")
    assert card.data.language == "ko"
    measured = {entry.metric_name: entry.metric_value for entry in card.data.eval_results}
    assert measured["test accuracy"] == result.metrics["test_accuracy"]
    assert "okt-lstm sample" in card.text


def test_the_epoch_that_validates_best_is_kept(trained):
    folder, result = trained
    history = json.loads((folder / "trainer_state.json").read_text())["log_history"]
    accuracies = [entry["eval_accuracy"] for entry in history if "eval_accuracy" in entry]
    assert len(accuracies) == 4  # three epochs, and the best of them once more
    assert result.metrics["eval_accuracy"] == max(accuracies)


def test_the_folder_says_what_data_it_was_trained_on(trained):
    assert json.loads((trained[0] / "data_args.json").read_text())["dataset"] == "sample"


def test_an_earlier_run_is_not_overwritten_unasked(trained):
    folder, _ = trained
    before = (folder / "model.safetensors").read_bytes()
    with pytest.raises(FileExistsError, match=r"--resume_from_checkpoint.*--overwrite_output_dir"):
        prepare(options(folder))
    assert (folder / "model.safetensors").read_bytes() == before


def test_an_earlier_run_is_kept_until_the_new_one_can_begin(trained):
    folder, _ = trained
    before = (folder / "model.safetensors").read_bytes()
    with pytest.raises(ValueError, match="nope"):
        prepare(options(folder, "--overwrite_output_dir", "--dataset", "nope.csv"))
    assert (folder / "model.safetensors").read_bytes() == before


def test_overwriting_leaves_nothing_of_the_earlier_run(tmp_path):
    run(tmp_path / "out", "--num_train_epochs", "1")
    (tmp_path / "out" / "checkpoint-999").mkdir()
    run(tmp_path / "out", "--num_train_epochs", "1", "--hidden_size", "4", "--overwrite_output_dir")
    assert AutoModelForSequenceClassification.from_pretrained(tmp_path / "out").config.hidden_size == 4
    assert {path.name for path in (tmp_path / "out").glob("checkpoint-*")} == {"checkpoint-6"}


def test_a_file_in_the_folders_place_is_an_error(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(NotADirectoryError, match="--output_dir"):
        prepare(options(tmp_path / "out"))


def test_the_same_seed_gives_the_same_weights(trained, tmp_path):
    run(tmp_path / "again", "--learning_rate", "0.01", "--num_train_epochs", "3")
    assert_equal_weights(trained[0], tmp_path / "again")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """A run with dropout of two epochs of six steps, with checkpoints after steps 3, 6, 9 and 12."""
    folder = tmp_path_factory.mktemp("uninterrupted") / "model"
    run(folder, *LAST, "--save_strategy", "steps", "--save_steps", "3")
    return folder


@pytest.mark.parametrize("step", [3, 6, 9], ids=["in the first epoch", "between epochs", "in the second epoch"])
def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(uninterrupted, tmp_path, step):
    shutil.copytree(uninterrupted / f"checkpoint-{step}", tmp_path / "out" / f"checkpoint-{step}")
    run(tmp_path / "out", *LAST, "--save_strategy", "steps", "--save_steps", "3", "--resume_from_checkpoint")
    assert_equal_weights(uninterrupted, tmp_path / "out")


def evaluations(folder):
    history = json.loads((folder / "trainer_state.json").read_text())["log_history"]
    return [(entry["step"], entry["eval_loss"]) for entry in history if "eval_loss" in entry]


@pytest.mark.parametrize("last", [8, 6], ids=["in an epoch", "in the last step of one"])
def test_ctrl_c_leaves_a_checkpoint_that_resumes_to_the_same_result(uninterrupted, tmp_path, monkeypatch, last):
    steps = iter(range(1, 100))
    step = RecurrentTrainer.training_step

    def interrupt(self, *args, **kwargs):
        if next(steps) == last:
            signal.raise_signal(signal.SIGINT)
        return step(self, *args, **kwargs)

    handler = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        patch.setattr(RecurrentTrainer, "training_step", interrupt)
        with pytest.raises(KeyboardInterrupt, match=f"step {last}"):
            run(tmp_path / "out", *LAST)
    assert signal.getsignal(signal.SIGINT) is handler
    assert (tmp_path / "out" / f"checkpoint-{last}").is_dir()
    assert not (tmp_path / "out" / "README.md").exists()
    run(tmp_path / "out", *LAST, "--resume_from_checkpoint")
    assert_equal_weights(uninterrupted, tmp_path / "out")
    assert evaluations(tmp_path / "out") == evaluations(uninterrupted)


def test_a_checkpoint_that_a_full_disk_cuts_off_does_not_appear_and_the_one_before_is_resumed(
    uninterrupted, tmp_path, monkeypatch
):
    save = RecurrentTrainer._save_optimizer_and_scheduler

    def fill_disk(self, folder):
        if self.state.global_step == 9:
            with full_disk():
                return save(self, folder)
        return save(self, folder)

    flags = (*LAST, "--save_strategy", "steps", "--save_steps", "3")
    with monkeypatch.context() as patch:
        patch.setattr(RecurrentTrainer, "_save_optimizer_and_scheduler", fill_disk)
        with pytest.raises(OSError, match=r"checkpoint-9.*can't be written"):
            run(tmp_path / "out", *flags)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"checkpoint-3", "checkpoint-6"}
    run(tmp_path / "out", *flags, "--resume_from_checkpoint")
    assert_equal_weights(uninterrupted, tmp_path / "out")
    best = json.loads((tmp_path / "out" / "checkpoint-12" / "trainer_state.json").read_text())["best_model_checkpoint"]
    assert best is None or Path(best).parent == tmp_path / "out"


def test_a_finished_model_that_the_disk_has_no_room_for_is_one_error_and_can_be_saved_again(
    uninterrupted, tmp_path, monkeypatch
):
    save = RecurrentTrainer._save

    def fill_disk(self, output_dir=None, state_dict=None):
        with full_disk(1_000_000 if output_dir and "checkpoint" in output_dir else 100):
            save(self, output_dir, state_dict)

    with monkeypatch.context() as patch:
        patch.setattr(RecurrentTrainer, "_save", fill_disk)
        with pytest.raises(OSError, match=r"(?i)file too large"):
            run(tmp_path / "out", *LAST)
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert "model.safetensors" not in left
    assert not [name for name in left if name.startswith(".")]
    run(tmp_path / "out", *LAST, "--resume_from_checkpoint")
    assert_equal_weights(uninterrupted, tmp_path / "out")


# Where a run is killed: by the class and the method that it is about to call, and after how many calls of it.
KILLS = [
    (RecurrentTrainer, "_save", 0),
    (RecurrentTrainer, "_save_optimizer_and_scheduler", 0),
    (RecurrentTrainer, "_save_rng_state", 1),
    (TrainerState, "save_to_json", 1),
    (TrainerState, "save_to_json", 4),
    (Path, "replace", 1),
    (RecurrentTrainer, "create_model_card", 0),
    (RecurrentTrainer, "save_state", 0),
]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a new interpreter takes seconds")
@pytest.mark.parametrize(("owner", "method", "calls"), KILLS, ids=[f"{name}-{calls}" for _, name, calls in KILLS])
def test_a_killed_run_goes_on_to_the_same_result_and_leaves_nothing_half(
    uninterrupted, tmp_path, monkeypatch, owner, method, calls
):
    flags = (*LAST, "--save_strategy", "steps", "--save_steps", "3")
    called = getattr(owner, method)
    count = iter(range(99))

    def kill(*arguments, **options):
        if next(count) == calls:
            os.kill(os.getpid(), signal.SIGKILL)
        return called(*arguments, **options)

    child = os.fork()
    if not child:
        monkeypatch.setattr(owner, method, kill)
        run(tmp_path / "out", *flags)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    checkpoints = {path.name for path in (tmp_path / "out").glob("checkpoint-*")}
    assert all(is_whole_checkpoint(tmp_path / "out" / name) for name in checkpoints)
    run(tmp_path / "out", *flags, *(["--resume_from_checkpoint"] if checkpoints else []))
    assert_equal_weights(uninterrupted, tmp_path / "out")
    assert not [path for path in (tmp_path / "out").rglob("*") if path.name.startswith(".")]


def test_a_new_run_has_no_user_dictionary_of_an_earlier_one(tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("댕댕이\tNoun\n")
    run(tmp_path / "out", "--num_train_epochs", "1", "--user_dictionary", str(words))
    assert (tmp_path / "out" / "user_dictionary.txt").is_file()
    run(tmp_path / "out", "--num_train_epochs", "1", "--overwrite_output_dir")
    assert not (tmp_path / "out" / "user_dictionary.txt").exists()


def test_a_file_of_the_users_in_the_folder_is_refused_before_anything_is_read(tmp_path):
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(FileExistsError, match=r"README\.md is not from a run"):
        prepare(options(tmp_path, "--overwrite_output_dir"))


@pytest.mark.parametrize("epochs", ["0", "-1", "nan"])
def test_no_epochs_are_an_error(tmp_path, epochs):
    with pytest.raises(ValueError, match="num_train_epochs"):
        options(tmp_path / "out", "--num_train_epochs", epochs)


def test_a_resumed_run_stops_early_where_an_uninterrupted_one_does(tmp_path):
    # With this learning rate no epoch is better than the first.
    flags = ("--early_stopping_patience", "2", "--num_train_epochs", "9", "--learning_rate", "1e-12")
    run(tmp_path / "whole", *flags, "--save_total_limit", "9")
    shutil.copytree(tmp_path / "whole" / "checkpoint-6", tmp_path / "out" / "checkpoint-6")
    shutil.copytree(tmp_path / "whole" / "checkpoint-12", tmp_path / "out" / "checkpoint-12")
    run(tmp_path / "out", *flags, "--resume_from_checkpoint")
    ends = [json.loads((tmp_path / name / "trainer_state.json").read_text()) for name in ("whole", "out")]
    assert ends[0]["global_step"] == ends[1]["global_step"] == 18


def test_resuming_another_model_is_an_error_that_names_the_difference(uninterrupted, tmp_path):
    checkpoint = str(uninterrupted / "checkpoint-6")
    with pytest.raises(ValueError, match="hidden_size 8, but the options and data now give 16"):
        prepare(options(tmp_path / "out", "--hidden_size", "16", "--resume_from_checkpoint", checkpoint))


@pytest.mark.parametrize("value", ["true", "nowhere"])
def test_resuming_from_nothing_is_an_error(tmp_path, value):
    with pytest.raises(FileNotFoundError, match="no checkpoint to resume"):
        prepare(options(tmp_path / "out", "--resume_from_checkpoint", value))


LINES = {
    "single_label_classification": lambda number: {"text": f"영화 {number}", "label": ["가", "나", "다"][number % 3]},
    "multi_label_classification": lambda number: {
        "text": f"영화 {number}",
        "label": [["가"], ["가", "나"], []][number % 3],
    },
    "regression": lambda number: {"text": f"영화 {number}", "label": number / 7},
}


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


@pytest.fixture(params=LINES)
def own_data(request, tmp_path):
    """A folder of files with labels of each kind, as flags; the validation and test sets hold words of their own."""
    folder = tmp_path / "data"
    folder.mkdir()
    for split, numbers in {"train": range(60), "validation": range(100, 112), "test": range(200, 212)}.items():
        write_jsonl(folder / f"{split}.jsonl", map(LINES[request.param], numbers))
    return ["--dataset", str(folder)]


def test_gradient_accumulation_equals_one_large_batch(own_data, tmp_path):
    flags = [*own_data, *EXACT, *LAST, "--train_sampling_strategy", "sequential"]
    run(tmp_path / "large", *flags, "--per_device_train_batch_size", "32")
    run(
        tmp_path / "small", *flags, "--per_device_train_batch_size", "8", "--gradient_accumulation_steps", "4"
    )  # the last batch of an epoch has 28 rows: accumulated, 8, 8, 8 and 4
    assert_equal_weights(tmp_path / "large", tmp_path / "small", rtol=1e-5, atol=1e-6)


def test_own_data_of_every_kind_trains_and_is_documented(own_data, tmp_path):
    result = run(tmp_path / "out", *own_data)
    problem = json.loads((tmp_path / "out" / "config.json").read_text())["problem_type"]
    main = MAIN_METRIC[ProblemType(problem)]
    measured = {entry.metric_type for entry in ModelCard.load(tmp_path / "out" / "README.md").data.eval_results}
    assert {"accuracy": "accuracy", "f1_macro": "f1", "mse": "mse"}[main] in measured
    assert np.isfinite(result.metrics[f"test_{main}"])
    assert (tmp_path / "out" / "confusion_matrix.png").exists() == (problem == "single_label_classification")


def test_the_vocabulary_comes_from_the_training_rows_alone(tmp_path):
    for split, word in {"train": "사과", "validation": "포도", "test": "딸기"}.items():
        write_jsonl(tmp_path / f"{split}.jsonl", [{"text": f"{word} {n}", "label": n % 2} for n in range(8)])
    vocabulary = prepare(options(tmp_path / "out", "--dataset", str(tmp_path))).tokenizer.get_vocab()
    assert "사과" in vocabulary
    assert not {"포도", "딸기"} & vocabulary.keys()


def test_the_test_split_can_be_left_unread(tmp_path):
    result = run(tmp_path / "out", "--do_predict", "false")
    assert not [name for name in result.metrics if name.startswith("test_")]
    assert not (tmp_path / "out" / "test_results.json").exists()
    assert "Confusion matrix" not in (tmp_path / "out" / "README.md").read_text()


def test_without_a_test_split_nothing_is_tested(tmp_path):
    write_jsonl(tmp_path / "reviews.jsonl", [{"text": f"영화 {n}", "label": n % 2} for n in range(40)])
    result = run(tmp_path / "out", "--dataset", str(tmp_path / "reviews.jsonl"))
    assert not [name for name in result.metrics if name.startswith("test_")]
    assert not (tmp_path / "out" / "test_results.json").exists()
    assert "Confusion matrix" not in (tmp_path / "out" / "README.md").read_text()


def test_grouped_rows_have_like_lengths_and_an_order_of_their_own_each_epoch():
    lengths = np.random.default_rng(0).integers(1, 60, 1000).tolist()
    sampler = ResumableLengthGroupedSampler(10, lengths, seed=3)

    def epoch(number):
        sampler.set_epoch(number)
        return list(sampler)

    first, second = epoch(0), epoch(1)
    assert sorted(first) == sorted(second) == list(range(1000))
    assert first != second
    assert epoch(0) == first
    padded = sum(10 * max(lengths[row] for row in first[start : start + 10]) for start in range(0, 1000, 10))
    assert padded < 1.1 * sum(lengths)


@pytest.mark.slow
def test_two_processes_end_with_the_weights_of_one(tmp_path):
    flags = [*SMALL, *EXACT, *LAST, "--train_sampling_strategy", "sequential"]
    run(tmp_path / "one", *flags, "--per_device_train_batch_size", "32")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "okt_lstm"]
    subprocess.run(
        [*command, "train", *flags, "--output_dir", str(tmp_path / "two")],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=True,
        timeout=300,
    )
    assert_equal_weights(tmp_path / "one", tmp_path / "two", rtol=1e-5, atol=1e-6)
    one, two = ({path.name for path in (tmp_path / name).rglob("*.*")} for name in ("one", "two"))
    assert {name for name in two if not name.startswith("rng_state")} == {
        name for name in one if not name.startswith("rng_state")
    }
    scores = [json.loads((tmp_path / name / "test_results.json").read_text()) for name in ("one", "two")]
    assert scores[0]["test_accuracy"] == scores[1]["test_accuracy"]


# Embeddings


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    """Word vectors of the sample's texts, and the file of them."""
    folder = tmp_path_factory.mktemp("vectors")
    texts = load_splits(options(folder).data).datasets["train"]["text"]
    (folder / "texts.txt").write_text("".join(f"{text}\n" for text in texts))
    small = {"vector_size": 8, "bucket": 1000, "min_frequency": 1, "workers": 1}
    files = {"unlabeled": str(folder / "texts.txt"), "output": str(folder / "v.vec")}
    train_word_vectors(build(WordVectorParts, small | files))
    return read_vectors(folder / "v.vec"), folder / "v.vec"


def table(folder):
    """The embedding rows of a saved model by token."""
    embeddings = AutoModelForSequenceClassification.from_pretrained(folder).get_input_embeddings().weight.detach()
    return {token: embeddings[i].numpy() for token, i in AutoTokenizer.from_pretrained(folder).get_vocab().items()}


def test_training_starts_from_the_vectors_and_frozen_ones_stay(vectors, tmp_path, caplog):
    caplog.set_level("INFO", "okt_lstm")
    given, path = vectors
    frozen = shlex.split("--freeze_embeddings_epochs 1 --optim adamw_torch --weight_decay 1")
    run(tmp_path / "out", *LAST, "--embeddings", str(path), *frozen)
    assert "of the vocabulary's" in caplog.text
    assert "of all occurrences" in caplog.text
    card = ModelCard.load(tmp_path / "out" / "README.md").text
    assert re.search(r"The embeddings started from the vectors of `v\.vec`: \d+ of the vocabulary's \d+ tokens", card)
    assert f"| vectors | v.vec | {path.stat().st_size:,} | `" in card
    assert "| embeddings | `v.vec` |" in card
    assert "| freeze_embeddings_epochs | `1` |" in card
    for checkpoint, is_frozen in (("checkpoint-6", True), ("checkpoint-12", False)):
        rows = table(tmp_path / "out" / checkpoint)
        found = {token: row for token, row in zip(given.tokens, given.matrix, strict=True) if token in rows}
        assert len(found) > 50
        assert all(np.array_equal(rows[token], row) for token, row in found.items()) == is_frozen


def test_a_run_with_vectors_resumes_like_an_uninterrupted_one(vectors, tmp_path):
    flags = [*EXACT, *LAST, "--embeddings", str(vectors[1]), "--freeze_embeddings_epochs", "1"]
    run(tmp_path / "whole", *flags)
    run(tmp_path / "halves", *flags)
    shutil.rmtree(tmp_path / "halves" / "checkpoint-12")
    run(tmp_path / "halves", *flags, "--resume_from_checkpoint")
    assert_equal_weights(tmp_path / "whole", tmp_path / "halves")


def test_vectors_that_do_not_fit_are_refused_before_an_earlier_run_is_deleted(vectors, tmp_path):
    (tmp_path / "out").mkdir()
    for name in ("config.json", "trainer_state.json"):
        (tmp_path / "out" / name).write_text("{}")
    flags = ["--embeddings", str(vectors[1]), "--embedding_size", "4", "--overwrite_output_dir"]
    with pytest.raises(ValueError, match="--embedding_size 8"):
        run(tmp_path / "out", *flags)
    assert (tmp_path / "out" / "config.json").read_text() == "{}"
