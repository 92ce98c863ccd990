import numpy as np
import pytest
from sentence_teachers import save_sentence_transformer, save_transformer
from sentence_transformers import SentenceTransformer

from okt_lstm.training import teacher_vectors as module
from okt_lstm.training.teacher_vectors import Teacher, teacher_vectors

TEXTS = ["영화 정말 재미 있다", "배우 연기 정말 별로", "굿", "음악 영상 모두 최고", "시간 아깝다"]


@pytest.fixture(scope="module")
def transformer(tmp_path_factory):
    return str(save_transformer(tmp_path_factory.mktemp("transformer")))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return str(save_sentence_transformer(tmp_path_factory.mktemp("sentences"), query="영화 "))


def test_vectors_are_those_of_the_model_with_its_own_prompt(whole, tmp_path):
    found = teacher_vectors(Teacher(whole), TEXTS, tmp_path)
    expected = SentenceTransformer(whole, device="cpu").encode(TEXTS, normalize_embeddings=True)
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, expected, atol=2e-3)
    np.testing.assert_allclose(np.linalg.norm(found.astype(np.float32), axis=1), 1, atol=2e-3)


def test_a_prompt_replaces_the_model_s_own(whole, transformer, tmp_path):
    own, none, other = (teacher_vectors(Teacher(whole, prompt), TEXTS, tmp_path) for prompt in (None, "", "배우 "))
    plain = teacher_vectors(Teacher(transformer), TEXTS, tmp_path)
    np.testing.assert_allclose(none, plain, atol=2e-3)
    assert np.abs(own.astype(np.float32) - none).max() > 0.01
    assert np.abs(other.astype(np.float32) - own).max() > 0.01


def test_an_encoder_of_transformers_is_pooled_as_asked_for(transformer, tmp_path):
    mean, cls = (teacher_vectors(Teacher(transformer, pooling=pooling), TEXTS, tmp_path) for pooling in ("mean", "cls"))
    np.testing.assert_array_equal(mean, teacher_vectors(Teacher(transformer), TEXTS, tmp_path))
    assert np.abs(mean.astype(np.float32) - cls).max() > 0.01


def test_an_interrupted_run_goes_on_with_the_next_shard(transformer, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SHARD_SIZE", 2)
    whole = teacher_vectors(Teacher(transformer), TEXTS, tmp_path / "whole")
    encode, asked = SentenceTransformer.encode, []

    def fail_at_the_third(self, texts, **options):
        asked.append(list(texts))
        if len(asked) == 3:
            raise KeyboardInterrupt
        return encode(self, texts, **options)

    monkeypatch.setattr(SentenceTransformer, "encode", fail_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        teacher_vectors(Teacher(transformer), TEXTS, tmp_path / "halves")
    found = teacher_vectors(Teacher(transformer), TEXTS, tmp_path / "halves")
    np.testing.assert_array_equal(found, whole)
    assert asked == [TEXTS[:2], TEXTS[2:4], TEXTS[4:], TEXTS[4:]]


def test_other_texts_and_other_options_have_other_vectors(transformer, tmp_path):
    teacher = Teacher(transformer)
    names = {
        teacher.fingerprint(TEXTS),
        teacher.fingerprint(TEXTS[1:]),
        teacher.fingerprint(["\n".join(TEXTS)]),
        Teacher(transformer, "query: ").fingerprint(TEXTS),
        Teacher(transformer, pooling="cls").fingerprint(TEXTS),
        Teacher(transformer, bf16=True).fingerprint(TEXTS),
    }
    assert len(names) == 6


def test_a_teacher_that_was_trained_on_has_other_vectors(tmp_path):
    folder = save_transformer(tmp_path / "teacher")
    teacher = Teacher(str(folder))
    before, first = teacher.fingerprint(TEXTS), teacher_vectors(teacher, TEXTS, tmp_path / "cache")
    save_transformer(folder, seed=2)
    assert teacher.fingerprint(TEXTS) != before
    assert np.abs(teacher_vectors(teacher, TEXTS, tmp_path / "cache").astype(np.float32) - first).max() > 0.01


def test_a_missing_library_is_named_with_its_pip_install(transformer, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sentence_transformers", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'okt-lstm\[encoder\]'"):
        teacher_vectors(Teacher(transformer), TEXTS, tmp_path)
