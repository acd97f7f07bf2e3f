"""Formulas: trees that anyone can evaluate again; their grammars, and their value in exact rationals.

Nothing is guessed: a promise that rests on what is undefined is not kept.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Any

from surgdsl.verifier.reject import Reject, need
from surgdsl.verifier.schema import Check, conform

BITS = 4096
WORK = 10_000_000  # formulas evaluated for all claims together
SIGNS = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "^", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
    "eq": "==", "ne": "!=", "and": "and", "or": "or",
}  # fmt: skip
EXACT: Any = operator  # its stubs are typed in part only
VALUES: dict[str, Callable[..., Any]] = {
    "add": EXACT.add, "sub": EXACT.sub, "mul": EXACT.mul, "div": EXACT.truediv, "pow": EXACT.pow,
    "min": min, "max": max, "neg": EXACT.neg, "abs": abs, "lt": EXACT.lt, "le": EXACT.le, "gt": EXACT.gt,
    "ge": EXACT.ge, "eq": EXACT.eq, "ne": EXACT.ne, "and": EXACT.and_, "or": EXACT.or_, "not": EXACT.not_,
}  # fmt: skip
INEXACT = frozenset({"sqrt", "exp", "log"})
FOLDS = {"sum": "add", "mean": "add", "prod": "mul", "max": "max", "min": "min"}
NOTHING: Mapping[str, Any] = {}
KINDS = ("number", "metric", "each", "of", "attested", "apply", "reduce", "spectral", "variable")


def grammar(word: str, names: str, exact: bool = True) -> Check:
    """A schema: a formula, made of the kinds that are named; what an `of` speaks of is bound by one `each`."""
    kinds = names.split()

    def check(value: Any, place: str) -> None:
        conform(word, value, place)
        found = list(all_of(value))
        for each in found:
            kind = next(kind for kind in KINDS if kind in each)
            need(kind in kinds, "V03", f"{place}: `{kind}` may not stand there")
            need(not exact or each.get("apply") not in INEXACT, "V03", f"{place}: {each.get('apply')} is not exact")
        bound = [(one["variable"], each) for one in found if "each" in one for each in all_of(one["body"])]
        used = [each for variable, each in bound if each.get("of") and each["variable"] == variable]
        need(not any("each" in each for _, each in bound), "V03", f"{place}: an `each` stands in another")
        need(len(used) == sum("of" in each for each in found), "V03", f"{place}: nothing binds a variable")

    return check


def all_of(formula: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A formula and all formulas inside of it."""
    yield formula
    for inner in [*formula.get("terms", ()), *(formula[key] for key in ("body", "rank") if key in formula)]:
        yield from all_of(inner)


figure = grammar("formula", "number metric each of attested apply")
condition = grammar("truth", "number variable apply")
value_of_weight = grammar("formula", "number variable reduce spectral apply", exact=False)


@dataclass(slots=True)
class Ground:
    """What figures speak of: for each state the metrics, and count, nnz, size and bits of every weight, in order.

    Of Python, only files with a digest in `trusted` are listened to.
    """

    metrics: Mapping[str, Mapping[str, int]]
    weights: Mapping[str, list[dict[str, int]]]
    trusted: Collection[str]
    work: int = WORK


def evaluate(formula: dict[str, Any], ground: Ground, bound: Mapping[str, Any] = NOTHING) -> Fraction:
    """The exact value of a formula; `bound` holds properties of a weight, or variables.

    Raises:
        Reject: V18 when it is undefined, V20 when it takes too long.
    """
    ground.work -= 1
    need(ground.work >= 0, "V20", f"the claims take more than {WORK} evaluations")
    match formula:
        case {"number": str(value)} | {"attested": str(value)}:
            return Fraction(value)
        case {"metric": metric, "state": at}:
            return Fraction(ground.metrics[at][metric])
        case {"each": kind, "state": at, "body": body}:
            return fold(kind, [evaluate(body, ground, each) for each in ground.weights[at]])
        case {"of": key} | {"variable": key}:
            return Fraction(bound[key])
        case {"apply": "if", "terms": [test, yes, no]}:
            return evaluate(yes if evaluate(test, ground, bound) else no, ground, bound)
        case _:
            terms = [evaluate(term, ground, bound) for term in formula["terms"]]
            return apply(formula["apply"], *terms)


def exactly(formula: dict[str, Any], numbers: Mapping[str, Fraction]) -> Fraction:
    """The exact value of a formula over variables; V14 when it has none."""
    for each in all_of(formula):
        need(each.get("variable", "") in ("", *numbers), "V14", f"`{each.get('variable')}` is no number")
    try:
        return evaluate(formula, Ground({}, {}, ()), numbers)
    except Reject as reject:
        raise Reject("V14", reject.message) from None


def apply(function: str, *terms: Fraction) -> Fraction:
    """A function of numbers; V18 when it has no value, or one of more than BITS bits."""
    if function == "pow":  # before it is computed: a power of terms in lowest terms is in lowest terms
        base, exponent = terms
        bits = (abs(base.numerator).bit_length() - 1 + base.denominator.bit_length() - 1) * abs(int(exponent))
        need(bits <= BITS, "V18", f"a power has more than {BITS} bits")
    try:
        found = VALUES[function](*terms)
    except ZeroDivisionError:
        raise Reject("V18", "a claim divides by zero") from None
    need(found.numerator.bit_length() + found.denominator.bit_length() <= BITS, "V18", f"more than {BITS} bits")
    return found


def fold(kind: str, terms: list[Fraction]) -> Fraction:
    """A reduction; V18 for the mean, maximum or minimum of nothing.

    >>> fold("mean", [Fraction(1), Fraction(2)]), fold("prod", []), fold("count", [Fraction(7)])
    (Fraction(3, 2), Fraction(1, 1), Fraction(1, 1))
    """
    if kind == "count":
        return Fraction(len(terms))
    need(bool(terms) or kind in ("sum", "prod"), "V18", f"the {kind} of nothing")
    start = terms[:1] or [Fraction(kind == "prod")]
    found = reduce(lambda left, right: apply(FOLDS[kind], left, right), terms[1:], *start)
    return apply("div", found, Fraction(len(terms))) if kind == "mean" else found


def attested(formula: dict[str, Any]) -> set[tuple[str, str]]:
    """The references and digests of all numbers that Python gave, wherever they stand."""
    return {(each["reference"], each["sha256"]) for each in all_of(formula) if "attested" in each}


def spell(formula: dict[str, Any]) -> str:
    """A figure as a person reads it."""
    if "number" in formula:
        return formula["number"]
    if "metric" in formula:
        return f"{formula['metric'].partition('/')[0]}({formula['state']})"
    if "each" in formula:
        return f"{formula['each']}({formula['variable']} in weights({formula['state']}): {spell(formula['body'])})"
    if "of" in formula:
        return f"{formula['of']}({formula['variable']})"
    if "attested" in formula:
        return f"{formula['reference']}({formula['state']})"
    return _applied(SIGNS.get(formula["apply"], ""), formula["apply"], formula["terms"])


def _applied(sign: str, function: str, terms: list[dict[str, Any]]) -> str:
    if not sign:
        return f"{function}({', '.join(map(spell, terms))})"
    return f" {sign} ".join(f"({spell(term)})" if term.get("apply") in SIGNS else spell(term) for term in terms)
