"""A model and its tokenizer, which together classify texts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from reprlib import repr as short_repr
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import EvalPrediction, PreTrainedModel, PreTrainedTokenizerBase
from transformers.tokenization_utils_base import LARGE_INTEGER

from oktane import chunks
from oktane.problem_type import Prediction, ProblemType

from ..models.classification_loss import classification_loss
from .threads import map_ahead

# Texts that are tokenized and sorted by length together: many, so that the rows of a batch have nearly one length.
CHUNK_SIZE = 4096
# Tokens, padding included, that the network reads at once: enough to keep its kernels busy, few enough to stay in the
# processor's caches. A longer text makes a batch of its own.
BATCH_TOKENS = 4096


class Classifier:
    """A model and its tokenizer, which together classify texts.

    Args:
        model: A sequence classifier.
        tokenizer: The tokenizer that it was trained with.
        max_length: The number of tokens of a text that are read; what follows them is ignored. By default, the
            tokenizer's `model_max_length`; no limit if it sets none.

    Attributes:
        model: The model, in evaluation mode.
        tokenizer: The tokenizer.
        labels: The names of the labels, by id.
        problem_type: The problem type; it equals the string in the model's configuration.
        max_length: The number of tokens of a text that are read, or None.

    Example:
        >>> classifier = okt_lstm.load()
        >>> classifier.predict("연기도 연출도 최고였다")
        'positive'
        >>> classifier.predict(["연기도 연출도 최고였다", "시간이 아깝다"])
        ['positive', 'negative']
    """

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, max_length: int | None = None
    ) -> None:
        if max_length is not None and max_length < 1:
            raise ValueError(f"max_length must be at least 1, got {max_length}")
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.labels: list[str] = [label for _, label in sorted((model.config.id2label or {}).items())]
        self.problem_type = ProblemType(model.config.problem_type or ProblemType.default(model.config.num_labels))
        limit = max_length or tokenizer.model_max_length
        self.max_length = limit if limit < LARGE_INTEGER else None

    def __repr__(self) -> str:
        return f"Classifier({self.model.config.model_type}, {short_repr(self.labels)}, on {self.model.device})"

    @overload
    def predict(  # type: ignore[overload-overlap]  # a str is an iterable of str, too
        self, texts: str, *, threshold: float = 0.5
    ) -> Prediction: ...

    @overload
    def predict(self, texts: Iterable[str], *, threshold: float = 0.5) -> list[Prediction]: ...

    def predict(self, texts: str | Iterable[str], *, threshold: float = 0.5) -> Prediction | list[Prediction]:
        """Predict the labels of texts.

        Args:
            texts: A text, or any iterable of texts: a list, a generator, a column of a data set or a data frame.
            threshold: The probability from which a label holds, in a multi-label model.

        Returns:
            The label of a text, or a list with those of several texts, in their order. From a multi-label model, a
            label is the list of names that hold (it may be empty); from a regression model, a number, or a list of
            numbers if the model has several.

        Raises:
            TypeError: An item is not a text; the message names its position (from 0) and type.
        """
        if isinstance(texts, str):
            return self.predict([texts], threshold=threshold)[0]
        predictions: list[Prediction] = []
        for _, scores in self.score_chunks(texts):
            predictions += self.problem_type.predictions(scores, self.labels, threshold)
        return predictions

    def predict_proba(self, texts: str | Iterable[str]) -> NDArray[np.float32]:
        """Predict the probability of each label.

        Args:
            texts: A text, or any iterable of texts.

        Returns:
            Probabilities in the order of `labels`: `(labels,)` for a text, `(texts, labels)` for several. The row of a
            single-label model sums to 1; in a multi-label model each label has a probability of its own.

        Raises:
            TypeError: An item is not a text; the message names its position (from 0) and type.
            ValueError: The model is a regression model, which has no probabilities.
        """
        if self.problem_type is ProblemType.REGRESSION:
            raise ValueError("a regression model predicts numbers and has no probabilities: use predict()")
        if isinstance(texts, str):
            return self.predict_proba([texts])[0]
        return self._concatenate(scores for _, scores in self.score_chunks(texts))

    def evaluate(self, texts: Sequence[str], labels: Sequence[Any]) -> dict[str, float]:
        """Measure how well the predictions fit the true labels.

        Args:
            texts: The texts.
            labels: The label id of each text; for a multi-label model, a list of 0 and 1 with one item per label; for a
                regression model, a number.

        Returns:
            The mean loss as `loss`, and the scores of `okt_lstm.reports.metrics` for this problem type.

        Raises:
            ValueError: There are no texts, or not as many labels.
        """
        # scikit-learn, evaluate and datasets take seconds to import.
        from ..reports.metrics import compute_metrics_for

        if len(texts) != len(labels):
            raise ValueError(f"{len(texts)} texts, but {len(labels)} labels")
        logits = self._concatenate(logits for _, logits in self._logit_chunks(texts))
        references = np.asarray(labels)
        scores = compute_metrics_for(self.problem_type)(EvalPrediction(logits, references))
        loss = classification_loss(torch.from_numpy(logits), torch.from_numpy(references), self.model.config)
        return {"loss": loss.item(), **scores}

    def score_chunks(self, texts: Iterable[str]) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
        """Predict any number of texts in constant memory, on all cores.

        Args:
            texts: An iterable of texts. It is read only as far ahead as the threads need.

        Yields:
            Some thousand texts with their scores, `(texts, labels)`: probabilities, or the numbers of a regression
            model.

        Raises:
            TypeError: An item is not a text; the message names its position (from 0) and type.
        """
        for chunk, logits in self._logit_chunks(texts):
            yield chunk, self.problem_type.scores(logits)

    def scores(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the probabilities, or the numbers of a regression model, of some thousand texts: `(texts, labels)`."""
        return self.problem_type.scores(self.logits(texts))

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Run the network, in the calling thread, in batches of similar length.

        Args:
            texts: Some thousand texts at most: they are tokenized in one call. `score_chunks` takes more.

        Returns:
            The logits, `(texts, labels)`, in the order of the texts. They do not depend on how texts are batched.
        """
        result = np.empty((len(texts), len(self.labels)), np.float32)
        if not texts:
            return result
        flat, lengths = self._tokenize(texts)
        starts = np.cumsum(lengths) - lengths
        pad_id = self.tokenizer.pad_token_id or 0
        for batch in _batches(np.argsort(lengths, kind="stable"), lengths):
            columns = np.arange(max(1, lengths[batch[-1]]))
            mask = columns < lengths[batch, None]  # (batch, time)
            ids = np.full(mask.shape, pad_id)
            ids[mask] = flat[(starts[batch, None] + columns)[mask]]
            with torch.inference_mode():
                logits = self.model(
                    input_ids=torch.from_numpy(ids).to(self.model.device),
                    attention_mask=torch.from_numpy(mask).to(self.model.device),
                ).logits
            result[batch] = logits.float().cpu().numpy()
        return result

    def _logit_chunks(self, texts: Iterable[str]) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
        # A fast tokenizer's state changes at the first call with new options, which threads must not do at once.
        self._tokenize([""])
        threads = torch.get_num_threads() if self.model.device.type == "cpu" else 1
        return map_ahead(self.logits, chunks(_checked(texts), CHUNK_SIZE), threads)

    def _concatenate(self, chunks: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
        return np.concatenate([np.empty((0, len(self.labels)), np.float32), *chunks])

    def _tokenize(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the ids of all texts, flat, and the number of ids of each text, `(texts,)`."""
        if hasattr(self.tokenizer, "encode_ragged"):
            flat, row_splits = self.tokenizer.encode_ragged(texts, self.max_length)
            return flat, np.diff(row_splits)
        rows = self.tokenizer(
            list(texts),
            truncation=self.max_length is not None,
            max_length=self.max_length,
            return_attention_mask=False,
        )["input_ids"]
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        return np.fromiter(chain.from_iterable(rows), np.int64, lengths.sum()), lengths


def _checked(texts: Iterable[str]) -> Iterator[str]:
    if isinstance(texts, bytes | Mapping) or not isinstance(texts, Iterable):
        raise TypeError(f"texts must be a str or an iterable of str, not {type(texts).__name__}")
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            hint = "; of a data set give one column" if isinstance(text, Mapping) else ""
            raise TypeError(f"texts[{position}] is not a str but {type(text).__name__}: {text!r:.60}{hint}")
        yield text


def _batches(order: NDArray[np.int64], lengths: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Cut rows, sorted by length, into batches of at most `BATCH_TOKENS` with padding, or of a single row."""
    start = 0
    sorted_lengths = lengths[order]
    while start < len(order):
        # The padded size of the batch start:end is (end - start) * length of its last row, which grows with end.
        candidates = np.arange(1, min(BATCH_TOKENS, len(order) - start) + 1)
        padded = candidates * sorted_lengths[start : start + len(candidates)]
        size = max(1, int(np.searchsorted(padded, BATCH_TOKENS, side="right")))
        yield order[start : start + size]
        start += size
