"""Networks of every kind of layer, written as ONNX files: valid, and in ONNX Runtime what they are in the engine."""

import os
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

FOLDER = os.environ.get("NARROWS_NETWORKS", "")
FILES = sorted(Path(FOLDER).glob("*.onnx")) if FOLDER else []
if not FILES:
    pytest.skip("NARROWS_NETWORKS does not name a folder of networks; `cargo test` writes it", allow_module_level=True)

# Of the largest value of a sample: both sides compute in 32 bits, in other orders. Measured: 1.5e-6 at most.
TOLERANCE = 1e-5

each = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def numbers(file: Path, part: str) -> np.ndarray:
    """An array beside a file, of which the first dimension is that of the samples."""
    return np.load(file.with_suffix(f".{part}.npy"))


def run(file: Path, samples: np.ndarray) -> list[np.ndarray]:
    """Code and output in ONNX Runtime."""
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return session.run(["code", "output"], {"input": samples})


def difference(got: np.ndarray, want: np.ndarray) -> float:
    """The largest over samples, relative to the largest value of the sample."""
    assert got.shape == want.shape
    got, want = got.reshape(len(got), -1), want.reshape(len(want), -1)
    return float((np.abs(got - want).max(axis=1) / np.abs(want).max(axis=1)).max())


def test_every_layer_has_a_network() -> None:
    operators = {node.op_type for file in FILES for node in onnx.load(file).graph.node}
    expected = "BatchNormalization Conv ConvTranspose DepthToSpace Erf Floor Gemm InstanceNormalization LSTM"
    expected += " LayerNormalization MatMul MaxPool AveragePool Pad Resize Softmax Gather"
    assert set(expected.split()) - operators == set()


@each
def test_the_checker_accepts_it(file: Path) -> None:
    onnx.checker.check_model(file, full_check=True)


@each
def test_runtime_and_engine_agree(file: Path) -> None:
    for part, got in zip(["code", "output"], run(file, numbers(file, "input")), strict=True):
        assert difference(got, numbers(file, part)) < TOLERANCE, part


@each
def test_any_number_of_samples_may_come(file: Path) -> None:
    samples = numbers(file, "input")
    for n in [1, 4]:
        code, output = run(file, samples[:n])
        assert difference(code, numbers(file, "code")[:n]) < TOLERANCE
        assert difference(output, numbers(file, "output")[:n]) < TOLERANCE


def test_a_network_of_maps_takes_maps_of_any_size() -> None:
    file = next(file for file in FILES if file.stem == "any_size")
    samples = numbers(file, "input")
    assert [tuple(array.shape[2:]) for array in run(file, samples[:, :, 2:, 4:])] == [(5, 8), (40, 64)]
