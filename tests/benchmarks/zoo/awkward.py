"""Small networks, each awkward in one way: those that a pruning library's own tests are made of, and adversaries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from entry import Entry
from torch import Tensor

from tests.bridge.adversaries import ADVERSARIES
from tests.bridge.awkward import AWKWARD, named
from tests.bridge.cases import CASES
from tests.bridge.zoo import Case

COUNTERPARTS = (
    "concatenation", "slices", "slices that overlap", "gated halves", "flatten", "view", "channels last and back",
    "batch norm", "batch norm without scale", "residual", "grouped", "groups in groups", "depthwise",
    "depthwise with a multiplier", "squeeze and excitation", "densely connected", "mobile", "one dimension",
    "three dimensions", "batch in the reshape", "heads", "three in one", "mixer", "two outputs",
    "an output in the middle", "buffers", "layer norm",
)  # fmt: skip
"""Cases of the tests that belong to the same list."""


def entries() -> Iterator[Entry]:
    """Architectures, then adversaries."""
    for name, case in AWKWARD.items():
        yield _entry("awkward architectures", name, case)
    for name in COUNTERPARTS:
        yield _entry("awkward architectures", name, CASES[name])
    for name, one in ADVERSARIES.items():
        yield _entry("adversaries", name, one.case, one.under)


def _entry(family: str, name: str, case: Case, under: tuple[str, ...] = ()) -> Entry:
    dynamic = {port: {0: "B"} for port, _ in zip("xy", case.shapes, strict=False)}
    return Entry(family, name, partial(named, case), partial(_inputs, case), dynamic, under=under)


def _inputs(case: Case, batch: int) -> Mapping[str, Tensor]:
    return dict(zip("xy", case.inputs(batch, seed=batch), strict=False))
