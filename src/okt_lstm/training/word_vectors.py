"""Word vectors, learned from unlabeled text, for classifiers to start from.

They are skip-gram vectors with subword n-grams (Bojanowski et al., 2017, "Enriching Word Vectors with Subword
Information"), trained by gensim over the tokens of a tokenizer.
"""

import json
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from tqdm import tqdm
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from oktane import available_cores, chunks

from ..atomic import replacing
from ..data.vectors import Vectors, format_of, write_vectors
from .options import WordVectorOptions
from .parts import WordVectorParts
from .provenance import LEARNED_FROM, as_record

_TEXTS_PER_BATCH = 1000
_IDS_PER_READ = 1 << 16
# Tokens of a text that gensim reads. It would skip what follows.
_LONGEST = 10_000
# Separator after each text in the file of ids.
_ROW_END = -1


@dataclass(frozen=True)
class WordVectorResult:
    """What training word vectors leaves.

    Attributes:
        output: The file of vectors.
        tokens: How many tokens have a vector.
        vector_size: The size of the vectors.
        token_count: How many tokens the texts have.
        seconds: How long it took, tokenizing included.
    """

    output: str
    tokens: int
    vector_size: int
    token_count: int
    seconds: float


def train_word_vectors(options: WordVectorParts) -> WordVectorResult:
    """Train word vectors on unlabeled text, and write them to `options.vectors.output`.

    Raises:
        FileError: If the texts can't be read, or the vectors can't be written.
        ImportError: If gensim is missing.
        OSError: If the tokenizer can't be loaded.
        ValueError: If there is nothing to learn from.
    """
    begin = time.monotonic()
    # Before anything takes time.
    import_gensim()
    file_format = format_of(options.vectors.output)
    texts = options.unlabeled.open("a model of word vectors", options.tables)
    with replacing(options.vectors.output) as stream:
        tokenizer: PreTrainedTokenizerBase
        if options.vectors.tokenizer is not None:
            tokenizer = AutoTokenizer.from_pretrained(options.vectors.tokenizer, trust_remote_code=False)
        else:
            # The texts show a progress bar of their own.
            tokenizer = options.tokenizer.train(texts, show_progress=False)
        vectors, token_count = skip_gram(texts, tokenizer, options.vectors)
        source = {LEARNED_FROM: json.dumps(as_record(texts.file), ensure_ascii=False)}
        write_vectors(vectors, stream, file_format, source)
    seconds = round(time.monotonic() - begin, 1)
    size = options.vectors.vector_size
    return WordVectorResult(options.vectors.output, len(vectors.tokens), size, token_count, seconds)


def skip_gram(
    texts: Iterable[str], tokenizer: PreTrainedTokenizerBase, options: WordVectorOptions
) -> tuple[Vectors, int]:
    """Train vectors of the tokens of texts, which are read once, as a stream.

    Args:
        texts: The texts.
        tokenizer: Splits texts into tokens. Its unknown token gets a vector, too.
        options: The training. Its `output` and `tokenizer` are not used here.

    Returns:
        The vectors of the tokens that the texts have, the most frequent first, and how many tokens the texts have.

    Raises:
        ImportError: If gensim is missing.
        ValueError: If the texts have fewer than two different tokens.
    """
    gensim_class = import_gensim()
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
            vector_size=options.vector_size,
            window=options.window,
            negative=options.negative,
            min_n=options.min_n,
            max_n=options.max_n,
            bucket=options.bucket,
            sample=options.sample,
            alpha=options.alpha,
            # The tokenizer has chosen the tokens.
            min_count=1,
            workers=options.workers or available_cores(),
            seed=options.seed,
        )
        model.build_vocab_from_freq(counts)
        token_count = sum(counts.values())
        total = token_count * options.epochs
        with tqdm(total=total, unit=" tokens", unit_scale=True, desc="Training vectors", disable=None) as bar:
            model.train(_Sentences(path, list(tokens), bar), total_words=token_count, epochs=options.epochs)
    return Vectors(list(model.wv.index_to_key), np.asarray(model.wv.vectors, np.float32)), token_count


def import_gensim() -> Any:
    """Return gensim's class of fastText models.

    Raises:
        ImportError: If gensim is missing.
    """
    try:
        from gensim.models import FastText
    except ImportError as error:
        raise ImportError(f"training word vectors needs gensim ({error}): pip install gensim") from error
    return FastText


def _tokenize(texts: Iterable[str], tokenizer: PreTrainedTokenizerBase, file: IO[bytes]) -> np.ndarray:
    """Write the ids of texts to a file, and return how often each occurs: int64, `(largest id + 1,)`."""
    counts = np.zeros(0, np.int64)
    for batch in chunks(texts, _TEXTS_PER_BATCH):
        encoded = tokenizer(batch, add_special_tokens=False, return_attention_mask=False, verbose=False)
        rows = encoded["input_ids"]
        ids = np.array([number for row in rows for number in (*row, _ROW_END)], np.int32)
        file.write(ids.tobytes())
        new = np.bincount(ids[ids != _ROW_END], minlength=len(counts))
        new[: len(counts)] += counts
        counts = new
    return counts


class _Sentences:
    """Texts as lists of tokens, read from a file of ids as often as gensim asks. Long texts become several lists.

    Ids take less room than text, allow tokens with blanks, and give each token as one string object, which gensim
    looks up faster than equal ones.

    Args:
        path: The file that `_tokenize` wrote.
        tokens: The tokens by id.
        bar: The progress bar, in tokens.
    """

    def __init__(self, path: Path, tokens: list[str], bar: Any) -> None:
        # Mapped, not opened for each pass: gensim's thread may begin one after an interrupted run has deleted the file.
        self._ids = np.memmap(path, np.int32, "r")
        # The last one, None, is at -1: the end of a row.
        self._tokens = np.array([*tokens, None], object)
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
