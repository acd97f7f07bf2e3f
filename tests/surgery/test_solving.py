"""Solving: weights that data decides, layer after layer, and the plain steps that follow."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from attrs import evolve
from torch import nn

from surgdsl.bridge.capture import capture
from surgdsl.bridge.encoding import decode, kept, stored_count
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import Array, State
from surgdsl.curvature.layer import layers
from surgdsl.curvature.pattern import Few, Tiles
from surgdsl.surgery.mask import Mask
from surgdsl.surgery.recode import param
from surgdsl.surgery.rewrite import Rewrite
from surgdsl.surgery.solving import Solve, rounds
from surgdsl.surgery.sparsifying import Sparsify, Sparsifying, Update
from surgdsl.surgery.thinning import Thin
from tests.bridge.zoo import answers


class Net(nn.Module):
    """Two layers that read one wire, a convolution with groups before them, and a table that multiplies nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.deep = nn.Conv2d(2, 8, 3), nn.Conv2d(8, 8, 2, groups=4)
        self.left, self.right, self.head = nn.Linear(72, 12), nn.Linear(72, 12), nn.Linear(12, 3)
        self.table = nn.Parameter(torch.randn(3, 3))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        seen = torch.flatten(torch.relu(self.deep(torch.relu(self.conv(image)))), 1)
        return self.head(torch.relu(self.left(seen)) + torch.tanh(self.right(seen))) + self.table.sum(0)


LAYERS = ("conv.weight", "deep.weight", "left.weight", "right.weight", "head.weight")


@pytest.fixture(scope="module")
def state() -> State:
    torch.manual_seed(0)
    return capture(Net().eval(), (torch.randn(4, 2, 6, 6),), dynamic={"image": {0: "B"}})


@pytest.fixture(scope="module")
def rows() -> Rows:
    generator = np.random.default_rng(3)
    mixing = generator.normal(size=(72, 72)) / 6
    images = (generator.normal(size=(96, 72)) @ mixing).reshape(96, 2, 6, 6).astype(np.float32)
    return Rows("calib", (images,), np.zeros(96, dtype=np.int64))


def shape_of(state: State, base: str) -> tuple[int, ...]:
    return state.weights[param(state, base)].shape


def half(state: State, base: str) -> Mask:
    size = int(np.prod(shape_of(state, base)))
    return Mask(base, size // 2, size)


def carried(action: Solve | Thin, state: State) -> list[Rewrite]:
    return list(action.rewrites(state, 0, "thin", lambda _: None))


def solve(state: State, rows: Rows, masks: list[Mask], update: Update = "obs") -> list[Rewrite]:
    parts = tuple(Sparsify(mask, update, 0.01) for mask in masks)
    return carried(Solve("sparse", parts, "calib", rows), state)


def moved(before: State, after: State, rows: Rows) -> float:
    """The mean squared change of the answers, as a share of their mean square."""
    inputs = tuple(torch.tensor(one) for one in rows.inputs)
    (old,), (new,) = answers(before, inputs), answers(after, inputs)
    return float(((new - old) ** 2).mean() / (old**2).mean())


def weight(state: State, base: str) -> Array:
    return decode(state.weights[param(state, base)])


def test_what_depends_on_nothing_unsolved_is_solved_together(state: State) -> None:
    read = {base: layers(state.net, param(state, base)) or () for base in reversed(LAYERS)}
    found = list(rounds(state.net, read))
    assert found == [("conv.weight",), ("deep.weight",), ("right.weight", "left.weight"), ("head.weight",)]


@pytest.mark.parametrize("update", ["obs", "exact", "refit"])
def test_an_update_moves_the_answers_less_than_none(state: State, rows: Rows, update: Update) -> None:
    masks = [half(state, base) for base in LAYERS]
    plain = state
    for number, mask in enumerate(masks):
        plain = mask.rewrite(plain, number, "thin").after
    done = solve(state, rows, masks, update)
    assert [one.rule for one in done] == ["adjust/1", *["mask/1"] * len(LAYERS)]
    assert [one.kind for one in done] == ["neutral", *["reduce"] * len(LAYERS)]
    after = done[-1].after
    assert [stored_count(after.weights[param(after, base)]) for base in LAYERS] == [mask.keep for mask in masks]
    assert moved(state, after, rows) < 0.75 * moved(state, plain, rows)


def test_an_adjustment_leaves_forms_as_they_are_and_states_its_figures(state: State, rows: Rows) -> None:
    first = solve(state, rows, [half(state, base) for base in LAYERS])[0]
    before, after = first.before, first.after
    assert [weight.encoding for weight in before.weights.values()] == [one.encoding for one in after.weights.values()]
    names = [name for name, _ in first.arguments["figures"]]
    assert names == sorted(names)
    assert {"rows", "conv.weight.error", "conv.weight.damping", "deep.weight.error", "head.weight.damping"} <= {*names}
    assert first.arguments["data"] == "calib"


def test_what_goes_becomes_zero_by_its_mask_alone(state: State, rows: Rows) -> None:
    adjusted, *_, last = solve(state, rows, [half(state, base) for base in LAYERS])
    for base in LAYERS:
        stays = kept(last.after.weights[param(last.after, base)])
        assert np.array_equal(weight(adjusted.after, base)[~stays], weight(state, base)[~stays])
        assert np.array_equal(weight(adjusted.after, base)[stays], weight(last.after, base)[stays])


def test_a_later_layer_is_solved_on_what_the_changed_earlier_ones_give(state: State, rows: Rows) -> None:
    together = solve(state, rows, [half(state, base) for base in LAYERS])[-1].after
    alone = solve(state, rows, [half(state, "head.weight")])[-1].after
    assert not np.array_equal(weight(together, "head.weight"), weight(alone, "head.weight"))
    assert np.array_equal(
        weight(together, "conv.weight"),
        weight(solve(state, rows, [half(state, "conv.weight")])[-1].after, "conv.weight"),
    )


def test_what_no_layer_multiplies_is_masked_plainly(state: State, rows: Rows) -> None:
    done = solve(state, rows, [half(state, "head.weight"), half(state, "table")])
    assert [one.rule for one in done] == ["adjust/1", "mask/1", "mask/1"]
    plain = half(state, "table").rewrite(state, 0, "thin").after
    assert np.array_equal(weight(done[-1].after, "table"), weight(plain, "table"))
    assert [one.rule for one in solve(state, rows, [half(state, "table")])] == ["mask/1"]


@pytest.mark.parametrize("bare", [False, True])
def test_what_is_foreseen_has_the_form_of_what_is_done(state: State, rows: Rows, bare: bool) -> None:
    masks = [half(state, base) for base in LAYERS]
    start = (
        evolve(state, weights={name: evolve(one, parts={}) for name, one in state.weights.items()}) if bare else state
    )
    parts = tuple(Sparsify(mask, "obs", 0.01) for mask in masks)
    action = Solve("sparse", parts, "calib", rows)
    seen, done = list(action.foresee(start, 0, "thin")), carried(action, state)
    assert [(one.rule, one.note) for one in seen] == [(one.rule, one.note) for one in done]
    forms = [[weight.encoding for weight in one.after.weights.values()] for one in (seen[-1], done[-1])]
    assert forms[0] == forms[1]


@pytest.mark.parametrize("update", ["obs", "refit"])
def test_neighbours_and_tiles_go_as_their_pattern_says(state: State, rows: Rows, update: Update) -> None:
    few = Mask("left.weight", 12 * 36, 12 * 72, Few(2, 4))
    along = Mask("conv.weight", 72, 144, Few(1, 2))
    tiles = Mask("right.weight", 9 * 48, 12 * 72, Tiles(9, 4, 12))
    after = solve(state, rows, [along, few, tiles], update)[-1].after
    masks = {base: kept(after.weights[param(after, base)]) for base in ("conv.weight", "left.weight", "right.weight")}
    assert masks["left.weight"].reshape(12, 18, 4).sum(axis=2).max() == 2
    assert masks["conv.weight"].sum(axis=1).max() == 1
    whole = masks["right.weight"].reshape(3, 4, 6, 12).sum(axis=(1, 3))
    assert {*whole.ravel().tolist()} == {0, 48}
    assert np.count_nonzero(whole) == 9


@pytest.mark.parametrize("update", [None, "obs", "exact", "refit"])
def test_weights_that_share_a_count_keep_exactly_so_many(state: State, rows: Rows, update: Update | None) -> None:
    masks = tuple(evolve(half(state, base), among=LAYERS) for base in LAYERS)
    how = None if update is None else Sparsifying(update, 0.01, "calib", rows)
    after = carried(Thin(500, masks, how), state)[-1].after
    counts = [stored_count(after.weights[param(after, base)]) for base in LAYERS]
    assert (sum(counts), min(counts) >= 1) == (500, True)
    every = np.concatenate([np.abs(weight(state, base)).ravel() for base in LAYERS])
    least = np.sort(every)[-500]
    expected = [int((np.abs(weight(state, base)) >= least).sum()) for base in LAYERS]
    assert counts == expected


@pytest.mark.parametrize("update", ["obs", "exact", "refit"])
def test_zeros_of_an_earlier_mask_stay(state: State, rows: Rows, update: Update) -> None:
    first = solve(state, rows, [half(state, base) for base in LAYERS])[-1].after
    fewer = [evolve(half(first, base), keep=half(first, base).keep // 2) for base in LAYERS]
    last = solve(first, rows, fewer, update)[-1].after
    for base, mask in zip(LAYERS, fewer, strict=True):
        old, new = kept(first.weights[param(first, base)]), kept(last.weights[param(last, base)])
        assert not (new & ~old).any()
        assert new.sum() == mask.keep
