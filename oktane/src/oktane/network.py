"""Load the network of a trained folder, from config.json and model.safetensors."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import _engine
from .folders import WITH_TORCH, LoadError, UnsupportedError
from .loading import FLOATS, Fields, Weights, read_json
from .pair_network import PairModel, PairNgrams, PairVectors
from .problem_type import ProblemType, Threshold

CELLS = {"okt_lstm": "lstm", "okt_gru": "gru", "okt_rnn": "rnn"}
GATES = {"lstm": 4, "gru": 3, "rnn": 1}
NGRAMS = "okt_ngram"
POOLINGS = ("last", "mean", "max", "max_mean", "max_mean_last")

# Weights, (outputs, pooled size), and bias, (outputs,).
Head: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32]]


class Model(NamedTuple):
    """A network and what its logits mean.

    Attributes:
        network: The network, which maps token ids to logits.
        model_type: The `model_type` of config.json.
        labels: The names of the labels, in the order of their ids.
        problem_type: The problem type.
        vocab_size: Number of tokens in the vocabulary.
        abstain_below: See `BaseClassifier`.
        text_pair: See `BaseClassifier`.
        threshold: See `BaseClassifier`.
        stride: See `BaseClassifier`.
    """

    network: "_engine.Network | _engine.Ngrams | WideAndDeep | PairModel"
    model_type: str
    labels: list[str]
    problem_type: ProblemType
    vocab_size: int
    abstain_below: float | None = None
    text_pair: bool = False
    threshold: Threshold = 0.5
    stride: int | None = None


class WideAndDeep(NamedTuple):
    """A recurrent network and a linear model over n-grams, whose logits are added (Cheng et al., 2016)."""

    deep: _engine.Network
    wide: _engine.Ngrams

    def run(self, ids: NDArray[np.int32], row_splits: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the logits of texts; see `_engine.Network.run`."""
        return self.deep.run(ids, row_splits) + self.wide.run(ids, row_splits)


def load_model(folder: Path) -> Model:
    """Load the network of a trained folder.

    Raises:
        LoadError: If a file is missing or damaged, or holds something that can't be run here.
        ValueError: If the environment variable OKTANE_CPU asks for kernels that this processor doesn't have.
    """
    path = folder / "config.json"
    config = Fields(path, read_json(path))
    model_type = config.values.get("model_type")
    if model_type not in (*CELLS, NGRAMS):
        raise UnsupportedError(
            f"{path}: model_type is {model_type!r}, and oktane runs {', '.join((*CELLS, NGRAMS))} only; for others use "
            "transformers.pipeline"
        )
    names = _label_names(config)
    count = len(names) if names else config.integer("num_labels", 2)
    known = [kind.value for kind in ProblemType]
    problem_type = ProblemType(config.choice("problem_type", known, ProblemType.default(count).value))
    vocab_size = config.integer("vocab_size", 20000)
    _refuse_other_classes(config, "ForSequenceClassification", "classifier")
    weights = Weights(_weights_file(folder))
    text_pair = config.boolean("text_pair", False)
    build = _pair_model if text_pair else _ngrams if model_type == NGRAMS else _classifier
    # The count may be any number until the weights have confirmed it.
    network = build(config, weights, vocab_size, count)
    labels = names or [f"LABEL_{index}" for index in range(count)]
    abstain_below = config.optional_probability("abstain_below")
    threshold = config.optional_probabilities("thresholds", count) or 0.5
    stride = None if config.values.get("stride") is None else config.integer("stride", 0, least=0)
    return Model(network, model_type, labels, problem_type, vocab_size, abstain_below, text_pair, threshold, stride)


def load_encoder_network(folder: Path) -> _engine.Network:
    """Load the network of a sentence encoder, whose outputs are the vectors of texts.

    Raises:
        LoadError: If a file is missing or damaged, or holds something that can't be run here.
        ValueError: If the environment variable OKTANE_CPU asks for kernels that this processor doesn't have.
    """
    path = folder / "config.json"
    config = Fields(path, read_json(path))
    if config.values.get("model_type") not in list(CELLS):
        raise LoadError(
            f"{path}: model_type is {config.values.get('model_type')!r}, and oktane encodes with {', '.join(CELLS)} "
            "only; for others use sentence_transformers.SentenceTransformer"
        )
    _refuse_other_classes(config, "Model", "encoder")
    return _encoder(config, Weights(_weights_file(folder)), config.integer("vocab_size", 20000), "")


def kernels() -> str:
    """Return the name of the kernels to use: the fastest, or those that OKTANE_CPU names.

    Raises:
        ValueError: If this processor doesn't have them.
    """
    names = _engine.kernel_names()
    chosen = os.environ.get("OKTANE_CPU") or names[0]
    if chosen not in names:
        raise ValueError(f"OKTANE_CPU is {chosen!r}, but this processor can run {', '.join(names)}")
    return chosen


def _weights_file(folder: Path) -> Path:
    path = folder / "model.safetensors"
    if not path.exists() and (folder / "model.safetensors.index.json").exists():
        raise UnsupportedError(
            f"{folder} has its weights in several files; save them in one, with a larger max_shard_size, or use "
            f"{WITH_TORCH}"
        )
    return path


def _refuse_other_classes(config: Fields, suffix: str, wanted: str) -> None:
    """Raise LoadError for a model of another kind, such as a language model.

    Args:
        config: The configuration.
        suffix: How the names of the classes that are wanted end.
        wanted: What they are.
    """
    classes = config.values.get("architectures") or []
    if not isinstance(classes, list):
        raise config.error("architectures", "a list of class names")
    if classes and not any(str(name).endswith(suffix) for name in classes):
        others = {
            "ForSequenceClassification": "oktane.load",
            "ForTokenClassification": "okt_lstm.load_tagger",
            "Model": "oktane.load_encoder",
        }
        other = next((call for end, call in others.items() if str(classes[0]).endswith(end)), None)
        raise LoadError(
            f"{config.path}: this is a {classes[0]}, not a{'n' if wanted[0] in 'aeiou' else ''} {wanted}; load it with "
            + (other or f"okt_lstm.{classes[0]}.from_pretrained")
        )


def _label_names(config: Fields) -> list[str] | None:
    """Return the names of the labels; `None` if config.json has none."""
    names = config.values.get("id2label")
    if names is None:
        return None
    expected = "distinct names by label id, from 0 on"
    if not isinstance(names, dict) or not names:
        raise config.error("id2label", expected)
    if sorted(names) != sorted(map(str, range(len(names)))) or not all(isinstance(n, str) for n in names.values()):
        raise config.error("id2label", expected)
    labels = [names[str(index)] for index in range(len(names))]
    if len(set(labels)) < len(labels):
        raise config.error("id2label", expected)
    return labels


def _classifier(config: Fields, weights: Weights, vocab_size: int, label_count: int) -> _engine.Network | WideAndDeep:
    size = config.optional_integer("projection_size")

    def head(pooled_size: int) -> Head:
        matrix = weights.floats("classifier.weight", (label_count, size or pooled_size))
        bias = weights.floats("classifier.bias", (label_count,))
        if size is None:
            return matrix, bias
        # Two linear layers in a row are one.
        projection = weights.floats("model.projection.weight", (size, pooled_size)).astype(np.float64)
        shift = weights.floats("model.projection.bias", (size,)).astype(np.float64)
        return (matrix @ projection).astype(np.float32), (matrix @ shift + bias).astype(np.float32)

    network = _recurrent(config, weights, vocab_size, "model.", head)
    num_ngrams = config.integer("num_ngrams", 0, least=0)
    if not num_ngrams:
        return network
    # The classifier has the bias of both.
    bias, length = np.zeros(label_count, np.float32), config.integer("ngram_length", 3)
    return WideAndDeep(network, _known_ngrams(weights, "ngrams", num_ngrams, bias, length, vocab_size))


def _encoder(config: Fields, weights: Weights, vocab_size: int, prefix: str) -> _engine.Network:
    """Load a recurrent network whose outputs are the vectors of texts; see `_recurrent`."""
    size = config.optional_integer("projection_size")

    def head(pooled_size: int) -> Head:
        if size is None:
            return np.eye(pooled_size, dtype=np.float32), np.zeros(pooled_size, np.float32)
        matrix = weights.floats(f"{prefix}projection.weight", (size, pooled_size))
        return matrix, weights.floats(f"{prefix}projection.bias", (size,))

    return _recurrent(config, weights, vocab_size, prefix, head)


def _pair_model(config: Fields, weights: Weights, vocab_size: int, label_count: int) -> PairModel:
    """Load a model that compares two texts."""
    parts: list[PairVectors | PairNgrams] = []
    bias = np.zeros(label_count, np.float32)
    name, length, num_buckets = "ngrams", config.integer("ngram_length", 3), 0
    if config.values["model_type"] == NGRAMS:
        name, length, num_buckets = "weights", config.integer("max_ngram", 4), config.integer("num_buckets", 2**22)
        bias = weights.floats("bias", (label_count,))
    else:
        encoder = _encoder(config, weights, vocab_size, "model.")
        matrix = weights.floats("classifier.weight", (label_count, 4 * encoder.labels))
        parts.append(PairVectors(encoder, matrix, weights.floats("classifier.bias", (label_count,))))
    if num_ngrams := config.integer("num_ngrams", 0, least=0):
        hashes = _ascending_hashes(weights, name, num_ngrams)
        parts.append(
            PairNgrams(weights.floats(f"{name}.weight", (num_ngrams, label_count)), bias, length, vocab_size, hashes)
        )
    elif num_buckets:
        matrix = weights.floats(f"{name}.weight", (num_buckets, label_count))
        parts.append(PairNgrams(matrix, bias, length, vocab_size, None))
    return PairModel(tuple(parts))


def _recurrent(
    config: Fields, weights: Weights, vocab_size: int, prefix: str, head: Callable[[int], Head]
) -> _engine.Network:
    """Load a recurrent network.

    Args:
        config: Its configuration.
        weights: Its weights.
        vocab_size: The size of its vocabulary.
        prefix: What the names of the weights begin with.
        head: Returns the linear layer on the pooled states, for their size.
    """
    cell = CELLS[config.values["model_type"]]
    embedding_size, hidden = config.integer("embedding_size", 128), config.integer("hidden_size", 64)
    directions = ("forward", "backward") if config.boolean("bidirectional", True) else ("forward",)
    separate = config.boolean("separate_directions", False)
    pooling = config.choice("pooling", POOLINGS, "last").split("_")
    width = hidden if separate else hidden * len(directions)
    gates = GATES[cell] * hidden

    name = f"{prefix}embed_tokens.weight"
    embedding, number = weights.stored(name, (vocab_size, embedding_size), (*FLOATS, "I8"))
    scales = weights.floats(f"{name}_scale", (vocab_size,)) if number == "I8" else None
    layers = []
    for layer in range(config.integer("num_hidden_layers", 2)):
        inputs = width if layer else embedding_size
        shapes = {
            "weight_ih_l0": (gates, inputs),
            "weight_hh_l0": (gates, hidden),
            "bias_ih_l0": (gates,),
            "bias_hh_l0": (gates,),
        }
        layers.append(
            [
                [
                    weights.floats(f"{prefix}layers.{layer}.{direction}_rnn.{name}", shape)
                    for name, shape in shapes.items()
                ]
                for direction in directions
            ]
        )
    pooled_size = hidden * len(directions) * len(pooling)
    return _engine.Network(
        kernels(),
        f"rnn_{config.choice('nonlinearity', ('tanh', 'relu'), 'tanh')}" if cell == "rnn" else cell,
        hidden,
        pooling,
        separate,
        embedding,
        number,
        scales,
        layers,
        *head(pooled_size),
    )


def _ngrams(config: Fields, weights: Weights, vocab_size: int, label_count: int) -> _engine.Ngrams:
    bias, length = weights.floats("bias", (label_count,)), config.integer("max_ngram", 4)
    if num_ngrams := config.integer("num_ngrams", 0, least=0):
        return _known_ngrams(weights, "weights", num_ngrams, bias, length, vocab_size)
    stored, number = weights.stored("weights.weight", (config.integer("num_buckets", 2**22), label_count))
    return _engine.Ngrams(stored, number, bias, length, vocab_size)


def _known_ngrams(
    weights: Weights, name: str, count: int, bias: NDArray[np.float32], length: int, vocab_size: int
) -> _engine.Ngrams:
    """Load the weights of `count` n-grams, which are known by their hash."""
    stored, number = weights.stored(f"{name}.weight", (count, len(bias)))
    hashes = _ascending_hashes(weights, name, count)
    return _engine.Ngrams(stored, number, bias, length, vocab_size, hashes)


def _ascending_hashes(weights: Weights, name: str, count: int) -> NDArray[np.int32]:
    hashes = weights.integers(f"{name}.hashes", (count,))
    # In another order they would not be found, in silence.
    if not (np.diff(hashes) > 0).all():
        raise LoadError(f"{weights.path}: {name}.hashes must be in ascending order")
    return hashes
