"""MiniLM: verses that find themselves in another translation, and how alike people and it find two words.

The network and the verses are those of examples/minilm; the pairs of words come with gensim's test data.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr
from subject import Subject
from torch import Tensor, nn

import surgdsl

import minilm  # isort: skip  # lies among the examples, which `subject` put on the path

POOL, LARGE_POOL = 1000, 10000


def calibration() -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Return verses that are in no pool: tokens and mask, and labels that mean nothing."""
    return minilm.calibration()


def build() -> nn.Module:
    """Return the trained network, in evaluation mode."""
    return minilm.build()


def retrieval(network: nn.Module) -> float:
    """Return the share of 1000 verses that find themselves among as many."""
    return minilm.found(network, POOL)


def large_retrieval(network: nn.Module) -> float:
    """Return the share of 1000 verses that find themselves among 10 000: a hundred seconds."""
    return minilm.found(network, LARGE_POOL)


def word_likeness(network: nn.Module) -> float:
    """Return Spearman's correlation with what people say of 353 pairs of words."""
    pairs = _pairs()
    words = sorted({word for left, right, _ in pairs for word in (left, right)})
    found = dict(zip(words, minilm.embedded(network, words), strict=True))
    mine = [float(found[left] @ found[right]) for left, right, _ in pairs]
    return float(spearmanr(mine, np.array([score for _, _, score in pairs])).statistic)


def _pairs() -> list[tuple[str, str, float]]:
    root = find_spec("gensim")
    if root is None or not root.submodule_search_locations:
        raise FileNotFoundError("gensim is not here: make bench-models installs it")
    path = Path(root.submodule_search_locations[0]) / "test" / "test_data" / "wordsim353.tsv"
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [(left, right, float(score)) for left, right, score in rows]


SUBJECT = Subject(
    name="minilm",
    what="MiniLM, verses of 1000 that find themselves among 1000",
    build=build,
    calibration=lambda: calibration()[0],
    scores=(("top-1 of 1000", retrieval), ("WordSim353 ρ", word_likeness)),
    declaration="""
dim T in 2..128
model net : (tokens: i64[B, T], mask: f32[B, T]) -> (embedding: f32[B, 384]) {
  source = python("sentences:build")
}
data calib { source = python("sentences:calibration") }
""",
    weighty="@encoder.**",
    more="""Among 10 000 verses, 963 of 1000 find themselves with the network as trained, and 963 with the result of
`make example-minilm` (every weight in four bits, 13.8 % of the bytes): `sentences.py build/minilm` prints both.""",
)

if __name__ == "__main__":
    torch.set_num_threads(1)
    network = build()
    sys.stdout.write(f"as trained: {large_retrieval(network):.3f} of {minilm.QUERIES} among {LARGE_POOL}\n")
    network.load_state_dict(surgdsl.decoded(Path(sys.argv[1])))
    sys.stdout.write(f"{sys.argv[1]}: {large_retrieval(network):.3f}\n")
