"""A small net in which nothing is trivial, its rows, and which slices of its weights belong to each channel."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from surgdsl.bridge.capture import capture
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import State

Slices = dict[str, dict[str, Tensor]]
"""By axis and tensor: a view whose first dimension is the axis."""


def network() -> nn.Sequential:
    """Two convolutions with batch norm, flattened into a linear layer."""
    torch.manual_seed(3)
    layers = OrderedDict[str, nn.Module](
        one=nn.Conv2d(2, 4, 3),
        norm=nn.BatchNorm2d(4),
        relu=nn.ReLU(),
        two=nn.Conv2d(4, 5, 3, bias=False),
        flat=nn.Flatten(),
        head=nn.Linear(5 * 4, 3),
    )
    net = nn.Sequential(layers)
    norm = net.get_submodule("norm")
    assert isinstance(norm, nn.BatchNorm2d)
    with torch.no_grad():
        for tensor in (norm.weight, norm.bias, norm.running_mean):
            assert tensor is not None
            tensor.copy_(torch.randn(4))
        assert norm.running_var is not None
        norm.running_var.copy_(torch.rand(4) + 0.5)
    return net.eval()


def captured(net: nn.Module) -> State:
    """The net as the house has it."""
    return capture(net, (torch.zeros(2, 2, 6, 6),), dynamic={"input": {0: "B"}})


def slices(tensors: Mapping[str, Tensor]) -> Slices:
    """Which slice of which parameter belongs to each index, in the order of the net; of those that there are."""
    every = {
        "one:out": dict.fromkeys(("one.weight", "one.bias", "norm.weight", "norm.bias"), (0, None))
        | {"two.weight": (1, None)},
        "two:out": {"two.weight": (0, None), "head.weight": (1, (3, 5, 4))},
    }
    return {
        axis: {
            name: (tensors[name] if shape is None else tensors[name].reshape(shape)).transpose(0, dimension)
            for name, (dimension, shape) in group.items()
            if name in tensors
        }
        for axis, group in every.items()
    }


def some_rows(count: int = 150) -> Rows:
    """Random images of three classes."""
    generator = np.random.default_rng(5)
    inputs = generator.standard_normal((count, 2, 6, 6)).astype(np.float32)
    return Rows("rows", (inputs,), generator.integers(0, 3, count))
