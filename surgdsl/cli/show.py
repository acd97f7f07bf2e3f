"""`surg show`: prints what a file means, as the compiler understood it.

The diagram of a surgery has the stages of the model as objects and the declared steps as arrows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from cyclopts import Parameter

from surgdsl.cli.check import asked
from surgdsl.cli.output import Settings, Voice
from surgdsl.diagnostic import Refusal
from surgdsl.language import Program, SurgeryDecl
from surgdsl.language.library import unusual
from surgdsl.language.program import shown


def show(
    file: str,
    /,
    *,
    morphisms: Annotated[bool, Parameter(negative=())] = False,
    setting: Settings = (),
    voice: Voice | None = None,
) -> int:
    """Print what a .surg file means; no model is loaded.

    Args:
        file: The file, or `-` for standard input.
        morphisms: Print the diagram of every surgery: stages of the model, and the steps between them.
        setting: A value for a param of the file, as name=value.
        voice: How to speak.
    """
    voice = voice or Voice()
    voice.begin()
    try:
        program = asked(file, setting)
    except Refusal as refusal:
        voice.refuse(refusal.diagnostics)
        return refusal.exit_code
    for surgery in program.surgeries:
        for line in _diagram(program, surgery) if morphisms else _summary(program, surgery):
            voice.say(line)
        for record in _records(program, surgery):
            voice.line(record)
    if not program.surgeries:
        voice.remark("this file declares no surgery")
    if not morphisms:
        voice.remark(f"spec {program.digest}")
    voice.line({"type": "spec", "sha256": program.digest, "files": [path for path, _ in program.files]})
    return 0


def _diagram(program: Program, surgery: SurgeryDecl) -> Iterator[str]:
    graph = program.morphisms(surgery.name)
    keeps = f"   preserves {', '.join(surgery.preserve)}" if surgery.preserve else ""
    yield f"surgery {surgery.name} on {surgery.model}{keeps}"
    width = max((len(key) for _, _, key in graph.edges), default=0)
    path = graph.number_of_edges() < graph.number_of_nodes()
    for number, node in enumerate(graph.nodes):
        yield f"  {node}" if number else f"  {node}  {surgery.model} as trained"
        for _, target, key, arrow in graph.out_edges(node, keys=True, data=True):
            leads = "" if path else f" -> {target}"
            yield f"    │ {key:{width}}  {_arrow(arrow)}   line {arrow['line']}{leads}"


def _arrow(arrow: dict[str, Any]) -> str:
    decided = unusual(arrow["rule"], {name: shown(value) for name, value in arrow["arguments"].items()})
    left_open = (f"{name} = choose {{{', '.join(map(shown, values))}}}" for name, values in arrow["options"].items())
    arguments = ", ".join((*decided, *left_open))
    by = f" by {arrow['criterion']}" if arrow["criterion"] else ""
    return f"{arrow['rule']}{f'({arguments})' if arguments else ''} {arrow['selector']}{by}"


def _summary(program: Program, surgery: SurgeryDecl) -> Iterator[str]:
    model = program.model(surgery.model)
    wires = f"({', '.join(map(str, model.inputs))}) -> ({', '.join(map(str, model.outputs))})"
    yield f"surgery {surgery.name} on {model.name} : {wires}"
    yield f"  {len(surgery.steps)} steps, {len(surgery.requires)} promises, seed {surgery.seed}"
    yield from (f"  step    {step.name}: {step.rule} {step.selector.text}" for step in surgery.steps)
    yield from (f"  target  {one.text}" for one in surgery.targets)
    yield from (f"  require {one.text}" for one in surgery.requires)


def _records(program: Program, surgery: SurgeryDecl) -> Iterator[dict[str, Any]]:
    graph = program.morphisms(surgery.name)
    for node, stage in graph.nodes(data=True):
        yield {"type": "stage", "name": node, "model": stage["model"], "interfaces": list(stage["interfaces"])}
    for source, target, key, arrow in graph.edges(keys=True, data=True):
        arguments = {name: shown(value) for name, value in arrow["arguments"].items()}
        left_open = {name: [shown(value) for value in values] for name, values in arrow["options"].items()}
        record = {"type": "step", "name": key, "from": source, "to": target, **arrow}
        yield {**record, "arguments": arguments, "options": left_open}
