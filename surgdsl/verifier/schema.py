"""Schemas: closed descriptions of JSON values. What they do not name is refused.

A check is a function of the value and its place; it returns nothing or raises V03.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from surgdsl.verifier.canonical import is_list, is_object
from surgdsl.verifier.digest import ITEMSIZE
from surgdsl.verifier.extent import is_extent
from surgdsl.verifier.reject import need
from surgdsl.verifier.tensors import is_name

Check = Callable[[Any, str], None]

METRICS = ("macs/1", "nnz/1", "params/1", "size/1")
NATURAL = re.compile(r"0|[1-9][0-9]{0,38}")
RATIONAL = re.compile(r"-?(0|[1-9][0-9]{0,38})(/[1-9][0-9]{0,38})?")
DIGEST = re.compile(r"[0-9a-f]{64}")


def where(test: Callable[[Any], bool], what: str) -> Check:
    """A check from a predicate; `what` completes "is not ..."."""
    return lambda value, place: need(test(value), "V03", f"{place} is not {what}")


def record(fields: dict[str, Check], optional: dict[str, Check] | None = None) -> Check:
    """An object with exactly these fields, of which the optional ones may be absent."""
    allowed = {**fields, **(optional or {})}

    def check(value: Any, place: str) -> None:
        need(is_object(value), "V03", f"{place} is not an object")
        missing, unknown = set(fields) - set(value), set(value) - set(allowed)
        need(not missing, "V03", f"{place} lacks {', '.join(sorted(missing))}")
        need(not unknown, "V03", f"{place} has the unknown field {min(unknown, default='')}")
        for key in value:
            allowed[key](value[key], f"{place}.{key}")

    return check


def array(item: Check, most: int, least: int = 0) -> Check:
    """A list of `least` to `most` such items."""

    def check(value: Any, place: str) -> None:
        need(is_list(value), "V03", f"{place} is not a list")
        need(least <= len(value), "V03", f"{place} has fewer than {least} items")
        need(len(value) <= most, "V20", f"{place} has more than {most} items")
        for number, entry in enumerate(value):
            item(entry, f"{place}[{number}]")

    return check


def row(*items: Check) -> Check:
    """A list with exactly these items."""

    def check(value: Any, place: str) -> None:
        need(is_list(value) and len(value) == len(items), "V03", f"{place} is not a list of {len(items)}")
        for number, item in enumerate(items):
            item(value[number], f"{place}[{number}]")

    return check


def choice(key: str, variants: dict[Any, Check]) -> Check:
    """One of several records, told apart by the field `key`."""

    def check(value: Any, place: str) -> None:
        tag = value.get(key) if is_object(value) else None
        need(type(tag) is str and tag in variants, "V03", f"{place}.{key} is unknown")
        variants[tag](value, place)

    return check


def one_of(*values: str) -> Check:
    """One of these texts."""
    return where(lambda value: type(value) is str and value in values, f"one of {', '.join(values)}")


def integer(low: int, high: int = 2**53 - 1) -> Check:
    """An integer within bounds, both included."""
    return where(lambda value: type(value) is int and low <= value <= high, f"an integer from {low} to {high}")


def is_float(value: Any) -> bool:
    """Whether a value is a float as `float.hex` writes it; NaN is none."""
    try:
        number = float.fromhex(value) if type(value) is str else math.nan
    except (ValueError, OverflowError):
        return False
    return not math.isnan(number) and number.hex() == value


def is_rational(value: Any) -> bool:
    """Whether a value is a rational in lowest terms.

    >>> is_rational("-1/3"), is_rational("2/4"), is_rational("3/1"), is_rational("-0")
    (True, False, False, False)
    """
    return type(value) is str and bool(RATIONAL.fullmatch(value)) and str(Fraction(value)) == value


natural = where(lambda value: type(value) is str and bool(NATURAL.fullmatch(value)), "a natural number")
rational = where(is_rational, "a rational in lowest terms")
digest = where(lambda value: type(value) is str and bool(DIGEST.fullmatch(value)), "64 lower-case hexadecimal digits")
name = where(is_name, "a name")
text = where(lambda value: type(value) is str and len(value) <= 65536, "a text")
dtype = one_of(*ITEMSIZE)
metric = one_of(*METRICS)
shape = array(where(is_extent, "an extent in normal form"), 8)
sizes = array(integer(0, 2**40 - 1), 8)
WRAPPED: dict[str, Check] = {
    "extent": where(lambda value: type(value) is str and is_extent(value), "a polynomial"),
    "float": where(is_float, "a float"),
    "none": where(lambda value: value is True, "true"),
    "tensors": integer(1, 1024),
}


def scalar(value: Any, place: str) -> None:
    """An attribute's value that is not a list."""
    if is_object(value) and len(value) == 1 and next(iter(value)) in WRAPPED:
        key = next(iter(value))
        return WRAPPED[key](value[key], f"{place}.{key}")
    if type(value) is str:
        return text(value, place)
    return need(type(value) in (int, bool), "V03", f"{place} is not the value of an attribute")


ITEMS = array(scalar, 64)


def attribute(value: Any, place: str) -> None:
    """An attribute's value: a scalar or a list of scalars."""
    (ITEMS if is_list(value) else scalar)(value, place)
