"""Data: the auditor's rows, from a weight file or from a Python function that the auditor names.

Nothing that a certificate says is imported or opened; which log the rows belong to is told by their digests.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import torch
from attrs import frozen

from surgdsl.bridge.arguments import to_array, to_tensor
from surgdsl.bridge.source import NUMPY, read_rows
from surgdsl.bridge.weight import Array
from surgdsl.replay.machine import TORCH
from surgdsl.verifier import digest as digests
from surgdsl.verifier.reject import Reject
from surgdsl.verifier.tensors import WeightFile

REFERENCE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
NAMES = {dtype: name for name, dtype in NUMPY.items() if name != "BF16"}


@frozen(eq=False)
class Rows:
    """Labelled rows: the inputs of a model in order, the labels, and the digests that logs know them by."""

    inputs: tuple[torch.Tensor, ...]
    labels: torch.Tensor
    inputs_digest: str
    labels_digest: str


def rows(source: str) -> Rows:
    """Rows from a safetensors file with `labels` and `inputs` (or `inputs.0`, …), or from `module:function`.

    Raises:
        Reject: V17, the file does not hold rows.
        Refusal: E0605, E0720, the function does not give rows.
    """
    if REFERENCE.fullmatch(source) and not Path(source).exists():
        made = read_rows(source, source, Path.cwd(), None)
        return _rows(made.inputs, made.labels)
    file = WeightFile(str(Path(source).resolve()), "the file of rows", canonical=False)
    arrays: dict[str, Array] = {}
    for name, entry in file.entries.items():
        data = bytearray(b"".join(file.read(entry, number) for number in range(len(entry.leaves))))
        raw = torch.frombuffer(data, dtype=TORCH[entry.dtype])
        arrays[name] = to_array(raw.reshape(entry.shape))
    labels = arrays.pop("labels", None)
    wanted = ["inputs"] if "inputs" in arrays else [f"inputs.{place}" for place in range(len(arrays))]
    if labels is None or not arrays or sorted(arrays) != sorted(wanted):
        raise Reject("V17", f"{source} does not hold `labels` and `inputs`, or `inputs.0`, `inputs.1` and so on")
    return _rows(tuple(arrays[name] for name in wanted), labels)


def _rows(inputs: tuple[Array, ...], labels: Array) -> Rows:
    found = [_digest(array) for array in inputs]
    whole = found[0] if len(found) == 1 else hashlib.sha256("".join(found).encode()).hexdigest()
    plain = labels.astype(np.int64)
    tensors = tuple(to_tensor(array, NAMES[array.dtype]) for array in inputs)
    return Rows(tensors, to_tensor(plain, "I64"), whole, _digest(plain))


def _digest(array: Array) -> str:
    dtype = NAMES[array.dtype]
    return digests.tensor(dtype, array.shape, digests.leaves(dtype, array.tobytes()))
