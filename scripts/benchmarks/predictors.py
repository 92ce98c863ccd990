"""Load trained models as functions from texts to labels, for `one_core.py`, which imports this; it is not a program.

Each function imports what it needs and nothing else, so that the time to the first label and the memory are its own.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from oktane import Okt

# From texts to the ids of their labels, `(texts,)`.
Predict: TypeAlias = "Callable[[Sequence[str]], NDArray[np.int64]]"

# Tokens, padding included, that onnxruntime reads at once. It is slower with 256 and with 1,024.
ONNX_BATCH_TOKENS = 512
TEXTBOOK_BATCH = 128


class Predictor(NamedTuple):
    """A way from texts to labels.

    Attributes:
        load: Returns a function from texts to label ids for a trained folder.
        packages: What has to be installed for it.
    """

    load: Callable[[Path], Predict]
    packages: tuple[str, ...]


# okt-lstm's models; these return the names of the labels


def load_oktane(folder: Path) -> Predict:
    """Load a model of okt-lstm into oktane's engine, as `okt_lstm.load` does by itself, with one thread."""
    import oktane

    return oktane.load(folder, num_threads=1).predict


def load_torch(folder: Path) -> Predict:
    """Load a model of okt-lstm into torch."""
    import okt_lstm

    return okt_lstm.load(folder, device="cpu", engine="torch").predict


def load_onnx(name: str, tokenizer: str) -> Callable[[Path], Predict]:
    """Return what loads the graph of this file name (see `okt_lstm.inference.onnx_export`).

    Args:
        name: The file's name in the folder.
        tokenizer: What turns texts into ids: `"oktane"` or `"okt_lstm"`. The ids are the same.
    """

    def load(folder: Path) -> Predict:
        import numpy as np
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(folder / name, options, providers=["CPUExecutionProvider"])
        encode = _encoder(tokenizer, folder)

        def predict(texts: Sequence[str]) -> "NDArray[np.int64]":
            flat, row_splits = encode(texts)
            lengths = np.diff(row_splits).astype(np.int32)
            labels = np.empty(len(texts), np.int64)
            for batch in _batches(np.argsort(lengths, kind="stable"), lengths):
                steps = np.arange(lengths[batch[-1]])
                is_token = steps < lengths[batch, None]  # (batch, time)
                ids = np.zeros(is_token.shape, np.int64)
                ids[is_token] = flat[(row_splits[batch, None] + steps)[is_token]]
                (logits,) = session.run(None, {"input_ids": ids, "attention_mask": is_token.astype(np.int64)})
                labels[batch] = logits.argmax(axis=1)
            return labels

        return predict

    return load


def _encoder(tokenizer: str, folder: Path) -> Callable[[Sequence[str]], tuple[Any, Any]]:
    """Return a function from texts to the ids of all texts and their row splits."""
    if tokenizer == "oktane":
        from oktane.tokenizer import Tokenizer

        return Tokenizer(folder).encode
    from okt_lstm import OktTokenizer

    loaded = OktTokenizer.from_pretrained(folder)
    return lambda texts: loaded.encode_ragged(list(texts), loaded.model_max_length)


def _batches(order: "NDArray[np.int64]", lengths: "NDArray[np.int32]") -> "Iterator[NDArray[np.int64]]":
    """Cut rows, sorted by length, into batches of at most `ONNX_BATCH_TOKENS` with padding, or of a single row."""
    start = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or (end + 1 - start) * lengths[order[end]] > ONNX_BATCH_TOKENS:
            yield order[start:end]
            start = end


# The baselines


def fasttext_lines(okt: "Okt", texts: Sequence[str]) -> list[str]:
    """Return each text's morphemes, with a space between two."""
    return [" ".join(" ".join(morphemes).split()) for morphemes in okt.morphs_batch(list(texts))]


def load_fasttext(folder: Path) -> Predict:
    """Load fastText and Okt."""
    import fasttext
    import numpy as np

    from oktane import Okt

    model, okt = fasttext.load_model(str(folder / "model.bin")), Okt()

    def predict(texts: Sequence[str]) -> "NDArray[np.int64]":
        labels, _ = model.predict(fasttext_lines(okt, texts))
        return np.array([int(label.removeprefix("__label__")) for (label,) in labels])

    return predict


def tfidf_vectorizer(**options: Any) -> Any:
    """Return scikit-learn's TfidfVectorizer for n-grams of 1 to 4 that occur in at least two texts."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(ngram_range=(1, 4), min_df=2, sublinear_tf=True, dtype=np.float32, **options)


def load_tfidf(folder: Path) -> Predict:
    """Load TF-IDF and logistic regression."""
    from safetensors.numpy import load_file
    from sklearn.linear_model import LogisticRegression

    state = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
    arrays = load_file(folder / "model.safetensors")
    vectorizer = tfidf_vectorizer(analyzer=state["analyzer"], vocabulary=state["ngrams"])
    vectorizer.idf_ = arrays["idf"]
    regression = LogisticRegression()
    regression.coef_, regression.intercept_ = arrays["coef"], arrays["intercept"]
    regression.classes_ = arrays["classes"]
    return lambda texts: regression.predict(vectorizer.transform(texts))


def padded_ids(tokenizer: Any, texts: Sequence[str]) -> Any:
    """Return the ids of texts as a tensor, `(texts, 64)`."""
    from benchmark_training import PADDED_LENGTH

    options = {"padding": "max_length", "truncation": True, "max_length": PADDED_LENGTH, "return_tensors": "pt"}
    return tokenizer(list(texts), **options)["input_ids"]


def predict_textbook(model: Any, input_ids: Any) -> "NDArray[np.int64]":
    """Return the label ids of rows of ids."""
    import numpy as np
    import torch

    with torch.inference_mode():
        return np.concatenate([model(batch).argmax(dim=1).numpy() for batch in input_ids.split(TEXTBOOK_BATCH)])


def load_textbook(folder: Path) -> Predict:
    """Load the network of the textbook loop. It pads every row to 64 ids in prediction, too."""
    from benchmark_training import TextbookClassifier
    from safetensors.torch import load_file
    from transformers import AutoTokenizer

    import okt_lstm  # noqa: F401

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = TextbookClassifier(len(tokenizer)).eval()
    model.load_state_dict(load_file(folder / "model.safetensors"))
    return lambda texts: predict_textbook(model, padded_ids(tokenizer, texts))


def load_bert(folder: Path) -> Predict:
    """Load BERT. It gets the same batches of texts of similar length as okt-lstm's own networks."""
    from transformers import AutoTokenizer, BertForSequenceClassification

    from okt_lstm.inference.classifier import Classifier

    model = BertForSequenceClassification.from_pretrained(folder)
    classifier = Classifier(model, AutoTokenizer.from_pretrained(folder))
    return lambda texts: classifier.predict_proba(texts).argmax(axis=1)


PREDICTORS = {
    "oktane": Predictor(load_oktane, ("oktane",)),
    "torch": Predictor(load_torch, ("okt-lstm",)),
    "onnx": Predictor(load_onnx("model.onnx", "oktane"), ("onnxruntime", "oktane")),
    "onnx-int8": Predictor(load_onnx("model_quantized.onnx", "oktane"), ("onnxruntime", "oktane")),
    "onnx-tokenizer": Predictor(load_onnx("model.onnx", "okt_lstm"), ("onnxruntime", "okt-lstm")),
    "fasttext": Predictor(load_fasttext, ("fasttext-community", "oktane")),
    "tfidf": Predictor(load_tfidf, ("scikit-learn", "safetensors")),
    "textbook": Predictor(load_textbook, ("okt-lstm",)),
    "bert": Predictor(load_bert, ("okt-lstm",)),
}
