"""SynFlow: how much of the flow of ones through the net of magnitudes passes a weight (Tanaka et al. 2020, equation 3).

No data are needed, and the flow is that of one row of ones. The authors prune in many small stages, which is what keeps
a layer from being emptied; a single score cannot.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from surgdsl.axis.extent import evaluate, symbols
from surgdsl.bridge.arguments import TORCH
from surgdsl.bridge.rebuild import rebuild
from surgdsl.bridge.running import device
from surgdsl.bridge.weight import Array, State
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.formula.tensor import Tensor
from surgdsl.importance.asking import Asked, Primitive


def flow(asked: Asked) -> list[Tensor]:
    """|θ| · ∂R/∂|θ|, where R is the sum of what the net of magnitudes answers to ones; in float64 where it can be."""
    for wide in (True, False):
        module = _magnitudes(asked.state, wide=wide)
        try:
            answers: torch.Tensor | tuple[torch.Tensor, ...] = module(*_ones(asked.state, wide=wide))
        except RuntimeError as error:  # a net that casts on its way is not run in other dtypes than its own
            if wide:
                continue
            told = str(error).partition("\n")[0]
            raise Refusal(Diagnostic("E0511", "criterion `synflow` has no value here", label=told)) from error
        return asked.laid(_scores(module, answers if isinstance(answers, tuple) else (answers,)))
    raise AssertionError("the second try either answers or is refused")


def _magnitudes(state: State, *, wide: bool) -> nn.Module:
    """The net with every weight and every statistic replaced by its magnitude."""
    module = rebuild(state).to(device())
    module = module.to(torch.float64) if wide else module
    with torch.no_grad():
        for one in (*module.parameters(), *module.buffers()):
            if one.is_floating_point():
                one.abs_()
    return module


def _ones(state: State, *, wide: bool) -> list[torch.Tensor]:
    """One row of ones for each input; sizes that vary are 1."""
    sorts = [state.net.sort(wire) for _, wire in state.net.inputs]
    kinds = [torch.float64 if wide and TORCH[one.dtype].is_floating_point else TORCH[one.dtype] for one in sorts]
    return [
        torch.ones(
            [evaluate(extent, dict.fromkeys(symbols(extent), 1)) for extent in one.shape], dtype=kind, device=device()
        )
        for one, kind in zip(sorts, kinds, strict=True)
    ]


def _scores(module: nn.Module, answers: Sequence[torch.Tensor]) -> dict[str, Array]:
    weights = {name: one for name, one in module.named_parameters() if one.requires_grad}
    total = sum((one.sum() for one in answers if one.requires_grad), torch.zeros(()))
    if not total.requires_grad:
        return {}
    slopes = torch.autograd.grad(total, [*weights.values()], allow_unused=True, materialize_grads=True)
    return {
        name: (one.detach().double() * slope.double()).cpu().numpy()
        for (name, one), slope in zip(weights.items(), slopes, strict=True)
    }


SYNFLOW = Primitive("synflow", flow, elsewhere=True)
