import pytest

from okt_lstm.training import run_options
from okt_lstm.training.parts import PretrainParts, TrainParts, WordVectorParts, build


@pytest.fixture
def train_parts(tmp_path):
    return lambda **options: build(TrainParts, {"output_dir": str(tmp_path), "use_cpu": True} | options)


def test_defaults_are_the_classic_recipe(train_parts):
    parts = train_parts()
    config = parts.model.to_config()
    assert (config.model_type, config.embedding_size, config.hidden_size) == ("okt_lstm", 128, 64)
    assert (config.num_hidden_layers, config.bidirectional) == (2, True)
    assert (config.hidden_dropout, config.classifier_dropout) == (0.5, 0.5)
    assert (parts.training.optim.value, parts.training.learning_rate) == ("rmsprop", 1e-3)
    assert (parts.tokenizer.subword, parts.tokenizer.norm, parts.tokenizer.stem) == ("none", False, False)
    assert parts.data.dataset == "nsmc"
    transfer = parts.transfer
    assert (transfer.pretrained, transfer.embeddings, transfer.teacher, parts.unlabeled.unlabeled) == (
        None,
        None,
        [],
        None,
    )


def test_each_part_gets_its_options(tmp_path):
    options = {
        "output_dir": str(tmp_path),
        "unlabeled": "t.txt",
        "hidden_size": 8,
        "subword": "bpe",
        "adam_epsilon": 1e-9,
    }
    parts = build(PretrainParts, options)
    assert (parts.model.hidden_size, parts.tokenizer.subword, parts.unlabeled.unlabeled) == (8, "bpe", "t.txt")
    assert (parts.training.adam_epsilon, parts.training.adam_beta2, parts.training.warmup_steps) == (1e-9, 0.98, 500)
    vectors = build(WordVectorParts, {"output": "v.vec", "seed": 1})
    assert (vectors.vectors.seed, vectors.tokenizer.vocab_size) == (1, 100_000)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hiden_size": 8}, "unknown option 'hiden_size'"),
        ({"foo": 8, "bar": 8}, "unknown options 'foo', 'bar'"),
        ({"hidden_size": "8"}, "hidden_size is '8'; it has to be a whole number"),
        ({"nonlinearity": "relu"}, "nonlinearity goes with --model_type rnn, not lstm"),
        ({"hidden_size": 0}, "hidden_size must be at least 1"),
        ({"hidden_dropout": 1.5}, "hidden_dropout must be"),
        ({"vocab_size": 0}, "vocab_size is 0"),
        ({"freeze_embeddings_epochs": -1}, "freeze_embeddings_epochs is -1"),
        ({"per_device_train_batch_size": 0}, "per_device_train_batch_size is 0; it has to be 1 or more"),
        ({"num_train_epochs": 0}, "num_train_epochs is 0; it has to be above 0"),
        ({"num_train_epochs": -1.5}, "num_train_epochs is -1.5"),
        ({"eval_strategy": "steps"}, "load_best_model_at_end"),
        ({"push_to_hub": True, "hub_strategy": "every_save"}, "pickles"),
        ({"optim": "adamw_torch_fusd"}, "optim is 'adamw_torch_fusd'; did you mean adamw_torch_fused"),
        ({"lr_scheduler_type": "quux"}, "lr_scheduler_type is 'quux'; did you mean"),
    ],
)
def test_options_out_of_range_or_in_contradiction_are_errors_before_any_work(train_parts, options, message):
    with pytest.raises(ValueError, match=message):
        train_parts(**options)


def test_a_number_of_steps_needs_no_number_of_epochs(train_parts):
    assert train_parts(num_train_epochs=0, max_steps=5).training.max_steps == 5


def test_rnn_takes_a_nonlinearity(train_parts):
    model = train_parts(model_type="rnn", nonlinearity="relu").model
    assert model.to_config(vocab_size=10).nonlinearity == "relu"


def test_lower_is_better_for_errors(train_parts):
    for metric, greater_is_better in (("mse", False), ("eval_loss", False), ("f1_macro", True)):
        assert train_parts(metric_for_best_model=metric).training.greater_is_better is greater_is_better


@pytest.mark.parametrize(("installed", "report_to"), [(object(), ["tensorboard"]), (None, [])])
def test_tensorboard_gets_logs_where_it_is_installed(train_parts, monkeypatch, installed, report_to):
    monkeypatch.setattr(run_options, "find_spec", lambda name: installed)
    assert train_parts().training.report_to == report_to


@pytest.mark.parametrize("able", [True, False])
def test_a_processor_without_bfloat16_is_told_of_and_computes_in_float32(train_parts, monkeypatch, caplog, able):
    monkeypatch.setattr(run_options, "_cpu_mixes_bfloat16", lambda: able)
    training = train_parts(bf16=True).training
    assert (training.bf16, training.mixed_precision) == ((True, "bf16") if able else (False, "no"))
    assert ("the run uses float32" in caplog.text) is not able


def test_without_an_accelerator_nothing_is_pinned_for_it(train_parts, monkeypatch):
    monkeypatch.setattr(run_options.torch.accelerator, "is_available", lambda: False)
    assert train_parts().training.dataloader_pin_memory is False
