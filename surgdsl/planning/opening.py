"""Opening: a program's model, weights and data become a net in memory, checked against what the file says of them.

The last moment at which a wrong file can be told from a wrong model; nothing is written here, and the module of the
user is not kept.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path

import torch
from attrs import evolve, field, frozen
from torch import nn

from surgdsl.axis.extent import symbol
from surgdsl.bridge import storage
from surgdsl.bridge.arguments import TORCH, to_tensor
from surgdsl.bridge.capture import capture
from surgdsl.bridge.hollow import emptied, filled, hollow
from surgdsl.bridge.paging import Scratch
from surgdsl.bridge.rebuild import rebuild
from surgdsl.bridge.source import Rows, build_module, read_rows
from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Diagnostic, Note, Refusal, Span
from surgdsl.diagram.net import Net
from surgdsl.diagram.sort import Sort
from surgdsl.language.criterion import Criterion
from surgdsl.language.program import FileRef, ModelDecl, Port, Program, Spanned, SurgeryDecl
from surgdsl.planning import choosing
from surgdsl.planning.fitting import check_rows
from surgdsl.planning.pointing import pointing


@frozen(slots=False, eq=False)
class Opened:
    """A surgery of a program with its model captured. Data is read when it is asked for, and once."""

    program: Program
    surgery: SurgeryDecl
    start: State
    weights: Path | None
    """The file of the input weights; None where the model came with its own."""
    read: dict[str, Rows] = field(factory=dict[str, Rows], repr=False)
    """The rows that were read, by name."""
    scratch: Scratch = field(factory=Scratch, repr=False)

    def rows(self, name: str) -> Rows:
        """The rows that the file declares as `name`."""
        if name not in self.read:
            declared = self.program.datum(name)
            rows = read_rows(name, str(declared.source), home(declared), declared.source.span)
            check_rows(rows, self.start.net, declared)
            self.read[name] = rows.take(declared.take)
        return self.read[name]


def home(declared: Spanned | Criterion) -> Path:
    """The folder of the file that declares something; what it names in Python or on the disk is looked for there."""
    return Path(declared.span.source.path).resolve().parent


def open_model(program: Program, model: ModelDecl) -> tuple[State, Path | None]:
    """Build, load and capture a declared model.

    Raises:
        Refusal: E06xx where the model is at fault, E07xx where a file is.
    """
    folder = home(model)
    module = build_module(str(model.source), folder, model.source.span)
    weights = folder / model.weights.path if model.weights else None
    tensors: storage.Tensors = _tensors(module, weights, model) if weights else {}
    if hollow(module):
        state = _filled(program, model, module, tensors)
    else:
        module.load_state_dict(
            {name: to_tensor(array, dtype) for name, (dtype, array) in tensors.items()}, strict=False
        )
        state = _captured(program, model, module, torch.device("cpu"))
    return evolve(state, net=_declared(state.net, model)), weights


def open_surgery(program: Program, name: str | None = None) -> Opened:
    """Open the surgery called `name`, or the only one of the file."""
    surgery = choosing.surgery(program, name)
    start, weights = open_model(program, program.model(surgery.model))
    return Opened(program, surgery, start, weights)


def _filled(program: Program, model: ModelDecl, module: nn.Module, tensors: storage.Tensors) -> State:
    """The net of a module without values, its weights mapped from the file.

    Raises:
        Refusal: E0606, some weight has no values anywhere.
    """
    names = {name for name, _ in (*module.named_parameters(), *module.named_buffers())}
    held = emptied(module)
    state, missing = filled(_captured(program, model, module, torch.device("meta")), {**held, **tensors}, names)
    if missing:
        told = f"`{missing[0]}` has a shape and no values"
        span = model.weights.span if model.weights else model.source.span
        why = "the model is built on the meta device, and no weight file gives it any"
        raise Refusal(Diagnostic("E0606", told, span, why))
    return state


def _tensors(module: nn.Module, path: Path, model: ModelDecl) -> storage.Tensors:
    """What a weight file holds for a module."""
    declared = model.weights
    assert declared is not None
    try:
        tensors = storage.read(path, declared.sha256)
    except Refusal as refusal:
        raise Refusal(*(evolve(one, span=_guilty(one.code, declared)) for one in refusal.diagnostics)) from refusal
    state = module.state_dict()
    missing = [name for name in state if name not in tensors and not name.endswith("num_batches_tracked")]
    strange = [name for name in tensors if name not in state]
    both = [name for name in tensors if name in state]
    wrong = [name for name in both if tuple(tensors[name][1].shape) != tuple(state[name].shape)]
    other = [name for name in both if name not in wrong and TORCH.get(tensors[name][0]) != state[name].dtype]
    told = {
        "the file lacks": missing,
        "the model has no": strange,
        "of another shape:": wrong,
        "of another dtype:": other,
    }
    notes = tuple(
        Note(None, f"{what} {', '.join(names[:5])}{' …' if len(names) > 5 else ''}")
        for what, names in told.items()
        if names
    )
    if notes:
        raise Refusal(Diagnostic("E0606", f"`{declared.path}` does not fit the model", declared.span, notes=notes))
    return tensors


def _guilty(code: str, declared: FileRef) -> Span:
    """The characters that a fault of a weight file is about: the digest, or the path."""
    words = declared.sha256 if code == "E0712" and declared.sha256 else declared.path
    start = declared.span.start + max(0, declared.span.text.find(words))
    return Span(declared.span.source, start, min(start + len(words), declared.span.stop))


def _captured(program: Program, model: ModelDecl, module: nn.Module, where: torch.device) -> State:
    names = list(inspect.signature(module.forward).parameters)
    if len(names) < len(model.inputs):
        told = f"the model takes {len(names)} inputs, the file declares {len(model.inputs)}"
        raise Refusal(Diagnostic("E0604", "the model has other ports than the file says", model.span, told))
    ranges = {dim.name: (dim.low, dim.high) for dim in program.dims}
    args = tuple(_example(port, ranges, where) for port in model.inputs)
    dynamic = {
        name: {place: size for place, size in enumerate(port.shape) if isinstance(size, str)}
        for name, port in zip(names, model.inputs, strict=False)
    }
    with pointing(model.source.span):
        state = capture(module, args, dynamic={name: sizes for name, sizes in dynamic.items() if sizes}, ranges=ranges)
    if where.type != "meta":
        _run_once(state, args, model)
    return state


def _run_once(state: State, args: tuple[torch.Tensor, ...], model: ModelDecl) -> None:
    """Run the net on the example: exporting looks at shapes, and lets pass what no kernel can compute.

    Raises:
        Refusal: E0604, torch cannot.
    """
    try:
        with torch.no_grad():
            rebuild(state)(*args)
    except RuntimeError as error:
        told = f"torch says: {next(iter(str(error).splitlines()), 'nothing')}"
        raise Refusal(Diagnostic("E0604", "the model cannot be run on such inputs", model.span, told)) from error


def _example(port: Port, ranges: Mapping[str, tuple[int, int]], where: torch.device) -> torch.Tensor:
    """Zeros of the declared sort; a size that varies is at least 2, since torch takes 0 and 1 for constants."""
    shape = [size if isinstance(size, int) else min(max(2, ranges[size][0]), ranges[size][1]) for size in port.shape]
    return torch.zeros(shape, dtype=TORCH[port.dtype.upper()], device=where)


def _declared(net: Net, model: ModelDecl) -> Net:
    """The net with its ports called as the file calls them.

    Raises:
        Refusal: E0604, they differ in number or in sort.
    """
    faults: list[Diagnostic] = []
    sides = (("input", net.inputs, model.inputs), ("output", net.outputs, model.outputs))
    for kind, found, declared in sides:
        if len(found) != len(declared):
            told = f"the model has {len(found)} {kind}s, the file declares {len(declared)}"
            faults.append(Diagnostic("E0604", "the model has other ports than the file says", model.span, told))
            continue
        for (_, wire), port in zip(found, declared, strict=True):
            if net.sort(wire) != _sort(port):
                told = f"the model's {kind} is {net.sort(wire)}"
                faults.append(Diagnostic("E0604", "the model has other ports than the file says", port.span, told))
    if faults:
        raise Refusal(*faults)
    return evolve(
        net,
        inputs=tuple((port.name, wire) for port, (_, wire) in zip(model.inputs, net.inputs, strict=True)),
        outputs=tuple((port.name, wire) for port, (_, wire) in zip(model.outputs, net.outputs, strict=True)),
    )


def _sort(port: Port) -> Sort:
    return Sort(port.dtype.upper(), tuple(symbol(size) if isinstance(size, str) else size for size in port.shape))
