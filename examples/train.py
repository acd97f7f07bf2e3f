"""Trains the network of an example and writes its weights: `python examples/train.py mnist_cnn`.

The weights in this folder came out of it. It is seeded, so one machine repeats itself; another processor may round
differently and then gives other bytes of the same quality.
"""

import argparse
import hashlib
import importlib
import re
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Recipe:
    """How one example is trained: AdamW under a one-cycle schedule, with random affine jitter of the images."""

    epochs: int
    batch: int
    rate: float
    decay: float
    seed: int = 1
    degrees: float = 0.0
    zoom: float = 0.0  # as a share of the image
    shift: float = 0.0  # as a share of half the image
    flip: bool = False
    side: int = 0  # where rows are flattened squares: their side


RECIPES = {
    "mnist_cnn": Recipe(epochs=14, batch=100, rate=4e-3, decay=0.05, degrees=10.0, zoom=0.1, shift=0.12),
    "digits_mlp": Recipe(epochs=100, batch=64, rate=4e-3, decay=0.05, degrees=6.0, zoom=0.15, shift=0.18, side=8),
    "fashion_cnn": Recipe(epochs=4, batch=256, rate=1e-2, decay=0.05, shift=0.04, flip=True),
}


def jitter(images: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Return the images `[B, C, H, W]`, or flattened squares `[B, H*W]`, turned, scaled, moved, mirrored at random."""
    if recipe.side:
        squares = images.reshape(-1, 1, recipe.side, recipe.side)
        return jitter(squares, replace(recipe, side=0), generator).flatten(1)
    count = len(images)
    angle = (torch.rand(count, generator=generator) * 2 - 1) * torch.deg2rad(torch.tensor(recipe.degrees))
    move = (torch.rand(count, 2, generator=generator) * 2 - 1) * recipe.shift
    mirror = torch.where(torch.rand(count, generator=generator) < 0.5 * recipe.flip, -1.0, 1.0)
    zoom = 1 + (torch.rand(count, generator=generator) * 2 - 1) * recipe.zoom
    cosine, sine = angle.cos() * zoom, angle.sin() * zoom
    turn = torch.stack(
        [
            torch.stack([cosine * mirror, -sine, move[:, 0]], dim=1),
            torch.stack([sine * mirror, cosine, move[:, 1]], dim=1),
        ],
        dim=1,
    )
    grid = functional.affine_grid(turn, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def learn(network: nn.Module, images: Tensor, labels: Tensor, recipe: Recipe) -> None:
    """Train the network in place on the rows, and leave it in evaluation mode."""
    generator = torch.Generator().manual_seed(recipe.seed)
    steps = recipe.epochs * -(-len(images) // recipe.batch)
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=recipe.rate, total_steps=steps)
    network.train()
    for epoch in range(recipe.epochs):
        total = 0.0
        for rows in torch.randperm(len(images), generator=generator).split(recipe.batch):
            logits = network(jitter(images[rows], recipe, generator))
            loss = functional.cross_entropy(logits, labels[rows], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(rows)
        sys.stderr.write(f"epoch {epoch + 1} of {recipe.epochs}: loss {total / len(images):.4f}\n")
    network.eval()


def correct(network: nn.Module, images: Tensor, labels: Tensor) -> int:
    """Return how many of the rows the network classifies rightly."""
    with torch.inference_mode():
        return sum(
            int((network(rows).argmax(1) == wanted).sum())
            for rows, wanted in zip(images.split(500), labels.split(500), strict=True)
        )


def pin(specification: Path, digest: str) -> None:
    """Write the digest of new weights into the `.surg` file that names them."""
    text = specification.read_text(encoding="utf-8")
    specification.write_text(re.sub(r'sha256 = "[^"]*"', f'sha256 = "{digest}"', text), encoding="utf-8")


def naming(weights: Path) -> list[Path]:
    """The `.surg` files that name a file of weights beside them."""
    found = sorted(weights.parent.glob("*.surg"))
    return [one for one in found if f'"{weights.name}"' in one.read_text(encoding="utf-8")]


def main() -> None:
    """Train the example named on the command line and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("example", choices=sorted(RECIPES))
    parser.add_argument(
        "--out", type=Path, help="write the weights here; without it, beside the .surg files, and pin them in these"
    )
    arguments = parser.parse_args()
    sys.path.insert(0, str(HERE))
    example = importlib.import_module(arguments.example)
    recipe = RECIPES[arguments.example]

    torch.manual_seed(recipe.seed)
    network, (images, labels), start = example.build(), example.train(), time.perf_counter()
    learn(network, images, labels, recipe)
    seconds = time.perf_counter() - start

    path = arguments.out or HERE / f"{arguments.example}.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, path)
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if arguments.out is None:
        for specification in naming(path):
            pin(specification, digest)

    images, labels = example.test()
    hits = correct(network, images, labels)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    sys.stdout.write(
        f"{path.name}: {parameters} parameters, {len(content)} bytes, trained in {seconds:.0f} s\n"
        f"held out: {hits} of {len(labels)} right, {hits / len(labels):.2%}\n"
        f"sha256: {digest}\n"
    )


if __name__ == "__main__":
    main()
