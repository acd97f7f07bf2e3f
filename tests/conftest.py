"""What all tests share: one thread, because small matrices repeat to the bit on it, and Hypothesis without a clock."""

import os

import pytest
from hypothesis import Phase, settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile("house", deadline=None)
settings.register_profile("laws", parent=settings.get_profile("house"), max_examples=2000)  # `make laws`
settings.register_profile(  # `make mutation`: a failure is enough, nobody reads it
    "mutation",
    parent=settings.get_profile("house"),
    max_examples=40,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
)
settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch that writes golden files anew."""
    parser.addoption("--update", action="store_true", help="write the golden files anew")
