"""Recurrent layers and cells: LSTM, GRU and plain ones, stacked, in both directions, with a projection.

With k gates (4, 3 or 1) each layer and direction has w_ih[k·h, i] and w_hh[k·h, h], so the gates are k ⊗ h, all layers
share h, and the input of a layer after the first is D ⊗ h. A neutralised unit has zero candidates, so it stays at zero
if its first state is zero; and no kept unit reads it, as its column of w_hh is zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from attrs import frozen

from surgdsl.axis.dim import Dim, fuse, size
from surgdsl.axis.extent import Extent, evaluate, multiply, product
from surgdsl.diagram.operation import Operation, Tensors
from surgdsl.diagram.sort import Sort
from surgdsl.operations.naming import rename
from surgdsl.operations.signature import Call, Dims, IllTyped, Signature, demand, integer
from surgdsl.operations.subscripts import loose

T = TypeVar("T")

UNNAMED = (":", ":filled")
"""What the axes of a state are called, beside their numbers, that is a constant or that a call made of zeros."""
GATES = {"lstm": 4, "gru": 3, "rnn": 1}


def gates(operation: Operation) -> int:
    """How many gates a unit has."""
    return GATES[operation.name.removeprefix("aten.").partition(".")[0].partition("_")[0]]


@frozen
class Layout:
    """Where the tensors of a stacked layer are among its sources."""

    layers: int
    directions: int
    states: int
    """1, or 2 where a cell state goes beside the hidden one."""
    biases: bool
    projected: bool

    @property
    def each(self) -> int:
        """How many weights a layer has in one direction."""
        return 2 + 2 * self.biases + self.projected


def layout(operation: Operation) -> Layout:
    """Read from the call; whether there is a projection shows in the number of weights.

    Raises:
        IllTyped: the number of weights or states does not fit.
    """
    attributes = dict(operation.attributes)
    states = 2 if operation.name.startswith("aten.lstm.") else 1
    params = attributes["params"]
    layers, biases = integer(operation, "num_layers"), attributes["has_biases"] is True
    directions = 2 if attributes["bidirectional"] is True else 1
    if not isinstance(params, Tensors):
        raise IllTyped("its weights are not a list of tensors")
    each, rest = divmod(params.count, layers * directions)
    projected = states == 2 and each == 2 + 2 * biases + 1
    demand(rest == 0 and each == 2 + 2 * biases + projected, "the weights do not fit the layers")
    return Layout(layers, directions, states, biases, projected)


def typing(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[t, n, i] or x[n, t, i], states s[L·D, n, h], weights → y[t, n, D·h] or y[n, t, D·h], the states at the end."""
    attributes, form, (x, *rest) = dict(operation.attributes), layout(operation), sources
    demand(attributes["train"] is False or attributes["dropout"] == 0, "dropout in use: capture the model in eval mode")
    states, params = rest[: form.states], rest[form.states :]
    demand(len(x.shape) == 3, "a recurrence runs over three dimensions")
    time, batch = (1, 0) if attributes["batch_first"] is True else (0, 1)
    count, hidden = form.layers * form.directions, states[0].shape[-1]
    units = states[-1].shape[-1]
    demand(states[0].shape == (count, x.shape[batch], hidden), "the first state does not fit")
    demand(states[-1].shape == (count, x.shape[batch], units), "the first state does not fit")
    wide = multiply(hidden, form.directions)
    for number in range(count):
        entering = x.shape[2] if number < form.directions else wide
        _fits(params[number * form.each : (number + 1) * form.each], entering, hidden, units, gates(operation))
    long: list[Extent] = [x.shape[0], x.shape[1], wide]
    demand(len(sources) == 1 + form.states + count * form.each and time != batch, "a weight is missing")
    return (Sort(x.dtype, tuple(long)), *states)


def _fits(weights: list[Sort], entering: Extent, hidden: Extent, units: Extent, count: int) -> None:
    """w_ih[k·u, i], w_hh[k·u, h], biases [k·u], and the projection [h, u] if there is one."""
    tall = multiply(units, count)
    reading, looping, *others = weights
    demand(reading.shape == (tall, entering) and looping.shape == (tall, hidden), "a weight does not fit the layer")
    projection = [sort for sort in others if len(sort.shape) == 2]
    demand(all(sort.shape == (tall,) for sort in others if len(sort.shape) == 1), "a bias does not fit the layer")
    demand(all(sort.shape == (hidden, units) for sort in projection), "the projection does not fit the layer")
    demand(bool(projection) == (hidden != units), "states of one size have no projection, and others have one")


def relation(call: Call) -> tuple[Dims, ...]:
    """Gates ~ k ⊗ h; states share h; a layer reads x or D ⊗ h; time is pinned, and so are layers and directions."""
    form, (x, *rest) = layout(call.operation), call.dims
    demand(typing(call.operation, call.sources) == call.targets, "the layer does not type as it was captured")
    states, params = rest[: form.states], rest[form.states :]
    time, batch = (1, 0) if call.operation.attribute("batch_first") is True else (0, 1)
    hidden, units = states[0][2], states[-1][2]
    if not form.projected:
        call.tie(hidden, units)
    rename(call, units, UNNAMED, "units")
    rename(call, hidden, UNNAMED, "projection")
    directions = _pinned(call, "directions", form.directions)
    for number in range(form.layers * form.directions):
        entering = x[2] if number < form.directions else fuse(directions, hidden)
        _join(call, params[number * form.each : (number + 1) * form.each], entering, hidden, units)
    _doubt(call, 1 + form.states, (x[2], hidden, units))
    if form.projected:
        call.pin((units,), "it must stay larger than its projection")
    for state in states:
        call.tie(state[1], x[batch])
        call.pin((state[0],), "it counts layers and directions")
    call.pin((x[time],), "a recurrence runs over it")
    return ((x[0], x[1], fuse(directions, hidden)), *states)


def _pinned(call: Call, name: str, extent: int) -> Dim:
    found = call.unification.fresh(f"{call.operation.path or 'model'}:{name}", extent)
    call.pin((found,), f"the layer has {extent} {name}")
    return found


def _join(call: Call, weights: list[Dims], entering: Dim, hidden: Dim, units: Dim) -> None:
    reading, looping, *others = weights
    tall = fuse(_pinned(call, "gates", gates(call.operation)), units)
    call.tie(reading[1], entering)
    call.tie(looping[1], hidden)
    for dims in (reading, looping, *(dims for dims in others if len(dims) == 1)):
        demand(size(dims[0]) == size(tall), "a weight does not fit the layer")
        call.tie(dims[0], tall)
    projections = [dims for dims in others if len(dims) == 2]
    for projection in projections:
        call.tie(projection[0], hidden)
        call.tie(projection[1], units)
    if not projections:
        call.tie(hidden, units)


def _doubt(call: Call, first: int, dims: Dims) -> None:
    """Weights that are computed may not be zero where what they are made of is."""
    if not all(call.zeros[first:]):
        call.blur(dims, "a computed weight may not be zero there")


def cost(operation: Operation, sources: tuple[Sort, ...], targets: tuple[Sort, ...], binding: Mapping[str, int]) -> int:
    """Each matrix once for every position of x in time and batch; biases and gates count nothing."""
    del targets
    matrices = [sort for sort in sources[1 + layout(operation).states :] if len(sort.shape) == 2]
    steps = product(sources[0].shape[:2])
    return sum(evaluate(multiply(steps, product(sort.shape)), binding) for sort in matrices)


def state_zero(call: Call) -> bool:
    """Zero where weights and first states are, as half of zero is; along a batch that may be cut, biases are added."""
    return all(call.zeros[1:]) and not loose(call, call.dims[1][-2])


RECURRENT = Signature(
    ("aten.lstm.input", "aten.gru.input", "aten.rnn_tanh.input", "aten.rnn_relu.input"),
    typing,
    relation,
    cost,
    zero=state_zero,
)


def cell(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x[n, i], states s[n, h], w_ih, w_hh, biases → the states after one step."""
    x, states, weights = _of_cell(operation, sources)
    demand(len(x.shape) == 2 and len(weights) >= 2, "a cell takes one step of a batch")
    hidden = states[0].shape[-1]
    demand(all(state.shape == (x.shape[0], hidden) for state in states), "the first state does not fit")
    _fits(list(weights), x.shape[1], hidden, hidden, gates(operation))
    return states


def _of_cell(operation: Operation, items: tuple[T, ...]) -> tuple[T, tuple[T, ...], tuple[T, ...]]:
    """x, the states and the weights of a cell."""
    count = 2 if operation.name.startswith("aten.lstm") else 1
    return items[0], items[1 : 1 + count], items[1 + count :]


def cell_dims(call: Call) -> tuple[Dims, ...]:
    """As in one layer of one direction."""
    x, states, weights = _of_cell(call.operation, call.dims)
    demand(cell(call.operation, call.sources) == call.targets, "the cell does not type as it was captured")
    hidden = states[0][1]
    rename(call, hidden, UNNAMED, "units")
    _join(call, list(weights), x[1], hidden, hidden)
    _doubt(call, 1 + len(states), (x[1], hidden))
    for state in states:
        call.tie(state[0], x[0])
        call.tie(state[1], hidden)
    return states


def cell_cost(
    operation: Operation, sources: tuple[Sort, ...], targets: tuple[Sort, ...], binding: Mapping[str, int]
) -> int:
    """Each matrix once for every row of x."""
    del targets
    x, _, weights = _of_cell(operation, sources)
    matrices = [sort for sort in weights if len(sort.shape) == 2]
    return sum(evaluate(product((x.shape[0], *sort.shape)), binding) for sort in matrices)


CELL = Signature(
    ("aten.lstm_cell.default", "aten.gru_cell.default", "aten.rnn_tanh_cell.default", "aten.rnn_relu_cell.default"),
    cell,
    cell_dims,
    cell_cost,
    zero=state_zero,
)

RECURRENCES = (RECURRENT, CELL)
