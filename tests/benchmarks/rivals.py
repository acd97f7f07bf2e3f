"""Peers that work on one layer, and what of ours each is compared with, for `layerwise.py`.

Their own functions are called, those that their recipes call for each layer of a model. A peer that is not installed
says so when it is asked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np
import torch
from attrs import frozen

from surgdsl.bridge.encoding import decode, dense
from surgdsl.curvature.gram import Gram
from surgdsl.curvature.grid import gptq, ranged
from surgdsl.curvature.layer import Layer
from surgdsl.curvature.pattern import Few, Pattern, Share, largest
from surgdsl.curvature.solution import Values
from surgdsl.curvature.sparse import sparsegpt
from surgdsl.curvature.structured import structured
from surgdsl.diagram.payload import Affine
from surgdsl.surgery import affine

BATCH = 256


@frozen(eq=False)
class Problem:
    """A layer and what it reads."""

    weight: torch.Tensor
    """float32[o, d]."""
    rows: torch.Tensor
    """float32[n, d]."""

    @property
    def exact(self) -> Values:
        """The weight in float64."""
        return self.weight.double().numpy()

    def gram(self) -> Values:
        """Σ x xᵀ, streamed as a calibration does it."""
        found = Gram(Layer("layer", "x", "w", None, tuple(self.weight.shape)))
        for start in range(0, len(self.rows), BATCH):
            found.take(self.rows[start : start + BATCH])
        return found.moment[0]


Side = Callable[[Problem], Values]
"""From the rows to the new weight, float64[o, d]."""


def ours_nearest(grid: Affine, clip: str) -> Side:
    """As `quantize` codes a weight."""
    return lambda one: decode(affine.quantize(dense(one.weight.numpy(), "F32"), grid, clip)).astype(np.float64)


def ours_gptq(bits: int, group: int = 0, descents: int = 1) -> Side:
    return lambda one: gptq(one.exact, one.gram(), ranged(one.exact, bits, group), descents=descents).values


def ours_sparse(pattern: Pattern | None, descents: int) -> Side:
    """In this pattern, or half of all weights."""
    return lambda one: (
        sparsegpt(one.exact, one.gram(), pattern or Share(one.weight.numel() // 2, "block"), descents=descents).values
    )


def ours_wanda(one: Problem) -> Values:
    weight, norms = one.exact, np.sqrt(np.square(one.rows.double().numpy()).sum(axis=0))
    return weight * largest(np.abs(weight) * norms, weight.shape[1] // 2)


def ours_columns(one: Problem) -> Values:
    count = one.weight.shape[1]
    return structured(one.exact, one.gram(), np.arange(count)[:, None], count // 4).values


def ours_norms(one: Problem) -> Values:
    weight = one.exact
    gone = np.argsort(np.square(weight).sum(axis=0), kind="stable")[: weight.shape[1] // 4]
    weight[:, gone] = 0.0
    return weight


def bare(one: Problem) -> torch.nn.Linear:
    """The layer of a problem, as peers want it."""
    made = torch.nn.Linear(one.weight.shape[1], one.weight.shape[0], bias=False)
    made.weight = torch.nn.Parameter(one.weight.clone(), requires_grad=False)
    return made


def batches(one: Problem) -> Iterator[torch.Tensor]:
    """The rows, as a calibration gives them."""
    return (one.rows[start : start + BATCH] for start in range(0, len(one.rows), BATCH))


def their_gptq(bits: int) -> Side:
    form: Any = import_module("compressed_tensors.quantization")
    tools: Any = import_module("compressed_tensors.quantization.utils")
    helpers: Any = import_module("llmcompressor.modifiers.gptq.helpers")
    kernel: Any = import_module("llmcompressor.modifiers.gptq.gptq_quantize")
    asked = form.QuantizationArgs(num_bits=bits, symmetric=False, strategy="channel", actorder="weight")

    def solve(one: Problem) -> Values:
        module, weight = bare(one), one.weight
        hessian, count = helpers.make_empty_hessian(module), torch.zeros(())
        for rows in batches(one):
            helpers.accumulate_hessian(rows, module, hessian, count)
        scale, zero = tools.calculate_qparams(weight.amin(1, keepdim=True), weight.amax(1, keepdim=True), asked)
        hessian /= count
        found, _, _ = kernel.quantize_weight(weight.clone()[None], hessian[None], scale[None], zero[None], None, asked)
        return found[0].double().numpy()

    return solve


def their_sparse(few: int, of: int) -> Side:
    sgpt_sparsify: Any = import_module("llmcompressor.modifiers.pruning.sparsegpt.sgpt_sparsify")

    def solve(one: Problem) -> Values:
        module, count = bare(one), 0
        hessian = sgpt_sparsify.make_empty_hessian(module)
        for rows in batches(one):
            hessian, count = sgpt_sparsify.accumulate_hessian(rows, module, hessian, count)
        _, found = sgpt_sparsify.sparsify_weight(module, {module: hessian}, 0.5, few, of, 128, 0.01, False)
        return found.double().numpy()

    return solve


def their_wanda() -> Side:
    wanda_sparsify: Any = import_module("llmcompressor.modifiers.pruning.wanda.wanda_sparsify")

    def solve(one: Problem) -> Values:
        module, count = bare(one), 0
        norms = wanda_sparsify.make_empty_row_scalars(module)
        for rows in batches(one):
            norms, count = wanda_sparsify.accumulate_row_scalars(rows, module, norms, count)
        return wanda_sparsify.sparsify_weight(module, {module: norms}, 0.5, 0, 0).double().numpy()

    return solve


def compressor() -> Iterator[tuple[str, str, Side, Side]]:
    """What llmcompressor's modifiers call for each layer."""
    for bits in (4, 3, 2):
        yield f"GPTQ act-order, {bits} bit", "llmcompressor", ours_gptq(bits, descents=0), their_gptq(bits)
    yield "GPTQ act-order with a descent, 2 bit", "llmcompressor", ours_gptq(2), their_gptq(2)
    for pattern, name, form in ((None, "50 %", (0, 0)), (Few(2, 4), "2:4", (2, 4))):
        yield f"SparseGPT, {name}", "llmcompressor", ours_sparse(pattern, 0), their_sparse(*form)
        yield f"SparseGPT with a descent, {name}", "llmcompressor", ours_sparse(pattern, 1), their_sparse(*form)
    yield "Wanda, 50 % of each row", "llmcompressor", ours_wanda, their_wanda()


def quanto() -> Iterator[tuple[str, str, Side, Side]]:
    """optimum-quanto: groups of 128 by range, and by HQQ."""
    quanto: Any = import_module("optimum.quanto")

    def side(form: object, search: Callable[..., tuple[torch.Tensor, torch.Tensor]]) -> Side:
        def solve(one: Problem) -> Values:
            scale, shift = search(one.weight, form, 0, 128)
            return quanto.quantize_weight(one.weight, form, 0, scale, shift, 128).dequantize().double().numpy()

        return solve

    for bits, form in ((4, quanto.qint4), (2, quanto.qint2)):
        near, best = ours_nearest(Affine(bits, 0, 128), "range"), ours_nearest(Affine(bits, 0, 128), "mse")
        yield f"nearest, range, groups of 128, {bits} bit", "optimum-quanto", near, side(form, quanto.MaxOptimizer())
        yield (
            f"nearest, least squares, groups of 128, {bits} bit",
            "optimum-quanto",
            best,
            side(form, quanto.HqqOptimizer()),
        )


def nncf() -> Iterator[tuple[str, str, Side, Side]]:
    """NNCF's weight compression, which refuses GPTQ for torch: by range, and with its estimation of scales on rows."""
    nncf: Any = import_module("nncf")
    logging.getLogger("nncf").setLevel(logging.ERROR)

    class Net(torch.nn.Module):
        def __init__(self, weight: torch.Tensor) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False)
            self.layer.weight = torch.nn.Parameter(weight.clone(), requires_grad=False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layer(x)

    def side(*, estimated: bool) -> Side:
        def solve(one: Problem) -> Values:
            every = list(batches(one))
            found = nncf.compress_weights(
                Net(one.weight).eval(), mode=nncf.CompressWeightsMode.INT4_ASYM, ratio=1.0, group_size=128,
                all_layers=True, dataset=nncf.Dataset(every if estimated else every[:1]),
                scale_estimation=estimated or None, subset_size=len(every),
            )  # fmt: skip
            with torch.no_grad():
                return found(torch.eye(one.weight.shape[1])).T.double().numpy()

        return solve

    near = ours_nearest(Affine(4, 0, 128), "range")
    yield "nearest, range, groups of 128, 4 bit", "nncf", near, side(estimated=False)
    yield "GPTQ against estimated scales, groups of 128, 4 bit", "nncf", ours_gptq(4, 128), side(estimated=True)


def torchao() -> Iterator[tuple[str, str, Side, Side]]:
    """torchao: symmetric groups of 128 to nearest, and its Wanda."""
    ao: Any = import_module("torchao.quantization")
    sparsity: Any = import_module("torchao.sparsity")

    def side(form: torch.dtype) -> Side:
        def solve(one: Problem) -> Values:
            net = torch.nn.Sequential(bare(one))
            ao.quantize_(net, ao.IntxWeightOnlyConfig(weight_dtype=form, granularity=ao.PerGroup(128)))
            layer: Any = net[0]
            return layer.weight.dequantize().double().numpy()

        return solve

    def wanda(one: Problem) -> Values:
        net, sparsifier = torch.nn.Sequential(bare(one)), sparsity.WandaSparsifier(sparsity_level=0.5)
        sparsifier.prepare(net, config=[{"tensor_fqn": "0.weight"}])
        for rows in batches(one):
            net(rows)
        sparsifier.step()
        sparsifier.squash_mask()
        layer: Any = net[0]
        return layer.weight.detach().double().numpy()

    for bits, form in ((4, torch.int4), (2, torch.int2)):
        near = ours_nearest(Affine(bits, 0, 128, symmetric=True), "mse")
        yield f"nearest, least squares, symmetric, groups of 128, {bits} bit", "torchao", near, side(form)
    yield "Wanda, 50 % of each row", "torchao", ours_wanda, wanda


def torch_pruning() -> Iterator[tuple[str, str, Side, Side]]:
    """torch-pruning: the input columns that its group norm gives up, behind a layer that only passes rows on."""
    tp: Any = import_module("torch_pruning")

    def side(one: Problem) -> Values:
        count = one.weight.shape[1]
        first, second = torch.nn.Linear(count, count, bias=False), torch.nn.Linear(count, len(one.weight), bias=False)
        first.weight = torch.nn.Parameter(torch.eye(count))
        second.weight = torch.nn.Parameter(one.weight.clone())
        net = torch.nn.Sequential(first, second)
        tp.pruner.MagnitudePruner(
            net, one.rows[:1], importance=tp.importance.MagnitudeImportance(p=2), pruning_ratio=0.25,
            ignored_layers=[second],
        ).step()  # fmt: skip
        return (second.weight @ first.weight).detach().double().numpy()

    yield "L2, −25 % columns", "torch-pruning", ours_norms, side
    yield "structured OBS against L2, −25 % columns", "torch-pruning", ours_columns, side


PEERS = (compressor, quanto, nncf, torchao, torch_pruning)
