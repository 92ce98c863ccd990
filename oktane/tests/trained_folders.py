"""Trained folders for the tests: random models of okt-lstm, saved as it saves them, beside a tokenizer."""

from pathlib import Path

import numpy as np
import torch

import okt_lstm
from oktane import folders

RELEASED = folders.RELEASED_MODEL
TEXTS = ["연기도 연출도 최고였다", "시간이 아깝다 정말...", "ㅋㅋㅋㅋ 굿굿", "the end!! 10점", "감동의 도가니 ㅠㅠ", ""]

FAMILIES = {
    "LSTM": (okt_lstm.LSTMConfig, okt_lstm.LSTMForSequenceClassification),
    "GRU": (okt_lstm.GRUConfig, okt_lstm.GRUForSequenceClassification),
    "RNN": (okt_lstm.RNNConfig, okt_lstm.RNNForSequenceClassification),
    "Ngram": (okt_lstm.NgramConfig, okt_lstm.NgramForSequenceClassification),
}


def random_model(family="LSTM", seed=0, labels=("negative", "positive"), **options):
    """A model whose logits differ visibly from text to text."""
    config_class, model_class = FAMILIES[family]
    torch.manual_seed(seed)
    model = model_class(config_class(id2label=dict(enumerate(labels)), **options)).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "bias" in name:
                parameter.uniform_(-0.5, 0.5)
            elif family == "Ngram":
                parameter.uniform_(-1, 1)
            elif "embed" in name:
                parameter.normal_(0, 0.5)
            elif name == "classifier.weight":
                parameter.normal_(0, 0.3)
    return model


def trained_tokenizer(**options):
    return okt_lstm.OktTokenizer(**options).train_new_from_iterator(TEXTS, vocab_size=400, show_progress=False)


def save(folder: Path, family="LSTM", tokenizer=None, **options) -> Path:
    """A whole trained folder."""
    tokenizer = tokenizer or trained_tokenizer()
    sizes = {"num_buckets": 1000} if family == "Ngram" else {"embedding_size": 8, "hidden_size": 8}
    random_model(family, **({"vocab_size": len(tokenizer)} | sizes | options)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def random_rows(vocab_size: int, lengths, seed=0):
    """Token ids and row splits of texts of some lengths."""
    ids = np.random.default_rng(seed).integers(0, vocab_size, sum(lengths)).astype(np.int32)
    return ids, np.cumsum([0, *lengths], dtype=np.int64)


def torch_logits(model, ids, row_splits):
    """What the model's own code gives for the same rows."""
    lengths = np.diff(row_splits)
    mask = np.arange(max(1, lengths.max())) < lengths[:, None]
    padded = np.zeros(mask.shape, np.int64)
    padded[mask] = ids
    with torch.inference_mode():
        return model(input_ids=torch.from_numpy(padded), attention_mask=torch.from_numpy(mask)).logits.numpy()
