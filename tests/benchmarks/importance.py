"""Criteria against the truth: every channel of a trained net is taken out alone, and what the loss does is compared.

The rank correlation (Spearman) of each criterion with that loss, beside torch-pruning's criteria in the same run where
it is installed. Criteria see training rows, the loss is of held-out rows. Prints the table and writes it into
docs/importance.md; under two minutes on a quiet machine: `make bench-importance`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray
from safetensors.torch import load_file
from scipy.stats import spearmanr
from torch import nn
from torch.nn import functional

from surgdsl.bridge.capture import capture
from surgdsl.bridge.source import Rows
from surgdsl.importance.scoring import Judge
from surgdsl.language.criterion import Setting
from surgdsl.language.functions import standard
from surgdsl.operations.coupling import couple

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "importance.md"
HEADING = "\n## Measured\n"
BLOCKS = ("block1", "block2", "block3", "block4", "block5")
ROWS, HELD_OUT = 256, 500
"""Training rows that criteria see, and other rows on which the loss is taken."""
INTRODUCTION = """\
`make bench-importance`: the trained net of `examples/mnist_cnn.py`. Each of its {channels} channels is put to zero
alone ({seconds:.0f} s), and the rise of the loss on {held_out} held-out rows is compared with what a criterion says of
{rows} training rows: the rank correlation within each layer, averaged over the five layers, and that over all channels
at once. Behind the name stands the reduction, where it is not the sum. The ablation of the training rows themselves is
in the table too: it is what a criterion can hope for. (The Hessian of torch-pruning 1.6.1 keeps the square of the last
row alone: it is asked for by name and stored by parameter.)
"""
Scores = Mapping[str, NDArray[np.float64]]
"""By block, one for each channel."""

SEED: tuple[str, Setting] = ("seed", 0)
CRITERIA: tuple[tuple[str, tuple[tuple[str, Setting], ...], str], ...] = (
    ("random", (SEED,), "sum"),
    ("magnitude", (), "sum"),
    ("magnitude", (), "first"),
    ("magnitude", (), "max"),
    ("l2", (), "sum"),
    ("lp", (("p", 4),), "sum"),
    ("relative", (), "sum"),
    ("lamp", (), "sum"),
    ("bn_scale", (), "sum"),
    ("fpgm", (), "sum"),
    ("fpgm", (), "first"),
    ("synflow", (), "sum"),
    ("activation_mean", (), "sum"),
    ("activation_norm", (), "sum"),
    ("apoz", (), "sum"),
    ("wanda", (), "sum"),
    ("obs", (("damping", "1/100"),), "sum"),
    ("gradient", (), "sum"),
    ("snip", (), "sum"),
    ("sensitivity", (), "sum"),
    ("movement", (("steps", 50), ("rate", "1/100"), SEED), "sum"),
    ("grasp", (("temperature", 200),), "sum"),
    ("grasp", (("temperature", 200),), "abs"),
    ("first_order", (), "abs"),
    ("taylor_abs", (), "sum"),
    ("taylor", (), "sum"),
    ("fisher", (), "sum"),
    ("fisher_damage", (), "sum"),
    ("fisher_channel", (), "sum"),
    ("hessian", (("probes", 8), SEED), "sum"),
    ("hessian_trace", (("probes", 8), SEED), "sum"),
)
"""Name, arguments, and how the scores of what goes with a channel come together."""


@frozen
class Line:
    """What is told of one criterion."""

    name: str
    layers: float
    """The mean over the layers of the rank correlation within each."""
    whole: float
    """The rank correlation over all channels of the net."""
    seconds: float


def subject() -> tuple[nn.Sequential, ModuleType]:
    """The trained net, and the module that builds it and its rows."""
    sys.path.insert(0, str(ROOT / "examples"))
    import mnist_cnn

    net = mnist_cnn.build()
    net.load_state_dict(load_file(ROOT / "examples" / "mnist_cnn.safetensors"))
    return net.eval(), mnist_cnn


def spread(images: torch.Tensor, labels: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """So many rows at equal distances, since the file has one class after the other."""
    chosen = torch.arange(count) * (len(images) // count)
    return images[chosen], labels[chosen]


def ablated(net: nn.Sequential, images: torch.Tensor, labels: torch.Tensor) -> Scores:
    """By how much the mean loss rises when what a channel carries is put to zero, as a cut does; each channel alone."""
    found: dict[str, NDArray[np.float64]] = {}
    names = [name for name, _ in net.named_children()]
    with torch.no_grad():
        whole = functional.cross_entropy(net(images), labels).item()
        for place, name in enumerate(names):
            if name not in BLOCKS:
                continue
            made, rest = net[: place + 1](images), nn.Sequential(*[*net][place + 1 :])
            found[name] = np.array([_without(made, rest, labels, one) - whole for one in range(made.shape[1])])
    return found


def _without(made: torch.Tensor, rest: nn.Sequential, labels: torch.Tensor, channel: int) -> float:
    kept = made[:, channel].clone()
    made[:, channel] = 0
    value = functional.cross_entropy(rest(made), labels).item()
    made[:, channel] = kept
    return value


def ours(net: nn.Sequential, rows: Rows) -> Iterator[tuple[str, Callable[[], Scores]]]:
    """The criteria of the library, each to be asked."""
    state = capture(net, (torch.from_numpy(rows.inputs[0][:2].copy()),), dynamic={"input": {0: "B"}})
    coupling = couple(state.net)
    axes = {axis: axis.name.partition(".")[0] for axis in coupling.prunable if coupling.natural(axis)}
    for name, settings, reduction in CRITERIA:
        criterion = standard(name, *settings)
        judge = Judge(criterion, rows, None, reduction)

        def asked(judge: Judge = judge) -> Scores:
            return {axes[axis]: one for axis, one in judge.axes(state, coupling, [*axes]).items()}

        yield criterion.text + ("" if reduction == "sum" else f", {reduction}"), asked


def theirs(net: nn.Sequential, rows: Rows) -> Iterator[tuple[str, Callable[[], Scores]]]:
    """The criteria of torch-pruning with their defaults, where it is installed; derivatives are made while asked."""
    try:
        import torch_pruning as tp
    except ImportError:
        return
    library: Any = tp.importance
    images, labels = torch.from_numpy(rows.inputs[0].copy()), torch.from_numpy(rows.labels.copy())
    graph = tp.DependencyGraph().build_dependency(net, example_inputs=images[:2])
    convs: dict[str, Any] = {block: net.get_submodule(f"{block}.conv") for block in BLOCKS}

    def asked(scorer: Any, before: Before | None) -> Scores:
        if before is not None:
            before(net, images, labels, scorer)
        groups = {
            block: graph.get_pruning_group(conv, tp.prune_conv_out_channels, idxs=list(range(conv.out_channels)))
            for block, conv in convs.items()
        }
        return {block: scorer(group).detach().double().numpy() for block, group in groups.items()}

    table: tuple[tuple[str, Any, Before | None], ...] = (
        ("random", library.RandomImportance(), None),
        ("magnitude, p = 1", library.GroupMagnitudeImportance(p=1), None),
        ("magnitude, p = 2", library.GroupMagnitudeImportance(p=2), None),
        ("LAMP", library.LAMPImportance(), None),
        ("BN scale", library.BNScaleImportance(), None),
        ("FPGM", library.FPGMImportance(), None),
        ("Taylor", library.GroupTaylorImportance(), slopes),
        ("Taylor, multivariable", library.GroupTaylorImportance(multivariable=True), slopes),
        ("Hessian", library.GroupHessianImportance(), squares),
    )
    for name, scorer, before in table:
        yield (
            f"torch-pruning {version('torch-pruning')}: {name}",
            lambda scorer=scorer, before=before: asked(scorer, before),
        )


Before = Callable[[nn.Module, torch.Tensor, torch.Tensor, Any], None]
"""What torch-pruning's criteria want to have been done before they are asked."""


def slopes(net: nn.Module, images: torch.Tensor, labels: torch.Tensor, _: Any) -> None:
    """The gradient of all rows."""
    net.zero_grad()
    functional.cross_entropy(net(images), labels).backward()


def squares(net: nn.Module, images: torch.Tensor, labels: torch.Tensor, scorer: Any) -> None:
    """The gradient of each row, handed over one after the other; each is run alone, which takes a tenth of the time."""
    scorer.zero_grad()
    for image, label in zip(images, labels, strict=True):
        net.zero_grad()
        functional.cross_entropy(net(image[None]), label[None]).backward()
        scorer.accumulate_grad(net)


def told(name: str, ask: Callable[[], Scores], truth: Scores) -> Line:
    """The correlations of one criterion, and how long it took."""
    start = time.perf_counter()
    scores = ask()
    seconds = time.perf_counter() - start
    within = [_correlated(scores[block], truth[block]) for block in BLOCKS]
    whole = _correlated(*(np.concatenate([one[block] for block in BLOCKS]) for one in (scores, truth)))
    return Line(name, float(np.mean(within)), whole, seconds)


def _correlated(scores: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    if (scores == scores[0]).all():  # a criterion that tells nothing apart
        return 0.0
    found: Any = spearmanr(scores, truth)
    return float(found.statistic)


def text(lines: list[Line], channels: int, seconds: float) -> str:
    """The section of the page."""
    best = sorted(lines, key=lambda one: -one.layers)
    rows = [f"| {one.name} | {one.layers:.2f} | {one.whole:.2f} | {one.seconds:.2f} |" for one in best]
    return "\n".join(
        (
            HEADING,
            INTRODUCTION.format(channels=channels, seconds=seconds, held_out=HELD_OUT, rows=ROWS),
            "| criterion | within layers | whole net | seconds |",
            "|---|---|---|---|",
            *rows,
            "",
        )
    )


def main() -> None:
    """Print the table and write it into the page."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    net, module = subject()
    images, labels = spread(*module.test(), count=HELD_OUT)
    start = time.perf_counter()
    truth = ablated(net, images, labels)
    seconds = time.perf_counter() - start
    seen, answers = spread(*module.train(), count=ROWS)
    rows = Rows("train", (seen.numpy(),), answers.numpy())
    lines = [told("ablation on the training rows", lambda: ablated(net, seen, answers), truth)]
    for side in (ours, theirs):
        for name, ask in side(net, rows):
            lines.append(told(name, ask, truth))
            sys.stderr.write(f"{lines[-1]}\n")
    section = text(lines, sum(len(one) for one in truth.values()), seconds)
    sys.stdout.write(section)
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page.partition(HEADING)[0] + section, encoding="utf-8")


if __name__ == "__main__":
    main()
