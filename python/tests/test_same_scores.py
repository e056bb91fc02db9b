"""Python and the command `narrows` give the same models and the same scores, to the bit: tables, series and images."""

import csv
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import narrows
from narrows import AutoEncoder, ImageAutoEncoder, ImageRestorer, SeriesAutoEncoder, datasets

pd = pytest.importorskip("pandas")
pytestmark = pytest.mark.filterwarnings("ignore::narrows.NarrowsWarning")
SEED = 7

Run = Callable[..., str]


@pytest.fixture
def run(command: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command in a folder of the test's own, which is that of Python, too: models know the path of their data."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> str:
        line = [str(command), *map(str, words), "--quiet"]
        done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def scores_of(text: str) -> tuple[np.ndarray, np.ndarray, list[bool]]:
    """Scores, p-values and verdicts as the command wrote them; numbers are written so that they come back to the bit."""
    rows = list(csv.DictReader(text.splitlines()))
    numbers = [np.array([float(row[name] or "nan") for row in rows]) for name in ("score", "p_value")]
    return numbers[0], numbers[1], [row["is_anomaly"] == "true" for row in rows]


def check(model: Any, X: Any, written: str) -> None:
    """The scores of a model in Python are those that the command wrote."""
    score, p_value, verdicts = scores_of(written)
    assert len(score) > 0
    assert np.array_equal(-model.score_samples(X), score, equal_nan=True)
    assert np.array_equal(model.p_values(X), p_value, equal_nan=True)
    assert ((model.predict(X) == -1).tolist()) == verdicts


def settings(**fields: Any) -> list[str]:
    return [word for path, value in fields.items() for word in ("--set", f"{path.replace('__', '.')}={value}")]


@pytest.fixture
def payments(tmp_path: Path) -> Any:
    frame = datasets.payments(900)
    frame.to_parquet(tmp_path / "payments.parquet")
    return frame


@pytest.fixture
def machines(tmp_path: Path) -> Any:
    frame = datasets.machines(3000)
    frame.to_parquet(tmp_path / "machines.parquet")
    return frame


@pytest.fixture
def parts(tmp_path: Path) -> np.ndarray:
    images = datasets.parts(24, 1).train[:, ::4, ::4]
    np.save(tmp_path / "parts.npy", images)
    return images


@pytest.mark.parametrize("preset", ["deep", "auto"])
def test_a_table_fitted_by_the_command(run: Run, payments: Any, tmp_path: Path, preset: str) -> None:
    pytest.importorskip("pyarrow")
    fit = ["payments.parquet", "--label", "is_fraud", "--normal", 0, "--preset", preset, *settings(train__steps=30)]
    run("fit", *fit, "--seed", SEED, "-o", "m.narrows")
    model = narrows.load(tmp_path / "m.narrows")
    assert isinstance(model, AutoEncoder)
    check(model, payments, run("score", "m.narrows", "payments.parquet"))


def test_a_table_fitted_by_python(run: Run, payments: Any, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    model = AutoEncoder("deep", label="is_fraud", normal="0", max_steps=30, random_state=SEED).fit(payments)
    model.save(tmp_path / "m.narrows")
    check(model, payments, run("score", "m.narrows", "payments.parquet"))


def test_a_matrix_gives_the_file_of_the_command(run: Run, tmp_path: Path) -> None:
    matrix = np.random.default_rng(0).normal(size=(300, 4))
    np.save(tmp_path / "matrix.npy", matrix)
    run("fit", "matrix.npy", "--preset", "deep", *settings(train__steps=30), "--seed", SEED, "-o", "m.narrows")
    from_file = AutoEncoder("deep", max_steps=30, random_state=SEED).fit("matrix.npy")
    from_memory = AutoEncoder("deep", max_steps=30, random_state=SEED).fit(matrix)
    assert from_file.model_.to_bytes() == (tmp_path / "m.narrows").read_bytes()
    same_but_for_the_name(from_memory, from_file)
    check(from_memory, matrix, run("score", "m.narrows", "matrix.npy"))


def test_series_fitted_by_the_command(run: Run, machines: Any, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    roles = ["--kind", "series", "--time", "time", "--id", "machine", "--label", "anomaly", "--normal", 0]
    fit = [*roles, "--preset", "simple", *settings(train__steps=30, data__window=16)]
    run("fit", "machines.parquet", *fit, "--seed", SEED, "-o", "m.narrows")
    model = narrows.load(tmp_path / "m.narrows")
    assert isinstance(model, SeriesAutoEncoder)
    written = run("score", "m.narrows", "machines.parquet")
    check(model, machines, written)
    flags = [row["flag"] or None for row in csv.DictReader(written.splitlines())]
    given = [None if flag != flag else flag for flag in model.score(machines).flag]
    assert given == flags
    events = list(csv.DictReader(run("score", "m.narrows", "machines.parquet", "--events").splitlines()))
    own = model.events(machines)
    assert own.peak_score.tolist() == [float(event["peak_score"]) for event in events]
    assert own.first_row.tolist() == [int(event["first_row"]) for event in events]
    same_fit = SeriesAutoEncoder(
        "simple", time="time", id="machine", label="anomaly", normal="0", window=16, max_steps=30, random_state=SEED
    )
    assert same_fit.fit("machines.parquet").model_.to_bytes() == (tmp_path / "m.narrows").read_bytes()
    same_but_for_the_name(same_fit.fit(machines), model)


def test_streams_score_as_the_command_follows(run: Run, machines: Any, tmp_path: Path) -> None:
    one = machines[machines.machine == "m01"].drop(columns=["machine", "anomaly"])
    model = SeriesAutoEncoder("simple", time="time", window=16, max_steps=30).fit(one)
    model.save(tmp_path / "m.narrows")
    new = one[:40]
    new.to_json(tmp_path / "new.ndjson", orient="records", lines=True, date_format="iso")
    written = run("score", "m.narrows", "new.ndjson", "--follow", "--format", "csv")
    stream = model.stream()
    pushed = [stream.push(row) for row in new.to_dict("records")]
    score, p_value, verdicts = scores_of(written)
    assert np.array_equal([point["score"] for point in pushed], score, equal_nan=True)
    assert np.array_equal([point["p_value"] for point in pushed], p_value, equal_nan=True)
    assert [point["is_anomaly"] for point in pushed] == verdicts


def test_images_fitted_by_the_command(run: Run, parts: np.ndarray, tmp_path: Path) -> None:
    small = settings(train__steps=5, backbone__code_size=6, train__batch_size=8)
    run("fit", "parts.npy", "--kind", "images", *small, "--seed", SEED, "-o", "m.narrows")
    model = narrows.load(tmp_path / "m.narrows")
    assert isinstance(model, ImageAutoEncoder)
    check(model, parts, run("score", "m.narrows", "parts.npy"))
    same_fit = ImageAutoEncoder(max_steps=5, code_size=6, batch_size=8, random_state=SEED)
    assert same_fit.fit("parts.npy").model_.to_bytes() == (tmp_path / "m.narrows").read_bytes()
    same_but_for_the_name(same_fit.fit(parts), model)
    assert np.array_equal(same_fit.score_samples(parts), model.score_samples(parts))


def test_images_restored_by_the_command(run: Run, tmp_path: Path) -> None:
    Image = pytest.importorskip("PIL.Image")
    scenes = datasets.scenes(6)
    (tmp_path / "clean").mkdir()
    for i, scene in enumerate(scenes):
        Image.fromarray(scene).save(tmp_path / "clean" / f"{i}.png")
    small = settings(train__steps=3, backbone__channels=8, backbone__blocks=1, train__batch_size=4)
    run("fit", "clean", "--corrupt", "gaussian:25", *small, "--seed", SEED, "-o", "m.narrows")
    run("restore", "m.narrows", "clean", "restored")
    model = narrows.load(tmp_path / "m.narrows")
    assert isinstance(model, ImageRestorer)
    restored = model.restore(scenes)
    for i in range(6):
        with Image.open(tmp_path / "restored" / f"{i}.png") as image:
            assert np.array_equal(np.asarray(image), restored[i])


def test_compressed_files_are_the_command_s(run: Run, payments: Any, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    model = AutoEncoder("compressing", label="is_fraud", max_steps=30).fit(payments)
    model.save(tmp_path / "m.narrows")
    narrows.compress(model, payments, tmp_path / "d.nrw", max_error="0.5%")
    run("decompress", "m.narrows", "d.nrw", "-o", "back.parquet")
    back = narrows.decompress(model, tmp_path / "d.nrw")
    pd.testing.assert_frame_equal(back, pd.read_parquet(tmp_path / "back.parquet"), check_dtype=False)


def same_but_for_the_name(one: Any, other: Any) -> None:
    """Models of the same data, which was in memory once and in a file once; and files know their types less well."""
    told = [
        {name: model.report_[name] for name in ("rows", "network", "training", "detection")} for model in (one, other)
    ]
    assert told[0] == told[1]
    assert (one.threshold_, one.recipe_) == (other.threshold_, other.recipe_)
