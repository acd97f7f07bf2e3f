"""Folding where channels are shuffled: what cannot be cut is parted differently in every block, and drawn alike."""

from __future__ import annotations

import torch
from torch import nn

from surgdsl.bridge.capture import capture
from surgdsl.operations.coupling import couple
from surgdsl.report.picture.sketch import Frame, sketch


class Shuffled(nn.Module):
    """Half of the channels through two layers, then all of them dealt out anew."""

    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(6, 5), nn.Linear(5, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        left, right = x[:, :6], x[:, 6:]
        both = torch.cat([left, self.down(self.up(right).relu())], 1)
        return both.view(-1, 2, 6).transpose(1, 2).reshape(-1, 12)


def test_blocks_that_differ_only_in_what_cannot_be_cut_are_folded() -> None:
    module = nn.Sequential(nn.Linear(4, 12), *(Shuffled() for _ in range(7)), nn.Linear(12, 3)).eval()
    state = capture(module, (torch.randn(3, 4),))
    coupling = couple(state.net)
    found, _ = sketch(coupling)
    frames = [node for node in found.nodes if isinstance(node, Frame)]
    parted = {str(coupling.dims[wire]) for wire, one in state.net.graph.wires.items() if one.shape == (3, 12)}
    assert len(parted) > 2
    assert [frame.count for frame in frames] == [5]
