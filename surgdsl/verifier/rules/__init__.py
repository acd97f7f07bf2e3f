"""The rules that a step may be an instance of: the trusted base, one schema a file, in a literal table."""

from __future__ import annotations

from functools import partial

from surgdsl.verifier.rules import fake_quantize, mask, prune, quantize, recover
from surgdsl.verifier.rules.schema import Rule

RULES: dict[str, Rule] = {
    "adjust/1": Rule("opaque", "", recover.adjusted),
    "fake-quantize/1": Rule("lossy", "", fake_quantize.check),
    "mask/1": Rule("exact", "nnz/1", mask.check),
    "prune-channels/1": Rule("exact", "params/1", prune.check),
    "quantize-affine/1": Rule("bounded", "size/1", partial(quantize.check, "affine")),
    "quantize-codebook/1": Rule("bounded", "size/1", partial(quantize.check, "codebook")),
    "recover/1": Rule("opaque", "", recover.check),
}
