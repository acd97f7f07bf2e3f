"""Matching: the places of a net that a schema means, found by following ports from one box of L.

A term graph leaves no choice backwards, since every wire has one writer; forwards and for operators that commute there
are few. So the search is deterministic and linear in the net. What has the form of L and yet is no place for the rule
is given with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import field, frozen

from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import PARAM, Attribute, Operation
from surgdsl.rules.boxes import Unsaid
from surgdsl.rules.condition import holds
from surgdsl.rules.ground import Equations, Unfit, stated, type_pairs
from surgdsl.rules.itinerary import Visit, itinerary
from surgdsl.rules.schema import Box, Schema

Pairs = list[tuple[str, Attribute, Attribute]]


@frozen
class Form:
    """Where the boxes of L lie by their form alone: operations, data wires, and the params of their weights."""

    boxes: Mapping[str, str] = field(factory=dict[str, str])
    wires: Mapping[str, str] = field(factory=dict[str, str])
    tensors: Mapping[tuple[str, str], str] = field(factory=dict[tuple[str, str], str])
    """(box, tensor) → the operation that produces it; one that is absent is left out."""


@frozen
class Site:
    """A place where the rule applies, with the values of its variables."""

    form: Form
    binding: Mapping[str, Attribute]


@frozen
class Refused:
    """A place that has the form of L, and why the rule does not apply."""

    form: Form
    reason: str


def sites(schema: Schema, net: Net, arguments: Mapping[str, Attribute]) -> Iterator[Site | Refused]:
    """Every place of the form of L, in the order of the net: each anchor at most once, as a site where it is one.

    Args:
        schema: the rule.
        net: the state.
        arguments: the parameters of the rule, by name.
    """
    plan = itinerary(schema)
    assert plan is not None, "a schema in pieces is refused when it is declared"
    anchor = schema.left[plan[0].box].kind.operator
    for name, operation in net.graph.operations.items():
        if operation.name == anchor:
            yield from _at(schema, net, arguments, plan, name)


def site(schema: Schema, net: Net, arguments: Mapping[str, Attribute], anchor: str) -> Site | Refused | None:
    """What is found with the anchor of the rule on the operation `anchor`."""
    plan = itinerary(schema)
    assert plan is not None
    return next(_at(schema, net, arguments, plan, anchor), None)


def _at(
    schema: Schema, net: Net, arguments: Mapping[str, Attribute], plan: tuple[Visit, ...], anchor: str
) -> Iterator[Site | Refused]:
    """The first site with this anchor; where there is none, the first that was refused."""
    first: Refused | None = None
    for form in _forms(schema, net, plan, anchor):
        found = _judged(schema, net, arguments, form)
        if isinstance(found, Site):
            yield found
            return
        first = first or found
    if first is not None:
        yield first


# ---- the form -----------------------------------------------------------------------------------


def _forms(schema: Schema, net: Net, plan: tuple[Visit, ...], anchor: str) -> Iterator[Form]:
    """Every way in which L lies with its anchor at one operation, depth first."""
    waiting = [(form, 1) for form in _placed(schema.left[plan[0].box], net, Form(), anchor)][::-1]
    while waiting:
        form, at = waiting.pop()
        if at == len(plan):
            yield form
            continue
        visit = plan[at]
        box, image = schema.left[visit.box], form.wires[visit.wire]
        near = net.graph.producers[image] if visit.backward else net.graph.consumers[image]
        found = [after for name in dict.fromkeys(near) for after in _placed(box, net, form, name)]
        waiting += [(after, at + 1) for after in reversed(found)]


def _placed(box: Box, net: Net, form: Form, name: str) -> Iterator[Form]:
    """`form` with `box` at the operation `name`, if it fits by operator and wiring; twice where operands commute."""
    operation = net.graph.operations[name]
    ports = _ports(box, operation)
    if operation.name != box.kind.operator or name in form.boxes.values() or ports is None:
        return
    data, tensors = ports
    params: dict[tuple[str, str], str] = {}
    for tensor, wire in tensors.items():
        makers = net.graph.producers[wire]
        if len(makers) != 1 or net.graph.operations[makers[0]].name != PARAM:
            return
        params[box.name, tensor] = makers[0]
    for order in (data, data[::-1]) if box.kind.commutes and data != data[::-1] else (data,):
        wires = _joined(form.wires, (*box.sources, *box.targets), (*order, *operation.targets))
        if wires is not None:
            yield Form({**form.boxes, box.name: name}, wires, {**form.tensors, **params})


def _ports(box: Box, operation: Operation) -> tuple[tuple[str, ...], dict[str, str]] | None:
    """The data wires of an operation and the wire of each weight that it has; None where the ports are other ones."""
    kind, given = box.kind, dict(operation.attributes)
    present = [tensor.name for tensor in kind.tensors if tensor.port not in given]
    count = len(operation.sources) - len(present)
    if count != len(box.sources) or len(operation.targets) != len(box.targets):
        return None
    at = 0 if kind.tensors_first else count
    weights = operation.sources[at : at + len(present)]
    data = operation.sources[len(present) :] if kind.tensors_first else operation.sources[:count]
    return data, dict(zip(present, weights, strict=True))


def _joined(known: Mapping[str, str], names: Sequence[str], images: Sequence[str]) -> dict[str, str] | None:
    """`known` with more wires, if it stays a function and injective."""
    made, taken = dict(known), {image: name for name, image in known.items()}
    for name, image in zip(names, images, strict=True):
        if made.setdefault(name, image) != image or taken.setdefault(image, name) != name:
            return None
    return made


# ---- what else must hold ------------------------------------------------------------------------


def _judged(schema: Schema, net: Net, arguments: Mapping[str, Attribute], form: Form) -> Site | Refused:
    try:
        binding = Equations(arguments).solve(_pairs(schema, net, form))
        told = all(holds(condition, binding) for condition in schema.where)
    except Unfit as why:
        return Refused(form, str(why))
    reason = dangling(schema, net, form) if told else "the condition after `where` does not hold"
    return Refused(form, reason) if reason else Site(form, binding)


def _pairs(schema: Schema, net: Net, form: Form) -> Pairs:
    """All equations between the patterns of L and K and what is there."""
    pairs: Pairs = []
    for box in schema.left:
        operation = net.graph.operations[form.boxes[box.name]]
        pairs += _argument_pairs(box, operation)
        for tensor in box.kind.tensors:
            if (box.name, tensor.name) in form.tensors:
                param = net.graph.operations[form.tensors[box.name, tensor.name]]
                pairs += _shape_pairs(box, tensor.name, net.sort(param.targets[0]).shape)
    for port in schema.glue:
        pairs += type_pairs(port, net.sort(form.wires[port.wire]))
    return pairs


def _argument_pairs(box: Box, operation: Operation) -> Pairs:
    pairs: Pairs = []
    tensors = {tensor.port: tensor for tensor in box.kind.tensors}
    for name, value in operation.attributes:
        if name not in tensors:
            pairs += _argument_pair(box, name, value)
        elif tensors[name].absent is None:
            raise Unfit(f"{box.name} has no {tensors[name].name}")
    missing = {name for name, _ in box.attributes} - {name for name, _ in operation.attributes}
    if missing:
        raise Unfit(f"{box.name} has no argument `{min(missing)}`")
    return pairs


def _argument_pair(box: Box, name: str, value: Attribute) -> Pairs:
    argument = box.kind.argument(name)
    if argument is None:
        raise Unfit(f"{box.name} has an argument `{name}` that `{box.operation}` does not know")
    if argument.free and name not in dict(box.attributes):
        return []
    pattern = stated(box, argument)
    if pattern is Unsaid.DERIVED:
        return [(f"`{name}` of {box.name}", box.sizes, value)]
    if isinstance(pattern, Unsaid):
        raise Unfit(f"the rule does not say what `{name}` of {box.name} is")
    return [(f"`{name}` of {box.name}", pattern, value)]


def _shape_pairs(box: Box, name: str, shape: Sequence[Attribute]) -> Pairs:
    tensor = box.kind.tensor(name)
    assert tensor is not None
    if len(shape) != len(tensor.dims):
        raise Unfit(f"{box.name}.{name} has {len(shape)} dimensions, not {len(tensor.dims)}")
    return [
        (f"a size of {box.name}.{name}", box.sizes[place], size) for place, size in zip(tensor.dims, shape, strict=True)
    ]


def dangling(schema: Schema, net: Net, form: Form) -> str:
    """Why deleting L would leave something dangling, or would take a wire of an interface; empty where it would not."""
    params = list(form.tensors.values())
    if len(set(params)) < len(params):
        return "two weights of the rule are one here"
    gone = set(form.boxes.values()) | set(params)
    inner = [image for wire, image in form.wires.items() if wire not in schema.kept]
    inner += [net.graph.operations[name].targets[0] for name in params]
    for wire in inner:
        writer = net.graph.operations[net.graph.producers[wire][0]]
        what = f"`{writer.payload.base}`" if writer.payload else f"the result of {_place(writer)}"
        if wire in net.interface:
            return f"{what} belongs to an interface"
        others = [name for name in net.graph.consumers[wire] if name not in gone]
        if others:
            return f"{what} is also read by {_place(net.graph.operations[others[0]])}"
    return ""


def _place(operation: Operation) -> str:
    short = operation.name.removeprefix("aten.").removesuffix(".default")
    return f"`{operation.path}`" if operation.path else f"a {short}"
