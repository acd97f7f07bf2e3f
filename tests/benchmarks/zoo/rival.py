"""What torch-pruning 1.6.1 makes of a small network: two outputs of its first layer, and all that goes along, cut.

Held against the same network with what it cut set to zero, by its own account of what that is. Each network has a
process of its own, since some never end: `python rival.py NAME`. Without a name, what comes of all adversaries goes to
build/zoo/rival.json, where the page of the zoo takes it from.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(Path(__file__).parent), str(HOUSE)]

LIMIT = 60
CUT = [0, 2]
TOLERANCE = 1e-5


def main() -> None:
    """One network, or all of them."""
    if sys.argv[1:]:
        sys.stdout.write(found(sys.argv[1]) + "\n")
        return
    from tests.bridge.adversaries import ADVERSARIES

    verdicts = {name: verdict(name) for name in ADVERSARIES}
    folder = HOUSE / "build" / "zoo"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rival.json").write_text(json.dumps(verdicts, indent=1), encoding="utf-8")


def verdict(name: str) -> str:
    """In a few words what comes of an adversary, by another process."""
    command = [sys.executable, __file__, name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return f"no result within {LIMIT} s"
    if done.returncode:
        return f"fails: {' '.join(done.stderr.strip().splitlines()[-1:])[:70]}"
    return done.stdout.strip().splitlines()[-1]


def found(name: str) -> str:
    """The same, in this process."""
    import torch
    import torch_pruning as tp

    from tests.bridge.adversaries import ADVERSARIES
    from tests.bridge.awkward import named

    warnings.filterwarnings("ignore")
    case = ADVERSARIES[name].case
    module, inputs = named(case), case.inputs(3)
    before = module(*inputs)
    kinds: dict[type[torch.nn.Module], Any] = {
        torch.nn.Conv2d: tp.prune_conv_out_channels,
        torch.nn.Linear: tp.prune_linear_out_channels,
        torch.nn.Embedding: tp.prune_embedding_out_channels,
    }
    layers = [part for part in module.modules() if type(part) in kinds]
    if len(layers) < 2:
        return "no layer to start from but the last"
    graph = tp.DependencyGraph().build_dependency(module, example_inputs=inputs)
    group = graph.get_pruning_group(layers[0], kinds[type(layers[0])], idxs=CUT)
    if not graph.check_pruning_group(group):
        return "refuses"
    zeroed, shared = _zeroed(module, graph, group), _shared(module)
    group.prune()
    if _shared(module) < shared:
        return "**unties** the weight"
    after, wanted = module(*inputs), zeroed(*inputs)
    if after.shape != before.shape:
        return f"**the output shrinks** from {tuple(before.shape)} to {tuple(after.shape)}"
    difference = float((after - wanted).abs().max() / wanted.abs().max())
    return "exact" if difference <= TOLERANCE else f"**another function, untold**: {difference:.0e} off"


def _shared(module: Any) -> int:
    """How often a parameter is another one's."""
    named = list(module.named_parameters(remove_duplicate=False))
    return len(named) - len({id(one) for _, one in named})


def _zeroed(module: Any, graph: Any, group: Any) -> Any:
    """A copy with zero at the indices that the group names."""
    import torch

    names = {id(part): name for name, part in module.named_modules()}
    made = copy.deepcopy(module)
    with torch.no_grad():
        for dependency, indices in group:
            part = dependency.target.module
            if not isinstance(part, torch.nn.Module) or id(part) not in names or not hasattr(part, "weight"):
                continue
            twin = made.get_submodule(names[id(part)])
            out = graph.is_out_channel_pruning_fn(dependency.handler) != isinstance(part, torch.nn.Embedding)
            along = 0 if out or twin.weight.dim() == 1 else 1
            twin.weight.index_fill_(along, torch.tensor(indices), 0.0)
            if along == 0 and getattr(twin, "bias", None) is not None:
                twin.bias.index_fill_(0, torch.tensor(indices), 0.0)
    return made


if __name__ == "__main__":
    main()
