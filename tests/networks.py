"""Small networks as real ONNX files, built node by node: what an operator may put behind a plug, right and wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_CORNER = 8  # px of the picture's upper left corner that say what colour the wall has


def keep(
    path: Path,
    nodes: list[Any],
    sides: tuple[int | str | None, ...],
    constants: dict[str, Any] | None = None,
    *,
    kind: int = TensorProto.FLOAT,
    output: tuple[int | str | None, ...] | None = None,
    name: str = "answer",
) -> Path:
    """Write a network that takes `picture` and gives `answer`."""
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("picture", kind, list(sides))],
        [helper.make_tensor_value_info(name, kind, None if output is None else list(output))],
        [numpy_helper.from_array(np.asarray(value), key) for key, value in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(path))
    return path


def wall_network(
    path: Path,
    sides: tuple[int | str | None, ...] = (1, 3, 512, 512),
    *,
    logits: bool = False,
    deviation: float = 0.5,
) -> Path:
    """Write a network that calls person what differs from the colour of the upper left corner.

    `deviation` is what its pictures are divided by.
    """
    nodes = [
        helper.make_node("Slice", ["picture", "start", "end", "axes"], ["corner"]),
        helper.make_node("ReduceMean", ["corner"], ["wall"], axes=[2, 3], keepdims=1),
        helper.make_node("Sub", ["picture", "wall"], ["off"]),
        helper.make_node("Abs", ["off"], ["far"]),
        helper.make_node("ReduceMax", ["far"], ["most"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["most", "threshold"], ["above"]),
        helper.make_node("Mul", ["above", "steep"], ["answer" if logits else "raw"]),
    ]
    if not logits:
        nodes.append(helper.make_node("Sigmoid", ["raw"], ["answer"]))
    constants = {
        "start": np.array([0, 0], np.int64),
        "end": np.array([_CORNER, _CORNER], np.int64),
        "axes": np.array([2, 3], np.int64),
        "threshold": np.array(0.08 / deviation, np.float32),
        "steep": np.array(80.0 * deviation, np.float32),
    }
    return keep(path, nodes, sides, constants)


def flat_network(
    path: Path, value: float, sides: tuple[int | str | None, ...] = (1, 3, 64, 64), channels: int = 1
) -> Path:
    """Write a network that says the same of every pixel, in so many channels."""
    nodes = [helper.make_node("Conv", ["picture", "kernel", "bias"], ["answer"])]
    constants = {
        "kernel": np.zeros((channels, 3, 1, 1), np.float32),
        "bias": np.full(channels, value, np.float32),
    }
    return keep(path, nodes, sides, constants)


def pool_network(path: Path, side: int = 112, numbers: int = 8) -> Path:
    """Write an encoder of faces: their coarse picture, as a vector."""
    step = side // numbers
    nodes = [
        helper.make_node(
            "AveragePool", ["picture"], ["coarse"], kernel_shape=[step, step], strides=[step, step]
        ),
        helper.make_node("Flatten", ["coarse"], ["answer"]),
    ]
    return keep(path, nodes, ("batch", 3, side, side))
