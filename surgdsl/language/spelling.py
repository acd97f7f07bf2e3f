"""Expressions, types and other one-line pieces as text, with the fewest parentheses that keep their meaning.

The inverse of parsing on trees: what is spelled here reads back as an equal tree.
"""

from __future__ import annotations

from surgdsl.language import tree

# How tightly a construct binds: a smaller one inside a larger one needs parentheses.
LOOSE, OR, AND, NOT, COMPARE, SUM, PRODUCT, UNARY, POWER, POSTFIX, ATOM = range(11)

BINARY = {
    "or": (OR, OR, AND), "and": (AND, AND, NOT), "+": (SUM, SUM, PRODUCT), "-": (SUM, SUM, PRODUCT), "*": (PRODUCT,
    PRODUCT, UNARY), "/": (PRODUCT, PRODUCT, UNARY), "^": (POWER, POSTFIX, UNARY),
}  # fmt: skip
"""Of each operator: how tightly it binds, and how tightly its left and right operands must."""
COMPARISON = (COMPARE, SUM, SUM)


def spell(expr: tree.Expr, level: int = LOOSE) -> str:
    """`expr` as text for a place that asks for something binding at least as tightly as `level`."""
    binds, text = _spelled(expr)
    return f"({text})" if binds < level else text


def _spelled(expr: tree.Expr) -> tuple[int, str]:  # noqa: PLR0911 - one case for each construct
    match expr:
        case tree.Name(text) | tree.Number(text) | tree.Pattern(text):
            return ATOM, text
        case tree.Amount(digits, unit):
            return ATOM, digits + unit
        case tree.Text(text):
            return ATOM, f'"{text}"'
        case tree.Path(text):
            return POWER, text  # a dot or bracket right after it would be read as part of the path
        case tree.Unary("not", operand):
            return NOT, f"not {spell(operand, NOT)}"
        case tree.Unary(operator, operand):
            return UNARY, f"{operator}{spell(operand, UNARY)}"
        case tree.Binary(operator, left, right):
            binds, before, after = BINARY.get(operator, COMPARISON)
            space = "" if operator == "^" else " "
            return binds, f"{spell(left, before)}{space}{operator}{space}{spell(right, after)}"
        case _:
            return _compound(expr)


def _compound(expr: tree.Expr) -> tuple[int, str]:  # noqa: C901, PLR0911 - one case for each construct
    match expr:
        case tree.Member(value, word):
            return POSTFIX, f"{spell(value, POSTFIX)}.{word}"
        case tree.Over(value, axes):
            return POSTFIX, f"{spell(value, POSTFIX)}[{', '.join(spell(axis, SUM) for axis in axes)}]"
        case tree.Call(function, arguments):
            return POSTFIX, f"{spell(function, POSTFIX)}({', '.join(map(_argument, arguments))})"
        case tree.Listing(items):
            return ATOM, f"({', '.join(map(spell, items))})"
        case tree.Choice(items):
            return ATOM, f"{{{', '.join(map(spell, items))}}}"
        case tree.Range(low, high, every):
            return LOOSE, f"{spell(low, SUM)}..{spell(high, SUM)}" + (
                "" if every is None else f" every {spell(every, SUM)}"
            )
        case tree.Choose(domain):
            return LOOSE, f"choose {spell(domain)}"
        case tree.Conditional(test, yes, no):
            return LOOSE, f"if {spell(test)} then {spell(yes)} else {spell(no)}"
        case _:
            message = f"{type(expr).__name__} is no expression"
            raise TypeError(message)


def _argument(one: tree.Expr | tree.Keyword | tree.Each) -> str:
    match one:
        case tree.Keyword(word, value):
            return f"{word} = {spell(value)}"
        case tree.Each(word, domain, body):
            return f"{word} in {spell(domain)}: {spell(body)}"
        case _:
            return spell(one)


def type_text(node: tree.Type) -> str:
    """``f32[B, 10]``."""
    if node.axes is None:
        return node.word.text
    axes = ("*" if isinstance(axis, tree.AnyAxis) else spell(axis, SUM) for axis in node.axes)
    return f"{node.word}[{', '.join(axes)}]"


def port_text(node: tree.Port) -> str:
    """``x: f32[B, 10]``."""
    return f"{node.name}: {type_text(node.type)}"


def ports_text(nodes: tuple[tree.Port, ...]) -> str:
    """``(x: f32[B, 10], y: i64[B])``."""
    return f"({', '.join(map(port_text, nodes))})"


def parameter_text(node: tree.Parameter) -> str:
    """``keep?: ratio in 0%..100% = 50%``."""
    domain = "" if node.domain is None else f" in {spell(node.domain)}"
    default = "" if node.default is None else f" = {spell(node.default)}"
    return f"{node.name}{'?' if node.optional else ''}: {type_text(node.type)}{domain}{default}"


def parameters_text(nodes: tuple[tree.Parameter, ...]) -> str:
    """``(keep: ratio, calibrate?: data)``."""
    return f"({', '.join(map(parameter_text, nodes))})"


def chain_text(node: tree.Chain) -> str:
    """``x -> [C: conv2d(cout, cin, 1, 1)] -> y``."""
    return " -> ".join(map(_chain_node, node.nodes))


def _chain_node(node: tree.Wire | tree.Wires | tree.Box) -> str:
    match node:
        case tree.Wire(name):
            return name.text
        case tree.Wires(names):
            return f"({', '.join(map(str, names))})"
        case tree.Box(name, operation):
            return f"[{'' if name is None else f'{name}: '}{spell(operation)}]"


def binding_text(node: tree.Binding) -> str:
    """``U.weight, V.weight = svd(W.weight)``."""
    return f"{', '.join(map(str, node.targets))} = {spell(node.value)}"


def paths_text(node: tree.Paths) -> str:
    """``@a | @b``."""
    return " | ".join(path.text for path in node.paths)


def selector_parts(node: tree.Selector) -> list[str]:
    """``@a | @b``, ``except @c``, ``where kind == linear``: the parts between which a line may break."""
    exclude = [] if node.exclude is None else [f"except {paths_text(node.exclude)}"]
    where = [] if node.where is None else [f"where {spell(node.where)}"]
    return [paths_text(node.include), *exclude, *where]


def promise_parts(node: tree.Require | tree.Target) -> list[str]:
    """What is promised, without its keyword: ``accuracy.drop <= 1%``, ``on test``, ``with confidence 95%``."""
    if isinstance(node, tree.Target):
        return [spell(node.goal)] + ([] if node.data is None else [f"on {node.data}"])
    parts = [spell(node.claim)]
    if node.each is not None and node.domain is not None:
        parts.append(f"for all {node.each} in {spell(node.domain)}")
    if node.data is not None:
        parts.append(f"on {node.data}")
    if node.confidence is not None:
        parts.append(confidence_text(node.confidence))
    return parts


def confidence_text(node: tree.Confidence) -> str:
    """``with confidence 95% among 4 candidates registered "plan.md"``."""
    among = "" if node.candidates is None else f" among {node.candidates} candidates"
    registered = "" if node.registered is None else f' registered "{node.registered.text}"'
    return f"with confidence {spell(node.level)}{among}{registered}"


def sequence_text(node: tree.Sequence) -> str:
    """``a >> (b | c)``."""
    return " >> ".join(map(_parallel, node.stages))


def _parallel(node: tree.Parallel) -> str:
    return " | ".join(
        arrow.text if isinstance(arrow, tree.Word) else f"({sequence_text(arrow)})" for arrow in node.arrows
    )
