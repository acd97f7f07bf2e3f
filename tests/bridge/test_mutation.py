"""Writing in place: a captured net computes what the module does, whoever shares the memory, or it is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch.nn import functional

from surgdsl.bridge.capture import capture
from surgdsl.diagnostic import Refusal
from tests.bridge.zoo import Linear, Wired, answers, leaves, randomised
from tests.operations.cutting import apart

Change = Callable[[Any], Any]

NAMES: Mapping[str, Change] = {
    "the same": lambda y: y,
    "a copy": lambda y: y.clone(),
    "a view": lambda y: y.view(3, 6),
    "a slice": lambda y: y[:, 2:],
    "a dropout": lambda y: functional.dropout(y, 0.5, training=False),
    "an einsum": lambda y: torch.einsum("ab->ab", y),
    "a transpose": lambda y: y.mT,
    "another reading": lambda y: y.unfold(1, 2, 1),
    "a stretched row": lambda y: y[:, :1].expand(3, 6),
    "a chunk": lambda y: y.chunk(2, 1)[0],
    "a chunk that hides it": lambda y: torch.unsafe_chunk(y, 2, 1)[0],
    "a grid": lambda y: torch.meshgrid(y[0], y[1], indexing="ij")[0],
    "a product of one": lambda y: torch.cartesian_prod(y[0]),
    "the same dtype": lambda y: y.to(torch.float32),
}

WRITES: Mapping[str, Change] = {
    "relu": lambda y: y.relu_(),
    "add": lambda y: y.add_(1.0),
    "fill": lambda y: y.fill_(2.0),
    "set a row": lambda y: y.__setitem__(0, 0.0),
    "add double": lambda y: y.add_(torch.ones(1, dtype=torch.float64) * 1.5),
}


def read_after(name: Change, write: Change) -> Change:
    def wiring(y: Any) -> Any:
        other = name(y)
        write(y)
        return other * 1.0, y * 1.0

    return wiring


def read_under_the_first_name(name: Change, write: Change) -> Change:
    def wiring(y: Any) -> Any:
        other = name(y)
        write(other)
        return other * 1.0, y * 1.0

    return wiring


def read_before(name: Change, write: Change) -> Change:
    def wiring(y: Any) -> Any:
        other = name(y) * 1.0
        write(y)
        return other, y

    return wiring


def two_names(name: Change, write: Change) -> Change:
    def wiring(y: Any) -> Any:
        first, second = name(y), name(y)
        write(first)
        return second * 1.0

    return wiring


ORDERS = {"after": read_after, "first name": read_under_the_first_name, "before": read_before, "two names": two_names}


def module(order: str, name: str, write: str) -> torch.nn.Module:
    around = ORDERS[order](NAMES[name], WRITES[write])
    return randomised(Wired(lambda m, x: around(m.a(x)), {"a": Linear(5, 6)})).eval()


def agrees(order: str, name: str, write: str) -> bool | None:
    """Whether the captured net does what the module does; None where it is refused, or where torch itself refuses."""
    x = torch.randn(3, 5, generator=torch.Generator().manual_seed(4))
    one = module(order, name, write)
    try:
        with torch.no_grad():
            wanted = leaves(one(x))
    except RuntimeError:
        return None
    try:
        state = capture(one, (x,))
    except Refusal:
        return None
    return apart(answers(state, (x,)), wanted) <= 1e-6


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("order", ORDERS)
def test_a_write_is_followed_or_refused(order: str, name: str) -> None:
    assert all(agrees(order, name, write) in {True, None} for write in WRITES)


@pytest.mark.parametrize(
    ("order", "name", "write"),
    [
        ("before", "a view", "relu"),
        ("before", "a copy", "add"),
        ("after", "a copy", "relu"),
        ("two names", "a copy", "fill"),
    ],
)
def test_harmless_writes_are_followed(order: str, name: str, write: str) -> None:
    assert agrees(order, name, write) is True


@pytest.mark.parametrize(
    ("order", "name", "write"),
    [
        ("after", "a dropout", "relu"),
        ("first name", "an einsum", "add"),
        ("two names", "a grid", "relu"),
        ("before", "a copy", "add double"),
    ],
)
def test_writes_that_others_see_are_refused(order: str, name: str, write: str) -> None:
    assert agrees(order, name, write) is None


@pytest.mark.parametrize("place", [0, 1])
def test_results_of_one_operator_lie_apart(place: int) -> None:
    def wiring(m: Any, x: Any) -> Any:
        found = m.a(x).topk(4, dim=1)
        found[0].div_(found[0].sum(1, keepdim=True))
        return found[place] * 1.0, found[0] * 2.0

    one = randomised(Wired(wiring, {"a": Linear(5, 6)})).eval()
    x = torch.randn(3, 5, generator=torch.Generator().manual_seed(4))
    assert apart(answers(capture(one, (x,)), (x,)), leaves(one(x))) <= 1e-6


def test_parts_of_one_tensor_do_not() -> None:
    def wiring(m: Any, x: Any) -> Any:
        y = m.a(x)
        first, _ = torch.unsafe_chunk(y, 2, 1)
        first.add_(1.0)
        return y * 1.0

    with pytest.raises(Refusal, match="E0602"):
        capture(randomised(Wired(wiring, {"a": Linear(5, 6)})).eval(), (torch.ones(3, 5),))
