"""GPTQ as a step: weights are moved onto the values of their codes, which are then found exactly."""

from __future__ import annotations

from collections import OrderedDict
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

from surgdsl.bridge.capture import capture
from surgdsl.bridge.encoding import decode, kept
from surgdsl.bridge.rebuild import rebuild
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Refusal, Source
from surgdsl.diagram.payload import Affine, Codebook, Encoding, Masked
from surgdsl.execution.carrying import Carried, carry
from surgdsl.language import program
from surgdsl.planning.opening import Opened
from surgdsl.planning.plan import Plan, plan
from surgdsl.surgery.recode import param

HEAD = """surg 1
use std.importance.magnitude
use std.rules.{mask, prune_channels, quantize}
model net : (x: f32[B, 4]) -> (y: f32[B, 3]) { source = python("net:build") }
data rows { source = python("net:rows") }
surgery slim on net {
"""
OBS = 'update = "obs", calibrate = rows'
DRAW = np.random.default_rng(4)
MIXED = np.cumsum(DRAW.normal(size=(256, 6, 6, 6)), axis=1) + 0.1 * DRAW.normal(size=(256, 6, 6, 6))
ROWS = Rows("rows", (MIXED.astype(np.float32),), np.zeros(256, dtype=np.int64))
WEIGHTS = ("one.weight", "two.weight", "head.weight")


@pytest.fixture(scope="module")
def state() -> State:
    torch.manual_seed(2)
    layers = OrderedDict[str, nn.Module](
        one=nn.Conv2d(6, 12, 3), act=nn.ReLU(), two=nn.Conv2d(12, 12, 3, groups=3), flat=nn.Flatten(),
        head=nn.Linear(48, 16),
    )  # fmt: skip
    net = nn.Sequential(layers).eval()
    return capture(net, (torch.zeros(2, 6, 6, 6),), dynamic={"input": {0: "B"}})


def silent(stage: str, detail: str) -> None:
    """Progress that nobody hears."""


def planned(state: State, *steps: str) -> Plan:
    names = "abcdef"[: len(steps)]
    lines = [f"  step {name} = apply {step}\n" for name, step in zip(names, steps, strict=True)]
    order = f"  order {' >> '.join(names)}\n" if len(steps) > 1 else ""
    made = program(Source("slim.surg", f"{HEAD}{''.join(lines)}{order}}}\n"))
    return plan(Opened(made, made.surgery("slim"), state, None, {"rows": ROWS}))


def done(state: State, *steps: str) -> Carried:
    return carry(planned(state, *steps), silent)


def apart(one: State, other: State) -> float:
    """The squared difference of the outputs, as a share."""
    inputs = torch.from_numpy(ROWS.inputs[0].copy())
    with torch.no_grad():
        before, after = rebuild(one)(inputs), rebuild(other)(inputs)
    return float(((before - after) ** 2).sum() / (before**2).sum())


OPTIONS: list[tuple[str, Encoding]] = [
    ('bits = 3bit, scheme = "affine"', Affine(3, 0)),
    ('bits = 3bit, scheme = "symmetric", group = 12, clip = "mse"', Affine(3, 0, 12, symmetric=True)),
    ('bits = 4bit, scheme = "affine", per = "tensor"', Affine(4, -1)),
    ('bits = 3bit, scheme = "affine", per = "tensor", group = 20', Affine(3, -1, 20)),
    ("bits = 2bit", Codebook(2)),
]


@pytest.mark.parametrize(("options", "encoding"), OPTIONS, ids=[str(encoding) for _, encoding in OPTIONS])
def test_outputs_move_less_than_with_rounding_alone(state: State, options: str, encoding: Encoding) -> None:
    plain, moved = done(state, f"quantize({options}) @**"), done(state, f"quantize({options}, {OBS}) @**")
    assert apart(state, moved.final) < 0.6 * apart(state, plain.final)
    assert moved.rewrites[0].rule == "adjust/1"
    assert len(moved.rewrites) == 1 + len(plain.rewrites) == 4
    for base in WEIGHTS:
        assert moved.final.weights[param(moved.final, base)].encoding == encoding


@pytest.mark.parametrize("options", [options for options, _ in OPTIONS])
def test_the_codes_decode_to_what_was_solved(state: State, options: str) -> None:
    found = done(state, f"quantize({options}, {OBS}) @**")
    adjusted = found.rewrites[0].after
    for base in WEIGHTS:
        solved, coded = (decode(one.weights[param(one, base)]) for one in (adjusted, found.final))
        assert np.array_equal(solved, coded)


def test_the_scales_are_those_of_the_weight_as_it_was(state: State) -> None:
    plain, moved = (done(state, f'quantize(bits = 4bit, scheme = "affine"{more}) @**') for more in ("", f", {OBS}"))
    for base in WEIGHTS:
        one, other = (found.final.weights[param(found.final, base)] for found in (plain, moved))
        assert np.array_equal(one.parts["scale"], other.parts["scale"])
        assert np.array_equal(one.parts["zero"], other.parts["zero"])
        assert not np.array_equal(one.parts["codes"], other.parts["codes"])


def test_what_data_decided_is_told(state: State) -> None:
    first = done(state, f'quantize(bits = 4bit, scheme = "affine", order = "given", {OBS}) @**').rewrites[0]
    assert (first.arguments["data"], first.arguments["method"]) == ("rows", "rounded obs, given order, damping 0.01")
    figures = {name: Fraction(value) for name, value in first.arguments["figures"]}
    assert {f"{base}.{fact}" for base in WEIGHTS for fact in ("damping", "error")} <= figures.keys()
    assert all(0 < figures[f"{base}.error"] < Fraction(1, 20) for base in WEIGHTS)


def test_a_mask_keeps_its_zeros(state: State) -> None:
    found = done(state, "mask(keep = 50%) @**", f'quantize(bits = 4bit, scheme = "affine", {OBS}) @**')
    for base in WEIGHTS:
        weight, before = found.final.weights[param(found.final, base)], found.rewrites[2].after
        assert weight.encoding == Masked(Affine(4, 0))
        assert np.array_equal(kept(weight), kept(before.weights[param(before, base)]))


def test_a_plan_foresees_the_rewrites_and_their_sizes(state: State) -> None:
    made = planned(state, f'quantize(bits = 4bit, scheme = "symmetric", group = 16, {OBS}) @**')
    found = carry(made, silent)
    assert made.steps[0].rewrites == len(found.rewrites)
    assert made.after["size/1"] == sum(
        part.nbytes for weight in found.final.weights.values() for part in weight.parts.values()
    )


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ("bits = 4bit, group = 32", "E0207"),
        ('bits = 4bit, per = "tensor"', "E0207"),
        ('bits = 4bit, clip = "mse"', "E0207"),
        ('bits = 1bit, scheme = "symmetric"', "E0207"),
        ('bits = 4bit, scheme = "affine", calibrate = rows', "E0207"),
        ('bits = 4bit, scheme = "affine", update = "obs"', "E0205"),
    ],
)
def test_options_that_contradict_each_other_are_refused(state: State, options: str, code: str) -> None:
    with pytest.raises(Refusal, match=code):
        planned(state, f"quantize({options}) @**")


def test_a_cut_that_would_break_groups_is_refused(state: State) -> None:
    grid = 'quantize(bits = 4bit, scheme = "symmetric", group = 16) @**'
    with pytest.raises(Refusal, match="E0505"):
        done(state, grid, "prune_channels(keep = 50%) @one by magnitude")
    found = done(state, "prune_channels(keep = 50%) @one by magnitude", grid)
    assert found.final.net.faults() == ()
