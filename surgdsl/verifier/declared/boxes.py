"""Kinds of boxes: what a rule of the file may be made of, each an operator with its weights and its arguments.

An argument that a box does not state has its default: nothing is guessed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pkgutil import get_data
from typing import Any

STATED = object()  # an argument without a default
SIZES = object()  # one that is the sizes of the box
NONE = {"none": True}
ANY = -1  # as many inputs and targets as a box has, and every argument stated
WORDS = {"stated": STATED, "sizes": SIZES, "none": NONE}
TABLE = get_data("surgdsl.verifier.declared", "boxes.txt") or b""  # from a folder or from an archive


@dataclass(frozen=True, slots=True)
class Tensor:
    """A weight of a box: its port, over how many of the sizes it lies, and what it reads as where it may be absent."""

    port: str
    rank: int
    neutral: float | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind: its operator, what its sizes are called, its weights in order, its arguments, and which are free.

    `spread` is how often a single integer is written in the arguments that are lists; `ahead` says that weights stand
    before what the box reads.
    """

    operator: str
    words: tuple[str, ...] = ()
    weights: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])
    free: tuple[str, ...] = ()
    inputs: int = 1
    spread: int = 0
    ahead: bool = False


def default(text: str) -> Any:
    """What an argument is unless it is stated, as a graph holds it."""
    found = WORDS[text] if text in WORDS else json.loads(text)
    return {"float": found.hex()} if type(found) is float else found


def kinds() -> dict[str, Kind]:
    """The table, read once."""
    lines, found = TABLE.decode().replace("\n  ", " ").splitlines(), dict[str, Kind]()
    for line in (line for line in lines if line and line[0] != "#"):
        names, operator, ports, words, tensors, arguments = (cell.strip() for cell in line.split("|"))
        rows = re.findall(r"(\w+)=(\w+):(\d):?(\d?)", tensors)
        weights = {name: Tensor(port, int(rank), float(at) if at else None) for name, port, rank, at in rows}
        given, order = re.findall(r"(\??)(\w+)=(\S+)", arguments), ports.split()
        values, free = {name: default(text) for _, name, text in given}, tuple(name for mark, name, _ in given if mark)
        spread = int(("0", *re.findall(r"(\d)d\.", operator))[-1])
        rest = weights, values, free, len(order) - len(weights), spread, order[0] in weights
        found |= {n: Kind(f"aten.{operator.replace('NAME', n)}", (*words.split(),), *rest) for n in names.split()}
    return found


KINDS = kinds()
