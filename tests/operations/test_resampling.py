"""Resampling: channels pass, sizes are torch's."""

from __future__ import annotations

import random

import pytest
import torch
from torch import nn

from tests.operations.neutralising import check

interpolate = nn.functional.interpolate
SHAPES = {1: (3, 9), 2: (3, 9, 7), 3: (3, 5, 6, 4)}
LAYERS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
CALLS = (
    *((f"aten.upsample_nearest{rank}d.vec", rank, "nearest", {}) for rank in (1, 2, 3)),
    *((f"aten._upsample_nearest_exact{rank}d.vec", rank, "nearest-exact", {}) for rank in (1, 2, 3)),
    ("aten.upsample_linear1d.vec", 1, "linear", {"align_corners": True}),
    ("aten.upsample_bilinear2d.vec", 2, "bilinear", {}),
    ("aten.upsample_bicubic2d.vec", 2, "bicubic", {"align_corners": True}),
    ("aten.upsample_trilinear3d.vec", 3, "trilinear", {}),
    ("aten._upsample_bilinear2d_aa.vec", 2, "bilinear", {"antialias": True}),
    ("aten._upsample_bicubic2d_aa.vec", 2, "bicubic", {"antialias": True}),
)


@pytest.mark.parametrize(("operator", "rank", "mode", "options"), CALLS)
def test_channels_pass(operator: str, rank: int, mode: str, options: dict[str, bool]) -> None:
    draw = random.Random(operator)  # noqa: S311 - sizes of a test
    size, factor = [draw.randint(2, 9) for _ in range(rank)], round(draw.uniform(0.6, 2.4), 3)
    found = check(
        lambda x, a, b: b(interpolate(interpolate(a(x), size=size, mode=mode, **options), scale_factor=factor)),
        LAYERS[rank](3, 8, 2),
        LAYERS[rank](8, 4, 1),
        shape=SHAPES[rank],
        knows=operator,
    )
    assert found.free == (8,)


def test_a_grid_is_sampled_in_every_channel() -> None:
    def function(x: torch.Tensor, a: nn.Module, b: nn.Module) -> torch.Tensor:
        theta = torch.eye(2, 3).expand(x.shape[0], 2, 3) * 0.5
        grid = nn.functional.affine_grid(theta, [x.shape[0], 8, 4, 5], align_corners=False)
        return b(nn.functional.grid_sample(a(x), grid, align_corners=False))

    found = check(function, nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 1), knows="aten.grid_sampler.default")
    assert found.free == (8,)
    assert "aten.affine_grid_generator.default" in found.calls


def test_channels_that_say_where_to_sample_are_pinned() -> None:
    def function(x: torch.Tensor, a: nn.Module) -> torch.Tensor:
        return nn.functional.grid_sample(x, a(x).permute(0, 2, 3, 1), align_corners=True)

    found = check(function, nn.Conv2d(3, 2, 3))
    assert "pixels are interpolated along it" in found.pins("layers.0.weight", 0)[0]
