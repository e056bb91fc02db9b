"""The reference of the package builds without a warning and names everything that is public."""

import subprocess
import sys
from pathlib import Path

import narrows


def test_the_reference_builds_without_a_warning(tmp_path: Path) -> None:
    # Its own warnings; those of packages that it imports are not ours.
    command = [
        sys.executable,
        "-W",
        "error::UserWarning",
        "-m",
        "pdoc",
        "--docformat",
        "numpy",
        "--output-directory",
        str(tmp_path),
    ]
    built = subprocess.run([*command, "narrows"], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    assert "warn" not in built.stderr.lower(), built.stderr
    page = (tmp_path / "narrows.html").read_text()
    for name in narrows.__all__:
        assert f'id="{name}"' in page or (tmp_path / "narrows" / f"{name}.html").is_file(), name


def test_every_public_name_is_documented() -> None:
    public = {name: getattr(narrows, name) for name in narrows.__all__ if not name.startswith("__")}
    assert [name for name, value in public.items() if not (value.__doc__ or "").strip()] == []


def test_every_method_of_an_estimator_is_documented() -> None:
    classes = [narrows.AutoEncoder, narrows.SeriesAutoEncoder, narrows.ImageAutoEncoder, narrows.ImageRestorer]
    silent = [
        f"{cls.__name__}.{name}"
        for cls in classes
        for name in dir(cls)
        if not name.startswith("_") and callable(getattr(cls, name)) and not (getattr(cls, name).__doc__ or "").strip()
    ]
    assert silent == []
