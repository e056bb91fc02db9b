"""The package is typed throughout, and the stub describes the native module."""

import os
import re
import subprocess
import sys
from pathlib import Path

from narrows import _native


def test_mypy_accepts_the_package(root: Path, package: Path) -> None:
    # Without a cache, which remembers modules that were missing once.
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--cache-dir",
        os.devnull,
        "--config-file",
        str(root / "pyproject.toml"),
        "--strict",
        str(package),
    ]
    found = subprocess.run(command, capture_output=True, text=True, cwd=package.parent)
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_package_says_that_it_is_typed(package: Path) -> None:
    assert (package / "py.typed").is_file()


def test_the_stub_names_what_the_native_module_has(package: Path) -> None:
    """Top-level names and the members of classes, both ways."""
    stub = (package / "_native.pyi").read_text()
    described = set(re.findall(r"^(?:class|def) (\w+)|^([A-Z_]\w*|__version__): ", stub, re.M))
    names = {one or other for one, other in described}
    real = {name for name in dir(_native) if not name.startswith("_") or name == "__version__"}
    # What only the checker of types knows.
    types = {"Any", "Floats", "Image", "Listener", "Roles"}
    assert real == names - types
    for name, body in re.findall(r"^class (\w+)[^\n]*:\n((?:(?:    [^\n]*)?\n)+)", stub, re.M):
        if name in types:
            continue
        members = {member for member in re.findall(r"^    def (\w+)\(", body, re.M) if not member.startswith("__")}
        held = {member for member in vars(getattr(_native, name)) if not member.startswith("_")}
        assert held == members, name
