"""Ordering: which steps need an order, that those which need none give one model, and what a user is told."""

from __future__ import annotations

import random

import pytest

from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.planning.ordering import Ordering, ordering
from surgdsl.planning.plan import plan
from surgdsl.planning.ranking import Rankings
from tests.bridge.cases import CASES
from tests.bridge.zoo import captured
from tests.planning.plans import carried, extensions, graph_hash, hashes, in_order, needed, opened, random_steps, result

NETS = [
    "batch norm", "residual", "concatenation", "grouped", "depthwise", "squeeze and excitation", "flatten", "mobile",
    "densely connected", "heads", "slices", "channel shuffle",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(15))
def test_independent_steps_commute_and_joinable_ones_give_one_hash(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - a plan is no secret
    state = captured(CASES[draw.choice(NETS)])
    surgery = opened(state, random_steps(draw, state, 5))
    steps = [step.name for step in surgery.surgery.steps]
    least = needed(surgery)
    every = {graph_hash(result(in_order(surgery, one))) for one in extensions(draw, steps, least.causes, 4)}
    assert len(every) == 1
    every.add(graph_hash(carried(in_order(surgery, steps))))
    assert set(hashes(surgery, extensions(draw, steps, least.order, 4))) == every


CUT, MORE = "prune_channels(keep = 50%) @a by magnitude", "prune_channels(keep = 50%) @b by magnitude"
CODE, GRID = "quantize(bits = 2bit) @{}", 'quantize(bits = 4bit, scheme = "affine") @{}'
SHARE = "prune_channels(keep = {}%) @b by magnitude"
MASK = "mask(keep = 50%) @{}"
PAIRS = {
    "cuts of neighbours": (CUT, MORE, "joinable", ("b.weight",)),
    "masks of different layers": (MASK.format("a"), MASK.format("b"), "independent", ()),
    "masks of one weight": ("mask(keep = 70%) @b", MASK.format("b"), "order matters", ("b.weight",)),
    "a mask and a codebook": (MASK.format("b"), CODE.format("b"), "order matters", ("b.weight",)),
    "a cut and a codebook of what it cuts": (CUT, CODE.format("b"), "order matters", ("b.weight",)),
    "a cut of rows and scales by row": (MORE, GRID.format("b"), "joinable", ("b.weight",)),
    "a cut of columns and scales by row": (CUT, GRID.format("b"), "order matters", ("b.weight",)),
    "a fold and a cut": ("fold_batchnorm @b", CUT, "joinable", ("b.weight",)),
    "a fold and a codebook": ("fold_batchnorm @b", CODE.format("b"), "order matters", ("b.weight",)),
    "a fold and a codebook elsewhere": ("fold_batchnorm @b", CODE.format("fc"), "independent", ()),
    "shares of one axis": (SHARE.format(70), SHARE.format(40), "order matters", ()),
    "a cut and a mask two layers on": (CUT, MASK.format("fc"), "independent", ()),
}  # fmt: skip


def found(first: str, second: str, order: str = "") -> Ordering:
    surgery = opened(captured(CASES["batch norm"]), [first, second], order)
    return ordering(surgery.surgery, Rankings(surgery))


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("turned", [False, True])
def test_a_pair_gets_its_verdict_and_the_weights_between(name: str, turned: bool) -> None:
    *steps, verdict, shared = PAIRS[name]
    one = found(*(steps[::-1] if turned else steps)).findings
    assert [(found.verdict, found.shared) for found in one] == [(verdict, shared)]


def test_layers_hold_what_may_run_side_by_side() -> None:
    steps = [CUT, MASK.format("fc"), MORE, CODE.format("fc")]
    assert found_layers(steps, "order (a | b) >> c >> d") == (("a", "b"), ("c",), ("d",))
    assert found_layers(steps[:2], "") == (("a", "b"),)
    assert found_layers([CUT, MORE], "") == (("a",), ("b",)), "joinable steps are put one after the other"


def found_layers(steps: list[str], order: str) -> tuple[tuple[str, ...], ...]:
    surgery = opened(captured(CASES["batch norm"]), steps, order)
    return ordering(surgery.surgery, Rankings(surgery)).layers


def test_a_pair_is_looked_at_behind_what_comes_before_it() -> None:
    steps = [CODE.format("a"), "fold_batchnorm @b", CODE.format("b"), MASK.format("fc")]
    surgery = opened(captured(CASES["batch norm"]), steps, "order a >> ((b >> c) | d)")
    found = ordering(surgery.surgery, Rankings(surgery))
    assert [(one.first, one.second, one.verdict) for one in found.findings] == [
        ("b", "d", "independent"), ("c", "d", "independent"),
    ]  # fmt: skip
    assert found.layers == (("a",), ("b", "d"), ("c",))


def refused(steps: list[str], order: str = "") -> list[Diagnostic]:
    with pytest.raises(Refusal) as caught:
        plan(opened(captured(CASES["batch norm"]), steps, order))
    assert caught.value.exit_code == 1
    return list(caught.value.diagnostics)


def test_every_pair_whose_order_matters_is_refused_with_both_lines_and_the_fix() -> None:
    told = refused([CUT, CODE.format("b"), MASK.format("b")])
    assert [one.code for one in told] == ["E0502"] * 3
    first = told[0]
    assert first.message == "the order of `a` and `b` matters, and the file does not give it"
    assert first.label == "which of them is first decides `b.weight`"
    assert first.span is not None
    assert (first.span.line, first.span.text, first.notes[0].span and first.notes[0].span.line) == (8, "b", 7)
    assert first.help == (
        "say which comes first: order a >> b >> c",
        "codes are fitted to a weight as it is when their step runs",
    )


def test_an_order_that_cannot_be_is_not_suggested() -> None:
    (told,) = refused([MASK.format("b"), "mask(keep = 70%) @b"])
    assert told.label == "`b` cannot be done after `a`"
    assert told.help[0] == "say which comes first: order b >> a"


def test_a_false_claim_of_independence_shows_what_is_shared() -> None:
    (told,) = refused([CUT, MORE], "order a | b")
    assert (told.code, told.message) == ("E0509", "`a` and `b` are not independent")
    assert told.span is not None
    assert told.span.text == "a | b"
    assert [(note.span and note.span.line, note.message) for note in told.notes] == [
        (7, "both change `b.weight`"),
        (8, "and this step"),
    ]
    assert told.help == ("either order gives the same model: `a >> b` will do",)


def test_a_claim_whose_order_matters_asks_which_is_meant() -> None:
    (told,) = refused([CODE.format("b"), CUT], "order b | a")
    assert told.help[0] == "write `a >> b` or `b >> a`, whichever is meant"


def test_training_stands_in_an_order_with_everything() -> None:
    healed = f"{MASK.format('fc')} then recover {{ data = rows }}"
    (told,) = refused([healed, MASK.format("a")])
    assert told.code == "E0502"
    assert "training reads every weight and moves it" in told.help


def test_shares_of_shares_need_an_order_although_two_agree() -> None:
    (told,) = refused([SHARE.format(70), SHARE.format(40)])
    assert told.label == "which of them is first decides what the other one does"


def test_what_cannot_be_done_in_either_order_is_told_by_planning() -> None:
    assert [one.code for one in refused([MASK.format("nowhere"), MASK.format("a")])] == ["E0501"]
