"""What each declaration and clause looks like: its parts, where a long line may be broken, and what its braces hold.

Only shapes are decided here; indentation, comments and blank lines belong to `formatting`.
"""

from __future__ import annotations

from attrs import frozen

from surgdsl.language import tree
from surgdsl.language.spelling import (
    binding_text,
    chain_text,
    parameters_text,
    port_text,
    ports_text,
    promise_parts,
    selector_parts,
    sequence_text,
    spell,
    type_text,
)  # fmt: skip

Item = tree.Node


@frozen
class Shape:
    """One item: `parts` that are joined by blanks and may be broken between; then, in braces, `children` if it has any.

    `left` is what stands before the first part and is aligned with its neighbours of the same kind. `open` forces a
    line for each child, `stacked` one for each part.
    """

    parts: tuple[str, ...]
    left: str = ""
    children: tuple[Item, ...] | None = None
    open: bool = False
    stacked: bool = False


def shape(node: Item) -> Shape:
    """How `node` is laid out."""
    for family in (_use, _declaration, _function, _rule, _clause, _inner):
        made = family(node)
        if made is not None:
            return made
    message = f"{type(node).__name__} has no layout"
    raise TypeError(message)


def _use(node: Item) -> Shape | None:
    match node:
        case tree.UseOne(path, alias):
            return Shape((f"use {path}" + ("" if alias is None else f" as {alias}"),))
        case tree.UseSome(path, names):
            return Shape((f"use {path}.{{{', '.join(map(str, names))}}}",))
        case tree.UseFile(path, alias):
            return Shape((f'use "{path}" as {alias}',))
        case _:
            return None


def _declaration(node: Item) -> Shape | None:  # noqa: C901, PLR0911 - one case for each construct
    match node:
        case tree.Dim(name, domain):
            return Shape((f"dim {name} in {spell(domain)}",))
        case tree.Let(name, kind, value):
            return Shape((f"let {name}{'' if kind is None else f': {type_text(kind)}'} = {spell(value)}",))
        case tree.Param(name, kind, value):
            return Shape((f"param {name}: {type_text(kind)} = {spell(value)}",))
        case tree.Model(name, inputs, outputs, block):
            return Shape((f"model {name} : {ports_text(inputs)}", f"-> {ports_text(outputs)}"), children=block.fields)
        case tree.Data(name, block):
            return Shape((), left=f"data {name}", children=block.fields)
        case tree.Interface(name, model, boundary):
            return Shape((f"interface {name} on {model}",), children=boundary)
        case tree.Surgery(name, model, clauses):
            return Shape((f"surgery {name} on {model}",), children=clauses, open=True)
        case tree.Sweep(name, surgery, varies, keep, limit):
            rest = (Line(f"keep {spell(keep)}", span=keep.span), Line(f"limit {limit} runs", span=limit.span))
            return Shape((f"sweep {name} over {surgery}",), children=(*varies, *rest), open=True)
        case _:
            return None


@frozen
class Line(tree.Node):
    """A line inside braces that is no node of the tree by itself."""

    text: str


def _function(node: Item) -> Shape | None:
    match node:
        case tree.Function(kind, name, ports, result, body, extern):
            head = f"{'extern ' if extern else ''}{kind} {name}{ports_text(ports)} -> {type_text(result)} ="
            return Shape((head, spell(body)))
        case tree.PrimitiveRule(grade, name, parameters, score, criterion):
            scoring = (
                "" if score is None else f" by {type_text(score)}" + ("" if criterion is None else f" = {criterion}")
            )
            return Shape((f"primitive rule {grade} {name}{parameters_text(parameters)}{scoring}",))
        case tree.PrimitiveFunction(kind, name, parameters, result):
            return Shape((f"primitive {kind} {name}{parameters_text(parameters)} -> {type_text(result)}",))
        case _:
            return None


def _rule(node: Item) -> Shape | None:
    match node:
        case tree.Rule(grade, name, ports, left, glue, right, provisos):
            head = f"rule {grade} {name}{'' if ports is None else ports_text(ports)}"
            sides = (
                Line(f"L {{ {'  '.join(map(chain_text, left))} }}", span=left[0].span),
                Line(f"K {{ {'  '.join(map(port_text, glue))} }}", span=glue[0].span),
                Line(f"R {{ {'  '.join(map(chain_text, right))} }}", span=right[0].span),
            )
            return Shape((head,), children=(*sides, *provisos), open=True)
        case tree.With(bindings):
            return Shape(tuple(map(binding_text, bindings)), left="with", stacked=True)
        case tree.Proviso(kind, value):
            return Shape((f"{kind} {spell(value)}",))
        case _:
            return None


def _clause(node: Item) -> Shape | None:  # noqa: C901, PLR0911 - one case for each construct
    match node:
        case tree.Preserve(names):
            return Shape((f"preserve {', '.join(map(str, names))}",))
        case tree.Seed(value):
            return Shape((f"seed {value}",))
        case tree.Budget(limits):
            return Shape((f"budget {', '.join(map(spell, limits))}",))
        case tree.Step():
            return Shape(tuple(_step(node)), left=f"step {node.name}")
        case tree.Order(sequence):
            return Shape((f"order {sequence_text(sequence)}",))
        case tree.Recover(method, block):
            return Shape((f"recover{'' if method is None else f' {method}'}",), children=block.fields)
        case tree.Target(sense):
            first, *rest = promise_parts(node)
            return Shape((f"target {'' if sense is None else f'{sense} '}{first}", *rest))
        case tree.Require():
            first, *rest = promise_parts(node)
            return Shape((f"require {first}", *rest))
        case tree.Emit(block):
            return Shape(("emit",), children=block.fields)
        case _:
            return None


def _step(node: tree.Step) -> list[str]:
    head = f"= apply {'exhaustively ' if node.exhaustively else ''}{spell(node.rule)}"
    parts = [head, *selector_parts(node.selector)]
    if node.scoring is not None:
        parts.append(
            f"by {spell(node.scoring.criterion)}" + ("" if node.scoring.reading is None else f" {node.scoring.reading}")
        )
    if node.stages is not None:
        parts.append(f"in {node.stages.count} stages" + ("" if node.stages.shape is None else f" {node.stages.shape}"))
    if node.recover is not None:
        method = "" if node.recover.method is None else f"{node.recover.method} "
        parts.append(f"then recover {method}{braces([field_text(one) for one in node.recover.block.fields])}")
    return parts


def _inner(node: Item) -> Shape | None:  # noqa: PLR0911 - one case for each construct
    match node:
        case tree.Field(name, value):
            return Shape((f"= {spell(value)}",), left=name.text)
        case tree.InPort(port):
            return Shape((f"in {port_text(port)}",))
        case tree.OutPort(port):
            return Shape((f"out {port_text(port)}",))
        case tree.Cut(path, kind):
            return Shape((f"cut {path.text}: {type_text(kind)}",))
        case tree.Vary(name, domain):
            return Shape((f"vary {name} in {spell(domain)}",))
        case Line(text):
            return Shape((text,))
        case _:
            return None


def field_text(node: tree.Field) -> str:
    """``name = value``."""
    return f"{node.name} = {spell(node.value)}"


def braces(items: list[str]) -> str:
    """Items on one line in braces, two blanks between them."""
    return f"{{ {'  '.join(items)} }}" if items else "{}"
