"""Bulk prediction: a trained folder or Hub repository becomes a classifier of texts, of lists and of files."""

import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from reprlib import repr as short_repr
from typing import Any, TypeAlias, TypeVar, overload

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from tqdm import tqdm
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    EvalPrediction,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.tokenization_utils_base import LARGE_INTEGER

from ..atomic import FileError
from ..data.files import check_text, choose_text_column, kind_of, open_reader, open_writer
from ..hub import LoadError, model_file
from ..models.configuration_lstm import MODEL_TYPES
from ..models.modeling_lstm import classification_loss

Prediction: TypeAlias = str | list[str] | float | list[float]
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

# Texts that are tokenized and sorted by length together: many, so that a batch's rows are of nearly one length.
CHUNK_SIZE = 4096
# Tokens, padding included, that the network reads at once: enough to keep its kernels busy, few enough to stay in the
# processor's caches. A text that is longer makes a batch of its own.
BATCH_TOKENS = 4096


# The model inside the package.
RELEASED_MODEL = Path(__file__).with_name("released")


class Classifier:
    """A model and its tokenizer, which together classify texts.

    Args:
        model: a sequence classifier of this package.
        tokenizer: the tokenizer it was trained with.
        max_length: tokens of a text that are read; what follows them is ignored. Default: the tokenizer's
            `model_max_length`, or no limit where it sets none.

    Attributes:
        model: the model, in evaluation mode.
        tokenizer: the tokenizer.
        labels: the labels' names, by id.
        problem_type: `"single_label_classification"`, `"multi_label_classification"` or `"regression"`.

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
        config = model.config
        self.labels: list[str] = [label for _, label in sorted((config.id2label or {}).items())]
        self.problem_type: str = config.problem_type or (
            "regression" if config.num_labels == 1 else "single_label_classification"
        )
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
            texts: a text, or any iterable of texts: a list, a generator, a column of a data set or a data frame.
            threshold: the probability from which on a label holds, in a model of several labels a text.

        Returns:
            For a text its label; for several a list, in their order. A label is a name; where several may hold, the
            list of those that do (perhaps none); in a regression model a number, or a list of them if it has several.

        Raises:
            TypeError: if something is not a text; the message names its place (from 0) and type.
        """
        if isinstance(texts, str):
            return self.decide(self._of_all(self.scores, [texts]), threshold)[0]
        return self.decide(self._of_all(self.scores, texts), threshold)

    def predict_proba(self, texts: str | Iterable[str]) -> NDArray[np.float32]:
        """Predict the probability of each label.

        Args:
            texts: a text, or any iterable of texts.

        Returns:
            Probabilities, in the order of `labels`: `(labels,)` for a text, `(texts, labels)` for several. They sum to
            1 over the labels, unless several labels may hold: then each stands for itself.

        Raises:
            TypeError: if something is not a text; the message names its place (from 0) and type.
            ValueError: if the model is one for regression, which has no probabilities.
        """
        if self.problem_type == "regression":
            raise ValueError("a regression model predicts numbers and has no probabilities: use predict()")
        if isinstance(texts, str):
            return self._of_all(self.scores, [texts])[0]
        return self._of_all(self.scores, texts)

    def decide(self, scores: NDArray[np.float32], threshold: float = 0.5) -> list[Prediction]:
        """Turn scores, `(texts, labels)`, into what `predict` returns for these texts."""
        if self.problem_type == "single_label_classification":
            return [self.labels[index] for index in scores.argmax(axis=1).tolist()]
        if self.problem_type == "multi_label_classification":
            return [[self.labels[index] for index in np.flatnonzero(row >= threshold)] for row in scores]
        return scores[:, 0].tolist() if scores.shape[1] == 1 else scores.tolist()

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Run the network on a chunk of texts, in batches of similar length.

        Args:
            texts: at most some thousands, as they are tokenized in one call; see `map_ahead` for more.

        Returns:
            The logits, `(texts, labels)`, in the texts' order. They do not depend on how the texts are batched.
        """
        result = np.empty((len(texts), len(self.labels)), np.float32)
        if not texts:
            return result
        rows = self._tokenize(texts)
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        order = np.argsort(lengths, kind="stable")
        pad_id = self.tokenizer.pad_token_id or 0
        for batch in _batches(order, lengths):
            time = max(1, lengths[batch[-1]])
            mask = np.arange(time) < lengths[batch, None]  # (batch, time)
            ids = np.full(mask.shape, pad_id)
            ids[mask] = np.concatenate([rows[index] for index in batch])
            with torch.inference_mode():
                logits = self.model(
                    input_ids=torch.from_numpy(ids).to(self.model.device),
                    attention_mask=torch.from_numpy(mask).to(self.model.device),
                ).logits
            result[batch] = logits.float().cpu().numpy()
        return result

    def scores(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The logits as probabilities, or as they are in a regression model: `(texts, labels)`. See `logits`."""
        logits = torch.from_numpy(self.logits(texts))
        if self.problem_type == "single_label_classification":
            return logits.softmax(dim=1).numpy()
        if self.problem_type == "multi_label_classification":
            return logits.sigmoid().numpy()
        return logits.numpy()

    def evaluate(self, texts: Sequence[str], labels: Sequence[Any]) -> dict[str, float]:
        """Measure how well the predictions fit the right answers.

        Args:
            texts: the texts.
            labels: of each text its label's id; or, where several may hold, a list of 0 and 1 with one place a label;
                or, in a regression model, its number.

        Returns:
            The mean loss as `loss`, and the scores of `okt_lstm.reports.metrics` for this kind of problem.

        Raises:
            ValueError: if there are no texts, or not as many labels.
        """
        from ..reports.metrics import compute_metrics_for

        if len(texts) != len(labels):
            raise ValueError(f"{len(texts)} texts, but {len(labels)} labels")
        logits = self._of_all(self.logits, texts)
        references = np.asarray(labels)
        scores = compute_metrics_for(self.problem_type)(EvalPrediction(logits, references))
        loss = classification_loss(torch.from_numpy(logits), torch.from_numpy(references), self.model.config)
        return {"loss": loss.item(), **scores}

    def map_ahead(
        self, function: Callable[[_Item], _Result], items: Iterable[_Item]
    ) -> Iterator[tuple[_Item, _Result]]:
        """Apply `scores` or `logits`, or a function that calls them, to one item after another, some items ahead.

        Each item is worked on by one thread, in which torch's kernels use no further threads. For networks of this size
        that is faster than many threads to a kernel, as they would wait for each other thousands of times a second
        (endlessly, where other programs take their cores), and the tokenizer's work is spread likewise.

        Args:
            function: what to apply.
            items: an iterable, which is read by the calling thread, only as far ahead as the threads need it.

        Yields:
            Each item with its result, in order.
        """
        cores = torch.get_num_threads()
        threads = cores if self.model.device.type == "cpu" else 1
        # A fast tokenizer's state changes at the first call with new options, which threads must not do at once.
        self._tokenize([""])
        under_way: deque[tuple[_Item, Future[_Result]]] = deque()
        pool = ThreadPoolExecutor(threads, "okt_lstm", initializer=torch.set_num_threads, initargs=(1,))
        try:
            for item in items:
                under_way.append((item, pool.submit(function, item)))
                if len(under_way) > threads + 1:
                    done, future = under_way.popleft()
                    yield done, future.result()
            for done, future in under_way:
                yield done, future.result()
        finally:
            pool.shutdown(cancel_futures=True)
            torch.set_num_threads(cores)  # the workers' setting is also that of threads to come

    def _of_all(
        self, function: Callable[[list[str]], NDArray[np.float32]], texts: Iterable[str]
    ) -> NDArray[np.float32]:
        results = [result for _, result in self.map_ahead(function, self._checked_chunks(texts))]
        return np.concatenate([np.empty((0, len(self.labels)), np.float32), *results])

    def _tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        limited = self.max_length is not None
        encoded = self.tokenizer(
            list(texts), truncation=limited, max_length=self.max_length, return_attention_mask=False
        )
        return encoded["input_ids"]

    def _checked_chunks(self, texts: Iterable[str]) -> Iterator[list[str]]:
        """Cut texts into chunks, and see that they are texts."""
        if isinstance(texts, bytes | Mapping) or not isinstance(texts, Iterable):
            raise TypeError(f"texts must be a str or an iterable of str, not {type(texts).__name__}")
        start = 0
        for chunk in chunks(texts, CHUNK_SIZE):
            for place, text in enumerate(chunk, start):
                if not isinstance(text, str):
                    hint = "; of a data set give one column" if isinstance(text, Mapping) else ""
                    raise TypeError(f"texts[{place}] is not a str but {type(text).__name__}: {text!r:.60}{hint}")
            yield chunk
            start += len(chunk)


def chunks(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    """Cut an iterable into lists of `size` items; the last one may be shorter."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _batches(order: NDArray[np.int64], lengths: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Cut rows, sorted by length, into batches of at most `BATCH_TOKENS` once padded, or of a single row."""
    start = 0
    sorted_lengths = lengths[order]
    while start < len(order):
        # The padded size of the batch start:end is (end - start) * length of its last row, which grows with end.
        candidates = np.arange(1, min(BATCH_TOKENS, len(order) - start) + 1)
        padded = candidates * sorted_lengths[start : start + len(candidates)]
        size = max(1, int(np.searchsorted(padded, BATCH_TOKENS, side="right")))
        yield order[start : start + size]
        start += size


# Loading


def load(
    folder_or_hub_id: str | os.PathLike[str] | None = None,
    revision: str | None = None,
    token: str | bool | None = None,
    device: str | torch.device | None = None,
    max_length: int | None = None,
) -> Classifier:
    """Load a trained classifier with its tokenizer.

    Only safetensors weights are read, and no code of the folder or repository is run: the classes are this package's.
    Weights that are stored in half precision are computed with in single precision, which on a CPU is faster.

    Args:
        folder_or_hub_id: what `okt-lstm train` or `save_pretrained` left, or the id of a repository on the Hub.
            Default: the model inside this package, which tells positive from negative film reviews (NSMC). The card
            beside it, `okt_lstm/released/README.md`, says how it was trained and how good it is. It needs no network.
        revision: a branch, tag or commit of that repository.
        token: a token for the Hub, if the repository is private; default: that of `hf auth login` or of HF_TOKEN.
        device: where the network runs, such as `"cpu"` or `"cuda:1"`; default: a GPU if there is one.
        max_length: see `Classifier`.

    Returns:
        The classifier.

    Raises:
        LoadError: if there is no such folder or repository, it may not be read, or it holds no complete classifier of
            this package; or if none is named and the package was installed without one.
        ValueError: if the device is unknown or missing.
    """
    name = os.fspath(released_model() if folder_or_hub_id is None else folder_or_hub_id)
    config_file = model_file(name, "config.json", revision, token)
    if config_file is None:
        raise LoadError(f"{name} holds no model: it has no config.json; give the --output_dir of `okt-lstm train`")
    try:
        model_type = json.loads(config_file.read_text(encoding="utf-8")).get("model_type")
    except (ValueError, AttributeError) as exception:
        raise LoadError(f"{config_file} is damaged: {exception}") from None
    if model_type not in MODEL_TYPES:
        raise LoadError(
            f"{name} holds a model of type {model_type!r}, but only {', '.join(MODEL_TYPES)} are loaded here; "
            "for others use transformers.pipeline"
        )
    if model_file(name, "tokenizer_config.json", revision, token) is None:
        raise LoadError(
            f"{name} holds no tokenizer: it has no tokenizer_config.json; save the tokenizer beside the model with "
            "save_pretrained()"
        )
    target = _device(device)
    source = str(config_file.parent) if Path(name).expanduser().is_dir() else name
    try:
        # Never a pickle, and never code from elsewhere.
        model, loaded = AutoModelForSequenceClassification.from_pretrained(
            source,
            revision=revision or "main",
            token=token,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
        tokenizer = AutoTokenizer.from_pretrained(
            source, revision=revision or "main", token=token, trust_remote_code=False
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as exception:
        raise LoadError(f"{name} can't be loaded: {exception}") from exception
    if loaded["missing_keys"]:
        raise LoadError(
            f"{name} holds no trained classifier: its weights lack {', '.join(sorted(loaded['missing_keys']))}; "
            "train one with `okt-lstm train`"
        )
    return Classifier(model.to(target), tokenizer, max_length)


def released_model() -> Path:
    """The folder of the model inside this package.

    Raises:
        LoadError: if this installation has none; the message says how to get one.
    """
    if not (RELEASED_MODEL / "config.json").is_file():
        raise LoadError(
            f"this installation of okt-lstm brings no trained model ({RELEASED_MODEL} is missing or empty): name a "
            "folder or a model on the Hub (--model), or train one with `okt-lstm train --output_dir out`"
        )
    return RELEASED_MODEL


def _device(device: str | torch.device | None) -> torch.device:
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        target = torch.device(device)
        torch.empty(0, device=target)
    except (RuntimeError, AssertionError, NotImplementedError) as exception:
        raise ValueError(f"device {str(device)!r} can't be used: {str(exception).splitlines()[0]}") from None
    return target


# Files


def predict_file(
    classifier: Classifier,
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    kind: str | None = None,
    text_column: str | None = None,
    probabilities: bool = False,
    progress: bool = False,
) -> int:
    """Predict the rows of a file and write them, with their labels, to another; in constant memory.

    The new columns are those of `prediction_columns`, after the file's own. Of a txt file only the labels are written.

    Args:
        classifier: the classifier.
        source: the file to read: txt, tsv, csv, jsonl or parquet.
        target: the file to write, of any of these kinds; it appears when all rows are written.
        kind: the kind of `source`, if its suffix does not tell it.
        text_column: the column of the texts; by default the only column, or the first of `files.TEXT_COLUMNS` it has.
        probabilities: whether to write the probability of each label, not just that of the predicted one.
        progress: whether to show a progress bar, if standard error is a terminal.

    Returns:
        The number of rows.

    Raises:
        FileError: if a file can't be read or written as asked, a column is missing, or a row's text is not one; the
            message names the place.
    """
    if Path(source).exists() and Path(target).exists() and Path(source).samefile(target):
        raise FileError(f"{target}: input and output are the same file; write to another")
    with open_reader(source, kind) as reader:
        text_column = choose_text_column(reader, kind, text_column)
        new = prediction_columns(classifier, probabilities, taken=reader.columns)
        columns = [*reader.columns, *new]
        if kind_of(target) == "txt":
            if probabilities:
                raise FileError(f"{target}: a txt file holds labels only; for probabilities write .tsv, .csv or .jsonl")
            columns = new[:1]
        count = 0
        with (
            open_writer(target, columns, reader.schema) as writer,
            tqdm(total=reader.size, unit=reader.unit, unit_scale=True, disable=None if progress else True) as bar,
        ):
            checked = (check_text(row, text_column, reader, number) for number, row in enumerate(reader, 1))
            scored = classifier.map_ahead(
                lambda rows: classifier.scores([row[text_column] for row in rows]), chunks(checked, CHUNK_SIZE)
            )
            for rows, scores in scored:
                cells = prediction_cells(classifier, scores, probabilities)
                for number, (row, predicted) in enumerate(zip(rows, cells, strict=True), count + 1):
                    if clash := row.keys() & set(new):
                        raise FileError(
                            f"{source}, row {number}: has a field {min(clash)!r}, which the first row lacks"
                        )
                    row.update(zip(new, predicted, strict=True))
                writer.write(rows)
                count += len(rows)
                bar.set_postfix(texts=count, refresh=False)
                bar.update(reader.position - bar.n)
    return count


def prediction_columns(classifier: Classifier, probabilities: bool = False, taken: Iterable[str] = ()) -> list[str]:
    """The names of the columns that hold predictions.

    `label`; then, in a model of one label a text, its `probability`; then, if they are asked for or several labels may
    hold, `probability_NAME` for each label. A regression model has `label` only. Where the file has a column of one of
    these names already, all of them begin with `predicted_`.

    Raises:
        FileError: if the file has a column of those names, too.
    """
    columns = ["label"]
    if classifier.problem_type == "single_label_classification":
        columns.append("probability")
    if classifier.problem_type == "multi_label_classification" or (probabilities and len(columns) > 1):
        columns += [f"probability_{label}" for label in classifier.labels]
    taken = set(taken)
    if taken & set(columns):
        columns = [f"predicted_{column}" for column in columns]
    if clash := taken & set(columns):
        raise FileError(f"the input has a column {min(clash)!r} already, where the prediction would go; rename it")
    return columns


def prediction_cells(
    classifier: Classifier, scores: NDArray[np.float32], probabilities: bool = False
) -> Iterator[list[Any]]:
    """The values of `prediction_columns` for each row of `scores`, probabilities with 6 decimals."""
    labels = classifier.decide(scores)
    several = classifier.problem_type == "multi_label_classification"
    one = classifier.problem_type == "single_label_classification"
    for label, row in zip(labels, scores.tolist(), strict=True):
        cells: list[Any] = [label]
        if one:
            cells.append(round(max(row), 6))
        if several or (one and probabilities):
            cells += [round(score, 6) for score in row]
        yield cells
