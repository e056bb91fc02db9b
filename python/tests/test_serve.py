"""`narrows serve` as its clients meet it: Triton's client, and a search for requests that are not answered as the OpenAPI
document says."""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

triton = pytest.importorskip("tritonclient.http")
# A fixed seed, and a time that no search takes.
SEED = 11
SECONDS = 300


def rows(n: int) -> list[dict[str, str]]:
    """Two numbers on a circle, a cell of one now and then missing, and a word."""
    angle = np.arange(n) * 0.37
    missing = np.arange(n) % 41 == 40
    return [
        {"a": f"{np.sin(x):.5f}", "b": "" if gone else f"{np.cos(x):.5f}", "word": ("red", "green", "blue")[i % 3]}
        for i, (x, gone) in enumerate(zip(angle, missing, strict=True))
    ]


@pytest.fixture(scope="module")
def folder(command: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with rows, and a model that was fitted to them."""
    folder = tmp_path_factory.mktemp("served")
    with open(folder / "rows.csv", "w", newline="") as file:
        table = csv.DictWriter(file, ["a", "b", "word"])
        table.writeheader()
        table.writerows(rows(300))
    line = "fit rows.csv --preset simple --set train.steps=60 --seed 11 -o m.narrows --quiet"
    subprocess.run([command, *line.split()], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def address(command: Path, folder: Path) -> Iterator[str]:
    """A server of the model, on a free port."""
    line = [str(command), "serve", str(folder), "--port", "0", "--json", "--quiet"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            document = "".join(iter(process.stdout.readline, "}\n")) + "}"
            yield json.loads(document)["address"]
        finally:
            process.terminate()
            process.wait(60)


def test_triton_finds_what_it_asks_for(address: str) -> None:
    client = triton.InferenceServerClient(address.removeprefix("http://"))
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("m")
    assert client.get_server_metadata()["name"] == "narrows"
    metadata = client.get_model_metadata("m")
    config = client.get_model_config("m")
    assert [tensor["name"] for tensor in metadata["inputs"]] == ["a", "b", "word"]
    assert [tensor["name"] for tensor in config["input"]] == ["a", "b", "word"]
    assert [model["state"] for model in client.get_model_repository_index()] == ["READY"]
    assert client.get_inference_statistics("m")["model_stats"][0]["name"] == "m"
    with pytest.raises(triton.InferenceServerException, match="expected one of `m`"):
        client.get_model_metadata("other")


@pytest.mark.parametrize("is_binary", [True, False])
def test_triton_gets_the_scores_of_the_command(address: str, folder: Path, command: Path, is_binary: bool) -> None:
    given = rows(300)[:100]
    inputs = []
    for name in ("a", "b"):
        array = np.array([float(row[name] or "nan") for row in given]).reshape(-1, 1)
        inputs.append(triton.InferInput(name, array.shape, "FP64"))
        inputs[-1].set_data_from_numpy(array, binary_data=is_binary)
    words = np.array([row["word"].encode() for row in given], dtype=object).reshape(-1, 1)
    inputs.append(triton.InferInput("word", words.shape, "BYTES"))
    inputs[-1].set_data_from_numpy(words, binary_data=is_binary)
    outputs = [triton.InferRequestedOutput(name, binary_data=is_binary) for name in ("score", "is_anomaly")]
    client = triton.InferenceServerClient(address.removeprefix("http://"))
    result = client.infer("m", inputs, request_id="one", outputs=outputs)
    assert result.get_response()["id"] == "one"
    written = subprocess.run(
        [command, "score", "m.narrows", "rows.csv", "--quiet"],
        cwd=folder,
        check=True,
        text=True,
        capture_output=True,
    )
    expected = [float(row["score"]) for row in csv.DictReader(written.stdout.splitlines())][:100]
    assert result.as_numpy("score").tolist() == expected
    assert result.as_numpy("is_anomaly").dtype == np.bool_


def test_schemathesis_finds_nothing(address: str, tmp_path: Path) -> None:
    pytest.importorskip("schemathesis")
    line = [sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", "--seed", str(SEED)]
    line += ["--max-examples", "15", "--request-timeout", "20", "--no-color", "--generation-database", "none"]
    # Which columns rows have depends on the model: a body of the right form may still be refused.
    line += ["--exclude-checks", "positive_data_acceptance"]
    # It writes no lines of JSON.
    line += ["--exclude-operation-id", "post_v2_models_model_stream_id"]
    done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=SECONDS)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
