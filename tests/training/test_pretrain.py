import json
import os
import shlex
import shutil
import signal

import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForPreTraining, AutoTokenizer, pipeline

from okt_lstm.atomic import FileError
from okt_lstm.cli import main
from okt_lstm.data.description import DataFile
from okt_lstm.training.commands import PRETRAIN, TRAIN
from okt_lstm.training.parsing import parse
from okt_lstm.training.parts import PretrainParts, TrainParts, build
from okt_lstm.training.prepare import prepare
from okt_lstm.training.pretrain import pretrain
from okt_lstm.training.provenance import PRETRAINING_NAME
from okt_lstm.training.train import initialize, train
from okt_lstm.training.trainer import RecurrentTrainer

SMALL = shlex.split(
    "--embedding_size 8 --hidden_size 8 --min_frequency 1 --per_device_train_batch_size 16 --num_train_epochs 4 "
    "--learning_rate 0.05 --warmup_steps 0 --hidden_dropout 0 --use_cpu --disable_tqdm true --report_to none"
)
SHORT = shlex.split(
    "--dataset sample --max_train_samples 48 --max_eval_samples 16 --max_predict_samples 16 --num_train_epochs 1 "
    "--use_cpu --disable_tqdm true --report_to none"
)
SENTENCES = ["영화 정말 재미 있다", "배우 연기 정말 별로", "음악 영상 모두 최고", "시간 아깝다 정말 지루"]


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "reviews.txt"
    path.write_text("".join(f"{SENTENCES[number % 4]}\n" for number in range(320)) + "굿\n\n")
    return path


def run(folder, text, *flags):
    flags = [*SMALL, "--unlabeled", str(text), "--output_dir", str(folder), *flags]
    return pretrain(build(PretrainParts, parse(PRETRAIN, flags)))


def options(folder, output, *flags):
    flags = [*SHORT, "--pretrained", str(folder), "--output_dir", str(output), *flags]
    return build(TrainParts, parse(TRAIN, flags))


def train_from(folder, output, *flags):
    return train(options(folder, output, *flags))


@pytest.fixture(scope="module")
def pretrained(text, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pretrained") / "lm"
    return folder, run(folder, text)


def test_the_folder_holds_model_tokenizer_and_results_and_no_pickle(pretrained):
    folder, result = pretrained
    assert result.folder == folder
    names = {path.name for path in folder.iterdir() if path.is_file()}
    assert names >= {"model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json", PRETRAINING_NAME}
    assert names >= {"eval_results.json", "train_results.json", "trainer_state.json"}
    assert not [name for name in names - {"README.md"} if not name.endswith((".json", ".safetensors", ".py"))]
    assert type(AutoModelForPreTraining.from_pretrained(folder)).__name__ == "LSTMForPreTraining"
    assert AutoTokenizer.from_pretrained(folder).model_max_length == 128


def test_what_repeats_is_learned(pretrained):
    folder, result = pretrained
    vocabulary = len(AutoTokenizer.from_pretrained(folder))
    assert vocabulary > 10
    assert 1 < result.perplexity < vocabulary / 3
    assert result.perplexity == pytest.approx(torch.tensor(result.loss).exp().item())
    assert json.loads((folder / "eval_results.json").read_text())["eval_perplexity"] == result.perplexity


def test_it_writes_down_what_it_learned_from(pretrained, text):
    folder, result = pretrained
    record = json.loads((folder / PRETRAINING_NAME).read_text())
    file = DataFile.of("", text)
    assert record["unlabeled"] == {"name": "reviews.txt", "num_bytes": file.num_bytes, "git_blob_id": file.git_blob_id}
    assert (record["texts"], record["held_out_texts"]) == (288, 32)  # a tenth; a text of one token teaches nothing
    assert (record["loss"], record["perplexity"]) == (result.loss, result.perplexity)
    assert record["seconds"] > 0


def test_a_classifier_starts_from_the_encoder_and_the_tokenizer(pretrained, tmp_path):
    folder, _ = pretrained
    train_from(folder, tmp_path, "--learning_rate", "0", "--optim", "sgd", "--pooling", "max_mean_last")
    before, after = (load_file(path / "model.safetensors") for path in (folder, tmp_path))
    encoder = {name for name in before if name.startswith("model.")}
    assert encoder == {name for name in after if not name.startswith("classifier.")}
    assert all(torch.equal(before[name], after[name]) for name in encoder)
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["pooling"], config["separate_directions"], config["hidden_size"]) == ("max_mean_last", True, 8)
    assert AutoTokenizer.from_pretrained(tmp_path).get_vocab() == AutoTokenizer.from_pretrained(folder).get_vocab()


def test_the_embeddings_of_a_pretrained_model_can_stay_as_they_are(pretrained, tmp_path):
    folder, _ = pretrained
    table = "model.embed_tokens.weight"
    before = load_file(folder / "model.safetensors")[table]
    for name, epochs in (("frozen", "9"), ("free", "0")):
        train_from(folder, tmp_path / name, "--freeze_embeddings_epochs", epochs)
        after = load_file(tmp_path / name / "model.safetensors")[table]
        assert torch.equal(before, after) == (name == "frozen")


def test_the_classifiers_card_says_what_it_started_from(pretrained, text, tmp_path):
    folder, result = pretrained
    train_from(folder, tmp_path / "first")
    card = ModelCard.load(tmp_path / "first" / "README.md").text
    file = DataFile.of("", text)
    assert f"| pretraining | reviews.txt | {file.num_bytes:,} | `{file.git_blob_id}` |" in card
    assert "The network started from `lm`." in card
    assert "a language model on 288 texts of `reviews.txt`" in card
    assert f"(perplexity {result.perplexity:.1f} on 32 others)" in card
    assert "The vocabulary is that of `lm`." in card
    assert "training rows alone" not in card
    assert "| pretrained | `lm` |" in card
    assert "vocab_size" not in card

    train_from(tmp_path / "first", tmp_path / "second", "--learning_rate", "0")  # and is passed on
    card = ModelCard.load(tmp_path / "second" / "README.md").text
    assert "The network started from `first`." in card
    assert "a language model on 288 texts of `reviews.txt`" in card


def test_weights_in_half_precision_are_trained_in_single_precision(pretrained, tmp_path):
    folder, _ = pretrained
    shutil.copytree(folder, tmp_path / "half")
    AutoModelForPreTraining.from_pretrained(folder, dtype=torch.float16).save_pretrained(tmp_path / "half")
    train_from(tmp_path / "half", tmp_path / "out")
    weights = load_file(tmp_path / "out" / "model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.float32}


def test_ctrl_c_leaves_a_checkpoint_that_resumes_to_the_same_weights(pretrained, text, tmp_path, monkeypatch):
    step = RecurrentTrainer.training_step
    steps = iter(range(1, 100))

    def interrupt(self, *args, **kwargs):
        if next(steps) == 20:
            signal.raise_signal(signal.SIGINT)
        return step(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(RecurrentTrainer, "training_step", interrupt)
        with pytest.raises(KeyboardInterrupt, match=r"step 20; --resume_from_checkpoint"):
            run(tmp_path / "out", text)
    assert not (tmp_path / "out" / "model.safetensors").exists()
    run(tmp_path / "out", text, "--resume_from_checkpoint")
    whole, resumed = (load_file(folder / "model.safetensors") for folder in (pretrained[0], tmp_path / "out"))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_an_earlier_run_is_not_overwritten_unasked(pretrained, text):
    folder, _ = pretrained
    with pytest.raises(FileExistsError, match=r"--resume_from_checkpoint.*--overwrite_output_dir"):
        run(folder, text)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no text"),
        ("굿\n" * 50, "no text has two tokens"),
        ("정말 굿\n", "1 text of two"),
    ],
)
def test_too_little_text_is_an_error(tmp_path, content, message):
    (tmp_path / "t.txt").write_text(content)
    with pytest.raises(ValueError, match=message):
        run(tmp_path / "out", tmp_path / "t.txt")
    assert not (tmp_path / "out" / "model.safetensors").exists()


def test_a_damaged_file_is_an_error_that_names_the_line(tmp_path):
    (tmp_path / "t.txt").write_bytes(b"a b\n" * 30 + b"\xff\n")
    with pytest.raises(FileError, match=r"t\.txt, line 31"):
        run(tmp_path / "out", tmp_path / "t.txt")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--unlabeled"),
        (["--unlabeled", "nope.txt"], "nope.txt: no such file"),
        (["--unlabeled", "t.txt", "--model_type", "gru", "--nonlinearity", "relu"], "--model_type rnn"),
    ],
)
def test_mistakes_with_the_command_are_one_line(tmp_path, monkeypatch, capsys, flags, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.txt").write_text("정말 재미 있다\n")
    assert main(["pretrain", "--output_dir", str(tmp_path / "out"), "--use_cpu", *flags]) == 1
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.count("\n") == 1
    assert errors.startswith("okt-lstm: error: ")
    assert message in errors
    assert not (tmp_path / "out").exists()


def test_the_command_prints_the_figures(tmp_path, text, capsys):
    flags = [*SMALL, "--max_unlabeled_samples", "60", "--num_train_epochs", "1", "--model_type", "gru"]
    assert main(["pretrain", *flags, "--unlabeled", str(text), "--output_dir", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    figures = json.loads(printed[printed.index('{\n  "folder"') :])
    assert set(figures) == {"folder", "loss", "perplexity", "seconds"}
    assert figures["folder"] == str(tmp_path / "out")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--vocab_size", "100"], "brings its tokenizer along: leave out --vocab_size"),
        (["--stem", "true"], "leave out --stem"),
        (["--hidden_size", "16"], "has hidden_size 8, not 16: leave out --hidden_size"),
        (["--model_type", "gru"], "has model_type 'lstm', not 'gru'"),
        (["--unlabeled", "t.txt"], "uses --unlabeled only with --teacher"),
    ],
)
def test_what_contradicts_the_pretrained_model_is_an_error(pretrained, tmp_path, flags, message):
    with pytest.raises(ValueError, match=message):
        prepare(options(pretrained[0], tmp_path / "out", *flags))


def test_what_the_pretrained_model_has_may_be_said_again(pretrained, tmp_path):
    config = prepare(options(pretrained[0], tmp_path, "--hidden_size", "8")).config
    assert (config.hidden_size, config.embedding_size, config.separate_directions) == (8, 8, True)


def test_a_pretrained_model_and_vectors_are_one_too_many(tmp_path):
    with pytest.raises(ValueError, match="leave out --embeddings"):
        options("lm", tmp_path, "--embeddings", "v.vec")


def test_a_pretrained_model_that_is_none_is_an_error(pretrained, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(OSError, match="nope"):
        prepare(options(tmp_path / "nope", tmp_path / "out"))
    other = tmp_path / "other"
    shutil.copytree(pretrained[0], other)
    (other / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ValueError, match=rf"{os.sep}other is a bert, not a recurrent network"):
        prepare(options(other, tmp_path / "out"))


def test_weights_that_are_not_those_of_the_configuration_are_refused(pretrained, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(pretrained[0], other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"hidden_size": 4}))
    given = options(other, tmp_path / "out")
    prepared = prepare(given)
    with pytest.raises(ValueError, match=r"has other weights than its configuration says: .*forward_rnn"):
        initialize(given, prepared)


def test_the_forward_direction_alone_gives_a_model_that_generates_text(text, tmp_path, capsys):
    run(tmp_path / "writer", text, "--direction", "forward")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "writer")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "writer")
    assert type(model).__name__ == "LSTMForCausalLM"
    assert model.config.use_cache
    begin, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    assert (model.config.bos_token_id, model.config.eos_token_id) == (begin, end)
    ids = tokenizer("영화 정말 재미 있다")["input_ids"]
    assert ids[0] == begin
    assert end not in ids
    capsys.readouterr()
    assert main(["generate", "--model", str(tmp_path / "writer"), "--do_sample", "false", "영화 정말"]) == 0
    written = capsys.readouterr().out
    assert written.startswith("영화 정말 ")
    assert set(written.split()) <= set(" ".join(SENTENCES).split())
    assert main(["generate", "--model", str(tmp_path / "writer"), "--device", "nowhere", "영화"]) == 1
    assert "device 'nowhere' can't be used" in capsys.readouterr().err
    # What the model doesn't know stays in the text.
    assert main(["generate", "--model", str(tmp_path / "writer"), "--seed", "1", "  쀍쀍 영화"]) == 0
    assert capsys.readouterr().out.startswith("  쀍쀍 영화")
    card = ModelCard.load(tmp_path / "writer" / "README.md")
    assert card.data.pipeline_tag == "text-generation"
    assert 'pipeline("text-generation", model="writer")' in card.text
    assert "texts of `reviews.txt`" in card.text
    given = options(tmp_path / "writer", tmp_path / "classifier")
    assert not initialize(given, prepare(given))[0].config.bidirectional


def test_a_mask_token_gives_a_model_that_fills_gaps(text, tmp_path):
    run(tmp_path / "filler", text, "--mask_token", "<mask>")
    fill = pipeline("fill-mask", model=str(tmp_path / "filler"))
    assert type(fill.model).__name__ == "LSTMForMaskedLM"
    assert fill("배우 연기 정말 <mask>")[0]["token_str"] in {sentence.split()[-1] for sentence in SENTENCES}
    card = ModelCard.load(tmp_path / "filler" / "README.md")
    assert (card.data.pipeline_tag, card.data.mask_token) == ("fill-mask", "<mask>")
    assert "<mask>" in card.text


def test_options_that_contradict_the_direction_are_refused(text, tmp_path):
    with pytest.raises(ValueError, match="--bidirectional"):
        run(tmp_path / "lm", text, "--direction", "forward", "--bidirectional", "true")
    with pytest.raises(ValueError, match="--mask_token"):
        run(tmp_path / "lm", text, "--direction", "forward", "--mask_token", "<mask>")


def test_a_model_that_does_not_generate_text_is_refused_with_what_to_do(pretrained, folder, capsys):
    for path, found in ((pretrained[0], "LSTMForPreTraining"), (folder, "LSTMForSequenceClassification")):
        assert main(["generate", "--model", str(path), "영화"]) == 1
        error = capsys.readouterr().err
        assert found in error
        assert "--direction forward" in error
    assert main(["generate", "--model", "no/such-model-here", "영화"]) == 1
    capsys.readouterr()
    assert main(["generate", "--model", str(pretrained[0].parent / "nowhere"), "영화"]) == 1
    assert "no such folder" in capsys.readouterr().err
