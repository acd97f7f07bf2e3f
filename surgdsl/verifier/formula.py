"""Formulas: trees that anyone can evaluate again; their grammars, and their value in exact rationals.

Nothing is guessed: a promise that rests on what is undefined is not kept.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Any

from surgdsl.verifier.canonical import is_object
from surgdsl.verifier.reject import Reject, need
from surgdsl.verifier.schema import Check, array, digest, metric, name, one_of, rational, record, text, where

BITS = 4096
WORK = 10_000_000  # formulas evaluated for all claims together
TERMS = {  # by the sorts of the terms and of the value
    "nn>n": "add sub mul div pow min max", "n>n": "neg abs sqrt exp log", "tnn>n": "if",
    "nn>t": "lt le gt ge eq ne", "tt>t": "and or", "t>t": "not",
}  # fmt: skip
FUNCTIONS = {function: sorts for sorts, names in TERMS.items() for function in names.split()}
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
EXPONENTS = frozenset(map(str, range(-64, 65)))
INEXACT = frozenset({"sqrt", "exp", "log"})
FOLDS = {"sum": "add", "mean": "add", "prod": "mul", "max": "max", "min": "min"}
NOTHING: Mapping[str, Any] = {}
SORTS = {"n": "a number", "t": "a truth value"}

anything = where(is_object, "a formula")
state, kind = one_of("before", "after"), one_of(*FOLDS, "count")
FORMS: dict[str, Check] = {
    "number": record({"number": rational}),
    "metric": record({"metric": metric, "state": state}),
    "each": record({
        "body": anything, "each": kind, "over": one_of("weights"), "state": state, "variable": name,
    }),
    "of": record({"of": one_of("count", "nnz", "size", "bits"), "variable": name}),
    "attested": record({"attested": rational, "reference": text, "sha256": digest, "state": state}),
    "apply": record({"apply": one_of(*FUNCTIONS), "terms": array(anything, 3, 1)}),
    "reduce": record({"axes": array(name, 8), "body": anything, "reduce": kind}),
    "spectral": record({
        "axis": text, "body": anything, "rank": anything, "spectral": one_of("left", "right", "sigma"),
    }),
    "variable": record({"variable": name}),
}  # fmt: skip


def grammar(wanted: str, names: str, exact: bool = True) -> Check:
    """A schema: a formula of the sort wanted, made of the forms that are named."""
    forms = names.split()

    def check(value: Any, place: str) -> None:
        _sorted(wanted, value, place, "")

    def _sorted(wanted: str, value: Any, place: str, variable: str) -> None:
        found = [form for form in forms if is_object(value) and form in value]
        need(bool(found), "V03", f"{place} is not a formula that may stand there")
        form, given = found[0], "n"
        FORMS[form](value, place)
        if form == "of":
            need(value["variable"] == variable, "V03", f"{place}: nothing binds the variable {value['variable']}")
        if form == "each":
            need(not variable, "V03", f"{place} stands in another `each`")
            variable = value["variable"]
        if form == "apply":
            given = check_terms(value, place, exact)
        for sort, inner in inside(value):
            _sorted(sort, inner, f"{place}.{form}", variable)
        need(given == wanted, "V03", f"{place} is not {SORTS[wanted]}")

    return check


def check_terms(value: dict[str, Any], place: str, exact: bool) -> str:
    """What a function is applied to: as many terms as it takes; returns the sort that it makes."""
    terms, _, given = FUNCTIONS[value["apply"]].partition(">")
    need(len(value["terms"]) == len(terms), "V03", f"{place} does not have {len(terms)} terms")
    need(not exact or value["apply"] not in INEXACT, "V03", f"{place}: {value['apply']} is not exact")
    exponent = value["terms"][-1].get("number", "") if value["apply"] == "pow" else "1"
    need(exponent in EXPONENTS, "V03", f"{place}: the exponent is not an integer from -64 to 64")
    return given


def inside(formula: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The formulas that a formula is directly made of, each with the sort that it must have."""
    if "apply" in formula:
        yield from zip(FUNCTIONS[formula["apply"]], formula["terms"], strict=False)
    yield from (("n", formula[key]) for key in ("body", "rank") if key in formula)


def all_of(formula: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A formula and all formulas inside of it."""
    yield formula
    for _, inner in inside(formula):
        yield from all_of(inner)


figure = grammar("n", "number metric each of attested apply")
condition = grammar("t", "number variable apply")
value_of_weight = grammar("n", "number variable reduce spectral apply", exact=False)


@dataclass(slots=True)
class Ground:
    """What figures speak of: for each state the metrics, and count, nnz, size and bits of every weight, in order.

    Of Python, only files with a digest in `trusted` are listened to.
    """

    metrics: Mapping[str, Mapping[str, int]]
    weights: Mapping[str, list[dict[str, int]]]
    trusted: frozenset[str]
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
        return evaluate(formula, Ground({}, {}, frozenset()), numbers)
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
