"""Allocation against what else one would do: `allocation.py [MODEL ...]` prints the tables of docs/allocation.md.

First the solver: against all choices of 8 layers of 4 widths, and its time for 500 layers of 8. Then trained networks,
each weight at 2, 3, 4 or 8 bit, at the bytes that one width for all takes. The rivals at the same bytes are that width;
the greedy choice, which makes the best exchange of loss for bytes as long as it fits; and the exact choice by what the
weights alone change, which reads no data.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import chargpt
import crepe
import fashion
import numpy as np
import sentences
import torch
from subject import Subject

from surgdsl.bridge.encoding import decode, dense
from surgdsl.bridge.running import deterministic
from surgdsl.bridge.sampling import divergence
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Source
from surgdsl.language import program
from surgdsl.planning.allocation.knapsack import Choices, relax, solve
from surgdsl.planning.allocation.making import Ground, Option, ground
from surgdsl.planning.allocation.measuring import measured
from surgdsl.planning.opening import open_surgery

HERE = Path(__file__).resolve().parent
SUBJECTS = {one.name: one for one in (fashion.SUBJECT, crepe.TINY, chargpt.SUBJECT, sentences.SUBJECT, crepe.FULL)}
USUAL = ("fashion", "crepe-tiny", "chargpt")
BITS = (2, 3, 4, 8)
ROWS = 256
UNITS = 1 << 58
TEXT = """surg 1
use std.metric.damage
use std.rules.quantize
dim B in 1..4096
{declaration}
surgery small on net {{
  step code = apply quantize(bits = choose {{2bit, 3bit, 4bit, 8bit}}, scheme = "affine", group = 64, clip = "mse") @**
  target minimize damage on calib
}}
"""
Losses = Sequence[Sequence[float]]
Picks = tuple[int, ...]


def silent(stage: str, detail: str) -> None:
    """Progress that nobody is told."""
    del stage, detail


# ---- the solver ---------------------------------------------------------------------------------


def random_choices(draw: np.random.Generator, layers: int, bits: Sequence[int]) -> Choices:
    """Layers of random sizes and worth, whose loss falls by about a factor of four with each bit."""
    sizes, worth = draw.integers(1_000, 5_000_000, layers), draw.lognormal(0, 2, layers)
    noise = draw.uniform(0.8, 1.2, (layers, len(bits)))
    loads = tuple(tuple(int(size) * one // 8 + 4 * 2**one for one in bits) for size in sizes)
    costs = tuple(
        tuple(int(2.0**40 * one * 4.0**-bit * more) for bit, more in zip(bits, row, strict=True))
        for one, row in zip(worth, noise, strict=True)
    )
    low, high = sum(map(min, loads)), sum(map(max, loads))
    return Choices(costs, loads, int(low + draw.uniform(0.1, 0.9) * (high - low)))


def all_choices(one: Choices) -> int:
    """The least cost of all choices, by trying them."""
    every = np.array(list(product(*(range(len(row)) for row in one.costs))))
    costs = sum(np.array(row)[every[:, at]] for at, row in enumerate(one.costs))
    loads = sum(np.array(row)[every[:, at]] for at, row in enumerate(one.loads))
    return int(np.asarray(costs)[np.asarray(loads) <= one.limit].min())


def solver() -> Iterator[str]:
    """The table of the solver."""
    draw = np.random.default_rng(0)
    cases = [random_choices(draw, 8, BITS) for _ in range(50)]
    equal = sum(solve(one).cost == all_choices(one) for one in cases)
    yield f"8 layers of 4 widths: equal to all 65,536 choices in {equal} of {len(cases)} cases"
    times, gaps = list[float](), list[float]()
    for _ in range(20):
        one = random_choices(draw, 500, range(1, 9))
        start = time.perf_counter()
        made = solve(one)
        times.append(time.perf_counter() - start)
        gaps.append(float(made.gap))
    middle = sorted(times)[len(times) // 2]
    yield f"500 layers of 8 widths: {middle:.2f} s, at most {max(times):.2f} s; gap at most {max(gaps):.1g}"


# ---- trained networks ---------------------------------------------------------------------------


def opened(subject: Subject) -> Ground:
    """The network with every option of every weight made."""
    source = Source(str(HERE / "allocation.surg"), TEXT.format(declaration=subject.declaration))
    return ground(open_surgery(program(source)), silent)


def scored(subject: Subject, chosen: Sequence[Option]) -> list[float]:
    """What the network scores with these options at their places."""
    network = subject.build()
    moved = {
        payload.base: torch.from_numpy(decode(option.after.weights[name]).copy())
        for option in chosen
        for name in option.changed
        if (payload := option.after.net.graph.operations[name].payload)
    }
    network.load_state_dict(moved, strict=False)
    return [score(network) for _, score in subject.scores]


def apart(here: Ground, chosen: Sequence[Option], rows: Rows) -> float:
    """How far the answers to `rows` really move with these options at their places, in nats a row."""
    weights = dict(here.state.weights)
    names = {one.payload.base: name for name, one in here.state.net.params().items() if one.payload}
    for option in chosen:
        for name in option.changed:
            payload = option.after.net.graph.operations[name].payload
            assert payload is not None
            weights[names[payload.base]] = dense(decode(option.after.weights[name]))
    return divergence(here.state, [State(here.state.net, weights)], rows)[0]


def choices(losses: Losses, loads: Sequence[Sequence[int]], limit: int) -> Choices:
    """The losses in whole numbers, of which all together make 2^58."""
    unit = sum(map(max, losses)) / UNITS
    low = [min(row) for row in loads]
    shifted = tuple(tuple(one - least for one in row) for row, least in zip(loads, low, strict=True))
    costs = tuple(tuple(round(one / unit) for one in row) for row in losses)
    return Choices(costs, shifted, limit - sum(low))


def table(subject: Subject) -> Iterator[str]:
    """The rivals at the bytes of 3 and 4 bit for all, and between."""
    here = opened(subject)
    every = here.opened.rows("calib")
    rows, others = every.take(ROWS), _from(every, ROWS)
    start = time.perf_counter()
    losses = measured(here, "damage", rows, 0, silent).losses
    seconds = time.perf_counter() - start
    alone = measured(here, "weight_error", None, 0, silent).losses
    base = here.figures.counts["size/1"]
    loads = [[one.figures.counts["size/1"] - base for one in place.options] for place in here.places]
    count = len(here.places)
    yield f"### {subject.name}: {subject.what}"
    yield f"{count} weights, {base:,} bytes; measured on {len(rows)} rows in {seconds:.1f} s"
    scores = ", ".join(name for name, _ in subject.scores)
    yield f"{'bytes':>12}  {'choice':28} {'reckoned':>11}  {'measured':>11}  {scores}"
    uniform = {bits: tuple(at for _ in here.places) for at, bits in enumerate(BITS)}
    size = {bits: sum(row[at] for row, at in zip(loads, picks, strict=True)) for bits, picks in uniform.items()}
    for limit, same in ((size[3], 3), ((size[3] + size[4]) // 2, 3), (size[4], 4)):
        rivals: list[tuple[str, Picks]] = [(f"{same} bit for all", uniform[same])]
        rivals.append(("greedy", relax(choices(losses, loads, limit)).greedy))
        rivals.append(("exact, weights alone", solve(choices(alone, loads, limit)).picks))
        best = solve(choices(losses, loads, limit))
        rivals.append((f"exact (gap {float(best.gap):.1g})", best.picks))
        for name, picks in rivals:
            used = base + sum(row[at] for row, at in zip(loads, picks, strict=True))
            lost = sum(row[at] for row, at in zip(losses, picks, strict=True))
            chosen = [place.options[at] for place, at in zip(here.places, picks, strict=True)]
            score, moved = scored(subject, chosen), apart(here, chosen, others)
            yield f"{used:>12,}  {name:28} {lost:>11.4g}  {moved:>11.4g}  {', '.join(f'{one:.4f}' for one in score)}"


def _from(rows: Rows, first: int) -> Rows:
    """As many rows from `first` on; the same rows where there are no more."""
    if len(rows) <= first:
        return rows
    return Rows(rows.name, tuple(one[first : 2 * first] for one in rows.inputs), rows.labels[first : 2 * first])


def main() -> None:
    """Print the tables of the models named, or of the small ones."""
    torch.set_num_threads(1)
    for line in solver():
        sys.stdout.write(f"{line}\n")
    for name in sys.argv[1:] or USUAL:
        with deterministic(0):
            for line in table(SUBJECTS[name]):
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
