"""`narrows serve` as its clients meet it: Triton's client, and a search for requests that the OpenAPI document does not
describe truly."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import narrows
from narrows import datasets

triton = pytest.importorskip("tritonclient.http")
pytestmark = pytest.mark.filterwarnings("ignore::narrows.NarrowsWarning")
SEED = 11
# No search takes longer.
SECONDS = 240


@pytest.fixture(scope="module")
def model() -> narrows.AutoEncoder:
    frame = datasets.payments(600)
    return narrows.AutoEncoder(label="is_fraud", steps=60, random_state=SEED).fit(frame)


@pytest.fixture(scope="module")
def address(model: narrows.AutoEncoder, command: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on a free port with the models `m` and, of two numbers, `n`."""
    folder = tmp_path_factory.mktemp("served")
    model.save(folder / "m.narrows")
    angle = np.arange(300) / 31
    narrows.AutoEncoder(steps=60, random_state=SEED).fit(np.column_stack([np.sin(angle), np.cos(angle)])).save(
        folder / "n.narrows"
    )
    line = [str(command), "serve", str(folder), "--port", "0", "--json", "--quiet"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["address"]
        finally:
            process.terminate()
            process.wait(60)


def test_triton_finds_what_it_asks_for(address: str) -> None:
    client = triton.InferenceServerClient(address.removeprefix("http://"))
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("m")
    assert client.get_server_metadata()["name"] == "narrows"
    metadata = client.get_model_metadata("n")
    config = client.get_model_config("n")
    assert [tensor["name"] for tensor in metadata["inputs"]] == [tensor["name"] for tensor in config["input"]]
    assert [model["name"] for model in client.get_model_repository_index()] == ["m", "n"]
    assert client.get_inference_statistics("n")["model_stats"][0]["name"] == "n"


@pytest.mark.parametrize("is_binary", [True, False])
def test_triton_gets_the_scores_of_the_package(address: str, model: narrows.AutoEncoder, is_binary: bool) -> None:
    frame = datasets.payments(50, seed=3)
    client = triton.InferenceServerClient(address.removeprefix("http://"))
    inputs = []
    for tensor in client.get_model_metadata("m")["inputs"]:
        column = frame[tensor["name"]]
        is_text = tensor["datatype"] == "BYTES"
        values = [str(value).encode() if value == value and value is not None else b"" for value in column]
        array = np.array(values, dtype=object) if is_text else column.to_numpy(dtype=np.float64, na_value=np.nan)
        one = triton.InferInput(tensor["name"], [len(frame), 1], tensor["datatype"])
        one.set_data_from_numpy(array.reshape(-1, 1), binary_data=is_binary)
        inputs.append(one)
    outputs = [triton.InferRequestedOutput(name, binary_data=is_binary) for name in ("score", "is_anomaly")]
    result = client.infer("m", inputs, request_id="one", outputs=outputs)
    assert result.get_response()["id"] == "one"
    expected = model.scores(frame)
    assert np.array_equal(result.as_numpy("score"), np.asarray(expected.score), equal_nan=True)
    assert result.as_numpy("is_anomaly").tolist() == np.asarray(expected.is_anomaly).tolist()


def test_schemathesis_finds_nothing(address: str, tmp_path: Path) -> None:
    pytest.importorskip("schemathesis")
    line = [sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", "--seed", str(SEED)]
    line += ["--max-examples", "15", "--request-timeout", "20", "--no-color", "--generation-database", "none"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        line, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment, timeout=SECONDS
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
