"""Declared rules applied: nets compute what they did, weights follow their clauses to the byte, names are kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from attrs import evolve
from torch import nn

from surgdsl.bridge.capture import capture
from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Refusal
from surgdsl.diagram.operation import PARAM
from surgdsl.diagram.pushout import NoPushout
from surgdsl.operations import cost
from surgdsl.rules.matching import Refused, Site
from surgdsl.rules.schema import Schema
from surgdsl.surgery.declared import Apply, paths, sites
from surgdsl.surgery.mask import Mask
from tests.bridge.zoo import Conv, Linear, Norm, Wired, answers, randomised
from tests.operations.cutting import apart, degenerate
from tests.rules.declaring import schema, standard
from tests.surgery.folding import FOLDED, LEFT, Case


def opened(case: Case, rows: int = 4) -> tuple[State, tuple[torch.Tensor, ...]]:
    shape, wiring, parts = case
    inputs = (torch.randn(rows, *shape, generator=torch.Generator().manual_seed(2)),)
    return capture(randomised(Wired(wiring, parts)), inputs), inputs


def applied(rules: tuple[Schema, ...], state: State, **arguments: int) -> State:
    """Every rule at every place, one after the other, until there is none."""
    number = 0
    while True:
        places = [(one, found) for one in rules for found in sites(one, state, arguments) if isinstance(found, Site)]
        if not places:
            return state
        one, found = places[0]
        action = Apply(one, tuple(sorted(arguments.items())), paths(one, state, found.form))
        state, number = action.rewrite(state, number, "step").after, number + 1


def names(state: State) -> list[str]:
    return sorted(one.payload.base for one in state.net.params().values() if one.payload)


def operators(state: State) -> list[str]:
    return [one.name for one in state.net.graph.operations.values() if one.name != PARAM]


def same(case: Case, rules: tuple[Schema, ...], tolerance: float = 1e-6, **arguments: int) -> State:
    """The state after all applications; it is a net, computes the same, and there was something to do."""
    start, inputs = opened(case)
    before, state = answers(start, inputs), applied(rules, start, **arguments)
    assert operators(start) != operators(state)
    assert not degenerate(before)
    assert apart(answers(state, inputs), before) <= tolerance
    assert state.net.faults() == ()
    assert set(state.net.params()) == set(state.weights)
    return state


FOLD = standard("fold_batchnorm")


@pytest.mark.parametrize("name", FOLDED)
def test_a_folded_net_computes_the_same(name: str) -> None:
    state = same(FOLDED[name], FOLD)
    assert "aten.batch_norm.default" not in operators(state)


@pytest.mark.parametrize("name", [name for name in LEFT if name != "double precision"])
def test_what_cannot_be_folded_exactly_is_left(name: str) -> None:
    state, _ = opened(LEFT[name])
    assert [one for rule in FOLD for one in sites(rule, state, {}) if isinstance(one, Site)] == []


def test_double_precision_is_folded_in_double_precision() -> None:
    shape, wiring, parts = LEFT["double precision"]
    start, inputs = opened((shape, wiring, parts))
    state = applied(FOLD, start)
    assert operators(start) != operators(state)
    assert apart(answers(state, inputs), answers(start, inputs)) <= 1e-14


def test_folded_weights_follow_the_clauses_to_the_byte() -> None:
    start, _ = opened(FOLDED["convolution"])
    old = {one.payload.base: start.weights[name].parts["values"].astype(np.float64)
           for name, one in start.net.params().items() if one.payload}  # fmt: skip
    state = applied(FOLD, start)
    new = {one.payload.base: state.weights[name].parts["values"]
           for name, one in state.net.params().items() if one.payload}  # fmt: skip
    scale = old["n.weight"] / np.sqrt(old["n.running_var"] + 1e-5)
    weight = (old["c.weight"] * scale[:, None, None, None]).astype(np.float32)
    bias = ((old["c.bias"] - old["n.running_mean"]) * scale + old["n.bias"]).astype(np.float32)
    assert {"c.bias", "c.weight"} == new.keys()
    assert weight.tobytes() == new["c.weight"].tobytes()
    assert bias.tobytes() == new["c.bias"].tobytes()


def test_a_norm_inside_an_interface_is_left() -> None:
    state, _ = opened(FOLDED["convolution"])
    (norm,) = [one for one in state.net.graph.operations.values() if one.name == "aten.batch_norm.default"]
    held = evolve(state, net=evolve(state.net, boundary={"before the norm": norm.sources[0]}))
    found = [one for rule in FOLD for one in sites(rule, held, {})]
    assert [one.reason for one in found if isinstance(one, Refused)] == ["the result of `c` belongs to an interface"]


def test_a_masked_weight_is_left_with_the_reason() -> None:
    state, _ = opened(FOLDED["convolution"])
    masked = Mask("c.weight", 50, 108).rewrite(state, 0, "thin").after
    found = [one for rule in FOLD for one in sites(rule, masked, {})]
    assert [one.reason for one in found if isinstance(one, Refused)] == ["`c.weight` is not stored dense"]
    assert len(found) == 1


def test_a_rewrite_says_what_it_did() -> None:
    state, _ = opened(FOLDED["convolution without a bias"])
    (rule, found) = next((rule, one) for rule in FOLD for one in sites(rule, state, {}))
    assert isinstance(found, Site)
    action = Apply(rule, (), paths(rule, state, found.form), "fold at c, n")
    rewrite = action.rewrite(state, 3, "fold")
    assert (
        rewrite.rule, rewrite.kind, rewrite.reduces, rewrite.note
    ) == ("rule/1", "reduce", "params/1", "fold at c, n")  # fmt: skip
    assert names(rewrite.after) == ["c.bias", "c.weight"]
    assert "c" in {one.path for one in rewrite.after.net.graph.operations.values()}


# ---- other rules --------------------------------------------------------------------------------

LINES: Case = ((6,), lambda m, x: m.b(m.a(x)).relu(), {"a": Linear(6, 5), "b": Linear(5, 3)})


def test_two_linear_layers_become_one() -> None:
    state = same(LINES, standard("fuse"))
    assert sorted(operators(state)) == ["aten.linear.default", "aten.relu.default"]
    assert names(state) == ["a.bias", "a.weight"]


def test_layers_that_would_grow_are_left() -> None:
    state, _ = opened(((6,), lambda m, x: m.b(m.a(x)), {"a": Linear(6, 2), "b": Linear(2, 6)}))
    (found,) = sites(standard("fuse")[0], state, {})
    assert isinstance(found, Refused)
    assert found.reason == "the condition after `where` does not hold"


def test_a_factored_layer_is_off_by_no_more_than_its_bound() -> None:
    start, inputs = opened(((12,), lambda m, x: m.a(x), {"a": Linear(12, 10)}))
    rule = standard("factor")[0]
    (found,) = sites(rule, start, {"r": 4})
    assert isinstance(found, Site)
    rewrite = Apply(rule, (("r", 4),), paths(rule, start, found.form)).rewrite(start, 0, "slice")
    (before,), (after,) = answers(start, inputs), answers(rewrite.after, inputs)
    factor, sizes = rewrite.arguments["factor"], np.linalg.norm(inputs[0].numpy(), axis=1)
    distances = np.linalg.norm(np.asarray(before, np.float64) - np.asarray(after, np.float64), axis=1)
    assert (distances <= factor * sizes * (1 + 1e-5)).all()
    assert factor < np.linalg.norm(weight_of(start), 2)
    assert names(rewrite.after) == ["a.U.bias", "a.U.weight", "a.V.weight"]
    assert operators(rewrite.after) == ["aten.linear.default"] * 2
    assert sum(cost_of(rewrite.after)) < sum(cost_of(start))


def weight_of(state: State) -> Any:
    (name,) = [name for name, one in state.net.params().items() if one.payload and one.payload.base == "a.weight"]
    return state.weights[name].parts["values"]


def cost_of(state: State) -> list[int]:
    net = state.net
    return [
        cost(one, tuple(map(net.sort, one.sources)), tuple(map(net.sort, one.targets)), {"B": 1, "s0": 1, "s77": 1})
        for one in net.graph.operations.values()
        if one.name == "aten.linear.default"
    ]


def test_factors_of_a_full_rank_are_refused_by_their_condition() -> None:
    start, _ = opened(((12,), lambda m, x: m.a(x), {"a": Linear(12, 10)}))
    assert [Refused] == [type(one) for one in sites(standard("factor")[0], start, {"r": 6})]


def test_a_pointwise_convolution_is_factored() -> None:
    start, inputs = opened(((9, 4, 4), lambda m, x: m.a(x), {"a": Conv(9, 8, 1)}))
    state = applied(standard("factor"), start, r=3)
    assert operators(state) == ["aten.conv2d.default"] * 2
    assert apart(answers(state, inputs), answers(start, inputs)) < 1


def test_dropout_is_replaced_by_the_identity() -> None:
    state = same(
        ((6,), lambda m, x: m.d(m.a(x)), {"a": Linear(6, 5), "d": nn.Dropout(0.3)}), standard("remove_dropout")
    )
    assert operators(state) == ["aten.linear.default", "aten.alias.default"]


AFFINE = schema("""rule exact lighten {
  L { x -> [N: layernorm(i, eps = e)] -> [A: linear(o, i)] -> y }
  K { x: real  y: real }
  R { x -> [N: layernorm(i, eps = e)] -> [A: linear(o, i)] -> y }
  with A.weight = A.weight * N.gamma
       A.bias = A.bias + sum[i](A.weight * N.beta)
}""")


def test_a_rule_of_the_user_moves_the_affine_part_of_a_norm() -> None:
    start, inputs = opened(((6,), lambda m, x: m.a(m.n(x)), {"n": nn.LayerNorm(6, eps=0.5), "a": Linear(6, 5)}))
    (found,) = sites(AFFINE, start, {})
    assert isinstance(found, Site)
    state = Apply(AFFINE, (), paths(AFFINE, start, found.form)).rewrite(start, 0, "s").after
    assert names(state) == ["a.bias", "a.weight"]
    assert apart(answers(state, inputs), answers(start, inputs)) <= 1e-6
    assert (
        next(
            one.attribute("eps") for one in state.net.graph.operations.values() if one.name == "aten.layer_norm.default"
        )
        == 0.5
    )


def test_a_weight_that_would_not_be_finite_is_refused() -> None:
    case: Case = ((6,), lambda m, x: m.a(x), {"a": Linear(6, 5)})
    start, _ = opened(case)
    rule = schema("""rule lossy divide {
      L { x -> [A: linear(o, i)] -> y }
      K { x: real  y: real }
      R { x -> [A: linear(o, i)] -> y }
      with A.weight = A.weight / (A.weight - A.weight)
    }""")
    (found,) = sites(rule, start, {})
    assert isinstance(found, Site)
    with pytest.raises(Refusal) as refused:
        Apply(rule, (), paths(rule, start, found.form)).rewrite(start, 0, "s")
    assert [one.code for one in refused.value.diagnostics] == ["E0506"]


AROUND = """rule lossy around {
  L { a -> [exp] -> s  (s, b) -> [add] -> z }
  K { a: real  b: real  s: real  z: real }
  R { %s }
}"""


def _around(m: Any, x: Any) -> Any:
    s = m.a(x).exp()
    return s + s.relu()


def test_a_place_that_is_not_convex_is_rewritten_unless_that_makes_a_circle() -> None:
    state, inputs = opened(((6,), _around, {"a": Linear(6, 6)}))
    harmless = schema(AROUND % "a -> [exp] -> s  (b, s) -> [add] -> z")
    (found,) = sites(harmless, state, {})
    assert isinstance(found, Site)
    after = Apply(harmless, (), paths(harmless, state, found.form)).rewrite(state, 0, "s").after
    assert apart(answers(after, inputs), answers(state, inputs)) == 0
    turned = schema(AROUND % "b -> [exp] -> s  (s, a) -> [add] -> z")
    with pytest.raises(NoPushout) as refused:
        Apply(turned, (), paths(turned, state, found.form)).rewrite(state, 0, "s")
    assert [fault.code for fault in refused.value.faults] == ["N3"]


def test_a_place_where_r_would_write_another_shape_is_left() -> None:
    rule = schema("""rule lossy first {
      L { (a, b) -> [add] -> y }
      K { a: real  b: real  y: real }
      R { a -> [relu] -> y }
    }""")
    same_shape, _ = opened(((6,), lambda m, x: m.a(x) + x.exp(), {"a": Linear(6, 6)}))
    broadcast, _ = opened(((6,), lambda m, x: m.a(x) + x, {"a": Linear(6, 1)}))
    (good,), (bad,) = sites(rule, same_shape, {}), sites(rule, broadcast, {})
    assert isinstance(good, Site)
    assert isinstance(bad, Refused)
    assert "is kept" in bad.reason


def test_a_norm_before_a_convolution_keeps_its_name() -> None:
    case: Case = ((3, 6, 6), lambda m, x: m.n(m.c(x)).relu(), {"c": Conv(3, 4, 3, bias=False), "n": Norm(4)})
    assert names(same(case, FOLD)) == ["c.bias", "c.weight"]
