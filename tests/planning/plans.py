"""Random plans on a captured net: steps that can be carried out, the order they need, and what each order gives."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence

from attrs import evolve, frozen

from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Refusal, Source
from surgdsl.execution import digest
from surgdsl.execution.carrying import carry
from surgdsl.execution.graph import Scribe
from surgdsl.language import program
from surgdsl.language.composition import Arrow, Pair, extension, then
from surgdsl.language.program import StepDecl
from surgdsl.planning.known import Known
from surgdsl.planning.opening import Opened
from surgdsl.planning.ordering import Finding, Rehearsals, findings
from surgdsl.planning.plan import plan
from surgdsl.planning.ranking import Rankings
from surgdsl.planning.resolving import resolve
from surgdsl.surgery.rewrite import layers

HEAD = """surg 1
use std.importance.magnitude
use std.rules.{fold_batchnorm, mask, prune_channels, quantize}
model net : (x: f32[B, 4]) -> (y: f32[B, 3]) { source = python("net:build") }
data rows { source = python("net:rows") }
surgery slim on net {
"""


def opened(state: State, steps: Sequence[str], more: str = "") -> Opened:
    """A surgery of these steps, called a, b, c, …, on a net that is captured already."""
    lines = [f"  step {name} = apply {step}\n" for name, step in zip(names(len(steps)), steps, strict=True)]
    made = program(Source("slim.surg", f"{HEAD}{''.join(lines)}  {more}\n}}\n"))
    return Opened(made, made.surgery("slim"), state, None)


def names(count: int) -> list[str]:
    """The first letters of the alphabet."""
    return [chr(ord("a") + number) for number in range(count)]


def a_step(draw: random.Random, near: Sequence[str]) -> str:
    """A step at a random one of the layers `near`."""
    path = re.sub(r"[^\w.]", "*", draw.choice(near))  # a selector spells letters, digits, _ and dots
    rule = draw.choice(["prune", "prune", "prune", "mask", "codes", "grid", "fold", "fold"])
    match rule:
        case "prune":
            return f"prune_channels(keep = {draw.randrange(40, 100, 10)}%) @{path} by magnitude"
        case "mask":
            return f"mask(keep = {draw.randrange(30, 100, 10)}%) @{path}"
        case "fold":
            return f"fold_batchnorm @{path}"
        case _:
            scheme = "kmeans" if rule == "codes" else "affine"
            return f'quantize(bits = {draw.randrange(2, 5)}bit, scheme = "{scheme}") @{path}'


def random_steps(draw: random.Random, state: State, count: int) -> list[str]:
    """Steps in one neighbourhood of the net that can be carried out one after the other; `count` of them if found."""
    places = [path for path in layers(state) if path]
    first = draw.randrange(max(1, len(places) - count + 1))
    near = places[first : first + count]
    steps, drawn = list[str](), [a_step(draw, near) for _ in names(26)]
    tried = opened(state, drawn)
    reached = Reached(state, Known(Rankings(tried)))
    for text, step in zip(drawn, tried.surgery.steps, strict=True):
        try:
            reached = reached.after(step)
        except Refusal:
            continue
        steps.append(text)
        if len(steps) == count:
            break
    return steps


@frozen(eq=False)
class Reached:
    """A state, what of the start is kept by then, and how many rewrites led to it."""

    state: State
    known: Known
    number: int = 0

    def after(self, step: StepDecl) -> Reached:
        """Resolved on this state and done, as planning does it.

        Raises:
            Refusal: the step has nothing to do here.
        """
        known, state = evolve(self.known, kept=dict(self.known.kept)), self.state
        actions = resolve(step, state, known).actions
        number = self.number
        for action in actions:
            for rewrite in action.rewrites(state, number, step.name, lambda _: None):
                state, number = rewrite.after, number + 1
        return Reached(state, known, number)


@frozen
class Needed:
    """An order that a surgery needs where the file says nothing, and what was found of all other pairs."""

    order: frozenset[Pair]
    findings: tuple[Finding, ...]

    @property
    def causes(self) -> frozenset[Pair]:
        """The order in which only independent steps are left open."""
        return _closed(self.order | {(one.first, one.second) for one in self.findings if one.verdict == "joinable"})


def needed(surgery: Opened) -> Needed:
    """Pairs whose order matters keep that of their declarations, until no such pair is left."""
    rehearsals, order = Rehearsals(surgery.surgery, Rankings(surgery)), frozenset[Pair]()
    while True:
        found = tuple(findings(rehearsals, order))
        matter = {(one.first, one.second) for one in found if one.verdict == "order matters"}
        if not matter:
            return Needed(order, found)
        order = _closed(order | matter)


def _closed(order: frozenset[Pair]) -> frozenset[Pair]:
    more = {(first, last) for first, middle in order for other, last in order if middle == other}
    return order if more <= order else _closed(order | more)


def extensions(
    draw: random.Random, steps: Sequence[str], order: frozenset[Pair], count: int
) -> Iterator[tuple[str, ...]]:
    """The least and the greatest linear extension, and some at random."""
    yield extension(steps, order)
    yield extension(steps[::-1], order)
    for _ in range(count - 2):
        yield extension(draw.sample(steps, len(steps)), order)


def in_order(surgery: Opened, order: Sequence[str]) -> Opened:
    """The same surgery with its steps one after the other as given."""
    steps = {step.name: step for step in surgery.surgery.steps}
    composed = then(*map(Arrow, order))
    return evolve(surgery, surgery=evolve(surgery.surgery, steps=tuple(steps[name] for name in order), order=composed))


def hashes(surgery: Opened, orders: Iterable[tuple[str, ...]]) -> list[str]:
    """The graph hashes that some orders lead to; one in which a step has nothing left to do gives none."""
    found: list[str] = []
    for order in dict.fromkeys(orders):
        try:
            found.append(graph_hash(result(in_order(surgery, order))))
        except Refusal as refusal:
            if any(one.code != "E0504" for one in refusal.diagnostics):
                raise
    return found


def graph_hash(state: State) -> str:
    """The digest of the net with the bytes of its weights, as certificates have it."""
    return digest.graph(Scribe().graph(state))


def result(surgery: Opened) -> State:
    """What the steps lead to, in their order."""
    reached = Reached(surgery.start, Known(Rankings(surgery)))
    for step in surgery.surgery.steps:
        reached = reached.after(step)
    return reached.state


def carried(surgery: Opened, threads: int = 1) -> State:
    """What planning the surgery and carrying it out gives."""
    return carry(plan(surgery), lambda _stage, _detail: None, threads, least=0).final
