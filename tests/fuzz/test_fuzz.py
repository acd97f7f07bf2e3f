"""Fuzzing in small, without Atheris: what was once found, the seeds, and some thousand inputs that are always the same.

`make fuzz` runs ten million (docs/verification-runs.md); an input that shows a fault there goes to findings/TARGET.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from types import ModuleType
from typing import Any, NoReturn

import pytest

from surgdsl.verifier import claims, extent, requirement, signature
from tests.fuzz import of_bytes, of_values
from tests.fuzz.choices import Choices, changed, copied
from tests.fuzz.targets import TARGETS, saved, seeds

MARKS = b'{}[]":,0123456789-.eE\\unt+*/=<>% \n\xff\x00'
COUNT = {"certificate": 10, "signed": 4, "statement": 60, "graph": 120}
OTHERS = 500


def spoiled(data: bytes, others: list[bytes], random: Random) -> bytes:
    """Some bytes changed, inserted or removed, as fuzzers do."""
    found = bytearray(data)
    for _ in range(random.randrange(1, 6)):
        at = random.randrange(len(found) + 1)
        match random.randrange(4):
            case 0:
                found[at : at + random.randrange(9)] = b""
            case 1:
                found[at:at] = random.choice(others)[: random.randrange(30)]
            case 2:
                found[at : at + 1] = random.randbytes(1)
            case _:
                found[at : at + 1] = bytes([random.choice(MARKS)])
    return bytes(found)


@pytest.mark.parametrize("name", TARGETS)
def test_only_the_verifier_refuses(name: str) -> None:
    target, random = TARGETS[name], Random(name)  # noqa: S311 - chance that repeats, no secret
    given = seeds(name) or [b""]
    for data in [*(path.read_bytes() for path in saved(name)), *given]:
        target.run(data)
    for _ in range(COUNT.get(name, OTHERS)):
        data = spoiled(random.choice(given), given, random)
        decisions = random.randbytes(random.randrange(4, 30))
        target.run((decisions if target.run.__module__ == of_values.__name__ else data)[: target.longest])


class Planted(Exception):
    """A fault that was put into the verifier."""


def failing(*_: object, **__: object) -> NoReturn:
    raise Planted


def nothing(_: object) -> bytes:
    return b""


def other(_: object) -> dict[str, str]:
    return {}


def wrong(*_: object) -> bool:
    return True


FAULTS: dict[str, tuple[ModuleType, str, Callable[..., Any]]] = {
    "canonical": (of_bytes, "canon", nothing),
    "scalars": (extent, "product", failing),
    "header": (of_bytes, "WeightFile", failing),
    "weight_file": (of_bytes, "library", other),
    "asked": (requirement, "asked", failing),
    "text": (requirement, "promised", failing),
    "key": (signature, "public_key", nothing),
    "envelope": (signature, "signers", failing),
    "signed": (signature, "signed", wrong),
    "graph": (of_values, "macs", failing),
    "call": (of_values, "macs", failing),
    "formula": (of_values, "evaluate", failing),
    "statement": (of_values, "promised", failing),
    "log": (claims, "measured", failing),
    "certificate": (of_values, "check", failing),
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_fault_behind_the_first_checks_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So deep do the seeds go: a target that refused everything at its door would find nothing."""
    module, function, broken = FAULTS[name]
    monkeypatch.setattr(module, function, broken)
    seen = 0
    for data in seeds(name):
        try:
            TARGETS[name].run(data)
        except Exception:  # noqa: BLE001 - whatever a target raises is a finding
            seen += 1
    assert seen


def test_what_was_refused_for_no_reason_of_the_list_is_seen() -> None:
    head = b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
    of_bytes.stricter(head, None)
    of_bytes.stricter(b" " + head, {"a": ("U8", [1], b"x")})
    with pytest.raises(AssertionError):
        of_bytes.stricter(head, {"a": ("U8", [1], b"x")})


def test_edits_leave_the_seed_alone_and_repeat() -> None:
    value = {"a": [1, "B", {"b": True}], "c": "x"}
    inputs = [Random(at).randbytes(20) for at in range(100)]  # noqa: S311 - chance that repeats, no secret
    edited = [changed(copied(value), Choices(data)) for data in inputs]
    assert edited == [changed(copied(value), Choices(data)) for data in inputs]
    assert value == {"a": [1, "B", {"b": True}], "c": "x"}
    assert len({repr(one) for one in edited}) > 20
