"""Declared rules: a schema of the language applied at one place, its new weights computed as its `with` clauses say.

Float64, element by element, in the order of the formula, rounded once: anyone who has the declaration gets the same
bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from attrs import field, frozen

from surgdsl.axis.extent import symbols
from surgdsl.bridge.encoding import dense
from surgdsl.bridge.weight import NUMPY, Array, State, Weight
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.diagram.hashing import plan_hash
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.operation import PARAM, Attribute, Operation
from surgdsl.diagram.payload import Dense, Payload
from surgdsl.diagram.pushout import Step
from surgdsl.diagram.sort import Sort
from surgdsl.formula.evaluation import Environment
from surgdsl.formula.fields import FLOATS, Undefined
from surgdsl.formula.tensor import Misfit
from surgdsl.metrics import contribution
from surgdsl.operations.signature import IllTyped
from surgdsl.rules.assignment import assigned, environment
from surgdsl.rules.ground import FLOATING, Unfit, numbers, operation, shape
from surgdsl.rules.instances import ordered, place, typed
from surgdsl.rules.itinerary import anchored
from surgdsl.rules.matching import Form, Refused, Site, site
from surgdsl.rules.matching import sites as found_sites
from surgdsl.rules.schema import Box, Schema
from surgdsl.surgery.bounding import distance, factor
from surgdsl.surgery.measured import Measured, Powers, ones, vectors
from surgdsl.surgery.naming import Named, named
from surgdsl.surgery.provenance import term
from surgdsl.surgery.rewrite import Replacement, Rewrite, around, replace
from surgdsl.surgery.single import Single

RULE = "rule/1"
REDUCIBLE = ("params/1", "macs/1")
"""What a step may be said to reduce, the first that falls. Weights are dense, so size falls with params; nnz depends on
values, which a plan does not know."""


@frozen
class Apply(Single):
    """Apply a declared rule where its boxes of L were called at `paths`, in the order of L."""

    schema: Schema
    arguments: tuple[tuple[str, int], ...]
    paths: tuple[str, ...]
    where: str = field(default="")
    """The place, in words."""
    near: str = field(default="", eq=False, repr=False)
    """The operation at the anchor when the place was found: looked at first, and by nothing relied on."""
    measured: Measured = field(factory=Measured)
    """What the scales of the rule are decided by."""

    @property
    def note(self) -> str:
        """One line for people."""
        return self.where

    def rewrite(self, state: State, number: int, step: str) -> Rewrite:
        """Apply in `state`, at the first place with these paths.

        Raises:
            Refusal: E0508 there is no such place, E0506 a new weight is not finite.
        """
        chosen = self._chosen(state)
        return self._applied(state, chosen, self.measured.powers(self.schema, state, chosen), number, step)

    def foresee(self, state: State, number: int, step: str) -> Iterator[Rewrite]:
        """Apply with scales that change nothing: which they will be is not known yet."""
        chosen = self._chosen(state)
        yield self._applied(state, chosen, ones(self.schema, chosen), number, step)

    def _chosen(self, state: State) -> Site:
        chosen = next(self._places(state), None)
        if chosen is None:
            raise Refusal(Diagnostic("E0508", f"`{self.schema.name}` has no place at {self.note}"))
        return chosen

    def _applied(self, state: State, chosen: Site, powers: Powers, number: int, step: str) -> Rewrite:
        asked = Applying(self.schema, state, chosen, powers, repr(self.measured))
        derivation, after = replace(state, RULE, asked.replacement(), number)
        reduces = next((metric for metric in REDUCIBLE if _change(metric, derivation, (state, after)) < 0), None)
        kind = "reduce" if reduces else "neutral"
        return Rewrite(RULE, step, kind, reduces, asked.witness(), self.note, derivation, state, after)

    def _places(self, state: State) -> Iterator[Site]:
        anchor, operations = anchored(self.schema), state.net.graph.operations
        near = ((self.near, operations[self.near]),) if self.near in operations else ()
        for name, one in chain(near, operations.items()):
            if one.path != self.paths[anchor] or one.name != self.schema.left[anchor].kind.operator:
                continue
            found = site(self.schema, state.net, dict(self.arguments), name)
            if not isinstance(found, Site) or paths(self.schema, state, found.form) != self.paths:
                continue
            if not unusable(self.schema, state, found):
                yield found


def _change(metric: str, step: Step, states: tuple[State, State]) -> int:
    """By how much a metric grows."""
    before, after = states
    rule = step.match.rule
    sorts = (sort for side in (rule.left, rule.right) for sort in side.wires.values())
    binding = {name: 1 for sort in sorts for size in sort.shape for name in symbols(size)}

    def total(state: State, names: Iterable[str]) -> int:
        found = ((state.net.graph.operations[name], state.weights.get(name)) for name in names)
        return sum(contribution(metric, operation, state.net, weight, binding) for operation, weight in found)

    lost = total(before, (step.match.operations[name] for name in rule.deleted.operations))
    return total(after, (step.comatch_operations[name] for name in rule.created.operations)) - lost


def sites(schema: Schema, state: State, arguments: Mapping[str, Attribute]) -> Iterator[Site | Refused]:
    """Every place of the form of L in the order of the net, refused where its weights cannot be computed with."""
    for found in found_sites(schema, state.net, arguments):
        reason = unusable(schema, state, found) if isinstance(found, Site) else ""
        yield Refused(found.form, reason) if reason else found


def paths(schema: Schema, state: State, form: Form) -> tuple[str, ...]:
    """Where the boxes of L were called, in the order of L."""
    return tuple(state.net.graph.operations[form.boxes[box.name]].path for box in schema.left)


def unusable(schema: Schema, state: State, found: Site) -> str:
    """Why a place cannot be rewritten although it matches: its weights, or the types that R would write there."""
    weights = {name: state.weights[name] for name in found.form.tensors.values()}
    for name, weight in weights.items():
        payload = state.net.graph.operations[name].payload
        what = f"`{payload.base}`" if payload else name
        if weight.encoding != Dense():
            return f"{what} is not stored dense"
        if weight.dtype not in FLOATING:
            return f"{what} holds {weight.dtype.lower()}"
    if len({weight.dtype for weight in weights.values()}) > 1:
        return "its weights have different dtypes"
    return _mistyped(Applying(schema, state, found))


def _mistyped(asked: Applying) -> str:
    """Why the results of R are not of the types that K keeps; empty where they are."""
    form, net = asked.site.form, asked.state.net
    sorts = {wire: net.sort(form.wires[wire]) for wire in asked.schema.inputs}
    for box in ordered(asked.schema.right):
        names = [one.tensor for one in asked.schema.weights if one.box == box.name]
        try:
            sorts |= {f"{box.name}.{name}": Sort(asked.dtype, asked.bare_weight(box, name).shape) for name in names}
            one = place(box, asked.site.binding, tuple(names)).operation
            sorts |= zip(box.targets, typed(one, sorts), strict=True)
        except (Unfit, IllTyped) as why:
            return f"{box.name} of R does not fit: {why}"
    for port in asked.schema.glue:
        kept = net.sort(form.wires[port.wire])
        if sorts[port.wire] != kept:
            return f"R would write {sorts[port.wire]} where {kept} is kept"
    return ""


@frozen(slots=False, eq=False)
class Applying:
    """One application: the rule, the state and the place."""

    schema: Schema
    state: State
    site: Site
    powers: Powers = field(factory=dict[str, tuple[int, ...]])
    measured: str = ""
    """How the scales are decided, where the rule has any."""

    @property
    def dtype(self) -> str:
        """The dtype of what is created: that of the weights that go, or of the first floating wire of K."""
        names = list(self.site.form.tensors.values())
        if names:
            return self.state.weights[names[0]].dtype
        kept = [self.state.net.sort(self.site.form.wires[port.wire]).dtype for port in self.schema.glue]
        return next((dtype for dtype in kept if dtype in FLOATING), "F32")

    def replacement(self) -> Replacement:
        """L and K as they lie in the net, R∖K with its weights."""
        graph, form = self.state.net.graph, self.site.form
        params = [form.tensors[key] for key in form.tensors]
        left = around(self.state, (*params, *form.boxes.values()))
        kept = {form.wires[port.wire] for port in self.schema.glue}
        glue = Hypergraph({wire: sort for wire, sort in left.wires.items() if wire in kept})
        wires = {
            wire: form.wires[wire] if wire in self.schema.kept else _new(wire)
            for wire in self.schema.wires(self.schema.right)
        }
        names = {one.box.name: one for one in named(self.schema, self.state, form)}
        values = self.values
        sorts = {form.wires[wire]: graph.wires[form.wires[wire]] for wire in self.schema.inputs}
        operations, weights = dict[str, Operation](), dict[str, Weight]()
        for box in ordered(self.schema.right):
            tensors = {tensor: _new(f"{box.name}.{tensor}") for name, tensor in values if name == box.name}
            for tensor, wire in tensors.items():
                weight = values[box.name, tensor]
                sorts[wire] = Sort(self.dtype, weight.shape)
                operations[wire], weights[wire] = self._param(names[box.name], tensor, weight, wire), weight
            one = operation(box, self.site.binding, wires, tensors, names[box.name].path)
            sorts |= zip(one.targets, typed(one, sorts), strict=True)
            operations[_new(f"[{box.name}]")] = one
        created = {wire: sort for wire, sort in sorts.items() if wire not in graph.wires}
        return Replacement(left, glue, created, operations, weights)

    def _param(self, names: Named, tensor: str, weight: Weight, wire: str) -> Operation:
        base, role = names.tensor(tensor)
        clause = next(one for one in self.schema.weights if (one.box, one.tensor) == (names.box.name, tensor))
        origin = term(clause, names.box, self.schema, self.state, self.site, self._decided)
        return Operation(PARAM, (), (wire,), (), Payload(base, role, weight.encoding, origin), names.path)

    @cached_property
    def _decided(self) -> Mapping[str, str]:
        """By scale, what its values follow from: the step, and all that lies before the place."""
        if not self.schema.scales:
            return {}
        return dict.fromkeys(self.powers, f"{self.measured} of {plan_hash(self.state.net)}")

    @cached_property
    def bare(self) -> bool:
        """Whether weights are known by their form alone."""
        return any(self.state.weights[name].bare for name in self.site.form.tensors.values())

    @cached_property
    def known(self) -> Environment:
        """What the names in `with` stand for here, in float64."""
        old = {f"{box}.{name}": self.state.weights[param] for (box, name), param in self.site.form.tensors.items()}
        tensors = {name: weight.parts["values"].astype(np.float64) for name, weight in old.items()}
        tensors |= vectors(self.powers)
        return environment(self.schema, self.site.binding, tensors, read(self.state, self.schema, self.site), FLOATS)

    @cached_property
    def values(self) -> Mapping[tuple[str, str], Weight]:
        """The weights of R, by box and tensor.

        Raises:
            Refusal: E0506, one cannot be computed, is not finite, or is no such approximation as it should be.
        """
        boxes = {box.name: box for box in self.schema.right}
        if self.bare:
            return {(one.box, one.tensor): self.bare_weight(boxes[one.box], one.tensor) for one in self.schema.weights}
        found: dict[tuple[str, str], Array] = {}
        for one in self.schema.weights:
            try:
                made = assigned(one, boxes[one.box], self.site.binding, self.known, FLOATS)
            except (Undefined, Misfit, Unfit) as why:
                raise _refused(self.schema, f"{one.box}.{one.tensor}", str(why)) from why
            found[one.box, one.tensor] = _rounded(made, self.dtype, self.schema, f"{one.box}.{one.tensor}")
        far = distance(self.schema, self.known, found)
        if far:
            raise _refused(self.schema, self.schema.weights[0].box, far)
        return {key: dense(array) for key, array in found.items()}

    def bare_weight(self, box: Box, name: str) -> Weight:
        """The form of a weight of R."""
        tensor = box.kind.tensor(name)
        assert tensor is not None
        sizes = shape(box, tensor, self.site.binding)
        return Weight(Dense(), self.dtype, tuple(size for size in sizes if isinstance(size, int)), {})

    def witness(self) -> dict[str, Any]:
        """The arguments of the step in the certificate: which box is which operation, and every variable."""
        form, right = self.site.form, self.schema.right
        made = [(one.box, one.tensor) for one in self.schema.weights]
        bound = self.schema.bound
        return {
            **({"factor": factor(bound, self.known)} if bound and not self.bare else {}),
            "left": [
                [
                    box.name,
                    form.boxes[box.name],
                    [[tensor, name] for (of, tensor), name in form.tensors.items() if of == box.name],
                ]
                for box in self.schema.left
            ],
            "right": [
                [
                    box.name,
                    _new(f"[{box.name}]"),
                    [[tensor, _new(f"{of}.{tensor}")] for of, tensor in made if of == box.name],
                ]
                for box in right
            ],
            "rule": self.schema,
            **({"scales": [[name, list(row)] for name, row in self.powers.items()]} if self.schema.scales else {}),
            "variables": sorted(self.site.binding.items()),
            "wires": [
                *([wire, form.wires[wire]] for wire in self.schema.wires(self.schema.left)),
                *([wire, _new(wire)] for wire in self.schema.wires(right) if wire not in self.schema.kept),
            ],
        }


def read(state: State, schema: Schema, found: Site) -> dict[str, Fraction]:
    """The numbers that a rule may read of the arguments of L's operations."""
    operations = state.net.graph.operations
    each = (numbers(box.name, operations[found.form.boxes[box.name]].attributes) for box in schema.left)
    return {name: value for one in each for name, value in one.items()}


def _new(name: str) -> str:
    """The name in R∖K of an item; no item of a net has a name of this form."""
    return f"{name}+"


def _rounded(values: Array, dtype: str, schema: Schema, what: str) -> Array:
    with np.errstate(all="ignore"):
        made = values.astype(NUMPY[dtype])
    if not np.isfinite(made).all():
        raise _refused(schema, what, "it would hold numbers that are not finite")
    return made


def _refused(schema: Schema, what: str, why: str) -> Refusal:
    return Refusal(Diagnostic("E0506", f"`{what}` of rule `{schema.name}` cannot be computed", label=why))
