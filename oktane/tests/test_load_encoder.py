"""`oktane.load_encoder` gives the vectors of okt-lstm's models, on any number of threads and after pickling."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

okt_lstm = pytest.importorskip("okt_lstm")

import torch  # noqa: E402
from trained_folders import TEXTS, save, trained_tokenizer  # noqa: E402

import oktane  # noqa: E402

MODELS = {
    "LSTM": (okt_lstm.LSTMConfig, okt_lstm.LSTMModel),
    "GRU": (okt_lstm.GRUConfig, okt_lstm.GRUModel),
    "RNN": (okt_lstm.RNNConfig, okt_lstm.RNNModel),
}
HOSTILE = ["", "\0", "\ud800", "가" * 10_000, "\U0010ffff\u200d"]


def save_encoder(folder, family="LSTM", seed=0, **options):
    """A random encoder, and its model."""
    tokenizer = trained_tokenizer(subword="bpe", model_max_length=50)
    config_class, model_class = MODELS[family]
    torch.manual_seed(seed)
    sizes = {"vocab_size": len(tokenizer), "embedding_size": 8, "hidden_size": 8, "initializer_range": 0.5}
    model = model_class(config_class(**(sizes | options))).eval()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model, tokenizer


def vectors_of_torch(model, tokenizer, texts):
    batch = tokenizer([text.replace("\ud800", "\ufffd") for text in texts], padding=True, truncation=True)
    with torch.inference_mode():
        return model(**batch.convert_to_tensors("pt")).pooler_output.numpy()


@pytest.mark.parametrize("options", [{"projection_size": 24}, {}, {"projection_size": 3, "pooling": "max_mean_last"}])
@pytest.mark.parametrize("family", MODELS)
def test_vectors_are_those_of_torch(tmp_path, family, options):
    model, tokenizer = save_encoder(tmp_path, family, **options)
    encoder = oktane.load_encoder(tmp_path)
    texts = TEXTS + HOSTILE
    expected = vectors_of_torch(model, tokenizer, texts)
    assert encoder.dimension == expected.shape[1] == model.config.pooled_size
    np.testing.assert_allclose(encoder.encode(texts, normalize=False), expected, atol=1e-4)
    lengths = np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.encode(texts), expected / np.where(lengths > 0, lengths, 1), atol=1e-4)


def test_one_text_several_and_none(tmp_path):
    save_encoder(tmp_path, projection_size=24)
    encoder = oktane.load_encoder(tmp_path)
    assert encoder.encode("최고").shape == (24,)
    assert encoder.encode(["최고"]).shape == (1, 24)
    assert encoder.encode(text for text in ["최고", "별로"]).shape == (2, 24)
    assert encoder.encode([]).shape == (0, 24)
    assert encoder.encode("최고").dtype == np.float32


def test_a_vector_depends_on_nothing_but_its_text(tmp_path):
    save_encoder(tmp_path, projection_size=24)
    texts = [f"{text} {number}" for number in range(300) for text in TEXTS]
    encoder = oktane.load_encoder(tmp_path, num_threads=1)
    expected = encoder.encode(texts)
    np.testing.assert_array_equal(oktane.load_encoder(tmp_path, num_threads=5).encode(texts), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(encoder)).encode(texts), expected)
    np.testing.assert_array_equal([encoder.encode(text) for text in texts[:20]], expected[:20])
    with ThreadPoolExecutor(8) as threads:
        for found in threads.map(encoder.encode, [texts] * 8):
            np.testing.assert_array_equal(found, expected)


def test_any_number_of_texts_in_constant_memory(tmp_path):
    save_encoder(tmp_path, projection_size=24)
    encoder = oktane.load_encoder(tmp_path)
    asked = 0

    def texts():
        nonlocal asked
        while True:
            asked += 1
            yield f"최고 {asked}"

    chunk, vectors = next(encoder.vector_chunks(texts()))
    assert vectors.shape == (len(chunk), 24)
    assert asked < 100_000


def test_what_is_no_text_is_named(tmp_path):
    save_encoder(tmp_path, projection_size=24)
    encoder = oktane.load_encoder(tmp_path)
    with pytest.raises(TypeError, match=r"texts\[1\] is not a str but int: 3"):
        encoder.encode(["최고", 3])
    with pytest.raises(TypeError, match="NoneType"):
        encoder.encode(None)


def test_a_classifier_and_an_encoder_are_told_apart(tmp_path):
    save_encoder(tmp_path / "encoder", projection_size=24)
    save(tmp_path / "classifier")
    with pytest.raises(oktane.LoadError, match=r"config\.json: this is a LSTMModel, .*oktane\.load_encoder"):
        oktane.load(tmp_path / "encoder")
    with pytest.raises(oktane.LoadError, match=r"LSTMForSequenceClassification, not an encoder; .*oktane\.load$"):
        oktane.load_encoder(tmp_path / "classifier")
    save(tmp_path / "ngram", "Ngram")
    with pytest.raises(oktane.LoadError, match=r"model_type is 'okt_ngram'"):
        oktane.load_encoder(tmp_path / "ngram")


def test_a_classifier_that_started_from_an_encoder_keeps_its_projection(tmp_path):
    save(tmp_path, projection_size=24, pooling="max_mean")
    found, expected = oktane.load(tmp_path), okt_lstm.load(tmp_path, device="cpu", engine="torch")
    np.testing.assert_allclose(found.logits(TEXTS), expected.logits(TEXTS), atol=1e-5)


@pytest.mark.parametrize(("name", "value"), [("max_length", 0), ("num_threads", 0)])
def test_options_are_checked(tmp_path, name, value):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, not 0"):
        oktane.load_encoder(tmp_path, **{name: value})
