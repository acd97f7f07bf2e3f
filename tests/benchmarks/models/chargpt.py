"""A small GPT over characters, trained on the World English Bible once and kept under build/models.

The network gives the logits after the last character only, so that a row is a context and the character that follows:
what surgdsl calls a labelled row. Every twentieth verse is held out.
"""

from __future__ import annotations

import sys
from functools import cache

import torch
from safetensors.torch import load_file, save_file
from subject import HOUSE, Subject
from torch import Tensor, nn
from torch.nn import functional

import minilm  # isort: skip  # lies among the examples, which `subject` put on the path

WEIGHTS = HOUSE / "build" / "models" / "chargpt.safetensors"
WIDTH, LAYERS, HEADS, CONTEXT = 128, 3, 4, 128
STEPS, BATCH, RATE = 1200, 24, 3e-3
HELD_OUT_EVERY = 20
ROWS, CALIBRATION = 3000, 256


class Block(nn.Module):
    """Attention to what came before, then a network of two layers; each adds to what it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH)
        self.mix = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.norm2 = nn.LayerNorm(WIDTH)
        self.up = nn.Linear(WIDTH, 4 * WIDTH)
        self.down = nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """Return `f32[B, T, WIDTH]` of the same."""
        query, key, value = (
            part.unflatten(2, (HEADS, WIDTH // HEADS)).transpose(1, 2) for part in self.mix(self.norm1(x)).chunk(3, 2)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        return x + self.down(functional.gelu(self.up(self.norm2(x))))


class Gpt(nn.Module):
    """Characters `i64[B, T]` to the logits of the next one `f32[B, characters]`."""

    def __init__(self, characters: int) -> None:
        super().__init__()
        self.token = nn.Embedding(characters, WIDTH)
        self.place = nn.Parameter(torch.randn(CONTEXT, WIDTH) * 0.02)
        self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, characters)

    def hidden(self, tokens: Tensor) -> Tensor:
        """Return what every place knows, `f32[B, CONTEXT, WIDTH]`."""
        return self.norm(self.blocks(self.token(tokens) + self.place))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits after the last character."""
        return self.head(self.hidden(tokens)[:, -1])


def build() -> nn.Module:
    """Return the trained network in evaluation mode; train it first if that was never done (about four minutes)."""
    network = Gpt(len(alphabet()))
    if not WEIGHTS.exists():
        _train(network)
    network.load_state_dict(load_file(WEIGHTS))
    return network.eval()


def test() -> tuple[Tensor, Tensor]:
    """Return contexts `i64[ROWS, CONTEXT]` of held-out verses, and what follows each."""
    return _windows(_text()[1], ROWS)


def calibration() -> tuple[Tensor, Tensor]:
    """Return contexts of the verses that were trained on, and what follows each."""
    return _windows(_text()[0], CALIBRATION)


def bits_per_character(network: nn.Module) -> float:
    """Return the cross entropy in bits on the held-out contexts."""
    contexts, following = test()
    with torch.no_grad():
        parts = [
            functional.cross_entropy(network(rows), wanted, reduction="sum")
            for rows, wanted in zip(contexts.split(250), following.split(250), strict=True)
        ]
    return float(sum(parts)) / len(contexts) / float(torch.log(torch.tensor(2.0)))


@cache
def alphabet() -> str:
    """Return all characters of the text, in order."""
    return "".join(sorted(set("\n".join(minilm.verses("web").values()))))


@cache
def _text() -> tuple[Tensor, Tensor]:
    """The characters as numbers: those to train on and those held out."""
    verses = list(minilm.verses("web").values())
    number = {character: place for place, character in enumerate(alphabet())}
    held = [one for place, one in enumerate(verses) if place % HELD_OUT_EVERY == 0]
    kept = [one for place, one in enumerate(verses) if place % HELD_OUT_EVERY]
    train, test = (torch.tensor([number[character] for character in "\n".join(part)]) for part in (kept, held))
    return train, test


def _windows(text: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Contexts at equal distances in the text."""
    starts = torch.linspace(0, len(text) - CONTEXT - 1, count).long()
    return torch.stack([text[start : start + CONTEXT] for start in starts]), text[starts + CONTEXT]


def _train(network: Gpt) -> None:
    torch.manual_seed(1)
    network.__init__(network.head.out_features)  # fresh weights of the seed, whatever was drawn before
    text, generator = _text()[0], torch.Generator().manual_seed(1)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=RATE, total_steps=STEPS, pct_start=0.1)
    network.train()
    for step in range(STEPS):
        starts = torch.randint(len(text) - CONTEXT - 1, (BATCH,), generator=generator)
        rows = torch.stack([text[start : start + CONTEXT + 1] for start in starts])
        logits = network.head(network.hidden(rows[:, :-1]))
        loss = functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            sys.stderr.write(f"chargpt: step {step} of {STEPS}, {loss.item():.3f} nats\n")
    WEIGHTS.parent.mkdir(parents=True, exist_ok=True)
    save_file(network.state_dict(), WEIGHTS)


SUBJECT = Subject(
    name="chargpt",
    what="character GPT, bits per character of 3000 held-out places",
    build=build,
    calibration=lambda: calibration()[:1],
    scores=(("bits per character", bits_per_character),),
    declaration=f"""
model net : (tokens: i64[B, {CONTEXT}]) -> (logits: f32[B, {len(alphabet())}]) {{ source = python("chargpt:build") }}
data calib {{ source = python("chargpt:calibration") }}
""",
    weighty="@blocks.** | @head",
    falling=True,
)

if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.stdout.write(f"chargpt: {bits_per_character(build()):.4f} bits per character on held-out verses\n")
