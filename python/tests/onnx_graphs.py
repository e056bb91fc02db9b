"""Graphs as tests run them: checked, and by ONNX Runtime."""

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

RELATIVE = 1e-5
"""Allowed relative difference of a score: a hundred roundings of 32-bit numbers."""


def run(graph: bytes, feeds: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Every output of a graph by its name; the file has to pass the checker."""
    onnx.checker.check_model(onnx.load_model_from_string(graph), full_check=True)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True))


def metadata(graph: bytes) -> dict[str, Any]:
    """What the file says of itself."""
    entries = {entry.key: entry.value for entry in onnx.load_model_from_string(graph).metadata_props}
    as_text = ("narrows.kind", "narrows.version")
    return {key: value if key in as_text else json.loads(value) for key, value in entries.items()}


def compare_scores(found: dict[str, npt.NDArray[Any]], scores: Any, threshold: float) -> None:
    """Holds scores, labels and p-values of a graph against those of the model."""
    expected = np.asarray(scores["score"])
    np.testing.assert_allclose(found["scores"].ravel(), expected, rtol=RELATIVE)
    away = np.abs(expected - threshold) > 2 * RELATIVE * threshold
    labels = found["label"].ravel()
    assert labels.dtype == np.int64
    assert np.array_equal(labels[away] == 1, np.asarray(scores["is_anomaly"])[away])
    close = np.isclose(found["p_values"].ravel(), np.asarray(scores["p_value"]), rtol=1e-9, equal_nan=True)
    # A score may change places with a calibration score beside it.
    assert close.mean() > 0.98
