"""The command that the package carries is the binary."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

RUN = "import sys; sys.argv[0] = 'narrows'; from narrows._cli import main; main()"


def carried(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", RUN, *arguments], capture_output=True, text=True, cwd=cwd)


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["fit", "--help"], ["fit", "nothing.csv"], ["score", "--jsn"], ["score", "--json"], []],
    ids=lambda arguments: " ".join(arguments) or "nothing",
)
def test_the_command_says_what_the_binary_says(command: Path, tmp_path: Path, arguments: list[str]) -> None:
    binary = subprocess.run([str(command), *arguments], capture_output=True, text=True, cwd=tmp_path)
    ours = carried(*arguments, cwd=tmp_path)
    assert (ours.returncode, ours.stdout, ours.stderr) == (binary.returncode, binary.stdout, binary.stderr)


def test_the_version_is_that_of_the_package() -> None:
    import narrows

    assert carried("--version").stdout.splitlines()[0] == f"narrows {narrows.__version__}"


def test_a_fit_and_its_scores_are_those_of_the_binary(command: Path, tmp_path: Path) -> None:
    rows = [f"{i % 7},{(i * i) % 11},{i % 3 == 0}" for i in range(200)]
    (tmp_path / "train.csv").write_text("\n".join(["a,b,c", *rows]) + "\n")
    fit = ["fit", "train.csv", "--preset", "simple", "--set", "train.steps=20", "--quiet", "-o"]
    assert subprocess.run([str(command), *fit, "binary.narrows"], cwd=tmp_path).returncode == 0
    assert carried(*fit, "ours.narrows", cwd=tmp_path).returncode == 0
    assert (tmp_path / "ours.narrows").read_bytes() == (tmp_path / "binary.narrows").read_bytes()

    theirs = subprocess.run(
        [str(command), "score", "binary.narrows", "train.csv"], cwd=tmp_path, capture_output=True, text=True
    )
    ours = carried("score", "ours.narrows", "train.csv", cwd=tmp_path)
    assert ours.stdout == theirs.stdout
    assert ours.stdout.startswith("row,score,p_value,is_anomaly")


def test_a_reader_that_goes_away_is_no_failure(tmp_path: Path) -> None:
    rows = [f"{i % 7},{(i * i) % 11}" for i in range(3000)]
    (tmp_path / "train.csv").write_text("\n".join(["a,b", *rows]) + "\n")
    fit = carried("fit", "train.csv", "--preset", "simple", "--set", "train.steps=5", "-o", "m.narrows", cwd=tmp_path)
    assert fit.returncode == 0, fit.stderr
    score = [sys.executable, "-c", RUN, "score", "m.narrows", "train.csv"]
    with subprocess.Popen(score, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=60) == 0, process.stderr.read()


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a signal")
def test_ctrl_c_saves_the_best_model_so_far(tmp_path: Path) -> None:
    rows = [f"{i % 7},{(i * i) % 11},{(i * 31) % 17}" for i in range(2000)]
    (tmp_path / "train.csv").write_text("\n".join(["a,b,c", *rows]) + "\n")
    long = [
        "--set",
        "train.steps=1000000",
        "--set",
        "train.epochs=1000000",
        "--set",
        "train.patience=0",
        "--checkpoint",
    ]
    command = [sys.executable, "-c", RUN, "fit", "train.csv", "--preset", "deep", *long, "-o", "m.narrows"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        deadline = time.monotonic() + 60
        while not (tmp_path / "m.narrows.checkpoint" / "member-0.safetensors").exists():
            if time.monotonic() > deadline or process.poll() is not None:
                process.kill()
                pytest.fail(process.stderr.read())
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        told = process.stderr.read()
        assert process.wait(timeout=60) == 130, told
    assert "Traceback" not in told
    assert (tmp_path / "m.narrows").is_file()
