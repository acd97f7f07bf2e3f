"""Logs: what both models predict, or lose, on the auditor's rows, against what the certificate's log says of them.

A row on which they disagree is told with how near the two best classes lay; where they lay apart, the log is refused.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from attrs import frozen

from surgdsl.replay.data import Rows
from surgdsl.replay.machine import Tensors, run, weights
from surgdsl.replay.opening import Opened
from surgdsl.verifier.net import Net
from surgdsl.verifier.reject import Reject

BATCH = 256
TIE = 2.0**-10
"""Two classes this near, relative to the largest output of the row, may change places between machines."""
BITS = {"cross_entropy/8bit": 8}
UNIT = 10**6
APART = 20
"""Millionths by which a loss may differ between machines."""
DETECTED = (0.01, 0.05)
"""Shares of forged rows for which the chance to be found is told."""


@frozen
class Again:
    """One log, executed again: rows compared, rows that agree, ties among the others, and whether it holds."""

    data: str
    kind: str
    rows: int
    compared: int
    agreeing: int
    ties: int
    holds: bool


def again(opened: Opened, given: Sequence[Rows], sample: int, seed: int) -> list[Again]:
    """Execute every log again whose rows the auditor gave.

    Args:
        opened: the certificate.
        given: rows.
        sample: how many rows of each log are drawn; 0 for all.
        seed: of the draw; to be chosen once the certificate is fixed.

    Raises:
        Reject: V17, some of the given rows are of no log.
    """
    states = list(opened.states())
    nets = opened.first.net, states[-1][3].net if states else opened.first.net
    held = [weights(net, opened.ledger.load) for net in nets]
    found: list[Again] = []
    for rows in given:
        logs = [log for log in opened.logs.values() if about(log, rows)]
        if not logs:
            raise Reject("V17", f"the rows that you gave (inputs {rows.inputs_digest[:12]}) are those of no log")
        found += [compared(log, rows, list(zip(nets, held, strict=True)), (sample, seed)) for log in logs]
    return found


def about(log: dict[str, Any], rows: Rows) -> bool:
    """Whether a log speaks of these rows."""
    return log["data"]["inputs"] == rows.inputs_digest and log["data"]["labels"] == rows.labels_digest


def compared(log: dict[str, Any], rows: Rows, models: list[tuple[Net, Tensors]], draw: tuple[int, int]) -> Again:
    """One log against what the models before and after say of its rows, or of some of them."""
    count = log["data"]["rows"]
    chosen = torch.arange(count)
    if 0 < draw[0] < count:
        chosen = torch.randperm(count, generator=torch.Generator().manual_seed(draw[1]))[: draw[0]].sort().values
    stated = torch.tensor(log["rows"])[chosen]
    same, tied = (torch.ones(len(chosen), dtype=torch.bool) for _ in range(2))
    for side, (net, held) in enumerate(models):
        answers = outputs(net, held, rows, chosen)
        if log["kind"] == "predictions":
            equal = stated[:, side + 2] == answers.argmax(dim=1)
            near = ties(answers)
        else:
            distance = (stated[:, side + 1] - losses(answers, rows.labels[chosen], BITS[log["loss"]])).abs()
            equal, near = distance == 0, distance <= APART
        same, tied = same & equal, tied & (equal | near)
    agreeing, near_only = int(same.sum()), int((tied & ~same).sum())
    holds = bool(tied.all())
    return Again(log["data"]["name"], log["kind"], count, len(chosen), agreeing, near_only, holds)


def outputs(net: Net, held: Tensors, rows: Rows, chosen: torch.Tensor) -> torch.Tensor:
    """The first output of a net for some rows, in their order."""
    found: list[torch.Tensor] = []
    for start in range(0, len(chosen), BATCH):
        at = chosen[start : start + BATCH]
        inputs = {name: one[at] for (name, _), one in zip(net.inputs, rows.inputs, strict=True)}
        shapes = ((net.wires[wire].shape, inputs[name].shape) for name, wire in net.inputs)
        sizes = {e: size for shape, given in shapes for e, size in zip(shape, given, strict=True) if isinstance(e, str)}
        found.append(run(net, held, inputs, sizes, wide=False)[0])
    return torch.cat(found)


def ties(answers: torch.Tensor) -> torch.Tensor:
    """For which rows the two largest numbers lie so near that another machine may exchange them. bool[n]."""
    if answers.shape[1] < 2:
        return torch.zeros(len(answers), dtype=torch.bool)
    best = answers.double().topk(2, dim=1).values
    return best[:, 0] - best[:, 1] <= TIE * answers.double().abs().amax(dim=1)


def losses(answers: torch.Tensor, labels: torch.Tensor, bits: int) -> torch.Tensor:
    """Cross-entropy in bits as a share of `bits`, at most 1, in millionths rounded up; 1 for what has no class."""
    said = torch.log_softmax(answers.double(), dim=1)
    known = (labels >= 0) & (labels < said.shape[1])
    share = (-said.gather(1, (labels * known)[:, None])[:, 0] / (bits * math.log(2))).nan_to_num(1.0).clamp(0.0, 1.0)
    return torch.where(known, share, 1.0).mul(UNIT).ceil().long()


def chance(compared_rows: int, share: float) -> float:
    """How probable it is that a random sample holds a forged row, when such a share of all rows is forged."""
    return 1 - (1 - share) ** compared_rows
