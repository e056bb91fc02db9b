"""Every Python example of the documentation runs: the blocks of a page in order, in one namespace and one folder."""

import copy
import doctest
import importlib
import os
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from narrows import _recipe

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "python" / "README.md", ROOT / "docs" / "README.md"]
PAGES += sorted((ROOT / "docs" / "python").glob("*.md"))
BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)


def blocks(page: Path) -> list[tuple[int, str]]:
    """The code of a page, and the lines where it begins."""
    text = page.read_text()
    return [(text.count("\n", 0, found.start(1)), found[1]) for found in BLOCK.finditer(text)]


NEEDS = {"mlflow": "mlflow", "spark": "pyspark", "ray": "ray"}
"""Packages of pages and modules that are about one. Those of engines are heavy, so the tests of the engines alone have them."""


def skip_without_engine(name: str) -> None:
    """Skips what is about an engine that is not installed."""
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])


STEPS = 15
"""Of a training that the examples do not limit: they show defaults, which take longer than a test should."""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits the training of estimators that have no limit of their own."""
    build = _recipe.build_recipe

    def limited(estimator: Any, **more: Any) -> Any:
        is_limited = "train.steps" in (getattr(estimator, "settings", None) or {})
        given = (getattr(estimator, name, None) for name in ("max_steps", "recipe"))
        if not is_limited and all(value is None for value in given):
            estimator = copy.copy(estimator)
            estimator.max_steps = STEPS
        return build(estimator, **more)

    for file in Path(_recipe.__file__).parent.glob("_*.py"):
        if file.stem != "_recipe" and "build_recipe" in file.read_text():
            monkeypatch.setattr(f"narrows.{file.stem}.build_recipe", limited)


@pytest.fixture(autouse=True)
def in_its_own_folder(tmp_path: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(tmp_path)
    yield
    os.chdir(before)
    if "matplotlib.pyplot" in sys.modules:
        importlib.import_module("matplotlib.pyplot").close("all")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_examples_of_a_page_run(page: Path) -> None:
    skip_without_engine(page.stem)
    namespace: dict[str, object] = {"__name__": "__main__"}
    for line, code in blocks(page):
        # As many empty lines before it, so that an error names the line of the page.
        exec(compile("\n" * line + code, str(page), "exec"), namespace)


def test_every_page_has_an_example_and_is_in_the_book() -> None:
    book = (ROOT / "docs" / "SUMMARY.md").read_text()
    for page in sorted((ROOT / "docs" / "python").glob("*.md")):
        assert blocks(page), page
        assert f"(python/{page.name})" in book, page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def modules() -> list[str]:
    package = importlib.import_module("narrows")
    # Packages of engines import these, so their modules are found by name alone.
    names = [f"narrows.{module.name}" for module in pkgutil.iter_modules(package.__path__)]
    for folder in ("plot", "spark", "ray", "_partitions"):
        names += [f"narrows.{folder}.{file.stem}" for file in sorted((Path(package.__path__[0]) / folder).glob("*.py"))]
    return ["narrows", *(name for name in names if name != "narrows._native" and not name.endswith("__init__"))]


@pytest.mark.parametrize("name", modules())
def test_the_examples_of_a_module_give_what_they_say(name: str) -> None:
    skip_without_engine(name.split(".")[1] if "." in name else "")
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    found = doctest.testmod(importlib.import_module(name), optionflags=options)
    assert found.failed == 0
