"""Weight files: what is written is canonical and comes back; what is wrong is refused with its code."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from surgdsl.bridge.storage import NOTES, read, write
from surgdsl.bridge.weight import NUMPY
from surgdsl.diagnostic import Refusal

NAMES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=12)


@st.composite
def tensors(draw: st.DrawFn) -> tuple[str, NDArray[Any]]:
    dtype = draw(st.sampled_from(list(NUMPY)))
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    return dtype, draw(hnp.arrays(NUMPY[dtype], shape))


@given(st.dictionaries(NAMES.filter(lambda name: name != NOTES), tensors(), max_size=4))
def test_what_is_written_comes_back(given_tensors: dict[str, tuple[str, NDArray[Any]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.safetensors"
        write(path, given_tensors)
        found = read(path)
        assert sorted(given_tensors) == list(found)
        for name, (dtype, array) in given_tensors.items():
            assert found[name][0] == dtype
            assert found[name][1].shape == array.shape
            assert found[name][1].tobytes() == array.tobytes()
            assert not found[name][1].flags.writeable
        assert [path] == list(Path(folder).iterdir())


def test_the_bytes_are_those_of_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write(path, {"b": ("U8", np.array([7], dtype=np.uint8)), "B": ("F32", np.array([[1.0]], dtype=np.float32))})
    text = (
        b'{"B":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[1],"data_offsets":[4,5]}}'
    )
    text += b" " * (-len(text) % 8)
    assert len(text).to_bytes(8, "little") + text + b"\x00\x00\x80\x3f\x07" == path.read_bytes()
    assert load_file(path)["B"].tolist() == [[1.0]]


def test_files_of_the_library_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"x": np.arange(6, dtype=np.int64).reshape(2, 3), "y": np.array([True])}, path, metadata={"by": "hand"})
    found = read(path, hashlib.sha256(path.read_bytes()).hexdigest())
    assert found["x"][0] == "I64"
    assert found["x"][1].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["y"][0] == "BOOL"
    assert found["y"][1].tolist() == [True]


def test_misaligned_data_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    text = json.dumps({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    text += b" " * (1 - len(text) % 4 + 4)
    path.write_bytes(len(text).to_bytes(8, "little") + text + np.array([2.5], dtype="<f4").tobytes())
    assert read(path)["x"][1].tolist() == [2.5]
    assert read(path)["x"][1].flags.aligned


def file_of(folder: Path, text: bytes, data: bytes = b"") -> Path:
    path = folder / "bad.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


ROW = b'"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}'


@pytest.mark.parametrize(
    ("text", "data", "code"),
    [
        (b"{" + ROW + b"}", b"", "E0711"),
        (b"{" + ROW, b"1", "E0711"),
        (b"[]", b"", "E0711"),
        (b"{" + ROW + b"," + ROW + b"}", b"1", "E0711"),
        (b'{"x":{"dtype":"U16","shape":[1],"data_offsets":[0,2]}}', b"12", "E0713"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, text: bytes, data: bytes, code: str) -> None:
    with pytest.raises(Refusal, match=code):
        read(file_of(tmp_path, text, data))


@pytest.mark.parametrize("content", [b"", b"12345678", b"\xff" * 16])
def test_what_is_no_weight_file_at_all_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(Refusal, match="E0711"):
        read(path)


def test_a_missing_file_a_folder_and_another_digest_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="E0701"):
        read(tmp_path / "none.safetensors")
    with pytest.raises(Refusal, match="E0702"):
        read(tmp_path)
    path = tmp_path / "a.safetensors"
    write(path, {})
    with pytest.raises(Refusal, match="E0712"):
        read(path, "0" * 64)


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(IsADirectoryError):
        write(tmp_path / "taken", {"x": ("U8", np.zeros(1, dtype=np.uint8))})
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
    with pytest.raises(Refusal, match="E0715"):
        write(tmp_path / "a.safetensors", {"a b": ("U8", np.zeros(1, dtype=np.uint8))})
