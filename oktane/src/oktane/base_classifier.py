"""What every classifier does with its logits: probabilities and predictions, for any number of texts."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple, TypeGuard, overload

import numpy as np
from numpy.typing import NDArray

from .pairs import Pair, is_pair, pair_chunks
from .parallel import refuse_container, text_chunks
from .problem_type import Prediction, ProblemType, Threshold

# Two models that give these texts the same logits, to the last bit, are the same.
PROBES = ["연기도 연출도 최고였다. 배송이 빨라요!", "시간이 아깝다", "서울 날씨 100% the end ㅋㅋㅋ", ""]


class Chunk(NamedTuple):
    """Some texts and what was computed of them.

    Attributes:
        texts: The texts, or pairs of texts.
        outputs: A classifier's logits, `(texts, labels)`, or an encoder's vectors, `(texts, dimension)`.
        truncated: How many of them were longer than the maximum length.
    """

    texts: Sequence[Any]
    outputs: NDArray[np.float32]
    truncated: int


class BaseClassifier(ABC):
    """Predicts labels and probabilities from the logits that a subclass computes.

    Attributes:
        chunk_size: How many texts a thread computes at a time.
        model_type: The model's type, such as `"okt_lstm"`.
        labels: The names of the labels, in the order of their ids.
        problem_type: The problem type. It equals the string in the model's configuration.
        max_length: Maximum number of tokens in a text; `None` for no limit.
        stride: If it is a number, longer texts are read in windows that have so many tokens in common, and their logits
            are averaged. `None`: longer texts are truncated.
        text_pair: Whether it compares two texts. Wherever a text is passed, it then takes a tuple of two.
        abstain_below: The least probability of a predicted label in single-label classification. A text without such a
            label is predicted as "unsure". `None`: every text gets a label. It may be changed.
        threshold: The least probability of a predicted label in multi-label classification: one for all labels, or one
            for each. It may be changed.
    """

    abstain_below: float | None = None
    threshold: Threshold = 0.5
    text_pair: bool = False
    model_type: str
    labels: list[str]
    problem_type: ProblemType
    max_length: int | None
    stride: int | None = None

    @property
    @abstractmethod
    def chunk_size(self) -> int: ...  # noqa: D102

    @abstractmethod
    def compute(self, chunks: Iterable[Sequence[Any]]) -> Iterator[Chunk]:
        """Compute the logits of lists of texts, in order, in constant memory and on all cores.

        Args:
            chunks: Lists of texts or pairs, or `arrow_texts.ArrowTexts`; each is computed by one thread. It is read
                only as far ahead as the threads need.
        """

    def logit_chunks(self, texts: Iterable[str | Pair]) -> Iterator[tuple[Sequence[Any], NDArray[np.float32]]]:
        """Compute the logits of any number of texts, in constant memory and on all cores.

        Args:
            texts: An iterable of texts. It is read only as far ahead as the threads need.

        Yields:
            Some texts with their logits, `(texts, labels)`.

        Raises:
            TypeError: If something is not a text; the message names its position (from 0) and type.
        """
        checked: Any = pair_chunks if self.text_pair else checked_chunks
        for chunk in self.compute(checked(texts, self.chunk_size)):
            yield chunk.texts, chunk.outputs

    def fingerprint(self) -> str:
        """Return a name for what is predicted: that of another model differs, or of another processor's arithmetic."""
        length = str(self.max_length) if self.stride is None else f"{self.max_length} by {self.stride}"
        parts = [*self.labels, self.problem_type, length, self.logits(self.probes).tobytes().hex()]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    @property
    def probes(self) -> list[Any]:
        """Some texts, or pairs of texts, that any such model can be tried on."""
        return list(zip(PROBES, PROBES[::-1], strict=True)) if self.text_pair else PROBES

    @overload
    def predict(self, texts: str | Pair, *, threshold: Threshold | None = ...) -> Prediction: ...  # type: ignore[overload-overlap]
    @overload
    def predict(self, texts: Iterable[str | Pair], *, threshold: Threshold | None = ...) -> list[Prediction]: ...
    def predict(
        self, texts: str | Iterable[str | Pair], *, threshold: Threshold | None = None
    ) -> Prediction | list[Prediction]:
        """Predict the labels of texts.

        Args:
            texts: A text, or any iterable of texts: a list, a generator, a column of a data set or a data frame. A
                model that compares two texts takes tuples of two.
            threshold: The least probability of a predicted label in multi-label classification, or that of each label.
                By default the model's.

        Returns:
            The prediction for a text, or a list of predictions in the order of the texts. A prediction is the name of
            a label. In multi-label classification it is a list of names, which may be empty. In regression it is a
            number, or a list of numbers if the model has several outputs.

        Raises:
            TypeError: If something is not a text; the message names its position (from 0) and type.
        """
        if self._is_one(texts):
            return self.predict([texts], threshold=threshold)[0]
        least = self.threshold if threshold is None else threshold
        predictions: list[Prediction] = []
        for _, scores in self.score_chunks(texts):
            predictions += self.problem_type.predictions(scores, self.labels, least, self.abstain_below)
        return predictions

    def predict_proba(self, texts: str | Iterable[str | Pair]) -> NDArray[np.float32]:
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
        if self.problem_type is ProblemType.REGRESSION:
            raise ValueError("a regression model has no probabilities: use predict()")
        if self._is_one(texts):
            return self.predict_proba([texts])[0]
        return self.scores(texts)

    def _is_one(self, texts: Any) -> TypeGuard[str | Pair]:
        return isinstance(texts, str) or (self.text_pair and is_pair(texts))

    def logits(self, texts: Iterable[str | Pair]) -> NDArray[np.float32]:
        """Return the logits of texts, `(texts, labels)`. For the errors see `logit_chunks`."""
        none = np.empty((0, len(self.labels)), np.float32)
        return np.concatenate([none, *(logits for _, logits in self.logit_chunks(texts))])

    def scores(self, texts: Iterable[str | Pair]) -> NDArray[np.float32]:
        """Return the probabilities, or the numbers of a regression model, of texts: `(texts, labels)`."""
        return self.problem_type.scores(self.logits(texts))

    def score_chunks(self, texts: Iterable[str | Pair]) -> Iterator[tuple[Sequence[Any], NDArray[np.float32]]]:
        """Yield some texts at a time with their probabilities, or with the numbers of a regression model.

        The scores have the shape `(texts, labels)`. For the memory, the threads and the errors see `logit_chunks`.
        """
        for chunk, logits in self.logit_chunks(texts):
            yield chunk, self.problem_type.scores(logits)


def checked_chunks(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    """Yield texts in lists of `size`, or fewer if they are long. Raise TypeError at the first one that is not a str."""
    refuse_container(texts)
    yield from text_chunks(map(_checked, texts, count()), size)


def _checked(text: str, position: int) -> str:
    if isinstance(text, str):
        return text
    hint = "; pass one column of the data set" if isinstance(text, Mapping) else ""
    # A column of Arrow holds its own scalars.
    hint = "; pass column.to_pylist()" if hasattr(text, "as_py") else hint
    raise TypeError(f"texts[{position}] is not a str but {type(text).__name__}: {text!r:.60}{hint}")
