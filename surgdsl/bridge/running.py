"""Running: what a net predicts, what its loss says of its weights, and how its weights are tuned.

Everything is seeded, in a fixed order, and on a fixed number of threads, because the result is promised to be the same
tomorrow.
"""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import fmean

import numpy as np
import torch
from attrs import evolve, frozen
from torch.nn import functional

from surgdsl.bridge.arguments import to_array, to_tensor
from surgdsl.bridge.encoding import part_names
from surgdsl.bridge.rebuild import rebuild
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import NUMPY, Array, State, Weight
from surgdsl.diagnostic import Diagnostic, Refusal

BATCH = 256
FLOATS = ("values", "codebook", "scale")
"""Parts that training may move."""
TORCH_FLOATS = ("F64", "F32", "F16", "BF16")
Tensors = tuple[tuple[torch.Tensor, ...], torch.Tensor]
"""A batch: the inputs of the model, and the labels."""


@contextmanager
def deterministic(seed: int, threads: int = 1) -> Generator[None]:
    """Seeded generators, deterministic algorithms and `threads` threads, for a while."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002 - see below
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(mode=True)
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - we never draw from it, but the sources of a user may
    random.seed(seed)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(mode=before[1])
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])  # noqa: NPY002 - see above
        random.setstate(states[2])


def device() -> torch.device:
    """Where nets run: the accelerator if there is one, else the processor."""
    return torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")


def predict(state: State, rows: Rows) -> Array:
    """The class with the largest value in the first output, for each row; the lowest class among equals. int64[n]."""
    module = rebuild(state).to(device())
    with torch.no_grad():
        answers = [to_array(_first(module(*inputs))) for inputs, _ in _batches(rows, BATCH)]
    return np.concatenate([one.argmax(axis=1).astype(np.int64) for one in answers])


def row_losses(state: State, rows: Rows, bits: float) -> Array:
    """The cross-entropy of the first output for each row, as a share of `bits`, at most 1; millionths, rounded up.

    A label that the model has no class for costs 1, and so does an answer that is no number. int64[n].
    """
    module = rebuild(state).to(device())
    found: list[Array] = []
    with torch.no_grad():
        for inputs, labels in _batches(rows, BATCH):
            said = functional.log_softmax(_first(module(*inputs)).double(), dim=1)
            known = (labels >= 0) & (labels < said.shape[1])
            chosen = said.gather(1, (labels.long() * known)[:, None])[:, 0]
            share = (-chosen / (bits * math.log(2))).nan_to_num(1.0).clamp(0.0, 1.0)
            found.append(to_array(torch.where(known, share, 1.0).mul(10**6).ceil().long()))
    return np.concatenate(found)


@frozen(eq=False)
class Seen:
    """What one batch shows of a net: the gradient of its mean loss by weight, the values of some wires, its rows."""

    gradients: Mapping[str, Array]
    wires: Mapping[str, Array]
    rows: int


def observe(state: State, rows: Rows, wires: Sequence[str] = (), batch: int = 64) -> Iterator[Seen]:
    """Run the net over the rows, batch by batch in order, and tell what is seen.

    Args:
        state: the net and its weights.
        rows: inputs and labels.
        wires: whose values are wanted.
        batch: how many rows are run at a time.
    """
    outputs = (*state.net.outputs, *((f"seen {place}", wire) for place, wire in enumerate(wires)))
    module = rebuild(evolve(state, net=evolve(state.net, outputs=outputs))).to(device())
    for inputs, labels in _batches(rows, batch):
        module.zero_grad(set_to_none=True)
        made = module(*inputs)
        value = loss(_first(made), labels)
        if value.requires_grad:  # else no weight has a part in the answer
            value.backward()
        slopes = {name: _plain(one.grad) for name, one in module.named_parameters() if one.grad is not None}
        values = made[-len(wires) :] if wires else ()
        yield Seen(slopes, {wire: _plain(one) for wire, one in zip(wires, values, strict=True)}, len(labels))


def _plain(tensor: torch.Tensor) -> Array:
    """The numbers of a tensor, in a dtype that numpy has."""
    return to_array(tensor.float() if tensor.dtype == torch.bfloat16 else tensor)


def loss(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy where labels are classes, else the mean squared error."""
    if labels.is_floating_point():
        return functional.mse_loss(outputs, labels.to(outputs.dtype))
    return functional.cross_entropy(outputs, labels.long())


def answers(state: State, rows: Rows) -> torch.Tensor:
    """The first output for every row, in order: what a pupil may learn from. On the processor."""
    module = rebuild(state).to(device())
    with torch.no_grad():
        return torch.cat([_first(module(*inputs)).cpu() for inputs, _ in _batches(rows, BATCH)])


@frozen
class Schedule:
    """How weights are tuned: AdamW over shuffled batches.

    The rate rises over a tenth of the steps and falls to zero along a cosine.
    """

    epochs: int
    rate: float
    batch: int
    seed: int


WARMTH = 4.0
"""The temperature at which a pupil compares itself with its teacher (Hinton, Vinyals, Dean 2015)."""


def tune(
    state: State,
    rows: Rows,
    schedule: Schedule,
    teacher: torch.Tensor | None = None,
    progress: Callable[[int, int, float], None] | None = None,
) -> State:
    """The state after training its parameters.

    Codes and masks stay; stored values, codebooks and scales move, and so do running statistics. Batch norms work on
    the statistics of the batch. The loss is the mean of the loss on the labels and, where labels are classes and there
    is a teacher, of the divergence from the teacher's answers.

    Args:
        state: the net and its weights.
        rows: what to train on.
        schedule: epochs, rate, batch and seed.
        teacher: the answers of the model before surgery, a row for each row.
        progress: told the epoch, the number of epochs, and the mean loss after each.

    Raises:
        Refusal: E0803, the training diverged.
    """
    module = rebuild(state, stored=True, batch_statistics=True).to(device())
    trained = [one for one in module.parameters() if one.requires_grad]
    if not trained:
        return state
    optimizer = torch.optim.AdamW(trained, schedule.rate, weight_decay=0.0)
    steps = schedule.epochs * len(_chunks(np.arange(len(rows)), schedule.batch))
    pace = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _pace(step, steps))
    generator = np.random.default_rng(schedule.seed)
    losses: list[float] = []
    for epoch in range(schedule.epochs):
        for chosen in _chunks(generator.permutation(len(rows)), schedule.batch):
            inputs, labels = batch_of(rows, chosen)
            optimizer.zero_grad(set_to_none=True)
            value = taught(
                _first(module(*inputs)), labels, None if teacher is None else teacher[torch.from_numpy(chosen)]
            )
            value.backward()
            optimizer.step()
            pace.step()
            losses.append(float(value.detach()))
        _check_loss(losses, len(losses) // (epoch + 1))
        if progress:
            progress(epoch + 1, schedule.epochs, fmean(losses[-(len(losses) // (epoch + 1)) :]))
    held = dict(module.named_parameters()) | dict(module.named_buffers())
    return evolve(state, weights=_read_back(state, held))


def _chunks(order: Array, size: int) -> list[Array]:
    """The rows of each batch: a single row at the end joins the batch before it, since one row has no statistics."""
    chunks = [order[start : start + size] for start in range(0, len(order), size)]
    if len(chunks) > 1 and len(chunks[-1]) == 1:
        chunks[-2:] = [np.concatenate(chunks[-2:])]
    return chunks


def _check_loss(losses: list[float], last: int) -> None:
    """Refuse a training that makes things much worse than they were at its first batch.

    Raises:
        Refusal: E0803, the mean of the `last` losses is far above the first, or is no number.
    """
    mean = fmean(losses[-last:])
    if not mean <= 10 * (1 + losses[0]):
        told = f"the loss went from {losses[0]:.3g} to {mean:.3g}"
        raise Refusal(Diagnostic("E0803", "recovery diverged", label=told), exit_code=3)


def _pace(step: int, steps: int) -> float:
    """The share of the rate at a step: a linear rise over the first tenth, then half a cosine down to zero."""
    rise = max(1, steps // 10)
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def taught(outputs: torch.Tensor, labels: torch.Tensor, teacher: torch.Tensor | None) -> torch.Tensor:
    """The loss on the labels, or its mean with the divergence from a teacher's answers."""
    own = loss(outputs, labels)
    if teacher is None or labels.is_floating_point():
        return own
    target = functional.log_softmax(teacher.to(outputs.device) / WARMTH, dim=-1)
    apart = functional.kl_div(
        functional.log_softmax(outputs / WARMTH, dim=-1), target, reduction="batchmean", log_target=True
    )
    return 0.5 * own + 0.5 * WARMTH**2 * apart


def _read_back(state: State, trained: Mapping[str, torch.Tensor]) -> Mapping[str, Weight]:
    found: dict[str, Weight] = {}
    for name, operation in state.net.params().items():
        weight, payload = state.weights[name], operation.payload
        assert payload is not None
        names = part_names(payload.base, weight.encoding)
        floats = {role: called for role, called in names.items() if role in FLOATS and weight.dtype in TORCH_FLOATS}
        parts = {role: to_array(trained[called]) for role, called in floats.items() if called in trained}
        found[name] = evolve(weight, parts={**weight.parts, **_settled(parts, weight.parts)}) if parts else weight
        if any(not np.isfinite(part).all() for part in parts.values() if part.dtype != NUMPY["BF16"]):
            told = f"`{payload.base}` is no longer finite"
            raise Refusal(Diagnostic("E0803", "recovery diverged", label=told), exit_code=3)
    return found


def _settled(parts: Mapping[str, Array], before: Mapping[str, Array]) -> Mapping[str, Array]:
    """Parts as an encoding demands them, whatever training made of them: codebooks that rise, scales above zero."""
    settled = dict(parts)
    if "codebook" in settled:
        settled["codebook"] = rising(settled["codebook"])
    if "scale" in settled:
        form = before["scale"]
        limits = np.finfo(form.dtype)
        settled["scale"] = np.clip(settled["scale"], limits.tiny, limits.max).astype(form.dtype).reshape(form.shape)
    return settled


def rising(codebook: Array) -> Array:
    """The codebook, moved as little as strict order allows: an entry not above the one before goes to the next float.

    >>> rising(np.array([0.0, 2.0, 1.0], dtype=np.float32)).tolist()
    [0.0, 2.0, 2.000000238418579]
    """
    found = codebook.copy()
    for place in range(1, len(found)):
        if not found[place] > found[place - 1]:
            found[place] = np.nextafter(found[place - 1], np.float32(np.inf))
    return found


def _batches(rows: Rows, size: int) -> Iterator[Tensors]:
    """All rows in order, `size` at a time."""
    order = np.arange(len(rows))
    return (batch_of(rows, order[start : start + size]) for start in range(0, len(order), size))


def batch_of(rows: Rows, chosen: Array) -> Tensors:
    """Some rows, where nets run."""
    where = device()
    inputs = tuple(to_tensor(array[chosen], _name(array), where) for array in rows.inputs)
    return inputs, to_tensor(rows.labels[chosen], _name(rows.labels), where)


def _name(array: Array) -> str:
    return next(name for name, dtype in NUMPY.items() if dtype == array.dtype)


def _first(outputs: torch.Tensor | tuple[torch.Tensor, ...]) -> torch.Tensor:
    return outputs[0] if isinstance(outputs, tuple) else outputs
