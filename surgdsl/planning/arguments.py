"""Arguments of steps, as the families read them: checked where only their value can be at fault."""

from __future__ import annotations

from fractions import Fraction

from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.language.program import StepDecl


def ratio(step: StepDecl, name: str) -> Fraction:
    """A share above 0.

    Raises:
        Refusal: E0207, it is 0.
    """
    value = step.arguments[name]
    assert isinstance(value, (Fraction, int))
    if not value:
        told = "a share of nothing leaves no model"
        raise Refusal(Diagnostic("E0207", f"`{name}` is above 0", step.span, told))
    return Fraction(value)
