"""What is known of a trained model: the content of its card, and of the file that cards are rendered from."""

import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from oktane.problem_type import ProblemType

from ..data.description import DataDescription, DataFile
from ..models.configuration_lstm import ClassifierConfig
from .quoting import code_span

CARD_NAME = "card.json"
"""The file of a trained folder that holds a `TrainedModel`, beside the card `README.md`."""

BASELINE = "TF-IDF"
"""What cards call the baseline: TF-IDF of character 1- to 4-grams with logistic regression."""

_PACKAGES = ("okt-lstm", "oktane", "torch", "transformers", "tokenizers", "datasets", "evaluate")

_TASKS = {
    ProblemType.SINGLE_LABEL: "gives each {text} one of {count} labels: {names}",
    ProblemType.MULTI_LABEL: "gives each {text} any number of {count} labels: {names}",
    ProblemType.REGRESSION: "gives each {text} a number",
}
_EXAMPLES = ("영상이 아름답고 감동적이었다", "결말이 너무 실망스러웠다")


def describe(config: ClassifierConfig, num_parameters: int, problem_type: ProblemType, labels: Sequence[str]) -> str:
    """Say in two sentences what a network is and what it does.

    Args:
        config: The configuration.
        num_parameters: The number of weights.
        problem_type: The problem type.
        labels: The names of the classes by id; empty for regression.
    """
    names = ", ".join(map(code_span, labels))
    text = "pair of texts" if config.text_pair else "text"
    task = _TASKS[problem_type].format(text=text, count=len(labels), names=names)
    return f"A {config.network} over Okt morphemes, with {num_parameters:,} parameters. It {task}."


def examples_for(config: ClassifierConfig) -> list[Any]:
    """Return what a card shows how to classify: texts, or a pair of them as `pipeline` takes it."""
    if config.text_pair:
        return [dict(zip(("text", "text_pair"), _EXAMPLES, strict=True))]
    return list(_EXAMPLES)


def package_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that matter to a result."""
    versions = {"Python": platform.python_version()}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions


def machine_name() -> str:
    """Say in a few words what machine this is."""
    threads = torch.get_num_threads()
    machine = f"{platform.system()} {platform.machine()} with {threads} thread{'s' if threads > 1 else ''}"
    return f"{machine}, {torch.cuda.get_device_name()}" if torch.cuda.is_available() else machine


@dataclass(frozen=True)
class TrainedModel:
    """What a card says about a training run.

    Attributes:
        name: The model's id on the Hub if it has one, else the name of its folder.
        license: The license of the weights, as the Hub writes it.
        description: What the network is and does; see `describe`.
        model_type: The kind of network, such as "lstm".
        problem_type: The problem type.
        max_length: The number of tokens after which the tokenizer truncates.
        data: What it was trained and tested on.
        hyperparameters: The hyperparameters by name, for readers.
        seconds: How long training took.
        epochs: The scores on the validation split after each epoch, by name ("epoch", "loss", "accuracy", ...).
        results: Scores by name, of the splits "validation" and, if there is one, "test".
        pictures: Titles of the pictures beside the card, by file name.
        vocabulary: Where the vocabulary comes from, in a sentence.
        selection: How the model was chosen, in a sentence.
        baselines: The scores of other ways on the last split of `results`, by the name of the way.
        classes: The figures of each class on that split, as `per_class.scores_by_class` returns them.
        warnings: Sentences that a reader must not miss, such as that all rows were given one class.
        calibration: What its probabilities are worth, in a sentence.
        stride: The number of tokens that windows of longer texts have in common; None if those are truncated.
        examples: What the card shows how to classify; see `examples_for`.
        versions: The versions of Python and the packages; by default, those installed.
        machine: The machine that trained; by default, this one.
    """

    name: str
    license: str
    description: str
    model_type: str
    problem_type: ProblemType
    max_length: int
    data: DataDescription
    hyperparameters: Mapping[str, Any]
    seconds: float
    epochs: Sequence[Mapping[str, float]]
    results: Mapping[str, Mapping[str, float]]
    pictures: Mapping[str, str]
    vocabulary: str = "The vocabulary was built from the training rows alone."
    selection: str = "The epoch was chosen on the validation split."
    baselines: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    classes: Sequence[Mapping[str, Any]] = field(default_factory=list)
    warnings: Sequence[str] = field(default_factory=list)
    calibration: str = "Its probabilities were not calibrated."
    stride: int | None = None
    examples: Sequence[Any] = _EXAMPLES
    versions: Mapping[str, str] = field(default_factory=package_versions)
    machine: str = field(default_factory=machine_name)

    def to_json(self) -> dict[str, Any]:
        """Return what `CARD_NAME` holds: plain values that JSON can write."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "TrainedModel":
        """Make a trained model from what `to_json` returned and JSON read back.

        Raises:
            ValueError: The content is not that of a trained model.
        """
        try:
            data = dict(content["data"])
            data["files"] = tuple(DataFile(**file) for file in data["files"])
            data["notes"] = tuple(data["notes"])
            fields = {"problem_type": ProblemType(content["problem_type"]), "data": DataDescription(**data)}
            return cls(**(dict(content) | fields))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not the content of a {CARD_NAME}: {error}") from None
