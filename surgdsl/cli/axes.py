"""`surg axes`: lists what can be cut in a model, and why the rest cannot."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from surgdsl.cli.check import named
from surgdsl.cli.output import Voice
from surgdsl.language import program as checked
from surgdsl.operations.coupling import couple
from surgdsl.planning import choosing
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
    state, _ = open_model(program, choosing.model(program, model))
    coupling = couple(state.net)
    for line in told(coupling):
        voice.say(line)
    for record in records(coupling):
        voice.line(record)
    return 0
