"""timm: one small model of each family that it has, but for a few that only come huge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import shim  # noqa: F401  # must come before torchvision, which timm imports
import timm
import torch
from entry import Entry
from torch import Tensor

FAMILIES: tuple[tuple[str, str, int], ...] = (
    ("beit", "beit_base_patch16_224", 224),
    ("byoanet", "halonet_h1", 256),
    ("byobnet", "mobileone_s0", 128),
    ("cait", "cait_xxs24_224", 224),
    ("coat", "coat_tiny", 224),
    ("convit", "convit_tiny", 224),
    ("convmixer", "convmixer_768_32", 128),
    ("convnext", "convnext_atto", 128),
    ("cpubone", "cpubone_nano", 128),
    ("crossvit", "crossvit_tiny_240", 240),
    ("csatv2", "csatv2", 256),
    ("cspnet", "darknet17", 128),
    ("cspnext", "cspnext_tiny", 128),
    ("davit", "davit_tiny", 224),
    ("deit", "deit_tiny_patch16_224", 224),
    ("densenet", "densenet121", 128),
    ("dla", "dla34", 128),
    ("dpn", "dpn68", 128),
    ("edgenext", "edgenext_x_small", 128),
    ("efficientformer", "efficientformer_l1", 224),
    ("efficientformer_v2", "efficientformerv2_s0", 224),
    ("efficientnet", "tinynet_c", 128),
    ("efficientvim", "efficientvim_m1", 128),
    ("efficientvit_mit", "efficientvit_b0", 128),
    ("efficientvit_msra", "efficientvit_m0", 224),
    ("eva", "eva02_tiny_patch14_224", 224),
    ("fasternet", "fasternet_t0", 128),
    ("fastvit", "fastvit_t8", 128),
    ("focalnet", "focalnet_tiny_srf", 224),
    ("gcvit", "gcvit_xtiny", 224),
    ("ghostnet", "ghostnet_050", 128),
    ("hardcorenas", "hardcorenas_b", 128),
    ("hgnet", "hgnetv2_b0", 128),
    ("hiera", "hiera_tiny_224", 224),
    ("hieradet_sam2", "sam2_hiera_tiny", 256),
    ("hrnet", "hrnet_w18_small", 128),
    ("iformer", "iformer_t", 128),
    ("inception_next", "inception_next_atto", 128),
    ("inception_resnet_v2", "inception_resnet_v2", 160),
    ("inception_v3", "inception_v3", 160),
    ("inception_v4", "inception_v4", 160),
    ("lcnetv2", "lcnetv2_small", 128),
    ("levit", "levit_128", 224),
    ("lowformer", "lowformer_b0", 128),
    ("mambaout", "mambaout_femto", 128),
    ("metaformer", "caformer_s18", 128),
    ("mlp_mixer", "gmlp_ti16_224", 224),
    ("mobilenetv3", "mobilenetv3_small_050", 128),
    ("mobilenetv5", "mobilenetv5_base", 256),
    ("mobilevit", "mobilevit_xxs", 128),
    ("mvitv2", "mvitv2_tiny", 224),
    ("naflexvit", "naflexvit_base_patch16_gap", 256),
    ("nasnet", "nasnetalarge", 160),
    ("nest", "nest_tiny", 224),
    ("nextvit", "nextvit_small", 224),
    ("nfnet", "nf_regnet_b0", 128),
    ("pit", "pit_ti_224", 224),
    ("pnasnet", "pnasnet5large", 160),
    ("pvt_v2", "pvt_v2_b0", 128),
    ("qwen3_vit", "qwen3_vit_88m", 256),
    ("rdnet", "rdnet_tiny", 128),
    ("regnet", "regnetx_004_tv", 128),
    ("repghost", "repghostnet_050", 128),
    ("repvit", "repvit_m1", 128),
    ("res2net", "res2next50", 128),
    ("resnest", "resnest14d", 128),
    ("resnet", "resnet18", 128),
    ("resnetv2", "resnetv2_18", 128),
    ("rexnet", "rexnet_100", 128),
    ("selecsls", "selecsls42", 128),
    ("senet", "legacy_seresnet18", 128),
    ("sequencer", "sequencer2d_s", 224),
    ("shvit", "shvit_s1", 128),
    ("sknet", "skresnet18", 128),
    ("starnet", "starnet_s050", 128),
    ("swiftformer", "swiftformer_xs", 224),
    ("swin_transformer", "swin_tiny_patch4_window7_224", 224),
    ("swin_transformer_v2", "swinv2_tiny_window8_256", 256),
    ("swin_transformer_v2_cr", "swinv2_cr_tiny_224", 224),
    ("tiny_vit", "tiny_vit_5m_224", 224),
    ("tnt", "tnt_s_legacy_patch16_224", 224),
    ("tresnet", "tresnet_m", 128),
    ("twins", "twins_svt_small", 224),
    ("vgg", "vgg11_bn", 128),
    ("visformer", "visformer_tiny", 224),
    ("vision_transformer", "vit_tiny_patch16_224", 224),
    ("vision_transformer_hybrid", "vit_tiny_r_s16_p8_224", 224),
    ("vision_transformer_relpos", "vit_srelpos_small_patch16_224", 224),
    ("vitamin", "vitamin_small_224", 224),
    ("volo", "volo_d1_224", 224),
    ("vovnet", "vovnet39a", 128),
    ("xception", "legacy_xception", 128),
    ("xception_aligned", "xception41", 128),
    ("xcit", "xcit_nano_12_p8_224", 224),
)
"""Family, model, and the side of its images."""


def entries() -> Iterator[Entry]:
    """One entry a family."""
    for family, name, side in FAMILIES:
        build = partial(timm.create_model, name, pretrained=False)
        yield Entry("timm", f"{family}: {name}", build, partial(_images, side), {"x": {0: "B"}})


def _images(side: int, batch: int) -> Mapping[str, Tensor]:
    return {"x": torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(batch))}
