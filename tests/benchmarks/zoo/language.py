"""transformers: model types from small configurations, text, images and sound."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import shim  # noqa: F401  # must come before torchvision, which transformers imports
import torch
import transformers
from entry import Entry
from torch import Tensor, nn

TEXT = """
bert roberta distilbert deberta deberta-v2 electra albert gpt2 gpt_neo gpt_neox opt bloom llama mistral qwen2
qwen3 gemma gemma2 phi phi3 falcon mpt stablelm starcoder2 olmo cohere camembert xlm-roberta mobilebert
squeezebert nystromformer convbert rembert ernie layoutlm megatron-bert codegen gptj persimmon granite
roformer
"""
SIZES: Mapping[str, Any] = {
    ("hidden_size max_position_embeddings n_embd dim word_embed_proj_dim embedding_size d_model n_positions n_ctx"): 64,
    ("num_hidden_layers num_key_value_heads n_layer n_layers num_layers bos_token_id encoder_layers decoder_layers"): 2,
    "num_attention_heads n_head n_heads encoder_attention_heads decoder_attention_heads": 4,
    "intermediate_size hidden_dim ffn_dim n_inner d_ff encoder_ffn_dim decoder_ffn_dim": 128,
    "vocab_size": 99,
    "head_dim d_kv": 16,
    "rotary_dim": 8,
    "pad_token_id": 0,
    "eos_token_id": 1,
    "sliding_window": 32,
    "use_cache": False,
}
SMALL: dict[str, Any] = {name: value for names, value in SIZES.items() for name in names.split()}
"""What is set of a configuration where it has such a field."""
WIDER: Mapping[str, int] = {"hidden_size": 256, "num_hidden_layers": 4, "intermediate_size": 1024, "head_dim": 64}
"""What stands for a whole line of `SIZES` in models that are to be timed."""
WORDS = 16


def widen() -> None:
    """Make every model of this list four layers deep and 256 wide."""
    for names in SIZES:
        larger = next((WIDER[name] for name in names.split() if name in WIDER), None)
        if larger is not None:
            SMALL.update(dict.fromkeys(set(names.split()) - {"num_key_value_heads", "bos_token_id"}, larger))


def entries() -> Iterator[Entry]:
    """Text models by their base class, then encoders, images and sound."""
    for kind in TEXT.split():
        yield Entry("transformers", kind, partial(_text, kind), _ids, {"input_ids": {0: "B"}})
    for kind in ("mixtral", "qwen2_moe", "qwen3_moe", "olmoe"):
        yield Entry(
            "transformers", f"{kind}, experts in a batch", partial(_experts, kind), _ids, {"input_ids": {0: "B"}}
        )
    yield Entry("transformers", "mixtral", partial(_text, "mixtral"), _ids, {"input_ids": {0: "B"}})
    yield Entry("transformers", "t5 encoder", _t5, _ids, {"input_ids": {0: "B"}})
    yield Entry("transformers", "bart encoder", _bart, _ids, {"input_ids": {0: "B"}})
    for kind in (
        "vit",
        "deit",
        "swin",
        "convnext",
        "segformer",
        "beit",
        "dinov2",
        "poolformer",
        "resnet",
        "regnet",
        "levit",
    ):
        yield Entry("transformers", kind, partial(_vision, kind), partial(_pixels, 64), {"pixel_values": {0: "B"}})
    for kind in ("vit", "beit", "dinov2"):
        yield Entry(
            "transformers", f"{kind}, with its head", partial(_classifying, kind), partial(_pixels, 64),
            {"pixel_values": {0: "B"}},
        )  # fmt: skip
    for kind in ("bert", "distilbert"):
        yield Entry("transformers", f"{kind}, with its head", partial(_sorting, kind), _ids, {"input_ids": {0: "B"}})
    for kind in ("gpt2", "llama", "qwen3"):
        yield Entry("transformers", f"{kind}, with its head", partial(_speaking, kind), _ids, {"input_ids": {0: "B"}})
    yield Entry("transformers", "clip vision", _clip, partial(_pixels, 64), {"pixel_values": {0: "B"}})
    yield Entry("transformers", "whisper encoder", _whisper, _mels, {"input_features": {0: "B"}})
    for kind in ("wav2vec2", "hubert"):
        yield Entry("transformers", kind, partial(_sound, kind), _waves, {"input_values": {0: "B"}})


def _configured(kind: str, **more: Any) -> Any:
    config = transformers.AutoConfig.for_model(kind)
    for name, value in {**SMALL, **more}.items():
        if name in config.to_dict() and not isinstance(getattr(config, name), (list, tuple)):
            setattr(config, name, value)
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[:2]
    if kind == "gpt_neo":
        config.attention_types, config.attention_layers = [[["global", "local"], 1]], ["global", "local"]
    return config


def _text(kind: str) -> nn.Module:
    return transformers.AutoModel.from_config(_configured(kind))


def _experts(kind: str) -> nn.Module:
    """A mixture of experts by plain operators; by default transformers calls an operator of its own for them."""
    config = _configured(kind, num_local_experts=4, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=48)
    config._experts_implementation = "batched_mm"  # noqa: SLF001 - what its own loader sets
    return transformers.AutoModel.from_config(config)


def _t5() -> nn.Module:
    return transformers.T5EncoderModel(_configured("t5"))


def _bart() -> nn.Module:
    return transformers.BartModel(_configured("bart")).get_encoder()


def _vision(kind: str) -> nn.Module:
    config = _configured(kind, image_size=64, patch_size=16)
    if kind in ("swin", "poolformer", "segformer", "levit", "cvt"):
        config = transformers.AutoConfig.for_model(kind, **VISION.get(kind, {}))
    if kind in ("convnext", "resnet", "regnet"):
        config = transformers.AutoConfig.for_model(
            kind, hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 2, 1], embedding_size=16, groups_width=8
        )
    return transformers.AutoModel.from_config(config)


def _classifying(kind: str) -> nn.Module:
    return transformers.AutoModelForImageClassification.from_config(_configured(kind, image_size=64, patch_size=16))


def _sorting(kind: str) -> nn.Module:
    return transformers.AutoModelForSequenceClassification.from_config(_configured(kind))


def _speaking(kind: str) -> nn.Module:
    return transformers.AutoModelForCausalLM.from_config(_configured(kind))


VISION: Mapping[str, Mapping[str, Any]] = {
    "swin": {
        "image_size": 64,
        "patch_size": 4,
        "window_size": 4,
        "embed_dim": 24,
        "depths": [2, 2],
        "num_heads": [2, 4],
    },
    "segformer": {"hidden_sizes": [16, 32, 40, 64], "depths": [1, 1, 1, 1]},
    "levit": {
        "image_size": 64,
        "hidden_sizes": [32, 48, 64],
        "num_attention_heads": [2, 3, 4],
        "depths": [1, 1, 1],
        "key_dim": [8, 8, 8],
    },
    "poolformer": {"hidden_sizes": [16, 32, 48, 64], "depths": [1, 1, 1, 1]},
    "cvt": {"embed_dim": [16, 32, 64], "num_heads": [1, 2, 4], "depth": [1, 1, 2]},
}


def _clip() -> nn.Module:
    return transformers.CLIPVisionModel(
        transformers.CLIPVisionConfig(
            **{k: SMALL[k] for k in ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")},
            image_size=64,
            patch_size=16,
        )
    )


def _whisper() -> nn.Module:
    config = transformers.WhisperConfig(
        d_model=64,
        encoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=128,
        decoder_ffn_dim=128,
        decoder_layers=2,
        max_source_positions=50,
        num_mel_bins=20,
    )
    return transformers.WhisperModel(config).get_encoder()


def _sound(kind: str) -> nn.Module:
    config = transformers.AutoConfig.for_model(
        kind, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128, conv_dim=[32, 32, 32],
        conv_kernel=[10, 3, 3],
        conv_stride=[5, 2, 2], num_feat_extract_layers=3, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4,
    )  # fmt: skip
    return transformers.AutoModel.from_config(config)


def _ids(batch: int) -> Mapping[str, Tensor]:
    return {"input_ids": torch.randint(3, 90, (batch, WORDS), generator=torch.Generator().manual_seed(batch))}


def _pixels(side: int, batch: int) -> Mapping[str, Tensor]:
    return {"pixel_values": torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(batch))}


def _mels(batch: int) -> Mapping[str, Tensor]:
    return {"input_features": torch.randn(batch, 20, 100, generator=torch.Generator().manual_seed(batch))}


def _waves(batch: int) -> Mapping[str, Tensor]:
    return {"input_values": torch.randn(batch, 1600, generator=torch.Generator().manual_seed(batch))}
