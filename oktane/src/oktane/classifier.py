"""Load a trained model as a `Classifier`, which needs neither torch nor transformers."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from .folders import LoadError, hub_folder, local_folder, released_model
from .network import Model, load_model
from .parallel import available_cores, chunks, map_in_threads
from .tokenizer import Tokenizer

Prediction: TypeAlias = str | list[str] | float | list[float]

# The files that are read, and downloaded from the Hub. The index exists where the weights are in several files, which
# is an error here.
FILES = (
    "config.json",
    "model.safetensors",
    "model.safetensors.index.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "user_dictionary.txt",
)
# Texts that one thread labels at a time: enough to find many of one length, few enough to share the work out.
CHUNK_SIZE = 512


class Classifier:
    """A trained classifier of texts. `load` makes one.

    It can be used from any number of threads, survives a fork, and is pickled as the arguments of `load`. What it
    predicts for a text depends neither on the texts beside it nor on the number of threads.

    Args:
        folder: The folder that it was loaded from.
        model: The network and the names of its labels.
        tokenizer: The tokenizer.
        num_threads: Number of threads. `None` for one per core that this process may use.
        reload: Loads the same classifier again, in another process.

    Attributes:
        labels: The names of the labels, in the order of their ids.
        problem_type: `"single_label_classification"`, `"multi_label_classification"` or `"regression"`.
        folder: The folder that it was loaded from.
        max_length: Maximum number of tokens in a text; `None` for no limit.
        num_threads: Number of threads; `None` for one per core.
    """

    def __init__(
        self,
        folder: Path,
        model: Model,
        tokenizer: Tokenizer,
        num_threads: int | None,
        reload: Callable[[], "Classifier"],
    ) -> None:
        self.folder = folder
        self.labels, self.problem_type = model.labels, model.problem_type
        self.max_length = tokenizer.max_length
        self.num_threads = num_threads
        self._model, self._tokenizer, self._reload = model, tokenizer, reload

    def __reduce__(self) -> tuple[Callable[[], "Classifier"], tuple[()]]:
        return self._reload, ()

    def __repr__(self) -> str:
        return f"Classifier({str(self.folder)!r}, {self._model.model_type}, {len(self.labels)} labels)"

    @overload
    def predict(self, texts: str, *, threshold: float = ...) -> Prediction: ...  # type: ignore[overload-overlap]
    @overload
    def predict(self, texts: Iterable[str], *, threshold: float = ...) -> list[Prediction]: ...
    def predict(self, texts: str | Iterable[str], *, threshold: float = 0.5) -> Prediction | list[Prediction]:
        """Predict the labels of texts.

        Args:
            texts: A text, or any iterable of texts. The texts of a generator are never all in memory.
            threshold: The least probability of a predicted label in multi-label classification.

        Returns:
            The prediction for a text, or a list of predictions in the order of the texts. A prediction is the name of
            a label. In multi-label classification it is a list of names, which may be empty. In regression it is a
            number, or a list of numbers if the model has several outputs.

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
            1 over the labels, except in multi-label classification.

        Raises:
            TypeError: If something is not a text; the message names its position (from 0) and type.
            ValueError: If it is a regression model, which has no probabilities.
        """
        if self.problem_type == "regression":
            raise ValueError("a regression model has no probabilities: use predict()")
        if isinstance(texts, str):
            return self._scores(self.logits([texts]))[0]
        return self._scores(self.logits(texts))

    def logits(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """Return the logits of texts, `(texts, labels)`; for the errors see `predict`."""
        threads = self.num_threads or available_cores()
        found = map_in_threads(self._logits_of_chunk, _checked_chunks(texts), threads)
        return np.concatenate([np.empty((0, len(self.labels)), np.float32), *found])

    def _logits_of_chunk(self, texts: list[str]) -> NDArray[np.float32]:
        return self._model.network.run(*self._tokenizer.encode(texts))

    def _scores(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probabilities for logits, or the logits of a regression model: `(texts, labels)`."""
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
    folder_or_hub_id: str | os.PathLike[str] | None = None,
    *,
    revision: str | None = None,
    token: str | bool | None = None,
    max_length: int | None = None,
    num_threads: int | None = None,
) -> Classifier:
    """Load a trained classifier: an LSTM, GRU, RNN or n-gram model with an OktTokenizer.

    It reads config.json, model.safetensors, tokenizer_config.json, tokenizer.json and user_dictionary.txt. Nothing in
    the folder is executed. The input products of the first layer are cached by token, if the cache of all tokens takes
    256 MB at most. It takes 66 MB for a bidirectional LSTM with 32,000 tokens and 64 units in each direction.

    Args:
        folder_or_hub_id: A folder that `okt-lstm train` or `save_pretrained` wrote, or the id of a repository on the
            Hugging Face Hub, which needs `pip install 'oktane[hub]'`. By default the classifier inside the package,
            which tells positive from negative movie reviews.
        revision: A branch, tag or commit of the repository.
        token: A token for the Hub, for private repositories. By default that of `hf auth login` or of HF_TOKEN.
        max_length: Maximum number of tokens in a text. Longer texts are truncated. By default the tokenizer's
            `model_max_length`.
        num_threads: Number of threads. By default one per core that this process may use.

    Returns:
        The classifier.

    Raises:
        oktane.LoadError: If there is no such folder or repository, or it holds no complete classifier that oktane runs;
            the message names the file and the field.
        ValueError: If an option is out of range, or OKTANE_CPU names kernels that this processor can't run.
    """
    for name, value in (("max_length", max_length), ("num_threads", num_threads)):
        if value is not None and value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")
    again = partial(load, max_length=max_length, num_threads=num_threads)
    if folder_or_hub_id is None:
        folder = released_model()
    elif (local := local_folder(folder_or_hub_id)) is not None:
        folder = local.absolute()
        again = partial(again, folder)
    else:
        hub_id = os.fspath(folder_or_hub_id)
        folder = hub_folder(hub_id, FILES, revision, token)
        # The folder is named by its commit: what is loaded again is the same, wherever the branch is by then.
        again = partial(again, hub_id, revision=folder.name)
    model = load_model(folder)
    tokenizer = Tokenizer(folder, max_length)
    if tokenizer.size > model.vocab_size:
        raise LoadError(
            f"{folder}: tokenizer.json has ids up to {tokenizer.size - 1}, but config.json has a vocab_size of "
            f"{model.vocab_size}: they belong to different models"
        )
    return Classifier(folder, model, tokenizer, num_threads, again)


def _checked_chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield texts in chunks. Raise TypeError for the first one that is not a str."""
    if isinstance(texts, str | bytes | Mapping) or not isinstance(texts, Iterable):
        raise TypeError(f"texts must be a str or an iterable of str, not {type(texts).__name__}")
    start = 0
    for chunk in chunks(texts, CHUNK_SIZE):
        for position, text in enumerate(chunk, start):
            if not isinstance(text, str):
                raise TypeError(f"texts[{position}] is not a str but {type(text).__name__}: {text!r:.60}")
        yield chunk
        start += len(chunk)
