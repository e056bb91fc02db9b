"""Files of bytes where Spark's own files are: on disk, HDFS or an object store."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["read_bytes", "write_bytes"]


def write_bytes(spark: SparkSession, path: str, content: bytes) -> None:
    """Writes a file by Hadoop's file systems, which know all places that Spark knows.

    Raises
    ------
    FileExistsError
        If there is one already.
    """
    context = spark.sparkContext
    jvm = context._jvm
    assert jvm is not None, "a session with a driver has its machine"
    place = jvm.org.apache.hadoop.fs.Path(path)
    files = place.getFileSystem(context._jsc.hadoopConfiguration())
    if files.exists(place):
        raise FileExistsError(f"{path}: there is a file already; use `write().overwrite()`")
    stream = files.create(place, False)
    try:
        stream.write(bytearray(content))
    finally:
        stream.close()


def read_bytes(spark: SparkSession, path: str) -> bytes:
    """Reads a file."""
    found = spark.read.format("binaryFile").load(path).select("content").take(1)
    if not found:
        raise FileNotFoundError(f"{path}: expected a model file, got none")
    return bytes(found[0][0])
