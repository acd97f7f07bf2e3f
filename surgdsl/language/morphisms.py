"""The morphisms of a program: its surgeries as a graph, stages of a model as nodes and the declared steps as arrows.

A surgery is a series-parallel diagram: `>>` puts a stage between two arrows, `|` lets both run between the same two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from surgdsl.language.composition import Arrow, Beside, Composition, Then, then
from surgdsl.language.program import DataName, Program, StepDecl, SurgeryDecl

if TYPE_CHECKING:
    import networkx as nx


def morphisms(program: Program, surgery: str | None = None) -> nx.MultiDiGraph[str]:
    """The diagram of one surgery of a program, or of all.

    Nodes are ``surgery[0]``, ``surgery[1]``, …; each carries `model`, `stage` and the interfaces that it keeps; each
    arrow is keyed by the name of its step and carries `rule`, `arguments`, `options`, `selector`, `criterion` and
    `line`.
    """
    import networkx as nx  # a tenth of a second that `check` and `fmt` need not spend

    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for one in program.surgeries if surgery is None else (program.surgery(surgery),):
        _draw(graph, one)
    return graph


def _draw(graph: nx.MultiDiGraph[str], surgery: SurgeryDecl) -> None:
    steps = {step.name: step for step in surgery.steps}
    last = _stage(graph, surgery)
    if steps:
        composed = surgery.order or then(*map(Arrow, steps))
        for step, source, target in _between(graph, surgery, composed, last):
            graph.add_edge(source, target, key=step, **_told(steps[step]))
            last = target
    if surgery.recover is not None:
        graph.add_edge(
            last, _stage(graph, surgery), key="recover", rule="recover",
            arguments={"data": DataName(surgery.recover.data)}, options={}, selector="@**", criterion=None,
            line=surgery.recover.line,
        )  # fmt: skip


def _stage(graph: nx.MultiDiGraph[str], surgery: SurgeryDecl) -> str:
    """One more stage of the model."""
    number = sum(one.startswith(f"{surgery.name}[") for one in graph.nodes)
    name = f"{surgery.name}[{number}]"
    graph.add_node(name, model=surgery.model, stage=number, interfaces=surgery.preserve)
    return name


def _between(
    graph: nx.MultiDiGraph[str], surgery: SurgeryDecl, composed: Composition, source: str, target: str | None = None
) -> list[tuple[str, str, str]]:
    """Each step with the stages between which it runs, when the whole runs from `source` to `target` (or a new one)."""
    match composed:
        case Arrow(name):
            return [(name, source, target or _stage(graph, surgery))]
        case Then((first, *rest)):
            found = _between(graph, surgery, first, source, None if rest else target)
            for place, one in enumerate(rest, 1):
                goal = target if place == len(rest) else None
                found += _between(graph, surgery, one, found[-1][2], goal)
            return found
        case Beside((first, *rest)):
            found = _between(graph, surgery, first, source, target)
            for one in rest:
                found += _between(graph, surgery, one, source, found[-1][2])
            return found
        case _:
            raise AssertionError(composed)


def _told(step: StepDecl) -> dict[str, Any]:
    return {
        "rule": step.rule, "arguments": dict(step.arguments), "options": dict(step.options),
        "selector": step.selector.text, "criterion": step.criterion, "line": step.line,
    }  # fmt: skip
