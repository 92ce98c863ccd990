"""Load a trained model as a `Classifier`, which needs neither torch nor transformers."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from .base_classifier import BaseClassifier, Chunk
from .folders import LoadError, check_at_least_one, find_model, released_model
from .network import Model, load_model
from .parallel import available_cores, map_in_threads
from .tokenizer import Tokenizer
from .windows import mean_by_text

# Texts that one thread labels at a time: enough to find many of one length, few enough to share the work out.
CHUNK_SIZE = 512


class Classifier(BaseClassifier):
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
        model_type: The model's type, such as `"okt_lstm"`.
        labels: The names of the labels, in the order of their ids.
        problem_type: The problem type. It equals the string in config.json.
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
        self.model_type, self.labels, self.problem_type = model.model_type, model.labels, model.problem_type
        self.max_length, self.stride = tokenizer.max_length, tokenizer.stride
        self.abstain_below = model.abstain_below
        self.text_pair, self.threshold = model.text_pair, model.threshold
        self.num_threads = num_threads
        self._model, self._tokenizer, self._reload = model, tokenizer, reload

    def __reduce__(self) -> tuple[Callable[[], "Classifier"], tuple[()]]:
        return self._reload, ()

    def __repr__(self) -> str:
        return f"Classifier({str(self.folder)!r}, {self.model_type}, {len(self.labels)} labels)"

    @property
    def chunk_size(self) -> int:
        """How many texts a thread computes at a time."""
        return CHUNK_SIZE

    def compute(self, chunks: Iterable[Sequence[Any]]) -> Iterator[Chunk]:
        """Compute the logits of lists of texts; see `BaseClassifier.compute`."""
        return map_in_threads(self._compute_chunk, chunks, self.num_threads or available_cores())

    def _compute_chunk(self, texts: Sequence[Any]) -> Chunk:
        if self.text_pair:
            flat = [text for side in zip(*texts, strict=True) for text in side]
            ids, row_splits, truncated = self._tokenizer.encode_counted(flat)
            return Chunk(texts, self._model.network.run(ids, row_splits), truncated)
        ids, row_splits, owners, truncated = self._tokenizer.encode_windows(texts)
        return Chunk(texts, mean_by_text(self._model.network.run(ids, row_splits), owners, len(texts)), truncated)


def load(
    folder_or_hub_id: str | os.PathLike[str] | None = None,
    *,
    revision: str | None = None,
    token: str | bool | None = None,
    max_length: int | None = None,
    stride: int | None = None,
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
        stride: If it is given, texts longer than `max_length` are read in windows that have so many tokens in common,
            and their logits are averaged. By default as the model was trained, and `max_length` truncates.
        num_threads: Number of threads. By default one per core that this process may use.

    Returns:
        The classifier.

    Raises:
        oktane.LoadError: If there is no such folder or repository, or it holds no complete classifier that oktane runs;
            the message names the file and the field.
        ValueError: If an option is out of range, or OKTANE_CPU names kernels that this processor can't run.
    """
    check_at_least_one(max_length=max_length, num_threads=num_threads)
    folder, arguments = find_model(folder_or_hub_id, released_model, revision, token)
    again = partial(load, **arguments, max_length=max_length, stride=stride, num_threads=num_threads)
    model = load_model(folder)
    if stride is not None and (stride < 0 or model.text_pair):
        raise ValueError(f"stride must be 0 or more, and is for models of single texts, got {stride}")
    if stride is not None or max_length is not None:
        return Classifier(folder, model, Tokenizer(folder, max_length, model.vocab_size, stride), num_threads, again)
    try:
        tokenizer = Tokenizer(folder, None, model.vocab_size, None if model.text_pair else model.stride)
    except ValueError as error:
        # The folder's own stride doesn't go with its own limit.
        raise LoadError(f"{folder / 'config.json'}: {error}") from None
    return Classifier(folder, model, tokenizer, num_threads, again)
