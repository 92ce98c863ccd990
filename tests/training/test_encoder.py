import json
import shlex

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard
from sentence_teachers import save_transformer
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, AutoTokenizer, pipeline

import oktane
from okt_lstm.cli import main
from okt_lstm.inference.export import export_model
from okt_lstm.training.commands import ENCODER
from okt_lstm.training.encoder import distillation_loss, train_encoder, whitened
from okt_lstm.training.parsing import parse
from okt_lstm.training.parts import EncoderParts, build
from okt_lstm.training.teacher_embeddings import start_from_teacher
from okt_lstm.training.teacher_vectors import Teacher, teacher_vectors

SMALL = shlex.split(
    "--embedding_size 8 --hidden_size 8 --vocab_size 400 --min_frequency 1 --batch_size 16 --epochs 30 --lr 0.02 "
    "--warmup_steps 0 --use_cpu --disable_tqdm true --report_to none --save_total_limit 1"
)
WORDS = ["영화", "정말", "재미", "있다", "배우", "연기", "별로", "음악", "최고", "시간"]


@pytest.fixture(scope="module")
def texts():
    """Every text of two words."""
    return [f"{first} {second}" for first in WORDS for second in WORDS]


@pytest.fixture(scope="module")
def given(texts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("given")
    (folder / "texts.txt").write_text("".join(f"{text}\n" for text in texts))
    return [*SMALL, "--unlabeled", str(folder / "texts.txt"), "--teacher", str(save_transformer(folder / "teacher"))]


@pytest.fixture(scope="module")
def trained(given, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "encoder"
    return train_encoder(build(EncoderParts, parse(ENCODER, [*given, "--output_dir", str(folder)])))


def test_the_student_s_vectors_are_near_its_teacher_s(trained, given, texts, tmp_path):
    assert trained.cosine > 0.7
    expected = whitened(teacher_vectors(Teacher(given[-1]), texts, tmp_path), 0.5).astype(np.float32)
    found = oktane.load_encoder(trained.folder).encode(texts)
    cosines = found @ expected.T
    assert np.diag(cosines).mean() > 0.7
    # near its own, not near any
    assert cosines.mean() < 0.1


def test_every_way_to_load_it_gives_the_same_vectors(trained, texts):
    expected = oktane.load_encoder(trained.folder).encode(texts)
    sentence_transformer = SentenceTransformer(str(trained.folder), device="cpu", trust_remote_code=True)
    np.testing.assert_allclose(sentence_transformer.encode(texts), expected, atol=1e-5)
    model, tokenizer = AutoModel.from_pretrained(trained.folder), AutoTokenizer.from_pretrained(trained.folder)
    with torch.inference_mode():
        outputs = model(**tokenizer(texts, padding=True, return_tensors="pt"))
    np.testing.assert_allclose(torch.nn.functional.normalize(outputs.pooler_output), expected, atol=1e-5)
    assert outputs.last_hidden_state.shape[-1] == 16
    features = pipeline("feature-extraction", model=str(trained.folder), device="cpu")("영화 최고", return_tensors=True)
    assert features.shape[-1] == 16


def test_a_small_copy_has_the_same_vectors(trained, texts, tmp_path):
    copy = export_model(trained.folder, tmp_path / "copy")
    found, expected = oktane.load_encoder(copy).encode(texts), oktane.load_encoder(trained.folder).encode(texts)
    assert (found * expected).sum(axis=1).min() > 0.9999
    assert (copy / "model.safetensors").stat().st_size < 0.6 * (trained.folder / "model.safetensors").stat().st_size
    assert not list(copy.glob("*.py"))
    sentence_transformer = SentenceTransformer(str(copy), device="cpu")
    np.testing.assert_allclose(sentence_transformer.encode(texts), found, atol=1e-4)


def test_the_folder_says_what_was_done(trained, given):
    card = ModelCard.load(trained.folder / "README.md")
    assert card.data.library_name == "sentence-transformers"
    assert card.data.pipeline_tag == "sentence-similarity"
    assert "90 texts of `texts.txt`" in card.text
    assert f"{trained.cosine:.4f}" in card.text
    # no path of this machine
    assert given[-1] not in card.content
    assert "`teacher`" in card.text
    assert json.loads((trained.folder / "eval_results.json").read_text())["eval_cosine"] == trained.cosine
    assert not [path.name for path in trained.folder.iterdir() if path.suffix in (".bin", ".pt", ".pkl")]


def test_the_same_run_twice_gives_the_same_weights(given, tmp_path):
    weights = []
    for name in "ab":
        main(["train-encoder", *given, "--epochs", "1", "--output_dir", str(tmp_path / name)])
        weights.append((tmp_path / name / "model.safetensors").read_bytes())
    assert weights[0] == weights[1]


def test_it_is_run_by_recipe(given, tmp_path, capsys):
    stage = {"name": "encoder", "command": "train-encoder", "options": {"hidden_size": 4}}
    recipe = {"version": 1, "stages": [stage]}
    (tmp_path / "mine.yaml").write_text(json.dumps(recipe))
    size = given.index("--hidden_size")
    words = [*given[:size], *given[size + 2 :], "--recipe", str(tmp_path / "mine.yaml"), "--epochs", "1"]
    assert main(["train-encoder", *words, "--output_dir", str(tmp_path / "out")]) == 0
    assert AutoModel.from_pretrained(tmp_path / "out").config.hidden_size == 4
    assert (tmp_path / "out" / "recipe.yaml").is_file()
    assert main(["train", "--recipe", str(tmp_path / "mine.yaml"), "--output_dir", str(tmp_path / "other")]) == 1
    assert "okt-lstm train-encoder --recipe" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--model_type", "ngram"], "goes with --model_type lstm or gru or rnn"),
        (["--teacher", "no/such/folder"], "no such folder"),
        (["--unlabeled", "missing.txt"], "missing.txt: no such file"),
        (["--similarity_weight", "-1"], "similarity_weight is -1"),
    ],
)
def test_what_can_t_be_used_is_said_before_the_work(given, change, message, tmp_path, capsys):
    try:
        code = main(["train-encoder", *given, *change, "--output_dir", str(tmp_path / "out")])
    except SystemExit as exit:
        code = exit.code
    assert code in (1, 2)
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_whitened_vectors_have_no_common_direction():
    vectors = np.random.default_rng(0).normal(3, 1, (1000, 8)).astype(np.float16)
    found = whitened(vectors, 0.5).astype(np.float32)
    assert np.abs(found.mean(axis=0)).max() < 0.02
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=2e-3)


@pytest.mark.parametrize(("power", "ratio"), [(0.0, 8.0), (0.5, 8.0**0.5), (1.0, 1.0)])
def test_whitening_evens_out_the_principal_components(power, ratio):
    directions = np.linalg.qr(np.random.default_rng(0).normal(size=(16, 16)))[0]
    spread = np.array([8.0] * 8 + [1.0] * 8)
    vectors = np.random.default_rng(1).normal(size=(20_000, 16)) * spread @ directions
    found = whitened((vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16), power)
    deviations = (found.astype(np.float32) @ directions.T).std(axis=0)
    assert deviations[:8].mean() / deviations[8:].mean() == pytest.approx(ratio, rel=0.15)


def test_the_loss_is_least_at_the_teacher_s_own_vectors():
    targets = torch.nn.functional.normalize(torch.randn(16, 8, generator=torch.Generator().manual_seed(0)), dim=1)
    for weight in (0.0, 1.0):
        least = distillation_loss(targets, targets, weight, 20.0)
        assert distillation_loss(3 * targets, targets, weight, 20.0) == pytest.approx(least.item(), abs=1e-5)
        for seed in range(5):
            others = targets + 0.3 * torch.randn(16, 8, generator=torch.Generator().manual_seed(seed + 1))
            assert distillation_loss(others, targets, weight, 20.0) > least + 1e-3


def test_another_text_s_vector_costs_more_with_similarities():
    targets = torch.eye(4)
    swapped = targets[[1, 0, 2, 3]]
    assert distillation_loss(swapped, targets, 1.0, 20.0) > distillation_loss(swapped, targets, 0.0, 20.0) + 5


def test_embeddings_start_from_what_the_teacher_says_of_each_token(given, tmp_path):
    vectors = np.random.default_rng(0).normal(0, 1, (50, 12)).astype(np.float16)
    embedding = torch.nn.Embedding(50, 12, padding_idx=0)
    start_from_teacher(embedding, vectors)
    found = embedding.weight.detach()
    assert (found[0] == 0).all()
    # of full width, they have the same angles
    expected = torch.from_numpy(vectors.astype(np.float32) - vectors.astype(np.float32).mean(axis=0))[1:]
    cosines = torch.nn.functional.normalize(found[1:]) @ torch.nn.functional.normalize(found[1:]).T
    wanted = torch.nn.functional.normalize(expected) @ torch.nn.functional.normalize(expected).T
    torch.testing.assert_close(cosines, wanted, atol=1e-3, rtol=0)
    with pytest.raises(ValueError, match="--embedding_size 16"):
        start_from_teacher(torch.nn.Embedding(50, 16), vectors)
