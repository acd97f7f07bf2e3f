"""Choosing: which model or surgery of a file a command means.

The one that is named, or the only one; never the first of several.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from surgdsl.diagnostic import Diagnostic, Refusal, hint
from surgdsl.language.program import ModelDecl, Program, SurgeryDecl, SweepDecl

Declared = TypeVar("Declared", ModelDecl, SurgeryDecl, SweepDecl)


def model(program: Program, name: str | None) -> ModelDecl:
    """The model called `name`, or the only one of the file.

    Raises:
        Refusal: E0510, the file has none, has several, or has none of this name.
    """
    return _one("model", {one.name: one for one in program.models}, name)


def surgery(program: Program, name: str | None) -> SurgeryDecl:
    """The surgery called `name`, or the only one of the file.

    Raises:
        Refusal: E0510, the file has none, has several, or has none of this name.
    """
    return _one("surgery", {one.name: one for one in program.surgeries}, name)


def sweep(program: Program, name: str | None) -> SweepDecl:
    """The sweep called `name`, or the only one of the file.

    Raises:
        Refusal: E0510, the file has none, has several, or has none of this name.
    """
    return _one("sweep", {one.name: one for one in program.sweeps}, name)


def _one(kind: str, known: Mapping[str, Declared], name: str | None) -> Declared:
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    if name is not None and name in known:
        return known[name]
    if not known:
        raise Refusal(Diagnostic("E0510", f"this file declares no {kind}"))
    told = f"there is no {kind} `{name}`" if name else f"which {kind} of the file?"
    near = (hint(name, known),) if name and hint(name, known) else ()
    raise Refusal(Diagnostic("E0510", told, help=(*near, f"the file has {', '.join(known)}")))
