"""From the text of a `require` or `target` to its claim: units checked, both sides in the metric's own integers.

`size` counts bytes, `macs` counts MACs, `params` and `nnz` count weights; a percentage needs something that it is a
percentage of.
"""

from __future__ import annotations

from fractions import Fraction

from attrs import frozen

from surgdsl.diagnostic import Note, hint
from surgdsl.language import tree
from surgdsl.language.claim import Apply, Counted, Expr, Measured, Metric, Number, Require
from surgdsl.language.fitting import called, fitted
from surgdsl.language.scope import Declared, Scope
from surgdsl.language.spelling import promise_parts, spell
from surgdsl.language.value import combine, constant, mismatch
from surgdsl.units import BIT, MAC, PLAIN, Quantity

RELATIONS = {"<=": ">=", ">=": "<=", "<": ">", ">": "<"}
"""The relations of claims, each with its mirror image."""
DIFFERENCES = ("drop", "rise", "relative_drop", "relative_rise")
RESULTS = {"bit": BIT, "mac": MAC, "count": PLAIN, "ratio": PLAIN}


@frozen
class Term:
    """A side of a claim: its expression, a quantity that carries its dimension, and which metric it counts, if any."""

    expr: Expr
    quantity: Quantity
    metric: Declared | None = None
    counts: int = 0


def required(scope: Scope, node: tree.Require | tree.Target) -> Require | None:
    """The promise of `node`, or nothing where it has a fault."""
    claim = node.claim if isinstance(node, tree.Require) else node.goal
    if not isinstance(claim, tree.Binary) or claim.operator not in RELATIONS:
        lines = ("write two promises",) if isinstance(claim, tree.Binary) and claim.operator == "and" else ()
        return scope.refuse("E0420", "a claim compares two things with <=, >=, < or >", claim.span, help=lines)
    found = _measured(scope, node, claim) if _measures(scope, claim) else _counted(scope, node, claim)
    return None if found is None else Require(" ".join(promise_parts(node)), found, span=node.span)


def _measures(scope: Scope, claim: tree.Binary) -> bool:
    """Whether a measured metric stands on either side."""
    return any(_measure(scope, side) is not None for side in (claim.left, claim.right))


def _measure(scope: Scope, side: tree.Expr) -> Declared | None:
    """The measured metric whose ``.drop``, ``(after)`` or the like `side` is."""
    head = side.value if isinstance(side, tree.Member) else side.function if isinstance(side, tree.Call) else side
    found = scope.names.get(head.text) if isinstance(head, tree.Name) else None
    return found if found is not None and found.signature is not None and found.signature.measured else None


# ---- measured -----------------------------------------------------------------------------------


def _measured(scope: Scope, node: tree.Require | tree.Target, claim: tree.Binary) -> Measured | None:
    left = _measure(scope, claim.left) is not None
    side, bound = (claim.left, claim.right) if left else (claim.right, claim.left)
    relation = claim.operator if left else RELATIONS[claim.operator]
    measure = _measure_name(scope, side)
    limit = _limit(scope, bound)
    data = node.data if isinstance(node, tree.Require) else None
    confidence = _confidence(scope, node.confidence) if isinstance(node, tree.Require) and node.confidence else None
    if data is None:
        text = f"require {spell(claim)} on …"
        return scope.refuse("E0210", "a measured promise names its data", claim.span, help=(f"write `{text}`",))
    if scope.find(data, "data") is None or measure is None or limit is None:
        return None
    if (relation in ("<=", "<")) != measure.endswith("drop"):
        better = "at most (<=)" if measure.endswith("drop") else "at least (>=)"
        return scope.refuse("E0420", f"`{measure}` is promised to be {better} a limit", claim.span)
    return Measured(measure, relation, limit, data.text, confidence)


def _measure_name(scope: Scope, side: tree.Expr) -> str | None:
    match side:
        case tree.Member(tree.Name(metric), tree.Word("drop")):
            return f"{metric}.drop"
        case tree.Call(tree.Name(metric), (tree.Name("after"),)):
            return f"{metric}.after"
        case tree.Member(_, word):
            label = hint(word.text, ("drop",)) or "`drop` is"
            return scope.refuse(
                "E0420", f"`.{word}` of a measured metric is not executed in this version", word.span, label
            )
        case _:
            return scope.refuse("E0420", "this measured figure is not executed in this version of surgdsl", side.span)


def _limit(scope: Scope, bound: tree.Expr) -> Fraction | None:
    value = constant(scope, bound)
    made = None if value is None else fitted(scope, value, "ratio", bound.span)
    return made if isinstance(made, Fraction) else None


def _confidence(scope: Scope, expr: tree.Expr) -> Fraction | None:
    made = _limit(scope, expr)
    if made is None or 0 < made < 1:
        return made
    lines = (f"for a percentage write `{expr.span.text}%`",) if 1 < made < 100 else ()
    return scope.refuse("E0207", "a confidence lies between 0% and 100%", expr.span, help=lines)


# ---- counted ------------------------------------------------------------------------------------


def figure(scope: Scope, expr: tree.Expr) -> Expr | None:
    """A counted figure of the model, such as ``size(after)`` or ``macs(after) / macs(before)``."""
    if _measure(scope, expr) is not None:
        return scope.refuse("E0413", "a measured figure is not known before the surgery is done", expr.span)
    term = _term(scope, expr)
    if term is None or term.metric is not None:
        return term and term.expr
    lines = ("for example: size(after)",)
    return scope.refuse("E0215", "this does not speak of the model", expr.span, help=lines)


def _counted(scope: Scope, node: tree.Require | tree.Target, claim: tree.Binary) -> Counted | None:
    left, right = _term(scope, claim.left), _term(scope, claim.right)
    if left is None or right is None:
        return None
    if left.metric is None and right.metric is None:
        return scope.refuse(
            "E0215", "this claim does not speak of the model", claim.span, help=("for example: size(after) <= 240KiB",)
        )
    if not _comparable(scope, claim, left, right):
        return None
    if isinstance(node, tree.Require) and (node.data or node.confidence):
        extra = node.data or node.confidence
        assert extra is not None
        metric = left.metric or right.metric
        assert metric is not None
        return scope.refuse(
            "E0108",
            "this figure is counted, not measured",
            extra.span,
            f"`{metric.name}` needs no data and no confidence",
        )
    return Counted(left.expr, claim.operator, right.expr)


def _comparable(scope: Scope, claim: tree.Binary, left: Term, right: Term) -> bool:
    """Whether the sides of `claim` measure the same thing; reports where they do not."""
    for one, other, side in ((left, right, claim.right), (right, left, claim.left)):
        ratio = one.quantity.dimension == PLAIN and one.counts == 0
        if one.metric is not None and other.metric is None and other.quantity.percent and not ratio:
            _percentage(scope, claim.left if one is left else claim.right, side, one.metric)
            return False
    if left.quantity.dimension != right.quantity.dimension:
        mismatch(scope, claim, left.quantity, right.quantity)
        return False
    if left.metric is not None and right.metric is not None and left.counts != right.counts:
        notes = (Note(claim.left.span, "this counts"), Note(claim.right.span, "this is a ratio"))
        scope.refuse("E0302", "a count and a ratio cannot be compared", claim.span, notes=notes)
        return False
    return True


def _percentage(scope: Scope, counted: tree.Expr, bound: tree.Expr, metric: Declared) -> None:
    if isinstance(counted, tree.Member):
        fix = f"{counted.value.span.text}.relative_{counted.word.text.removeprefix('relative_')}"
    else:
        fix = f"{bound.span.text} * {metric.name}(before)"
    scope.refuse("E0312", f"a percentage of what? `{metric.name}` is no ratio", bound.span, help=(f"write `{fix}`",))


def _term(scope: Scope, expr: tree.Expr) -> Term | None:
    match expr:
        case tree.Call(tree.Name() as name, arguments):
            return _state(scope, expr, name, arguments)
        case tree.Member(tree.Name() as name, word):
            return _difference(scope, name, word)
        case tree.Unary("-", operand):
            inner = _term(scope, operand)
            zero = Number(Fraction(0))
            return inner and Term(Apply("sub", (zero, inner.expr)), -inner.quantity, inner.metric, inner.counts)
        case tree.Binary("+" | "-" | "*" | "/") if _mentions_metric(scope, expr):
            return _arithmetic(scope, expr)
        case tree.Name(text) if text in scope.names and scope.names[text].kind == "metric":
            return scope.refuse(
                "E0420", f"`{text}` of which model?", expr.span, help=(f"write `{text}(after)` or `{text}(before)`",)
            )
        case _:
            return _plain(scope, expr)


def _plain(scope: Scope, expr: tree.Expr) -> Term | None:
    value = constant(scope, expr)
    if value is None:
        return None
    if not isinstance(value, Quantity):
        return scope.refuse("E0201", f"this is {called(value)}", expr.span, "expected a quantity")
    return Term(Number(_scaled(value)), value)


def _scaled(value: Quantity) -> Fraction:
    """`value` with bytes for bits: stored sizes are whole bytes."""
    return value.value / Fraction(8) ** value.dimension.exponents[0]


def _state(
    scope: Scope, expr: tree.Call, name: tree.Name, arguments: tuple[tree.Expr | tree.Keyword | tree.Each, ...]
) -> Term | None:  # fmt: skip
    found = scope.find(name, "metric")
    if found is None or found.signature is None:
        return None
    match arguments:
        case (tree.Name("before" | "after") as state,):
            return _counting(found, Metric(found.name, state.text))
        case _:
            place = arguments[0].span if arguments else expr.span
            return scope.refuse("E0201", f"`{name.text}` takes a model", place, "expected `before` or `after`")


def _difference(scope: Scope, name: tree.Name, word: tree.Word) -> Term | None:
    found = scope.find(name, "metric")
    if found is None or found.signature is None:
        return None
    if word.text not in DIFFERENCES:
        label = hint(word.text, DIFFERENCES) or f"a metric has {', '.join(DIFFERENCES)}"
        return scope.refuse("E0101", f"a metric has no `.{word}`", word.span, label)
    before, after = Metric(found.name, "before"), Metric(found.name, "after")
    change = Apply("sub", (before, after) if word.text.endswith("drop") else (after, before))
    if word.text.startswith("relative"):
        return Term(Apply("div", (change, before)), Quantity(Fraction(1)), found)
    return _counting(found, change)


def _counting(metric: Declared, expr: Expr) -> Term:
    assert metric.signature is not None
    result = metric.signature.result
    return Term(expr, Quantity(Fraction(1), RESULTS[result]), metric, int(result == "count"))


def _mentions_metric(scope: Scope, expr: tree.Expr) -> bool:
    match expr:
        case tree.Binary(_, left, right):
            return _mentions_metric(scope, left) or _mentions_metric(scope, right)
        case tree.Unary(_, operand):
            return _mentions_metric(scope, operand)
        case tree.Call() | tree.Member():
            return True
        case tree.Name(text):
            return text in scope.names and scope.names[text].kind == "metric"
        case _:
            return False


OPS = {"+": "add", "-": "sub", "*": "mul", "/": "div"}


def _arithmetic(scope: Scope, expr: tree.Binary) -> Term | None:
    left, right = _term(scope, expr.left), _term(scope, expr.right)
    if left is None or right is None:
        return None
    if expr.operator in "+-" and left.quantity.dimension == right.quantity.dimension and left.counts != right.counts:
        return _uneven(scope, expr, left, right)
    made = combine(scope, expr, left.quantity, right.quantity)
    if made is None:
        return None
    counts = {"*": left.counts + right.counts, "/": left.counts - right.counts}.get(expr.operator, left.counts)
    unit = Quantity(made.value or Fraction(1), made.dimension)
    return Term(Apply(OPS[expr.operator], (left.expr, right.expr)), unit, left.metric or right.metric, counts)


def _uneven(scope: Scope, expr: tree.Binary, left: Term, right: Term) -> Term | None:
    """A count plus a plain number is a count; a count plus a ratio is a mistake."""
    if (left.metric is None) != (right.metric is None) and not (left.quantity.percent or right.quantity.percent):
        counts = (left if left.metric else right).counts
        return Term(
            Apply(OPS[expr.operator], (left.expr, right.expr)), left.quantity, left.metric or right.metric, counts
        )
    return scope.refuse("E0302", "a count and a ratio cannot be added", expr.span)
