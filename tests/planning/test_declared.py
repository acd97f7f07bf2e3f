"""Declared rules in a plan: which places a selector means, what is left and why, rounds until nothing is left."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from surgdsl.bridge.weight import Array, State
from surgdsl.diagnostic import Refusal
from surgdsl.diagram.operation import PARAM
from surgdsl.execution.carrying import carry
from surgdsl.language import load
from surgdsl.planning.opening import open_surgery
from surgdsl.planning.plan import Plan, plan

NET = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.d = (nn.Linear(6, 6) for _ in range(4))
        self.d.weight = self.a.weight
        self.tail = nn.Linear(6, 2)
        self.drop = nn.Dropout(0.2)

    def forward(self, x):
        y = self.drop(self.c(self.b(self.a(x))))
        return self.tail(self.d(torch.relu(torch.relu(torch.relu(y)))))


def build():
    torch.manual_seed(0)
    return Net()
"""

RULES = """
rule exact join {
  L { x -> [A: linear(h, i)] -> [B: linear(o, h)] -> y }
  K { x: real  y: real }
  R { x -> [A: linear(o, i)] -> y }
  with A.weight = sum[h](A.weight * B.weight)
       A.bias = sum[h](A.bias * B.weight) + B.bias
  decreases count(linear)
}
rule exact once {
  L { x -> [relu] -> [relu] -> y }
  K { x: real  y: real }
  R { x -> [relu] -> y }
  decreases count(relu)
}
rule exact still {
  L { x -> [dropout] -> y }
  K { x: real  y: real }
  R { x -> [identity] -> y }
  decreases count(dropout)
}
rule lossy shift(k: int) {
  L { x -> [A: linear(o, i)] -> y }
  K { x: real  y: real }
  R { x -> [A: linear(o, i)] -> y }
  where o < k
  with A.weight = A.weight
       A.bias = A.bias + k
}
"""


@pytest.fixture(autouse=True)
def own_module(tmp_path: Path) -> Iterator[None]:
    (tmp_path / "declared_net.py").write_text(NET, encoding="utf-8")
    yield
    sys.modules.pop("declared_net", None)


def planned(folder: Path, *steps: str) -> Plan:
    """The plan of these steps, one after the other."""
    names = [f"s{number}" for number in range(len(steps))]
    lines = [f"  step {name} = apply {step}\n" for name, step in zip(names, steps, strict=True)]
    order = f"  order {' >> '.join(names)}\n" if len(names) > 1 else ""
    head = 'model net : (x: f32[B, 6]) -> (y: f32[B, 2]) { source = python("declared_net:build") }'
    text = f"surg 1\n{RULES}{head}\nsurgery slim on net {{\n{''.join(lines)}{order}}}\n"
    (folder / "slim.surg").write_text(text, encoding="utf-8")
    return plan(open_surgery(load(folder / "slim.surg")))


def notes(made: Plan, step: int = 0) -> list[str]:
    return [action.note for action in made.steps[step].actions]


def operators(made: Plan) -> list[str]:
    final = carry(made, lambda _stage, _detail: None).final
    return [one.name.split(".")[1] for one in final.net.graph.operations.values() if one.name != PARAM]


def values(state: State, base: str) -> Array:
    (name,) = [name for name, one in state.net.params().items() if one.payload and one.payload.base == base]
    return state.weights[name].parts["values"]


def refused(folder: Path, *steps: str) -> tuple[str, tuple[str, ...]]:
    with pytest.raises(Refusal) as found:
        planned(folder, *steps)
    (one,) = found.value.diagnostics
    return one.code, one.help


def test_once_takes_places_that_do_not_meet_in_the_order_of_the_net(tmp_path: Path) -> None:
    made = planned(tmp_path, "once @**")
    assert notes(made) == ["once at the model"]
    assert made.steps[0].left_alone == ("the model: it meets a place of `once` that comes first",)
    assert operators(made).count("relu") == 2


def test_exhaustively_goes_on_until_nothing_is_left(tmp_path: Path) -> None:
    made = planned(tmp_path, "exhaustively once @**")
    assert notes(made) == ["once at the model"] * 2
    assert operators(made).count("relu") == 1


def test_a_tied_weight_is_left_and_told(tmp_path: Path) -> None:
    made = planned(tmp_path, "exhaustively join @**")
    assert notes(made) == ["join at b, c"]
    tied = [line for line in made.steps[0].left_alone if "is also read by" in line]
    assert sorted(tied)[:2] == ["a, b: `a.weight` is also read by `d`", "d, tail: `a.weight` is also read by `a`"]


def test_a_place_is_meant_when_one_of_its_boxes_is(tmp_path: Path) -> None:
    assert notes(planned(tmp_path, "join @c")) == ["join at b, c"]
    assert notes(planned(tmp_path, "join @b")) == ["join at b, c"]


def test_a_place_is_not_meant_when_one_of_its_boxes_is_excepted(tmp_path: Path) -> None:
    code, _ = refused(tmp_path, "join @{b,c} except @c")
    assert code == "E0504"


def test_a_selector_of_nowhere_is_refused_with_what_is_near(tmp_path: Path) -> None:
    code, helps = refused(tmp_path, "join @tial")
    assert (code, helps) == ("E0501", ("did you mean `@tail`?",))


def test_a_step_that_fits_nowhere_says_why(tmp_path: Path) -> None:
    code, helps = refused(tmp_path, "shift(k = 3) @b")
    assert (code, helps) == ("E0504", ("b: the condition after `where` does not hold",))


def test_parameters_reach_conditions_and_weights(tmp_path: Path) -> None:
    made = planned(tmp_path, "shift(k = 3) @tail")
    assert notes(made) == ["shift at tail"]
    old = values(made.opened.start, "tail.bias")
    new = values(carry(made, lambda _stage, _detail: None).final, "tail.bias")
    assert (old.astype(np.float64) + 3).astype(np.float32).tobytes() == new.tobytes()


def test_steps_find_what_earlier_steps_made(tmp_path: Path) -> None:
    made = planned(tmp_path, "join @b", "still @drop", "exhaustively once @**")
    assert [notes(made, step) for step in range(3)] == [["join at b, c"], ["still at drop"], ["once at the model"] * 2]
    assert sorted(set(operators(made))) == ["alias", "linear", "relu"]
    assert operators(made).count("linear") == 4


def test_what_is_planned_is_what_is_carried_out(tmp_path: Path) -> None:
    made = planned(tmp_path, "exhaustively join @**", "still @**")
    done = carry(made, lambda _stage, _detail: None)
    assert [*notes(made), *notes(made, 1)] == [one.note for one in done.rewrites]
    assert {"rule/1"} == {one.rule for one in done.rewrites}
    assert made.after["params/1"] < made.before["params/1"]
