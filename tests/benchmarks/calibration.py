"""What calibration gives back without labels and without training: statistics, biases, grids and scales.

Ten small CNNs, trained from ten seeds on scikit-learn's 8x8 digits; the committed MNIST CNN; and a residual network of
layer norms and linear layers in which a few channels carry values a hundred times as large. Prints the tables of
docs/calibration.md. A few minutes; seeded.
"""

from __future__ import annotations

import itertools
import sys
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from torch import nn

from surgdsl.bridge.capture import capture
from surgdsl.bridge.running import deterministic, predict
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Source
from surgdsl.execution.carrying import carry
from surgdsl.language import program
from surgdsl.planning.opening import Opened
from surgdsl.planning.plan import plan

HERE = Path(__file__).resolve()
EXAMPLES = HERE.parents[2] / "examples"
SEEDS = 10
HEAD = """surg 1
use std.importance.magnitude
use std.rules.{correct_bias, equalize, fold_batchnorm, prune_channels, quantize, quantize_activations, recalibrate}
use std.rules.smooth_scales
model net : (x: f32[B, 4]) -> (y: f32[B, 3]) { source = python("net:build") }
data train { source = python("net:rows") }
surgery slim on net {
"""
GRIDS = 'quantize(bits = {0}bit, scheme = "affine") @**'
INPUTS = 'quantize_activations(bits = {0}bit, range = "{1}", calibrate = train) @**'
FOLD = "exhaustively fold_batchnorm @**"


def say(line: str) -> None:
    """A line of a table."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def done(start: State, train: Rows, steps: Sequence[str]) -> State:
    """The state after these steps, one after the other."""
    names = [f"s{number}" for number in range(len(steps))]
    lines = [f"  step {name} = apply {step}\n" for name, step in zip(names, steps, strict=True)]
    order = f"  order {' >> '.join(names)}\n" if len(names) > 1 else ""
    made = program(Source("slim.surg", f"{HEAD}{''.join(lines)}{order}}}\n"))
    opened = Opened(made, made.surgery("slim"), start, None, {"train": train})
    return carry(plan(opened), lambda *_: None).final


def accuracy(state: State, rows: Rows) -> float:
    """The share of rows that are predicted rightly, in percent."""
    return 100 * float(np.mean(predict(state, rows) == rows.labels))


def rows(name: str, inputs: torch.Tensor, labels: torch.Tensor) -> Rows:
    """Labelled rows."""
    return Rows(name, (inputs.numpy(),), labels.numpy())


# ---- digits -------------------------------------------------------------------------------------


def digits() -> tuple[Rows, Rows]:
    """Training rows and held-out rows of the 8x8 digits, as images."""
    sys.path.insert(0, str(EXAMPLES))
    import digits_mlp

    (x, y), (u, v) = digits_mlp.train(), digits_mlp.test()
    return rows("train", x.reshape(-1, 1, 8, 8), y), rows("test", u.reshape(-1, 1, 8, 8), v)


def digits_cnn(seed: int, train: Rows) -> State:
    """A CNN with three batch norms, trained for twelve epochs."""
    torch.manual_seed(seed)
    layers = OrderedDict[str, nn.Module](
        one=nn.Conv2d(1, 16, 3, padding=1, bias=False), n1=nn.BatchNorm2d(16), r1=nn.ReLU(),
        two=nn.Conv2d(16, 32, 3, padding=1, bias=False), n2=nn.BatchNorm2d(32), r2=nn.ReLU(), pool=nn.MaxPool2d(2),
        three=nn.Conv2d(32, 32, 3, padding=1, bias=False), n3=nn.BatchNorm2d(32), r3=nn.ReLU(),
        mean=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), head=nn.Linear(32, 10),
    )  # fmt: skip
    net = nn.Sequential(layers)
    learn(net, train, seed, epochs=12, rate=1e-2)
    return capture(net.eval(), (torch.zeros(2, 1, 8, 8),), dynamic={"input": {0: "B"}})


def learn(net: nn.Module, train: Rows, seed: int, epochs: int, rate: float) -> None:
    """Adam on cross-entropy, batches of 64."""
    inputs, labels = torch.from_numpy(train.inputs[0].copy()), torch.from_numpy(train.labels.copy())
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(net.parameters(), rate)
    net.train()
    for _ in range(epochs):
        for chosen in torch.randperm(len(labels), generator=generator).split(64):
            if len(chosen) > 1:
                optimizer.zero_grad()
                nn.functional.cross_entropy(net(inputs[chosen]), labels[chosen]).backward()
                optimizer.step()


def recalibration() -> None:
    """Half of the channels gone, no training: with the old statistics and with new ones."""
    train, test = digits()
    say("| seed | trained | -50 % channels | with `recalibrate` |\n|---|---|---|---|")
    better = 0
    for seed in range(SEEDS):
        start = digits_cnn(seed, train)
        cut = "prune_channels(keep = 50%) @** by magnitude"
        states = [start, done(start, train, [cut]), done(start, train, [cut, "recalibrate(calibrate = train) @**"])]
        found = [accuracy(state, test) for state in states]
        better += found[2] > found[1]
        say(f"| {seed} | {' | '.join(f'{one:.1f} %' for one in found)} |")
    say(f"\nbetter with new statistics: {better} of {SEEDS} seeds\n")


# ---- MNIST --------------------------------------------------------------------------------------


def mnist() -> tuple[State, Rows, Rows]:
    """The committed CNN, 512 training rows and the held-out rows."""
    sys.path.insert(0, str(EXAMPLES))
    import mnist_cnn
    from safetensors.torch import load_file

    net = mnist_cnn.build()
    net.load_state_dict(load_file(EXAMPLES / "mnist_cnn.safetensors"), strict=False)
    start = capture(net, (torch.zeros(2, 1, 28, 28),), dynamic={"input": {0: "B"}})
    return start, rows("train", *mnist_cnn.train()).take(512), rows("test", *mnist_cnn.test())


def biases() -> None:
    """Round to nearest in few bits, with and without corrected biases; of the digits, the mean of ten networks."""
    start, train, test = mnist()
    small_train, small_test = digits()
    nets = {"mnist_cnn": ([start], train, test)}
    nets["digits CNN"] = [digits_cnn(seed, small_train) for seed in range(SEEDS)], small_train, small_test
    say("| model | grids | bits | before | round to nearest | with `correct_bias` |\n|---|---|---|---|---|---|")
    for name, (states, calibration, held_out) in nets.items():
        for per, bits in itertools.product(("channel", "tensor"), (4, 3, 2)):
            code = f'quantize(bits = {bits}bit, scheme = "affine", per = "{per}") @**'
            ways = ([], [FOLD, code], [FOLD, code, "correct_bias(calibrate = train) @**"])
            made = ([done(one, calibration, way) if way else one for one in states] for way in ways)
            found = [fmean(accuracy(one, held_out) for one in some) for some in made]
            say(f"| {name} | per {per} | {bits} | {' | '.join(f'{one:.1f} %' for one in found)} |")
    say("")


def activations() -> None:
    """Weights and what layers read in few bits, by how ranges are chosen."""
    start, train, test = mnist()
    small_train, small_test = digits()
    nets = {"mnist_cnn": (start, train, test), "digits CNN": (digits_cnn(0, small_train), small_train, small_test)}
    say("| model | bits | before | minmax | percentile | mse |\n|---|---|---|---|---|---|")
    for name, (net, calibration, held_out) in nets.items():
        for weights, inputs in ((8, 8), (4, 8), (4, 4), (3, 3)):
            found = [
                accuracy(done(net, calibration, [FOLD, GRIDS.format(weights), INPUTS.format(inputs, by)]), held_out)
                for by in ("minmax", "percentile", "mse")
            ]
            told = " | ".join(f"{one:.1f} %" for one in (accuracy(net, held_out), *found))
            say(f"| {name} | W{weights}A{inputs} | {told} |")
    say("")


# ---- layer norms with outliers ------------------------------------------------------------------


class Block(nn.Module):
    """A pre-norm residual block."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``x + down(relu(up(norm(x))))``."""
        return x + self.down(torch.relu(self.up(self.norm(x))))


def outliers(train: Rows, factor: float) -> State:
    """A network on the digits whose norms give three channels `factor` times as large, and whose layers read them less.

    The function is that of the trained network: what large models do by themselves is made here by hand.
    """
    torch.manual_seed(0)
    blocks, norm, head = (Block(48), Block(48)), nn.LayerNorm(48), nn.Linear(48, 10)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 48), *blocks, norm, head)
    learn(net, train, 0, epochs=20, rate=3e-3)
    pairs = [*((block.norm, block.up) for block in blocks), (norm, head)]
    with torch.no_grad():
        for before, layer in pairs:
            before.weight[:3] *= factor
            before.bias[:3] *= factor
            layer.weight[:, :3] /= factor
    return capture(net.eval(), (torch.zeros(2, 1, 8, 8),), dynamic={"input": {0: "B"}})


def smoothing() -> None:
    """W8A8 with outlying channels, as they are and with their scale moved into the weights."""
    train, test = digits()
    even = "smooth_scales(alpha = 50%, calibrate = train) @**"
    say("| outliers | bits | before | rounded | with `smooth_scales` |\n|---|---|---|---|---|")
    for factor in (30.0, 100.0, 300.0):
        start = outliers(train, factor)
        for bits in (8, 6):
            steps = [GRIDS.format(bits), INPUTS.format(bits, "minmax")]
            found = [
                accuracy(one, test) for one in (start, done(start, train, steps), done(start, train, [even, *steps]))
            ]
            say(f"| {factor:.0f}x | W{bits}A{bits} | {' | '.join(f'{one:.1f} %' for one in found)} |")
    say("")


if __name__ == "__main__":
    tables = {"recalibration": recalibration, "biases": biases, "activations": activations, "smoothing": smoothing}
    with deterministic(0):
        for table in sys.argv[1:] or tables:
            tables[table]()
