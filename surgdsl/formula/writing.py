"""Formulas in JSON, as certificates hold them, and back.

One form for each formula: rationals are texts in lowest terms, nothing is optional, nothing is a float.

>>> written = as_json(Apply("mul", (Number(Fraction(1, 2)), Metric("size", "before"))))
>>> written
{'apply': 'mul', 'terms': [{'number': '1/2'}, {'metric': 'size/1', 'state': 'before'}]}
>>> from_json(written)
Apply(op='mul', terms=(Number(value=Fraction(1, 2)), Metric(id='size', state='before')))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, cast

from surgdsl.formula.tree import (
    FUNCTIONS,
    REDUCTIONS,
    Apply,
    Attested,
    Each,
    Extern,
    Formula,
    Metric,
    Number,
    Of,
    Reduce,
    Spectral,
    Variable,
)

Json = dict[str, Any]
VERSION = "/1"
"""The version of the metrics that formulas speak of."""
METRICS = ("macs", "nnz", "params", "size")
PROPERTIES = ("bits", "count", "nnz", "size")
STATES = ("before", "after")
PARTS = ("left", "right", "sigma")


def as_json(formula: Formula) -> Json:  # noqa: C901, PLR0911 - one case for each construct
    """The form of `formula` in JSON."""
    match formula:
        case Number(value):
            return {"number": str(value)}
        case Variable(name):
            return {"variable": name}
        case Metric(name, state):
            return {"metric": name + VERSION, "state": state}
        case Of(name, variable):
            return {"of": name, "variable": variable}
        case Extern(reference, state, file):
            return {"extern": reference, "file": file, "state": state}
        case Attested(value, reference, sha256, state):
            return {"attested": str(value), "reference": reference, "sha256": sha256, "state": state}
        case Apply(op, terms):
            return {"apply": op, "terms": [as_json(term) for term in terms]}
        case Reduce(kind, axes, body):
            return {"axes": list(axes), "body": as_json(body), "reduce": kind}
        case Each(kind, variable, over, state, body):
            return {"body": as_json(body), "each": kind, "over": over, "state": state, "variable": variable}
        case Spectral(part, body, rank, axis):
            return {"axis": axis, "body": as_json(body), "rank": as_json(rank), "spectral": part}


def from_json(value: object) -> Formula:
    """The formula that `value` is the form of.

    Raises:
        ValueError: it is the form of none.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{value!r:.80} is no formula")  # noqa: TRY004 - a wrong value of a file, not a wrong call
    given = cast("Json", value)
    for key, read in READERS.items():
        if key in given and (key != "variable" or len(given) == 1):
            found = read(given)
            if as_json(found) != given:
                raise ValueError(f"{given!r:.80} is no formula in its one form")
            return found
    raise ValueError(f"{given!r:.80} is no formula")


def _number(given: Json) -> Formula:
    return Number(_rational(given, "number"))


def _variable(given: Json) -> Formula:
    return Variable(_text(given, "variable"))


def _metric(given: Json) -> Formula:
    name = _text(given, "metric")
    return Metric(_known(name.removesuffix(VERSION), METRICS), _known(_text(given, "state"), STATES))


def _of(given: Json) -> Formula:
    return Of(_known(_text(given, "of"), PROPERTIES), _text(given, "variable"))


def _extern(given: Json) -> Formula:
    return Extern(_text(given, "extern"), _known(_text(given, "state"), STATES), _text(given, "file"))


def _attested(given: Json) -> Formula:
    reference, sha256 = _text(given, "reference"), _text(given, "sha256")
    return Attested(_rational(given, "attested"), reference, sha256, _known(_text(given, "state"), STATES))


def _apply(given: Json) -> Formula:
    op = _known(_text(given, "apply"), tuple(FUNCTIONS))
    terms = tuple(map(from_json, _items(given, "terms")))
    if len(terms) != FUNCTIONS[op]:
        raise ValueError(f"{op} takes {FUNCTIONS[op]} terms, not {len(terms)}")
    return Apply(op, terms)


def _reduce(given: Json) -> Formula:
    kind, axes = _known(_text(given, "reduce"), REDUCTIONS), _items(given, "axes")
    if not axes or not all(isinstance(axis, str) for axis in axes) or len(set(map(str, axes))) < len(axes):
        raise ValueError(f"{axes!r:.80} are no axes")
    return Reduce(kind, tuple(map(str, axes)), from_json(given.get("body")))


def _each(given: Json) -> Formula:
    kind, state = _known(_text(given, "each"), REDUCTIONS), _known(_text(given, "state"), STATES)
    over = _known(_text(given, "over"), ("weights",))
    return Each(kind, _text(given, "variable"), over, state, from_json(given.get("body")))


def _spectral(given: Json) -> Formula:
    part = _known(_text(given, "spectral"), PARTS)
    return Spectral(part, from_json(given.get("body")), from_json(given.get("rank")), _text(given, "axis"))


READERS: Mapping[str, Callable[[Json], Formula]] = {
    "number": _number, "metric": _metric, "of": _of, "extern": _extern, "attested": _attested, "apply": _apply,
    "reduce": _reduce, "each": _each, "spectral": _spectral, "variable": _variable,
}  # fmt: skip


def _text(given: Json, key: str) -> str:
    found = given.get(key)
    if isinstance(found, str):
        return found
    raise ValueError(f"{key} is a text, not {found!r:.80}")


def _rational(given: Json, key: str) -> Fraction:
    try:
        return Fraction(_text(given, key))
    except ZeroDivisionError:
        raise ValueError(f"{given[key]} is no number") from None


def _items(given: Json, key: str) -> list[object]:
    found = given.get(key)
    if isinstance(found, list):
        return cast("list[object]", found)
    raise ValueError(f"{key} is a list, not {found!r:.80}")


def _known(word: str, words: tuple[str, ...]) -> str:
    if word in words:
        return word
    raise ValueError(f"{word!r:.80} is none of {', '.join(words)}")
