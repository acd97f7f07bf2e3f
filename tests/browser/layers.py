"""Shapes and arguments of the operators of layers: convolutions, pools, products, norms; see `shapes`."""

import random
import re
from collections.abc import Callable, Mapping

from tests.browser.shapes import Drawn, Shape, some


def _space(name: str) -> int:
    found = re.search(r"([123])d", name)
    assert found is not None
    return int(found[1])


def _conv(rng: random.Random, name: str) -> Drawn:
    count, groups = _space(name), rng.choice([1, 1, 2, 3])
    inner, outer = rng.randint(1, 3), groups * rng.randint(1, 3)
    drawn = {
        "input": Shape([rng.randint(1, 3), inner * groups, *(rng.randint(5, 9) for _ in range(count))]),
        "weight": Shape([outer, inner, *(rng.randint(1, 3) for _ in range(count))]),
        "bias": rng.choice([None, Shape([outer])]),
        "groups": groups,
        "stride": [rng.randint(1, 3)] * count,
        "padding": rng.choices(range(3), k=count),
        "dilation": rng.choices([1, 2], k=count),
    }
    if "padding" in name:
        drawn |= {"padding": rng.choice(["same", "valid"]), "stride": [1] * count}
    return drawn


def _transposed(rng: random.Random, name: str) -> Drawn:
    count, groups = _space(name), rng.choice([1, 1, 2, 3])
    outer, inner = groups * rng.randint(1, 3), rng.randint(1, 3)
    stride = rng.choices([1, 2, 3], k=count)
    return {
        "input": Shape([rng.randint(1, 3), outer, *(rng.randint(3, 6) for _ in range(count))]),
        "weight": Shape([outer, inner, *(rng.randint(1, 3) for _ in range(count))]),
        "bias": rng.choice([None, Shape([inner * groups])]),
        "groups": groups,
        "stride": stride,
        "padding": rng.choices([0, 1], k=count),
        "output_padding": [rng.randrange(one) for one in stride],
        "dilation": rng.choices([1, 2], k=count),
    }


def _pool(rng: random.Random, name: str) -> Drawn:
    count = _space(name)
    size = rng.choices([1, 2, 3], k=count)
    return {
        "self": Shape([*some(rng, 2, 2), *(rng.randint(5, 9) for _ in range(count))]),
        "kernel_size": size,
        "stride": rng.choice([[], rng.choices([1, 2, 3], k=count)]),
        "padding": [rng.randint(0, one // 2) for one in size],
        "dilation": rng.choices([1, 2], k=count),
        "ceil_mode": rng.random() < 0.5,
    }


def _adapt(rng: random.Random, name: str) -> Drawn:
    count = _space(name)
    return {"self": Shape([*some(rng, 1, 2), *some(rng, count, count)]), "output_size": some(rng, count, count)}


def _resample(rng: random.Random, name: str) -> Drawn:
    count = _space(name)
    if "adaptive" in name:
        return _adapt(rng, name)
    by_size = rng.random() < 0.5
    return {
        "input": Shape([*some(rng, 2, 2), *(rng.randint(2, 5) for _ in range(count))]),
        "output_size": some(rng, count, count) if by_size else None,
        "scale_factors": None if by_size else [rng.choice([0.5, 1.5, 2.0, 0.7]) for _ in range(count)],
    }


def _matmul(rng: random.Random, _name: str) -> Drawn:
    rows, inner, columns = some(rng, 3, 3)
    batch = some(rng, 0, 2)
    left = rng.choice([[inner], [rows, inner], [*batch, rows, inner]])
    right = rng.choice([[inner], [inner, columns], [*(rng.choice([1, one]) for one in batch), inner, columns]])
    return {"self": Shape(left), "other": Shape(right)}


def _einsum(rng: random.Random, _name: str) -> Drawn:
    extents = dict(zip("abcdE", some(rng, 5, 5), strict=True))
    left, right = ("".join(rng.sample("abcdE", rng.randint(1, 4))) for _ in range(2))
    shared = sorted(set(left) & set(right))
    alone = sorted(set(left) ^ set(right))
    pool = alone + rng.sample(shared, rng.randint(0, len(shared)))
    made = "".join(rng.sample(pool, len(pool)))
    run = some(rng, 0, 2) if rng.random() < 0.3 else []
    dots = "..." if run else ""
    shapes = [Shape([*run, *(extents[letter] for letter in term)]) for term in (left, right)]
    return {"equation": f"{dots}{left}, {dots}{right} -> {dots}{made}", "tensors": shapes}


def _attention(rng: random.Random, _name: str) -> Drawn:
    queries, keys, width, values = some(rng, 4, 4)
    grouped = rng.random() < 0.4
    batch = some(rng, 2, 2) if grouped else some(rng, 1, 2)
    many = [batch[0], batch[1] * rng.choice([1, 2, 3])] if grouped else batch
    causal = rng.random() < 0.3
    mask = (
        None if causal else rng.choice([None, Shape([queries, keys]), Shape([*many, queries, keys]), Shape([1, keys])])
    )
    return {
        "query": Shape([*many, queries, width]),
        "key": Shape([*batch, keys, width]),
        "value": Shape([*batch, keys, values]),
        "attn_mask": mask,
        "dropout_p": 0.0,
        "is_causal": causal,
        "scale": rng.choice([None, 0.25]),
        "enable_gqa": grouped,
    }


def _layers(rng: random.Random, name: str) -> Drawn:
    gates = 4 if "lstm" in name else 3 if "gru" in name else 1
    time, batch, features, width = some(rng, 4, 4)
    count, both, first, biases = rng.randint(1, 2), rng.random() < 0.5, rng.random() < 0.5, rng.random() < 0.5
    directions = 2 if both else 1
    params: list[Shape] = []
    for layer in range(count):
        inner = features if layer == 0 else directions * width
        cell = [Shape([gates * width, inner]), Shape([gates * width, width])]
        params += directions * [*cell, *(2 * [Shape([gates * width])] if biases else [])]
    state = Shape([count * directions, batch, width])
    return {
        "input": Shape([batch, time, features] if first else [time, batch, features]),
        "hx": [state, state] if "lstm" in name else state,
        "params": params,
        "has_biases": biases,
        "num_layers": count,
        "dropout": rng.choice([0.0, 0.5]),
        "train": False,
        "bidirectional": both,
        "batch_first": first,
    }


def _layer(rng: random.Random, _name: str) -> Drawn:
    size = some(rng, 1, 2)
    return {
        "input": Shape([*some(rng, 0, 2), *size]),
        "normalized_shape": size,
        "weight": rng.choice([None, Shape(size)]),
        "bias": rng.choice([None, Shape(size)]),
    }


def _groups(rng: random.Random, _name: str) -> Drawn:
    groups = rng.randint(1, 3)
    channels = groups * rng.randint(1, 3)
    shape = rng.choice([None, Shape([channels])])
    return {
        "input": Shape([rng.randint(1, 3), channels, *some(rng, 1)]),
        "num_groups": groups,
        "weight": shape,
        "bias": shape,
    }


def _prelu(rng: random.Random, _name: str) -> Drawn:
    x = some(rng, 2, 4)
    return {"self": Shape(x), "weight": Shape([rng.choice([1, x[1]])])}


def _polar(rng: random.Random, _name: str) -> Drawn:
    x = some(rng, 1, 3)
    where = rng.choice([0, len(x) - 1])
    return {"v": Shape(x), "g": Shape([one if k == where else 1 for k, one in enumerate(x)]), "dim": where}


def _grid(rng: random.Random, _name: str) -> Drawn:
    return {"self": Shape(some(rng)), "scale": 0.1, "zero_point": rng.randint(0, 15), "quant_min": 0, "quant_max": 15}


def _batch(rng: random.Random, _name: str) -> Drawn:
    channels, trains = rng.randint(1, 3), rng.random() < 0.3
    running = None if trains else Shape([channels])
    shape = rng.choice([None, Shape([channels])])
    x = Shape([rng.randint(2, 3), channels, *some(rng)])
    return {
        "input": x,
        "weight": shape,
        "bias": shape,
        "running_mean": running,
        "running_var": running,
        "training": trains,
    }


def _columns(rng: random.Random, name: str) -> Drawn:
    size, stride, dilation, padding = ([rng.randint(least, 2) for _ in range(2)] for least in (1, 1, 1, 0))
    inside = [rng.randint(3, 6) for _ in range(2)]
    reach = [inside[k] + 2 * padding[k] - dilation[k] * (size[k] - 1) - 1 for k in range(2)]
    count = (reach[0] // stride[0] + 1) * (reach[1] // stride[1] + 1)
    lead, channels = some(rng, 0, 1), rng.randint(1, 3)
    windows = {"kernel_size": size, "stride": stride, "dilation": dilation, "padding": padding}
    if "col2im" in name:
        return {"self": Shape([*lead, channels * size[0] * size[1], count]), "output_size": inside, **windows}
    return {"self": Shape([*lead, channels, *inside]), **windows}


LAYERS: Mapping[str, Callable[[random.Random, str], Drawn]] = {
    "<attention>": _attention,
    "<batch>": _batch,
    "<columns>": _columns,
    "<conv>": _conv,
    "<einsum>": _einsum,
    "<grid>": _grid,
    "<groups>": _groups,
    "<layer>": _layer,
    "<layers>": _layers,
    "<matmul>": _matmul,
    "<polar>": _polar,
    "<pool>": _pool,
    "<prelu>": _prelu,
    "<resample>": _resample,
    "<transposed>": _transposed,
}
