"""Fitting: whether rows of data are what a model takes and answers, asked before anything is run on them.

torch would find out in the middle of a run, and say so in words that name neither the file nor the declaration.
"""

from __future__ import annotations

from collections.abc import Iterator

from surgdsl.axis.extent import Extent
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import NUMPY, Array
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.diagram.net import Net
from surgdsl.diagram.sort import Sort
from surgdsl.language.program import DataDecl

FLOATS = ("F64", "F32", "F16", "BF16")


def check_rows(rows: Rows, net: Net, declared: DataDecl) -> None:
    """Refuse rows that the model cannot take, or whose labels its first output cannot be compared with.

    Raises:
        Refusal: E0720 the rows do not fit, E0721 the labels do not; every reason that there is.
    """
    span = declared.source.span
    faults = [
        Diagnostic("E0720", f"the rows of `{rows.name}` do not fit the model", span, why) for why in _rows(rows, net)
    ]
    if declared.take is not None and declared.take > len(rows):
        told = f"`{rows.name}` has {len(rows)} rows, fewer than it is asked for"
        faults.append(Diagnostic("E0720", told, declared.span, f"take = {declared.take}"))
    why = _labels(rows, net.sort(net.outputs[0][1]))
    if why:
        faults.append(Diagnostic("E0721", f"the labels of `{rows.name}` do not fit the model", span, why))
    if faults:
        raise Refusal(*faults)


def _rows(rows: Rows, net: Net) -> Iterator[str]:
    wanted = [net.sort(wire) for _, wire in net.inputs]
    fit = [_fits(array, sort) for array, sort in zip(rows.inputs, wanted, strict=False)]
    if len(wanted) != len(rows.inputs) or not all(fit):
        shapes = ", ".join(f"{array.dtype}{list(array.shape)}" for array in rows.inputs)
        yield f"the rows are {shapes}, the model takes {', '.join(map(str, wanted))}"
    elif any(not sort.shape or isinstance(sort.shape[0], int) for sort in wanted):
        told = ", ".join(map(str, wanted))
        yield f"the first dimension of every input must vary, as in f32[B, …]; the model takes {told}"


def _fits(array: Array, sort: Sort) -> bool:
    return (
        array.dtype == NUMPY[sort.dtype] and array.ndim == len(sort.shape) and all(map(_equal, sort.shape, array.shape))
    )


def _equal(extent: Extent, size: int) -> bool:
    return not isinstance(extent, int) or extent == size


def _labels(rows: Rows, output: Sort) -> str:
    """Why the labels cannot be compared with `output`; empty where they can."""
    labels = rows.labels
    if labels.dtype.kind == "f":
        same = labels.ndim == len(output.shape) and all(map(_equal, output.shape[1:], labels.shape[1:]))
        return "" if same else f"they are {labels.dtype}{list(labels.shape)}, the output is {output}"
    if output.dtype not in FLOATS or len(output.shape) != 2 or not isinstance(output.shape[1], int):
        return f"classes need an output of floats of shape [rows, classes], and it is {output}"
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        return f"classes are natural numbers of shape [rows], and they are {labels.dtype}{list(labels.shape)}"
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= output.shape[1]:
        return f"they go from {low} to {high}, and the output has the classes 0 to {output.shape[1] - 1}"
    return ""
