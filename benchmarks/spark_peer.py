"""The peer that many states know: Spark's XML reader with validation of each row, written to PostgreSQL by JDBC.

It validates every object by the same schema and takes the same declared columns out, JSON as text. It keeps no keys, no
documents, no inbox, no events, findings, references or history, and it can only insert. Runs in the environment of
requirements/bench-spark.lock: `python -m benchmarks.spark_peer POSTMASTER URL DRIVER FOLDER`.
"""

import json
import sys
from pathlib import Path

from pyspark.sql import SparkSession

from benchmarks.meter import Cost, metered

CONFIG = {
    "spark.driver.memory": "4g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.log.level": "ERROR",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}

JDBC = {"driver": "org.postgresql.Driver", "batchsize": "10000", "reWriteBatchedInserts": "true"}
"""Inserts of many rows in one statement: the quickest that Spark's own writer can do."""

PASSES = ("cold", "warm")
"""Both in one JVM; what the first costs, most of it the compiling of Java's code, is not counted."""


def load(postmaster: int, url: str, driver: str, folder: Path) -> Cost:
    """Load the files of benchmarks.spark twice, into tables named after the pass; give the cost of the second."""
    builder = SparkSession.builder.master("local[2]").config("spark.jars", driver)
    for name, value in CONFIG.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    machine = int(spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid())  # noqa: SLF001 -- no other way
    for name in PASSES:
        with metered(postmaster, machine) as cost:
            _load(spark, url, folder, name)
    spark.stop()
    return cost


def _load(spark: SparkSession, url: str, folder: Path, prefix: str) -> None:
    # What is not valid is left out: the caller counts the rows.
    options = {"rowValidationXSDPath": str(folder / "objects.xsd"), "mode": "DROPMALFORMED"}
    options |= {"attributePrefix": "@", "valueTag": "$"}
    readings = json.loads((folder / "readings.json").read_text(encoding="utf-8"))
    for name, (table, fields, columns) in readings.items():
        reader = spark.read.format("xml").schema(fields).options(rowTag=name, **options)
        found = reader.load(str(folder / f"{name}.xml")).selectExpr(*columns)
        found.write.format("jdbc").options(url=url, dbtable=f"{prefix}_{table}", **JDBC).save()


if __name__ == "__main__":
    postmaster, url, driver, folder = sys.argv[1:]
    load(int(postmaster), url, driver, Path(folder)).report()
