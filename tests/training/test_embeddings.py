import numpy as np
import pytest
import torch
from tiny import WORDS, tiny_model, tiny_tokenizer
from torch import nn
from transformers import Trainer, TrainingArguments

from okt_lstm.data.vectors import Vectors
from okt_lstm.training.embeddings import FreezeEmbeddings, fill_embeddings
from okt_lstm.training.optimization import RowwiseRMSprop

TEXTS = ["연기도 연출도 최고였다", "시간이 아깝다", "정말 재미 있다", "정말 재미 없다", "굿", "최고였다 정말 굿"] * 6


def some_vectors(size=8):
    tokens = ["굿", "없는", "정말", "<unk>"]
    return Vectors(tokens, np.random.default_rng(0).normal(scale=0.5, size=(4, size)).astype(np.float32))


def test_found_tokens_get_their_vectors_and_the_others_values_of_that_scale():
    tokenizer, vectors = tiny_tokenizer(), some_vectors(64)
    embedding = tiny_model(embedding_size=64).get_input_embeddings()
    before = embedding.weight.detach().clone()
    fill_embeddings(embedding, tokenizer, vectors)
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
    coverage = fill_embeddings(nn.Embedding(len(tokenizer), 8), tokenizer, some_vectors(), counts)
    assert (coverage.found, coverage.tokens) == (3, len(WORDS) + 1)
    assert coverage.share == pytest.approx(3 / (len(WORDS) + 1))
    assert coverage.occurrence_coverage == pytest.approx(6 / 8)
    assert str(coverage) == "3 of the vocabulary's 12 tokens have a vector (25.0%), covering 75.0% of all occurrences"


def test_a_vocabulary_that_is_all_found_is_copied_whole():
    tokenizer = tiny_tokenizer()
    vectors = Vectors(["<unk>", *WORDS], np.ones((len(WORDS) + 1, 2), np.float32))
    embedding = nn.Embedding(len(tokenizer), 2, padding_idx=0)
    assert fill_embeddings(embedding, tokenizer, vectors).share == 1
    assert embedding.weight[1:].eq(1).all()


def test_another_size_names_the_option_to_set():
    with pytest.raises(ValueError, match="--embedding_size 8"):
        fill_embeddings(nn.Embedding(13, 7), tiny_tokenizer(), some_vectors())


def test_vectors_of_other_tokens_are_refused():
    with pytest.raises(ValueError, match="none of the 12 tokens has a vector"):
        fill_embeddings(nn.Embedding(13, 8), tiny_tokenizer(), Vectors(["x"], np.ones((1, 8), np.float32)))


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
