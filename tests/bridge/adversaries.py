"""Adversaries: what breaks a derivation that guesses, each with the verdict that is right.

A verdict is ``exact`` where some axis under the operation can be cut exactly, ``approximate`` where a cut is told to be
another function, ``pinned`` where the operation lets none be cut.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from attrs import frozen
from torch import nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from tests.bridge.awkward import numbered
from tests.bridge.zoo import (
    Case,
    Conv,
    Linear,
    gated_by_one,
    image,
    row,
    shuffled,
    tied,
    weight,
    with_dead_branch,
)


@frozen
class Adversary:
    """A case and what must come of it."""

    case: Case
    verdict: Literal["exact", "approximate", "pinned"]
    under: tuple[str, ...]
    """The axes under the operation; others may be there."""


def under_channels(function: Callable[[Any], Any]) -> Case:
    """Six channels under `function`, which must keep their number."""
    return image(lambda m, x: m.o(function(F.relu(m.a(x)))), None, a=lambda: Conv(3, 6, 3), o=lambda: Conv(6, 2, 1))


def reused(m: Any, x: Any) -> Any:
    return m.o(m.a(F.relu(m.a(F.relu(m.i(x))))))


def tied_words(m: Any, x: Any) -> Any:
    y = m.table(numbered(x))
    return F.linear(F.relu(m.i(y)) + y, m.table.weight)


def through_a_view(m: Any, x: Any) -> Any:
    y = F.linear(x, m.w.view(6, 5), m.b.view(2, 3).flatten())
    return m.o(F.relu(y))


ORDER = (3, 0, 5, 1, 4, 2)

ADVERSARIES: Mapping[str, Adversary] = {
    "flip": Adversary(under_channels(lambda y: y.flip(1)), "pinned", ("a:out",)),
    "flip of rows, not channels": Adversary(under_channels(lambda y: y.flip(2)), "exact", ("a:out",)),
    "roll": Adversary(under_channels(lambda y: y.roll(2, 1)), "pinned", ("a:out",)),
    "index in another order": Adversary(under_channels(lambda y: y[:, list(ORDER)]), "pinned", ("a:out",)),
    "index_select": Adversary(
        image(
            lambda m, x: m.o(F.relu(m.a(x)).index_select(1, m.order)), None,
            a=lambda: Conv(3, 6, 3), o=lambda: Conv(6, 2, 1), order=lambda: torch.tensor(ORDER),
        ),
        "pinned", ("a:out",),
    ),
    "channel shuffle": Adversary(
        image(
            shuffled, None, a=lambda: Conv(3, 8, 3), d=lambda: Conv(8, 8, 3, groups=2), e=lambda: Conv(8, 2, 1)
        ),
        "exact", ("d:filters",),
    ),
    "pixel_shuffle": Adversary(
        image(
            lambda m, x: m.o(F.pixel_shuffle(F.relu(m.a(x)), 2)), None,
            a=lambda: Conv(3, 12, 3), o=lambda: Conv(3, 2, 1),
        ),
        "exact", ("model:shuffled",),
    ),
    "cat with its own flip": Adversary(
        image(
            lambda m, x: m.o(torch.cat([F.relu(m.a(x)), F.relu(m.a(x)).flip(1)], 1)), None,
            a=lambda: Conv(3, 6, 3), o=lambda: Conv(12, 2, 1),
        ),
        "pinned", ("a:out",),
    ),
    "cumsum": Adversary(under_channels(lambda y: y.cumsum(1)), "exact", ("a:out",)),
    "softmax over channels": Adversary(under_channels(lambda y: y.softmax(1)), "approximate", ("a:out",)),
    "mean over channels": Adversary(
        under_channels(lambda y: y * y.mean(1, keepdim=True)), "approximate", ("a:out",)
    ),
    "GroupNorm": Adversary(
        image(
            lambda m, x: m.o(m.n(m.a(x))), None,
            a=lambda: Conv(3, 6, 3), n=lambda: nn.GroupNorm(2, 6), o=lambda: Conv(6, 2, 1),
        ),
        "approximate", ("n:group",),
    ),
    "tied embedding": Adversary(
        Case(tied_words, ((4,),), lambda: {"table": nn.Embedding(9, 6), "i": Linear(6, 6)}), "exact", ("i:out",)
    ),
    "a module used twice": Adversary(
        row(reused, None, i=lambda: Linear(5, 6), a=lambda: Linear(6, 6), o=lambda: Linear(6, 3)), "exact", ("i:out",)
    ),
    "two modules with one weight": Adversary(
        Case(lambda m, x: m.o(m.b(F.relu(m.a(F.relu(m.i(x)))))), ((5,),), tied), "exact", ("i:out",)
    ),
    "a parameter through a view": Adversary(
        row(through_a_view, None, w=lambda: weight(30), b=lambda: weight(6), o=lambda: Linear(6, 3)),
        "exact", ("b:0/0", "b:0/1"),
    ),
    "a dead branch": Adversary(
        row(with_dead_branch, None, i=lambda: Linear(5, 6), dead=lambda: Linear(6, 9), o=lambda: Linear(6, 3)),
        "exact", ("i:out",),
    ),
    "a gate of one channel": Adversary(
        image(
            lambda m, x: m.o(F.relu(m.a(x)) * torch.sigmoid(m.g(x))), None,
            a=lambda: Conv(3, 6, 3), g=lambda: Conv(3, 1, 3), o=lambda: Conv(6, 2, 1),
        ),
        "exact", ("a:out",),
    ),
    "a gate cut out of the channels": Adversary(
        image(gated_by_one, None, a=lambda: Conv(3, 6, 3), e=lambda: Conv(6, 2, 1)),
        "exact", ("a:out/before", "a:out/after"),
    ),
    "the largest of the channels": Adversary(
        under_channels(lambda y: y * (-y).amax(1, keepdim=True)), "approximate", ("a:out",)
    ),
    "sort": Adversary(
        row(lambda m, x: m.o(m.i(x).sort(1)[0]), None, i=lambda: Linear(5, 6), o=lambda: Linear(6, 3)),
        "pinned", ("i:out",),
    ),
}  # fmt: skip
"""The operations of the issue's battery, and some more."""
