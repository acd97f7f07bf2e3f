"""Degrees: how high the polynomials may be whose difference an instance tests, a bound that is never too low.

Numerators and denominators are counted together, a root twice, and an answer of a random function as one variable.
"""

from __future__ import annotations

from collections.abc import Mapping

from surgdsl.formula import Apply, Formula, Number, Reduce, Variable
from surgdsl.rules.instances import Instance, Placed
from surgdsl.rules.schema import Schema


def degree(schema: Schema, instance: Instance) -> int:
    """A bound of the degree of any entry of L − R, with denominators cleared."""
    size = max([1, *(int(str(one)) for side in instance.sorts for sort in side.values() for one in sort.shape)])
    left = _side(instance.left, {}, size)
    weights = {f"{clause.box}.{clause.tensor}": _formula(clause.value, size) for clause in schema.weights}
    right = _side(instance.right, weights, size)
    return max(1, max((left[port.wire] + right[port.wire] for port in schema.glue), default=1))


def _side(placed: tuple[Placed, ...], weights: Mapping[str, int], size: int) -> dict[str, int]:
    found: dict[str, int] = _Ones()
    for one in placed:
        terms = size ** len(one.box.sizes)
        own = sum(weights.get(f"{one.box.name}.{tensor.name}", 1) for tensor in one.box.kind.tensors)
        given = sum(found[wire] for wire in one.box.sources)
        many = terms if one.box.operation.startswith(("conv", "linear")) else 2
        found |= dict.fromkeys(one.box.targets, (given + own) * max(2, many))
    return found


class _Ones(dict[str, int]):
    """Wires that nothing has written yet are variables, of degree 1."""

    def __missing__(self, wire: str) -> int:
        return 1


def _formula(formula: Formula, size: int) -> int:  # noqa: PLR0911 - one case for each construct
    match formula:
        case Number():
            return 0
        case Variable():
            return 1
        case Apply("pow", (base, Number(exponent))):
            return _formula(base, size) * max(1, abs(int(exponent)))
        case Apply("sqrt", (body,)):
            return 2 * _formula(body, size)
        case Apply(_, terms):
            return sum(_formula(term, size) for term in terms)
        case Reduce(_, axes, body):
            return _formula(body, size) * size ** len(axes)
        case _:
            return 1
