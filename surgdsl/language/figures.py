"""Figures: what can be counted of a model, from the expressions of claims and metrics to formulas, units checked.

A metric of the user's own is put in where it is called, so that a claim says all that there is to recount. Sizes are in
bytes, as models are stored, but where an expression speaks of the bits of a weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from attrs import evolve, field, frozen

from surgdsl.diagnostic import Note, hint
from surgdsl.formula import Apply, Each, Extern, Formula, Metric, Number, Of
from surgdsl.language import tree
from surgdsl.language.declarations import python
from surgdsl.language.fitting import called
from surgdsl.language.scope import Declared, Scope, home
from surgdsl.language.tree.walking import nodes
from surgdsl.language.value import FOLDS, combine, constant, mismatch
from surgdsl.units import BIT, MAC, PLAIN, Quantity

COUNTED = ("macs", "nnz", "params", "size")
"""Metrics of the library with a word of their own in certificates."""
DIFFERENCES = ("drop", "rise", "relative_drop", "relative_rise")
RESULTS = {"bit": BIT, "mac": MAC, "count": PLAIN, "ratio": PLAIN}
PROPERTIES = {"bits": (BIT, 0), "count": (PLAIN, 1), "nnz": (PLAIN, 1), "size": (BIT, 0)}
"""What can be asked of a weight: its dimension, and whether it counts."""
KINDS = ("sum", "mean", "max", "min", "prod", "count")
OPS = {"+": "add", "-": "sub", "*": "mul", "/": "div", "^": "pow"}
LARGEST, DEEPEST = 4096, 13
"""Nodes of a formula, and levels; deeper ones would not fit into the JSON of a certificate."""
LARGEST_NATURAL = 10**39
"""The first number that certificates do not hold."""

Arguments = tuple[tree.Expr | tree.Keyword | tree.Each, ...]


@frozen
class Term:
    """A figure: its formula, a quantity that carries its dimension, and what of the model it is a figure of, if any.

    `counts` is the power in which counts stand in it: 0 for a ratio, 1 for a number of weights.
    """

    expr: Formula
    quantity: Quantity
    name: str = ""
    counts: int = 0
    size: int = 1
    depth: int = 1


@frozen
class Context:
    """What an expression can speak of: models by the names that stand for them, and weights that comprehensions bind.

    `byte` is the unit of sizes in bits, `trail` the metrics that are being put in, each with its file, `known` those
    that have been.
    """

    scope: Scope
    models: Mapping[str, str] = field(factory=lambda: {"before": "before", "after": "after"})
    weights: frozenset[str] = frozenset()
    byte: int = 8
    trail: tuple[tuple[str, str], ...] = ()
    known: dict[tuple[str, str, str, int], Term | None] = field(factory=dict[tuple[str, str, str, int], "Term | None"])


def context(scope: Scope, *exprs: tree.Expr) -> Context:
    """Where claims stand: they speak of `before` and `after`, in bytes, or in bits where `exprs` do."""
    return Context(scope, byte=1 if any(_speaks_of_bits(scope, expr, set()) for expr in exprs) else 8)


def _speaks_of_bits(scope: Scope, expr: tree.Expr, seen: set[str]) -> bool:
    for node in nodes(expr):
        if isinstance(node, tree.Call) and isinstance(node.function, tree.Name) and node.function.text == "bits":
            return True
        found = scope.names.get(node.text) if isinstance(node, tree.Name) else None
        if found is not None and isinstance(found.node, tree.Function) and found.name not in seen:
            seen.add(found.name)
            if _speaks_of_bits(home(scope, found), found.node.body, seen):
                return True
    return False


def term(here: Context, expr: tree.Expr) -> Term | None:  # noqa: C901, PLR0911 - one case for each construct
    """The figure that `expr` spells, or nothing where it has a fault."""
    if not _speaks(here, expr):
        return _plain(here, expr)
    match expr:
        case tree.Call(tree.Name() as name, arguments):
            return _called(here, expr, name, arguments)
        case tree.Member(tree.Name() as name, word):
            return _difference(here, name, word)
        case tree.Unary("-", operand):
            inner = term(here, operand)
            zero = Term(Number(Fraction(0)), Quantity(Fraction(0)))
            return inner and _applied(here, expr, "sub", (zero, inner), inner)
        case tree.Binary("+" | "-" | "*" | "/" | "^"):
            return _arithmetic(here, expr)
        case tree.Conditional(test, yes, no):
            return _conditional(here, expr, test, yes, no)
        case tree.Name(text) if text in here.models or text in here.weights:
            what, example = ("a model", "size") if text in here.models else ("a weight", "count")
            label = f"expected a figure of it such as {example}({text})"
            return here.scope.refuse("E0201", f"`{text}` is {what}", expr.span, label)
        case tree.Name(text):
            lines = (f"write `{text}(after)` or `{text}(before)`",)
            return here.scope.refuse("E0420", f"`{text}` of which model?", expr.span, help=lines)
        case _:
            return here.scope.refuse("E0422", "this is no figure of a model", expr.span)


def _speaks(here: Context, expr: tree.Expr) -> bool:
    """Whether `expr` says anything that the file alone does not decide."""
    return any(_opens(here, node) for node in nodes(expr))


def _opens(here: Context, node: tree.Node) -> bool:
    match node:
        case tree.Call(tree.Name(text)):
            return text not in FOLDS
        case tree.Member() | tree.Call():
            return True
        case tree.Name(text):
            found = here.scope.names.get(text)
            return text in here.models or text in here.weights or (found is not None and found.kind == "metric")
        case _:
            return False


def _plain(here: Context, expr: tree.Expr) -> Term | None:
    value = constant(here.scope, expr)
    if value is None:
        return None
    if not isinstance(value, Quantity):
        return here.scope.refuse("E0201", f"this is {called(value)}", expr.span, "expected a quantity")
    number = value.value / Fraction(here.byte) ** value.dimension.exponents[0]
    if max(abs(number.numerator), number.denominator) >= LARGEST_NATURAL:
        label = "a certificate holds numbers of at most 39 digits"
        return here.scope.refuse("E0305", "this number is too large to compute with", expr.span, label)
    return Term(Number(number), value)


def _applied(here: Context, expr: tree.Expr, op: str, terms: tuple[Term, ...], like: Term) -> Term | None:
    """``op`` of `terms`, of the dimension and counts of `like`; refused where it grows too large."""
    made = evolve(
        like, expr=Apply(op, tuple(one.expr for one in terms)), size=1 + sum(one.size for one in terms),
        name=next((one.name for one in terms if one.name), ""), depth=1 + max(one.depth for one in terms),
    )  # fmt: skip
    return _bounded(here, expr, made)


def _bounded(here: Context, expr: tree.Expr, made: Term) -> Term | None:
    if made.depth > DEEPEST:
        return here.scope.refuse("E0007", "this formula is nested too deeply", expr.span, f"more than {DEEPEST} levels")
    if made.size > LARGEST:
        return here.scope.refuse("E0305", "this formula is too large", expr.span, f"more than {LARGEST} parts")
    return made


# ---- arithmetic ---------------------------------------------------------------------------------


def _arithmetic(here: Context, expr: tree.Binary) -> Term | None:
    left, right = term(here, expr.left), term(here, expr.right)
    if left is None or right is None:
        return None
    if expr.operator == "^" and right.name:
        return here.scope.refuse("E0305", "an exponent is a whole number, at most 64", expr.right.span)
    same = left.quantity.dimension == right.quantity.dimension
    if expr.operator in "+-" and same and left.counts != right.counts:
        return _uneven(here, expr, left, right)
    made = combine(here.scope, expr, left.quantity, right.quantity)
    if made is None:
        return None
    times = int(right.quantity.value) if expr.operator == "^" else 1
    counts = {"*": left.counts + right.counts, "/": left.counts - right.counts}.get(expr.operator, left.counts * times)
    like = Term(left.expr, Quantity(made.value or Fraction(1), made.dimension), counts=counts)
    return _applied(here, expr, OPS[expr.operator], (left, right), like)


def _uneven(here: Context, expr: tree.Binary, left: Term, right: Term) -> Term | None:
    """A count plus a plain number is a count; a count plus a ratio is a mistake."""
    if bool(left.name) != bool(right.name) and not (left.quantity.percent or right.quantity.percent):
        counts = (left if left.name else right).counts
        return _applied(here, expr, OPS[expr.operator], (left, right), Term(left.expr, left.quantity, counts=counts))
    return here.scope.refuse("E0302", "a count and a ratio cannot be added", expr.span)


def _alike(here: Context, terms: tuple[Term, ...], spans: tuple[tree.Expr, ...]) -> Term | None:
    """One of `terms` that stands for the dimension and counts of all, where these agree."""
    best, at = next(((one, node) for one, node in zip(terms, spans, strict=True) if one.name), (terms[0], spans[0]))
    for one, node in zip(terms, spans, strict=True):
        counts = best.counts if not one.name else one.counts
        if (one.quantity.dimension, counts) != (best.quantity.dimension, best.counts):
            notes = (Note(at.span, f"this is in {best.quantity.dimension}"),)
            label = f"this is in {one.quantity.dimension}"
            return here.scope.refuse("E0302", "these measure different things", node.span, label, notes=notes)
    return evolve(best, quantity=Quantity(Fraction(1), best.quantity.dimension))


def _conditional(here: Context, expr: tree.Expr, test: tree.Expr, yes: tree.Expr, no: tree.Expr) -> Term | None:
    truth, sides = _truth(here, test), (term(here, yes), term(here, no))
    if truth is None or sides[0] is None or sides[1] is None:
        return None
    like = _alike(here, (sides[0], sides[1]), (yes, no))
    return like and _applied(here, expr, "if", (truth, sides[0], sides[1]), like)


RELATIONS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}


def _truth(here: Context, expr: tree.Expr) -> Term | None:
    """A condition; as a term it only carries its formula."""
    match expr:
        case tree.Binary("and" | "or" as operator, left, right):
            sides = _truth(here, left), _truth(here, right)
            op = operator
        case tree.Unary("not", operand):
            inner = _truth(here, operand)
            return inner and _applied(here, expr, "not", (inner,), inner)
        case tree.Binary(operator, left, right) if operator in RELATIONS:
            sides = term(here, left), term(here, right)
            op = RELATIONS[operator]
            if sides[0] and sides[1] and sides[0].quantity.dimension != sides[1].quantity.dimension:
                return mismatch(here.scope, expr, sides[0].quantity, sides[1].quantity)
        case _:
            return here.scope.refuse("E0201", "a condition compares", expr.span, "expected for example a <= b")
    if sides[0] is None or sides[1] is None:
        return None
    return _applied(here, expr, op, (sides[0], sides[1]), Term(sides[0].expr, Quantity(Fraction(1))))


# ---- calls --------------------------------------------------------------------------------------


def _called(here: Context, expr: tree.Call, name: tree.Name, arguments: Arguments) -> Term | None:
    match arguments:
        case (tree.Each() as each,) if name.text in KINDS:
            return _comprehension(here, expr, name.text, each)
        case (tree.Name(text),) if text in here.weights:
            return _property(here, name, text)
        case _ if name.text in ("abs", "min", "max"):
            return _chosen(here, expr, name, arguments)
        case (tree.Name(text),) if text in here.models:
            found = here.scope.find(name, "metric")
            return found and metric(here, name, found, here.models[text])
        case _:
            if here.scope.find(name, "metric") is None:
                return None
            place = arguments[0].span if arguments else expr.span
            label = f"expected {' or '.join(f'`{one}`' for one in here.models)}"
            return here.scope.refuse("E0201", f"`{name.text}` takes a model", place, label)


def _chosen(here: Context, expr: tree.Call, name: tree.Name, arguments: Arguments) -> Term | None:
    given = tuple(one for one in arguments if not isinstance(one, tree.Keyword | tree.Each))
    if len(given) < len(arguments) or (len(given) != 1) == (name.text == "abs") or not given:
        label = "expected one figure" if name.text == "abs" else "expected two figures or more"
        return here.scope.refuse("E0201", f"`{name.text}` is called wrongly", expr.span, label)
    terms = tuple(one for one in (term(here, one) for one in given) if one is not None)
    if len(terms) < len(given):
        return None
    like = _alike(here, terms, given)
    made: Term | None = terms[0]
    if like is not None and name.text == "abs":
        return _applied(here, expr, "abs", terms, like)
    for one in terms[1:]:
        made = None if made is None or like is None else _applied(here, expr, name.text, (made, one), like)
    return made


def _property(here: Context, name: tree.Name, weight: str) -> Term | None:
    if name.text not in PROPERTIES:
        label = hint(name.text, PROPERTIES) or f"a weight has {', '.join(PROPERTIES)}"
        return here.scope.refuse("E0101", f"a weight has no `{name.text}`", name.span, label)
    dimension, counts = PROPERTIES[name.text]
    bits = 8 if name.text == "size" else 1
    return Term(
        _in_unit(here, Of(name.text, weight), dimension, bits), Quantity(Fraction(1), dimension), name.text, counts
    )


def _in_unit(here: Context, expr: Formula, dimension: object, bits: int) -> Formula:
    """`expr`, which is in units of so many bits, in the unit of sizes here."""
    if dimension != BIT or bits == here.byte:
        return expr
    return Apply("mul", (Number(Fraction(bits, here.byte)), expr))


def domain(here: Context, each: tree.Each) -> str | None:
    """The state whose weights a comprehension goes over, where its variable is a new name."""
    match each.domain:
        case tree.Call(tree.Name("weights"), (tree.Name(model),)) if model in here.models:
            state = here.models[model]
        case _:
            label = f"expected weights({next(iter(here.models))})"
            return here.scope.refuse("E0422", "a figure goes over the weights of a model", each.domain.span, label)
    if here.weights:
        return here.scope.refuse("E0422", "weights within weights are not gone over", each.span)
    if each.word.text in here.models:
        return here.scope.refuse("E0103", f"`{each.word}` is already the name of a model", each.word.span)
    return state if here.scope.fresh(each.word) else None


def within(here: Context, word: tree.Word) -> Context:
    """The same place where `word` stands for a weight."""
    return evolve(here, weights=frozenset({word.text}))


def everywhere(here: Context, expr: tree.Binary, sides: tuple[Term, Term], over: tuple[tree.Word, str]) -> Term | None:
    """What is at most 0, or at least 0, if `expr` holds for every weight of a state: the worst of the differences."""
    difference = _applied(here, expr, "sub", sides, sides[0] if sides[0].name else sides[1])
    if difference is None:
        return None
    kind = "max" if expr.operator in ("<", "<=") else "min"
    made = Each(kind, over[0].text, "weights", over[1], difference.expr)
    return _bounded(here, expr, evolve(difference, expr=made, size=difference.size + 1, depth=difference.depth + 1))


def _comprehension(here: Context, expr: tree.Call, kind: str, each: tree.Each) -> Term | None:
    state = domain(here, each)
    if state is None:
        return None
    body = term(within(here, each.word), each.body)
    if body is None:
        return None
    if kind == "prod" and body.quantity.dimension != PLAIN:
        return here.scope.refuse("E0302", "a product over weights is of plain numbers", each.body.span)
    made = Each(kind, each.word.text, "weights", state, body.expr)
    plain = kind in ("count", "prod")
    quantity = Quantity(Fraction(1), PLAIN if plain else body.quantity.dimension)
    counts = int(kind == "count") if plain else body.counts
    return _bounded(here, expr, Term(made, quantity, body.name or "weights", counts, body.size + 1, body.depth + 1))


def _difference(here: Context, name: tree.Name, word: tree.Word) -> Term | None:
    found = here.scope.find(name, "metric")
    if found is None:
        return None
    if word.text not in DIFFERENCES:
        label = hint(word.text, DIFFERENCES) or f"a metric has {', '.join(DIFFERENCES)}"
        return here.scope.refuse("E0101", f"a metric has no `.{word}`", word.span, label)
    before, after = metric(here, name, found, "before"), metric(here, name, found, "after")
    if before is None or after is None:
        return None
    change = _applied(here, name, "sub", (before, after) if word.text.endswith("drop") else (after, before), before)
    if change is not None and word.text.startswith("relative"):
        return _applied(here, name, "div", (change, before), Term(change.expr, Quantity(Fraction(1)), change.name))
    return change


def metric(here: Context, name: tree.Name, found: Declared, state: str) -> Term | None:
    """The metric `found`, called `name` here, of the model in `state`: put in, or a word of the certificate."""
    owner = home(here.scope, found).source.path
    key, link = (owner, found.name, state, here.byte), (owner, found.name)
    if link in here.trail:
        circle = " -> ".join(one for _, one in (*here.trail[here.trail.index(link) :], link))
        return here.scope.refuse("E0105", "these metrics refer to each other in a circle", name.span, circle)
    if key not in here.known:
        here.known[key] = _put_in(here, name, found, state)
    made = here.known[key]
    return made and _bounded(here, name, made)


def _put_in(here: Context, name: tree.Name, found: Declared, state: str) -> Term | None:
    if found.target and found.name in COUNTED:
        assert found.signature is not None
        return _resulting(here, found, Metric(found.name, state), found.signature.result)
    if found.signature is not None and found.signature.measured:
        return here.scope.refuse("E0420", f"`{found.name}` is measured: it stands alone in a claim", name.span)
    node = found.node
    if not isinstance(node, tree.Function) or len(node.ports) != 1 or node.ports[0].type.word.text != "model":
        return here.scope.refuse("E0201", f"`{name.text}` does not take a model alone", name.span)
    if node.extern:
        reference, file = python(home(here.scope, found), node.body), home(here.scope, found).source.path
        asked = None if reference is None else Extern(str(reference), state, file)
        return asked and _resulting(here, found, asked, node.result.word.text, bits=1)
    models = {"before": "before", "after": "after", node.ports[0].name.text: state}
    inside = home(here.scope, found)
    inner = Context(
        inside, models, byte=here.byte, trail=(*here.trail, (inside.source.path, found.name)), known=here.known
    )
    body = term(inner, node.body)
    return body and evolve(body, name=found.name)


def _resulting(here: Context, found: Declared, expr: Formula, result: str, bits: int = 8) -> Term | None:
    if result not in RESULTS:
        return None  # told where the metric is declared
    dimension = RESULTS[result]
    made = _in_unit(here, expr, dimension, bits)
    return Term(made, Quantity(Fraction(1), dimension), found.name, int(result == "count"))
