"""Provenance of what a declared rule makes: which weights and numbers decide its bytes, and along which axes.

Along an axis that no clause sums over, an element is computed from elements of the same index alone; a later cut of
that axis therefore says the same as one that came first.
"""

from __future__ import annotations

from collections.abc import Mapping

from surgdsl.bridge.weight import State
from surgdsl.diagram.term import Argument, Made, Read, made
from surgdsl.formula import EVERY, Formula, Reduce, Spectral, variables, walk
from surgdsl.rules.ground import axes, numbers
from surgdsl.rules.matching import Site
from surgdsl.rules.schema import Assignment, Box, Schema
from surgdsl.surgery.rewrite import term_of


def term(clause: Assignment, box: Box, schema: Schema, state: State, site: Site, decided: Mapping[str, str]) -> Made:
    """Where the weight that `clause` makes for `box` comes from; `decided` says it of each scale."""
    tensor = box.kind.tensor(clause.tensor)
    assert tensor is not None
    mine = axes(box, tensor)
    reads = tuple(_read(one, name, mine, state, site) for one, name in _tensors(clause.value, schema, site))
    natural = tuple(place for place, axis in enumerate(mine) if _natural(axis, clause.value))
    scales = {name: told for name, told in decided.items() if name in variables(clause.value)}
    return made("rule/1", reads, {**_arguments(clause, schema, state, site), **scales}, natural)


def _tensors(formula: Formula, schema: Schema, site: Site) -> list[tuple[Box, str]]:
    """The weights of L that a formula reads and that are there."""
    boxes = {box.name: box for box in schema.left}
    split = (name.rpartition(".") for name in variables(formula))
    return [(boxes[box], tensor) for box, _, tensor in split if (box, tensor) in site.form.tensors]


def _read(box: Box, name: str, mine: tuple[str, ...], state: State, site: Site) -> Read:
    tensor = box.kind.tensor(name)
    assert tensor is not None
    pairs = tuple((mine.index(axis), place) for place, axis in enumerate(axes(box, tensor)) if axis in mine)
    return Read(term_of(state.net.graph.operations[site.form.tensors[box.name, name]]), pairs)


def _natural(axis: str, formula: Formula) -> bool:
    for one in walk(formula):
        if isinstance(one, Spectral) or (isinstance(one, Reduce) and (axis in one.axes or EVERY in one.axes)):
            return False
    return True


def _arguments(clause: Assignment, schema: Schema, state: State, site: Site) -> dict[str, Argument]:
    """Everything besides weights that decides a byte: the clause, the numbers that it reads, and what is absent."""
    operations = state.net.graph.operations
    known = {name: str(value) for name, value in site.binding.items()}
    for box in schema.left:
        known |= {
            name: str(value)
            for name, value in numbers(box.name, operations[site.form.boxes[box.name]].attributes).items()
        }
    read = variables(clause.value)
    given = ",".join(name for name in read if tuple(name.rpartition(".")[::2]) in site.form.tensors)
    return {"clause": repr(clause), "given": given, **{name: known[name] for name in read if name in known}}
