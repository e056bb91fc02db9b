"""Formatting and lints of the Python files; the rules are in pyproject.toml."""

import subprocess
import sys
from pathlib import Path

import pytest

MOST_LINES = 400


def ruff(root: Path, *arguments: str) -> None:
    found = subprocess.run([sys.executable, "-m", "ruff", *arguments], capture_output=True, text=True, cwd=root)
    assert found.returncode == 0, found.stdout + found.stderr


def test_no_lint(root: Path) -> None:
    ruff(root, "check")


def test_formatted(root: Path) -> None:
    ruff(root, "format", "--check")


def sources(root: Path) -> list[Path]:
    return sorted((root / "python").rglob("*.py"))


def test_every_file_opens_with_what_it_is_for(root: Path) -> None:
    silent = [str(file) for file in sources(root) if not file.read_text().startswith(('"""', 'r"""'))]
    assert not silent


def test_no_file_is_too_long(root: Path) -> None:
    lines = {str(file): sum(1 for line in file.read_text().splitlines() if line.strip()) for file in sources(root)}
    assert {file: count for file, count in lines.items() if count > MOST_LINES} == {}


@pytest.mark.parametrize("word", ["Judge", "Passage", "rival", "draw_line"])
def test_no_word_that_was_given_up(root: Path, word: str) -> None:
    others = [file for file in sources(root) if file.name != Path(__file__).name]
    assert [str(file) for file in others if word in file.read_text()] == []
