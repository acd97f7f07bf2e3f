"""The Python door: everything that `surg` does, on objects.

>>> import torch
>>> import surgdsl
>>> module = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.ReLU(), torch.nn.Linear(6, 2))
>>> net = surgdsl.capture(module, (torch.zeros(3, 4),))
>>> [(axis.name, axis.size, axis.pinned) for axis in surgdsl.axes(net) if not axis.pinned]
[('0:out', 6, None)]
>>> small = surgdsl.restrict(net, {"0:out": [0, 2, 5]})
>>> net.cost("params"), small.cost("params"), small.kept["2.weight"]
(44, 23, {1: (0, 2, 5)})
>>> small.module()(torch.zeros(3, 4)).shape
torch.Size([3, 2])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attrs import field, frozen

from surgdsl.axis.dim import Axis, Indices, whole
from surgdsl.bridge import reloading
from surgdsl.bridge.capture import capture as captured
from surgdsl.bridge.rebuild import rebuild
from surgdsl.bridge.regridding import regrid
from surgdsl.bridge.running import deterministic
from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Diagnostic, Refusal, hint
from surgdsl.execution.attesting import attest, trusted
from surgdsl.execution.carrying import carry
from surgdsl.execution.checkable import check_known
from surgdsl.execution.expecting import expected
from surgdsl.execution.measuring import check_classes, check_measured, compare, judge, registrations
from surgdsl.execution.publishing import publishing, writing_to
from surgdsl.execution.spending import watched
from surgdsl.execution.superseding import FIRST, after
from surgdsl.execution.writing import INPUT, MODEL, Outcome, write
from surgdsl.language.claim import Measured
from surgdsl.language.program import Program
from surgdsl.metrics import METRICS, contribution, count, ones
from surgdsl.operations.coupling import Coupling, couple
from surgdsl.planning import choosing
from surgdsl.planning.deciding import decide
from surgdsl.planning.opening import home, open_surgery
from surgdsl.planning.plan import Plan, check_counted
from surgdsl.planning.pointing import pointing
from surgdsl.surgery.prune import Cutting
from surgdsl.verifier.check import Request
from surgdsl.verifier.check import check as examine
from surgdsl.verifier.reject import Reject
from surgdsl.verifier.report import Report, human

Kept = Mapping[str, Mapping[int, tuple[int, ...]]]


@frozen(slots=False, eq=False)
class Model:
    """A captured net with its weights: what `capture` gives and `restrict` cuts."""

    state: State = field(repr=False)
    kept: Kept = field(factory=dict[str, Mapping[int, tuple[int, ...]]], repr=False)
    """Which source indices are left, by tensor and dimension, where not all are."""
    approximate: tuple[str, ...] = field(default=(), repr=False)
    """The operations that make the cuts approximate; where there are none, they are exact under neutralisation."""

    @property
    def net(self) -> object:
        """The net without its weights."""
        return self.state.net

    def cost(self, metric: str) -> int:
        """``params``, ``nnz``, ``macs`` (for every size that varies at 1) or ``size`` (stored bytes).

        Raises:
            Refusal: E0101 there is no such metric, E0603 an operation has no cost rule.
        """
        names = [one.partition("/")[0] for one in METRICS]
        if metric not in names:
            told = hint(metric, names) or f"there are {', '.join(names)}"
            raise Refusal(Diagnostic("E0101", f"there is no metric `{metric}`", help=(told,)))
        net, binding = self.state.net, ones(self.state.net)
        weights = ((operation, self.state.weights.get(name)) for name, operation in net.graph.operations.items())
        return sum(contribution(f"{metric}/1", operation, net, weight, binding) for operation, weight in weights)

    def module(self) -> Any:
        """A torch module that computes the net, with the parameters under their own names."""
        return rebuild(self.state)


@frozen
class Item:
    """An axis: its name and size, why it is pinned (None where it is not), and where it occurs (tensor, dimension).

    Cutting a `natural` axis gives exactly the function that the net has with the cut indices neutralised, their
    weights set to zero. Where it is not natural, `works` names the operations that work over it.
    """

    name: str
    size: object
    pinned: str | None
    members: tuple[tuple[str, int], ...]
    natural: bool = True
    works: tuple[str, ...] = ()


def capture(
    module: Any,
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    dynamic: Mapping[str, Mapping[int, str]] | None = None,
) -> Model:
    """Capture a torch module in eval mode, through torch.export without decompositions. The module is left as it was.

    Args:
        module: a torch module.
        args: example inputs by position.
        kwargs: example inputs by name.
        dynamic: dimensions that vary, as input name → {dimension: symbol}; their example must be at least 2.

    Raises:
        Refusal: E0601 or E0602, with what stands in the way.
    """
    return Model(captured(module, args, kwargs, dynamic))


def axes(model: Model) -> tuple[Item, ...]:
    """Every axis that occurs in a weight, in the order of the net."""
    coupling = couple(model.state.net)
    return tuple(
        Item(
            axis.name,
            axis.size,
            str(coupling.pins[axis]) if axis in coupling.pins else None,
            tuple((member.tensor, member.dimension) for member in members),
            coupling.natural(axis),
            tuple(map(str, coupling.blurs.get(axis, ()))),
        )
        for axis, members in coupling.members.items()
    )


def restrict(model: Model, keep: Mapping[str, Sequence[int]]) -> Model:
    """Keep some indices of some axes, and cut everything that is coupled to them.

    Args:
        model: a captured model; it is left as it is.
        keep: axis name → indices to keep, at least one.

    Raises:
        Refusal: E0501 there is no such axis, E0503 it is pinned, E0507 the indices are not distinct positions of it.
    """
    state = model.state
    coupling = couple(state.net)
    found = {axis.name: axis for axis in coupling.members}
    chosen = {_found(name, found): indices for name, indices in keep.items()}
    kept = {axis: _positions(axis, indices, coupling) for axis, indices in chosen.items()}
    if not kept:
        return model
    cutting = Cutting(state, coupling, kept)
    _, after = cutting.carry_out(0)
    blurs = [str(pin) for axis in kept for pin in coupling.blurs.get(axis, ())]
    return Model(after, _followed(model.kept, cutting), (*model.approximate, *dict.fromkeys(blurs)))


def _found(name: str, axes_by_name: Mapping[str, Axis]) -> Axis:
    if name not in axes_by_name:
        raise Refusal(Diagnostic("E0501", f"there is no axis `{name}`", label=hint(name, axes_by_name)))
    return axes_by_name[name]


def _positions(axis: Axis, indices: Sequence[int], coupling: Coupling) -> Indices:
    if axis in coupling.pins:
        raise Refusal(Diagnostic("E0503", f"axis `{axis}` is pinned", label=str(coupling.pins[axis])))
    wanted = np.asarray(indices)
    fits = wanted.ndim == 1 and wanted.dtype.kind in "iu" and wanted.size
    if not fits or len(np.unique(wanted)) < wanted.size or wanted.min() < 0 or wanted.max() >= whole(axis):
        raise Refusal(
            Diagnostic("E0507", f"these are not distinct positions of axis `{axis}`", label=f"it has {axis.size}")
        )
    return np.sort(wanted).astype(np.intp)


def _followed(before: Kept, cutting: Cutting) -> Kept:
    """The source indices that are left after one more cut, tensor by tensor."""
    found = {tensor: dict(places) for tensor, places in before.items()}
    for operation in cutting.state.net.params().values():
        base = operation.payload.base if operation.payload else ""
        for dimension, index in enumerate(cutting.indices(operation.targets[0])):
            if index is None:
                continue
            rows = tuple(map(int, index.tolist()))
            source = found.setdefault(base, {}).get(dimension)
            found[base][dimension] = rows if source is None else tuple(source[row] for row in rows)
    return found


@frozen(eq=False)
class Result:
    """A surgery that was carried out and published: where it lies, and the plan and findings behind it."""

    folder: Path
    outcome: Outcome
    accepted: bool
    verdict: tuple[str, ...]
    """What the verifier says, line by line."""


def plan(
    program: Program,
    surgery: str | None = None,
    threads: int = 1,
    told: Callable[[str, str], None] | None = None,
) -> Plan:
    """Resolve every step of a surgery on its model, without training and without changing anything.

    Raises:
        Refusal: everything that `surg plan` refuses, with its exit code.
    """
    asked = choosing.surgery(program, surgery)
    say = watched(asked.budget, told or _silent)
    say("capturing the model", "")
    with deterministic(asked.seed, threads):
        opened = open_surgery(program, surgery)
        say("planning", "")
        return decide(opened, say)


def expect(program: Program, surgery: str | None = None, threads: int = 1) -> dict[str, str]:
    """The digests that an auditor expects of a certificate: of the input's weights and graph, and of the text.

    Raises:
        Refusal: the model cannot be opened.
    """
    with deterministic(choosing.surgery(program, surgery).seed, threads):
        return expected(program, open_surgery(program, surgery))


def run(
    program: Program,
    out: Path,
    surgery: str | None = None,
    threads: int = 1,
    told: Callable[[str, str], None] | None = None,
    supersedes: Path | None = None,
) -> Result:
    """Plan a surgery, carry it out, measure it, write it down, have it verified, and publish it as the folder `out`.

    Nothing stands under `out` unless the verifier accepted it; the input is only read. `supersedes` is an earlier
    result, perhaps `out` itself, whose certificate the new one replaces.

    Raises:
        Refusal: what the input or the result is refused for, with its exit code; 4 where the verifier rejects what was
            made.
    """
    say = watched(choosing.surgery(program, surgery).budget, told or _silent)
    place = after(supersedes) if supersedes else FIRST
    with publishing(out, _inputs(program)) as draft:
        made = plan(program, surgery, threads, say)
        check_known(made.opened)
        with deterministic(made.opened.surgery.seed, threads):
            outcome = _carried(made, say, threads)
        say("writing", "")
        with writing_to(out.absolute()):
            write(outcome, draft, out.absolute(), threads, place)
        say("verifying", "")
        verdict = verified(draft, made.opened.weights, trusted(outcome.promises))
        if verdict.reject is not None:
            why = f"the verifier rejects what was made: {verdict.reject.code} {verdict.reject.message}"
            helps = ("this is a bug in surgdsl; nothing was published",)
            raise Refusal(Diagnostic("E0903", why, help=helps), exit_code=4)
    return Result(out, outcome, accepted=True, verdict=tuple(human(verdict, colour=False)))


def _silent(stage: str, detail: str) -> None:
    del stage, detail


def _inputs(program: Program) -> tuple[Path, ...]:
    """The files of a program that a run reads: its texts and its weights."""
    texts = (program.source, *(source for _, source in program.files))
    owners = (program, *program.imports.values())
    models = (one for owner in owners for one in owner.models)
    return (*(Path(one.path) for one in texts), *(home(one) / one.weights.path for one in models if one.weights))


def _carried(made: Plan, say: Callable[[str, str], None], threads: int) -> Outcome:
    opened = made.opened
    requires = opened.surgery.promises
    registered = registrations(requires)
    names = dict.fromkeys(one.claim.data for one in requires if isinstance(one.claim, Measured))
    for name in names:
        with pointing(opened.program.datum(name).source.span):
            check_classes(opened.rows(name))
    carried = carry(made, say, threads)
    final = carried.final
    promises = attest(requires, {"before": opened.start, "after": final})
    check_counted(promises, made.before, count(final.net, final.weights, ones(final.net)))
    say("measuring", "")
    compared = compare(opened.start, final, promises, opened.rows)
    findings = judge(promises, compared)
    check_measured(findings)
    return Outcome(made, carried, compared, findings, promises, registered)


def verified(folder: Path, weights: Path | None = None, trust: frozenset[str] = frozenset()) -> Report:
    """What the verifier finds in a folder. It reads the files and nothing of this process.

    Args:
        folder: a result.
        weights: the input weights, where they do not lie in the folder.
        trust: digests of Python files whose numbers are believed.
    """
    report = Report()
    source, model = str(weights or folder / INPUT), str(folder / MODEL)
    try:
        expected = {"input": "", "output": "", "spec": ""}
        examine(Request(str(folder), source, model, expected, trust, strict=False), report)
    except Reject as reject:
        report.reject = reject
    return report


def decoded(folder: Path) -> dict[str, Any]:
    """The weights of a result, decoded, by name: a state dict of plain tensors.

    Raises:
        Refusal: E0701 there is no result in the folder, E0711 its weights cannot be read.
    """
    return reloading.decoded(Path(folder))


def reload(build: Callable[[], Any], folder: Path, inputs: Sequence[Any] = ()) -> Any:
    """A result in a freshly built module of the user's own class, in eval mode, without pickle.

    Args:
        build: makes the module as it was before surgery.
        folder: a published result.
        inputs: an example; with one the module is run once, to see whether its forward takes the new sizes.

    Raises:
        Refusal: E0608 where the class has no place for what is there, or cannot run; with the layer.
    """
    module = regrid(reloading.refit(build(), reloading.decoded(Path(folder))), Path(folder))
    if inputs:
        reloading.check(module, tuple(inputs))
    return module
