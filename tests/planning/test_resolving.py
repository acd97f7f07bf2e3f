"""Resolving: what selectors mean on a net, what is left alone and why, and steps that follow one another."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from surgdsl.diagnostic import Refusal
from surgdsl.execution.carrying import carry
from surgdsl.language import load
from surgdsl.planning.opening import open_surgery
from surgdsl.planning.plan import Plan, plan
from surgdsl.surgery.mask import Mask
from surgdsl.surgery.prune import Prune
from surgdsl.surgery.recode import Quantize

NET = '''
"""A network with groups, slices and a norm."""

import torch
from torch import nn
from torch.nn import functional


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.g, self.n = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 6, 1, groups=2), nn.BatchNorm2d(6)
        self.s, self.o, self.fc = nn.Conv2d(6, 8, 1), nn.Conv2d(8, 2, 1), nn.Linear(32, 3)

    def forward(self, x):
        y = self.s(torch.relu(self.n(self.g(torch.relu(self.a(x))))))
        y = torch.cat([y[:, 2:6].relu(), y[:, :2].sigmoid(), y[:, 6:]], 1)
        return self.fc(torch.flatten(self.o(y), 1))


def build():
    torch.manual_seed(0)
    return Net()


def rows():
    draw = torch.Generator().manual_seed(1)
    return torch.randn(16, 3, 4, 4, generator=draw), torch.randint(0, 3, (16,), generator=draw)
'''

HEAD = """surg 1
use std.importance.{magnitude, taylor}
use std.metric.params
use std.rules.{fold_batchnorm, mask, prune_channels, quantize}
model net : (x: f32[B, 3, 4, 4]) -> (y: f32[B, 3]) { source = python("resolved_net:build") }
data rows { source = python("resolved_net:rows") }
surgery slim on net {
  seed 1
"""


@pytest.fixture(autouse=True)
def own_module(tmp_path: Path) -> Iterator[None]:
    (tmp_path / "resolved_net.py").write_text(NET, encoding="utf-8")
    yield
    sys.modules.pop("resolved_net", None)


def planned(folder: Path, *steps: str, more: str = "") -> Plan:
    """The plan of these steps, one after the other."""
    names = [f"s{number}" for number in range(len(steps))]
    lines = [f"  step {name} = apply {step}\n" for name, step in zip(names, steps, strict=True)]
    order = f"  order {' >> '.join(names)}\n" if len(names) > 1 else ""
    text = HEAD + "".join(lines) + order + more + "}\n"
    (folder / "slim.surg").write_text(text, encoding="utf-8")
    return plan(open_surgery(load(folder / "slim.surg")))


def notes(made: Plan) -> list[list[str]]:
    return [[action.note for action in step.actions] for step in made.steps]


def test_axes_that_vanish_or_change_their_names_are_followed(tmp_path: Path) -> None:
    made = planned(
        tmp_path,
        "prune_channels(keep = 50%) @{a,g} by magnitude",
        "prune_channels(keep = 50%) @g by magnitude",
        "prune_channels(keep = 50%) @s by magnitude",
        "prune_channels(keep = 50%) @s by magnitude",
    )
    assert notes(made)[0] == ["g:groups: 2 -> 1", "g:in: 2 -> 1", "g:filters: 3 -> 2"]
    assert notes(made)[1] == ["g:out: 2 -> 1"]
    assert len(notes(made)[2]) == 3
    assert len(notes(made)[3]) == 1
    carried = carry(made, lambda _stage, _detail: None)
    assert carried.final.net.faults() == ()
    assert [one.note for one in carried.rewrites] == [note for step in notes(made) for note in step]


@pytest.mark.parametrize("criterion", ["magnitude", "taylor"])
def test_what_stays_scores_no_less_than_what_goes(criterion: str, tmp_path: Path) -> None:
    data = ", calibrate = rows" if criterion == "taylor" else ""
    made = planned(tmp_path, f"prune_channels(keep = 50%{data}) @{{a,g,s}} by {criterion}")
    cuts = [action for action in made.steps[0].actions if isinstance(action, Prune)]
    assert len(cuts) == len(made.steps[0].actions) > 3
    for cut in cuts:
        assert min(cut.scores[index] for index in cut.keep) >= max(cut.scores[index] for index in cut.gone)
        assert cut.tensors


def test_what_is_pinned_or_excepted_is_left_alone_with_the_reason(tmp_path: Path) -> None:
    made = planned(tmp_path, "prune_channels(keep = 50%) @** except @g by magnitude")
    told = " | ".join(made.steps[0].left_alone)
    assert "fc:out: reaches output `y`" in told
    assert "g:groups: coupled to g, which is excepted" in told


def test_counts_fall_as_predicted_and_follow_one_another(tmp_path: Path) -> None:
    made = planned(tmp_path, "fold_batchnorm @**", "mask(keep = 50%) @s", "quantize(bits = 2bit) @{s,fc}")
    assert [type(action) for action in made.steps[1].actions] == [Mask]
    assert [type(action) for action in made.steps[2].actions] == [Quantize, Quantize]
    assert all(one.after == other.before for one, other in zip(made.steps, made.steps[1:], strict=False))
    assert made.steps[0].after["params/1"] == made.steps[0].before["params/1"] - 4 * 6
    assert made.steps[1].after["nnz/1"] == made.steps[1].before["nnz/1"] - 24
    assert made.steps[2].after["size/1"] < made.steps[2].before["size/1"]


def test_what_would_save_nothing_is_left_alone(tmp_path: Path) -> None:
    made = planned(tmp_path, "quantize(bits = 4bit) @{a,fc}")
    assert [action.note for action in made.steps[0].actions] == ["fc.weight: 4 bit codebook"]
    assert made.steps[0].left_alone == ("a.weight: its codebook would take more than is saved",)


def test_a_mask_that_would_keep_what_is_there_is_left_alone(tmp_path: Path) -> None:
    made = planned(tmp_path, "mask(keep = 50%) @fc", "mask(keep = 50%) @{s,fc}")
    assert [action.note for action in made.steps[1].actions] == ["s.weight: 48 -> 24 elements"]
    assert made.steps[1].left_alone == ("fc.weight: no more than 48 elements are stored already",)


REFUSED = {
    "a selector that means nothing": ("prune_channels(keep = 50%) @b by magnitude", "", "E0501", 1),
    "only what an interface holds": ("prune_channels(keep = 50%) @fc by magnitude", "", "E0503", 1),
    "a cut that keeps nothing": ("prune_channels(keep = 0%) @s by magnitude", "", "E0207", 1),
    "a mask that keeps nothing": ("mask(keep = 0%) @fc", "", "E0207", 1),
    "no norm to fold": ("fold_batchnorm @fc", "", "E0504", 1),
    "quantized twice": (
        "quantize(bits = 2bit) @fc",
        "  step again = apply quantize(bits = 2bit) @fc\n  order s0 >> again\n",
        "E0504",
        1,
    ),
    "a promise out of reach": ("mask(keep = 50%) @fc", "  require params(after) <= 50% * params(before)\n", "E0801", 3),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_steps_that_cannot_be_are_refused(name: str, tmp_path: Path) -> None:
    step, more, code, exit_code = REFUSED[name]
    with pytest.raises(Refusal) as refused:
        planned(tmp_path, step, more=more)
    assert [one.code for one in refused.value.diagnostics] == [code]
    assert refused.value.exit_code == exit_code
    assert all(one.span is not None for one in refused.value.diagnostics)


def test_what_an_interface_holds_is_told_with_what_could_be_cut(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        planned(tmp_path, "prune_channels(keep = 50%) @fc by magnitude")
    (told,) = refused.value.diagnostics
    assert told.message == "`@fc` means only what an interface holds"
    assert told.help[0] == "fc:out: reaches output `y`"
    assert told.help[-1].startswith("it could change @")
    assert "@fc" not in told.help[-1]


def test_the_nearest_place_is_suggested(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        planned(tmp_path, "mask(keep = 50%) @fcc")
    assert "@fc" in " ".join((*refused.value.diagnostics[0].help, refused.value.diagnostics[0].label))
