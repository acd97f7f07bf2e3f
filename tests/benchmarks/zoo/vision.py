"""torchvision: every classification model, and the backbones of segmentation and detection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import shim  # noqa: F401  # must come before torchvision
import torch
import torchvision
from entry import Entry
from torch import Tensor, nn
from torchvision.models import detection, segmentation

FIXED = {"inception_v3": 299, "vit_h_14": 224}
"""Models that take images of one size only; others are given small ones, since the zoo does not depend on the size."""
SEGMENTATION = ("fcn_resnet50", "deeplabv3_resnet50", "deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large")
DETECTION = ("resnet_fpn", "mobilenet")


def entries(side: int = 96) -> Iterator[Entry]:
    """Every entry, in the order of their names, for images of `side` pixels where a model does not ask for its own."""
    for name in torchvision.models.list_models(module=torchvision.models):
        fixed = name.startswith(("vit_", "maxvit")) or name in FIXED
        yield _entry(
            "torchvision",
            name,
            partial(torchvision.models.get_model, name, weights=None),
            FIXED.get(name, 224 if fixed else side),
            _first(name),
        )
    for name in SEGMENTATION:
        build = partial(getattr(segmentation, name), weights=None, weights_backbone=None)
        yield _entry("torchvision segmentation", name, build, 96, _first(name))
    yield _entry("torchvision detection", "resnet50_fpn backbone", _resnet_fpn, 96, "x")
    yield _entry("torchvision detection", "mobilenet_v3_fpn backbone", _mobilenet_fpn, 96, "x")


def _first(name: str) -> str:
    return "input" if name.startswith("lraspp") else "x"


def _entry(family: str, name: str, build: Callable[[], nn.Module], side: int, argument: str) -> Entry:
    return Entry(family, name, build, partial(_images, argument, side), {argument: {0: "B"}})


def _images(argument: str, side: int, batch: int) -> Mapping[str, Tensor]:
    return {argument: torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(batch))}


def _resnet_fpn() -> nn.Module:
    return detection.backbone_utils.resnet_fpn_backbone(backbone_name="resnet50", weights=None)


def _mobilenet_fpn() -> nn.Module:
    return detection.backbone_utils.mobilenet_backbone(backbone_name="mobilenet_v3_large", weights=None, fpn=True)
