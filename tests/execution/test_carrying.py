"""Carrying out: what was planned is done in its order, and what was promised to the certificate is what it owes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from surgdsl.api import plan
from surgdsl.bridge.encoding import decode
from surgdsl.execution.ahead import ahead
from surgdsl.execution.carrying import AFTER_ALL, Carried, carry, obligations
from surgdsl.language import Program, load
from surgdsl.planning.plan import Plan
from surgdsl.planning.plan import plan as plan_of
from surgdsl.surgery.recode import Quantize, param
from tests.bridge.cases import CASES
from tests.bridge.zoo import captured
from tests.planning.plans import graph_hash, opened

NET = """
from collections import OrderedDict
import torch
from torch import nn

def build():
    first = dict(one=nn.Linear(4, 16), norm=nn.BatchNorm1d(16), act=nn.ReLU())
    layers = OrderedDict(**first, two=nn.Linear(16, 16), head=nn.Linear(16, 3))
    return nn.Sequential(layers)

def train():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(96, 4, generator=generator), torch.arange(96) % 3
"""
SPEC = """surg 1
use std.importance.magnitude
use std.rules.{fold_batchnorm, mask, prune_channels, quantize}
model net : (x: f32[B, 4]) -> (y: f32[B, 3]) { source = python("carried_net:build") }
data train { source = python("carried_net:train") }
surgery slim on net {
  seed 3
  step narrow = apply prune_channels(keep = 50%) @one by magnitude then recover { data = train  epochs = 1 }
  step fold   = apply fold_batchnorm @**
  step thin   = apply mask(keep = 50%) @two
  step code   = apply quantize(bits = 3bit) @two
  order narrow >> fold >> thin >> code
  recover { data = train  epochs = 1 }
}
"""


@pytest.fixture
def program(tmp_path: Path) -> Program:
    (tmp_path / "carried_net.py").write_text(NET, encoding="utf-8")
    (tmp_path / "slim.surg").write_text(SPEC, encoding="utf-8")
    return load(tmp_path / "slim.surg")


@pytest.fixture
def made(program: Program) -> Plan:
    return plan(program)


@pytest.fixture
def carried(made: Plan) -> Carried:
    return carry(made, lambda _stage, _detail: None)


ORDER = [
    ("narrow", "prune-channels/1"),
    ("narrow", "recover/1"),
    ("fold", "rule/1"),
    ("thin", "mask/1"),
    ("code", "quantize-codebook/1"),
    (AFTER_ALL, "recover/1"),
]


def test_every_step_is_done_in_its_order(carried: Carried) -> None:
    assert [(one.step, one.rule) for one in carried.rewrites] == ORDER


def test_rewrites_form_a_chain(made: Plan, carried: Carried) -> None:
    states = [made.opened.start, *(one.after for one in carried.rewrites)]
    assert all(one.before is state for one, state in zip(carried.rewrites, states, strict=False))
    assert carried.final is states[-1]


def test_obligations_are_what_was_asked_for(made: Plan, carried: Carried) -> None:
    assert list(obligations(made, carried.rewrites)) == ORDER


def test_the_same_plan_carried_out_again_gives_the_same_bytes(program: Program) -> None:
    from surgdsl.bridge.running import deterministic

    finals: list[Carried] = []
    for _ in range(2):
        with deterministic(3):
            finals.append(carry(plan(program), lambda _stage, _detail: None))
    one, other = (found.final.weights for found in finals)
    assert one.keys() == other.keys()
    assert all(
        np.array_equal(one[name].parts[role], other[name].parts[role]) for name in one for role in one[name].parts
    )


SIDE_BY_SIDE = [
    "quantize(bits = 4bit) @**",
    "mask(keep = 50%) @a", "mask(keep = 30%) @b", 'quantize(bits = 3bit, scheme = "affine") @fc',
]  # fmt: skip


@pytest.mark.parametrize("steps", [SIDE_BY_SIDE[:1], SIDE_BY_SIDE[1:]])
def test_layers_side_by_side_give_the_bytes_of_one_after_another(steps: list[str]) -> None:
    made = plan_of(opened(captured(CASES["batch norm"]), steps))
    assert len(made.ordering.layers) == 1
    alone, beside = (carry(made, lambda _stage, _detail: None, threads, 0) for threads in (1, 3))
    assert [one.note for one in alone.rewrites] == [one.note for one in beside.rewrites]
    assert alone.final.net == beside.final.net
    assert graph_hash(alone.final) == graph_hash(beside.final)


def test_what_was_computed_ahead_of_another_weight_is_not_used() -> None:
    state = captured(CASES["batch norm"])
    action = Quantize("b.weight", 3, "kmeans")
    with ahead(2, least=0) as computed:
        computed.begin([action], state)
        ready = computed.done(action)
    other = captured(CASES["concatenation"]).weights
    weight = other[param(captured(CASES["concatenation"]), "b.weight")]
    assert isinstance(ready, Quantize)
    assert np.array_equal(decode(ready.recode(weight)), decode(action.recode(weight)))


def test_progress_names_every_stage_and_epoch(made: Plan) -> None:
    heard: list[tuple[str, str]] = []
    carry(made, lambda stage, detail: heard.append((stage, detail)))
    assert list(dict.fromkeys(stage for stage, _ in heard)) == [
        "step narrow", "recovering narrow", "step fold", "step thin", "step code", "recovering at the end",
    ]  # fmt: skip
    assert any(detail.startswith("epoch 1/1, loss ") for _, detail in heard)
