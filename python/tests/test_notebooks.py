"""The notebooks run, and show what they claim: each asserts its results in its own cells."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "docs" / "notebooks"
NAMES = ("fraud", "heartbeats", "machines", "images", "features")
SLOWEST = 300
"""Seconds for a cell; that of a machine which builds something else meanwhile."""


def _tools() -> None:
    """Skips where the notebooks' own needs are missing; those of the package's tests are there."""
    for name in ("jupytext", "nbclient", "ipykernel", "matplotlib", "pandas", "sklearn"):
        pytest.importorskip(name, reason=f"notebooks need {name}: pip install {name}")


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_and_its_assertions_hold(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _tools()
    import jupytext
    from nbclient import NotebookClient

    # The kernel starts in another folder, and with the package that is tested here.
    package = Path(__import__("narrows").__file__).parents[1]
    paths = [str(package), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in paths if path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    # Plots go into the outputs, not where the other tests draw them.
    monkeypatch.delenv("MPLBACKEND", raising=False)
    notebook = jupytext.read(NOTEBOOKS / f"{name}.py")
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=SLOWEST, kernel_name="python3", resources=resources).execute()

    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 3, "expected plots"
    told = [output["text"] for output in outputs if output.output_type == "stream" and output.name == "stderr"]
    assert not told, "expected no warnings"


def test_every_notebook_is_tested_and_listed() -> None:
    assert sorted(path.stem for path in NOTEBOOKS.glob("*.py")) == sorted(NAMES)
    listed = re.findall(r"^\| \[(\w+)\.py\]", (NOTEBOOKS / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_asserts_its_results(name: str) -> None:
    cells = (NOTEBOOKS / f"{name}.py").read_text(encoding="utf-8").split("\n# %%")
    assert sum("\nassert " in cell for cell in cells) >= 2
