"""Models as MLflow models: saved, logged, registered, and served by MLflow's own server and by ours."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import narrows

mlflow = pytest.importorskip("mlflow")
pd = pytest.importorskip("pandas")
import narrows.mlflow  # noqa: E402

QUICK = {"max_steps": 15, "random_state": 0}


@pytest.fixture(scope="module")
def rows() -> Any:
    return narrows.datasets.payments(300).drop(columns="is_fraud")


@pytest.fixture(scope="module")
def model(rows: Any) -> narrows.AutoEncoder:
    return narrows.AutoEncoder(**QUICK).fit(rows)


@pytest.fixture(scope="module")
def saved(model: narrows.AutoEncoder, rows: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mlflow") / "model"
    narrows.mlflow.save_model(model, folder, input_example=rows.head(3), metadata={"by": "me"})
    return folder


def test_both_flavours_score_as_the_model_does(model: narrows.AutoEncoder, rows: Any, saved: Path) -> None:
    expected = model.scores(rows)
    found = mlflow.pyfunc.load_model(str(saved)).predict(rows)
    pd.testing.assert_frame_equal(found, expected)
    pd.testing.assert_frame_equal(narrows.mlflow.load_model(saved).scores(rows), expected)
    assert (saved / "data" / "model.narrows").is_file()


def test_what_was_saved_says_what_it_is(model: narrows.AutoEncoder, saved: Path) -> None:
    about = mlflow.models.Model.load(str(saved))
    assert set(about.flavors) == {"narrows", "python_function"}
    assert about.flavors["narrows"]["model_type"] == "table"
    assert about.metadata == {"by": "me"}
    assert about.signature.inputs.input_names() == list(model.feature_names_in_)
    assert about.signature.outputs.input_names() == ["score", "p_value", "is_anomaly"]
    requirements = (saved / "requirements.txt").read_text()
    assert f"narrows=={narrows.__version__}" in requirements
    # It is no pickle.
    assert not list(saved.rglob("*.pkl"))


def test_a_frame_that_does_not_fit_the_signature_is_refused(rows: Any, saved: Path) -> None:
    with pytest.raises(mlflow.exceptions.MlflowException, match="amount"):
        mlflow.pyfunc.load_model(str(saved)).predict(rows.drop(columns="amount"))


def test_encoders_give_codes_and_series_scores(model: narrows.AutoEncoder, rows: Any, tmp_path: Path) -> None:
    narrows.mlflow.save_model(model.encoder(), tmp_path / "encoder")
    found = mlflow.pyfunc.load_model(str(tmp_path / "encoder")).predict(rows)
    pd.testing.assert_frame_equal(found, model.transform(rows))
    points = pd.DataFrame({"wave": np.sin(np.arange(600) / 9)})
    series = narrows.SeriesAutoEncoder(**QUICK).fit(points)
    narrows.mlflow.save_model(series, tmp_path / "series")
    found = mlflow.pyfunc.load_model(str(tmp_path / "series")).predict(points)
    pd.testing.assert_frame_equal(found, series.scores(points))


def test_models_of_images_are_refused(tmp_path: Path) -> None:
    images = narrows.ImageAutoEncoder("deep", **QUICK).fit(np.random.default_rng(0).random((20, 8, 8)))
    with pytest.raises(ValueError, match="expected a model of tables or series, got one of images"):
        narrows.mlflow.save_model(images, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_logged_model_is_registered(model: narrows.AutoEncoder, rows: Any, tmp_path: Path) -> None:
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = mlflow.create_experiment("narrows", artifact_location=(tmp_path / "artifacts").as_uri())
    with mlflow.start_run(experiment_id=experiment):
        logged = narrows.mlflow.log_model(model, name="payments", registered_model_name="payments")
    expected = model.scores(rows)
    pd.testing.assert_frame_equal(mlflow.pyfunc.load_model(logged.model_uri).predict(rows), expected)
    pd.testing.assert_frame_equal(narrows.mlflow.load_model("models:/payments/1").scores(rows), expected)


@pytest.fixture
def server(command: Path, saved: Path) -> Iterator[str]:
    """`narrows serve` of the model file that MLflow keeps."""
    line = [str(command), "serve", str(saved / "data" / "model.narrows"), "--port", "0", "--json", "--quiet"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")["address"]
        finally:
            process.terminate()
            process.wait(60)


@pytest.mark.parametrize("orient", ["split", "records"])
def test_the_server_answers_invocations_as_mlflow_does(
    server: str, model: narrows.AutoEncoder, rows: Any, tmp_path: Path, orient: str
) -> None:
    """The same request to `narrows serve` and to MLflow's own server, which is asked without a port. Without a signature, as
    MLflow takes no dates as text for a column of dates."""
    narrows.mlflow.save_model(model, tmp_path / "model")
    body = json.dumps({f"dataframe_{orient}": json.loads(rows.head(20).to_json(orient=orient, date_format="iso"))})
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{server}/invocations", body.encode(), headers)
    with urllib.request.urlopen(request) as response:
        ours = json.load(response)
    scoring = pytest.importorskip("mlflow.pyfunc.scoring_server")
    answer = scoring.invocations(body, "application/json", mlflow.pyfunc.load_model(str(tmp_path / "model")), None)
    theirs = json.loads(answer.response)
    assert list(ours) == list(theirs) == ["predictions"]
    assert len(ours["predictions"]) == 20
    for our, their in zip(ours["predictions"], theirs["predictions"], strict=True):
        assert our["score"] == pytest.approx(their["score"], rel=1e-12)
        assert our["p_value"] == pytest.approx(their["p_value"], rel=1e-12)
        assert bool(our["is_anomaly"]) == bool(their["is_anomaly"])
