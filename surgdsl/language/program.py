"""The checked program: what a `.surg` file means, with names resolved, arguments typed and quantities exact.

Planning reads this and never the text. Values compare by meaning; their spans serve only messages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from fractions import Fraction
from pathlib import PurePath
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from surgdsl.diagnostic import NOWHERE, Source, Span
from surgdsl.language.claim import Expr, Require
from surgdsl.language.composition import Composition
from surgdsl.language.criterion import Criterion
from surgdsl.language.pattern import Selector
from surgdsl.rules.schema import Schema
from surgdsl.units import Quantity

if TYPE_CHECKING:
    import networkx as nx


@frozen
class Spanned:
    """Anything in a program that stands somewhere in the text."""

    span: Span = field(default=NOWHERE, eq=False, repr=False, kw_only=True)

    @property
    def line(self) -> int:
        """The line in the file, from 1."""
        return self.span.line


@frozen
class Use(Spanned):
    """A name of the standard library (`target`, dotted) and what the file calls it."""

    name: str
    target: str


@frozen
class DimDecl(Spanned):
    """A symbolic size: one of `values`, or anything from `low` to `high`, both included."""

    name: str
    low: int
    high: int
    values: tuple[int, ...] | None = None


@frozen
class Port(Spanned):
    """A wire of the model: dtype and shape; a text in the shape names a dim."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]

    def __str__(self) -> str:
        return f"{self.name}: {self.dtype}[{', '.join(map(str, self.shape))}]"


@frozen
class PythonRef(Spanned):
    """``python("module:attribute")``."""

    module: str
    attribute: str

    def __str__(self) -> str:
        return f"{self.module}:{self.attribute}"


@frozen
class FileRef(Spanned):
    """``file("path", sha256 = "…")``: the path as written, relative to the `.surg` file."""

    path: str
    sha256: str | None = None


@frozen
class ModelDecl(Spanned):
    """The network under surgery: its ports, the Python that builds it, the file of its weights."""

    name: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    source: PythonRef
    weights: FileRef | None = None


@frozen
class DataDecl(Spanned):
    """Rows of data, from Python; the first `take` of them where it is given."""

    name: str
    source: PythonRef
    take: int | None = None


@frozen
class InterfaceDecl(Spanned):
    """Wires that a surgery must leave as they are; agrees with the ports of its model."""

    name: str
    model: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


@frozen
class DataName:
    """An argument that names a data declaration."""

    name: str


@frozen
class Sparsity:
    """``2:4``: of every `group` weights in a row, at most `kept` are not zero."""

    kept: int
    group: int

    def __str__(self) -> str:
        return f"{self.kept}:{self.group}"


Value = Fraction | int | str | bool | DataName | Sparsity
"""An argument: ratios are fractions, bit widths and counts integers."""


def shown(value: Value) -> str:
    """A value as a reader of the language writes it.

    >>> shown(Fraction(1, 2)), shown(Fraction(2, 3)), shown(4), shown("kmeans"), shown(DataName("train"))
    ('50%', '2/3', '4', '"kmeans"', 'train')
    """
    match value:
        case Fraction():
            percent = str(Quantity(value, percent=True))
            return str(value) if "/" in percent else percent
        case DataName(name):
            return name
        case Sparsity():
            return str(value)
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case int():
            return str(value)


@frozen
class Recover(Spanned):
    """Fine-tuning after a step or after all; what is absent is derived from the change of the weights."""

    data: str
    epochs: Fraction | None = None
    rate: Fraction | None = None
    steps: int | None = None
    batch: int | None = None


@frozen
class StepDecl(Spanned):
    """One arrow: a rule with its arguments, where it applies, and what ranks the victims.

    An argument in `options` has not been decided yet; planning chooses one of its values, and then it is an argument.
    """

    name: str
    rule: str
    arguments: Mapping[str, Value]
    selector: Selector
    exhaustively: bool = False
    criterion: str | None = None
    recover: Recover | None = None
    options: Mapping[str, tuple[Value, ...]] = field(factory=dict[str, tuple[Value, ...]])
    ranking: Criterion | None = None
    """What `criterion` is the name of."""
    schemas: tuple[Schema, ...] = ()
    """What a declared rule does: its alternatives, in order. Empty where Python implements it."""

    settled: Mapping[str, Mapping[str, Value]] = field(factory=dict[str, Mapping[str, "Value"]])
    """What was decided for each place on its own, by the name of a weight, an axis or a layer; no other is meant."""

    def means(self, place: str) -> bool:
        """Whether a place that the selector means is one of the step: all are, unless each was decided on its own."""
        return not self.settled or place in self.settled

    def at(self, place: str) -> StepDecl:
        """The step as it is for one place."""
        if not self.settled:
            return self
        return evolve(self, arguments={**self.arguments, **self.settled[place]}, settled={})

    def decided(self, choice: Mapping[str, Value]) -> StepDecl:
        """The step with a value for every one of its options."""
        assert choice.keys() == self.options.keys(), "every option is decided, and nothing else"
        return evolve(self, arguments={**self.arguments, **choice}, options={})


@frozen
class ParamDecl(Spanned):
    """A knob of the file: its type, its value, and where the value stands in the text."""

    name: str
    kind: str
    value: Span = field(eq=False, repr=False, kw_only=True, default=NOWHERE)


@frozen
class Budget(Spanned):
    """What carrying out may take: seconds, bytes of memory, and plans that are tried; None is no limit."""

    wall: Fraction | None = None
    memory: Fraction | None = None
    evals: int | None = None


@frozen
class Objective(Spanned):
    """What a choice makes as small as it can, or as large where `largest`: a counted figure, or a `damage`.

    A damage is measured place by place on `data`, where it reads any and the steps do not name it.
    """

    text: str
    expr: Expr | None
    largest: bool = False
    damage: str = ""
    data: str | None = None


@frozen
class SurgeryDecl(Spanned):
    """Steps in the least order that the file allows, and what is promised of the result."""

    name: str
    model: str
    preserve: tuple[str, ...]
    seed: int
    steps: tuple[StepDecl, ...]
    requires: tuple[Require, ...] = ()
    targets: tuple[Require, ...] = ()
    recover: Recover | None = None
    emit: Mapping[str, str] = field(factory=dict[str, str])
    budget: Budget = field(factory=Budget)
    objective: Objective | None = None
    order: Composition | None = None
    """As the file says; where it says nothing, the steps are in the order of their declarations."""

    @property
    def promises(self) -> tuple[Require, ...]:
        """Requires, and targets with a limit, in the order of the text."""
        return tuple(sorted((*self.targets, *self.requires), key=lambda one: one.span.start))


@frozen
class Varied(Spanned):
    """A param and the values that a sweep gives it, as texts."""

    name: str
    values: tuple[str, ...]


@frozen
class Goal(Spanned):
    """What runs are compared by: a counted figure, or `measure`, one that each run measures."""

    text: str
    expr: Expr | None = None
    measure: str = ""

    @property
    def largest(self) -> bool:
        """Whether more of it is better."""
        return self.measure == "accuracy.after"


@frozen
class SweepDecl(Spanned):
    """A surgery that is carried out for every combination of values, at most `limit` of them."""

    name: str
    surgery: str
    varied: tuple[Varied, ...]
    goals: tuple[Goal, ...]
    limit: int


@frozen
class Program:
    """A whole file, checked."""

    source: Source = field(eq=False)
    edition: int
    uses: tuple[Use, ...] = ()
    dims: tuple[DimDecl, ...] = ()
    models: tuple[ModelDecl, ...] = ()
    data: tuple[DataDecl, ...] = ()
    interfaces: tuple[InterfaceDecl, ...] = ()
    surgeries: tuple[SurgeryDecl, ...] = ()
    params: tuple[ParamDecl, ...] = ()
    sweeps: tuple[SweepDecl, ...] = ()
    imports: Mapping[str, Program] = field(factory=dict[str, "Program"], repr=False)
    """The files that it uses, by the name that it gives them; theirs are called ``name.thing``."""
    files: tuple[tuple[str, Source], ...] = field(default=(), eq=False, repr=False)
    """Every other file that it reaches, by its path from here."""

    @property
    def spec(self) -> str:
        """All that was asked for, as one text: the file, or where it uses others, all of them with their lengths."""
        if not self.files:
            return self.source.text
        parts = [(PurePath(self.source.path).name, self.source), *self.files]
        head = [f"{len(one.text.encode())} {path}" for path, one in parts]
        return "\n".join([f"surg closure {len(parts)}", *head, *(one.text for _, one in parts)])

    @property
    def digest(self) -> str:
        """SHA-256 of all that was asked for, in hex."""
        return hashlib.sha256(self.spec.encode()).hexdigest()

    def find_model(self, name: str) -> ModelDecl | None:
        """The model called `name` here or in a file that is used."""
        owner, _, own = self._owner(name)
        return None if owner is None else {one.name: one for one in owner.models}.get(own)

    def find_interface(self, name: str) -> InterfaceDecl | None:
        """The interface called `name` here or in a file that is used."""
        owner, _, own = self._owner(name)
        return None if owner is None else {one.name: one for one in owner.interfaces}.get(own)

    def _owner(self, name: str) -> tuple[Program | None, str, str]:
        alias, dot, own = name.rpartition(".")
        return (self.imports.get(alias) if dot else self), alias, own

    def model(self, name: str) -> ModelDecl:
        """The model declared as `name`; KeyError if there is none."""
        found = self.find_model(name)
        if found is None:
            raise KeyError(name)
        return found

    def interface(self, name: str) -> InterfaceDecl:
        """The interface declared as `name`; KeyError if there is none."""
        found = self.find_interface(name)
        if found is None:
            raise KeyError(name)
        return found

    def datum(self, name: str) -> DataDecl:
        """The data declared as `name`; KeyError if there is none."""
        owner, _, own = self._owner(name)
        return {one.name: one for one in (owner.data if owner else ())}[own]

    def surgery(self, name: str) -> SurgeryDecl:
        """The surgery declared as `name`; KeyError if there is none."""
        return {one.name: one for one in self.surgeries}[name]

    def morphisms(self, surgery: str | None = None) -> nx.MultiDiGraph[str]:
        """The diagram of a surgery, or of all: stages of a model, and the declared steps between them."""
        from surgdsl.language.morphisms import morphisms  # reads programs, so it comes after them

        return morphisms(self, surgery)
