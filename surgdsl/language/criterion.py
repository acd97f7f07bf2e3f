"""A criterion, checked: what it makes of one weight, as a formula, or the Python that does.

Where its tensors come from at run time is written in the names of its variables: `w`, ``grad(w)``, ``activation(w)``.
"""

from __future__ import annotations

from attrs import field, frozen

from surgdsl.diagnostic import NOWHERE, Span
from surgdsl.formula import EVERY, Formula, variables

BATCH = "B"
"""The axis of rows."""


@frozen
class Criterion:
    """`formula` scores the weight `parameter` over `axes`; the scores are over `result`.

    ``("*",)`` stands for all axes of whatever weight comes. `extras` are the axes of an activation between its rows and
    its channels. A criterion without a formula is the Python of `reference`.
    """

    name: str
    parameter: str
    axes: tuple[str, ...]
    result: tuple[str, ...]
    formula: Formula | None = None
    extras: tuple[str, ...] = ()
    reference: str = ""
    span: Span = field(default=NOWHERE, eq=False, repr=False, kw_only=True)

    @property
    def reads(self) -> frozenset[str]:
        """What it reads besides the weight: ``grad``, ``activation``."""
        names = () if self.formula is None else variables(self.formula)
        return frozenset(name.partition("(")[0] for name in names if "(" in name)

    @property
    def single(self) -> bool:
        """Whether it scores single weights, which can be summed to whatever is removed."""
        return self.result == (EVERY,)

    @property
    def judging(self) -> tuple[str, ...]:
        """Its axes with the one that it judges first."""
        judged = self.result[0]
        return self.axes if self.single else (judged, *(axis for axis in self.axes if axis != judged))
