"""Canonical JSON: one value, one sequence of bytes.

Bytes are accepted only when encoding what was parsed gives them back: that kills duplicate keys, odd numbers, white
space and escapes at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any, NoReturn

from surgdsl.verifier.reject import Reject, need

DEPTH = 32
LARGEST = 2**53 - 1
BRACKETS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
KEY = re.compile(r"[a-z][a-zA-Z0-9]{0,39}")
STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""A string; the closing quote is optional so that a scan never starts twice."""


ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def canon(value: Any) -> bytes:
    """The canonical bytes of a JSON value."""
    return ENCODER.encode(value).encode()


def parse(data: bytes, what: str) -> Any:
    """The value that canonical bytes stand for.

    >>> parse(b'{"a":[1,"x"]}', "page")
    {'a': [1, 'x']}
    >>> parse(b'{"a":1,"a":1}', "page")
    Traceback (most recent call last):
    surgdsl.verifier.reject.Reject: V02: page: not canonical JSON

    Raises:
        Reject: V02 when the bytes are not canonical, V20 when they are nested too deeply.
    """
    check_depth(data, what)
    try:
        text = data.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_object, parse_float=_refuse, parse_constant=_refuse, parse_int=_integer
        )
        same = canon(value) == data
    except (ValueError, RecursionError):
        raise Reject("V02", f"{what}: not canonical JSON") from None
    need(same, "V02", f"{what}: not canonical JSON")
    return value


def is_object(value: Any) -> bool:
    """Whether a parsed value is an object."""
    return type(value) is dict


def is_list(value: Any) -> bool:
    """Whether a parsed value is a list."""
    return type(value) is list


def rising(values: Iterable[Any]) -> bool:
    """Whether values rise strictly: sorted, none twice."""
    return all(left < right for left, right in pairwise(values))


def check_depth(data: bytes, what: str) -> None:
    """Count brackets outside strings, and look for null there, before any parser sees them."""
    bare = STRING.sub(b"", data)
    need(b"null" not in bare, "V02", f"{what}: null is no canonical value")
    brackets = bare.translate(None, bytes(set(range(256)) - BRACKETS.keys()))
    depth = max(accumulate(map(BRACKETS.__getitem__, brackets)), default=0)
    need(depth <= DEPTH, "V20", f"{what}: nested deeper than {DEPTH}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if not all(map(_is_key, found)):
        raise ValueError(found)
    return found


@lru_cache(1 << 10)
def _is_key(text: str) -> bool:
    return KEY.fullmatch(text) is not None or text == "_type"  # which stands at the top of the statement only


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > LARGEST:
        raise ValueError(text)
    return int(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)
