"""A classifier that torch runs, with any tokenizer of transformers."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.tokenization_utils_base import LARGE_INTEGER

from oktane.base_classifier import BaseClassifier, Chunk
from oktane.parallel import available_cores, map_in_threads
from oktane.problem_type import ProblemType
from oktane.windows import cut_windows, mean_by_text

# Texts that are tokenized and sorted by length together: many, so that the rows of a batch have nearly one length.
CHUNK_SIZE = 4096
# Tokens, padding included, that the network reads at once: enough to keep its kernels busy, few enough to stay in the
# processor's caches. A longer text makes a batch of its own.
BATCH_TOKENS = 4096


class TorchClassifier(BaseClassifier):
    """A classifier that torch runs.

    Args:
        model: A sequence classifier.
        tokenizer: The tokenizer that it was trained with.
        max_length: Maximum number of tokens in a text. Longer texts are truncated. By default the tokenizer's
            `model_max_length`.
        bf16: Whether to compute in bfloat16, by automatic mixed precision.
        stride: See `oktane.load`.

    Attributes:
        model: The model, in evaluation mode.
        tokenizer: The tokenizer.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        max_length: int | None = None,
        bf16: bool = False,
        stride: int | None = None,
    ) -> None:
        if max_length is not None and max_length < 1:
            raise ValueError(f"max_length must be at least 1, not {max_length}")
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.bf16 = bf16
        self.model_type = model.config.model_type
        self.abstain_below = getattr(model.config, "abstain_below", None)
        self.text_pair = getattr(model.config, "text_pair", False)
        self.threshold = getattr(model.config, "thresholds", None) or 0.5
        self.labels = [label for _, label in sorted((model.config.id2label or {}).items())]
        self.problem_type = ProblemType(model.config.problem_type or ProblemType.default(len(self.labels)))
        limit = max_length or tokenizer.model_max_length
        self.max_length = limit if limit < LARGE_INTEGER else None
        if stride is None and max_length is None:
            stride = getattr(model.config, "stride", None)
        self.stride = None if self.max_length is None else stride
        if self.stride is not None:
            if self.text_pair or not hasattr(tokenizer, "encode_ragged") or tokenizer.num_special_tokens_to_add():
                raise ValueError(
                    "only single texts of an OktTokenizer without special tokens are read in windows: leave out stride"
                )
            if not 0 <= self.stride < (self.max_length or 0):
                raise ValueError(f"stride is {stride}; it has to be 0 or more, and less than {self.max_length}")

    @property
    def chunk_size(self) -> int:
        """How many texts are tokenized and sorted by length together."""
        return CHUNK_SIZE

    def compute(self, chunks: Iterable[Sequence[Any]]) -> Iterator[Chunk]:
        """Compute the logits of lists of texts; see `BaseClassifier.compute`.

        On a CPU each chunk is computed by one thread, in which torch's kernels use no further threads. For small
        networks this is faster than several threads per kernel, which would wait for each other thousands of times per
        second (and without end where other programs take their cores).
        """
        # A fast tokenizer's state changes at the first call with new options, which threads must not do at once.
        self._tokenize([""])
        cores = torch.get_num_threads()
        threads = min(cores, available_cores()) if self.model.device.type == "cpu" else 1
        try:
            yield from map_in_threads(self._compute_chunk, chunks, threads)
        finally:
            # What a thread sets is also the number of threads to come.
            torch.set_num_threads(cores)

    def _compute_chunk(self, texts: Sequence[Any]) -> Chunk:
        if self.model.device.type == "cpu":
            torch.set_num_threads(1)
        if self.stride is not None and self.max_length is not None:
            whole, row_splits = self.tokenizer.encode_ragged(texts, None)
            flat, row_splits, owners = cut_windows(whole, row_splits, self.max_length, self.stride)
            return Chunk(texts, mean_by_text(self._logits(flat, np.diff(row_splits)), owners, len(texts)), 0)
        if not self.text_pair:
            flat, lengths, truncated = self._tokenize(list(texts))
            return Chunk(texts, self._logits(flat, lengths), truncated)
        # Each text of a pair is cut for itself.
        flat, lengths, truncated = self._tokenize([text for pair in texts for text in pair])
        return Chunk(texts, self._logits(flat, lengths[::2] + lengths[1::2], lengths[::2]), truncated)

    def _logits(
        self, flat: NDArray[np.int64], lengths: NDArray[np.int64], first: NDArray[np.int64] | None = None
    ) -> NDArray[np.float32]:
        """Run the network in batches of similar length. The logits do not depend on how texts are batched.

        Args:
            flat: The ids of all texts, `(tokens,)`.
            lengths: The number of ids of each text, or of both texts of a pair, `(texts,)`.
            first: The number of ids of the first text of each pair, `(texts,)`.
        """
        result = np.empty((len(lengths), len(self.labels)), np.float32)
        starts = np.cumsum(lengths) - lengths
        pad_id = self.tokenizer.pad_token_id or 0
        for batch in _batches(np.argsort(lengths, kind="stable"), lengths):
            columns = np.arange(max(1, lengths[batch[-1]]))
            mask = columns < lengths[batch, None]  # (batch, time)
            ids = np.full(mask.shape, pad_id)
            ids[mask] = flat[(starts[batch, None] + columns)[mask]]
            pairs = {}
            if first is not None:
                is_second = (columns >= first[batch, None]) & mask  # (batch, time)
                pairs["token_type_ids"] = torch.from_numpy(is_second.astype(np.int64)).to(self.model.device)
            with torch.inference_mode(), torch.autocast(self.model.device.type, torch.bfloat16, enabled=self.bf16):
                logits = self.model(
                    input_ids=torch.from_numpy(ids).to(self.model.device),
                    attention_mask=torch.from_numpy(mask).to(self.model.device),
                    **pairs,
                ).logits
            result[batch] = logits.float().cpu().numpy()
        return result

    def _tokenize(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
        """Return the ids of all texts, flat, their number by text, `(texts,)`, and how many texts were truncated."""
        if hasattr(self.tokenizer, "encode_ragged"):
            flat, row_splits = self.tokenizer.encode_ragged(texts, self.max_length)
            lengths = np.diff(row_splits)
            full = [texts[row] for row in np.flatnonzero(lengths == self.max_length).tolist()]
            whole = np.diff(self.tokenizer.encode_ragged(full, None)[1])
            return flat, lengths, int((whole > (self.max_length or 0)).sum())
        encoded = self.tokenizer(
            list(texts),
            truncation=self.max_length is not None,
            max_length=self.max_length,
            return_attention_mask=False,
            # A `[MASK]` that somebody typed is text.
            split_special_tokens=True,
        )
        rows = encoded["input_ids"]
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        # A tokenizer without Rust doesn't tell what it left out.
        truncated = sum(bool(encoding.overflowing) for encoding in encoded.encodings or ())
        return np.fromiter(chain.from_iterable(rows), np.int64, lengths.sum()), lengths, truncated


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
