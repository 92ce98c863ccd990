"""Write a trained LSTM classifier as an ONNX graph, for `benchmark_models.py`, which imports this; it is not a program.

The graph is built of ONNX's own operators. Its LSTM takes the lengths of the rows, so rows of different lengths can be
in one batch. onnx and onnxruntime come with the extra `benchmark`.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file

OPSET = 21
FLOAT_NAME, INT8_NAME = "model.onnx", "model-int8.onnx"
TOKENIZER_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "user_dictionary.txt")


class Graph:
    """An ONNX graph that grows node by node. Each method returns the name of what it added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: NDArray[np.generic] | list[int]) -> str:
        """Add a constant; a list is int64."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, operator: str, *inputs: str, outputs: tuple[str, ...] = (), **attributes: object) -> str:
        """Add a node and return its first output. By default it has one, whose name is made up."""
        outputs = outputs or (f"{operator}_{len(self.nodes)}",)
        self.nodes.append(helper.make_node(operator, inputs, outputs, **attributes))
        return outputs[0]

    def join_directions(self, states: str, order: list[int], shape: list[int]) -> str:
        """Put the directions of states side by side: transpose to `order`, then merge the last two dimensions."""
        return self.node("Reshape", self.node("Transpose", states, perm=order), self.constant(shape))


def write_onnx(folder: Path, target: Path) -> None:
    """Write a trained folder's network in float32 and with weights in int8, beside its tokenizer.

    The graph maps `ids`, int64 `(time, batch)`, and `lengths`, int32 `(batch,)`, to `logits`, `(batch, labels)`.

    Args:
        folder: The folder of an LSTM classifier whose layers read both directions.
        target: The folder to write; it is made if needed.

    Raises:
        ValueError: If the model is of another kind.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if config["model_type"] != "okt_lstm" or not config["bidirectional"] or config["separate_directions"]:
        raise ValueError(f"{folder}: only LSTM models whose layers read both directions can be written as ONNX here")
    weights = {name: np.asarray(array, np.float32) for name, array in load_file(folder / "model.safetensors").items()}

    graph = Graph()
    states = graph.node("Gather", graph.constant(weights["model.embed_tokens.weight"]), "ids")  # (time, batch, width)
    for layer in range(config["num_hidden_layers"]):
        outputs = (
            f"states_{layer}",
            f"final_{layer}",
        )  # (time, directions, batch, hidden), (directions, batch, hidden)
        inputs = [graph.constant(array) for array in lstm_weights(weights, layer)]
        options = {"direction": "bidirectional", "hidden_size": config["hidden_size"], "outputs": outputs}
        graph.node("LSTM", states, *inputs, "lengths", **options)
        states = graph.join_directions(outputs[0], [0, 2, 1, 3], [0, 0, -1])  # (time, batch, width)

    pooled = []
    time_axis = graph.constant([0])
    if "max" in config["pooling"]:
        highest = graph.node("ReduceMax", hide_padding(graph, states), time_axis, keepdims=0)
        is_empty = graph.node("Equal", "lengths", graph.constant(np.int32([0])))
        is_empty = graph.node("Unsqueeze", is_empty, graph.constant([1]))
        pooled.append(graph.node("Where", is_empty, graph.constant(np.float32(0)), highest))
    if "mean" in config["pooling"]:
        total = graph.node("ReduceSum", states, time_axis, keepdims=0)  # the states of padding are zero
        count = graph.node("Cast", graph.node("Max", "lengths", graph.constant(np.int32([1]))), to=TensorProto.FLOAT)
        pooled.append(graph.node("Div", total, graph.node("Unsqueeze", count, graph.constant([1]))))
    if "last" in config["pooling"]:
        pooled.append(graph.join_directions(outputs[1], [1, 0, 2], [0, -1]))
    head = [graph.constant(weights[f"classifier.{name}"]) for name in ("weight", "bias")]
    graph.node("Gemm", graph.node("Concat", *pooled, axis=1), *head, transB=1, outputs=("logits",))

    value = helper.make_tensor_value_info
    inputs = [
        value("ids", TensorProto.INT64, ["time", "batch"]),
        value("lengths", TensorProto.INT32, ["batch"]),
    ]
    logits = value("logits", TensorProto.FLOAT, ["batch", len(config["id2label"])])
    model = helper.make_model(
        helper.make_graph(graph.nodes, "classifier", inputs, [logits], graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=10,
    )
    onnx.checker.check_model(model)
    target.mkdir(parents=True, exist_ok=True)
    onnx.save(model, target / FLOAT_NAME)
    quantize_dynamic(target / FLOAT_NAME, target / INT8_NAME, weight_type=QuantType.QInt8)
    for name in TOKENIZER_FILES:
        if (folder / name).exists():
            shutil.copyfile(folder / name, target / name)


def lstm_weights(weights: dict[str, NDArray[np.float32]], layer: int) -> list[NDArray[np.float32]]:
    """Return a layer's input weights, recurrent weights and biases, with a first dimension for the directions."""

    def joined(name: str) -> NDArray[np.float32]:
        directions = [weights[f"model.layers.{layer}.{direction}_rnn.{name}"] for direction in ("forward", "backward")]
        # torch's gates are input, forget, cell, output; ONNX's are input, output, forget, cell.
        return np.stack([np.concatenate([np.split(array, 4)[gate] for gate in (0, 3, 1, 2)]) for array in directions])

    biases = np.concatenate([joined("bias_ih_l0"), joined("bias_hh_l0")], axis=1)
    return [joined("weight_ih_l0"), joined("weight_hh_l0"), biases]


def hide_padding(graph: Graph, states: str) -> str:
    """Return the states, `(time, batch, width)`, with the lowest number in those of padding."""
    time = graph.node("Squeeze", graph.node("Shape", "ids", start=0, end=1))
    steps = graph.node("Range", graph.constant(np.int64(0)), time, graph.constant(np.int64(1)))
    is_padding = graph.node(
        "GreaterOrEqual",
        graph.node("Unsqueeze", graph.node("Cast", steps, to=TensorProto.INT32), graph.constant([1, 2])),
        graph.node("Unsqueeze", "lengths", graph.constant([0, 2])),
    )  # (time, batch, 1)
    return graph.node("Where", is_padding, graph.constant(np.finfo(np.float32).min), states)
