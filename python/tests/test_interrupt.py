"""Work in the library leaves Python alive: other threads run, Ctrl-C ends a training and keeps the best weights so far."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import narrows

ROWS = np.random.default_rng(0).normal(size=(2000, 12))

LONG = """
    import sys, warnings
    import numpy as np
    import narrows

    rows = np.random.default_rng(0).normal(size=(2000, 12))
    long = {"train.patience": 0}

    def tell(history):
        print("checked", flush=True)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator = narrows.AutoEncoder(
            "deep", max_steps=10_000_000, max_epochs=1_000_000, settings=long, callbacks=tell
        ).fit(rows)
    assert estimator.predict(rows).shape == (2000,)
    print("fitted:", [str(w.message) for w in caught if issubclass(w.category, narrows.NarrowsWarning)])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as on POSIX")
def test_ctrl_c_ends_the_training_and_keeps_the_best_weights():
    command = [sys.executable, "-c", textwrap.dedent(LONG)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "checked\n"
        os.kill(process.pid, signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    last = out.splitlines()[-1]
    assert last.startswith("fitted:"), out
    assert "best weights so far" in last


def test_other_threads_run_during_a_fit():
    ticks = 0
    done = threading.Event()

    def tick():
        nonlocal ticks
        while not done.wait(0.001):
            ticks += 1

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.perf_counter()
    narrows.AutoEncoder("deep", max_steps=1500, settings={"train.patience": 0}, n_jobs=1).fit(ROWS)
    seconds = time.perf_counter() - start
    done.set()
    thread.join()
    # A fit that held the interpreter would leave the other thread a few ticks in all.
    assert ticks > 20 * seconds


def test_two_fits_at_once_give_what_they_give_alone():
    def fit(seed, into):
        into[seed] = narrows.AutoEncoder("deep", max_steps=60, random_state=seed).fit(ROWS).score_samples(ROWS[:50])

    alone: dict[int, np.ndarray] = {}
    together: dict[int, np.ndarray] = {}
    for seed in (1, 2):
        fit(seed, alone)
    threads = [threading.Thread(target=fit, args=(seed, together)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in (1, 2):
        np.testing.assert_array_equal(together[seed], alone[seed])


def test_an_exception_in_a_callback_ends_the_training_and_is_raised():
    def fail(history):
        raise RuntimeError("not like this")

    with pytest.raises(RuntimeError, match="not like this"):
        narrows.AutoEncoder("deep", max_steps=5000, callbacks=fail).fit(ROWS)
