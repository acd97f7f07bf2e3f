"""Tensors on the disk: the same bytes, and no memory but while they are looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from surgdsl.bridge.encoding import decode, dense
from surgdsl.bridge.paging import LARGE, REGION, Scratch, release, runs
from surgdsl.bridge.storage import read, write


def resident() -> int:
    """The bytes of mapped files that this process holds in memory."""
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("this system does not tell")
    (line,) = [one for one in status.read_text(encoding="ascii").splitlines() if one.startswith("RssFile")]
    return 1024 * int(line.split()[1])


def test_moved_tensors_are_the_same_and_take_no_memory(tmp_path: Path) -> None:
    array = np.random.default_rng(0).standard_normal((16, LARGE // 16), dtype=np.float32)
    scratch = Scratch(tmp_path)
    weight = scratch.moved(dense(array))
    before = resident()
    assert np.array_equal(decode(weight), array)
    assert resident() - before > array.nbytes // 2
    release(weight.parts["values"])
    assert resident() - before < array.nbytes // 2
    assert np.array_equal(decode(weight), array)
    assert scratch.moved(weight).parts["values"] is weight.parts["values"]
    assert not list(tmp_path.iterdir())


def test_small_tensors_stay(tmp_path: Path) -> None:
    weight, scratch = dense(np.zeros(4, dtype=np.float32)), Scratch(tmp_path)
    assert scratch.moved(weight) is weight
    assert scratch.regions == []


def test_regions_hold_many_tensors(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    made = [scratch.moved(dense(np.full(LARGE, value, dtype=np.uint8))) for value in range(5)]
    assert [int(one.parts["values"][-1]) for one in made] == [0, 1, 2, 3, 4]
    assert len(scratch.regions) == 1
    assert len(scratch.regions[0].data) == REGION


def test_a_file_is_released_only_where_it_is_mapped(tmp_path: Path) -> None:
    array = np.arange(LARGE // 4, dtype=np.float32)
    release(array)  # in memory: nothing to give back
    write(tmp_path / "a.safetensors", {"x": ("F32", array), "y": ("F32", array + 1)})
    found = {name: held for name, (_, held) in read(tmp_path / "a.safetensors").items()}
    for _ in range(2):
        assert np.array_equal(found["x"], array)
        assert np.array_equal(found["y"][5:], array[5:] + 1)
        release(found["x"])
        release(found["y"][5:])


def test_runs_are_the_whole_in_pieces() -> None:
    array = np.arange(12).reshape(3, 4)
    assert np.array_equal(np.concatenate(list(runs(array, 5 * array.itemsize))), array.reshape(-1))
    assert list(runs(np.zeros(0))) == []
    assert [run.tolist() for run in runs(np.array(7.0))] == [[7.0]]
