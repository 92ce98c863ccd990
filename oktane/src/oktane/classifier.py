"""Load a trained folder as a `Classifier`, which needs neither torch nor transformers."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .base_classifier import BaseClassifier, checked_chunks
from .loading import LoadError
from .network import load_model
from .parallel import available_cores, map_in_threads
from .tokenizer import Tokenizer

# Texts that one thread labels at a time: enough to find many of one length, few enough to share the work out.
CHUNK_SIZE = 512


class Classifier(BaseClassifier):
    """A trained classifier of texts. `load` makes one.

    It can be used from any number of threads, survives a fork, and is pickled as its folder and options. What it
    predicts for a text depends neither on the texts beside it nor on the number of threads.

    Args:
        folder: A folder that `okt-lstm train` or `save_pretrained` wrote.
        max_length: Maximum number of tokens in a text. Longer texts are truncated. By default the tokenizer's
            `model_max_length`.
        num_threads: Number of threads. By default one per core that this process may use.

    Attributes:
        labels: The names of the labels, in the order of their ids.
        problem_type: The problem type. It equals the string in config.json.
        folder: The folder.
        max_length: Maximum number of tokens in a text; `None` for no limit.
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

    def logit_chunks(self, texts: Iterable[str]) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
        """Compute the logits of any number of texts in constant memory; see `BaseClassifier.logit_chunks`."""
        threads = self.num_threads or available_cores()
        return map_in_threads(self._with_logits, checked_chunks(texts, CHUNK_SIZE), threads)

    def _with_logits(self, texts: list[str]) -> tuple[list[str], NDArray[np.float32]]:
        return texts, self._model.network.run(*self._tokenizer.encode(texts))


def load(
    folder: str | os.PathLike[str], *, max_length: int | None = None, num_threads: int | None = None
) -> Classifier:
    """Load a trained classifier: an LSTM, GRU, RNN or n-gram model with an OktTokenizer.

    It reads config.json, model.safetensors, tokenizer_config.json, tokenizer.json and user_dictionary.txt. Nothing in
    the folder is executed. The input products of the first layer are cached by token, if the cache of all tokens takes
    256 MB at most. It takes 66 MB for a bidirectional LSTM with 32,000 tokens and 64 units in each direction.

    Args:
        folder: A folder that `okt-lstm train` or `save_pretrained` wrote.
        max_length: See `Classifier`.
        num_threads: See `Classifier`.

    Returns:
        The classifier.

    Raises:
        oktane.LoadError: If the folder holds no complete classifier that oktane runs; the message names file and field.
        ValueError: If an option is out of range, or OKTANE_CPU names kernels that this processor can't run.
    """
    return Classifier(folder, max_length, num_threads)
