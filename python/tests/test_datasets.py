"""Data that the project makes itself: shapes, labels, and that they are the same for the same seed."""

from typing import Any

import numpy as np
import pytest

from narrows import datasets

pd = pytest.importorskip("pandas")


@pytest.mark.parametrize(
    ("make", "label", "rows", "columns"),
    [
        (datasets.payments, "is_fraud", 300, 16),
        (datasets.heartbeat, "class", 300, 141),
        (datasets.wide, "is_anomaly", 300, 30),
    ],
)
def test_tables_have_their_rows_and_a_label(make: Any, label: str, rows: int, columns: int) -> None:
    frame = make(rows)
    assert isinstance(frame, pd.DataFrame)
    assert frame.shape == (rows, columns)
    assert frame.columns[-1] == label
    assert frame.equals(make(rows))
    assert not frame.equals(make(rows, random_state=1))


def test_machines_are_series_with_faults_at_the_end() -> None:
    frame = datasets.machines(6000)
    assert list(frame.columns) == ["time", "machine", "temperature", "vibration", "pressure", "anomaly"]
    assert 5500 < len(frame) <= 6000
    assert frame.time.dtype.kind == "M"
    faults = frame[frame.anomaly == 1].time
    assert len(faults) > 0
    assert faults.min() > frame.time.min() + (frame.time.max() - frame.time.min()) / 3


def test_more_rows_start_with_the_fewer_ones() -> None:
    numbers = ["amount", "distance_km", "country"]
    assert datasets.wide(50).equals(datasets.wide(100)[:50])
    assert not datasets.payments(50)[numbers].equals(datasets.payments(50, random_state=3)[numbers])


@pytest.mark.parametrize(("output", "module"), [("polars", "polars"), ("pyarrow", "pyarrow"), ("numpy", "numpy")])
def test_other_forms_are_given_on_request(output: str, module: str) -> None:
    pytest.importorskip(module)
    made = datasets.wide(20, output=output)
    assert type(made).__module__.split(".")[0] == module
    assert made.shape == (20, 30)


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match="output: expected one of pandas, polars, pyarrow, numpy, got 'excel'"):
        datasets.wide(20, output="excel")


def test_without_pandas_there_is_a_dict_of_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("narrows._output.find_spec", lambda _: None)
    made = datasets.wide(20)
    assert list(made)[:2] == ["x0", "x1"]
    assert made["x0"].shape == (20,)
    with pytest.raises(ImportError, match="pip install polars"):
        datasets.wide(20, output="polars")


def test_parts_differ_by_their_defects_alone() -> None:
    made = datasets.parts(n_train=5, n_test=7)
    assert made.train.shape == (5, 64, 64)
    assert made.test.shape == made.masks.shape == (7, 64, 64)
    assert made.train.dtype == made.masks.dtype == np.uint8
    assert made.labels.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert (made.masks.reshape(7, -1).max(axis=1) > 0).tolist() == [False] * 4 + [True] * 3
    # The good parts of a longer run are the same ones.
    assert np.array_equal(datasets.parts(n_train=9, n_test=2).train[:5], made.train)
    assert datasets.parts(2, 1).labels.tolist() == [0]


def test_scenes_are_in_colour() -> None:
    scenes = datasets.scenes(4)
    assert (scenes.shape, scenes.dtype) == ((4, 96, 96, 3), np.uint8)
    assert np.array_equal(scenes[:2], datasets.scenes(2))
    assert not np.array_equal(scenes, datasets.scenes(4, random_state=1))


@pytest.mark.parametrize("make", [datasets.payments, datasets.machines, datasets.scenes, datasets.parts])
def test_counts_are_whole_numbers_from_one(make: Any) -> None:
    with pytest.raises(ValueError, match="expected at least 1 for n_"):
        make(0)
    with pytest.raises(TypeError, match="expected a whole number for n_"):
        make(1.5)
