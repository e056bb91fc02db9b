"""Sessions of the engines, a small model and its scores on one machine. Slow: skipped where an engine is not installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import narrows

if find_spec("pyspark") is None and find_spec("ray") is None:
    # Nothing is fitted for tests that would be skipped one by one.
    collect_ignore_glob = ["test_*.py"]

ROWS = 700


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """Spark on two cores, in which a task may fail three times."""
    pytest.importorskip("pyspark")
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2,4]").appName("narrows").config("spark.ui.enabled", "false")
    builder = builder.config("spark.sql.shuffle.partitions", "3").config("spark.driver.host", "127.0.0.1")
    builder = builder.config("spark.sql.session.timeZone", "UTC")
    session = builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", "128").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def ray() -> Iterator[Any]:
    """Ray with two workers."""
    engine = pytest.importorskip("ray")
    # By default workers give way to all else on the machine.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    pytest.importorskip("ray.data")
    engine.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    engine.data.DataContext.get_current().enable_progress_bars = False
    engine.data.DataContext.get_current().execution_options.preserve_order = True
    yield engine
    engine.shutdown()


@pytest.fixture(scope="session")
def table() -> pa.Table:
    """Payments, of which some cells are missing."""
    return narrowed(pa.table(narrows.datasets.payments(ROWS)))


def narrowed(table: pa.Table) -> pa.Table:
    """Without what pandas adds, in types that Spark has."""
    table = table.replace_schema_metadata(None)
    for i, field in enumerate(table.schema):
        if pa.types.is_large_string(field.type):
            table = table.set_column(i, field.name, table.column(i).cast(pa.string()))
        if pa.types.is_timestamp(field.type):
            table = table.set_column(i, field.name, table.column(i).cast(pa.timestamp("us", "UTC")))
    return table


@pytest.fixture(scope="session")
def model(table: pa.Table) -> narrows.AutoEncoder:
    """Fitted to the payments."""
    return narrows.AutoEncoder("auto", max_steps=30, label="is_fraud").fit(table)


@pytest.fixture(scope="session")
def scores(model: narrows.AutoEncoder, table: pa.Table) -> dict[str, list[Any]]:
    """Those of the payments on one machine."""
    columns: dict[str, list[Any]] = pa.table(model.scores(table)).to_pydict()
    return columns


@pytest.fixture(scope="session")
def parquet(table: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The payments as a file, for the binary."""
    import pyarrow.parquet as pq

    path = tmp_path_factory.mktemp("data") / "payments.parquet"
    pq.write_table(table, path)
    return path
