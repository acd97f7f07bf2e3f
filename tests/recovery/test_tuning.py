"""Recovery: a rewrite that moves values and nothing else, the same every time, and that is refused when it diverges."""

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
from surgdsl.bridge.running import Schedule, answers, deterministic, loss, tune
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import State, Weight
from surgdsl.diagnostic import Refusal
from surgdsl.metrics import count, ones
from surgdsl.recovery.tuning import recover
from surgdsl.surgery.mask import Mask
from surgdsl.surgery.recode import Quantize
from surgdsl.surgery.rewrite import Rewrite

ENCODED = (Mask("one.weight", 24, 96), Quantize("one.weight", 2, "kmeans"), Quantize("two.weight", 2, "affine"))


@pytest.fixture(scope="module")
def start() -> State:
    torch.manual_seed(1)
    layers = OrderedDict[str, nn.Module](
        one=nn.Linear(6, 16),
        norm=nn.BatchNorm1d(16),
        relu=nn.ReLU(),
        two=nn.Linear(16, 16),
        act=nn.ReLU(),
        head=nn.Linear(16, 3),
    )
    fresh = capture(nn.Sequential(layers), (torch.zeros(2, 6),), dynamic={"input": {0: "B"}})
    with deterministic(7):
        return tune(fresh, rows(), Schedule(epochs=20, rate=0.01, batch=64, seed=7))


@pytest.fixture(scope="module")
def coded(start: State) -> State:
    """A mask, a codebook over what it keeps, and a grid."""
    state = start
    for number, action in enumerate(ENCODED):
        state = action.rewrite(state, number, "code").after
    return state


@pytest.mark.parametrize("scheme", ["affine", "symmetric"])
def test_scales_of_groups_move_and_stay_narrow(start: State, scheme: str) -> None:
    grid = Quantize("two.weight", 3, scheme, group=8).rewrite(start, 0, "code").after
    after = recovered(grid, start).after
    old, new = weight(grid, "two.weight"), weight(after, "two.weight")
    assert old.parts["scale"].dtype == new.parts["scale"].dtype == np.float16
    assert old.parts["scale"].shape == new.parts["scale"].shape == (16, 2)
    assert (old.parts["scale"] != new.parts["scale"]).any()
    assert (new.parts["scale"] > 0).all()
    for part in old.parts.keys() - {"scale"}:
        assert np.array_equal(old.parts[part], new.parts[part])


def rows(count: int = 193) -> Rows:
    """Three corners with noise; 193 rows are three batches of 64 and one row more."""
    generator = np.random.default_rng(2)
    labels = np.arange(count) % 3
    inputs = 2 * np.eye(3, 6)[labels] + 0.5 * generator.standard_normal((count, 6))
    return Rows("train", (inputs.astype(np.float32),), labels)


def recovered(state: State, teacher: State, epochs: int = 2, rate: float = 0.01, given: Rows | None = None) -> Rewrite:
    with deterministic(7):
        plan = Schedule(epochs=epochs, rate=rate, batch=64, seed=7)
        rewrite = recover(state, given or rows(), plan, (Fraction(1, 2), Fraction(rate)), 3, "heal", teacher)
    assert rewrite is not None
    return rewrite


def weight(state: State, base: str) -> Weight:
    (name,) = (name for name, one in state.net.params().items() if one.payload and one.payload.base == base)
    return state.weights[name]


def error(state: State, given: Rows) -> float:
    outputs = rebuild(state)(torch.from_numpy(given.inputs[0].copy()))
    return float(loss(outputs, torch.from_numpy(given.labels.copy())).detach())


def test_codes_and_masks_stay_and_values_move(start: State, coded: State) -> None:
    after = recovered(coded, start).after
    for base, fixed, moving in (
        ("one.weight", ("mask", "codes"), "codebook"),
        ("two.weight", ("codes", "zero"), "scale"),
    ):
        old, new = weight(coded, base), weight(after, base)
        assert old.encoding == new.encoding
        assert all(np.array_equal(old.parts[role], new.parts[role]) for role in fixed)
        assert not np.array_equal(old.parts[moving], new.parts[moving])
    assert np.all(np.diff(weight(after, "one.weight").parts["codebook"]) > 0)
    assert np.all(weight(after, "two.weight").parts["scale"] > 0)
    outside = ~kept(weight(after, "one.weight")).reshape(16, 6)
    assert not decode(weight(after, "one.weight"))[outside].any()


def test_it_is_neutral_and_everything_is_finite(start: State, coded: State) -> None:
    rewrite = recovered(coded, start)
    before, after = (count(one.net, one.weights, ones(one.net)) for one in (coded, rewrite.after))
    assert (rewrite.kind, rewrite.reduces) == ("neutral", None)
    assert {metric: before[metric] for metric in ("macs/1", "params/1", "size/1")}.items() <= after.items()
    assert all(np.isfinite(decode(one)).all() for one in rewrite.after.weights.values())
    assert not np.array_equal(
        weight(coded, "norm.running_mean").parts["values"], weight(rewrite.after, "norm.running_mean").parts["values"]
    )


def test_it_heals(start: State, coded: State) -> None:
    before, after = (error(one, rows()) for one in (coded, recovered(coded, start, epochs=10).after))
    assert after < 0.7 * before


def test_it_repeats_to_the_bit(start: State, coded: State) -> None:
    one, other = (recovered(coded, start).after.weights for _ in range(2))
    assert all(
        np.array_equal(one[name].parts[role], other[name].parts[role]) for name in one for role in one[name].parts
    )


def test_the_state_before_is_left_as_it_was(start: State, coded: State) -> None:
    before = {name: {role: part.tobytes() for role, part in one.parts.items()} for name, one in coded.weights.items()}
    recovered(coded, start)
    assert before == {
        name: {role: part.tobytes() for role, part in one.parts.items()} for name, one in coded.weights.items()
    }


def test_a_rate_of_a_billion_diverges(start: State, coded: State) -> None:
    with pytest.raises(Refusal, match="E0803") as refused:
        recovered(coded, start, rate=1e9)
    assert refused.value.exit_code == 3


def test_rows_that_are_no_numbers_diverge(start: State) -> None:
    good = rows()
    bad = Rows("train", (np.full_like(good.inputs[0], np.nan),), good.labels)
    with pytest.raises(Refusal, match="E0803"):
        recovered(start, start, given=bad)


@pytest.mark.parametrize("number", [2, 64, 65, 66])
def test_any_number_of_rows_makes_batches(number: int, start: State) -> None:
    assert recovered(start, start, given=rows(number)).rule == "recover/1"


def test_who_has_a_teacher_ends_nearer_to_it(start: State, coded: State) -> None:
    given = rows()
    plan, wanted = Schedule(10, 0.01, 64, 7), answers(start, given)
    with deterministic(7):
        pupil, alone = tune(coded, given, plan, wanted), tune(coded, given, plan)
    near, far = (float((answers(one, given) - wanted).square().mean()) for one in (pupil, alone))
    assert near < far
