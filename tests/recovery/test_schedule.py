"""Schedules: epochs = ⌈α·δ·base⌉ and rate = base·(1 − min(δ, 0.9)); what the file states is taken as stated."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from surgdsl.bridge.capture import capture
from surgdsl.bridge.encoding import decode
from surgdsl.language.program import Recover
from surgdsl.recovery.schedule import ALPHA, BATCH, EPOCHS, RATE, change, schedule
from surgdsl.surgery.mask import Mask

DELTAS = st.fractions(0, 2)


@given(DELTAS, st.integers(2, 10**6), st.integers(0, 2**32))
def test_what_the_file_leaves_open_follows_from_the_change(delta: Fraction, rows: int, seed: int) -> None:
    made, rate = schedule(delta, Recover("train"), rows, seed)
    assert made.epochs == max(1, math.ceil(ALPHA * delta * EPOCHS))
    assert rate == RATE * (1 - min(delta, Fraction(9, 10)))
    assert rate >= RATE / 10
    assert (made.rate, made.batch, made.seed) == (float(rate), BATCH, seed)


@given(DELTAS, DELTAS)
def test_a_larger_change_takes_longer_and_goes_slower(one: Fraction, other: Fraction) -> None:
    (small, slow), (large, slower) = (schedule(delta, Recover("train"), 100, 0) for delta in sorted((one, other)))
    assert small.epochs <= large.epochs
    assert slow >= slower


@given(DELTAS)
def test_what_the_file_states_is_taken(delta: Fraction) -> None:
    made, rate = schedule(delta, Recover("train", epochs=Fraction(5, 2), rate=Fraction(1, 7), batch=16), 100, 0)
    assert (made.epochs, made.batch, rate) == (3, 16, Fraction(1, 7))


@pytest.mark.parametrize(("steps", "epochs"), [(1, 1), (7, 1), (8, 2), (70, 10)])
def test_steps_are_rounded_up_to_whole_epochs(steps: int, epochs: int) -> None:
    made, _ = schedule(Fraction(0), Recover("train", steps=steps, batch=16), 112, 0)
    assert made.epochs == epochs


def test_the_change_is_the_norm_of_what_moved_over_the_norm_of_all() -> None:
    torch.manual_seed(0)
    before = capture(nn.Sequential(nn.Linear(6, 8), nn.Linear(8, 3)), (torch.zeros(2, 6),))
    after = Mask("0.weight", 20, 48).rewrite(before, 0, "thin").after
    weights = {name: decode(weight).astype(np.float64) for name, weight in before.weights.items()}
    total = sum(float(np.square(one).sum()) for one in weights.values())
    (name,) = (
        one
        for one, operation in before.net.params().items()
        if operation.payload and operation.payload.base == "0.weight"
    )
    small = np.sort(np.abs(weights[name]).ravel())[:28]
    assert change(before, before).relative == 0
    assert abs(change(before, after).relative - math.sqrt(float(np.square(small).sum()) / total)) < 1e-6
