"""Sources: the one door through which Python of the user's comes in, as models and as rows of data.

A module is looked for beside the `.surg` file first, then among what is installed. Whatever it raises is told as a
diagnostic with the place in the file that named it; the traceback of somebody else's code is not ours to print.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch
from attrs import field, frozen
from torch import nn

from surgdsl.bridge.arguments import DTYPES, to_array
from surgdsl.bridge.weight import NUMPY, Array, sealed
from surgdsl.diagnostic import Diagnostic, Refusal, Span

READABLE = tuple(dtype for name, dtype in NUMPY.items() if name != "BF16")
"""The dtypes of rows."""


def _all_sealed(arrays: Sequence[Array]) -> tuple[Array, ...]:
    return tuple(map(sealed, arrays))


@frozen(slots=False, eq=False)
class Rows:
    """Labelled rows: one array for each input of the model, and the labels; all have the same first dimension."""

    name: str
    inputs: tuple[Array, ...] = field(converter=_all_sealed)
    labels: Array = field(converter=sealed)

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, count: int | None) -> Rows:
        """The first `count` rows."""
        return (
            self
            if count is None
            else Rows(self.name, tuple(array[:count] for array in self.inputs), self.labels[:count])
        )


def build_module(reference: str, folder: Path, span: Span | None) -> nn.Module:
    """The module that ``module:attribute()`` builds.

    Raises:
        Refusal: E0605, the reference does not lead to something that builds a torch module.
    """
    made = answer(reference, folder, span)
    if not isinstance(made, nn.Module):
        raise bad(reference, span, f"it returned {type(made).__name__}, not a torch module")
    return made


def read_rows(name: str, reference: str, folder: Path, span: Span | None) -> Rows:
    """The rows that ``module:attribute()`` gives: a pair (inputs, labels); inputs is a tensor or a tuple of tensors.

    Raises:
        Refusal: E0605, it gives something else; E0720, the rows do not fit together.
    """
    made = answer(reference, folder, span)
    if not isinstance(made, tuple) or len(made) != 2:
        raise bad(reference, span, "it must return a pair (inputs, labels)")
    inputs, labels = made
    try:
        arrays = [_array(one) for one in (inputs if isinstance(inputs, (tuple, list)) else (inputs,))]
        answers = _array(labels)
    except TypeError as error:
        raise bad(reference, span, str(error)) from error
    lengths = {len(array) if array.ndim else -1 for array in (*arrays, answers)}
    if len(lengths) != 1 or lengths <= {-1, 0}:
        sizes = ", ".join(str(list(array.shape)) for array in (*arrays, answers))
        raise Refusal(
            Diagnostic(
                "E0720", f"the rows of `{name}` do not fit together", span, f"inputs and labels have the shapes {sizes}"
            )
        )
    return Rows(name, arrays, answers)


def _array(value: Any) -> Array:
    if isinstance(value, torch.Tensor):
        if value.dtype not in DTYPES or value.dtype == torch.bfloat16:
            raise TypeError(f"rows of {value.dtype} cannot be read")
        return to_array(value)
    if not isinstance(value, np.ndarray):
        raise TypeError(f"rows are tensors or numpy arrays, not {type(value).__name__}")
    array: Array = value
    if array.dtype not in READABLE:
        raise TypeError(f"rows of {array.dtype} cannot be read")
    return array


def answer(reference: str, folder: Path, span: Span | None, *arguments: Any) -> Any:
    """What ``module:attribute(arguments)`` returns: the word of somebody else's code, to be checked by who asked.

    Raises:
        Refusal: E0605, it cannot be called so.
    """
    module, _, attribute = reference.partition(":")
    try:
        with _beside(folder), redirect_stdout(sys.stderr):  # results alone go to standard output
            return getattr(importlib.import_module(module), attribute)(*arguments)
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:
        raise bad(reference, span, f"{type(error).__name__}: {error}") from error


def source_digest(reference: str, folder: Path, span: Span | None) -> str:
    """The SHA-256 of the Python file that holds ``module:attribute``.

    Raises:
        Refusal: E0605, there is none.
    """
    module = reference.partition(":")[0]
    try:
        with _beside(folder), redirect_stdout(sys.stderr):
            return hashlib.sha256(Path(str(importlib.import_module(module).__file__)).read_bytes()).hexdigest()
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:
        raise bad(reference, span, f"its source cannot be read: {error}") from error


@contextmanager
def _beside(folder: Path) -> Generator[None]:
    """Imports find modules in `folder` first, for a while; those of the same name from elsewhere are forgotten."""
    place = str(folder.resolve())
    for name, module in list(sys.modules.items()):
        home = getattr(module, "__file__", None)
        if (
            home
            and "." not in name
            and name not in sys.stdlib_module_names
            and (folder / f"{name}.py").exists()
            and Path(home).resolve() != (folder / f"{name}.py").resolve()
        ):
            del sys.modules[name]
    sys.path.insert(0, place)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        if place in sys.path:
            sys.path.remove(place)


def bad(reference: str, span: Span | None, reason: str) -> Refusal:
    """E0605, with the reason."""
    return Refusal(Diagnostic("E0605", f'python("{reference}") cannot be used', span, " ".join(reason.split())[:300]))
