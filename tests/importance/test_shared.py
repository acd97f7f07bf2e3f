"""Weights that are shared, looked up or in half precision: scored once, with the slope of all uses, as numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from surgdsl.bridge.capture import capture
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import State
from surgdsl.importance.ranking import Scores
from surgdsl.importance.scoring import Judge
from surgdsl.language.functions import standard
from surgdsl.operations.coupling import couple

COUNT, WORDS, WIDTH, CLASSES = 40, 11, 6, 3


class Tied(nn.Module):
    """Words are looked up, go twice through one layer, and are told apart."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.look = nn.Embedding(WORDS, WIDTH)
        self.twice = nn.Linear(WIDTH, WIDTH)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, words: Tensor) -> Tensor:
        """[B, T] to [B, classes]."""
        here = self.look(words).mean(1)
        return self.head(torch.tanh(self.twice(torch.tanh(self.twice(here)))))


@pytest.fixture
def rows() -> Rows:
    generator = np.random.default_rng(2)
    return Rows("rows", (generator.integers(0, WORDS, (COUNT, 4)),), generator.integers(0, CLASSES, COUNT))


def captured(net: nn.Module) -> State:
    return capture(net, (torch.zeros(2, 4, dtype=torch.int64),), dynamic={"words": {0: "B"}})


def elements(name: str, net: nn.Module, rows: Rows) -> dict[str, Scores]:
    state = captured(net)
    bases = {key: one.payload.base for key, one in state.net.params().items() if one.payload}
    settings = {"hessian": (("probes", 2), ("seed", 0)), "obs": (("damping", "1/100"),)}.get(name, ())
    found = Judge(standard(name, *settings), rows).weights(state, [*bases])
    return {bases[key]: one for key, one in found.items()}


def test_fisher_of_a_weight_that_is_used_twice_is_of_both_uses(rows: Rows) -> None:
    net, expected = Tied().eval(), dict[str, Tensor]()
    for word, label in zip(torch.from_numpy(rows.inputs[0].copy()), torch.from_numpy(rows.labels.copy()), strict=True):
        net.zero_grad()
        functional.cross_entropy(net(word[None]), label[None]).backward()
        for name, one in net.named_parameters():
            assert one.grad is not None
            expected[name] = expected.get(name, torch.zeros(())) + one.grad.double() ** 2 / COUNT
    found = elements("fisher", net, rows)
    assert expected.keys() == found.keys()
    for name, one in expected.items():
        np.testing.assert_allclose(found[name], one.numpy(), rtol=1e-4, atol=1e-10)
    unseen = [word for word in range(WORDS) if word not in rows.inputs[0]]
    assert (found["look.weight"][unseen] == 0).all()


def test_the_gram_matrix_of_a_weight_that_is_used_twice_is_of_all_that_it_reads(rows: Rows) -> None:
    net = Tied().eval().double()
    with torch.no_grad():
        first = net.look(torch.from_numpy(rows.inputs[0].copy())).mean(1)
        read = torch.cat([first, torch.tanh(net.twice(first))])
    gram = read.T @ read
    inverse = torch.linalg.inv(gram + 0.01 * gram.diagonal().mean() * torch.eye(WIDTH, dtype=torch.float64))
    found = elements("obs", Tied().eval(), rows)
    expected = net.twice.weight.detach() ** 2 / (2 * inverse.diagonal())
    np.testing.assert_allclose(found["twice.weight"], expected.numpy(), rtol=1e-4)
    assert found.keys() == {"twice.weight", "head.weight"}, "no Gram matrix belongs to a table or a bias"


def test_an_axis_of_an_embedding_is_scored_with_all_that_goes_with_it(rows: Rows) -> None:
    class Read(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(1)
            self.look, self.head = nn.Embedding(WORDS, WIDTH), nn.Linear(WIDTH, CLASSES)

        def forward(self, words: Tensor) -> Tensor:
            return self.head(self.look(words).mean(1))

    net = Read().eval()
    state = captured(net)
    coupling = couple(state.net)
    (axis,) = coupling.prunable
    (found,) = Judge(standard("magnitude"), rows).axes(state, coupling, [axis]).values()
    expected = net.look.weight.abs().sum(0) + net.head.weight.abs().sum(0)
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-6)


@pytest.mark.parametrize("name", ["magnitude", "snip", "fisher", "hessian", "synflow"])
def test_half_precision_is_scored_by_its_numbers(name: str, rows: Rows) -> None:
    half, net = Tied().eval().to(torch.bfloat16), Tied().eval()
    net.load_state_dict({key: one.float() for key, one in half.state_dict().items()})
    expected, found = elements(name, net, rows), elements(name, half, rows)
    assert expected.keys() == found.keys()
    for base, one in expected.items():
        scale = np.abs(one).max()
        np.testing.assert_allclose(found[base], one, rtol=0.2, atol=0.1 * scale, err_msg=base)


def test_many_weights_are_scored_as_each_of_them_alone(rows: Rows) -> None:
    state = captured(Tied().eval())
    judge = Judge(standard("fisher_damage"), rows)
    names = [*state.net.params()]
    together = judge.weights(state, names)
    for name in names:
        alone = judge.elements(state, name)
        assert alone is not None
        assert (alone == together[name]).all()
