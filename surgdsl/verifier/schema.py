"""Schemas: closed descriptions of JSON values, read from schema.txt. What they do not name is refused.

A check is a function of the value and its place; it returns nothing or raises V03, and V20 where a list is too long.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pkgutil import get_data
from typing import Any

from surgdsl.verifier.canonical import is_list, is_object, parse
from surgdsl.verifier.extent import is_extent
from surgdsl.verifier.reject import Reject

Check = Callable[[Any, str], None]
Fields = dict[str, tuple[Check, bool]]

METRICS = ("macs/1", "nnz/1", "params/1", "size/1")
LARGEST = 2**53 - 1
RATIONAL = re.compile(r"-?(0|[1-9][0-9]{0,38})(/[1-9][0-9]{0,38})?")
TOKEN = re.compile(r'"[^"]*"(?: +\| +"[^"]*")*|/(?:\\.|[^/\s])+/|-?[0-9]+\.\.(?:-?[0-9]+)?|\.\.\.|[\w/-]+|\S')


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


WORDS: dict[str, Callable[[Any], bool]] = {
    "boolean": lambda value: type(value) is bool, "extent": is_extent, "float": is_float,
    "integer": lambda value: type(value) is int,
    "magnitude": lambda value: is_float(value) and 0 <= float.fromhex(value) < math.inf,
    "object": is_object, "polynomial": lambda value: type(value) is str and is_extent(value),
    "rational": is_rational, "true": lambda value: value is True,
}  # fmt: skip


def where(test: Callable[[Any], bool], what: str) -> Check:
    """A check from a predicate; `what` completes "is not ..."."""

    def check(value: Any, place: str) -> None:
        if not test(value):
            raise Reject("V03", f"{place} is not {what}")

    return check


def record(fields: Fields) -> Check:
    """An object with exactly these fields, of which the optional ones may be absent."""
    needed = {key for key, (_, optional) in fields.items() if not optional}

    def check(value: Any, place: str) -> None:
        if not is_object(value):
            raise Reject("V03", f"{place} is not an object")
        if value.keys() != fields.keys():
            if missing := needed - value.keys():
                raise Reject("V03", f"{place} lacks {', '.join(sorted(missing))}")
            if unknown := value.keys() - fields.keys():
                raise Reject("V03", f"{place} has the unknown field {min(unknown)}")
        for key, item in value.items():
            fields[key][0](item, f"{place}.{key}")

    return check


def array(item: Check, least: int, most: int) -> Check:
    """A list of `least` to `most` such items."""

    def check(value: Any, place: str) -> None:
        if not is_list(value) or len(value) < least:
            raise Reject("V03", f"{place} is not a list of at least {least} items")
        if len(value) > most:
            raise Reject("V20", f"{place} has more than {most} items")
        for number, entry in enumerate(value):
            item(entry, f"{place}[{number}]")

    return check


def row(items: list[Check]) -> Check:
    """A list with exactly these items."""

    def check(value: Any, place: str) -> None:
        if not is_list(value) or len(value) != len(items):
            raise Reject("V03", f"{place} is not a list of {len(items)}")
        for number, item in enumerate(items):
            item(value[number], f"{place}[{number}]")

    return check


def either(variants: list[Check]) -> Check:
    """One of several; where it is none, the reason is that of the variant that came furthest."""

    def check(value: Any, place: str) -> None:
        faults = list[Reject]()
        for variant in variants:
            try:
                return variant(value, place)
            except Reject as fault:
                if fault.code == "V20":
                    raise
                faults.append(fault)
        raise max(faults, key=lambda fault: len(fault.message.partition(" ")[0]))

    return check


def bounds(word: str) -> tuple[int, int]:
    """The least and the greatest integer of a range."""
    least, _, most = word.partition("..")
    return int(least), int(most or LARGEST)


class Schema:
    """The definitions of a text in the notation that schema.txt describes at its head."""

    def __init__(self, text: str) -> None:
        self.fields: dict[str, Fields] = {}
        self.checks = {word: where(test, f"of the form {word}") for word, test in WORDS.items()}
        plain = re.sub(r"#.*|\n +", " ", text)
        for name, meaning in re.findall(r"^(\S+) = (.*)$", plain, re.MULTILINE):
            self.words = ["", *reversed(TOKEN.findall(meaning))]
            self.name = name
            self.checks[name] = self.variants()

    def variants(self) -> Check:
        """T | T ..."""
        found = [self.single()]
        while self.words[-1] == "|":
            self.words.pop()
            found.append(self.single())
        return either(found) if found[1:] else found[0]

    def single(self) -> Check:
        """An object, a list, a text, an integer or a word."""
        match self.words.pop():
            case "{":
                self.fields[self.name] = fields = self.members()
                return record(fields)
            case "[":
                item, _ = self.variants(), self.words.pop()
                return array(item, *bounds(self.words.pop()))
            case "(":
                items = [self.variants()]
                while self.words.pop() == ",":
                    items.append(self.variants())
                return row(items)
            case word if ".." in word:
                least, most = bounds(word)
                return where(lambda value: type(value) is int and least <= value <= most, f"an integer in {word}")
            case word if word[0] in '"/':
                texts = re.findall(r'"([^"]*)"', word)
                form = re.compile("|".join(map(re.escape, texts)) or word[1:-1], re.DOTALL)
                told = f"one of {', '.join(texts)}" if texts else f"of the form {self.name}"
                return where(lambda value: type(value) is str and bool(form.fullmatch(value)), told)
            case word:
                return self.checks.get(word) or partial(self.conform, word)

    def conform(self, word: str, value: Any, place: str) -> None:
        """A value has the form that a word stands for; V03, and V20 where a list is too long."""
        self.checks[word](value, place)

    def members(self) -> Fields:
        """The fields of an object, up to its closing brace."""
        found: Fields = {}
        while (word := self.words.pop()) != "}":
            if word == "...":
                found |= self.fields[self.words.pop()]
            elif word != ",":
                optional = self.words.pop() == "?" and self.words.pop() == ":"
                found[word] = self.variants(), optional
        return found


SCHEMA = Schema((get_data("surgdsl.verifier", "schema.txt") or b"").decode())
conform = SCHEMA.conform


def parsed(data: bytes, word: str, what: str) -> Any:
    """The value that canonical bytes stand for, which has the form of a word; V02, V03, V20."""
    value = parse(data, what)
    conform(word, value, word)
    return value
