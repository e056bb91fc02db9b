"""Tables and models in a bucket, by an S3 server that runs here; only builds with the cargo feature `remote`."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import narrows
from narrows import _native

IS_REQUIRED = os.environ.get("NARROWS_REQUIRE_REMOTE") == "1"
pytestmark = pytest.mark.skipif(
    "remote" not in _native.FEATURES and not IS_REQUIRED, reason="built without the cargo feature `remote`"
)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(600):
                with socket.socket() as client:
                    if client.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """The address of a new bucket, with credentials in the environment."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    variables = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "NO_PROXY": "127.0.0.1",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    name = "b-" + request.node.name.replace("_", "-")
    put(f"{endpoint}/{name}", b"")
    return f"s3://{name}"


def put(url: str, content: bytes) -> None:
    """Makes a bucket or an object."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(
        urllib.request.Request(url, content, {"Content-Type": "application/octet-stream"}, method="PUT")
    ) as answer:
        assert answer.status == 200


def rows(n: int) -> np.ndarray:
    """Numbers on a circle, and one that follows from them."""
    angle = np.arange(n) * 0.37
    return np.column_stack([np.sin(angle), np.cos(angle), np.sin(angle) * np.cos(angle)])


def csv(matrix: np.ndarray) -> str:
    """A table of these rows."""
    return "a,b,c\n" + "".join(",".join(f"{cell:.6f}" for cell in row) + "\n" for row in matrix)


def test_fit_and_score_are_those_of_files(bucket: str, endpoint: str, tmp_path: Path) -> None:
    text = csv(rows(300))
    (tmp_path / "train.csv").write_text(text)
    put(f"{endpoint}/{bucket.removeprefix('s3://')}/day/train.csv", text.encode())
    settings = {"max_steps": 50, "random_state": 0}
    local = narrows.AutoEncoder("simple", **settings).fit(tmp_path / "train.csv")
    stored = narrows.AutoEncoder("simple", **settings).fit(f"{bucket}/day/*.csv")
    expected = local.score_samples(tmp_path / "train.csv")
    assert (stored.score_samples(f"{bucket}/day/") == expected).all()
    stored.save(f"{bucket}/m.narrows")
    loaded = narrows.load(f"{bucket}/m.narrows")
    assert (loaded.score_samples(f"{bucket}/day/train.csv") == expected).all()
    assert loaded.model_.to_bytes() == stored.model_.to_bytes()
    stored.report(f"{bucket}/r.html")


def test_what_is_not_there_is_an_os_error(bucket: str) -> None:
    with pytest.raises(FileNotFoundError, match="there is no such object") as raised:
        narrows.load(f"{bucket}/none.narrows")
    assert raised.value.filename == f"{bucket}/none.narrows"
    with pytest.raises(FileNotFoundError, match="there is no bucket `nobody`"):
        narrows.AutoEncoder("simple").fit("s3://nobody/a.csv")


def test_wrong_endpoints_are_given_up_soon(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    began = time.monotonic()
    with pytest.raises(OSError, match="no connection to the server"):
        narrows.load("s3://elsewhere/m.narrows")
    assert time.monotonic() - began < 30


def test_a_forked_process_has_requests_of_its_own(bucket: str, endpoint: str) -> None:
    put(f"{endpoint}/{bucket.removeprefix('s3://')}/train.csv", csv(rows(300)).encode())
    model = narrows.AutoEncoder("simple", max_steps=20, random_state=0).fit(f"{bucket}/train.csv")
    model.save(f"{bucket}/m.narrows")
    child = os.fork()
    if child == 0:
        try:
            narrows.load(f"{bucket}/m.narrows")
            os._exit(0)
        except BaseException:
            os._exit(1)
    began = time.monotonic()
    while time.monotonic() - began < 60:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert os.waitstatus_to_exitcode(status) == 0
            return
        time.sleep(0.05)
    os.kill(child, 9)
    pytest.fail("the child still waits")
