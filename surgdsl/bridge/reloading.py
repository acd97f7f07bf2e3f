"""Reloading: a result goes back into a freshly built module of the user's own class.

Weights are decoded and put under their names, layers are told their new sizes, and batch norms that were folded away
become identities. Where the forward of the class has a size written into it, it cannot run, and that is said with the
place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from attrs import frozen
from torch import nn

from surgdsl.bridge import storage
from surgdsl.bridge.arguments import to_tensor
from surgdsl.bridge.encoding import decode, part_names
from surgdsl.bridge.weight import Weight
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.diagram.payload import Affine, Codebook, Dense, Encoding, Masked

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@frozen
class Stored:
    """What a certificate says of a weight: its name, its sort, and how it is stored."""

    base: str
    dtype: str
    shape: tuple[int, ...]
    encoding: Encoding


def decoded(folder: Path) -> dict[str, torch.Tensor]:
    """The weights of a result by name, decoded, as a state dict.

    Raises:
        Refusal: E0701 or E0711, there is no result in the folder, or it cannot be read.
    """
    tensors = storage.read(folder / "model.safetensors")
    found: dict[str, torch.Tensor] = {}
    for stored in _stored(folder):
        names = part_names(stored.base, stored.encoding)
        if stored.base in found or not all(name in tensors for name in names.values()):
            continue
        parts = {role: tensors[name][1] for role, name in names.items()}
        if isinstance(stored.encoding, Dense) and parts["values"].shape != stored.shape:
            continue
        found[stored.base] = to_tensor(decode(Weight(stored.encoding, stored.dtype, stored.shape, parts)), stored.dtype)
    return found


def _stored(folder: Path) -> Iterator[Stored]:
    """Every weight that the certificate speaks of, the latest first: the first that fits is what the file holds."""
    try:
        predicate = json.loads((folder / "certificate" / "cert.json").read_bytes())["predicate"]
        graph = json.loads((folder / "certificate" / "blobs" / predicate["input"]["graphBlob"]).read_bytes())
    except (OSError, ValueError, KeyError) as error:
        raise Refusal(Diagnostic("E0701", f"`{folder}` holds no result", help=(f"{error}",))) from error
    for step in reversed(predicate["steps"]):
        wires = {wire["id"]: wire for wire in (*step["left"]["wires"], *step["right"]["wires"])}
        yield from read_params(step["right"]["operations"], wires)
    yield from read_params(graph["operations"], dict(enumerate(graph["wires"])))


def read_params(operations: list[dict[str, Any]], wires: Mapping[Any, dict[str, Any]]) -> Iterator[Stored]:
    """The weights among operations as a certificate writes them, in order."""
    for operation in operations:
        if operation["op"] == "param":
            wire, encoding = wires[operation["targets"][0]], _encoding(operation["encoding"])
            (role, suffix) = next((role, name) for role, name in part_names("", encoding).items())
            name = next(part["name"] for part in operation["parts"] if part["role"] == role)
            yield Stored(name.removesuffix(suffix) if suffix else name, wire["dtype"], tuple(wire["shape"]), encoding)


def _encoding(told: Mapping[str, Any]) -> Encoding:
    match told["kind"]:
        case "codebook":
            return Codebook(told["bits"])
        case "affine" | "symmetric" as kind:
            return Affine(told["bits"], told["axis"], told.get("group", 0), kind == "symmetric")
        case "masked":
            inner = _encoding(told["inner"])
            assert not isinstance(inner, Masked)
            return Masked(inner)
        case _:
            return Dense()


def refit(module: nn.Module, weights: Mapping[str, torch.Tensor]) -> nn.Module:
    """Put weights into a module, whatever sizes its layers had, in eval mode.

    Raises:
        Refusal: E0608, a weight has no place in the module, or the module needs one that is gone.
    """
    left, placed = dict(weights), dict[int, nn.Parameter]()
    for path, layer in list(module.named_modules()):
        found = {name: left.pop(f"{path}.{name}" if path else name, None) for name in _names(layer)}
        own = {name: _shared(layer, name, tensor, placed) for name, tensor in found.items()}
        if own and all(tensor is None for tensor in own.values()):
            if not isinstance(layer, NORMS):
                raise unfit(f"the result has no weights for `{path}`")
            _replace(module, path, nn.Identity())
            continue
        for name, tensor in own.items():
            _place(layer, name, tensor)
        _resize(path, layer)
    if left:
        raise unfit(f"the module has no place for {', '.join(sorted(left)[:5])}")
    return module.eval()


def _shared(
    layer: nn.Module, name: str, tensor: torch.Tensor | None, placed: dict[int, nn.Parameter]
) -> torch.Tensor | None:
    """The new tensor; of a parameter that layers share the one that was made for the first of them."""
    old = dict(layer.named_parameters(recurse=False)).get(name)
    if old is None:
        return tensor
    if tensor is not None:
        placed[id(old)] = nn.Parameter(tensor, requires_grad=tensor.is_floating_point())
    return placed.get(id(old))


def _names(layer: nn.Module) -> list[str]:
    """The tensors that a layer holds itself; for a layer without a bias also the bias that folding gives it."""
    held = [*dict(layer.named_parameters(recurse=False)), *dict(layer.named_buffers(recurse=False))]
    more = ["bias"] if isinstance(layer, (*CONVOLUTIONS, nn.Linear)) and layer.bias is None else []
    return [name for name in (*held, *more) if name != "num_batches_tracked"]


def _place(layer: nn.Module, name: str, tensor: torch.Tensor | None) -> None:
    if tensor is None:
        return
    if name in dict(layer.named_buffers(recurse=False)):
        layer.register_buffer(name, tensor)
    else:
        made = tensor if isinstance(tensor, nn.Parameter) else nn.Parameter(tensor, requires_grad=True)
        layer.register_parameter(name, made)


def _resize(path: str, layer: nn.Module) -> None:
    """Tell a layer the sizes of its weights; a depthwise convolution stays one."""
    if isinstance(layer, nn.Linear):
        layer.out_features, layer.in_features = layer.weight.shape
    elif isinstance(layer, CONVOLUTIONS):
        out, per_group = layer.weight.shape[:2]
        if layer.groups > 1 and out != layer.out_channels:
            if layer.groups != layer.in_channels:  # whole groups, or filters of each: the weight does not tell
                raise unfit(f"`{path}` is a grouped convolution that was cut")
            layer.groups = out * layer.groups // layer.out_channels
        layer.out_channels, layer.in_channels = out, per_group * layer.groups
    elif isinstance(layer, NORMS) and layer.running_mean is not None:
        layer.num_features = len(layer.running_mean)


def _replace(module: nn.Module, path: str, new: nn.Module) -> None:
    parent, _, name = path.rpartition(".")
    setattr(module.get_submodule(parent) if parent else module, name, new)


def check(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
    """Run the module once.

    Raises:
        Refusal: E0608, its forward does not take the new sizes; with the layer and what torch says.
    """
    running: list[str] = []

    def hook(path: str) -> Any:
        def told(*_: object) -> None:
            running.append(path)

        return told

    hooks = [layer.register_forward_pre_hook(hook(path)) for path, layer in module.named_modules()]
    try:
        with torch.no_grad():
            module(*inputs)
    except Exception as error:
        place = next((path for path in reversed(running) if path), "its forward")
        raise unfit(f"at or after `{place}`: {' '.join(str(error).split())[:200]}") from error
    finally:
        for handle in hooks:
            handle.remove()


def unfit(reason: str) -> Refusal:
    """E0608, with the reason."""
    help_ = (reason, "the result itself is not concerned: its weights, decoded, are surgdsl.decoded(folder)")
    return Refusal(Diagnostic("E0608", "the result does not fit this class", help=help_))
