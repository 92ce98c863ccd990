"""Labels of texts: a trained folder becomes a `Classifier` that needs neither torch nor transformers."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from .loading import LoadError
from .network import load_model
from .parallel import available_cores, chunks, map_in_threads
from .tokenizer import Tokenizer

Prediction: TypeAlias = str | list[str] | float | list[float]

# Texts that one thread labels at a time: enough to find many of one length, few enough to share the work out.
CHUNK_SIZE = 512


class Classifier:
    """A trained classifier of texts. `load` makes one.

    It can be used from any number of threads, survives a fork, and is pickled as its folder and options. What it
    predicts for a text depends neither on the texts beside it nor on the number of threads.

    Args:
        folder: What `okt-lstm train` or `save_pretrained` left.
        max_length: Number of tokens of a text that are read; what follows them is ignored. By default the tokenizer's
            `model_max_length`.
        num_threads: Number of threads. By default one per core that this process may use.

    Attributes:
        labels: The labels' names, by id.
        problem_type: `"single_label_classification"`, `"multi_label_classification"` or `"regression"`.
        folder: The folder.
        max_length: Number of tokens of a text that are read; `None` for no limit.
        num_threads: Number of threads; `None` for one per core.

    Raises:
        oktane.LoadError: If the folder holds no complete classifier that oktane runs; the message names file and field.
        ValueError: If an option is out of range, or OKTANE_CPU names kernels that this processor can't run.
    """

    def __init__(
        self, folder: str | os.PathLike[str], max_length: int | None = None, num_threads: int | None = None
    ) -> None:
        for name, value in (("max_length", max_length), ("num_threads", num_threads)):
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        self.folder = Path(folder).expanduser().absolute()
        if not self.folder.is_dir():
            raise LoadError(f"{folder}: no such folder; give one that `okt-lstm train` or save_pretrained() left")
        self.num_threads = num_threads
        self._model = load_model(self.folder)
        self.labels, self.problem_type = self._model.labels, self._model.problem_type
        self._tokenizer = Tokenizer(self.folder, max_length)
        self.max_length = self._tokenizer.max_length
        if self._tokenizer.size > self._model.vocab_size:
            raise LoadError(
                f"{self.folder}: tokenizer.json has ids up to {self._tokenizer.size - 1}, but config.json has a "
                f"vocab_size of {self._model.vocab_size}: they belong to different models"
            )

    def __reduce__(self) -> tuple[type["Classifier"], tuple[Path, int | None, int | None]]:
        return Classifier, (self.folder, self.max_length, self.num_threads)

    def __repr__(self) -> str:
        return f"Classifier({str(self.folder)!r}, {self._model.model_type}, {len(self.labels)} labels)"

    @overload
    def predict(self, texts: str, *, threshold: float = ...) -> Prediction: ...  # type: ignore[overload-overlap]
    @overload
    def predict(self, texts: Iterable[str], *, threshold: float = ...) -> list[Prediction]: ...
    def predict(self, texts: str | Iterable[str], *, threshold: float = 0.5) -> Prediction | list[Prediction]:
        """Predict the labels of texts.

        Args:
            texts: A text, or any iterable of texts. A generator's texts are never all in memory.
            threshold: The probability from which on a label holds, in a model of several labels a text.

        Returns:
            For a text its label; for several a list, in their order. A label is a name; where several may hold, the
            list of those that do (perhaps none); in a regression model a number, or a list of them if it has several.

        Raises:
            TypeError: If something is not a text; the message names its position (from 0) and type.
        """
        if isinstance(texts, str):
            return self._decide(self._scores(self.logits([texts])), threshold)[0]
        return self._decide(self._scores(self.logits(texts)), threshold)

    def predict_proba(self, texts: str | Iterable[str]) -> NDArray[np.float32]:
        """Predict the probability of each label.

        Args:
            texts: A text, or any iterable of texts.

        Returns:
            Probabilities, in the order of `labels`: `(labels,)` for a text, `(texts, labels)` for several. They sum to
            1 over the labels, unless several labels may hold: then each stands for itself.

        Raises:
            TypeError: If something is not a text; the message names its position (from 0) and type.
            ValueError: If the model is one for regression, which has no probabilities.
        """
        if self.problem_type == "regression":
            raise ValueError("a regression model predicts numbers and has no probabilities: use predict()")
        if isinstance(texts, str):
            return self._scores(self.logits([texts]))[0]
        return self._scores(self.logits(texts))

    def logits(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """Return what the network puts out for texts, `(texts, labels)`; for the errors see `predict`."""
        threads = self.num_threads or available_cores()
        found = map_in_threads(self._logits_of_chunk, _checked_chunks(texts), threads)
        return np.concatenate([np.empty((0, len(self.labels)), np.float32), *found])

    def _logits_of_chunk(self, texts: list[str]) -> NDArray[np.float32]:
        return self._model.network.run(*self._tokenizer.encode(texts))

    def _scores(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return logits as probabilities, or as they are in a regression model: `(texts, labels)`."""
        if self.problem_type == "single_label_classification":
            powers = np.exp(logits - logits.max(axis=1, keepdims=True))
            return powers / powers.sum(axis=1, keepdims=True)
        if self.problem_type == "multi_label_classification":
            # Where the exponential overflows, the reciprocal of infinity is the 0 that it should be.
            with np.errstate(over="ignore"):
                probabilities: NDArray[np.float32] = np.reciprocal(1 + np.exp(-logits))
            return probabilities
        return logits

    def _decide(self, scores: NDArray[np.float32], threshold: float) -> list[Prediction]:
        if self.problem_type == "single_label_classification":
            return [self.labels[index] for index in scores.argmax(axis=1).tolist()]
        if self.problem_type == "multi_label_classification":
            return [[self.labels[index] for index in np.flatnonzero(row >= threshold)] for row in scores]
        return scores[:, 0].tolist() if scores.shape[1] == 1 else scores.tolist()


def load(
    folder: str | os.PathLike[str], *, max_length: int | None = None, num_threads: int | None = None
) -> Classifier:
    """Load a trained classifier: LSTM, GRU, RNN or n-grams, over the tokens of OktTokenizer.

    It reads config.json, model.safetensors, tokenizer_config.json, tokenizer.json and user_dictionary.txt. Nothing in
    the folder is executed. The products of the first layer with the embedding of a token are kept from its first use
    on, if the table of all tokens takes 256 MB at most (66 MB for an LSTM of 32,000 tokens and 64 units in each of two
    directions).

    Args:
        folder: What `okt-lstm train` or `save_pretrained` left.
        max_length: See `Classifier`.
        num_threads: See `Classifier`.

    Returns:
        The classifier.

    Raises:
        oktane.LoadError: If the folder holds no complete classifier that oktane runs; the message names file and field.
        ValueError: If an option is out of range, or OKTANE_CPU names kernels that this processor can't run.
    """
    return Classifier(folder, max_length, num_threads)


def _checked_chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield texts in chunks, and see that they are texts."""
    if isinstance(texts, str | bytes | Mapping) or not isinstance(texts, Iterable):
        raise TypeError(f"texts must be a str or an iterable of str, not {type(texts).__name__}")
    start = 0
    for chunk in chunks(texts, CHUNK_SIZE):
        for position, text in enumerate(chunk, start):
            if not isinstance(text, str):
                raise TypeError(f"texts[{position}] is not a str but {type(text).__name__}: {text!r:.60}")
        yield chunk
        start += len(chunk)
