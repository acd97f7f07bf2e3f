"""Naming: what users will know the weights of R by.

A box of R inherits the name of the box of L whose place it takes, so that a folded layer is still called what it was;
where several take the place of one, each adds its own name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from attrs import frozen

from surgdsl.bridge.weight import State
from surgdsl.rules.boxes import Kind
from surgdsl.rules.matching import Form
from surgdsl.rules.schema import Box, Schema

BUFFERS = ("running_mean", "running_var")


@frozen(eq=False)
class Named:
    """A box of R with its place in the user's module, and the names and roles of the weights whose place it takes."""

    box: Box
    path: str
    stem: str
    inherited: Mapping[str, tuple[str, str]]
    """(base, role) by tensor, where the box alone takes the place of one of its kind."""
    state: State
    gone: frozenset[str]

    def tensor(self, name: str) -> tuple[str, str]:
        """The base and the role of a weight; a name that is new is one that no other weight has, in any case."""
        if name in self.inherited:
            return self.inherited[name]
        port = _port(self.box.kind, name)
        base, taken = f"{self.stem}.{port}" if self.stem else port, self._taken()
        while base.lower() in taken:
            base += "_"
        return base, "buffer" if port in BUFFERS else "parameter"

    def _taken(self) -> frozenset[str]:
        params = self.state.net.params().items()
        return frozenset(one.payload.base.lower() for name, one in params if one.payload and name not in self.gone)


def _port(kind: Kind, name: str) -> str:
    tensor = kind.tensor(name)
    assert tensor is not None
    return tensor.port


def named(schema: Schema, state: State, form: Form) -> tuple[Named, ...]:
    """The boxes of R with their names, in the order of R."""
    heirs = {box.name: _predecessor(schema, box) for box in schema.right}
    claims = Counter(one.name for one in heirs.values())
    return tuple(_named(box, heirs[box.name], claims, state, form) for box in schema.right)


def _predecessor(schema: Schema, box: Box) -> Box:
    """The box of L whose place one of R takes: of its name and kind, else of its kind, else the first with weights."""
    alike = [one for one in schema.left if one.operation == box.operation]
    namesake = [one for one in alike if one.name == box.name]
    weighty = [one for one in schema.left if one.kind.tensors]
    return (namesake or alike or weighty or list(schema.left))[0]


def _named(box: Box, old: Box, claims: Counter[str], state: State, form: Form) -> Named:
    gone = frozenset(form.tensors.values())
    operations = state.net.graph.operations
    path = operations[form.boxes[old.name]].path
    held = {
        tensor: payload
        for (of, tensor), name in form.tensors.items()
        if of == old.name and (payload := operations[name].payload)
    }
    stem = next((payload.base.rpartition(".")[0] for payload in held.values()), path)
    if claims[old.name] > 1:
        return Named(box, path, f"{stem}.{box.name}" if stem else box.name, {}, state, gone)
    inherited = {tensor: (one.base, one.role) for tensor, one in held.items()} if old.operation == box.operation else {}
    return Named(box, path, stem, inherited, state, gone)
