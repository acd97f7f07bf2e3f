"""The plan, told: which step does what to which tensor, why, and what it is predicted to save.

Counted figures are exact, since shapes and encodings decide them; whatever needs a run is said to be still open.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from surgdsl.language.claim import Counted, Require
from surgdsl.language.library import unusual
from surgdsl.language.program import shown as value_shown
from surgdsl.planning.action import Action
from surgdsl.planning.claims import asks, shown
from surgdsl.planning.plan import Plan, Planned
from surgdsl.report import allotted, ordered
from surgdsl.report.figures import amount, counted, ranges, share, table
from surgdsl.rules.discharge import discharge
from surgdsl.surgery.compensating import Compensate
from surgdsl.surgery.declared import Apply
from surgdsl.surgery.prune import Prune

METRICS = ("params/1", "nnz/1", "macs/1", "size/1")
FEW = 8
"""Actions that are told of a step unless all are asked for."""


def told(plan: Plan, *, everything: bool = False) -> Iterator[str]:
    """The plan as lines of text."""
    surgery = plan.opened.surgery
    model = plan.opened.program.model(surgery.model)
    weights = model.weights.path if model.weights else "the model's own weights"
    yield f"surgery {surgery.name} on {surgery.model}    {weights}    seed {surgery.seed}"
    ports = f"({', '.join(map(str, model.inputs))}) -> ({', '.join(map(str, model.outputs))})"
    yield f"  preserve  {', '.join((*surgery.preserve, ports))}"
    if plan.chosen:
        yield f"  choose    {plan.chosen}"
    yield ""
    yield from table(tuple(_ledger(plan)))
    if plan.allocation is not None:
        yield ""
        yield from allotted.told(plan.allocation, everything=everything)
    for planned in plan.steps:
        yield ""
        yield f"  {_step(planned)}"
        yield from _evidence(planned)
        shown_actions = planned.actions if everything else planned.actions[:FEW]
        for action in shown_actions:
            yield from _action(action, planned)
        hidden = len(planned.actions) - len(shown_actions)
        if hidden:
            yield f"    … {hidden} more: surg plan --verbose"
        yield from (f"    left alone  {reason}" for reason in planned.left_alone)
        if planned.recover:
            yield f"    then recover on {planned.recover.data}"
    yield ""
    yield from ordered.told(plan)
    yield from (f"  {_promise(plan, one)}" for one in surgery.promises)
    rewrites = sum(planned.rewrites for planned in plan.steps)
    told = f"{counted(len(plan.steps), 'step')}, {counted(rewrites, 'rewrite')}"
    yield f"Plan: {told}. No interface wire is touched."


def _ledger(plan: Plan) -> Iterator[tuple[str, ...]]:
    yield ("step", "rule", "rewrites", *(metric.partition("/")[0] for metric in METRICS))
    for planned in plan.steps:
        changes = (share(planned.after[metric], planned.before[metric]) for metric in METRICS)
        yield (planned.declared.name, _call(planned), str(planned.rewrites), *changes)
    yield ("before", "", "", *(amount(metric, plan.before[metric]) for metric in METRICS))
    yield ("after", "", "", *(amount(metric, plan.after[metric]) for metric in METRICS))


def _call(planned: Planned) -> str:
    """The rule with its arguments, but for those that are as the library has them."""
    step = planned.declared
    parts = unusual(step.rule, {name: value_shown(value) for name, value in step.arguments.items()})
    by_place = dict.fromkeys(name for values in step.settled.values() for name in values)
    arguments = ", ".join((*parts, *(f"{name} by place" for name in by_place)))
    return step.rule + (f"({arguments})" if arguments else "")


def _step(planned: Planned) -> str:
    by = f" by {planned.declared.criterion}" if planned.declared.criterion else ""
    one = planned.declared
    return f"{one.name}: {one.rule} {one.selector.text}{by}   (line {one.line})"


def _evidence(planned: Planned) -> Iterator[str]:
    """What speaks for the declared rules that a step applies."""
    for schema in dict.fromkeys(action.schema for action in planned.actions if isinstance(action, Apply)):
        found = discharge(schema)
        yield f"    {schema.name} is {schema.grade}{f': {found}' if schema.grade != 'lossy' else ''}"


def _action(action: Action, planned: Planned) -> Iterator[str]:
    yield f"    {action.note}"
    if isinstance(action, Compensate):
        for prune in action.prunes:
            yield from _action(prune, planned)
    if isinstance(action, Prune):
        tensors = ", ".join(f"{name}[{dimension}]" for name, dimension in action.tensors)
        yield f"      cuts {tensors}"
        yield f"      gone {ranges(action.gone)}"
        if action.scores and action.gone:
            lost, kept = max(action.scores[i] for i in action.gone), min(action.scores[i] for i in action.keep)
            why = f"the best that goes scores {lost / 1e9:.4f}, the worst that stays {kept / 1e9:.4f} of the largest"
            yield f"      why  {planned.declared.criterion}: {why}"


def _promise(plan: Plan, one: Require) -> str:
    if isinstance(one.claim, Counted) and asks(one.claim):
        return f"require {one.text:55}  will be asked of the result, and trusted"
    if isinstance(one.claim, Counted):
        return f"require {one.text:55}  {shown(one.claim, plan.before, plan.after)}: will be proved"
    return f"require {one.text:55}  will be measured"


def records(plan: Plan) -> Iterator[dict[str, Any]]:
    """The plan as JSON objects: one a step, the order, one a promise, and the totals."""
    for planned in plan.steps:
        yield {
            "type": "step",
            "name": planned.declared.name,
            "rule": planned.declared.rule,
            "line": planned.declared.line,
            "before": dict(planned.before),
            "after": dict(planned.after),
            "actions": [_record(action) for action in planned.actions],
            "leftAlone": list(planned.left_alone),
            "recover": planned.recover.data if planned.recover else None,
        }
    if plan.allocation is not None:
        yield allotted.record(plan.allocation)
    yield from ordered.records(plan)
    for one in plan.opened.surgery.promises:
        grade = "measured" if not isinstance(one.claim, Counted) else "trusted" if asks(one.claim) else "proved"
        yield {"type": "promise", "text": one.text, "grade": grade}
    yield {"type": "plan", "before": dict(plan.before), "after": dict(plan.after)}


def _record(action: Action) -> dict[str, Any]:
    if not isinstance(action, Prune):
        return {"note": action.note}
    return {
        "note": action.note,
        "axis": action.axis,
        "keep": list(action.keep),
        "gone": list(action.gone),
        "scores": list(action.scores),
        "tensors": [{"name": name, "dimension": dimension} for name, dimension in action.tensors],
    }
