"""Load a sentence encoder, which maps texts to vectors, and needs neither torch nor transformers."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import _engine
from .base_classifier import PROBES, Chunk, checked_chunks
from .folders import check_at_least_one, find_model, released_encoder
from .network import load_encoder_network
from .parallel import available_cores, map_in_threads
from .tokenizer import Tokenizer
from .windows import mean_by_text

# Texts that one thread encodes at a time: enough to find many of one length, few enough to share the work out.
CHUNK_SIZE = 512


class Encoder:
    """A sentence encoder. `load_encoder` makes one.

    It can be used from any number of threads, survives a fork, and is pickled as the arguments of `load_encoder`. A
    text's vector depends neither on the texts beside it nor on the number of threads.

    Args:
        folder: The folder that it was loaded from.
        network: The network.
        tokenizer: The tokenizer.
        num_threads: Number of threads. `None` for one per core that this process may use.
        reload: Loads the same encoder again, in another process.

    Attributes:
        dimension: Size of a vector.
        folder: The folder that it was loaded from.
        max_length: Maximum number of tokens in a text; `None` for no limit.
        num_threads: Number of threads; `None` for one per core.
    """

    def __init__(
        self,
        folder: Path,
        network: _engine.Network,
        tokenizer: Tokenizer,
        num_threads: int | None,
        reload: Callable[[], "Encoder"],
    ) -> None:
        self.folder = folder
        self.dimension = network.labels
        self.max_length = tokenizer.max_length
        self.num_threads = num_threads
        self._network, self._tokenizer, self._reload = network, tokenizer, reload

    def __reduce__(self) -> tuple[Callable[[], "Encoder"], tuple[()]]:
        return self._reload, ()

    def __repr__(self) -> str:
        return f"Encoder({str(self.folder)!r}, {self.dimension} dimensions)"

    def encode(self, texts: str | Iterable[str], normalize: bool = True) -> NDArray[np.float32]:
        """Map texts to vectors.

        Args:
            texts: A text, or any iterable of texts: a list, a generator, a column of a data set or a data frame.
            normalize: Scale each vector to the length 1, so that a product of two is their cosine.

        Returns:
            The vectors: `(dimension,)` for a text, `(texts, dimension)` for several.

        Raises:
            TypeError: If something is not a text; the message names its position (from 0) and type.
        """
        if isinstance(texts, str):
            vector: NDArray[np.float32] = self.encode([texts], normalize)[0]
            return vector
        none = np.empty((0, self.dimension), np.float32)
        return np.concatenate([none, *(vectors for _, vectors in self.vector_chunks(texts, normalize))])

    def vector_chunks(
        self, texts: Iterable[str], normalize: bool = True
    ) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
        """Encode any number of texts in constant memory and on all cores.

        Args:
            texts: An iterable of texts. It is read only as far ahead as the threads need.
            normalize: See `encode`.

        Yields:
            Some texts with their vectors, `(texts, dimension)`.

        Raises:
            TypeError: If something is not a text; the message names its position (from 0) and type.
        """
        for chunk in self.compute(checked_chunks(texts, CHUNK_SIZE), normalize):
            yield list(chunk.texts), chunk.outputs

    def compute(self, chunks: Iterable[Sequence[str]], normalize: bool = True) -> Iterator[Chunk]:
        """Compute the vectors of lists of texts, in order, in constant memory and on all cores.

        Args:
            chunks: Lists of texts; each is computed by one thread. It is read only as far ahead as the threads need.
            normalize: See `encode`.
        """
        compute = partial(self._compute_chunk, normalize=normalize)
        return map_in_threads(compute, chunks, self.num_threads or available_cores())

    def fingerprint(self) -> str:
        """Return a name for the vectors: that of another encoder differs, or of another processor's arithmetic."""
        length = f"{self.max_length} by {self._tokenizer.stride} ".encode()
        return hashlib.sha256(length + self.encode(PROBES, normalize=False).tobytes()).hexdigest()

    def _compute_chunk(self, texts: Sequence[str], normalize: bool) -> Chunk:
        ids, row_splits, owners, truncated = self._tokenizer.encode_windows(texts)
        vectors = mean_by_text(self._network.run(ids, row_splits), owners, len(texts))
        if normalize:
            # A vector of zeros stays one.
            lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
            vectors /= np.where(lengths > 0, lengths, 1).astype(np.float32)[:, None]
        return Chunk(texts, vectors, truncated)


def load_encoder(
    folder_or_hub_id: str | os.PathLike[str] | None = None,
    *,
    revision: str | None = None,
    token: str | bool | None = None,
    max_length: int | None = None,
    stride: int | None = None,
    num_threads: int | None = None,
) -> Encoder:
    """Load a sentence encoder: an LSTM, GRU or RNN model with an OktTokenizer.

    Args:
        folder_or_hub_id: A folder that `okt-lstm train-encoder` or `LSTMModel.save_pretrained` wrote, or the id of a
            repository on the Hugging Face Hub, which needs `pip install 'oktane[hub]'`. By default the encoder inside
            the package.
        revision: A branch, tag or commit of the repository.
        token: A token for the Hub, for private repositories. By default that of `hf auth login` or of HF_TOKEN.
        max_length: Maximum number of tokens in a text. Longer texts are truncated. By default the tokenizer's
            `model_max_length`.
        stride: If it is given, texts longer than `max_length` are read in windows that have so many tokens in common,
            and their vectors are averaged. By default they are truncated.
        num_threads: Number of threads. By default one per core that this process may use.

    Returns:
        The encoder.

    Raises:
        oktane.LoadError: If there is no such folder or repository, or it holds no complete encoder that oktane runs;
            the message names the file and the field.
        ValueError: If an option is out of range, or OKTANE_CPU names kernels that this processor can't run.
    """
    check_at_least_one(max_length=max_length, num_threads=num_threads)
    folder, arguments = find_model(folder_or_hub_id, released_encoder, revision, token)
    if stride is not None and stride < 0:
        raise ValueError(f"stride must be 0 or more, got {stride}")
    again = partial(load_encoder, **arguments, max_length=max_length, stride=stride, num_threads=num_threads)
    network = load_encoder_network(folder)
    tokenizer = Tokenizer(folder, max_length, network.tokens, stride)
    return Encoder(folder, network, tokenizer, num_threads, again)
