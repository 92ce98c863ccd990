"""A trained recurrent classifier as an ONNX graph, built of ONNX's own operators.

ONNX's LSTM, GRU and RNN take the lengths of the rows, so rows of different lengths can be in one batch, and the graph
is exact for every length: nothing was traced with an example. What it has to match is `models/modeling_lstm.py`.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from oktane.folders import LoadError
from oktane.loading import FLOATS, Weights

from ..models.configuration_lstm import (
    ClassifierConfig,
    GRUConfig,
    LSTMConfig,
    NgramConfig,
    RecurrentConfig,
    RNNConfig,
)
from .onnx_ngrams import add_ngrams
from .onnx_operators import Graph

OPSET = 21
IR_VERSION = 10

# ONNX's operator of each cell, and the order of its gates among torch's. torch's are input, forget, cell, output (LSTM)
# and reset, update, new (GRU); ONNX's are input, output, forget, cell and update, reset, hidden.
OPERATORS: dict[str, tuple[str, tuple[int, ...]]] = {
    LSTMConfig.model_type: ("LSTM", (0, 3, 1, 2)),
    GRUConfig.model_type: ("GRU", (1, 0, 2)),
    RNNConfig.model_type: ("RNN", (0,)),
}


def build_graph(config: ClassifierConfig, weights: Weights) -> onnx.ModelProto:
    """Build the graph of a classifier.

    It maps `input_ids` and `attention_mask`, int64 `(batch, time)`, to `logits`, float32 `(batch, labels)`. Tokens
    count where the mask is 1, wherever that is; a text without any is an empty one.

    Args:
        config: Its configuration.
        weights: Its weights, of any type of floats.

    Raises:
        LoadError: If a weight is missing or has another shape.
    """
    graph = Graph()
    count = len(config.id2label or ())
    ids, lengths = _tokens_first(graph)
    if isinstance(config, NgramConfig):
        bias = graph.constant(weights.floats("bias", (count,)))
        logits = graph.node("Add", _ngrams(graph, config, weights, "weights", count, ids, lengths), bias)
    else:
        assert isinstance(config, RecurrentConfig), "as `check_kind` has seen"
        logits = _recurrent(graph, config, weights, count, ids, lengths)
        if config.num_ngrams:
            logits = graph.node("Add", logits, _ngrams(graph, config, weights, "ngrams", count, ids, lengths))
    graph.node("Identity", logits, outputs=("logits",))
    value = helper.make_tensor_value_info
    inputs = [value(name, TensorProto.INT64, ["batch", "time"]) for name in ("input_ids", "attention_mask")]
    outputs = [value("logits", TensorProto.FLOAT, ["batch", count])]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "classifier", inputs, outputs, graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="okt-lstm",
    )
    onnx.checker.check_model(model)
    return model


def _recurrent(graph: Graph, config: RecurrentConfig, weights: Weights, count: int, ids: str, lengths: str) -> str:
    """Add a recurrent network and its head, and return the logits. The ids are those of `_tokens_first`."""
    embedding = graph.constant(_embedding(weights, config))
    states = graph.node("Gather", embedding, ids)  # (time, batch, embedding)
    directions = ("forward", "backward") if config.bidirectional else ("forward",)
    stacks = [(name,) for name in directions] if config.separate_directions else [directions]
    read = [_read(graph, config, weights, stack, states, lengths) for stack in stacks]
    all_states, final = ([pair[part] for pair in read] for part in (0, 1))
    states = graph.node("Concat", *all_states, axis=2)  # (time, batch, width)
    pooled = _pool(graph, config.poolings, states, graph.node("Concat", *final, axis=1), ids, lengths)
    pooled_size = config.hidden_size * len(directions) * len(config.poolings)
    if config.projection_size is not None:
        pooled = _linear(graph, weights, "model.projection", pooled, (config.projection_size, pooled_size))
    return _linear(graph, weights, "classifier", pooled, (count, config.projection_size or pooled_size))


def _ngrams(
    graph: Graph,
    config: RecurrentConfig | NgramConfig,
    weights: Weights,
    name: str,
    count: int,
    ids: str,
    lengths: str,
) -> str:
    """Add a linear model over n-grams, and return its logits without a bias."""
    longest = config.max_ngram if isinstance(config, NgramConfig) else config.ngram_length
    rows = config.num_ngrams or getattr(config, "num_buckets", 0)
    hashes = weights.integers(f"{name}.hashes", (rows,)) if config.num_ngrams else None
    # An empty text was given one token.
    tokens = graph.node("Cast", lengths, to=TensorProto.INT64)
    zero = graph.scalar(np.int64(0))
    tokens = graph.node("Where", "is_empty", zero, graph.node("Unsqueeze", tokens, graph.constant([1])))  # (batch, 1)
    return add_ngrams(
        graph,
        graph.node("Transpose", ids, perm=[1, 0]),
        tokens,
        config.vocab_size,
        longest,
        weights.floats(f"{name}.weight", (rows, count)),
        hashes,
    )


def load_weights(folder: Path) -> Weights:
    """Open the weights of a trained folder."""
    return Weights(folder / "model.safetensors")


def _tokens_first(graph: Graph) -> tuple[str, str]:
    """Move the tokens of each row to its beginning, in their order.

    Returns:
        The ids, `(time + 1, batch)`, and how many of a row are tokens, `(batch,)`, at least 1. An empty text becomes
        one of padding, since the cells refuse a length of 0; `is_empty` tells them, `(batch, 1)`.
    """
    # One more step, so that there is one in a batch of empty texts.
    padding = graph.constant([0, 0, 0, 1])
    ids = graph.node("Pad", "input_ids", padding)
    mask = graph.node("Pad", "attention_mask", padding)  # (batch, time + 1)
    is_token = graph.node("Cast", graph.node("Cast", mask, to=TensorProto.BOOL), to=TensorProto.INT64)
    time = graph.node("Shape", ids, start=1, end=2)
    # Of equal values, TopK takes the one with the lower index first.
    order = f"order_{len(graph.nodes)}"
    graph.node("TopK", is_token, time, outputs=(f"sorted_{len(graph.nodes)}", order), axis=1)
    ids = graph.node("Transpose", graph.node("GatherElements", ids, order, axis=1), perm=[1, 0])
    count = graph.node("ReduceSum", is_token, graph.constant([1]), keepdims=0)
    graph.node("Unsqueeze", graph.node("Equal", count, graph.constant([0])), graph.constant([1]), outputs=("is_empty",))
    at_least_one = graph.node("Max", count, graph.constant([1]))
    return ids, graph.node("Cast", at_least_one, to=TensorProto.INT32)


def _embedding(weights: Weights, config: RecurrentConfig) -> NDArray[np.float32]:
    name, shape = "model.embed_tokens.weight", (config.vocab_size, config.embedding_size)
    rows, number = weights.stored(name, shape, (*FLOATS, "I8"))
    if number != "I8":
        return weights.floats(name, shape)
    return rows.view(np.int8).astype(np.float32) * weights.floats(f"{name}_scale", shape[:1])[:, None]


def _read(
    graph: Graph, config: RecurrentConfig, weights: Weights, directions: tuple[str, ...], states: str, lengths: str
) -> tuple[str, str]:
    """Read the tokens with a stack of layers.

    Args:
        graph: The graph.
        config: The configuration.
        weights: The weights.
        directions: The directions that a layer of the stack reads.
        states: The embeddings, `(time, batch, embedding)`.
        lengths: The number of tokens, `(batch,)`.

    Returns:
        The last layer's states, `(time, batch, hidden * directions)`, and the final state of each direction,
        `(batch, hidden * directions)`.
    """
    operator, gates = OPERATORS[config.model_type]
    hidden = config.hidden_size
    options: dict[str, Any] = {"hidden_size": hidden}
    options["direction"] = "bidirectional" if len(directions) == 2 else directions[0].replace("backward", "reverse")
    if operator == "GRU":
        options["linear_before_reset"] = 1
    if operator == "RNN":
        options["activations"] = ["Relu" if config.nonlinearity == "relu" else "Tanh"] * len(directions)
    final = ""
    for layer in range(config.num_hidden_layers):
        inputs = hidden * len(directions) if layer else config.embedding_size
        shapes = {
            "weight_ih_l0": (len(gates) * hidden, inputs),
            "weight_hh_l0": (len(gates) * hidden, hidden),
            "bias_ih_l0": (len(gates) * hidden,),
            "bias_hh_l0": (len(gates) * hidden,),
        }

        def joined(name: str, layer: int = layer, shapes: dict[str, tuple[int, ...]] = shapes) -> NDArray[np.float32]:
            """Return a weight of all directions, with ONNX's order of gates: (directions, gates * hidden, ...)."""
            parts = [weights.floats(f"model.layers.{layer}.{way}_rnn.{name}", shapes[name]) for way in directions]
            return np.stack([np.concatenate([np.split(part, len(gates))[gate] for gate in gates]) for part in parts])

        biases = np.concatenate([joined("bias_ih_l0"), joined("bias_hh_l0")], axis=1)
        constants = [graph.constant(value) for value in (joined("weight_ih_l0"), joined("weight_hh_l0"), biases)]
        outputs = (f"states_{len(graph.nodes)}", f"final_{len(graph.nodes)}")
        # (time, directions, batch, hidden), (directions, batch, hidden)
        graph.node(operator, states, *constants, lengths, outputs=outputs, **options)
        states = graph.node(
            "Reshape", graph.node("Transpose", outputs[0], perm=[0, 2, 1, 3]), graph.constant([0, 0, -1])
        )
        final = graph.node("Reshape", graph.node("Transpose", outputs[1], perm=[1, 0, 2]), graph.constant([0, -1]))
    return states, final


def _pool(graph: Graph, poolings: Any, states: str, final: str, ids: str, lengths: str) -> str:
    """Return the pooled states, `(batch, pooled size)`; zeros for an empty text."""
    pooled = []
    time_axis = graph.constant([0])
    if "max" in poolings:
        hidden = graph.node("Where", _is_padding(graph, ids, lengths), graph.scalar(np.finfo(np.float32).min), states)
        pooled.append(graph.node("ReduceMax", hidden, time_axis, keepdims=0))
    if "mean" in poolings:
        # The states of padding are zero.
        total = graph.node("ReduceSum", states, time_axis, keepdims=0)
        count = graph.node("Unsqueeze", graph.node("Cast", lengths, to=TensorProto.FLOAT), graph.constant([1]))
        pooled.append(graph.node("Div", total, count))
    if "last" in poolings:
        pooled.append(final)
    joined = graph.node("Concat", *pooled, axis=1)
    return graph.node("Where", "is_empty", graph.scalar(np.float32(0)), joined)


def _is_padding(graph: Graph, ids: str, lengths: str) -> str:
    """Return where there is no token: bool, `(time, batch, 1)`."""
    time = graph.node("Squeeze", graph.node("Shape", ids, start=0, end=1))
    steps = graph.node("Range", graph.scalar(np.int64(0)), time, graph.scalar(np.int64(1)))
    return graph.node(
        "GreaterOrEqual",
        graph.node("Unsqueeze", graph.node("Cast", steps, to=TensorProto.INT32), graph.constant([1, 2])),
        graph.node("Unsqueeze", lengths, graph.constant([0, 2])),
    )


def _linear(graph: Graph, weights: Weights, name: str, inputs: str, shape: tuple[int, int]) -> str:
    """Add a linear layer: (batch, shape[1]) to (batch, shape[0])."""
    matrix = graph.constant(weights.floats(f"{name}.weight", shape))
    bias = graph.constant(weights.floats(f"{name}.bias", shape[:1]))
    return graph.node("Gemm", inputs, matrix, bias, transB=1)


def check_kind(config: Any, folder: Path) -> None:
    """Refuse a model that has no graph here.

    Raises:
        LoadError: If it is none of `OPERATORS` or an n-gram model, or compares two texts.
    """
    if getattr(config, "text_pair", False):
        raise LoadError(f"{folder}: a model that compares two texts can't be written as ONNX; oktane and torch run it")
    known = (*OPERATORS, NgramConfig.model_type)
    if config.model_type not in known:
        raise LoadError(
            f"{folder}: a model of type {config.model_type!r} can't be written as ONNX; only {', '.join(known)} can"
        )
