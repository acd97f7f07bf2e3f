"""The rules that a step may be an instance of: the trusted base, one schema a file, in a literal table."""

from __future__ import annotations

from surgdsl.verifier.rules.adjust import ADJUST
from surgdsl.verifier.rules.fake_quantize import FAKE_QUANTIZE
from surgdsl.verifier.rules.mask import MASK
from surgdsl.verifier.rules.prune import PRUNE
from surgdsl.verifier.rules.quantize import AFFINE, CODEBOOK
from surgdsl.verifier.rules.recover import RECOVER
from surgdsl.verifier.rules.schema import Rule

RULES: dict[str, Rule] = {
    "adjust/1": ADJUST,
    "fake-quantize/1": FAKE_QUANTIZE,
    "mask/1": MASK,
    "prune-channels/1": PRUNE,
    "quantize-affine/1": AFFINE,
    "quantize-codebook/1": CODEBOOK,
    "recover/1": RECOVER,
}
