"""From the text of a `require` or `target` to its claim: units checked, both sides in the metric's own integers.

`size` counts bytes, `macs` counts MACs, `params` and `nnz` count weights; a percentage needs something that it is a
percentage of.
"""

from __future__ import annotations

import re
from fractions import Fraction

from surgdsl.diagnostic import Note, Span, hint
from surgdsl.formula import Number
from surgdsl.language import tree
from surgdsl.language.claim import Counted, Expr, Measured, Require
from surgdsl.language.figures import Context, Term, context, domain, everywhere, term, within
from surgdsl.language.fitting import fitted, whole
from surgdsl.language.scope import Declared, Scope
from surgdsl.language.spelling import spell
from surgdsl.language.value import constant, mismatch
from surgdsl.units import PLAIN

RELATIONS = {"<=": ">=", ">=": "<=", "<": ">", ">": "<"}
"""The relations of claims, each with its mirror image."""
MEASURES = {"accuracy": "drop", "loss": "rise"}
"""Metrics that are measured row by row between 0 and 1, each with the change for the worse."""
MOST_CANDIDATES = 10**6


def required(scope: Scope, node: tree.Require | tree.Target) -> Require | None:
    """The promise of `node`, or nothing where it has a fault."""
    claim = node.claim if isinstance(node, tree.Require) else node.goal
    if not isinstance(claim, tree.Binary) or claim.operator not in RELATIONS:
        lines = ("write two promises",) if isinstance(claim, tree.Binary) and claim.operator == "and" else ()
        return scope.refuse("E0420", "a claim compares two things with <=, >=, < or >", claim.span, help=lines)
    found = _measured(scope, node, claim) if _measures(scope, claim) else _counted(scope, node, claim)
    return None if found is None else Require(said(node.span), found, span=node.span)


SOLID = re.compile(r'("[^"\n]*")|#[^\n]*')


def said(span: Span) -> str:
    """The words of a promise as the file has them, without their keyword: a verifier finds them there again."""
    text = SOLID.sub(lambda found: found[1] or " ", span.text)
    return re.sub(r"[ \t\r\n]+", " ", text.removeprefix("require").removeprefix("target")).strip(" ")


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
    data = node.data
    sure = node.confidence if isinstance(node, tree.Require) else None
    certainty = _certainty(scope, sure) if sure else (None, 1, None)
    if data is None:
        text = f"require {spell(claim)} on …"
        return scope.refuse("E0210", "a measured promise names its data", claim.span, help=(f"write `{text}`",))
    if scope.find(data, "data") is None or measure is None or limit is None:
        return None
    if (relation in ("<=", "<")) == (measure == "accuracy.after"):
        better = "at least (>=)" if measure == "accuracy.after" else "at most (<=)"
        return scope.refuse("E0420", f"`{measure}` is promised to be {better} a limit", claim.span)
    return None if certainty is None else Measured(measure, relation, limit, data.text, *certainty)


def measure(scope: Scope, expr: tree.Expr) -> tuple[bool, str | None]:
    """Whether `expr` is a figure that is measured, and which, if it is one that is executed."""
    return (True, _measure_name(scope, expr)) if _measure(scope, expr) is not None else (False, None)


def _measure_name(scope: Scope, side: tree.Expr) -> str | None:
    declared = _measure(scope, side)
    metric = declared.signature.name if declared and declared.signature else ""
    change = MEASURES.get(metric)
    match side:
        case tree.Member(_, tree.Word("drop" | "rise" as word)) if word == change:
            return f"{metric}.{change}"
        case tree.Call(_, (tree.Name("after"),)) if change:
            return f"{metric}.after"
        case tree.Member(_, word) if change:
            label = hint(word.text, (change,)) or f"`{change}` is"
            return scope.refuse(
                "E0420", f"`.{word}` of a measured metric is not executed in this version", word.span, label
            )
        case _:
            return scope.refuse("E0420", "this measured figure is not executed in this version of surgdsl", side.span)


def _limit(scope: Scope, bound: tree.Expr) -> Fraction | None:
    value = constant(scope, bound)
    made = None if value is None else fitted(scope, value, "ratio", bound.span)
    return made if isinstance(made, Fraction) else None


def _certainty(scope: Scope, node: tree.Confidence) -> tuple[Fraction, int, str | None] | None:
    """The confidence, the number of candidates and the file that registers them."""
    level = _limit(scope, node.level)
    if level is not None and not 0 < level < 1:
        lines = (f"for a percentage write `{node.level.span.text}%`",) if 1 < level < 100 else ()
        scope.refuse("E0207", "a confidence lies between 0% and 100%", node.level.span, help=lines)
        level = None
    candidates = 1 if node.candidates is None else whole(scope, node.candidates, 1, MOST_CANDIDATES)
    registered = None if node.registered is None else node.registered.text
    return None if level is None or candidates is None else (level, candidates, registered)


# ---- counted ------------------------------------------------------------------------------------


def figure(scope: Scope, expr: tree.Expr) -> Expr | None:
    """A counted figure of the model, such as ``size(after)`` or ``macs(after) / macs(before)``."""
    if _measure(scope, expr) is not None:
        return scope.refuse("E0413", "a measured figure is not known before the surgery is done", expr.span)
    found = term(context(scope, expr), expr)
    if found is None or found.name:
        return found and found.expr
    lines = ("for example: size(after)",)
    return scope.refuse("E0215", "this does not speak of the model", expr.span, help=lines)


def _counted(scope: Scope, node: tree.Require | tree.Target, claim: tree.Binary) -> Counted | None:
    here, over = context(scope, claim), None
    if isinstance(node, tree.Require) and node.each is not None and node.domain is not None:
        state = domain(here, tree.Each(node.each, node.domain, claim, span=node.span))
        if state is None:
            return None
        here, over = within(here, node.each), (node.each, state)
    sides = _sides(here, claim)
    extra = node.data or (node.confidence if isinstance(node, tree.Require) else None)
    if sides is not None and extra is not None:
        label = f"`{sides[0].name or sides[1].name}` needs no data and no confidence"
        return scope.refuse("E0108", "this figure is counted, not measured", extra.span, label)
    if sides is None or over is None:
        return sides and Counted(sides[0].expr, claim.operator, sides[1].expr)
    worst = everywhere(here, claim, sides, over)
    return worst and Counted(worst.expr, claim.operator, Number(Fraction(0)))


def _sides(here: Context, claim: tree.Binary) -> tuple[Term, Term] | None:
    """Both sides of a claim, where they speak of the model and measure the same thing."""
    left, right = term(here, claim.left), term(here, claim.right)
    if left is None or right is None:
        return None
    if not left.name and not right.name:
        lines = ("for example: size(after) <= 240KiB",)
        return here.scope.refuse("E0215", "this claim does not speak of the model", claim.span, help=lines)
    return (left, right) if _comparable(here.scope, claim, left, right) else None


def _comparable(scope: Scope, claim: tree.Binary, left: Term, right: Term) -> bool:
    """Whether the sides of `claim` measure the same thing; reports where they do not."""
    for one, other, side in ((left, right, claim.right), (right, left, claim.left)):
        ratio = one.quantity.dimension == PLAIN and one.counts == 0
        if one.name and not other.name and other.quantity.percent and not ratio:
            _percentage(scope, claim.left if one is left else claim.right, side, one.name)
            return False
    if left.quantity.dimension != right.quantity.dimension:
        mismatch(scope, claim, left.quantity, right.quantity)
        return False
    if left.name and right.name and left.counts != right.counts:
        notes = (Note(claim.left.span, "this counts"), Note(claim.right.span, "this is a ratio"))
        scope.refuse("E0302", "a count and a ratio cannot be compared", claim.span, notes=notes)
        return False
    return True


def _percentage(scope: Scope, counted: tree.Expr, bound: tree.Expr, metric: str) -> None:
    if isinstance(counted, tree.Member):
        fix = f"{counted.value.span.text}.relative_{counted.word.text.removeprefix('relative_')}"
    else:
        fix = f"{bound.span.text} * {metric}(before)"
    scope.refuse("E0312", f"a percentage of what? `{metric}` is no ratio", bound.span, help=(f"write `{fix}`",))
