"""A criterion, checked: what it makes of one weight, as a formula, or the Python that does.

Where its tensors come from at run time is written in the names of its variables: `w`, ``grad(w)``, ``activation(w)``.
"""

from __future__ import annotations

from fractions import Fraction

from attrs import field, frozen

from surgdsl.diagnostic import NOWHERE, Span
from surgdsl.formula import EVERY, Formula, variables

BATCH = "B"
"""The axis of rows."""
Setting = Fraction | int | str
"""What a criterion may be told besides the weight and the data."""


@frozen
class Criterion:
    """`formula` scores the weight `parameter` over `axes`; the scores are over `result`.

    ``("*",)`` stands for all axes of whatever weight comes. `extras` are the axes of an activation between its rows and
    its channels. A criterion without a formula is the Python of `reference`, or the `primitive` of the library so
    called, which may read `data`. `settings` are the arguments that it was called with.
    """

    name: str
    parameter: str
    axes: tuple[str, ...]
    result: tuple[str, ...]
    formula: Formula | None = None
    extras: tuple[str, ...] = ()
    reference: str = ""
    primitive: str = ""
    data: bool = False
    settings: tuple[tuple[str, Setting], ...] = ()
    span: Span = field(default=NOWHERE, eq=False, repr=False, kw_only=True)

    @property
    def reads(self) -> frozenset[str]:
        """What it reads besides the weight: ``grad``, ``grad[B]``, ``activation``, ``activation[cout]``, ``data``."""
        if self.data:
            return frozenset({"data"})
        names = () if self.formula is None else variables(self.formula)
        return frozenset(name.partition("(")[0] for name in names if "(" in name)

    @property
    def text(self) -> str:
        """Its name and its settings.

        >>> Criterion("lp", "w", ("*",), ("*",), settings=(("p", 3),)).text
        'lp(p = 3)'
        """
        said = ", ".join(f"{name} = {value}" for name, value in self.settings)
        return f"{self.name}({said})" if said else self.name

    @property
    def single(self) -> bool:
        """Whether it scores single weights, which can be summed to whatever is removed."""
        return self.result == (EVERY,)

    @property
    def judging(self) -> tuple[str, ...]:
        """Its axes with the one that it judges first."""
        if self.single or self.axes == (EVERY,):
            return self.axes
        judged = self.result[0]
        return (judged, *(axis for axis in self.axes if axis != judged))
