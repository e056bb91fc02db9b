"""Scoring by Spark and Ray beside the command, of the same Parquet file, in one run.

    python bench/engines.py [--narrows target/release/narrows] [--rows 200000] [--repeats 3]

A file of payments with several row groups is scored by `narrows score`, by `narrows.spark.score` on `local[2]` and by
`narrows.ray.score` with two workers; each writes Parquet. Times exclude the start of a session and, as a first run starts
workers, the first run; the least of the repeats counts. The scores are compared before times are told, to the last bit.
Reading and writing alone, without a model, is the limit of each engine.

needs the package `narrows` with pyspark, Java and ray[data]
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import pyarrow as pa
import pyarrow.parquet as pq

import narrows


def least(repeats, work):
    """The least time of some runs after one that does not count."""
    times = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times[1:])


def scores_of(path):
    """Scores by payment, from a file or a folder of files."""
    table = pa.concat_tables(pq.read_table(file) for file in sorted(path.rglob("*.parquet"))) if path.is_dir() else pq.read_table(path)
    return dict(zip(table["payment_id"].to_pylist(), table["score"].to_pylist()))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--narrows", default="target/release/narrows")
    arguments.add_argument("--rows", type=int, default=200_000)
    arguments.add_argument("--repeats", type=int, default=3)
    asked = arguments.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp())
    file, model_file = folder / "payments.parquet", folder / "m.narrows"
    table = pa.table(narrows.datasets.payments(asked.rows)).replace_schema_metadata(None)
    table = table.set_column(1, "time", table["time"].cast(pa.timestamp("us", "UTC")))
    pq.write_table(table, file, row_group_size=max(1, asked.rows // 8))
    model = narrows.AutoEncoder("deep", label="is_fraud", max_steps=300).fit(table.slice(0, 5000))
    model.save(model_file)
    seconds, results = {}, {}

    def by_command():
        out = folder / "command.parquet"
        command = [asked.narrows, "score", model_file, file, "--keep", "payment_id", "-o", out, "--force", "--threads", "2"]
        subprocess.run(command, check=True, capture_output=True)
        results["narrows score"] = out

    seconds["narrows score"] = least(asked.repeats, by_command)

    os.environ["PYSPARK_PYTHON"] = sys.executable
    from narrows.spark import score as score_on_spark
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.sql.files.maxPartitionBytes", max(1, file.stat().st_size // 4))
    spark = builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    df = spark.read.parquet(str(file))

    def by_spark():
        scored = score_on_spark(df, model, keep="payment_id")
        scored.write.mode("overwrite").parquet(str(folder / "spark"))
        results["narrows.spark"] = folder / "spark"

    def spark_alone():
        df.mapInArrow(lambda batches: batches, df.schema).write.mode("overwrite").parquet(str(folder / "alone"))

    seconds["narrows.spark"] = least(asked.repeats, by_spark)
    seconds["Spark, rows through Python alone"] = least(asked.repeats, spark_alone)
    spark.stop()

    import ray
    from narrows.ray import score as score_on_ray

    # By default workers give way to all else on the machine.
    os.environ["RAY_worker_niceness"] = "0"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    ray.data.DataContext.get_current().enable_progress_bars = False
    ds = ray.data.read_parquet(str(file), override_num_blocks=4)

    def by_ray():
        shutil.rmtree(folder / "ray", ignore_errors=True)
        score_on_ray(ds, model, keep="payment_id").write_parquet(str(folder / "ray"))
        results["narrows.ray"] = folder / "ray"

    def ray_alone():
        shutil.rmtree(folder / "alone", ignore_errors=True)
        ds.map_batches(lambda batch: batch, batch_format="pyarrow").write_parquet(str(folder / "alone"))

    seconds["narrows.ray"] = least(asked.repeats, by_ray)
    seconds["Ray, rows through Python alone"] = least(asked.repeats, ray_alone)
    ray.shutdown()

    expected = scores_of(results["narrows score"])
    for name, path in results.items():
        assert scores_of(path) == expected, f"{name}: other scores than the command's"
    print(f"{asked.rows} rows x {table.num_columns}, equal scores")
    for name, taken in seconds.items():
        print(f"{name:36} {taken:8.2f} s {asked.rows / taken:12,.0f} rows/s {taken / seconds['narrows score']:6.2f} x the command")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
