"""Repeats: equal blocks that follow each other, as one block and a number.

Module paths such as ``layer1.1``, ``layer1.2`` only propose. Blocks are folded where they are equal as parts of a net,
in weights, literals, coupling and wiring, and where each reads only the one before it and what all of them read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from attrs import field, frozen

from surgdsl.axis.dim import Axis, Dim, Product, Sum, axes, concat, fuse, size
from surgdsl.diagram.net import Net
from surgdsl.diagram.payload import Payload
from surgdsl.operations.coupling import Coupling
from surgdsl.report.picture.shape import collapsed
from surgdsl.report.picture.unit import Unit, parent, read_weights, within

SAVED = 3
"""Boxes that a fold must save: a frame around less hides more than it spares."""
PERIOD = 3
"""Modules that may alternate."""


@frozen
class Block:
    """`count` equal copies one after the other, of which the first is drawn."""

    first: str
    """The first module of the first copy."""
    last: str
    """The last module of the last copy."""
    home: str
    """What goes without saying in the first copy: its module, or where it is several, the module around them."""
    count: int
    items: tuple[Item, ...]
    sources: tuple[str, ...]
    inner: tuple[str, ...]
    """The wires of the first copy that stand for `targets`."""
    targets: tuple[str, ...]
    """The wires that leave the last copy."""
    twins: tuple[tuple[Axis, Axis], ...] = ()
    """Axes of the other copies, each with the axis of the first copy that it corresponds to."""


Item = Unit | Block


@frozen(slots=False, eq=False)
class Copy:
    """The units of a module, or of some that follow each other, as a candidate for folding."""

    coupling: Coupling
    modules: tuple[str, ...]
    units: tuple[Unit, ...]
    axes: dict[Axis, int] = field(factory=dict[Axis, int])
    """Axes by their first place in this copy; filled by `form`."""

    @cached_property
    def made(self) -> Mapping[str, tuple[int, int]]:
        """The wires that are written here, with unit and port."""
        return {wire: (place, port) for place, unit in enumerate(self.units) for port, wire in enumerate(unit.targets)}

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The wires that come from elsewhere."""
        return tuple(dict.fromkeys(wire for unit in self.units for wire in unit.sources if wire not in self.made))

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """The wires that go elsewhere."""
        net = self.coupling.net
        own = {name for unit in self.units for name in unit.operations}
        return tuple(
            wire for wire in self.made if wire in net.interface or not own.issuperset(net.graph.consumers[wire])
        )

    @cached_property
    def form(self) -> tuple[object, ...]:
        """What must be equal: labels, weights, dims up to the names of axes, and wiring."""
        return tuple(self._unit(unit) for unit in self.units)

    def _unit(self, unit: Unit) -> tuple[object, ...]:
        graph = self.coupling.net.graph
        read = tuple(self.made[wire] if wire in self.made else self.sources.index(wire) for wire in unit.sources)
        labels = tuple(self._label(self.coupling.net, name) for name in unit.operations)
        wires = tuple((graph.wires[wire].dtype, self._dims(wire)) for wire in (*unit.sources, *unit.targets))
        return labels, read, wires

    def _label(self, net: Net, name: str) -> tuple[object, ...]:
        operation = net.graph.operations[name]
        weights = tuple(
            (self._called(one.payload), one.payload.encoding, self._dims(one.targets[0]))
            for one in read_weights(net, operation)
            if one.payload
        )
        return operation.name, operation.attributes, self._own(operation.path), weights

    def _called(self, weight: Payload) -> str:
        """The name of a weight within its copy; constants have none but what the capture gave them."""
        return weight.role if weight.role == "constant" else self._own(weight.base)

    def _own(self, path: str) -> str:
        for number, module in enumerate(self.modules):
            if within(path, module):
                return f"{number}*{path.removeprefix(module)}"
        return path

    def _dims(self, wire: str) -> tuple[object, ...]:
        return tuple(map(self._dim, self.coupling.dims[wire]))

    def _dim(self, dim: Dim) -> object:
        """A dim up to the names of axes; of what cannot be cut only the size counts, as nothing else of it is drawn."""
        if self.free.isdisjoint(axes(dim)):
            return size(dim)
        match dim:
            case Axis():
                return self.axes.setdefault(dim, len(self.axes)), size(dim)
            case Sum(parts) | Product(parts):
                join = concat if isinstance(dim, Sum) else fuse
                return type(dim).__name__, *map(self._dim, collapsed(parts, self.free, join))

    @cached_property
    def free(self) -> frozenset[Axis]:
        """The axes that can be cut."""
        return frozenset(self.coupling.prunable)


def fold(coupling: Coupling, units: Sequence[Unit]) -> tuple[Item, ...]:
    """`units` with every worthwhile repetition folded, outermost first."""
    inside = _modules(units)
    left = dict.fromkeys(units)
    blocks: dict[Unit, Block] = {}
    for family, period, start in _proposals(inside):
        here = [(module, [unit for unit in inside[module] if unit in left]) for module in family[start:]]
        full = [pair for pair in here if pair[1]]
        for run in _runs([_copy(coupling, full[at : at + period]) for at in range(0, len(full), period)]):
            if (len(run) - 1) * len(run[0].units) < SAVED:
                continue
            blocks[run[0].units[0]] = _block(coupling, run)
            for unit in (unit for copy in run for unit in copy.units):
                del left[unit]
    return tuple(blocks.get(unit, unit) for unit in units if unit in left or unit in blocks)


def _proposals(modules: Iterable[str]) -> Iterator[tuple[list[str], int, int]]:
    """Families of modules, how many of them may make a copy, and from which on: some networks alternate."""
    for family in _families(modules):
        for period in range(1, min(PERIOD, len(family) // 2) + 1):
            yield from ((family, period, start) for start in range(period))


def _copy(coupling: Coupling, parts: Sequence[tuple[str, Sequence[Unit]]]) -> Copy:
    return Copy(coupling, tuple(module for module, _ in parts), tuple(unit for _, units in parts for unit in units))


def _block(coupling: Coupling, run: Sequence[Copy]) -> Block:
    first, last = run[0], run[-1]
    inner = tuple(first.units[place].targets[port] for place, port in map(last.made.__getitem__, last.targets))
    twins = {
        other: axis for copy in run[1:] for other, axis in zip(copy.axes, first.axes, strict=True) if other != axis
    }
    home = first.modules[0] if len(first.modules) == 1 else parent(first.modules[0])
    items = fold(coupling, first.units)
    return Block(
        first.modules[0], last.modules[-1], home, len(run), items,
        first.sources, inner, last.targets, tuple(twins.items()),
    )  # fmt: skip


def _modules(units: Sequence[Unit]) -> dict[str, list[Unit]]:
    """The units within each module, outer modules first."""
    found: dict[tuple[int, str], list[Unit]] = {}
    for unit in units:
        segments = unit.path.split(".")
        for depth in range(1, len(segments) + 1):
            found.setdefault((depth, ".".join(segments[:depth])), []).append(unit)
    return {path: inside for (_, path), inside in sorted(found.items(), key=lambda entry: entry[0][0])}


def _families(paths: Iterable[str]) -> list[list[str]]:
    """Modules whose paths differ in a last number only, in the order of that number."""
    found: dict[str, dict[tuple[int, str], str]] = {}
    for path in paths:
        stem = path.rstrip("0123456789")
        if stem != path:
            digits = path[len(stem) :]
            found.setdefault(stem, {})[int(digits), digits] = path
    return [[path for _, path in sorted(family.items())] for family in found.values() if len(family) > 1]


def _runs(copies: Sequence[Copy]) -> list[list[Copy]]:
    """The longest runs, from the left, of copies that each continue the one before in the same way."""
    runs: list[list[Copy]] = []
    link: tuple[object, ...] | None = None
    for copy in copies:
        found = _link(runs[-1][-1], copy) if runs else None
        if found is not None and link in (None, found) and runs[-1][0].form == copy.form:
            runs[-1].append(copy)
            link = found
        else:
            runs.append([copy])
            link = None
    return runs


def _link(before: Copy, after: Copy) -> tuple[object, ...] | None:
    """For each wire that `after` reads, where `before` writes it, or that both read it; None where neither holds."""
    net = before.coupling.net
    own = {name for copy in (before, after) for unit in copy.units for name in unit.operations}
    if any(wire in net.interface or not own.issuperset(net.graph.consumers[wire]) for wire in before.targets):
        return None
    if len(before.sources) != len(after.sources):
        return None
    pairs = zip(before.sources, after.sources, strict=True)
    link = tuple(before.made.get(wire, "both" if wire == same else None) for same, wire in pairs)
    return None if None in link or all(one == "both" for one in link) else link
