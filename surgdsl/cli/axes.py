"""`surg axes`: lists what can be cut in a model, and why the rest cannot."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from surgdsl.cli.check import named
from surgdsl.cli.output import Voice
from surgdsl.diagnostic import Diagnostic, Refusal, hint
from surgdsl.language import program as checked
from surgdsl.operations.coupling import couple
from surgdsl.planning.opening import open_model
from surgdsl.report.axes import records, told


def axes(file: str, /, *, model: Annotated[str | None, Parameter()] = None, voice: Voice | None = None) -> int:
    """List the axes of a model: size, coupled tensors, and the reason of every pin.

    Args:
        file: The .surg file that declares the model.
        model: Which model, where the file declares several.
        voice: How to speak.
    """
    voice = voice or Voice()
    voice.begin()
    program = checked(named(file))
    known = {one.name: one for one in program.models}
    if (model is None and len(known) != 1) or (model is not None and model not in known):
        near = hint(model, tuple(known)) if model else ""
        told_so = f"there is no model `{model}`" if model else "which model of the file?"
        raise Refusal(Diagnostic("E0510", told_so, label=near, help=(f"the file has {', '.join(known) or 'none'}",)))
    state, _ = open_model(program, known[model] if model else next(iter(known.values())))
    coupling = couple(state.net)
    for line in told(coupling):
        voice.say(line)
    for record in records(coupling):
        voice.line(record)
    return 0
