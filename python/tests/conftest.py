"""What holds for all tests: no window opens, files go to temporary folders."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("MPLBACKEND", "agg")
# Before scipy is imported: scikit-learn's checks of array API input run instead of being skipped.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def package() -> Path:
    """The folder of the package under test."""
    import narrows

    assert narrows.__file__ is not None
    return Path(narrows.__file__).parent


@pytest.fixture(scope="session")
def command() -> Path:
    """The binary `narrows`, to compare results with."""
    binary = os.environ.get("NARROWS_BINARY", "")
    if not binary:
        pytest.skip("NARROWS_BINARY does not name the binary `narrows`; `cargo test` sets it")
    assert Path(binary).is_file(), f"NARROWS_BINARY: expected a file, got `{binary}`"
    return Path(binary)
