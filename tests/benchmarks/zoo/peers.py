"""Speed beside torch-pruning 1.6.1: same models, same process, one thread. `make zoo-peers`, on a quiet machine.

Each model has a process of its own for both sides, so that one that hangs is stopped. Writes docs/speed.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).resolve().parents[3]
LIMIT = 60
REPEATS = 3
MODELS = (
    ("vision", "resnet18"), ("vision", "resnet50"), ("vision", "mobilenet_v2"), ("vision", "mobilenet_v3_large"),
    ("vision", "densenet121"), ("vision", "efficientnet_b0"), ("vision", "regnet_y_400mf"), ("vision", "googlenet"),
    ("vision", "vgg16_bn"), ("vision", "squeezenet1_1"), ("vision", "resnext50_32x4d"), ("vision", "inception_v3"),
    ("vision", "convnext_tiny"), ("vision", "shufflenet_v2_x1_0"), ("vision", "vit_b_16"), ("vision", "swin_t"),
    ("vision", "maxvit_t"), ("image", "deit: deit_tiny_patch16_224"), ("language", "bert"), ("language", "vit"),
    ("language", "gpt2"), ("language", "opt"), ("language", "t5 encoder"), ("language", "llama"),
)  # fmt: skip


def main() -> None:
    """Measure every model, or one of them as a child."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", nargs=2, metavar=("GROUP", "NAME"))
    given = parser.parse_args()
    if given.child:
        _child(*given.child)
        return
    rows = [{"group": group, "name": name, **measured(group, name)} for group, name in MODELS]
    speed = HOUSE / "docs" / "speed.md"
    _, heading, growth = speed.read_text(encoding="utf-8").partition("\n## Growth\n")
    speed.write_text(page(rows) + heading + growth, encoding="utf-8")


def measured(group: str, name: str) -> dict[str, Any]:
    """Both sides of one model in one process, stopped when the second hangs."""
    command = [sys.executable, __file__, "--child", group, name]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        printed, told = child.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        child.kill()
        printed, told = child.communicate()
        told = f"no result within {LIMIT} s"
    rows = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    failure = {"failure": " ".join(told.strip().splitlines()[-1:])[:90]}
    found: dict[str, Any] = dict(zip(("surgdsl", "torch-pruning"), (*rows, failure, failure), strict=False))
    sys.stdout.write(f"{name:28} {found}\n")
    sys.stdout.flush()
    return found


def _child(group: str, name: str) -> None:
    entry, build = _opened(group, name)
    _warm()
    for side in (ours, theirs):
        sys.stdout.write("\n" + json.dumps(side(entry, build)) + "\n")
        sys.stdout.flush()


def _opened(group: str, name: str) -> tuple[Any, Callable[[], Any]]:
    import importlib

    import torch

    sys.path.insert(0, str(Path(__file__).parent))
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    family = importlib.import_module(group)
    if group == "language":
        family.widen()
    entries = family.entries(224) if group == "vision" else family.entries()
    entry = next(one for one in entries if one.name == name)

    def build() -> Any:
        torch.manual_seed(0)
        return entry.build().eval()

    return entry, build


def _warm() -> None:
    """What only the first use in a process pays, on both sides, is paid before the clocks run."""
    import torch
    import torch_pruning as tp

    import surgdsl

    small = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.ReLU()).eval()
    rows = torch.randn(2, 3, 8, 8)
    surgdsl.axes(surgdsl.capture(small, (rows,)))
    list(tp.DependencyGraph().build_dependency(small, example_inputs=rows).get_all_groups())


def ours(entry: Any, build: Callable[[], Any]) -> dict[str, Any]:
    """Capture, analysis, and the cut of every free axis to 70 %, then a forward run."""
    import torch
    from judging import flat

    import surgdsl
    from surgdsl.operations.coupling import couple

    module = build()
    args, kwargs = entry.arguments(2)
    captured = middle(lambda: surgdsl.capture(module, args, kwargs))
    model = surgdsl.capture(module, args, kwargs)
    analysis = middle(lambda: couple(model.state.net))
    free = [
        axis for axis in surgdsl.axes(model) if axis.pinned is None and isinstance(axis.size, int) and axis.size > 1
    ]
    keep = {axis.name: range(max(1, round(0.7 * int(str(axis.size))))) for axis in free}
    cut = middle(lambda: surgdsl.restrict(model, keep))
    with torch.no_grad():
        inputs = (kwargs[port] for port, _ in model.state.net.inputs)
        flat(surgdsl.restrict(model, keep).module()(*inputs))
    return {"capture": captured, "analysis": analysis, "cut": cut, "axes": len(free)}


def theirs(entry: Any, build: Callable[[], Any]) -> dict[str, Any]:
    """Dependency graph, all groups, and a step at 30 %, then a forward run."""
    import torch
    import torch_pruning as tp

    _, kwargs = entry.arguments(2)
    module = build()
    groups: list[Any] = []
    analysis = middle(
        lambda: groups.extend(tp.DependencyGraph().build_dependency(module, example_inputs=kwargs).get_all_groups())
    )

    def step() -> Any:
        module = build()
        last = [part for part in module.modules() if isinstance(part, (torch.nn.Linear, torch.nn.Conv2d))][-1]
        start = time.perf_counter()
        pruner = tp.pruner.BasePruner(
            module, kwargs, importance=tp.importance.MagnitudeImportance(p=2), pruning_ratio=0.3, ignored_layers=[last]
        )
        pruner.step()
        return time.perf_counter() - start, module

    steps = [step() for _ in range(REPEATS)]
    seconds = statistics.median(seconds for seconds, _ in steps)
    found: dict[str, Any] = {"analysis": analysis, "cut": seconds, "groups": len(groups) // REPEATS}
    with torch.no_grad():
        try:
            steps[0][1](**kwargs)
        except Exception as error:  # noqa: BLE001 - what happened is in the row
            found["broken"] = " ".join(str(error).split())[:70]
    return found


def middle(work: Callable[[], object]) -> float:
    """The median seconds of a few runs."""
    found: list[float] = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def page(rows: list[dict[str, Any]]) -> str:
    """The table, and the medians of the ratios over models where both have a result."""
    lines = [HEAD]
    ratios: dict[str, list[float]] = {"analysis": [], "analysis + cut": [], "with capture": []}
    for row in rows:
        one, other = row["surgdsl"], row["torch-pruning"]
        cells = [row["name"], *_cells(one, ("capture", "analysis", "cut")), *_cells(other, ("analysis", "cut"))]
        if "failure" not in one and "failure" not in other:
            ratios["analysis"].append(other["analysis"] / one["analysis"])
            ratios["analysis + cut"].append((other["analysis"] + other["cut"]) / (one["analysis"] + one["cut"]))
            total = one["capture"] + one["analysis"] + one["cut"]
            ratios["with capture"].append(total / (other["analysis"] + other["cut"]))
        lines.append(f"| {' | '.join(cells)} | {other.get('failure') or other.get('broken', '')} |\n")
    lines.append("\nOver the models where both have a result, medians: ")
    lines.append(f"analysis {statistics.median(ratios['analysis']):.0f} times faster, ")
    lines.append(f"analysis and cut {statistics.median(ratios['analysis + cut']):.1f} times faster, ")
    lines.append(f"capture included {statistics.median(ratios['with capture']):.2f} times its total.\n")
    return "".join(lines)


HEAD = """# Speed

Seconds, beside torch-pruning 1.6.1: same models with random weights (images of 224 pixels; text models of 4 layers and
256 channels), both sides of a model in one warm process with one thread, medians of three. `make zoo-peers` makes this
page. Analysis is the axes of a captured net against its dependency graph with all groups; cut is every free axis to
70 % against a pruner's step at 30 % (importance included, the last layer ignored).

| model | surgdsl capture | analysis | cut | torch-pruning analysis | step | what went wrong there |
|---|---|---|---|---|---|---|
"""


def _cells(found: dict[str, Any], keys: tuple[str, ...]) -> list[str]:
    return [f"{found[key]:.3f}" if key in found else "–" for key in keys]


if __name__ == "__main__":
    main()
