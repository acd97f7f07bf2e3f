"""Facts: what a result depends on besides its inputs, declared in the certificate and not checked by anyone.

No host, no clock, no path: two machines of one kind state the same facts.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from surgdsl.bridge.running import device


def facts(threads: int) -> Mapping[str, str]:
    """Library versions, the kind of device and the number of threads."""
    return {"device": device().type, "numpy": np.__version__, "threads": str(threads), "torch": str(torch.__version__)}
