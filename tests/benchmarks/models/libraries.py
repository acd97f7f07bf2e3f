"""What other libraries make of a network: each returns one that computes with its weights, and the bytes of them.

Bytes are those of the tensors that a library holds, packed as it packs them. Where it holds few bits in whole bytes,
the packed size is counted, in its favour. Sparse weights count as one bit a place and what is kept, ours and theirs.
Every library is looked up when it is asked: they are slow to import, and only some runs need all.
"""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from importlib import import_module
from os import devnull
from pathlib import Path
from typing import Any

import subject  # noqa: F401  # readies torchvision, which peers import
import torch
from attrs import frozen
from torch import Tensor, nn

Made = tuple[nn.Module, int]
"""A network and its bytes."""
GROUP = 128
DAMPING, BLOCK = 0.01, 128
PRUNING = "llmcompressor.modifiers.pruning"


@frozen
class Peer:
    """A library's method at the levels that it has."""

    name: str
    levels: tuple[int, ...]
    """Bits, or percent that is zero."""
    make: Callable[[nn.Module, tuple[Tensor, ...], int], Made]
    sparse: bool = False
    second_order: bool = False


def quanto(network: nn.Module, inputs: tuple[Tensor, ...], bits: int) -> Made:
    """optimum-quanto: linear and convolutional layers, int8 a channel, else groups of 128."""
    library: Any = import_module("optimum.quanto")

    del inputs
    made = copy.deepcopy(network)
    library.quantize(made, weights={8: library.qint8, 4: library.qint4, 2: library.qint2}[bits])
    library.freeze(made)
    scales = ("input_scale", "output_scale")  # of activations, which stay as they are
    return made, sum(_bytes(one) for name, one in made.state_dict().items() if not name.endswith(scales))


def torchao(network: nn.Module, inputs: tuple[Tensor, ...], bits: int) -> Made:
    """torchao: linear layers and embeddings, int8 a channel, else groups of 128."""
    library: Any = import_module("torchao.quantization")

    del inputs
    made, sizes = copy.deepcopy(network), dict[str, int]()
    for name, module in made.named_modules():
        if not isinstance(module, (nn.Linear, nn.Embedding)):
            continue
        grain = library.PerGroup(GROUP) if bits < 8 and module.weight.shape[1] % GROUP == 0 else library.PerAxis(0)
        config = library.IntxWeightOnlyConfig(weight_dtype=getattr(torch, f"int{bits}"), granularity=grain)
        library.quantize_(module, config, filter_fn=lambda one, _, wanted=module: one is wanted)
        found: Any = module.weight
        scales = sum(_bytes(getattr(found, part)) for part in found.__tensor_flatten__()[0] if part != "qdata")
        sizes[f"{name}.weight"] = scales + found.numel() * bits // 8
        module.weight = nn.Parameter(found.dequantize(), requires_grad=False)
    return made, _total(made, sizes)


def nncf(network: nn.Module, inputs: tuple[Tensor, ...], bits: int) -> Made:
    """nncf: every layer and embedding that it knows, int8 a channel, or int4 in groups of 128."""
    library: Any = import_module("nncf")

    library.set_log_level(logging.ERROR)
    modes, advanced = library.CompressWeightsMode, library.AdvancedCompressionParameters
    adjust = advanced(group_size_fallback_mode=library.GroupSizeFallbackMode.ADJUST)
    more = {} if bits == 8 else {"group_size": GROUP, "all_layers": True, "advanced_parameters": adjust}
    data = library.Dataset([inputs if inputs[1:] else inputs[0]])
    with Path(devnull).open("w") as sink, redirect_stdout(sink):
        made: Any = library.compress_weights(
            Wrapped(copy.deepcopy(network)),
            mode=modes.INT8_ASYM if bits == 8 else modes.INT4_ASYM,
            dataset=data,
            **more,
        )
    return made, sum(map(_bytes, made.state_dict().values()))


class Wrapped(nn.Module):
    """A network inside another one: nncf cannot take a Sequential as a root."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return what the network does."""
        return self.network(*inputs)


def gptq(network: nn.Module, inputs: tuple[Tensor, ...], bits: int) -> Made:
    """llmcompressor's GPTQ: linear and convolutional layers, stage by stage; embeddings to the nearest."""
    library: Any = import_module("compressed_tensors.quantization")
    ranged: Any = import_module("compressed_tensors.quantization.utils").calculate_qparams
    solve: Any = import_module("llmcompressor.modifiers.gptq.gptq_quantize").quantize_weight

    made, sizes = copy.deepcopy(network), dict[str, int]()

    def grid(weight: Tensor) -> tuple[Tensor, Tensor, Any]:
        grouped = weight.shape[1] % GROUP == 0
        strategy = {"strategy": "group", "group_size": GROUP} if grouped else {"strategy": "channel"}
        args = library.QuantizationArgs(
            num_bits=bits, symmetric=True, actorder="static" if grouped else None, **strategy
        )
        parts = weight.unflatten(1, (-1, GROUP)) if grouped else weight.unsqueeze(1)
        return *ranged(parts.amin(-1), parts.amax(-1), args), args

    def counted(weight: Tensor, scale: Tensor) -> int:
        return weight.numel() * bits // 8 + _bytes(scale)

    for name, module in made.named_modules():
        if isinstance(module, nn.Embedding):
            scale, zero, args = grid(module.weight)
            module.weight.data = library.fake_quantize(module.weight.data, scale, zero, args)
            sizes[f"{name}.weight"] = counted(module.weight, scale)
    for stage in _stages(made):
        for name, (module, hessian) in _observed(made, stage, inputs).items():
            flat = module.weight.data.flatten(1)
            scale, zero, args = grid(flat)
            batch = (flat.unsqueeze(0).clone(), hessian.unsqueeze(0), scale.unsqueeze(0), zero.unsqueeze(0))
            solved, _, _ = solve(*batch, None, args, BLOCK, DAMPING)
            module.weight.data = solved[0].reshape(module.weight.shape)
            sizes[f"{name}.weight"] = counted(flat, scale)
    return made, _total(made, sizes)


def sparse_gpt(network: nn.Module, inputs: tuple[Tensor, ...], percent: int) -> Made:
    """llmcompressor's SparseGPT on linear and convolutional layers, stage by stage."""
    solve: Any = import_module(f"{PRUNING}.sparsegpt.sgpt_sparsify").sparsify_weight

    made, sizes = copy.deepcopy(network), dict[str, int]()
    for stage in _stages(made):
        for name, (module, hessian) in _observed(made, stage, inputs).items():
            hessians = {module: hessian}
            _, solved = solve(module, hessians, percent / 100, 0, 0, BLOCK, DAMPING, preserve_sparsity_mask=False)
            module.weight.data = solved
            sizes[f"{name}.weight"] = _masked(module.weight)
    return made, _total(made, sizes)


def wanda(network: nn.Module, inputs: tuple[Tensor, ...], percent: int) -> Made:
    """llmcompressor's Wanda on linear and convolutional layers, stage by stage."""
    solve: Any = import_module(f"{PRUNING}.wanda.wanda_sparsify").sparsify_weight

    made, sizes = copy.deepcopy(network), dict[str, int]()
    for stage in _stages(made):
        for name, (module, hessian) in _observed(made, stage, inputs).items():
            module.weight.data = solve(module, {module: hessian.diagonal()}, percent / 100, 0, 0)
            sizes[f"{name}.weight"] = _masked(module.weight)
    return made, _total(made, sizes)


def _observed(made: nn.Module, stage: list[str], inputs: tuple[Tensor, ...]) -> dict[str, Any]:
    """The layers of a stage with the Hessians of what they read, from one run over the calibration rows.

    The Hessians are SparseGPT's: those that the library makes for GPTQ fail on convolutions (0.14.0.1).
    """
    accumulate: Any = import_module(f"{PRUNING}.sparsegpt.sgpt_sparsify").accumulate_hessian

    modules = {name: made.get_submodule(name) for name in stage}
    size = {name: one.get_parameter("weight")[0].numel() for name, one in modules.items()}
    state = {name: (torch.zeros(count, count), 0) for name, count in size.items()}

    def note(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, read: tuple[Tensor, ...], _: Tensor) -> None:
            state[name] = accumulate(read[0], module, *state[name])

        return hook

    hooks = [one.register_forward_hook(note(name)) for name, one in modules.items()]
    with torch.no_grad():
        for rows in zip(*(one.split(32) for one in inputs), strict=True):
            made(*rows)
    for hook in hooks:
        hook.remove()
    return {name: (one, state[name][0]) for name, one in modules.items()}


def _stages(made: nn.Module) -> Iterator[list[str]]:
    """Layers of one numbered block together, as the library's sequential pipeline takes them; others alone."""
    found: dict[str, list[str]] = {}
    for name, module in made.named_modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            block = re.match(r".*?\.\d+(?=\.)", name)
            found.setdefault(block.group() if block else name, []).append(name)
    yield from found.values()


def _total(made: nn.Module, sizes: dict[str, int]) -> int:
    return sum(sizes[name] if name in sizes else _bytes(one) for name, one in made.state_dict().items())


def _masked(weight: Tensor) -> int:
    return -(-weight.numel() // 8) + 4 * int(weight.count_nonzero())


def _bytes(one: Tensor) -> int:
    return one.numel() * one.element_size() if one.ndim else 0


PEERS = (
    Peer("optimum-quanto 0.2.7", (8, 4, 2), quanto),
    Peer("torchao 0.18.0", (8, 4, 3, 2), torchao),
    Peer("nncf 3.4.0", (8, 4), nncf),
    Peer("llmcompressor 0.14 GPTQ", (8, 4, 3, 2), gptq, second_order=True),
    Peer("llmcompressor 0.14 Wanda", (30, 50, 70), wanda, sparse=True, second_order=True),
    Peer("llmcompressor 0.14 SparseGPT", (30, 50, 70), sparse_gpt, sparse=True, second_order=True),
)
