"""Capture: a torch module becomes a net and its weights, through torch.export without decompositions.

Exporting keeps `linear`, `conv2d` and `batch_norm` whole, which is what the axis algebra reads. Bookkeeping (size
queries, assertions) disappears; writing in place is turned into its plain form where nothing else sees the memory,
and refused where something does.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.fx import config
from torch.utils import _pytree as pytree

from surgdsl.bridge.reading import Dynamic, Reading
from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Diagnostic, Refusal


def capture(
    module: nn.Module,
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    dynamic: Dynamic | None = None,
    ranges: Mapping[str, tuple[int, int]] | None = None,
) -> State:
    """The net of `module` in eval mode, numbered canonically, with its weights.

    Args:
        module: any module that torch.export accepts; it is left as it was.
        args, kwargs: example inputs; a dimension that varies needs an example of at least 2.
        dynamic: the dimensions that vary, by input name.
        ranges: lowest and highest size of each symbol.

    Raises:
        Refusal: E0601 where the module cannot be exported, E0602 where what it exports to cannot be a net.
    """
    with _evaluating(module):
        program = _exported(module, tuple(args), dict(kwargs or {}), dynamic or {}, ranges or {})
        return Reading(program, dynamic or {}).state()


@contextmanager
def _evaluating(module: nn.Module) -> Any:
    """Eval mode for a while; afterwards every submodule is in the mode in which it was."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode


@contextmanager
def _lean() -> Any:
    """A sixth of an export's time goes to notes of where every node was called in Python, and to collecting garbage."""
    collecting, noting = gc.isenabled(), config.do_not_emit_stack_traces
    config.do_not_emit_stack_traces = True
    gc.disable()
    try:
        yield
    finally:
        config.do_not_emit_stack_traces = noting
        if collecting:
            gc.enable()


def _exported(
    module: nn.Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    dynamic: Dynamic,
    ranges: Mapping[str, tuple[int, int]],
) -> torch.export.ExportedProgram:
    names = {name for sizes in dynamic.values() for name in sizes.values()}
    symbols = {name: _dimension(name, ranges.get(name)) for name in names}
    try:
        shapes = _shapes(module, args, kwargs, dynamic, symbols) if dynamic else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch speaks of its own internals, as of the flat weights of an LSTM
            with _lean():
                return torch.export.export(module, args, kwargs, dynamic_shapes=shapes, strict=False)
    except Refusal:
        raise
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = lines[0] if lines else type(error).__name__
        raise Refusal(
            Diagnostic("E0601", "the model cannot be exported", help=(f"torch.export says: {reason}",))
        ) from error


def _dimension(name: str, bounds: tuple[int, int] | None) -> Any:
    low, high = bounds or (1, 1 << 20)
    return torch.export.Dim(name, min=low, max=high)


def _shapes(
    module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], dynamic: Dynamic, symbols: Mapping[str, Any]
) -> Any:
    """The `dynamic_shapes` of torch.export: a tree as the arguments are, by the names of the forward's parameters."""
    import inspect

    bound = inspect.signature(module.forward).bind(*args, **kwargs).arguments
    unknown = set(dynamic) - set(bound)
    if unknown:
        raise Refusal(
            Diagnostic("E0601", "the model cannot be exported", help=(f"its forward has no argument `{min(unknown)}`",))
        )
    return {
        name: {place: symbols[size] for place, size in dynamic[name].items()}
        if name in dynamic
        else pytree.tree_map(_static, value)
        for name, value in bound.items()
    }


def _static(leaf: object) -> None:
    """No dimension of this argument varies."""
    del leaf
