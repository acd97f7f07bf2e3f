"""Running: what a net predicts, what its loss says of its weights, and how its weights are tuned.

Everything is seeded, in a fixed order, and on a fixed number of threads, because the result is promised to be the same tomorrow.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

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


@contextmanager
def deterministic(seed: int, threads: int = 1) -> Iterator[None]:
    """Seeded generators, deterministic algorithms and `threads` threads, for a while."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.get_rng_state()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(mode=True)
    torch.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(mode=before[1])
        torch.set_rng_state(before[2])


def device() -> torch.device:
    """Where nets run: the accelerator if there is one, else the processor."""
    return torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")


def predict(state: State, rows: Rows) -> Array:
    """The class with the largest value in the first output, for each row; the lowest class among equals. int64[n]."""
    module = rebuild(state).to(device())
    found: list[Array] = []
    with torch.no_grad():
        for batch in _batches(rows, np.arange(len(rows)), BATCH):
            found.append(to_array(_first(module(*batch[0]))).argmax(axis=1).astype(np.int64))
    return np.concatenate(found)


def gradients(state: State, rows: Rows, batch: int = 64) -> Iterator[Mapping[str, Array]]:
    """For each batch in order, the gradient of its mean loss by weight (parameter name → array as the weight)."""
    module = rebuild(state).to(device())
    for inputs, labels in _batches(rows, np.arange(len(rows)), batch):
        module.zero_grad(set_to_none=True)
        loss(_first(module(*inputs)), labels).backward()
        yield {name: to_array(one.grad) for name, one in module.named_parameters() if one.grad is not None}


def loss(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy where labels are classes, else the mean squared error."""
    if labels.is_floating_point():
        return functional.mse_loss(outputs, labels.to(outputs.dtype))
    return functional.cross_entropy(outputs, labels.long())


def answers(state: State, rows: Rows) -> torch.Tensor:
    """The first output for every row, in order: what a pupil may learn from. On the processor."""
    module = rebuild(state).to(device())
    with torch.no_grad():
        return torch.cat([_first(module(*inputs)).cpu() for inputs, _ in _batches(rows, np.arange(len(rows)), BATCH)])


@frozen
class Schedule:
    """How weights are tuned: AdamW over shuffled batches, the rate rising over a tenth of the steps and falling to zero along a cosine."""

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
    """The state after training its parameters: codes and masks stay; stored values, codebooks and scales move, and so do running statistics.

    Batch norms work on the statistics of the batch. The loss is the mean of the loss on the labels and, where labels are classes and there is
    a teacher, of the divergence from the teacher's answers.

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
    generator = np.random.default_rng(schedule.seed)
    trained = [one for one in module.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=schedule.rate, weight_decay=0.0)
    steps = max(1, schedule.epochs * -(-len(rows) // schedule.batch))
    pace = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _pace(step, steps))
    for epoch in range(schedule.epochs):
        total = 0.0
        order = generator.permutation(len(rows))
        for start, (inputs, labels) in zip(range(0, len(rows), schedule.batch), _batches(rows, order, schedule.batch), strict=True):
            chosen = None if teacher is None else teacher[torch.from_numpy(order[start : start + schedule.batch])]
            optimizer.zero_grad(set_to_none=True)
            value = taught(_first(module(*inputs)), labels, chosen)
            value.backward()
            optimizer.step()
            pace.step()
            total += float(value.detach()) * len(labels)
        if progress:
            progress(epoch + 1, schedule.epochs, total / len(rows))
    held = dict(module.named_parameters()) | dict(module.named_buffers())
    return evolve(state, weights=_read_back(state, held))


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
    apart = functional.kl_div(functional.log_softmax(outputs / WARMTH, dim=-1), target, reduction="batchmean", log_target=True)
    return 0.5 * own + 0.5 * WARMTH**2 * apart


def _read_back(state: State, trained: Mapping[str, torch.Tensor]) -> Mapping[str, Weight]:
    found: dict[str, Weight] = {}
    for name, operation in state.net.params().items():
        weight, payload = state.weights[name], operation.payload
        assert payload is not None
        names = part_names(payload.base, weight.encoding)
        floats = {role: called for role, called in names.items() if role in FLOATS and weight.dtype in TORCH_FLOATS}
        parts = {role: to_array(trained[called]) for role, called in floats.items() if called in trained}
        found[name] = evolve(weight, parts={**weight.parts, **_settled(parts)}) if parts else weight
        if any(not np.isfinite(part).all() for part in parts.values() if part.dtype != NUMPY["BF16"]):
            raise Refusal(Diagnostic("E0803", f"recovery diverged: `{payload.base}` is no longer finite"), exit_code=3)
    return found


def _settled(parts: Mapping[str, Array]) -> Mapping[str, Array]:
    """Parts as an encoding demands them: a codebook rises strictly and scales are positive, whatever training made of them."""
    settled = dict(parts)
    if "codebook" in settled:
        settled["codebook"] = rising(settled["codebook"])
    if "scale" in settled:
        settled["scale"] = np.maximum(settled["scale"], np.finfo(np.float32).tiny)
    return settled


def rising(codebook: Array) -> Array:
    """The codebook moved as little as strict order allows: an entry that is not above the one before goes to the next float.

    >>> rising(np.array([0.0, 2.0, 1.0], dtype=np.float32)).tolist()
    [0.0, 2.0, 2.000000238418579]
    """
    found = codebook.copy()
    for place in range(1, len(found)):
        if not found[place] > found[place - 1]:
            found[place] = np.nextafter(found[place - 1], np.float32(np.inf))
    return found


def _batches(rows: Rows, order: Array, size: int) -> Iterator[tuple[tuple[torch.Tensor, ...], torch.Tensor]]:
    where = device()
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        inputs = tuple(to_tensor(array[chosen], _name(array), where) for array in rows.inputs)
        yield inputs, to_tensor(rows.labels[chosen], _name(rows.labels), where)


def _name(array: Array) -> str:
    return next(name for name, dtype in NUMPY.items() if dtype == array.dtype)


def _first(outputs: torch.Tensor | tuple[torch.Tensor, ...]) -> torch.Tensor:
    return outputs[0] if isinstance(outputs, tuple) else outputs
