"""Expressions over named axes: from the text of a criterion, a norm or a rule to a formula, every axis checked.

Tensors are aligned by the names of their axes: ``e ∘ f : tensor[A ∪ A']``, ``sum[B](w) : tensor[A ∖ B]`` for B ⊆ A.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from attrs import evolve, field, frozen

from surgdsl.diagnostic import hint
from surgdsl.formula import EVERY, Apply, Formula, Number, Reduce, Variable
from surgdsl.language import tree
from surgdsl.language.criterion import BATCH
from surgdsl.language.fitting import called
from surgdsl.language.scope import Declared, Scope, home
from surgdsl.language.spelling import spell
from surgdsl.language.tree.walking import nodes
from surgdsl.language.value import FOLDS, LARGEST_POWER, constant
from surgdsl.units import PLAIN, Quantity

KINDS = ("sum", "mean", "max", "min", "prod", "count")
ELEMENTWISE = ("abs", "sqrt", "exp", "log")
OPS = {"+": "add", "-": "sub", "*": "mul", "/": "div"}
RELATIONS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}
READINGS = {"grad": None, "grad[B]": None, "activation": "cin", "activation[cout]": "cout"}
"""What can be asked of a weight, and the axis of its channels where it is an activation."""
LARGEST, DEEPEST = 4096, 100
"""Nodes and levels of a formula."""

Arguments = tuple[tree.Expr | tree.Keyword | tree.Each, ...]


@frozen
class Shaped:
    """A tensor: its formula and its axes; ``("*",)`` are axes that nothing names.

    `open` says that it has axes between its rows and its channels that the first reduction names.
    """

    expr: Formula
    axes: tuple[str, ...] = ()
    open: bool = False
    truth: bool = False
    size: int = 1
    depth: int = 1


@frozen
class Place:
    """Where an expression stands: the tensors and numbers that it can name, as they are spelled.

    `weights` are the names of parameters that have a gradient and an activation, with the parameter that each stands
    for; `extras` collects the axes that reductions name of activations; `trail` are the functions being put in, each
    with its file. `inputs` are boxes of a rule that read channels, with the axis of their weight that these are.
    """

    scope: Scope
    tensors: Mapping[str, Shaped]
    weights: Mapping[str, str] = field(factory=dict[str, str])
    extras: list[str] = field(factory=list[str])
    trail: tuple[tuple[str, str], ...] = ()
    inputs: Mapping[str, str] = field(factory=dict[str, str])


def shaped(here: Place, expr: tree.Expr) -> Shaped | None:  # noqa: C901, PLR0911 - one case for each construct
    """The tensor that `expr` spells, or nothing where it has a fault."""
    if not _speaks(here, expr):
        return _plain(here, expr)
    match expr:
        case tree.Name(text) if text in here.tensors:
            return here.tensors[text]
        case tree.Member():
            return _member(here, expr)
        case tree.Unary("-", operand):
            return _applied(here, expr, "neg", operand)
        case tree.Unary("not", operand):
            return _applied(here, expr, "not", operand)
        case tree.Binary("^", base, exponent):
            return _power(here, expr, base, exponent)
        case tree.Binary(operator, left, right):
            op = OPS.get(operator) or RELATIONS.get(operator) or operator
            return _applied(here, expr, op, left, right)
        case tree.Conditional(test, yes, no):
            return _applied(here, expr, "if", test, yes, no)
        case tree.Call(tree.Over(tree.Name() as name, axes), arguments):
            return _over(here, expr, name, axes, arguments)
        case tree.Call(tree.Name() as name, arguments):
            return _called(here, expr, name, arguments)
        case _:
            return here.scope.refuse("E0422", "this is no expression over tensors", expr.span)


def _speaks(here: Place, expr: tree.Expr) -> bool:
    """Whether `expr` says anything that the file alone does not decide."""
    for node in nodes(expr):
        match node:
            case tree.Call(tree.Name(text)) if text in FOLDS:
                continue
            case tree.Call() | tree.Member() | tree.Over():
                return True
            case tree.Name(text) if text in here.tensors:
                return True
            case _:
                continue
    return False


def _plain(here: Place, expr: tree.Expr) -> Shaped | None:
    value = constant(here.scope, expr)
    if value is None:
        return None
    if isinstance(value, bool):
        zero = Number(Fraction(0))
        return Shaped(Apply("eq" if value else "ne", (zero, zero)), truth=True)
    if not isinstance(value, Quantity):
        return here.scope.refuse("E0201", f"this is {called(value)}", expr.span, "expected a number")
    if value.dimension != PLAIN:
        return here.scope.refuse("E0302", "tensors hold plain numbers", expr.span, f"this is in {value.dimension}")
    return Shaped(Number(value.value))


def _member(here: Place, expr: tree.Member) -> Shaped | None:
    text = spell(expr)
    if text in here.tensors:
        return here.tensors[text]
    return here.scope.refuse("E0101", f"there is no `{text}` here", expr.span, hint(text, here.tensors))


# ---- element by element -------------------------------------------------------------------------


def _applied(here: Place, expr: tree.Expr, op: str, *operands: tree.Expr) -> Shaped | None:
    terms = [shaped(here, one) for one in operands]
    good = tuple(one for one in terms if one is not None)
    if len(good) < len(terms) or not _sorted(here, op, operands, good):
        return None
    return joined(here, expr, op, good)


def _sorted(here: Place, op: str, operands: tuple[tree.Expr, ...], terms: tuple[Shaped, ...]) -> bool:
    """Whether truth values stand where `op` wants them, and numbers elsewhere; otherwise reports."""
    for place, (node, one) in enumerate(zip(operands, terms, strict=True)):
        wanted = op in ("and", "or", "not") or (op == "if" and place == 0)
        if one.truth != wanted:
            label = "expected a condition" if wanted else "this is a condition, expected a number"
            here.scope.refuse("E0201", f"this does not fit `{op}`", node.span, label)
            return False
    return True


def joined(here: Place, expr: tree.Expr, op: str, terms: tuple[Shaped, ...]) -> Shaped | None:
    """`op` of tensors, over the union of their axes."""
    axes = tuple(dict.fromkeys(axis for one in terms for axis in one.axes))
    named = ", ".join(axis for axis in axes if axis not in (EVERY, BATCH))
    if EVERY in axes and named:
        label = f"`tensor[*]` has no axes that could be aligned with {named}"
        return here.scope.refuse("E0324", "these axes do not fit together", expr.span, label)
    truth = op in (*RELATIONS.values(), "and", "or", "not")
    made = Shaped(
        Apply(op, tuple(one.expr for one in terms)), axes, any(one.open for one in terms), truth,
        1 + sum(one.size for one in terms), 1 + max(one.depth for one in terms),
    )  # fmt: skip
    return _bounded(here, expr, made)


def _bounded(here: Place, expr: tree.Expr, made: Shaped) -> Shaped | None:
    if made.size > LARGEST or made.depth > DEEPEST:
        return here.scope.refuse("E0305", "this formula is too large", expr.span, f"more than {LARGEST} parts")
    return made


def _power(here: Place, expr: tree.Expr, base: tree.Expr, exponent: tree.Expr) -> Shaped | None:
    left, right = shaped(here, base), shaped(here, exponent)
    if left is None or right is None:
        return None
    match right.expr:
        case Number(value) if value.denominator == 1 and abs(value) <= LARGEST_POWER:
            return joined(here, expr, "pow", (left, right))
        case _:
            return here.scope.refuse("E0305", "an exponent is a whole number, at most 64", exponent.span)


# ---- reductions ---------------------------------------------------------------------------------


def _over(
    here: Place, expr: tree.Call, name: tree.Name, axes: tuple[tree.Expr, ...], arguments: Arguments
) -> Shaped | None:
    """``sum[cin, kh](…)``, ``scale[cout](t, v)`` or ``grad[B](w)``."""
    words = [axis for axis in axes if isinstance(axis, tree.Name)]
    for axis in axes:
        if not isinstance(axis, tree.Name):
            return here.scope.refuse("E0201", "an axis is a name", axis.span)
    match name.text:
        case "scale":
            return _scaled(here, expr, words, arguments)
        case "grad" | "activation":
            return _reading(here, expr, name, arguments, words)
        case _:
            return _reduced(here, expr, name, words, arguments)


def _reduced(
    here: Place, expr: tree.Call, name: tree.Name, words: list[tree.Name], arguments: Arguments
) -> Shaped | None:
    if name.text not in KINDS:
        label = hint(name.text, KINDS) or f"expected {', '.join(KINDS)}"
        return here.scope.refuse("E0101", f"nothing is reduced by `{name.text}`", name.span, label)
    (body,) = _operands(here, expr, name, arguments, 1) or (None,)
    if body is None:
        return None
    gone: list[str] = []
    for word in words:
        if not _reducible(here, body, word, gone):
            return None
        gone.append(word.text)
    rest = tuple(axis for axis in body.axes if axis not in gone)
    made = Shaped(Reduce(name.text, tuple(gone), body.expr), rest, size=body.size + 1, depth=body.depth + 1)
    return _bounded(here, expr, made)


def _reducible(here: Place, body: Shaped, word: tree.Name, gone: list[str]) -> bool:
    """Whether the axis `word` is there to be reduced; the axes of an activation get their names here."""
    if word.text in gone:
        here.scope.refuse("E0324", f"`{word.text}` is reduced twice", word.span)
        return False
    if word.text in body.axes:
        return True
    if body.open and word.text in here.scope.names and here.scope.names[word.text].kind == "dim":
        here.extras.append(word.text)
        return True
    known = ", ".join(body.axes) or "none"
    label = hint(word.text, body.axes) or f"its axes are {known}".replace("axes are *", "axes have no names")
    here.scope.refuse("E0324", f"there is no axis `{word.text}` to reduce", word.span, label)
    return False


def _scaled(here: Place, expr: tree.Call, words: list[tree.Name], arguments: Arguments) -> Shaped | None:
    found = _operands(here, expr, expr, arguments, 2)
    if found is None:
        return None
    tensor, vector = found
    axes = tuple(word.text for word in words)
    for word in words:
        if word.text not in tensor.axes:
            label = hint(word.text, tensor.axes) or f"its axes are {', '.join(tensor.axes) or 'none'}"
            return here.scope.refuse("E0324", f"there is no axis `{word.text}` to scale", word.span, label)
    if set(vector.axes) != set(axes):
        label = f"it is over {', '.join(vector.axes) or 'no axis'}"
        return here.scope.refuse("E0324", f"the factor is not over {', '.join(axes)}", expr.span, label)
    return joined(here, expr, "mul", (tensor, vector))


# ---- calls --------------------------------------------------------------------------------------


def _called(here: Place, expr: tree.Call, name: tree.Name, arguments: Arguments) -> Shaped | None:
    text = name.text
    if text in ELEMENTWISE:
        found = _operands(here, expr, name, arguments, 1)
        return None if found is None else joined(here, expr, text, found)
    if text in ("max", "min") and len(arguments) > 1:
        return _largest(here, expr, name, arguments)
    if text in KINDS:
        found = _operands(here, expr, name, arguments, 1)
        return None if found is None else _bounded(here, expr, _whole(text, found[0]))
    if text in ("grad", "activation"):
        return _reading(here, expr, name, arguments)
    declared = here.scope.find(name, "criterion", "metric")
    return declared and _put_in(here, expr, name, declared, arguments)


def _whole(kind: str, body: Shaped) -> Shaped:
    """`kind` over all axes; of a single number it is that number."""
    axes = body.axes if body.open else (EVERY,)
    return Shaped(Reduce(kind, axes, body.expr), (), size=body.size + 1, depth=body.depth + 1)


def _largest(here: Place, expr: tree.Call, name: tree.Name, arguments: Arguments) -> Shaped | None:
    found = _operands(here, expr, name, arguments, len(arguments))
    if found is None:
        return None
    made: Shaped | None = found[0]
    for one in found[1:]:
        made = made and joined(here, expr, name.text, (made, one))
    return made


def _operands(
    here: Place, expr: tree.Call, name: tree.Expr, arguments: Arguments, count: int
) -> tuple[Shaped, ...] | None:
    """The values of exactly `count` arguments, all numbers."""
    plain = tuple(one for one in arguments if not isinstance(one, tree.Keyword | tree.Each))
    if len(plain) < len(arguments) or len(plain) != count:
        wanted = f"expected {count} argument{'' if count == 1 else 's'}"
        return here.scope.refuse("E0201", f"`{spell(name)}` is called wrongly", expr.span, wanted)
    found = tuple(one for one in (shaped(here, one) for one in plain) if one is not None)
    return found if len(found) == count and _sorted(here, spell(name), plain, found) else None


def _reading(
    here: Place, expr: tree.Call, name: tree.Name, arguments: Arguments, over: Sequence[tree.Name] = ()
) -> Shaped | None:
    """``grad(w)`` has the axes of w; ``activation(w)`` has rows, what lies between, and the channels that w reads.

    ``grad[B](w)`` has rows besides; ``activation[cout](w)`` are the channels that are scored, where w reads them.
    """
    match arguments:
        case (tree.Name(text),) if text in here.inputs and name.text == "activation" and not over:
            return Shaped(Variable(f"activation({text})"), (BATCH, here.inputs[text]))
        case (tree.Name(text),) if text in here.weights:
            axes, of = here.tensors[text].axes, here.weights[text]
        case _:
            label = f"expected {' or '.join(here.weights)}" if here.weights else "there is none here"
            return here.scope.refuse("E0201", f"`{name.text}` is of a weight that is scored", expr.span, label)
    word = f"{name.text}[{', '.join(one.text for one in over)}]" if over else name.text
    if word not in READINGS:
        label = f"expected {', '.join(READINGS)}"
        return here.scope.refuse("E0324", f"there is no `{word}` of a weight", expr.span, label)
    axis = READINGS[word]
    if axis is None:
        return Shaped(Variable(f"{word}({of})"), (BATCH, *axes) if over else axes)
    if axis not in axes:
        label = f"`{text}` is over {', '.join(axes)}"
        return here.scope.refuse("E0324", f"an activation is that of the axis `{axis}`", expr.span, label)
    return Shaped(Variable(f"{word}({of})"), (BATCH, axis), open=True)


def _put_in(here: Place, expr: tree.Call, name: tree.Name, declared: Declared, arguments: Arguments) -> Shaped | None:
    """The body of a criterion or norm with `arguments` for its tensors."""
    node = declared.node
    link = (home(here.scope, declared).source.path, declared.name)
    if link in here.trail:
        circle = " -> ".join(one for _, one in (*here.trail[here.trail.index(link) :], link))
        return here.scope.refuse("E0105", "these declarations refer to each other in a circle", name.span, circle)
    ports = [one for one in node.ports if one.type.word.text == "tensor"] if isinstance(node, tree.Function) else []
    told = isinstance(node, tree.Function) and any(one.type.word.text in ("int", "ratio") for one in node.ports)
    if not isinstance(node, tree.Function) or node.extern or told or not ports:
        return here.scope.refuse("E0201", f"`{name.text}` cannot be used inside of a formula", name.span)
    found = _operands(here, expr, name, arguments, len(ports))
    if found is None:
        return None
    tensors: dict[str, Shaped] = {}
    for port, argument, one in zip(ports, arguments, found, strict=True):
        axes = axes_of(port.type)
        if axes != (EVERY,) and set(axes) != set(one.axes):
            label = f"it is over {', '.join(one.axes) or 'no axis'}, expected {', '.join(axes)}"
            return here.scope.refuse("E0324", f"`{name.text}` takes another tensor", argument.span, label)
        tensors[port.name.text] = evolve(one, open=False) if not one.open else one
    weights = {
        port.name.text: here.weights[argument.text]
        for port, argument in zip(ports, arguments, strict=True)
        if isinstance(argument, tree.Name) and argument.text in here.weights
    }
    inner = Place(home(here.scope, declared), tensors, weights, here.extras, (*here.trail, link))
    return shaped(inner, node.body)


def axes_of(written: tree.Type) -> tuple[str, ...]:
    """The names of the axes of a type; ``*`` where it says so, or nothing at all."""
    names = ("*" if isinstance(one, tree.AnyAxis) else spell(one) for one in written.axes or (tree.AnyAxis(),))
    return tuple(names)
