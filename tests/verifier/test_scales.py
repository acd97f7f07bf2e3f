"""Scales of a declared rule: powers of two that a step states, and every way to state something else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.verifier import declaring as r
from tests.verifier import surgeries as s
from tests.verifier.asking import code_of, verdict
from tests.verifier.declaring import Json, ap, box, given, of, put, v, wire
from tests.verifier.encodings import Array, dense
from tests.verifier.forge import Forge

POWERS = [3, -2, 0, 1]
SIDE = [
    box("A", "linear", ["c", "i"], "x", "m"),
    box("F", "relu", [], "m", "n"),
    box("W", "linear", ["o", "c"], "n", "y"),
]
AGAIN = [
    box("A", "linear", ["c", "i"], "x", "p"),
    box("F", "relu", [], "p", "q"),
    box("W", "linear", ["o", "c"], "q", "y"),
]
SMOOTH = r.declaration(
    "smooth", "exact", SIDE, AGAIN,
    [wire("x", "*", "i"), wire("y", "*", "o")],
    **{"with": [
        given("A", "weight", ap("div", v("A.weight"), v("s"))), given("A", "bias", ap("div", v("A.bias"), v("s"))),
        given("W", "weight", ap("mul", v("W.weight"), v("s"))), given("W", "bias", v("W.bias")),
    ]},
    scales=[["s", "c", "c"]],
)  # fmt: skip


def scaled(f: Forge, d: Json = SMOOTH, powers: list[Any] | None = None, **more: Any) -> None:
    """The scale of the channels between the two linear layers of `mlp` is moved from one to the other."""
    a, relu, w = f.find("linear.default"), f.find("relu.default"), f.find("linear.default", 1)
    told = POWERS if powers is None else powers
    s_ = np.ldexp(1.0, np.array(more.pop("used", POWERS)))
    one, bias, two, last = (r.value(f, x, t) for x, t in ((a, "weight"), (a, "bias"), (w, "weight"), (w, "bias")))
    made: r.Made = {
        "A": (f.ops[a]["raw"], {"weight": dense("fc1.weight", cast(one / s_[:, None])),
                                "bias": dense("fc1.bias", cast(bias / s_))}),
        "F": (f.ops[relu]["raw"], {}),
        "W": (f.ops[w]["raw"], {"weight": dense("fc2.weight", cast(two * s_)), "bias": dense("fc2.bias", cast(last))}),
    }  # fmt: skip
    if more.pop("plain", False):  # the bias stays as it is
        made["A"][1]["bias"] = dense("fc1.bias", cast(bias))
    change = more.pop("change", r.proper)

    def stated(arguments: Json) -> None:
        arguments["scales"] = [["s", told]]
        change(arguments)

    r.declare(
        f, d, {"A": a, "F": relu, "W": w}, made, {"c": 4, "i": 5, "o": 2}, reduces="",
        inner={"p": ("B", 4), "q": ("B", 4)}, change=stated, **more,
    )  # fmt: skip


def cast(values: Array) -> Array:
    return values.astype(np.float32)


def job(**more: Any) -> Forge:
    f = s.mlp()
    scaled(f, **more)
    return f


@pytest.mark.parametrize("powers", [POWERS, [0, 0, 0, 0], [64, -64, 24, -24]])
def test_an_honest_scale_is_accepted_and_both_sides_are_computed(tmp_path: Path, powers: list[int]) -> None:
    code, line = verdict(job(powers=powers, used=powers).write(tmp_path))
    assert code == 0, line


def doubled(arguments: Json) -> None:
    arguments["scales"] *= 2


def silent(arguments: Json) -> None:
    del arguments["scales"]


LIES: list[tuple[str, Callable[[], Forge], str]] = [
    ("other powers than were used", lambda: job(powers=[3, -2, 0, 2]), "V15"),
    ("a power too few", lambda: job(powers=POWERS[:3]), "V14"),
    ("a power too many", lambda: job(powers=[*POWERS, 0]), "V14"),
    ("a power out of range", lambda: job(powers=[65, -2, 0, 1]), "V03"),
    ("a power that is no integer", lambda: job(powers=["3", -2, 0, 1]), "V03"),
    ("a scale of another name", lambda: job(change=put("t", "scales", 0, 0)), "V14"),
    ("a scale twice", lambda: job(change=doubled), "V14"),
    ("no scale", lambda: job(change=silent), "V03"),
    ("a scale that is not declared", lambda: job(d=of(SMOOTH, scales=None)), "V03"),
    ("a scale of the name of a size", lambda: job(d=of(SMOOTH, scales=[["c", "c", "c"]])), "V03"),
    ("two scales of one name", lambda: job(d=of(SMOOTH, scales=[["s", "c", "c"], ["s", "c", "c"]])), "V03"),
    ("a scale along another axis", lambda: job(d=of(SMOOTH, scales=[["s", "i", "c"]])), "V15"),
    ("a scale of an extent that nothing says", lambda: job(d=of(SMOOTH, scales=[["s", "c", "z"]])), "V14"),
    ("a rule that scales and does not scale back", lambda: job(d=of(SMOOTH, **{"with": [
        *SMOOTH["with"][:2], given("W", "weight", v("W.weight")), SMOOTH["with"][3]]})), "V15"),
]  # fmt: skip


@pytest.mark.parametrize(("forge", "code"), [row[1:] for row in LIES], ids=[row[0] for row in LIES])
def test_a_lie_is_rejected(tmp_path: Path, forge: Callable[[], Forge], code: str) -> None:
    assert code_of(forge().write(tmp_path)) == code


def test_a_rule_that_is_no_identity_is_seen_at_the_point(tmp_path: Path) -> None:
    """Weights and bytes agree with the declaration; that it changes the function, only the point tells."""
    d = of(SMOOTH, **{"with": [SMOOTH["with"][0], given("A", "bias", v("A.bias")), *SMOOTH["with"][2:]]})
    told = verdict(job(d=d, plain=True).write(tmp_path))[1]
    assert (told["code"], "weights before" in told["reason"]) == ("V15", False), told
