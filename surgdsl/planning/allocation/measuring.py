"""Measuring: what each option of each place loses, by one of the figures of the library.

Losses of several places are added up, which is exact to second order where their errors do not correlate; so each
figure is of one place alone. Formulae and sources: docs/allocation.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from attrs import evolve, frozen

from surgdsl.bridge.encoding import decode
from surgdsl.bridge.sampling import divergence, losses
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import Array, State
from surgdsl.curvature.gram import grams
from surgdsl.curvature.layer import layers
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.planning.allocation.making import Ground, Option, Place

Told = Callable[[str, str], None]
Losses = tuple[tuple[float, ...], ...]
"""By place and option."""

RESHAPED = {"axis": "cut", "layer": "product"}
"""Kinds of places whose options have weights of other shapes, and what one is called."""
DRAWS = 1024
"""Answers that are drawn in all: over fewer rows, several for each."""
ELEMENTS = 1 << 27
"""Numbers of changed weights that are held at once; more are measured in several passes."""


@frozen
class Measured:
    """What every option loses, the unit, and what was measured in another way than asked, each with its reason."""

    losses: Losses
    unit: str
    rows: int
    otherwise: tuple[str, ...] = ()


def measured(ground: Ground, name: str, rows: Rows | None, seed: int, told: Told) -> Measured:
    """What every option of every place loses by the figure called `name`."""
    if ground.kind in RESHAPED and rows is None:
        told_of = ground.opened.surgery.objective
        span = told_of.span if told_of else ground.opened.surgery.span
        what = {"axis": "cut axes", "layer": "products"}[ground.kind]
        raise Refusal(Diagnostic("E0513", f"`{name}` does not speak of {what}", span, help=("write `damage on …`",)))
    if ground.kind in RESHAPED and name != "divergence":
        note = f"a {RESHAPED[ground.kind]} leaves no weights to take a difference of: measured as `divergence`"
        return evolve(_running(ground, rows, seed, told), otherwise=(note,))
    return FIGURES[name](ground, rows, seed, told)


# ---- what weights change by ---------------------------------------------------------------------


def changes(ground: Ground, option: Option) -> Mapping[str, Array]:
    """By how much an option moves each weight that it changes, by the name of the weight. float32."""
    before = _named(ground.state, tuple(ground.state.weights))
    after = _named(option.after, option.changed)
    return {
        base: decode(option.after.weights[name]) - decode(ground.state.weights[before[base]])
        for base, name in after.items()
    }


def _named(state: State, names: Sequence[str]) -> dict[str, str]:
    """The operations called `names` by the names of their weights."""
    operations = state.net.graph.operations
    return {payload.base: name for name in names if (payload := operations[name].payload)}


# ---- the whole model ----------------------------------------------------------------------------


def _fisher(ground: Ground, rows: Rows | None, seed: int, told: Told) -> Measured:
    """½ Δᵀ F Δ: the divergence to second order, with all correlations within the place."""
    return _quadratic(ground, rows, seed, told, alike=False)


def _trace(ground: Ground, rows: Rows | None, seed: int, told: Told) -> Measured:
    """½ (tr F / n)·‖Δ‖²."""
    return _quadratic(ground, rows, seed, told, alike=True)


def _quadratic(ground: Ground, rows: Rows | None, seed: int, told: Told, *, alike: bool) -> Measured:
    assert rows is not None
    draws = max(1, -(-DRAWS // len(rows)))
    found: list[tuple[float, ...]] = []
    for number, part in enumerate(_parts(ground), 1):
        told("allocating", f"measuring, pass {number}")
        moved = [_stacked(ground, place) for place in part]
        found += [tuple(one) for one in losses(ground.state, rows, moved, seed, draws, alike=alike)]
    every = (one or (0.0,) * len(place.options) for one, place in zip(found, ground.places, strict=True))
    return Measured(tuple(every), "nats a row", len(rows))


def _parts(ground: Ground) -> Iterator[list[Place]]:
    """The places, so many at a time as fit."""
    part, held = list[Place](), 0
    for place in ground.places:
        size = sum(record["count"] for record in place.before.records) * len(place.options)
        if part and held + size > ELEMENTS:
            yield part
            part, held = [], 0
        part.append(place)
        held += size
    if part:
        yield part


def _stacked(ground: Ground, place: Place) -> dict[str, Array]:
    """The changes of each weight by all options, float32[options, elements]."""
    each = [changes(ground, option) for option in place.options]
    sizes = {base: moved.size for one in each for base, moved in one.items()}
    return {
        base: np.stack([one[base].reshape(-1) if base in one else np.zeros(size, np.float32) for one in each])
        for base, size in sizes.items()
    }


def _running(ground: Ground, rows: Rows | None, seed: int, told: Told) -> Measured:
    """How far the answers move when the model is run with one place changed."""
    del seed
    assert rows is not None
    found: list[tuple[float, ...]] = []
    for number, place in enumerate(ground.places, 1):
        told("allocating", f"running {number}/{len(ground.places)} {place.name}")
        others = [option.after for option in place.options if option.changed]
        each = iter(divergence(ground.state, others, rows) if others else [])
        found.append(tuple(next(each) if option.changed else 0.0 for option in place.options))
    return Measured(tuple(found), "nats a row", len(rows))


# ---- layers alone -------------------------------------------------------------------------------


def _outputs(ground: Ground, rows: Rows | None, seed: int, told: Told) -> Measured:
    """tr(Δ H Δᵀ) / tr(W H Wᵀ), added up over the layers that read the weight."""
    del seed
    assert rows is not None
    told("allocating", "what layers read")
    names = _named(ground.state, tuple(ground.state.weights))
    readers = {place.name: layers(ground.state.net, names[place.name]) or () for place in ground.places}
    known = grams(ground.state, rows, [layer for every in readers.values() for layer in every])
    otherwise = tuple(
        f"{name}: no layer multiplies what it reads with this weight alone; the change of the weight stands for it"
        for name, every in readers.items()
        if not every
    )
    found: list[tuple[float, ...]] = []
    for place in ground.places:
        whole = decode(ground.state.weights[names[place.name]])
        moved = [changes(ground, option).get(place.name) for option in place.options]
        forms = [(layer, known[layer.name].moment) for layer in readers[place.name]]
        if not forms:
            found.append(tuple(_share(one, whole) for one in moved))
            continue
        total = sum(_form(layer.matrices(whole), moment) for layer, moment in forms)
        found.append(
            tuple(
                0.0
                if one is None
                else sum(_form(layer.matrices(one), moment) for layer, moment in forms) / (total or 1.0)
                for one in moved
            )
        )
    return Measured(tuple(found), "of the output", len(rows), otherwise)


def _form(matrices: Array, moments: Array) -> float:
    """Σ tr(M H Mᵀ) over the groups."""
    return sum(float(np.sum((one @ moment) * one)) for one, moment in zip(matrices, moments, strict=True))


def _weights(ground: Ground, rows: Rows | None, seed: int, told: Told) -> Measured:
    """‖Δ‖² / ‖W‖²."""
    del rows, seed, told
    names = _named(ground.state, tuple(ground.state.weights))
    found = tuple(
        tuple(
            _share(changes(ground, option).get(place.name), decode(ground.state.weights[names[place.name]]))
            for option in place.options
        )
        for place in ground.places
    )
    return Measured(found, "of the weight", 0)


def _share(moved: Array | None, whole: Array) -> float:
    if moved is None:
        return 0.0
    square = float(np.square(whole, dtype=np.float64).sum())
    return float(np.square(moved, dtype=np.float64).sum()) / (square or 1.0)


FIGURES: Mapping[str, Callable[[Ground, Rows | None, int, Told], Measured]] = {
    "damage": _fisher,
    "divergence": _running,
    "output_error": _outputs,
    "trace_damage": _trace,
    "weight_error": _weights,
}
"""By the name of the metric in the library."""
