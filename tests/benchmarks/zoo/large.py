"""A language model of seven billion parameters, without its weights: captured, its axes listed, a cut costed.

Part of `make zoo-peers`. Prints seconds and the memory of the process; the limits are 60 s and 2 GiB.
"""

from __future__ import annotations

import os
import resource
import sys
import time

os.environ["HF_HUB_OFFLINE"] = "1"

import shim  # noqa: F401  # must come before torchvision, which transformers imports
import torch
import transformers

import surgdsl


def main() -> None:
    """Measure each stage."""
    torch.set_num_threads(1)
    start = time.perf_counter()
    with torch.device("meta"):
        module = transformers.LlamaForCausalLM(transformers.LlamaConfig(use_cache=False)).eval()
        tokens = torch.zeros(2, 16, dtype=torch.int64)
    told(start, f"built, {sum(one.numel() for one in module.parameters()):,} parameters")
    model = surgdsl.capture(module, (), {"input_ids": tokens}, {"input_ids": {0: "B"}})
    told(start, "captured")
    axes = [axis for axis in surgdsl.axes(model) if axis.pinned is None and axis.natural]
    told(start, f"{len(axes)} axes can be cut exactly")
    small = surgdsl.restrict(model, {axis.name: range(int(0.75 * int(str(axis.size)))) for axis in axes})
    told(start, f"all cut to 75 %: {small.cost('params'):,} parameters, {small.cost('macs'):,} macs a row")
    told(start, f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB of memory")


def told(start: float, what: str) -> None:
    """Say what is done, and when."""
    sys.stdout.write(f"{time.perf_counter() - start:7.1f} s  {what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
