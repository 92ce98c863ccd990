"""A trained classifier of texts, which oktane or torch runs."""

from collections.abc import Iterable, Iterator, Sequence
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

import oktane
from oktane.base_classifier import BaseClassifier, Chunk
from oktane.lines import counted
from oktane.pairs import Pair
from oktane.parallel import refuse_container

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from .torch_classifier import TorchClassifier


class Classifier(BaseClassifier):
    """A trained classifier of texts.

    `okt_lstm.load` makes one, which oktane runs if it can. A classifier that is made from a model and its tokenizer is
    run by torch. The two predict the same labels, and their probabilities differ by less than 1e-4.

    Args:
        model: A sequence classifier.
        tokenizer: The tokenizer that it was trained with.
        max_length: Maximum number of tokens in a text. Longer texts are truncated. By default the tokenizer's
            `model_max_length`.

    Attributes:
        model_type: The model's type, such as `"okt_lstm"`.
        labels: The names of the labels, in the order of their ids.
        problem_type: The problem type. It equals the string in the model's configuration.
        max_length: Maximum number of tokens in a text; `None` for no limit.
        text_pair: Whether it compares two texts. Wherever a text is passed, it then takes a tuple of two.

    Example:
        >>> classifier = okt_lstm.load()
        >>> classifier.predict("연기도 연출도 최고였다")
        'positive'
        >>> classifier.predict(["연기도 연출도 최고였다", "시간이 아깝다"])
        ['positive', 'negative']
    """

    def __init__(
        self, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", max_length: int | None = None
    ) -> None:
        from .torch_classifier import TorchClassifier

        self._use(TorchClassifier(model, tokenizer, max_length))

    @classmethod
    def run_by(cls, runner: "oktane.Classifier | TorchClassifier") -> "Classifier":
        """Return a classifier that computes its logits with another one."""
        classifier = cls.__new__(cls)
        classifier._use(runner)
        return classifier

    def _use(self, runner: "oktane.Classifier | TorchClassifier") -> None:
        self._runner = runner
        self.model_type, self.max_length, self.stride = runner.model_type, runner.max_length, runner.stride
        self.labels, self.problem_type = runner.labels, runner.problem_type
        self.abstain_below, self.text_pair = runner.abstain_below, runner.text_pair
        self.threshold = runner.threshold

    def __repr__(self) -> str:
        engine = "oktane" if self.engine == "oktane" else f"torch on {self.model.device}"
        return f"Classifier({self.model_type}, {short_repr(self.labels)}, {engine})"

    @property
    def engine(self) -> Literal["oktane", "torch"]:
        """What computes the logits."""
        return "oktane" if isinstance(self._runner, oktane.Classifier) else "torch"

    @property
    def model(self) -> "PreTrainedModel":
        """The model, in evaluation mode. From the first use on, torch runs the classifier, so changes to it count."""
        return self._in_torch().model

    @property
    def tokenizer(self) -> "PreTrainedTokenizerBase":
        """The tokenizer. From the first use on, torch runs the classifier, so changes to it count."""
        return self._in_torch().tokenizer

    def _in_torch(self) -> "TorchClassifier":
        if isinstance(self._runner, oktane.Classifier):
            # torch takes seconds to import.
            from .torch_loading import load_in_torch

            self._runner = load_in_torch(
                str(self._runner.folder), device="cpu", max_length=self.max_length, stride=self.stride
            )
        return self._runner

    @property
    def chunk_size(self) -> int:
        """How many texts a thread computes at a time."""
        return self._runner.chunk_size

    def compute(self, chunks: Iterable[Sequence[Any]]) -> Iterator[Chunk]:
        """Compute the logits of lists of texts; see `BaseClassifier.compute`."""
        return self._runner.compute(chunks)

    def evaluate(self, texts: Sequence[str | Pair], labels: Sequence[Any]) -> dict[str, float]:
        """Measure how well the predictions fit the true labels.

        Args:
            texts: The texts, or pairs of texts.
            labels: The label of each text: its name, as `predict` returns it, or its id. In multi-label classification
                a list of names, or of 0 and 1 with one item per label; in regression a number.

        Returns:
            The mean loss as `loss`, and the scores of `okt_lstm.reports.metrics` for this problem type.

        Raises:
            TypeError: If something is not a text.
            ValueError: If there are no texts, not as many labels, or a label is none of the model's.
        """
        # These take seconds to import.
        import torch
        from transformers import EvalPrediction, PreTrainedConfig

        from ..data.model_labels import encode_labels
        from ..models.classification_loss import classification_loss
        from ..reports.metrics import compute_metrics_for

        refuse_container(texts)
        if len(texts) != len(labels):
            raise ValueError(f"{counted(len(texts), 'text')}, but {counted(len(labels), 'label')}")
        encoded = encode_labels(labels, self.problem_type, self.labels)
        logits = self.logits(texts)
        references = np.asarray(encoded, np.int64 if self.problem_type == "single_label_classification" else np.float32)
        scores = compute_metrics_for(self.problem_type, self.threshold)(EvalPrediction(logits, references))
        config = PreTrainedConfig.from_dict(
            {"problem_type": self.problem_type.value, "id2label": dict(enumerate(self.labels))}
        )
        loss = classification_loss(torch.from_numpy(logits), torch.from_numpy(references), config)
        return {"loss": loss.item(), **scores}
