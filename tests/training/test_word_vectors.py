import os
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest
import torch
from tiny import WORDS, tiny_model, tiny_tokenizer
from torch import nn
from tqdm import tqdm
from transformers import Trainer, TrainingArguments

from okt_lstm import OktTokenizer
from okt_lstm.atomic import FileError
from okt_lstm.data.vectors import Vectors, read_vectors, write_vectors
from okt_lstm.training.optimization import RowwiseRMSprop
from okt_lstm.training.options import TokenizerOptions, UnlabeledOptions
from okt_lstm.training.word_vectors import (
    FreezeEmbeddings,
    WordVectorOptions,
    _Sentences,
    embed,
    initialize,
    parse_embedding_arguments,
    train_vectors,
)

TEXTS = ["연기도 연출도 최고였다", "시간이 아깝다", "정말 재미 있다", "정말 재미 없다", "굿", "최고였다 정말 굿"] * 30
QUICK = {"vector_size": 8, "bucket": 1000, "epochs": 2, "workers": 1}


def arguments(folder, **options):
    return WordVectorOptions(**({"output": str(folder / "v.vec")} | QUICK | options))


def texts_of(folder):
    return UnlabeledOptions(unlabeled=str(folder / "t.txt"))


@pytest.fixture
def text_file(tmp_path):
    (tmp_path / "t.txt").write_text("".join(f"{text}\n" for text in TEXTS))
    return tmp_path / "t.txt"


# Training


def test_vectors_of_the_texts_tokens_are_written(tmp_path, text_file):
    result = embed(arguments(tmp_path), texts_of(tmp_path), TokenizerOptions(min_frequency=1))
    vectors = read_vectors(tmp_path / "v.vec")
    tokenizer = OktTokenizer()
    morphemes = {token for text in TEXTS for token in tokenizer.train_new_from_iterator([text], 99).get_vocab()}
    assert set(vectors.tokens) == morphemes - {"<pad>", "<unk>"}
    assert asdict(result) | {"seconds": 0} == {
        "output": str(tmp_path / "v.vec"),
        "tokens": len(vectors.tokens),
        "vector_size": 8,
        "token_count": result.token_count,
        "seconds": 0,
    }
    assert result.token_count > len(TEXTS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.txt", "v.vec"]


def test_the_tokenizers_own_tokens_get_the_vectors(tmp_path, text_file):
    tiny_tokenizer().save_pretrained(tmp_path / "tokenizer")
    with text_file.open("a") as file:
        file.write("모르는 말\n")
    embed(arguments(tmp_path, tokenizer=str(tmp_path / "tokenizer")), texts_of(tmp_path), TokenizerOptions())
    assert set(read_vectors(tmp_path / "v.vec").tokens) == {*WORDS, "<unk>"} - {"별로"}  # which no text has


def test_one_thread_and_a_seed_give_the_same_vectors(tmp_path):
    def train(**options):
        return train_vectors(iter(TEXTS), tiny_tokenizer(), arguments(tmp_path, **options))[0]

    first, again, other = train(), train(), train(seed=1)
    assert first.tokens == again.tokens
    np.testing.assert_array_equal(first.matrix, again.matrix)
    assert not np.array_equal(first.matrix, other.matrix)


@pytest.mark.parametrize("max_n", [0, 4])
def test_words_of_the_same_contexts_get_like_vectors(tmp_path, max_n):
    rng = np.random.default_rng(0)
    topics = [["연기도", "연출도", "최고였다"], ["시간이", "아깝다", "별로"]]
    texts = [" ".join(rng.choice(topics[row % 2], 6)) for row in range(2000)]
    options = {"epochs": 5, "max_n": max_n, "sample": 0.0}
    vectors, _ = train_vectors(texts, tiny_tokenizer(), arguments(tmp_path, **options))
    unit = vectors.matrix / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    like = dict(zip(vectors.tokens, unit @ unit[vectors.tokens.index("연기도")], strict=True))
    assert min(like[word] for word in topics[0]) > max(like[word] for word in topics[1]) + 0.1


def test_texts_are_read_once_and_as_a_stream(tmp_path, monkeypatch):
    tokenizer = tiny_tokenizer()
    waiting = 0

    def texts():
        nonlocal waiting
        for text in TEXTS * 40:
            waiting += 1
            assert waiting <= 1000
            yield text

    class Counting:
        def __call__(self, batch, **options):
            nonlocal waiting
            waiting -= len(batch)
            return tokenizer(batch, **options)

        def __getattr__(self, name):
            return getattr(tokenizer, name)

    _, token_count = train_vectors(texts(), Counting(), arguments(tmp_path))
    assert token_count == 40 * sum(len(text.split()) for text in TEXTS)


def test_long_texts_and_empty_ones_keep_their_tokens(tmp_path):
    texts = ["", " ".join(WORDS * 10_000), "굿", ""]  # one longer than what is read at a time
    vectors, token_count = train_vectors(texts, tiny_tokenizer(), arguments(tmp_path, epochs=1))
    assert token_count == 10_000 * len(WORDS) + 1
    assert set(vectors.tokens) == set(WORDS)


def test_the_end_of_a_long_text_is_learned_from(tmp_path):
    text = " ".join(["굿"] * 10_000 + ["정말", "재미"] * 5000)
    options = {"max_n": 0, "sample": 0.0, "epochs": 1}
    before, after = (
        train_vectors([text], tiny_tokenizer(), arguments(tmp_path, alpha=alpha, **options))[0]
        for alpha in (1e-9, 0.05)
    )
    place = before.tokens.index("재미")
    assert np.abs(after.matrix[place] - before.matrix[place]).max() > 0.01


def test_pieces_can_have_vectors(tmp_path, text_file):
    embed(
        arguments(tmp_path),
        texts_of(tmp_path),
        TokenizerOptions(tokenizer_model="bpe", vocab_size=300, min_frequency=1),
    )
    assert any(len(token) == 1 for token in read_vectors(tmp_path / "v.vec").tokens)


@pytest.mark.parametrize("texts", [[], ["굿", "굿"]])
def test_nothing_to_learn_from_is_an_error(tmp_path, texts):
    with pytest.raises(ValueError, match="nothing to learn"):
        train_vectors(texts, tiny_tokenizer(), arguments(tmp_path))


def test_a_failure_leaves_the_old_file(tmp_path, text_file):
    (tmp_path / "v.vec").write_text("old")
    with pytest.raises(OSError, match="none"):
        embed(arguments(tmp_path, tokenizer=str(tmp_path / "none")), texts_of(tmp_path), TokenizerOptions())
    assert (tmp_path / "v.vec").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.txt", "v.vec"]


def test_without_texts_the_error_names_the_flag(tmp_path):
    with pytest.raises(ValueError, match="--unlabeled"):
        embed(arguments(tmp_path), UnlabeledOptions(), TokenizerOptions())
    assert not list(tmp_path.iterdir())


def test_the_outputs_name_is_checked_first(tmp_path):
    with pytest.raises(FileError, match=r"v\.pkl.*\.safetensors"):
        embed(arguments(tmp_path, output="v.pkl"), texts_of(tmp_path), TokenizerOptions())


def test_without_gensim_the_error_says_what_to_install(tmp_path, text_file, monkeypatch):
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    with pytest.raises(ImportError, match=r'pip install "okt-lstm\[embed\]"'):
        embed(arguments(tmp_path), texts_of(tmp_path), TokenizerOptions())


def test_reading_vectors_needs_no_gensim(tmp_path):
    path = tmp_path / "v.safetensors"
    with path.open("wb") as stream:
        write_vectors(Vectors(["굿"], np.ones((1, 2), np.float32)), stream)
    code = "import sys; sys.modules['gensim'] = None; import okt_lstm.training.word_vectors\n" + (
        f"from okt_lstm.data.vectors import read_vectors; print(read_vectors({str(path)!r}).tokens)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "['굿']\n"


# Options


def test_flags_become_arguments():
    args, unlabeled_args, tokenizer_args = parse_embedding_arguments(
        ["--unlabeled", "t.txt", "--output", "v.bin", "--vector_size", "32", "--max_n", "0", "--stem", "true"]
    )
    assert args == WordVectorOptions("v.bin", vector_size=32, max_n=0)
    assert unlabeled_args == UnlabeledOptions("t.txt")
    assert tokenizer_args == TokenizerOptions(stem=True, vocab_size=100_000)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"min_n": 5}, "max_n is 4.*5"),
        ({"alpha": 0.0}, "alpha"),
        ({"workers": -1}, "-1"),
    ],
)
def test_options_out_of_range_are_refused(tmp_path, options, words):
    with pytest.raises(ValueError, match=words):
        arguments(tmp_path, **options)


# Into a model


def some_vectors(size=8):
    tokens = ["굿", "없는", "정말", "<unk>"]
    return Vectors(tokens, np.random.default_rng(0).normal(scale=0.5, size=(4, size)).astype(np.float32))


def test_found_tokens_get_their_vectors_and_the_others_values_of_that_scale():
    tokenizer, vectors = tiny_tokenizer(), some_vectors(64)
    embedding = tiny_model(embedding_size=64).get_input_embeddings()
    before = embedding.weight.detach().clone()
    initialize(embedding, tokenizer, vectors)
    after = embedding.weight.detach()
    ids = tokenizer.convert_tokens_to_ids(["굿", "정말", "<unk>"])
    np.testing.assert_array_equal(after[ids], vectors.matrix[[0, 2, 3]])
    others = [i for i in range(1, len(tokenizer)) if i not in ids]
    assert after[others].std().item() == pytest.approx(after[ids].std().item(), rel=1e-4)
    ratio = after[others] / before[others]
    torch.testing.assert_close(ratio, ratio[:1, :1].expand_as(ratio), rtol=1e-4, atol=0)
    assert not after[tokenizer.pad_token_id].any()


def test_coverage_counts_types_and_running_tokens():
    tokenizer = tiny_tokenizer()
    counts = np.zeros(len(tokenizer), np.int64)
    counts[tokenizer.convert_tokens_to_ids(["<pad>", "굿", "정말", "별로"])] = [1000, 5, 1, 2]
    coverage = initialize(nn.Embedding(len(tokenizer), 8), tokenizer, some_vectors(), counts)
    assert (coverage.found, coverage.tokens) == (3, len(WORDS) + 1)
    assert coverage.share == pytest.approx(3 / (len(WORDS) + 1))
    assert coverage.occurrence_coverage == pytest.approx(6 / 8)
    assert str(coverage) == "3 of the vocabulary's 12 tokens have a vector (25.0%), 75.0% of the running tokens"


def test_a_vocabulary_that_is_all_found_is_copied_whole():
    tokenizer = tiny_tokenizer()
    vectors = Vectors(["<unk>", *WORDS], np.ones((len(WORDS) + 1, 2), np.float32))
    embedding = nn.Embedding(len(tokenizer), 2, padding_idx=0)
    assert initialize(embedding, tokenizer, vectors).share == 1
    assert embedding.weight[1:].eq(1).all()


def test_another_size_names_the_option_to_set():
    with pytest.raises(ValueError, match="--embedding_size 8"):
        initialize(nn.Embedding(13, 7), tiny_tokenizer(), some_vectors())


def test_vectors_of_other_tokens_are_refused():
    with pytest.raises(ValueError, match="none of the vocabulary's 12 tokens"):
        initialize(nn.Embedding(13, 8), tiny_tokenizer(), Vectors(["x"], np.ones((1, 8), np.float32)))


# Freezing


def rows():
    tokenizer = tiny_tokenizer()
    ids = tokenizer(TEXTS[:32])["input_ids"]
    return [
        {"input_ids": (row + [0] * 8)[:8], "attention_mask": ([1] * len(row) + [0] * 8)[:8], "labels": number % 2}
        for number, row in enumerate(ids)
    ]


class Watching(FreezeEmbeddings):
    """Keeps the table as it is at the beginning of each epoch, and whether each step computed its gradient."""

    def __init__(self, epochs):
        super().__init__(epochs)
        self.tables, self.gradients = [], []

    def on_epoch_begin(self, args, state, control, **kwargs):
        super().on_epoch_begin(args, state, control, **kwargs)
        self.tables.append(kwargs["model"].get_input_embeddings().weight.detach().clone())

    def on_pre_optimizer_step(self, args, state, control, **kwargs):
        self.gradients.append(kwargs["model"].get_input_embeddings().weight.grad is not None)
        super().on_pre_optimizer_step(args, state, control, **kwargs)


def train(folder, epochs_frozen, optim="rmsprop", epochs=3, resume=None, model=None, trainer_class=Trainer, **options):
    model = model or tiny_model()
    watching = Watching(epochs_frozen)
    trainer = trainer_class(
        model=model,
        args=TrainingArguments(
            str(folder),
            num_train_epochs=epochs,
            per_device_train_batch_size=8,
            learning_rate=0.01,
            optim=optim,
            weight_decay=0.1,
            report_to="none",
            disable_tqdm=True,
            use_cpu=True,
            save_strategy="steps",
            save_steps=2,
            save_total_limit=99,
            **options,
        ),
        train_dataset=rows(),
        callbacks=[watching],
    )
    trainer.train(resume_from_checkpoint=resume)
    return model, [*watching.tables, model.get_input_embeddings().weight.detach()], watching.gradients


@pytest.mark.parametrize("optim", ["rmsprop", "adamw_torch", "sgd", "adagrad"])
def test_the_table_rests_for_the_first_epochs_and_then_moves(tmp_path, optim):
    model, tables, gradients = train(tmp_path, 2, optim)
    assert torch.equal(tables[0], tables[1])
    assert torch.equal(tables[0], tables[2])
    assert not torch.equal(tables[2], tables[3])
    assert gradients == [False] * 8 + [True] * 4  # none is computed in vain
    assert model.get_input_embeddings().weight.requires_grad


def test_the_rowwise_optimizer_does_not_move_a_frozen_table(tmp_path):
    class RowwiseTrainer(Trainer):
        @staticmethod
        def get_optimizer_cls_and_kwargs(args, model=None):
            return RowwiseRMSprop, {"lr": 0.01}

    large = tiny_model(vocab_size=3000)  # small tables are left to torch
    _, tables, _ = train(tmp_path, 2, model=large, trainer_class=RowwiseTrainer)
    assert torch.equal(tables[0], tables[2])
    assert not torch.equal(tables[2], tables[3])


def test_the_rest_of_the_network_learns_meanwhile(tmp_path):
    before = tiny_model()
    model, _, _ = train(tmp_path, 9)
    assert model.get_input_embeddings().weight.requires_grad
    for (name, old), new in zip(before.named_parameters(), model.parameters(), strict=True):
        assert torch.equal(old, new) == (new is model.get_input_embeddings().weight), name


def test_zero_epochs_freeze_nothing(tmp_path):
    _, tables, gradients = train(tmp_path, 0, epochs=1)
    assert not torch.equal(tables[0], tables[1])
    assert all(gradients)


@pytest.mark.parametrize("step", [2, 4, 6, 8])
def test_a_resumed_run_thaws_when_the_whole_one_does(tmp_path, step):
    whole, tables, _ = train(tmp_path, 2)
    resumed, later, _ = train(tmp_path, 2, model=tiny_model(), resume=str(tmp_path / f"checkpoint-{step}"))
    assert torch.equal(later[-2] if step < 8 else tables[2], tables[2])
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_gradients_that_come_all_the_same_are_dropped(tmp_path, monkeypatch):
    # As under DistributedDataParallel, where the table has to keep asking for gradients.
    monkeypatch.setattr(TrainingArguments, "world_size", 2)
    _, tables, gradients = train(tmp_path, 2)
    assert all(gradients)
    assert torch.equal(tables[0], tables[2])
    assert not torch.equal(tables[2], tables[3])


@pytest.mark.skipif(os.name == "nt", reason="Windows deletes no file that is mapped")
def test_a_pass_that_begins_when_an_ended_run_has_deleted_its_file_is_a_whole_one(tmp_path):
    path = tmp_path / "ids"
    np.array([0, 1, -1, 1, -1], np.int32).tofile(path)
    with tqdm(disable=True) as bar:
        sentences = _Sentences(path, ["가", "나"], bar)
        path.unlink()
        assert list(sentences) == list(sentences) == [["가", "나"], ["나"]]
