"""Disorder: what is said to a user whose file gives no order where one is needed, or claims one away.

A conflict is told by what a user wrote and sees: two steps with their lines, the weights between them, and the order
to write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from surgdsl.diagnostic import Diagnostic, Note, Refusal, Span
from surgdsl.language.composition import arrows, extension
from surgdsl.language.program import StepDecl, SurgeryDecl
from surgdsl.planning.ordering import Finding, Ordering

FITTED: Mapping[str, str] = {
    "mask": "a mask keeps the largest of the elements that are there when its step runs",
    "quantize": "codes are fitted to a weight as it is when their step runs",
    "quantize_activations": "grids are measured on what passes when their step runs",
    "recalibrate": "statistics are measured on what passes when their step runs",
    "correct_bias": "errors are measured on what passes when their step runs",
}
"""Rules whose result depends on what was done before, with the reason."""
TRAINED = "training reads every weight and moves it"
FEW = 3


def check_order(surgery: SurgeryDecl, found: Ordering) -> None:
    """Refuse steps that nothing orders although their order matters, and steps side by side that are not independent.

    Raises:
        Refusal: E0502 and E0509, one diagnostic for each pair.
    """
    faults = tuple(_faults(surgery, found.findings))
    if faults:
        raise Refusal(*faults)


def _faults(surgery: SurgeryDecl, findings: Sequence[Finding]) -> Iterator[Diagnostic]:
    steps = {step.name: step for step in surgery.steps}
    advice = suggested(surgery, findings)
    for one in findings:
        if surgery.order is not None and one.verdict != "independent":
            yield _claimed(surgery, steps, one)
        elif one.verdict == "order matters":
            yield _unordered(steps, one, advice)


def suggested(surgery: SurgeryDecl, findings: Sequence[Finding]) -> str:
    """An order to write: that of the declarations, unless some of it cannot be carried out."""
    needed = frozenset((last, first) for first, last in (one.impossible for one in findings if one.impossible))
    return f"order {' >> '.join(extension([step.name for step in surgery.steps], needed))}"


def _unordered(steps: Mapping[str, StepDecl], one: Finding, advice: str) -> Diagnostic:
    first, second = steps[one.first], steps[one.second]
    return Diagnostic(
        "E0502",
        f"the order of `{one.first}` and `{one.second}` matters, and the file does not give it",
        name_span(second),
        between(one),
        (Note(name_span(first), "and this step"),),
        (f"say which comes first: {advice}", *reasons(first, second, one)),
    )


def _claimed(surgery: SurgeryDecl, steps: Mapping[str, StepDecl], one: Finding) -> Diagnostic:
    assert surgery.order is not None
    first, second = steps[one.first], steps[one.second]
    spans = {arrow.name: arrow.span for arrow in arrows(surgery.order)}
    claim = spans[min(one.first, one.second, key=lambda name: spans[name].start)].to(
        spans[max(one.first, one.second, key=lambda name: spans[name].start)]
    )
    if one.verdict == "joinable":
        advice = (f"either order gives the same model: `{one.first} >> {one.second}` will do",)
    else:
        forth, back = _readable(one)
        advice = (f"write `{forth}`" + (f" or `{back}`, whichever is meant" if back else ""),)
    notes = tuple(Note(name_span(step), told) for step, told in ((first, between(one)), (second, "and this step")))
    told = f"`{one.first}` and `{one.second}` are not independent"
    return Diagnostic(
        "E0509", told, claim, "side by side claims that they are", notes, (*advice, *reasons(first, second, one))
    )


def _readable(one: Finding) -> tuple[str, str]:
    """The orders that can be carried out; the second is empty where there is only one."""
    forth, back = f"{one.first} >> {one.second}", f"{one.second} >> {one.first}"
    if one.impossible is None:
        return forth, back
    return (back if one.impossible == (one.first, one.second) else forth), ""


def between(one: Finding) -> str:
    """What stands between two steps, in one phrase."""
    if one.impossible is not None:
        first, last = one.impossible
        return f"`{last}` cannot be done after `{first}`"
    others = len(one.shared) - FEW
    told = ", ".join(f"`{place}`" for place in one.shared[:FEW]) + (f" and {others} more" if others > 0 else "")
    match one.kind:
        case "delete-delete":
            return f"both change {told}"
        case "delete-use":
            return f"`{one.first}` changes {told}, which `{one.second}` needs"
        case "use-delete":
            return f"`{one.second}` changes {told}, which `{one.first}` needs"
        case None:
            return f"which of them is first decides {told or 'what the other one does'}"


def reasons(first: StepDecl, second: StepDecl, one: Finding) -> tuple[str, ...]:
    """Why the two orders differ, as far as the rules tell."""
    if one.verdict != "order matters":
        return ()
    found = [FITTED[step.rule] for step in (first, second) if step.rule in FITTED]
    found += [TRAINED] * (first.recover is not None or second.recover is not None)
    found += [f"`{one.unforeseen}` ranks the weights as they are when it runs"] * (one.unforeseen is not None)
    return tuple(dict.fromkeys(found))


def name_span(step: StepDecl) -> Span:
    """Where the name of a step stands in its declaration."""
    span = step.span
    place = span.text.find(step.name, len("step"))
    return span if place < 0 else Span(span.source, span.start + place, span.start + place + len(step.name))
