"""Criteria of the user's own: every weight that goes with a channel seen as the formula names it, equal to torch."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from surgdsl.axis.dim import positions
from surgdsl.bridge.capture import capture
from surgdsl.bridge.encoding import decode
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import Array, State
from surgdsl.diagnostic import Refusal, Source
from surgdsl.importance.ranking import Scores
from surgdsl.importance.scoring import Judge, Outside
from surgdsl.importance.viewing import view
from surgdsl.language import tree
from surgdsl.language.criterion import Criterion
from surgdsl.language.functions import criterion as checked
from surgdsl.language.functions import standard
from surgdsl.language.parsing import parse
from surgdsl.language.scope import scope_of
from surgdsl.operations.coupling import couple
from tests.bridge.cases import CASES
from tests.bridge.zoo import captured as zoo


def criterion(text: str) -> Criterion:
    """The last criterion of a file."""
    source = Source("c.surg", f"surg 1\nuse std.norm.l2 as norm\ndim H in 1..64\ndim W in 1..64\n{text}\n")
    parsed = parse(source)
    scope = scope_of(parsed, source)
    node = parsed.file.declarations[-1]
    assert isinstance(node, tree.Function)
    made = checked(scope, scope.names[node.name.text])
    assert made is not None, scope.faults
    return made


def network() -> nn.Sequential:
    torch.manual_seed(3)
    layers = OrderedDict[str, nn.Module](
        one=nn.Conv2d(2, 4, 3), relu=nn.ReLU(), two=nn.Conv2d(4, 5, 3, bias=False), flat=nn.Flatten(),
        head=nn.Linear(5 * 4, 3),
    )  # fmt: skip
    return nn.Sequential(layers).eval()


@pytest.fixture
def rows() -> Rows:
    generator = np.random.default_rng(5)
    inputs = generator.standard_normal((150, 2, 6, 6)).astype(np.float32)
    return Rows("rows", (inputs,), generator.integers(0, 3, 150))


def captured(net: nn.Module) -> State:
    return capture(net, (torch.zeros(2, 2, 6, 6),), dynamic={"input": {0: "B"}})


def scored(
    made: Criterion, net: nn.Module, rows: Rows | None = None, outside: Outside | None = None
) -> dict[str, Scores]:
    state = captured(net)
    coupling = couple(state.net)
    found = Judge(made, rows, outside).axes(state, coupling, coupling.prunable)
    return {axis.name: one for axis, one in found.items()}


def weights(net: nn.Module) -> dict[str, Tensor]:
    return {name: one.detach().double() for name, one in net.named_parameters()}


NORM = "criterion c(w: tensor[cout, cin, kh, kw]) -> score[cout] = sqrt(sum[cin, kh, kw](w^2))"


def test_a_channel_is_judged_by_all_that_goes_with_it_wherever_it_lies() -> None:
    net = network()
    found, w = scored(criterion(NORM), net), weights(net)
    one = (
        w["one.weight"].flatten(1).norm(dim=1)
        + w["one.bias"].abs()
        + w["two.weight"].transpose(0, 1).flatten(1).norm(dim=1)
    )
    two = w["two.weight"].flatten(1).norm(dim=1) + w["head.weight"].reshape(3, 5, 4).transpose(0, 1).flatten(1).norm(
        dim=1
    )
    np.testing.assert_allclose(found["one:out"], one.numpy())
    np.testing.assert_allclose(found["two:out"], two.numpy())


PARAMETER = "w: tensor[cout, cin, kh, kw]"
SQUARES = f"criterion a({PARAMETER}) -> score[cout] = sum[cin, kh, kw](w^2)\n"
SAME = (
    f"criterion c({PARAMETER}) -> score[cout] = sqrt(sum[kw, cin, kh](w * w))",
    "criterion c(w: tensor[cout, i, j, k]) -> score[cout] = norm(w) * sqrt(sum[i, j, k]((w / norm(w))^2))",
    SQUARES + "criterion c(v: tensor[cout, cin, kh, kw]) -> score[cout] = sqrt(a(v))",
    f"criterion c({PARAMETER}) -> score[cout] = sqrt(sum[cin, kh, kw](scale[cin](w^2, mean[cout, kh, kw](w^0))))",
    f"criterion c({PARAMETER}) -> score[cout] = if count(w) > 0 then max(sqrt(sum[cin, kh, kw](w^2)), 0) else 1",
)


@pytest.mark.parametrize("text", SAME)
def test_the_same_formula_in_other_words_scores_the_same(text: str) -> None:
    net = network()
    expected, found = scored(criterion(NORM), net), scored(criterion(text), net)
    for axis, one in expected.items():
        np.testing.assert_allclose(found[axis], one, rtol=1e-12)


def test_gradients_are_those_of_each_batch_and_the_scores_are_added(rows: Rows) -> None:
    net = network()
    made = criterion("criterion c(w: tensor[cout, cin, kh, kw]) -> score[cout] = max[cin, kh, kw](abs(grad(w) * w))")
    expected = torch.zeros(5, dtype=torch.float64)
    for start in range(0, len(rows), 64):
        net.zero_grad()
        inputs, labels = (torch.from_numpy(one[start : start + 64].copy()) for one in (rows.inputs[0], rows.labels))
        nn.functional.cross_entropy(net(inputs), labels).backward()
        w = {
            name: (one * one.grad).detach().double().abs()
            for name, one in net.named_parameters()
            if one.grad is not None
        }
        expected += w["two.weight"].flatten(1).amax(1)
        expected += w["head.weight"].reshape(3, 5, 4).transpose(0, 1).flatten(1).amax(1)
    np.testing.assert_allclose(scored(made, net, rows)["two:out"], expected.numpy(), rtol=1e-4)


def seen_by(net: nn.Sequential, rows: Rows, layer: str) -> Tensor:
    """What a layer reads, over all rows."""
    found: list[Tensor] = []
    handle = net.get_submodule(layer).register_forward_hook(lambda _, inputs, __: found.append(inputs[0].detach()))
    with torch.no_grad():
        net(torch.from_numpy(rows.inputs[0].copy()))
    handle.remove()
    return found[0].double()


def test_activations_are_summed_over_all_rows_before_the_root_is_taken(rows: Rows) -> None:
    net = network()
    made = criterion(
        "criterion c(w: tensor[cout, cin, kh, kw]) -> score[cout, cin, kh, kw] = "
        "abs(w) * sqrt(sum[B, H, W](activation(w)^2))"
    )
    state = captured(net)
    for layer, summed in (("two", (0, 2, 3)), ("head", (0,))):
        (name,) = (
            name for name, one in state.net.params().items() if one.payload and one.payload.base == f"{layer}.weight"
        )
        norms = seen_by(net, rows, layer).pow(2).sum(summed).sqrt()
        weight = weights(net)[f"{layer}.weight"]
        expected = weight.abs() * norms.reshape(1, -1, *[1] * (weight.ndim - 2))
        found = Judge(made, rows).elements(state, name)
        assert found is not None
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5)


def test_a_mean_over_rows_counts_rows_of_all_batches(rows: Rows) -> None:
    net = network()
    made = criterion(
        "criterion c(w: tensor[cout, cin, kh, kw]) -> score[cout] = sum[cin, kh, kw](abs(w) * mean[B](activation(w)))"
    )
    w, read = weights(net), seen_by(net, rows, "two")
    means = read.mean((0, 2, 3))
    own = (w["two.weight"].abs() * means.reshape(1, 4, 1, 1)).flatten(1).sum(1)
    head = seen_by(net, rows, "head").mean(0)
    reader = (w["head.weight"].abs() * head).reshape(3, 5, 4).sum((0, 2))
    np.testing.assert_allclose(scored(made, net, rows)["two:out"], (own + reader).numpy(), rtol=1e-5)


def test_a_weight_and_what_it_is_multiplied_by_may_be_mixed_under_a_sum_over_rows(rows: Rows) -> None:
    net = network()
    text = f"criterion c({PARAMETER}) -> score[cout] = sum[cin, kh, kw](sum[B](activation(w) * w))"
    w, read = weights(net), seen_by(net, rows, "two").sum((0, 2, 3))
    own = (w["two.weight"] * read.reshape(1, 4, 1, 1)).flatten(1).sum(1)
    reader = (w["head.weight"] * seen_by(net, rows, "head").sum(0)).reshape(3, 5, 4).sum((0, 2))
    np.testing.assert_allclose(scored(criterion(text), net, rows)["two:out"], (own + reader).numpy(), rtol=1e-5)


def test_a_gradient_and_an_activation_are_of_the_same_batch(rows: Rows) -> None:
    net = network()
    text = f"criterion c({PARAMETER}) -> score[cout] = sum[cin, kh, kw](grad(w)^2 * sum[B](activation(w)^2))"
    own = torch.zeros(5, dtype=torch.float64)
    for start in range(0, len(rows), 64):
        batch = Rows("batch", (rows.inputs[0][start : start + 64],), rows.labels[start : start + 64])
        net.zero_grad()
        inputs, labels = (torch.from_numpy(one.copy()) for one in (batch.inputs[0], batch.labels))
        nn.functional.cross_entropy(net(inputs), labels).backward()
        slopes = {name: one.grad.double() for name, one in net.named_parameters() if one.grad is not None}
        read = seen_by(net, batch, "two").pow(2).sum((0, 2, 3)).reshape(1, 4, 1, 1)
        own += (slopes["two.weight"].pow(2) * read).flatten(1).sum(1)
        last = slopes["head.weight"].pow(2) * seen_by(net, batch, "head").pow(2).sum(0)
        own += last.reshape(3, 5, 4).sum((0, 2))
    np.testing.assert_allclose(scored(criterion(text), net, rows)["two:out"], own.numpy(), rtol=1e-4)


@pytest.mark.parametrize(("name", "power"), [("magnitude", 1), ("l2", 2)])
def test_scores_of_single_weights_have_their_shape(name: str, power: int) -> None:
    net, state = network(), captured(network())
    for operation, one in state.net.params().items():
        assert one.payload is not None
        expected = weights(net)[one.payload.base].abs() ** power
        found = Judge(standard(name)).elements(state, operation)
        assert found is not None
        np.testing.assert_allclose(found, expected.numpy())


def test_indices_with_unequally_many_positions_are_filled_up_with_zeros() -> None:
    seen = view(("cout", "cin"), (2, 4), 1, np.array([1, 0, 1, -1]))
    assert seen is not None
    values = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]])
    assert seen.tensor(values).values.tolist() == [[2.0, 0.0, 6.0, 0.0], [1.0, 3.0, 5.0, 7.0]]


@pytest.mark.parametrize("name", [name for name in CASES if "outer product" in name])
def test_an_axis_beside_itself_is_summed_position_by_position(name: str) -> None:
    state = zoo(CASES[name])
    coupling = couple(state.net)
    found = Judge(standard("magnitude")).axes(state, coupling, coupling.prunable)
    for axis, actual in found.items():
        expected = np.zeros(len(actual))
        for member in coupling.members[axis]:
            operation = state.net.graph.operations[member.operation]
            place = positions(coupling.dims[operation.targets[0]][member.dimension], axis)
            along = np.moveaxis(np.abs(decode(state.weights[member.operation])).astype(np.float64), member.dimension, 0)
            for position, index in enumerate(place):
                expected[index] += along[position].sum() if index >= 0 else 0
        np.testing.assert_allclose(actual, expected)


def test_python_sees_the_axes_in_the_order_of_the_declaration() -> None:
    net, shapes = network(), list[tuple[int, ...]]()
    made = criterion('extern criterion c(w: tensor[cout, cin, kh, kw]) -> score[cout] = python("house:score")')

    def outside(weight: Array) -> Array:
        shapes.append(weight.shape)
        weight += 1  # a copy: what Python does to it is its own affair
        return np.sqrt(((weight - 1) ** 2).sum(axis=(1, 2, 3)))

    expected, found = scored(criterion(NORM), net), scored(made, net, outside=outside)
    assert {(4, 2, 3, 3), (4, 1, 1, 1), (4, 5, 3, 3), (5, 4, 3, 3), (5, 3, 4, 1)} == set(shapes)
    for axis, one in expected.items():
        np.testing.assert_allclose(found[axis], one)


@pytest.mark.parametrize("answer", [np.zeros(3), np.zeros((4, 2)), np.array(["a"] * 4)])
def test_python_that_answers_something_else_is_refused(answer: Array) -> None:
    made = criterion('extern criterion c(w: tensor[cout, cin, kh, kw]) -> score[cout] = python("house:score")')
    with pytest.raises(Refusal) as refused:
        scored(made, network(), outside=lambda _: answer)
    assert [one.code for one in refused.value.diagnostics] == ["E0605"]


REFUSED = {
    "criterion c(w: tensor[cout, cin, kh, kw]) -> score[cout] = sum[cin, kh, kw](log(w))": "E0511",
    "criterion c(w: tensor[cout, cin, kh, kw]) -> score[cout] = sum[cin, kh, kw](w / (w - w))": "E0511",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_score_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        scored(criterion(text), network())
    assert [REFUSED[text]] == [one.code for one in refused.value.diagnostics]


def test_a_weight_with_more_axes_than_the_criterion_names_is_not_scored() -> None:
    net = network()
    one = net.get_submodule("one")
    made = criterion("criterion c(w: tensor[cout]) -> score[cout] = abs(w)")
    found = scored(made, nn.Sequential(one, nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)))
    np.testing.assert_allclose(found["0:out"], weights(net)["one.bias"].abs().numpy())
    with pytest.raises(Refusal) as refused:
        scored(made, net)
    (fault,) = refused.value.diagnostics
    assert fault.code == "E0512"
    assert fault.help == (
        "criterion `c` speaks of tensor[cout]",
        "`two.weight` is [5, 4, 3, 3]",
        "`head.weight` is [3, 20]",
    )


def test_the_python_of_a_criterion_is_named_by_its_file() -> None:
    made = criterion('extern criterion c(w: tensor[cout]) -> score[cout] = python("house.owl:score")')
    assert made.reference == "house.owl:score"
    assert Path(made.span.source.path).name == "c.surg"
