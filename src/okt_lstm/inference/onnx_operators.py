"""An ONNX graph that grows node by node."""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """An ONNX graph that grows node by node. Each method returns the name of what it added."""

    FLOAT = TensorProto.FLOAT

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: Any) -> str:
        """Add a constant; a list is int64."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def scalar(self, value: np.generic) -> str:
        """Add a constant without dimensions."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, operator: str, *inputs: str, outputs: tuple[str, ...] = (), **attributes: Any) -> str:
        """Add a node and return its first output. By default it has one, whose name is made up."""
        outputs = outputs or (f"{operator}_{len(self.nodes)}",)
        self.nodes.append(helper.make_node(operator, inputs, outputs, **attributes))
        return outputs[0]
