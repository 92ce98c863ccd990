"""Functions of batches for programs that work on many machines: `BatchPredictor` and `BatchAnalyzer`.

Ray Data, Spark, DuckDB, Polars, Daft and the library datasets each call a function with some rows at a time, in worker
processes. These objects are such functions. None of the programs is imported here.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrow_texts import text_arrays
from .base_classifier import BaseClassifier
from .blocks import Block
from .columns import TEXT_COLUMNS, find_usual
from .files import new_columns, scored_blocks
from .okt import Okt
from .prediction_tables import prediction_arrays
from .user_words import UserDictionary


class BatchFunction(ABC):
    """A function from a batch of rows to the same batch with further columns.

    It keeps its arguments only and is pickled as them. What it needs is loaded once in each process, at the first call,
    and shared by all functions with the same arguments.

    Args:
        text_column: The column of the texts. By default the only one, or one with a usual name.
        **arguments: The other arguments of the class.
    """

    def __init__(self, text_column: str | None, **arguments: Any) -> None:
        self.text_column = text_column
        self._arguments = {"text_column": text_column, **arguments}

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return _make, (type(self), self._arguments)

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self._arguments.items() if value is not None)
        return f"{type(self).__name__}({given})"

    @abstractmethod
    def _names(self, taken: Sequence[str]) -> list[str]:
        """Return the names of the new columns of a batch that has the columns `taken`."""

    @abstractmethod
    def _lists(self, block: Block) -> list[list[Any]]:
        """Return the new columns, with None for the rows that have no text."""

    @abstractmethod
    def _arrays(self, block: Block) -> list[Any]:
        """Return the new columns as arrays of pyarrow."""

    def __call__(self, batch: Any) -> Any:
        """Return a batch with the new columns; of texts alone, the first new column.

        Args:
            batch: A dict of numpy arrays or lists, a pandas or polars DataFrame, a pyarrow Table or RecordBatch; or
                texts alone: a list or numpy array, a Series of pandas or polars, a pyarrow Array or ChunkedArray.

        Returns:
            A batch of the same kind. A row whose text is null has null in the new columns.

        Raises:
            TypeError: If it is something else, or holds something else than texts.
            ValueError: If it has no such column.
        """
        library = type(batch).__module__.partition(".")[0]
        if library == "pyarrow":
            return self._of_arrow(batch)
        if library == "polars":
            return self._of_polars(batch)
        if library == "pandas":
            return self._of_pandas(batch)
        if isinstance(batch, Mapping):
            return self._of_mapping(batch)
        if isinstance(batch, list | tuple | np.ndarray):
            return _like(batch, self._lists(_block_of(batch))[0])
        raise TypeError(
            f"a batch is a dict, a DataFrame, a Table or texts, not {type(batch).__name__}; see {type(self).__name__}"
        )

    def _column(self, columns: Sequence[str]) -> str:
        if self.text_column is not None:
            if self.text_column not in columns:
                raise ValueError(f"the batch has no column {self.text_column!r}; its columns are {', '.join(columns)}")
            return self.text_column
        found = columns[0] if len(columns) == 1 else find_usual(columns, TEXT_COLUMNS)
        if found is None:
            raise ValueError(f"which column holds the texts? Name it with text_column; there are {', '.join(columns)}")
        return found

    def _of_mapping(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        texts = batch[self._column(list(batch))]
        new = zip(self._names(list(batch)), self._lists(_block_of(texts)), strict=True)
        return dict(batch) | {name: _like(texts, values) for name, values in new}

    def _of_pandas(self, batch: Any) -> Any:
        is_table = hasattr(batch, "columns")
        texts = batch[self._column(list(batch.columns))] if is_table else batch
        has_text = ~texts.isna().to_numpy(dtype=bool)
        block = Block(None, texts[has_text].tolist(), has_text)
        if not is_table:
            return type(batch)(self._lists(block)[0], index=batch.index, dtype=object, name=batch.name)
        columns = dict(zip(self._names(list(batch.columns)), self._lists(block), strict=True))
        return batch.assign(**columns)

    def _of_polars(self, batch: Any) -> Any:
        import polars

        if not hasattr(batch, "columns"):
            return polars.Series(batch.name, self._arrow_columns(batch.to_arrow(), "texts")[0])
        texts = self._arrow_columns(batch[self._column(batch.columns)].to_arrow(), "texts")
        names = self._names(batch.columns)
        return batch.with_columns([polars.Series(name, array) for name, array in zip(names, texts, strict=True)])

    def _of_arrow(self, batch: Any) -> Any:
        if not hasattr(batch, "column_names"):
            return self._arrow_columns(batch, "texts")[0]
        column = self._column(batch.column_names)
        arrays = self._arrow_columns(batch.column(column), column)
        for name, array in zip(self._names(batch.column_names), arrays, strict=True):
            batch = batch.append_column(name, array)
        return batch

    def _arrow_columns(self, array: Any, name: str) -> list[Any]:
        texts, has_text = text_arrays(array, name)
        return self._arrays(Block(None, texts, has_text))


class BatchPredictor(BatchFunction):
    """Adds the predictions of a classifier: `label`, `probability`, and with `probabilities` those of all labels.

    The names of the new columns are those that `oktane predict` gives them.

    Args:
        model: A folder, which all workers can read, or the id of a repository on the Hub. By default the classifier
            inside the package.
        text_column: The column of the texts. By default the only one, or one with a usual name.
        probabilities: Whether to add the probability of each label.
        revision: A branch, tag or commit of the repository.
        token: A token for the Hub. It travels with the function; better set HF_TOKEN where the workers run.
        max_length: Maximum number of tokens in a text. By default the tokenizer's.
        num_threads: Number of threads of a process. 1 is right where there is a process for each core.

    Example:
        >>> predict = oktane.BatchPredictor(text_column="review")
        >>> predict({"review": ["연기도 연출도 최고였다", None]})["label"]
        ['positive', None]
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        *,
        text_column: str | None = None,
        probabilities: bool = False,
        revision: str | None = None,
        token: str | None = None,
        max_length: int | None = None,
        num_threads: int = 1,
    ) -> None:
        self._loading = {
            "model": None if model is None else os.fspath(model),
            "revision": revision,
            "token": token,
            "max_length": max_length,
            "num_threads": num_threads,
        }
        self.probabilities = probabilities
        super().__init__(text_column, probabilities=probabilities, **self._loading)

    @property
    def classifier(self) -> BaseClassifier:
        """The classifier of this process.

        Raises:
            ValueError: It compares two texts.
        """
        classifier = _load(**self._loading)
        if classifier.text_pair:
            raise ValueError("BatchPredictor reads one text a row, but this model compares two: use oktane.load(...)")
        return classifier

    def _names(self, taken: Sequence[str]) -> list[str]:
        return new_columns(self.classifier, self.probabilities, taken)

    def _scores(self, block: Block) -> NDArray[np.float32]:
        ((_, scores, _),) = scored_blocks(self.classifier, [block])
        return scores

    def _lists(self, block: Block) -> list[list[Any]]:
        classifier = self.classifier
        found = classifier.problem_type.rows(
            self._scores(block),
            classifier.labels,
            self.probabilities,
            classifier.abstain_below,
            classifier.threshold,
        )
        nothing = [None] * len(classifier.problem_type.columns(classifier.labels, self.probabilities))
        rows = [next(found) if has_text else nothing for has_text in block.has_text.tolist()]
        return [[row[column] for row in rows] for column in range(len(nothing))]

    def _arrays(self, block: Block) -> list[Any]:
        return prediction_arrays(self.classifier, self._scores(block), block.has_text, self.probabilities)


class BatchAnalyzer(BatchFunction):
    """Adds what Okt finds in texts: a column that is called as the task.

    Args:
        task: `morphs`, `pos` (as `morpheme/Part`), `nouns` or `phrases`, each of which gives a list of strings; or
            `normalize`, which gives a string.
        text_column: The column of the texts. By default the only one, or one with a usual name.
        norm: Correct colloquial spelling first; for `morphs` and `pos`.
        stem: Give verbs and adjectives in their dictionary form; for `morphs` and `pos`.
        user_dictionary: Words to add; see `Okt`.
        num_threads: Number of threads of a process.

    Raises:
        ValueError: If there is no such task.

    Example:
        >>> oktane.BatchAnalyzer("nouns")(["항공기 체계를 개발한다", None])
        [['항공기', '체계', '개발'], None]
    """

    TASKS = ("morphs", "pos", "nouns", "phrases", "normalize")

    def __init__(
        self,
        task: str = "morphs",
        *,
        text_column: str | None = None,
        norm: bool = False,
        stem: bool = False,
        user_dictionary: UserDictionary | str | os.PathLike[str] | None = None,
        num_threads: int = 1,
    ) -> None:
        if task not in self.TASKS:
            raise ValueError(f"task is {task!r}; it can be {', '.join(self.TASKS)}")
        if (norm or stem) and task not in ("morphs", "pos"):
            raise ValueError(f"norm and stem go with the tasks morphs and pos, not with {task}")
        # Read here, so that a worker needs no file.
        self._okt = Okt(user_dictionary, threads=num_threads)
        self.task, self._options = task, {"norm": norm, "stem": stem} if task in ("morphs", "pos") else {}
        if task == "pos":
            self._options["join"] = True
        super().__init__(
            text_column,
            task=task,
            norm=norm,
            stem=stem,
            user_dictionary=self._okt.user_dictionary or None,
            num_threads=num_threads,
        )

    def _names(self, taken: Sequence[str]) -> list[str]:
        if self.task in taken:
            raise ValueError(f"the batch has a column {self.task!r} already; rename it")
        return [self.task]

    def _lists(self, block: Block) -> list[list[Any]]:
        found = iter(getattr(self._okt, f"{self.task}_batch")(block.texts, **self._options))
        return [[next(found) if has_text else None for has_text in block.has_text.tolist()]]

    def _arrays(self, block: Block) -> list[Any]:
        import pyarrow as pa

        kind = pa.string() if self.task == "normalize" else pa.list_(pa.string())
        return [pa.array(self._lists(block)[0], kind)]


def _make(kind: type[BatchFunction], arguments: dict[str, Any]) -> BatchFunction:
    return kind(**arguments)


# Enough for the models that one process works with.
@lru_cache(maxsize=4)
def _load(
    model: str | None, revision: str | None, token: str | None, max_length: int | None, num_threads: int
) -> BaseClassifier:
    from .classifier import load

    return load(model, revision=revision, token=token, max_length=max_length, num_threads=num_threads)


def _block_of(texts: Any) -> Block:
    """Return a block of texts that are a list or a numpy array, in which a null is None or NaN."""
    if isinstance(texts, np.ndarray) and texts.ndim != 1:
        raise TypeError(f"the texts are an array of {texts.ndim} dimensions, not of one")
    values = texts.tolist() if isinstance(texts, np.ndarray) else list(texts)
    has_text = np.array([value is not None and value == value for value in values], bool)
    return Block(None, [value for value, has in zip(values, has_text.tolist(), strict=True) if has], has_text)


def _like(given: Any, values: list[Any]) -> Any:
    """Return values as numpy if that was given, else as a list."""
    if not isinstance(given, np.ndarray):
        return values
    if any(value is None or isinstance(value, list) for value in values) or isinstance(next(iter(values), ""), str):
        array = np.empty(len(values), object)
        array[:] = values
        return array
    return np.array(values)
