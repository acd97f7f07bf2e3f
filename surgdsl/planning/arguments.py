"""Arguments of steps, as the families read them: checked where only their value can be at fault."""

from __future__ import annotations

from fractions import Fraction

from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.language.program import DataName, StepDecl


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


def whole(step: StepDecl, name: str) -> int:
    """A whole number: bits, or a count."""
    value = step.arguments[name]
    assert isinstance(value, int)
    return value


def data(step: StepDecl, name: str = "calibrate") -> str:
    """The name of the rows that a step is measured on."""
    value = step.arguments[name]
    assert isinstance(value, DataName)
    return value.name


def contradiction(step: StepDecl, told: str) -> Refusal:
    """E0207: options that exclude each other."""
    return Refusal(Diagnostic("E0207", f"the options of `{step.name}` do not go together", step.span, told))


def needed(step: StepDecl, name: str, why: str) -> Refusal:
    """E0205: an argument that others ask for."""
    return Refusal(Diagnostic("E0205", f"`{step.rule}` needs `{name}` here", step.span, why))
