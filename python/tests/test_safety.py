"""Nothing is lost or hangs: forked children compute, inputs are not overwritten, cells come back with all their digits."""

import os
import sys

import numpy as np
import pandas as pd
import pytest

import narrows

ROWS = np.random.default_rng(0).normal(size=(300, 3))


def fitted():
    return narrows.AutoEncoder("simple", max_steps=40).fit(ROWS)


def in_child(work, seconds=60):
    """The exit status of a forked child that does some work, killed if it takes too long."""
    import signal

    child = os.fork()
    if child == 0:
        signal.alarm(seconds)
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_child_scores_fits_and_loads_as_its_parent(tmp_path):
    model = fitted()
    expected = model.score_samples(ROWS)
    model.save(tmp_path / "m.narrows")

    def work():
        np.testing.assert_array_equal(model.score_samples(ROWS), expected)
        np.testing.assert_array_equal(fitted().score_samples(ROWS), expected)
        np.testing.assert_array_equal(narrows.load(tmp_path / "m.narrows").score_samples(ROWS), expected)

    assert in_child(work) == 0
    # The parent goes on as before.
    np.testing.assert_array_equal(model.score_samples(ROWS), expected)


def test_an_input_is_not_overwritten(tmp_path):
    path = tmp_path / "rows.csv"
    pd.DataFrame(ROWS, columns=["a", "b", "c"]).to_csv(path, index=False)
    before = path.read_bytes()
    model = narrows.AutoEncoder("simple", max_steps=40).fit(path)
    with pytest.raises(ValueError, match="expected another file than the input"):
        narrows.compress(model, path, path, max_error="1%")
    with pytest.raises(ValueError, match="expected another file than the input"):
        model.report(path, path)
    assert path.read_bytes() == before


def test_lossless_cells_come_back_with_their_digits_and_zones(tmp_path):
    n = len(ROWS)
    frame = pd.DataFrame(
        {
            "x": ROWS[:, 0],
            "nullable": pd.array([1, None, 2**60 + 1] * (n // 3), dtype="Int64"),
            "large": np.array([2**64 - 1, 2**63 + 3, 5] * (n // 3), dtype=np.uint64),
            "at": pd.date_range("2024-03-30 22:00", periods=n, freq="h", tz="Europe/Berlin"),
        }
    )
    model = narrows.AutoEncoder("simple", max_steps=40).fit(frame)
    narrows.compress(model, frame, tmp_path / "f.nrw", lossless=True)
    back = narrows.decompress(model, tmp_path / "f.nrw")
    assert back["nullable"].tolist() == frame["nullable"].tolist()
    assert back["large"].tolist() == frame["large"].tolist()
    assert str(back["at"].dt.tz) == "Europe/Berlin"
    assert (back["at"] == frame["at"]).all()


def test_arrays_of_another_number_of_channels_are_refused():
    wave = np.sin(np.arange(600) / 5)
    model = narrows.SeriesAutoEncoder(preset="simple", window=16, max_steps=20).fit(wave)
    with pytest.raises(ValueError, match="X has 2 features, but SeriesAutoEncoder is expecting 1"):
        model.scores(np.c_[wave, wave])


def test_values_that_mean_nothing_are_refused_by_their_argument():
    model = fitted()
    for spread in (float("nan"), -1.0):
        with pytest.raises(ValueError, match="spread: expected a finite number of at least 0"):
            model.vary(ROWS, 3, spread=spread)
    with pytest.raises(ValueError, match="random_state: expected an integer from 0"):
        narrows.AutoEncoder(random_state=2**64).fit(ROWS)
    with pytest.raises(ValueError, match="n_jobs: expected at most 1024 threads"):
        narrows.AutoEncoder(n_jobs=10**30).fit(ROWS)
    with pytest.raises(ValueError, match="expected a number, got x") as caught:
        narrows.AutoEncoder(settings={"train.learning_rate": "x"}).fit(ROWS)
    assert "f64" not in str(caught.value)
    with pytest.raises(ValueError, match="max_steps: expected either"):
        narrows.AutoEncoder(max_steps=10, settings={"train.steps": 5}).fit(ROWS)


def test_a_masked_image_is_refused():
    images = np.random.default_rng(1).random((12, 8, 8))
    with pytest.raises(TypeError, match="without missing pixels"):
        narrows.ImageAutoEncoder(max_steps=5).fit(np.ma.array(images, mask=images > 0.9))


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as on POSIX")
def test_ctrl_c_is_heard_while_rows_are_made():
    import signal
    import threading
    import time

    model = fitted()
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    start = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        model.sample(10**9)
    assert time.perf_counter() - start < 30
