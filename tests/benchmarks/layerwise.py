"""One layer, solved: the errors that the literature promises, and the same layer beside peers. `make bench-peers`.

Every side starts from the same weight and the same rows, in one process on one thread, and is timed from the rows to
the new weight; its error is taken on those rows in float64. Prints the tables and writes them into docs/curvature.md.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from rivals import PEERS, Problem, Side

from surgdsl.curvature.exact import exact_obs
from surgdsl.curvature.grid import gptq, ranged
from surgdsl.curvature.lowrank import svd, whitened
from surgdsl.curvature.pattern import Few, Share, largest
from surgdsl.curvature.solution import Values, relative_error
from surgdsl.curvature.sparse import refit, sparsegpt
from surgdsl.curvature.structured import structured, without

PAGE = Path(__file__).resolve().parents[2] / "docs" / "curvature.md"
HEADING = "\n## Measured\n"
SIZES = ((64, 128, 2048), (384, 1536, 4096), (1024, 1024, 4096))
"""Outputs, inputs, rows."""
REPEATS = 3
LAYERS = 12


def problem(outputs: int, inputs: int, rows: int, *, correlated: bool = True, seed: int = 0) -> Problem:
    """Gaussian weights; rows are an autoregression (0.9) with log-normal channel scales, or white."""
    generator = np.random.default_rng(seed)
    weight, noise = generator.standard_normal((outputs, inputs)), generator.standard_normal((rows, inputs))
    read = noise.copy()
    for place in range(1, inputs if correlated else 0):
        read[:, place] = 0.9 * read[:, place - 1] + np.sqrt(1 - 0.9**2) * noise[:, place]
    if correlated:
        read *= np.exp(generator.standard_normal(inputs))
    return Problem(torch.from_numpy(weight).float(), torch.from_numpy(read).float())


# What is promised.

PROMISES: tuple[tuple[str, str, float], ...] = (
    ("GPTQ, 4 bit", "nearest, 4 bit", 0.25), ("GPTQ, 3 bit", "nearest, 3 bit", 0.25),
    ("GPTQ, 2 bit", "nearest, 2 bit", 0.25), ("GPTQ act-order, 4 bit", "nearest, 4 bit", 0.15),
    ("GPTQ act-order, 3 bit", "nearest, 3 bit", 0.15), ("GPTQ act-order, 2 bit", "nearest, 2 bit", 0.15),
    ("GPTQ act-order and descent, 4 bit", "GPTQ act-order, 4 bit", 1.0),
    ("GPTQ act-order and descent, 3 bit", "GPTQ act-order, 3 bit", 1.0),
    ("GPTQ act-order and descent, 2 bit", "GPTQ act-order, 2 bit", 1.0),
    ("SparseGPT, 50 %", "magnitude, 50 %", 0.05), ("SparseGPT and descent, 50 %", "SparseGPT, 50 %", 1.0),
    ("exact OBS, 50 %", "SparseGPT, 50 %", 1.0),
    ("SparseGPT refitted, 50 %", "SparseGPT, 50 %", 1.0), ("SparseGPT, 2:4", "magnitude, 2:4", 0.07),
    ("whitened SVD, rank 32", "SVD, rank 32", 0.05), ("structured OBS, −25 %", "L2, −25 %", 0.005),
    ("structured OBS, −25 %", "activation L2, −25 %", 1.0),
)  # fmt: skip


def errors(one: Problem) -> dict[str, float]:
    """The relative error of every method on one layer."""
    weight, gram = one.exact, one.gram()
    half, quarter = weight.size // 2, weight.shape[1] // 4
    found: dict[str, Values] = {}
    for bits in (4, 3, 2):
        grid = ranged(weight, bits)
        found[f"nearest, {bits} bit"] = grid.nearest(weight)
        found[f"GPTQ, {bits} bit"] = gptq(weight, gram, grid, "given", descents=0).values
        found[f"GPTQ act-order, {bits} bit"] = gptq(weight, gram, grid, descents=0).values
        found[f"GPTQ act-order and descent, {bits} bit"] = gptq(weight, gram, grid).values
    swept = sparsegpt(weight, gram, Share(half, "block"), descents=0)
    found["SparseGPT and descent, 50 %"] = sparsegpt(weight, gram, Share(half, "block")).values
    found["magnitude, 50 %"] = weight * largest(np.abs(weight).reshape(1, -1), half).reshape(weight.shape)
    found["SparseGPT, 50 %"] = swept.values
    found["SparseGPT refitted, 50 %"] = refit(weight, gram, swept.kept).values
    found["exact OBS, 50 %"] = exact_obs(weight, gram, half, most=0.75).values
    found["magnitude, 2:4"] = weight * Few(2, 4).kept(np.abs(weight), 0, weight.shape[1])
    found["SparseGPT, 2:4"] = sparsegpt(weight, gram, Few(2, 4), descents=0).values
    rank = 32
    found[f"SVD, rank {rank}"] = svd(weight, gram, rank).values
    found[f"whitened SVD, rank {rank}"] = whitened(weight, gram, rank).values
    norms = np.square(weight).sum(axis=0)
    for name, scores in (("L2", norms), ("activation L2", norms * np.diagonal(gram))):
        gone = np.argsort(scores, kind="stable")[:quarter]
        found[f"{name}, −25 %"] = np.where(np.isin(np.arange(weight.shape[1]), gone), 0.0, weight)
        found[f"{name} refitted, −25 %"] = without(weight, gram, gone).values
    columns = np.arange(weight.shape[1])[:, None]
    found["structured OBS, −25 %"] = structured(weight, gram, columns, quarter).values
    return {name: relative_error(weight, values, gram) for name, values in found.items()}


def promised() -> Iterator[str]:
    """The table of what is promised: medians over LAYERS layers, with correlated rows and with white ones."""
    correlated, white = (
        [errors(problem(*SIZES[0], correlated=one, seed=seed)) for seed in range(LAYERS)] for one in (True, False)
    )
    yield "| method | error | beside | its error | ratio | worst | at most | white: ratio |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, other, most in PROMISES:
        ratios = [one[name] / one[other] for one in correlated]
        plain = np.median([one[name] / one[other] for one in white])
        held = f"{most:g}" if np.median(ratios) <= most else f"**missed: {most:g}**"
        own, its = (np.median([one[called] for one in correlated]) for called in (name, other))
        yield (
            f"| {name} | {own:.3g} | {other} | {its:.3g} | {np.median(ratios):.3g} | {max(ratios):.3g} | {held} "
            f"| {plain:.2f} |"
        )


# The peers.


def compared() -> Iterator[str]:
    """Every peer that is installed, at every size."""
    yield "| task | peer | layer | error | peer's | ratio | ms | peer's | ratio |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for peer in PEERS:
        try:
            tasks = tuple(peer())
        except ImportError as error:
            yield f"| | {peer.__name__}: not installed ({str(error).splitlines()[0]}) | | | | | | | |"
            continue
        for name, who, ours, theirs in tasks:
            for size in SIZES:
                yield _row(name, who, problem(*size), ours, theirs)


def _row(name: str, who: str, one: Problem, ours: Side, theirs: Side) -> str:
    weight, gram, times = one.exact, one.gram(), ([], [])
    found: list[Values] = [ours(one), theirs(one)]  # not timed: what is loaded or compiled once
    for _ in range(REPEATS):
        for place, side in enumerate((ours, theirs)):
            start = time.perf_counter()
            found[place] = side(one)
            times[place].append(1000 * (time.perf_counter() - start))
    mine, other = (relative_error(weight, values, gram) for values in found)
    quick, slow = (min(one) for one in times)
    size = "×".join(map(str, one.weight.shape))
    return (
        f"| {name} | {who} | {size} | {mine:.4g} | {other:.4g} | {mine / other:.4f} | {quick:.3g} | {slow:.3g} "
        f"| {quick / slow:.2f} |"
    )


def main() -> None:
    """Print both tables and write them into the page."""
    torch.set_num_threads(1)
    told = f"Medians over {LAYERS} layers of 64×128 with 2048 rows; *worst* is the largest ratio of them."
    lines = [f"{told} `make bench-peers` prints it.", ""]
    for part in (
        promised(),
        ["", "From the rows to the new weight, the quickest of three, one thread.", ""],
        compared(),
    ):
        for line in part:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
            lines.append(line)
    before, _, _ = PAGE.read_text(encoding="utf-8").partition(HEADING)
    PAGE.write_text(before + HEADING + "\n" + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent / "zoo"))
    import shim  # noqa: F401 - torchvision, which some peers import, needs it on a CPU build of torch

    main()
