"""Formulas: trees that anyone can evaluate again; their grammar, and the value of a figure in exact rationals.

Nothing is guessed: a promise that rests on what is undefined is not kept.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Any, cast

from surgdsl.verifier.canonical import is_object
from surgdsl.verifier.reject import Reject, need
from surgdsl.verifier.schema import Check, array, digest, metric, name, one_of, rational, record, text, where

BITS = 4096
WORK = 10_000_000  # formulas evaluated for all claims together
TERMS = {  # by the sorts of the terms and of the value
    "nn>n": "add sub mul div pow min max", "n>n": "neg abs", "tnn>n": "if",
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
FOLDS = {"sum": "add", "mean": "add", "prod": "mul", "max": "max", "min": "min"}
SORTS = {"n": "a number", "t": "a truth value"}

anything = where(is_object, "a formula")
state = one_of("before", "after")
FORMS: dict[str, Check] = {
    "number": record({"number": rational}),
    "metric": record({"metric": metric, "state": state}),
    "each": record({
        "body": anything, "each": one_of(*FOLDS, "count"), "over": one_of("weights"), "state": state, "variable": name,
    }),
    "of": record({"of": one_of("count", "nnz", "size", "bits"), "variable": name}),
    "attested": record({"attested": rational, "reference": text, "sha256": digest, "state": state}),
    "apply": record({"apply": one_of(*FUNCTIONS), "terms": array(anything, 3, 1)}),
}  # fmt: skip


def figure(value: Any, place: str) -> None:
    """A schema: a formula over counted numbers that is a number itself; V03 otherwise."""
    _sorted("n", value, place, "")


def _sorted(wanted: str, value: Any, place: str, variable: str) -> None:
    """V03 unless the value is a formula of the sort wanted; `variable` is what the `each` around it binds."""
    forms = [form for form in FORMS if is_object(value) and form in value]
    need(len(forms) == 1, "V03", f"{place} is not a formula")
    form, given = forms[0], "n"
    FORMS[form](value, place)
    if form == "of":
        need(value["variable"] == variable, "V03", f"{place}: nothing binds the variable {value['variable']}")
    if form == "each":
        need(not variable, "V03", f"{place} stands in another `each`")
        _sorted("n", value["body"], f"{place}.body", value["variable"])
    if form == "apply":
        terms, given = FUNCTIONS[value["apply"]].split(">")
        need(len(value["terms"]) == len(terms), "V03", f"{place} does not have {len(terms)} terms")
        for number, (sort, term) in enumerate(zip(terms, value["terms"], strict=True)):
            _sorted(sort, term, f"{place}.terms[{number}]", variable)
        exponent = value["terms"][-1].get("number", "") if value["apply"] == "pow" else "1"
        need(exponent in EXPONENTS, "V03", f"{place}: the exponent is not an integer from -64 to 64")
    need(given == wanted, "V03", f"{place} is not {SORTS[wanted]}")


@dataclass(slots=True)
class Ground:
    """What figures speak of: for each state the metrics, and count, nnz, size and bits of every weight, in order.

    Of Python, only files with a digest in `trusted` are listened to.
    """

    metrics: Mapping[str, Mapping[str, int]]
    weights: Mapping[str, list[dict[str, int]]]
    trusted: frozenset[str]
    work: int = WORK


def evaluate(formula: dict[str, Any], ground: Ground, weight: Mapping[str, int] | None = None) -> Fraction:
    """The value of a figure, or of a truth value inside of one; V18 when undefined, V20 when it takes too long."""
    ground.work -= 1
    need(ground.work >= 0, "V20", f"the claims take more than {WORK} evaluations")
    match formula:
        case {"number": str(value)} | {"attested": str(value)}:
            return Fraction(value)
        case {"metric": metric, "state": at}:
            return Fraction(ground.metrics[at][metric])
        case {"of": key}:
            return Fraction(cast("Mapping[str, int]", weight)[key])
        case {"each": kind, "state": at, "body": body}:
            return fold(kind, [evaluate(body, ground, each) for each in ground.weights[at]])
        case {"apply": "if", "terms": [test, yes, no]}:
            return evaluate(yes if evaluate(test, ground, weight) else no, ground, weight)
        case _:
            terms = [evaluate(term, ground, weight) for term in formula["terms"]]
            return apply(formula["apply"], *terms)


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


def attested(formula: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The references and digests of all numbers that Python gave, wherever they stand."""
    if "attested" in formula:
        yield formula["reference"], formula["sha256"]
    for inner in (*formula.get("terms", ()), *filter(None, [formula.get("body")])):
        yield from attested(inner)


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
