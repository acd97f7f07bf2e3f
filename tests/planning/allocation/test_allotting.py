"""Allocations of whole surgeries: the least of all by the measured figures, within every counted promise."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest

from surgdsl.diagnostic import Refusal
from surgdsl.execution.carrying import carry
from surgdsl.language import load
from surgdsl.metrics import count, ones
from surgdsl.planning.allocation.allocation import Allocation
from surgdsl.planning.allocation.making import ground
from surgdsl.planning.allocation.measuring import measured
from surgdsl.planning.deciding import decide
from surgdsl.planning.opening import Opened, open_surgery
from surgdsl.planning.plan import Plan
from surgdsl.report.planned import records, told

NET = '''
"""Three layers of different worth, and rows with classes."""

import torch
from torch import nn


def build():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(24, 40), nn.ReLU(), nn.Linear(40, 32), nn.ReLU(), nn.Linear(32, 4))
    with torch.no_grad():
        net[2].weight *= 0.3
    return net


def rows():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(96, 24, generator=generator)
    return x, torch.randint(4, (96,), generator=generator)


def points():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(96, 24, generator=generator), torch.randn(96, 4, generator=generator)
'''
HEAD = """surg 1
use std.importance.magnitude
use std.metric.{damage, divergence, macs, nnz, output_error, params, size, trace_damage, weight_error}
use std.rules.{mask, prune_channels, quantize}
model net : (x: f32[B, 24]) -> (y: f32[B, 4]) { source = python("allotted_net:build") }
data rows { source = python("allotted_net:rows") }
data points { source = python("allotted_net:points") }
metric average_bits(m: model) -> bit = sum(w in weights(m): count(w) * bits(w)) / sum(w in weights(m): count(w))
surgery slim on net {
"""
CODE = 'step code = apply quantize(bits = choose {2bit, 3bit, 4bit, 8bit}, scheme = "affine") @**\n'
THIN = "step thin = apply mask(keep = choose {30%, 60%, 100%}) @**\n"
GOAL = "target minimize damage on rows\n"


@pytest.fixture(autouse=True)
def own_modules() -> Iterator[None]:
    yield
    sys.modules.pop("allotted_net", None)


def silent(stage: str, detail: str) -> None:
    del stage, detail


def opened(folder: Path, *clauses: str) -> Opened:
    (folder / "allotted_net.py").write_text(NET, encoding="utf-8")
    (folder / "slim.surg").write_text(HEAD + "\n".join(clauses) + "\n}\n", encoding="utf-8")
    return open_surgery(load(folder / "slim.surg"))


def allotted(folder: Path, *clauses: str) -> tuple[Plan, Allocation]:
    made = decide(opened(folder, *clauses), silent)
    assert made.allocation is not None
    return made, made.allocation


def taken(allocation: Allocation) -> list[str]:
    return [place.values for place in allocation.places]


def refused(folder: Path, *clauses: str) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        decide(opened(folder, *clauses), silent)
    return refusal.value


@pytest.mark.parametrize("share", [14, 17, 20, 26])
def test_no_other_choice_of_all_loses_less(tmp_path: Path, share: int) -> None:
    promise = f"require size(after) <= {share}% * size(before)"
    made, allocation = allotted(tmp_path, CODE, GOAL, promise)
    here = ground(opened(tmp_path, CODE, GOAL, promise), silent)
    losses = measured(here, "damage", here.opened.rows("rows"), 0, silent).losses
    base = here.figures.counts["size/1"]
    moved = [[one.figures.counts["size/1"] - base for one in place.options] for place in here.places]
    limit = Fraction(share, 100) * made.before["size/1"]
    every = [
        sum(row[at] for row, at in zip(losses, picks, strict=True))
        for picks in product(range(4), repeat=3)
        if base + sum(row[at] for row, at in zip(moved, picks, strict=True)) <= limit
    ]
    assert allocation.loss == pytest.approx(min(every), rel=1e-12)
    assert allocation.gap == 0
    assert allocation.bound == pytest.approx(allocation.loss, rel=1e-12)
    assert made.after["size/1"] <= limit


def test_what_is_planned_is_what_is_carried_out(tmp_path: Path) -> None:
    made, allocation = allotted(tmp_path, CODE, GOAL, "require size(after) <= 15% * size(before)")
    final = carry(made, silent).final
    assert count(final.net, final.weights, ones(final.net)) == made.after
    assert made.before["size/1"] + sum(one.change for one in allocation.places) == made.after["size/1"]


def test_without_a_limit_every_place_loses_least(tmp_path: Path) -> None:
    _, allocation = allotted(tmp_path, CODE, GOAL)
    assert taken(allocation) == ["8", "8", "8"]


def test_a_promise_of_every_weight_rules_values_out(tmp_path: Path) -> None:
    promises = ("require bits(w) >= 4bit for all w in weights(after)", "require size(after) <= 20% * size(before)")
    _, allocation = allotted(tmp_path, CODE, GOAL, *promises)
    assert set(taken(allocation)) <= {"4", "8"}


def test_a_mean_over_weights_is_a_limit(tmp_path: Path) -> None:
    made, allocation = allotted(tmp_path, CODE, GOAL, "require average_bits(after) <= 5.5bit")
    assert allocation.limits == ("average_bits(after) <= 5.5bit",)
    assert len(set(taken(allocation))) > 1
    assert allocation.gap == 0
    assert made.after["size/1"] < made.before["size/1"] / 4


def test_two_limits_are_kept_at_once(tmp_path: Path) -> None:
    limits = ("require size(after) <= 45% * size(before)", "require nnz(after) <= 60% * nnz(before)")
    made, allocation = allotted(tmp_path, THIN, GOAL, *limits)
    assert made.after["size/1"] <= 0.45 * made.before["size/1"]
    assert made.after["nnz/1"] <= 0.6 * made.before["nnz/1"]
    assert allocation.gap == 0


def test_masks_and_codes_are_chosen_together(tmp_path: Path) -> None:
    order = "order thin >> code\n"
    made, allocation = allotted(tmp_path, THIN, CODE, order, GOAL, "require size(after) <= 13% * size(before)")
    assert [place.options for place in allocation.places] == [12, 12, 12]
    assert made.after["size/1"] <= 0.13 * made.before["size/1"]
    assert [step.declared.name for step in made.steps] == ["thin", "code"]


def test_steps_that_follow_are_reckoned_with(tmp_path: Path) -> None:
    steps = (CODE.replace("@**", "@0 | @2"), 'step last = apply quantize(bits = 2bit, scheme = "affine") @4')
    made, allocation = allotted(tmp_path, *steps, GOAL, "require size(after) <= 14% * size(before)")
    assert made.after["size/1"] <= 0.14 * made.before["size/1"]
    assert len(allocation.places) == 2


def test_where_it_cannot_be_the_least_that_can_is_told(tmp_path: Path) -> None:
    refusal = refused(tmp_path, CODE, GOAL, "require size(after) <= 1% * size(before)")
    (only,) = refusal.diagnostics
    assert (only.code, refusal.exit_code) == ("E0804", 3)
    made, _ = allotted(tmp_path, CODE.replace("choose {2bit, 3bit, 4bit, 8bit}", "choose {2bit}"), GOAL)
    assert f"{made.after['size/1']:,}" in only.notes[0].message


def test_cut_axes_keep_what_is_no_sum(tmp_path: Path) -> None:
    narrow = "step narrow = apply prune_channels(keep = choose {25%, 50%, 75%, 100%}) @** by magnitude\n"
    made, allocation = allotted(tmp_path, narrow, GOAL, "require macs(after) <= 50% * macs(before)")
    assert made.after["macs/1"] <= made.before["macs/1"] / 2
    assert len(allocation.places) == 2
    assert "divergence" in allocation.notes[0]


@pytest.mark.parametrize(
    "figure", ["divergence on rows", "output_error on rows", "trace_damage on rows", "weight_error"]
)
def test_every_figure_can_decide(tmp_path: Path, figure: str) -> None:
    limit = "require size(after) <= 14% * size(before)"
    made, allocation = allotted(tmp_path, CODE, f"target minimize {figure}", limit)
    assert made.after["size/1"] <= 0.14 * made.before["size/1"]
    assert allocation.loss > 0


def test_rows_without_classes_are_measured_by_distance(tmp_path: Path) -> None:
    limit = "require size(after) <= 14% * size(before)"
    _, fisher = allotted(tmp_path, CODE, GOAL.replace("rows", "points"), limit)
    _, run = allotted(tmp_path, CODE, "target minimize divergence on points", limit)
    assert fisher.loss == pytest.approx(run.loss, rel=0.5)


def test_choices_of_different_kinds_are_refused(tmp_path: Path) -> None:
    narrow = "step narrow = apply prune_channels(keep = choose {50%, 75%}) @** by magnitude\n"
    refusal = refused(tmp_path, narrow, CODE, "order narrow >> code", GOAL)
    assert [one.code for one in refusal.diagnostics] == ["E0513"]


def test_weights_that_share_a_count_have_no_values_of_their_own(tmp_path: Path) -> None:
    thin = 'step thin = apply mask(keep = choose {30%, 60%}, scope = "global") @**\n'
    refusal = refused(tmp_path, thin, GOAL)
    assert [one.code for one in refusal.diagnostics] == ["E0513"]


def test_options_are_made_with_what_makes_up_for_them(tmp_path: Path) -> None:
    code = CODE.replace(")", ', update = "obs", calibrate = rows)')
    limit = "require size(after) <= 14% * size(before)"
    made, solved = allotted(tmp_path, code, "target minimize damage", limit)
    _, rounded = allotted(tmp_path, CODE, GOAL, limit)
    assert solved.loss < rounded.loss
    final = carry(made, silent).final
    assert count(final.net, final.weights, ones(final.net))["size/1"] == made.after["size/1"]


def test_it_is_told_with_what_every_place_takes(tmp_path: Path) -> None:
    made, allocation = allotted(tmp_path, CODE, GOAL, "require size(after) <= 15% * size(before)")
    lines = "\n".join(told(made))
    assert all(place.name in lines for place in allocation.places)
    assert "the least there is; dynamic programming" in lines
    (record,) = [one for one in records(made) if one["type"] == "allocation"]
    assert sum(place["after"] - place["before"] for place in record["places"]) == (
        made.after["size/1"] - made.before["size/1"]
    )
    assert allocation.facts["allocation.gap"] == "0"


def test_the_same_file_makes_the_same_choice(tmp_path: Path) -> None:
    limit = "require size(after) <= 14% * size(before)"
    assert allotted(tmp_path, CODE, GOAL, limit)[1] == allotted(tmp_path, CODE, GOAL, limit)[1]
