"""Every criterion of the library equals ten lines that say the same in the plainest way."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from surgdsl.bridge.source import Rows
from surgdsl.diagnostic import Refusal
from surgdsl.importance.hutchinson import estimate
from surgdsl.importance.ranking import Scores
from surgdsl.importance.scoring import Judge
from surgdsl.language.criterion import Setting
from surgdsl.language.functions import standard
from surgdsl.operations.coupling import couple
from tests.importance.nets import captured, network, slices, some_rows

Named = Mapping[str, Tensor]
SEED = ("seed", 0)


@pytest.fixture
def rows() -> Rows:
    return some_rows(70)


def scored(name: str, rows: Rows, *settings: tuple[str, Setting], reduction: str = "sum") -> dict[str, Scores]:
    state = captured(network())
    coupling = couple(state.net)
    judge = Judge(standard(name, *settings), rows, None, reduction)
    return {axis.name: one for axis, one in judge.axes(state, coupling, coupling.prunable).items()}


def elements(name: str, rows: Rows, *settings: tuple[str, Setting]) -> dict[str, Scores]:
    state = captured(network())
    bases = {name: one.payload.base for name, one in state.net.params().items() if one.payload}
    found = Judge(standard(name, *settings), rows).weights(state, [*bases])
    return {bases[name]: one for name, one in found.items()}


# ---- the plainest way ---------------------------------------------------------------------------


def pairs(rows: Rows, size: int) -> list[tuple[Tensor, Tensor]]:
    x, y = torch.from_numpy(rows.inputs[0].copy()).double(), torch.from_numpy(rows.labels.copy())
    return [(x[start : start + size], y[start : start + size]) for start in range(0, len(x), size)]


def weights(net: nn.Module) -> dict[str, Tensor]:
    return {name: one.detach().double() for name, one in net.named_parameters()}


def gradients(rows: Rows, size: int, temperature: float = 1.0) -> list[dict[str, Tensor]]:
    """The gradient of the mean loss of each batch of so many rows."""
    net, found = network().double(), list[dict[str, Tensor]]()
    for x, y in pairs(rows, size):
        loss = functional.cross_entropy(net(x) / temperature, y)
        found.append(dict(zip(weights(net), torch.autograd.grad(loss, [*net.parameters()]), strict=True)))
    return found


def total(rows: Rows, score: Callable[[Tensor, Tensor], Tensor], size: int) -> dict[str, Tensor]:
    """Σ over batches of a score of a weight and its gradient."""
    w = weights(network())
    return {name: sum((score(w[name], g[name]) for g in gradients(rows, size)), torch.zeros(())) for name in w}


def whole(rows: Rows, temperature: float = 1.0) -> dict[str, Tensor]:
    """The gradient of the mean loss of all rows."""
    return gradients(rows, len(rows), temperature)[0]


def hessian(rows: Rows, temperature: float = 1.0) -> Tensor:
    """The whole Hessian of the mean loss, one row after the other, weights in the order of the module."""
    net = network().double()
    ((x, y),) = pairs(rows, len(rows))
    loss = functional.cross_entropy(net(x) / temperature, y)
    slopes = torch.autograd.grad(loss, [*net.parameters()], create_graph=True)
    flat = torch.cat([one.reshape(-1) for one in slopes])
    lines = [torch.autograd.grad(one, [*net.parameters()], retain_graph=True) for one in flat]
    return torch.stack([torch.cat([part.reshape(-1) for part in line]) for line in lines])


def apart(flat: Tensor) -> dict[str, Tensor]:
    """A vector over all weights, weight by weight."""
    w = weights(network())
    parts = flat.split([one.numel() for one in w.values()])
    return {name: part.reshape(one.shape) for (name, one), part in zip(w.items(), parts, strict=True)}


def read_by(rows: Rows, layer: str) -> Tensor:
    """What a layer reads."""
    net, found = network().double(), list[Tensor]()
    net.get_submodule(layer).register_forward_hook(lambda _, inputs, __: found.append(inputs[0].detach()))
    net(pairs(rows, len(rows))[0][0])
    return found[0]


# ---- criteria of single weights -----------------------------------------------------------------


def fisher(rows: Rows) -> Named:
    return {name: one / len(rows) for name, one in total(rows, lambda _, g: g**2, 1).items()}


def grasp(rows: Rows) -> Named:
    slope = torch.cat([one.reshape(-1) for one in whole(rows, 200).values()])
    curved = apart(hessian(rows, 200) @ slope)
    return {name: one * curved[name] for name, one in weights(network()).items()}


def movement(rows: Rows) -> Named:
    net, generator = network().double(), np.random.Generator(np.random.PCG64(0))
    order, x, y = generator.permutation(70), *pairs(rows, 70)[0]
    scores = {name: torch.zeros_like(one) for name, one in weights(net).items()}
    for chosen in (order[:64], order[64:], generator.permutation(70)[:64]):
        slopes = torch.autograd.grad(functional.cross_entropy(net(x[chosen]), y[chosen]), [*net.parameters()])
        with torch.no_grad():
            for (name, one), slope in zip(net.named_parameters(), slopes, strict=True):
                scores[name] -= one * slope
                one.sub_(0.1 * slope)
    return scores


def obs(rows: Rows) -> Named:
    found: dict[str, Tensor] = {}
    for name in ("one", "two", "head"):
        w, x = weights(network())[f"{name}.weight"], read_by(rows, name)
        read = x if name == "head" else functional.unfold(x, 3).transpose(1, 2).flatten(0, 1)
        gram = read.T @ read
        live, damage = gram.diagonal() > 0, torch.zeros_like(w.flatten(1))
        kept = gram[live][:, live]
        inverse = torch.linalg.inv(kept + 0.01 * kept.diagonal().mean() * torch.eye(len(kept)))
        damage[:, live] = w.flatten(1)[:, live] ** 2 / (2 * inverse.diagonal())
        found[f"{name}.weight"] = damage.reshape(w.shape)
    return found


def synflow(rows: Rows) -> Named:
    del rows
    net = network().double()
    with torch.no_grad():
        for one in (*net.parameters(), *net.buffers()):
            one.abs_() if one.is_floating_point() else None
    slopes = torch.autograd.grad(net(torch.ones(1, 2, 6, 6, dtype=torch.float64)).sum(), [*net.parameters()])
    return {name: (one * slope).detach() for (name, one), slope in zip(net.named_parameters(), slopes, strict=True)}


def of_weights(score: Callable[[Tensor], Tensor]) -> Callable[[Rows], Named]:
    return lambda _: {name: score(one) for name, one in weights(network()).items()}


SINGLE: dict[tuple[str, tuple[tuple[str, Setting], ...]], Callable[[Rows], Named]] = {
    ("magnitude", ()): of_weights(torch.abs),
    ("l2", ()): of_weights(torch.square),
    ("lp", (("p", 3),)): of_weights(lambda w: w.abs() ** 3),
    ("relative", ()): of_weights(lambda w: w.abs() / w.square().mean().sqrt()),
    ("bn_scale", ()): lambda _: {"norm.weight": weights(network())["norm.weight"].abs()},
    ("gradient", ()): lambda rows: total(rows, lambda _, g: g.abs(), 64),
    ("sensitivity", ()): lambda rows: total(rows, lambda w, g: (g * w).abs(), 64),
    ("fisher", ()): fisher,
    ("fisher_damage", ()): lambda rows: {
        name: one / 2 / len(rows) for name, one in total(rows, lambda w, g: (g * w) ** 2, 1).items()
    },
    ("first_order", ()): lambda rows: {name: one * whole(rows)[name] for name, one in weights(network()).items()},
    ("snip", ()): lambda rows: {name: (one * whole(rows)[name]).abs() for name, one in weights(network()).items()},
    ("grasp", (("temperature", 200),)): grasp,
    ("movement", (("steps", 3), ("rate", "1/10"), SEED)): movement,
    ("obs", (("damping", "1/100"),)): obs,
    ("synflow", ()): synflow,
}


@pytest.mark.parametrize("case", SINGLE, ids=lambda one: one[0])
def test_scores_of_single_weights_equal_brute_force(
    case: tuple[str, tuple[tuple[str, Setting], ...]], rows: Rows
) -> None:
    name, settings = case
    expected, found = SINGLE[case](rows), elements(name, rows, *settings)
    assert {name for name in expected if name in found} == set(expected)
    for base, one in expected.items():
        scale = float(one.abs().max())
        np.testing.assert_allclose(found[base], one.numpy(), rtol=2e-3, atol=2e-4 * scale, err_msg=base)


@pytest.mark.parametrize("case", SINGLE, ids=lambda one: one[0])
def test_a_channel_is_worth_the_sum_over_everything_that_goes_with_it(
    case: tuple[str, tuple[tuple[str, Setting], ...]], rows: Rows
) -> None:
    name, settings = case
    groups = slices(SINGLE[case](rows))
    if name == "bn_scale":  # the second convolution has no batch norm
        with pytest.raises(Refusal) as refused:
            scored(name, rows)
        assert [one.code for one in refused.value.diagnostics] == ["E0512"]
        return
    found = scored(name, rows, *settings)
    for axis, group in groups.items():
        expected = sum((view.flatten(1).sum(1) if view.ndim > 1 else view for view in group.values()), torch.zeros(()))
        scale = float(expected.abs().max())
        np.testing.assert_allclose(found[axis], expected.numpy(), rtol=2e-3, atol=1e-3 * scale, err_msg=axis)


# ---- criteria of channels -----------------------------------------------------------------------


def fpgm(views: Named, rows: Rows) -> Tensor:
    del rows
    return sum(
        (torch.stack([(v - one).flatten(1).norm(dim=1).sum() for one in v]) for v in _flat(views)), torch.zeros(())
    )


def lamp(views: Named, rows: Rows) -> Tensor:
    del rows
    s = sum((view.flatten(1).square().sum(1) for view in _flat(views)), torch.zeros(()))
    return torch.stack([one / s[s >= one].sum() for one in s])


def _flat(views: Named) -> list[Tensor]:
    return [view if view.ndim > 1 else view[:, None] for view in views.values()]


@pytest.mark.parametrize(("name", "brute"), [("fpgm", fpgm), ("lamp", lamp)])
def test_scores_of_filters_equal_brute_force(name: str, brute: Callable[[Named, Rows], Tensor], rows: Rows) -> None:
    found = scored(name, rows)
    for axis, views in slices(weights(network())).items():
        np.testing.assert_allclose(found[axis], brute(views, rows).numpy(), rtol=1e-6)


def test_lamp_of_single_weights_is_within_each_weight(rows: Rows) -> None:
    found = elements("lamp", rows)
    for base, one in weights(network()).items():
        s = one.square().flatten()
        expected = torch.stack([each / s[s >= each].sum() for each in s]).reshape(one.shape)
        np.testing.assert_allclose(found[base], expected.numpy(), rtol=1e-6)


CHANGES: dict[str, tuple[int, Callable[[Tensor], Tensor], float]] = {
    "taylor": (64, torch.square, 1.0),
    "fisher_channel": (1, torch.square, 1 / 140),
    "taylor_abs": (70, torch.abs, 1.0),
}
"""By criterion: rows of a batch, what is done to Σ w·g of a channel in each batch, and a factor of their sum."""


@pytest.mark.parametrize("name", CHANGES)
def test_first_order_changes_are_of_whole_channels(name: str, rows: Rows) -> None:
    size, done, factor = CHANGES[name]
    expected: dict[str, Tensor] = {}
    w, found = weights(network()), scored(name, rows)
    for slope in gradients(rows, size):
        for axis, views in slices({name: one * slope[name] for name, one in w.items()}).items():
            here = sum((done(view.flatten(1).sum(1)) for view in _flat(views)), torch.zeros(()))
            expected[axis] = expected.get(axis, torch.zeros(())) + factor * here
    for axis, one in expected.items():
        np.testing.assert_allclose(found[axis], one.numpy(), rtol=1e-3)


STATISTICS: dict[str, Callable[[Tensor], Tensor]] = {
    "activation_mean": lambda x: x.abs().mean(0),
    "activation_norm": lambda x: x.square().sum(0).sqrt(),
    "apoz": lambda x: 1 - (x == 0).double().mean(0),
}


@pytest.mark.parametrize("name", STATISTICS)
def test_statistics_are_of_what_the_readers_of_a_channel_read(name: str, rows: Rows) -> None:
    found = scored(name, rows)
    first = read_by(rows, "two").movedim(1, -1).flatten(0, -2)
    second = read_by(rows, "head").reshape(70, 5, 4).movedim(1, -1).flatten(0, -2)
    for axis, read in (("one:out", first), ("two:out", second)):
        np.testing.assert_allclose(found[axis], STATISTICS[name](read).numpy(), rtol=1e-5)


# ---- estimates ----------------------------------------------------------------------------------


def test_an_estimate_is_the_mean_of_signs_times_the_hessian_of_signs(rows: Rows) -> None:
    state, curved, probes = captured(network()), hessian(rows), 5
    generator = np.random.Generator(np.random.PCG64(0))
    drawn: list[Tensor] = []
    for _ in range(probes):
        signs = {
            n: generator.integers(0, 2, tuple(one.shape)) * 2.0 - 1 for n, one in sorted(weights(network()).items())
        }
        z = torch.cat([torch.from_numpy(signs[n]).reshape(-1) for n in weights(network())])
        drawn.append(z * (curved @ z))
    found = estimate(state, rows, probes)
    mean, error = apart(torch.stack(drawn).mean(0)), apart(torch.stack(drawn).std(0) / probes**0.5)
    sums = {n: torch.stack([apart(one)[n].sum() for one in drawn]) for n in mean}
    for n, one in mean.items():
        np.testing.assert_allclose(found.diagonal[n], one.numpy(), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(found.error[n], error[n].numpy(), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(found.traces[n].value, float(sums[n].mean()), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(found.traces[n].error, float(sums[n].std() / probes**0.5), rtol=1e-3, atol=1e-4)


def test_the_diagonal_is_within_its_stated_error(rows: Rows) -> None:
    found, exact = estimate(captured(network()), rows, 200), apart(hessian(rows).diagonal())
    apart_by = torch.cat([(exact[n] - torch.from_numpy(one)).abs().reshape(-1) for n, one in found.diagonal.items()])
    stated = torch.cat([torch.from_numpy(one).reshape(-1) for one in found.error.values()])
    inside = (apart_by <= 2 * stated + 1e-7).double().mean()
    assert 0.9 <= float(inside) <= 1.0
    assert float((apart_by <= 5 * stated + 1e-7).double().mean()) == 1.0
    for n, trace in found.traces.items():
        assert abs(trace.value - float(exact[n].sum())) <= 4 * trace.error + 1e-6


def test_hessian_scores_are_half_the_square_times_the_estimate(rows: Rows) -> None:
    settings = (("probes", 4), ("seed", 3))
    found, one = estimate(captured(network()), rows, 4, 3), elements("hessian", rows, *settings)
    mean = elements("hessian_trace", rows, *settings)
    for n, w in weights(network()).items():
        np.testing.assert_allclose(one[n], w.numpy() ** 2 * found.diagonal[n] / 2, rtol=1e-6)
        np.testing.assert_allclose(mean[n], w.numpy() ** 2 * found.traces[n].value / w.numel() / 2, rtol=1e-6)


# ---- random, and reductions ---------------------------------------------------------------------


def test_random_scores_are_those_of_the_seed(rows: Rows) -> None:
    first, again, other = (elements("random", rows, ("seed", seed)) for seed in (0, 0, 1))
    drawn = np.concatenate([one.ravel() for one in first.values()])
    assert all((first[n] == again[n]).all() and (first[n] != other[n]).all() for n in first)
    assert (drawn >= 0).all()
    assert (drawn < 1).all()
    assert abs(drawn.mean() - 0.5) < 3 / np.sqrt(12 * drawn.size)


REDUCED: dict[str, Callable[[list[Tensor]], Tensor]] = {
    "sum": lambda parts: torch.cat(parts, dim=1).sum(1),
    "mean": lambda parts: torch.cat(parts, dim=1).mean(1),
    "max": lambda parts: torch.cat(parts, dim=1).amax(1),
    "norm": lambda parts: torch.cat(parts, dim=1).square().sum(1).sqrt(),
    "abs": lambda parts: torch.cat(parts, dim=1).sum(1).abs(),
    "first": lambda parts: parts[0].sum(1),
}


@pytest.mark.parametrize("reduction", REDUCED)
@pytest.mark.parametrize("name", ["magnitude", "first_order"])
def test_what_goes_together_is_reduced_as_declared(name: str, reduction: str, rows: Rows) -> None:
    found = scored(name, rows, reduction=reduction)
    for axis, views in slices(SINGLE[name, ()](rows)).items():
        expected = REDUCED[reduction]([view.flatten(1) for view in _flat(views)])
        scale = float(expected.abs().max())
        np.testing.assert_allclose(found[axis], expected.numpy(), rtol=1e-3, atol=1e-4 * scale)
