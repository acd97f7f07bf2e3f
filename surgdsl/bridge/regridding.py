"""Regridding: layers of a user's own class read through the grids that a surgery put between them.

A grid is an operation of the net and no weight; without it, a result that was reloaded would compute something else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from attrs import frozen
from torch import nn

from surgdsl.bridge.reloading import CONVOLUTIONS, read_params, unfit

RULE = "fake-quantize/1"


@frozen
class Grid:
    """The points ``scale · (q − zero)`` for q from `low` to `high`."""

    scale: float
    zero: int
    low: int
    high: int


def regrid(module: nn.Module, folder: Path) -> nn.Module:
    """Let the layers that read through a grid in a result do so here.

    Raises:
        Refusal: E0608, the weight that reads through a grid is not that of a linear layer or a convolution.
    """
    layers = dict(module.named_modules())
    for base, grid in _grids(folder).items():
        path, _, name = base.rpartition(".")
        layer = layers.get(path)
        if name != "weight" or not isinstance(layer, (*CONVOLUTIONS, nn.Linear)):
            raise unfit(f"`{base}` reads through a grid, and belongs to no linear layer or convolution of the class")
        layer.register_forward_pre_hook(partial(_through, grid))
    return module


def _through(grid: Grid, layer: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """What a layer is given, its first input rounded."""
    del layer
    first, *others = inputs
    return (torch.fake_quantize_per_tensor_affine(first, grid.scale, grid.zero, grid.low, grid.high), *others)


def _grids(folder: Path) -> dict[str, Grid]:
    """By the name of a weight, the grid through which its layer reads."""
    predicate = json.loads((folder / "certificate" / "cert.json").read_bytes())["predicate"]
    graph = json.loads((folder / "certificate" / "blobs" / predicate["input"]["graphBlob"]).read_bytes())
    bases = {f"w{wire}": base for wire, base in _params(graph["operations"], dict(enumerate(graph["wires"])))}
    found: dict[str, Grid] = {}
    for step in predicate["steps"]:
        place = dict(step["match"]["wires"])
        wires = {wire["id"]: wire for wire in (*step["left"]["wires"], *step["right"]["wires"])}
        for wire, base in _params(step["right"]["operations"], wires):
            bases[place.get(wire, f"s{step['index']}.{wire[1:]}")] = base
        if step["rule"] == RULE:
            grid, *readers = step["right"]["operations"]
            made = _grid(dict(grid["attributes"]))
            found |= {bases[place[reader["sources"][1]]]: made for reader in readers}
    return found


def _params(operations: list[dict[str, Any]], wires: Mapping[Any, dict[str, Any]]) -> Iterator[tuple[Any, str]]:
    """The wire and the name of every weight among some operations."""
    params = [operation for operation in operations if operation["op"] == "param"]
    for operation, stored in zip(params, read_params(params, wires), strict=True):
        yield operation["targets"][0], stored.base


def _grid(attributes: Mapping[str, Any]) -> Grid:
    scale = attributes["scale"]
    number = float.fromhex(scale["float"]) if isinstance(scale, dict) else float(scale)
    return Grid(number, attributes["zero_point"], attributes["quant_min"], attributes["quant_max"])
