"""surgdsl compresses a trained torch model from a short `.surg` text and leaves a certificate that others can check.

The names of the Python door are loaded when they are first used, so that `surg check`, `surg fmt` and the verifier
start without torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from surgdsl.api import Model, axes, capture, decoded, plan, reload, restrict, run, verified
    from surgdsl.diagnostic import Refusal
    from surgdsl.language import load

__version__ = "0.1.0"

__all__ = [
    "Model",
    "Refusal",
    "__version__",
    "axes",
    "capture",
    "decoded",
    "load",
    "plan",
    "reload",
    "restrict",
    "run",
    "verified",
]

DOORS = {"Refusal": "surgdsl.diagnostic", "load": "surgdsl.language"}
"""Where a name is found that is not in `surgdsl.api`."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(DOORS.get(name, "surgdsl.api")), name)
