"""Embeddings as a step of their own: vectors learned from text without labels, which a classifier starts from.

They are skip-gram vectors with subword n-grams (Bojanowski et al., 2017, "Enriching Word Vectors with Subword
Information"), trained by gensim over the tokens of a tokenizer.
"""

import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any, TypeAlias, cast, get_args

import numpy as np
import torch
from torch import nn
from tqdm import tqdm
from transformers import (
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from ..atomic import replacing
from ..data.unlabeled import open_unlabeled
from ..data.vectors import Vectors, format_of, write_vectors
from .options import TokenizerOptions, UnlabeledOptions, parse
from .provenance import LEARNED_FROM, as_record

_TEXTS_PER_BATCH = 1000
_IDS_PER_READ = 1 << 16
_LONGEST = 10_000  # tokens of a text that gensim reads; it would pass over what follows
_ROW_END = -1  # stands after each text's ids in the file of ids


@dataclass
class WordVectorOptions:
    """How vectors are trained; the names and meanings are gensim's and fastText's. Each field is a flag."""

    _argument_group_name = "the embeddings"

    output: str = field(
        metadata={"help": "where the vectors go: .safetensors, .vec or .txt (word2vec text), .bin (word2vec binary)"}
    )
    tokenizer: str | None = field(
        default=None,
        metadata={"help": "folder or Hub id of a tokenizer; default: one that the options below make from the texts"},
    )
    vector_size: int = field(default=128, metadata={"help": "numbers of a vector: the model's --embedding_size"})
    window: int = field(default=5, metadata={"help": "most tokens between a token and one that it predicts"})
    negative: int = field(default=5, metadata={"help": "tokens drawn as noise for each that is predicted"})
    min_n: int = field(default=1, metadata={"help": "characters of the shortest n-grams"})
    max_n: int = field(default=4, metadata={"help": "characters of the longest n-grams; 0: none, plain word2vec"})
    bucket: int = field(default=500_000, metadata={"help": "rows that the n-grams are hashed into"})
    sample: float = field(default=1e-3, metadata={"help": "frequency above which tokens are left out at random"})
    alpha: float = field(default=0.05, metadata={"help": "the first learning rate; it falls linearly"})
    epochs: int = field(default=3, metadata={"help": "passes over the texts"})
    workers: int | None = field(
        default=None,
        metadata={"help": "threads (default: one a core); only with 1 does a seed give the same vectors"},
    )
    seed: int = field(default=42, metadata={"help": "seed of the first vectors and of what is drawn"})

    def __post_init__(self) -> None:
        """Checks the ranges."""
        for name in ("vector_size", "window", "negative", "min_n", "bucket", "epochs", "workers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}; it has to be 1 or more")
        if self.max_n != 0 and self.max_n < self.min_n:
            raise ValueError(f"max_n is {self.max_n}; it has to be min_n ({self.min_n}) or more, or 0")
        if self.alpha <= 0 or self.sample < 0:
            raise ValueError("alpha has to be above 0, and sample 0 or more")


@dataclass(frozen=True)
class EmbeddingResult:
    """What training vectors leaves.

    Attributes:
        output: The file of vectors.
        tokens: How many tokens have one.
        vector_size: Their size.
        token_count: How many tokens the texts have.
        seconds: What it took, tokenizing and all.
    """

    output: str
    tokens: int
    vector_size: int
    token_count: int
    seconds: float


EmbeddingParts: TypeAlias = tuple[WordVectorOptions, UnlabeledOptions, TokenizerOptions]


def parse_embedding_arguments(argv: Sequence[str]) -> EmbeddingParts:
    """Read the options of `okt-lstm embed`; see `arguments.parse`."""
    description = "Train vectors of words, or pieces, on text without labels, for `okt-lstm train --embeddings`."
    parts = get_args(EmbeddingParts)
    # A classifier takes what its own vocabulary has of them, so there may be many.
    parsed = parse(argv, parts, "okt-lstm embed", description, vocab_size=100_000)
    return cast(EmbeddingParts, parsed)


def embed(
    args: WordVectorOptions, unlabeled_args: UnlabeledOptions, tokenizer_args: TokenizerOptions
) -> EmbeddingResult:
    """Train vectors and write them to `args.output`.

    Args:
        args: The training.
        unlabeled_args: The texts.
        tokenizer_args: The tokenizer that is made from the texts where `args.tokenizer` names none.

    Raises:
        FileError: If the texts can't be read, or the vectors not be written.
        ImportError: If gensim is missing.
        OSError: If the tokenizer can't be loaded.
        ValueError: If there is nothing to learn from.
    """
    begin = time.monotonic()
    _import_gensim()  # before anything takes time
    kind = format_of(args.output)
    if unlabeled_args.unlabeled is None:
        raise ValueError("vectors are learned from text without labels: name a file of it with --unlabeled")
    texts = open_unlabeled(
        unlabeled_args.unlabeled, unlabeled_args.unlabeled_column, unlabeled_args.max_unlabeled_samples
    )
    with replacing(args.output) as stream:
        if args.tokenizer is not None:
            tokenizer = AutoTokenizer.from_pretrained(args.tokenizer)
        else:
            tokenizer = tokenizer_args.to_tokenizer().train_new_from_iterator(
                iter(texts), tokenizer_args.vocab_size, min_frequency=tokenizer_args.min_frequency, show_progress=False
            )
        vectors, token_count = train_vectors(texts, tokenizer, args)
        write_vectors(vectors, stream, kind, {LEARNED_FROM: json.dumps(as_record(texts.file), ensure_ascii=False)})
    seconds = round(time.monotonic() - begin, 1)
    return EmbeddingResult(args.output, len(vectors.tokens), args.vector_size, token_count, seconds)


def train_vectors(
    texts: Iterable[str], tokenizer: PreTrainedTokenizerBase, args: WordVectorOptions
) -> tuple[Vectors, int]:
    """Train vectors over the tokens of texts, which are read once, as a stream.

    Args:
        texts: The texts.
        tokenizer: What makes tokens of them. Its unknown token is one of them.
        args: The training; its file and its tokenizer are not looked at.

    Returns:
        The vectors of the tokens that the texts have, the most frequent first, and how many tokens the texts have.

    Raises:
        ImportError: If gensim is missing.
        ValueError: If the texts have fewer than two different tokens.
    """
    gensim_class = _import_gensim()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "ids"
        with path.open("wb") as file:
            frequencies = _tokenize(texts, tokenizer, file)
        tokens = tokenizer.convert_ids_to_tokens(list(range(len(frequencies))))
        counts = {token: count for token, count in zip(tokens, frequencies.tolist(), strict=True) if count}
        if len(counts) < 2:
            raise ValueError("the texts have fewer than two different tokens; there is nothing to learn from")
        model = gensim_class(
            sg=1,
            vector_size=args.vector_size,
            window=args.window,
            negative=args.negative,
            min_n=args.min_n,
            max_n=args.max_n,
            bucket=args.bucket,
            sample=args.sample,
            alpha=args.alpha,
            min_count=1,  # the tokenizer has chosen
            workers=args.workers or _cores(),
            seed=args.seed,
        )
        model.build_vocab_from_freq(counts)
        token_count = sum(counts.values())
        total = token_count * args.epochs
        with tqdm(total=total, unit=" tokens", unit_scale=True, desc="Training vectors", disable=None) as bar:
            model.train(_Sentences(path, list(tokens), bar), total_words=token_count, epochs=args.epochs)
    return Vectors(list(model.wv.index_to_key), np.asarray(model.wv.vectors, np.float32)), token_count


def _import_gensim() -> Any:
    try:
        from gensim.models import FastText
    except ImportError as error:
        raise ImportError(f'training vectors needs gensim ({error}): pip install "okt-lstm[embed]"') from error
    return FastText


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _tokenize(texts: Iterable[str], tokenizer: PreTrainedTokenizerBase, file: IO[bytes]) -> np.ndarray:
    """Write the ids of texts to a file, and count how often each occurs: int64, `(ids up to the largest,)`."""
    counts = np.zeros(0, np.int64)
    rest = iter(texts)
    while batch := list(islice(rest, _TEXTS_PER_BATCH)):
        encoded = tokenizer(batch, add_special_tokens=False, return_attention_mask=False, verbose=False)
        rows = encoded["input_ids"]
        ids = np.array([number for row in rows for number in (*row, _ROW_END)], np.int32)
        file.write(ids.tobytes())
        new = np.bincount(ids[ids != _ROW_END], minlength=len(counts))
        new[: len(counts)] += counts
        counts = new
    return counts


class _Sentences:
    """Texts as lists of tokens, long ones as several, which can be read again and again, from a file of ids.

    Ids take less room than text, hold tokens with blanks as well, and give each token as one string object, which
    gensim looks up faster than equal ones.

    Args:
        path: What `_tokenize` wrote.
        tokens: The tokens by their ids.
        bar: The progress bar of running tokens.
    """

    def __init__(self, path: Path, tokens: list[str], bar: Any) -> None:
        # Mapped, not opened for each pass: gensim's thread may begin one when an interrupted run has deleted the file.
        self._ids = np.memmap(path, np.int32, "r")
        self._tokens = np.array([*tokens, None], object)  # None: the row's end, -1
        self._bar = bar

    def __iter__(self) -> Iterator[list[str]]:
        row: list[str] = []
        for first in range(0, len(self._ids), _IDS_PER_READ):
            ids = self._ids[first : first + _IDS_PER_READ]
            names = self._tokens[ids].tolist()
            start = 0
            for end in np.flatnonzero(ids == _ROW_END).tolist():
                row += names[start:end]
                yield from (row[at : at + _LONGEST] for at in range(0, len(row), _LONGEST))
                row, start = [], end + 1
            row += names[start:]
            self._bar.update(np.count_nonzero(ids != _ROW_END))


@dataclass(frozen=True)
class Coverage:
    """How much of a vocabulary has vectors; `str` says it in words.

    Attributes:
        found: Tokens that have one.
        tokens: Tokens of the vocabulary, without padding.
        occurrence_coverage: Share of the running tokens that are among those found, from 0 to 1; None where no
            counts were given.
    """

    found: int
    tokens: int
    occurrence_coverage: float | None = None

    @property
    def share(self) -> float:
        """Share of the vocabulary's tokens that have a vector, from 0 to 1."""
        return self.found / self.tokens if self.tokens else 0.0

    def __str__(self) -> str:
        text = f"{self.found:,} of the vocabulary's {self.tokens:,} tokens have a vector ({self.share:.1%})"
        return (
            text
            if self.occurrence_coverage is None
            else f"{text}, {self.occurrence_coverage:.1%} of the running tokens"
        )


@torch.no_grad()
def initialize(
    embedding: nn.Embedding, tokenizer: PreTrainedTokenizerBase, vectors: Vectors, counts: np.ndarray | None = None
) -> Coverage:
    """Put vectors into the embeddings of a model.

    The rows of tokens that have none keep their random values, at the vectors' standard deviation. The row of padding
    stays as it is.

    Args:
        embedding: What is filled, `(ids, size)`.
        tokenizer: What the ids mean.
        vectors: The vectors; `read_vectors(path, tokenizer.get_vocab())` reads no others than are needed.
        counts: How often each id occurs in the training rows, `(ids,)`, for the coverage.

    Raises:
        ValueError: If the vectors are of another size, or none is of the vocabulary.
    """
    size = vectors.matrix.shape[1]
    if size != embedding.embedding_dim:
        raise ValueError(
            f"the vectors have {size} numbers, the embeddings {embedding.embedding_dim}: set --embedding_size {size}"
        )
    rows = {token: row for row, token in enumerate(vectors.tokens)}
    vocabulary = {token: i for token, i in tokenizer.get_vocab().items() if i != tokenizer.pad_token_id}
    pairs = [(i, rows[token]) for token, i in vocabulary.items() if token in rows]
    if not pairs:
        raise ValueError(
            f"none of the vocabulary's {len(vocabulary):,} tokens has a vector: were the vectors made of other tokens "
            "than those of this tokenizer?"
        )
    found, sources = (torch.tensor(numbers) for numbers in zip(*pairs, strict=True))
    weight = embedding.weight
    matrix = torch.from_numpy(vectors.matrix)[sources].to(weight)
    missing = torch.ones(len(weight), dtype=torch.bool)
    missing[found] = False
    if tokenizer.pad_token_id is not None:
        missing[tokenizer.pad_token_id] = False
    others = weight[missing]
    if len(others):
        weight[missing] = others * (matrix.std() / others.std().clamp(min=1e-12))
    weight[found] = matrix
    running = None
    if counts is not None:
        ids = np.fromiter(vocabulary.values(), np.int64)
        running = float(counts[found.numpy()].sum() / max(counts[ids].sum(), 1))
    return Coverage(len(pairs), len(vocabulary), running)


class FreezeEmbeddings(TrainerCallback):
    """Keeps a model's embeddings as they are for the first epochs.

    No gradient reaches the optimizer, so that none of torch's moves them, not even by weight decay.

    Args:
        epochs: How many epochs; the following ones train the embeddings, too.
    """

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Freeze, or thaw; not under DistributedDataParallel, which waits for the gradients that it began with."""
        if args.world_size == 1:
            _table(kwargs["model"]).requires_grad_(not self._is_frozen(state))

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Drop the gradient, where there is one."""
        if self._is_frozen(state):
            _table(kwargs["model"]).grad = None

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Leave an ordinary model."""
        _table(kwargs["model"]).requires_grad_(True)

    def _is_frozen(self, state: TrainerState) -> bool:
        return (state.epoch or 0) < self.epochs


def _table(model: PreTrainedModel) -> torch.Tensor:
    return cast(nn.Embedding, model.get_input_embeddings()).weight
