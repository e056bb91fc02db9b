"""`import narrows` is quick and imports nothing heavy."""

import statistics
import subprocess
import sys
import time

HEAVY = [
    "pandas",
    "polars",
    "pyarrow",
    "duckdb",
    "sklearn",
    "scipy",
    "pyod",
    "matplotlib",
    "tqdm",
    "shap",
    "PIL",
    "IPython",
    "huggingface_hub",
    "mlflow",
]
RUNS = 5


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def seconds(code: str) -> float:
    started = time.perf_counter()
    run(code)
    return time.perf_counter() - started


def test_nothing_heavy_is_imported() -> None:
    loaded = run("import narrows, sys; print(' '.join({name.split('.')[0] for name in sys.modules}))").split()
    assert not set(loaded) & set(HEAVY)


def test_the_names_can_be_listed_without_importing_anything_heavy() -> None:
    loaded = run("import narrows, sys; dir(narrows); narrows.__all__; print(*sys.modules)").split()
    assert not set(loaded) & set(HEAVY)


def test_import_takes_less_than_a_fifth_of_a_second_more_than_numpy() -> None:
    """Alternating runs, so that what else the machine does slows both."""
    pairs = [(seconds("import numpy"), seconds("import narrows")) for _ in range(RUNS)]
    slower = statistics.median(narrows - numpy for numpy, narrows in pairs)
    numpy = statistics.median(numpy for numpy, _ in pairs)
    assert slower < max(0.2, numpy), pairs


def test_an_unknown_name_is_an_attribute_error() -> None:
    answer = run("import narrows\ntry: narrows.Nothing\nexcept AttributeError as error: print(error)")
    assert answer == "module 'narrows' has no attribute 'Nothing'"


def test_the_version_is_that_of_the_distribution() -> None:
    from narrows import _native

    assert run("import narrows; print(narrows.__version__)") == _native.__version__
