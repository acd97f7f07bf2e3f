"""Random plans of ten steps on architectures of the zoo: one graph hash in every order, the same bytes on threads.

For each plan the verdict of every pair decides which orders are open. Several linear extensions are carried out with
all their values, and one of them side by side on threads. Writes the table of docs/order.md; `make plans`.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from pathlib import Path

import torch
from attrs import frozen

from surgdsl.bridge.capture import capture
from surgdsl.bridge.weight import State
from tests.bridge.zoo import randomised
from tests.planning.plans import carried, extensions, graph_hash, hashes, in_order, needed, opened, random_steps

MODELS = (
    "googlenet", "mnasnet0_5", "mobilenet_v2", "mobilenet_v3_small", "regnet_x_400mf", "resnet18", "resnet34",
    "shufflenet_v2_x0_5", "squeezenet1_0", "squeezenet1_1",
)  # fmt: skip
PLANS, STEPS = 10, 10
ORDERS = {"independent": 2, "open": 3}
"""Linear extensions that are carried out: where only independent pairs are exchanged, and where joinable ones are."""
PAGE = Path(__file__).parents[2] / "docs" / "order.md"
MARKS = "<!-- plans -->\n", "<!-- /plans -->\n"
HEAD = (
    "| model | operations | plans | independent | either order | order matters | orders tried | hashes a plan |\n"
    "|---|---|---|---|---|---|---|---|\n"
)


@frozen
class Found:
    """A plan: how many pairs got which verdict, how many orders were carried out, and to how many hashes they led."""

    verdicts: Counter[str]
    orders: int
    hashes: int


def captured(name: str) -> State:
    """A model of torchvision with random weights."""
    from tests.benchmarks.zoo import shim  # noqa: F401, I001  # must come before torchvision
    import torchvision

    torch.manual_seed(0)
    module = randomised(torchvision.models.get_model(name, weights=None)).eval()
    return capture(module, (torch.zeros(2, 3, 96, 96),), dynamic={"x": {0: "B"}})


def judged(draw: random.Random, state: State) -> Found:
    """One random plan, in several orders and on threads."""
    surgery = opened(state, random_steps(draw, state, STEPS))
    steps = [step.name for step in surgery.surgery.steps]
    least = needed(surgery)
    tried = dict.fromkeys(extensions(draw, steps, least.causes, ORDERS["independent"]))
    tried |= dict.fromkeys(extensions(draw, steps, least.order, ORDERS["open"]))
    found = [*hashes(surgery, tried), graph_hash(carried(in_order(surgery, steps), threads=2))]
    verdicts = Counter(one.verdict for one in least.findings)
    verdicts["order matters"] = len(steps) * (len(steps) - 1) // 2 - len(least.findings)
    return Found(verdicts, len(found), len(set(found)))


def main() -> None:
    """Judge every model, and write the table."""
    rows: list[str] = []
    total, start = list[Found](), time.perf_counter()
    for name in sys.argv[1:] or MODELS:
        state = captured(name)
        plans = [judged(random.Random(f"{name} {number}"), state) for number in range(PLANS)]  # noqa: S311
        rows.append(f"| {name} | {len(state.net.graph.operations):,} {_row(plans)}")
        total += plans
        sys.stdout.write(rows[-1])
        sys.stdout.flush()
    rows.append(f"| all | {_row(total)}")
    sys.stdout.write(f"{rows[-1]}{len(total)} plans in {time.perf_counter() - start:.0f} s\n")
    if not sys.argv[1:]:
        _write(HEAD + "".join(rows))


def _row(plans: list[Found]) -> str:
    verdicts = sum((one.verdicts for one in plans), Counter[str]())
    counts = " | ".join(f"{verdicts[one]:,}" for one in ("independent", "joinable", "order matters"))
    return f"| {len(plans)} | {counts} | {sum(one.orders for one in plans):,} | {max(one.hashes for one in plans)} |\n"


def _write(text: str) -> None:
    before, after = MARKS
    page = PAGE.read_text(encoding="utf-8")
    first, last = page.index(before) + len(before), page.index(after)
    PAGE.write_text(page[:first] + text + page[last:], encoding="utf-8")


if __name__ == "__main__":
    main()
