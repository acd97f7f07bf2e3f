r"""Canonical JSON: each value has one sequence of bytes, so that a digest of the bytes is a digest of the value.

No floats and no null: numbers that could be rounded travel as strings of exact numbers.

>>> encode({"b": [True, 2], "a": "é"})
b'{"a":"\xc3\xa9","b":[true,2]}'
>>> natural(2**60), rational(Fraction(-2, 6))
('1152921504606846976', '-1/3')
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias, cast

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | bool"

KEY = re.compile(r"[a-z][a-zA-Z0-9]{0,39}|_type")
LARGEST = 2**53 - 1
DEPTH = 32


def encode(value: Json) -> bytes:
    """The canonical bytes of a value.

    Raises:
        ValueError: it holds something that has no canonical form.
    """
    _check(value, 0)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def natural(number: int) -> str:
    """A natural number of any size below 10^39, as certificates write metrics."""
    if not 0 <= number < 10**39:
        raise ValueError(f"{number} is not a natural number below 10^39")
    return str(number)


def rational(number: Fraction) -> str:
    """A rational in lowest terms: ``3`` or ``-1/3``."""
    return str(number)


def _check(value: object, depth: int) -> None:
    match value:
        case bool() | str():
            return
        case int() if abs(value) <= LARGEST:
            return
        case dict() | list() | tuple() if depth < DEPTH:
            rows = cast("dict[object, object] | list[object]", value)
            if isinstance(rows, dict):
                _check_keys(rows)
            for entry in rows.values() if isinstance(rows, dict) else rows:
                _check(entry, depth + 1)
        case _:
            raise ValueError(f"{value!r:.80} has no canonical form")


def _check_keys(value: dict[object, object]) -> None:
    wrong = [key for key in value if not isinstance(key, str) or not KEY.fullmatch(key)]
    if wrong:
        raise ValueError(f"{wrong[0]!r:.80} is not a key of canonical JSON")
