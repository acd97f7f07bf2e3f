"""Recoding: one weight is stored otherwise; the net around it stays as it is.

L is the weight, K its wire, R the weight in its new encoding. Which codes is decided by the values at the moment of the
step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from attrs import evolve, field, frozen
from attrs.validators import in_

from surgdsl.bridge.encoding import with_affine
from surgdsl.bridge.packing import Codes
from surgdsl.bridge.weight import Array, State, Weight
from surgdsl.diagram.payload import Affine, Codebook, Dense, Masked
from surgdsl.diagram.term import Term, along, made
from surgdsl.surgery import affine, codebook
from surgdsl.surgery.rewrite import Rewrite, replace, rewritten_param, term_of
from surgdsl.surgery.single import Single

CODEBOOK, AFFINE = "quantize-codebook/1", "quantize-affine/1"


@frozen(eq=False)
class Coded:
    """What an action makes of a weight, and what it has found out that the certificate is to say."""

    weight: Weight
    found: Mapping[str, object] = field(factory=dict[str, str])
    told: str = ""
    """The same for people."""


Ready = tuple[Weight, Coded]
"""A weight, and what an action makes of it, computed before its turn."""


@frozen
class Quantize(Single):
    """Store the weight called `base` in `bits` bits an element: by a codebook, or on a grid.

    The other fields are of grids: `axis` and `group` say which elements share a scale, as in `Affine`, and `clip` by
    what it is found (`affine.scales`).
    """

    base: str
    bits: int
    scheme: str = field(validator=in_(("kmeans", "affine", "symmetric")))
    axis: int = 0
    group: int = 0
    clip: str = field(default="range", validator=in_(("range", "mse")))
    scales: tuple[Array, Codes | None] | None = field(default=None, eq=False, repr=False)
    """Those of the grid, where they were found before; else the values of the weight decide."""
    ready: Ready | None = field(default=None, eq=False, repr=False)

    @property
    def form(self) -> Codebook | Affine:
        """How elements are stored then."""
        if self.scheme == "kmeans":
            return Codebook(self.bits)
        return Affine(self.bits, self.axis, self.group, self.scheme == "symmetric")

    @property
    def note(self) -> str:
        """One line for people."""
        if self.scheme == "kmeans":
            return f"{self.base}: {self.bits} bit codebook"
        kind = "symmetric grid" if self.scheme == "symmetric" else "grid"
        shared = f", a scale for {self.group} elements" if self.group else ", one scale" if self.axis < 0 else ""
        return f"{self.base}: {self.bits} bit {kind}{shared}{', clipped' if self.clip == 'mse' else ''}"

    def rewrite(self, state: State, number: int, step: str) -> Rewrite:
        """Quantize in `state`."""
        rule, arguments = CODEBOOK, dict[str, object](bits=self.bits)
        if self.scheme != "kmeans":
            rule, arguments = AFFINE, arguments | {"axis": self.axis} | ({"group": self.group} if self.group else {})
        if self.scheme == "symmetric":
            arguments["symmetric"] = True
        return recoded(state, self.base, rule, "size/1", arguments, self.note, number, step, self)

    def term(self, weight: Weight, of: Term) -> Term:
        """Where the codes come from: a codebook is fitted to all elements, the scale of a row to that row alone.

        Scales of groups are stored in the precision that all of them allow.
        """
        if self.scheme == "kmeans":
            return made(CODEBOOK, (along(of),), {"bits": self.bits})
        plain = Quantize(self.base, self.bits, "affine")
        told = {name: getattr(self, name) for name in ("scheme", "axis", "group", "clip")}
        arguments = {name: value for name, value in told.items() if value != getattr(plain, name)}
        axes = (self.axis,) if self.axis >= 0 and not self.group else ()
        return made(
            AFFINE, (along(of, *axes),), {"bits": self.bits, **arguments}, axes if weight.encoding == Dense() else ()
        )

    def coded(self, weight: Weight) -> Coded:
        """The weight as codes."""
        if weight.bare:
            return Coded(
                evolve(weight, encoding=Masked(self.form) if isinstance(weight.encoding, Masked) else self.form)
            )
        if self.ready is not None and self.ready[0] is weight:
            return self.ready[1]
        if isinstance(self.form, Affine):
            found = self.scales
            return Coded(
                with_affine(weight, self.form, *found) if found else affine.quantize(weight, self.form, self.clip)
            )
        coded, fit = codebook.quantize(weight, self.bits)
        near = f", error at most {fit.error / fit.least:.6f} times the least" if fit.least else ""
        return Coded(coded, {"least": fit.least.hex()}, near)

    def recode(self, weight: Weight) -> Weight:
        """The weight as it is stored then."""
        return self.coded(weight).weight


def param(state: State, base: str) -> str:
    """The operation that produces the weight called `base`.

    Raises:
        KeyError: there is none.
    """
    return {operation.payload.base: name for name, operation in state.net.params().items() if operation.payload}[base]


class Recoding(Protocol):
    """What is to become of one weight."""

    def coded(self, weight: Weight) -> Coded:
        """The weight as it is stored then."""
        ...

    def term(self, weight: Weight, of: Term) -> Term:
        """Where it comes from."""
        ...


def recoded(
    state: State,
    base: str,
    rule: str,
    reduces: str,
    arguments: Mapping[str, object],
    note: str,
    number: int,
    step: str,
    action: Recoding,
) -> Rewrite:
    """One weight stored otherwise, as `action` says."""
    name = param(state, base)
    weight, operation = state.weights[name], state.net.graph.operations[name]
    coded = action.coded(weight)
    asked = rewritten_param(state, name, coded.weight, action.term(weight, term_of(operation)))
    derivation, after = replace(state, rule, asked, number)
    return Rewrite(
        rule, step, "reduce", reduces, {**arguments, **coded.found}, note + coded.told, derivation, state, after
    )
