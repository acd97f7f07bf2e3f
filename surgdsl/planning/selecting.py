"""Selecting: which places of a model a selector means, and what is said where it means none or only what is held.

Paths are those of the user's modules; whatever is refused comes with the nearest ones that would do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from surgdsl.axis.unification import Pin
from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Diagnostic, Refusal, suggest
from surgdsl.language.program import StepDecl
from surgdsl.surgery.rewrite import layers

FEW = 6


def selected(step: StepDecl, paths: Iterable[str]) -> frozenset[str]:
    """The paths that the selector means.

    Raises:
        Refusal: E0501, none.
    """
    known = list(dict.fromkeys(paths))
    found = frozenset(path for path in known if step.selector.matches(path))
    if found or not known:
        return found
    near = [place for place in {suggest(one.text.lstrip("@"), known) for one in step.selector.include} if place]
    helps = tuple(f"did you mean `@{place}`?" for place in sorted(near)) or (f"there are {places(known)}",)
    told = f"`{step.selector.text}` means no place in the model"
    raise Refusal(Diagnostic("E0501", told, step.selector.span, "nothing is called so", help=helps))


def weights(step: StepDecl, state: State) -> tuple[str, ...]:
    """The matrices and kernels of the meant layers, by name; biases and statistics are small, and stay.

    Raises:
        Refusal: E0501, there are none.
    """
    found = layers(state)
    paths = selected(step, found)
    operations = state.net.graph.operations
    names = [name for path, group in found.items() if path in paths for name in group]
    bases = (payload.base for name in names if (payload := operations[name].payload))
    return tuple(base for base in bases if step.means(base))


def idle(step: StepDecl, reasons: Sequence[str], instead: Sequence[str] = ()) -> Refusal:
    """E0504: the step can change nothing of what it means; `instead` are paths that it could."""
    label = "nothing here can be changed by this rule"
    helps = (*reasons[:FEW], *_instead(instead))
    return Refusal(
        Diagnostic("E0504", f"step `{step.name}` would change nothing", step.selector.span, label, help=helps)
    )


def held(step: StepDecl, reasons: Sequence[str], instead: Sequence[str]) -> Refusal:
    """E0503: whatever the step means reaches an interface; `instead` are paths whose axes do not."""
    told = f"`{step.selector.text}` means only what an interface holds"
    label = "every axis that is written here reaches a wire that must stay"
    helps = (*reasons[:FEW], *_instead(instead))
    return Refusal(Diagnostic("E0503", told, step.selector.span, label, help=helps))


def by_interface(pin: Pin) -> bool:
    """Whether an axis is pinned by an input, an output or an inner wire of an interface, and by no operation."""
    return pin.reason.startswith(("reaches input", "reaches output", "reaches boundary"))


def _instead(paths: Sequence[str]) -> tuple[str, ...]:
    return (f"it could change {places(paths)}",) if paths else ()


def places(paths: Sequence[str]) -> str:
    """Some paths as a user writes them."""
    return f"{', '.join('@' + path for path in paths[:FEW])}{' …' if len(paths) > FEW else ''}"
